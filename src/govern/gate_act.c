/* What people do at a gate: sign what it came to, or let it pass all the same. */
#include <string.h>

#include "assess/tool.h"
#include "govern/gate_internal.h"
#include "govern/training_rights.h"

/* --- who may --- */

tut_status tut_gate_may_sign(const tut_gate_view *v, const tut_key *key, uint32_t roles,
                             const tut_person **ret_person, tut_error *err)
{
    const tut_person *person = NULL;
    const char *why = NULL;
    const char *id = tut_pubkey_id(tut_key_public(key));
    TUT_AUTO(tut_training_rights) rights = NULL;
    TUT_TRY(
        tut_training_rights_new(v->system->file, tut_ledger_state_dir(v->ledger), &rights, err));
    const tut_act act = {.roles = roles,
                         .index = v->records->log_size,
                         .lacks_training = tut_training_rights_lack,
                         .training = rights};
    if (tut_people_may_sign(v->records->people, id, &act, &person, &why)) {
        *ret_person = person;
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_DENIED, "%s cannot sign this: %s",
                    person ? person->name : "the holder of this key", why);
}

/* --- signing --- */

static uint32_t roles_of(const tut_gate *gate)
{
    uint32_t roles = 0;
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        roles |= gate->demand[i] ? 1u << i : 0;
    return roles;
}

/* Anything but signatures that keeps the gate closed, in words; NULL: nothing. */
static const char *find_obstacle(const tut_gate_view *v, const tut_gate_decision *d)
{
    const size_t *n = d->by_standing;
    if (!v->was_assessed)
        return "the system was not assessed yet";
    if (v->change_count > 0)
        return "something changed since it was assessed; tutela assess looks at it";
    if (d->waits_for.len > 0)
        return "a gate before it is closed";
    if (n[TUT_GATE_CONTRADICTED] > 0 || d->findings > 0)
        return "something that it wants does not hold";
    if (n[TUT_GATE_HOLDS] + n[TUT_GATE_NOT_APPLICABLE] == 0 ||
        n[TUT_GATE_HOLDS] + n[TUT_GATE_NOT_APPLICABLE] + n[TUT_GATE_LEFT_OUT] < d->item_count)
        return "something that it wants is not shown";
    return NULL;
}

