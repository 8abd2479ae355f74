/*
 * The anchor: what its owner last saw of a log, kept away from it (beside the keys). A file of two
 * slots, written in turn, so that a torn one leaves the other:
 *   "TUTANCH1" u64le turn, u64le size, root[32], SHA-256(origin)[32], SHA-256 of these[32], zeros
 * It is written after the journal was synced and not waited for: it is never ahead of the log.
 */
#ifndef TUT_LEDGER_LOG_ANCHOR_H
#define TUT_LEDGER_LOG_ANCHOR_H

#include "crypto/digest.h"

typedef struct tut_anchor {
    int fd; /* -1: read only */
    uint64_t turn, size;
    tut_sha256 root, origin;
    bool exists;
    unsigned bad_slots; /* torn by a crash, or altered */
} tut_anchor;

#define TUT_ANCHOR_NONE ((tut_anchor){.fd = -1})

/* STORE when the file holds no sound slot, or is of another origin. */
TUT_MUST tut_status tut_anchor_open(const char *path, const char *origin, bool for_writing,
                                    tut_anchor *ret, tut_error *err);
void tut_anchor_done(tut_anchor *a);
/* Makes the file when there is none (and waits for the disk), else writes the other slot. */
TUT_MUST tut_status tut_anchor_set(tut_anchor *a, const char *path, uint64_t size,
                                   const tut_sha256 *root, tut_error *err);
TUT_MUST tut_status tut_anchor_sync(const tut_anchor *a, tut_error *err);

#endif
