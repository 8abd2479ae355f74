/*
 * For tests: a Sigstore of our own. A certificate authority, a certificate log, a transparency log
 * and a time-stamp authority with the trusted root that names them, and a signer who makes bundles.
 * What a world does wrong is said by its fields before sw_bundle().
 */
#ifndef TUT_TESTS_SIGSTORE_WORLD_H
#define TUT_TESTS_SIGSTORE_WORLD_H

#include "base/json_write.h"
#include "crypto/dsse.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/sigstore.h"
#include "crypto/tsp.h"
#include "unit/tsa.h"

enum { SW_FROM = 1700000000, SW_AT = 1700100000, SW_TO = 1700200000, SW_LEAF_SECONDS = 600 };

#define SW_IDENTITY "someone@example.com"
#define SW_ISSUER "https://accounts.example.com"

typedef struct sw_world {
    tsa_identity ca, tsa_root, tsa;
    tut_key *ct, *log, *signer;
    X509 *leaf;
    /* what a test may change */
    const char *kind, *version; /* of the log entry */
    const char *payload;
    const char *san; /* in OpenSSL's words */
    const char *leaf_usage;
    tut_time signed_at;  /* by the clock of the authority */
    tut_time integrated; /* by the log's promise; 0: none */
    bool no_stamp, no_sct, no_proof, is_message;
    const char *log_url;
    tut_time ca_to, ctlog_to, tlog_to, tsa_to; /* ends of validFor; 0: open */
    const char *media_type;
    const tsa_identity *leaf_by; /* another authority than the root's */
} sw_world;

static void sw_world_init(sw_world *w)
{
    *w = (sw_world){.kind = "dsse",
                    .version = "0.0.1",
                    .payload = "{\"a\":1}",
                    .san = "email:" SW_IDENTITY,
                    .leaf_usage = "codeSigning",
                    .signed_at = SW_AT + 5,
                    .integrated = SW_AT + 6,
                    .log_url = "https://log.example",
                    .media_type = "application/vnd.dev.sigstore.bundle.v0.3+json"};
    w->ca = tsa_identity_new("CA", NULL, NULL, SW_FROM, SW_TO);
    w->tsa_root = tsa_identity_new("TSA root", NULL, NULL, SW_FROM, SW_TO);
    w->tsa = tsa_identity_new("TSA", &w->tsa_root, "critical,timeStamping", SW_FROM, SW_TO);
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &w->ct, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &w->log, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &w->signer, NULL)));
}

static void sw_world_done(sw_world *w)
{
    tsa_identity_done(&w->ca);
    tsa_identity_done(&w->tsa_root);
    tsa_identity_done(&w->tsa);
    tut_key_free(w->ct);
    tut_key_free(w->log);
    tut_key_free(w->signer);
    X509_free(w->leaf);
}

/* ---- small writers ---- */

static void sw_put_b64(tut_json *j, const char *key, tut_span bytes)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_base64_add(&text, bytes);
    tut_json_put_str(j, key, tut_buf_str(&text));
}

static void sw_put_cert(tut_json *j, const char *key, const X509 *cert)
{
    TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
    tsa_der(cert, &der);
    sw_put_b64(j, key, tut_buf_span(&der));
}

static tut_sha256 sw_sha256(tut_span bytes)
{
    tut_sha256 d;
    assert_true(tut_is_ok(tut_sha256_of(bytes, &d, NULL)));
    return d;
}

/* Of an Ed25519 key as c2sp.org/signed-note has it, under the log's name; else of the SPKI. */
static tut_sha256 sw_key_id(const tut_key *key)
{
    const tut_pubkey *public_key = tut_key_public(key);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (tut_pubkey_type(public_key) != TUT_KEY_ED25519)
        return sw_sha256(tut_pubkey_der(public_key));
    tut_buf_add_z(&bytes, "log.example\n\x01");
    tut_buf_add(&bytes, tut_pubkey_raw(public_key).data, TUT_ED25519_BYTES);
    return sw_sha256(tut_buf_span(&bytes));
}

static void sw_new_key(tut_key **key, tut_key_type type)
{
    tut_key_free(*key);
    *key = NULL;
    assert_true(tut_is_ok(tut_key_generate(type, key, NULL)));
}

static void sw_sign(const tut_key *key, tut_span bytes, tut_buf *out)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_key_sign(key, bytes, out, &err)))
        fail_msg("%s", err.text);
}

/* ---- the trusted root ---- */

