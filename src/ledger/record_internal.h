/* What the ledger's own files and their tests share. */
#ifndef TUT_LEDGER_RECORD_INTERNAL_H
#define TUT_LEDGER_RECORD_INTERNAL_H

#include "base/arena.h"
#include "ledger/record.h"

enum {
    TUT_RECORD_DEPTH = 12,         /* of a Statement's JSON */
    TUT_RECORD_TEXT_MAX = 4096,    /* a statement or a name; longer text belongs into a body */
    TUT_RECORD_CLAUSES_MAX = 128,  /* the standard has 72 */
    TUT_RECORD_SUBJECTS_MAX = 4096 /* files of the largest sharded model seen: about 200 */
};

#define TUT_RECORD_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define TUT_RECORD_EVIDENCE_TYPE "urn:tutela:evidence:1"
#define TUT_RECORD_EVENT_TYPE "urn:tutela:event:1"

/* A Statement that was parsed -> a record. Text is copied into the arena. MALFORMED with the
 * reason when it is none of ours; the index is the caller's. */
TUT_MUST tut_status tut_record_read(const tut_json_value *root, tut_arena *arena,
                                    tut_record *ret_record, tut_error *err);
/* USAGE when the record must not be written: no subject, evidence without expiry, text too long. */
TUT_MUST tut_status tut_record_check(const tut_record *r, tut_error *err);

#endif
