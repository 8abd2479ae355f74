#include "probe/answers.h"

#include <math.h>
#include <string.h>

#include "base/cage.h"
#include "probe/target_internal.h"
#include "stats/seeded.h"

enum { PART = 1024 };

uint64_t tut_probe_place_of_member(const tut_probe *p, size_t i)
{
    return p->members->numbers ? p->members->numbers[i] : i;
}

uint64_t tut_probe_place_of_other(const tut_probe *p, size_t i)
{
    uint64_t first = 0;
    if (p->members && p->members != p->others)
        first = p->members->whole ? p->members->whole : p->members->count;
    return first + (p->others->numbers ? p->others->numbers[i] : i);
}

typedef struct part {
    float *rows;
    size_t *at; /* which row of the question stands here */
    size_t count;
} part;

static bool follows(const tut_question *q, const part *b, size_t next)
{
    return b->count == 0 || q->numbers[next] == q->numbers[b->at[b->count - 1]] + 1;
}

static tut_status ask_part(tut_probe *p, const tut_question *q, const part *b, double *ret,
                           const char **ret_problem, tut_error *err)
{
    tut_predictions got;
    uint64_t first = q->numbers ? q->numbers[b->at[0]] : 0;
    tut_status s = tut_target_predict(p->target, b->rows, b->count, q->width, first, &got, err);
    bool has_shape = got.values && got.classes == q->classes;
    for (size_t i = 0; i < got.count && has_shape; i++)
        if (got.answered[i] == TUT_ANSWERED)
            memcpy(ret + b->at[i] * q->classes, got.values + i * q->classes,
                   q->classes * sizeof(*ret));
    if (got.problem[0] && !*ret_problem)
        *ret_problem = tut_arena_copy(&p->arena, tut_str_of(got.problem));
    bool is_other_shape = tut_is_ok(s) && got.values && !has_shape;
    size_t classes = got.classes;
    tut_predictions_done(&got);
    if (is_other_shape)
        return tut_fail(err, TUT_UNSUPPORTED, "%s answers with %zu classes, then with %zu",
                        p->target->facts.shown, q->classes, classes);
    return s;
}

static void shuffle(size_t *order, size_t count, uint64_t seed)
{
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = count; i > 1; i--) {
        size_t at = (size_t)tut_seeded_below(&random, i), kept = order[i - 1];
        order[i - 1] = order[at];
        order[at] = kept;
    }
}

static tut_status ask_all(tut_probe *p, const tut_question *q, const size_t *order, part *b,
                          double *ret, const char **ret_problem, tut_error *err)
{
    bool is_recorded = !(p->target->facts.gives & TUT_GIVES_ANY_ROW);
    for (size_t i = 0; i < q->count;) {
        tut_probe_step(p, q->what, i, q->count);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (b->count = 0; b->count < PART && i < q->count; i++) {
            if (is_recorded && !follows(q, b, order[i]))
                break;
            memcpy(b->rows + b->count * q->width, q->rows + order[i] * q->width,
                   q->width * sizeof(*b->rows));
            b->at[b->count++] = order[i];
        }
        TUT_TRY(ask_part(p, q, b, ret, ret_problem, err));
    }
    tut_probe_step(p, q->what, q->count, q->count);
    return TUT_SUCCESS;
}

tut_status tut_probe_answers(tut_probe *p, const tut_question *q, double *ret,
                             const char **ret_problem, tut_error *err)
{
    TUT_AUTO_FREE size_t *order = tut_alloc_array(q->count + PART, sizeof(*order));
    TUT_AUTO_FREE float *rows = tut_alloc_array(PART, (q->width + 1) * sizeof(*rows));
    if (!order || !rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < q->count; i++)
        order[i] = i;
    if (p->target->facts.gives & TUT_GIVES_ANY_ROW)
        shuffle(order, q->count, p->seed ^ 0x61736b);
    for (size_t i = 0; i < q->count * q->classes; i++)
        ret[i] = NAN;
    part b = {.rows = rows, .at = order + q->count};
    return ask_all(p, q, order, &b, ret, ret_problem, err);
}

tut_status tut_probe_classes(tut_probe *p, const float *row, size_t width, uint64_t number,
                             size_t *ret_classes, tut_error *err)
{
    tut_predictions got = {.count = 0};
    *ret_classes = p->target->facts.classes;
    if (*ret_classes)
        return TUT_SUCCESS;
    tut_status s = tut_target_predict(p->target, row, 1, width, number, &got, err);
    *ret_classes = got.classes;
    tut_predictions_done(&got);
    return s;
}
