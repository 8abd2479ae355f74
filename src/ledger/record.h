/*
 * Records: events (who did what to which asset when) and evidence (in-toto Statements about
 * digests). This is what the rest of the program knows of the ledger; behind it are two Merkle logs
 * (log.h), written by the sequencer (sequencer.h):
 *
 *   .tutela/ledger/evidence/   kept for ever: evidence as DSSE envelopes, events as Statements
 *   .tutela/ledger/traffic/    guard events, pruned after the retention period
 *   .tutela/bodies/SHA256      what a record's `body` digest names (reports, snapshots, files)
 *
 * Evidence is signed with the tool key, or by the people who say it; events are authenticated by
 * the writing process's credentials and the checkpoint.
 */
#ifndef TUT_LEDGER_RECORD_H
#define TUT_LEDGER_RECORD_H

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "crypto/digest.h"

typedef enum tut_method { TUT_METHOD_TEST, TUT_METHOD_EXAMINE, TUT_METHOD_INTERVIEW } tut_method;
typedef enum tut_result {
    TUT_RESULT_PASS,
    TUT_RESULT_FAIL,
    TUT_RESULT_ERROR,
    TUT_RESULT_NOT_APPLICABLE,
    TUT_RESULT_NOT_CHECKED
} tut_result;
typedef enum tut_record_type { TUT_RECORD_EVENT, TUT_RECORD_EVIDENCE } tut_record_type;

const char *tut_method_name(tut_method m); /* "TEST" */
const char *tut_result_name(tut_result r); /* "pass" */

typedef struct tut_subject {
    const char *name; /* asset id or path */
    tut_sha256 digest;
} tut_subject;

/* Who stands behind a record, as whoever reads it finds out: from the signature, the key's owner in
 * the log's own events, and the owner's role. Never a field that the signer sets. */
typedef enum tut_tier {
    TUT_TIER_SELF,     /* D: a name that somebody typed; the tool's key only carries it */
    TUT_TIER_FIRST,    /* C: the tool, or a registered person of the organisation */
    TUT_TIER_INTERNAL, /* B: a registered independent tester */
    TUT_TIER_THIRD     /* A: a registered auditor */
} tut_tier;
const char *tut_tier_name(tut_tier t); /* "D" .. "A" */

typedef struct tut_record_signer {
    const char *key_id; /* hex, as in the envelope */
    const char *name;   /* of the person; "tool"; NULL: nobody whom the log knows */
    uint32_t roles;     /* of the person (people.h) */
    bool is_tool;
    bool counts;     /* the signature verifies and the key is in force at this index */
    bool is_bad;     /* it is no signature by the key that it names */
    const char *why; /* when it does not count */
} tut_record_signer;

/* For writing: all pointers borrowed. Read back: owned by the tut_records. */
typedef struct tut_record {
    uint64_t index; /* position in the log; set on append and read */
    tut_record_type type;
    tut_time at;       /* when it was collected or done */
    const char *check; /* evidence: check id with version, "scan.content/1"; event: kind,
                          "system.changed", "asset.accepted" */
    tut_method method;
    tut_result result;
    const char *const *clauses;
    size_t clause_count;
    const tut_subject *subjects;
    size_t subject_count;
    tut_time from, to;     /* period observed; equal for an instant */
    tut_time expires;      /* evidence without one is refused (USAGE) */
    const char *actor;     /* "tool" or a person's name */
    const char *statement; /* one sentence for people */
    bool has_body;
    tut_sha256 body;
    const char *origin; /* of the log */
    tut_sha256 tool_binary, tool_catalogue, tool_rules;
    /* One more member of the predicate, for kinds with content of their own; NULL: none. When
     * writing, `data` is one JSON value; it is not kept when read (see entry.h). */
    const char *data_key;
    tut_str data;
    /* set when read */
    tut_time recorded_at; /* by the sequencer */
    int64_t uid;          /* of the process that wrote it */
    const tut_record_signer *signers;
    size_t signer_count;
    tut_tier tier;
    const char *doubt; /* why it proves nothing, whatever it says: not signed by anybody whom the
                          log knows, or carried over from another log; NULL: none */
    bool is_outlived;  /* the doubt is only that what it rests on ended since: sound when made */
} tut_record;

/* The doubt of an event that stands where the log's key was compromised. */
extern const char tut_doubt_log_key[];

/* A predicate member {"key": id}: evidence that rests on a person's key counts only while that key
 * does. */
#define TUT_RECORD_RESTS_ON "rests_on"

typedef struct tut_ledger tut_ledger;
struct tut_key;
struct tut_people;
struct tut_log;
struct tut_secret_source;

