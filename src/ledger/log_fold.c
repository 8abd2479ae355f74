/*
 * Folding: what the journal holds, written as tiles, bundles and `checkpoint`. None of these waits
 * for the disk, as the journal still holds it all. Before the journal is begun anew, everything
 * since its base is written once more, whatever it seems to be on the disk already (a write that
 * failed behind our back may look done), and the file system is synced.
 *
 * Partial tiles: a reader may still want those of the previous fold, and those of the base are what
 * the tiles can be made again from. Others go.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fs_internal.h"
#include "base/limits.h"
#include "ledger/log_internal.h"

/* A part below the base, a part since. */
void tut_log_bundle_parts(const tut_log *log, uint64_t n, unsigned width, tut_span parts[2])
{
    uint64_t base = log->base.size, first = n << 8, end = first + width;
    parts[0] = tut_span_of(NULL, 0);
    if (first < base) {
        parts[0] = tut_buf_span(&log->edge);
        first = base;
    }
    size_t from = log->recent_at[first - base];
    parts[1] = tut_span_of(log->recent.data + from, log->recent_at[end - base] - from);
}

tut_span tut_log_hash_bytes(const tut_log *log, unsigned level, uint64_t n, unsigned width)
{
    const tut_log_level *l = &log->levels[level];
    return tut_span_of(&l->hashes[(n << 8) - l->start], (size_t)width * sizeof(tut_sha256));
}

static unsigned width_of(uint64_t n, uint64_t end)
{
    uint64_t width = end - (n << 8);
    return width < TUT_LOG_TILE_WIDTH ? (unsigned)width : TUT_LOG_TILE_WIDTH;
}

static tut_status write_tile(tut_log *log, unsigned level, uint64_t n, uint64_t end, tut_error *err)
{
    char path[TUT_TILE_PATH];
    unsigned width = width_of(n, end);
    tut_span parts[2];
    if (level == 0) {
        tut_tile_path(TUT_BUNDLE_LEVEL, n, width, path);
        tut_log_bundle_parts(log, n, width, parts);
        TUT_TRY(tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, path, parts, 2, 0644, false, err));
    }
    parts[0] = tut_log_hash_bytes(log, level, n, width);
    tut_tile_path((int)level, n, width, path);
    return tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, path, parts, 1, 0644, false, err);
}

/* Removes the partial files of a tile but those of these widths. What does not go now goes later:
 * nothing depends on it. */
static void drop_partials(const tut_log *log, int level, uint64_t n, const unsigned *keep,
                          size_t keep_count)
{
    char path[TUT_TILE_PATH];
    uint8_t widths[TUT_LOG_TILE_WIDTH];
    unsigned count = tut_tile_partials(log, level, n, widths);
    for (unsigned i = 0; i < count; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < keep_count; k++)
            is_kept = is_kept || widths[i] == keep[k];
        tut_tile_path(level, n, widths[i], path);
        if (!is_kept)
            (void)tut_log_io_unlink(log->dirfd, path, 0);
    }
    tut_tile_partial_dir(level, n, path);
    if (count && keep_count == 0)
        (void)tut_log_io_unlink(log->dirfd, path, AT_REMOVEDIR);
}

/* Width of tile n in a tree of `size`; 0 when it is full or not begun. */
static unsigned partial_width(unsigned level, uint64_t n, uint64_t size)
{
    uint64_t end = size >> 8 * level;
    return end >> 8 == n ? (unsigned)(end & 255) : 0;
}

static void drop_level(const tut_log *log, unsigned level, uint64_t first, uint64_t last,
                       uint64_t before)
{
    uint64_t base_tile = log->base.size >> 8 * level >> 8;
    for (uint64_t n = first; n <= last; n++) {
        unsigned keep[] = {partial_width(level, n, log->base.size), partial_width(level, n, before),
                           partial_width(level, n, log->range.size)};
        bool keeps = n >= base_tile && (keep[0] || keep[1] || keep[2]);
        size_t count = keeps ? sizeof(keep) / sizeof(keep[0]) : 0;
        drop_partials(log, (int)level, n, keep, count);
        if (level == 0)
            drop_partials(log, TUT_BUNDLE_LEVEL, n, keep, count);
    }
}

/* The tiles that changed since the tree had `before` entries, and the ones before them, which may
 * have become full then. */
static void drop_old_partials(const tut_log *log, uint64_t before)
{
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        uint64_t first = before >> 8 * level, end = log->range.size >> 8 * level;
        if (end == 0)
            return;
        if (first != end || level == 0)
            drop_level(log, level, first >> 8 ? (first >> 8) - 1 : 0, end >> 8, before);
    }
}

