/*
 * Opening: the anchor and the checkpoint are read before the journal, which is never behind them. A
 * journal that ends before what they sign was cut or set back; one that ends in a torn frame beyond
 * them was left by a crash, and is renewed before anything is appended.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/limits.h"
#include "ledger/log_replay.h"

static tut_status copy_text(const char *text, char **ret, tut_error *err)
{
    *ret = text ? tut_strdup(text) : NULL;
    return !text || *ret ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status new_log(const tut_log_options *options, bool for_writing, tut_log **ret_log,
                          tut_error *err)
{
    if (!options->dir || !options->origin)
        return tut_fail(err, TUT_USAGE, "a log has a directory and an origin");
    TUT_AUTO(tut_log) log = tut_alloc_array(1, sizeof(*log));
    if (!log)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    log->dirfd = log->lock_fd = log->journal_fd = -1;
    log->anchor = TUT_ANCHOR_NONE;
    log->is_writing = for_writing;
    log->verifiers = options->verifiers;
    log->verifier_count = options->verifier_count;
    log->has_binder = for_writing && options->binder;
    if (log->has_binder)
        log->binder = *options->binder;
    TUT_TRY(copy_text(options->dir, &log->dir, err));
    TUT_TRY(copy_text(options->origin, &log->origin, err));
    TUT_TRY(copy_text(options->anchor, &log->anchor_path, err));
    if (for_writing && options->signer_count == 0)
        return tut_fail(err, TUT_USAGE, "a log needs a key to be written");
    if (for_writing) {
        log->signers = tut_alloc_array(options->signer_count, sizeof(*log->signers));
        if (!log->signers)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        memcpy(log->signers, options->signers, options->signer_count * sizeof(*log->signers));
        log->signer_count = options->signer_count;
    }
    *ret_log = tut_move(&log);
    return TUT_SUCCESS;
}

void tut_log_free(tut_log *log)
{
    if (!log)
        return;
    tut_log_memory_done(log);
    tut_anchor_done(&log->anchor);
    tut_fs_close(log->journal_fd);
    tut_fs_close(log->dirfd);
    tut_fs_close(log->lock_fd); /* lets the lock go */
    tut_buf_done(&log->note);
    tut_buf_done(&log->base_note);
    tut_buf_done(&log->frame);
    tut_free(log->signers);
    tut_free(log->dir);
    tut_free(log->origin);
    tut_free(log->anchor_path);
    tut_free(log);
}

