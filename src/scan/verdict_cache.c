/*
 *   entry = "TUTSCN1\n" key[32] device inode size mtime_s ctime_s (u64) mtime_ns ctime_ns (u32)
 *           digest[32] count(u32) reply[count] sha256[32] of all before it
 * Numbers are little endian.
 */
#include "scan/verdict_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/reader.h"

static const char magic[] = "TUTSCN1\n";

/* 256 folders of so many entries: 16,384 files, of at most 1 GiB and in practice 1 kB each. */
enum { FOLDER_ENTRIES = 64, ENTRY_MAX = TUT_VERDICT_REPLY_MAX + 256 };

void tut_verdict_entry_encode(const tut_verdict_entry *e, tut_buf *out)
{
    const tut_stamp *s = &e->stamp;
    tut_sha256 sum;
    size_t start = out->len;
    tut_buf_add_z(out, magic);
    tut_buf_add(out, e->key.bytes, sizeof(e->key.bytes));
    tut_buf_add_u64le(out, s->dev);
    tut_buf_add_u64le(out, s->ino);
    tut_buf_add_u64le(out, s->size);
    tut_buf_add_u64le(out, (uint64_t)s->mtime_s);
    tut_buf_add_u64le(out, (uint64_t)s->ctime_s);
    tut_buf_add_u32le(out, s->mtime_ns);
    tut_buf_add_u32le(out, s->ctime_ns);
    tut_buf_add(out, e->digest.bytes, sizeof(e->digest.bytes));
    tut_buf_add_sized(out, tut_str_from(e->reply));
    if (tut_is_ok(tut_buf_check(out, NULL)) &&
        tut_is_ok(tut_sha256_of(tut_span_of(out->data + start, out->len - start), &sum, NULL)))
        tut_buf_add(out, sum.bytes, sizeof(sum.bytes));
}

static tut_status read_digest(tut_reader *r, tut_sha256 *ret_digest)
{
    tut_span bytes;
    TUT_TRY(tut_reader_bytes(r, TUT_SHA256_BYTES, &bytes));
    memcpy(ret_digest->bytes, bytes.data, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

static tut_status read_stamp(tut_reader *r, tut_stamp *s)
{
    uint64_t mtime, ctime;
    TUT_TRY(tut_reader_u64le(r, &s->dev));
    TUT_TRY(tut_reader_u64le(r, &s->ino));
    TUT_TRY(tut_reader_u64le(r, &s->size));
    TUT_TRY(tut_reader_u64le(r, &mtime));
    TUT_TRY(tut_reader_u64le(r, &ctime));
    TUT_TRY(tut_reader_u32le(r, &s->mtime_ns));
    s->mtime_s = (int64_t)mtime;
    s->ctime_s = (int64_t)ctime;
    return tut_reader_u32le(r, &s->ctime_ns);
}

tut_status tut_verdict_entry_decode(tut_span bytes, tut_verdict_entry *ret_entry)
{
    tut_verdict_entry e = {0};
    tut_sha256 sum;
    tut_str reply;
    if (bytes.len < TUT_SHA256_BYTES)
        return (tut_status){TUT_TRUNCATED};
    size_t content = bytes.len - TUT_SHA256_BYTES;
    TUT_TRY(tut_sha256_of(tut_span_of(bytes.data, content), &sum, NULL));
    if (memcmp(sum.bytes, bytes.data + content, TUT_SHA256_BYTES) != 0)
        return (tut_status){TUT_MALFORMED};
    tut_reader r = tut_reader_of(tut_span_of(bytes.data, content));
    TUT_TRY(tut_reader_expect(&r, tut_str_of(magic)));
    TUT_TRY(read_digest(&r, &e.key));
    TUT_TRY(read_stamp(&r, &e.stamp));
    TUT_TRY(read_digest(&r, &e.digest));
    TUT_TRY(tut_reader_sized(&r, &reply));
    if (tut_reader_left(&r) > 0 || reply.len > TUT_VERDICT_REPLY_MAX)
        return (tut_status){TUT_MALFORMED};
    e.reply = tut_span_of(reply.data, reply.len);
    *ret_entry = e;
    return TUT_SUCCESS;
}

/* --- places --- */
void tut_verdict_cache_open(tut_verdict_cache *c, const tut_sha256 *rule)
{
    *c = (tut_verdict_cache){
        .dir = tut_cache_dir("scan"), .rule = *rule, .started = tut_clock_now()};
}

void tut_verdict_cache_done(tut_verdict_cache *c)
{
    tut_free(c->dir);
    *c = (tut_verdict_cache){0};
}

/* The name that the file goes by is in the places that the reply tells, and decides some findings.
 */
static bool key_of(const tut_verdict_cache *c, tut_str rel, uint64_t size, tut_sha256 *ret_key)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add(&text, c->rule.bytes, sizeof(c->rule.bytes));
    tut_buf_add_u64le(&text, size);
    tut_buf_add_sized(&text, rel);
    return tut_is_ok(tut_buf_check(&text, NULL)) &&
           tut_is_ok(tut_sha256_of(tut_buf_span(&text), ret_key, NULL));
}

static char *folder_of(const tut_verdict_cache *c, const tut_sha256 *key)
{
    return tut_asprintf("%s/%02x", c->dir, key->bytes[0]);
}

static char *file_of(const tut_verdict_cache *c, const tut_sha256 *key)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(key, hex);
    return tut_asprintf("%s/%02x/%s", c->dir, key->bytes[0], hex);
}

