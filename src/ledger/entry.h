/*
 * One entry of a log (see sequencer.h for its shape) -> what it says. Entries are input like any
 * other: every type, length and word is checked.
 */
#ifndef TUT_LEDGER_ENTRY_H
#define TUT_LEDGER_ENTRY_H

#include "base/arena.h"
#include "crypto/dsse.h"
#include "ledger/record.h"

typedef struct tut_entry {
    tut_time at; /* given by the sequencer */
    tut_str kind, producer;
    uint64_t seq;
    int64_t uid, gid, pid;
    bool is_dsse;
    tut_str statement; /* bytes of the Statement: as in the entry, or the envelope's payload */
    tut_record record; /* parsed; index and verification are the caller's */
    bool has_record;   /* false: the payload is no Statement of ours (other producers' events) */
    tut_dsse envelope; /* when is_dsse */
} tut_entry;

/* Text goes to the arena. MALFORMED with the reason. tut_entry_done frees the envelope. */
TUT_MUST tut_status tut_entry_parse(tut_span bytes, tut_arena *arena, tut_entry *ret,
                                    tut_error *err);
void tut_entry_done(tut_entry *e);

#endif
