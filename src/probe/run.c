#include "probe/run_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"

void tut_probe_run_free(tut_probe_run *r)
{
    if (!r)
        return;
    tut_arena_done(&r->arena);
    tut_free(r);
}

/* --- one attack --- */

static const struct {
    unsigned bit;
    const char *words;
} lacks_given[] = {
    {TUT_GIVES_GRADIENTS, "the model itself (an ONNX file)"},
    {TUT_GIVES_PROBABILITIES, "probabilities"},
    {TUT_GIVES_TEXT, "a service that answers texts"},
    {TUT_GIVES_ECHO, "log probabilities of given texts"},
    {TUT_GIVES_LOGPROBS, "log probabilities"},
    {TUT_GIVES_ANY_ROW, "a model that can be asked, not recorded answers"},
    {TUT_GIVES_NETWORK, "a server"},
    {TUT_GIVES_LINES, "a program that answers lines"},
    {TUT_GIVES_LABELS, "answers to rows of numbers"},
};

/* NULL: it fits. */
static const char *find_lack(const tut_bench *b, const tut_attack *a, unsigned gives)
{
    for (size_t i = 0; i < sizeof(lacks_given) / sizeof(lacks_given[0]); i++)
        if ((a->gives & lacks_given[i].bit) && !(gives & lacks_given[i].bit))
            return lacks_given[i].words;
    if ((a->needs & TUT_NEEDS_MEMBERS) && (!b->members || !b->others))
        return "rows that the model was trained on and rows that it was not (members, others)";
    if ((a->needs & TUT_NEEDS_ROWS) && !b->others)
        return "rows to begin with (others)";
    if ((a->needs & TUT_NEEDS_LABELS) && b->others && !b->others->labels)
        return "the right answers (label)";
    return NULL;
}

/* Attacks by texts are nothing to a model of rows, and the other way round; nor are those of
 * servers to a program that answers lines. */
static bool speaks_alike(const tut_bench *b, const tut_attack *a)
{
    enum {
        ROWS = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
        TEXTS = TUT_GIVES_TEXT
    };
    unsigned gives = tut_target_about(b->targets[TUT_WAY_STRAIGHT])->gives;
    bool is_program = gives & TUT_GIVES_LINES;
    return !((a->gives & TEXTS) && !(gives & TEXTS)) && !((a->gives & ROWS) && !(gives & ROWS)) &&
           !((a->gives & TUT_GIVES_LINES) && !is_program) &&
           !((a->gives & TUT_GIVES_NETWORK) && is_program);
}

