/*
 * A new key for one of the machines: the tool, which signs evidence, or the logs.
 *
 * The new key is made (or taken) and waits in the key store; the event that names it, signed by a
 * root, is appended; the key takes the old one's place, which is kept. A crash before the event
 * leaves a key that waits for nothing: the next rotation gives it up. After it, whoever writes to
 * the ledger next finishes the rest: of the log's key any child that starts (ledger/sequencer.h),
 * of the tool's key whoever is about to sign with it (ledger/record.h). For the log's key the
 * checkpoint that covers the event is signed by both keys (ledger/rotation.h).
 *
 * What a process signs that opened the tool's key before does not count.
 */
#ifndef TUT_STATE_ROTATE_H
#define TUT_STATE_ROTATE_H

#include "crypto/keystore.h"
#include "ledger/people_event.h"

typedef struct tut_rotate {
    const char *state_dir;
    bool is_log;                     /* else the tool */
    const tut_key *signer;           /* a root's */
    const tut_secret_source *secret; /* of the machine keys as they are, or NULL */
    const char *new_key; /* a file, which is copied, or a pkcs11: URI; NULL: one is made, Ed25519 */
    const tut_secret_source *new_secret; /* of the new key, or NULL */
    tut_str new_passphrase;              /* of one that is made; empty: in clear */
    tut_str reason;
    bool has_from;
    uint64_t from;  /* the old key counts no more from this entry on */
    tut_record who; /* time, actor, the tool's digests */
} tut_rotate;

/* *ret_index: of the entry. DENIED when it would not count; STORE while a service holds the log
 * key. Nothing is changed then. *ret_is_recorded (may be NULL) also on failure: the entry stands,
 * and the next command that writes finishes the rest. */
TUT_MUST tut_status tut_rotate_machine(const tut_rotate *how, uint64_t *ret_index,
                                       tut_pubkey **ret_key, bool *ret_is_recorded, tut_error *err);

#endif
