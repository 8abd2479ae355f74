#include "ledger/log_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/limits.h"
#include "base/reader.h"
#include "ledger/log_internal.h"

void tut_log_copy_done(tut_log_copy *copy)
{
    tut_buf_done(&copy->note);
    tut_buf_done(&copy->entries);
    tut_free(copy->leaves);
    *copy = (tut_log_copy){0};
}

void tut_log_copy_root_at(const tut_log_copy *copy, uint64_t size, tut_sha256 *ret)
{
    tut_merkle_root_of(copy->leaves, (size_t)size, ret);
}

/* --- reading --- */

static tut_status add_entry(void *ctx, uint64_t index, tut_span entry, tut_error *err)
{
    tut_log_copy *copy = ctx;
    (void)index;
    tut_buf_add_byte(&copy->entries, (uint8_t)(entry.len >> 8));
    tut_buf_add_byte(&copy->entries, (uint8_t)entry.len);
    tut_buf_add(&copy->entries, entry.data, entry.len);
    return tut_buf_check(&copy->entries, err);
}

static tut_status from_log(const tut_log_options *options, tut_log_copy *copy, tut_error *err)
{
    TUT_AUTO(tut_log) log = NULL;
    TUT_TRY(tut_log_open(options, false, &log, err));
    tut_buf_add_str(&copy->note, tut_log_checkpoint(log));
    copy->size = tut_log_size(log);
    tut_log_root(log, &copy->root);
    return tut_log_each(log, 0, copy->size, add_entry, copy, err);
}

static tut_status from_bundles(tut_log *files, tut_log_copy *copy, tut_error *err)
{
    tut_checkpoint c = {.size = 0};
    bool exists = false;
    TUT_TRY(tut_log_io_read(files->dirfd, TUT_LOG_CHECKPOINT, TUT_LIMIT_LOG_NOTE_BYTES, &copy->note,
                            &exists, err));
    if (!exists)
        return tut_fail(err, TUT_STORE, "%s holds no checkpoint of a log", files->dir);
    TUT_TRY(tut_log_check_note(files, tut_buf_str(&copy->note), &c, err));
    copy->size = c.size;
    copy->root = c.root;
    for (uint64_t at = 0; at < c.size; at += TUT_LOG_TILE_WIDTH) {
        unsigned width = c.size - at < TUT_LOG_TILE_WIDTH ? (unsigned)(c.size - at)
                                                          : TUT_LOG_TILE_WIDTH;
        size_t places[TUT_LOG_TILE_WIDTH + 1];
        TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
        TUT_TRY(
            tut_tile_load(files, TUT_BUNDLE_LEVEL, at / TUT_LOG_TILE_WIDTH, width, &bundle, err));
        if (!tut_is_ok(tut_bundle_split(tut_buf_span(&bundle), width, true, places)))
            return tut_fail(err, TUT_STORE, "the entries from %" PRIu64 " on are damaged", at);
        tut_buf_add(&copy->entries, bundle.data, bundle.len);
        TUT_TRY(tut_buf_check(&copy->entries, err));
    }
    return TUT_SUCCESS;
}

static tut_status from_files(const tut_log_options *options, tut_log_copy *copy, tut_error *err)
{
    TUT_AUTO_FREE char *dir = tut_strdup(options->dir);
    TUT_AUTO_FREE char *origin = tut_strdup(options->origin);
    if (!dir || !origin)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_log files = {.dir = dir,
                     .origin = origin,
                     .verifiers = options->verifiers,
                     .verifier_count = options->verifier_count};
    files.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files.dirfd < 0)
        return tut_fail_errno(err, errno, "cannot open %s", dir);
    tut_status status = from_bundles(&files, copy, err);
    tut_fs_close(files.dirfd);
    return status;
}

/* The copy's entries hashed, and compared with what was signed. */
static tut_status prove(tut_log_copy *copy, tut_error *err)
{
    tut_sha256 root;
    tut_reader r = tut_reader_of(tut_buf_span(&copy->entries));
    copy->leaves = tut_alloc_array((size_t)copy->size + 1, sizeof(*copy->leaves));
    if (!copy->leaves)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint64_t i = 0; i < copy->size; i++) {
        uint16_t len;
        tut_span entry;
        TUT_TRY(tut_reader_u16be(&r, &len));
        TUT_TRY(tut_reader_bytes(&r, len, &entry));
        tut_merkle_leaf(entry, &copy->leaves[i]);
    }
    tut_merkle_root_of(copy->leaves, (size_t)copy->size, &root);
    if (!tut_sha256_eq(&root, &copy->root))
        return tut_fail(err, TUT_STORE, "its entries do not give the tree that was signed");
    return TUT_SUCCESS;
}

static tut_status read_copy(const tut_log_options *options, tut_log_copy *copy, tut_error *err)
{
    TUT_AUTO_FREE char *journal = tut_fs_join(options->dir, TUT_LOG_JOURNAL);
    if (!journal)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_merkle_start(err));
    tut_buf_init(&copy->entries, TUT_LIMIT_LOG_COPY_BYTES);
    TUT_TRY(tut_fs_exists(journal) ? from_log(options, copy, err) : from_files(options, copy, err));
    if (copy->size == 0)
        return tut_fail(err, TUT_STORE, "it holds no entries");
    return prove(copy, err);
}

tut_status tut_log_copy_read(const char *dir, const char *origin, const tut_verifier *verifiers,
                             size_t count, tut_log_copy *ret, tut_error *err)
{
    tut_log_copy copy = {.size = 0};
    tut_log_options options = {
        .dir = dir, .origin = origin, .verifiers = verifiers, .verifier_count = count};
    if (count == 0)
        return tut_fail(err, TUT_USAGE, "a copy cannot be believed without the log's key");
    tut_status status = read_copy(&options, &copy, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, dir);
        tut_log_copy_done(&copy);
        return status;
    }
    *ret = copy;
    return TUT_SUCCESS;
}

/* --- writing --- */

static tut_status put_down(tut_log *log, const tut_log_copy *copy, tut_error *err)
{
    tut_merkle_range none = {0};
    tut_log_memory_start(log, &none);
    TUT_TRY(tut_log_memory_reserve(log, (size_t)copy->size, err));
    for (uint64_t i = 0; i < copy->size; i++)
        tut_log_memory_add_leaf(log, &copy->leaves[i]);
    TUT_TRY(tut_log_memory_add_entries(log, tut_buf_span(&copy->entries), (size_t)copy->size, err));
    tut_buf_add(&log->note, copy->note.data, copy->note.len);
    TUT_TRY(tut_buf_check(&log->note, err));
    return tut_log_renew(log, err);
}

tut_status tut_log_copy_write(const tut_log_copy *copy, const char *dir, const char *origin,
                              tut_error *err)
{
    TUT_AUTO(tut_log) log = tut_alloc_array(1, sizeof(*log));
    if (!log)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    log->dirfd = log->lock_fd = log->journal_fd = -1;
    log->anchor = TUT_ANCHOR_NONE;
    log->is_writing = true;
    log->dir = tut_strdup(dir);
    log->origin = tut_strdup(origin);
    if (!log->dir || !log->origin)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_fs_exists(dir)) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_STORE, "is there already");
    }
    TUT_TRY(tut_fs_mkdirs(dir, 0755, err));
    log->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (log->dirfd < 0)
        return tut_fail_errno(err, errno, "cannot open %s", dir);
    return put_down(log, copy, err);
}
