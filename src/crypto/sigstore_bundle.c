/*
 * dev.sigstore.bundle.v1.Bundle, as JSON:
 *
 *   { "mediaType", "verificationMaterial": MATERIAL,
 *     "dsseEnvelope": DSSE | "messageSignature": {"messageDigest"?: {"algorithm", "digest"},
 *                                                 "signature"} }
 *   MATERIAL = { "certificate": {"rawBytes"} | "x509CertificateChain": {"certificates": [..]}
 *                  | "publicKey": {"hint"},
 *                "tlogEntries": [ENTRY],
 *                "timestampVerificationData"?: {"rfc3161Timestamps": [{"signedTimestamp"}]} }
 *   ENTRY = { "logIndex", "logId": {"keyId"}, "kindVersion": {"kind", "version"},
 *             "integratedTime"?, "inclusionPromise"?: {"signedEntryTimestamp"},
 *             "inclusionProof"?: {"logIndex", "treeSize", "rootHash", "hashes": [..],
 *                                 "checkpoint": {"envelope"}},
 *             "canonicalizedBody" }
 */
#include "base/limits.h"
#include "crypto/sigstore_internal.h"

enum { SIGNATURE_MAX = 4096 }; /* RSA of 16,384 bits has 2,048 bytes */

static tut_status read_version(const tut_json_value *v, int *ret_minor, tut_error *err)
{
    static const struct {
        const char *type;
        int minor;
    } known[] = {
        {"application/vnd.dev.sigstore.bundle+json;version=0.1", 1},
        {"application/vnd.dev.sigstore.bundle+json;version=0.2", 2},
        {"application/vnd.dev.sigstore.bundle+json;version=0.3", 3},
        {"application/vnd.dev.sigstore.bundle.v0.3+json", 3},
    };
    tut_str type = tut_json_get_text(v, "mediaType");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (tut_str_eq_z(type, known[i].type)) {
            *ret_minor = known[i].minor;
            return TUT_SUCCESS;
        }
    }
    return tut_fail(err, TUT_UNSUPPORTED,
                    "mediaType is not that of a Sigstore bundle of version 0.1, 0.2 or 0.3");
}

/* ---- who signed ---- */

/* Of a chain only the leaf is used: the way up comes from the trusted root. A root in the bundle
 * tries to bring its own trust along. */
static tut_status read_chain(const tut_json_value *chain, tut_buf *leaf, tut_error *err)
{
    const tut_json_value *certs = tut_sig_get(chain, "certificates");
    uint32_t count = tut_json_count(certs);
    if (count == 0 || count > TUT_SIG_CHAIN_MAX)
        return tut_fail(err, TUT_MALFORMED,
                        "x509CertificateChain has %u certificates (1 to %d are possible)", count,
                        TUT_SIG_CHAIN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
        TUT_OSSL(X509) cert = NULL;
        TUT_TRY(tut_sig_bytes(tut_json_item(certs, i), "rawBytes", TUT_LIMIT_CERTIFICATE_BYTES,
                              i == 0 ? leaf : &der, err));
        TUT_TRY(tut_ossl_cert(tut_buf_span(i == 0 ? leaf : &der), &cert, err));
        if (X509_self_signed(cert, 0) == 1)
            return tut_fail(err, TUT_MALFORMED,
                            "the bundle carries a root certificate of its own; roots come from the "
                            "trusted root alone");
    }
    return TUT_SUCCESS;
}

static tut_status read_signer(const tut_json_value *material, tut_sig_bundle *b, tut_error *err)
{
    const tut_json_value *certificate = tut_sig_get(material, "certificate");
    const tut_json_value *chain = tut_sig_get(material, "x509CertificateChain");
    const tut_json_value *key = tut_sig_get(material, "publicKey");
    if (!!certificate + !!chain + !!key != 1)
        return tut_fail(err, TUT_MALFORMED,
                        "verificationMaterial needs exactly one of certificate, "
                        "x509CertificateChain and publicKey");
    if (chain && b->minor >= 3)
        return tut_fail(err, TUT_MALFORMED,
                        "a bundle of version 0.3 has one certificate, no x509CertificateChain");
    b->by_key = key != NULL;
    if (chain)
        return read_chain(chain, &b->leaf, err);
    if (certificate)
        return tut_sig_bytes(certificate, "rawBytes", TUT_LIMIT_CERTIFICATE_BYTES, &b->leaf, err);
    return TUT_SUCCESS;
}

