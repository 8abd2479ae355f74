/*
 * The data custodian's side (5.1.2-5, 5.1.4-4), looked at by machine.
 *
 * gate.sensitivity: no dataset that anything uses is more sensitive than `design.use_ceiling`, and
 * what its sensitivity asks for is there: an owner, encryption and a login where it crosses a trust
 * boundary, and for each model trained on it the tests of custody_controls.def.
 * gate.custodian-policies: each control of `design.custodian` is shown by evidence that holds now.
 */
#include <string.h>

#include "assess/design.h"
#include "govern/govern.h"
#include "state/records.h"

typedef struct control {
    int level;
    const char *check, *words;
} control;

static const control controls[] = {
#define CONTROL(level, check, words) {level, check, words},
#include "govern/custody_controls.def"
#undef CONTROL
};
enum { CONTROLS = sizeof(controls) / sizeof(controls[0]), SENTENCE_MAX = 900, SAID_MAX = 12 };

typedef struct custody {
    tut_governing *g;
    tut_design design;
    tut_records *records;
    tut_assessment *assessment;
    tut_demand *demands; /* CONTROLS of them, then those of the custodian's asks */
    size_t demand_count, demand_capacity;
    size_t *first;           /* of each ask, its first demand; one more for the end */
    tut_buf failed, lacking; /* what is wrong, and what is not known, in words */
    size_t failed_count, lacking_count;
} custody;

static void custody_done(custody *c)
{
    tut_demands_done(c->demands, c->demand_count);
    tut_free(c->demands);
    tut_free(c->first);
    tut_assessment_free(c->assessment);
    tut_records_free(c->records);
    tut_buf_done(&c->failed);
    tut_buf_done(&c->lacking);
}

static TUT_PRINTF(3, 4) void say(tut_buf *out, size_t *count, const char *fmt, ...)
{
    va_list ap;
    if ((*count)++ >= SAID_MAX)
        return;
    tut_buf_add_z(out, out->len ? "; " : "");
    va_start(ap, fmt);
    tut_buf_vprintf(out, fmt, ap);
    va_end(ap);
}

static void forget(custody *c)
{
    tut_buf_clear(&c->failed);
    tut_buf_clear(&c->lacking);
    c->failed_count = c->lacking_count = 0;
}

/* --- asking the evaluator --- */

static tut_status add_demand(custody *c, const tut_clause *clause, size_t want)
{
    if (!tut_is_ok(
            tut_grow(&c->demands, c->demand_count, &c->demand_capacity, sizeof(*c->demands))))
        return tut_fail(c->g->err, TUT_NOMEM, "memory ran out");
    c->demands[c->demand_count++] = (tut_demand){.of = clause, .want = want};
    return TUT_SUCCESS;
}

/* Rows that want the check, or all wants of the provision. `only_first`: one row is enough to find
 * the evidence. */
static tut_status add_rows(custody *c, tut_str check, tut_str clause, bool only_first)
{
    const tut_clause *clauses;
    size_t before = c->demand_count;
    TUT_TRY(tut_catalogue_load(&clauses, c->g->err));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < clauses[i].want_count; k++)
            if ((clause.len ? tut_str_eq(clause, clauses[i].id)
                            : tut_str_eq(check, clauses[i].wants[k].check)) &&
                !(only_first && c->demand_count > before))
                TUT_TRY(add_demand(c, &clauses[i], k));
    return TUT_SUCCESS;
}

static tut_status evaluate(custody *c)
{
    tut_governing *g = c->g;
    tut_time now = tut_time_now();
    c->first = tut_alloc_array(c->design.custodian_count + 1, sizeof(*c->first));
    if (!c->first)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < CONTROLS; i++)
        TUT_TRY(add_rows(c, tut_str_of(controls[i].check), TUT_LIT(""), true));
    for (size_t i = 0; i < c->design.custodian_count; i++) {
        c->first[i] = c->demand_count;
        TUT_TRY(add_rows(c, c->design.custodian[i].check, c->design.custodian[i].clause, false));
    }
    c->first[c->design.custodian_count] = c->demand_count;
    TUT_TRY(tut_state_read(g->ledger, now, &c->records, g->err));
    const tut_evaluation_source source = {.ledger = g->ledger,
                                          .records = c->records,
                                          .generated = now,
                                          .demands = c->demands,
                                          .demand_count = c->demand_count};
    return tut_assess_evaluate_given(&source, now, &c->assessment, g->err);
}

