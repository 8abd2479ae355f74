#include "stats/moments.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "stats/wide.h"

enum { LANES = 16 };
#define HUGE_BITS 0x5d5e0b6bu /* 1e18 */

typedef struct lanes {
    float sum[LANES], squares[LANES], least[LANES], most[LANES];
    uint32_t zeros[LANES], nans[LANES], infinite[LANES], huge[LANES];
} lanes;

/* Every lane does the same to every 16th number, so the compiler can take them side by side. What
 * is no number counts as 0 in the sums, and lies outside neither end. */
TUT_WIDE_BODY void add_lanes(lanes *l, const uint8_t *values, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++) {
        const uint8_t *v = values + i * LANES * 4;
        for (size_t j = 0; j < LANES; j++) {
            uint32_t bits;
            memcpy(&bits, v + 4 * j, 4);
            uint32_t magnitude = bits & 0x7fffffffu;
            uint32_t is_good = magnitude < 0x7f800000u ? 0xffffffffu : 0;
            uint32_t kept = bits & is_good;
            float x;
            memcpy(&x, &kept, 4);
            l->zeros[j] += magnitude == 0;
            l->nans[j] += magnitude > 0x7f800000u;
            l->infinite[j] += magnitude == 0x7f800000u;
            l->huge[j] += magnitude - HUGE_BITS < 0x7f800000u - HUGE_BITS;
            l->sum[j] += x;
            l->squares[j] += x * x;
            float low = is_good ? x : FLT_MAX, high = is_good ? x : -FLT_MAX;
            l->least[j] = low < l->least[j] ? low : l->least[j];
            l->most[j] = high > l->most[j] ? high : l->most[j];
        }
    }
}

TUT_WIDE static void add_lanes_wide(lanes *l, const uint8_t *values, size_t rounds)
{
    add_lanes(l, values, rounds);
}

static double value_at(const uint8_t *values, size_t i)
{
    float v;
    memcpy(&v, values + 4 * i, 4);
    return (double)v;
}

/* Squares of numbers beyond 1e15 leave single precision: they are summed in double. */
static double squares_of(const uint8_t *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double v = value_at(values, i);
        sum += isfinite(v) ? v * v : 0;
    }
    return sum;
}

static double sum_of(const uint8_t *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double v = value_at(values, i);
        sum += isfinite(v) ? v : 0;
    }
    return sum;
}

void tut_moments_add(tut_moments *m, const void *floats, size_t count)
{
    const uint8_t *values = floats;
    lanes l = {0};
    uint8_t tail[LANES * 4];
    size_t rounds = count / LANES, left = count % LANES;
    for (size_t j = 0; j < LANES; j++) {
        l.least[j] = FLT_MAX;
        l.most[j] = -FLT_MAX;
    }
    if (TUT_WIDE_IS_THERE())
        add_lanes_wide(&l, values, rounds);
    else
        add_lanes(&l, values, rounds);
    if (left > 0) { /* filled up with what counts as nothing but a NaN */
        const uint32_t nan = 0x7fc00000u;
        for (size_t j = 0; j < LANES; j++)
            memcpy(tail + 4 * j, &nan, 4);
        memcpy(tail, values + rounds * LANES * 4, left * 4);
        add_lanes(&l, tail, 1);
        m->nans -= LANES - left;
    }
    double sum = 0, squares = 0;
    uint64_t nans = 0, infinite = 0, zeros = 0;
    float least = FLT_MAX, most = -FLT_MAX;
    for (size_t j = 0; j < LANES; j++) {
        sum += (double)l.sum[j];
        squares += (double)l.squares[j];
        zeros += l.zeros[j];
        nans += l.nans[j];
        infinite += l.infinite[j];
        m->huge += l.huge[j];
        least = l.least[j] < least ? l.least[j] : least;
        most = l.most[j] > most ? l.most[j] : most;
    }
    if (most > 1e15f || least < -1e15f) {
        squares = squares_of(values, count);
        sum = sum_of(values, count);
    }
    uint64_t bad = nans + infinite - (left > 0 ? LANES - left : 0);
    if (count > bad) {
        m->least = m->finite == 0 || least < m->least ? least : m->least;
        m->most = m->finite == 0 || most > m->most ? most : m->most;
    }
    m->finite += count - bad;
    m->count += count;
    m->zeros += zeros;
    m->nans += nans;
    m->infinite += infinite;
    m->sum += sum;
    m->squares += squares;
}

double tut_moments_mean(const tut_moments *m)
{
    return m->finite ? m->sum / (double)m->finite : 0;
}

double tut_moments_deviation(const tut_moments *m)
{
    if (m->finite == 0)
        return 0;
    double mean = tut_moments_mean(m);
    double variance = m->squares / (double)m->finite - mean * mean;
    return variance > 0 ? sqrt(variance) : 0;
}
