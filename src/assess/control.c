/*
 * The generic evaluator of control rows.
 *
 *   all wants hold for all their subjects    met
 *   a want is contradicted for any subject   not_met
 *   some hold, none is contradicted          partly
 *   nothing there, or stale, or empty scope  not_checked
 *
 * A want may not apply to a subject (may_not_apply of the catalogue), where a test found so about
 * its very bytes. It then stands for nothing: another want of the row asks for the same subject,
 * so that no row is met by nothing.
 *
 * A claim that the provision does not apply needs a reason, a name and an end, and yields to what
 * inventory and scan show.
 */
#include "assess/diligence.h"
#include "assess/evaluate_internal.h"

enum { REASON_CHARS = 600 };

static const char *const verdict_names[TUT_CONTROL_VERDICT_COUNT] = {
    "met", "partly", "not_met", "not_checked", "not_applicable"};
static const char *const verdict_labels[TUT_CONTROL_VERDICT_COUNT] = {
    "met", "partly", "not met", "not checked", "not applicable"};

const char *tut_control_verdict_name(tut_control_verdict v)
{
    return verdict_names[v];
}

const char *tut_control_verdict_label(tut_control_verdict v)
{
    return verdict_labels[v];
}

tut_status tut_control_reason(tut_evaluation *e, tut_control *control, const char *fmt, ...)
{
    if (control->reason_count >= TUT_REASONS_MAX)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, tut_buf_str(&text), REASON_CHARS);
    TUT_TRY(tut_buf_check(&safe, e->err));
    char **grown = tut_realloc_array(control->reasons, control->reason_count + 1, sizeof(*grown));
    if (!grown)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    control->reasons = grown;
    grown[control->reason_count] = tut_buf_steal(&safe);
    if (!grown[control->reason_count])
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    control->reason_count++;
    return TUT_SUCCESS;
}

/* --- scope --- */

bool tut_want_asks(const tut_want *want, tut_asset_kind kind, tut_str origin, tut_str sensitivity,
                   bool is_shared)
{
    if (want->kinds != 0 && !(want->kinds & (1u << kind)))
        return false;
    switch (want->scope) {
    case TUT_SCOPE_EVERY_ASSET:
        return true;
    case TUT_SCOPE_EVERY_EXTERNAL: /* of unknown origin counts as from outside */
        return origin.len == 0 || tut_origin_is_external(origin);
    case TUT_SCOPE_EVERY_SENSITIVE:
        return tut_str_eq_z(sensitivity, "confidential") || tut_str_eq_z(sensitivity, "personal");
    case TUT_SCOPE_EVERY_SHARED:
        return is_shared;
    case TUT_SCOPE_SYSTEM:
    case TUT_SCOPE_ORGANISATION:
    case TUT_SCOPE_DOCUMENT:
        return false;
    }
    return false;
}

static bool is_in_scope(const tut_want *want, const tut_known_asset *a)
{
    return tut_want_asks(want, a->kind, tut_str_of(a->origin), tut_str_of(a->sensitivity),
                         a->is_shared);
}

static tut_status weigh(tut_evidence_index *index, const tut_want_subject *subject,
                        tut_control *control, tut_want_state *state)
{
    tut_match_result found;
    TUT_TRY(tut_evidence_find(index, subject, control, &found));
    size_t n = state->by_standing[found.standing]++;
    state->subjects++;
    if (n < TUT_NAMED_SUBJECTS)
        state->names[found.standing][n] = subject->name;
    if (n == 0)
        state->first[found.standing] = found.record;
    if (found.standing == TUT_STANDING_NOT_ENOUGH && n == 0)
        state->why = found.why;
    return TUT_SUCCESS;
}

/* Each document at the bytes that were last recorded of it. */
static tut_status weigh_documents(tut_evaluation *e, tut_evidence_index *index,
                                  tut_control *control, tut_want_state *state)
{
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    size_t count = tut_design_of_check(&e->design, state->want->check, paths);
    for (size_t i = 0; i < count; i++) {
        tut_want_subject subject;
        TUT_TRY(tut_known_document(e, paths[i], &subject));
        TUT_TRY(weigh(index, &subject, control, state));
    }
    return TUT_SUCCESS;
}

static tut_status weigh_all(tut_evaluation *e, tut_control *control, tut_want_state *state)
{
    const tut_want *want = state->want;
    TUT_AUTO(tut_evidence_index) index = NULL;
    TUT_TRY(tut_evidence_index_new(e, control->clause, want, &index));
    if (want->scope == TUT_SCOPE_SYSTEM || want->scope == TUT_SCOPE_ORGANISATION) {
        bool is_whole = want->scope == TUT_SCOPE_ORGANISATION;
        tut_want_subject subject = {.name = is_whole ? TUT_SUBJECT_ORGANISATION
                                                     : TUT_SUBJECT_SYSTEM,
                                    .is_any_digest = is_whole,
                                    .has_digest = true,
                                    .digest = e->system_digest};
        return e->has_system ? weigh(index, &subject, control, state) : TUT_SUCCESS;
    }
    if (want->scope == TUT_SCOPE_DOCUMENT)
        return weigh_documents(e, index, control, state);
    for (size_t i = 0; i < e->asset_count; i++) {
        const tut_known_asset *a = &e->assets[i];
        if (!is_in_scope(want, a))
            continue;
        tut_want_subject subject = {
            .name = a->id, .has_digest = a->has_digest, .digest = a->digest};
        TUT_TRY(weigh(index, &subject, control, state));
    }
    state->is_nothing_wanted = state->subjects == 0 && e->has_system && want->is_none_fine;
    return TUT_SUCCESS;
}

