#include "stats/flatness.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum {
    BINS_MAX = 1 << 15,
    PORTION = 512,
    LEAST_IN_BLOCK = 32, /* below, a block says nothing */
    LEAST_BLOCKS = 4,
    LEAST_WITHOUT_BEST = 20 /* the odds may not hang on two intervals: the edge of a uniform
                               distribution looks like that */
};

tut_status tut_flatness_init(tut_flatness *f)
{
    /* All levels together are twice the first. */
    *f = (tut_flatness){.counts = tut_alloc_array(2 * (size_t)BINS_MAX, sizeof(*f->counts))};
    if (!f->counts)
        return (tut_status){TUT_NOMEM};
    f->sums[0] = f->counts;
    for (unsigned i = 1; i < TUT_FLATNESS_LEVELS; i++)
        f->sums[i] = f->sums[i - 1] + (BINS_MAX >> (i - 1));
    return TUT_SUCCESS;
}

void tut_flatness_done(tut_flatness *f)
{
    tut_free(f->counts);
    *f = (tut_flatness){0};
}

static bool is_float(tut_numeric kind)
{
    return tut_numeric_kinds[kind].mantissa_bits > 0;
}

void tut_flatness_reset(tut_flatness *f, tut_numeric kind)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[kind];
    f->kind = kind;
    f->bins = is_float(kind) ? BINS_MAX : 256;
    f->mantissa = kind == TUT_NUMERIC_F16 ? k->mantissa_bits : 7;
    f->total = 0;
    memset(f->counts, 0, f->bins * sizeof(*f->counts));
}

static size_t bin_of(tut_numeric kind, const uint8_t *v)
{
    uint32_t single;
    uint16_t half;
    switch (kind) {
    case TUT_NUMERIC_F32:
        memcpy(&single, v, 4);
        return (single & 0x7fffffffu) >> 16;
    case TUT_NUMERIC_F16:
    case TUT_NUMERIC_BF16:
        memcpy(&half, v, 2);
        return half & 0x7fff;
    case TUT_NUMERIC_I8:
        return (size_t)(v[0] ^ 0x80);
    case TUT_NUMERIC_U8:
        return v[0];
    case TUT_NUMERIC_F64:
    case TUT_NUMERIC_Q8_0:
    case TUT_NUMERIC_NONE:
    case TUT_NUMERIC_COUNT:
        break;
    }
    return 0;
}

/* Double precision: the exponent of single precision where it reaches so far, cut, not rounded. */
static size_t bin_of_double(const uint8_t *v)
{
    uint64_t bits;
    memcpy(&bits, v, 8);
    uint64_t exponent = (bits >> 52) & 0x7ff;
    if (exponent < 1023 - 126 || exponent > 1023 + 127)
        return 0;
    return (size_t)((exponent - 1023 + 127) << 7 | ((bits >> 45) & 0x7f));
}

void tut_flatness_add(tut_flatness *f, const uint8_t *units, size_t count)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[f->kind];
    for (size_t i = 0; i < count; i++) {
        const uint8_t *v = units + i * k->unit_bytes;
        if (f->kind == TUT_NUMERIC_F64)
            f->counts[bin_of_double(v)]++;
        else if (f->kind == TUT_NUMERIC_Q8_0)
            for (size_t j = 0; j < 32; j++)
                f->counts[v[2 + j] ^ 0x80u]++;
        else
            f->counts[bin_of(f->kind, v)]++;
    }
    f->total += count * k->unit_values;
}

void tut_flatness_merge(tut_flatness *f, const tut_flatness *other)
{
    for (size_t i = 0; i < f->bins; i++)
        f->counts[i] += other->counts[i];
    f->total += other->total;
}

