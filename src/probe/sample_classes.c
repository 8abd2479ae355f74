/* Labels to classes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/decimal.h"
#include "probe/sample_internal.h"

void sample_classes_done(sample_classes *c)
{
    tut_map_done(&c->map);
    tut_arena_done(&c->arena);
    c->count = 0;
}

static tut_status find(sample_classes *c, tut_str name, const int64_t *value, uint32_t *ret_class,
                       tut_error *err)
{
    size_t at = tut_map_get(&c->map, name);
    if (at != SIZE_MAX) {
        *ret_class = (uint32_t)at;
        return TUT_SUCCESS;
    }
    if (c->count == SAMPLE_CLASSES_MAX)
        return tut_fail(err, TUT_LIMIT, "more than %d different labels: these are no classes",
                        SAMPLE_CLASSES_MAX);
    char *kept = tut_arena_copy(&c->arena, name);
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_str own = {kept, name.len};
    TUT_TRY(tut_map_put(&c->map, own, c->count, NULL, err));
    c->items[c->count] = (sample_class){own, value ? *value : 0, value != NULL};
    *ret_class = c->count++;
    return TUT_SUCCESS;
}

static tut_status find_whole(sample_classes *c, int64_t value, uint32_t *ret_class, tut_error *err)
{
    bool is_small = value >= 0 && value < SAMPLE_CLASSES_MAX;
    if (is_small && c->small[value]) {
        *ret_class = c->small[value] - 1;
        return TUT_SUCCESS;
    }
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, value);
    TUT_TRY(find(c, (tut_str){text, (size_t)len}, &value, ret_class, err));
    if (is_small)
        c->small[value] = *ret_class + 1;
    return TUT_SUCCESS;
}

tut_status sample_classes_of(sample_classes *c, const tut_cells *cells, size_t row,
                             uint32_t *ret_class, tut_error *err)
{
    double number = cells->numbers[row];
    *ret_class = UINT32_MAX;
    switch ((tut_cell_kind)cells->kinds[row]) {
    case TUT_CELL_NONE:
    case TUT_CELL_NESTED:
        return TUT_SUCCESS;
    case TUT_CELL_TEXT:
        return find(c, cells->texts[row], NULL, ret_class, err);
    case TUT_CELL_NUMBER:
    case TUT_CELL_INTEGER:
    case TUT_CELL_BOOL:
        break;
    }
    if (!tut_decimal_is_whole(number))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a label is %g: classes are whole numbers or texts, not fractions", number);
    return find_whole(c, (int64_t)number, ret_class, err);
}

static int in_order(const void *a, const void *b)
{
    const sample_class *x = *(const sample_class *const *)a, *y = *(const sample_class *const *)b;
    if (x->is_whole && y->is_whole && x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return tut_str_cmp(x->name, y->name);
}

static bool are_numbers_themselves(const sample_classes *c, uint32_t *ret_count)
{
    *ret_count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const sample_class *k = &c->items[i];
        if (!k->is_whole || k->value < 0 || k->value >= SAMPLE_CLASSES_MAX)
            return false;
        if (k->value >= *ret_count)
            *ret_count = (uint32_t)k->value + 1;
    }
    return true;
}

static void write_numbers(const sample_classes *c, uint32_t count, tut_buf *out)
{
    tut_buf_add_u32le(out, count);
    for (uint32_t i = 0; i < count; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "%" PRIu32, i);
        tut_buf_add_sized(out, (tut_str){text, (size_t)len});
    }
    tut_buf_add_u32le(out, c->count);
    for (uint32_t i = 0; i < c->count; i++)
        tut_buf_add_u32le(out, (uint32_t)c->items[i].value);
}

void sample_classes_write(sample_classes *c, tut_buf *out)
{
    static const sample_class *order[SAMPLE_CLASSES_MAX];
    uint32_t place[SAMPLE_CLASSES_MAX] = {0}, count = 0;
    if (are_numbers_themselves(c, &count)) {
        write_numbers(c, count, out);
        return;
    }
    for (uint32_t i = 0; i < c->count; i++)
        order[i] = &c->items[i];
    qsort(order, c->count, sizeof(order[0]), in_order);
    tut_buf_add_u32le(out, c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
        tut_buf_add_escaped(&shown, order[i]->name, 48);
        tut_buf_add_sized(out, tut_buf_str(&shown));
        place[order[i] - c->items] = i;
    }
    tut_buf_add_u32le(out, c->count);
    for (uint32_t i = 0; i < c->count; i++)
        tut_buf_add_u32le(out, place[i]);
}