static tut_status write_decision(const tut_gate_view *v, const tut_gate_decision *d, tut_buf *out,
                                 tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.gate-decision/1");
    tut_json_put_str(j, "gate", d->gate->name);
    tut_json_key(j, "description");
    tut_json_sha256(j, v->system->digest.bytes);
    tut_json_key(j, "about");
    tut_json_sha256(j, d->about.bytes);
    tut_json_key(j, "wants");
    tut_json_array(j);
    for (size_t i = 0; i < d->item_count; i++) {
        const tut_gate_item *item = &d->items[i];
        tut_json_object(j);
        tut_json_put_str(j, "clause", item->demand->of->id);
        tut_json_put_str(j, "check", item->demand->strict.check);
        tut_json_put_z(j, "state", tut_gate_standing_name(item->standing));
        tut_json_key(j, "evidence");
        tut_json_array(j);
        for (size_t k = 0; k < item->demand->control.evidence_count; k++)
            if (item->demand->control.evidence[k].use == TUT_USE_COUNTS)
                tut_json_u64(j, item->demand->control.evidence[k].record->index);
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static const tut_gate_signature *find_signature(const tut_gate_decision *d, const char *name)
{
    for (size_t i = 0; i < d->signature_count; i++)
        if (!d->signatures[i].why_not && strcmp(d->signatures[i].name, name) == 0)
            return &d->signatures[i];
    return NULL;
}

static tut_status append_signature(const tut_gate_view *v, const char *state_dir, const char *by,
                                   const tut_key *key, uint64_t *ret_index, tut_error *err)
{
    const tut_gate_decision *d = tut_gate_asked(v);
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO_FREE char *name = tut_asprintf(TUT_SUBJECT_GATE "%.*s", (int)d->gate->name.len,
                                            d->gate->name.data);
    TUT_AUTO_FREE char *statement = tut_asprintf(
        "%s signed the gate %.*s: %zu things that it wants hold for this description.", by,
        (int)d->gate->name.len, d->gate->name.data, d->by_standing[TUT_GATE_HOLDS]);
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    if (!name || !statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_subject subjects[] = {{.name = name, .digest = d->about},
                                    {.name = "tutela.yaml", .digest = v->system->digest}};
    tut_time now = tut_time_now();
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = now,
                    .from = now,
                    .to = now,
                    .expires = now + (tut_time)d->gate->signature_days * TUT_DAY_SECONDS,
                    .check = TUT_CHECK_SIGNATURE "/1",
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .subjects = subjects,
                    .subject_count = 2,
                    .actor = by,
                    .statement = statement};
    TUT_TRY(write_decision(v, d, &body, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    TUT_TRY(tut_tool_append(ledger, &r, tut_buf_span(&body), key, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_gate_sign(const tut_gate_view *v, const char *state_dir, const char *by,
                         const tut_key *key, uint64_t *ret_index, bool *ret_is_new, tut_error *err)
{
    const tut_gate_decision *d = tut_gate_asked(v);
    const tut_person *person;
    const char *obstacle = find_obstacle(v, d);
    TUT_TRY(tut_gate_may_sign(v, key, roles_of(d->gate), &person, err));
    if (obstacle)
        return tut_fail(err, TUT_DENIED,
                        "nothing is signed while the gate is closed: %s; tutela gate check %.*s "
                        "says more",
                        obstacle, (int)d->gate->name.len, d->gate->name.data);
    const tut_gate_signature *before = find_signature(d, person->name);
    *ret_is_new = before == NULL;
    if (before) {
        *ret_index = before->index;
        return TUT_SUCCESS;
    }
    return append_signature(v, state_dir, by, key, ret_index, err);
}

/* --- overriding --- */

enum { REASON_LEAST = 10 };

static tut_status check_reason(const char *reason, tut_error *err)
{
    tut_str text = tut_str_of(reason);
    if (text.len < REASON_LEAST || text.len > TUT_PERSON_REASON_MAX || !tut_utf8_valid(text))
        return tut_fail(err, TUT_USAGE, "a reason is a sentence, of %d to %d bytes", REASON_LEAST,
                        TUT_PERSON_REASON_MAX);
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.data[i] < 0x20)
            return tut_fail(err, TUT_USAGE, "a reason is one line of text");
    return TUT_SUCCESS;
}

static const tut_override *find_override(const tut_gate_view *v, uint64_t entry)
{
    const tut_assessment *a = v->assessment;
    for (size_t i = 0; i < a->override_count; i++)
        for (size_t k = 0; k < a->overrides[i].entry_count; k++)
            if (a->overrides[i].entries[k] == entry)
                return &a->overrides[i];
    return NULL;
}

/* What the first one signed is what the second one signs. */
static tut_status take_first(const tut_gate_view *v, const tut_gate_decision *d,
                             tut_gate_overriding *how, tut_error *err)
{
    const tut_override *o = find_override(v, how->first);
    if (!o || !tut_str_eq_z(d->gate->name, o->gate))
        return tut_fail(err, TUT_USAGE, "entry %llu is no override of the gate %.*s",
                        (unsigned long long)how->first, (int)d->gate->name.len, d->gate->name.data);
    if (o->state != TUT_OVERRIDE_WAITING)
        return tut_fail(err, TUT_USAGE, "the override of entry %llu does not wait for anybody: %s",
                        (unsigned long long)how->first, tut_override_state_name(o->state));
    for (size_t i = 0; i < o->by_count; i++)
        if (strcmp(o->by[i], how->by) == 0)
            return tut_fail(err, TUT_DENIED, "%s signed it already; another person has to",
                            how->by);
    how->reason = o->reason;
    how->expires = o->expires;
    return TUT_SUCCESS;
}

static tut_status append_override(const tut_gate_view *v, const char *state_dir,
                                  const tut_gate_overriding *how, const tut_key *key,
                                  uint64_t *ret_index, tut_error *err)
{
    const tut_gate_decision *d = tut_gate_asked(v);
    TUT_AUTO_FREE char *gate = tut_strndup(d->gate->name.data, d->gate->name.len);
    TUT_AUTO_FREE char *name = gate ? tut_asprintf(TUT_SUBJECT_GATE "%s", gate) : NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_subject subjects[] = {{.name = name}, {.name = "tutela.yaml", .digest = v->system->digest}};
    tut_time now = tut_time_now();
    TUT_TRY(tut_override_id(gate, &v->system->digest, how->expires, how->reason,
                            &subjects[0].digest, err));
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = now,
                    .from = now,
                    .to = now,
                    .expires = how->expires,
                    .check = TUT_CHECK_OVERRIDE "/1",
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .subjects = subjects,
                    .subject_count = 2,
                    .actor = how->by,
                    .statement = how->reason};
    TUT_TRY(write_decision(v, d, &body, err)); /* what was let pass: kept with it */
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    TUT_TRY(tut_tool_append(ledger, &r, tut_buf_span(&body), key, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_gate_override(const tut_gate_view *v, const char *state_dir,
                             const tut_gate_overriding *how, const tut_key *key,
                             uint64_t *ret_index, tut_override_state *ret_state, tut_error *err)
{
    const tut_gate_decision *d = tut_gate_asked(v);
    const uint32_t roles = (1u << TUT_PERSON_ROLE_COUNT) - 1 - TUT_PERSON_ROOT;
    const tut_person *person;
    tut_gate_overriding o = *how;
    TUT_TRY(tut_gate_may_sign(v, key, roles, &person, err));
    o.by = person->name;
    if (!v->was_assessed || v->change_count > 0)
        return tut_fail(
            err, TUT_DENIED,
            "something changed since the system was assessed, and nobody lets pass what "
            "was not looked at; tutela assess");
    if (d->state == TUT_GATE_OPEN)
        return tut_fail(err, TUT_USAGE, "the gate is open; there is nothing to override");
    if (o.is_second)
        TUT_TRY(take_first(v, d, &o, err));
    TUT_TRY(check_reason(o.reason, err));
    if (o.expires <= tut_time_now())
        return tut_fail(err, TUT_USAGE, "an override ends on a day that is still to come");
    TUT_TRY(append_override(v, state_dir, &o, key, ret_index, err));
    *ret_state = TUT_OVERRIDE_WAITING;
    const tut_override *first = o.is_second ? find_override(v, o.first) : NULL;
    uint32_t any = person->roles & roles;
    for (size_t i = 0; first && i < first->by_count; i++)
        any |= first->roles[i] & roles;
    if (first && (any & (any - 1)) != 0)
        *ret_state = TUT_OVERRIDE_IN_FORCE;
    return TUT_SUCCESS;
}
