/* Asking about many rows at a time, each within its budget. */
#include <math.h>
#include <string.h>

#include "probe/evasion.h"
#include "stats/scores.h"

enum { QUEUE_ROWS = 4096, QUEUE_BYTES = 32 << 20 };

void *tut_evasion_memory(tut_evasion *e, size_t count, size_t size)
{
    return tut_arena_take(&e->memory, count ? count : 1, size);
}

uint64_t tut_evasion_left(const tut_evasion *e, size_t row)
{
    return e->asked[row] < e->budget ? e->budget - e->asked[row] : 0;
}

bool tut_evasion_is_live(const tut_evasion *e, size_t row)
{
    return e->is_right[row] && !e->is_done[row] && !e->is_over && e->asked[row] < e->budget;
}

bool tut_evasion_is_any_live(const tut_evasion *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (tut_evasion_is_live(e, i))
            return true;
    return false;
}

double tut_evasion_margin(const tut_evasion *e, size_t row, const double *p)
{
    uint32_t label = e->sample->labels[row];
    double own = label < e->classes ? p[label] : 0, other = 0;
    for (size_t c = 0; c < e->classes; c++)
        if (c != label && p[c] > other)
            other = p[c];
    return log(fmax(own, 1e-300)) - log(fmax(other, 1e-300));
}

static tut_status out_of_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- the queue --- */

void tut_evasion_begin(tut_evasion *e, tut_evasion_take take, void *ctx)
{
    e->take = take;
    e->take_ctx = ctx;
}

static void note_found(tut_evasion *e, const tut_evasion_answer *a, uint32_t class, uint64_t number)
{
    size_t i = a->row;
    if (a->distance <= e->space.size * (1 + 1e-5) && e->found_at[i] == 0)
        e->found_at[i] = number;
    if (!(a->distance < e->found[i]))
        return;
    e->found[i] = a->distance;
    e->became[i] = class;
    memcpy(e->worst + i * e->width, a->asked, e->width * sizeof(float));
}

static void take_answer(tut_evasion *e, size_t k, const tut_predictions *got)
{
    size_t i = e->queue_row[k];
    const double *p = got->values + k * got->classes;
    tut_evasion_answer a = {.row = i, .tag = e->queue_tag[k], .asked = e->queue + k * e->width};
    if (got->answered[k] == TUT_UNASKED) {
        e->is_over = true;
        e->asked[i]--;
        return;
    }
    e->queries++;
    if (got->answered[k] == TUT_ANSWERED && got->classes == e->classes) {
        uint32_t class = (uint32_t)tut_greatest(p, e->classes);
        a.p = p;
        a.is_wrong = class != e->sample->labels[i];
        if (a.is_wrong) {
            const float *row = e->sample->rows + i * e->width;
            a.distance = e->distance ? e->distance(e, i, a.asked)
                                     : tut_space_distance(&e->space, row, a.asked);
            note_found(e, &a, class, e->queue_number[k]);
        }
    } else {
        e->unanswered++;
    }
    e->take(e, e->take_ctx, &a);
}

