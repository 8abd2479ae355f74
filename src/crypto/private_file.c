#include "crypto/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "crypto/openssl.h"

enum { OTHERS = 077, TEMP_MAX = 64 };

/* Names the file in a failure. */
static tut_status about(const char *path, tut_status status, tut_error *err)
{
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

static tut_status check_owner(const struct stat *st, const char *what, const char *mode,
                              tut_error *err)
{
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return tut_fail(err, TUT_DENIED, "%s belongs to user %u, who could replace it", what,
                        (unsigned)st->st_uid);
    if (st->st_mode & OTHERS)
        return tut_fail(err, TUT_DENIED,
                        "%s is open to others (mode %04o); close it: chmod %s, and use a new key "
                        "if somebody may have read it",
                        what, (unsigned)(st->st_mode & 07777), mode);
    return TUT_SUCCESS;
}

/* Reads all of it into memory made once, so that no copy is left behind by growth. */
static tut_status read_all(int fd, size_t size, tut_buf *out, tut_error *err)
{
    uint8_t *to = tut_buf_extend(out, size);
    if (!to)
        return tut_buf_check(out, err);
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, to + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tut_fail_errno(err, errno, "cannot be read");
        if (n == 0)
            return tut_fail(err, TUT_TRUNCATED, "got shorter while it was read");
        done += (size_t)n;
    }
    return TUT_SUCCESS;
}

static tut_status read_checked(int fd, const char *what, size_t max_bytes, tut_buf *out,
                               tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "cannot be read");
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_UNSUPPORTED, "is not a regular file");
    TUT_TRY(check_owner(&st, what, "600", err));
    if (st.st_size < 0 || (uint64_t)st.st_size > max_bytes)
        return tut_fail(err, TUT_LIMIT, "is larger than %zu bytes", max_bytes);
    size_t before = out->len;
    tut_status status = read_all(fd, (size_t)st.st_size, out, err);
    if (!tut_is_ok(status) && out->len > before) {
        tut_wipe(out->data + before, out->len - before);
        out->len = before;
    }
    return status;
}

tut_status tut_private_file_read(const char *path, const char *what, size_t max_bytes, tut_buf *out,
                                 tut_error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return about(path, tut_fail_errno(err, errno, "cannot be opened"), err);
    tut_status status = read_checked(fd, what, max_bytes, out, err);
    tut_fs_close(fd);
    return about(path, status, err);
}

/* A rename that refuses to replace; by a second link where the file system lacks it. */
static bool rename_new(int dirfd, const char *from, const char *to)
{
    if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return linkat(dirfd, from, dirfd, to, 0) == 0 && unlinkat(dirfd, from, 0) == 0;
}

static tut_status place(const char *temp, const char *path, tut_error *err)
{
    int dirfd;
    const char *name;
    const char *slash = strrchr(temp, '/');
    TUT_TRY(tut_fs_open_parent(path, &dirfd, &name, err));
    tut_status status = TUT_SUCCESS;
    if (!rename_new(dirfd, slash ? slash + 1 : temp, name))
        status = errno == EEXIST
                     ? tut_fail(err, TUT_STORE, "is there already and is not written over")
                     : tut_fail_errno(err, errno, "cannot be written");
    else if (fsync(dirfd) != 0 && errno != EINVAL && errno != EROFS)
        status = tut_fail_errno(err, errno, "is written, but the disk did not confirm it");
    tut_fs_close(dirfd);
    return status;
}

static tut_status create(const char *path, tut_span bytes, tut_error *err)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        return tut_fail(err, TUT_STORE, "is there already and is not written over");
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return tut_fail_errno(err, errno, "no random bytes");
    TUT_AUTO_FREE char *temp = tut_asprintf("%s.%016llx.tmp", path, (unsigned long long)random);
    if (!temp)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_write(temp, bytes, 0600, err));
    tut_status status = place(temp, path, err);
    if (!tut_is_ok(status))
        (void)unlink(temp);
    return status;
}

tut_status tut_private_file_create(const char *path, tut_span bytes, tut_error *err)
{
    return about(path, create(path, bytes, err), err);
}

tut_status tut_private_dir(const char *path, bool make, tut_error *err)
{
    struct stat st;
    if (make)
        TUT_TRY(tut_fs_mkdirs(path, 0700, err));
    if (stat(path, &st) != 0)
        return about(path, tut_fail_errno(err, errno, "cannot be read"), err);
    if (!S_ISDIR(st.st_mode))
        return about(path, tut_fail(err, TUT_UNSUPPORTED, "is not a directory"), err);
    return about(path, check_owner(&st, "the directory of keys", "700", err), err);
}
