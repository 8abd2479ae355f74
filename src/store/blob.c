/*
 * Blobs in and out.
 *
 * A plain file is cloned where the file system shares blocks (FICLONE): the clone is what is hashed
 * then, so what happens to the file meanwhile does not matter. Hard links are not used: whoever
 * writes into a working file in place would write into the store as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

enum {
    NAME = 24,
    ROOM = TUT_CIPHER_CHUNK + TUT_CIPHER_TAG,
    BLOCK = 4096,                 /* what any disk takes as a unit */
    SINK_BYTES = 4 << 20,         /* one write past the cache */
    DIRECT_LEAST_BYTES = 16 << 20 /* below, the cache costs less than waiting */
};

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status about(const tut_sha256 *digest, tut_status status, tut_error *err)
{
    char name[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(digest, name);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

tut_status tut_store_blob_size(const tut_store *s, const char *hex, uint64_t *ret_size,
                               tut_error *err)
{
    struct stat st;
    if (fstatat(s->blobs, hex, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? tut_fail(err, TUT_STORE, "the blob is missing")
                               : tut_fail_errno(err, errno, "the blob cannot be examined");
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_STORE, "the blob is no regular file");
    *ret_size = (uint64_t)st.st_size;
    return TUT_SUCCESS;
}

bool tut_blob_is_there(const tut_store *s, const tut_blob *blob)
{
    char hex[TUT_SHA256_HEX];
    struct stat st;
    tut_sha256_hex(&blob->digest, hex);
    return fstatat(s->blobs, hex, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == blob->size;
}

static tut_status check_open(int fd, const tut_blob *blob, tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "the blob cannot be examined");
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_STORE, "the blob is no regular file");
    if ((uint64_t)st.st_size != blob->size)
        return tut_fail(err, TUT_STORE, "the blob has %lld bytes where %" PRIu64 " are named",
                        (long long)st.st_size, blob->size);
    return TUT_SUCCESS;
}

tut_status tut_blob_open(const tut_store *s, const tut_blob *blob, int *ret_fd, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&blob->digest, hex);
    int fd = openat(s->blobs, hex, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return about(&blob->digest,
                     errno == ENOENT  ? tut_fail(err, TUT_STORE, "the blob is missing")
                     : errno == ELOOP ? tut_fail(err, TUT_STORE, "the blob is a symbolic link")
                                      : tut_fail_errno(err, errno, "the blob cannot be opened"),
                     err);
    tut_status status = check_open(fd, blob, err);
    if (!tut_is_ok(status)) {
        close(fd);
        return about(&blob->digest, status, err);
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

/* --- whole, in memory --- */

static tut_status read_exact(int fd, uint8_t *to, size_t len, tut_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = read(fd, to + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tut_fail_errno(err, errno, "cannot be read");
        if (n == 0)
            return tut_fail(err, TUT_IO, "became shorter while it was being read");
        done += (size_t)n;
    }
    return TUT_SUCCESS;
}

static tut_status write_exact(int fd, const uint8_t *from, size_t len, tut_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, from + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return tut_fail_errno(err, n < 0 ? errno : ENOSPC, "cannot be written");
        done += (size_t)n;
    }
    return TUT_SUCCESS;
}

tut_status tut_blob_read(const tut_store *s, const tut_blob *blob, size_t max_bytes, tut_buf *out,
                         tut_error *err)
{
    int fd;
    tut_sha256 found;
    size_t before = out->len;
    if (blob->size > max_bytes)
        return about(&blob->digest,
                     tut_fail(err, TUT_LIMIT, "the blob is larger than %zu bytes", max_bytes), err);
    TUT_TRY(tut_blob_open(s, blob, &fd, err));
    uint8_t *to = tut_buf_extend(out, (size_t)blob->size);
    tut_status status = to ? read_exact(fd, to, (size_t)blob->size, err) : nomem(err);
    close(fd);
    if (tut_is_ok(status))
        status = tut_sha256_of(tut_span_of(to, (size_t)blob->size), &found, err);
    if (tut_is_ok(status) && !tut_sha256_eq(&found, &blob->digest))
        status = tut_fail(err, TUT_STORE, "the blob's bytes are not those of its digest");
    if (!tut_is_ok(status))
        out->len = before;
    return about(&blob->digest, status, err);
}

/* --- writing --- */

typedef struct draft { /* a blob that has no name yet */
    int fd, tmp;       /* tmp: the directory */
    char name[NAME];
} draft;

static void draft_done(draft *d)
{
    if (d->fd >= 0) {
        close(d->fd);
        (void)unlinkat(d->tmp, d->name, 0);
    }
    if (d->tmp >= 0)
        close(d->tmp);
}

static tut_status draft_open(const tut_store *s, draft *d, tut_error *err)
{
    uint64_t random;
    d->tmp = openat(s->dirfd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->tmp < 0)
        return tut_fail_errno(err, errno, "the directory tmp of the store cannot be opened");
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return tut_fail_errno(err, errno, "no random bytes");
    (void)snprintf(d->name, sizeof(d->name), "%016" PRIx64, random);
    d->fd = openat(d->tmp, d->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return d->fd < 0 ? tut_fail_errno(err, errno, "nothing can be written into the store")
                     : TUT_SUCCESS;
}

/* Read-only, and under its name. One that is there already gives way: its bytes may have rotted,
 * these were hashed a moment ago. Then they wait for the disk first; else tut_store_save does,
 * before anything names them. */
static tut_status draft_keep(const tut_store *s, draft *d, const tut_blob *blob, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&blob->digest, hex);
    bool replaces = faccessat(s->blobs, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (fchmod(d->fd, 0444) != 0 || (replaces && fsync(d->fd) != 0))
        return tut_fail_errno(err, errno, "the disk did not take a blob");
    if (renameat(d->tmp, d->name, s->blobs, hex) != 0)
        return tut_fail_errno(err, errno, "a blob cannot be put in its place");
    close(d->fd);
    d->fd = -1;
    return TUT_SUCCESS;
}

tut_status tut_blob_put(tut_store *s, tut_span bytes, tut_blob *ret_blob, tut_error *err)
{
    TUT_CLEAN(draft) d = {.fd = -1, .tmp = -1};
    tut_blob blob = {.size = bytes.len};
    TUT_TRY(tut_sha256_of(bytes, &blob.digest, err));
    TUT_TRY(draft_open(s, &d, err));
    TUT_TRY(write_exact(d.fd, bytes.data, bytes.len, err));
    TUT_TRY(draft_keep(s, &d, &blob, err));
    *ret_blob = blob;
    return TUT_SUCCESS;
}

/* --- large files past the cache --- */

/* Copying gigabytes through the page cache costs more processor time than hashing half of them, and
 * pushes out what others use. So large files go straight to the disk where the file system can do
 * that, block by block; the rest of the last block does not. */
typedef struct sink {
    int fd;
    bool is_direct;
    uint8_t *block; /* SINK_BYTES, aligned; NULL: not needed */
    size_t len;
} sink;

static void sink_done(sink *k)
{
    free(k->block);
}

static tut_status sink_init(sink *k, int fd, uint64_t size, tut_error *err)
{
    void *block = NULL;
    k->fd = fd;
    if (size < DIRECT_LEAST_BYTES)
        return TUT_SUCCESS;
    if (posix_memalign(&block, BLOCK, SINK_BYTES) != 0)
        return nomem(err);
    k->block = block;
    int flags = fcntl(fd, F_GETFL);
    k->is_direct = flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;
    if (k->is_direct) /* so that blocks lie together; where it fails they lie as they come */
        (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
    return TUT_SUCCESS;
}

static tut_status sink_through_cache(sink *k, tut_error *err)
{
    int flags = fcntl(k->fd, F_GETFL);
    k->is_direct = false;
    return flags >= 0 && fcntl(k->fd, F_SETFL, flags & ~O_DIRECT) == 0
               ? TUT_SUCCESS
               : tut_fail_errno(err, errno, "cannot be written");
}

/* A file system may take the flag and refuse the write. */
static tut_status sink_flush(sink *k, tut_error *err)
{
    if (k->is_direct && k->len == SINK_BYTES) {
        ssize_t n = write(k->fd, k->block, SINK_BYTES);
        if (n < 0 && errno != EINVAL && errno != EINTR)
            return tut_fail_errno(err, errno, "cannot be written");
        size_t done = n > 0 ? (size_t)n : 0;
        if (done == SINK_BYTES) {
            k->len = 0;
            return TUT_SUCCESS;
        }
        memmove(k->block, k->block + done, SINK_BYTES - done);
        k->len = SINK_BYTES - done;
    }
    if (k->is_direct)
        TUT_TRY(sink_through_cache(k, err));
    TUT_TRY(write_exact(k->fd, k->block, k->len, err));
    k->len = 0;
    return TUT_SUCCESS;
}

static tut_status sink_add(sink *k, tut_span bytes, tut_error *err)
{
    if (!k->block)
        return write_exact(k->fd, bytes.data, bytes.len, err);
    while (bytes.len > 0) {
        size_t n = bytes.len < SINK_BYTES - k->len ? bytes.len : SINK_BYTES - k->len;
        memcpy(k->block + k->len, bytes.data, n);
        k->len += n;
        bytes = (tut_span){bytes.data + n, bytes.len - n};
        if (k->len == SINK_BYTES)
            TUT_TRY(sink_flush(k, err));
    }
    return TUT_SUCCESS;
}

static tut_status sink_end(sink *k, tut_error *err)
{
    return k->len > 0 ? sink_flush(k, err) : TUT_SUCCESS;
}

/* --- files, in one pass --- */

typedef struct pump {
    uint8_t *in, *out;
    tut_hasher *plain, *blob; /* blob: NULL where it is the plain one */
    sink to;
    tut_cipher *cipher;
    tut_store_progress progress;
    void *ctx;
} pump;

static void pump_done(pump *p)
{
    tut_free(p->in);
    tut_free(p->out);
    tut_hasher_free(p->plain);
    tut_hasher_free(p->blob);
    tut_cipher_free(p->cipher);
    sink_done(&p->to);
}

static tut_status pump_init(pump *p, bool is_sealed, tut_store_progress progress, void *ctx,
                            tut_error *err)
{
    p->progress = progress;
    p->ctx = ctx;
    p->in = tut_alloc_array(ROOM, 1);
    p->out = is_sealed ? tut_alloc_array(ROOM, 1) : NULL;
    if (!p->in || (is_sealed && !p->out))
        return nomem(err);
    TUT_TRY(tut_hasher_new(&p->plain, err));
    return is_sealed ? tut_hasher_new(&p->blob, err) : TUT_SUCCESS;
}

static tut_status step(const pump *p, size_t len, tut_error *err)
{
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    if (p->progress)
        p->progress(p->ctx, len);
    return TUT_SUCCESS;
}

/* Room for the next so many bytes of a plain file: in the sink itself, where it has one. */
static uint8_t *room_for(pump *p, size_t len, bool writes)
{
    return writes && p->to.block && SINK_BYTES - p->to.len >= len ? p->to.block + p->to.len : p->in;
}

static tut_status put(pump *p, const uint8_t *from, size_t len, tut_error *err)
{
    if (from == p->in)
        return sink_add(&p->to, tut_span_of(from, len), err);
    p->to.len += len;
    return p->to.len == SINK_BYTES ? sink_flush(&p->to, err) : TUT_SUCCESS;
}

static tut_status copy_plain(pump *p, int from, bool writes, uint64_t size, tut_error *err)
{
    for (uint64_t left = size; left > 0;) {
        size_t len = left < TUT_CIPHER_CHUNK ? (size_t)left : TUT_CIPHER_CHUNK;
        uint8_t *room = room_for(p, len, writes);
        TUT_TRY(read_exact(from, room, len, err));
        TUT_TRY(tut_hasher_add(p->plain, tut_span_of(room, len), err));
        if (writes)
            TUT_TRY(put(p, room, len, err));
        TUT_TRY(step(p, len, err));
        left -= len;
    }
    return writes ? sink_end(&p->to, err) : TUT_SUCCESS;
}

tut_status tut_blob_check(const tut_store *s, const tut_blob *blob, tut_error *err)
{
    TUT_CLEAN(pump) p = {0};
    tut_sha256 found;
    int fd;
    TUT_TRY(pump_init(&p, false, NULL, NULL, err));
    TUT_TRY(tut_blob_open(s, blob, &fd, err));
    tut_status status = copy_plain(&p, fd, false, blob->size, err);
    close(fd);
    if (tut_is_ok(status))
        status = tut_hasher_finish(p.plain, &found, err);
    if (tut_is_ok(status) && !tut_sha256_eq(&found, &blob->digest))
        status = tut_fail(err, TUT_STORE, "the blob's bytes are not those of its digest");
    return about(&blob->digest, status, err);
}

static tut_status seal_in(pump *p, const tut_blob_copy *from, tut_error *err)
{
    uint8_t head[TUT_CIPHER_HEAD];
    uint64_t left = from->size;
    TUT_TRY(tut_cipher_seal(from->key, from->asset, from->name, head, &p->cipher, err));
    TUT_TRY(tut_hasher_add(p->blob, tut_span_of(head, sizeof(head)), err));
    TUT_TRY(sink_add(&p->to, tut_span_of(head, sizeof(head)), err));
    do {
        size_t len = left < TUT_CIPHER_CHUNK ? (size_t)left : TUT_CIPHER_CHUNK;
        TUT_TRY(read_exact(from->fd, p->in, len, err));
        left -= len;
        TUT_TRY(tut_hasher_add(p->plain, tut_span_of(p->in, len), err));
        TUT_TRY(tut_cipher_chunk(p->cipher, left == 0, tut_span_of(p->in, len), p->out, err));
        TUT_TRY(tut_hasher_add(p->blob, tut_span_of(p->out, len + TUT_CIPHER_TAG), err));
        TUT_TRY(sink_add(&p->to, tut_span_of(p->out, len + TUT_CIPHER_TAG), err));
        TUT_TRY(step(p, len, err));
    } while (left > 0);
    return sink_end(&p->to, err);
}

tut_status tut_blob_copy_in(tut_store *s, const tut_blob_copy *from, tut_blob *ret_blob,
                            tut_sha256 *ret_plain, tut_error *err)
{
    TUT_CLEAN(draft) d = {.fd = -1, .tmp = -1};
    TUT_CLEAN(pump) p = {0};
    tut_blob blob = {.size = from->size};
    tut_sha256 plain;
    TUT_TRY(pump_init(&p, from->key != NULL, from->progress, from->ctx, err));
    TUT_TRY(draft_open(s, &d, err));
    if (from->key) {
        blob.size = tut_cipher_sealed_bytes(from->size);
        TUT_TRY(sink_init(&p.to, d.fd, blob.size, err));
        TUT_TRY(seal_in(&p, from, err));
    } else if (ioctl(d.fd, FICLONE, from->fd) == 0) {
        TUT_TRY(copy_plain(&p, d.fd, false, from->size, err));
        if (lseek(d.fd, 0, SEEK_END) != (off_t)from->size)
            return tut_fail(err, TUT_IO, "changed while it was being read");
    } else {
        TUT_TRY(sink_init(&p.to, d.fd, from->size, err));
        TUT_TRY(copy_plain(&p, from->fd, true, from->size, err));
    }
    TUT_TRY(tut_hasher_finish(p.plain, &plain, err));
    if (p.blob)
        TUT_TRY(tut_hasher_finish(p.blob, &blob.digest, err));
    else
        blob.digest = plain;
    TUT_TRY(draft_keep(s, &d, &blob, err));
    *ret_blob = blob;
    *ret_plain = plain;
    return TUT_SUCCESS;
}

static tut_status open_out(pump *p, const tut_blob_out *to, int from, uint64_t *ret_size,
                           tut_error *err)
{
    uint8_t head[TUT_CIPHER_HEAD];
    uint64_t left;
    if (!tut_cipher_plain_bytes(to->blob.size, &left))
        return tut_fail(err, TUT_STORE, "has a size that no sealed file has");
    *ret_size = left;
    TUT_TRY(read_exact(from, head, sizeof(head), err));
    TUT_TRY(tut_hasher_add(p->blob, tut_span_of(head, sizeof(head)), err));
    TUT_TRY(tut_cipher_open(to->key, to->asset, to->name, head, &p->cipher, err));
    do {
        size_t len = left < TUT_CIPHER_CHUNK ? (size_t)left : TUT_CIPHER_CHUNK;
        TUT_TRY(read_exact(from, p->in, len + TUT_CIPHER_TAG, err));
        left -= len;
        TUT_TRY(tut_hasher_add(p->blob, tut_span_of(p->in, len + TUT_CIPHER_TAG), err));
        TUT_TRY(tut_cipher_chunk(p->cipher, left == 0, tut_span_of(p->in, len + TUT_CIPHER_TAG),
                                 p->out, err));
        TUT_TRY(tut_hasher_add(p->plain, tut_span_of(p->out, len), err));
        TUT_TRY(sink_add(&p->to, tut_span_of(p->out, len), err));
        TUT_TRY(step(p, len, err));
    } while (left > 0);
    return sink_end(&p->to, err);
}

static tut_status copy_out(const tut_blob_out *to, int from, uint64_t *ret_size,
                           tut_sha256 *ret_plain, tut_error *err)
{
    TUT_CLEAN(pump) p = {0};
    tut_sha256 found;
    *ret_size = to->blob.size;
    TUT_TRY(pump_init(&p, to->key != NULL, to->progress, to->ctx, err));
    if (!to->key && ioctl(to->fd, FICLONE, from) == 0) {
        TUT_TRY(copy_plain(&p, to->fd, false, to->blob.size, err));
    } else {
        TUT_TRY(sink_init(&p.to, to->fd, to->blob.size, err));
        TUT_TRY(to->key ? open_out(&p, to, from, ret_size, err)
                        : copy_plain(&p, from, true, to->blob.size, err));
    }
    TUT_TRY(tut_hasher_finish(p.plain, ret_plain, err));
    found = *ret_plain;
    if (p.blob)
        TUT_TRY(tut_hasher_finish(p.blob, &found, err));
    return tut_sha256_eq(&found, &to->blob.digest)
               ? TUT_SUCCESS
               : tut_fail(err, TUT_STORE, "the blob's bytes are not those of its digest");
}

tut_status tut_blob_copy_out(const tut_store *s, const tut_blob_out *to, uint64_t *ret_size,
                             tut_sha256 *ret_plain, tut_error *err)
{
    int from;
    TUT_TRY(tut_blob_open(s, &to->blob, &from, err));
    tut_status status = copy_out(to, from, ret_size, ret_plain, err);
    close(from);
    return about(&to->blob.digest, status, err);
}