/* ---- entries of logs ---- */

static tut_status read_proof(const tut_json_value *v, tut_sig_entry *e, tut_error *err)
{
    const tut_json_value *hashes = tut_sig_get(v, "hashes");
    uint32_t count = tut_json_count(hashes);
    if (count > TUT_SIG_PROOF_MAX)
        return tut_fail(err, TUT_LIMIT, "an inclusion proof has more than %d hashes",
                        TUT_SIG_PROOF_MAX);
    TUT_TRY(tut_sig_number(v, "logIndex", &e->proof_index, err));
    TUT_TRY(tut_sig_number(v, "treeSize", &e->proof_size, err));
    TUT_TRY(tut_sig_digest(v, "rootHash", &e->proof_root, err));
    for (uint32_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) hash = TUT_BUF_INIT;
        tut_str text = tut_json_text(tut_json_item(hashes, i));
        if (text.len > 64 || !tut_is_ok(tut_base64_read(text, true, &hash)) ||
            hash.len != TUT_SHA256_BYTES)
            return tut_fail(err, TUT_MALFORMED, "hash %u of an inclusion proof is no SHA-256", i);
        memcpy(e->proof[i].bytes, hash.data, TUT_SHA256_BYTES);
    }
    e->proof_count = count;
    e->checkpoint = tut_json_get_text(tut_sig_get(v, "checkpoint"), "envelope");
    e->has_proof = true;
    return TUT_SUCCESS;
}

static tut_status read_entry(const tut_json_value *v, tut_sig_entry *e, tut_error *err)
{
    const tut_json_value *kind = tut_sig_get(v, "kindVersion");
    const tut_json_value *promise = tut_sig_get(v, "inclusionPromise");
    const tut_json_value *proof = tut_sig_get(v, "inclusionProof");
    uint64_t time = 0;
    e->kind = tut_json_get_text(kind, "kind");
    e->version = tut_json_get_text(kind, "version");
    TUT_TRY(tut_sig_digest(tut_sig_get(v, "logId"), "keyId", &e->log_id, err));
    TUT_TRY(tut_sig_number(v, "logIndex", &e->log_index, err));
    if (tut_sig_get(v, "integratedTime"))
        TUT_TRY(tut_sig_number(v, "integratedTime", &time, err));
    e->integrated = (tut_time)time;
    e->has_time = time != 0; /* protobuf's zero is "not set" */
    if (promise)
        TUT_TRY(tut_sig_bytes(promise, "signedEntryTimestamp", SIGNATURE_MAX, &e->promise, err));
    if (proof)
        TUT_TRY(read_proof(proof, e, err));
    return tut_sig_bytes(v, "canonicalizedBody", TUT_LIMIT_JSON_BYTES, &e->body, err);
}

static tut_status read_entries(const tut_json_value *list, tut_sig_bundle *b, tut_error *err)
{
    uint32_t count = tut_json_count(list);
    if (count == 0)
        return tut_fail(err, TUT_MALFORMED,
                        "tlogEntries is missing or empty: nothing shows that the signature was "
                        "published");
    if (count > TUT_SIG_ENTRIES_MAX)
        return tut_fail(err, TUT_LIMIT, "tlogEntries has more than %d entries",
                        TUT_SIG_ENTRIES_MAX);
    b->entries = tut_alloc_array(count, sizeof(*b->entries));
    if (!b->entries)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->entry_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tut_error why = {0};
        tut_status s = read_entry(tut_json_item(list, i), &b->entries[i], &why);
        if (!tut_is_ok(s))
            return tut_fail(err, s.code, "tlogEntries[%u]: %s", i, why.text);
    }
    return TUT_SUCCESS;
}

static tut_status read_stamps(const tut_json_value *data, tut_sig_bundle *b, tut_error *err)
{
    const tut_json_value *list = tut_sig_get(data, "rfc3161Timestamps");
    uint32_t count = tut_json_count(list);
    if (count > TUT_SIG_STAMPS_MAX)
        return tut_fail(err, TUT_LIMIT, "rfc3161Timestamps has more than %d entries",
                        TUT_SIG_STAMPS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        b->stamp_count = i + 1;
        TUT_TRY(tut_sig_bytes(tut_json_item(list, i), "signedTimestamp", TUT_LIMIT_TSP_BYTES,
                              &b->stamps[i], err));
    }
    return TUT_SUCCESS;
}

