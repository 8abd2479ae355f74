#include "stats/bank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/special.h"
#include "stats/wide.h"

const char *tut_bank_kind_name(tut_bank_kind kind)
{
    static const char *const names[] = {"share", "rate", "number"};
    return names[kind];
}

const char *tut_change_name(tut_change change)
{
    static const char *const names[] = {"none", "up", "down", "wider", "narrower"};
    return names[change];
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void moments(const double *v, size_t count, double *ret_mean, double *ret_variance)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double delta = v[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (v[i] - mean);
    }
    *ret_mean = mean;
    *ret_variance = count > 1 ? squares / (double)(count - 1) : 0;
}

/* How many deviations of its error a baseline is taken to be off, to the side that would raise
 * false alarms: more of a short one, where one in ten that is unlucky would set the interval of
 * all. And how many a change has to be to be looked for. */
typedef struct margins {
    double guard, least;
} margins;

static margins margins_of(size_t count)
{
    static const double base = 1.5, most = 3, long_enough = 10000, each = 0.35;
    double guard = fmin(fmax(base, base + each * log(long_enough / (double)count)), most);
    return (margins){guard, guard + 2};
}

/* Of the changes that are too small to be told one is made as large as it has to be. */
static bool is_lost(const double *changes, size_t count, size_t i, double least)
{
    return changes[i] < least && i + 1 < count && changes[i + 1] <= least;
}

/* --- lanes --- */

typedef struct ratio {
    double a, b, c;
    double variance; /* of a step, while nothing has changed */
    tut_change change;
} ratio;

/* A lane that never rises. */
static void close_lane(tut_bank *bank, size_t k)
{
    bank->a[k] = bank->b[k] = 0;
    bank->c[k] = -1;
    bank->h[k] = 1e30f;
    bank->change[k] = TUT_CHANGE_NONE;
}

/* The mean time to a false alarm of one lane with steps of this variance is about
 * exp(h + 1.166 sqrt(variance)) * 2 / variance (Siegmund 1985, 2.56). */
static void open_lane(tut_bank *bank, size_t k, const ratio *l, double interval, size_t lanes)
{
    double h = log(interval * (double)lanes * l->variance / 2) - 1.166 * sqrt(l->variance);
    bank->a[k] = (float)l->a;
    bank->b[k] = (float)l->b;
    bank->c[k] = (float)l->c;
    bank->h[k] = (float)fmax(h, 2);
    bank->change[k] = (uint8_t)l->change;
}

static size_t install(tut_bank *bank, const ratio *lanes, size_t count, double interval)
{
    for (size_t k = 0; k < TUT_BANK_LANES; k++)
        if (k < count)
            open_lane(bank, k, &lanes[k], interval, count);
        else
            close_lane(bank, k);
    return count;
}

/* --- shares --- */
static const double shifts[] = {0.12, 0.2, 0.32, 0.5, 0.8, 1.3, 2.2};
enum { SHIFTS = sizeof(shifts) / sizeof(shifts[0]) };

static double logit(double p)
{
    return log(p / (1 - p));
}

static double expit(double x)
{
    return 1 / (1 + exp(-x));
}

static void learn_share(tut_bank *bank, const double *values, size_t count, double interval)
{
    ratio lanes[TUT_BANK_LANES];
    size_t used = 0;
    double n = (double)count, ones = 0;
    for (size_t i = 0; i < count; i++)
        ones += values[i];
    double p = (ones + 0.5) / (n + 1), error = 1 / sqrt(n * p * (1 - p)); /* of the logit */
    const margins m = margins_of(count);
    bank->mean = ones / n;
    bank->deviation = sqrt(p * (1 - p));
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < SHIFTS; i++) {
            double sign = side ? -1 : 1;
            bool is_all = side ? ones == 0 : ones == n; /* no share is beyond that */
            if (is_all || is_lost(shifts, SHIFTS, i, m.least * error))
                continue;
            double from = expit(logit(p) + sign * m.guard * error);
            double to = expit(logit(p) + sign * fmax(shifts[i], m.least * error));
            double one = log(to / from), zero = log((1 - to) / (1 - from));
            lanes[used++] = (ratio){.a = one - zero,
                                    .c = zero,
                                    .variance = (one - zero) * (one - zero) * from * (1 - from),
                                    .change = side ? TUT_CHANGE_DOWN : TUT_CHANGE_UP};
        }
    (void)install(bank, lanes, used, interval);
}

