#include "ledger/log_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs_internal.h"

enum { GROWTH_BYTES = 64 << 10 };

static struct {
    bool is_set, has_crashed;
    tut_log_fault kind;
    uint64_t at, calls;
    int errno_value;
} fault;

void tut_log_io_fault(tut_log_fault kind, uint64_t n, int errno_value)
{
    fault.is_set = n != 0;
    fault.has_crashed = false;
    fault.kind = kind;
    fault.at = n;
    fault.calls = 0;
    fault.errno_value = errno_value;
}

uint64_t tut_log_io_calls(void)
{
    return fault.calls;
}

static tut_log_fault fault_now(void)
{
    if (!fault.is_set)
        return TUT_LOG_FAULT_NONE;
    errno = fault.errno_value;
    if (fault.has_crashed)
        return TUT_LOG_FAULT_FAIL;
    if (++fault.calls != fault.at)
        return TUT_LOG_FAULT_NONE;
    fault.has_crashed = fault.kind == TUT_LOG_FAULT_CRASH;
    return fault.kind;
}

static bool fails_now(void)
{
    return fault_now() != TUT_LOG_FAULT_NONE;
}

int tut_log_io_open(int dirfd, const char *path, int flags, mode_t mode)
{
    if (fails_now())
        return -1;
    int fd;
    do {
        fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* at < 0: where the file stands. */
static bool write_all(int fd, tut_span bytes, off_t at)
{
    size_t done = 0;
    while (done < bytes.len) {
        const uint8_t *data = bytes.data + done;
        size_t left = bytes.len - done;
        ssize_t n = at < 0 ? write(fd, data, left) : pwrite(fd, data, left, at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool write_or_fault(int fd, tut_span bytes, off_t at)
{
    tut_log_fault f = fault_now();
    if (f == TUT_LOG_FAULT_NONE)
        return write_all(fd, bytes, at);
    if (f != TUT_LOG_FAULT_FAIL && !write_all(fd, tut_span_of(bytes.data, bytes.len / 2), at))
        return false;
    errno = fault.errno_value;
    return false;
}

bool tut_log_io_write(int fd, tut_span bytes)
{
    return write_or_fault(fd, bytes, -1);
}

bool tut_log_io_pwrite(int fd, tut_span bytes, off_t at)
{
    return write_or_fault(fd, bytes, at);
}

/* Some file systems cannot sync a directory, or are read-only: there is nothing more to be had. */
static bool is_synced(int rc)
{
    return rc == 0 || errno == EINVAL || errno == EROFS;
}

bool tut_log_io_fsync(int fd)
{
    if (fails_now())
        return false;
    int rc;
    do {
        rc = fsync(fd);
    } while (rc != 0 && errno == EINTR);
    return is_synced(rc);
}

bool tut_log_io_fdatasync(int fd)
{
    if (fails_now())
        return false;
    int rc;
    do {
        rc = fdatasync(fd);
    } while (rc != 0 && errno == EINTR);
    return is_synced(rc);
}

bool tut_log_io_syncfs(int fd)
{
    return !fails_now() && syncfs(fd) == 0;
}

bool tut_log_io_rename(int dirfd, const char *from, const char *to)
{
    return !fails_now() && renameat(dirfd, from, dirfd, to) == 0;
}

bool tut_log_io_unlink(int dirfd, const char *path, int flags)
{
    return !fails_now() && unlinkat(dirfd, path, flags) == 0;
}

bool tut_log_io_mkdir(int dirfd, const char *path, mode_t mode)
{
    return !fails_now() && mkdirat(dirfd, path, mode) == 0;
}

static bool make_parents(int dirfd, const char *path)
{
    TUT_AUTO_FREE char *part = tut_strdup(path);
    errno = ENOMEM;
    if (!part)
        return false;
    for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!tut_log_io_mkdir(dirfd, part, 0755) && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

static bool write_temp(int dirfd, const char *temp, const tut_span *parts, size_t count,
                       mode_t mode, bool is_synced)
{
    int fd = tut_log_io_open(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    if (fd < 0)
        return false;
    bool is_good = true;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = parts[i].len == 0 || tut_log_io_write(fd, parts[i]);
    is_good = is_good && (!is_synced || tut_log_io_fsync(fd));
    int saved = errno;
    /* Network file systems report a full disk only here. */
    if (close(fd) != 0 && errno != EINTR && is_good)
        return false;
    errno = saved;
    return is_good;
}

static bool put_in_place(int dirfd, const char *temp, const char *path, bool is_synced)
{
    if (!tut_log_io_rename(dirfd, temp, path)) {
        if (errno != ENOENT || !make_parents(dirfd, path) || !tut_log_io_rename(dirfd, temp, path))
            return false;
    }
    return !is_synced || tut_log_io_fsync(dirfd);
}

tut_status tut_log_io_replace(int dirfd, const char *temp, const char *path, const tut_span *parts,
                              size_t count, mode_t mode, bool is_synced, tut_error *err)
{
    if (write_temp(dirfd, temp, parts, count, mode, is_synced) &&
        put_in_place(dirfd, temp, path, is_synced))
        return TUT_SUCCESS;
    int saved = errno;
    (void)tut_log_io_unlink(dirfd, temp, 0);
    tut_error_set_path(err, path);
    return tut_fail_errno(err, saved, "cannot write %s of the log", path);
}

static tut_status read_all(int fd, size_t max, tut_buf *out, tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "cannot be read");
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_STORE, "is not a regular file");
    size_t want = (uint64_t)st.st_size < max ? (size_t)st.st_size : max;
    size_t start = out->len;
    for (;;) {
        /* One byte more than expected shows the end, or that the file is growing. */
        size_t room = want - (out->len - start) + 1;
        uint8_t *to = tut_buf_extend(out, room);
        if (!to)
            return tut_buf_check(out, err);
        ssize_t n;
        do {
            n = read(fd, to, room);
        } while (n < 0 && errno == EINTR);
        out->len -= room - (n > 0 ? (size_t)n : 0);
        if (n < 0)
            return tut_fail_errno(err, errno, "cannot be read");
        if (out->len - start > max)
            return tut_fail(err, TUT_LIMIT, "is larger than %zu bytes", max);
        if (n == 0)
            return TUT_SUCCESS;
        if (out->len - start > want)
            want = max < want + GROWTH_BYTES ? max : want + GROWTH_BYTES;
    }
}

tut_status tut_log_io_read(int dirfd, const char *path, size_t max, tut_buf *out, bool *ret_exists,
                           tut_error *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        *ret_exists = false;
        return TUT_SUCCESS;
    }
    tut_status status = fd < 0 ? tut_fail_errno(err, errno, "cannot be read")
                               : read_all(fd, max, out, err);
    tut_fs_close(fd);
    if (tut_is_ok(status))
        *ret_exists = true;
    else
        tut_error_set_path(err, path);
    return status;
}
