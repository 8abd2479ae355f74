/*
 * Every file below tile/ is read and must be what the signed tree says; then every file that the
 * shown checkpoint needs must have been among them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "ledger/log_verify.h"

typedef struct tile_name {
    int level;
    uint64_t n;
    unsigned width;
} tile_name;

/* "x001/x234/067" or "067"; what follows goes to rest. */
static bool take_groups(tut_str *rest, uint64_t *ret_n)
{
    uint64_t n = 0;
    for (int group = 0; group < 7; group++) {
        bool has_more = rest->len > 0 && rest->data[0] == 'x';
        tut_str digits = {rest->data + has_more, 3};
        uint64_t value = 0;
        if (rest->len < 3u + has_more || !tut_str_u64(digits, &value))
            return false;
        n = n * 1000 + value;
        *rest = (tut_str){digits.data + 3, rest->len - 3 - has_more};
        if (!has_more) {
            *ret_n = n;
            return true;
        }
        if (rest->len == 0 || rest->data[0] != '/')
            return false;
        *rest = (tut_str){rest->data + 1, rest->len - 1};
    }
    return false;
}

static bool take_level(tut_str *rest, int *ret_level)
{
    size_t at = 0;
    uint64_t level = 0;
    if (!tut_str_find(*rest, TUT_LIT("/"), &at))
        return false;
    tut_str word = {rest->data, at};
    *rest = (tut_str){rest->data + at + 1, rest->len - at - 1};
    if (tut_str_eq_z(word, "entries")) {
        *ret_level = TUT_BUNDLE_LEVEL;
        return true;
    }
    if (!tut_str_u64(word, &level) || level >= TUT_TILE_LEVELS)
        return false;
    *ret_level = (int)level;
    return true;
}

/* A name that is not the one we would write is none. */
static bool parse_name(const char *rel, tile_name *ret)
{
    tut_str rest = tut_str_of(rel);
    uint64_t width = TUT_LOG_TILE_WIDTH;
    char path[TUT_TILE_PATH];
    if (!take_level(&rest, &ret->level) || !take_groups(&rest, &ret->n))
        return false;
    if (rest.len) {
        if (!tut_str_starts(rest, TUT_LIT(".p/")))
            return false;
        rest = (tut_str){rest.data + 3, rest.len - 3};
        if (!tut_str_u64(rest, &width) || width == 0 || width >= TUT_LOG_TILE_WIDTH)
            return false;
    }
    ret->width = (unsigned)width;
    tut_tile_path(ret->level, ret->n, ret->width, path);
    return strcmp(path + strlen("tile/"), rel) == 0;
}

static unsigned hash_level(const tile_name *t)
{
    return t->level < 0 ? 0 : (unsigned)t->level;
}

/* How many of its hashes or entries our tree has; the rest a writer may have added since. */
static tut_status known_width(tut_verification *v, const tile_name *t, const char *path,
                              unsigned *ret_known, tut_error *err)
{
    unsigned level = hash_level(t);
    uint64_t first = t->n << 8, end = first + t->width;
    if (end > v->journal_size >> 8 * level && !v->log->is_writing)
        TUT_TRY(tut_verify_journal_size(v, err));
    if (end > v->journal_size >> 8 * level)
        tut_verify_found(v, "tile", "%s is beyond the end of the log", path);
    uint64_t have = v->log->range.size >> 8 * level;
    *ret_known = have <= first ? 0 : have >= end ? t->width : (unsigned)(have - first);
    return TUT_SUCCESS;
}

static void compare_hashes(const tut_verification *v, const tile_name *t, const char *path,
                           const tut_buf *bytes, const tut_sha256 *hashes, unsigned known)
{
    if (bytes->len != (size_t)t->width * TUT_SHA256_BYTES) {
        tut_verify_found(v, "tile", "%s has %zu bytes instead of %u", path, bytes->len,
                         t->width * TUT_SHA256_BYTES);
        return;
    }
    for (unsigned i = 0; i < known; i++)
        if (memcmp(bytes->data + (size_t)i * TUT_SHA256_BYTES, hashes[i].bytes, TUT_SHA256_BYTES) !=
            0) {
            tut_verify_found(v, "tile", "%s was altered: hash %u does not fit the signed tree",
                             path, i);
            return;
        }
}

static void compare_entries(const tut_verification *v, const tile_name *t, const char *path,
                            const tut_buf *bytes, const tut_sha256 *hashes, unsigned known)
{
    size_t at[TUT_LOG_TILE_WIDTH + 1];
    if (!tut_is_ok(tut_bundle_split(tut_buf_span(bytes), t->width, true, at))) {
        tut_verify_found(v, "entry", "%s was altered: it does not hold exactly %u entries", path,
                         t->width);
        return;
    }
    for (unsigned i = 0; i < known; i++) {
        tut_sha256 leaf;
        tut_merkle_leaf(tut_span_of(bytes->data + at[i] + 2, at[i + 1] - at[i] - 2), &leaf);
        if (!tut_sha256_eq(&leaf, &hashes[i]))
            tut_verify_found(v, "entry", "entry %" PRIu64 " in %s was altered: it is not its leaf",
                             (t->n << 8) + i, path);
    }
}

/* What a tile must hold cannot be had when a tile above it, or it itself, does not fit: that one is
 * named, once. */
static tut_status note_unproved(const tut_verification *v, const tile_name *t, const char *path,
                                tut_status status, const tut_error *why, tut_error *err)
{
    if (status.code == TUT_STORE && t->level >= 0 && strcmp(why->path, path) != 0)
        return TUT_SUCCESS;
    if (status.code == TUT_STORE && t->level < 0) {
        tut_verify_found(v, "entry", "%s cannot be checked: %s", path, why->text);
        return TUT_SUCCESS;
    }
    return tut_verify_note(v, "tile", status, why, err);
}

