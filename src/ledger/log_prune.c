/*
 * Pruning: first the file `pruned` says up to where ("pruned N gone M", and a digest of that line),
 * durably; then files go; then it says that they are gone. A crash in between is made good at the
 * next opening for writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "ledger/log_internal.h"

enum { PRUNED_BYTES_MAX = 256 };

static tut_status write_pruned(const tut_log *log, uint64_t pruned, uint64_t gone, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    tut_buf_printf(&text, "pruned %" PRIu64 " gone %" PRIu64 "\n", pruned, gone);
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &digest, err));
    tut_buf_add_hex(&text, digest.bytes, sizeof(digest.bytes));
    tut_buf_add_byte(&text, '\n');
    TUT_TRY(tut_buf_check(&text, err));
    tut_span span = tut_buf_span(&text);
    return tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, TUT_LOG_PRUNED, &span, 1, 0644, true, err);
}

static bool take_number(tut_str *rest, const char *word, char end, uint64_t *ret)
{
    size_t at = 0;
    if (!tut_str_starts(*rest, tut_str_of(word)))
        return false;
    tut_str number = {rest->data + strlen(word), rest->len - strlen(word)};
    if (!tut_str_find(number, (tut_str){&end, 1}, &at))
        return false;
    *rest = (tut_str){number.data + at + 1, number.len - at - 1};
    return tut_str_u64((tut_str){number.data, at}, ret);
}

static bool parse_pruned(tut_str text, uint64_t *ret_pruned, uint64_t *ret_gone)
{
    tut_str rest = text;
    tut_sha256 want;
    if (!take_number(&rest, "pruned ", ' ', ret_pruned) ||
        !take_number(&rest, "gone ", '\n', ret_gone) || *ret_gone > *ret_pruned)
        return false;
    tut_span line = tut_span_of(text.data, text.len - rest.len);
    char hex[TUT_SHA256_HEX];
    if (!tut_is_ok(tut_sha256_of(line, &want, NULL)) || rest.len != TUT_SHA256_HEX ||
        rest.data[rest.len - 1] != '\n')
        return false;
    tut_sha256_hex(&want, hex);
    return memcmp(hex, rest.data, TUT_SHA256_HEX - 1) == 0;
}

tut_status tut_log_pruned_load(tut_log *log, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool exists = false;
    tut_status status = tut_log_io_read(log->dirfd, TUT_LOG_PRUNED, PRUNED_BYTES_MAX, &text,
                                        &exists, err);
    if (!tut_is_ok(status) && status.code != TUT_LIMIT)
        return status;
    if (tut_is_ok(status) && !exists)
        return TUT_SUCCESS;
    if (status.code == TUT_LIMIT ||
        !parse_pruned(tut_buf_str(&text), &log->pruned, &log->deleted)) {
        tut_error_set_path(err, TUT_LOG_PRUNED);
        return tut_fail(err, TUT_STORE, "%s/%s was altered; bring it back from a mirror", log->dir,
                        TUT_LOG_PRUNED);
    }
    return TUT_SUCCESS;
}

static tut_status remove_file(const tut_log *log, int level, uint64_t n, tut_error *err)
{
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, TUT_LOG_TILE_WIDTH, path);
    if (tut_log_io_unlink(log->dirfd, path, 0) || errno == ENOENT)
        return TUT_SUCCESS;
    return tut_fail_errno(err, errno, "cannot remove %s of the log %s", path, log->dir);
}

/* What lies wholly below `pruned` and not wholly below `deleted`, by levels. */
static tut_status remove_files(const tut_log *log, tut_error *err)
{
    for (unsigned level = 0; level < TUT_TILE_LEVELS - 1; level++) {
        uint64_t first = log->deleted >> 8 * level >> 8, end = log->pruned >> 8 * level >> 8;
        if (end == 0)
            break;
        for (uint64_t n = first; n < end; n++) {
            if (level == 0)
                TUT_TRY(remove_file(log, TUT_BUNDLE_LEVEL, n, err));
            TUT_TRY(remove_file(log, (int)level, n, err));
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_log_prune_finish(tut_log *log, tut_error *err)
{
    if (log->pruned > log->base.size)
        return tut_fail(err, TUT_STORE, "%s says it was pruned beyond what it holds", log->dir);
    if (log->deleted == log->pruned)
        return TUT_SUCCESS;
    TUT_TRY(remove_files(log, err));
    TUT_TRY(write_pruned(log, log->pruned, log->pruned, err));
    log->deleted = log->pruned;
    return TUT_SUCCESS;
}

tut_status tut_log_prune(tut_log *log, uint64_t min, tut_error *err)
{
    if (min > log->range.size)
        return tut_fail(err, TUT_TRUNCATED,
                        "the log has %" PRIu64 " entries; it cannot be pruned below %" PRIu64,
                        log->range.size, min);
    min &= ~(uint64_t)(TUT_LOG_TILE_WIDTH - 1);
    if (min <= log->pruned)
        return TUT_SUCCESS;
    /* Only what is in synced tiles may go. */
    TUT_TRY(tut_log_renew(log, err));
    TUT_TRY(write_pruned(log, min, log->deleted, err));
    log->pruned = min;
    log->bundle.is_used = false;
    return tut_log_prune_finish(log, err);
}