static tut_status attack_way(tut_bench *b, const tut_attack *a, tut_probe_way way,
                             tut_attack_result *ret, tut_error *err)
{
    const tut_probe_order *o = b->order;
    const tut_probe_target *t = o->target;
    tut_target *target = b->targets[way];
    const char *lack = find_lack(b, a, tut_target_about(target)->gives);
    *ret = (tut_attack_result){.metric = NULL, .decisive = {NULL, NAN, NAN, NAN}, .baseline = NAN};
    if (lack) {
        char *reason = tut_arena_take(&b->run->arena, 160, 1);
        if (!reason)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        (void)snprintf(reason, 160, "needs %s", lack);
        ret->reason = reason;
        return TUT_SUCCESS;
    }
    tut_probe p = {.target = target,
                   .is_guarded = way == TUT_WAY_GUARDED,
                   .members = b->members,
                   .others = b->others,
                   .references = b->references,
                   .kept = b->kept,
                   .seed = o->seed,
                   .norm = tut_str_eq_z(t->norm_word, "l2")   ? TUT_NORM_L2
                           : tut_str_eq_z(t->norm_word, "l0") ? TUT_NORM_L0
                                                              : TUT_NORM_LINF,
                   .size = t->size,
                   .low = t->low,
                   .high = t->high,
                   .queries_a_row = o->queries_a_row,
                   .models = t->models,
                   .steps = o->steps,
                   .axes = b->axes,
                   .fixed = b->fixed,
                   .flooding = b->flooding[way],
                   .reference = b->reference,
                   .failure = b->failure,
                   .texts = b->texts,
                   .system_dir = o->system_dir,
                   .step = o->step,
                   .step_ctx = o->step_ctx,
                   .arena = b->run->arena};
    memcpy(p.shape, b->shape, sizeof(p.shape));
    uint64_t before = b->run->spent[way].queries;
    tut_error why = {0};
    tut_status status = a->run(&p, ret, &why);
    b->run->arena = p.arena; /* it may have grown */
    b->kept = p.kept;
    ret->queries = b->run->spent[way].queries - before;
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ret->was_cut = true;
    b->run->was_cut |= status.code == TUT_CANCELLED;
    ret->reason = tut_arena_copy(&b->run->arena, tut_str_of(why.text));
    return ret->reason ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- judging --- */

static int rank(tut_outcome o)
{
    static const int ranks[] = {[TUT_OUTCOME_UNMEASURED] = 0,
                                [TUT_OUTCOME_PASS] = 1,
                                [TUT_OUTCOME_OPEN] = 2,
                                [TUT_OUTCOME_FAIL] = 3};
    return ranks[o];
}

static void judge_measure(tut_probe_run *r, struct tut_probe_done *d, const tut_measure *m)
{
    const char *probe = tut_probe_about_of(r->kind)->name;
    const tut_bound *bound =
        m->name ? tut_bounds_find(&r->bounds, tut_str_of(probe), tut_str_of(m->name)) : NULL;
    if (!bound)
        return;
    tut_outcome o = tut_bound_judge(bound, m);
    if (!d->bound || rank(o) > rank(d->outcome)) {
        d->bound = bound;
        d->held = m;
        d->outcome = o;
    }
}

static void judge_attack(tut_probe_run *r, struct tut_probe_done *d)
{
    tut_attack_result *used = &d->ways[r->is_guarded ? TUT_WAY_GUARDED : TUT_WAY_STRAIGHT];
    for (unsigned way = 0; way < TUT_PROBE_WAYS; way++)
        d->ways[way].decisive.name = d->ways[way].metric;
    if (used->metric)
        judge_measure(r, d, &used->decisive);
    for (size_t i = 0; i < used->measure_count; i++)
        judge_measure(r, d, &used->measures[i]);
    /* What gets through straight, and was not measured behind the guard, was not stopped there. */
    if (r->is_guarded && !used->metric && d->ways[TUT_WAY_STRAIGHT].metric)
        d->outcome = TUT_OUTCOME_OPEN;
    if (used->was_cut && d->outcome == TUT_OUTCOME_PASS)
        d->outcome = TUT_OUTCOME_OPEN; /* what was not tried may still succeed */
    used->outcome = d->outcome;
}

static bool was_measured(const tut_probe_run *r, const tut_bound *b)
{
    for (size_t i = 0; i < r->count; i++) {
        const tut_attack_result *used = &r->attacks[i].ways[r->is_guarded];
        if (used->metric && strcmp(used->metric, b->metric) == 0 && !isnan(used->decisive.value))
            return true;
        for (size_t k = 0; k < used->measure_count; k++)
            if (strcmp(used->measures[k].name, b->metric) == 0)
                return true;
    }
    return false;
}

static void give_reason(tut_probe_run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct tut_probe_done *d = &r->attacks[i];
        if (d->outcome != r->outcome || r->outcome == TUT_OUTCOME_UNMEASURED || !d->bound)
            continue;
        char interval[64] = "";
        if (!isnan(d->held->low) && !isnan(d->held->high))
            (void)snprintf(interval, sizeof(interval), " (%.4g to %.4g)", d->held->low,
                           d->held->high);
        (void)snprintf(r->reason, sizeof(r->reason), "%s: %s is %.4g%s, %s %g", d->attack->name,
                       d->held->name, d->held->value, interval,
                       d->bound->is_most ? "the bound is at most" : "the bound is at least",
                       d->bound->value);
        return;
    }
    for (size_t i = 0; i < r->count && !r->reason[0]; i++) {
        const char *why = r->attacks[i].ways[r->is_guarded].reason;
        if (why)
            (void)snprintf(r->reason, sizeof(r->reason), "%s: %s", r->attacks[i].attack->name, why);
    }
}

