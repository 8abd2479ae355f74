/* tutela approvals approve, tutela approvals deny. */
#include <string.h>

#include "cmd/approvals_act.h"
#include "cmd/people_act.h"
#include "cmd/signer.h"
#include "state/records.h"

static const tut_option approve_options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why; it is a part of what is signed"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option deny_options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why; it is a part of what is signed, and wanted"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* Before anything is signed: may this person decide about this? The key's owner, not --by, counts.
 */
static tut_status check_person(const tut_approvals_act *a, const tut_waiting *w, const tut_key *key,
                               const char *by, tut_error *err)
{
    const tut_hold *h = &w->hold;
    TUT_AUTO_FREE char *author = tut_strndup(h->person.data ? h->person.data : "", h->person.len);
    const char *id = tut_pubkey_id(tut_key_public(key)), *why = NULL;
    const tut_person *person = NULL;
    tut_act act = tut_approve_act(&a->place, a->records);
    act.author = author && author[0] ? author : NULL;
    if (!author)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool may = tut_people_may_sign(a->records->people, id, &act, &person, &why);
    if (person && by && !tut_str_ieq(tut_str_of(by), tut_str_of(person->name)))
        return tut_fail(err, TUT_DENIED, "the signing key is that of %s, not of %s", person->name,
                        by);
    if (person && author[0] && tut_str_ieq(tut_str_of(person->name), h->person))
        return tut_fail(err, TUT_DENIED, "%s cannot decide about what his own client asks for",
                        person->name);
    return may ? TUT_SUCCESS
               : tut_fail(err, TUT_DENIED, "%s cannot decide about it: %s",
                          person ? person->name : "the holder of this key", why);
}

static tut_status take(tut_approvals_act *a, const tut_waiting *w, bool is_approval,
                       tut_approved *ret, tut_error *err)
{
    const char *by = tut_args_get(a->args, "--by");
    const char *reason = tut_args_get(a->args, "--reason");
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    if (!is_approval && (!reason || !reason[0]))
        return tut_fail(err, TUT_USAGE, "a denial gives a reason: --reason TEXT");
    if (tut_ledger_origin(a->ledger)[0])
        TUT_TRY(tut_keystore_open(tut_ledger_origin(a->ledger), false, &keys, err));
    TUT_TRY(tut_signer_open(a->args, a->records->people, keys, by, &key, err));
    TUT_TRY(check_person(a, w, key, by, err));
    TUT_TRY(tut_hold_decide(&w->hold, is_approval, tut_str_of(reason ? reason : ""), tut_time_now(),
                            key, &envelope, err));
    return tut_approve_take(&a->place, a->ledger, a->who, w, tut_buf_span(&envelope), key, ret,
                            err);
}

static tut_status write_json(const tut_waiting *w, const tut_approved *d, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.approvals/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", d->index);
    tut_json_put_int(j, "latency_ms", d->latency_ms);
    tut_json_put_u64(j, "approvals", d->approvals);
    tut_json_put_u64(j, "people", w->hold.people);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "id", w->hold.id);
    tut_json_put_z(j, "state", tut_hold_state_name(d->state));
    tut_json_put_time(j, "since", w->hold.at_ms / 1000);
    tut_json_put_time(j, "due", w->hold.expires_ms / 1000);
    tut_json_key(j, "actors");
    tut_json_array(j);
    tut_json_z(j, d->decision.by);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    tut_json_u64(j, d->index);
    tut_json_end_array(j);
    tut_json_put_z(j, "decision", d->decision.is_approval ? "approve" : "deny");
    tut_json_put_z(j, "reason", d->decision.reason);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const tut_waiting *w, const tut_approved *d, tut_buf *out,
                             tut_error *err)
{
    char span[32];
    tut_approvals_span(d->latency_ms, span);
    tut_buf_add_escaped(out, tut_str_of(d->decision.by), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, " %s %.8s (", d->decision.is_approval ? "approved" : "denied", w->hold.id);
    tut_buf_add_escaped(out, tut_approvals_word(&w->hold), 80);
    tut_buf_printf(out, ") after %s: entry %llu.\n", span, (unsigned long long)d->index);
    if (d->state == TUT_HOLD_WAITING)
        tut_buf_printf(out, "That is %zu of %u; it waits for another person.\n", d->approvals,
                       w->hold.people);
    if (d->decision.is_approval && !w->seen_ms)
        tut_buf_add_z(out, "Nobody had looked at it with tutela approvals show; the record says "
                           "so.\n");
    return tut_buf_check(out, err);
}

static tut_status decide(tut_approvals_act *a, const tut_args *args, bool is_approval, tut_buf *out,
                         tut_error *err)
{
    const tut_waiting *w;
    tut_approved d;
    TUT_TRY(tut_approvals_open(a, args, true, err));
    TUT_TRY(tut_waiting_find(&a->list, tut_str_of(args->positional[0]), &w, err));
    TUT_TRY(take(a, w, is_approval, &d, err));
    return strcmp(args->format, "json") == 0 ? write_json(w, &d, out, err)
                                             : write_text(w, &d, out, err);
}

static int run(const tut_args *args, bool is_approval)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_approvals_act) a = {0};
    tut_error err = {0};
    if (!tut_is_ok(decide(&a, args, is_approval, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

static int approve(const tut_args *args)
{
    return run(args, true);
}

static int deny(const tut_args *args)
{
    return run(args, false);
}

const tut_command tut_cmd_approvals_approve = {
    .name = "approvals approve",
    .arguments = "ID",
    .summary = "Let it happen, with a signature over exactly what waits",
    .help = "The signature is over the digest of what waits, the policy's version, a number that "
            "is used once, and the end of the hold: it approves nothing else. It is in the log "
            "before the guard sees it. Nobody decides about what his own client asks for.\n\n"
            "tutela approvals approve 3f2a0c11 --by Ada",
    .formats = "table json",
    .options = approve_options,
    .least = 1,
    .most = 1,
    .run = approve,
};

const tut_command tut_cmd_approvals_deny = {
    .name = "approvals deny",
    .arguments = "ID",
    .summary = "Refuse it, with a reason and a signature",
    .help = "One denial is enough, whoever approved before.\n\n"
            "tutela approvals deny 3f2a0c11 --by Ada --reason \"not our supplier\"",
    .formats = "table json",
    .options = deny_options,
    .least = 1,
    .most = 1,
    .run = deny,
};
