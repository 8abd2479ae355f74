/* What the files of the audit share. */
#ifndef TUT_STATE_AUDIT_INTERNAL_H
#define TUT_STATE_AUDIT_INTERNAL_H

#include "ledger/record.h"
#include "state/audit.h"
#include "state/index.h"
#include "state/place.h"
#include "state/relevant.h"

enum { TUT_AUDIT_SHOWN = 3 }; /* things named in one line; the rest is counted */

/* One check being made: the first few things found wrong, and how many. */
typedef struct tut_finding {
    tut_buf text;
    uint64_t count;
} tut_finding;

typedef struct tut_said { /* of the traffic log, by the evidence log */
    uint64_t size;
    tut_sha256 root;
} tut_said;

typedef struct tut_auditing {
    tut_audit *audit;
    const tut_audit_options *options;
    tut_place evidence, traffic;
    tut_log *log;              /* evidence, opened without believing anything */
    tut_beside beside;         /* what is kept beside it */
    bool is_given;             /* the log is not ours to free, and there is no state */
    bool is_readable;          /* every entry could be read */
    tut_relevant *relevant;    /* being found out; NULL: nobody asked */
    tut_places decisive;       /* what decides a verdict at options->then */
    tut_places own;            /* of the events by which signers are found out */
    struct tut_people *people; /* by those events; NULL: not every entry could be read */
    tut_said *said;
    size_t said_count, said_capacity;
    tut_vouched vouched;
    tut_error *err;
} tut_auditing;

void tut_finding_add(tut_finding *f, const char *fmt, ...) TUT_PRINTF(2, 3);
void tut_finding_done(tut_finding *f);
/* Holds when nothing was found; then `sound` (printf) is the line. */
TUT_MUST tut_status tut_audit_conclude(tut_auditing *a, const char *name, const tut_finding *f,
                                       const char *sound, ...) TUT_PRINTF(4, 5);

/* audit_sequence.c */
typedef struct tut_number { /* what an entry says of its place among its producer's */
    tut_sha256 producer;    /* hash of the name */
    uint64_t index, seq;
} tut_number;
typedef struct tut_numbers {
    tut_number *items;
    size_t count, capacity;
} tut_numbers;
struct tut_entry_head;
TUT_MUST tut_status tut_numbers_add(tut_numbers *n, uint64_t index,
                                    const struct tut_entry_head *head);
/* Sorts them, and returns how many producers there are. */
size_t tut_numbers_judge(tut_numbers *n, tut_log *log, tut_finding *f);
void tut_numbers_done(tut_numbers *n);

/* audit_tails.c: producers of the guard's that say when they begin and end (ledger/feed.h). */
typedef struct tut_tail {
    char name[129];
    uint64_t index, seq; /* of its last entry */
    bool is_over;        /* it closed, or another one went on for it */
} tut_tail;
typedef struct tut_tails {
    tut_tail *items;
    size_t count, capacity, last; /* last: the one that was asked for last */
} tut_tails;
struct tut_entry;
TUT_MUST tut_status tut_tails_add(tut_tails *t, uint64_t index, const struct tut_entry *entry);
/* Adds a sentence about those of which nobody knows what they had not sent yet. */
void tut_tails_tell(const tut_tails *t, tut_buf *out);
void tut_tails_done(tut_tails *t);

/* audit_log.c: checkpoint, entries, tiles, root, anchor, saved */
TUT_MUST tut_status tut_audit_checkpoint(tut_auditing *a);
TUT_MUST tut_status tut_audit_tree(tut_auditing *a);
TUT_MUST tut_status tut_audit_anchor(tut_auditing *a);
TUT_MUST tut_status tut_audit_saved(tut_auditing *a);
/* audit_vouched.c: witnesses, timestamps; and what all rests on */
TUT_MUST tut_status tut_audit_vouched(tut_auditing *a);
TUT_MUST tut_status tut_audit_trust(tut_auditing *a);
/* audit_keys.c: keys, by the roster that audit_entries.c has made */
TUT_MUST tut_status tut_audit_keys(tut_auditing *a);
/* Whether a checkpoint, of now or of earlier, is signed by the key that the log's own entries put
 * in force then; *ret_key (borrowed from the roster) is that key. */
struct tut_person_key;
const struct tut_person_key *tut_audit_key_at(const tut_auditing *a, uint64_t size);
/* audit_traffic.c */
TUT_MUST tut_status tut_audit_traffic(tut_auditing *a);
/* audit_entries.c: genesis, heads, sequence, by one pass over the entries */
TUT_MUST tut_status tut_audit_entries(tut_auditing *a);
/* audit_given.c: checkpoint and root of a log that was given */
TUT_MUST tut_status tut_audit_take_given(tut_auditing *a);
/* The given note is signed by this key; else a finding says by whose it is. */
TUT_MUST tut_status tut_audit_signature(tut_auditing *a, tut_finding *f, tut_str bytes,
                                        const char *whose, const tut_verifier *key);
/* audit_records.c: signatures, people, bodies, index */
TUT_MUST tut_status tut_audit_records(tut_auditing *a);
TUT_MUST tut_status tut_audit_index(tut_auditing *a);

#endif
