/*
 * Reference models that somebody else trained: a table with a row for each row of the data, members
 * first. An npz holds `answers` (rows x models x classes) and `inside` (rows x models, 1: the model
 * was trained on the row); any other table has columns whose names begin with those words.
 */
#include <string.h>

#include "probe/references.h"

typedef struct layout {
    size_t models, answers;
    uint8_t *is_inside; /* of each column */
} layout;

static bool begins(const char *name, const char *word)
{
    return strncmp(name, word, strlen(word)) == 0;
}

static tut_status find_layout(const tut_sample *s, layout *ret, tut_error *err)
{
    for (size_t c = 0; c < s->width; c++) {
        ret->is_inside[c] = begins(s->columns[c].name, "inside");
        if (!ret->is_inside[c] && !begins(s->columns[c].name, "answers"))
            return tut_fail(err, TUT_USAGE,
                            "references are `answers` (rows x models x classes) and `inside` (rows "
                            "x models), and there is a column %s",
                            s->columns[c].name);
        if (ret->is_inside[c] && !s->columns[c].is_bool)
            return tut_fail(err, TUT_USAGE, "%s: inside is 1 or 0", s->columns[c].name);
        ret->models += ret->is_inside[c];
        ret->answers += !ret->is_inside[c];
    }
    if (ret->models == 0 || ret->answers % ret->models || ret->answers / ret->models < 2)
        return tut_fail(err, TUT_USAGE,
                        "%zu columns of answers do not belong to %zu reference models with as many "
                        "classes each",
                        ret->answers, ret->models);
    return TUT_SUCCESS;
}

/* From rows x models x classes to models x rows x classes. */
static void turn(const tut_sample *s, const layout *l, tut_references *r)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t answer = 0, model = 0;
        for (size_t c = 0; c < s->width; c++) {
            float x = s->rows[i * s->width + c];
            if (l->is_inside[c]) {
                r->inside[model++ * r->rows + i] = x > 0;
                continue;
            }
            size_t m = answer / r->classes, k = answer++ % r->classes;
            r->values[(m * r->rows + i) * r->classes + k] = x;
        }
    }
}

static tut_status check_answers(const tut_references *r, tut_error *err)
{
    for (size_t at = 0; at < r->models * r->rows; at++) {
        double sum = 0;
        for (size_t c = 0; c < r->classes; c++) {
            double x = (double)r->values[at * r->classes + c];
            if (x < -1e-6 || x > 1 + 1e-3)
                return tut_fail(err, TUT_USAGE,
                                "row %zu of reference model %zu holds %g, which is "
                                "no probability",
                                at % r->rows, at / r->rows, x);
            sum += x;
        }
        if (sum < 0.99 || sum > 1.01)
            return tut_fail(err, TUT_USAGE, "row %zu of reference model %zu adds up to %g",
                            at % r->rows, at / r->rows, sum);
    }
    return TUT_SUCCESS;
}

static tut_status take(const tut_sample *s, tut_references *r, tut_error *err)
{
    TUT_AUTO_FREE uint8_t *is_inside = tut_alloc_array(s->width + 1, 1);
    layout l = {.is_inside = is_inside};
    if (!is_inside)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (s->left_out)
        return tut_fail(err, TUT_USAGE, "%llu rows hold something that is no number",
                        (unsigned long long)s->left_out);
    TUT_TRY(find_layout(s, &l, err));
    r->models = l.models;
    r->rows = s->count;
    r->classes = l.answers / l.models;
    r->values = tut_alloc_array(s->count + 1, l.answers * sizeof(*r->values));
    r->inside = tut_alloc_array(s->count + 1, l.models);
    if (!r->values || !r->inside)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    turn(s, &l, r);
    return check_answers(r, err);
}

void tut_references_free(tut_references *r)
{
    if (!r)
        return;
    tut_free(r->values);
    tut_free(r->inside);
    tut_free(r);
}

tut_status tut_references_read(const char *path, tut_cage_mode sandbox, tut_references **ret,
                               tut_error *err)
{
    TUT_AUTO(tut_sample) s = NULL;
    TUT_AUTO(tut_references) r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_sample_read(&(tut_sample_wish){.path = path, .sandbox = sandbox}, &s, err));
    tut_status status = take(s, r, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    *ret = tut_move(&r);
    return TUT_SUCCESS;
}