/* --- rates --- */
static void learn_rate(tut_bank *bank, const double *values, size_t count, double interval)
{
    ratio lanes[TUT_BANK_LANES];
    size_t used = 0;
    double mean = 0, variance = 0, n = (double)count;
    moments(values, count, &mean, &variance);
    double rate = mean + 0.5 / n, error = sqrt(fmax(1, variance / fmax(mean, 1e-9)) / (rate * n));
    /* Counts that scatter more than Poisson's have steps that are worth less. */
    double scatter = fmax(1, variance / fmax(mean, 1e-9));
    const margins m = margins_of(count);
    bank->mean = mean;
    bank->deviation = sqrt(variance);
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < SHIFTS; i++) {
            double sign = side ? -1 : 1;
            if (is_lost(shifts, SHIFTS, i, m.least * error))
                continue;
            double from = rate * exp(sign * m.guard * error);
            double to = rate * exp(sign * fmax(shifts[i], m.least * error));
            double each = log(to / from) / scatter;
            lanes[used++] = (ratio){.a = each,
                                    .c = (from - to) / scatter,
                                    .variance = each * each * from * scatter,
                                    .change = side ? TUT_CHANGE_DOWN : TUT_CHANGE_UP};
        }
    (void)install(bank, lanes, used, interval);
}

/* --- numbers --- */

/* Of a value on a knot the rank is that of the middle of its ties. */
static void lay_knots(tut_ranks *r, const double *sorted, size_t count)
{
    size_t below = 0;
    double edge = 0.5 / ((double)count + 1), most = tut_normal_quantile(1 - edge);
    for (size_t k = 0; k < TUT_BANK_KNOTS; k++) {
        double z = most * (2.0 * (double)k / (TUT_BANK_KNOTS - 1) - 1);
        double at = (1 - tut_normal_sf(z)) * (double)(count - 1);
        r->knots[k] = (float)sorted[(size_t)nearbyint(at)];
    }
    for (size_t k = 0; k < TUT_BANK_KNOTS; k++) {
        while (below < count && (float)sorted[below] < r->knots[k])
            below++;
        size_t equal = below;
        while (equal < count && (float)sorted[equal] == r->knots[k])
            equal++;
        double middle = ((double)below + (double)equal) / 2 / (double)count;
        r->on_knot[k] = (float)tut_normal_quantile(fmin(fmax(middle, edge), 1 - edge));
        double wide = k ? (double)r->knots[k] - (double)r->knots[k - 1] : 0;
        r->slopes[k] = wide > 0
                           ? (float)(((double)r->on_knot[k] - (double)r->on_knot[k - 1]) / wide)
                           : 0;
    }
    r->beyond = (float)most;
}

/* Of the first knot that is not below x, by halving; then along the line from the one before. */
static inline float rank_score(const tut_ranks *r, float x)
{
    const float *knots = r->knots;
    size_t at = 0;
    if (x < knots[0])
        return -r->beyond;
    if (x > knots[TUT_BANK_KNOTS - 1])
        return r->beyond;
    for (size_t half = TUT_BANK_KNOTS / 2; half > 0; half /= 2)
        at += knots[at + half - 1] < x ? half : 0;
    return r->on_knot[at] - (knots[at] - x) * r->slopes[at];
}

/* How far one score follows from the one before. */
static double follows_of(const double *z, size_t count)
{
    double both = 0, one = 0, noise = 2 / sqrt((double)count);
    for (size_t i = 0; i < count; i++) {
        both += i ? z[i] * z[i - 1] : 0;
        one += z[i] * z[i];
    }
    double r = one > 0 ? both / one : 0;
    return r < noise ? 0 : fmin(r, 0.999);
}

/* By how much the variance of a sum of many exceeds that of independent ones: autocorrelations
 * added up as long as they stand out (Geyer 1992, in short). */
