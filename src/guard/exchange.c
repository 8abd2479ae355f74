#include "guard/exchange.h"

#include <openssl/evp.h>
#include <string.h>

enum { SHOWN = 8, TOOLS_SHOWN = 32, PSEUDONYM = 16 }; /* reasons of a side; bytes of hex */
enum { USUAL_BYTES = 1024 };                          /* of an event */

/* RFC 2104: the hash with each of the two pads taken in, and one to work with. */
struct tut_exchange_keys {
    EVP_MD_CTX *inner, *outer, *work;
    tut_json *writer; /* of one event after the other */
};

void tut_exchange_keys_free(tut_exchange_keys *k)
{
    if (!k)
        return;
    EVP_MD_CTX_free(k->inner);
    EVP_MD_CTX_free(k->outer);
    EVP_MD_CTX_free(k->work);
    tut_json_free(k->writer);
    tut_free(k);
}

static bool take_pad(EVP_MD_CTX *c, const uint8_t *secret, uint8_t with)
{
    uint8_t pad[64];
    memset(pad, with, sizeof(pad));
    for (size_t i = 0; i < TUT_EXCHANGE_SECRET; i++)
        pad[i] ^= secret[i];
    bool is_done = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
                   EVP_DigestUpdate(c, pad, sizeof(pad)) == 1;
    explicit_bzero(pad, sizeof(pad));
    return is_done;
}

tut_status tut_exchange_keys_new(const uint8_t secret[TUT_EXCHANGE_SECRET],
                                 tut_exchange_keys **ret_keys, tut_error *err)
{
    TUT_AUTO(tut_exchange_keys) k = tut_alloc_array(1, sizeof(*k));
    if (!k)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    k->inner = EVP_MD_CTX_new();
    k->outer = EVP_MD_CTX_new();
    k->work = EVP_MD_CTX_new();
    if (!k->work || !take_pad(k->inner, secret, 0x36) || !take_pad(k->outer, secret, 0x5c))
        return tut_fail(err, TUT_BUG, "no digest can be made");
    TUT_TRY(tut_json_new(NULL, &k->writer));
    *ret_keys = tut_move(&k);
    return TUT_SUCCESS;
}

tut_status tut_exchange_keyed(const tut_exchange_keys *k, tut_span bytes, tut_sha256 *ret,
                              tut_error *err)
{
    if (EVP_MD_CTX_copy_ex(k->work, k->inner) != 1 ||
        EVP_DigestUpdate(k->work, bytes.data, bytes.len) != 1 ||
        EVP_DigestFinal_ex(k->work, ret->bytes, NULL) != 1 ||
        EVP_MD_CTX_copy_ex(k->work, k->outer) != 1 ||
        EVP_DigestUpdate(k->work, ret->bytes, TUT_SHA256_BYTES) != 1 ||
        EVP_DigestFinal_ex(k->work, ret->bytes, NULL) != 1)
        return tut_fail(err, TUT_BUG, "no digest could be made");
    return TUT_SUCCESS;
}

static void put_hex(tut_json *j, const char *key, const tut_sha256 *digest, size_t chars)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_json_put_str(j, key, (tut_str){hex, chars});
}

/* Members are written in the order in which they end up: putting them in order costs more. */
static void put_reasons(tut_json *j, const char *key, const tut_guard_reason *reasons, size_t count)
{
    if (count == 0)
        return;
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "action", tut_guard_action_name(reasons[i].action));
        tut_json_put_z(j, "check", reasons[i].check);
        tut_json_put_z(j, "where", reasons[i].where);
        tut_json_put_z(j, "why", reasons[i].detail);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_decision(tut_json *j, const char *key, const tut_guard_decision *d)
{
    tut_guard_action done = tut_guard_done(d);
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "action", tut_guard_action_name(done));
    if (d->reasons_dropped + d->unscanned_dropped)
        tut_json_put_u64(j, "more", d->reasons_dropped + d->unscanned_dropped);
    put_reasons(j, "not_scanned", d->unscanned, d->unscanned_count);
    put_reasons(j, "reasons", d->reasons, d->reason_count);
    if (d->redactions)
        tut_json_put_u64(j, "redactions", d->redactions);
    tut_json_put_u64(j, "scanned", d->scanned_bytes);
    if (d->action != done)
        tut_json_put_z(j, "would", tut_guard_action_name(d->action));
    tut_json_end_object(j);
}

static tut_status put_pseudonym(const tut_exchange_keys *keys, const char *key, tut_str name,
                                tut_json *j, tut_error *err)
{
    tut_sha256 pseudonym;
    if (name.len == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_exchange_keyed(keys, tut_span_of(name.data, name.len), &pseudonym, err));
    put_hex(j, key, &pseudonym, PSEUDONYM);
    return TUT_SUCCESS;
}

static void put_what(const tut_exchange *x, tut_json *j)
{
    const tut_guard_request *r = x->request;
    if (r && r->model.len && r->decision.action != TUT_GUARD_BLOCK) {
        const tut_sha256 *digest = tut_inforce_model(x->policy, r->model);
        tut_json_put_str(j, "model", r->model);
        if (digest)
            put_hex(j, "model_digest", digest, TUT_SHA256_HEX - 1);
    }
    if (x->policy)
        put_hex(j, "policy", &x->policy->policy.version, TUT_SHA256_HEX - 1);
    if (x->has_prompt)
        put_hex(j, "prompt", &x->prompt, TUT_SHA256_HEX - 1);
}