static tut_status write_tiles(tut_log *log, uint64_t from, tut_error *err)
{
    TUT_TRY(tut_log_load_edge(log, err));
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        uint64_t first = from >> 8 * level, end = log->range.size >> 8 * level;
        if (first == end)
            return TUT_SUCCESS;
        for (uint64_t n = first >> 8; n <= (end - 1) >> 8; n++)
            TUT_TRY(write_tile(log, level, n, end, err));
    }
    return TUT_SUCCESS;
}

static tut_status fold_from(tut_log *log, uint64_t from, tut_error *err)
{
    tut_span note = tut_buf_span(&log->note);
    TUT_TRY(write_tiles(log, from, err));
    TUT_TRY(tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, TUT_LOG_CHECKPOINT, &note, 1, 0644, false,
                               err));
    if (log->has_binder)
        TUT_TRY(log->binder.save(log->binder.ctx, log->range.size, err));
    return TUT_SUCCESS;
}

static tut_status check_writable(const tut_log *log, tut_error *err)
{
    if (!log->is_writing)
        return tut_fail(err, TUT_USAGE, "the log is open for reading only");
    if (log->has_failed)
        return tut_fail(err, TUT_STORE, "writing to the log failed before; open it again");
    return TUT_SUCCESS;
}

tut_status tut_log_fold(tut_log *log, tut_error *err)
{
    TUT_TRY(check_writable(log, err));
    uint64_t before = log->folded;
    if (before == log->range.size)
        return TUT_SUCCESS;
    TUT_TRY(fold_from(log, before, err));
    log->folded = log->range.size;
    drop_old_partials(log, before);
    return TUT_SUCCESS;
}

static bool draw_nonce(uint8_t nonce[TUT_JOURNAL_NONCE])
{
    ssize_t n;
    do {
        n = getrandom(nonce, TUT_JOURNAL_NONCE, 0);
    } while (n < 0 && errno == EINTR);
    return n == TUT_JOURNAL_NONCE;
}

tut_status tut_log_begin_journal(tut_log *log, tut_error *err)
{
    tut_journal_head head = {.range = log->range, .note = tut_buf_str(&log->note)};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (!draw_nonce(head.nonce))
        return tut_fail_errno(err, errno, "no random numbers could be had");
    tut_journal_head_write(&head, &bytes);
    TUT_TRY(tut_buf_check(&bytes, err));
    tut_span span = tut_buf_span(&bytes);
    TUT_TRY(
        tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, TUT_LOG_JOURNAL, &span, 1, 0640, true, err));
    int fd = tut_log_io_open(log->dirfd, TUT_LOG_JOURNAL, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot open the journal of %s", log->dir);
    tut_fs_close(log->journal_fd);
    log->journal_fd = fd;
    log->journal_bytes = bytes.len;
    memcpy(log->nonce, head.nonce, TUT_JOURNAL_NONCE);
    return TUT_SUCCESS;
}

static tut_status renew(tut_log *log, tut_error *err)
{
    uint64_t base = log->base.size;
    if (log->range.size > base)
        TUT_TRY(fold_from(log, base, err));
    if (!tut_log_io_syncfs(log->dirfd))
        return tut_fail_errno(err, errno, "the disk did not confirm the tiles of %s", log->dir);
    TUT_TRY(tut_log_begin_journal(log, err));
    TUT_TRY(tut_log_memory_rebase(log, err));
    tut_buf_clear(&log->base_note);
    tut_buf_add(&log->base_note, log->note.data, log->note.len);
    TUT_TRY(tut_buf_check(&log->base_note, err));
    uint64_t before = log->folded;
    log->folded = log->range.size;
    drop_old_partials(log, base < before ? base : before);
    return TUT_SUCCESS;
}

tut_status tut_log_renew(tut_log *log, tut_error *err)
{
    TUT_TRY(check_writable(log, err));
    log->has_failed = true;
    TUT_TRY(renew(log, err));
    log->has_failed = false;
    return TUT_SUCCESS;
}

/* --- a change of the log's key --- */

static tut_status sign_anew(tut_log *log, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    tut_buf fresh = TUT_BUF_INIT;
    TUT_TRY(tut_note_parse(tut_buf_str(&log->note), &note, err));
    tut_status status = tut_log_sign_text(log, note.text, &fresh, err);
    if (!tut_is_ok(status)) {
        tut_buf_done(&fresh);
        return status;
    }
    tut_note_done(&note); /* it borrows from what goes now */
    tut_buf_done(&log->note);
    log->note = fresh;
    return status;
}

tut_status tut_log_resign(tut_log *log, tut_error *err)
{
    TUT_TRY(check_writable(log, err));
    if (log->range.size == 0)
        return TUT_SUCCESS;
    TUT_TRY(sign_anew(log, err));
    TUT_TRY(tut_log_renew(log, err));
    tut_span note = tut_buf_span(&log->note);
    TUT_TRY(tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, TUT_LOG_CHECKPOINT, &note, 1, 0644, true,
                               err));
    return tut_log_prune_resign(log, err);
}
