#include "watch/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 64 << 10 };

static void remember(tut_follow *f)
{
    struct stat st;
    if (fstat(f->fd, &st) == 0) {
        f->device = (uint64_t)st.st_dev;
        f->inode = (uint64_t)st.st_ino;
    }
}

tut_status tut_follow_open(const char *path, size_t line_max, tut_follow *ret, tut_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s", path);
    *ret = (tut_follow){.path = path, .fd = fd, .line_max = line_max, .has_new = true};
    remember(ret);
    return TUT_SUCCESS;
}

void tut_follow_fd(int fd, size_t line_max, tut_follow *ret)
{
    *ret = (tut_follow){.fd = fd, .line_max = line_max, .has_new = true};
}

void tut_follow_done(tut_follow *f)
{
    if (f->path && f->fd >= 0)
        (void)close(f->fd);
    tut_buf_done(&f->rest);
    f->fd = -1;
    f->path = NULL;
}

void tut_follow_resume(tut_follow *f, uint64_t device, uint64_t inode, uint64_t position)
{
    struct stat st;
    if (device != f->device || inode != f->inode || fstat(f->fd, &st) != 0 ||
        (uint64_t)st.st_size < position)
        return;
    f->position = position;
    f->has_new = position == 0;
    (void)lseek(f->fd, (off_t)position, SEEK_SET);
}

static bool next_in_rest(tut_follow *f, tut_str *ret_line)
{
    while (f->start < f->rest.len) {
        const char *data = (const char *)f->rest.data + f->start;
        const char *end = memchr(data, '\n', f->rest.len - f->start);
        if (!end)
            return false;
        size_t len = (size_t)(end - data);
        f->start += len + 1;
        f->position += len + 1;
        if (f->skips) {
            f->skips = false;
            continue;
        }
        *ret_line = (tut_str){data, len};
        return true;
    }
    return false;
}

/* Room for more: what was handed out leaves, and what cannot become a line any more. */
static void tidy(tut_follow *f)
{
    size_t left = f->rest.len - f->start;
    if (f->start > 0)
        memmove(f->rest.data, f->rest.data + f->start, left);
    f->rest.len = left;
    f->start = 0;
    if (left <= f->line_max)
        return;
    f->cut_lines += !f->skips;
    f->skips = true;
    f->position += left;
    f->rest.len = 0;
}

/* *ret_got: 0 where the file ends at present; it may grow. */
static tut_status read_more(tut_follow *f, size_t *ret_got, tut_error *err)
{
    tidy(f);
    size_t before = f->rest.len;
    uint8_t *to = tut_buf_extend(&f->rest, PART);
    if (!to)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ssize_t got = read(f->fd, to, PART);
    f->rest.len = before + (got > 0 ? (size_t)got : 0);
    *ret_got = got > 0 ? (size_t)got : 0;
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return tut_fail_errno(err, errno, "%s", f->path ? f->path : "standard input");
    if (got < 0 && !f->path)
        *ret_got = SIZE_MAX; /* not the end of a pipe */
    return TUT_SUCCESS;
}

/* Was the file cut back, or is another in its place? */
static void look_again(tut_follow *f)
{
    struct stat there, here;
    if (fstat(f->fd, &here) != 0)
        return;
    if ((uint64_t)here.st_size < f->position + (f->rest.len - f->start)) {
        f->truncations++;
        f->position = 0;
        f->rest.len = f->start = 0;
        f->skips = false;
        f->has_new = true;
        (void)lseek(f->fd, 0, SEEK_SET);
        return;
    }
    if (stat(f->path, &there) != 0 || (there.st_ino == here.st_ino && there.st_dev == here.st_dev))
        return;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    (void)close(f->fd);
    f->fd = fd;
    f->rotations++;
    f->position = 0;
    f->rest.len = f->start = 0;
    f->skips = false;
    f->has_new = true;
    remember(f);
}

tut_status tut_follow_next(tut_follow *f, tut_str *ret_line, tut_followed *ret_what, tut_error *err)
{
    size_t got = 1;
    while (!next_in_rest(f, ret_line)) {
        if (got == 0 || got == SIZE_MAX) {
            *ret_what = TUT_FOLLOWED_NONE;
            *ret_line = (tut_str){"", 0};
            if (f->path) {
                uint64_t turns = f->rotations + f->truncations;
                look_again(f);
                if (turns != f->rotations + f->truncations) {
                    got = 1;
                    continue;
                }
            } else if (got == 0) {
                *ret_what = TUT_FOLLOWED_END;
                if (!f->skips)
                    *ret_line = (tut_str){(const char *)f->rest.data + f->start,
                                          f->rest.len - f->start};
                f->start = f->rest.len;
            }
            return TUT_SUCCESS;
        }
        TUT_TRY(read_more(f, &got, err));
    }
    *ret_what = TUT_FOLLOWED_LINE;
    return TUT_SUCCESS;
}
