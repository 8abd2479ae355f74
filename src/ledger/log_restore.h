/*
 * A whole log taken from a copy of it, and put down anew: the way back after damage.
 *
 * The copy is a directory of a log, or only what a static web server publishes of one (checkpoint
 * and tile/entries). Nothing of it is believed: its checkpoint must be signed by one of the given
 * keys, and the tree over its entries must be the one that was signed. What is put down is made
 * from the entries alone. The log is held in memory meanwhile.
 */
#ifndef TUT_LEDGER_LOG_RESTORE_H
#define TUT_LEDGER_LOG_RESTORE_H

#include "ledger/log.h"

typedef struct tut_log_copy {
    tut_buf note; /* the signed checkpoint */
    uint64_t size;
    tut_sha256 root;
    tut_buf entries; /* u16 big-endian length and bytes of each */
    tut_sha256 *leaves;
} tut_log_copy;

/* STORE with the reason when it is not whole, or not signed by one of these. */
TUT_MUST tut_status tut_log_copy_read(const char *dir, const char *origin,
                                      const tut_verifier *verifiers, size_t count,
                                      tut_log_copy *ret, tut_error *err);
void tut_log_copy_done(tut_log_copy *copy);
/* Root of the copy's first `size` entries; size is at most its own. */
void tut_log_copy_root_at(const tut_log_copy *copy, uint64_t size, tut_sha256 *ret);
/* Makes the log in `dir`, which must not exist, and waits for the disk. */
TUT_MUST tut_status tut_log_copy_write(const tut_log_copy *copy, const char *dir,
                                       const char *origin, tut_error *err);

#endif