static void put_tools(const tut_exchange *x, tut_json *j)
{
    if (x->tool_count == 0)
        return;
    tut_json_key(j, "called");
    tut_json_array(j);
    for (size_t i = 0; i < x->tool_count && i < TOOLS_SHOWN; i++)
        tut_json_str(j, x->tools[i]);
    tut_json_end_array(j);
}

static void put_bodies(const tut_exchange *x, tut_json *j)
{
    if (x->bodies.day[0]) {
        tut_json_key(j, "bodies");
        tut_json_object(j);
        tut_json_put_z(j, "day", x->bodies.day);
        put_hex(j, "sha256", &x->bodies.digest, TUT_SHA256_HEX - 1);
        tut_json_end_object(j);
    }
    if (x->bodies_lost)
        tut_json_put_z(j, "bodies_lost", x->bodies_lost);
}

static void put_trace(const tut_exchange *x, tut_json *j)
{
    if (x->trace.parent[0])
        tut_json_put_z(j, "trace", x->trace.parent);
    if (x->trace.came[0])
        tut_json_put_z(j, "trace_from", x->trace.came);
}

static void put_end(const tut_exchange *x, tut_json *j)
{
    if (x->tokens_in || x->tokens_out) {
        tut_json_put_u64(j, "tokens_in", x->tokens_in);
        tut_json_put_u64(j, "tokens_out", x->tokens_out);
    }
    tut_json_put_u64(j, "took_us", x->took_us);
    put_trace(x, j);
    if (x->approval)
        tut_json_put_u64(j, "waited_ms", x->waited_ms);
}

static tut_status put_exchange(const tut_exchange *x, const tut_exchange_keys *keys, tut_json *j,
                               tut_error *err)
{
    const tut_guard_decision *request = x->refused   ? x->refused
                                        : x->request ? &x->request->decision
                                                     : NULL;
    tut_json_put_u64(j, "added_us", x->added_us);
    if (x->answer)
        put_decision(j, "answer", x->answer);
    tut_json_put_int(j, "at_ms", x->at_ms);
    put_bodies(x, j);
    tut_json_put_u64(j, "bytes_in", x->bytes_in);
    tut_json_put_u64(j, "bytes_out", x->bytes_out);
    put_tools(x, j);
    TUT_TRY(put_pseudonym(keys, "client", x->client, j, err));
    if (x->is_cut)
        tut_json_put_bool(j, "cut", true);
    if (x->first_us)
        tut_json_put_u64(j, "first_us", x->first_us);
    if (x->approval) {
        tut_json_put_z(j, "hold", x->approval);
        tut_json_put_z(j, "hold_end", x->approved);
    }
    tut_json_put_z(j, "id", x->id);
    put_what(x, j);
    if (request)
        put_decision(j, "request", request);
    if (x->route)
        tut_json_put_str(j, "route", x->route->id);
    tut_json_put_u64(j, "status", x->status);
    TUT_TRY(put_pseudonym(keys, "subject", x->subject, j, err));
    put_end(x, j);
    return TUT_SUCCESS;
}

tut_status tut_exchange_json(const tut_exchange *x, const tut_exchange_keys *keys, tut_buf *out,
                             tut_error *err)
{
    tut_json *j = keys->writer;
    if (tut_buf_extend(out, USUAL_BYTES))
        out->len -= USUAL_BYTES;
    tut_json_onto(j, out);
    tut_json_object(j);
    TUT_TRY(put_exchange(x, keys, j, err));
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_exchange_admitted_json(const tut_exchange *x, const tut_exchange_keys *keys,
                                      tut_buf *out, tut_error *err)
{
    tut_json *j = keys->writer;
    tut_json_onto(j, out);
    tut_json_object(j);
    tut_json_put_int(j, "at_ms", x->at_ms);
    TUT_TRY(put_pseudonym(keys, "client", x->client, j, err));
    tut_json_put_z(j, "id", x->id);
    put_what(x, j);
    if (x->route)
        tut_json_put_str(j, "route", x->route->id);
    TUT_TRY(put_pseudonym(keys, "subject", x->subject, j, err));
    put_trace(x, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_exchange_alarm_json(const tut_exchange *x, const tut_abuse_alarm *alarm,
                                   const tut_exchange_keys *keys, tut_buf *out, tut_error *err)
{
    tut_json *j = keys->writer;
    tut_json_onto(j, out);
    tut_json_object(j);
    tut_json_put_z(j, "action", tut_abuse_action_name(alarm->action));
    tut_json_put_int(j, "at_ms", x->at_ms);
    TUT_TRY(put_pseudonym(keys, "client", x->client, j, err));
    tut_json_put_z(j, "id", x->id);
    tut_json_put_z(j, "kind", tut_abuse_kind_name(alarm->kind));
    tut_json_key(j, "number");
    tut_json_real(j, alarm->number);
    if (x->policy)
        put_hex(j, "policy", &x->policy->policy.version, TUT_SHA256_HEX - 1);
    if (x->route)
        tut_json_put_str(j, "route", x->route->id);
    TUT_TRY(put_pseudonym(keys, "subject", x->subject, j, err));
    tut_json_key(j, "threshold");
    tut_json_real(j, alarm->threshold);
    tut_json_put_z(j, "why", alarm->text);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}