static void sw_put_range(tut_json *j, tut_time to)
{
    tut_json_key(j, "validFor");
    tut_json_object(j);
    tut_json_put_time(j, "start", SW_FROM);
    if (to)
        tut_json_put_time(j, "end", to);
    tut_json_end_object(j);
}

static void sw_put_log(tut_json *j, const char *list, const char *url, const tut_key *key,
                       tut_time to)
{
    tut_sha256 id = sw_key_id(key);
    tut_json_key(j, list);
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "baseUrl", url);
    tut_json_put_z(j, "hashAlgorithm", "SHA2_256");
    tut_json_key(j, "logId");
    tut_json_object(j);
    sw_put_b64(j, "keyId", tut_span_of(id.bytes, sizeof(id.bytes)));
    tut_json_end_object(j);
    tut_json_key(j, "publicKey");
    tut_json_object(j);
    sw_put_b64(j, "rawBytes", tut_pubkey_der(tut_key_public(key)));
    tut_json_put_z(j, "keyDetails", "PKIX_ECDSA_P256_SHA_256");
    sw_put_range(j, to);
    tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void sw_put_authority(tut_json *j, const char *list, const X509 *leaf, const X509 *root,
                             tut_time to)
{
    tut_json_key(j, list);
    tut_json_array(j);
    tut_json_object(j);
    tut_json_key(j, "certChain");
    tut_json_object(j);
    tut_json_key(j, "certificates");
    tut_json_array(j);
    for (int i = leaf ? 0 : 1; i < 2; i++) {
        tut_json_object(j);
        sw_put_cert(j, "rawBytes", i == 0 ? leaf : root);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    sw_put_range(j, to);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void sw_root(const sw_world *w, tut_buf *out)
{
    tut_json *j;
    assert_true(tut_is_ok(tut_json_new(out, &j)));
    tut_json_object(j);
    tut_json_put_z(j, "mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1");
    sw_put_log(j, "tlogs", w->log_url, w->log, w->tlog_to);
    sw_put_log(j, "ctlogs", "https://ct.example", w->ct, w->ctlog_to);
    sw_put_authority(j, "certificateAuthorities", NULL, w->ca.cert, w->ca_to);
    sw_put_authority(j, "timestampAuthorities", w->tsa.cert, w->tsa_root.cert, w->tsa_to);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    tut_json_free(j);
}

/* ---- the certificate ---- */

static void sw_add_raw(X509 *cert, const char *oid, const void *data, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, data, (int)len);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static void sw_add_be(tut_buf *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        tut_buf_add_byte(out, (uint8_t)(value >> (8 * bytes)));
}

/* RFC 6962 3.2 and 3.3: written out here once more, independently of what is tested. */
static void sw_add_sct(const sw_world *w, const tsa_identity *issuer)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) list = TUT_BUF_INIT;
    unsigned char *tbs = NULL, *spki = NULL;
    assert_true(X509_sign(w->leaf, issuer->key, EVP_sha256()) > 0); /* names the algorithm */
    int tbs_len = i2d_re_X509_tbs(w->leaf, &tbs);
    int spki_len = i2d_PUBKEY(issuer->key, &spki);
    tut_sha256 issuer_id = sw_sha256(tut_span_of(spki, (size_t)spki_len));
    tut_sha256 log_id = sw_key_id(w->ct);
    uint64_t at_ms = (uint64_t)SW_AT * 1000;
    sw_add_be(&bytes, 0, 2);
    sw_add_be(&bytes, at_ms, 8);
    sw_add_be(&bytes, 1, 2);
    tut_buf_add(&bytes, issuer_id.bytes, 32);
    sw_add_be(&bytes, (uint64_t)tbs_len, 3);
    tut_buf_add(&bytes, tbs, (size_t)tbs_len);
    sw_add_be(&bytes, 0, 2);
    sw_sign(w->ct, tut_buf_span(&bytes), &sig);
    size_t sct_len = 1 + 32 + 8 + 2 + 4 + sig.len;
    size_t list_len = 2 + 2 + sct_len; /* under 128 + 127: two length bytes in DER at most */
    tut_buf_add_byte(&list, 0x04);
    if (list_len >= 128)
        tut_buf_add_byte(&list, 0x81);
    tut_buf_add_byte(&list, (uint8_t)list_len);
    sw_add_be(&list, 2 + sct_len, 2);
    sw_add_be(&list, sct_len, 2);
    tut_buf_add_byte(&list, 0);
    tut_buf_add(&list, log_id.bytes, 32);
    sw_add_be(&list, at_ms, 8);
    sw_add_be(&list, 0, 2);
    sw_add_be(&list, 0x0403, 2); /* SHA-256, ECDSA */
    sw_add_be(&list, sig.len, 2);
    tut_buf_add(&list, sig.data, sig.len);
    sw_add_raw(w->leaf, "1.3.6.1.4.1.11129.2.4.2", list.data, list.len);
    OPENSSL_free(tbs);
    OPENSSL_free(spki);
}

