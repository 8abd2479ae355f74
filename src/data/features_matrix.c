#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/features_internal.h"
#include "stats/random.h"
#include "stats/robust.h"

enum { LEVEL_LEAST = 10 }; /* rows of a category's value that gets a column */
static const double farthest = 8;
static const double text_scale = 8; /* length of a text's vector, beside columns of variance 1 */

void features_matrix_done(tut_features_matrix *m)
{
    tut_free(m->rows);
    tut_free(m->labels);
    tut_free(m->dense);
    tut_free(m->pixels);
    tut_free(m->starts);
    tut_free(m->words);
    *m = (tut_features_matrix){0};
}

typedef struct maker {
    tut_features *f;
    tut_features_matrix *m;
    uint32_t *order; /* of the kept rows, by their number */
    double *scratch;
    uint32_t *levels; /* of each category, TUT_FEATURES_LEVELS, 0: none */
} maker;

typedef struct placed {
    uint64_t row;
    uint32_t slot;
} placed;

static int by_row(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

static tut_status order_rows(maker *k, tut_error *err)
{
    const tut_features *f = k->f;
    TUT_AUTO_FREE placed *places = tut_alloc_array(f->kept_count + 1, sizeof(*places));
    if (!places)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < f->kept_count; i++)
        places[i] = (placed){f->kept[i].row, i};
    qsort(places, f->kept_count, sizeof(*places), by_row);
    for (size_t i = 0; i < f->kept_count; i++) {
        k->order[i] = places[i].slot;
        k->m->rows[i] = places[i].row;
        k->m->labels[i] = f->kept[places[i].slot].label;
    }
    return TUT_SUCCESS;
}

static float number_at(const maker *k, size_t row, size_t c)
{
    return k->f->numbers[k->order[row] * k->f->number_count + c];
}

/* --- numbers --- */
static void standardise(maker *k, size_t c, size_t to)
{
    size_t found = 0;
    double squares = 0;
    for (size_t i = 0; i < k->m->count; i++)
        if (isfinite(number_at(k, i, c)))
            k->scratch[found++] = (double)number_at(k, i, c);
    tut_robust r = tut_robust_of(k->scratch, found);
    for (size_t i = 0; i < k->m->count && found; i++) {
        double off = isfinite(number_at(k, i, c)) ? (double)number_at(k, i, c) - r.median : 0;
        squares += off * off / (double)found;
    }
    double spread = r.mad > 0 ? 1.4826 * r.mad : sqrt(squares);
    for (size_t i = 0; i < k->m->count; i++) {
        double x = (double)number_at(k, i, c);
        double z = spread > 0 && isfinite(x) ? (x - r.median) / spread : 0;
        k->m->dense[i * k->m->width + to] = (float)fmin(fmax(z, -farthest), farthest);
    }
}

/* Arrays: around the means, divided by the root of the mean variance of all columns. */
static void scale_array(maker *k)
{
    tut_features_matrix *m = k->m;
    double variance = 0, count = (double)m->count;
    for (size_t c = 0; c < m->width; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < m->count; i++) {
            float x = number_at(k, i, c);
            x = isfinite(x) ? x : 0;
            m->dense[i * m->width + c] = x;
            sum += (double)x;
        }
        for (size_t i = 0; i < m->count; i++) {
            float *x = &m->dense[i * m->width + c];
            *x = (float)((double)*x - sum / count);
            squares += (double)*x * (double)*x;
        }
        variance += squares / count / (double)m->width;
    }
    float factor = variance > 0 && isfinite(variance) ? (float)(1 / sqrt(variance)) : 0;
    for (size_t i = 0; i < m->count * m->width; i++)
        m->dense[i] *= factor;
}

/* --- categories --- */
static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

typedef struct level {
    uint32_t value, count;
} level;

static int by_count(const void *a, const void *b)
{
    const level *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->value > y->value) - (x->value < y->value);
}

/* The most frequent values of a category; how many. */
static tut_status find_levels(maker *k, size_t c, size_t *ret_count, tut_error *err)
{
    size_t count = k->m->count, found = 0;
    TUT_AUTO_FREE uint32_t *values = tut_alloc_array(count + 1, sizeof(*values));
    TUT_AUTO_FREE level *all = tut_alloc_array(count + 1, sizeof(*all));
    if (!values || !all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        values[i] = k->f->categories[k->order[i] * k->f->category_count + c];
    qsort(values, count, sizeof(*values), by_value);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || values[i] != values[i - 1])
            all[found++] = (level){.value = values[i]};
        all[found - 1].count++;
    }
    qsort(all, found, sizeof(*all), by_count);
    size_t taken = 0;
    for (size_t i = 0; i < found && taken < TUT_FEATURES_LEVELS && all[i].count >= LEVEL_LEAST; i++)
        if (all[i].value)
            k->levels[c * TUT_FEATURES_LEVELS + taken++] = all[i].value;
    *ret_count = taken;
    return TUT_SUCCESS;
}

