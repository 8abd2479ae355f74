/* See flat.h. */
#include "formats/flat.h"

#include <stdlib.h>
#include <string.h>

tut_status tut_flat_new(tut_exam *x, const tut_source *source, uint64_t size, const char *rule,
                        tut_flat **ret, tut_error *err)
{
    tut_flat *f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->x = x;
    f->source = *source;
    f->size = size;
    f->rule = rule;
    *ret = f;
    return TUT_SUCCESS;
}

void tut_flat_free(tut_flat *f)
{
    free(f);
}

tut_status tut_flat_bad(tut_flat *f, uint64_t at, const char *why, tut_error *err)
{
    tut_exam_observe(f->x, f->rule, at, "%s", why);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", why);
}

static tut_status load_page(tut_flat *f, uint64_t page, size_t slot, tut_error *err)
{
    size_t got = 0;
    f->pages[slot] = 0;
    TUT_TRY(tut_source_read_some(&f->source, page * TUT_FLAT_PAGE, f->bytes[slot], TUT_FLAT_PAGE,
                                 &got, err));
    f->pages[slot] = page + 1;
    f->lengths[slot] = (uint32_t)got;
    return TUT_SUCCESS;
}

tut_status tut_flat_read(tut_flat *f, uint64_t at, void *to, size_t n, tut_error *err)
{
    uint8_t *out = to;
    if (at > f->size || n > f->size - at)
        return tut_flat_bad(f, at, "an offset leads out of the buffer", err);
    f->reach = at + n > f->reach ? at + n : f->reach;
    while (n > 0) {
        uint64_t page = at / TUT_FLAT_PAGE;
        size_t slot = (size_t)(page % TUT_FLAT_PAGES), from = (size_t)(at % TUT_FLAT_PAGE);
        if (f->pages[slot] != page + 1)
            TUT_TRY(load_page(f, page, slot, err));
        size_t take = TUT_FLAT_PAGE - from < n ? TUT_FLAT_PAGE - from : n;
        if (from + take > f->lengths[slot])
            return tut_fail_at(err, TUT_TRUNCATED, at, "the file ends too early");
        memcpy(out, f->bytes[slot] + from, take);
        out += take;
        at += take;
        n -= take;
    }
    return TUT_SUCCESS;
}

static tut_status number_at(tut_flat *f, uint64_t at, unsigned bytes, uint64_t *ret, tut_error *err)
{
    uint8_t raw[8] = {0};
    uint64_t value = 0;
    TUT_TRY(tut_budget_steps(f->x->budget, 1, err));
    TUT_TRY(tut_flat_read(f, at, raw, bytes, err));
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | raw[i];
    *ret = value;
    return TUT_SUCCESS;
}

static tut_status table_at(tut_flat *f, uint64_t at, tut_flat_table *ret, tut_error *err)
{
    uint64_t back = 0, size = 0;
    TUT_TRY(number_at(f, at, 4, &back, err));
    uint64_t vtable = at - (uint64_t)(int64_t)(int32_t)(uint32_t)back;
    if (vtable > f->size)
        return tut_flat_bad(f, at, "the vtable of a table lies out of the buffer", err);
    TUT_TRY(number_at(f, vtable, 2, &size, err));
    if (size < 4 || size % 2 != 0 || size > f->size - vtable)
        return tut_flat_bad(f, vtable, "a vtable has an impossible size", err);
    /* The size of the table is not looked at: builders share a vtable between tables of different
     * sizes, and no reader uses it. */
    *ret = (tut_flat_table){.at = at, .fields = vtable + 4, .count = (uint16_t)((size - 4) / 2)};
    return TUT_SUCCESS;
}

tut_status tut_flat_root(tut_flat *f, tut_flat_table *ret, tut_error *err)
{
    uint64_t root = 0;
    TUT_TRY(number_at(f, 0, 4, &root, err));
    return table_at(f, root, ret, err);
}

