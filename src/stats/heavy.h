/*
 * The most frequent things of a stream in bounded memory: the counters of Misra and Gries (1982),
 * in the batched form of Anderson and others ("A high-performance algorithm for identifying
 * frequent items in data streams", 2017). It has the guarantee of SpaceSaving (Metwally 2005; the
 * two are the same sketch, Agarwal 2012), at a constant cost for each item, and merges. While there
 * are no more different things than counters, all counts are exact.
 *
 * Things are told apart by a 64-bit hash; what they look like is kept beside it: a number, or the
 * beginning of a text.
 */
#ifndef TUT_STATS_HEAVY_H
#define TUT_STATS_HEAVY_H

#include "base/alloc.h"
#include "base/str.h"

enum { TUT_HEAVY_COUNTERS = 716, TUT_HEAVY_TEXT = 40 };

typedef struct tut_heavy_item {
    uint64_t hash, count; /* count 0: an empty slot */
    double number;        /* NaN: a text */
    uint8_t mark;         /* the caller's */
    uint8_t len;          /* of the text; TUT_HEAVY_TEXT + 1: longer than what is kept */
} tut_heavy_item;

typedef struct tut_heavy { /* zeroed: none yet */
    tut_heavy_item *items;
    char (*texts)[TUT_HEAVY_TEXT]; /* of each slot; NULL while there were only numbers */
    uint32_t slots, used;
    uint64_t taken; /* from every counter, so far: what a count may be short of */
} tut_heavy;

void tut_heavy_done(tut_heavy *h);
/* The item of that hash, or NULL. */
tut_heavy_item *tut_heavy_find(const tut_heavy *h, uint64_t hash);
/* Counts weight more. Unknown: a new counter with this look; *ret is NULL when all are taken and
 * may_drop is false. It lives until the next call. text.data NULL: a number. NOMEM. */
TUT_MUST tut_status tut_heavy_add(tut_heavy *h, uint64_t hash, uint64_t weight, double number,
                                  tut_str text, bool may_drop, tut_heavy_item **ret,
                                  tut_error *err);
/* Counts of both; exactness is lost when there are more things than counters. */
TUT_MUST tut_status tut_heavy_merge(tut_heavy *h, const tut_heavy *from, tut_error *err);
/* What is kept of the text of an item. */
tut_str tut_heavy_text(const tut_heavy *h, const tut_heavy_item *item);
/* The places of the most frequent, first the largest; at most cap. */
size_t tut_heavy_top(const tut_heavy *h, const tut_heavy_item **to, size_t cap);

#endif
