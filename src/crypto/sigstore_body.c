/*
 * canonicalizedBody: what a log entry says was signed, by which key, with which signature.
 *
 *   { "kind", "apiVersion", "spec": SPEC }
 *
 *   hashedrekord 0.0.1  { "data": {"hash": HEX}, "signature": {"content": b64,
 *                         "publicKey": {"content": b64 of PEM}} }
 *   hashedrekord 0.0.2  { "hashedRekordV002": { "data": B64HASH,
 *                         "signature": {"content": b64, "verifier": VERIFIER} } }
 *   dsse 0.0.1          { "payloadHash": HEX, "signatures": [{"signature": b64,
 *                         "verifier": b64 of PEM}] }
 *   dsse 0.0.2          { "dsseV002": { "payloadHash": B64HASH,
 *                         "signatures": [{"content": b64, "verifier": VERIFIER}] } }
 *   intoto 0.0.1        { "content": {"payloadHash": HEX}, "publicKey": b64 of PEM }
 *   intoto 0.0.2        { "content": {"payloadHash": HEX, "envelope": {"signatures":
 *                         [{"publicKey": b64 of PEM, "sig": b64 of b64}]}} }
 *
 *   HEX = {"algorithm": "sha256", "value": hex}      B64HASH = {"algorithm": "SHA2_256", "digest":
 * b64} VERIFIER = {"x509Certificate": {"rawBytes": b64 DER} | "publicKey": {"rawBytes": b64 SPKI}}
 *
 * A hashedrekord is over the artefact, or over the pre-authentication encoding of an envelope; the
 * others are over an envelope's payload. intoto 0.0.1 does not repeat the signature.
 */
#include <openssl/pem.h>

#include "base/limits.h"
#include "crypto/sigstore_internal.h"

typedef struct body_context {
    const tut_sig_bundle *b;
    const tut_pubkey *key; /* the signer's */
    tut_error *err;
} body_context;

static tut_status differs(const body_context *c, const char *what)
{
    return tut_fail(c->err, TUT_CRYPTO, "the log entry is for another %s than the bundle's", what);
}

/* ---- hashes ---- */

static tut_status digest_by(tut_str algorithm, tut_span bytes, uint8_t out[EVP_MAX_MD_SIZE],
                            size_t *ret_len, tut_error *err)
{
    static const struct {
        const char *in_entry, *in_v2, *name;
    } known[] = {
        {"sha256", "SHA2_256", "SHA256"},
        {"sha384", "SHA2_384", "SHA384"},
        {"sha512", "SHA2_512", "SHA512"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!tut_str_eq_z(algorithm, known[i].in_entry) && !tut_str_eq_z(algorithm, known[i].in_v2))
            continue;
        if (EVP_Q_digest(NULL, known[i].name, NULL, bytes.data, bytes.len, out, ret_len) != 1)
            return tut_fail(err, TUT_CRYPTO, "%s failed", known[i].name);
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_UNSUPPORTED, "the log entry hashes with an unknown algorithm");
}

static tut_status check_hex(const body_context *c, const tut_json_value *v, tut_span bytes)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t len;
    TUT_CLEAN(tut_buf) hex = TUT_BUF_INIT;
    TUT_TRY(digest_by(tut_json_get_text(v, "algorithm"), bytes, digest, &len, c->err));
    tut_buf_add_hex(&hex, digest, len);
    TUT_TRY(tut_buf_check(&hex, c->err));
    return tut_str_eq(tut_buf_str(&hex), tut_json_get_text(v, "value")) ? TUT_SUCCESS
                                                                        : differs(c, "content");
}

static tut_status check_b64(const body_context *c, const tut_json_value *v, tut_span bytes)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t len;
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    TUT_TRY(digest_by(tut_json_get_text(v, "algorithm"), bytes, digest, &len, c->err));
    TUT_TRY(tut_sig_bytes(v, "digest", EVP_MAX_MD_SIZE, &said, c->err));
    if (said.len != len || memcmp(said.data, digest, len) != 0)
        return differs(c, "content");
    return TUT_SUCCESS;
}

/* ---- signature and signer ---- */

static tut_status check_signature(const body_context *c, const tut_json_value *v, const char *key)
{
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    TUT_TRY(tut_sig_bytes(v, key, c->b->signature.len + 64, &said, c->err));
    if (said.len != c->b->signature.len || memcmp(said.data, c->b->signature.data, said.len) != 0)
        return differs(c, "signature");
    return TUT_SUCCESS;
}

static tut_status check_der(const body_context *c, tut_span der)
{
    tut_span mine = c->b->by_key ? tut_pubkey_der(c->key) : tut_buf_span(&c->b->leaf);
    if (der.len != mine.len || memcmp(der.data, mine.data, der.len) != 0)
        return differs(c, c->b->by_key ? "key" : "certificate");
    return TUT_SUCCESS;
}

static tut_status check_verifier(const body_context *c, const tut_json_value *v)
{
    TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
    TUT_TRY(tut_sig_bytes(tut_json_get(v, c->b->by_key ? "publicKey" : "x509Certificate"),
                          "rawBytes", TUT_LIMIT_CERTIFICATE_BYTES, &der, c->err));
    return check_der(c, tut_buf_span(&der));
}

/* The first block of the PEM text, whatever its label: its bytes decide. */
static tut_status check_pem(const body_context *c, const tut_json_value *v, const char *key)
{
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    TUT_TRY(tut_sig_bytes(v, key, TUT_LIMIT_PEM_BYTES, &pem, c->err));
    TUT_OSSL(BIO) in = BIO_new_mem_buf(pem.data, (int)pem.len);
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    if (!in || PEM_read_bio(in, &label, &header, &der, &len) != 1) {
        ERR_clear_error();
        return tut_fail(c->err, TUT_MALFORMED, "the log entry's %s is no PEM", key);
    }
    tut_status s = check_der(c, tut_span_of(der, (size_t)len));
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return s;
}

