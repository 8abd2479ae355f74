/*
 * Whether the low bits of numbers were replaced, told from how the numbers are distributed.
 *
 * Natural numbers thin out smoothly: of the two halves of a small interval the one nearer to the
 * peak holds more. Replacing the low k bits by anything even (encrypted or compressed data) makes
 * the halves of every interval of 2^k codes equal, while the intervals still thin out from one to
 * the next. Two hypotheses are weighed for each k: halves equal, or halves as a straight line
 * through the neighbouring intervals has it; the statistic is the logarithm of their ratio.
 *
 * For whole numbers this is what Westfeld and Pfitzmann do with pairs of values ("Attacks on
 * Steganographic Systems", 1999); that the line is drawn over values, not codes, makes it work
 * across the binades of floating point.
 */
#ifndef TUT_STATS_FLATNESS_H
#define TUT_STATS_FLATNESS_H

#include "base/status.h"
#include "stats/numeric.h"

enum { TUT_FLATNESS_LEVELS = 12 };

typedef struct tut_flatness {
    tut_numeric kind;
    uint32_t *counts;                    /* by code; owned, with room for their sums behind */
    uint32_t *sums[TUT_FLATNESS_LEVELS]; /* of 1, 2, 4, … codes */
    size_t bins;
    unsigned mantissa; /* bits of it that the bins tell apart */
    uint64_t total;
} tut_flatness;

/* NOMEM. A zeroed object may be done. Reused for another kind by tut_flatness_reset. */
TUT_MUST tut_status tut_flatness_init(tut_flatness *f);
void tut_flatness_done(tut_flatness *f);
void tut_flatness_reset(tut_flatness *f, tut_numeric kind);
void tut_flatness_add(tut_flatness *f, const uint8_t *units, size_t count);
void tut_flatness_merge(tut_flatness *f, const tut_flatness *other); /* of the same kind */

/* How many low bits look replaced, 0 when none; *ret_score is the logarithm of the odds (an alarm
 * is above TUT_FLATNESS_ALARM). */
unsigned tut_flatness_bits(tut_flatness *f, double *ret_score);
enum { TUT_FLATNESS_ALARM = 40 };

#endif
