/*
 * Writing that leaves either the old state or the new one, never a mixture: a temporary file in the
 * same directory, fsync, rename over the old name, fsync of the directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_internal.h"

enum { TEMP_NAME = 40, TEMP_TRIES = 16 };

static struct {
    tut_fs_step step;
    unsigned countdown;
    int errno_value;
} fault;

void tut_fs_fault(tut_fs_step step, unsigned n, int errno_value)
{
    fault.step = step;
    fault.countdown = n;
    fault.errno_value = errno_value;
}

/* 0, or the errno (or TUT_FS_FAULT_SHORT) that this step is to suffer. */
static int fault_at(tut_fs_step step)
{
    if (fault.countdown == 0 || fault.step != step || --fault.countdown > 0)
        return 0;
    return fault.errno_value;
}

static bool is_faulted(tut_fs_step step)
{
    int code = fault_at(step);
    if (code > 0)
        errno = code;
    return code > 0;
}

static ssize_t write_some(int fd, const uint8_t *data, size_t len)
{
    int code = fault_at(TUT_FS_STEP_WRITE);
    if (code == TUT_FS_FAULT_SHORT)
        return write(fd, data, len < 1 ? len : 1);
    if (code > 0) {
        errno = code;
        return -1;
    }
    return write(fd, data, len);
}

/* True when all is written; else errno says why not. */
static bool write_all(int fd, tut_span bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = write_some(fd, bytes.data + done, bytes.len - done);
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

static bool sync_file(int fd)
{
    int rc;
    do {
        rc = is_faulted(TUT_FS_STEP_FSYNC) ? -1 : fsync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc == 0;
}

/* Some file systems cannot sync a directory; then there is nothing more to be had. */
static bool sync_dir(int dirfd)
{
    return sync_file(dirfd) || errno == EINVAL || errno == EROFS;
}

tut_status tut_fs_open_parent(const char *path, int *ret_dirfd, const char **ret_name,
                              tut_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return tut_fail(err, TUT_USAGE, "\"%s\" does not name a file", path);
    TUT_AUTO_FREE char *dir = NULL;
    if (slash)
        dir = slash == path ? tut_strdup("/") : tut_strndup(path, (size_t)(slash - path));
    else
        dir = tut_strdup(".");
    if (!dir)
        return tut_fail(err, TUT_NOMEM, "no memory for a path");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot open the directory %s", dir);
    *ret_dirfd = fd;
    *ret_name = name;
    return TUT_SUCCESS;
}

static void temp_name(char out[TEMP_NAME])
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (uint64_t)getpid() << 32 | (uint64_t)(uintptr_t)out; /* O_EXCL does the rest */
    (void)snprintf(out, TEMP_NAME, ".tutela-%016" PRIx64 ".tmp", random);
}

static int create_temp(int dirfd, mode_t mode, char out[TEMP_NAME])
{
    for (int i = 0; i < TEMP_TRIES; i++) {
        temp_name(out);
        if (is_faulted(TUT_FS_STEP_OPEN))
            return -1;
        int fd = openat(dirfd, out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0 || (errno != EEXIST && errno != EINTR))
            return fd;
    }
    return -1;
}

static bool rename_over(int dirfd, const char *from, const char *to)
{
    return !is_faulted(TUT_FS_STEP_RENAME) && renameat(dirfd, from, dirfd, to) == 0;
}

/* Moves the finished temporary name into place, or takes it away again. */
static tut_status put_in_place(int dirfd, const char *temp, const char *name, const char *path,
                               bool is_synced, tut_error *err)
{
    if (!rename_over(dirfd, temp, name)) {
        int saved = errno;
        (void)unlinkat(dirfd, temp, 0);
        return tut_fail_errno(err, saved, "cannot write %s", path);
    }
    if (is_synced && !sync_dir(dirfd))
        return tut_fail_errno(err, errno, "%s was replaced, but the disk did not confirm it", path);
    return TUT_SUCCESS;
}

struct tut_fs_out {
    int fd;
    const char *path;
};

tut_status tut_fs_out_add(tut_fs_out *out, tut_span bytes, tut_error *err)
{
    return write_all(out->fd, bytes) ? TUT_SUCCESS
                                     : tut_fail_errno(err, errno, "cannot write %s", out->path);
}

static tut_status fill_and_close(int fd, const char *path, tut_fs_compose compose, void *ctx,
                                 bool is_synced, tut_error *err)
{
    tut_fs_out out = {.fd = fd, .path = path};
    tut_status status = compose(ctx, &out, err);
    if (tut_is_ok(status) && is_synced && !sync_file(fd))
        status = tut_fail_errno(err, errno, "cannot write %s", path);
    /* Network file systems report a full disk only here. */
    if (close(fd) != 0 && errno != EINTR && tut_is_ok(status))
        status = tut_fail_errno(err, errno, "cannot write %s", path);
    return status;
}

/* A terminal, a pipe, /dev/null or /dev/stdout: bytes go into it, nothing takes its place. */
static bool is_a_sink(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, 0) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

static tut_status pour(int dirfd, const char *name, const char *path, tut_fs_compose compose,
                       void *ctx, tut_error *err)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? tut_fail_errno(err, errno, "cannot write %s", path)
                  : fill_and_close(fd, path, compose, ctx, false, err);
}

