/* What is out of a model's sight is measured by it: folds of clean text, and attacks that were left
 * out of training. */
#include <math.h>

#include "detect/fit_internal.h"

enum { SHINGLE = 8, SHINGLE_BITS = 22 };
enum { JOINED = 300 }; /* texts of each length in a fold */

void fit_outside_done(fit_outside *o)
{
    tut_free(o->items);
    *o = (fit_outside){0};
}

/* --- too like --- */
static size_t shingles(tut_detector *d, const fit_sample *s, uint64_t *set, bool puts,
                       size_t *ret_all, tut_error *err)
{
    size_t shared = 0, all = 0;
    if (!tut_is_ok(tut_detect_tokens(d, (tut_str){s->text, s->len}, err)))
        return 0;
    for (size_t i = 0; i + SHINGLE <= d->tokens.count; i++) {
        uint32_t h = 0;
        for (size_t k = 0; k < SHINGLE; k++)
            h = tut_hash_mix(h, d->tokens.items[i + k].hash);
        h = tut_word_finish(h) >> (32 - SHINGLE_BITS);
        shared += (set[h >> 6] >> (h & 63)) & 1;
        if (puts)
            set[h >> 6] |= 1ull << (h & 63);
        all++;
    }
    *ret_all = all;
    return shared;
}

/* Takes from `uses` what shares a quarter of its runs of eight words with what is held. */
static tut_status leave_alike(const fit *f, const bool *held, bool *alike, size_t *ret_count,
                              tut_error *err)
{
    TUT_AUTO(tut_model) m = NULL;
    TUT_AUTO(tut_detector) d = NULL;
    TUT_AUTO_FREE uint64_t *set = tut_alloc_array(1u << (SHINGLE_BITS - 6), sizeof(*set));
    size_t all = 0;
    if (!set)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_model_new(&m, err));
    TUT_TRY(tut_detector_new(m, &d, err));
    *ret_count = 0;
    for (size_t i = 0; i < f->count; i++)
        if (held[i] && !f->samples[i].is_made && !f->samples[i].is_document)
            (void)shingles(d, &f->samples[i], set, true, &all, err);
    for (size_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        alike[i] = false;
        if (held[i] || s->is_made || s->is_document)
            continue;
        size_t shared = shingles(d, s, set, false, &all, err);
        alike[i] = all && shared * 4 >= all;
        *ret_count += alike[i];
    }
    return TUT_SUCCESS;
}

/* --- scores of what is outside --- */
static bool is_trained_on(const fit_sample *s, unsigned fold, bool documents)
{
    if (documents != s->is_document)
        return false;
    return documents ? s->fold != fold : s->is_attack || s->is_made || s->fold != fold;
}

/* Stretches are of both: no document is trained on that is scored, whole or as part of a request.
 */
static bool is_stretch_of(const fit_sample *s, unsigned fold, bool documents)
{
    if (s->is_document)
        return documents ? s->fold != fold : s->fold == 0;
    return documents ? !s->has_document || fold != 0 : is_trained_on(s, fold, false);
}

/* What people paste is longer than most rows: a clean text, and behind it more of them or documents
 * (of the second fold: the first is trained on), until they are as long as a node. */
typedef struct joining {
    uint32_t *rows, *documents;
    size_t row_count, document_count, counts[FIT_FAMILIES];
    tut_random random;
} joining;

static void find_clean(const fit *f, unsigned fold, joining *j)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        if (s->is_attack || s->is_made || s->is_bare || s->fold != (s->is_document ? 1 : fold))
            continue;
        if (s->is_document) {
            j->documents[j->document_count++] = i;
            continue;
        }
        j->counts[s->family]++;
        j->rows[j->row_count++] = i;
    }
}

/* Each source as often as if it had the root of as many. */
static uint32_t pick_clean(const fit *f, joining *j, bool is_first)
{
    if (!is_first && j->document_count && tut_random_below(&j->random, 2))
        return j->documents[tut_random_below(&j->random, j->document_count)];
    for (;;) {
        uint32_t i = j->rows[tut_random_below(&j->random, j->row_count)];
        double share = 8e3 / sqrt((double)j->counts[f->samples[i].family]);
        if ((double)tut_random_below(&j->random, 1000) <= share)
            return i;
    }
}