static bool does_not_apply(const tut_probe_run *r)
{
    bool is_none = r->outcome == TUT_OUTCOME_UNMEASURED && r->count > 0;
    for (size_t i = 0; i < r->count; i++)
        for (unsigned way = 0; way <= (unsigned)r->is_guarded; way++)
            is_none = is_none && r->attacks[i].ways[way].does_not_apply;
    return is_none;
}

/* Evidence of leakage is about training data. */
static const char *find_gap(const tut_probe_run *r)
{
    if (r->kind != TUT_PROBE_LEAKAGE)
        return NULL;
    for (size_t i = 0; i < r->count; i++) {
        const struct tut_probe_done *d = &r->attacks[i];
        const tut_attack_result *used = &d->ways[r->is_guarded];
        if (d->attack->is_of_training && used->metric && !isnan(used->decisive.value))
            return NULL;
    }
    return "having no training texts to ask for (documents, canaries)";
}

static void conclude(tut_probe_run *r)
{
    const char *probe = tut_probe_about_of(r->kind)->name;
    for (size_t i = 0; i < r->count; i++) {
        judge_attack(r, &r->attacks[i]);
        if (rank(r->attacks[i].outcome) > rank(r->outcome))
            r->outcome = r->attacks[i].outcome;
    }
    if (r->was_cut && r->outcome == TUT_OUTCOME_PASS)
        r->outcome = TUT_OUTCOME_OPEN;
    for (size_t i = 0; i < r->bounds.count && r->outcome == TUT_OUTCOME_PASS; i++) {
        const tut_bound *b = &r->bounds.items[i];
        if (b->is_wanted && strcmp(b->probe, probe) == 0 && !was_measured(r, b)) {
            r->outcome = TUT_OUTCOME_OPEN;
            (void)snprintf(r->reason, sizeof(r->reason), "nothing measured %s, which has a bound",
                           b->metric);
        }
    }
    if (r->outcome != TUT_OUTCOME_PASS && !r->reason[0])
        give_reason(r);
    r->gap = find_gap(r);
    r->does_not_apply = does_not_apply(r) && !r->was_cut;
}

static tut_status run_all(tut_bench *b, tut_error *err)
{
    tut_probe_run *r = b->run;
    const char *probe = tut_probe_about_of(r->kind)->name;
    for (size_t i = 0; tut_attacks[i] && r->count < TUT_PROBE_ATTACKS; i++) {
        const tut_attack *a = tut_attacks[i];
        if (strcmp(a->probe, probe) != 0 || !speaks_alike(b, a) ||
            (b->order->only && strcmp(a->name, b->order->only) != 0))
            continue;
        struct tut_probe_done *d = &r->attacks[r->count++];
        d->attack = a;
        TUT_TRY(attack_way(b, a, TUT_WAY_STRAIGHT, &d->ways[TUT_WAY_STRAIGHT], err));
        if (r->is_guarded && !r->was_cut)
            TUT_TRY(attack_way(b, a, TUT_WAY_GUARDED, &d->ways[TUT_WAY_GUARDED], err));
        if (r->was_cut)
            break;
    }
    if (r->count == 0 && b->order->only)
        return tut_fail(err, TUT_USAGE, "%s has no attack \"%s\" for such a target", probe,
                        b->order->only);
    if (r->count == 0)
        return tut_fail(err, TUT_USAGE, "%s has no attack for a target of the kind %s", probe,
                        r->targets[TUT_WAY_STRAIGHT].kind);
    return TUT_SUCCESS;
}

tut_status tut_probe_run_do(const tut_probe_order *order, tut_probe_run **ret_run, tut_error *err)
{
    TUT_AUTO(tut_probe_run) r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&r->arena, 0);
    r->kind = order->kind;
    r->seed = order->seed;
    r->bounds = *order->bounds;
    r->from = tut_time_now();
    tut_bench b = {.order = order, .run = r};
    tut_status status = tut_bench_open(&b, err);
    if (tut_is_ok(status))
        status = run_all(&b, err);
    for (unsigned way = 0; way < TUT_PROBE_WAYS; way++) /* what was learnt by asking */
        if (b.targets[way])
            r->targets[way] = *tut_target_about(b.targets[way]);
    tut_bench_done(&b);
    TUT_TRY(status);
    r->to = tut_time_now();
    conclude(r);
    *ret_run = tut_move(&r);
    return TUT_SUCCESS;
}