bool tut_want_holds(const tut_want_state *s)
{
    return s->is_nothing_wanted ||
           (s->subjects > 0 &&
            s->by_standing[TUT_STANDING_HOLDS] + s->by_standing[TUT_STANDING_EXEMPT] ==
                s->subjects);
}

/* --- reasons --- */

static void add_names(tut_buf *out, const tut_want_state *s, tut_standing standing)
{
    size_t count = s->by_standing[standing];
    for (size_t i = 0; i < count && i < TUT_NAMED_SUBJECTS; i++)
        tut_buf_printf(out, "%s%s", i ? ", " : "", s->names[standing][i]);
    if (count > TUT_NAMED_SUBJECTS)
        tut_buf_printf(out, " and %zu more", count - TUT_NAMED_SUBJECTS);
}

static const char *empty_scope(const tut_want *want)
{
    switch (want->scope) {
    case TUT_SCOPE_SYSTEM:
    case TUT_SCOPE_ORGANISATION:
        return "no system has been described and assessed yet";
    case TUT_SCOPE_EVERY_ASSET:
        return "no such asset is declared";
    case TUT_SCOPE_EVERY_EXTERNAL:
        return "no such asset from outside is declared";
    case TUT_SCOPE_EVERY_SENSITIVE:
        return "no such asset is marked confidential or personal";
    case TUT_SCOPE_EVERY_SHARED:
        return "no asset is marked as shared";
    case TUT_SCOPE_DOCUMENT:
        return "tutela.yaml names no such document (design)";
    }
    return "no asset is declared";
}

static tut_status reason_contradicted(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    const tut_record *r = s->first[TUT_STANDING_CONTRADICTED];
    size_t count = s->by_standing[TUT_STANDING_CONTRADICTED];
    if (count == 0)
        return TUT_SUCCESS;
    if (count == 1)
        return tut_control_reason(e, c, "%s", r->statement);
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    add_names(&names, s, TUT_STANDING_CONTRADICTED);
    TUT_TRY(tut_buf_check(&names, e->err));
    return tut_control_reason(e, c, "%s contradict it; the first: %s", tut_buf_z(&names),
                              r->statement);
}

static tut_status reason_stale(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    const tut_record *r = s->first[TUT_STANDING_STALE];
    if (!r)
        return TUT_SUCCESS;
    char day[TUT_TIME_TEXT];
    tut_time_date(r->to, day);
    return tut_control_reason(e, c, "The evidence of %s ran out (%s): %.*s.", day, r->check,
                              (int)s->want->what.len, s->want->what.data);
}

static tut_status reason_named(tut_evaluation *e, tut_control *c, const tut_want_state *s,
                               tut_standing standing, const char *what)
{
    if (s->by_standing[standing] == 0)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    add_names(&names, s, standing);
    TUT_TRY(tut_buf_check(&names, e->err));
    return tut_control_reason(e, c, "%.*s: %s for %s.", (int)s->want->what.len, s->want->what.data,
                              what, tut_buf_z(&names));
}

static tut_status reason_missing(tut_evaluation *e, tut_control *c, const tut_want_state *s)
{
    const tut_want *w = s->want;
    if (s->is_nothing_wanted || (s->subjects > 0 && s->by_standing[TUT_STANDING_MISSING] == 0))
        return TUT_SUCCESS;
    if (s->subjects == 0)
        return tut_control_reason(e, c, "Not checked, because %s: %.*s.%s", empty_scope(w),
                                  (int)w->what.len, w->what.data,
                                  e->has_system && c->clause->applies_when.len
                                      ? " If that is so, claim it under not_applicable."
                                      : "");
    if (!w->is_available)
        return tut_control_reason(e, c,
                                  "Not shown yet: %.*s. \"%.*s\" will decide; this version does "
                                  "not have it.",
                                  (int)w->what.len, w->what.data, (int)w->command.len,
                                  w->command.data);
    return reason_named(e, c, s, TUT_STANDING_MISSING, "no record");
}

