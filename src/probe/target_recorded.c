/* Answers that somebody recorded: row i is the answer to row i of the data; no model at all. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/source.h"
#include "probe/sample.h"
#include "probe/target_internal.h"

enum { CLASSES_MAX = 4096 };
#define SUM_SLACK 1e-3 /* of probabilities that were written with three digits or more */

typedef struct recorded {
    tut_sample *answers;
    bool are_labels;
} recorded;

static bool takes(const char *place)
{
    static const char *const endings[] = {".npy",     ".npz",   ".csv", ".tsv",
                                          ".parquet", ".jsonl", ".gz",  ".zst"};
    tut_str s = tut_str_of(place);
    if (strstr(place, "://") || tut_str_starts(s, TUT_LIT("command:")))
        return false;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (tut_str_ends(s, tut_str_of(endings[i])))
            return true;
    return false;
}

static tut_status check_probabilities(const tut_sample *a, tut_error *err)
{
    for (size_t i = 0; i < a->count; i++) {
        double sum = 0, least = 0;
        for (size_t k = 0; k < a->width; k++) {
            sum += (double)a->rows[i * a->width + k];
            least = fmin(least, (double)a->rows[i * a->width + k]);
        }
        if (least < -1e-6)
            return tut_fail(err, TUT_UNSUPPORTED,
                            "row %zu has %g in it, and probabilities are not below 0: scores have "
                            "to go through softmax first",
                            i, least);
        if (fabs(sum - 1) > SUM_SLACK)
            return tut_fail(err, TUT_UNSUPPORTED,
                            "row %zu adds up to %g, and probabilities to 1; is there a column that "
                            "is none?",
                            i, sum);
    }
    return TUT_SUCCESS;
}

/* One column: whole numbers are labels; else the probability of class 1. */
static tut_status check_column(tut_target *t, recorded *s, size_t classes, tut_error *err)
{
    const tut_sample_column *c = &s->answers->columns[0];
    s->are_labels = c->is_whole;
    if (c->least < 0 || (!s->are_labels && c->most > 1))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "its one column reaches from %g to %g: wanted are labels (0, 1, 2, …) or "
                        "the probability of class 1",
                        c->least, c->most);
    if (c->most >= CLASSES_MAX)
        return tut_fail(err, TUT_LIMIT, "a label is %g: of more than %d classes nothing is known",
                        c->most, CLASSES_MAX);
    size_t seen = s->are_labels ? (size_t)c->most + 1 : 2;
    if (classes && seen > classes)
        return tut_fail(err, TUT_USAGE, "a label is %g, of %zu classes", c->most, classes);
    t->facts.classes = classes ? classes : seen < 2 ? 2 : seen;
    if (s->are_labels)
        t->facts.gives &= ~(unsigned)TUT_GIVES_PROBABILITIES;
    return TUT_SUCCESS;
}

static tut_status check(tut_target *t, recorded *s, const tut_target_wish *wish, tut_error *err)
{
    const tut_sample *a = s->answers;
    for (size_t i = 0; i < a->count; i++)
        if (a->numbers[i] != i)
            return tut_fail(err, TUT_UNSUPPORTED,
                            "row %zu has something that is no number: every row of the data has "
                            "its answer",
                            i);
    if (a->left_out)
        return tut_fail(err, TUT_UNSUPPORTED, "row %zu has something that is no number", a->count);
    if (a->width == 1)
        return check_column(t, s, wish->classes, err);
    t->facts.classes = a->width;
    return check_probabilities(a, err);
}

static tut_status take_digest(tut_target *t, const char *path, tut_error *err)
{
    tut_source source;
    tut_sha256 digest;
    FILE *f = fopen(path, "rbe");
    if (!f)
        return tut_fail(err, TUT_IO, "%s cannot be read", path);
    tut_status s = tut_source_file(fileno(f), &source, err);
    if (tut_is_ok(s))
        s = tut_sha256_source(&source, &digest, err);
    (void)fclose(f);
    TUT_TRY(s);
    memcpy(t->facts.digest, digest.bytes, sizeof(t->facts.digest));
    t->facts.has_digest = true;
    return TUT_SUCCESS;
}

static tut_status open_file(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    recorded *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->state = s;
    TUT_TRY(tut_sample_read(&(tut_sample_wish){.path = wish->place, .sandbox = wish->sandbox},
                            &s->answers, err));
    tut_status status = check(t, s, wish, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, wish->place);
        return status;
    }
    return take_digest(t, wish->place, err);
}

static void close_file(tut_target *t)
{
    recorded *s = t->state;
    tut_sample_free(s->answers);
    tut_free(s);
}

static void answer(const recorded *s, size_t row, size_t classes, double *ret)
{
    const float *v = s->answers->rows + row * s->answers->width;
    if (s->answers->width > 1) {
        for (size_t k = 0; k < classes; k++)
            ret[k] = (double)v[k];
        return;
    }
    for (size_t k = 0; k < classes; k++)
        ret[k] = s->are_labels ? (double)(v[0] == (float)k)
                 : k < 2       ? fabs(1 - (double)k - (double)v[0])
                               : 0;
}

static tut_status predict(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err)
{
    const recorded *s = t->state;
    size_t there = s->answers->count;
    (void)rows, (void)width;
    if (first > there || count > there - first)
        return tut_fail(err, TUT_USAGE,
                        "%s holds %zu answers, and row %llu of the data is asked for",
                        t->facts.shown, there, (unsigned long long)(first + count - 1));
    size_t n = (size_t)tut_allowance_left(t->allowance, count);
    for (size_t i = 0; i < n; i++) {
        answer(s, first + i, ret->classes, ret->values + i * ret->classes);
        ret->answered[i] = TUT_ANSWERED;
    }
    tut_allowance_spend_many(t->allowance, n);
    return TUT_SUCCESS;
}

const tut_target_driver tut_target_recorded = {
    .kind = "recorded",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES,
    .takes = takes,
    .open = open_file,
    .close = close_file,
    .predict = predict,
};
