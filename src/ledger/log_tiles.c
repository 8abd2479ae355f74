/*
 * Tiles and entry bundles on the disk (c2sp.org/tlog-tiles). Nothing of them is believed: a full
 * tile must hash to its place in the tile above, up to the hashes in memory, which hang on the
 * signed checkpoint; an entry must hash to its leaf.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs_internal.h"
#include "ledger/log_internal.h"

enum { TRIES = 4 };

static void add_digits(uint64_t n, tut_buf *out)
{
    char groups[8][5];
    unsigned count = 0;
    do {
        (void)snprintf(groups[count], sizeof(groups[0]), "%s%03u", count ? "x" : "",
                       (unsigned)(n % 1000));
        count++;
        n /= 1000;
    } while (n && count < 8);
    while (count-- > 0)
        tut_buf_printf(out, "%s%s", groups[count], count ? "/" : "");
}

static void write_path(int level, uint64_t n, const char *tail, char out[TUT_TILE_PATH])
{
    TUT_CLEAN(tut_buf) path = TUT_BUF_INIT;
    if (level < 0)
        tut_buf_add_z(&path, "tile/entries/");
    else
        tut_buf_printf(&path, "tile/%d/", level);
    add_digits(n, &path);
    tut_buf_add_z(&path, tail);
    tut_str_copy(out, TUT_TILE_PATH, tut_buf_str(&path));
}

void tut_tile_partial_dir(int level, uint64_t n, char out[TUT_TILE_PATH])
{
    write_path(level, n, ".p", out);
}

void tut_tile_path(int level, uint64_t n, unsigned width, char out[TUT_TILE_PATH])
{
    char tail[16] = "";
    if (width != TUT_LOG_TILE_WIDTH)
        (void)snprintf(tail, sizeof(tail), ".p/%u", width);
    write_path(level, n, tail, out);
}

tut_status tut_bundle_split(tut_span bytes, unsigned count, bool is_whole, size_t *at)
{
    tut_reader r = tut_reader_of(bytes);
    for (unsigned i = 0; i < count; i++) {
        uint16_t len = 0;
        at[i] = r.pos;
        if (!tut_is_ok(tut_reader_u16be(&r, &len)) || !tut_is_ok(tut_reader_skip(&r, len)))
            return (tut_status){TUT_MALFORMED};
    }
    at[count] = r.pos;
    return (tut_status){is_whole && tut_reader_left(&r) != 0 ? TUT_MALFORMED : TUT_OK};
}

/* One file that is to hold `has` hashes or entries, of which the first `width` are wanted. */
static tut_status load_file(const tut_log *log, int level, uint64_t n, unsigned has, unsigned width,
                            tut_buf *out, bool *ret_exists, tut_error *err)
{
    char path[TUT_TILE_PATH];
    size_t at[TUT_LOG_TILE_WIDTH + 1], start = out->len;
    size_t max = level < 0 ? TUT_BUNDLE_BYTES_MAX : TUT_TILE_BYTES;
    tut_tile_path(level, n, has, path);
    tut_status status = tut_log_io_read(log->dirfd, path, max, out, ret_exists, err);
    if (status.code == TUT_LIMIT)
        return tut_fail(err, TUT_STORE, "%s is larger than it can be", path);
    TUT_TRY(status);
    if (!*ret_exists)
        return TUT_SUCCESS;
    tut_span bytes = tut_span_of(out->data + start, out->len - start);
    bool fits = level >= 0 ? bytes.len == (size_t)has * TUT_SHA256_BYTES
                           : tut_is_ok(tut_bundle_split(bytes, has, true, at));
    if (!fits) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "%s does not hold exactly %u %s", path, has,
                        level >= 0 ? "hashes" : "entries");
    }
    out->len = start + (level >= 0 ? (size_t)width * TUT_SHA256_BYTES : at[width]);
    return TUT_SUCCESS;
}

unsigned tut_tile_partials(const tut_log *log, int level, uint64_t n,
                           uint8_t ret_widths[TUT_LOG_TILE_WIDTH])
{
    char path[TUT_TILE_PATH];
    unsigned count = 0;
    tut_tile_partial_dir(level, n, path);
    int fd = openat(log->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        tut_fs_close(fd);
        return 0;
    }
    for (struct dirent *entry; count < TUT_LOG_TILE_WIDTH && (entry = readdir(dir));) {
        uint64_t has = 0;
        if (tut_str_u64(tut_str_of(entry->d_name), &has) && has > 0 && has < TUT_LOG_TILE_WIDTH)
            ret_widths[count++] = (uint8_t)has;
    }
    (void)closedir(dir);
    return count;
}

