#include "data/split.h"

static const char *const split_names[] = {"", "train", "validation", "test"};

const char *tut_split_name(tut_split split)
{
    return split_names[split];
}

bool tut_split_parse(tut_str word, tut_split *ret_split)
{
    static const struct {
        const char *word;
        tut_split split;
    } words[] = {
        {"train", TUT_SPLIT_TRAIN},
        {"training", TUT_SPLIT_TRAIN},
        {"validation", TUT_SPLIT_VALIDATION},
        {"valid", TUT_SPLIT_VALIDATION},
        {"val", TUT_SPLIT_VALIDATION},
        {"dev", TUT_SPLIT_VALIDATION},
        {"test", TUT_SPLIT_TEST},
        {"eval", TUT_SPLIT_TEST},
        {"testing", TUT_SPLIT_TEST},
        {"evaluation", TUT_SPLIT_TEST},
        {"holdout", TUT_SPLIT_TEST},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (tut_str_ieq(word, tut_str_of(words[i].word))) {
            *ret_split = words[i].split;
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static tut_split split_in(tut_str name)
{
    tut_split split = TUT_SPLIT_NONE;
    for (size_t at = 0; at < name.len;) {
        size_t end = at;
        while (end < name.len && is_letter(name.data[end]))
            end++;
        if (end > at && tut_split_parse((tut_str){name.data + at, end - at}, &split))
            return split;
        at = end > at ? end : at + 1;
    }
    return split;
}

/* The file's own name, then that of its folder. */
tut_split tut_split_guess(const char *path)
{
    tut_str rest = tut_str_of(path);
    for (int level = 0; level < 2; level++) {
        size_t slash = rest.len;
        while (slash > 0 && rest.data[slash - 1] != '/')
            slash--;
        tut_split split = split_in((tut_str){rest.data + slash, rest.len - slash});
        if (split != TUT_SPLIT_NONE || slash == 0)
            return split;
        rest.len = slash - 1;
    }
    return TUT_SPLIT_NONE;
}
