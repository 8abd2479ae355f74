/*
 * Pruning: first the file `pruned` says up to where, durably; then files go; then it says that they
 * are gone. A crash in between is made good at the next opening for writing.
 *
 * The file is a signed note, so that nobody but the log's key takes entries away unseen:
 *   tutela/pruned/v1
 *   ORIGIN
 *   N M          all below N is pruned, and the files of what is below M are gone
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/limits.h"
#include "ledger/log_internal.h"

#define PRUNED_HEADER "tutela/pruned/v1"

static tut_status write_pruned(const tut_log *log, uint64_t pruned, uint64_t gone, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_buf_printf(&text, PRUNED_HEADER "\n%s\n%" PRIu64 " %" PRIu64 "\n", log->origin, pruned,
                   gone);
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_log_sign_text(log, tut_buf_str(&text), &note, err));
    tut_span span = tut_buf_span(&note);
    return tut_log_io_replace(log->dirfd, TUT_LOG_TEMP, TUT_LOG_PRUNED, &span, 1, 0644, true, err);
}

/* The next word of text, up to `end`. */
static bool take_word(tut_str *rest, const char *end, tut_str *ret)
{
    size_t at = 0;
    if (!tut_str_find(*rest, tut_str_of(end), &at))
        return false;
    *ret = (tut_str){rest->data, at};
    *rest = (tut_str){rest->data + at + 1, rest->len - at - 1};
    return true;
}

static bool parse_pruned(const tut_log *log, tut_str rest, uint64_t *ret_pruned, uint64_t *ret_gone)
{
    tut_str header, origin, pruned, gone;
    return take_word(&rest, "\n", &header) && take_word(&rest, "\n", &origin) &&
           take_word(&rest, " ", &pruned) && take_word(&rest, "\n", &gone) && rest.len == 0 &&
           tut_str_eq_z(header, PRUNED_HEADER) && tut_str_eq_z(origin, log->origin) &&
           tut_str_u64(pruned, ret_pruned) && tut_str_u64(gone, ret_gone) &&
           *ret_gone <= *ret_pruned && (*ret_pruned & (TUT_LOG_TILE_WIDTH - 1)) == 0;
}

static tut_status read_pruned(tut_log *log, tut_str bytes, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    uint64_t pruned = 0, gone = 0;
    TUT_TRY(tut_note_parse(bytes, &note, err));
    if (log->verifier_count)
        TUT_TRY(tut_note_verify(&note, log->verifiers, log->verifier_count, 1, NULL, NULL, err));
    if (!parse_pruned(log, note.text, &pruned, &gone))
        return tut_fail(err, TUT_STORE, "it breaks its format");
    log->pruned = pruned;
    log->deleted = gone;
    return TUT_SUCCESS;
}

tut_status tut_log_pruned_load(tut_log *log, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    bool exists = false;
    tut_status status = tut_log_io_read(log->dirfd, TUT_LOG_PRUNED, TUT_LIMIT_LOG_NOTE_BYTES,
                                        &bytes, &exists, &why);
    if (tut_is_ok(status) && !exists)
        return TUT_SUCCESS;
    if (tut_is_ok(status))
        status = read_pruned(log, tut_buf_str(&bytes), &why);
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    tut_error_set_path(err, TUT_LOG_PRUNED);
    if (status.code == TUT_NOMEM || status.code == TUT_IO || status.code == TUT_DENIED)
        return tut_fail(err, status.code, "%s/%s: %s", log->dir, TUT_LOG_PRUNED, why.text);
    return tut_fail(err, TUT_STORE, "%s/%s was altered (%s); bring it back from a mirror", log->dir,
                    TUT_LOG_PRUNED, why.text);
}

tut_status tut_log_prune_resign(const tut_log *log, tut_error *err)
{
    return log->pruned ? write_pruned(log, log->pruned, log->deleted, err) : TUT_SUCCESS;
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
