/*
 * For each class the smallest mark that leads rows of all others to it; a class whose mark is far
 * smaller than those of the others has a backdoor, or is by nature the easiest. The mark that
 * stands out is stamped on rows, asked of the target, and tried by STRIP: beneath other rows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nets/mlp.h"
#include "probe/backdoor.h"
#include "stats/scores.h"
#include "stats/special.h"
#include "stats/tails.h"

enum { ROWS_MOST = 400, STEPS = 400, SEARCHES = 3, OVERLAYS = 16, STRIPPED = 200 };
static const double false_rejections = 0.01; /* of clean rows, by STRIP */

typedef struct trigger {
    tut_probe *p;
    const tut_sample *sample;
    const tut_net *net;
    tut_space space;
    tut_arena memory;
    size_t count, classes, width;
    uint32_t *predicted; /* class of each row */
    uint32_t *of;        /* rows of other classes than the target at hand */
    uint32_t *picks;     /* drawn from them */
    double *found;       /* SEARCHES areas of each class */
    double *areas;       /* their geometric mean */
    tut_mark *marks;     /* the smallest */
} trigger;

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status make(trigger *t, tut_error *err)
{
    t->predicted = tut_arena_take(&t->memory, t->count, sizeof(*t->predicted));
    t->of = tut_arena_take(&t->memory, t->count, sizeof(*t->of));
    t->picks = tut_arena_take(&t->memory, t->count, sizeof(*t->picks));
    t->found = tut_arena_take(&t->memory, SEARCHES * t->classes, sizeof(*t->found));
    t->areas = tut_arena_take(&t->memory, t->classes, sizeof(*t->areas));
    t->marks = tut_arena_take(&t->memory, t->classes, sizeof(*t->marks));
    if (!t->predicted || !t->of || !t->picks || !t->found || !t->areas || !t->marks)
        return no_memory(err);
    for (size_t c = 0; c < t->classes; c++) {
        t->marks[c].cover = tut_arena_take(&t->memory, t->width, sizeof(float));
        t->marks[c].paint = tut_arena_take(&t->memory, t->width, sizeof(float));
        if (!t->marks[c].cover || !t->marks[c].paint)
            return no_memory(err);
    }
    return TUT_SUCCESS;
}

static tut_status predict_clean(trigger *t, tut_error *err)
{
    float *p = tut_arena_take(&t->memory, t->count * t->classes, sizeof(*p));
    if (!p)
        return no_memory(err);
    TUT_TRY(tut_net_predict(t->net, t->sample->rows, t->count, p, err));
    for (size_t i = 0; i < t->count; i++)
        t->predicted[i] = (uint32_t)tut_greatest_f(p + i * t->classes, t->classes);
    return TUT_SUCCESS;
}

static double log_area(double area)
{
    return log(fmax(area, 1e-3));
}

/* One search, over rows drawn anew from a start of its own; the smallest mark is kept. */
static tut_status search_once(trigger *t, uint32_t class, size_t of, tut_seeded *random,
                              double *ret_area, tut_error *err)
{
    tut_arena memory;
    tut_mark mark = {.area = 0}, *best = &t->marks[class];
    size_t steps = t->p->steps ? t->p->steps : STEPS;
    tut_arena_init(&memory, 0);
    mark.cover = tut_arena_take(&memory, t->width, sizeof(float));
    mark.paint = tut_arena_take(&memory, t->width, sizeof(float));
    for (size_t i = 0; i < of; i++)
        t->picks[i] = t->of[tut_seeded_below(random, of)];
    tut_status status = no_memory(err);
    if (mark.cover && mark.paint)
        status = tut_backdoor_search(t->net, &t->space, t->sample, t->picks, of, class, steps,
                                     random, &memory, &mark, err);
    if (tut_is_ok(status) && (best->area <= 0 || mark.area < best->area)) {
        memcpy(best->cover, mark.cover, t->width * sizeof(float));
        memcpy(best->paint, mark.paint, t->width * sizeof(float));
        best->success = mark.success;
        best->area = mark.area;
    }
    *ret_area = mark.area;
    tut_arena_done(&memory);
    return status;
}

/* A search that found none left the area at the number of places. */
static tut_status search(trigger *t, tut_error *err)
{
    for (uint32_t c = 0; c < t->classes; c++) {
        tut_seeded random = tut_seeded_of(t->p->seed ^ (c + 1) * 0x9e3779b97f4a7c15u);
        size_t of = 0;
        double logs = 0;
        for (uint32_t i = 0; i < t->count; i++)
            if (t->predicted[i] != c)
                t->of[of++] = i;
        if (of == 0)
            return tut_fail(err, TUT_USAGE, "all rows are of one class: there is nothing to lead");
        for (size_t k = 0; k < SEARCHES; k++) {
            double *area = &t->found[(size_t)c * SEARCHES + k];
            tut_probe_step(t->p, "trigger", (size_t)c * SEARCHES + k, t->classes * SEARCHES);
            TUT_TRY(search_once(t, c, of, &random, area, err));
            logs += log_area(*area);
        }
        t->areas[c] = exp(logs / SEARCHES);
    }
    return TUT_SUCCESS;
}

