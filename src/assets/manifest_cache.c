/*
 * The digest cache, one file a root and hash:
 *   "TUTDIG1\n", u32 kind, u32 count, count entries by (device, inode), SHA-256 of all before it
 *   entry: u64 device, inode, size, mtime_s, ctime_s; u32 mtime_ns, ctime_ns; digest
 * Little-endian. The checksum is against damage; against other users there is the check of owner
 * and mode, and whoever is this user can also sign.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "assets/manifest_internal.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/reader.h"

static const char magic[] = "TUTDIG1\n";

enum {
    ENTRY_FIXED = 48,
    HEADER = 16,
    CACHE_MAX_BYTES = 128 << 20, /* a million entries of SHA-256 take 80 MB */
    /* The kernel stamps files with a clock that ticks every 1 to 10 ms. */
    TICK_NS = 50000000,
    /* File systems without nanoseconds: FAT rounds to 2 s. */
    COARSE_TICK_S = 3
};

typedef struct entry {
    tut_stamp stamp;
    tut_hash digest;
} entry;

typedef struct entries {
    entry *items;
    size_t count;
} entries;

static void entries_done(entries *e)
{
    tut_free(e->items);
    *e = (entries){0};
}

tut_clock_ns tut_clock_now(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (tut_clock_ns){.s = now.tv_sec, .ns = (uint32_t)now.tv_nsec};
}

char *tut_cache_dir(const char *name)
{
    const char *base = getenv("XDG_CACHE_HOME");
    if (base && base[0] == '/')
        return tut_asprintf("%s/tutela/%s", base, name);
    const char *home = getenv("HOME");
    return home && home[0] == '/' ? tut_asprintf("%s/.cache/tutela/%s", home, name) : NULL;
}

char *tut_cache_file(const char *path, tut_hash_kind kind)
{
    TUT_AUTO_FREE char *dir = tut_cache_dir("digests");
    char *real = dir ? realpath(path, NULL) : NULL;
    tut_sha256 name;
    char hex[TUT_SHA256_HEX];
    tut_status status = real ? tut_sha256_of(tut_span_of(real, strlen(real)), &name, NULL)
                             : (tut_status){TUT_IO};
    free(real);
    if (!tut_is_ok(status))
        return NULL;
    tut_sha256_hex(&name, hex);
    return tut_asprintf("%s/%.32s.%s", dir, hex, tut_hash_name(kind));
}

/* Ours alone, else no cache: 0600 in a directory that others cannot write. */
bool tut_cache_is_private(const char *file)
{
    struct stat st;
    if (lstat(file, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IWGRP | S_IWOTH)))
        return false;
    const char *slash = strrchr(file, '/');
    TUT_AUTO_FREE char *dir = slash ? tut_strndup(file, (size_t)(slash - file)) : NULL;
    return dir && stat(dir, &st) == 0 && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static tut_status read_entry(tut_reader *r, size_t size, entry *ret_entry)
{
    entry e = {0};
    tut_span digest;
    uint64_t mtime;
    uint64_t ctime;
    TUT_TRY(tut_reader_u64le(r, &e.stamp.dev));
    TUT_TRY(tut_reader_u64le(r, &e.stamp.ino));
    TUT_TRY(tut_reader_u64le(r, &e.stamp.size));
    TUT_TRY(tut_reader_u64le(r, &mtime));
    TUT_TRY(tut_reader_u64le(r, &ctime));
    TUT_TRY(tut_reader_u32le(r, &e.stamp.mtime_ns));
    TUT_TRY(tut_reader_u32le(r, &e.stamp.ctime_ns));
    TUT_TRY(tut_reader_bytes(r, size, &digest));
    e.stamp.mtime_s = (int64_t)mtime;
    e.stamp.ctime_s = (int64_t)ctime;
    memcpy(e.digest.bytes, digest.data, size);
    *ret_entry = e;
    return TUT_SUCCESS;
}

static tut_status decode(tut_span bytes, tut_hash_kind kind, entries *ret_entries)
{
    tut_sha256 sum;
    uint32_t stored_kind;
    uint32_t count;
    size_t size = tut_hash_size(kind);
    if (bytes.len < HEADER + TUT_SHA256_BYTES)
        return (tut_status){TUT_TRUNCATED};
    size_t content = bytes.len - TUT_SHA256_BYTES;
    TUT_TRY(tut_sha256_of(tut_span_of(bytes.data, content), &sum, NULL));
    if (memcmp(sum.bytes, bytes.data + content, TUT_SHA256_BYTES) != 0)
        return (tut_status){TUT_MALFORMED};
    tut_reader r = tut_reader_of(tut_span_of(bytes.data, content));
    TUT_TRY(tut_reader_expect(&r, tut_str_of(magic)));
    TUT_TRY(tut_reader_u32le(&r, &stored_kind));
    TUT_TRY(tut_reader_u32le(&r, &count));
    if (stored_kind != (uint32_t)kind || tut_reader_left(&r) != count * (ENTRY_FIXED + size))
        return (tut_status){TUT_MALFORMED};
    TUT_CLEAN(entries) e = {0};
    e.items = tut_alloc_array(count ? count : 1, sizeof(*e.items));
    if (!e.items)
        return (tut_status){TUT_NOMEM};
    for (; e.count < count; e.count++)
        TUT_TRY(read_entry(&r, size, &e.items[e.count]));
    ret_entries->count = e.count;
    ret_entries->items = tut_move(&e.items);
    return TUT_SUCCESS;
}

