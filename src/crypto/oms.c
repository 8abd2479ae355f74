#include "crypto/oms.h"

#include "base/limits.h"
#include "crypto/oms_internal.h"

static tut_status malformed(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "is no model signature: %s", what);
}

/* --- the bundle --- */

static bool has_only(const tut_json_value *object, const char *const *keys)
{
    for (uint32_t i = 0; i < tut_json_count(object); i++) {
        const char *const *k = keys;
        while (*k && !tut_str_eq_z(tut_json_item(object, i)->key, *k))
            k++;
        if (!*k)
            return false;
    }
    return true;
}

static const tut_json_value *typed(const tut_json_value *object, const char *key,
                                   tut_json_type type)
{
    const tut_json_value *v = tut_json_get(object, key);
    return v && v->type == type ? v : NULL;
}

/* The versions that Sigstore's bundle format has had. */
static bool is_media_type(tut_str type)
{
    static const char *const types[] = {
        TUT_OMS_MEDIA_TYPE,
        "application/vnd.dev.sigstore.bundle.v0.2+json",
        "application/vnd.dev.sigstore.bundle.v0.1+json",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (tut_str_eq_z(type, types[i]))
            return true;
    return false;
}

static tut_status read_key(const tut_json_value *v, tut_oms_bundle *b, tut_error *err)
{
    const tut_json_value *hint = tut_json_get(v, "hint");
    if (v->type != TUT_JSON_OBJECT || (hint && hint->type != TUT_JSON_STRING) ||
        (!hint && !typed(v, "rawBytes", TUT_JSON_STRING)))
        return malformed(err, "publicKey has neither hint nor rawBytes");
    b->mode = TUT_OMS_KEY;
    b->hint = tut_json_text(hint);
    return TUT_SUCCESS;
}

static tut_status read_chain(const tut_json_value *v, tut_oms_bundle *b, tut_error *err)
{
    const tut_json_value *list = typed(v, "certificates", TUT_JSON_ARRAY);
    b->mode = TUT_OMS_CERTIFICATE;
    if (!list || list->count == 0)
        return malformed(err, "x509CertificateChain has no certificates");
    if (list->count > TUT_CHAIN_MAX)
        return tut_fail(err, TUT_LIMIT, "has more than %d certificates", TUT_CHAIN_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        const tut_json_value *raw = typed(tut_json_item(list, i), "rawBytes", TUT_JSON_STRING);
        tut_buf *der = &b->chain[b->chain_count++];
        if (!raw || raw->as.string.len == 0 ||
            !tut_is_ok(tut_base64_read(raw->as.string, false, der)))
            return malformed(err, "a certificate is not in base64");
    }
    return TUT_SUCCESS;
}

static tut_status read_material(const tut_json_value *v, tut_oms_bundle *b, tut_error *err)
{
    static const char *const keys[] = {"publicKey",   "x509CertificateChain",      "certificate",
                                       "tlogEntries", "timestampVerificationData", NULL};
    const tut_json_value *key = tut_json_get(v, "publicKey");
    const tut_json_value *chain = tut_json_get(v, "x509CertificateChain");
    const tut_json_value *leaf = tut_json_get(v, "certificate");
    const tut_json_value *entries = tut_json_get(v, "tlogEntries");
    if (!v || v->type != TUT_JSON_OBJECT || !has_only(v, keys))
        return malformed(err, "verificationMaterial is missing or has keys of another version");
    if ((key != NULL) + (chain != NULL) + (leaf != NULL) != 1)
        return malformed(err, "verificationMaterial must name one key, one certificate chain or "
                              "one certificate");
    if (entries && entries->type != TUT_JSON_ARRAY)
        return malformed(err, "tlogEntries is no list");
    if (key)
        return read_key(key, b, err);
    if (chain)
        return read_chain(chain, b, err);
    b->mode = TUT_OMS_KEYLESS;
    if (!typed(leaf, "rawBytes", TUT_JSON_STRING))
        return malformed(err, "certificate has no rawBytes");
    if (!entries || entries->count == 0)
        return malformed(err, "a signature without a long-lived key needs an entry of a "
                              "transparency log");
    return TUT_SUCCESS;
}

static tut_status read_bundle(tut_oms_bundle *b, tut_error *err)
{
    static const char *const keys[] = {"mediaType", "verificationMaterial", "dsseEnvelope", NULL};
    const tut_json_value *v = tut_json_root(b->doc);
    if (v->type != TUT_JSON_OBJECT || v->count != 3 || !has_only(v, keys))
        return malformed(err, "it must have mediaType, verificationMaterial and dsseEnvelope, and "
                              "no more");
    const tut_json_value *type = typed(v, "mediaType", TUT_JSON_STRING);
    if (!type || !is_media_type(type->as.string))
        return malformed(err, "its mediaType is not that of a Sigstore bundle up to 0.3");
    TUT_TRY(read_material(tut_json_get(v, "verificationMaterial"), b, err));
    TUT_TRY(tut_dsse_read(tut_json_get(v, "dsseEnvelope"), &b->envelope, err));
    if (!tut_str_eq_z(b->envelope.type, TUT_DSSE_INTOTO))
        return malformed(err, "its payload is no in-toto statement");
    if (b->envelope.signature_count != 1)
        return malformed(err, "it must have exactly one signature");
    return TUT_SUCCESS;
}

tut_status tut_oms_bundle_read(tut_span bytes, tut_oms_bundle **ret_bundle, tut_error *err)
{
    TUT_AUTO(tut_oms_bundle) b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (bytes.len > TUT_LIMIT_OMS_BYTES)
        return tut_fail(err, TUT_LIMIT, "has more than %u bytes", TUT_LIMIT_OMS_BYTES);
    TUT_TRY(tut_json_parse(bytes, NULL, &b->doc, err));
    TUT_TRY(read_bundle(b, err));
    *ret_bundle = tut_move(&b);
    return TUT_SUCCESS;
}

void tut_oms_bundle_free(tut_oms_bundle *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->chain_count; i++)
        tut_buf_done(&b->chain[i]);
    tut_dsse_done(&b->envelope);
    tut_json_doc_free(b->doc);
    tut_free(b);
}

