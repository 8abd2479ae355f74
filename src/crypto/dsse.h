/*
 * DSSE envelopes (secure-systems-lab/dsse v1.0): a payload, its type, and signatures over
 *   PAE = "DSSEv1" SP len(type) SP type SP len(payload) SP payload
 * Nothing is ever re-serialised: what is verified are the payload's bytes as they came.
 */
#ifndef TUT_CRYPTO_DSSE_H
#define TUT_CRYPTO_DSSE_H

#include "base/json.h"
#include "base/json_write.h"
#include "crypto/base64.h"
#include "crypto/key.h"

#define TUT_DSSE_INTOTO "application/vnd.in-toto+json"

enum { TUT_DSSE_SIGNATURES_MAX = 16 };

/* Appends the pre-authentication encoding. */
void tut_dsse_pae(tut_str type, tut_span payload, tut_buf *out);

typedef struct tut_dsse_signature {
    tut_str keyid; /* borrowed from the document; may be empty */
    tut_buf sig;   /* decoded */
} tut_dsse_signature;

typedef struct tut_dsse {
    tut_str type;    /* borrowed from the document */
    tut_buf payload; /* decoded */
    tut_dsse_signature signatures[TUT_DSSE_SIGNATURES_MAX];
    size_t signature_count;
} tut_dsse;

/* v is the envelope object: exactly payload, payloadType, signatures[{sig, keyid?}]; unknown keys,
 * no signature, bad base64 (padding included; standard or URL alphabet) are MALFORMED. */
TUT_MUST tut_status tut_dsse_read(const tut_json_value *v, tut_dsse *ret_envelope, tut_error *err);
void tut_dsse_done(tut_dsse *envelope);
/* CRYPTO unless signature i is this key's over the envelope. */
TUT_MUST tut_status tut_dsse_verify(const tut_dsse *envelope, size_t i, const tut_pubkey *key,
                                    tut_error *err);
/* Writes the envelope as the next JSON value, signed by each key in turn; keyid is the key's id. */
TUT_MUST tut_status tut_dsse_write(tut_json *j, const char *type, tut_span payload,
                                   const tut_key *const *keys, size_t count, tut_error *err);

#endif
