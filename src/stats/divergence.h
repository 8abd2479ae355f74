/*
 * How far two distributions of numbers are apart, by counting them once into the same fine bins:
 * the population stability index, the distance of Jensen and Shannon (base 2) and that of
 * Wasserstein. Bins lie between quantiles of a sample of the reference; what is beyond is counted
 * at both ends with its distance, so that W1 misses nothing of the tails.
 */
#ifndef TUT_STATS_DIVERGENCE_H
#define TUT_STATS_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TUT_BINS_INNER = 1024, TUT_BINS = TUT_BINS_INNER + 2, TUT_BINS_COARSE = 10 };

typedef struct tut_bins {
    double low, scale; /* bin 1 begins at low; scale bins to one */
    uint64_t counts[TUT_BINS];
    double below, above; /* sums of distances from the inner bins' ends, not negative */
    uint64_t nans, infinite;
} tut_bins;

/* Empties it and lays the bins between the quantiles of these numbers (a sample; NaN are passed
 * over; the order is lost). A constant gets one bin of its own. */
void tut_bins_place(tut_bins *bins, double *sample, size_t count);
/* Empty, with the bins of another. */
void tut_bins_like(tut_bins *bins, const tut_bins *other);
void tut_bins_add_f64(tut_bins *bins, const double *values, size_t count);
void tut_bins_add_f32(tut_bins *bins, const float *values, size_t count);
uint64_t tut_bins_count(const tut_bins *bins); /* without NaN */
/* Where a bin begins; of the lowest -infinity. */
double tut_bins_edge(const tut_bins *bins, size_t bin);

typedef struct tut_divergence {
    double psi;         /* over tenths of the reference, half a count added to each */
    double js;          /* distance, 0 to 1, over the same */
    double wasserstein; /* in the unit of the numbers */
    size_t coarse;      /* tenths that there were */
} tut_divergence;

tut_divergence tut_divergence_of(const tut_bins *reference, const tut_bins *current);
/* The same of counts by category, without W1. */
tut_divergence tut_divergence_counts(const uint64_t *reference, const uint64_t *current,
                                     size_t count);
/* The integral of |F - G| over numbers in ascending order: W1 itself. */
double tut_wasserstein_ordered(const double *a, size_t n, const double *b, size_t m);

#endif
