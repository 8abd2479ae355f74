/*
 * Opening a path below a directory and nowhere else.
 *
 * openat2 with RESOLVE_BENEATH lets the kernel hold the boundary. Without it (before Linux 5.6, or
 * forbidden by a container) the same is done by hand: one component at a time with O_NOFOLLOW, a
 * stack of the directories passed for "..", and links read and spliced into what remains. Nothing
 * that moves meanwhile can lead out, because each step starts from a descriptor already held.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/limits.h"

enum { LINKS_MAX = 40, RACE_TRIES = 8 };

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static atomic_int openat2_state; /* 0: not known, 1: there, -1: absent */

void tut_fs_pretend_no_openat2(bool is_absent)
{
    atomic_store(&openat2_state, is_absent ? -1 : 0);
}

static int call_openat2(int dirfd, const char *rel, unsigned flags)
{
    struct open_how how = {.flags = flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd;
    int tries = RACE_TRIES;
    /* EAGAIN: something was renamed during the look-up, and the kernel could not be sure. */
    do {
        fd = (int)syscall(SYS_openat2, dirfd, rel, &how, sizeof(how));
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries > 0);
    return fd;
}

static bool has_openat2(void)
{
    int state = atomic_load(&openat2_state);
    if (state == 0) {
        int fd = call_openat2(AT_FDCWD, ".", O_PATH | O_CLOEXEC);
        /* Old container filters answer EPERM for calls they do not know. */
        state = fd < 0 && (errno == ENOSYS || errno == EPERM) ? -1 : 1;
        tut_fs_close(fd);
        atomic_store(&openat2_state, state);
    }
    return state > 0;
}

/* The walk by hand. `path` is what remains; a link's target is put before it. */
typedef struct walk_by_hand {
    int dirs[TUT_LIMIT_WALK_DEPTH + 1]; /* dirs[0] is the root, borrowed */
    size_t depth;
    char path[PATH_MAX];
    char name[NAME_MAX + 1];
    unsigned links;
} walk_by_hand;

/* Moves the first component of path to name; false at the end, -1 by errno when too long. */
static int next_component(walk_by_hand *w)
{
    size_t skip = strspn(w->path, "/");
    size_t len = strcspn(w->path + skip, "/");
    if (len == 0)
        return 0;
    if (len > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w->name, w->path + skip, len);
    w->name[len] = '\0';
    size_t used = skip + len;
    memmove(w->path, w->path + used, strlen(w->path + used) + 1);
    return 1;
}

static int splice_link(walk_by_hand *w)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(w->dirs[w->depth], w->name, target, sizeof(target) - 1);
    if (len < 0)
        return -1;
    target[len] = '\0';
    size_t rest = strlen(w->path);
    errno = 0;
    if (target[0] == '/')
        errno = EXDEV;
    else if (++w->links > LINKS_MAX)
        errno = ELOOP;
    else if (len == 0)
        errno = ENOENT;
    else if ((size_t)len + rest + 1 > sizeof(w->path))
        errno = ENAMETOOLONG;
    if (errno)
        return -1;
    memmove(w->path + len, w->path, rest + 1); /* what remains is "" or begins with '/' */
    memcpy(w->path, target, (size_t)len);
    return 0;
}

static int go_up(walk_by_hand *w)
{
    if (w->depth == 0) {
        errno = EXDEV;
        return -1;
    }
    tut_fs_close(w->dirs[w->depth--]);
    return 0;
}

static int go_down(walk_by_hand *w)
{
    if (w->depth + 1 > TUT_LIMIT_WALK_DEPTH) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = openat(w->dirs[w->depth], w->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    w->dirs[++w->depth] = fd;
    return 0;
}

/* Takes one component. *ret_fd is set when it was the last and a file. */
static int step(walk_by_hand *w, unsigned flags, int *ret_fd)
{
    if (strcmp(w->name, ".") == 0)
        return 0;
    if (strcmp(w->name, "..") == 0)
        return go_up(w);
    struct stat st;
    if (fstatat(w->dirs[w->depth], w->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISLNK(st.st_mode))
        return splice_link(w);
    if (S_ISDIR(st.st_mode))
        return go_down(w);
    if (w->path[0] != '\0') {
        errno = ENOTDIR;
        return -1;
    }
    *ret_fd = openat(w->dirs[w->depth], w->name, (int)flags | O_NOFOLLOW);
    return *ret_fd < 0 ? -1 : 0;
}

static int open_by_hand(int dirfd, const char *rel, unsigned flags)
{
    walk_by_hand w = {.dirs = {dirfd}};
    int fd = -1;
    int rc = 0;
    if (rel[0] == '/')
        errno = EXDEV;
    else if (strlen(rel) >= sizeof(w.path))
        errno = ENAMETOOLONG;
    else
        rc = 1;
    if (rc == 0)
        return -1;
    memcpy(w.path, rel, strlen(rel) + 1);
    while (fd < 0 && (rc = next_component(&w)) > 0) {
        rc = step(&w, flags, &fd);
        if (rc < 0)
            break;
    }
    if (fd < 0 && rc == 0)
        errno = rel[0] == '\0' ? ENOENT : EISDIR;
    while (w.depth > 0)
        tut_fs_close(w.dirs[w.depth--]);
    return fd;
}

static int open_inside(int dirfd, const char *rel, unsigned flags)
{
    return has_openat2() ? call_openat2(dirfd, rel, flags) : open_by_hand(dirfd, rel, flags);
}

static tut_status refuse(tut_error *err, int errno_value, const char *rel)
{
    tut_status status;
    if (errno_value == EXDEV)
        status = tut_fail(err, TUT_DENIED, "\"%s\" leads out of its directory", rel);
    else if (errno_value == EISDIR)
        status = tut_fail(err, TUT_UNSUPPORTED, "\"%s\" is not a regular file", rel);
    else
        status = tut_fail_errno(err, errno_value, "cannot open \"%s\"", rel);
    tut_error_set_path(err, rel);
    return status;
}

tut_status tut_fs_open_beneath(int dirfd, const char *rel, int *ret_fd, tut_error *err)
{
    /* First without opening, so that no device or pipe is ever touched. */
    int seen = open_inside(dirfd, rel, O_PATH | O_CLOEXEC);
    struct stat before, after;
    if (seen < 0)
        return refuse(err, errno, rel);
    int rc = fstat(seen, &before);
    tut_fs_close(seen);
    if (rc != 0)
        return refuse(err, errno, rel);
    if (!S_ISREG(before.st_mode))
        return refuse(err, EISDIR, rel);
    int fd = open_inside(dirfd, rel, READ_FLAGS);
    if (fd < 0)
        return refuse(err, errno, rel);
    if (fstat(fd, &after) != 0 || !S_ISREG(after.st_mode)) {
        tut_fs_close(fd);
        return refuse(err, EISDIR, rel);
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}
