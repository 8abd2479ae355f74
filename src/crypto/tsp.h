/*
 * RFC 3161 time-stamps (and RFC 5816) over OpenSSL: a request for an authority to say that bytes
 * existed, and the check of what it answered.
 *
 * A token proves its time when it was granted, is over exactly these bytes (SHA-256, SHA-384 or
 * SHA-512), echoes the request's nonce, and is signed by a certificate whose only extended key
 * usage is critical timeStamping, with a chain to a trusted root that was valid at the token's own
 * time.
 */
#ifndef TUT_CRYPTO_TSP_H
#define TUT_CRYPTO_TSP_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/digest.h"

/* Whose time-stamps are believed. */
typedef struct tut_tsp_trust tut_tsp_trust;

/* Certificates in PEM: those that sign themselves are roots and the others help to reach them; when
 * none signs itself, each is an anchor. MALFORMED when there is none. */
TUT_MUST tut_status tut_tsp_trust_from_pem(tut_span pem, tut_tsp_trust **ret_trust, tut_error *err);
/* A chain in DER, the authority's own certificate first; the last one is the anchor. */
TUT_MUST tut_status tut_tsp_trust_from_chain(const tut_span *ders, size_t count,
                                             tut_tsp_trust **ret_trust, tut_error *err);
void tut_tsp_trust_free(tut_tsp_trust *trust);
TUT_DEFINE_AUTO(tut_tsp_trust)

/* Appends a TimeStampReq in DER: this SHA-256 imprint, a fresh nonce of 64 bits, certificates
 * wanted. */
TUT_MUST tut_status tut_tsp_request(const tut_sha256 *imprint, tut_buf *out, tut_error *err);

enum { TUT_TSP_TEXT = 256 };

typedef struct tut_tsp_token {
    tut_time at;                  /* fractions of a second dropped */
    char policy[TUT_TSP_TEXT];    /* OID in dots */
    char serial[TUT_TSP_TEXT];    /* hexadecimal */
    char authority[TUT_TSP_TEXT]; /* subject of the signing certificate; empty without trust */
    bool is_trusted;              /* the signature was checked against the trust given */
} tut_tsp_token;

/* Checks a TimeStampResp in DER against the bytes that were to be stamped. `request` (may be empty)
 * is the TimeStampReq it answers: nonce and imprint must be equal. Without `trust` everything but
 * the signature is checked, and is_trusted is false. MALFORMED, DENIED when it was not granted,
 * CRYPTO with the reason. */
TUT_MUST tut_status tut_tsp_verify(tut_span response, tut_span request, tut_span message,
                                   const tut_tsp_trust *trust, tut_tsp_token *ret_token,
                                   tut_error *err);
/* The time a response claims, with nothing checked: for choosing which authority to ask. */
TUT_MUST tut_status tut_tsp_claimed_time(tut_span response, tut_time *ret_time, tut_error *err);

#endif
