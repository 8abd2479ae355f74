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
    const char *actor;     /* "tool" or a person's name; self-declared until keys exist */
    const char *statement; /* one sentence for people */
    bool has_body;
    tut_sha256 body;
    const char *origin; /* of the log */
    tut_sha256 tool_binary, tool_catalogue, tool_rules;
} tut_record;

typedef struct tut_ledger tut_ledger;

/* state_dir is ".tutela". Opening for writing takes a lock (others wait up to 10 s, then STORE). */
TUT_MUST tut_status tut_ledger_open(const char *state_dir, bool for_writing,
                                    tut_ledger **ret_ledger, tut_error *err);
void tut_ledger_close(tut_ledger *l);
static inline void tut_ledger_close_auto(tut_ledger **l)
{
    tut_ledger_close(*l);
}
/* Durable when it returns OK. Records may be given as a batch: one sync. */
TUT_MUST tut_status tut_ledger_append(tut_ledger *l, tut_record *records, size_t count,
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
    void *owner_;
} tut_records;
/* Everything with at <= until. A damaged line in the middle is STORE, naming the line. */
TUT_MUST tut_status tut_ledger_read(const tut_ledger *l, tut_time until, tut_records **ret_records,
                                    tut_error *err);
void tut_records_free(tut_records *r);
TUT_DEFINE_AUTO(tut_records)

/* One record as JSON object (the in-toto Statement with our predicate). */
struct tut_json;
void tut_record_json(const tut_record *r, struct tut_json *j);

#endif
