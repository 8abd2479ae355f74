/* The features of one text or segment: a set of bucket numbers, in groups that are scaled by how
 * many they hold. With weights at hand their sums come along, and nothing else is needed. */
#ifndef TUT_DETECT_BAG_H
#define TUT_DETECT_BAG_H

#include "base/alloc.h"

enum { TUT_BAG_GROUPS = 6 };

typedef struct tut_bag_shape {
    unsigned groups;
    uint32_t size[TUT_BAG_GROUPS]; /* buckets; a power of two */
    float gain[TUT_BAG_GROUPS];
} tut_bag_shape;

typedef struct tut_bag {
    const tut_bag_shape *shape;
    uint32_t base[TUT_BAG_GROUPS], buckets;
    uint64_t *seen;
    uint32_t *items;
    size_t count, capacity;
    uint32_t held[TUT_BAG_GROUPS];
    const int8_t *weights; /* of the model, borrowed */
    int32_t sum[TUT_BAG_GROUPS];
    bool is_out_of_memory;
} tut_bag;

void tut_bag_done(tut_bag *b);
TUT_MUST tut_status tut_bag_init(tut_bag *b, const tut_bag_shape *shape, const int8_t *weights,
                                 tut_error *err);
/* Empties it and makes room for so many features: no more may be added. False: memory ran out. */
bool tut_bag_begin(tut_bag *b, size_t features);
uint32_t tut_bag_buckets(const tut_bag_shape *shape);

/* One group of a bag while it is added to: kept apart so that it stays in registers. */
typedef struct tut_bag_group {
    uint64_t *seen;
    uint32_t *items;
    const int8_t *weights;
    uint32_t base, mask, count;
    int32_t sum;
} tut_bag_group;

static inline tut_bag_group tut_bag_open(const tut_bag *b, unsigned group)
{
    return (tut_bag_group){
        b->seen, b->items + b->count, b->weights, b->base[group], b->shape->size[group] - 1, 0, 0};
}

static inline void tut_bag_put(tut_bag_group *g, uint32_t hash)
{
    uint32_t id = g->base + (hash & g->mask);
    uint64_t word = g->seen[id >> 6], bit = 1ull << (id & 63);
    /* Without a branch: whether it is new is as good as chance. */
    uint32_t is_new = (uint32_t)((word >> (id & 63) & 1) ^ 1);
    g->seen[id >> 6] = word | bit;
    g->items[g->count] = id;
    g->count += is_new;
    g->sum += g->weights[id] & -(int32_t)is_new;
}

/* What cannot have been put before, and never is by tut_bag_put. */
static inline void tut_bag_put_new(tut_bag_group *g, uint32_t hash)
{
    uint32_t id = g->base + (hash & g->mask);
    g->items[g->count++] = id;
    g->sum += g->weights[id];
}

static inline void tut_bag_close(tut_bag *b, unsigned group, const tut_bag_group *g)
{
    b->count += g->count;
    b->held[group] += g->count;
    b->sum[group] += g->sum;
}

static inline unsigned tut_bag_group_of(const tut_bag *b, uint32_t id)
{
    unsigned g = 0;
    while (g + 1 < b->shape->groups && id >= b->base[g + 1])
        g++;
    return g;
}

static inline uint32_t tut_hash_mix(uint32_t a, uint32_t b)
{
    a = (a ^ b * 0x9e3779b1u) * 0x85ebca6bu;
    return a ^ a >> 15;
}

#endif