static bool is_pruned(const tut_log *log, const tile_name *t)
{
    unsigned level = hash_level(t);
    return level + 1 < TUT_TILE_LEVELS && ((t->n + 1) << 8 * (level + 1)) <= log->pruned;
}

static tut_status check_file(tut_verification *v, const tile_name *t, const char *path,
                             tut_error *err)
{
    tut_log *log = v->log;
    tut_error why = {0};
    const tut_sha256 *hashes = NULL;
    unsigned known = 0;
    bool exists = false;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (is_pruned(log, t)) {
        if (log->deleted == log->pruned)
            tut_verify_found(v, "tile", "%s should be gone: all below %" PRIu64 " was pruned", path,
                             log->pruned);
        return TUT_SUCCESS;
    }
    TUT_TRY(known_width(v, t, path, &known, err));
    tut_status status = tut_log_io_read(log->dirfd, path, TUT_BUNDLE_BYTES_MAX, &bytes, &exists,
                                        &why);
    if (status.code == TUT_LIMIT)
        status.code = TUT_STORE;
    if (!tut_is_ok(status))
        return tut_verify_note(v, "tile", status, &why, err);
    if (!exists || known == 0)
        return TUT_SUCCESS; /* a writer took it away, or put it there, since we opened */
    status = tut_log_hashes(log, hash_level(t), t->n << 8, &hashes, &why);
    if (!tut_is_ok(status))
        return note_unproved(v, t, path, status, &why, err);
    if (t->level < 0)
        compare_entries(v, t, path, &bytes, hashes, known);
    else
        compare_hashes(v, t, path, &bytes, hashes, known);
    return TUT_SUCCESS;
}

static bool has_gone(const tut_log *log, const char *rel)
{
    TUT_AUTO_FREE char *path = tut_fs_join("tile", rel);
    return path && faccessat(log->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static tut_status visit_file(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    tut_verification *v = ctx;
    char path[TUT_TILE_PATH];
    tile_name t = {0};
    if (entry->kind == TUT_WALK_LIMIT)
        return tut_fail(err, TUT_LIMIT, "there are too many files in %s/tile", v->log->dir);
    if (entry->kind == TUT_WALK_UNREADABLE && has_gone(v->log, entry->rel))
        return TUT_SUCCESS; /* a writer tidied up while we walked */
    if (entry->kind == TUT_WALK_UNREADABLE)
        return tut_fail(err, TUT_IO, "cannot read tile/%s of %s: %s", entry->rel, v->log->dir,
                        entry->problem);
    if (entry->kind != TUT_WALK_FILE || !parse_name(entry->rel, &t) || t.n >> 56) {
        TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
        tut_buf_add_escaped(&name, tut_str_of(entry->rel), 200);
        tut_verify_found(v, "tile", "tile/%s is no part of the log", tut_buf_z(&name));
        return TUT_SUCCESS;
    }
    tut_tile_path(t.level, t.n, t.width, path);
    return check_file(v, &t, path, err);
}

static bool is_there(const tut_log *log, int level, uint64_t n, unsigned width)
{
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, width, path);
    return faccessat(log->dirfd, path, F_OK, 0) == 0;
}

static tut_status want_tile(tut_verification *v, int level, uint64_t n, unsigned width,
                            tut_error *err)
{
    tut_error why = {0};
    const char *name = level < 0 ? "entry" : "tile";
    TUT_CLEAN(tut_buf) ignored = TUT_BUF_INIT;
    if (is_there(v->log, level, n, width))
        return TUT_SUCCESS; /* and was looked at */
    if (width != TUT_LOG_TILE_WIDTH) {
        tut_status status = tut_tile_load(v->log, level, n, width, &ignored, &why);
        return tut_verify_note(v, name, status, &why, err);
    }
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, width, path);
    tut_verify_found(v, name, "%s is missing", path);
    v->missing++;
    return TUT_SUCCESS;
}

/* Full tiles and the partial ones at the end, of a tree of shown_size. That may be a claim far
 * above what there is: after so many nobody wants the names of more. */
static tut_status want_all(tut_verification *v, tut_error *err)
{
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        uint64_t end = v->shown_size >> 8 * level;
        if (end == 0)
            break;
        for (uint64_t n = v->log->pruned >> 8 * level >> 8; n << 8 < end; n++) {
            uint64_t left = end - (n << 8);
            unsigned width = left < TUT_LOG_TILE_WIDTH ? (unsigned)left : TUT_LOG_TILE_WIDTH;
            if (level == 0)
                TUT_TRY(want_tile(v, TUT_BUNDLE_LEVEL, n, width, err));
            TUT_TRY(want_tile(v, (int)level, n, width, err));
            if (v->missing > TUT_LIMIT_FINDINGS) {
                tut_verify_found(v, "tile", "more tiles are missing than are named");
                return TUT_SUCCESS;
            }
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_verify_tiles(tut_verification *v, tut_error *err)
{
    tut_error why = {0};
    TUT_AUTO_FREE char *root = tut_fs_join(v->log->dir, "tile");
    if (!root)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    /* What hangs on the base: without it nothing can be checked, and it is one finding. */
    tut_status status = tut_log_load_edge(v->log, &why);
    if (!tut_is_ok(status)) {
        const char *name = strstr(why.path, "tile/entries") || !why.path[0] ? "entry" : "tile";
        return tut_verify_note(v, name, status, &why, err);
    }
    if (tut_fs_is_dir(root))
        TUT_TRY(tut_walk(root, visit_file, v, err));
    return want_all(v, err);
}
