/* Rows of stretches: first any, then those that a first model finds, which are what the last one
 * will be asked about. */
#include "detect/fit_internal.h"

enum { LONGEST = 40, RANDOM = 2, CONTEXT = 5 }; /* tokens of an attack that is one stretch */

static tut_status add_stretch(fit *f, tut_detector *d, uint32_t sample, size_t first, size_t count,
                              bool is_attack, tut_error *err)
{
    tut_bag *b = &d->bags[TUT_HEAD_STRETCH];
    count = count > TUT_STRETCH_MOST ? TUT_STRETCH_MOST : count;
    if (!tut_feature_stretch(b, d->tokens.items + first, count))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return fit_row_add(&f->rows[TUT_HEAD_STRETCH], b, sample, 1, is_attack, err);
}

/* What is planted, or a whole text that is short; the head says nothing of long attacks. */
static bool find_attack(const fit_sample *s, const tut_detector *d, size_t *ret_first,
                        size_t *ret_count)
{
    size_t first = 0, end = d->tokens.count;
    while (first < end && fit_is_planted(s, d, first, 1) == 0)
        first++;
    while (end > first && fit_is_planted(s, d, end - 1, 1) == 0)
        end--;
    *ret_first = first;
    *ret_count = end - first;
    return end > first && end - first <= LONGEST;
}

tut_status fit_rows_stretches(fit *f, tut_detector *d, uint32_t sample, tut_error *err)
{
    const fit_sample *s = &f->samples[sample];
    tut_random random = {f->options->seed ^ (sample + 1) * 0x51ed27ul};
    size_t first, count, all = d->tokens.count;
    if (s->is_attack) {
        if (!find_attack(s, d, &first, &count))
            return TUT_SUCCESS;
        size_t before = (size_t)tut_random_below(&random, CONTEXT);
        before = before < first ? before : first;
        size_t end = first + count + (size_t)tut_random_below(&random, CONTEXT);
        first -= before;
        end = end < all ? end : all;
        return add_stretch(f, d, sample, first, end - first, true, err);
    }
    for (int i = 0; i < RANDOM; i++) {
        count = 8 + (size_t)tut_random_below(&random, TUT_STRETCH_MOST - 8);
        first = all > count ? (size_t)tut_random_below(&random, all - count) : 0;
        TUT_TRY(add_stretch(f, d, sample, first, all - first < count ? all - first : count, false,
                            err));
        if (all <= count)
            break;
    }
    return TUT_SUCCESS;
}

/* What is stopped at in every so many tokens, of clean text only where it is not clear. */
static tut_status mine_stretches(fit *f, tut_detector *d, uint32_t sample, tut_error *err)
{
    enum { WINDOW = 160 };
    static const float clear = -3;
    const fit_sample *s = &f->samples[sample];
    tut_stretch found[TUT_STRETCH_MANY];
    float logits[TUT_STRETCH_MANY];
    size_t first, length, all = d->tokens.count;
    if (s->is_attack && (s->is_document || !find_attack(s, d, &first, &length)))
        return TUT_SUCCESS;
    for (size_t at = 0; at < all; at += WINDOW) {
        size_t count = all - at < WINDOW ? all - at : WINDOW;
        if (!tut_feature_words(&d->bags[TUT_HEAD_WORDS], d->tokens.items + at, count, d->spans))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        size_t n = tut_margin_stretches(d, at, count, found, logits);
        for (size_t i = 0; i < n; i++) {
            size_t inside = fit_is_planted(s, d, found[i].first, found[i].count);
            if (s->is_attack ? inside * 2 >= found[i].count || inside * 4 >= length * 3
                             : logits[i] > clear)
                TUT_TRY(
                    add_stretch(f, d, sample, found[i].first, found[i].count, s->is_attack, err));
        }
    }
    return TUT_SUCCESS;
}

static tut_status mine_segments(fit *f, tut_detector *d, uint32_t sample, tut_error *err)
{
    const fit_sample *s = &f->samples[sample];
    tut_bag *b = &d->bags[TUT_HEAD_SEGMENT];
    TUT_TRY(tut_detect_segments(d, err));
    d->parts = 0;
    for (size_t i = 0; i < d->segments.count; i++) {
        tut_segment part;
        const tut_segment *g = &d->segments.items[i];
        float logit;
        if (!tut_feature_segment(b, &d->segments, &d->tokens, g))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        logit = tut_model_logit(d->model, TUT_HEAD_SEGMENT, b);
        if (!tut_margin_part(d, g, logit, &part, &logit))
            continue;
        size_t inside = fit_is_planted(s, d, part.first, part.count);
        if (inside && inside * 2 < part.count)
            continue;
        if (!tut_feature_segment(b, &d->segments, &d->tokens, &part))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(fit_row_add(&f->rows[TUT_HEAD_SEGMENT], b, sample, 1, inside > 0, err));
    }
    return TUT_SUCCESS;
}

tut_status fit_rows_mine(fit *f, const tut_model *first, tut_error *err)
{
    TUT_AUTO(tut_detector) d = NULL;
    TUT_TRY(tut_detector_new(first, &d, err));
    for (uint32_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        if (i % 256 == 0)
            TUT_TRY(fit_go_on(err));
        TUT_TRY(tut_detect_tokens(d, (tut_str){s->text, s->len}, err));
        if (d->tokens.count == 0)
            continue;
        TUT_TRY(mine_stretches(f, d, i, err));
        if (s->is_document)
            TUT_TRY(mine_segments(f, d, i, err));
    }
    return TUT_SUCCESS;
}
