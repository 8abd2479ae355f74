#include "ledger/log_anchor.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs_internal.h"
#include "base/reader.h"
#include "ledger/log_io.h"

#define ANCHOR_MAGIC "TUTANCH1"
enum { SLOTS = 2, SLOT_BYTES = 128, COVERED_BYTES = 8 + 8 + 8 + 32 + 32 };

static bool read_slot(tut_reader r, tut_anchor *ret)
{
    tut_span covered, digest, root, origin;
    tut_sha256 found;
    if (!tut_is_ok(tut_reader_bytes(&r, COVERED_BYTES, &covered)) ||
        !tut_is_ok(tut_reader_bytes(&r, TUT_SHA256_BYTES, &digest)) ||
        !tut_is_ok(tut_sha256_of(covered, &found, NULL)) ||
        memcmp(found.bytes, digest.data, TUT_SHA256_BYTES) != 0)
        return false;
    r = tut_reader_of(covered);
    if (!tut_is_ok(tut_reader_expect(&r, TUT_LIT(ANCHOR_MAGIC))) ||
        !tut_is_ok(tut_reader_u64le(&r, &ret->turn)) ||
        !tut_is_ok(tut_reader_u64le(&r, &ret->size)) ||
        !tut_is_ok(tut_reader_bytes(&r, TUT_SHA256_BYTES, &root)) ||
        !tut_is_ok(tut_reader_bytes(&r, TUT_SHA256_BYTES, &origin)))
        return false;
    memcpy(ret->root.bytes, root.data, TUT_SHA256_BYTES);
    memcpy(ret->origin.bytes, origin.data, TUT_SHA256_BYTES);
    return true;
}

/* The sound slot with the latest turn. */
static tut_status read_slots(tut_span bytes, const tut_sha256 *origin, tut_anchor *a,
                             tut_error *err)
{
    static const uint8_t zeros[SLOT_BYTES];
    tut_reader r = tut_reader_of(bytes);
    for (unsigned i = 0; i < SLOTS; i++) {
        tut_reader slot;
        tut_anchor found = {0};
        if (!tut_is_ok(tut_reader_take(&r, SLOT_BYTES, &slot))) {
            a->bad_slots++;
            continue;
        }
        bool is_blank = memcmp(slot.data, zeros, SLOT_BYTES) == 0;
        if (!read_slot(slot, &found)) {
            a->bad_slots += !is_blank;
            continue;
        }
        if (a->exists && found.turn <= a->turn)
            continue;
        a->exists = true;
        a->turn = found.turn;
        a->size = found.size;
        a->root = found.root;
        a->origin = found.origin;
    }
    if (!a->exists)
        return tut_fail(err, TUT_STORE,
                        "the anchor holds no sound record; compare the log with a mirror, then "
                        "remove the anchor");
    if (!tut_sha256_eq(&a->origin, origin))
        return tut_fail(err, TUT_STORE, "the anchor is that of another log");
    return TUT_SUCCESS;
}

tut_status tut_anchor_open(const char *path, const char *origin, bool for_writing, tut_anchor *ret,
                           tut_error *err)
{
    tut_anchor a = TUT_ANCHOR_NONE;
    tut_sha256 id;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    bool exists = false;
    TUT_TRY(tut_sha256_of(tut_span_of(origin, strlen(origin)), &id, err));
    TUT_TRY(tut_log_io_read(AT_FDCWD, path, (size_t)SLOTS * SLOT_BYTES, &bytes, &exists, err));
    if (exists) {
        tut_status status = read_slots(tut_buf_span(&bytes), &id, &a, err);
        if (!tut_is_ok(status)) {
            tut_error_set_path(err, path);
            return status;
        }
        if (for_writing)
            a.fd = tut_log_io_open(AT_FDCWD, path, O_RDWR | O_NOFOLLOW, 0);
        if (for_writing && a.fd < 0)
            return tut_fail_errno(err, errno, "cannot open the anchor %s", path);
    }
    a.origin = id;
    *ret = a;
    return TUT_SUCCESS;
}

void tut_anchor_done(tut_anchor *a)
{
    tut_fs_close(a->fd);
    a->fd = -1;
}

static tut_status write_slot(const tut_anchor *a, tut_buf *out, tut_error *err)
{
    tut_sha256 digest;
    tut_buf_add_z(out, ANCHOR_MAGIC);
    tut_buf_add_u64le(out, a->turn);
    tut_buf_add_u64le(out, a->size);
    tut_buf_add(out, a->root.bytes, TUT_SHA256_BYTES);
    tut_buf_add(out, a->origin.bytes, TUT_SHA256_BYTES);
    TUT_TRY(tut_buf_check(out, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(out), &digest, err));
    tut_buf_add(out, digest.bytes, TUT_SHA256_BYTES);
    uint8_t *rest = tut_buf_extend(out, SLOT_BYTES - out->len);
    if (rest)
        memset(rest, 0, SLOT_BYTES - COVERED_BYTES - TUT_SHA256_BYTES);
    return tut_buf_check(out, err);
}

/* The first slot sits in a file that is put in place whole; the second one is blank. */
static tut_status create(tut_anchor *a, const char *path, const tut_buf *slot, tut_error *err)
{
    static const uint8_t zeros[SLOT_BYTES];
    int dirfd = -1;
    const char *name = NULL;
    tut_span first = tut_buf_span(slot), blank = tut_span_of(zeros, SLOT_BYTES);
    TUT_TRY(tut_fs_open_parent(path, &dirfd, &name, err));
    TUT_AUTO_FREE char *temp = tut_asprintf(".%s.tmp", name);
    if (!temp) {
        tut_fs_close(dirfd);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    tut_span parts[SLOTS] = {a->turn % SLOTS ? blank : first, a->turn % SLOTS ? first : blank};
    tut_status status = tut_log_io_replace(dirfd, temp, name, parts, SLOTS, 0600, true, err);
    if (tut_is_ok(status)) {
        a->fd = tut_log_io_open(dirfd, name, O_RDWR | O_NOFOLLOW, 0);
        if (a->fd < 0)
            status = tut_fail_errno(err, errno, "cannot open the anchor %s", path);
    }
    tut_fs_close(dirfd);
    return status;
}

tut_status tut_anchor_set(tut_anchor *a, const char *path, uint64_t size, const tut_sha256 *root,
                          tut_error *err)
{
    tut_anchor next = *a;
    TUT_CLEAN(tut_buf) slot = TUT_BUF_INIT;
    next.turn++;
    next.size = size;
    next.root = *root;
    next.exists = true;
    TUT_TRY(write_slot(&next, &slot, err));
    if (next.fd < 0)
        TUT_TRY(create(&next, path, &slot, err));
    else if (!tut_log_io_pwrite(next.fd, tut_buf_span(&slot),
                                (off_t)(next.turn % SLOTS) * SLOT_BYTES))
        return tut_fail_errno(err, errno, "cannot write the anchor %s", path);
    *a = next;
    return TUT_SUCCESS;
}

tut_status tut_anchor_sync(const tut_anchor *a, tut_error *err)
{
    if (a->fd >= 0 && !tut_log_io_fdatasync(a->fd))
        return tut_fail_errno(err, errno, "cannot write the anchor of the log");
    return TUT_SUCCESS;
}
