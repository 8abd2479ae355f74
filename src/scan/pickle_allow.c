/*
 * The allow list: lines "module TAB name TAB family TAB use", sorted by bytes, linked into the
 * program and searched by halving where they lie. tools/pickle_allow.py writes the file and says
 * where each family comes from.
 */
#include <stdlib.h>

#include "scan/pickle_names.h"

extern const unsigned char tut_pickle_allow_tsv[];
extern const unsigned char tut_pickle_allow_tsv_end[];
extern const unsigned char tut_pickle_allow_tsv_sha256[TUT_SHA256_BYTES];

static tut_str whole_list(void)
{
    const char *text = (const char *)tut_pickle_allow_tsv;
    /* Two symbols around one block of bytes: their distance is its length. */
    uintptr_t length = (uintptr_t)tut_pickle_allow_tsv_end - (uintptr_t)tut_pickle_allow_tsv;
    return (tut_str){text, length};
}

/* The line that holds byte `at`. */
static tut_str line_around(tut_str list, size_t at)
{
    size_t start = at;
    while (start > 0 && list.data[start - 1] != '\n')
        start--;
    const char *end = memchr(list.data + at, '\n', list.len - at);
    size_t stop = end ? (size_t)(end - list.data) : list.len;
    return (tut_str){list.data + start, stop - start};
}

static bool split_line(tut_str line, tut_str *ret_module, tut_str *ret_name)
{
    const char *tab = memchr(line.data, '\t', line.len);
    if (!tab)
        return false;
    *ret_module = (tut_str){line.data, (size_t)(tab - line.data)};
    tut_str rest = {tab + 1, line.len - ret_module->len - 1};
    tab = memchr(rest.data, '\t', rest.len);
    if (!tab)
        return false;
    *ret_name = (tut_str){rest.data, (size_t)(tab - rest.data)};
    return true;
}

/* Order of the lines: a TAB is below every byte of a name, so parts compare one after the other. */
static int compare(tut_str module, tut_str name, tut_str line)
{
    tut_str line_module, line_name;
    if (!split_line(line, &line_module, &line_name))
        return -1;
    int order = tut_str_cmp(module, line_module);
    return order != 0 ? order : tut_str_cmp(name, line_name);
}

static tut_pickle_use use_of(tut_str line)
{
    static const struct {
        const char *word;
        tut_pickle_use use;
    } uses[] = {{"\tcall", TUT_PICKLE_USE_CALL},
                {"\tmake", TUT_PICKLE_USE_MAKE},
                {"\thold", TUT_PICKLE_USE_HOLD}};
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (tut_str_ends(line, tut_str_of(uses[i].word)))
            return uses[i].use;
    }
    return TUT_PICKLE_USE_NONE;
}

tut_pickle_use tut_pickle_allowed_use(tut_str module, tut_str name)
{
    tut_str list = whole_list();
    size_t low = 0;
    size_t high = list.len;
    while (low < high) {
        tut_str line = line_around(list, low + (high - low) / 2);
        int order = compare(module, name, line);
        if (order == 0)
            return use_of(line);
        size_t start = (size_t)(line.data - list.data);
        if (order < 0)
            high = start;
        else
            low = start + line.len + 1;
    }
    return TUT_PICKLE_USE_NONE;
}

bool tut_pickle_allows(tut_str module, tut_str name)
{
    return tut_pickle_allowed_use(module, name) != TUT_PICKLE_USE_NONE;
}

size_t tut_pickle_allow_count(bool *ret_is_sound)
{
    tut_str list = whole_list();
    tut_str last_module = {"", 0}, last_name = {"", 0};
    size_t count = 0;
    *ret_is_sound = true;
    for (size_t at = 0; at < list.len; count++) {
        tut_str line = line_around(list, at);
        tut_str module, name;
        if (!split_line(line, &module, &name) || use_of(line) == TUT_PICKLE_USE_NONE ||
            !tut_python_is_dotted_name(module) || !tut_python_is_dotted_name(name) ||
            compare(last_module, last_name, line) >= 0) {
            *ret_is_sound = false;
            return count;
        }
        last_module = module;
        last_name = name;
        at += line.len + 1;
    }
    return count;
}

tut_status tut_pickle_allow_digest(tut_sha256 *ret_digest, tut_error *err)
{
    tut_str list = whole_list();
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(tut_span_of(list.data, list.len), &digest, err));
    if (memcmp(digest.bytes, tut_pickle_allow_tsv_sha256, sizeof(digest.bytes)) != 0)
        return tut_fail(err, TUT_BUG,
                        "the built-in allow list is not the one that this program was built with");
    *ret_digest = digest;
    return TUT_SUCCESS;
}