static double inflation_of(const double *v, size_t count)
{
    enum { LAGS = 200 };
    double mean = 0, one = 0, sum = 1, noise = 1.5 / sqrt((double)count);
    for (size_t i = 0; i < count; i++)
        mean += v[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        one += (v[i] - mean) * (v[i] - mean);
    for (size_t lag = 1; lag < LAGS && lag < count / 4 && one > 0; lag += 2) {
        double both = 0;
        for (size_t i = lag + 1; i < count; i++)
            both += (v[i] - mean) * (v[i - lag] + v[i - lag - 1] - 2 * mean);
        if (both / one < 2 * noise)
            break;
        sum += 2 * both / one;
    }
    return sum > 1 ? sum : 1;
}

/* Where many are tied scores scatter less than normal ones do: until they do not, unless there is
 * hardly any scatter at all. */
static void even_out(tut_ranks *r, double *z, size_t count)
{
    static const double least = 0.05;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += z[i] * z[i] / (double)count;
    if (squares < least)
        return;
    double scale = 1 / sqrt(squares);
    for (size_t i = 0; i < count; i++)
        z[i] *= scale;
    for (size_t k = 0; k < TUT_BANK_KNOTS; k++) {
        r->on_knot[k] *= (float)scale;
        r->slopes[k] *= (float)scale;
    }
    r->beyond *= (float)scale;
}

/* Scores of all that was learnt, in place: what the lanes will see. Their squares' inflation and
 * their own. */
static void learn_scores(tut_bank *bank, double *z, size_t count, double *sorted,
                         double *ret_inflation, double *ret_of_squares)
{
    for (size_t i = 0; i < count; i++)
        z[i] = (double)rank_score(&bank->ranks, (float)z[i]);
    double last = z[count - 1];
    bank->follows = (float)follows_of(z, count);
    if (bank->follows > 0) {
        for (size_t i = count; i-- > 1;)
            z[i] -= (double)bank->follows * z[i - 1];
        z[0] = 0;
        memcpy(sorted, z, count * sizeof(*z));
        qsort(sorted, count, sizeof(*sorted), by_size);
        lay_knots(&bank->steps, sorted, count);
        for (size_t i = 0; i < count; i++)
            z[i] = (double)rank_score(&bank->steps, (float)z[i]);
    }
    bank->last = (float)last;
    even_out(bank->follows > 0 ? &bank->steps : &bank->ranks, z, count);
    *ret_inflation = inflation_of(z, count);
    for (size_t i = 0; i < count; i++)
        z[i] *= z[i];
    *ret_of_squares = inflation_of(z, count);
}

static size_t mean_lanes(margins m, double error, double inflation, ratio *lanes)
{
    static const double moves[] = {0.1, 0.2, 0.4, 0.8, 1.6};
    enum { MOVES = sizeof(moves) / sizeof(moves[0]) };
    size_t used = 0;
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < MOVES; i++) {
            double sign = side ? -1 : 1, from = sign * m.guard * error;
            double to = sign * fmax(moves[i], m.least * error);
            if (is_lost(moves, MOVES, i, m.least * error))
                continue;
            double step = (to - from) / inflation;
            lanes[used++] = (ratio){.a = step,
                                    .c = (from * from - to * to) / 2 / inflation,
                                    .variance = step * step * inflation,
                                    .change = side ? TUT_CHANGE_DOWN : TUT_CHANGE_UP};
        }
    return used;
}

static size_t width_lanes(margins m, double error, double inflation, ratio *lanes)
{
    static const double widths[] = {1.3, 1.8, 0.75, 0.5};
    size_t used = 0;
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        double sign = widths[i] > 1 ? 1 : -1, from = exp(sign * m.guard * error * M_SQRT1_2);
        double to = widths[i], b = (1 / (from * from) - 1 / (to * to)) / 2 / inflation;
        if (fabs(log(to)) < m.least * error * M_SQRT1_2)
            continue;
        lanes[used++] = (ratio){.b = b,
                                .c = log(from / to) / inflation,
                                .variance = 2 * b * b * inflation,
                                .change = sign > 0 ? TUT_CHANGE_WIDER : TUT_CHANGE_NARROWER};
    }
    return used;
}

/* Nine of ten are the same. */
static bool is_constant(const double *sorted, size_t count)
{
    return sorted[count / 20] == sorted[count - 1 - count / 20];
}

static void learn_number(tut_bank *bank, const double *values, size_t count, double interval,
                         double *work)
{
    ratio lanes[TUT_BANK_LANES];
    double variance = 0, inflation = 1, of_squares = 1;
    moments(values, count, &bank->mean, &variance);
    bank->deviation = sqrt(variance);
    memcpy(work, values, count * sizeof(*values));
    memcpy(work + count, values, count * sizeof(*values));
    qsort(work + count, count, sizeof(*work), by_size);
    lay_knots(&bank->ranks, work + count, count);
    bool is_flat = is_constant(work + count, count);
    learn_scores(bank, work, count, work + count, &inflation, &of_squares);
    const margins m = margins_of(count);
    double error = sqrt(inflation / (double)count);
    size_t used = mean_lanes(m, error, inflation, lanes);
    if (!is_flat)
        used += width_lanes(m, sqrt(of_squares / (double)count), of_squares, lanes + used);
    (void)install(bank, lanes, used, interval); /* the average takes the place of one more */
    double z = tut_normal_quantile(1 - 0.5 / (interval * (double)(used + 1)));
    bank->ewma_limit = (float)(z / 3 * sqrt(inflation) + m.guard * error);
}