/* ---- the kinds ---- */

static tut_span payload_of(const body_context *c)
{
    return tut_buf_span(&c->b->envelope.payload);
}

static tut_status hashedrekord_1(const body_context *c, const tut_json_value *spec)
{
    const tut_json_value *signature = tut_json_get(spec, "signature");
    TUT_TRY(check_hex(c, tut_json_get(tut_json_get(spec, "data"), "hash"),
                      tut_buf_span(&c->b->signed_bytes)));
    TUT_TRY(check_signature(c, signature, "content"));
    return check_pem(c, tut_json_get(signature, "publicKey"), "content");
}

static tut_status hashedrekord_2(const body_context *c, const tut_json_value *spec)
{
    const tut_json_value *record = tut_json_get(spec, "hashedRekordV002");
    const tut_json_value *signature = tut_json_get(record, "signature");
    TUT_TRY(check_b64(c, tut_json_get(record, "data"), tut_buf_span(&c->b->signed_bytes)));
    TUT_TRY(check_signature(c, signature, "content"));
    return check_verifier(c, tut_json_get(signature, "verifier"));
}

/* An entry for more signatures than the bundle's one is for another envelope. */
static tut_status only_signature(const body_context *c, const tut_json_value *parent,
                                 const tut_json_value **ret_signature)
{
    const tut_json_value *list = tut_json_get(parent, "signatures");
    if (tut_json_count(list) != 1)
        return differs(c, "set of signatures");
    *ret_signature = tut_json_item(list, 0);
    return TUT_SUCCESS;
}

static tut_status dsse_1(const body_context *c, const tut_json_value *spec)
{
    const tut_json_value *signature;
    TUT_TRY(check_hex(c, tut_json_get(spec, "payloadHash"), payload_of(c)));
    TUT_TRY(only_signature(c, spec, &signature));
    TUT_TRY(check_signature(c, signature, "signature"));
    return check_pem(c, signature, "verifier");
}

static tut_status dsse_2(const body_context *c, const tut_json_value *spec)
{
    const tut_json_value *record = tut_json_get(spec, "dsseV002");
    const tut_json_value *signature;
    TUT_TRY(check_b64(c, tut_json_get(record, "payloadHash"), payload_of(c)));
    TUT_TRY(only_signature(c, record, &signature));
    TUT_TRY(check_signature(c, signature, "content"));
    return check_verifier(c, tut_json_get(signature, "verifier"));
}

static tut_status intoto_1(const body_context *c, const tut_json_value *spec)
{
    TUT_TRY(
        check_hex(c, tut_json_get(tut_json_get(spec, "content"), "payloadHash"), payload_of(c)));
    return check_pem(c, spec, "publicKey");
}

static tut_status intoto_2(const body_context *c, const tut_json_value *spec)
{
    const tut_json_value *content = tut_json_get(spec, "content");
    const tut_json_value *signature;
    TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) twice = TUT_BUF_INIT;
    TUT_TRY(check_hex(c, tut_json_get(content, "payloadHash"), payload_of(c)));
    TUT_TRY(only_signature(c, tut_json_get(content, "envelope"), &signature));
    TUT_TRY(tut_sig_bytes(signature, "sig", 2 * c->b->signature.len + 64, &once, c->err));
    if (!tut_is_ok(tut_base64_read(tut_buf_str(&once), true, &twice)) ||
        twice.len != c->b->signature.len ||
        memcmp(twice.data, c->b->signature.data, twice.len) != 0)
        return differs(c, "signature");
    return check_pem(c, signature, "publicKey");
}

static const struct {
    const char *kind, *version;
    bool of_envelope; /* only */
    tut_status (*check)(const body_context *c, const tut_json_value *spec);
} kinds[] = {
    {"dsse", "0.0.1", true, dsse_1},
    {"dsse", "0.0.2", true, dsse_2},
    {"hashedrekord", "0.0.1", false, hashedrekord_1},
    {"hashedrekord", "0.0.2", false, hashedrekord_2},
    {"intoto", "0.0.1", true, intoto_1},
    {"intoto", "0.0.2", true, intoto_2},
};

tut_status tut_sig_check_body(const tut_sig_entry *e, const tut_sig_bundle *b,
                              const tut_pubkey *key, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    tut_status s = tut_json_parse(tut_buf_span(&e->body), NULL, &doc, &why);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "the log entry's body cannot be read: %s", why.text);
    const tut_json_value *body = tut_json_root(doc);
    if (!tut_str_eq(tut_json_get_text(body, "kind"), e->kind) ||
        !tut_str_eq(tut_json_get_text(body, "apiVersion"), e->version))
        return tut_fail(err, TUT_CRYPTO, "the log entry is of another kind than its body");
    body_context c = {.b = b, .key = key, .err = err};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!tut_str_eq_z(e->kind, kinds[i].kind) || !tut_str_eq_z(e->version, kinds[i].version))
            continue;
        if (kinds[i].of_envelope && !b->is_envelope)
            return tut_fail(err, TUT_CRYPTO,
                            "the log entry is for an envelope, the bundle has none");
        return kinds[i].check(&c, tut_json_get(body, "spec"));
    }
    return tut_fail(err, TUT_UNSUPPORTED, "log entries of kind \"%.*s\" %.*s are not supported",
                    (int)(e->kind.len < 40 ? e->kind.len : 40), e->kind.data,
                    (int)(e->version.len < 20 ? e->version.len : 20), e->version.data);
}
