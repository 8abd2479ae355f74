/* From the name of a gate to its decision, and those of the gates before it. */
#include <string.h>

#include "govern/gate_internal.h"

const tut_gate_decision *tut_gate_asked(const tut_gate_view *v)
{
    return &v->decisions[v->decision_count - 1];
}

void tut_gate_view_free(tut_gate_view *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->decision_count; i++)
        tut_free(v->decisions[i].items);
    for (size_t i = 0; i < v->change_count; i++)
        tut_free(v->changes[i].what);
    tut_free(v->changes);
    tut_free(v->decisions);
    tut_demands_done(v->demands, v->demand_count);
    tut_free(v->demands);
    tut_assessment_free(v->assessment);
    tut_records_free(v->records);
    tut_ledger_close(v->ledger);
    tut_system_free(v->system);
    tut_free(v);
}

/* --- which gates, in which order --- */

static bool is_listed(const tut_gate_view *v, const tut_gate *gate)
{
    for (size_t i = 0; i < v->decision_count; i++)
        if (v->decisions[i].gate == gate)
            return true;
    return false;
}

/* The order of gates has no circles (gate_policy.c), so each round lists at least one. */
static void list_gates(tut_gate_view *v, const bool *is_wanted)
{
    for (size_t round = 0; round < v->gates.count; round++) {
        for (size_t i = 0; i < v->gates.count; i++) {
            const tut_gate *g = &v->gates.items[i];
            bool is_ready = is_wanted[i] && !is_listed(v, g);
            for (size_t k = 0; k < g->after.count && is_ready; k++)
                is_ready = is_listed(v, tut_gates_find(&v->gates, g->after.items[k]));
            if (is_ready)
                v->decisions[v->decision_count++].gate = g;
        }
    }
}

/* The gate and whatever it comes after. */
static void want_gate(const tut_gates *gates, const tut_gate *gate, bool *is_wanted)
{
    is_wanted[gate - gates->items] = true;
    for (size_t round = 0; round < gates->count; round++)
        for (size_t i = 0; i < gates->count; i++)
            for (size_t k = 0; is_wanted[i] && k < gates->items[i].after.count; k++)
                is_wanted[tut_gates_find(gates, gates->items[i].after.items[k]) - gates->items] =
                    true;
}

static tut_status choose(tut_gate_view *v, const char *name, tut_error *err)
{
    bool is_wanted[TUT_GATES_MAX + 8] = {false};
    v->decisions = tut_alloc_array(v->gates.count, sizeof(*v->decisions));
    if (!v->decisions)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_gate *asked = name ? tut_gates_find(&v->gates, tut_str_of(name)) : NULL;
    if (name && !asked) {
        TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
        for (size_t i = 0; i < v->gates.count; i++)
            tut_buf_printf(&names, "%s%.*s", i ? ", " : "", (int)v->gates.items[i].name.len,
                           v->gates.items[i].name.data);
        TUT_TRY(tut_buf_check(&names, err));
        return tut_fail(err, TUT_USAGE, "no gate is called \"%s\"; there are %s", name,
                        tut_buf_z(&names));
    }
    for (size_t i = 0; i < v->gates.count; i++)
        is_wanted[i] = !name && v->gates.items[i].is_configured;
    bool any = asked != NULL;
    for (size_t i = 0; i < v->gates.count && !asked; i++)
        any = any || is_wanted[i];
    for (size_t i = 0; i < v->gates.count && !any; i++)
        is_wanted[i] = true; /* none is configured: all that are built in */
    for (size_t i = 0; i < v->gates.count; i++)
        if (is_wanted[i])
            want_gate(&v->gates, &v->gates.items[i], is_wanted);
    if (asked)
        want_gate(&v->gates, asked, is_wanted);
    list_gates(v, is_wanted);
    return TUT_SUCCESS;
}

/* --- what they want --- */

static bool wants_row(const tut_gate_want *w, const tut_clause *c, size_t i)
{
    return w->clause.len ? tut_str_eq(w->clause, c->id) : tut_str_eq(w->check, c->wants[i].check);
}

/* Every want of the provision, or every row that wants the check. */
static tut_status add_demands(tut_gate_view *v, const tut_gate_want *w, const tut_clause *clauses,
                              size_t *capacity, tut_error *err)
{
    for (size_t c = 0; c < TUT_CLAUSE_COUNT; c++) {
        for (size_t i = 0; i < clauses[c].want_count; i++) {
            if (!wants_row(w, &clauses[c], i))
                continue;
            if (!tut_is_ok(tut_grow(&v->demands, v->demand_count, capacity, sizeof(*v->demands))))
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            v->demands[v->demand_count++] = (tut_demand){
                .of = &clauses[c], .want = i, .max_age_days = w->max_age_days, .kinds = w->kinds};
        }
    }
    return TUT_SUCCESS;
}

static tut_status collect_demands(tut_gate_view *v, tut_error *err)
{
    const tut_clause *clauses;
    size_t capacity = 0;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    for (size_t d = 0; d < v->decision_count; d++) {
        tut_gate_decision *decision = &v->decisions[d];
        size_t before = v->demand_count;
        for (size_t i = 0; i < decision->gate->want_count; i++)
            TUT_TRY(add_demands(v, &decision->gate->wants[i], clauses, &capacity, err));
        decision->item_count = v->demand_count - before;
    }
    size_t at = 0;
    for (size_t d = 0; d < v->decision_count; d++) { /* the demands stand still from here on */
        tut_gate_decision *decision = &v->decisions[d];
        decision->items = tut_alloc_array(decision->item_count + 1, sizeof(*decision->items));
        if (!decision->items)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        for (size_t i = 0; i < decision->item_count; i++)
            decision->items[i].demand = &v->demands[at++];
    }
    return TUT_SUCCESS;
}

tut_status tut_gate_look(const tut_gate_question *q, tut_gate_view **ret_view, tut_error *err)
{
    TUT_AUTO(tut_gate_view) v = tut_alloc_array(1, sizeof(*v));
    if (!v)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_system_load(q->dir_or_file, &v->system, q->shown, err));
    TUT_TRY(tut_gates_read(v->system, &v->gates, q->shown, err));
    TUT_TRY(tut_design_read(v->system, &v->design, q->shown, err));
    TUT_TRY(choose(v, q->name, err));
    v->is_of_one = q->name != NULL;
    TUT_TRY(collect_demands(v, err));
    TUT_TRY(tut_gate_read(v, q, tut_time_now(), err));
    TUT_TRY(tut_gate_find_changes(v, q->sandbox, err));
    for (size_t i = 0; i < v->decision_count; i++)
        TUT_TRY(tut_gate_decide(v, i, q, err));
    *ret_view = tut_move(&v);
    return TUT_SUCCESS;
}
