/*
 * Where the names of files come from. A saver's nodes write and read by a name that its caller
 * gives; the same nodes with a name that stands in the graph reach for a file of the author's
 * choice. So nodes that hand on text are kept, and from each use the way back to constants is
 * searched.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/tf_internal.h"

static int compare_flows(const void *a, const void *b)
{
    const tut_tf_flow *x = a;
    const tut_tf_flow *y = b;
    return x->name < y->name ? -1 : x->name > y->name;
}

tut_status tut_tf_row(tut_tf *t, tut_tf_rows *rows, const void *item, tut_error *err)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
        TUT_TRY(tut_budget_heap(t->x->budget, (capacity - rows->capacity) * rows->size, err));
        void *items = tut_alloc_array(capacity, rows->size);
        if (!items) {
            tut_budget_heap_return(t->x->budget, (capacity - rows->capacity) * rows->size);
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        }
        if (rows->count)
            memcpy(items, rows->items, rows->count * rows->size);
        free(rows->items);
        rows->items = items;
        rows->capacity = capacity;
    }
    memcpy((uint8_t *)rows->items + rows->count++ * rows->size, item, rows->size);
    return TUT_SUCCESS;
}

void tut_tf_rows_free(tut_tf *t, tut_tf_rows *rows)
{
    free(rows->items);
    tut_budget_heap_return(t->x->budget, rows->capacity * rows->size);
    *rows = (tut_tf_rows){.size = rows->size};
}

void tut_tf_sort_flows(tut_tf_rows *flows)
{
    if (flows->count)
        qsort(flows->items, flows->count, sizeof(tut_tf_flow), compare_flows);
}

bool tut_tf_is_path(tut_str s)
{
    size_t at = 0;
    if (s.len < 2 || memchr(s.data, '\n', s.len))
        return false;
    bool is_drive = ((s.data[0] | 0x20) >= 'a' && (s.data[0] | 0x20) <= 'z') && s.data[1] == ':' &&
                    s.len > 2 && (s.data[2] == '\\' || s.data[2] == '/');
    if (s.data[0] == '/' || is_drive || tut_str_starts(s, TUT_LIT("~/")) ||
        tut_str_starts(s, TUT_LIT("\\\\")))
        return true;
    return tut_str_find(s, TUT_LIT("../"), &at) || tut_str_find(s, TUT_LIT("..\\"), &at) ||
           tut_str_find(s, TUT_LIT("://"), &at);
}

uint64_t tut_tf_input_hash(tut_str input)
{
    if (input.len && input.data[0] == '^')
        input = (tut_str){input.data + 1, input.len - 1};
    const char *colon = input.len ? memchr(input.data, ':', input.len) : NULL;
    if (colon)
        input.len = (size_t)(colon - input.data);
    if (input.len > TUT_TF_NAME - 1)
        input.len = TUT_TF_NAME - 1;
    return tut_extents_hash(input);
}

static bool is_fed(const tut_tf *t, uint64_t name)
{
    for (size_t i = 0; i < t->assets.name_count; i++)
        if (t->assets.names[i] == name)
            return true;
    return false;
}

typedef struct trail {
    uint64_t left[64];
    size_t count;
    bool has_gap; /* an input is missing, or there was no room for it */
} trail;

static void follow(trail *way, const tut_tf_flow *flow, uint8_t inputs)
{
    bool is_any = false;
    for (size_t i = 0; i < flow->input_count; i++) {
        if (!(inputs >> i & 1))
            continue;
        is_any = true;
        if (way->count < sizeof(way->left) / sizeof(way->left[0]))
            way->left[way->count++] = flow->inputs[i];
        else
            way->has_gap = true;
    }
    way->has_gap |= !is_any && flow->input_count > 0; /* without any operand it is a stub */
}

tut_tf_name tut_tf_trace(const tut_tf *t, const tut_tf_rows *flows, const tut_tf_use *use)
{
    enum { STEPS = 256 };
    trail way = {.count = 0};
    tut_tf_name name = {.path = NULL};
    follow(&way, &use->flow, use->op->inputs);
    for (int step = 0; step < STEPS && way.count > 0; step++) {
        tut_tf_flow key = {.name = way.left[--way.count]};
        if (is_fed(t, key.name))
            continue;
        const tut_tf_flow *found = NULL;
        if (flows->count)
            found = bsearch(&key, flows->items, flows->count, sizeof(key), compare_flows);
        name.is_unknown |= !found;
        if (!found)
            continue;
        name.has_text |= found->has_text;
        if (found->path[0]) {
            name.path = found->path;
            return name;
        }
        if (found->kind)
            follow(&way, found, found->kind);
    }
    name.is_unknown |= way.has_gap || way.count > 0;
    return name;
}
