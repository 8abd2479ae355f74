#include "stats/planes.h"

#include <string.h>

#include "stats/wide.h"

TUT_WIDE_BODY void count(const uint8_t *low, size_t groups, tut_planes *ret)
{
    for (unsigned plane = 0; plane < TUT_PLANES; plane++) {
        uint8_t ones[TUT_PLANES_PERIOD] = {0};
        for (size_t g = 0; g < groups; g++)
            for (size_t r = 0; r < TUT_PLANES_PERIOD; r++)
                ones[r] =
                    (uint8_t)(ones[r] + ((low[g * TUT_PLANES_PERIOD + r] & (1u << plane)) ? 1 : 0));
        memcpy(ret->ones[plane], ones, sizeof(ones));
    }
}

TUT_WIDE static void count_wide(const uint8_t *low, size_t groups, tut_planes *ret)
{
    count(low, groups, ret);
}

void tut_planes_count(const uint8_t *low, size_t groups, tut_planes *ret)
{
    ret->groups = groups;
    if (TUT_WIDE_IS_THERE())
        count_wide(low, groups, ret);
    else
        count(low, groups, ret);
}

/* Chi-square of so many degrees passes this once in about 1e11 (Wilson and Hilferty, z = 6.8). The
 * sums of a period are folded from those of an earlier row, a multiple of it. */
static const struct {
    unsigned period, from;
    double limit;
} periods[] = {{96, 0, 230}, {32, 0, 125}, {16, 1, 93}, {8, 2, 75}, {24, 0, 109}, {1, 3, 56}};
enum { PERIODS = sizeof(periods) / sizeof(periods[0]) };

static void fold(const unsigned *from, unsigned period, unsigned *to, unsigned smaller)
{
    for (unsigned r = 0; r < smaller; r++)
        to[r] = from[r];
    for (unsigned at = smaller; at < period; at += smaller)
        for (unsigned r = 0; r < smaller; r++)
            to[r] += from[at + r];
}

static unsigned squares_of(const unsigned *sums, unsigned period)
{
    unsigned squares = 0;
    for (unsigned r = 0; r < period; r++)
        squares += sums[r] * sums[r];
    return squares;
}

double tut_planes_score(const tut_planes *p, unsigned plane, bool is_centred, unsigned *ret_period)
{
    unsigned sums[PERIODS][TUT_PLANES_PERIOD];
    unsigned total = 0;
    double worst = 0, all = (double)(p->groups * TUT_PLANES_PERIOD);
    for (unsigned r = 0; r < TUT_PLANES_PERIOD; r++) {
        sums[0][r] = p->ones[plane][r];
        total += p->ones[plane][r];
    }
    if (total == 0 || (double)total == all)
        return 0;
    double share = is_centred ? (double)total / all : 0.5;
    for (unsigned i = 0; i < PERIODS; i++) {
        unsigned period = periods[i].period;
        if (i > 0)
            fold(sums[periods[i].from], periods[periods[i].from].period, sums[i], period);
        if (is_centred && period == 1)
            continue;
        double due = all * share / period;
        double off = squares_of(sums[i], period) - 2 * due * total + period * due * due;
        double score = off / (due * (1 - share)) / periods[i].limit;
        if (score > worst) {
            worst = score;
            *ret_period = period;
        }
    }
    return worst;
}