/* ---- what was signed ---- */

static tut_status read_envelope(const tut_json_value *v, tut_sig_bundle *b, tut_error *err)
{
    TUT_TRY(tut_dsse_read(v, &b->envelope, err));
    b->is_envelope = true;
    if (b->envelope.signature_count != 1)
        return tut_fail(err, TUT_MALFORMED, "dsseEnvelope has %zu signatures, not one",
                        b->envelope.signature_count);
    const tut_buf *sig = &b->envelope.signatures[0].sig;
    tut_buf_add(&b->signature, sig->data, sig->len);
    tut_dsse_pae(b->envelope.type, tut_buf_span(&b->envelope.payload), &b->signed_bytes);
    TUT_TRY(tut_buf_check(&b->signature, err));
    return tut_buf_check(&b->signed_bytes, err);
}

static tut_status read_message(const tut_json_value *v, const tut_span *artifact, tut_sig_bundle *b,
                               tut_error *err)
{
    const tut_json_value *digest = tut_sig_get(v, "messageDigest");
    if (!artifact)
        return tut_fail(err, TUT_USAGE,
                        "the bundle signs a file by its bytes (messageSignature), and no file was "
                        "given");
    if (digest) {
        if (!tut_str_eq_z(tut_json_get_text(digest, "algorithm"), "SHA2_256"))
            return tut_fail(err, TUT_UNSUPPORTED, "messageDigest is not SHA2_256");
        TUT_TRY(tut_sig_digest(digest, "digest", &b->digest, err));
        b->has_digest = true;
    }
    TUT_TRY(tut_sig_bytes(v, "signature", SIGNATURE_MAX, &b->signature, err));
    tut_buf_add(&b->signed_bytes, artifact->data, artifact->len);
    return tut_buf_check(&b->signed_bytes, err);
}

static tut_status read_parts(const tut_json_value *v, const tut_span *artifact, tut_sig_bundle *b,
                             tut_error *err)
{
    const tut_json_value *material = tut_sig_get(v, "verificationMaterial");
    const tut_json_value *envelope = tut_sig_get(v, "dsseEnvelope");
    const tut_json_value *message = tut_sig_get(v, "messageSignature");
    TUT_TRY(read_version(v, &b->minor, err));
    if (!material)
        return tut_fail(err, TUT_MALFORMED, "verificationMaterial is missing");
    if (!!envelope + !!message != 1)
        return tut_fail(err, TUT_MALFORMED,
                        "a bundle has exactly one of dsseEnvelope and messageSignature");
    TUT_TRY(read_signer(material, b, err));
    TUT_TRY(read_entries(tut_sig_get(material, "tlogEntries"), b, err));
    TUT_TRY(read_stamps(tut_sig_get(material, "timestampVerificationData"), b, err));
    return envelope ? read_envelope(envelope, b, err) : read_message(message, artifact, b, err);
}

tut_status tut_sig_bundle_read(const tut_json_value *v, const tut_span *artifact,
                               tut_sig_bundle *ret_bundle, tut_error *err)
{
    tut_sig_bundle b = {0};
    tut_status s = read_parts(v, artifact, &b, err);
    if (!tut_is_ok(s)) {
        tut_sig_bundle_done(&b);
        return s;
    }
    *ret_bundle = b;
    return TUT_SUCCESS;
}

void tut_sig_bundle_done(tut_sig_bundle *b)
{
    for (size_t i = 0; i < b->entry_count; i++) {
        tut_buf_done(&b->entries[i].promise);
        tut_buf_done(&b->entries[i].body);
    }
    tut_free(b->entries);
    for (size_t i = 0; i < b->stamp_count; i++)
        tut_buf_done(&b->stamps[i]);
    tut_buf_done(&b->leaf);
    tut_buf_done(&b->signature);
    tut_buf_done(&b->signed_bytes);
    tut_dsse_done(&b->envelope);
    *b = (tut_sig_bundle){0};
}