static bool load(const char *file, tut_hash_kind kind, entries *ret_entries)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    return file && tut_cache_is_private(file) &&
           tut_is_ok(tut_fs_read(file, CACHE_MAX_BYTES, &bytes, NULL)) &&
           tut_is_ok(decode(tut_buf_span(&bytes), kind, ret_entries));
}

static int by_inode(const void *a, const void *b)
{
    const tut_stamp *x = &((const entry *)a)->stamp;
    const tut_stamp *y = &((const entry *)b)->stamp;
    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static bool is_worth_it(const tut_manifest_file *f)
{
    return f->stamp.size >= TUT_CACHE_LEAST_BYTES;
}

static bool has_worthy(const tut_manifest *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (is_worth_it(&m->files[i]))
            return true;
    return false;
}

size_t tut_cache_apply(const char *file, tut_hash_kind kind, tut_manifest *m)
{
    TUT_CLEAN(entries) known = {0};
    size_t found = 0;
    if (!has_worthy(m) || !load(file, kind, &known))
        return 0;
    for (size_t i = 0; i < m->count; i++) {
        tut_manifest_file *f = &m->files[i];
        entry wanted = {.stamp = f->stamp};
        if (!f->is_wanted || f->is_hashed || !is_worth_it(f))
            continue;
        const entry *e = bsearch(&wanted, known.items, known.count, sizeof(*known.items), by_inode);
        if (!e || !tut_stamp_eq(&e->stamp, &f->stamp))
            continue;
        f->digest = e->digest;
        f->is_hashed = true;
        found++;
    }
    return found;
}

static bool is_settled(int64_t s, uint32_t ns, tut_clock_ns started)
{
    if (ns == 0)
        return s < started.s - COARSE_TICK_S;
    int64_t age_s = started.s - s;
    if (age_s < 0)
        return false;
    return age_s > 1 || age_s * 1000000000 + ((int64_t)started.ns - (int64_t)ns) > TICK_NS;
}

bool tut_stamp_is_settled(const tut_stamp *stamp, tut_clock_ns started)
{
    return is_settled(stamp->mtime_s, stamp->mtime_ns, started) &&
           is_settled(stamp->ctime_s, stamp->ctime_ns, started);
}

static bool may_keep(const tut_manifest_file *f, tut_clock_ns started)
{
    return f->is_hashed && is_worth_it(f) && tut_stamp_is_settled(&f->stamp, started);
}

static void encode(const entries *e, tut_hash_kind kind, tut_buf *out)
{
    tut_buf_add(out, magic, sizeof(magic) - 1);
    tut_buf_add_u32le(out, (uint32_t)kind);
    tut_buf_add_u32le(out, (uint32_t)e->count);
    for (size_t i = 0; i < e->count; i++) {
        const tut_stamp *s = &e->items[i].stamp;
        tut_buf_add_u64le(out, s->dev);
        tut_buf_add_u64le(out, s->ino);
        tut_buf_add_u64le(out, s->size);
        tut_buf_add_u64le(out, (uint64_t)s->mtime_s);
        tut_buf_add_u64le(out, (uint64_t)s->ctime_s);
        tut_buf_add_u32le(out, s->mtime_ns);
        tut_buf_add_u32le(out, s->ctime_ns);
        tut_buf_add(out, e->items[i].digest.bytes, tut_hash_size(kind));
    }
    tut_sha256 sum;
    if (tut_is_ok(tut_buf_check(out, NULL)) &&
        tut_is_ok(tut_sha256_of(tut_buf_span(out), &sum, NULL)))
        tut_buf_add(out, sum.bytes, sizeof(sum.bytes));
    else
        tut_buf_clear(out);
}

/* Without waiting for the disk: a file that a crash leaves half written fails its checksum. */
static void save(const char *file, tut_hash_kind kind, const entries *e)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const char *slash = strrchr(file, '/');
    TUT_AUTO_FREE char *dir = slash ? tut_strndup(file, (size_t)(slash - file)) : NULL;
    encode(e, kind, &out);
    if (dir && out.len > 0 && tut_is_ok(tut_fs_mkdirs(dir, 0700, NULL)))
        TUT_IGNORE(tut_fs_write_unsynced(file, tut_buf_span(&out), 0600, NULL));
}

void tut_cache_keep(const char *file, tut_hash_kind kind, const tut_manifest *m,
                    tut_clock_ns started)
{
    TUT_CLEAN(entries) known = {0};
    TUT_CLEAN(entries) now = {0};
    if (!file || !has_worthy(m))
        return;
    now.items = tut_alloc_array(m->count, sizeof(*now.items));
    if (!now.items)
        return;
    for (size_t i = 0; i < m->count; i++) {
        const tut_manifest_file *f = &m->files[i];
        if (may_keep(f, started))
            now.items[now.count++] = (entry){.stamp = f->stamp, .digest = f->digest};
    }
    if (now.count > 1)
        qsort(now.items, now.count, sizeof(*now.items), by_inode);
    bool is_same = load(file, kind, &known) && known.count == now.count;
    for (size_t i = 0; is_same && i < now.count; i++)
        is_same = tut_stamp_eq(&now.items[i].stamp, &known.items[i].stamp) &&
                  tut_hash_eq(kind, &now.items[i].digest, &known.items[i].digest);
    if (!is_same)
        save(file, kind, &now);
}
