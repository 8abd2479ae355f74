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

/* One column in another unit: 10, 100, 1,000 times as much, a tenth, a hundredth. */
static void slip_unit(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const float by[] = {10, 100, 1000, 0.1F, 0.01F};
    copy(c, row, ret);
    for (size_t tries = 0; tries < 2 * c->features->count; tries++) {
        size_t j = any_column(c);
        if (c->features->items[j].is_bool)
            continue;
        ret[j] *= by[severity - 1];
        return;
    }
}

/* All numbers to so many digits that matter, fewer with the severity; 5: to one digit, cut off. */
static void round_off(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    int digits = severity < 4 ? 4 - (int)severity : 1;
    for (size_t j = 0; j < c->features->count; j++) {
        double x = row[j];
        double unit = x == 0 ? 1 : pow(10, floor(log10(fabs(x))) + 1 - digits);
        unit *= severity == 4 ? 2 : 1; /* between one digit and cutting */
        ret[j] = c->features->items[j].is_bool ? row[j]
                 : severity == 5               ? (float)(trunc(x / unit) * unit)
                                               : (float)(round(x / unit) * unit);
    }
}

/* So many pairs of columns that neighbour each other change places. */
static void swap(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    size_t n = c->features->count;
    copy(c, row, ret);
    for (unsigned k = 0; n > 1 && k < severity; k++) {
        size_t j = (size_t)tut_seeded_below(c->random, n - 1);
        float x = ret[j];
        ret[j] = ret[j + 1];
        ret[j + 1] = x;
    }
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
