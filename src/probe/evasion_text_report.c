/* What the search for changed questions came to. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "probe/evasion_text_internal.h"
#include "stats/tails.h"

static tut_measure share_of(const char *name, uint64_t k, uint64_t n)
{
    tut_measure m = {name, n ? (double)k / (double)n : NAN, NAN, NAN};
    if (n)
        tut_binomial_interval(k, n, 0.95, &m.low, &m.high);
    return m;
}

static void add(tut_attack_result *ret, tut_measure m)
{
    tut_result_add(ret, m.name, m.value, m.low, m.high);
}

static bool held(const tut_text_row *r)
{
    return r->is_right && r->found_at == 0;
}

static void add_ways(const tut_text_search *s, tut_attack_result *ret)
{
    for (unsigned w = 0; w < TUT_TEXT_WAYS; w++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "kept: %s", tut_text_way_name((tut_text_way)w));
        const char *kept = tut_arena_copy(&s->p->arena, tut_str_of(name));
        if (kept && s->tried[w])
            add(ret, share_of(kept, s->tried[w] - s->turned[w], s->tried[w]));
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void add_median(const tut_text_search *s, bool is_words, tut_attack_result *ret)
{
    double all[TUT_TALK_QUESTIONS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < s->done; i++)
        if (s->rows[i].found_at)
            all[n++] = is_words ? (double)s->rows[i].changed : (double)s->rows[i].found_at;
    qsort(all, n, sizeof(*all), compare);
    if (n)
        tut_result_add(ret, is_words ? "words_changed_median" : "queries_median", all[n / 2], NAN,
                       NAN);
}

/* Accuracy that is left after so many queries a question. */
static void add_curve(const tut_text_search *s, size_t known, tut_attack_result *ret)
{
    double xs[64], ys[64];
    tut_curve c = {.name = "robust accuracy",
                   .x = "queries a question",
                   .y = "answered rightly",
                   .xs = xs,
                   .ys = ys};
    for (uint64_t q = 1; c.count < 64; q += s->budget / 32 + 1) {
        size_t left = 0;
        q = q < s->budget ? q : s->budget;
        for (size_t i = 0; i < s->done; i++)
            left += s->rows[i].is_right && !(s->rows[i].found_at && s->rows[i].found_at <= q);
        xs[c.count] = (double)q;
        ys[c.count++] = (double)left / (double)known;
        if (q == s->budget)
            break;
    }
    tut_result_add_curve(ret, &s->p->arena, &c);
}

/* Those that took the fewest changed words; their number counts questions with an answer. */
static void add_exposed(const tut_text_search *s, tut_attack_result *ret)
{
    for (size_t changed = 0; changed <= TUT_TEXT_WORDS; changed++)
        for (size_t i = 0; i < s->done; i++) {
            const tut_text_row *r = &s->rows[i];
            TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
            if (!r->found_at || r->changed != changed || !r->found_text)
                continue;
            tut_buf_add_escaped(&text, r->question->text, 120);
            tut_buf_add_z(&text, " -> ");
            tut_buf_add_escaped(&text, tut_str_of(r->found_text), 160);
            const char *shown = tut_buf_z(&text);
            if (shown)
                tut_result_add_exposed(ret, &s->p->arena, i, (double)changed, shown);
        }
}

/* For two versions on the same questions (regress.h). */
static tut_status add_kept(const tut_text_search *s, tut_attack_result *ret, tut_error *err)
{
    tut_sha256 digest;
    TUT_AUTO(tut_hasher) hasher = NULL;
    char *kept = tut_arena_take(&s->p->arena, s->count + 1, 1);
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_hasher_new(&hasher, err));
    for (size_t i = 0; i < s->done; i++) {
        const tut_talk_question *q = s->rows[i].question;
        kept[i] = held(&s->rows[i]) ? '1' : '0';
        TUT_TRY(tut_hasher_add(hasher, tut_span_of(q->text.data, q->text.len), err));
        TUT_TRY(tut_hasher_add(hasher, tut_span_of("\t", 1), err));
        TUT_TRY(tut_hasher_add(hasher, tut_span_of(q->expected.data, q->expected.len), err));
        TUT_TRY(tut_hasher_add(hasher, tut_span_of("\n", 1), err));
    }
    TUT_TRY(tut_hasher_finish(hasher, &digest, err));
    memcpy(ret->sample, digest.bytes, sizeof(ret->sample));
    ret->has_sample = true;
    ret->kept = kept;
    return TUT_SUCCESS;
}

static tut_status say_budget(const tut_text_search *s, tut_attack_result *ret, tut_error *err)
{
    char text[160];
    (void)snprintf(
        text, sizeof(text),
        "at most %.0f %% of the words (one at least), or the whole text at once; %" PRIu64
        " queries a question",
        100 * s->share, s->budget);
    ret->budget = tut_arena_copy(&s->p->arena, tut_str_of(text));
    ret->reason = tut_talk_remark(&s->talk, &s->p->arena);
    return ret->budget ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_text_tell(const tut_text_search *s, tut_attack_result *ret, tut_error *err)
{
    uint64_t known = 0, right = 0, robust = 0, first = 0, first_right = 0;
    for (size_t i = 0; i < s->done; i++) {
        known += s->rows[i].is_known;
        right += s->rows[i].is_right;
        robust += held(&s->rows[i]);
    }
    ret->rows = known;
    if (known == 0) {
        ret->reason = "not one of the questions was answered";
        return TUT_SUCCESS;
    }
    for (unsigned w = 0; w < TUT_TEXT_WAYS; w++) {
        first += s->tried[w];
        first_right += s->tried[w] - s->turned[w];
    }
    ret->decisive = share_of("robust_accuracy", robust, known);
    if (first) /* of the changes that nobody searched for */
        ret->baseline = (double)right / (double)known * (double)first_right / (double)first;
    add(ret, share_of("clean_accuracy", right, known));
    add(ret, share_of("attack_success", right - robust, right));
    add(ret, share_of("refused", s->refused, s->sent));
    if (s->unanswered)
        tut_result_add(ret, "unanswered", (double)s->unanswered, NAN, NAN);
    add_median(s, false, ret);
    add_median(s, true, ret);
    add_ways(s, ret);
    add_curve(s, known, ret);
    add_exposed(s, ret);
    TUT_TRY(say_budget(s, ret, err));
    return add_kept(s, ret, err);
}
