#include "watch/listen.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

static bool is_alive(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return alive;
}

static tut_status clear(const char *path, const struct sockaddr_un *at, tut_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return TUT_SUCCESS;
    if (!S_ISSOCK(st.st_mode))
        return tut_fail(err, TUT_USAGE, "%s is there, and is no socket", path);
    if (is_alive(at))
        return tut_fail(err, TUT_USAGE, "somebody listens at %s already", path);
    return unlink(path) == 0 ? TUT_SUCCESS : tut_fail_errno(err, errno, "%s", path);
}

tut_status tut_listen_open(const char *path, tut_listen *ret, tut_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *ret = (tut_listen){.fd = -1};
    if (strlen(path) >= sizeof(at.sun_path))
        return tut_fail(err, TUT_USAGE, "%s is too long for a socket's path", path);
    tut_str_copy(at.sun_path, sizeof(at.sun_path), tut_str_of(path));
    TUT_TRY(clear(path, &at, err));
    ret->bytes = tut_alloc_array(TUT_LISTEN_BYTES, 1);
    if (!ret->bytes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    int bound = ret->fd >= 0 ? bind(ret->fd, (const struct sockaddr *)&at, sizeof(at)) : -1;
    int why = errno;
    (void)umask(old);
    if (bound != 0)
        return tut_fail_errno(err, why, "%s", path);
    ret->path = path;
    return TUT_SUCCESS;
}

void tut_listen_done(tut_listen *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    if (l->path)
        (void)unlink(l->path);
    tut_free(l->bytes);
    *l = (tut_listen){.fd = -1};
}

tut_status tut_listen_next(tut_listen *l, int wait_ms, tut_str *ret_lines, tut_error *err)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    *ret_lines = (tut_str){"", 0};
    int ready = poll(&p, 1, wait_ms);
    if (ready < 0 && errno != EINTR)
        return tut_fail_errno(err, errno, "%s", l->path);
    if (ready <= 0)
        return TUT_SUCCESS;
    ssize_t got = recv(l->fd, l->bytes, TUT_LISTEN_BYTES, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return tut_fail_errno(err, errno, "%s", l->path);
    *ret_lines = (tut_str){l->bytes, got > 0 ? (size_t)got : 0};
    return TUT_SUCCESS;
}
