/* Appending: one frame with the signed checkpoint that covers it, one wait for the disk. */
#include <errno.h>
#include <inttypes.h>

#include "base/limits.h"
#include "ledger/log_internal.h"

static tut_note_algorithm algorithm_of(const tut_key *key)
{
    return tut_pubkey_type(tut_key_public(key)) == TUT_KEY_ED25519 ? TUT_NOTE_ED25519
                                                                   : TUT_NOTE_ECDSA;
}

tut_status tut_log_sign_text(const tut_log *log, tut_str text, tut_buf *out, tut_error *err)
{
    tut_buf_add_str(out, text);
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < log->signer_count; i++) {
        const tut_log_signer *s = &log->signers[i];
        TUT_TRY(tut_note_sign(s->name, algorithm_of(s->key), s->key, text, 0, out, err));
    }
    return tut_buf_check(out, err);
}

/* The signed checkpoint of the present tree with the binder's line (may be empty). */
static tut_status sign_checkpoint(const tut_log *log, tut_str line, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_checkpoint c = {.origin = tut_str_of(log->origin), .size = log->range.size};
    tut_merkle_range_root(&log->range, &c.root);
    if (line.len)
        c.extensions[c.extension_count++] = line;
    tut_checkpoint_write(&c, &text);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_log_sign_text(log, tut_buf_str(&text), out, err);
}

static tut_status check_signed(const tut_log *log, const tut_note *note, tut_checkpoint *ret,
                               tut_error *err)
{
    if (log->verifier_count)
        TUT_TRY(tut_note_verify(note, log->verifiers, log->verifier_count, 1, NULL, NULL, err));
    TUT_TRY(tut_checkpoint_parse(note->text, ret, err));
    if (!tut_str_eq_z(ret->origin, log->origin))
        return tut_fail(err, TUT_STORE, "it is that of another log");
    return TUT_SUCCESS;
}

tut_status tut_log_check_note(const tut_log *log, tut_str note, tut_checkpoint *ret, tut_error *err)
{
    tut_note parsed = {0};
    tut_checkpoint c = {0};
    tut_error why = {0};
    tut_status status = tut_note_parse(note, &parsed, &why);
    if (tut_is_ok(status))
        status = check_signed(log, &parsed, &c, &why);
    tut_note_done(&parsed);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_STORE, "a signed checkpoint is not good: %s", why.text);
    *ret = c;
    return TUT_SUCCESS;
}

static tut_status check_batch(const tut_log *log, const tut_span *entries, size_t count,
                              tut_error *err)
{
    uint64_t bytes = 0;
    if (!log->is_writing)
        return tut_fail(err, TUT_USAGE, "the log is open for reading only");
    if (log->has_failed)
        return tut_fail(err, TUT_STORE, "writing to the log failed before; open it again");
    if (count == 0)
        return tut_fail(err, TUT_USAGE, "there is nothing to append");
    for (size_t i = 0; i < count; i++) {
        if (entries[i].len > TUT_LOG_ENTRY_MAX)
            return tut_fail(err, TUT_LIMIT, "an entry of %zu bytes is too long (at most %d)",
                            entries[i].len, TUT_LOG_ENTRY_MAX);
        bytes += 2 + entries[i].len;
    }
    if (bytes > TUT_LIMIT_LOG_BATCH_BYTES)
        return tut_fail(err, TUT_LIMIT, "one append of %" PRIu64 " bytes is too much (at most %u)",
                        bytes, TUT_LIMIT_LOG_BATCH_BYTES);
    return TUT_SUCCESS;
}

/* The frame in log->frame and the tree in memory; nothing is on the disk yet. */
static tut_status prepare(tut_log *log, const tut_span *entries, size_t count, tut_buf *note,
                          tut_error *err)
{
    uint64_t first = log->range.size;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_TRY(tut_log_memory_reserve(log, count, err));
    tut_buf_clear(&log->frame);
    tut_journal_frame_begin(log->nonce, first, entries, count, &log->frame);
    TUT_TRY(tut_buf_check(&log->frame, err));
    for (size_t i = 0; i < count; i++) {
        tut_sha256 leaf;
        tut_merkle_leaf(entries[i], &leaf);
        tut_log_memory_add_leaf(log, &leaf);
    }
    TUT_TRY(tut_log_memory_add_entries(log, tut_journal_frame_entries(&log->frame), count, err));
    if (log->has_binder) {
        const tut_log_level *leaves = &log->levels[0];
        /* What is bound cannot be taken back: from here on a failure ends the writing. */
        log->has_failed = true;
        TUT_TRY(log->binder.extend(log->binder.ctx, first, entries,
                                   &leaves->hashes[first - leaves->start], count, &line, err));
    }
    TUT_TRY(sign_checkpoint(log, tut_buf_str(&line), note, err));
    return tut_journal_frame_end(&log->frame, tut_buf_str(note), err);
}

static tut_status write_frame(tut_log *log, tut_error *err)
{
    tut_sha256 root;
    log->has_failed = true;
    if (!tut_log_io_write(log->journal_fd, tut_buf_span(&log->frame)))
        return tut_fail_errno(err, errno, "cannot append to the log %s", log->dir);
    if (!tut_log_io_fdatasync(log->journal_fd))
        return tut_fail_errno(err, errno, "the disk did not confirm what was appended to %s",
                              log->dir);
    log->journal_bytes += log->frame.len;
    tut_merkle_range_root(&log->range, &root);
    if (log->anchor_path)
        TUT_TRY(tut_anchor_set(&log->anchor, log->anchor_path, log->range.size, &root, err));
    log->has_failed = false;
    return TUT_SUCCESS;
}

static tut_status append(tut_log *log, const tut_span *entries, size_t count, tut_error *err)
{
    tut_buf note = TUT_BUF_INIT;
    tut_status status = prepare(log, entries, count, &note, err);
    if (tut_is_ok(status))
        status = write_frame(log, err);
    if (!tut_is_ok(status)) {
        tut_buf_done(&note);
        return status;
    }
    tut_buf_done(&log->note);
    log->note = note;
    return TUT_SUCCESS;
}

tut_status tut_log_append(tut_log *log, const tut_span *entries, size_t count, uint64_t *ret_first,
                          tut_error *err)
{
    TUT_TRY(check_batch(log, entries, count, err));
    if (log->journal_bytes > TUT_LIMIT_LOG_RUNNING_BYTES)
        TUT_TRY(tut_log_renew(log, err));
    tut_merkle_range before = log->range;
    size_t recent = log->recent.len;
    tut_status status = append(log, entries, count, err);
    if (!tut_is_ok(status)) {
        tut_log_memory_cut(log, &before);
        log->recent.len = recent;
        return status;
    }
    *ret_first = before.size;
    return TUT_SUCCESS;
}
