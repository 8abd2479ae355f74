#include "ledger/witness_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs_internal.h"

enum { BACKLOG = 64 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        tut_fs_close(*fd);
}

/* Ownership leaves: nothing closes it here any more. */
static int move_fd(int *fd)
{
    int moved = *fd;
    *fd = -1;
    return moved;
}

/* ---- unix ---- */

/* A socket file that nobody answers on is left over from a process that died. */
static bool is_stale(const struct sockaddr_un *at)
{
    struct stat st;
    if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    __attribute__((cleanup(close_fd))) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 &&
           errno == ECONNREFUSED;
}

static tut_status listen_unix(const char *path, int *ret_fd, tut_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path[0] || strlen(path) >= sizeof(at.sun_path))
        return tut_fail(err, TUT_USAGE, "a socket's path has 1 to %zu bytes",
                        sizeof(at.sun_path) - 1);
    tut_str_copy(at.sun_path, sizeof(at.sun_path), tut_str_of(path));
    __attribute__((cleanup(close_fd))) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tut_fail_errno(err, errno, "no socket can be had");
    if (is_stale(&at))
        (void)unlink(path);
    mode_t mask = umask(0177);
    int failed = bind(fd, (const struct sockaddr *)&at, sizeof(at));
    int why = errno;
    (void)umask(mask);
    if (failed || listen(fd, BACKLOG) != 0)
        return tut_fail_errno(err, failed ? why : errno, "cannot listen on %s", path);
    *ret_fd = move_fd(&fd);
    return TUT_SUCCESS;
}

/* ---- TCP ---- */

static void free_addresses(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static tut_status split(const char *where, char host[256], const char **ret_port, tut_error *err)
{
    const char *colon = strrchr(where, ':');
    tut_str name = {where, colon ? (size_t)(colon - where) : 0};
    if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
        name = (tut_str){name.data + 1, name.len - 2};
    if (name.len == 0 || name.len >= 256 || !colon[1])
        return tut_fail(err, TUT_USAGE,
                        "\"%s\" is not where one can listen; it looks like 127.0.0.1:8080 or "
                        "unix:/run/witness.sock",
                        where);
    tut_str_copy(host, 256, name);
    *ret_port = colon + 1;
    return TUT_SUCCESS;
}

static tut_status name_of(int fd, tut_buf *url, tut_error *err)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(at);
    char host[64], port[16];
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((const struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return tut_fail_errno(err, errno, "the socket has no address");
    tut_buf_printf(url, at.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
    return tut_buf_check(url, err);
}

static tut_status listen_tcp(const char *where, int *ret_fd, tut_buf *url, tut_error *err)
{
    char host[256];
    const char *port;
    TUT_TRY(split(where, host, &port, err));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    __attribute__((cleanup(free_addresses))) struct addrinfo *list = NULL;
    int code = getaddrinfo(host, port, &hints, &list);
    if (code != 0)
        return tut_fail(err, TUT_USAGE, "cannot listen on %s: %s", where, gai_strerror(code));
    __attribute__((cleanup(close_fd))) int fd =
        socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
    int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
        return tut_fail_errno(err, errno, "cannot listen on %s", where);
    TUT_TRY(name_of(fd, url, err));
    *ret_fd = move_fd(&fd);
    return TUT_SUCCESS;
}

tut_status tut_witness_listen(const char *where, int *ret_fd, tut_buf *url, tut_error *err)
{
    if (!tut_str_starts(tut_str_of(where), TUT_LIT("unix:")))
        return listen_tcp(where, ret_fd, url, err);
    TUT_TRY(listen_unix(where + 5, ret_fd, err));
    tut_buf_add_z(url, where);
    return tut_buf_check(url, err);
}
