/* What the ledger's own files and their tests share. */
#ifndef TUT_LEDGER_RECORD_INTERNAL_H
#define TUT_LEDGER_RECORD_INTERNAL_H

#include "base/arena.h"
#include "crypto/keystore.h"
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

struct tut_ledger {
    char *state_dir;
    char *journal;            /* path of journal.jsonl */
    char *bodies;             /* path of bodies/ */
    char *origin;             /* NULL before the first opening for writing */
    int lock_fd;              /* -1 when open for reading only */
    bool has_unsynced_bodies; /* the next append waits for them first */
    tut_keystore *keys;       /* of the origin, for bodies that are sealed; NULL: not here */
};

/* One line of the journal (without its newline). Text is copied into the arena. MALFORMED with the
 * reason when it is no record of ours. */
TUT_MUST tut_status tut_record_parse(tut_span line, tut_arena *arena, tut_record *ret_record,
                                     tut_error *err);
/* The same from a Statement that was parsed; the index is the caller's. */
TUT_MUST tut_status tut_record_read(const tut_json_value *root, tut_arena *arena,
                                    tut_record *ret_record, tut_error *err);
/* USAGE when the record must not be written: no subject, evidence without expiry, text too long. */
TUT_MUST tut_status tut_record_check(const tut_record *r, tut_error *err);

#endif
