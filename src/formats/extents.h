/*
 * What an artefact claims about its own bytes: named ranges that must neither meet nor leave gaps.
 * Names are compared by a 64-bit hash, so a table of a million tensors costs 24 MB and no more; the
 * memory is charged to the examination's budget.
 */
#ifndef TUT_FORMATS_EXTENTS_H
#define TUT_FORMATS_EXTENTS_H

#include <stddef.h>

#include "base/budget.h"
#include "base/status.h"
#include "base/str.h"

typedef struct tut_extent {
    uint64_t start, end; /* in the data area; end >= start */
    uint64_t order;      /* in which it was declared */
} tut_extent;

typedef struct tut_extents {
    tut_budget *budget;
    tut_extent *items;
    size_t count, capacity;
    uint64_t *names; /* hashes */
    size_t name_count, name_capacity;
    uint64_t charged;
} tut_extents;

/* A name for tut_extents_name(). */
uint64_t tut_extents_hash(tut_str name);
void tut_extents_init(tut_extents *e, tut_budget *budget);
void tut_extents_done(tut_extents *e);
TUT_MUST tut_status tut_extents_add(tut_extents *e, uint64_t start, uint64_t end, tut_error *err);
TUT_MUST tut_status tut_extents_name(tut_extents *e, uint64_t hash, tut_error *err);
/* By start, then end. */
void tut_extents_sort(tut_extents *e);
/* How many names occurred again. Sorts the names. */
size_t tut_extents_duplicates(tut_extents *e);

#endif
