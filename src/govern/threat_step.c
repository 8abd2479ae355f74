/*
 * The five checks of the threat model.
 *
 *   threats.model        every attack class of the catalogue was asked about, and nothing that runs
 *                        was left out of the description
 *   threats.current      a person reviewed this very model: this configuration, these rules, this
 *                        catalogue of threats
 *   threats.treatment    each risk is tolerated, treated by what is proved, or accepted
 *   threats.superfluous  each unused function that remains has a risk that is dealt with
 *   threats.continuous   reviews came on schedule, and the risk that was acknowledged has not grown
 *
 * All but the first rest on what people did: nothing here turns green by being run again.
 */
#include "govern/threat_step.h"

#include <stdarg.h>
#include <string.h>

#include "govern/notice.h"
#include "govern/threat_coverage.h"
#include "govern/threat_internal.h"

enum { NAMED_MAX = 4, NAME_CHARS = 80 };

void tut_threat_findings_done(tut_threat_finding f[TUT_THREAT_CHECKS])
{
    for (size_t i = 0; i < TUT_THREAT_CHECKS; i++)
        tut_free(f[i].statement);
}

static tut_status say(tut_threat_finding *f, const char *check, tut_result result, tut_buf *text,
                      tut_error *err)
{
    TUT_TRY(tut_buf_check(text, err));
    *f = (tut_threat_finding){check, result, tut_buf_steal(text)};
    return f->statement ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* "a, b and 3 more": the n-th of them is added. */
static void add_name(tut_buf *out, size_t n, const char *name)
{
    if (n >= NAMED_MAX)
        return;
    tut_buf_add_z(out, n ? ", " : " ");
    tut_buf_add_escaped(out, tut_str_of(name), NAME_CHARS);
}

static void end_names(tut_buf *out, size_t count)
{
    if (count > NAMED_MAX)
        tut_buf_printf(out, " and %zu more", count - NAMED_MAX);
    tut_buf_add_z(out, ".");
}

/* --- threats.model --- */

static size_t count_unasked(const tut_threats *t, tut_buf *names)
{
    tut_coverage c;
    size_t count = 0;
    for (size_t i = 0; tut_coverage_at(t, i, &c); i++) {
        if (!c.is_wanted || c.looked_at > 0)
            continue;
        TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
        tut_buf_add_str(&name, c.threat);
        add_name(names, count++, tut_buf_z(&name));
    }
    return count;
}

static tut_status find_model(const tut_threats *t, const tut_threat_sources *from,
                             tut_threat_finding *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_gaps) gaps = {0};
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    size_t count = 0;
    TUT_TRY(tut_gaps_find(t, from->system, &gaps, err));
    if (from->system->component_count == 0) {
        tut_buf_add_z(&text, "No component is described, so there is nothing to model.");
        return say(f, "threats.model", TUT_RESULT_NOT_CHECKED, &text, err);
    }
    for (size_t i = 0; i < gaps.count; i++)
        if (gaps.items[i].decides)
            add_name(&names, count++, gaps.items[i].what);
    if (count) {
        tut_buf_add_z(&text, "The description leaves gaps in the threat model:");
        tut_buf_add_str(&text, tut_buf_str(&names));
        end_names(&text, count);
        return say(f, "threats.model", TUT_RESULT_FAIL, &text, err);
    }
    count = count_unasked(t, &names);
    if (count) {
        tut_buf_add_z(&text, "Nothing in the description could be asked about:");
        tut_buf_add_str(&text, tut_buf_str(&names));
        end_names(&text, count);
        return say(f, "threats.model", TUT_RESULT_FAIL, &text, err);
    }
    tut_buf_printf(&text,
                   "%zu rules over %zu elements ask about every attack class of the catalogue; "
                   "they found %zu %s.",
                   t->rules->count, t->model->count, t->count, t->count == 1 ? "risk" : "risks");
    return say(f, "threats.model", TUT_RESULT_PASS, &text, err);
}

/* --- threats.current --- */

static void add_changes(tut_buf *text, const tut_threat_reviews *r)
{
    tut_buf_printf(text, ": %zu new, %zu gone, %zu higher", r->new_count, r->gone_count,
                   r->higher_count);
    if (r->change_count)
        tut_buf_add_z(text, ";");
    for (size_t i = 0; i < r->change_count; i++)
        add_name(text, i, r->changes[i].id);
    end_names(text, r->change_count);
}

