/* One gate: how each thing it wants stands, who signed, and what that comes to. */
#include <string.h>

#include "govern/gate_internal.h"

static const char *const standing_names[TUT_GATE_STANDINGS] = {
    "holds", "not_applicable", "not_in_this_version", "failed",
    "stale", "other_version",  "not_enough",          "missing"};

const char *tut_gate_standing_name(tut_gate_standing s)
{
    return standing_names[s];
}

bool tut_gate_is_open(const tut_gate_decision *d)
{
    return d->state == TUT_GATE_OPEN || d->state == TUT_GATE_OVERRIDDEN;
}

/* --- what is wanted --- */

static bool has_use(const tut_control *c, tut_use use)
{
    for (size_t i = 0; i < c->evidence_count; i++)
        if (c->evidence[i].use == use)
            return true;
    return false;
}

static tut_gate_standing standing_of(const tut_control *c)
{
    switch (c->verdict) {
    case TUT_CONTROL_MET:
        return TUT_GATE_HOLDS;
    case TUT_CONTROL_NOT_APPLICABLE:
        return TUT_GATE_NOT_APPLICABLE;
    case TUT_CONTROL_NOT_MET:
        return TUT_GATE_CONTRADICTED;
    case TUT_CONTROL_PARTLY:
    case TUT_CONTROL_NOT_CHECKED:
    case TUT_CONTROL_VERDICT_COUNT:
        break;
    }
    if (has_use(c, TUT_USE_STALE))
        return TUT_GATE_STALE;
    if (has_use(c, TUT_USE_NOT_ENOUGH))
        return TUT_GATE_NOT_ENOUGH;
    return has_use(c, TUT_USE_OTHER_DIGEST) ? TUT_GATE_OTHER : TUT_GATE_MISSING;
}

static tut_time earlier(tut_time a, tut_time b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* When the first piece that it rests on runs out. */
static tut_time due_of(const tut_gate_view *v, const tut_demand *d)
{
    tut_time due = 0;
    uint32_t policy = v->system->max_age_days, days = d->strict.max_age_days;
    if (policy && policy < days)
        days = policy;
    for (size_t i = 0; i < d->control.evidence_count; i++) {
        const tut_evidence_use *use = &d->control.evidence[i];
        if (use->use != TUT_USE_COUNTS)
            continue;
        due = earlier(due, use->record->expires);
        due = earlier(due, use->record->to + (tut_time)days * TUT_DAY_SECONDS + 1);
    }
    return due;
}

static void weigh_item(const tut_gate_view *v, const tut_gate *gate, tut_gate_item *item)
{
    const tut_control *c = &item->demand->control;
    item->standing = standing_of(c);
    item->why = c->reason_count ? c->reasons[0] : "";
    if (gate->wants_by_default && item->standing == TUT_GATE_MISSING &&
        !item->demand->strict.is_available)
        item->standing = TUT_GATE_LEFT_OUT;
    if (item->standing == TUT_GATE_HOLDS)
        item->due = due_of(v, item->demand);
}

/* --- signatures --- */

static void put_bytes(tut_buf *out, const char *name, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_buf_printf(out, "%s %s\n", hex, name);
}

static void put_documents(const tut_gate_view *v, tut_buf *out)
{
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    size_t count = tut_design_documents(&v->design, paths);
    for (size_t i = 0; i < count; i++) {
        const tut_record *r = tut_assessment_document(v->assessment, paths[i]);
        if (r)
            put_bytes(out, r->subjects[0].name, &r->subjects[0].digest);
    }
}

tut_status tut_gate_about(const tut_gate_view *v, const tut_gate *gate, tut_sha256 *ret_about,
                          tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "tutela/gate/1\n%.*s\n", (int)gate->name.len, gate->name.data);
    put_bytes(&text, "tutela.yaml", &v->system->digest);
    for (size_t i = 0; i < v->assessment->asset_count; i++)
        tut_buf_printf(&text, "%s %s\n", v->assessment->assets[i].digest,
                       v->assessment->assets[i].id);
    put_documents(v, &text);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_sha256_of(tut_buf_span(&text), ret_about, err);
}

static bool is_signature_on(const tut_record *r, tut_str gate)
{
    size_t len = strlen(TUT_SUBJECT_GATE);
    return r->type == TUT_RECORD_EVIDENCE &&
           strncmp(r->check, TUT_CHECK_SIGNATURE "/", strlen(TUT_CHECK_SIGNATURE) + 1) == 0 &&
           strncmp(r->subjects[0].name, TUT_SUBJECT_GATE, len) == 0 &&
           tut_str_eq_z(gate, r->subjects[0].name + len);
}

static const char *bar_of(const tut_gate_decision *d, const tut_record *r,
                          const tut_record_signer *s, tut_time at, tut_time until)
{
    if (r->doubt)
        return r->doubt;
    if (!s->counts || !s->name)
        return s->why ? s->why : "the key does not count";
    if (at >= until)
        return "it ran out";
    return tut_sha256_eq(&r->subjects[0].digest, &d->about) ? NULL : "about another version";
}

/* The newest word of each person decides; a later one about something else does not undo what was
 * signed about this. */
static tut_gate_signature *slot_of(tut_gate_decision *d, const char *name)
{
    for (size_t i = 0; i < d->signature_count; i++)
        if (strcmp(d->signatures[i].name, name) == 0)
            return &d->signatures[i];
    return d->signature_count < TUT_GATE_SIGNERS_MAX ? &d->signatures[d->signature_count++] : NULL;
}

