/* Corruptions of tables: what goes wrong on the way from a form or a file to the model. */
#include <math.h>
#include <string.h>

#include "probe/evasion_corrupt.h"

static size_t any_column(const tut_corruptor *c)
{
    return (size_t)tut_seeded_below(c->random, c->features->count);
}

static void copy(const tut_corruptor *c, const float *row, float *ret)
{
    memcpy(ret, row, c->features->count * sizeof(*ret));
}

/* Missing values, filled with the median as most pipelines do. */
static void lose(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    size_t n = (c->features->count * severity + 9) / 10; /* a tenth of the columns, to half */
    copy(c, row, ret);
    for (size_t k = 0; k < n; k++) {
        size_t j = any_column(c);
        ret[j] = c->medians[j];
    }
}

/* One column in another unit: a tenth, ten times as much, and so on to 1,000 times. */
static void slip_unit(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const float by[] = {0.1F, 10, 0.01F, 100, 1000};
    copy(c, row, ret);
    for (size_t tries = 0; tries < 2 * c->features->count; tries++) {
        size_t j = any_column(c);
        if (c->features->items[j].is_bool)
            continue;
        ret[j] *= by[severity - 1];
        return;
    }
}

/* All numbers to 3, 2, 1 digits that matter; cut off after one; to the next power of ten. */
static float round_one(double x, unsigned severity)
{
    double size = floor(log10(fabs(x))),
           unit = pow(10, size + 1 - (severity < 3 ? 4 - severity : 1));
    if (severity == 4)
        return (float)(trunc(x / unit) * unit);
    if (severity == 5)
        return (float)copysign(pow(10, round(log10(fabs(x)))), x);
    return (float)(round(x / unit) * unit);
}

static void round_off(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    for (size_t j = 0; j < c->features->count; j++)
        ret[j] = row[j] == 0 || c->features->items[j].is_bool ? row[j]
                                                              : round_one(row[j], severity);
}

/* So many columns move up by one; the first of them goes where the last was. */
static void swap(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    size_t n = c->features->count, moved = severity < n ? severity : n - 1;
    size_t from = (size_t)tut_seeded_below(c->random, n - moved);
    copy(c, row, ret);
    for (size_t k = 0; k < moved; k++)
        ret[from + k] = row[from + k + 1];
    ret[from + moved] = row[from];
}

/* Every number off by a few per cent of itself. */
static void jitter(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double shares[] = {0.02, 0.05, 0.1, 0.2, 0.4};
    for (size_t j = 0; j < c->features->count; j++)
        ret[j] = c->features->items[j].is_bool
                     ? row[j]
                     : (float)(row[j] * (1 + shares[severity - 1] * tut_seeded_normal(c->random)));
}

const tut_corruption tut_corruptions_of_tables[] = {
    {"missing values", "accuracy_missing", lose}, {"wrong units", "accuracy_units", slip_unit},
    {"rounding", "accuracy_rounding", round_off}, {"swapped columns", "accuracy_swapped", swap},
    {"scale noise", "accuracy_scale", jitter},    {NULL, NULL, NULL},
};
