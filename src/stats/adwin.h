/*
 * ADWIN: a window over a stream that drops its older part once the means of two parts of it differ
 * by more than chance allows (Bifet and Gavalda 2007), in an exponential histogram. Every cut
 * between buckets is tried, the one before the newest bucket included, and the parts' sizes are
 * those of the cut.
 *
 * For comparison with others who use it; the bank (bank.h) is faster and finds changes sooner.
 */
#ifndef TUT_STATS_ADWIN_H
#define TUT_STATS_ADWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TUT_ADWIN_ROWS = 32, TUT_ADWIN_BUCKETS = 5 };

typedef struct tut_adwin {
    double delta;
    uint64_t width, seen;
    double total, variance; /* sum, and sum of squared deviations, of the window */
    uint32_t rows;
    uint8_t used[TUT_ADWIN_ROWS]; /* buckets of 2^row values each, the oldest first */
    double sums[TUT_ADWIN_ROWS][TUT_ADWIN_BUCKETS + 1];
    double squares[TUT_ADWIN_ROWS][TUT_ADWIN_BUCKETS + 1]; /* squared deviations within */
} tut_adwin;

void tut_adwin_init(tut_adwin *w, double delta);
/* True: an older part was dropped; ret_before (may be NULL) is its mean. Looks every 32 values. */
bool tut_adwin_step(tut_adwin *w, double value, double *ret_before);
double tut_adwin_mean(const tut_adwin *w);

#endif
