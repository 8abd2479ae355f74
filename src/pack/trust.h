/* What a user says to trust: a key, or a file of keys, or a policy of witnesses. */
#ifndef TUT_PACK_TRUST_H
#define TUT_PACK_TRUST_H

#include "pack/verify.h"

typedef struct tut_pack_trusting { /* owns what `trust` borrows */
    tut_verifier *keys;
    size_t key_count, key_capacity;
    tut_pubkey *any;
    tut_witness_policy *policy;
    tut_tsp_trust *authorities;
} tut_pack_trusting;

/* word: a verifier key ("name+8hex+base64"), or a file that holds some (a line each), a public key
 * in PEM, or a C2SP tlog-policy. USAGE with the reason for anything else. */
TUT_MUST tut_status tut_pack_trusting_read(tut_pack_trusting *t, const char *word, tut_error *err);
/* Roots of time-stamp authorities in PEM. */
TUT_MUST tut_status tut_pack_trusting_authorities(tut_pack_trusting *t, const char *path,
                                                  tut_error *err);
tut_pack_trust tut_pack_trust_of(const tut_pack_trusting *t);
void tut_pack_trusting_done(tut_pack_trusting *t);

#endif
