/*
 * A decision: a DSSE envelope of an in-toto Statement whose one subject is what waits:
 *
 *   {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:tutela:hold-decision:1",
 *    "subject": [{"name": "hold/ID", "digest": {"sha256": HEX}}],
 *    "predicate": {"hold": ID, "policy": {"sha256": HEX}, "nonce": HEX, "decision": "approve",
 *                  "at": TIME, "expires": TIME, "reason": TEXT}}
 *
 * A member that is not known is refused: it might narrow what somebody signed.
 */
#include <stdio.h>

#include "crypto/dsse.h"
#include "guard/hold_internal.h"

#define STATEMENT "https://in-toto.io/Statement/v1"

/* --- writing --- */

static void put_statement(const tut_hold *h, bool is_approval, tut_str reason, tut_time at,
                          tut_json *j)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_json_object(j);
    tut_json_put_z(j, "_type", STATEMENT);
    tut_json_put_z(j, "predicateType", TUT_HOLD_PREDICATE);
    tut_json_key(j, "subject");
    tut_json_array(j);
    tut_json_object(j);
    tut_buf_printf(&text, "hold/%s", h->id);
    tut_json_put_str(j, "name", tut_buf_str(&text));
    tut_json_key(j, "digest");
    tut_json_sha256(j, h->digest.bytes);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_key(j, "predicate");
    tut_json_object(j);
    tut_json_put_z(j, "hold", h->id);
    tut_json_key(j, "policy");
    tut_json_sha256(j, h->policy.bytes);
    tut_buf_clear(&text);
    tut_buf_add_hex(&text, h->nonce, sizeof(h->nonce));
    tut_json_put_str(j, "nonce", tut_buf_str(&text));
    tut_json_put_z(j, "decision", is_approval ? "approve" : "deny");
    tut_json_put_time(j, "at", at);
    tut_json_put_time(j, "expires", h->expires_ms / 1000);
    tut_json_put_str(j, "reason", reason);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static tut_status check_reason(bool is_approval, tut_str reason, tut_error *err)
{
    if (!is_approval && tut_str_trim(reason).len == 0)
        return tut_fail(err, TUT_USAGE, "a denial gives a reason");
    if (reason.len > TUT_HOLD_REASON_BYTES || !tut_utf8_valid(reason))
        return tut_fail(err, TUT_USAGE, "a reason is text of at most %d bytes",
                        TUT_HOLD_REASON_BYTES);
    return TUT_SUCCESS;
}

tut_status tut_hold_decide(const tut_hold *h, bool is_approval, tut_str reason, tut_time at,
                           const tut_key *key, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO(tut_json) envelope = NULL;
    TUT_TRY(check_reason(is_approval, reason, err));
    TUT_TRY(tut_json_new(&payload, &j));
    put_statement(h, is_approval, reason, at, j);
    TUT_TRY(tut_json_finish(j, err));
    TUT_TRY(tut_json_new(out, &envelope));
    TUT_TRY(tut_dsse_write(envelope, TUT_DSSE_INTOTO, tut_buf_span(&payload), &key, 1, err));
    return tut_json_finish(envelope, err);
}

/* --- checking --- */

static tut_status wrong(tut_error *err, tut_code code, const char *what)
{
    return tut_fail(err, code, "the decision %s", what);
}

/* Exactly these members. */
static bool is_only(const tut_json_value *v, const char *const *names, size_t count)
{
    if (!v || v->type != TUT_JSON_OBJECT || v->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!tut_json_get(v, names[i]))
            return false;
    return true;
}

static bool names_digest(const tut_json_value *v, const tut_sha256 *digest)
{
    static const char *const names[] = {"sha256"};
    tut_sha256 given;
    return is_only(v, names, 1) &&
           tut_is_ok(tut_sha256_parse(tut_json_get_text(v, "sha256"), &given)) &&
           tut_sha256_eq(&given, digest);
}

static tut_status check_subject(const tut_json_value *statement, const tut_hold *h, tut_error *err)
{
    static const char *const names[] = {"name", "digest"};
    const tut_json_value *list = tut_json_get(statement, "subject");
    char name[sizeof("hold/") + TUT_HOLD_ID];
    if (!list || list->type != TUT_JSON_ARRAY || list->count != 1 ||
        !is_only(tut_json_item(list, 0), names, 2))
        return wrong(err, TUT_MALFORMED, "does not name one subject");
    const tut_json_value *subject = tut_json_item(list, 0);
    (void)snprintf(name, sizeof(name), "hold/%s", h->id);
    if (!tut_str_eq_z(tut_json_get_text(subject, "name"), name))
        return wrong(err, TUT_DENIED, "is about another hold");
    if (!names_digest(tut_json_get(subject, "digest"), &h->digest))
        return wrong(err, TUT_DENIED, "is about other content");
    return TUT_SUCCESS;
}

