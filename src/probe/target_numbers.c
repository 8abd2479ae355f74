#include "probe/target_numbers.h"

#include <math.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "stats/scores.h"

enum { LABELS_MAX = 4096 };
#define SUM_SLACK 1e-3
#define SAME_SLACK 1e-6
#define ROUND_SLACK 0.05 /* a number that is rounded to one digit */

void target_numbers_add(tut_buf *to, const float *row, size_t width, bool is_next)
{
    char text[32];
    for (size_t i = 0; i < width; i++) {
        float v = row[i];
        if (is_next || i > 0)
            tut_buf_add_byte(to, ',');
        if (v > -1e6F && v < 1e6F && v == (float)(int32_t)v) {
            tut_json_add_int(to, (int32_t)v);
            continue;
        }
        int len = snprintf(text, sizeof(text), "%.9g", (double)v);
        tut_buf_add(to, text, (size_t)len);
    }
}

/* --- labels of which nobody knows how many there are --- */
tut_status target_numbers_begin(target_numbers *n, tut_target *t, tut_predictions *p,
                                tut_error *err)
{
    tut_free(n->labels);
    n->labels = NULL;
    if (n->classes == 0)
        n->classes = t->facts.classes;
    if (n->classes)
        return TUT_SUCCESS;
    n->labels = tut_alloc_array(p->count + 1, sizeof(*n->labels));
    return n->labels ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status make_matrix(const target_numbers *n, tut_target *t, tut_predictions *p,
                              tut_error *err)
{
    size_t classes = 2, answered = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->answered[i] != TUT_ANSWERED)
            continue;
        answered++;
        classes = n->labels[i] >= classes ? n->labels[i] + 1u : classes;
    }
    if (answered == 0)
        return TUT_SUCCESS;
    if (!tut_target_fix_classes(t, p, classes))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < p->count; i++) {
        if (p->answered[i] != TUT_ANSWERED)
            continue;
        for (size_t k = 0; k < classes; k++)
            p->values[i * classes + k] = k == n->labels[i];
        TUT_TRY(tut_target_settled(t, p, i, err));
    }
    return TUT_SUCCESS;
}

tut_status target_numbers_end(target_numbers *n, tut_target *t, tut_predictions *p, tut_error *err)
{
    tut_status s = TUT_SUCCESS;
    if (n->labels && n->form == NUMBERS_LABELS && !p->values)
        s = make_matrix(n, t, p, err);
    tut_free(n->labels);
    n->labels = NULL;
    return s;
}

/* --- taking --- */
/* All numbers of nested lists, in order; SIZE_MAX: there is something else, or too much. */
static size_t flatten(const tut_json_value *data, double **values, size_t *capacity)
{
    struct {
        const tut_json_value *list;
        uint32_t at;
    } open[TUT_LIMIT_JSON_DEPTH];
    size_t depth = 0, n = 0;
    if (!data || data->type != TUT_JSON_ARRAY)
        return SIZE_MAX;
    open[depth].list = data;
    open[depth++].at = 0;
    while (depth > 0) {
        const tut_json_value *v = NULL;
        if (open[depth - 1].at == open[depth - 1].list->count) {
            depth--;
            continue;
        }
        v = tut_json_item(open[depth - 1].list, open[depth - 1].at++);
        if (v->type == TUT_JSON_ARRAY) {
            if (depth == TUT_LIMIT_JSON_DEPTH)
                return SIZE_MAX;
            open[depth].list = v;
            open[depth++].at = 0;
            continue;
        }
        double number = tut_json_real_of(v);
        if (!isfinite(number) || !tut_is_ok(tut_grow(values, n, capacity, sizeof(**values))))
            return SIZE_MAX;
        (*values)[n++] = number;
    }
    return n;
}

static bool is_share(double v)
{
    return v >= -SAME_SLACK && v <= 1 + SAME_SLACK;
}

static bool are_probabilities(const double *values, size_t count, size_t width, double *ret_sum)
{
    for (size_t i = 0; i < count; i++) {
        bool are_shares = true;
        *ret_sum = 0;
        for (size_t k = 0; k < width; k++) {
            *ret_sum += values[i * width + k];
            are_shares &= is_share(values[i * width + k]);
        }
        if (!are_shares || fabs(*ret_sum - 1) > SUM_SLACK)
            return false;
    }
    return true;
}

/* What rounding, and leaving out the small ones, make of probabilities. */
static bool are_coarse(const double *values, size_t count, size_t width)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t k = 0; k < width; k++) {
            if (!is_share(values[i * width + k]))
                return false;
            sum += values[i * width + k];
        }
        if (sum > 1 + ROUND_SLACK * (double)width)
            return false;
    }
    return true;
}

static bool are_shares(const double *values, size_t count, double *ret_first_other)
{
    for (size_t i = 0; i < count; i++) {
        *ret_first_other = values[i];
        if (!is_share(values[i]))
            return false;
    }
    return true;
}

static bool check_labels(const target_numbers *n, tut_predictions *p, const double *values,
                         size_t count)
{
    size_t most = n->classes ? n->classes : LABELS_MAX;
    for (size_t i = 0; i < count; i++) {
        double v = values[i];
        if (v >= 0 && v < (double)most && v == floor(v))
            continue;
        tut_target_note(p, "a label is %g, which is none of 0 to %zu", v, most - 1);
        return false;
    }
    return true;
}

