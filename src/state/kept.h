/*
 * What can decide a verdict, group by group (relevant.h), as this user's last look at the log left
 * it: for questions that need few entries of a long log at once. The first look goes through the
 * whole index and holds it against the heads that the log's key signed (index.h); later ones take
 * in what the log holds beyond it, each entry proved in the log.
 *
 * It is kept beside the user's keys, where the anchor lies too: whoever could write there could
 * sign checkpoints as well. It is used only where the log still has the root that it had then;
 * where it is missing, torn or of another log, it is made anew. It finds entries and proves
 * nothing: what it finds is read from the log and proved there. Without keys nothing is kept, and
 * each look is a whole one.
 *
 *   "TUTKEPT1" SHA-256(origin) u64 size root[32] i64 latest u64 n { u64 place } u64 n { key[32]
 *   digest[32] u64 newest u64 before u8 is_evidence u32 len check u32 len subject }  SHA-256 of
 * all; numbers little-endian
 */
#ifndef TUT_STATE_KEPT_H
#define TUT_STATE_KEPT_H

#include "state/records.h"
#include "state/relevant.h"

typedef struct tut_kept tut_kept;

/* *ret_kept is NULL where it cannot serve: there is no log, the ledger is given, or an entry is of
 * a time after `until`, which a look at that time must not see. */
TUT_MUST tut_status tut_kept_open(tut_ledger *ledger, tut_time until, tut_kept **ret_kept,
                                  tut_error *err);
void tut_kept_free(tut_kept *k);
TUT_DEFINE_AUTO(tut_kept)
const tut_relevant_group *tut_kept_groups(const tut_kept *k, size_t *ret_count);
/* Events of the ledger itself, its people and keys, without those about the description: what it
 * takes to find out who signed. */
const tut_places *tut_kept_people(const tut_kept *k);
bool tut_kept_is_fresh(const tut_kept *k); /* made anew by this look */

#endif