static tut_status check_times(const tut_json_value *p, const tut_hold *h, tut_hold_decision *d,
                              tut_error *err)
{
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(p, "at"), &d->at)) ||
        !tut_is_ok(tut_time_parse(tut_json_get_text(p, "expires"), &d->expires)))
        return wrong(err, TUT_MALFORMED, "gives no times");
    if (d->expires > h->expires_ms / 1000)
        return wrong(err, TUT_DENIED, "claims to last longer than the hold");
    if (d->at < h->at_ms / 1000)
        return wrong(err, TUT_DENIED, "is older than the hold");
    if (d->at > d->expires)
        return wrong(err, TUT_DENIED, "was made after its end");
    return TUT_SUCCESS;
}

static tut_status check_predicate(const tut_json_value *p, const tut_hold *h, tut_hold_decision *d,
                                  tut_error *err)
{
    static const char *const names[] = {"hold", "policy",  "nonce", "decision",
                                        "at",   "expires", "reason"};
    uint8_t nonce[TUT_HOLD_NONCE];
    if (!is_only(p, names, sizeof(names) / sizeof(names[0])))
        return wrong(err, TUT_MALFORMED, "has other members than a decision has");
    tut_str word = tut_json_get_text(p, "decision"), reason = tut_json_get_text(p, "reason");
    d->is_approval = tut_str_eq_z(word, "approve");
    if (!d->is_approval && !tut_str_eq_z(word, "deny"))
        return wrong(err, TUT_MALFORMED, "is neither \"approve\" nor \"deny\"");
    if (!tut_str_eq_z(tut_json_get_text(p, "hold"), h->id))
        return wrong(err, TUT_DENIED, "is about another hold");
    if (!names_digest(tut_json_get(p, "policy"), &h->policy))
        return wrong(err, TUT_DENIED, "was made under another policy");
    if (!tut_hold_nonce_of(tut_json_get_text(p, "nonce"), nonce) ||
        memcmp(nonce, h->nonce, sizeof(nonce)) != 0)
        return wrong(err, TUT_DENIED, "has another nonce than the hold");
    if (tut_json_get(p, "reason")->type != TUT_JSON_STRING || reason.len > TUT_HOLD_REASON_BYTES ||
        (!d->is_approval && tut_str_trim(reason).len == 0))
        return wrong(err, TUT_MALFORMED, "gives no reason, or too long a one");
    tut_str_copy(d->reason, sizeof(d->reason), reason);
    return check_times(p, h, d, err);
}

tut_status tut_hold_check_statement(tut_span payload, const tut_hold *h, tut_hold_decision *d,
                                    tut_error *err)
{
    static const char *const names[] = {"_type", "predicateType", "subject", "predicate"};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(payload, &(tut_json_options){.max_depth = 8}, &doc, err));
    const tut_json_value *v = tut_json_root(doc);
    if (!is_only(v, names, 4) || !tut_str_eq_z(tut_json_get_text(v, "_type"), STATEMENT) ||
        !tut_str_eq_z(tut_json_get_text(v, "predicateType"), TUT_HOLD_PREDICATE))
        return wrong(err, TUT_MALFORMED, "is no statement about a hold");
    TUT_TRY(check_subject(v, h, err));
    return check_predicate(tut_json_get(v, "predicate"), h, d, err);
}

/* The signature first: what nobody registered has signed is not looked at. */
static tut_status check_signer(const tut_dsse *e, const tut_hold *h, const tut_approvers *who,
                               tut_hold_decision *d, tut_error *err)
{
    const tut_pubkey *key = NULL;
    if (e->signature_count != 1 || !tut_str_eq_z(e->type, TUT_DSSE_INTOTO))
        return wrong(err, TUT_MALFORMED, "is no statement with one signature");
    const tut_approver *person = tut_approvers_by_key(who, e->signatures[0].keyid, &key);
    if (!person)
        return wrong(err, TUT_DENIED, "is signed with a key of nobody who may approve");
    TUT_TRY(tut_dsse_verify(e, 0, key, err));
    if (h->person.len && tut_str_ieq(person->name, h->person))
        return tut_fail(err, TUT_DENIED, "%.*s cannot decide about what his own client asks for",
                        (int)person->name.len, person->name.data);
    tut_str_copy(d->by, sizeof(d->by), person->name);
    tut_str_copy(d->key_id, sizeof(d->key_id), tut_str_of(tut_pubkey_id(key)));
    return TUT_SUCCESS;
}

tut_status tut_hold_check(tut_span envelope, const tut_hold *h, const tut_approvers *who,
                          tut_hold_decision *ret_decision, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_dsse) e = {.signature_count = 0};
    tut_hold_decision d = {0};
    if (envelope.len > TUT_HOLD_DECISION_BYTES)
        return tut_fail(err, TUT_LIMIT, "a decision has at most %d bytes", TUT_HOLD_DECISION_BYTES);
    TUT_TRY(tut_json_parse(envelope, &(tut_json_options){.max_depth = 8}, &doc, err));
    TUT_TRY(tut_dsse_read(tut_json_root(doc), &e, err));
    TUT_TRY(check_signer(&e, h, who, &d, err));
    TUT_TRY(tut_hold_check_statement(tut_buf_span(&e.payload), h, &d, err));
    *ret_decision = d;
    return TUT_SUCCESS;
}
