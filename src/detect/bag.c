#include "detect/bag.h"

#include <string.h>

void tut_bag_done(tut_bag *b)
{
    tut_free(b->seen);
    tut_free(b->items);
    *b = (tut_bag){0};
}

uint32_t tut_bag_buckets(const tut_bag_shape *shape)
{
    uint32_t buckets = 0;
    for (unsigned g = 0; g < shape->groups; g++)
        buckets += shape->size[g];
    return buckets;
}

tut_status tut_bag_init(tut_bag *b, const tut_bag_shape *shape, const int8_t *weights,
                        tut_error *err)
{
    *b = (tut_bag){.shape = shape, .weights = weights};
    for (unsigned g = 0; g < shape->groups; g++) {
        b->base[g] = b->buckets;
        b->buckets += shape->size[g];
    }
    b->capacity = 4096;
    b->seen = tut_alloc_array((b->buckets >> 6) + 1, sizeof(*b->seen));
    b->items = tut_alloc_array(b->capacity, sizeof(*b->items));
    if (b->seen && b->items)
        return TUT_SUCCESS;
    tut_bag_done(b);
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

bool tut_bag_begin(tut_bag *b, size_t features)
{
    for (size_t i = 0; i < b->count; i++)
        b->seen[b->items[i] >> 6] = 0;
    b->count = 0;
    memset(b->held, 0, sizeof(b->held));
    memset(b->sum, 0, sizeof(b->sum));
    if (features < b->capacity)
        return true;
    uint32_t *more = tut_realloc_array(b->items, features + 1, sizeof(*more));
    b->is_out_of_memory = more == NULL;
    if (!more)
        return false;
    b->items = more;
    b->capacity = features + 1;
    return true;
}
