/*
 * Text to number, in constant time a look-up: where to find what by its name. Keys are borrowed and
 * must outlive the map; the hash is keyed at random, so that nobody who chooses names can make
 * look-ups slow. There is no order to walk in.
 */
#ifndef TUT_BASE_MAP_H
#define TUT_BASE_MAP_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct tut_map_slot tut_map_slot;

typedef struct tut_map {
    tut_map_slot *slots;
    size_t count, capacity; /* capacity: a power of two, or 0 */
    uint64_t seed;
} tut_map;

#define TUT_MAP_INIT                                                                               \
    {                                                                                              \
        0                                                                                          \
    }

void tut_map_done(tut_map *m);
/* Puts the key unless it is there already; *ret_value (may be NULL) is what it has then. */
TUT_MUST tut_status tut_map_put(tut_map *m, tut_str key, size_t value, size_t *ret_value,
                                tut_error *err);
/* SIZE_MAX: not there. */
size_t tut_map_get(const tut_map *m, tut_str key);

#endif
