#include "ledger/log_replay.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"

void tut_replay_done(tut_replay *r)
{
    tut_buf_done(&r->bytes);
}

static tut_status in_journal(tut_status status, tut_error *err)
{
    if (!tut_is_ok(status))
        tut_error_set_path(err, TUT_LOG_JOURNAL);
    return status;
}

static tut_status read_head(const tut_log *log, tut_replay *r, tut_reader *rest, bool *ret_exists,
                            tut_error *err)
{
    tut_status status = tut_log_io_read(log->dirfd, TUT_LOG_JOURNAL, TUT_LIMIT_LOG_JOURNAL_BYTES,
                                        &r->bytes, ret_exists, err);
    if (status.code == TUT_LIMIT)
        return tut_fail(err, TUT_STORE, "is larger than a journal can be");
    TUT_TRY(status);
    if (!*ret_exists)
        return TUT_SUCCESS;
    *rest = tut_reader_of(tut_buf_span(&r->bytes));
    TUT_TRY(tut_journal_head_read(rest, &r->head, err));
    r->last_note = r->head.note;
    return TUT_SUCCESS;
}

/* A frame that does not end well was torn by a crash only if nothing was ever written behind it. */
static tut_status judge_end(tut_replay *r, const tut_reader *rest, tut_code code,
                            const tut_error *why, tut_error *err)
{
    size_t at = rest->pos;
    tut_span behind = tut_span_of(rest->data + at + 1, rest->len - at - 1);
    if (code != TUT_TRUNCATED && code != TUT_MALFORMED)
        return tut_fail_at(err, code, at, "at byte %zu: %s", at, why->text);
    if (tut_journal_has_frame(behind, r->head.nonce))
        return tut_fail_at(err, TUT_STORE, at,
                           "at byte %zu: %s, though others follow: it was altered", at, why->text);
    r->is_torn = true;
    r->torn_at = at;
    (void)snprintf(r->torn_text, sizeof(r->torn_text), "at byte %zu of %zu: %.64s", at, rest->len,
                   why->text);
    return TUT_SUCCESS;
}

/* The next frame; false in *ret_more at the end, torn or not. */
static tut_status next_frame(tut_replay *r, tut_reader *rest, uint64_t size,
                             tut_journal_frame *frame, bool *ret_more, tut_error *err)
{
    tut_error why = {0};
    *ret_more = false;
    if (tut_reader_left(rest) == 0)
        return TUT_SUCCESS;
    size_t at = rest->pos;
    tut_status status = tut_journal_frame_read(rest, r->head.nonce, frame, &why);
    if (!tut_is_ok(status))
        return judge_end(r, rest, status.code, &why, err);
    if (frame->first != size)
        return tut_fail_at(err, TUT_STORE, at,
                           "at byte %zu: entry %" PRIu64 " follows where %" PRIu64 " should", at,
                           frame->first, size);
    *ret_more = true;
    return TUT_SUCCESS;
}

static tut_status add_frame(tut_log *log, const tut_journal_frame *frame, tut_error *err)
{
    tut_reader r = tut_reader_of(frame->entries);
    TUT_TRY(tut_log_memory_reserve(log, frame->count, err));
    for (uint32_t i = 0; i < frame->count; i++) {
        uint16_t len = 0;
        tut_span entry;
        tut_sha256 leaf;
        TUT_TRY(tut_reader_u16be(&r, &len));
        TUT_TRY(tut_reader_bytes(&r, len, &entry));
        tut_merkle_leaf(entry, &leaf);
        tut_log_memory_add_leaf(log, &leaf);
    }
    return tut_log_memory_add_entries(log, frame->entries, frame->count, err);
}

static tut_status replay(tut_log *log, tut_replay *r, bool *ret_exists, tut_error *err)
{
    tut_reader rest;
    tut_journal_frame frame;
    bool has_more = true;
    TUT_TRY(read_head(log, r, &rest, ret_exists, err));
    if (!*ret_exists)
        return TUT_SUCCESS;
    tut_log_memory_start(log, &r->head.range);
    memcpy(log->nonce, r->head.nonce, TUT_JOURNAL_NONCE);
    for (;;) {
        TUT_TRY(next_frame(r, &rest, log->range.size, &frame, &has_more, err));
        if (!has_more)
            break;
        TUT_TRY(add_frame(log, &frame, err));
        r->last_note = frame.note;
    }
    log->journal_bytes = r->bytes.len;
    return TUT_SUCCESS;
}

tut_status tut_log_replay(tut_log *log, tut_replay *r, bool *ret_exists, tut_error *err)
{
    return in_journal(replay(log, r, ret_exists, err), err);
}

static void add_to_range(const tut_journal_frame *frame, tut_merkle_range *range)
{
    tut_reader r = tut_reader_of(frame->entries);
    uint16_t len = 0;
    tut_span entry;
    tut_sha256 leaf;
    while (tut_is_ok(tut_reader_u16be(&r, &len)) && tut_is_ok(tut_reader_bytes(&r, len, &entry))) {
        tut_merkle_leaf(entry, &leaf);
        tut_merkle_range_add(range, &leaf);
    }
}

static tut_status visit_frames(const tut_log *log, tut_replay *r, tut_replay_visit visit, void *ctx,
                               tut_error *err)
{
    tut_reader rest;
    bool exists = false;
    TUT_TRY(read_head(log, r, &rest, &exists, err));
    if (!exists)
        return tut_fail(err, TUT_STORE, "is missing");
    tut_merkle_range range = r->head.range;
    tut_str note = r->head.note;
    tut_sha256 root;
    for (;;) {
        tut_journal_frame frame;
        bool has_more = false;
        tut_merkle_range_root(&range, &root);
        TUT_TRY(visit(ctx, range.size, &root, note, err));
        TUT_TRY(next_frame(r, &rest, range.size, &frame, &has_more, err));
        if (!has_more)
            return TUT_SUCCESS;
        add_to_range(&frame, &range);
        note = frame.note;
    }
}

tut_status tut_replay_frames(const tut_log *log, tut_replay *r, tut_replay_visit visit, void *ctx,
                             tut_error *err)
{
    return in_journal(visit_frames(log, r, visit, ctx, err), err);
}