/* One column a level: 1 where it is, less its share, so that none weighs by being absent. */
static void place_levels(maker *k, size_t c, size_t levels, size_t to)
{
    for (size_t l = 0; l < levels; l++) {
        double share = 0, count = (double)k->m->count;
        uint32_t value = k->levels[c * TUT_FEATURES_LEVELS + l];
        for (size_t i = 0; i < k->m->count; i++)
            share += k->f->categories[k->order[i] * k->f->category_count + c] == value;
        share /= count;
        for (size_t i = 0; i < k->m->count; i++) {
            bool is_it = k->f->categories[k->order[i] * k->f->category_count + c] == value;
            k->m->dense[i * k->m->width + to + l] = (float)(is_it - share);
        }
    }
}

/* --- texts --- */
static tut_status collect_words(maker *k, tut_error *err)
{
    const tut_features *f = k->f;
    uint64_t at = 0;
    for (size_t i = 0; i < f->kept_count; i++)
        at += f->kept[i].word_count;
    k->m->starts = tut_alloc_array(k->m->count + 1, sizeof(*k->m->starts));
    k->m->words = tut_alloc_array((size_t)at + 1, sizeof(*k->m->words));
    if (!k->m->starts || !k->m->words)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    at = 0;
    for (size_t i = 0; i < k->m->count; i++) {
        const kept_row *row = &f->kept[k->order[i]];
        k->m->starts[i] = at;
        if (row->word_count)
            memcpy(k->m->words + at, row->words, row->word_count * sizeof(*row->words));
        at += row->word_count;
    }
    k->m->starts[k->m->count] = at;
    return TUT_SUCCESS;
}

static void hash_row(maker *k, size_t row, size_t to, const float *rarity, uint32_t *counts)
{
    float *dense = k->m->dense + row * k->m->width + to;
    const uint64_t *starts = k->m->starts;
    const uint32_t *words = k->m->words;
    double squares = 0;
    for (uint64_t i = starts[row]; i < starts[row + 1]; i++)
        counts[words[i]]++;
    for (uint64_t i = starts[row]; i < starts[row + 1]; i++) {
        uint64_t h = tut_random_mix(words[i] + 1);
        float weight = sqrtf((float)counts[words[i]]) * rarity[words[i]];
        dense[h % TUT_FEATURES_HASHED] += h >> 63 ? weight : -weight;
        counts[words[i]] = 0; /* its second time adds nothing */
    }
    for (size_t j = 0; j < TUT_FEATURES_HASHED; j++)
        squares += (double)dense[j] * (double)dense[j];
    for (size_t j = 0; j < TUT_FEATURES_HASHED && squares > 0; j++)
        dense[j] *= (float)(text_scale / sqrt(squares));
}

static tut_status place_texts(maker *k, size_t to, tut_error *err)
{
    size_t words = k->f->words.count;
    const tut_features_matrix *m = k->m;
    TUT_AUTO_FREE float *rarity = tut_alloc_array(words + 1, sizeof(*rarity));
    TUT_AUTO_FREE uint32_t *counts = tut_alloc_array(words + 1, sizeof(*counts));
    TUT_AUTO_FREE uint32_t *last = tut_alloc_array(words + 1, sizeof(*last));
    if (!rarity || !counts || !last)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < m->count; i++)
        for (uint64_t w = m->starts[i]; w < m->starts[i + 1]; w++) {
            counts[m->words[w]] += last[m->words[w]] != i + 1;
            last[m->words[w]] = (uint32_t)i + 1;
        }
    for (size_t w = 0; w < words; w++) {
        rarity[w] = counts[w] ? logf((float)(m->count + 1) / (float)counts[w]) : 0;
        counts[w] = 0;
    }
    for (size_t i = 0; i < m->count; i++)
        hash_row(k, i, to, rarity, counts);
    return TUT_SUCCESS;
}