static tut_status lock(tut_log *log, tut_error *err)
{
    log->lock_fd = tut_log_io_open(log->dirfd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (log->lock_fd < 0)
        return tut_fail_errno(err, errno, "cannot lock the log %s", log->dir);
    if (flock(log->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return TUT_SUCCESS;
    if (errno == EWOULDBLOCK)
        return tut_fail(err, TUT_DENIED, "another process writes the log %s", log->dir);
    return tut_fail_errno(err, errno, "cannot lock the log %s", log->dir);
}

static tut_status open_dir(tut_log *log, tut_error *err)
{
    if (log->is_writing)
        TUT_TRY(tut_fs_mkdirs(log->dir, 0755, err));
    log->dirfd = open(log->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dirfd < 0)
        return tut_fail_errno(err, errno, "cannot open the log %s", log->dir);
    return log->is_writing ? lock(log, err) : TUT_SUCCESS;
}

/* What the file `checkpoint` says. A crash of the machine may leave it empty or old: then the
 * journal is the better witness. */
typedef struct shown {
    tut_buf bytes;
    bool is_there, is_good;
    tut_checkpoint checkpoint;
} shown;

static tut_status read_shown(const tut_log *log, shown *ret, tut_error *err)
{
    tut_status status = tut_log_io_read(log->dirfd, TUT_LOG_CHECKPOINT, TUT_LIMIT_LOG_NOTE_BYTES,
                                        &ret->bytes, &ret->is_there, err);
    if (status.code == TUT_LIMIT)
        return TUT_SUCCESS;
    TUT_TRY(status);
    if (!ret->is_there)
        return TUT_SUCCESS;
    status = tut_log_check_note(log, tut_buf_str(&ret->bytes), &ret->checkpoint, err);
    ret->is_good = tut_is_ok(status);
    return status.code == TUT_NOMEM ? status : TUT_SUCCESS;
}

static tut_status no_journal(tut_log *log, const shown *seen, tut_error *err)
{
    if (seen->is_there || faccessat(log->dirfd, "tile", F_OK, 0) == 0)
        return tut_fail(err, TUT_STORE,
                        "the journal of %s is missing; bring it back from a mirror or a backup",
                        log->dir);
    if (log->anchor.exists && log->anchor.size > 0)
        return tut_fail(err, TUT_STORE,
                        "%s is empty, but it had %" PRIu64 " entries before; bring it back from a "
                        "mirror or a backup",
                        log->dir, log->anchor.size);
    if (!log->is_writing)
        return tut_fail(err, TUT_IO, "there is no log in %s yet", log->dir);
    tut_merkle_range none = {0};
    tut_log_memory_start(log, &none);
    TUT_TRY(tut_log_begin_journal(log, err));
    /* The directories on the way here may be new too. */
    if (!tut_log_io_syncfs(log->dirfd))
        return tut_fail_errno(err, errno, "the disk did not confirm the new log %s", log->dir);
    return TUT_SUCCESS;
}

/* The last frame's note must be what the replayed tree says. */
static tut_status check_last(tut_log *log, const tut_replay *r, const shown *seen, tut_error *err)
{
    tut_checkpoint c = {0};
    tut_sha256 root;
    if (log->range.size == 0)
        return TUT_SUCCESS;
    if (seen->is_good && tut_str_eq(tut_buf_str(&seen->bytes), r->last_note))
        c = seen->checkpoint;
    else
        TUT_TRY(tut_log_check_note(log, r->last_note, &c, err));
    tut_merkle_range_root(&log->range, &root);
    if (c.size != log->range.size || !tut_sha256_eq(&c.root, &root)) {
        tut_error_set_path(err, TUT_LOG_JOURNAL);
        return tut_fail(err, TUT_STORE,
                        "the entries of the journal do not give the tree that was signed");
    }
    return TUT_SUCCESS;
}

/* One size and root that were certain before. */
static tut_status check_known(tut_log *log, const tut_replay *r, const char *who, uint64_t size,
                              const tut_sha256 *root, tut_error *err)
{
    tut_sha256 found;
    if (size > log->range.size && r->is_torn)
        return tut_fail(err, TUT_STORE,
                        "the journal of %s is damaged %s; it held %" PRIu64
                        " entries, as %s says, and %" PRIu64 " can be read",
                        log->dir, r->torn_text, size, who, log->range.size);
    if (size > log->range.size)
        return tut_fail(err, TUT_STORE,
                        "%s was set back: it has %" PRIu64 " entries, and %s knows of %" PRIu64
                        "; bring it back from a mirror",
                        log->dir, log->range.size, who, size);
    tut_status status = tut_log_root_at(log, size, &found, err);
    if (status.code == TUT_DENIED)
        return TUT_SUCCESS; /* pruned since */
    TUT_TRY(status);
    if (!tut_sha256_eq(&found, root))
        return tut_fail(err, TUT_STORE,
                        "%s is not the log that %s knows: its first %" PRIu64
                        " entries are other ones",
                        log->dir, who, size);
    return TUT_SUCCESS;
}

static tut_status check_against_known(tut_log *log, const tut_replay *r, const shown *seen,
                                      tut_error *err)
{
    const tut_checkpoint *c = &seen->checkpoint;
    if (log->anchor.exists)
        TUT_TRY(check_known(log, r, "the anchor", log->anchor.size, &log->anchor.root, err));
    if (seen->is_good && c->size >= log->base.size)
        TUT_TRY(check_known(log, r, "its checkpoint", c->size, &c->root, err));
    return TUT_SUCCESS;
}

/* A reader may see a frame before the writer's wait for the disk is over. What it tells others must
 * not be taken back by a crash, so it waits for the disk itself. */
static tut_status settle(const tut_log *log, tut_error *err)
{
    if (log->range.size == log->folded ||
        (log->anchor.exists && log->anchor.size == log->range.size))
        return TUT_SUCCESS;
    int fd = openat(log->dirfd, TUT_LOG_JOURNAL, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT
                   ? TUT_SUCCESS
                   : tut_fail_errno(err, errno, "cannot open the journal of %s", log->dir);
    bool is_synced = tut_log_io_fdatasync(fd);
    int saved = errno;
    tut_fs_close(fd);
    return is_synced
               ? TUT_SUCCESS
               : tut_fail_errno(err, saved, "the disk did not confirm the journal of %s", log->dir);
}

static tut_status open_journal(tut_log *log, tut_error *err)
{
    log->journal_fd = tut_log_io_open(log->dirfd, TUT_LOG_JOURNAL, O_WRONLY | O_APPEND | O_NOFOLLOW,
                                      0);
    if (log->journal_fd < 0)
        return tut_fail_errno(err, errno, "cannot open the journal of %s", log->dir);
    return TUT_SUCCESS;
}

/* Whatever a crash left is put right before anything is appended. */
static tut_status recover(tut_log *log, const tut_replay *r, const shown *seen, tut_error *err)
{
    const tut_checkpoint *folded = seen->is_good && seen->checkpoint.size >= log->base.size
                                       ? &seen->checkpoint
                                       : NULL;
    bool is_clean = !r->is_torn && log->folded == log->range.size;
    TUT_TRY(open_journal(log, err));
    TUT_TRY(tut_log_bind_open(log, folded, err));
    TUT_TRY(tut_log_prune_finish(log, err));
    bool matches = false;
    TUT_TRY(tut_log_tiles_match(log, &matches, err));
    return is_clean && matches ? TUT_SUCCESS : tut_log_renew(log, err);
}

static tut_status anchor_first(tut_log *log, tut_error *err)
{
    tut_sha256 root;
    if (!log->anchor_path || !log->is_writing ||
        (log->anchor.exists && log->anchor.size == log->range.size))
        return TUT_SUCCESS;
    tut_merkle_range_root(&log->range, &root);
    return tut_anchor_set(&log->anchor, log->anchor_path, log->range.size, &root, err);
}

static tut_status load(tut_log *log, tut_replay *r, shown *seen, tut_error *err)
{
    bool exists = false;
    if (log->anchor_path)
        TUT_TRY(tut_anchor_open(log->anchor_path, log->origin, log->is_writing, &log->anchor, err));
    TUT_TRY(tut_log_pruned_load(log, err));
    TUT_TRY(read_shown(log, seen, err));
    TUT_TRY(tut_log_replay(log, r, &exists, err));
    if (!exists) {
        TUT_TRY(no_journal(log, seen, err));
        return log->has_binder ? tut_log_bind_open(log, NULL, err) : TUT_SUCCESS;
    }
    TUT_TRY(check_last(log, r, seen, err));
    tut_buf_add_str(&log->note, r->last_note);
    tut_buf_add_str(&log->base_note, r->head.note);
    TUT_TRY(tut_buf_check(&log->note, err));
    TUT_TRY(tut_buf_check(&log->base_note, err));
    if (seen->is_good && tut_str_eq(tut_buf_str(&seen->bytes), r->last_note))
        log->folded = log->range.size;
    TUT_TRY(check_against_known(log, r, seen, err));
    return log->is_writing ? recover(log, r, seen, err) : settle(log, err);
}

tut_status tut_log_open(const tut_log_options *options, bool for_writing, tut_log **ret_log,
                        tut_error *err)
{
    TUT_AUTO(tut_log) log = NULL;
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(new_log(options, for_writing, &log, err));
    TUT_TRY(open_dir(log, err));
    tut_replay r = {0};
    shown seen = {0};
    tut_status status = load(log, &r, &seen, err);
    tut_replay_done(&r);
    tut_buf_done(&seen.bytes);
    if (tut_is_ok(status))
        status = anchor_first(log, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, log->dir);
        return status;
    }
    *ret_log = tut_move(&log);
    return TUT_SUCCESS;
}

static tut_status close_writing(tut_log *log, tut_error *err)
{
    if (log->has_failed)
        return tut_fail(err, TUT_STORE,
                        "the log %s was not folded, as writing failed before; what was "
                        "acknowledged is in its journal",
                        log->dir);
    TUT_TRY(tut_log_fold(log, err));
    if (log->journal_bytes > TUT_LIMIT_LOG_KEPT_BYTES)
        TUT_TRY(tut_log_renew(log, err));
    return tut_anchor_sync(&log->anchor, err);
}

tut_status tut_log_close(tut_log **log, tut_error *err)
{
    tut_log *l = tut_move(log);
    tut_status status = l && l->is_writing ? close_writing(l, err) : TUT_SUCCESS;
    tut_log_free(l);
    return status;
}

uint64_t tut_log_size(const tut_log *log)
{
    return log->range.size;
}

void tut_log_root(const tut_log *log, tut_sha256 *ret_root)
{
    tut_merkle_range_root(&log->range, ret_root);
}

tut_str tut_log_checkpoint(const tut_log *log)
{
    return tut_buf_str(&log->note);
}

uint64_t tut_log_pruned(const tut_log *log)
{
    return log->pruned;
}