static tut_status find_current(const tut_threats *t, const tut_threat_reviews *r,
                               tut_threat_finding *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_result result = TUT_RESULT_FAIL;
    char day[TUT_TIME_TEXT];
    bool is_other_catalogue = t->policy.catalogue.len &&
                              !tut_str_eq(t->policy.catalogue, t->rules->catalogue);
    tut_time_date(r->at, day);
    if (is_other_catalogue) {
        tut_buf_printf(&text,
                       "tutela.yaml holds the model against \"%.*s\", and the rules go by "
                       "\"%.*s\": look at what is new, then review.",
                       (int)t->policy.catalogue.len, t->policy.catalogue.data,
                       (int)t->rules->catalogue.len, t->rules->catalogue.data);
    } else if (!r->has_newest) {
        result = TUT_RESULT_NOT_CHECKED;
        tut_buf_add_z(&text, "Nobody who counts has reviewed this threat model, or the review ran "
                             "out.");
    } else if (!tut_sha256_eq(&r->model, &t->digest)) {
        tut_buf_printf(&text, "Configuration or rules changed since %s reviewed them on %s", r->by,
                       day);
        add_changes(&text, r);
    } else {
        result = TUT_RESULT_PASS;
        tut_buf_printf(&text, "%s reviewed this very configuration with these rules on %s.", r->by,
                       day);
    }
    return say(f, "threats.current", result, &text, err);
}

/* --- threats.treatment, threats.superfluous --- */

static tut_status find_treatment(const tut_threats *t, const tut_threat_sources *from,
                                 tut_threat_finding *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t count = 0;
    if (from->system->component_count == 0) {
        tut_buf_add_z(&text, "No component is described, so no risk is known.");
        return say(f, "threats.treatment", TUT_RESULT_NOT_CHECKED, &text, err);
    }
    if (t->by_state[TUT_RISK_OPEN] == 0) {
        tut_buf_printf(&text, "Of %zu risks %zu are tolerated, %zu treated and %zu accepted.",
                       t->count, t->by_state[TUT_RISK_TOLERATED], t->by_state[TUT_RISK_TREATED],
                       t->by_state[TUT_RISK_ACCEPTED]);
        return say(f, "threats.treatment", TUT_RESULT_PASS, &text, err);
    }
    tut_buf_printf(&text, "%zu of %zu risks are above what is tolerated, and nobody took them on:",
                   t->by_state[TUT_RISK_OPEN], t->count);
    for (size_t i = 0; i < t->count; i++)
        if (t->risks[i].state == TUT_RISK_OPEN)
            add_name(&text, count++, t->risks[i].id);
    end_names(&text, count);
    return say(f, "threats.treatment", TUT_RESULT_FAIL, &text, err);
}

static bool runs_model(const tut_component *c)
{
    return tut_str_eq_z(c->kind, "model") || tut_str_eq_z(c->kind, "agent");
}

/* Models that say nothing of their modalities, so that nothing can be superfluous. */
static size_t count_silent(const tut_threats *t, tut_buf *names)
{
    size_t place = tut_component_place("model.modality_enabled");
    size_t count = 0;
    for (size_t i = 0; i < t->model->first[TUT_THREAT_ON_COMPONENT + 1]; i++) {
        const tut_threat_element *e = &t->model->elements[i];
        if (runs_model(e->component) && e->values[place].number == 0)
            add_name(names, count++, e->id);
    }
    return count;
}

static bool is_superfluous(const tut_threat_rule *rule)
{
    for (size_t i = 0; i < rule->clauses.count; i++)
        if (tut_str_eq_z(rule->clauses.items[i], "5.1.3-1.2"))
            return true;
    return false;
}

static size_t count_models(const tut_threats *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->model->first[TUT_THREAT_ON_COMPONENT + 1]; i++)
        count += runs_model(t->model->elements[i].component);
    return count;
}

static tut_status find_superfluous(const tut_threats *t, tut_threat_finding *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    size_t count = 0, dealt = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!is_superfluous(t->risks[i].rule))
            continue;
        if (t->risks[i].state == TUT_RISK_OPEN)
            add_name(&names, count++, t->risks[i].id);
        else
            dealt++;
    }
    if (count) {
        tut_buf_add_z(&text,
                      "Functions that are not needed remain, and nobody took on their risk:");
        tut_buf_add_str(&text, tut_buf_str(&names));
        end_names(&text, count);
        return say(f, "threats.superfluous", TUT_RESULT_FAIL, &text, err);
    }
    tut_buf_clear(&names);
    count = count_silent(t, &names);
    if (count || count_models(t) == 0) {
        tut_buf_add_z(&text, count ? "model.modality_enabled is not said of:"
                                   : "No component is a model or an agent.");
        tut_buf_add_str(&text, tut_buf_str(&names));
        if (count)
            end_names(&text, count);
        return say(f, "threats.superfluous", TUT_RESULT_NOT_CHECKED, &text, err);
    }
    tut_buf_printf(&text,
                   "No function is enabled that is not used, or its risk is dealt with "
                   "(%zu such).",
                   dealt);
    return say(f, "threats.superfluous", TUT_RESULT_PASS, &text, err);
}

