#include "crypto/dsse.h"

#include "base/limits.h"

void tut_dsse_pae(tut_str type, tut_span payload, tut_buf *out)
{
    tut_buf_printf(out, "DSSEv1 %zu ", type.len);
    tut_buf_add_str(out, type);
    tut_buf_printf(out, " %zu ", payload.len);
    tut_buf_add(out, payload.data, payload.len);
}

void tut_dsse_done(tut_dsse *envelope)
{
    for (size_t i = 0; i < envelope->signature_count; i++)
        tut_buf_done(&envelope->signatures[i].sig);
    tut_buf_done(&envelope->payload);
    *envelope = (tut_dsse){.signature_count = 0};
}

/* An object of these members and no others; absent ones yield NULL. */
static tut_status members(const tut_json_value *v, const char *const *names, size_t count,
                          const tut_json_value **ret, tut_error *err)
{
    if (!v || v->type != TUT_JSON_OBJECT)
        return tut_fail(err, TUT_MALFORMED,
                        "the envelope (DSSE) or a signature in it is no object");
    uint32_t known = 0;
    for (size_t i = 0; i < count; i++) {
        ret[i] = tut_json_get(v, names[i]);
        known += ret[i] != NULL;
    }
    if (known != tut_json_count(v))
        return tut_fail(err, TUT_MALFORMED,
                        "the envelope (DSSE) has members that it does not define");
    return TUT_SUCCESS;
}

static tut_status decode(const tut_json_value *v, const char *name, tut_buf *out, tut_error *err)
{
    if (!v || v->type != TUT_JSON_STRING)
        return tut_fail(err, TUT_MALFORMED, "the envelope (DSSE) has no text \"%s\"", name);
    tut_status status = tut_base64_read(v->as.string, true, out);
    if (status.code == TUT_MALFORMED)
        return tut_fail(err, TUT_MALFORMED, "\"%s\" of the envelope (DSSE) is not sound base64",
                        name);
    return tut_is_ok(status) ? TUT_SUCCESS : tut_buf_check(out, err);
}

static tut_status read_signature(const tut_json_value *v, tut_dsse_signature *s, tut_error *err)
{
    static const char *const names[] = {"sig", "keyid"};
    const tut_json_value *found[2] = {NULL};
    TUT_TRY(members(v, names, 2, found, err));
    if (found[1] && found[1]->type != TUT_JSON_STRING && found[1]->type != TUT_JSON_NULL)
        return tut_fail(err, TUT_MALFORMED, "\"keyid\" of a signature is no text");
    s->keyid = tut_json_text(found[1]);
    if (tut_json_text(found[0]).len > TUT_LIMIT_SIGNATURE_TEXT)
        return tut_fail(err, TUT_LIMIT, "a signature of the envelope (DSSE) is too long");
    TUT_TRY(decode(found[0], "sig", &s->sig, err));
    return s->sig.len ? TUT_SUCCESS
                      : tut_fail(err, TUT_MALFORMED, "a signature of the envelope (DSSE) is empty");
}

static tut_status read_into(const tut_json_value *v, tut_dsse *e, tut_error *err)
{
    static const char *const names[] = {"payload", "payloadType", "signatures"};
    const tut_json_value *found[3] = {NULL};
    TUT_TRY(members(v, names, 3, found, err));
    if (!found[1] || found[1]->type != TUT_JSON_STRING || found[1]->as.string.len == 0)
        return tut_fail(err, TUT_MALFORMED, "the envelope (DSSE) has no \"payloadType\"");
    e->type = found[1]->as.string;
    TUT_TRY(decode(found[0], "payload", &e->payload, err));
    uint32_t count = tut_json_count(found[2]);
    if (!found[2] || found[2]->type != TUT_JSON_ARRAY || count == 0)
        return tut_fail(err, TUT_MALFORMED, "the envelope (DSSE) has no signature");
    if (count > TUT_DSSE_SIGNATURES_MAX)
        return tut_fail(err, TUT_LIMIT, "the envelope (DSSE) has more than %d signatures",
                        TUT_DSSE_SIGNATURES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        e->signature_count++;
        TUT_TRY(read_signature(tut_json_item(found[2], i), &e->signatures[i], err));
    }
    return TUT_SUCCESS;
}

tut_status tut_dsse_read(const tut_json_value *v, tut_dsse *ret_envelope, tut_error *err)
{
    tut_dsse e = {.signature_count = 0};
    tut_status status = read_into(v, &e, err);
    if (tut_is_ok(status))
        *ret_envelope = e;
    else
        tut_dsse_done(&e);
    return status;
}

tut_status tut_dsse_verify(const tut_dsse *envelope, size_t i, const tut_pubkey *key,
                           tut_error *err)
{
    if (i >= envelope->signature_count)
        return tut_fail(err, TUT_USAGE, "the envelope (DSSE) has no signature %zu", i + 1);
    TUT_CLEAN(tut_buf) pae = TUT_BUF_INIT;
    tut_dsse_pae(envelope->type, tut_buf_span(&envelope->payload), &pae);
    TUT_TRY(tut_buf_check(&pae, err));
    return tut_pubkey_verify(key, tut_buf_span(&pae), tut_buf_span(&envelope->signatures[i].sig),
                             err);
}

static tut_status sign_all(tut_span pae, const tut_key *const *keys, size_t count, tut_buf *texts,
                           tut_error *err)
{
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
        TUT_TRY(tut_key_sign(keys[i], pae, &sig, err));
        tut_base64_add(&texts[i], tut_buf_span(&sig));
        TUT_TRY(tut_buf_check(&texts[i], err));
    }
    return TUT_SUCCESS;
}

static void write_envelope(tut_json *j, const char *type, tut_str payload,
                           const tut_key *const *keys, size_t count, const tut_buf *texts)
{
    tut_json_object(j);
    tut_json_put_str(j, "payload", payload);
    tut_json_put_z(j, "payloadType", type);
    tut_json_key(j, "signatures");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "keyid", tut_pubkey_id(tut_key_public(keys[i])));
        tut_json_put_str(j, "sig", tut_buf_str(&texts[i]));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

tut_status tut_dsse_write(tut_json *j, const char *type, tut_span payload,
                          const tut_key *const *keys, size_t count, tut_error *err)
{
    if (count == 0 || count > TUT_DSSE_SIGNATURES_MAX)
        return tut_fail(err, TUT_USAGE, "an envelope (DSSE) has 1 to %d signatures",
                        TUT_DSSE_SIGNATURES_MAX);
    TUT_CLEAN(tut_buf) pae = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf texts[TUT_DSSE_SIGNATURES_MAX] = {TUT_BUF_INIT};
    tut_dsse_pae(tut_str_of(type), payload, &pae);
    tut_base64_add(&text, payload);
    tut_status status = tut_buf_check(&pae, err);
    if (tut_is_ok(status))
        status = tut_buf_check(&text, err);
    /* All keys sign before the first byte is written, so that a failure leaves no half envelope. */
    if (tut_is_ok(status))
        status = sign_all(tut_buf_span(&pae), keys, count, texts, err);
    if (tut_is_ok(status))
        write_envelope(j, type, tut_buf_str(&text), keys, count, texts);
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&texts[i]);
    return status;
}