/* --- which datasets are used, and by whom --- */

static const tut_asset_summary *summary_of(const tut_assessment *a, const char *id)
{
    for (size_t i = 0; i < a->asset_count; i++)
        if (strcmp(a->assets[i].id, id) == 0)
            return &a->assets[i];
    return NULL;
}

/* Marks everything that depends on the asset, through whatever others. */
static tut_status mark_users(const custody *c, const char *id, bool **ret_uses)
{
    const tut_assessment *a = c->assessment;
    TUT_AUTO_FREE bool *uses = tut_alloc_array(a->asset_count + 1, sizeof(*uses));
    if (!uses)
        return tut_fail(c->g->err, TUT_NOMEM, "memory ran out");
    for (bool is_more = true; is_more;) {
        is_more = false;
        for (size_t i = 0; i < a->asset_count; i++) {
            for (size_t k = 0; k < a->assets[i].depends_count && !uses[i]; k++) {
                const tut_asset_summary *on = summary_of(a, a->assets[i].depends_on[k]);
                bool is_used = strcmp(a->assets[i].depends_on[k], id) == 0 ||
                               (on && uses[on - a->assets]);
                uses[i] = is_used;
                is_more = is_more || is_used;
            }
        }
    }
    *ret_uses = tut_move(&uses);
    return TUT_SUCCESS;
}

static bool carries(const tut_flow *f, tut_str id)
{
    for (size_t i = 0; i < f->data.count; i++)
        if (tut_str_eq(f->data.items[i], id))
            return true;
    return false;
}

static bool is_in_the_graph(const tut_system *s, tut_str id)
{
    for (size_t i = 0; i < s->component_count; i++)
        if (tut_str_eq(s->components[i].asset, id))
            return true;
    for (size_t i = 0; i < s->flow_count; i++)
        if (carries(&s->flows[i], id))
            return true;
    return false;
}

/* --- what sensitivity asks for --- */

static bool is_none(tut_str word)
{
    return word.len == 0 || tut_str_eq_z(word, "none") || tut_str_eq_z(word, "false");
}

static void look_at_flows(custody *c, const tut_asset *a)
{
    const tut_system *s = c->g->system;
    for (size_t i = 0; i < s->flow_count; i++) {
        const tut_flow *f = &s->flows[i];
        if (!f->crosses || !carries(f, tut_str_of(a->id)))
            continue;
        if (is_none(f->encryption))
            say(&c->failed, &c->failed_count,
                "the flow %.*s carries %s over a boundary, and "
                "nothing says that it is encrypted",
                (int)f->id.len, f->id.data, a->id);
        if (is_none(f->auth))
            say(&c->failed, &c->failed_count,
                "the flow %.*s carries %s over a boundary, and "
                "nothing says who may ask for it",
                (int)f->id.len, f->id.data, a->id);
    }
}

static tut_use use_of(const tut_demand *d, const char *asset)
{
    for (size_t i = 0; i < d->control.evidence_count; i++) {
        const tut_evidence_use *use = &d->control.evidence[i];
        if (use->use != TUT_USE_SUPERSEDED && strcmp(use->record->subjects[0].name, asset) == 0)
            return use->use;
    }
    return TUT_USE_NOT_ENOUGH;
}

