/*
 * A row: what the index holds of one entry of the evidence log, so that the entries which can
 * decide a verdict are found without reading the log. Everything in a row follows from the entry's
 * bytes; its hash is bound into the heads (heads.h), so that a column changed by hand shows as well
 * as a row added or left out.
 *
 *   row hash = SHA-256(00 || "tutela/row/v1" NUL || u64be index || leaf hash ||
 *       u8 is_record || u8 type || u8 method || u8 result ||
 *       u64be at || u64be recorded_at || u64be expires || u64be seq ||
 *       text kind || text check || text actor || text producer ||
 *       u32be clauses || text each || u32be subjects || (text name || digest) each)
 * where text is u32be length and the bytes. (The 00 is that of an RFC 6962 leaf.)
 */
#ifndef TUT_LEDGER_ROW_H
#define TUT_LEDGER_ROW_H

#include "base/arena.h"
#include "base/buf.h"
#include "ledger/record.h"

struct tut_entry;

typedef struct tut_row_subject {
    tut_str name;
    tut_sha256 digest;
} tut_row_subject;

/* Text is borrowed. */
typedef struct tut_row {
    uint64_t index;
    tut_sha256 leaf;
    bool
        is_record; /* false: another producer's event; its only subject is its kind, its digest 0 */
    tut_record_type type;
    tut_method method;
    tut_result result;
    tut_time at;          /* as the record says */
    tut_time recorded_at; /* as the sequencer says */
    tut_time expires;
    uint64_t seq;
    tut_str kind, check, actor, producer;
    const tut_str *clauses;
    size_t clause_count;
    const tut_row_subject *subjects; /* at least one */
    size_t subject_count;
} tut_row;

/* Lists go to the arena; text stays the entry's. */
TUT_MUST tut_status tut_row_of(const struct tut_entry *entry, uint64_t index,
                               const tut_sha256 *leaf, tut_arena *arena, tut_row *ret_row,
                               tut_error *err);
/* scratch is cleared and used. Needs tut_merkle_start. */
TUT_MUST tut_status tut_row_hash(const tut_row *row, tut_buf *scratch, tut_sha256 *ret_hash,
                                 tut_error *err);

#endif