/* --- all kinds --- */
static tut_bank_kind kind_of(const double *values, size_t count)
{
    bool bits = true, counts = true;
    double mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits && (values[i] == 0 || values[i] == 1);
        counts = counts && values[i] >= 0 && values[i] == floor(values[i]) && values[i] < 1e6;
    }
    moments(values, count, &mean, &variance);
    if (bits)
        return TUT_BANK_SHARE;
    bool poisson = mean > 0 && variance < 1.4 * mean && variance > 0.6 * mean;
    return counts && poisson ? TUT_BANK_RATE : TUT_BANK_NUMBER;
}

void tut_bank_learn_as(tut_bank *bank, tut_bank_kind kind, const double *values, size_t count,
                       double interval, double *work)
{
    memset(bank, 0, sizeof(*bank));
    bank->kind = kind;
    bank->learnt = (uint32_t)count;
    if (kind == TUT_BANK_SHARE)
        learn_share(bank, values, count, interval);
    else if (kind == TUT_BANK_RATE)
        learn_rate(bank, values, count, interval);
    else
        learn_number(bank, values, count, interval, work);
}

void tut_bank_learn(tut_bank *bank, const double *values, size_t count, double interval,
                    double *work)
{
    tut_bank_learn_as(bank, kind_of(values, count), values, count, interval, work);
}

float tut_bank_score(tut_bank *bank, double value)
{
    if (bank->kind != TUT_BANK_NUMBER)
        return (float)value;
    float z = rank_score(&bank->ranks, (float)value);
    if (bank->follows <= 0)
        return z;
    float step = z - bank->follows * bank->last;
    bank->last = z;
    return rank_score(&bank->steps, step);
}

/* All lanes at once; how far the furthest is over its threshold. */
TUT_WIDE_BODY float lanes_body(tut_bank *bank, float x)
{
    float past[TUT_BANK_LANES], x2 = x * x;
    for (size_t k = 0; k < TUT_BANK_LANES; k++) {
        float s = bank->s[k] + (bank->a[k] * x + (bank->b[k] * x2 + bank->c[k]));
        s = s > 0 ? s : 0;
        bank->s[k] = s;
        past[k] = s - bank->h[k];
    }
    for (size_t half = TUT_BANK_LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            past[k] = past[k] > past[k + half] ? past[k] : past[k + half];
    return past[0];
}

TUT_WIDE static float lanes_wide(tut_bank *bank, float x)
{
    return lanes_body(bank, x);
}

size_t tut_bank_step(tut_bank *bank, double value)
{
    static const float weight = 0.2f; /* deviation of the average: 1/3 */
    float x = tut_bank_score(bank, value);
    float over = TUT_WIDE_IS_THERE() ? lanes_wide(bank, x) : lanes_body(bank, x);
    if (bank->kind == TUT_BANK_NUMBER) {
        bank->ewma += weight * (x - bank->ewma);
        if (over <= 0 && fabsf(bank->ewma) > bank->ewma_limit)
            return TUT_BANK_LANES;
    }
    if (!(over > 0))
        return SIZE_MAX;
    for (size_t k = 0; k < TUT_BANK_LANES; k++)
        if (bank->s[k] - bank->h[k] == over)
            return k;
    return SIZE_MAX;
}

size_t tut_bank_over(const tut_bank *bank, unsigned but)
{
    for (size_t k = 0; k < TUT_BANK_LANES; k++)
        if (bank->s[k] > bank->h[k] && !(but & 1u << bank->change[k]))
            return k;
    return SIZE_MAX;
}

tut_change tut_bank_change(const tut_bank *bank, size_t lane)
{
    if (lane == TUT_BANK_LANES)
        return bank->ewma > 0 ? TUT_CHANGE_UP : TUT_CHANGE_DOWN;
    return lane < TUT_BANK_LANES ? (tut_change)bank->change[lane] : TUT_CHANGE_NONE;
}

void tut_bank_reset(tut_bank *bank)
{
    for (size_t k = 0; k < TUT_BANK_LANES; k++)
        bank->s[k] = 0;
    bank->ewma = 0;
}

bool tut_bank_is_calm(tut_bank *bank, unsigned among, float part)
{
    bool is_calm = bank->kind != TUT_BANK_NUMBER || fabsf(bank->ewma) <= bank->ewma_limit;
    for (size_t k = 0; k < TUT_BANK_LANES; k++)
        if ((among & 1u << bank->change[k]) && bank->s[k] > bank->h[k] * part) {
            bank->s[k] = 0;
            is_calm = false;
        }
    return is_calm;
}