/* The value at which a bin begins. */
static double value_at(const tut_flatness *f, size_t bin)
{
    if (!is_float(f->kind))
        return (double)bin;
    uint64_t bits = (uint64_t)(bin + (896ull << f->mantissa)) << (52 - f->mantissa);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

enum { PARTS = 8 };

typedef struct block {
    double lower, upper; /* numbers in its halves */
    double parts[PARTS]; /* and in its eighths, or what there is of them */
    size_t part_count;
    double begin, middle, end;
} block;

static block block_at(const tut_flatness *f, size_t i, unsigned level)
{
    size_t width = (size_t)1 << level;
    unsigned fine = level > 3 ? 3 : level;
    const uint32_t *halves = f->sums[level - 1], *parts = f->sums[level - fine];
    block b = {.lower = halves[2 * i],
               .upper = halves[2 * i + 1],
               .part_count = (size_t)1 << fine,
               .begin = value_at(f, i * width),
               .middle = value_at(f, i * width + width / 2),
               .end = value_at(f, (i + 1) * width)};
    for (size_t j = 0; j < b.part_count; j++)
        b.parts[j] = parts[(i << fine) + j];
    return b;
}

static double size_of(const block *b)
{
    return b->lower + b->upper;
}

typedef struct odds {
    double sum, best, second; /* gains: of all, and the two largest */
    double misfit, freedom;   /* chi-square of even eighths */
    size_t blocks;
} odds;

static double width_of(const block *b)
{
    return b->end - b->begin;
}

/* From the centre of one block to that of the other; *ret_blur: how unsure it is, as counts are. */
static double slope_between(const block *a, const block *b, double *ret_blur)
{
    double reach = (b->begin + b->end - a->begin - a->end) / 2;
    *ret_blur =
        sqrt(size_of(a) / (width_of(a) * width_of(a)) + size_of(b) / (width_of(b) * width_of(b))) /
        reach;
    return (size_of(b) / width_of(b) - size_of(a) / width_of(a)) / reach;
}

/* Adds what block b says, between its neighbours. The line takes the gentler of the slopes to
 * either side, and none between slopes that disagree: at a single step, such as the edge of a
 * uniform distribution, nothing is expected. */
static void weigh(const block *before, const block *b, const block *after, odds *o)
{
    double n = size_of(b), blur_left, blur_right;
    double left = slope_between(before, b, &blur_left);
    double right = slope_between(b, after, &blur_right);
    double slope = left * right <= 0 ? 0 : fabs(left) < fabs(right) ? left : right;
    double low_width = b->middle - b->begin, high_width = b->end - b->middle;
    double level = n / width_of(b), lever = width_of(b) / 4;
    double low = (level - slope * (high_width / 2)) * low_width;
    double high = (level + slope * (low_width / 2)) * high_width;
    if (low <= 0 || high <= 0)
        return;
    double share = high / (low + high);
    double blur = (slope == left ? blur_left : blur_right) * lever * width_of(b) / 2;
    double seen = b->upper - n / 2, due = n * (share - 0.5);
    double even = n / 4, natural = n * share * (1 - share) + blur * blur;
    double gain = (seen - due) * (seen - due) / (2 * natural) + log(natural) / 2 -
                  seen * seen / (2 * even) - log(even) / 2;
    o->sum += gain;
    o->second = gain > o->best ? o->best : gain > o->second ? gain : o->second;
    o->best = gain > o->best ? gain : o->best;
    for (size_t i = 0; i < b->part_count; i++) {
        double each = n / (double)b->part_count, off = b->parts[i] - each;
        o->misfit += off * off / each;
    }
    o->freedom += (double)b->part_count - 1;
    o->blocks++;
}

static double score_of(const tut_flatness *f, unsigned level)
{
    odds o = {0};
    const uint32_t *sizes = f->sums[level];
    for (size_t i = 1; i + 1 < f->bins >> level; i++) {
        if (sizes[i] < LEAST_IN_BLOCK || sizes[i - 1] < LEAST_IN_BLOCK ||
            sizes[i + 1] < LEAST_IN_BLOCK)
            continue;
        block before = block_at(f, i - 1, level), b = block_at(f, i, level);
        block after = block_at(f, i + 1, level);
        weigh(&before, &b, &after, &o);
    }
    bool fits = o.misfit <= o.freedom + 4 * sqrt(2 * o.freedom);
    if (o.blocks < LEAST_BLOCKS || !fits || o.sum - o.best < LEAST_WITHOUT_BEST)
        return 0;
    return o.sum;
}

unsigned tut_flatness_bits(tut_flatness *f, double *ret_score)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[f->kind];
    unsigned deepest = is_float(f->kind) ? f->mantissa + 1u : 6u, found = 0;
    *ret_score = 0;
    for (unsigned level = 1; level <= deepest; level++) {
        for (size_t i = 0; i < f->bins >> level; i++)
            f->sums[level][i] = f->sums[level - 1][2 * i] + f->sums[level - 1][2 * i + 1];
        double score = score_of(f, level);
        if (score <= TUT_FLATNESS_ALARM)
            continue;
        *ret_score = score;
        found = is_float(f->kind) ? k->mantissa_bits - f->mantissa + level : level;
    }
    return found;
}