/* The narrowest partial file that is wider than `width`; 0 when there is none. */
static unsigned find_wider(const tut_log *log, int level, uint64_t n, unsigned width)
{
    uint8_t widths[TUT_LOG_TILE_WIDTH];
    unsigned best = 0, count = tut_tile_partials(log, level, n, widths);
    for (unsigned i = 0; i < count; i++)
        if (widths[i] > width && (best == 0 || widths[i] < best))
            best = widths[i];
    return best;
}

/* A writer that folds meanwhile puts the wider file there before it takes the narrower one away;
 * who comes in between looks again. */
tut_status tut_tile_load(const tut_log *log, int level, uint64_t n, unsigned width, tut_buf *out,
                         tut_error *err)
{
    bool exists = false;
    for (int i = 0; i < TRIES; i++) {
        TUT_TRY(load_file(log, level, n, width, width, out, &exists, err));
        if (!exists && width != TUT_LOG_TILE_WIDTH)
            TUT_TRY(load_file(log, level, n, TUT_LOG_TILE_WIDTH, width, out, &exists, err));
        if (exists)
            return TUT_SUCCESS;
        unsigned wider = width != TUT_LOG_TILE_WIDTH ? find_wider(log, level, n, width) : 0;
        if (wider)
            TUT_TRY(load_file(log, level, n, wider, width, out, &exists, err));
        if (exists)
            return TUT_SUCCESS;
    }
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, width, path);
    tut_error_set_path(err, path);
    return tut_fail(err, TUT_STORE, "%s is missing", path);
}

static tut_status load_hashes(const tut_log *log, unsigned level, uint64_t n, unsigned width,
                              tut_sha256 *to, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(tut_tile_load(log, (int)level, n, width, &bytes, err));
    for (unsigned i = 0; i < width; i++)
        memcpy(to[i].bytes, bytes.data + (size_t)i * TUT_SHA256_BYTES, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

static tut_status does_not_fit(int level, uint64_t n, unsigned width, tut_error *err)
{
    char path[TUT_TILE_PATH];
    tut_tile_path(level, n, width, path);
    tut_error_set_path(err, path);
    return tut_fail(err, TUT_STORE, "%s was altered: it does not fit the signed tree", path);
}

/* The tile's hashes below the base make up the base's own nodes of its 8 levels. */
static tut_status load_edge_level(tut_log *log, unsigned level, tut_error *err)
{
    tut_log_level *l = &log->levels[level];
    uint64_t end = log->base.size >> 8 * level;
    unsigned width = (unsigned)(end - l->start), at = 0;
    if (width == 0)
        return TUT_SUCCESS;
    TUT_TRY(load_hashes(log, level, l->start >> 8, width, l->hashes, err));
    for (int bit = 7; bit >= 0; bit--) {
        tut_sha256 node;
        if (!(width >> bit & 1))
            continue;
        tut_merkle_root_of(l->hashes + at, (size_t)1 << bit, &node);
        if (!tut_sha256_eq(&node, &log->base.hashes[8 * level + (unsigned)bit]))
            return does_not_fit((int)level, l->start >> 8, width, err);
        at += 1u << bit;
    }
    return TUT_SUCCESS;
}

static tut_status check_leaves(tut_span bytes, const size_t *at, unsigned count,
                               const tut_sha256 *leaves, uint64_t n, tut_error *err)
{
    for (unsigned i = 0; i < count; i++) {
        tut_sha256 leaf;
        tut_merkle_leaf(tut_span_of(bytes.data + at[i] + 2, at[i + 1] - at[i] - 2), &leaf);
        if (tut_sha256_eq(&leaf, &leaves[i]))
            continue;
        char path[TUT_TILE_PATH];
        tut_tile_path(TUT_BUNDLE_LEVEL, n, count, path);
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "entry %" PRIu64 " was altered: it is not its leaf",
                        (n << 8) + i);
    }
    return TUT_SUCCESS;
}

static tut_status load_edge_entries(tut_log *log, tut_error *err)
{
    const tut_log_level *leaves = &log->levels[0];
    unsigned width = (unsigned)(log->base.size - leaves->start);
    size_t at[TUT_LOG_TILE_WIDTH + 1];
    log->edge.len = 0;
    if (width == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_tile_load(log, TUT_BUNDLE_LEVEL, leaves->start >> 8, width, &log->edge, err));
    TUT_TRY(tut_bundle_split(tut_buf_span(&log->edge), width, true, at));
    return check_leaves(tut_buf_span(&log->edge), at, width, leaves->hashes, leaves->start >> 8,
                        err);
}

tut_status tut_log_load_edge(tut_log *log, tut_error *err)
{
    if (log->has_edge)
        return TUT_SUCCESS;
    TUT_TRY(tut_log_memory_reserve(log, 0, err));
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++)
        TUT_TRY(load_edge_level(log, level, err));
    TUT_TRY(load_edge_entries(log, err));
    log->has_edge = true;
    return TUT_SUCCESS;
}

