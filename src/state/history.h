/*
 * The life of assets, from the log: which event says that which bytes were there, and whether
 * somebody stands behind it. Detection (a description pins a digest, assess finds another one, a
 * version is kept) says that an asset changed; only an act of somebody says who changed it.
 */
#ifndef TUT_STATE_HISTORY_H
#define TUT_STATE_HISTORY_H

#include "state/records.h"

/* Events that speak of the asset (NULL: of any), recorded by `until`, in order of the log, each
 * proved; among them also those by which signers are found out. Every one, where tut_state_events
 * leaves out what a later one of the same kind repeats. */
TUT_MUST tut_status tut_state_asset_events(tut_ledger *ledger, const char *asset, tut_time until,
                                           tut_records **ret_records, tut_error *err);

/* One event in the life of one asset: at this digest from here on. */
typedef struct tut_life_event {
    const tut_record *record;
    const tut_sha256 *digest; /* of the asset's bytes; a signature's is its root (is_signature) */
    bool is_act;              /* somebody's: accepted, restored, signed by a registered person */
    bool is_signature;
    size_t next; /* of the same asset; SIZE_MAX: none */
} tut_life_event;

typedef struct tut_history tut_history;
/* The records must outlive it. Events in doubt are left out. */
TUT_MUST tut_status tut_history_new(const tut_records *records, tut_history **ret_history,
                                    tut_error *err);
void tut_history_free(tut_history *h);
TUT_DEFINE_AUTO(tut_history)
/* The first event of the asset, or NULL; the one after it. */
const tut_life_event *tut_history_first(const tut_history *h, const char *asset);
const tut_life_event *tut_history_next(const tut_history *h, const tut_life_event *e);
/* The last one that tells the digest of its bytes, or NULL. */
const tut_life_event *tut_history_last(const tut_history *h, const char *asset);

/* Who did it, for people: a registered person whose key signed the event; else the name that was
 * given, which is self-declared; else the account that wrote it, by the kernel's word. */
void tut_history_who(const tut_record *r, tut_buf *out);
/* Is it signed by a person whose key counts? */
bool tut_history_is_signed(const tut_record *r);

#endif