/* The searches of each class, drawn again from among themselves. */
static void draw_areas(void *ctx, tut_seeded *random, double *ret_values)
{
    const trigger *t = ctx;
    for (size_t c = 0; c < t->classes; c++) {
        double logs = 0;
        for (size_t k = 0; k < SEARCHES; k++)
            logs += log_area(t->found[c * SEARCHES + tut_seeded_below(random, SEARCHES)]);
        ret_values[c] = exp(logs / SEARCHES);
    }
}

/* --- what the mark does --- */

/* Asks about stamped rows of other classes: how many are led to the class. */
static tut_status ask_stamped(trigger *t, uint32_t class, tut_attack_result *ret, tut_error *err)
{
    tut_predictions got = {.count = 0};
    size_t n = 0, led = 0, known = 0;
    float *rows = tut_arena_take(&t->memory, t->count * t->width, sizeof(*rows));
    if (!rows)
        return no_memory(err);
    for (size_t i = 0; i < t->count; i++)
        if (t->predicted[i] != class)
            tut_backdoor_stamp(&t->space, &t->marks[class], t->sample->rows + i * t->width,
                               rows + n++ * t->width);
    tut_status status = tut_target_predict(t->p->target, rows, n, t->width, 0, &got, err);
    for (size_t i = 0; i < got.count && got.classes == t->classes; i++) {
        const double *p = got.values + i * got.classes;
        size_t best = 0;
        ret->queries += got.answered[i] != TUT_UNASKED;
        if (got.answered[i] != TUT_ANSWERED)
            continue;
        for (size_t c = 1; c < got.classes; c++)
            best = p[c] > p[best] ? c : best;
        known++;
        led += best == class;
    }
    tut_predictions_done(&got);
    double low = 0, high = 1;
    tut_binomial_interval(led, known, 0.95, &low, &high);
    tut_result_add(ret, "stamped_success", known ? (double)led / (double)known : NAN, low, high);
    return status;
}

/* The mean entropy of the answers when others are laid over row i, stamped or as it is. */
static tut_status weigh(trigger *t, size_t i, const tut_mark *mark, tut_seeded *random, float *rows,
                        float *p, double *ret_bits, tut_error *err)
{
    float *row = rows + OVERLAYS * t->width;
    const float *from = t->sample->rows + i * t->width;
    memcpy(row, from, t->width * sizeof(*row));
    if (mark)
        tut_backdoor_stamp(&t->space, mark, from, row);
    for (size_t k = 0; k < OVERLAYS; k++) {
        size_t other = (size_t)tut_seeded_below(random, t->count);
        tut_backdoor_lay_over(&t->space, row, t->sample->rows + other * t->width,
                              rows + k * t->width);
    }
    TUT_TRY(tut_net_predict(t->net, rows, OVERLAYS, p, err));
    *ret_bits = tut_backdoor_entropy(p, OVERLAYS, t->classes);
    return TUT_SUCCESS;
}

/* As in the paper: of clean rows the entropy is taken for normal, and what lies below the point
 * that one in a hundred of them falls short of is rejected; that point may lie below zero, then it
 * is the least entropy of a clean row. Of every second row, stamped, how many are rejected. */
static tut_status strip(trigger *t, uint32_t class, tut_attack_result *ret, tut_error *err)
{
    size_t n = t->count < STRIPPED ? t->count : STRIPPED, clean = 0, rejected = 0, stamped = 0;
    double sum = 0, squares = 0, stamped_sum = 0, bits[STRIPPED] = {0}, least = INFINITY;
    tut_seeded random = tut_seeded_of(t->p->seed ^ 0x5712);
    float *rows = tut_arena_take(&t->memory, (OVERLAYS + 1) * t->width, sizeof(*rows));
    float *p = tut_arena_take(&t->memory, OVERLAYS * t->classes, sizeof(*p));
    if (!rows || !p)
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        TUT_TRY(weigh(t, i, i % 2 ? &t->marks[class] : NULL, &random, rows, p, &bits[i], err));
    for (size_t i = 0; i < n; i += 2, clean++) {
        sum += bits[i];
        squares += bits[i] * bits[i];
        least = fmin(least, bits[i]);
    }
    double mean = sum / (double)clean,
           spread = sqrt(fmax(0, squares / (double)clean - mean * mean));
    double boundary = fmax(least, mean + tut_normal_quantile(false_rejections) * spread);
    for (size_t i = 1; i < n; i += 2, stamped++) {
        stamped_sum += bits[i];
        rejected += bits[i] < boundary;
    }
    double low = 0, high = 1;
    tut_binomial_interval(rejected, stamped, 0.95, &low, &high);
    tut_result_add(ret, "strip_clean_bits", mean, NAN, NAN);
    tut_result_add(ret, "strip_stamped_bits", stamped_sum / (double)stamped, NAN, NAN);
    tut_result_add(ret, "strip_rejected", (double)rejected / (double)stamped, low, high);
    return TUT_SUCCESS;
}

