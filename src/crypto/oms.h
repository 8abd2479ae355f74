/*
 * OpenSSF Model Signing v1.0 (OMS): bundles and statements. Sources: ossf/model-signing-spec
 * spec/v1.0.md, algorithm-registry.md and schemas/v1.0; sigstore/protobuf-specs
 * sigstore_bundle.proto.
 *
 *   bundle     JSON object: mediaType, verificationMaterial, dsseEnvelope
 *   envelope   DSSE, payloadType application/vnd.in-toto+json, exactly one signature
 *   statement  in-toto v1 with one subject, whose sha256 is the root: SHA-256 over the raw digests
 *              of the resources in their order
 *   predicate  resources[] {name, digest, algorithm}; serialization {method, hash_type,
 *              allow_symlinks, ignore_paths?, shard_size?}
 *
 * Reading refuses: keys twice, bytes behind the JSON, other types or keys than the schemas allow,
 * names that are empty, absolute, not UTF-8 or have "." or ".." in them, a name twice, no resource,
 * several subjects or signatures, and a root that is not that of the resources. What was verified
 * is what is parsed: the payload's bytes, never a copy made from them.
 */
#ifndef TUT_CRYPTO_OMS_H
#define TUT_CRYPTO_OMS_H

#include "crypto/chain.h"
#include "crypto/dsse.h"
#include "crypto/hash.h"
#include "crypto/sigstore.h"

#define TUT_OMS_MEDIA_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"
#define TUT_OMS_PREDICATE "https://model_signing/signature/v1.0"
#define TUT_OMS_PREDICATE_OLD "https://model_signing/Digests/v0.1"

typedef struct tut_oms_resource {
    tut_str name;        /* path below the root; of a shard without its range */
    uint64_t start, end; /* of a shard: bytes [start, end) */
    tut_hash digest;
} tut_oms_resource;

typedef enum tut_oms_method { TUT_OMS_FILES, TUT_OMS_SHARDS } tut_oms_method;

typedef struct tut_oms_statement {
    tut_str subject; /* informational */
    tut_sha256 root; /* equal to that of the resources; of old statements computed */
    tut_oms_method method;
    tut_hash_kind hash;
    bool allow_symlinks;
    bool is_old;                 /* v0.1 predicate: files in subject[], no root, no serialization */
    bool is_unsorted;            /* resources were not in the order that the text asks for */
    uint64_t shard_size;         /* shards only */
    tut_oms_resource *resources; /* as listed */
    size_t count;
    tut_str *ignore; /* paths that were left out, sound as names are */
    size_t ignore_count;
    tut_json_doc *doc; /* owns the text; NULL in one that is to be written */
} tut_oms_statement;

/* MALFORMED, UNSUPPORTED (blake3, unknown methods, other predicates) or LIMIT. The payload is
 * copied. */
TUT_MUST tut_status tut_oms_statement_read(tut_span payload, tut_oms_statement **ret_statement,
                                           tut_error *err);
void tut_oms_statement_free(tut_oms_statement *s);
TUT_DEFINE_AUTO(tut_oms_statement)
/* Appends the payload: keys sorted, no white space, resources as they are, which must be sorted by
 * the code points of their names. Method files only; the root is taken from s. */
TUT_MUST tut_status tut_oms_statement_write(const tut_oms_statement *s, tut_buf *out,
                                            tut_error *err);
/* A name or ignored path that may stand in a statement. */
bool tut_oms_name_ok(tut_str name);

typedef enum tut_oms_mode {
    TUT_OMS_KEY,         /* verificationMaterial.publicKey */
    TUT_OMS_CERTIFICATE, /* verificationMaterial.x509CertificateChain */
    TUT_OMS_KEYLESS      /* verificationMaterial.certificate: Sigstore, see crypto/sigstore.h */
} tut_oms_mode;

typedef struct tut_oms_bundle {
    tut_oms_mode mode;
    tut_str hint;                 /* of the key; empty in bundles from before v1.1.0 */
    tut_buf chain[TUT_CHAIN_MAX]; /* DER, leaf first; TUT_OMS_CERTIFICATE only */
    size_t chain_count;
    tut_dsse envelope;
    tut_json_doc *doc;
} tut_oms_bundle;

TUT_MUST tut_status tut_oms_bundle_read(tut_span bytes, tut_oms_bundle **ret_bundle,
                                        tut_error *err);
void tut_oms_bundle_free(tut_oms_bundle *b);
TUT_DEFINE_AUTO(tut_oms_bundle)

/* CRYPTO with the reason unless the bundle is in key mode and signed by this key, which is on one
 * of the curves that OMS allows; then as tut_oms_statement_read over the very bytes that were
 * signed. */
TUT_MUST tut_status tut_oms_verify_key(const tut_oms_bundle *b, const tut_pubkey *key,
                                       tut_oms_statement **ret_statement, tut_error *err);
/* CRYPTO unless the bundle is in certificate mode, its chain leads to a root at `at`, and its leaf
 * signed. */
TUT_MUST tut_status tut_oms_verify_chain(const tut_oms_bundle *b, tut_span roots_pem, tut_time at,
                                         tut_chain_leaf *ret_leaf,
                                         tut_oms_statement **ret_statement, tut_error *err);

/* CRYPTO unless the bundle is in keyless mode and holds by crypto/sigstore.h; also when it is not
 * whom the policy demands. */
TUT_MUST tut_status tut_oms_verify_keyless(const tut_oms_bundle *b, tut_span trusted_root_json,
                                           const tut_sigstore_policy *policy,
                                           tut_sigstore_result *ret_result,
                                           tut_oms_statement **ret_statement, tut_error *err);
/* MALFORMED with the reason unless this is a trusted root of Sigstore. */
TUT_MUST tut_status tut_oms_check_trusted_root(tut_span trusted_root_json, tut_error *err);

/* Appends the bundle over the payload, signed by key. With a chain (DER, leaf first, without roots)
 * in certificate mode, else in key mode; keyid is the key's id, as is the hint. */
TUT_MUST tut_status tut_oms_bundle_write(tut_span payload, const tut_key *key,
                                         const tut_span *chain, size_t chain_count, tut_buf *out,
                                         tut_error *err);
/* UNSUPPORTED unless the key is on P-256, P-384 or P-521. */
TUT_MUST tut_status tut_oms_key_ok(const tut_pubkey *key, tut_error *err);

#endif