static void sw_make_leaf(sw_world *w)
{
    const tsa_identity *by = w->leaf_by ? w->leaf_by : &w->ca;
    tut_span der = tut_pubkey_der(tut_key_public(w->signer));
    const unsigned char *at = der.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.len);
    X509_free(w->leaf);
    w->leaf = X509_new();
    X509_set_version(w->leaf, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(w->leaf), 77);
    ASN1_TIME_set(X509_getm_notBefore(w->leaf), SW_AT);
    ASN1_TIME_set(X509_getm_notAfter(w->leaf), SW_AT + SW_LEAF_SECONDS);
    X509_set_issuer_name(w->leaf, X509_get_subject_name(by->cert));
    X509_set_pubkey(w->leaf, key);
    EVP_PKEY_free(key);
    tsa_extend(w->leaf, by->cert, NID_key_usage, "critical,digitalSignature");
    if (w->leaf_usage)
        tsa_extend(w->leaf, by->cert, NID_ext_key_usage, w->leaf_usage);
    if (w->san)
        tsa_extend(w->leaf, by->cert, NID_subject_alt_name, w->san);
    sw_add_raw(w->leaf, "1.3.6.1.4.1.57264.1.1", SW_ISSUER, strlen(SW_ISSUER));
    if (!w->no_sct)
        sw_add_sct(w, by);
    assert_true(X509_sign(w->leaf, by->key, EVP_sha256()) > 0);
}

/* ---- the log entry ---- */

typedef struct sw_content {
    tut_buf signed_bytes, signature, payload, pem;
} sw_content;

static void sw_put_hex(tut_json *j, const char *key, tut_span bytes)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256 d = sw_sha256(bytes);
    tut_sha256_hex(&d, hex);
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "algorithm", "sha256");
    tut_json_put_z(j, "value", hex);
    tut_json_end_object(j);
}

static void sw_put_hash(tut_json *j, const char *key, tut_span bytes)
{
    tut_sha256 d = sw_sha256(bytes);
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "algorithm", "SHA2_256");
    sw_put_b64(j, "digest", tut_span_of(d.bytes, sizeof(d.bytes)));
    tut_json_end_object(j);
}

