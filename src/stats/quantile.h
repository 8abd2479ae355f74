/*
 * Quantiles of a stream in bounded memory: the sketch of Karnin, Lang and Liberty ("Optimal
 * quantile approximation in streams", 2016). Items of level h stand for 2^h numbers each; a level
 * that is full is sorted, and every second of its items goes up. Two sketches merge as if all had
 * come to one.
 *
 * With k = TUT_QUANTILE_K the rank of a quantile is off by less than 1.33 % of the count in 99 of
 * 100 cases (measured; unit test `quantile`), exact below k numbers. It is deterministic: coins
 * come from the seed.
 */
#ifndef TUT_STATS_QUANTILE_H
#define TUT_STATS_QUANTILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { TUT_QUANTILE_K = 384, TUT_QUANTILE_K_LEAN = 64, TUT_QUANTILE_LEVELS = 48 };

typedef struct tut_quantile_level {
    double *items;
    uint32_t size, capacity;
    bool is_sorted;
} tut_quantile_level;

typedef struct tut_quantiles {
    unsigned k, top; /* top: the highest level in use */
    uint64_t count;  /* of numbers that came */
    uint64_t random;
    tut_quantile_level levels[TUT_QUANTILE_LEVELS];
} tut_quantiles;

void tut_quantiles_init(tut_quantiles *q, unsigned k, uint64_t seed);
void tut_quantiles_done(tut_quantiles *q);
/* Numbers that are finite; each stands for 2^shift. NOMEM. */
TUT_MUST tut_status tut_quantiles_add(tut_quantiles *q, const double *values, size_t count,
                                      unsigned shift, tut_error *err);
TUT_MUST tut_status tut_quantiles_merge(tut_quantiles *q, const tut_quantiles *from,
                                        tut_error *err);
/* Share of the numbers that are at most x; NaN without any. */
double tut_quantiles_share(const tut_quantiles *q, double x);
size_t tut_quantiles_items(const tut_quantiles *q);

/* The items in order: what repeated questions are asked of. */
typedef struct tut_quantile_view {
    double *values;  /* ascending */
    uint64_t *ranks; /* numbers up to and with this one */
    size_t count;
    uint64_t total;
} tut_quantile_view;
TUT_MUST tut_status tut_quantiles_view(const tut_quantiles *q, tut_quantile_view *ret,
                                       tut_error *err);
void tut_quantile_view_done(tut_quantile_view *v);
/* p from 0 to 1; NaN without numbers. */
double tut_quantile_at(const tut_quantile_view *v, double p);
double tut_quantile_share(const tut_quantile_view *v, double x);

/*
 * Which of many numbers to take when a share is enough: of each 2^shift that follow each other one,
 * drawn by chance; of the rest at the end likewise one of each power of two that it is made of.
 * Writes where they stand and the power that each stands for; returns how many, at most
 * (count >> shift) + shift.
 */
size_t tut_sample(size_t count, unsigned shift, uint64_t *random, uint32_t *at, uint8_t *shifts);
/* So large that with the numbers seen so far the error of the sample (a deviation of at most 0.4 %
 * in rank) is below that of the sketch. */
unsigned tut_sample_shift(uint64_t seen);

#endif