static void look_at_model(custody *c, const tut_asset *data, int level, const char *model)
{
    for (size_t i = 0; i < CONTROLS; i++) {
        if (level < controls[i].level)
            continue;
        tut_use use = use_of(&c->demands[i], model);
        if (use == TUT_USE_CONTRADICTS)
            say(&c->failed, &c->failed_count, "%s is trained on %s, and %s failed", model, data->id,
                controls[i].check);
        else if (use != TUT_USE_COUNTS)
            say(&c->lacking, &c->lacking_count,
                "%s is trained on %s, and it is not shown that %s "
                "(%s)",
                model, data->id, controls[i].words, controls[i].check);
    }
}

static tut_status look_at_sensitive(custody *c, const tut_asset *a, int level, const bool *uses)
{
    const tut_assessment *all = c->assessment;
    if (a->owner.len == 0)
        say(&c->failed, &c->failed_count, "%s has no owner", a->id);
    look_at_flows(c, a);
    for (size_t i = 0; i < all->asset_count; i++)
        if (uses[i] && strcmp(all->assets[i].kind, "model") == 0)
            look_at_model(c, a, level, all->assets[i].id);
    return TUT_SUCCESS;
}

static void put_dataset(const custody *c, const tut_asset *a, bool is_used, const bool *uses,
                        tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", a->id);
    tut_json_put_or_null(j, "sensitivity", a->sensitivity);
    tut_json_put_or_null(j, "owner", a->owner);
    tut_json_put_bool(j, "used", is_used);
    tut_json_key(j, "used_by");
    tut_json_array(j);
    for (size_t i = 0; i < c->assessment->asset_count; i++)
        if (uses[i])
            tut_json_z(j, c->assessment->assets[i].id);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status look_at_dataset(custody *c, const tut_asset *a, tut_json *j, size_t *used)
{
    TUT_AUTO_FREE bool *uses = NULL;
    int level = tut_sensitivity_level(a->sensitivity);
    int ceiling = tut_sensitivity_level(c->design.use_ceiling);
    TUT_TRY(mark_users(c, a->id, &uses));
    bool is_used = is_in_the_graph(c->g->system, tut_str_of(a->id));
    for (size_t i = 0; i < c->assessment->asset_count; i++)
        is_used = is_used || uses[i];
    put_dataset(c, a, is_used, uses, j);
    if (!is_used)
        return TUT_SUCCESS;
    (*used)++;
    if (level < 0) {
        say(&c->lacking, &c->lacking_count, "nobody says how sensitive %s is", a->id);
        return TUT_SUCCESS;
    }
    if (level > ceiling)
        say(&c->failed, &c->failed_count, "%s is %.*s, and the use is fit for %.*s at most", a->id,
            (int)a->sensitivity.len, a->sensitivity.data, (int)c->design.use_ceiling.len,
            c->design.use_ceiling.data);
    return level >= 2 ? look_at_sensitive(c, a, level, uses) : TUT_SUCCESS;
}

static tut_result result_of(const custody *c)
{
    return c->failed_count    ? TUT_RESULT_FAIL
           : c->lacking_count ? TUT_RESULT_NOT_CHECKED
                              : TUT_RESULT_PASS;
}

static tut_status attest(custody *c, const char *check, tut_str when_sound, tut_span body)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    TUT_TRY(tut_buf_check(&c->failed, c->g->err));
    TUT_TRY(tut_buf_check(&c->lacking, c->g->err));
    tut_str says = c->failed_count    ? tut_buf_str(&c->failed)
                   : c->lacking_count ? tut_buf_str(&c->lacking)
                                      : when_sound;
    size_t more = c->failed_count ? c->failed_count : c->lacking_count;
    tut_buf_add_escaped(&safe, says, SENTENCE_MAX);
    if (more > SAID_MAX)
        tut_buf_printf(&safe, "; and %zu more", more - SAID_MAX);
    const char *words = tut_buf_z(&safe);
    if (!words)
        return tut_fail(c->g->err, TUT_NOMEM, "memory ran out");
    const tut_attestation a = {
        .check = check, .result = result_of(c), .statement = words, .body = body};
    return tut_govern_attest(c->g, &a, NULL);
}

