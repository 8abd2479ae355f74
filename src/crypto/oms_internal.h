/* Shared by the files of OMS, and their tests. */
#ifndef TUT_CRYPTO_OMS_INTERNAL_H
#define TUT_CRYPTO_OMS_INTERNAL_H

#include "crypto/oms.h"

/* SHA-256 over the raw digests of the resources in their order. */
TUT_MUST tut_status tut_oms_root_of(const tut_oms_statement *s, tut_sha256 *ret_root,
                                    tut_error *err);

/* Version 0.2.0 of the reference signed other bytes than it should have: "DSSEV1 N TYPE M " and
 * then the payload as Python prints a bytes object, b'...'. Appends them. */
void tut_oms_old_pae(tut_str type, tut_span payload, tut_buf *out);
/* CRYPTO unless signature is the key's over those bytes. In certificate mode that version hashed
 * them with SHA-256 whatever the curve. */
TUT_MUST tut_status tut_oms_verify_old(const tut_dsse *envelope, const tut_pubkey *key,
                                       bool with_sha256, tut_error *err);

#endif
