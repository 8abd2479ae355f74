/*
 * Certificate chains as OpenSSF Model Signing's certificate mode uses them (its section 8.2, and
 * RFC 5280 path validation by OpenSSL): a leaf, intermediates as they came, and roots that the user
 * trusts. Nothing in the chain is ever trusted because it is there.
 */
#ifndef TUT_CRYPTO_CHAIN_H
#define TUT_CRYPTO_CHAIN_H

#include "base/time.h"
#include "crypto/key.h"

enum { TUT_CHAIN_MAX = 16 }; /* certificates in one chain: real ones have two to four */

typedef struct tut_chain_leaf {
    tut_pubkey *key;
    char *subject;          /* RFC 2253, UTF-8: "CN=signer,O=Example" */
    tut_sha256 fingerprint; /* of the DER */
    tut_time not_before, not_after;
} tut_chain_leaf;

void tut_chain_leaf_done(tut_chain_leaf *leaf);

/* ders: the leaf first, then intermediates in any order; roots_pem: one certificate or more.
 * CRYPTO with the reason unless at the time `at` every certificate of a path from the leaf to a
 * root is valid, and the leaf may sign: KeyUsage has digitalSignature if it is there, and
 * ExtendedKeyUsage has codeSigning if it is there; one of them is there. MALFORMED for what is no
 * certificate. Keys below 112 bits of strength and SHA-1 are refused. */
TUT_MUST tut_status tut_chain_verify(const tut_span *ders, size_t count, tut_span roots_pem,
                                     tut_time at, tut_chain_leaf *ret_leaf, tut_error *err);
/* MALFORMED with the reason unless these are certificates in PEM. */
TUT_MUST tut_status tut_chain_check_roots(tut_span roots_pem, tut_error *err);
/* The certificates of a PEM file in DER, in order; MALFORMED when there is none, LIMIT above
 * TUT_CHAIN_MAX. The caller frees each with tut_buf_done. */
TUT_MUST tut_status tut_chain_pem_to_der(tut_span pem, tut_buf ders[TUT_CHAIN_MAX],
                                         size_t *ret_count, tut_error *err);
/* The leaf of a chain for its signer, who trusts it: its key, subject and times, nothing checked.
 * ret_is_root: it is signed by its own key. */
TUT_MUST tut_status tut_chain_read_leaf(tut_span der, tut_chain_leaf *ret_leaf, bool *ret_is_root,
                                        tut_error *err);

#endif