/* --- all of it --- */
static bool is_image(const tut_features *f)
{
    size_t size = f->options.height * f->options.width * f->options.channels;
    return size > 0 && size == f->number_count && f->category_count == 0 && !f->has_texts;
}

enum { UNIT_COLUMNS = 16 };

static double range_of(const maker *k, size_t c, double *least, double *most)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < k->m->count; i++) {
        double x = (double)number_at(k, i, c);
        if (!isfinite(x))
            continue;
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    *least = low < *least ? low : *least;
    *most = high > *most ? high : *most;
    return high > low ? high - low : 0;
}

/* Many columns with one range are one quantity many times (pixels, bands, words' counts): what
 * varies little there says little, and is not to be stretched. */
static bool is_one_unit(const maker *k)
{
    const tut_features *f = k->f;
    double least = INFINITY, most = -INFINITY;
    size_t wide = 0, varying = 0;
    if (f->number_count < UNIT_COLUMNS || f->category_count > 0 || f->has_texts)
        return false;
    for (size_t c = 0; c < f->number_count; c++)
        (void)range_of(k, c, &least, &most);
    for (size_t c = 0; c < f->number_count && most > least; c++) {
        double low = INFINITY, high = -INFINITY;
        double range = range_of(k, c, &low, &high);
        varying += range > 0;
        wide += range > 0 && range >= (most - least) / 2;
    }
    return varying > 0 && 2 * wide >= varying;
}

static tut_status place_columns(maker *k, const size_t *levels, tut_error *err)
{
    tut_features *f = k->f;
    size_t to = f->number_count;
    if (f->is_array || is_image(f) || is_one_unit(k)) {
        scale_array(k);
        return TUT_SUCCESS;
    }
    for (size_t c = 0; c < f->number_count; c++)
        standardise(k, c, c);
    for (size_t c = 0; c < f->category_count; c++) {
        place_levels(k, c, levels[c], to);
        to += levels[c];
    }
    return f->has_texts ? place_texts(k, to, err) : TUT_SUCCESS;
}

/* Pixels are the numbers as they are, in the order of the columns. */
static tut_status keep_pixels(maker *k, tut_error *err)
{
    tut_features *f = k->f;
    size_t size = f->number_count;
    if (!is_image(f))
        return TUT_SUCCESS;
    k->m->pixels = tut_alloc_array(k->m->count + 1, size * sizeof(*k->m->pixels));
    if (!k->m->pixels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < k->m->count; i++)
        for (size_t j = 0; j < size; j++) {
            float x = number_at(k, i, j);
            k->m->pixels[i * size + j] = isfinite(x) ? x : 0;
        }
    return TUT_SUCCESS;
}

static tut_status make(maker *k, tut_error *err)
{
    tut_features *f = k->f;
    tut_features_matrix *m = k->m;
    size_t count = f->kept_count;
    m->rows = tut_alloc_array(count + 1, sizeof(*m->rows));
    m->labels = tut_alloc_array(count + 1, sizeof(*m->labels));
    k->order = tut_alloc_array(count + 1, sizeof(*k->order));
    k->scratch = tut_alloc_array(count + 1, sizeof(*k->scratch));
    k->levels = tut_alloc_array(f->category_count + 1, TUT_FEATURES_LEVELS * sizeof(*k->levels));
    TUT_AUTO_FREE size_t *levels = tut_alloc_array(f->category_count + 1, sizeof(*levels));
    if (!m->rows || !m->labels || !k->order || !k->scratch || !k->levels || !levels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->count = count;
    TUT_TRY(order_rows(k, err));
    m->width = f->number_count;
    for (size_t c = 0; c < f->category_count; c++) {
        TUT_TRY(find_levels(k, c, &levels[c], err));
        m->width += levels[c];
    }
    m->width += f->has_texts ? TUT_FEATURES_HASHED : 0;
    m->dense = tut_alloc_array(count + 1, (m->width + 1) * sizeof(*m->dense));
    if (!m->dense)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (f->has_texts)
        TUT_TRY(collect_words(k, err));
    TUT_TRY(place_columns(k, levels, err));
    return keep_pixels(k, err);
}

tut_status features_matrix(tut_features *f, tut_error *err)
{
    maker k = {.f = f, .m = &f->matrix};
    if (f->matrix.rows)
        return TUT_SUCCESS;
    tut_status s = make(&k, err);
    tut_free(k.order);
    tut_free(k.scratch);
    tut_free(k.levels);
    return s;
}