/* --- verification --- */

tut_status tut_oms_key_ok(const tut_pubkey *key, tut_error *err)
{
    tut_key_type type = tut_pubkey_type(key);
    if (type == TUT_KEY_P256 || type == TUT_KEY_P384 || type == TUT_KEY_P521)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_UNSUPPORTED,
                    "model signatures take ECDSA keys on P-256, P-384 or P-521, and this one is %s",
                    tut_key_type_name(type));
}

/* Verifies and then reads the same bytes. What was signed in the old way must be an old statement:
 * nothing else was ever signed so. */
static tut_status open_envelope(const tut_oms_bundle *b, const tut_pubkey *key, bool old_is_sha256,
                                tut_oms_statement **ret_statement, tut_error *err)
{
    TUT_AUTO(tut_oms_statement) s = NULL;
    tut_status status = tut_dsse_verify(&b->envelope, 0, key, err);
    bool is_old = status.code == TUT_CRYPTO &&
                  tut_is_ok(tut_oms_verify_old(&b->envelope, key, old_is_sha256, NULL));
    if (!is_old)
        TUT_TRY(status);
    TUT_TRY(tut_oms_statement_read(tut_buf_span(&b->envelope.payload), &s, err));
    if (is_old && !s->is_old)
        return tut_fail(err, TUT_CRYPTO, "the signature is over other bytes than the statement");
    *ret_statement = tut_move(&s);
    return TUT_SUCCESS;
}

tut_status tut_oms_verify_key(const tut_oms_bundle *b, const tut_pubkey *key,
                              tut_oms_statement **ret_statement, tut_error *err)
{
    TUT_TRY(tut_oms_key_ok(key, err));
    if (b->mode != TUT_OMS_KEY)
        return tut_fail(err, TUT_CRYPTO,
                        "was made with a certificate, not with a bare key; verify "
                        "it with %s",
                        b->mode == TUT_OMS_CERTIFICATE ? "--certificate-root" : "--trusted-root");
    if (b->hint.len > 0 && !tut_str_eq_z(b->hint, tut_pubkey_id(key)))
        return tut_fail(err, TUT_CRYPTO, "was made with another key: %.*s, not %s",
                        (int)(b->hint.len < 128 ? b->hint.len : 128), b->hint.data,
                        tut_pubkey_id(key));
    return open_envelope(b, key, false, ret_statement, err);
}

tut_status tut_oms_verify_chain(const tut_oms_bundle *b, tut_span roots_pem, tut_time at,
                                tut_chain_leaf *ret_leaf, tut_oms_statement **ret_statement,
                                tut_error *err)
{
    tut_span ders[TUT_CHAIN_MAX];
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    if (b->mode != TUT_OMS_CERTIFICATE)
        return tut_fail(err, TUT_CRYPTO, "was made without a certificate chain; verify it with %s",
                        b->mode == TUT_OMS_KEY ? "--key" : "--trusted-root");
    for (size_t i = 0; i < b->chain_count; i++)
        ders[i] = tut_buf_span(&b->chain[i]);
    TUT_TRY(tut_chain_verify(ders, b->chain_count, roots_pem, at, &leaf, err));
    TUT_TRY(tut_oms_key_ok(leaf.key, err));
    TUT_TRY(open_envelope(b, leaf.key, true, ret_statement, err));
    *ret_leaf = leaf;
    leaf = (tut_chain_leaf){0};
    return TUT_SUCCESS;
}