static tut_tile_slot *slot_of(const tut_log *log, unsigned level, uint64_t n)
{
    return log->slots[level] ? &log->slots[level][n % TUT_TILE_SLOTS] : NULL;
}

static bool is_cached(const tut_log *log, unsigned level, uint64_t n)
{
    const tut_tile_slot *s = slot_of(log, level, n);
    return s && s->is_used && s->n == n;
}

static tut_status load_slot(tut_log *log, unsigned level, uint64_t n, const tut_sha256 *want,
                            tut_error *err)
{
    if (((n + 1) << 8 * (level + 1)) <= log->pruned)
        return tut_fail(err, TUT_DENIED, "what is below entry %" PRIu64 " was pruned", log->pruned);
    if (!log->slots[level])
        log->slots[level] = tut_alloc_array(TUT_TILE_SLOTS, sizeof(tut_tile_slot));
    tut_tile_slot *slot = slot_of(log, level, n);
    if (!slot)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_sha256 root;
    slot->is_used = false;
    TUT_TRY(load_hashes(log, level, n, TUT_LOG_TILE_WIDTH, slot->hashes, err));
    tut_merkle_root_of(slot->hashes, TUT_LOG_TILE_WIDTH, &root);
    if (!tut_sha256_eq(&root, want))
        return does_not_fit((int)level, n, TUT_LOG_TILE_WIDTH, err);
    slot->n = n;
    slot->is_used = true;
    return TUT_SUCCESS;
}

/* From the lowest tile above `level` that is known, down to the wanted one. Levels end below
 * TUT_TILE_LEVELS, as the topmost is always in memory. */
static tut_status load_down(tut_log *log, unsigned level, uint64_t n, tut_error *err)
{
    unsigned top = level;
    uint64_t at = n;
    while (at < log->levels[top + 1].start && !is_cached(log, top + 1, at >> 8)) {
        top++;
        at >>= 8;
    }
    for (;;) {
        const tut_log_level *above = &log->levels[top + 1];
        const tut_sha256 *want = at >= above->start
                                     ? &above->hashes[at - above->start]
                                     : &slot_of(log, top + 1, at >> 8)->hashes[at & 255];
        TUT_TRY(load_slot(log, top, at, want, err));
        if (top == level)
            return TUT_SUCCESS;
        top--;
        at = n >> 8 * (top - level);
    }
}

tut_status tut_log_hashes(tut_log *log, unsigned level, uint64_t index,
                          const tut_sha256 **ret_hashes, tut_error *err)
{
    const tut_log_level *l = &log->levels[level];
    /* What came since the base is here without its edge. */
    if (index < log->base.size >> 8 * level)
        TUT_TRY(tut_log_load_edge(log, err));
    if (index >= l->start) {
        if (index - l->start >= l->count)
            return tut_fail(err, TUT_BUG, "a hash beyond the tree was asked for");
        *ret_hashes = &l->hashes[index - l->start];
        return TUT_SUCCESS;
    }
    uint64_t n = index >> 8;
    if (!is_cached(log, level, n))
        TUT_TRY(load_down(log, level, n, err));
    *ret_hashes = &slot_of(log, level, n)->hashes[index & 255];
    return TUT_SUCCESS;
}

tut_status tut_log_bundle(tut_log *log, uint64_t n, const tut_bundle **ret, tut_error *err)
{
    tut_bundle *b = &log->bundle;
    const tut_sha256 *leaves = NULL;
    if (b->is_used && b->n == n) {
        *ret = b;
        return TUT_SUCCESS;
    }
    b->is_used = false;
    tut_buf_clear(&b->bytes);
    TUT_TRY(tut_log_hashes(log, 0, n << 8, &leaves, err));
    TUT_TRY(tut_tile_load(log, TUT_BUNDLE_LEVEL, n, TUT_LOG_TILE_WIDTH, &b->bytes, err));
    TUT_TRY(tut_bundle_split(tut_buf_span(&b->bytes), TUT_LOG_TILE_WIDTH, true, b->at));
    TUT_TRY(check_leaves(tut_buf_span(&b->bytes), b->at, TUT_LOG_TILE_WIDTH, leaves, n, err));
    b->n = n;
    b->count = TUT_LOG_TILE_WIDTH;
    b->is_used = true;
    *ret = b;
    return TUT_SUCCESS;
}
