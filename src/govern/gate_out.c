/* What `tutela gate` says: for people, and as tutela.gate/1. */
#include <string.h>

#include "govern/gate.h"

static const char *const state_names[] = {"open", "overridden", "closed", "closed"};

int tut_gate_exit(const tut_gate_view *v)
{
    bool lacks = false;
    size_t first = v->is_of_one ? v->decision_count - 1 : 0; /* what it comes after is in it */
    for (size_t i = first; i < v->decision_count; i++) {
        if (v->decisions[i].state == TUT_GATE_FAILED)
            return 1;
        lacks = lacks || v->decisions[i].state == TUT_GATE_LACKING;
    }
    return lacks ? 3 : 0;
}

/* --- JSON --- */

static void put_due(tut_json *j, const char *key, tut_time due)
{
    if (due)
        tut_json_put_time(j, key, due);
    else
        tut_json_put_or_null(j, key, TUT_LIT(""));
}

static void put_evidence(tut_json *j, const tut_control *c)
{
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < c->evidence_count; i++) {
        tut_json_object(j);
        tut_json_put_u64(j, "index", c->evidence[i].record->index);
        tut_json_put_z(j, "use", tut_use_name(c->evidence[i].use));
        tut_json_put_z(j, "why", c->evidence[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_item(tut_json *j, const tut_gate_item *item)
{
    const tut_demand *d = item->demand;
    tut_json_object(j);
    tut_json_put_str(j, "clause", d->of->id);
    tut_json_put_str(j, "check", d->strict.check);
    tut_json_put_z(j, "state", tut_gate_standing_name(item->standing));
    tut_json_put_str(j, "what", d->strict.what);
    tut_json_put_u64(j, "max_age_days", d->strict.max_age_days);
    tut_json_key(j, "reasons");
    tut_json_array(j);
    for (size_t i = 0; i < d->control.reason_count; i++)
        tut_json_z(j, d->control.reasons[i]);
    tut_json_end_array(j);
    put_due(j, "due", item->due);
    tut_json_put_or_null(j, "refresh", d->control.refresh);
    put_evidence(j, &d->control);
    tut_json_end_object(j);
}

static void put_signature(tut_json *j, const tut_gate_signature *s)
{
    tut_json_object(j);
    tut_json_put_z(j, "name", s->name);
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (size_t r = 0; r < TUT_PERSON_ROLE_COUNT; r++)
        if (s->roles & (1u << r))
            tut_json_z(j, tut_person_roles[r]);
    tut_json_end_array(j);
    tut_json_put_u64(j, "index", s->index);
    tut_json_put_time(j, "at", s->at);
    tut_json_put_time(j, "until", s->until);
    tut_json_put_bool(j, "counts", s->why_not == NULL);
    tut_json_put_z(j, "why", s->why_not);
    tut_json_end_object(j);
}

static void put_demand(tut_json *j, const tut_gate *gate)
{
    tut_json_key(j, "signers");
    tut_json_array(j);
    for (size_t r = 0; r < TUT_PERSON_ROLE_COUNT; r++) {
        if (gate->demand[r] == 0)
            continue;
        tut_json_object(j);
        tut_json_put_z(j, "role", tut_person_roles[r]);
        tut_json_put_u64(j, "count", gate->demand[r]);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* When its last signature, or last piece of evidence, was given: since then it is what it is. */
static tut_time since_of(const tut_gate_decision *d)
{
    tut_time since = d->state == TUT_GATE_OVERRIDDEN ? d->override->since : 0;
    for (size_t i = 0; d->state == TUT_GATE_OPEN && i < d->signature_count; i++)
        if (!d->signatures[i].why_not && d->signatures[i].at > since)
            since = d->signatures[i].at;
    return since;
}

static void put_actors(tut_json *j, const tut_gate_decision *d)
{
    tut_json_key(j, "actors");
    tut_json_array(j);
    for (size_t i = 0; i < d->signature_count; i++)
        if (!d->signatures[i].why_not)
            tut_json_z(j, d->signatures[i].name);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < d->item_count; i++) {
        const tut_control *c = &d->items[i].demand->control;
        for (size_t k = 0; k < c->evidence_count; k++)
            if (c->evidence[k].use == TUT_USE_COUNTS)
                tut_json_u64(j, c->evidence[k].record->index);
    }
    for (size_t i = 0; i < d->signature_count; i++)
        if (!d->signatures[i].why_not)
            tut_json_u64(j, d->signatures[i].index);
    tut_json_end_array(j);
}

static void put_decision(tut_json *j, const tut_gate_decision *d)
{
    tut_json_object(j);
    tut_json_put_str(j, "id", d->gate->name);
    tut_json_put_z(j, "state", state_names[d->state]);
    tut_json_put_or_null(j, "closed_by",
                         d->state == TUT_GATE_FAILED    ? TUT_LIT("failure")
                         : d->state == TUT_GATE_LACKING ? TUT_LIT("lack")
                                                        : TUT_LIT(""));
    put_due(j, "since", since_of(d));
    put_due(j, "due", d->due);
    put_actors(j, d);
    tut_json_key(j, "about");
    tut_json_sha256(j, d->about.bytes);
    tut_json_key(j, "after");
    tut_json_array(j);
    for (size_t i = 0; i < d->gate->after.count; i++)
        tut_json_str(j, d->gate->after.items[i]);
    tut_json_end_array(j);
    tut_json_put_or_null(j, "waits_for", d->waits_for);
    tut_json_put_u64(j, "findings", d->findings);
    tut_json_key(j, "wants");
    tut_json_array(j);
    for (size_t i = 0; i < d->item_count; i++)
        put_item(j, &d->items[i]);
    tut_json_end_array(j);
    put_demand(j, d->gate);
    tut_json_put_bool(j, "signed", d->is_signed);
    tut_json_key(j, "signatures");
    tut_json_array(j);
    for (size_t i = 0; i < d->signature_count; i++)
        put_signature(j, &d->signatures[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

tut_status tut_gate_json(const tut_gate_view *v, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t open = 0;
    TUT_TRY(tut_json_new(out, &j));
    for (size_t i = 0; i < v->decision_count; i++)
        open += tut_gate_is_open(&v->decisions[i]);
    tut_json_head(j, "tutela.gate/1", v->assessment->generated);
    tut_json_put_time(j, "evaluated_at", v->assessment->evaluated_at);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_str(j, "gate", tut_gate_asked(v)->gate->name);
    tut_json_put_u64(j, "gates", v->decision_count);
    tut_json_put_u64(j, "open", open);
    tut_json_key(j, "description");
    tut_json_sha256(j, v->system->digest.bytes);
    tut_json_put_u64(j, "records", v->records->log_size);
    tut_json_put_bool(j, "assessed", v->was_assessed);
    tut_json_end_object(j);
    tut_json_key(j, "changes");
    tut_json_array(j);
    for (size_t i = 0; i < v->change_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "what", v->changes[i].what);
        tut_json_put_z(j, "how", v->changes[i].how);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_overrides_json(v->assessment->overrides, v->assessment->override_count, j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < v->decision_count; i++)
        put_decision(j, &v->decisions[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- text --- */

enum { LABEL = 15, CHANGES_SHOWN = 8 };

static void add_line(const tut_term *t, tut_buf *out, const char *label, const char *text)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, tut_str_of(text ? text : ""), 700);
    tut_buf_printf(out, "  %-*s", LABEL - 2, label);
    tut_term_wrap(t, out, LABEL, tut_buf_str(&safe));
}

static const char *label_of(tut_gate_standing s)
{
    static const char *const labels[TUT_GATE_STANDINGS] = {
        "holds", "n/a", "left out", "failed", "stale", "other version", "not enough", "missing"};
    return labels[s];
}

static void add_item(const tut_term *t, tut_buf *out, const tut_gate_item *item)
{
    const tut_demand *d = item->demand;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%.*s %.*s: %s", (int)d->of->id.len, d->of->id.data,
                   (int)d->strict.check.len, d->strict.check.data, item->why);
    add_line(t, out, label_of(item->standing), tut_buf_z(&text));
    if (d->control.refresh.len == 0)
        return;
    tut_buf_clear(&text);
    tut_buf_add_str(&text, d->control.refresh);
    add_line(t, out, "", tut_buf_z(&text));
}

static void add_signatures(const tut_term *t, tut_buf *out, const tut_gate_decision *d)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < d->signature_count; i++) {
        const tut_gate_signature *s = &d->signatures[i];
        char day[TUT_TIME_TEXT];
        tut_time_date(s->until, day);
        tut_buf_clear(&text);
        if (s->why_not)
            tut_buf_printf(&text, "%s, entry %llu, does not count: %s", s->name,
                           (unsigned long long)s->index, s->why_not);
        else
            tut_buf_printf(&text, "%s, entry %llu, until %s", s->name, (unsigned long long)s->index,
                           day);
        add_line(t, out, "signed", tut_buf_z(&text));
    }
    if (d->is_signed)
        return;
    tut_buf_clear(&text);
    tut_buf_add_z(&text, "wanted are the signatures of");
    const char *between = " ";
    for (size_t r = 0; r < TUT_PERSON_ROLE_COUNT; r++) {
        if (d->gate->demand[r] == 0)
            continue;
        tut_buf_printf(&text, "%s%u %s", between, d->gate->demand[r], tut_person_roles[r]);
        between = ", ";
    }
    add_line(t, out, "not signed", tut_buf_z(&text));
    tut_buf_clear(&text);
    tut_buf_printf(&text, "tutela gate sign %.*s --by PERSON", (int)d->gate->name.len,
                   d->gate->name.data);
    add_line(t, out, "", tut_buf_z(&text));
}

static void add_head(const tut_term *t, tut_buf *out, const tut_gate_decision *d)
{
    static const char *const words[] = {"open", "closed, and overridden",
                                        "closed, as something does not hold",
                                        "closed, as something is missing"};
    static const tut_style styles[] = {TUT_STYLE_GOOD, TUT_STYLE_WARN, TUT_STYLE_BAD,
                                       TUT_STYLE_WARN};
    char day[TUT_TIME_TEXT];
    tut_buf_printf(out, "Gate %.*s is ", (int)d->gate->name.len, d->gate->name.data);
    tut_term_text(t, out, styles[d->state], tut_str_of(words[d->state]));
    if (d->due) {
        tut_time_date(d->due, day);
        tut_buf_printf(out, ", until %s", day);
    }
    tut_buf_printf(out, ": %zu of %zu hold", d->by_standing[TUT_GATE_HOLDS], d->item_count);
    if (d->by_standing[TUT_GATE_NOT_APPLICABLE])
        tut_buf_printf(out, ", %zu do not apply", d->by_standing[TUT_GATE_NOT_APPLICABLE]);
    if (d->by_standing[TUT_GATE_LEFT_OUT])
        tut_buf_printf(out, ", %zu are not in this version", d->by_standing[TUT_GATE_LEFT_OUT]);
    tut_buf_add_z(out, ".\n");
}

static void add_decision(const tut_term *t, tut_buf *out, const tut_gate_decision *d)
{
    static const tut_gate_standing order[] = {TUT_GATE_CONTRADICTED, TUT_GATE_STALE, TUT_GATE_OTHER,
                                              TUT_GATE_NOT_ENOUGH, TUT_GATE_MISSING};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    add_head(t, out, d);
    if (d->override) {
        tut_override_line(d->override, &text);
        add_line(t, out, "override", tut_buf_z(&text));
    }
    if (d->waits_for.len) {
        tut_buf_clear(&text);
        tut_buf_printf(&text, "the gate %.*s before it is closed", (int)d->waits_for.len,
                       d->waits_for.data);
        add_line(t, out, "waits", tut_buf_z(&text));
    }
    if (d->findings) {
        tut_buf_clear(&text);
        tut_buf_printf(&text, "%zu findings stand that are too severe, the first: %s", d->findings,
                       d->first_finding);
        add_line(t, out, "failed", tut_buf_z(&text));
        add_line(t, out, "", "tutela report");
    }
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
        for (size_t i = 0; i < d->item_count; i++)
            if (d->items[i].standing == order[k])
                add_item(t, out, &d->items[i]);
    add_signatures(t, out, d);
}

static void add_change(const tut_term *t, tut_buf *out, const tut_gate_change *c)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_printf(&text, "%s %s", c->what, c->how);
    tut_buf_add_escaped(&safe, tut_buf_str(&text), 300);
    tut_buf_add_z(out, "  ");
    tut_term_wrap(t, out, 2, tut_buf_str(&safe));
}

static void add_changes(const tut_gate_view *v, const tut_term *t, tut_buf *out)
{
    if (!v->was_assessed)
        tut_buf_add_z(out, "Nothing was assessed yet: tutela assess\n");
    if (v->change_count == 0)
        return;
    tut_buf_add_z(out, "Not as it was assessed; tutela assess looks at it:\n");
    for (size_t i = 0; i < v->change_count && i < CHANGES_SHOWN; i++)
        add_change(t, out, &v->changes[i]);
    if (v->change_count > CHANGES_SHOWN)
        tut_buf_printf(out, "  and %zu more\n", v->change_count - CHANGES_SHOWN);
    tut_buf_add_byte(out, '\n');
}

static bool is_shown(const tut_gate_view *v, const tut_override *o)
{
    for (size_t i = 0; i < v->decision_count; i++)
        if (v->decisions[i].override == o)
            return true;
    return false;
}

/* Those that ran out too: they never go. */
static void add_overrides(const tut_gate_view *v, const tut_term *t, tut_buf *out)
{
    const char *label = "overrides";
    for (size_t i = 0; i < v->assessment->override_count; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        if (is_shown(v, &v->assessment->overrides[i]))
            continue;
        tut_override_line(&v->assessment->overrides[i], &text);
        tut_buf_add_z(out, label[0] ? "\n" : "");
        add_line(t, out, label, tut_buf_z(&text));
        label = "";
    }
}

void tut_gate_text(const tut_gate_view *v, const tut_term *term, tut_buf *out)
{
    add_changes(v, term, out);
    for (size_t i = 0; i < v->decision_count; i++) {
        if (i > 0)
            tut_buf_add_byte(out, '\n');
        add_decision(term, out, &v->decisions[i]);
    }
    add_overrides(v, term, out);
}
