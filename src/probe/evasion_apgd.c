/*
 * Attacks by somebody who has the model: APGD on cross entropy and on the ratio of logits (Croce,
 * Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
 * parameter-free attacks"), and PGD (Madry, Makelov, Schmidt, Tsipras, Vladu 2018). What they find
 * is asked of the target like any other row, and counts only as answered. A curve over sizes is
 * reckoned on the gradients' net, with FGSM (Goodfellow, Shlens, Szegedy 2015) beside it.
 */
#include <math.h>
#include <string.h>

#include "probe/evasion_ascent.h"

enum {
    RESTARTS = 3,
    STEPS = 100,
    STEPS_PGD = 40,
    CURVE_ROWS = 200,
    CURVE_SIZES = 6,
    CHUNK_MOST = 64
};

typedef struct chunk { /* rows that climb together */
    const float *rows[CHUNK_MOST];
    uint32_t labels[CHUNK_MOST];
    tut_seeded *random[CHUNK_MOST];
    size_t numbers[CHUNK_MOST];
    uint8_t is_wrong[CHUNK_MOST];
    size_t count;
    float *deltas; /* room x width */
} chunk;

static void add_row(const tut_evasion *e, chunk *c, size_t row)
{
    c->rows[c->count] = e->sample->rows + row * e->width;
    c->labels[c->count] = e->sample->labels[row];
    c->random[c->count] = &e->random[row];
    c->numbers[c->count++] = row;
}

static void take_found(tut_evasion *e, void *ctx, const tut_evasion_answer *a)
{
    (void)ctx;
    if (a->is_wrong && e->found_at[a->row])
        e->is_done[a->row] = 1;
}

static tut_status run_chunk(tut_evasion *e, tut_ascent *a, const tut_ascent_wish *w, chunk *c,
                            tut_error *err)
{
    if (c->count == 0)
        return TUT_SUCCESS;
    TUT_TRY(
        tut_ascent_run(a, w, c->rows, c->labels, c->random, c->count, c->deltas, c->is_wrong, err));
    for (size_t i = 0; i < c->count; i++)
        if (c->is_wrong[i])
            TUT_TRY(tut_evasion_put(e, c->numbers[i], c->deltas + i * e->width, 0, err));
    c->count = 0;
    return TUT_SUCCESS;
}

/* One restart: all rows that still hold. */
static tut_status run_round(tut_evasion *e, tut_ascent *a, const tut_ascent_wish *w, float *deltas,
                            tut_error *err)
{
    chunk c = {.deltas = deltas};
    for (size_t i = 0; i < e->count; i++) {
        if (!tut_evasion_is_live(e, i))
            continue;
        add_row(e, &c, i);
        if (c.count == tut_ascent_room(a)) {
            TUT_TRY(run_chunk(e, a, w, &c, err));
            tut_probe_step(e->p, e->kind->name, i, e->count);
        }
    }
    TUT_TRY(run_chunk(e, a, w, &c, err));
    return tut_evasion_send(e, err);
}

/* --- the curve over sizes --- */

typedef struct curves {
    double sizes[CURVE_SIZES + 1], shares[3][CURVE_SIZES + 1];
    const char *names[3];
    size_t rows;
} curves;

static tut_status count_held(tut_evasion *e, tut_ascent *a, const tut_ascent_wish *w, float *deltas,
                             size_t rows, double *ret_share, tut_error *err)
{
    chunk c = {.deltas = deltas};
    size_t held = 0;
    for (size_t i = 0; i < rows; i++) {
        if (e->is_right[i])
            add_row(e, &c, i);
        if (c.count == 0 || (c.count < tut_ascent_room(a) && i + 1 < rows))
            continue;
        TUT_TRY(tut_ascent_run(a, w, c.rows, c.labels, c.random, c.count, deltas, c.is_wrong, err));
        for (size_t k = 0; k < c.count; k++)
            held += !c.is_wrong[k];
        c.count = 0;
    }
    *ret_share = (double)held / (double)rows;
    return TUT_SUCCESS;
}

static tut_status reckon_curves(tut_evasion *e, tut_ascent *a, const tut_ascent_wish *own,
                                float *deltas, tut_error *err)
{
    curves *k = e->own;
    const tut_ascent_wish ways[3] = {
        *own,
        {.loss = TUT_LOSS_CE, .is_random = true, .steps = STEPS_PGD, .step = 2.5 / STEPS_PGD},
        {.loss = TUT_LOSS_CE, .steps = 1, .step = 1}};
    k->rows = e->count < CURVE_ROWS ? e->count : CURVE_ROWS;
    for (size_t i = 0; i <= CURVE_SIZES; i++) {
        k->sizes[i] = e->space.size * 2 * (double)i / CURVE_SIZES; /* to twice the size */
        for (size_t way = own->is_adaptive ? 0 : 1; way < 3; way++) {
            tut_ascent_wish w = ways[way];
            w.size = k->sizes[i];
            w.steps = w.size > 0 ? w.steps : 0; /* there is nowhere to go */
            w.steps = w.is_adaptive && w.steps > STEPS_PGD ? STEPS_PGD : w.steps;
            TUT_TRY(count_held(e, a, &w, deltas, k->rows, &k->shares[way][i], err));
        }
        tut_probe_step(e->p, e->kind->name, i, CURVE_SIZES);
    }
    return TUT_SUCCESS;
}

