#include "data/features_internal.h"

enum { NAME_BYTES = 40 };

/* The number of a name; the last that fits stands for all that come after it. */
tut_status features_name(tut_features *f, name_list *l, tut_str name, size_t most, uint32_t *ret_at,
                         tut_error *err)
{
    size_t at = tut_map_get(&l->map, name);
    if (at != SIZE_MAX || l->count == most) {
        *ret_at = at != SIZE_MAX ? (uint32_t)at : TUT_FEATURES_NONE;
        return TUT_SUCCESS;
    }
    const char *kept = tut_arena_copy(&f->names, name);
    if (!kept || !tut_is_ok(tut_grow(&l->names, l->count, &l->capacity, sizeof(*l->names))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_map_put(&l->map, (tut_str){kept, name.len}, l->count, NULL, err));
    l->names[l->count] = kept;
    *ret_at = (uint32_t)l->count++;
    return TUT_SUCCESS;
}

void name_list_done(name_list *l)
{
    tut_map_done(&l->map);
    tut_free(l->names);
}

static bool is_of_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static tut_status add_word(tut_features *f, tut_str word, kept_row *row, tut_error *err)
{
    char folded[NAME_BYTES];
    size_t len = word.len < sizeof(folded) ? word.len : sizeof(folded);
    uint32_t at = TUT_FEATURES_NONE;
    for (size_t i = 0; i < len; i++)
        folded[i] = (char)(word.data[i] >= 'A' && word.data[i] <= 'Z' ? word.data[i] | 0x20
                                                                      : word.data[i]);
    TUT_TRY(features_name(f, &f->words, (tut_str){folded, len}, TUT_FEATURES_WORDS, &at, err));
    if (at == TUT_FEATURES_NONE) {
        f->too_many_words = true;
        return TUT_SUCCESS;
    }
    if (row->word_count == row->word_capacity) {
        uint32_t capacity = row->word_capacity ? 2 * row->word_capacity : 32;
        uint32_t *words = tut_realloc_array(row->words, capacity, sizeof(*words));
        if (!words)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        row->words = words;
        row->word_capacity = capacity;
    }
    row->words[row->word_count++] = at;
    return TUT_SUCCESS;
}

tut_status features_words(tut_features *f, tut_str text, kept_row *row, tut_error *err)
{
    for (size_t at = 0; at < text.len && row->word_count < TUT_FEATURES_ROW_WORDS;) {
        size_t first = at;
        while (at < text.len && is_of_word((uint8_t)text.data[at]))
            at++;
        if (at > first)
            TUT_TRY(add_word(f, (tut_str){text.data + first, at - first}, row, err));
        else
            at++;
    }
    return TUT_SUCCESS;
}