/* --- finding --- */
static bool is_unchanged(const tut_verdict_entry *e, int fd, const tut_stamp *stamp)
{
    tut_source source;
    tut_sha256 now;
    if (tut_stamp_eq(&e->stamp, stamp))
        return true;
    return e->stamp.size == stamp->size && tut_is_ok(tut_source_file(fd, &source, NULL)) &&
           source.size == stamp->size && tut_is_ok(tut_sha256_source(&source, &now, NULL)) &&
           tut_sha256_eq(&now, &e->digest);
}

bool tut_verdict_cache_find(const tut_verdict_cache *c, tut_str rel, int fd, const tut_stamp *stamp,
                            tut_buf *reply)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_verdict_entry e;
    tut_sha256 key;
    if (!c->dir || stamp->size < TUT_VERDICT_LEAST_BYTES || !key_of(c, rel, stamp->size, &key))
        return false;
    TUT_AUTO_FREE char *file = file_of(c, &key);
    if (!file || !tut_cache_is_private(file) ||
        !tut_is_ok(tut_fs_read(file, ENTRY_MAX, &bytes, NULL)) ||
        !tut_is_ok(tut_verdict_entry_decode(tut_buf_span(&bytes), &e)) ||
        !tut_sha256_eq(&e.key, &key) || !is_unchanged(&e, fd, stamp))
        return false;
    if (!tut_stamp_eq(&e.stamp, stamp))
        tut_verdict_cache_keep(c, rel, stamp, &e.digest, e.reply);
    tut_buf_add(reply, e.reply.data, e.reply.len);
    return tut_is_ok(tut_buf_check(reply, NULL));
}

/* --- keeping --- */

/* The entry of a full folder that was written longest ago makes room. */
static void make_room(const char *folder)
{
    char oldest[NAME_MAX + 1] = "";
    struct timespec when = {0};
    size_t count = 0;
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (const struct dirent *at; (at = readdir(d));) {
        struct stat st;
        if (at->d_name[0] == '.' || fstatat(dirfd(d), at->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool is_older = st.st_mtim.tv_sec < when.tv_sec ||
                        (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec);
        if (count++ == 0 || is_older) {
            tut_str_copy(oldest, sizeof(oldest), tut_str_of(at->d_name));
            when = st.st_mtim;
        }
    }
    if (count >= FOLDER_ENTRIES)
        (void)unlinkat(dirfd(d), oldest, 0);
    (void)closedir(d);
}

/* Without waiting for the disk: what a crash leaves half written fails its checksum. */
void tut_verdict_cache_keep(const tut_verdict_cache *c, tut_str rel, const tut_stamp *stamp,
                            const tut_sha256 *digest, tut_span reply)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_verdict_entry e = {.stamp = *stamp, .digest = *digest, .reply = reply};
    if (!c->dir || stamp->size < TUT_VERDICT_LEAST_BYTES || reply.len > TUT_VERDICT_REPLY_MAX ||
        !tut_stamp_is_settled(stamp, c->started) || !key_of(c, rel, stamp->size, &e.key))
        return;
    tut_verdict_entry_encode(&e, &out);
    TUT_AUTO_FREE char *folder = folder_of(c, &e.key);
    TUT_AUTO_FREE char *file = file_of(c, &e.key);
    if (!folder || !file || !tut_is_ok(tut_buf_check(&out, NULL)) ||
        !tut_is_ok(tut_fs_mkdirs(folder, 0700, NULL)))
        return;
    if (!tut_fs_exists(file))
        make_room(folder);
    TUT_IGNORE(tut_fs_write_unsynced(file, tut_buf_span(&out), 0600, NULL));
}