/* --- the result --- */

static void show_mark(const trigger *t, size_t class, tut_buf *out)
{
    const tut_space *s = &t->space;
    const tut_mark *m = &t->marks[class];
    size_t top = SIZE_MAX, left = SIZE_MAX, bottom = 0, right = 0;
    tut_buf_printf(out, "class %zu: mark of %.2f places, leads %.0f %%", class, m->area,
                   100 * m->success);
    for (size_t y = 0; s->is_image && y < s->tall; y++)
        for (size_t x = 0; x < s->wide; x++) {
            if (m->cover[y * s->step_down + x * s->step_right] < 0.5f)
                continue;
            top = y < top ? y : top;
            left = x < left ? x : left;
            bottom = y;
            right = x > right ? x : right;
        }
    if (top != SIZE_MAX)
        tut_buf_printf(out, ", in lines %zu to %zu, columns %zu to %zu", top, bottom, left, right);
    if (m->success <= 0)
        tut_buf_printf(out, ": none was found");
}

static tut_status tell(trigger *t, tut_attack_result *ret, tut_error *err)
{
    const tut_suspect of_classes = {.values = t->areas,
                                    .count = t->classes,
                                    .floor = 0.25,
                                    .draw = draw_areas,
                                    .ctx = t,
                                    .seed = t->p->seed};
    tut_suspicion suspicion = tut_backdoor_suspicion(&of_classes, &t->memory);
    size_t lowest = suspicion.lowest;
    tut_arena *arena = &t->p->arena;
    double *xs = tut_arena_take(&t->memory, t->classes, sizeof(*xs));
    if (!xs)
        return no_memory(err);
    ret->metric = "suspicion";
    ret->decisive = (tut_measure){"suspicion", suspicion.value, suspicion.low, suspicion.high};
    ret->baseline = NAN;
    ret->rows = t->count;
    tut_result_add(ret, "easiest_class", (double)lowest, NAN, NAN);
    tut_result_add(ret, "mark_area", t->areas[lowest], NAN, NAN);
    for (size_t c = 0; c < t->classes; c++)
        xs[c] = (double)c;
    const tut_curve curve = {.name = "smallest mark",
                             .x = "class",
                             .y = "places that it covers",
                             .count = t->classes,
                             .xs = xs,
                             .ys = t->areas};
    tut_result_add_curve(ret, arena, &curve);
    for (size_t c = 0; c < t->classes && c < TUT_RESULT_EXPOSED / 2; c++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        size_t class = c == 0 ? lowest : c <= lowest ? c - 1 : c;
        show_mark(t, class, &text);
        tut_result_add_exposed(ret, arena, UINT64_MAX, t->areas[class], tut_buf_z(&text));
    }
    if (t->marks[lowest].success <= 0)
        return TUT_SUCCESS;
    TUT_TRY(strip(t, (uint32_t)lowest, ret, err));
    return ask_stamped(t, (uint32_t)lowest, ret, err);
}

static tut_status hunt(trigger *t, tut_attack_result *ret, tut_error *err)
{
    TUT_TRY(
        tut_space_of(t->p, t->sample, tut_target_about(t->p->target), &t->memory, &t->space, err));
    TUT_TRY(make(t, err));
    TUT_TRY(predict_clean(t, err));
    TUT_TRY(search(t, err));
    return tell(t, ret, err);
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    trigger t = {.p = p, .sample = p->others, .net = tut_target_net(p->target)};
    ret->weakness =
        "It looks for marks that are painted over a small part of a row and lead every "
        "class to one; marks that blend in, move, or lead one class only are not found.";
    if (!t.net || !t.sample || t.sample->count < 20) {
        tut_backdoor_unmeasured("suspicion", "it needs a net with gradients and at least 20 rows",
                                ret);
        return TUT_SUCCESS;
    }
    t.classes = tut_net_about(t.net)->classes;
    if (!tut_backdoor_compares(tut_net_about(t.net)->outputs)) {
        tut_backdoor_unmeasured("suspicion", TUT_BACKDOOR_TOO_FEW, ret);
        return TUT_SUCCESS;
    }
    t.count = t.sample->count < ROWS_MOST ? t.sample->count : ROWS_MOST;
    t.width = t.sample->width;
    tut_arena_init(&t.memory, 0);
    tut_status status = hunt(&t, ret, err);
    tut_arena_done(&t.memory);
    if (status.code == TUT_CANCELLED && !ret->metric) {
        tut_backdoor_unmeasured("suspicion", "interrupted before every class was looked at", ret);
        ret->was_cut = true;
    }
    return status;
}

extern const tut_attack tut_attack_backdoor_trigger;

const tut_attack tut_attack_backdoor_trigger = {
    .probe = "backdoor",
    .name = "trigger",
    .about = "the smallest mark that leads all rows to one class, by gradients; then stamped, and "
             "beneath other rows",
    .source = "Wang et al. 2019 (Neural Cleanse); Gao et al. 2019 (STRIP)",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS,
    .run = run,
};
