/* A system card against the description: it names what is there, and all of it. An asset is named
 * by its id, KIND/NAME, as a word of the text. */
#include <string.h>

#include "govern/documents.h"

enum { NAMED_MAX = 8, ID_MAX = 256 };

static bool is_of_id(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._-", c)) || (uint8_t)c >= 0x80;
}

/* The next word of the characters of an id; false at the end. */
static bool next_word(tut_str *rest, tut_str *ret_word)
{
    size_t from = 0;
    while (from < rest->len && !is_of_id(rest->data[from]))
        from++;
    size_t to = from;
    while (to < rest->len && is_of_id(rest->data[to]))
        to++;
    *ret_word = (tut_str){rest->data + from, to - from};
    *rest = (tut_str){rest->data + to, rest->len - to};
    while (ret_word->len > 0 && memchr("./-_", ret_word->data[ret_word->len - 1], 4))
        ret_word->len--; /* the end of a sentence */
    return to > from;
}

static bool is_model_or_dataset(tut_str word)
{
    return (tut_str_starts(word, TUT_LIT("model/")) || tut_str_starts(word, TUT_LIT("dataset/"))) &&
           word.len < ID_MAX;
}

static void say(tut_buf *out, size_t *count, const char *how, tut_str id)
{
    if ((*count)++ >= NAMED_MAX)
        return;
    tut_buf_add_z(out, out->len ? "; " : "");
    tut_buf_printf(out, "%s ", how);
    tut_buf_add_escaped(out, id, ID_MAX);
}

/* Assets that the text names, by their place in the description. */
static void mark(const tut_system *s, tut_str text, bool *is_named, tut_buf *out, size_t *count)
{
    tut_str word;
    while (next_word(&text, &word)) {
        const tut_asset *a = tut_system_asset(s, word);
        if (a)
            is_named[a - s->assets] = true;
        else if (is_model_or_dataset(word))
            say(out, count, "it names what is not declared:", word);
    }
}

tut_status tut_card_compare(const tut_system *system, tut_str text, tut_buf *out, tut_error *err)
{
    size_t count = 0;
    TUT_AUTO_FREE bool *is_named = tut_alloc_array(system->asset_count + 1, sizeof(*is_named));
    if (!is_named)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    mark(system, text, is_named, out, &count);
    for (size_t i = 0; i < system->asset_count; i++) {
        const tut_asset *a = &system->assets[i];
        if ((a->kind == TUT_KIND_MODEL || a->kind == TUT_KIND_DATASET) && !is_named[i])
            say(out, &count, "it does not name", tut_str_of(a->id));
    }
    if (count > NAMED_MAX)
        tut_buf_printf(out, "; and %zu more", count - NAMED_MAX);
    return tut_buf_check(out, err);
}
