/*
 * `ledger serve`: the parent. It holds the socket's name and no key; the child does the work. When
 * the child dies it is started again, and clients that wait in the socket's queue are served by the
 * next one; so long as it does not die again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "ledger/sequencer_server.h"

enum {
    QUEUE = 128,
    DEATHS_MAX = 5, /* within DEATHS_MS, then we give up */
    DEATHS_MS = 60000,
    END_MS = 600000
};
#define NEW_SOCKET "socket.new"

typedef struct service {
    const tut_sequencer_options *options;
    char *dir; /* STATE/ledger */
    int dirfd, lock_fd, listener;
    bool is_named; /* the socket's name is ours to remove */
    tut_seq_child child;
    uint64_t deaths[DEATHS_MAX]; /* times of the last ones, a ring */
    size_t death_count;
} service;

static void service_done(service *s)
{
    tut_seq_child_kill(&s->child);
    if (s->is_named)
        (void)unlinkat(s->dirfd, TUT_SEQ_SOCKET, 0);
    int fds[] = {s->listener, s->lock_fd, s->dirfd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    tut_free(s->dir);
}

static tut_status open_dir(service *s, tut_error *err)
{
    s->dir = tut_fs_join(s->options->state_dir, "ledger");
    if (!s->dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_mkdirs(s->dir, 0700, err));
    tut_error_set_path(err, s->dir);
    s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dirfd < 0)
        return tut_fail_errno(err, errno, "cannot be opened");
    /* Whoever holds this owns the socket's name: one that lies there is of a dead sequencer. */
    s->lock_fd = openat(s->dirfd, "serve.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return tut_fail_errno(err, errno, "serve.lock cannot be opened");
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        if (err)
            err->path[0] = '\0';
        return TUT_SUCCESS;
    }
    if (errno == EWOULDBLOCK)
        return tut_fail(err, TUT_STORE, "another `tutela ledger serve` has this ledger");
    return tut_fail_errno(err, errno, "serve.lock cannot be locked");
}

tut_status tut_seq_claim_service(const char *state_dir, int *ret_fd, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/ledger/serve.lock", state_dir);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return TUT_SUCCESS;
    }
    int saved = errno;
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 && saved == EWOULDBLOCK)
        return tut_fail(err, TUT_STORE,
                        "`tutela ledger serve` is running with the log key that is to change; stop "
                        "it, rotate, and start it again");
    tut_error_set_path(err, path);
    return tut_fail_errno(err, saved, "cannot be locked");
}

/* Whom the access table names may connect; the socket's mode keeps out everybody else. */
static tut_status socket_mode(const service *s, mode_t *ret_mode, tut_error *err)
{
    TUT_CLEAN(tut_seq_access) access = {0};
    TUT_AUTO_FREE char *usual = tut_fs_join(tut_keystore_dir(s->options->keys), "access");
    if (!usual)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_seq_access_load(s->options->access ? s->options->access : usual, &access, err));
    *ret_mode = tut_seq_access_names_others(&access, geteuid()) ? 0666 : 0600;
    return TUT_SUCCESS;
}

static tut_status bind_new(const service *s, tut_error *err)
{
    struct sockaddr_un address;
    int dirfd = -1;
    TUT_TRY(tut_seq_address(s->options->state_dir, NEW_SOCKET, &address, &dirfd, err));
    if (unlinkat(s->dirfd, NEW_SOCKET, 0) != 0 && errno != ENOENT)
        return tut_fail_errno(err, errno, "%s cannot be removed", NEW_SOCKET);
    mode_t mask = umask(0177); /* closed until its mode is set */
    int rc = bind(s->listener, (const struct sockaddr *)&address, sizeof(address));
    int saved = errno;
    (void)umask(mask);
    if (dirfd >= 0)
        (void)close(dirfd);
    return rc == 0 ? TUT_SUCCESS : tut_fail_errno(err, saved, "the socket cannot be made");
}