/* --- threats.continuous --- */

static tut_status find_continuous(const tut_threats *t, const tut_threat_sources *from,
                                  const tut_threat_reviews *r, tut_threat_finding *f,
                                  tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_result result = TUT_RESULT_FAIL;
    tut_time gap = tut_threat_reviews_gap(r, from->at);
    long long days = (long long)(gap / TUT_DAY_SECONDS);
    if (r->count == 0) {
        result = TUT_RESULT_NOT_CHECKED;
        tut_buf_add_z(&text, "No review of the threat model by somebody who counts is on record.");
    } else if (gap > (tut_time)t->policy.review_days * TUT_DAY_SECONDS) {
        tut_buf_printf(&text, "There were %lld days without a review; the schedule is %u.", days,
                       t->policy.review_days);
    } else if (r->has_newest && r->higher_count) {
        size_t count = 0;
        tut_buf_printf(&text, "Since the last review %zu %s grown:", r->higher_count,
                       r->higher_count == 1 ? "risk has" : "risks have");
        for (size_t i = 0; i < r->change_count; i++)
            if (strcmp(r->changes[i].what, "higher") == 0)
                add_name(&text, count++, r->changes[i].id);
        end_names(&text, count);
    } else {
        result = TUT_RESULT_PASS;
        tut_buf_printf(&text, "%zu %s, never more than %lld days apart; the schedule is %u.",
                       r->count, r->count == 1 ? "review" : "reviews", days, t->policy.review_days);
    }
    return say(f, "threats.continuous", result, &text, err);
}

tut_status tut_threat_find(const tut_threats *t, const tut_threat_sources *from,
                           const tut_threat_reviews *reviews,
                           tut_threat_finding ret[TUT_THREAT_CHECKS], tut_error *err)
{
    memset(ret, 0, TUT_THREAT_CHECKS * sizeof(*ret));
    TUT_TRY(find_model(t, from, &ret[0], err));
    TUT_TRY(find_current(t, reviews, &ret[1], err));
    TUT_TRY(find_treatment(t, from, &ret[2], err));
    TUT_TRY(find_superfluous(t, &ret[3], err));
    return find_continuous(t, from, reviews, &ret[4], err);
}

/* --- the step of assess --- */

tut_status tut_threat_attest(tut_governing *g, const tut_threats *t, const tut_threat_sources *from)
{
    TUT_CLEAN(tut_threat_reviews) reviews = {0};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_threat_finding f[TUT_THREAT_CHECKS] = {{NULL, TUT_RESULT_PASS, NULL}};
    TUT_TRY(tut_threat_reviews_read(g->ledger, t, g->at, &reviews, g->err));
    TUT_TRY(tut_threats_body_with_picture(t, from, &body, g->err));
    tut_status status = tut_threat_find(t, from, &reviews, f, g->err);
    for (size_t i = 0; i < TUT_THREAT_CHECKS && tut_is_ok(status); i++) {
        tut_attestation a = {.check = f[i].check,
                             .result = f[i].result,
                             .statement = f[i].statement,
                             .body = tut_buf_span(&body)};
        status = tut_govern_attest(g, &a, NULL);
    }
    tut_threat_findings_done(f);
    TUT_TRY(status);
    return tut_notices_attest(g, t);
}

tut_status tut_govern_step_threats(tut_governing *g)
{
    TUT_AUTO(tut_assessment) a = NULL;
    TUT_AUTO(tut_threats) t = NULL;
    tut_threat_policy policy;
    TUT_TRY(tut_threat_policy_read(g->system, &policy, NULL, g->err));
    if (!policy.is_there)
        return TUT_SUCCESS;
    tut_evaluation_source given = {
        .ledger = g->ledger, .records = (tut_records *)(uintptr_t)g->records, .generated = g->at};
    TUT_TRY(tut_tool_get_digests(&given.tool, g->err));
    TUT_TRY(tut_assess_evaluate_given(&given, g->at, &a, g->err));
    tut_threat_sources from = {
        .system = g->system, .assessment = a, .ledger = g->ledger, .at = g->at};
    TUT_TRY(tut_threats_new(&from, &t, g->err));
    return tut_threat_attest(g, t, &from);
}