static numbers_form form_of(const target_numbers *n, const double *values, size_t count,
                            bool are_labels)
{
    size_t width = n->width;
    double seen = 0;
    if (are_labels)
        return NUMBERS_LABELS;
    if (width == 1)
        return are_shares(values, count, &seen) ? NUMBERS_PROBABILITY : NUMBERS_SCORE;
    if (n->may_be_coarse && are_coarse(values, count, width))
        return NUMBERS_PROBABILITIES;
    return are_probabilities(values, count, width, &seen) ? NUMBERS_PROBABILITIES : NUMBERS_SCORES;
}

static bool fits(target_numbers *n, tut_predictions *p, const double *values, size_t count)
{
    double seen = 0;
    switch (n->form) {
    case NUMBERS_LABELS:
        return check_labels(n, p, values, count);
    case NUMBERS_PROBABILITIES:
        if (are_probabilities(values, count, n->width, &seen) ||
            (n->may_be_coarse && are_coarse(values, count, n->width)))
            return true;
        tut_target_note(p, "an answer adds up to %g, where others were probabilities", seen);
        return false;
    case NUMBERS_PROBABILITY:
        if (are_shares(values, count, &seen))
            return true;
        tut_target_note(p, "an answer is %g, where others were probabilities", seen);
        return false;
    case NUMBERS_SCORES:
    case NUMBERS_SCORE:
    case NUMBERS_UNKNOWN:
        break;
    }
    return true;
}

bool target_numbers_take(target_numbers *n, tut_target *t, tut_predictions *p,
                         const tut_json_value *data, size_t count, bool are_labels, double **values)
{
    size_t capacity = 0;
    tut_free(*values);
    *values = NULL;
    size_t total = flatten(data, values, &capacity);
    if (total == SIZE_MAX || total == 0 || total % count != 0) {
        tut_target_note(p, "an answer to %zu rows has %s", count,
                        total == SIZE_MAX ? "something in it that is no number"
                                          : "another number of rows");
        return false;
    }
    size_t width = total / count;
    if (are_labels && width > 1) {
        tut_target_note(p, "an answer has %zu labels for a row", width);
        return false;
    }
    if (n->form == NUMBERS_UNKNOWN) {
        n->width = width;
        n->form = form_of(n, *values, count, are_labels);
        if (are_labels)
            t->facts.gives &= ~(unsigned)TUT_GIVES_PROBABILITIES;
    }
    if (width != n->width || are_labels != (n->form == NUMBERS_LABELS)) {
        tut_target_note(p, "an answer has %zu %s for a row, where others have %zu %s", width,
                        are_labels ? "labels" : "numbers", n->width,
                        n->form == NUMBERS_LABELS ? "labels" : "numbers");
        return false;
    }
    if (!fits(n, p, *values, count))
        return false;
    size_t classes = n->form == NUMBERS_LABELS ? n->classes : width > 1 ? width : 2;
    return classes == 0 || tut_target_fix_classes(t, p, classes);
}

/* --- putting --- */

/* Who attacks knows that the classes which a guard left out share the rest, each with less than the
 * greatest. */
static void share_rest(double *row, size_t width)
{
    double sum = 0, greatest = 0;
    size_t zeros = 0;
    for (size_t k = 0; k < width; k++) {
        sum += row[k];
        greatest = fmax(greatest, row[k]);
        zeros += row[k] == 0;
    }
    if (zeros == 0 || sum >= 1)
        return;
    double each = fmin((1 - sum) / (double)zeros, greatest * (1 - SAME_SLACK));
    for (size_t k = 0; k < width; k++)
        if (row[k] == 0)
            row[k] = each;
}

void target_numbers_put(target_numbers *n, tut_predictions *p, size_t to, const double *values,
                        size_t from)
{
    const double *v = values + from * n->width;
    double *row = p->values ? p->values + to * p->classes : NULL;
    if (!row && n->form != NUMBERS_LABELS)
        return;
    switch (n->form) {
    case NUMBERS_LABELS:
        if (!row && n->labels)
            n->labels[to] = (uint32_t)v[0];
        for (size_t k = 0; row && k < p->classes; k++)
            row[k] = (double)k == v[0];
        return;
    case NUMBERS_PROBABILITIES:
        for (size_t k = 0; k < n->width; k++)
            row[k] = v[k];
        if (n->may_be_coarse)
            share_rest(row, n->width);
        return;
    case NUMBERS_SCORES:
        tut_softmax(v, n->width, row);
        return;
    case NUMBERS_PROBABILITY:
    case NUMBERS_SCORE:
        row[1] = n->form == NUMBERS_SCORE ? 1 / (1 + exp(-v[0])) : v[0];
        row[0] = 1 - row[1];
        return;
    case NUMBERS_UNKNOWN:
        return;
    }
}

bool target_numbers_differ(const tut_predictions *a, size_t i, const tut_predictions *b, size_t k)
{
    if (a->answered[i] != TUT_ANSWERED || b->answered[k] != TUT_ANSWERED ||
        a->classes != b->classes)
        return a->answered[i] == TUT_ANSWERED && b->answered[k] == TUT_ANSWERED;
    for (size_t c = 0; c < a->classes; c++)
        if (fabs(a->values[i * a->classes + c] - b->values[k * b->classes + c]) > SAME_SLACK)
            return true;
    return false;
}
