/*
 * Memory owned by one task and freed at once. Growth is by blocks, so pointers stay valid; a cap
 * makes running away an ordinary error.
 */
#ifndef TUT_BASE_ARENA_H
#define TUT_BASE_ARENA_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct tut_arena_block tut_arena_block;

typedef struct tut_arena {
    tut_arena_block *blocks; /* newest first */
    size_t used;             /* in the newest block */
    size_t total;            /* bytes taken from the system */
    size_t max;              /* 0: no cap */
} tut_arena;

void tut_arena_init(tut_arena *a, size_t max_bytes);
void tut_arena_done(tut_arena *a);
/* Zeroed and aligned for anything; NULL when memory or the cap ran out. */
void *tut_arena_take(tut_arena *a, size_t count, size_t size) __attribute__((warn_unused_result));
/* A NUL-ended copy; NULL when memory ran out. */
char *tut_arena_copy(tut_arena *a, tut_str text) __attribute__((warn_unused_result));

#endif
