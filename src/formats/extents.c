#include "formats/extents.h"

#include <stdlib.h>

#include "base/alloc.h"

uint64_t tut_extents_hash(tut_str name)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, then mixed with the length */
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * 0x100000001b3u;
    hash ^= name.len * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    return hash * 0xbf58476d1ce4e5b9u;
}

void tut_extents_init(tut_extents *e, tut_budget *budget)
{
    *e = (tut_extents){.budget = budget};
}

void tut_extents_done(tut_extents *e)
{
    tut_free(e->items);
    tut_free(e->names);
    if (e->budget)
        tut_budget_heap_return(e->budget, e->charged);
    *e = (tut_extents){0};
}

/* Room for one more; what the array grows by is charged before it grows. */
static tut_status make_room(tut_extents *e, void *items_ptr, size_t count, size_t *capacity,
                            size_t item_size, tut_error *err)
{
    if (count < *capacity)
        return TUT_SUCCESS;
    uint64_t more = (uint64_t)(count < 64 ? 64 : count) * item_size;
    TUT_TRY(tut_budget_heap(e->budget, more, err));
    e->charged += more;
    return tut_grow(items_ptr, count, capacity, item_size);
}

tut_status tut_extents_add(tut_extents *e, uint64_t start, uint64_t end, tut_error *err)
{
    TUT_TRY(make_room(e, &e->items, e->count, &e->capacity, sizeof(*e->items), err));
    e->items[e->count] = (tut_extent){start, end, e->count};
    e->count++;
    return TUT_SUCCESS;
}

tut_status tut_extents_name(tut_extents *e, uint64_t hash, tut_error *err)
{
    TUT_TRY(make_room(e, &e->names, e->name_count, &e->name_capacity, sizeof(*e->names), err));
    e->names[e->name_count++] = hash;
    return TUT_SUCCESS;
}

static int compare_extents(const void *a, const void *b)
{
    const tut_extent *x = a;
    const tut_extent *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_sorted(const tut_extents *e)
{
    for (size_t i = 1; i < e->count; i++)
        if (compare_extents(&e->items[i - 1], &e->items[i]) > 0)
            return false;
    return true;
}

void tut_extents_sort(tut_extents *e)
{
    if (e->count > 1 && !is_sorted(e)) /* writers keep the order; a sort would take memory */
        qsort(e->items, e->count, sizeof(*e->items), compare_extents);
}

static int compare_names(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

size_t tut_extents_duplicates(tut_extents *e)
{
    size_t again = 0;
    if (e->name_count > 1)
        qsort(e->names, e->name_count, sizeof(*e->names), compare_names);
    for (size_t i = 1; i < e->name_count; i++)
        again += e->names[i] == e->names[i - 1];
    return again;
}