/* *ret is 0 when the field is absent. */
static tut_status field_at(tut_flat *f, const tut_flat_table *t, unsigned field, unsigned bytes,
                           uint64_t *ret, tut_error *err)
{
    uint64_t offset = 0;
    *ret = 0;
    if (field >= t->count)
        return TUT_SUCCESS;
    TUT_TRY(number_at(f, t->fields + 2 * (uint64_t)field, 2, &offset, err));
    if (offset == 0)
        return TUT_SUCCESS;
    if (offset < 4 || offset > f->size - t->at || bytes > f->size - t->at - offset)
        return tut_flat_bad(f, t->at, "a field lies outside of the buffer", err);
    *ret = t->at + offset;
    return TUT_SUCCESS;
}

tut_status tut_flat_number(tut_flat *f, const tut_flat_table *t, unsigned field, unsigned bytes,
                           uint64_t otherwise, uint64_t *ret, tut_error *err)
{
    uint64_t at = 0;
    TUT_TRY(field_at(f, t, field, bytes, &at, err));
    *ret = otherwise;
    return at ? number_at(f, at, bytes, ret, err) : TUT_SUCCESS;
}

/* Where the reference in this field leads; 0 when it is absent. */
static tut_status reference(tut_flat *f, const tut_flat_table *t, unsigned field, uint64_t *ret,
                            tut_error *err)
{
    uint64_t at = 0, offset = 0;
    *ret = 0;
    TUT_TRY(field_at(f, t, field, 4, &at, err));
    if (at == 0)
        return TUT_SUCCESS;
    TUT_TRY(number_at(f, at, 4, &offset, err));
    if (offset == 0)
        return tut_flat_bad(f, at, "a reference leads to itself", err);
    *ret = at + offset;
    return TUT_SUCCESS;
}

tut_status tut_flat_child(tut_flat *f, const tut_flat_table *t, unsigned field, bool *ret_has,
                          tut_flat_table *ret, tut_error *err)
{
    uint64_t at = 0;
    *ret_has = false;
    TUT_TRY(reference(f, t, field, &at, err));
    if (at == 0)
        return TUT_SUCCESS;
    TUT_TRY(table_at(f, at, ret, err));
    *ret_has = true;
    return TUT_SUCCESS;
}

tut_status tut_flat_vector_of(tut_flat *f, const tut_flat_table *t, unsigned field,
                              unsigned item_bytes, tut_flat_vector *ret, tut_error *err)
{
    uint64_t at = 0, count = 0;
    *ret = (tut_flat_vector){.at = 0};
    TUT_TRY(reference(f, t, field, &at, err));
    if (at == 0)
        return TUT_SUCCESS;
    TUT_TRY(number_at(f, at, 4, &count, err));
    if (count * item_bytes > f->size - (at + 4))
        return tut_flat_bad(f, at, "a vector reaches beyond the buffer", err);
    uint64_t end = at + 4 + count * item_bytes;
    f->reach = end > f->reach ? end : f->reach;
    *ret = (tut_flat_vector){.at = at + 4, .count = (uint32_t)count};
    return TUT_SUCCESS;
}

tut_status tut_flat_item(tut_flat *f, const tut_flat_vector *v, uint32_t i, unsigned bytes,
                         uint64_t *ret, tut_error *err)
{
    return number_at(f, v->at + (uint64_t)i * bytes, bytes, ret, err);
}

tut_status tut_flat_row(tut_flat *f, const tut_flat_vector *v, uint32_t i, tut_flat_table *ret,
                        tut_error *err)
{
    uint64_t at = v->at + (uint64_t)i * 4, offset = 0;
    TUT_TRY(number_at(f, at, 4, &offset, err));
    if (offset == 0)
        return tut_flat_bad(f, at, "a reference leads to itself", err);
    return table_at(f, at + offset, ret, err);
}

tut_status tut_flat_text(tut_flat *f, const tut_flat_table *t, unsigned field,
                         char to[TUT_FLAT_TEXT], tut_error *err)
{
    tut_flat_vector text;
    to[0] = '\0';
    TUT_TRY(tut_flat_vector_of(f, t, field, 1, &text, err));
    size_t keep = text.count < TUT_FLAT_TEXT - 1 ? text.count : TUT_FLAT_TEXT - 1;
    TUT_TRY(tut_flat_read(f, text.at, to, keep, err));
    to[keep] = '\0';
    return TUT_SUCCESS;
}
