/*
 * Keyless signatures (Sigstore bundles v0.1 to v0.3), verified offline against a given trusted root
 * (protobuf-specs TrustedRoot JSON).
 *
 * What has to hold, all of it:
 *   - at least one trusted time: an RFC 3161 token over the signature by one of the root's
 *     authorities, or the time that a log promised in a signed entry timestamp; every time that the
 *     bundle carries must verify;
 *   - at each of these times the certificate is valid and chains to one of the root's certificate
 *     authorities that was in use then; it may sign code; its signed certificate timestamp is by
 * one of the root's certificate logs;
 *   - the certificate names one identity and an issuer, which the policy may demand;
 *   - at least one entry of a transparency log of the root says this signature, this payload and
 * this certificate; inclusion proof and checkpoint verify (bundles v0.1 may have only the signed
 * entry timestamp); every entry that the bundle carries must verify;
 *   - the signature over the envelope (or the artefact) verifies by the certificate's key.
 */
#ifndef TUT_CRYPTO_SIGSTORE_H
#define TUT_CRYPTO_SIGSTORE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "crypto/key.h"

enum { TUT_SIGSTORE_TEXT = 1024 };

typedef struct tut_sigstore_policy {
    const char *identity; /* e-mail address, URI or name in the certificate; NULL: any */
    const char *issuer;   /* who vouched for it: "https://accounts.google.com"; NULL: any */
    /* For bundles whose publicKey names a key instead of a certificate; else such are refused. */
    const tut_pubkey *key;
    /* What a bundle with a messageSignature signs; without it such bundles are refused. */
    const tut_span *artifact;
} tut_sigstore_policy;

typedef enum tut_sigstore_time {
    TUT_SIGSTORE_TIME_AUTHORITY, /* an RFC 3161 time-stamp */
    TUT_SIGSTORE_TIME_LOG        /* the log's signed entry timestamp */
} tut_sigstore_time;

typedef struct tut_sigstore_result {
    char identity[TUT_SIGSTORE_TEXT]; /* empty for a bundle by key */
    char issuer[TUT_SIGSTORE_TEXT];
    char log[TUT_SIGSTORE_TEXT]; /* base URL of the log of the first entry */
    uint64_t log_index;
    tut_time at;              /* the earliest trusted time */
    tut_sigstore_time source; /* where it comes from */
    tut_buf payload;          /* the envelope's payload, decoded: the bytes that were verified */
    tut_buf payload_type;     /* NUL-ended behind its length */
} tut_sigstore_result;

/* `bundle` is the whole bundle object; it must outlive only the call. The trusted root is bounded
 * JSON text. MALFORMED, UNSUPPORTED or LIMIT when bundle or root cannot be read; CRYPTO when
 * something in it does not verify; DENIED when it verifies but is not whom the policy demands. The
 * error's text names the part. */
TUT_MUST tut_status tut_sigstore_verify(const tut_json_value *bundle, tut_span trusted_root_json,
                                        const tut_sigstore_policy *policy,
                                        tut_sigstore_result *ret_result, tut_error *err);
void tut_sigstore_result_done(tut_sigstore_result *result);

#endif
