/*
 * How the log's key goes from one to the next, for whoever holds an earlier one.
 *
 * The entry "log.rotated", number R, names the new key. The checkpoint that covers it first, that
 * of R+1 entries, is signed by both keys; later ones by the new key alone. So the old key vouches
 * for the entry, and the entry for the new key. That checkpoint is kept beside the log, with the
 * entry and its proof, in one file that needs nothing else to be checked:
 *
 *   DIR/rotations/SIZE   c2sp.org/tlog-proof: extra (the entry), index R, hashes, the checkpoint
 *
 * Nobody believes these files: one that the key before it did not sign leads nowhere. The traffic
 * log is signed with the same key under its own name, always the one of the evidence log.
 */
#ifndef TUT_LEDGER_ROTATION_H
#define TUT_LEDGER_ROTATION_H

#include "ledger/beside.h"
#include "ledger/log.h"

#define TUT_ROTATED_KIND "log.rotated"
#define TUT_ROTATIONS_DIR "rotations"

typedef struct tut_log_key {
    tut_verifier verifier;
    uint64_t from; /* entries of the first checkpoint that it signed; 0 of the one that was given */
} tut_log_key;

/* From a key that is trusted to the one in force, oldest first; never empty once it was made. */
typedef struct tut_log_keys {
    tut_log_key *items;
    size_t count, capacity;
} tut_log_keys;

/* Follows the files beside the evidence log (what is not there leads nowhere) from
 * `trusted`, whose name is that of the log. Only what fails on our side is an error. */
TUT_MUST tut_status tut_log_keys_follow(const tut_beside *beside, const tut_verifier *trusted,
                                        tut_log_keys *ret, tut_error *err);
void tut_log_keys_done(tut_log_keys *keys);
/* The key that has to have signed the present checkpoint. */
const tut_verifier *tut_log_keys_last(const tut_log_keys *keys);
/* The one that has to have signed a checkpoint of so many entries. */
const tut_verifier *tut_log_keys_at(const tut_log_keys *keys, uint64_t size);

/* Keeps the present checkpoint of the log, whose last entry names the new key. */
TUT_MUST tut_status tut_rotation_keep(tut_log *log, const char *dir, tut_error *err);
/* Whether the last entry of the log is the change to this key, and the present checkpoint carries
 * its signature: it is in force then. */
TUT_MUST tut_status tut_rotation_is_last(tut_log *log, const char *origin, const tut_pubkey *key,
                                         bool *ret_is, tut_error *err);
/* Copies the files of another copy of the log that are not here. */
TUT_MUST tut_status tut_rotations_copy(const char *from, const char *to, tut_error *err);

/* What one such file says. The bytes must outlive it; `entry` is owned. */
typedef struct tut_rotation {
    uint64_t size;
    tut_buf entry;
    tut_verifier next; /* the key that the entry names and that signed as well */
} tut_rotation;
/* MALFORMED, CRYPTO or STORE with the reason when it leads from `before` nowhere. */
TUT_MUST tut_status tut_rotation_read(tut_str bytes, const tut_verifier *before, tut_rotation *ret,
                                      tut_error *err);
void tut_rotation_done(tut_rotation *r);

#endif