tut_status tut_evasion_send(tut_evasion *e, tut_error *err)
{
    tut_predictions got = {.count = 0};
    if (e->queued == 0)
        return TUT_SUCCESS;
    tut_status status = tut_target_predict(e->target, e->queue, e->queued, e->width, 0, &got, err);
    if (got.problem[0] && !e->problem[0])
        memcpy(e->problem, got.problem, sizeof(e->problem));
    for (size_t k = 0; k < got.count; k++)
        take_answer(e, k, &got);
    tut_predictions_done(&got);
    e->queued = 0;
    tut_probe_step(e->p, e->kind->name, e->queries, e->count * (e->budget + 1));
    if (tut_is_ok(status) && tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    return status;
}

static tut_status queue_up(tut_evasion *e, size_t row, uint64_t tag, tut_error *err)
{
    e->queue_row[e->queued] = (uint32_t)row;
    e->queue_tag[e->queued] = tag;
    e->queue_number[e->queued] = ++e->asked[row];
    e->queued++;
    return e->queued == e->room ? tut_evasion_send(e, err) : TUT_SUCCESS;
}

tut_status tut_evasion_put(tut_evasion *e, size_t row, const float *delta, uint64_t tag,
                           tut_error *err)
{
    if (!tut_evasion_is_live(e, row))
        return TUT_SUCCESS;
    tut_space_add(&e->space, e->sample->rows + row * e->width, delta,
                  e->queue + e->queued * e->width);
    return queue_up(e, row, tag, err);
}

tut_status tut_evasion_put_raw(tut_evasion *e, size_t row, const float *other, uint64_t tag,
                               tut_error *err)
{
    if (!tut_evasion_is_live(e, row))
        return TUT_SUCCESS;
    memcpy(e->queue + e->queued * e->width, other, e->width * sizeof(float));
    return queue_up(e, row, tag, err);
}

/* --- from the rows to the search --- */

static tut_status make(tut_evasion *e, tut_error *err)
{
    size_t n = e->count, fits = QUEUE_BYTES / (sizeof(float) * (e->width + 1));
    e->room = fits < 1 ? 1 : fits < QUEUE_ROWS ? fits : QUEUE_ROWS;
    e->random = tut_evasion_memory(e, n, sizeof(*e->random));
    e->is_known = tut_evasion_memory(e, n, 1);
    e->is_right = tut_evasion_memory(e, n, 1);
    e->is_done = tut_evasion_memory(e, n, 1);
    e->asked = tut_evasion_memory(e, n, sizeof(*e->asked));
    e->found = tut_evasion_memory(e, n, sizeof(*e->found));
    e->found_at = tut_evasion_memory(e, n, sizeof(*e->found_at));
    e->clean = tut_evasion_memory(e, n, sizeof(*e->clean));
    e->p_label = tut_evasion_memory(e, n, sizeof(*e->p_label));
    e->became = tut_evasion_memory(e, n, sizeof(*e->became));
    e->worst = tut_evasion_memory(e, n * e->width, sizeof(float));
    e->queue = tut_evasion_memory(e, e->room * e->width, sizeof(float));
    e->queue_row = tut_evasion_memory(e, e->room, sizeof(*e->queue_row));
    e->queue_tag = tut_evasion_memory(e, e->room, sizeof(*e->queue_tag));
    e->queue_number = tut_evasion_memory(e, e->room, sizeof(*e->queue_number));
    if (!e->random || !e->is_known || !e->is_right || !e->is_done || !e->asked || !e->found ||
        !e->found_at || !e->clean || !e->p_label || !e->became || !e->worst || !e->queue ||
        !e->queue_row || !e->queue_tag || !e->queue_number)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = e->sample->numbers ? e->sample->numbers[i] : i;
        e->random[i] = tut_seeded_of(e->p->seed ^ (number + 1) * 0x9e3779b97f4a7c15u);
        e->found[i] = INFINITY;
    }
    return TUT_SUCCESS;
}

/* Every row without a change. */
static tut_status ask_clean(tut_evasion *e, tut_error *err)
{
    for (size_t from = 0; from < e->count;) {
        size_t n = e->count - from < e->room ? e->count - from : e->room;
        tut_predictions got = {.count = 0};
        tut_status status = tut_target_predict(e->target, e->sample->rows + from * e->width, n,
                                               e->width, from, &got, err);
        if (got.problem[0] && !e->problem[0])
            memcpy(e->problem, got.problem, sizeof(e->problem));
        if (e->classes == 0)
            e->classes = got.classes;
        for (size_t k = 0; k < got.count; k++) {
            size_t i = from + k;
            e->queries += got.answered[k] != TUT_UNASKED;
            if (got.answered[k] != TUT_ANSWERED || got.classes != e->classes)
                continue;
            e->is_known[i] = 1;
            e->clean[i] = (uint32_t)tut_greatest(got.values + k * e->classes, e->classes);
            e->is_right[i] = e->clean[i] == e->sample->labels[i];
            e->p_label[i] = got.values[k * e->classes + e->clean[i]];
        }
        tut_predictions_done(&got);
        TUT_TRY(status);
        from += n;
    }
    return TUT_SUCCESS;
}

