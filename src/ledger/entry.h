/*
 * One entry of a log: a payload (a Statement, or a DSSE envelope around one) with what the
 * sequencer knows of its writer. RFC 8785, keys in this order, at most TUT_LOG_ENTRY_MAX bytes:
 *
 *   {"at":TIME,"dsse"|"event":PAYLOAD,"kind":KIND,"peer":{"gid":N,"pid":N,"uid":N},
 *    "producer":NAME,"seq":N}
 *
 * Entries are input like any other: every type, length and word is checked, and an entry that is
 * not byte for byte what composing its fields gives is refused.
 */
#ifndef TUT_LEDGER_ENTRY_H
#define TUT_LEDGER_ENTRY_H

#include "base/arena.h"
#include "crypto/dsse.h"
#include "ledger/record.h"

enum {
    TUT_ENTRY_KIND_MAX = 64,      /* [a-z0-9._-], such as "scan.content" */
    TUT_ENTRY_PRODUCER_MAX = 128, /* printable ASCII without quote and backslash */
    TUT_ENTRY_DEPTH = 16
};

typedef struct tut_entry_head {
    tut_time at; /* given by the sequencer */
    tut_str kind, producer;
    uint64_t seq; /* of the producer, from 0 without gaps */
    int64_t uid, gid, pid;
    bool is_dsse;
} tut_entry_head;

/* USAGE when kind or producer has other characters or lengths than allowed. */
TUT_MUST tut_status tut_entry_check(const tut_entry_head *head, tut_error *err);
/* Appends the entry. The payload is taken as it is: one JSON object, checked by the caller. */
void tut_entry_compose(const tut_entry_head *head, tut_str payload, tut_buf *out);

typedef struct tut_entry {
    tut_entry_head head;
    tut_str payload;   /* bytes within the entry */
    tut_str statement; /* bytes of the Statement: the payload, or what the envelope holds */
    bool has_record;   /* false: no Statement of ours (other producers' events) */
    tut_record record; /* index is the caller's; no signature is checked here */
    const tut_json_value *predicate; /* of the Statement, for kinds with keys of their own */
    tut_dsse envelope;               /* when head.is_dsse */
    tut_json_doc *outer, *inner;     /* own what the fields above borrow */
} tut_entry;

/* Borrows `bytes` and the arena for as long as the entry lives. MALFORMED with the reason. */
TUT_MUST tut_status tut_entry_parse(tut_span bytes, tut_arena *arena, tut_entry *ret,
                                    tut_error *err);
void tut_entry_done(tut_entry *e);

#endif