static void sw_put_verifier(tut_json *j, const sw_world *w)
{
    tut_json_key(j, "verifier");
    tut_json_object(j);
    tut_json_put_z(j, "keyDetails", "PKIX_ECDSA_P256_SHA_256");
    tut_json_key(j, "x509Certificate");
    tut_json_object(j);
    sw_put_cert(j, "rawBytes", w->leaf);
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static void sw_spec_hashedrekord(const sw_world *w, const sw_content *c, tut_json *j)
{
    bool is_two = strcmp(w->version, "0.0.2") == 0;
    if (is_two) {
        tut_json_key(j, "hashedRekordV002");
        tut_json_object(j);
        sw_put_hash(j, "data", tut_buf_span(&c->signed_bytes));
    } else {
        tut_json_key(j, "data");
        tut_json_object(j);
        sw_put_hex(j, "hash", tut_buf_span(&c->signed_bytes));
        tut_json_end_object(j);
    }
    tut_json_key(j, "signature");
    tut_json_object(j);
    sw_put_b64(j, "content", tut_buf_span(&c->signature));
    if (is_two) {
        sw_put_verifier(j, w);
    } else {
        tut_json_key(j, "publicKey");
        tut_json_object(j);
        sw_put_b64(j, "content", tut_buf_span(&c->pem));
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
    if (is_two)
        tut_json_end_object(j);
}

static void sw_spec_dsse(const sw_world *w, const sw_content *c, tut_json *j)
{
    bool is_two = strcmp(w->version, "0.0.2") == 0;
    if (is_two) {
        tut_json_key(j, "dsseV002");
        tut_json_object(j);
        sw_put_hash(j, "payloadHash", tut_buf_span(&c->payload));
    } else {
        sw_put_hex(j, "payloadHash", tut_buf_span(&c->payload));
    }
    tut_json_key(j, "signatures");
    tut_json_array(j);
    tut_json_object(j);
    sw_put_b64(j, is_two ? "content" : "signature", tut_buf_span(&c->signature));
    if (is_two)
        sw_put_verifier(j, w);
    else
        sw_put_b64(j, "verifier", tut_buf_span(&c->pem));
    tut_json_end_object(j);
    tut_json_end_array(j);
    if (is_two)
        tut_json_end_object(j);
}

static void sw_spec_intoto(const sw_world *w, const sw_content *c, tut_json *j)
{
    tut_json_key(j, "content");
    tut_json_object(j);
    sw_put_hex(j, "payloadHash", tut_buf_span(&c->payload));
    if (strcmp(w->version, "0.0.2") == 0) {
        TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
        tut_base64_add(&once, tut_buf_span(&c->signature));
        tut_json_key(j, "envelope");
        tut_json_object(j);
        tut_json_key(j, "signatures");
        tut_json_array(j);
        tut_json_object(j);
        sw_put_b64(j, "sig", tut_buf_span(&once));
        sw_put_b64(j, "publicKey", tut_buf_span(&c->pem));
        tut_json_end_object(j);
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
    if (strcmp(w->version, "0.0.1") == 0)
        sw_put_b64(j, "publicKey", tut_buf_span(&c->pem));
}

static void sw_body(const sw_world *w, const sw_content *c, tut_buf *out)
{
    tut_json *j;
    assert_true(tut_is_ok(tut_json_new(out, &j)));
    tut_json_object(j);
    tut_json_put_z(j, "kind", w->kind);
    tut_json_put_z(j, "apiVersion", w->version);
    tut_json_key(j, "spec");
    tut_json_object(j);
    if (strcmp(w->kind, "dsse") == 0)
        sw_spec_dsse(w, c, j);
    else if (strcmp(w->kind, "intoto") == 0)
        sw_spec_intoto(w, c, j);
    else
        sw_spec_hashedrekord(w, c, j);
    tut_json_end_object(j);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    tut_json_free(j);
}

/* The log's promise, in the form that the specification prints. */
static void sw_put_promise(tut_json *j, const sw_world *w, const tut_buf *body)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    char id[TUT_SHA256_HEX];
    tut_sha256 digest = sw_key_id(w->log);
    tut_sha256_hex(&digest, id);
    tut_buf_add_z(&text, "{\"body\":\"");
    tut_base64_add(&text, tut_buf_span(body));
    tut_buf_printf(&text, "\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":1000}",
                   (long long)w->integrated, id);
    sw_sign(w->log, tut_buf_span(&text), &sig);
    tut_json_put_int(j, "integratedTime", w->integrated);
    tut_json_key(j, "inclusionPromise");
    tut_json_object(j);
    sw_put_b64(j, "signedEntryTimestamp", tut_buf_span(&sig));
    tut_json_end_object(j);
}

/* The entry is the second of three. */
static void sw_put_proof(tut_json *j, const sw_world *w, const tut_buf *body)
{
    tut_sha256 left, leaf, right, both, root;
    tut_merkle_leaf(tut_span_of("one", 3), &left);
    tut_merkle_leaf(tut_buf_span(body), &leaf);
    tut_merkle_leaf(tut_span_of("three", 5), &right);
    tut_merkle_node(&left, &leaf, &both);
    tut_merkle_node(&both, &right, &root);
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_checkpoint c = {.origin = TUT_LIT("log.example - 42"), .size = 3, .root = root};
    tut_checkpoint_write(&c, &note);
    tut_str text = tut_buf_str(&note);
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_note_sign("log.example",
                                        tut_pubkey_type(tut_key_public(w->log)) == TUT_KEY_ED25519
                                            ? TUT_NOTE_ED25519
                                            : TUT_NOTE_ECDSA,
                                        w->log, text, 0, &line, NULL)));
    tut_buf_add_byte(&note, '\n');
    tut_buf_add_str(&note, tut_buf_str(&line));
    tut_json_key(j, "inclusionProof");
    tut_json_object(j);
    tut_json_put_z(j, "logIndex", "1");
    tut_json_put_z(j, "treeSize", "3");
    sw_put_b64(j, "rootHash", tut_span_of(root.bytes, 32));
    tut_json_key(j, "hashes");
    tut_json_array(j);
    const tut_sha256 *const path[] = {&left, &right};
    for (int i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) b64 = TUT_BUF_INIT;
        tut_base64_add(&b64, tut_span_of(path[i]->bytes, 32));
        tut_json_str(j, tut_buf_str(&b64));
    }
    tut_json_end_array(j);
    tut_json_key(j, "checkpoint");
    tut_json_object(j);
    tut_json_put_str(j, "envelope", tut_buf_str(&note));
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static void sw_put_entry(tut_json *j, const sw_world *w, const sw_content *c)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_sha256 id = sw_key_id(w->log);
    sw_body(w, c, &body);
    tut_json_object(j);
    tut_json_put_z(j, "logIndex", "1000");
    tut_json_key(j, "logId");
    tut_json_object(j);
    sw_put_b64(j, "keyId", tut_span_of(id.bytes, 32));
    tut_json_end_object(j);
    tut_json_key(j, "kindVersion");
    tut_json_object(j);
    tut_json_put_z(j, "kind", w->kind);
    tut_json_put_z(j, "version", w->version);
    tut_json_end_object(j);
    if (w->integrated)
        sw_put_promise(j, w, &body);
    if (!w->no_proof)
        sw_put_proof(j, w, &body);
    sw_put_b64(j, "canonicalizedBody", tut_buf_span(&body));
    tut_json_end_object(j);
}