static void take_noise(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    (void)ctx;
    e->noise_right += a->p && !a->is_wrong;
    if (a->is_wrong && !e->kind->is_minimal && e->found_at[a->row])
        e->is_done[a->row] = 1;
}

/* One draw of noise a row, of the size: what somebody reaches who looks at no answer. */
static tut_status ask_noise(tut_evasion *e, tut_error *err)
{
    float *delta = tut_evasion_memory(e, e->width, sizeof(*delta));
    if (!delta)
        return out_of_memory(err);
    tut_evasion_begin(e, take_noise, NULL);
    for (size_t i = 0; i < e->count; i++) {
        tut_space_noise(&e->space, e->space.size, &e->random[i], delta);
        TUT_TRY(tut_evasion_put(e, i, delta, 0, err));
    }
    return tut_evasion_send(e, err);
}

static tut_status search(tut_evasion *e, tut_error *err)
{
    TUT_TRY(ask_clean(e, err));
    if (!e->kind->is_own_space)
        TUT_TRY(ask_noise(e, err));
    return e->kind->search(e, err);
}

static tut_status start(tut_evasion *e, tut_error *err)
{
    tut_arena_init(&e->memory, 0);
    TUT_TRY(tut_space_of(e->p, e->sample, tut_target_about(e->target), &e->memory, &e->space, err));
    return make(e, err);
}

static tut_status tell(const tut_evasion *e, tut_status searched, tut_attack_result *ret,
                       tut_error *err)
{
    TUT_TRY((e->kind->tell ? e->kind->tell : tut_evasion_tell)(e, &e->p->arena, ret, err));
    if (e->is_over || !tut_is_ok(searched)) {
        ret->was_cut = true;
        ret->reason = searched.code == TUT_CANCELLED ? "interrupted"
                      : searched.code == TUT_IO      ? "the target is gone"
                                                     : "the allowance of queries was spent";
    }
    return TUT_SUCCESS;
}

/* A norm over columns of different units says nothing by itself. Who wishes for a size all the same
 * gets it, each column by its own range. */
static bool means_nothing(const tut_evasion *e)
{
    return !e->space.is_common && !e->kind->is_own_space && !(e->p->size > 0);
}

/* Broken off, what was measured stands all the same. */
tut_status tut_evasion_run(tut_probe *p, const tut_evasion_kind *kind, tut_attack_result *ret,
                           tut_error *err)
{
    ret->weakness = kind->weakness;
    if (!p->others || !p->others->labels || p->others->count == 0) {
        tut_evasion_unmeasured("there are no rows with labels to begin with", ret);
        return TUT_SUCCESS;
    }
    if (!kind->is_own_space && p->norm == TUT_NORM_L0) {
        tut_evasion_unmeasured("it knows the norms linf and l2 only", ret);
        return TUT_SUCCESS;
    }
    tut_evasion e = {.p = p, .kind = kind, .target = p->target, .sample = p->others};
    e.count = p->others->count;
    e.width = p->others->width;
    e.budget = p->queries_a_row ? p->queries_a_row : kind->queries_a_row;
    tut_status status = start(&e, err);
    if (tut_is_ok(status) && means_nothing(&e)) {
        tut_evasion_unmeasured("rows of a table: the attack tabular changes them as somebody "
                               "could; a norm takes --size, in parts of each column's range",
                               ret);
    } else if (tut_is_ok(status)) {
        status = search(&e, err);
        if (tut_is_ok(status) || status.code == TUT_IO || status.code == TUT_CANCELLED) {
            tut_status told = tell(&e, status, ret, err);
            status = tut_is_ok(told) ? status : told;
        }
    }
    tut_arena_done(&e.memory);
    return status;
}