static void take_signature(tut_gate_decision *d, const tut_record *r, tut_time at)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        if (s->is_tool || !s->name)
            continue;
        tut_time until = r->to + (tut_time)d->gate->signature_days * TUT_DAY_SECONDS;
        until = earlier(until, r->expires);
        const char *why_not = bar_of(d, r, s, at, until);
        tut_gate_signature *slot = slot_of(d, s->name);
        if (!slot || (slot->name && !slot->why_not && why_not))
            continue;
        *slot = (tut_gate_signature){.name = s->name,
                                     .roles = s->roles,
                                     .index = r->index,
                                     .at = r->to,
                                     .until = until,
                                     .why_not = why_not};
    }
}

static tut_status take_signatures(tut_gate_view *v, tut_gate_decision *d, tut_error *err)
{
    uint32_t roles[TUT_GATE_SIGNERS_MAX];
    size_t count = 0;
    TUT_TRY(tut_gate_about(v, d->gate, &d->about, err));
    for (size_t i = 0; i < v->records->count; i++)
        if (is_signature_on(&v->records->items[i], d->gate->name))
            take_signature(d, &v->records->items[i], v->assessment->evaluated_at);
    for (size_t i = 0; i < d->signature_count; i++)
        if (!d->signatures[i].why_not)
            roles[count++] = d->signatures[i].roles;
    d->is_signed = tut_people_fill(roles, count, d->gate->demand);
    return TUT_SUCCESS;
}

/* --- the whole --- */

static void count_findings(const tut_gate_view *v, tut_gate_decision *d, const tut_gate_question *q)
{
    const tut_assessment *a = v->assessment;
    bool has = q->has_fail_on || d->gate->has_findings;
    tut_severity from = q->has_fail_on ? q->fail_on : d->gate->findings;
    for (size_t i = 0; has && i < a->finding_count; i++) {
        if (a->findings[i].severity < from)
            continue;
        if (d->findings++ == 0)
            d->first_finding = a->findings[i].rule;
    }
}

static void look_before(const tut_gate_view *v, size_t at, tut_gate_decision *d)
{
    for (size_t k = 0; k < d->gate->after.count; k++) {
        for (size_t i = 0; i < at; i++) {
            const tut_gate_decision *b = &v->decisions[i];
            if (!tut_str_eq(b->gate->name, d->gate->after.items[k]) || tut_gate_is_open(b))
                continue;
            if (d->waits_for.len == 0)
                d->waits_for = b->gate->name;
            d->waits_failed = d->waits_failed || b->state == TUT_GATE_FAILED;
        }
    }
}

static const tut_override *override_of(const tut_gate_view *v, tut_str gate)
{
    const tut_assessment *a = v->assessment;
    for (size_t i = 0; i < a->override_count; i++)
        if (a->overrides[i].state == TUT_OVERRIDE_IN_FORCE &&
            tut_str_eq_z(gate, a->overrides[i].gate))
            return &a->overrides[i];
    return NULL;
}

static tut_gate_state judge(const tut_gate_view *v, const tut_gate_decision *d)
{
    const size_t *n = d->by_standing;
    size_t shown = n[TUT_GATE_HOLDS] + n[TUT_GATE_NOT_APPLICABLE];
    if (n[TUT_GATE_CONTRADICTED] > 0 || d->findings > 0 || d->waits_failed)
        return TUT_GATE_FAILED;
    /* What nothing was shown of does not open: green would only say that nobody looked. */
    if (!v->was_assessed || v->change_count > 0 || shown == 0 || d->waits_for.len > 0 ||
        !d->is_signed || shown + n[TUT_GATE_LEFT_OUT] < d->item_count)
        return TUT_GATE_LACKING;
    return TUT_GATE_OPEN;
}

static tut_time due_of_all(const tut_gate_view *v, size_t at, const tut_gate_decision *d)
{
    if (d->state == TUT_GATE_OVERRIDDEN)
        return d->override->expires;
    tut_time due = 0;
    for (size_t i = 0; i < d->item_count; i++)
        due = earlier(due, d->items[i].due);
    for (size_t i = 0; i < d->signature_count; i++)
        if (!d->signatures[i].why_not)
            due = earlier(due, d->signatures[i].until);
    for (size_t k = 0; k < d->gate->after.count; k++)
        for (size_t i = 0; i < at; i++)
            if (tut_str_eq(v->decisions[i].gate->name, d->gate->after.items[k]))
                due = earlier(due, v->decisions[i].due);
    return due;
}

tut_status tut_gate_decide(tut_gate_view *v, size_t at, const tut_gate_question *q, tut_error *err)
{
    tut_gate_decision *d = &v->decisions[at];
    for (size_t i = 0; i < d->item_count; i++) {
        weigh_item(v, d->gate, &d->items[i]);
        d->by_standing[d->items[i].standing]++;
    }
    TUT_TRY(take_signatures(v, d, err));
    count_findings(v, d, q);
    look_before(v, at, d);
    d->state = judge(v, d);
    /* Two people let pass what they saw, and nothing that came into its place since. */
    if (d->state != TUT_GATE_OPEN && v->was_assessed && v->change_count == 0)
        d->override = override_of(v, d->gate->name);
    if (d->override)
        d->state = TUT_GATE_OVERRIDDEN;
    if (tut_gate_is_open(d))
        d->due = due_of_all(v, at, d);
    return TUT_SUCCESS;
}
