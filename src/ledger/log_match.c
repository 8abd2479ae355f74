/*
 * Tiles since the base, compared with what the journal says. After a loss of power they may be old,
 * empty or absent, though the checkpoint is there.
 */
#include <errno.h>

#include "ledger/log_internal.h"

static tut_status file_matches(const tut_log *log, const char *path, const tut_span *parts,
                               size_t count, tut_buf *scratch, bool *ret_match, tut_error *err)
{
    bool exists = false;
    size_t at = 0;
    tut_buf_clear(scratch);
    tut_status status = tut_log_io_read(log->dirfd, path, TUT_BUNDLE_BYTES_MAX, scratch, &exists,
                                        err);
    if (!tut_is_ok(status) && status.code != TUT_LIMIT)
        return status;
    bool matches = tut_is_ok(status) && exists;
    for (size_t i = 0; matches && i < count; i++) {
        matches = parts[i].len <= scratch->len - at &&
                  (parts[i].len == 0 ||
                   memcmp(scratch->data + at, parts[i].data, parts[i].len) == 0);
        at += parts[i].len;
    }
    *ret_match = matches && at == scratch->len;
    return TUT_SUCCESS;
}

/* One tile or bundle at one width. */
static tut_status width_matches(const tut_log *log, int level, uint64_t n, unsigned width,
                                tut_buf *scratch, bool *ret_match, tut_error *err)
{
    char path[TUT_TILE_PATH];
    tut_span parts[2] = {{NULL, 0}, {NULL, 0}};
    tut_tile_path(level, n, width, path);
    if (level < 0)
        tut_log_bundle_parts(log, n, width, parts);
    else
        parts[0] = tut_log_hash_bytes(log, (unsigned)level, n, width);
    return file_matches(log, path, parts, 2, scratch, ret_match, err);
}

/* Partial files of an earlier fold: nobody depends on them, but who is served one must get a good
 * one. Those up to the base were synced and may be what the edge was made from. */
static tut_status drop_bad_spares(const tut_log *log, int level, uint64_t n, unsigned wanted,
                                  tut_buf *scratch, tut_error *err)
{
    uint8_t widths[TUT_LOG_TILE_WIDTH];
    unsigned hash_level = level < 0 ? 0 : (unsigned)level;
    unsigned count = tut_tile_partials(log, level, n, widths);
    for (unsigned i = 0; i < count; i++) {
        bool matches = false;
        char path[TUT_TILE_PATH];
        if (widths[i] == wanted || (n << 8) + widths[i] <= log->base.size >> 8 * hash_level)
            continue;
        if ((n << 8) + widths[i] <= log->range.size >> 8 * hash_level)
            TUT_TRY(width_matches(log, level, n, widths[i], scratch, &matches, err));
        tut_tile_path(level, n, widths[i], path);
        if (!matches && !tut_log_io_unlink(log->dirfd, path, 0) && errno != ENOENT)
            return tut_fail_errno(err, errno, "cannot remove the spoilt %s of %s", path, log->dir);
    }
    return TUT_SUCCESS;
}

static tut_status tile_matches(const tut_log *log, int level, uint64_t n, uint64_t end,
                               tut_buf *scratch, bool *ret_match, tut_error *err)
{
    uint64_t left = end - (n << 8);
    unsigned width = left < TUT_LOG_TILE_WIDTH ? (unsigned)left : TUT_LOG_TILE_WIDTH;
    TUT_TRY(drop_bad_spares(log, level, n, width, scratch, err));
    return width_matches(log, level, n, width, scratch, ret_match, err);
}

static tut_status level_matches(const tut_log *log, int level, uint64_t first, uint64_t end,
                                tut_buf *scratch, bool *ret_match, tut_error *err)
{
    bool matches = true;
    for (uint64_t n = first >> 8; n <= (end - 1) >> 8; n++) {
        bool is_same = false;
        TUT_TRY(tile_matches(log, level, n, end, scratch, &is_same, err));
        matches = matches && is_same;
    }
    *ret_match = matches;
    return TUT_SUCCESS;
}

tut_status tut_log_tiles_match(tut_log *log, bool *ret_match, tut_error *err)
{
    TUT_CLEAN(tut_buf) scratch = TUT_BUF_INIT;
    bool matches = true;
    TUT_TRY(tut_log_load_edge(log, err));
    for (int level = TUT_BUNDLE_LEVEL; level < TUT_TILE_LEVELS; level++) {
        unsigned hash_level = level < 0 ? 0 : (unsigned)level;
        bool is_same = false;
        uint64_t first = log->base.size >> 8 * hash_level, end = log->range.size >> 8 * hash_level;
        if (first == end)
            break;
        TUT_TRY(level_matches(log, level, first, end, &scratch, &is_same, err));
        matches = matches && is_same;
    }
    *ret_match = matches;
    return TUT_SUCCESS;
}