static tut_status join_clean(const fit *f, tut_detector *d, unsigned fold, fit_outside *o,
                             tut_error *err)
{
    TUT_AUTO_FREE uint32_t *memory = tut_alloc_array(2 * f->count + 1, sizeof(*memory));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!memory)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    joining j = {
        .rows = memory, .documents = memory + f->count, .random = {f->options->seed + fold}};
    find_clean(f, fold, &j);
    for (int k = 0; j.row_count > 0 && k < (FIT_JOINED_NODES - 1) * JOINED; k++) {
        size_t bytes = (size_t)70 << (2 * (1 + k % (FIT_JOINED_NODES - 1)));
        fit_score *score = &o->items[o->count];
        tut_buf_clear(&text);
        while (text.len < bytes) {
            uint32_t i = pick_clean(f, &j, text.len == 0);
            score->sample = text.len ? score->sample : i;
            tut_buf_add(&text, f->samples[i].text, f->samples[i].len);
            tut_buf_add_z(&text, "\n\n");
        }
        TUT_TRY(tut_buf_check(&text, err));
        TUT_TRY(tut_detect_tokens(d, tut_buf_str(&text), err));
        TUT_TRY(tut_detect_margin(d, TUT_FROM_USER, &score->margin, err));
        score->is_joined = true;
        o->count++;
    }
    return TUT_SUCCESS;
}

static tut_status score_fold(const fit *f, const tut_model *m, const bool *held, bool documents,
                             unsigned fold, fit_outside *o, tut_error *err)
{
    TUT_AUTO(tut_detector) d = NULL;
    TUT_TRY(tut_detector_new(m, &d, err));
    for (uint32_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        if (i % 256 == 0)
            TUT_TRY(fit_go_on(err));
        bool is_mine = documents || !s->is_attack ? s->fold == fold : i % FIT_FOLDS == fold;
        bool is_always_seen = !documents && s->is_made && !s->is_attack && !held[i];
        if (s->is_document != documents || !is_mine || is_always_seen || (s->is_attack && !held[i]))
            continue;
        fit_score *score = &o->items[o->count];
        TUT_TRY(tut_detect_tokens(d, (tut_str){s->text, s->len}, err));
        if (d->tokens.count == 0)
            continue;
        score->sample = i;
        TUT_TRY(
            tut_detect_margin(d, documents ? TUT_FROM_DATA : TUT_FROM_USER, &score->margin, err));
        o->count += score->margin.length > 0;
    }
    return documents ? TUT_SUCCESS : join_clean(f, d, fold, o, err);
}

tut_status fit_look_outside(const fit *f, const bool *held, bool documents, fit_outside *ret,
                            tut_error *err)
{
    TUT_AUTO(tut_model) m = NULL;
    TUT_AUTO_FREE bool *uses = tut_alloc_array(f->count, sizeof(*uses));
    TUT_AUTO_FREE bool *alike = tut_alloc_array(f->count, sizeof(*alike));
    size_t most = f->count + (size_t)FIT_FOLDS * JOINED * (FIT_JOINED_NODES - 1) + 1;
    fit_outside o = {.items = tut_alloc_array(most, sizeof(*o.items))};
    tut_status status = uses && alike && o.items ? tut_model_new(&m, err)
                                                 : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = leave_alike(f, held, alike, &o.near, err);
    for (unsigned fold = 0; fold < (documents ? 2u : FIT_FOLDS) && tut_is_ok(status); fold++) {
        for (size_t i = 0; i < f->count; i++)
            uses[i] = !held[i] && !alike[i] && is_trained_on(&f->samples[i], fold, documents);
        int first = documents ? TUT_HEAD_SEGMENT : TUT_HEAD_WORDS;
        int last = documents ? TUT_HEAD_SEGMENT : TUT_HEAD_SYMBOLS;
        for (int h = first; h <= last && tut_is_ok(status); h++)
            status = fit_train(f, (tut_head)h, uses, m, err);
        if (!documents && tut_is_ok(status))
            status = fit_train_mixer(f, uses, m, err);
        for (size_t i = 0; i < f->count; i++)
            uses[i] = !held[i] && !alike[i] && is_stretch_of(&f->samples[i], fold, documents);
        if (tut_is_ok(status))
            status = fit_train(f, TUT_HEAD_STRETCH, uses, m, err);
        if (tut_is_ok(status))
            status = score_fold(f, m, held, documents, fold, &o, err);
    }
    if (!tut_is_ok(status)) {
        fit_outside_done(&o);
        return status;
    }
    *ret = o;
    return TUT_SUCCESS;
}
