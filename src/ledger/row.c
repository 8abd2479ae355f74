#include "ledger/row.h"

#include "crypto/merkle.h"
#include "ledger/entry.h"

static const char domain[] = "tutela/row/v1"; /* with its NUL */

static tut_status lists_of(const tut_record *r, tut_arena *arena, tut_row *row, tut_error *err)
{
    tut_str *clauses = tut_arena_take(arena, r->clause_count + 1, sizeof(*clauses));
    tut_row_subject *subjects = tut_arena_take(arena, r->subject_count + 1, sizeof(*subjects));
    if (!clauses || !subjects)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->clause_count; i++)
        clauses[i] = tut_str_of(r->clauses[i]);
    for (size_t i = 0; i < r->subject_count; i++)
        subjects[i] = (tut_row_subject){.name = tut_str_of(r->subjects[i].name),
                                        .digest = r->subjects[i].digest};
    row->clauses = clauses;
    row->clause_count = r->clause_count;
    row->subjects = subjects;
    row->subject_count = r->subject_count;
    return TUT_SUCCESS;
}

tut_status tut_row_of(const tut_entry *entry, uint64_t index, const tut_sha256 *leaf,
                      tut_arena *arena, tut_row *ret_row, tut_error *err)
{
    tut_row row = {.index = index,
                   .leaf = *leaf,
                   .is_record = entry->has_record,
                   .at = entry->head.at,
                   .recorded_at = entry->head.at,
                   .seq = entry->head.seq,
                   .kind = entry->head.kind,
                   .check = TUT_LIT(""),
                   .actor = TUT_LIT(""),
                   .producer = entry->head.producer};
    if (entry->has_record) {
        const tut_record *r = &entry->record;
        row.type = r->type;
        row.at = r->at;
        row.check = tut_str_of(r->check);
        row.actor = tut_str_of(r->actor);
        if (r->type == TUT_RECORD_EVIDENCE) {
            row.method = r->method;
            row.result = r->result;
            row.expires = r->expires;
        }
        TUT_TRY(lists_of(r, arena, &row, err));
    } else {
        tut_row_subject *only = tut_arena_take(arena, 1, sizeof(*only));
        if (!only)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        only->name = entry->head.kind;
        row.subjects = only;
        row.subject_count = 1;
    }
    *ret_row = row;
    return TUT_SUCCESS;
}

static void add_u32(tut_buf *b, size_t v)
{
    const uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                              (uint8_t)v};
    tut_buf_add(b, bytes, sizeof(bytes));
}

static void add_u64(tut_buf *b, uint64_t v)
{
    add_u32(b, (size_t)(v >> 32));
    add_u32(b, (size_t)(v & UINT32_MAX));
}

static void add_text(tut_buf *b, tut_str s)
{
    add_u32(b, s.len);
    tut_buf_add_str(b, s);
}

tut_status tut_row_hash(const tut_row *row, tut_buf *scratch, tut_sha256 *ret_hash, tut_error *err)
{
    tut_buf *b = scratch;
    tut_buf_clear(b);
    tut_buf_add(b, domain, sizeof(domain));
    add_u64(b, row->index);
    tut_buf_add(b, row->leaf.bytes, TUT_SHA256_BYTES);
    tut_buf_add_byte(b, row->is_record);
    tut_buf_add_byte(b, (uint8_t)row->type);
    tut_buf_add_byte(b, (uint8_t)row->method);
    tut_buf_add_byte(b, (uint8_t)row->result);
    add_u64(b, (uint64_t)row->at);
    add_u64(b, (uint64_t)row->recorded_at);
    add_u64(b, (uint64_t)row->expires);
    add_u64(b, row->seq);
    add_text(b, row->kind);
    add_text(b, row->check);
    add_text(b, row->actor);
    add_text(b, row->producer);
    add_u32(b, row->clause_count);
    for (size_t i = 0; i < row->clause_count; i++)
        add_text(b, row->clauses[i]);
    add_u32(b, row->subject_count);
    for (size_t i = 0; i < row->subject_count; i++) {
        add_text(b, row->subjects[i].name);
        tut_buf_add(b, row->subjects[i].digest.bytes, TUT_SHA256_BYTES);
    }
    TUT_TRY(tut_buf_check(b, err));
    tut_merkle_leaf(tut_buf_span(b), ret_hash);
    return TUT_SUCCESS;
}
