/*
 * Language: how often which words and pairs of words are used, hashed into a fixed number of cells.
 * The statistic is the Jensen-Shannon distance of the two tables, p that of exchanging documents
 * between the sides, and the effect what the distance has above that of chance.
 */
#include <math.h>
#include <stdio.h>

#include "watch/drift_internal.h"
#include "watch/ngrams.h"

enum { CELLS = TUT_GRAM_CELLS, GRAMS = TUT_GRAMS, PERMUTATIONS = 200 };

typedef struct documents {
    uint16_t *grams; /* of each document, one after another */
    size_t *from;    /* of each; one more for the end */
    size_t count, first;
} documents;

static bool is_word(uint8_t c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static uint16_t cell_of(uint64_t h)
{
    h = (h ^ (h >> 31)) * 0x9e3779b97f4a7c15u;
    return (uint16_t)(h >> 53); /* CELLS = 2^11 */
}

size_t tut_grams_of(tut_str text, uint16_t *ret_cells)
{
    size_t count = 0;
    uint64_t last = 0, h = 0;
    for (size_t i = 0; i <= text.len && count + 2 <= GRAMS; i++) {
        uint8_t c = i < text.len ? (uint8_t)text.data[i] : ' ';
        if (is_word(c)) {
            c = c >= 'A' && c <= 'Z' ? c | 32 : c;
            h = ((h ? h : 0xcbf29ce484222325u) ^ c) * 0x100000001b3u;
            continue;
        }
        if (!h)
            continue;
        ret_cells[count++] = cell_of(h);
        if (last)
            ret_cells[count++] = cell_of(last * 31 + h);
        last = h;
        h = 0;
    }
    return count;
}

static double distance(const documents *d, const size_t *order, const uint32_t *total)
{
    uint32_t first[CELLS] = {0};
    double n = 0, m = 0, js = 0;
    for (size_t i = 0; i < d->first; i++)
        for (size_t k = d->from[order[i]]; k < d->from[order[i] + 1]; k++)
            first[d->grams[k]]++;
    for (size_t c = 0; c < CELLS; c++) {
        n += first[c];
        m += total[c] - first[c];
    }
    if (n == 0 || m == 0)
        return 0;
    for (size_t c = 0; c < CELLS; c++) {
        double p = first[c] / n, q = (total[c] - first[c]) / m, middle = (p + q) / 2;
        js += (p > 0 ? p * log2(p / middle) : 0) / 2 + (q > 0 ? q * log2(q / middle) : 0) / 2;
    }
    return sqrt(js > 0 ? js : 0);
}

static void judge(const documents *d, size_t *order, const uint32_t *total,
                  const tut_drift_options *o, tut_drift_feature *f)
{
    tut_seeded random = tut_seeded_of(o->seed);
    double by_chance = 0;
    size_t as_far = 1;
    f->statistic = distance(d, order, total);
    for (unsigned r = 0; r < PERMUTATIONS; r++) {
        for (size_t i = 0; i < d->first; i++) {
            size_t k = i + tut_seeded_below(&random, d->count - i), swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        double x = distance(d, order, total);
        by_chance += x / PERMUTATIONS;
        as_far += x >= f->statistic;
    }
    f->p = (double)as_far / (PERMUTATIONS + 1);
    f->js = f->statistic;
    f->effect = fmax(0, f->statistic - by_chance);
    (void)snprintf(f->note, sizeof(f->note),
                   "words and pairs of words of %zu and %zu texts; by chance %.3f", d->first,
                   d->count - d->first, by_chance);
}

tut_status drift_language_judge(const tut_pair_column *c, const tut_drift_options *o,
                                tut_drift_feature *ret, tut_error *err)
{
    size_t count = c->kept_count[0] + c->kept_count[1], grams = 0;
    uint32_t total[CELLS] = {0};
    (void)snprintf(ret->kind, sizeof(ret->kind), "language");
    if (c->kept_count[0] < o->least || c->kept_count[1] < o->least) {
        (void)snprintf(ret->note, sizeof(ret->note), "too few texts to judge");
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE uint16_t *held = tut_alloc_array(count, GRAMS * sizeof(*held));
    TUT_AUTO_FREE size_t *places = tut_alloc_array(2 * count + 1, sizeof(*places));
    if (!held || !places)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    documents d = {.grams = held, .from = places, .count = count, .first = c->kept_count[0]};
    size_t *order = places + count + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned side = i >= d.first;
        size_t more = tut_grams_of(c->kept[side][side ? i - d.first : i], held + grams);
        for (size_t k = grams; k < grams + more; k++)
            total[held[k]]++;
        places[i] = grams;
        order[i] = i;
        grams += more;
    }
    places[count] = grams;
    (void)snprintf(ret->test, sizeof(ret->test), "ngrams");
    judge(&d, order, total, o, ret);
    return TUT_SUCCESS;
}