/* Under another name first, so that nobody meets a socket that is not yet as it should be. */
static tut_status open_socket(service *s, tut_error *err)
{
    mode_t mode = 0600;
    TUT_TRY(socket_mode(s, &mode, err));
    tut_error_set_path(err, s->dir);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return tut_fail_errno(err, errno, "the socket cannot be made");
    TUT_TRY(bind_new(s, err));
    if (fchmodat(s->dirfd, NEW_SOCKET, mode, 0) != 0 || listen(s->listener, QUEUE) != 0 ||
        renameat(s->dirfd, NEW_SOCKET, s->dirfd, TUT_SEQ_SOCKET) != 0)
        return tut_fail_errno(err, errno, "the socket cannot be made");
    s->is_named = true;
    if (err)
        err->path[0] = '\0';
    return TUT_SUCCESS;
}

/* --- watching the child --- */

/* True when it died so often of late that another start would only repeat it. */
static bool count_death(service *s)
{
    uint64_t now = tut_clock_ms();
    uint64_t *place = &s->deaths[s->death_count % DEATHS_MAX];
    bool is_hopeless = s->death_count >= DEATHS_MAX && now - *place < DEATHS_MS;
    *place = now;
    s->death_count++;
    return is_hopeless;
}

static tut_status restart(service *s, tut_error *err)
{
    tut_error why = {0};
    tut_status ended = tut_seq_child_reap(&s->child, &why);
    if (tut_is_ok(ended))
        (void)snprintf(why.text, sizeof(why.text), "the sequencer's process ended");
    if (count_death(s))
        return tut_fail(err, TUT_BUG, "%s; it was the %uth time within %u s", why.text,
                        (unsigned)DEATHS_MAX + 1, (unsigned)DEATHS_MS / 1000);
    return tut_seq_child_start(s->options, s->listener, &s->child, err);
}

static tut_status stop(service *s, tut_error *err)
{
    tut_seq_conn *conn = &s->child.conn;
    tut_seq_frame frame;
    tut_error why = {0};
    tut_seq_close(&conn->out, tut_seq_open(&conn->out, TUT_SEQ_END));
    TUT_TRY(tut_seq_conn_wait_always(conn, END_MS, &frame, err));
    if (frame.type != TUT_SEQ_DONE) {
        if (!tut_is_ok(tut_seq_get_error(&frame.body, &why)))
            return tut_fail(err, TUT_BUG, "the sequencer ended out of order");
        return tut_fail(err, why.code, "%s", why.text);
    }
    return tut_seq_child_reap(&s->child, err);
}

/* Returns when the child died or we are to end. Signals are held back between looking for one and
 * waiting, so that none is missed. */
static void wait_for_end(const service *s)
{
    sigset_t ours, before;
    struct pollfd fd = {.fd = s->child.conn.fd, .events = POLLIN};
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    while (!tut_interrupted() && ppoll(&fd, 1, NULL, &before) < 0)
        continue;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static tut_status watch(service *s, tut_error *err)
{
    for (;;) {
        wait_for_end(s);
        if (tut_interrupted())
            return stop(s, err);
        TUT_TRY(restart(s, err));
    }
}

static tut_status run(service *s, void (*ready)(void *ctx, const char *socket), void *ctx,
                      tut_error *err)
{
    TUT_TRY(open_dir(s, err));
    TUT_TRY(open_socket(s, err));
    TUT_TRY(tut_seq_child_start(s->options, s->listener, &s->child, err));
    TUT_AUTO_FREE char *path = tut_fs_join(s->dir, TUT_SEQ_SOCKET);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (ready)
        ready(ctx, path);
    return watch(s, err);
}

tut_status tut_sequencer_serve(const tut_sequencer_options *options,
                               void (*ready)(void *ctx, const char *socket), void *ctx,
                               tut_error *err)
{
    service s = {.options = options, .dirfd = -1, .lock_fd = -1, .listener = -1};
    if (!options->keys)
        return tut_fail(err, TUT_USAGE, "there are no keys for this ledger");
    s.child.conn.fd = -1;
    tut_interrupt_install();
    tut_status status = run(&s, ready, ctx, err);
    service_done(&s);
    return status;
}