static tut_status add_reasons(tut_evaluation *e, tut_control *c, const tut_want_state *states)
{
    size_t count = c->clause->want_count;
    for (size_t i = 0; i < count; i++)
        TUT_TRY(reason_contradicted(e, c, &states[i]));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(reason_stale(e, c, &states[i]));
    for (size_t i = 0; i < count; i++) {
        const tut_want_state *s = &states[i];
        TUT_TRY(reason_named(e, c, s, TUT_STANDING_OTHER_DIGEST,
                             "the evidence is about another version"));
        TUT_TRY(reason_named(e, c, s, TUT_STANDING_NOT_ENOUGH, s->why ? s->why : "not enough"));
    }
    for (size_t i = 0; i < count; i++)
        TUT_TRY(reason_missing(e, c, &states[i]));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(reason_named(e, c, &states[i], TUT_STANDING_EXEMPT, "does not apply, by a test"));
    for (size_t i = 0; i < count; i++)
        if (states[i].is_nothing_wanted)
            TUT_TRY(tut_control_reason(e, c, "Nothing to show, because %s: %.*s.",
                                       empty_scope(states[i].want), (int)states[i].want->what.len,
                                       states[i].want->what.data));
        else if (tut_want_holds(&states[i]) && states[i].by_standing[TUT_STANDING_HOLDS] > 0)
            TUT_TRY(tut_control_reason(e, c, "Shown: %.*s.", (int)states[i].want->what.len,
                                       states[i].want->what.data));
    return TUT_SUCCESS;
}

/* --- not applicable --- */

static tut_status contradiction(tut_evaluation *e, const tut_clause *clause, const char **ret_why)
{
    for (size_t i = 0; i < clause->contradicted_count; i++) {
        bool is_so;
        TUT_TRY(tut_fact_holds(e, clause->contradicted_by[i], &is_so, ret_why));
        if (is_so)
            return TUT_SUCCESS;
    }
    *ret_why = NULL;
    return TUT_SUCCESS;
}

static tut_status judge_claim(tut_evaluation *e, tut_control *c, const tut_not_applicable *claim)
{
    char day[TUT_TIME_TEXT];
    const char *why;
    if (claim->reason.len == 0 || claim->by.len == 0 || !claim->has_expires)
        return tut_control_reason(e, c,
                                  "Claimed not applicable, refused: the claim needs a reason, a "
                                  "name and an end date.");
    tut_time_date(claim->expires, day);
    if (e->a->evaluated_at >= claim->expires)
        return tut_control_reason(e, c, "Claimed not applicable, refused: the claim ended on %s.",
                                  day);
    TUT_TRY(contradiction(e, c->clause, &why));
    if (why)
        return tut_control_reason(e, c, "Claimed not applicable, refused: %s.", why);
    c->verdict = TUT_CONTROL_NOT_APPLICABLE;
    TUT_TRY(tut_control_reason(e, c, "%.*s", (int)claim->reason.len, claim->reason.data));
    return tut_control_reason(e, c,
                              "Stated by %.*s, until %s; nothing in inventory or scan speaks "
                              "against it.",
                              (int)claim->by.len, claim->by.data, day);
}

static tut_status judge_claims(tut_evaluation *e, tut_control *c)
{
    const tut_system *s = e->a->system;
    for (size_t i = 0; s && i < s->not_applicable_count; i++) {
        if (!tut_str_eq(s->not_applicable[i].clause, c->clause->id))
            continue;
        TUT_TRY(judge_claim(e, c, &s->not_applicable[i]));
        if (c->verdict == TUT_CONTROL_NOT_APPLICABLE)
            return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

/* --- the verdict --- */

static tut_control_verdict verdict_of(const tut_want_state *states, size_t count)
{
    size_t holding = 0;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (states[i].by_standing[TUT_STANDING_CONTRADICTED] > 0)
            return TUT_CONTROL_NOT_MET;
        holding += tut_want_holds(&states[i]);
        any = any || states[i].by_standing[TUT_STANDING_HOLDS] > 0;
    }
    if (count > 0 && holding == count)
        return TUT_CONTROL_MET;
    return any ? TUT_CONTROL_PARTLY : TUT_CONTROL_NOT_CHECKED;
}

tut_status tut_control_evaluate(tut_evaluation *e, tut_control *control)
{
    const tut_clause *clause = control->clause;
    control->verdict = TUT_CONTROL_NOT_CHECKED;
    TUT_TRY(judge_claims(e, control));
    if (control->verdict == TUT_CONTROL_NOT_APPLICABLE)
        return TUT_SUCCESS;
    TUT_AUTO_FREE tut_want_state *states = tut_alloc_array(clause->want_count + 1, sizeof(*states));
    if (!states)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < clause->want_count; i++) {
        states[i].want = &clause->wants[i];
        TUT_TRY(weigh_all(e, control, &states[i]));
    }
    control->verdict = verdict_of(states, clause->want_count);
    for (size_t i = 0; i < clause->want_count; i++)
        control->is_stale = control->is_stale || states[i].by_standing[TUT_STANDING_STALE] > 0;
    control->is_stale = control->is_stale && (control->verdict == TUT_CONTROL_PARTLY ||
                                              control->verdict == TUT_CONTROL_NOT_CHECKED);
    TUT_TRY(tut_evidence_note_unused(e, control));
    TUT_TRY(add_reasons(e, control, states));
    return control->verdict == TUT_CONTROL_MET ? TUT_SUCCESS
                                               : tut_control_refresh(e, control, states);
}
