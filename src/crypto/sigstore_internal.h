/* Between the files of Sigstore verification, in the order in which they are used:
 * sigstore_root.c, sigstore_bundle.c, sigstore_time.c, sigstore_cert.c, sigstore_body.c,
 * sigstore_log.c, sigstore.c. */
#ifndef TUT_CRYPTO_SIGSTORE_INTERNAL_H
#define TUT_CRYPTO_SIGSTORE_INTERNAL_H

#include "crypto/dsse.h"
#include "crypto/sigstore.h"
#include "crypto/x509_internal.h"

/* Closed at both ends, as in protobuf-specs; `to` is INT64_MAX while it is still in use. */
typedef struct tut_sig_range {
    tut_time from, to;
} tut_sig_range;

static inline bool tut_sig_within(const tut_sig_range *range, tut_time at)
{
    return range->from <= at && at <= range->to;
}

/* ---- protobuf's JSON ---- */

/* The member, or NULL when it is absent or null, which protobuf takes for the same. */
const tut_json_value *tut_sig_get(const tut_json_value *object, const char *key);
/* Numbers may be written as numbers or as decimal text. MALFORMED unless 0 to INT64_MAX. */
TUT_MUST tut_status tut_sig_number(const tut_json_value *object, const char *key,
                                   uint64_t *ret_value, tut_error *err);
/* base64 of 1 to max_bytes bytes under `key`, decoded; MALFORMED when absent or empty. */
TUT_MUST tut_status tut_sig_bytes(const tut_json_value *object, const char *key, size_t max_bytes,
                                  tut_buf *out, tut_error *err);
/* Exactly 32 bytes in base64. */
TUT_MUST tut_status tut_sig_digest(const tut_json_value *object, const char *key,
                                   tut_sha256 *ret_digest, tut_error *err);

/* ---- the trusted root ---- */

enum {
    TUT_SIG_LOGS_MAX = 64,        /* tlogs and ctlogs each: the public instance has three */
    TUT_SIG_AUTHORITIES_MAX = 32, /* of certificates and of time each */
    TUT_SIG_CHAIN_MAX = 8
};

typedef struct tut_sig_log {
    char url[256];   /* baseUrl */
    tut_sha256 id;   /* logId.keyId */
    tut_pubkey *key; /* NULL: of a kind that is not supported */
    tut_sig_range valid;
} tut_sig_log;

typedef struct tut_sig_authority {
    tut_buf ders[TUT_SIG_CHAIN_MAX]; /* nearest to the leaf first; the last is the anchor */
    size_t der_count;
    tut_sig_range valid;
} tut_sig_authority;

typedef struct tut_sig_root {
    tut_sig_log *tlogs, *ctlogs;
    size_t tlog_count, ctlog_count;
    tut_sig_authority *cas, *tsas;
    size_t ca_count, tsa_count;
} tut_sig_root;

TUT_MUST tut_status tut_sig_root_read(tut_span json, tut_sig_root *ret_root, tut_error *err);
void tut_sig_root_done(tut_sig_root *root);
/* CRYPTO unless this is the log's signature over these bytes. */
TUT_MUST tut_status tut_sig_log_verify(const tut_sig_log *log, tut_span bytes, tut_span signature,
                                       tut_error *err);
/* NULL when no such log is there. */
const tut_sig_log *tut_sig_find_log(const tut_sig_log *logs, size_t count, const tut_sha256 *id);

/* ---- the bundle ---- */

enum { TUT_SIG_ENTRIES_MAX = 8, TUT_SIG_STAMPS_MAX = 8, TUT_SIG_PROOF_MAX = 64 };

typedef struct tut_sig_entry {
    tut_str kind, version;
    tut_sha256 log_id;
    uint64_t log_index;
    bool has_time;
    tut_time integrated;
    tut_buf promise; /* the signed entry timestamp; empty when absent */
    bool has_proof;
    uint64_t proof_index, proof_size;
    tut_sha256 proof_root;
    tut_sha256 proof[TUT_SIG_PROOF_MAX];
    size_t proof_count;
    tut_str checkpoint; /* empty when absent */
    tut_buf body;       /* canonicalizedBody, decoded */
} tut_sig_entry;

typedef struct tut_sig_bundle {
    int minor; /* 1, 2 or 3 of version 0.x */
    bool by_key;
    tut_buf leaf; /* certificate in DER; empty when by_key */
    tut_sig_entry *entries;
    size_t entry_count;
    tut_buf stamps[TUT_SIG_STAMPS_MAX]; /* RFC 3161 responses */
    size_t stamp_count;
    bool is_envelope;
    tut_dsse envelope;    /* when is_envelope */
    tut_buf signature;    /* of the message when not; a copy of the envelope's only one when so */
    tut_buf signed_bytes; /* the envelope's pre-authentication encoding, or the artefact */
    bool has_digest;
    tut_sha256 digest; /* messageDigest */
} tut_sig_bundle;

TUT_MUST tut_status tut_sig_bundle_read(const tut_json_value *v, const tut_span *artifact,
                                        tut_sig_bundle *ret_bundle, tut_error *err);
void tut_sig_bundle_done(tut_sig_bundle *b);

/* ---- the parts of the verification ---- */

/* Times that time-stamp authorities gave to the signature; each must verify. times has
 * TUT_SIG_STAMPS_MAX places. */
TUT_MUST tut_status tut_sig_check_stamps(const tut_sig_bundle *b, const tut_sig_root *root,
                                         tut_time *times, size_t *ret_count, tut_error *err);

/* The leaf at each of the times: chain, code signing, certificate log. */
TUT_MUST tut_status tut_sig_check_leaf(const tut_sig_bundle *b, const tut_sig_root *root,
                                       const tut_time *times, size_t count, tut_error *err);
/* Who the leaf names, and its key. */
TUT_MUST tut_status tut_sig_read_leaf(const tut_sig_bundle *b, tut_sigstore_result *result,
                                      tut_pubkey **ret_key, tut_error *err);
/* Signed certificate timestamps of the leaf, which was issued by `issuer`. */
TUT_MUST tut_status tut_sig_check_scts(X509 *leaf, X509 *issuer, const tut_sig_root *root,
                                       tut_error *err);

/* That the entry's body says this signature, these signed bytes, and this certificate or key. */
TUT_MUST tut_status tut_sig_check_body(const tut_sig_entry *e, const tut_sig_bundle *b,
                                       const tut_pubkey *key, tut_error *err);

/* Promise, proof and checkpoint of one entry. ret_time is set when the log promised one. */
TUT_MUST tut_status tut_sig_check_entry(const tut_sig_entry *e, const tut_sig_bundle *b,
                                        const tut_sig_root *root, bool *ret_has_time,
                                        tut_time *ret_time, tut_error *err);

#endif
