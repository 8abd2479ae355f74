/*
 * PEM (RFC 7468): blocks of base64 between "-----BEGIN LABEL-----" and "-----END LABEL-----". Text
 * before, between and after blocks is passed over.
 */
#ifndef TUT_CRYPTO_PEM_H
#define TUT_CRYPTO_PEM_H

#include "base/buf.h"

typedef struct tut_pem_block {
    tut_str label; /* borrowed: "PUBLIC KEY" */
    tut_buf der;   /* owned: tut_buf_done, or tut_secret_wipe for a private key */
} tut_pem_block;

/* The next block of *text, which is moved behind it. *ret_found false: there is none. Headers
 * inside a block ("Proc-Type: 4,ENCRYPTED") are UNSUPPORTED; MALFORMED says what is wrong. */
TUT_MUST tut_status tut_pem_next(tut_str *text, bool *ret_found, tut_pem_block *ret_block,
                                 tut_error *err);
void tut_pem_add(tut_buf *out, const char *label, tut_span der);

#endif
