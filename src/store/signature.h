/*
 * Who signed a version: its signature held against the digests that the version names, without
 * reading a file. What the digests are of is the blobs' own question (fsck.h).
 */
#ifndef TUT_STORE_SIGNATURE_H
#define TUT_STORE_SIGNATURE_H

#include "ledger/people.h"
#include "store/version.h"

typedef enum tut_signed_state {
    TUT_SIGNED_NOT,     /* it carries no signature */
    TUT_SIGNED_VALID,   /* by somebody who may sign it now */
    TUT_SIGNED_INVALID, /* `why` says what is wrong */
    TUT_SIGNED_UNKNOWN  /* by other hashes than SHA-256 of whole files: restoring it tells */
} tut_signed_state;
const char *tut_signed_word(tut_signed_state state); /* "valid" */

typedef struct tut_signed_by {
    tut_signed_state state;
    const tut_person *person; /* whose key it is, also when it does not count; NULL: a stranger's */
    char key_id[TUT_SHA256_HEX];
    char why[TUT_ERROR_TEXT_MAX];
} tut_signed_by;

/* roles: bit set, of which one signs; 0: any enrolled person. */
TUT_MUST tut_status tut_version_signed_by(const tut_store *s, const tut_version *v,
                                          const tut_people *people, uint64_t log_size,
                                          uint32_t roles, tut_signed_by *ret, tut_error *err);

#endif