static void sw_put_stamp(tut_json *j, const sw_world *w, const sw_content *c)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    tut_sha256 imprint = sw_sha256(tut_buf_span(&c->signature));
    assert_true(tut_is_ok(tut_tsp_request(&imprint, &request, NULL)));
    tsa_answer(&w->tsa, &request, w->signed_at, &response);
    tut_json_key(j, "timestampVerificationData");
    tut_json_object(j);
    tut_json_key(j, "rfc3161Timestamps");
    tut_json_array(j);
    tut_json_object(j);
    sw_put_b64(j, "signedTimestamp", tut_buf_span(&response));
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

/* ---- the bundle ---- */

static void sw_content_of(const sw_world *w, sw_content *c)
{
    *c = (sw_content){0};
    tut_buf_add_z(&c->payload, w->payload);
    if (w->is_message)
        tut_buf_add_z(&c->signed_bytes, w->payload);
    else
        tut_dsse_pae(TUT_LIT("text/x"), tut_buf_span(&c->payload), &c->signed_bytes);
    sw_sign(w->signer, tut_buf_span(&c->signed_bytes), &c->signature);
    tsa_pem(w->leaf, &c->pem);
}

static void sw_content_done(sw_content *c)
{
    tut_buf_done(&c->signed_bytes);
    tut_buf_done(&c->signature);
    tut_buf_done(&c->payload);
    tut_buf_done(&c->pem);
}

static void sw_put_content(tut_json *j, const sw_world *w, const sw_content *c)
{
    if (w->is_message) {
        tut_json_key(j, "messageSignature");
        tut_json_object(j);
        sw_put_hash(j, "messageDigest", tut_buf_span(&c->signed_bytes));
        sw_put_b64(j, "signature", tut_buf_span(&c->signature));
        tut_json_end_object(j);
        return;
    }
    tut_json_key(j, "dsseEnvelope");
    tut_json_object(j);
    tut_json_put_z(j, "payloadType", "text/x");
    sw_put_b64(j, "payload", tut_buf_span(&c->payload));
    tut_json_key(j, "signatures");
    tut_json_array(j);
    tut_json_object(j);
    sw_put_b64(j, "sig", tut_buf_span(&c->signature));
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

/* Makes a fresh certificate too. */
static void sw_bundle(sw_world *w, tut_buf *out)
{
    sw_content c;
    tut_json *j;
    sw_make_leaf(w);
    sw_content_of(w, &c);
    assert_true(tut_is_ok(tut_json_new(out, &j)));
    tut_json_object(j);
    tut_json_put_z(j, "mediaType", w->media_type);
    tut_json_key(j, "verificationMaterial");
    tut_json_object(j);
    tut_json_key(j, "certificate");
    tut_json_object(j);
    sw_put_cert(j, "rawBytes", w->leaf);
    tut_json_end_object(j);
    tut_json_key(j, "tlogEntries");
    tut_json_array(j);
    sw_put_entry(j, w, &c);
    tut_json_end_array(j);
    if (!w->no_stamp)
        sw_put_stamp(j, w, &c);
    tut_json_end_object(j);
    sw_put_content(j, w, &c);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    tut_json_free(j);
    sw_content_done(&c);
}

#endif
