/* Rows of features, and logistic regression over them (AdaGrad, classes balanced). */
#include <math.h>

#include "base/cage.h"
#include "detect/fit_internal.h"

enum { EPOCHS = 6, MEAN_OF = 3, SEGMENTS_CLEAN = 8, SEGMENTS_PLANTED = 8, FIRST_FULL = 4 };
static const float rate = 0.1f, accumulator = 1e-3f, later = 0.4f, dropout = 0.3f;

tut_status fit_row_add(fit_rows *r, const tut_bag *b, uint32_t sample, float weight, bool is_attack,
                       tut_error *err)
{
    while (r->id_capacity < r->id_count + b->count) {
        size_t more = r->id_capacity ? r->id_capacity * 2 : 1 << 20;
        uint32_t *ids = tut_realloc_array(r->ids, more, sizeof(*ids));
        if (!ids)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        r->ids = ids;
        r->id_capacity = more;
    }
    if (r->count == r->capacity &&
        !tut_is_ok(tut_grow(&r->items, r->count, &r->capacity, sizeof(*r->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    fit_row *row = &r->items[r->count++];
    *row = (fit_row){(uint32_t)r->id_count, (uint32_t)b->count, sample, weight, is_attack, {0}};
    memcpy(r->ids + r->id_count, b->items, b->count * sizeof(*b->items));
    r->id_count += b->count;
    for (unsigned g = 0; g < b->shape->groups; g++)
        row->held[g] = (uint16_t)b->held[g];
    return TUT_SUCCESS;
}

static tut_status add_user_rows(fit *f, tut_detector *d, uint32_t sample, tut_error *err)
{
    const fit_sample *s = &f->samples[sample];
    size_t count = d->tokens.count < TUT_WINDOW_TOKENS ? d->tokens.count : TUT_WINDOW_TOKENS;
    TUT_TRY(fit_rows_stretches(f, d, sample, err));
    if (s->planted_end && (s->planted_end - s->planted) * 4 < s->len)
        return TUT_SUCCESS; /* a line of a page does not make a page of it */
    for (int h = TUT_HEAD_WORDS; h <= TUT_HEAD_SYMBOLS; h++) {
        tut_bag *b = &d->bags[h];
        if (!(h == TUT_HEAD_WORDS ? tut_feature_words(b, d->tokens.items, count, NULL)
                                  : tut_feature_symbols(b, d->tokens.items, count)))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(fit_row_add(&f->rows[h], b, sample, 1, s->is_attack, err));
    }
    return TUT_SUCCESS;
}

size_t fit_is_planted(const fit_sample *s, const tut_detector *d, size_t first, size_t count)
{
    size_t inside = 0;
    if (!s->is_attack)
        return 0;
    for (size_t i = first; i < first + count; i++) {
        uint64_t at = tut_plain_origin_of(&d->plain, d->tokens.items[i].at);
        inside += s->planted_end == 0 || (at < s->planted_end && at >= s->planted);
    }
    return inside;
}

static tut_status add_segment_rows(fit *f, tut_detector *d, uint32_t sample, tut_error *err)
{
    const fit_sample *s = &f->samples[sample];
    tut_random random = {f->options->seed ^ sample};
    size_t planted = 0, clean = 0, n;
    TUT_TRY(tut_detect_segments(d, err));
    n = d->segments.count;
    for (size_t i = 0; i < n; i++) {
        const tut_segment *g = &d->segments.items[i];
        const tut_token *first = &d->tokens.items[g->first], *last = first + g->count - 1;
        uint64_t from = tut_plain_origin_of(&d->plain, first->at);
        uint64_t to = tut_plain_origin_of(&d->plain, last->at);
        bool is_attack = fit_is_planted(s, d, g->first, g->count) > 0;
        if (is_attack
                ? planted >= SEGMENTS_PLANTED
                : clean >= SEGMENTS_CLEAN || tut_random_below(&random, n) >= SEGMENTS_CLEAN + n / 8)
            continue;
        float weight = is_attack && planted >= FIRST_FULL ? later : 1;
        if (is_attack && to - from < 12)
            weight *= 0.25f;
        planted += is_attack;
        clean += !is_attack;
        tut_bag *b = &d->bags[TUT_HEAD_SEGMENT];
        if (!tut_feature_segment(b, &d->segments, &d->tokens, g))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(fit_row_add(&f->rows[TUT_HEAD_SEGMENT], b, sample, weight, is_attack, err));
    }
    return TUT_SUCCESS;
}

tut_status fit_rows_make(fit *f, tut_error *err)
{
    TUT_AUTO(tut_model) empty = NULL;
    TUT_AUTO(tut_detector) d = NULL;
    TUT_TRY(tut_model_new(&empty, err));
    TUT_TRY(tut_detector_new(empty, &d, err));
    for (uint32_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        if (i % 256 == 0)
            TUT_TRY(fit_go_on(err));
        TUT_TRY(tut_detect_tokens(d, (tut_str){s->text, s->len}, err));
        if (d->tokens.count == 0)
            continue;
        TUT_TRY(s->is_document ? add_segment_rows(f, d, i, err) : add_user_rows(f, d, i, err));
    }
    return TUT_SUCCESS;
}

typedef struct training {
    float *weights, *squares, bias, bias_square;
    float *mean, mean_bias; /* of the weights as the last epochs left them */
    const tut_bag_shape *shape;
    uint32_t base[TUT_BAG_GROUPS + 1];
} training;

static unsigned group_of(const training *t, uint32_t id)
{
    unsigned g = 0;
    while (id >= t->base[g + 1])
        g++;
    return g;
}

static void learn(training *t, const fit_rows *rows, const fit_row *row, float weight,
                  unsigned dropped)
{
    float factor[TUT_BAG_GROUPS] = {0}, logit = t->bias;
    const uint32_t *ids = rows->ids + row->first;
    for (unsigned g = 0; g < t->shape->groups; g++)
        if (row->held[g] && !(dropped & 1u << g))
            factor[g] = t->shape->gain[g] / sqrtf((float)row->held[g]);
    for (uint32_t i = 0; i < row->count; i++)
        logit += t->weights[ids[i]] * factor[group_of(t, ids[i])];
    float p = 1 / (1 + expf(-logit));
    float gradient = (p - (row->is_attack ? 1.0f : 0.0f)) * weight;
    t->bias_square += gradient * gradient;
    t->bias -= rate * gradient / sqrtf(t->bias_square);
    for (uint32_t i = 0; i < row->count; i++) {
        uint32_t id = ids[i];
        float step = gradient * factor[group_of(t, id)];
        t->squares[id] += step * step;
        t->weights[id] -= rate * step / sqrtf(t->squares[id]);
    }
}

static void take_mean(training *t, uint32_t buckets)
{
    for (uint32_t i = 0; i < buckets; i++)
        t->mean[i] += t->weights[i] / MEAN_OF;
    t->mean_bias += t->bias / MEAN_OF;
}

static void quantise(const training *t, tut_head_weights *to)
{
    to->bias = t->mean_bias;
    for (unsigned g = 0; g < t->shape->groups; g++) {
        float most = 1e-6f;
        for (uint32_t i = t->base[g]; i < t->base[g + 1]; i++)
            most = fmaxf(most, fabsf(t->mean[i]));
        to->scale[g] = most / 127;
        for (uint32_t i = t->base[g]; i < t->base[g + 1]; i++)
            to->table[i] = (int8_t)lrintf(t->mean[i] / to->scale[g]);
    }
}

size_t fit_choose(const fit_rows *rows, const bool *uses, uint32_t *order, float balance[2])
{
    size_t count = 0;
    double sums[2] = {0, 0};
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!uses[rows->items[i].sample])
            continue;
        order[count++] = i;
        sums[rows->items[i].is_attack] += (double)rows->items[i].weight;
    }
    for (int k = 0; k < 2; k++)
        balance[k] = (float)((sums[0] + sums[1]) / (2 * (sums[k] > 1 ? sums[k] : 1)));
    return count;
}

void fit_shuffle(uint32_t *order, size_t count, tut_random *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)tut_random_below(random, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swap;
    }
}

/* Fitting takes its time: Ctrl-C ends it. */
tut_status fit_go_on(tut_error *err)
{
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted: nothing was written");
    return TUT_SUCCESS;
}

static tut_status run_epochs(training *t, const fit *f, tut_head head, uint32_t *order,
                             size_t count, const float balance[2], tut_error *err)
{
    static const unsigned drops[] = {1u << 5, 1u << 0, 1u << 5 | 1u << 3}; /* of segments */
    const fit_rows *rows = &f->rows[head];
    tut_random random = {f->options->seed + (uint64_t)head};
    for (int e = 0; e < EPOCHS; e++) {
        fit_shuffle(order, count, &random);
        for (size_t i = 0; i < count; i++) {
            if (i % 4096 == 0)
                TUT_TRY(fit_go_on(err));
            const fit_row *row = &rows->items[order[i]];
            uint64_t dice = tut_random_below(&random, 1000);
            bool drops_one = head == TUT_HEAD_SEGMENT && row->is_attack &&
                             (float)dice < dropout * 1000;
            learn(t, rows, row, row->weight * balance[row->is_attack],
                  drops_one ? drops[dice % 3] : 0);
        }
        if (e >= EPOCHS - MEAN_OF)
            take_mean(t, tut_bag_buckets(t->shape));
    }
    return TUT_SUCCESS;
}

tut_status fit_train(const fit *f, tut_head head, const bool *uses, tut_model *to, tut_error *err)
{
    const fit_rows *rows = &f->rows[head];
    training t = {.shape = &tut_head_shapes[head], .bias_square = accumulator};
    uint32_t buckets = tut_bag_buckets(t.shape);
    TUT_AUTO_FREE float *weights = tut_alloc_array(buckets, sizeof(*weights));
    TUT_AUTO_FREE float *squares = tut_alloc_array(buckets, sizeof(*squares));
    TUT_AUTO_FREE float *mean = tut_alloc_array(buckets, sizeof(*mean));
    TUT_AUTO_FREE uint32_t *order = tut_alloc_array(rows->count, sizeof(*order));
    if (!weights || !squares || !mean || !order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < buckets; i++)
        squares[i] = accumulator;
    for (unsigned g = 0; g < t.shape->groups; g++)
        t.base[g + 1] = t.base[g] + t.shape->size[g];
    t.weights = weights;
    t.squares = squares;
    t.mean = mean;
    float balance[2];
    size_t count = fit_choose(rows, uses, order, balance);
    TUT_TRY(run_epochs(&t, f, head, order, count, balance, err));
    quantise(&t, &to->heads[head]);
    return TUT_SUCCESS;
}