typedef struct tut_ledger_options {
    bool for_writing;
    const char *producer;                   /* of what is appended; NULL: "tutela" */
    const struct tut_secret_source *secret; /* for keys under a passphrase, or NULL */
    /* For the one entry that changes the log key: nothing else can be appended (sequencer.h). */
    bool rotates_log;
    const struct tut_secret_source *next_secret; /* of the key that waits; NULL: as `secret` */
} tut_ledger_options;

/* state_dir is ".tutela". For writing: makes keys and genesis where there are none, and submits to
 * the sequencer that answers on its socket, or to one of its own (waits up to 10 s, then STORE).
 * For reading: no log yet is an empty one. STORE when the checkpoint is not signed by the log's
 * key, or the tree is smaller than or differs from the one last signed here. */
TUT_MUST tut_status tut_ledger_open_with(const char *state_dir, const tut_ledger_options *options,
                                         tut_ledger **ret_ledger, tut_error *err);
TUT_MUST tut_status tut_ledger_open(const char *state_dir, bool for_writing,
                                    tut_ledger **ret_ledger, tut_error *err);
/* Folds and lets go. Records were durable before; a failure here loses none. */
void tut_ledger_close(tut_ledger *l);
static inline void tut_ledger_close_auto(tut_ledger **l)
{
    tut_ledger_close(*l);
}
const char *tut_ledger_origin(const tut_ledger *l); /* "" for an empty state */
/* Name of the evidence log, first line of its checkpoint. */
const char *tut_ledger_log_origin(const tut_ledger *l);
/* Whether this user has the keys of this log. Without them a log shows to be of one piece, not
 * whose it is: anybody could have made it. */
bool tut_ledger_has_keys(const tut_ledger *l);
const char *tut_ledger_state_dir(const tut_ledger *l);
/* A file of that name about this log beside this user's keys, as the anchor is one; caller frees.
 * NULL without keys: then there is no place that nobody else writes. */
char *tut_ledger_beside_keys(const tut_ledger *l, const char *name);
/* The evidence log as it stands, open for reading; borrowed. NULL when there is none yet. */
TUT_MUST tut_status tut_ledger_log(tut_ledger *l, struct tut_log **ret_log, tut_error *err);

/* Durable when it returns OK. Records may be given as a batch: one wait for the disk for as many as
 * a message to the sequencer takes. Of a batch that fails the first so many may be there. Evidence
 * is signed with the tool key. */
TUT_MUST tut_status tut_ledger_append(tut_ledger *l, tut_record *records, size_t count,
                                      tut_error *err);
/* One record, signed by these keys instead (people's evidence, people's events). */
TUT_MUST tut_status tut_ledger_append_signed(tut_ledger *l, tut_record *record,
                                             const struct tut_key *const *keys, size_t key_count,
                                             tut_error *err);
/* Stores a body (idempotent, synced before the record that names it). */
TUT_MUST tut_status tut_ledger_put_body(tut_ledger *l, tut_span body, tut_sha256 *ret_digest,
                                        tut_error *err);
/* Reads a body and checks its digest: STORE when it does not match. */
TUT_MUST tut_status tut_ledger_get_body(const tut_ledger *l, const tut_sha256 *digest, tut_buf *out,
                                        tut_error *err);

typedef struct tut_records {
    tut_record *items; /* in order of the log */
    size_t count;
    uint64_t log_size;         /* entries of the log in all */
    tut_sha256 log_root;       /* of the tree that the log's key signed */
    struct tut_people *people; /* as far as it was read */
    char note[160];            /* what was found wrong on the way and put right, or "" */
    void *owner_;
} tut_records;
/* The entries at these indexes (ascending) as records with at <= until, each compared with its leaf
 * hash in the tree, signers found out. Entries that hold no record of ours are left out. */
TUT_MUST tut_status tut_ledger_read_some(tut_ledger *l, const uint64_t *indexes, size_t count,
                                         tut_time until, tut_records **ret_records, tut_error *err);
/* The same without the evidence among them. */
TUT_MUST tut_status tut_ledger_read_events(tut_ledger *l, const uint64_t *indexes, size_t count,
                                           tut_time until, tut_records **ret_records,
                                           tut_error *err);
/* Everything with at <= until, by reading the whole log. */
TUT_MUST tut_status tut_ledger_read(tut_ledger *l, tut_time until, tut_records **ret_records,
                                    tut_error *err);
void tut_records_free(tut_records *r);
TUT_DEFINE_AUTO(tut_records)

/* One record as JSON object (the in-toto Statement with our predicate). */
struct tut_json;
void tut_record_json(const tut_record *r, struct tut_json *j);

#endif
