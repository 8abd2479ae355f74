/* Reading whole files, asking about paths, joining them, making directories. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs_internal.h"

enum { READ_CHUNK = 64 << 10 };

void tut_fs_close(int fd)
{
    int saved = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
}

static tut_status open_regular(const char *path, int *ret_fd, tut_error *err)
{
    struct stat st;
    /* A device may act on being opened, so look before; O_NONBLOCK covers the change in between. */
    if (stat(path, &st) != 0)
        return tut_fail_errno(err, errno, "cannot read %s", path);
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_UNSUPPORTED, "%s is %s, not a file", path,
                        S_ISDIR(st.st_mode) ? "a directory" : "a device, socket or pipe");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot read %s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        tut_fs_close(fd);
        return tut_fail(err, TUT_IO, "%s changed while it was opened", path);
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

static tut_status read_all(int fd, const char *path, size_t max_bytes, tut_buf *out, tut_error *err)
{
    size_t total = 0;
    for (;;) {
        uint8_t chunk[READ_CHUNK];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tut_fail_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return tut_buf_check(out, err);
        if ((size_t)got > max_bytes - total)
            return tut_fail(err, TUT_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
        total += (size_t)got;
        tut_buf_add(out, chunk, (size_t)got);
        TUT_TRY(tut_buf_check(out, err));
    }
}

tut_status tut_fs_read(const char *path, size_t max_bytes, tut_buf *out, tut_error *err)
{
    if (strcmp(path, "-") == 0)
        return tut_fail(err, TUT_USAGE, "standard input is not a file here; name one");
    int fd = -1;
    tut_status status = open_regular(path, &fd, err);
    if (tut_is_ok(status)) {
        size_t before = out->len;
        status = read_all(fd, path, max_bytes, out, err);
        tut_fs_close(fd);
        if (!tut_is_ok(status))
            out->len = before;
    }
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_status tut_fs_read_beneath(const char *dir, const char *rel, size_t max_bytes, tut_buf *out,
                               tut_error *err)
{
    int fd = -1;
    size_t before = out->len;
    int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return tut_fail_errno(err, errno, "cannot read %s", dir);
    tut_status status = tut_fs_open_beneath(dirfd, rel, &fd, err);
    if (tut_is_ok(status))
        status = read_all(fd, rel, max_bytes, out, err);
    tut_fs_close(fd);
    tut_fs_close(dirfd);
    if (!tut_is_ok(status)) {
        out->len = before;
        tut_error_set_path(err, rel);
    }
    return status;
}

bool tut_fs_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool tut_fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *tut_fs_join(const char *dir, const char *name)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (len == 0 || (len == 1 && dir[0] == '.'))
        return tut_strdup(name);
    const char *slash = dir[len - 1] == '/' ? "" : "/";
    if (len > INT_MAX)
        return NULL;
    return tut_asprintf("%.*s%s%s", (int)len, dir, slash, name);
}

static tut_status make_one(const char *path, mode_t mode, tut_error *err)
{
    if (mkdir(path, mode) == 0)
        return TUT_SUCCESS;
    int saved = errno;
    /* On a read-only or foreign parent mkdir may answer EROFS or EACCES for what is there. */
    if (tut_fs_is_dir(path))
        return TUT_SUCCESS;
    if (saved == EEXIST)
        saved = ENOTDIR;
    return tut_fail_errno(err, saved, "cannot make the directory %s", path);
}

tut_status tut_fs_mkdirs(const char *path, mode_t mode, tut_error *err)
{
    if (path[0] == '\0')
        return tut_fail(err, TUT_USAGE, "an empty path names no directory");
    TUT_AUTO_FREE char *work = tut_strdup(path);
    if (!work)
        return tut_fail(err, TUT_NOMEM, "no memory for a path");
    for (char *p = work + 1; *p; p++) {
        if (*p != '/' || p[-1] == '/')
            continue;
        *p = '\0';
        TUT_TRY(make_one(work, mode, err));
        *p = '/';
    }
    return make_one(work, mode, err);
}