static tut_status replace(int dirfd, const char *name, const char *path, tut_fs_compose compose,
                          void *ctx, mode_t mode, bool is_synced, tut_error *err)
{
    char temp[TEMP_NAME];
    int fd = create_temp(dirfd, mode, temp);
    tut_status status = fd < 0 ? tut_fail_errno(err, errno, "cannot write %s", path)
                               : fill_and_close(fd, path, compose, ctx, is_synced, err);
    if (fd >= 0 && tut_is_ok(status))
        status = put_in_place(dirfd, temp, name, path, is_synced, err);
    else if (fd >= 0)
        (void)unlinkat(dirfd, temp, 0);
    return status;
}

static tut_status write_whole(const char *path, tut_fs_compose compose, void *ctx, mode_t mode,
                              bool is_synced, tut_error *err)
{
    int dirfd = -1;
    const char *name = NULL;
    TUT_TRY(tut_fs_open_parent(path, &dirfd, &name, err));
    tut_status status = is_a_sink(dirfd, name)
                            ? pour(dirfd, name, path, compose, ctx, err)
                            : replace(dirfd, name, path, compose, ctx, mode, is_synced, err);
    tut_fs_close(dirfd);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

static tut_status add_span(void *ctx, tut_fs_out *out, tut_error *err)
{
    return tut_fs_out_add(out, *(const tut_span *)ctx, err);
}

tut_status tut_fs_write(const char *path, tut_span bytes, mode_t mode, tut_error *err)
{
    return write_whole(path, add_span, &bytes, mode, true, err);
}

tut_status tut_fs_write_parts(const char *path, mode_t mode, tut_fs_compose compose, void *ctx,
                              tut_error *err)
{
    return write_whole(path, compose, ctx, mode, true, err);
}

tut_status tut_fs_write_unsynced(const char *path, tut_span bytes, mode_t mode, tut_error *err)
{
    return write_whole(path, add_span, &bytes, mode, false, err);
}

tut_status tut_fs_sync_all(const char *dir, tut_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot open the directory %s", dir);
    int rc = is_faulted(TUT_FS_STEP_FSYNC) ? -1 : syncfs(fd);
    int saved = errno;
    tut_fs_close(fd);
    return rc == 0 ? TUT_SUCCESS : tut_fail_errno(err, saved, "cannot write what lies in %s", dir);
}

/* The record goes in whole, or the file is cut back to where it ended. */
static tut_status append_locked(int fd, const char *path, tut_span bytes, tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "cannot append to %s", path);
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_UNSUPPORTED, "%s is not a regular file", path);
    if (write_all(fd, bytes) && sync_file(fd))
        return TUT_SUCCESS;
    int saved = errno;
    if (ftruncate(fd, st.st_size) != 0)
        return tut_fail_errno(err, saved, "cannot append to %s, and a part of it stays", path);
    return tut_fail_errno(err, saved, "cannot append to %s", path);
}

static int lock_file(int fd)
{
    int rc;
    do {
        rc = flock(fd, LOCK_EX);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

tut_status tut_fs_append(const char *path, tut_span bytes, tut_error *err)
{
    int dirfd = -1;
    const char *name = NULL;
    TUT_TRY(tut_fs_open_parent(path, &dirfd, &name, err));
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    bool is_new = false;
    int fd = openat(dirfd, name, flags);
    if (fd < 0 && errno == ENOENT) {
        is_new = true;
        fd = openat(dirfd, name, flags | O_CREAT, 0600);
    }
    tut_status status;
    if (fd < 0 || lock_file(fd) != 0)
        status = tut_fail_errno(err, errno, "cannot append to %s", path);
    else
        status = append_locked(fd, path, bytes, err);
    if (tut_is_ok(status) && is_new && !sync_dir(dirfd))
        status = tut_fail_errno(err, errno, "the disk did not confirm %s", path);
    tut_fs_close(fd); /* lets the lock go */
    tut_fs_close(dirfd);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_status tut_fs_relink(const char *target, const char *link, tut_error *err)
{
    int dirfd = -1;
    const char *name = NULL;
    TUT_TRY(tut_fs_open_parent(link, &dirfd, &name, err));
    char temp[TEMP_NAME];
    temp_name(temp);
    tut_status status;
    if (symlinkat(target, dirfd, temp) != 0)
        status = tut_fail_errno(err, errno, "cannot make the link %s", link);
    else
        status = put_in_place(dirfd, temp, name, link, true, err);
    tut_fs_close(dirfd);
    if (!tut_is_ok(status))
        tut_error_set_path(err, link);
    return status;
}

tut_status tut_fs_write_to(int fd, tut_span bytes, tut_error *err)
{
    return write_all(fd, bytes) ? TUT_SUCCESS
                                : tut_fail_errno(err, errno, "bytes could not be kept on disk");
}

static int open_nameless_in(const char *dir)
{
    char name[PATH_MAX];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    if (snprintf(name, sizeof(name), "%s/tutela-XXXXXX", dir) >= (int)sizeof(name))
        return -1;
    fd = mkostemp(name, O_CLOEXEC); /* not every file system can do without a name */
    if (fd >= 0)
        (void)unlink(name);
    return fd;
}

tut_status tut_fs_open_nameless(int *ret_fd, tut_error *err)
{
    const char *own = getenv("TMPDIR");
    const char *const dirs[] = {own && own[0] == '/' ? own : NULL, "/var/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        *ret_fd = dirs[i] ? open_nameless_in(dirs[i]) : -1;
        if (*ret_fd >= 0)
            return TUT_SUCCESS;
        if (dirs[i] && dirs[i] == own)
            break; /* whoever names a place means it */
    }
    return tut_fail_errno(err, errno, "no temporary file can be made; set TMPDIR to a folder");
}