static tut_status look_at_sensitivity(custody *c)
{
    const tut_system *s = c->g->system;
    size_t used = 0;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&body, &j));
    forget(c);
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.sensitivity/1");
    tut_json_put_str(j, "use_ceiling", c->design.use_ceiling);
    tut_json_key(j, "datasets");
    tut_json_array(j);
    for (size_t i = 0; i < s->asset_count; i++)
        if (s->assets[i].kind == TUT_KIND_DATASET)
            TUT_TRY(look_at_dataset(c, &s->assets[i], j, &used));
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, c->g->err));
    tut_buf_printf(
        &text,
        "%zu datasets are used, none more sensitive than %.*s, which the use is fit for; "
        "what protects the sensitive ones is there.",
        used, (int)c->design.use_ceiling.len, c->design.use_ceiling.data);
    TUT_TRY(tut_buf_check(&text, c->g->err));
    return attest(c, "gate.sensitivity", tut_buf_str(&text), tut_buf_span(&body));
}

/* --- the custodian's asks --- */

static void put_demand(tut_json *j, const tut_demand *d)
{
    tut_json_object(j);
    tut_json_put_str(j, "clause", d->of->id);
    tut_json_put_str(j, "check", d->strict.check);
    tut_json_put_z(j, "verdict", tut_control_verdict_name(d->control.verdict));
    tut_json_put_z(j, "reason", d->control.reason_count ? d->control.reasons[0] : NULL);
    tut_json_end_object(j);
}

static void weigh_ask(custody *c, size_t at, tut_json *j)
{
    const tut_custodian_ask *ask = &c->design.custodian[at];
    bool failed = false, lacks = c->first[at] == c->first[at + 1];
    tut_json_object(j);
    tut_json_put_str(j, "control", ask->control);
    tut_json_key(j, "shown_by");
    tut_json_array(j);
    for (size_t i = c->first[at]; i < c->first[at + 1]; i++) {
        tut_control_verdict v = c->demands[i].control.verdict;
        failed = failed || v == TUT_CONTROL_NOT_MET;
        /* What does not apply shows nothing to somebody who asked for it. */
        lacks = lacks || v != TUT_CONTROL_MET;
        put_demand(j, &c->demands[i]);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_str by = ask->check.len ? ask->check : ask->clause;
    if (failed)
        say(&c->failed, &c->failed_count, "\"%.*s\" does not hold (%.*s)", (int)ask->control.len,
            ask->control.data, (int)by.len, by.data);
    else if (lacks)
        say(&c->lacking, &c->lacking_count, "\"%.*s\" is not shown (%.*s)", (int)ask->control.len,
            ask->control.data, (int)by.len, by.data);
}

static tut_status look_at_asks(custody *c)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&body, &j));
    forget(c);
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.custodian-policies/1");
    tut_json_key(j, "controls");
    tut_json_array(j);
    for (size_t i = 0; i < c->design.custodian_count; i++)
        weigh_ask(c, i, j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, c->g->err));
    tut_buf_printf(&text, "Each of the %zu controls that the custodian asked for is shown.",
                   c->design.custodian_count);
    TUT_TRY(tut_buf_check(&text, c->g->err));
    return attest(c, "gate.custodian-policies", tut_buf_str(&text), tut_buf_span(&body));
}

tut_status tut_govern_step_custody(tut_governing *g)
{
    custody c = {.g = g, .failed = TUT_BUF_INIT, .lacking = TUT_BUF_INIT};
    TUT_TRY(tut_design_read(g->system, &c.design, NULL, g->err));
    bool has_use = c.design.use_ceiling.len > 0, has_asks = c.design.custodian_count > 0;
    if (!has_use && !has_asks)
        return TUT_SUCCESS;
    tut_status status = evaluate(&c);
    if (tut_is_ok(status) && has_use)
        status = look_at_sensitivity(&c);
    if (tut_is_ok(status) && has_asks)
        status = look_at_asks(&c);
    custody_done(&c);
    return status;
}