static tut_status tell(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                       tut_error *err)
{
    const curves *k = e->own;
    TUT_TRY(tut_evasion_tell(e, arena, ret, err));
    if (!ret->metric || !k)
        return TUT_SUCCESS;
    for (size_t way = 0; way < 3; way++) {
        const tut_curve c = {.name = k->names[way],
                             .x = "size of the change",
                             .y = "robust accuracy",
                             .count = CURVE_SIZES + 1,
                             .xs = k->sizes,
                             .ys = k->shares[way]};
        if (k->rows > 0 && k->names[way])
            tut_result_add_curve(ret, arena, &c);
    }
    return TUT_SUCCESS;
}

/* --- attacks --- */

static tut_status search(tut_evasion *e, tut_ascent_wish w, const char *name, tut_error *err)
{
    const tut_net *net = tut_target_net(e->target);
    TUT_AUTO(tut_ascent) a = NULL;
    if (!net)
        return tut_fail(err, TUT_USAGE, "the target gives no gradients");
    if (w.loss == TUT_LOSS_DLR && tut_net_about(net)->outputs < 3)
        return tut_fail(err, TUT_USAGE, "the ratio of logits needs three classes");
    TUT_TRY(tut_ascent_new(net, &e->space, &e->memory, &a, err));
    float *deltas = tut_evasion_memory(e, tut_ascent_room(a) * e->width, sizeof(*deltas));
    curves *k = tut_evasion_memory(e, 1, sizeof(*k));
    if (!deltas || !k)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    w.size = e->space.size;
    w.is_random = true;
    tut_evasion_begin(e, take_found, NULL);
    for (size_t i = 0; i < RESTARTS && tut_evasion_is_any_live(e); i++)
        TUT_TRY(run_round(e, a, &w, deltas, err));
    *k = (curves){.names = {w.is_adaptive ? name : NULL, "PGD", "FGSM"}};
    e->own = k;
    return reckon_curves(e, a, &w, deltas, err);
}

static size_t steps_of(const tut_evasion *e, size_t usual)
{
    return e->p->steps ? e->p->steps : usual;
}

static tut_status search_ce(tut_evasion *e, tut_error *err)
{
    const tut_ascent_wish w = {.is_adaptive = true, .steps = steps_of(e, STEPS)};
    return search(e, w, "APGD-CE", err);
}

static tut_status search_dlr(tut_evasion *e, tut_error *err)
{
    const tut_ascent_wish w = {
        .loss = TUT_LOSS_DLR, .is_adaptive = true, .steps = steps_of(e, STEPS)};
    return search(e, w, "APGD-DLR", err);
}

static tut_status search_pgd(tut_evasion *e, tut_error *err)
{
    size_t steps = steps_of(e, STEPS_PGD);
    const tut_ascent_wish w = {.steps = steps, .step = 2.5 / (double)steps};
    return search(e, w, NULL, err);
}

static const char blind[] = "An attack by gradients shows an upper bound of robustness: a model "
                            "whose gradients vanish or mislead looks more robust than it is.";

static const tut_evasion_kind kind_ce = {.name = "apgd-ce",
                                         .weakness = blind,
                                         .queries_a_row = RESTARTS + 1,
                                         .search = search_ce,
                                         .tell = tell};
static const tut_evasion_kind kind_dlr = {.name = "apgd-dlr",
                                          .weakness = blind,
                                          .queries_a_row = RESTARTS + 1,
                                          .search = search_dlr,
                                          .tell = tell};
static const tut_evasion_kind kind_pgd = {.name = "pgd",
                                          .weakness = blind,
                                          .queries_a_row = RESTARTS + 1,
                                          .search = search_pgd,
                                          .tell = tell};

static tut_status run_ce(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind_ce, ret, err);
}

static tut_status run_dlr(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    const tut_net *net = tut_target_net(p->target);
    if (net && tut_net_about(net)->outputs < 3) {
        tut_evasion_unmeasured("the ratio of logits needs three classes", ret);
        return TUT_SUCCESS;
    }
    return tut_evasion_run(p, &kind_dlr, ret, err);
}

static tut_status run_pgd(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    return tut_evasion_run(p, &kind_pgd, ret, err);
}

extern const tut_attack tut_attack_evasion_apgd_ce, tut_attack_evasion_apgd_dlr,
    tut_attack_evasion_pgd;

const tut_attack tut_attack_evasion_apgd_ce = {
    .probe = "evasion",
    .name = "apgd-ce",
    .about = "with the model at hand: uphill on the cross entropy, the step chosen on the way",
    .source = "Croce and Hein 2020",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run_ce,
};

const tut_attack tut_attack_evasion_apgd_dlr = {
    .probe = "evasion",
    .name = "apgd-dlr",
    .about = "with the model at hand: uphill on a ratio of logits, which their scale cannot hide",
    .source = "Croce and Hein 2020",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run_dlr,
};

const tut_attack tut_attack_evasion_pgd = {
    .probe = "evasion",
    .name = "pgd",
    .about = "with the model at hand: uphill on the cross entropy in steps of one length",
    .source = "Madry et al. 2018",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS | TUT_NEEDS_LABELS,
    .run = run_pgd,
};
