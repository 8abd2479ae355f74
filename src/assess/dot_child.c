/* Graphviz's dot as a child: one pipe to it, one from it, and a deadline. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assess/graphviz.h"
#include "base/cage.h"
#include "base/jail.h"
#include "base/limits.h"
#include "base/time.h"

typedef struct dot_child {
    pid_t pid;
    int in, out; /* our ends; -1: closed */
    uint64_t until;
    tut_str text;
    size_t written;
} dot_child;

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* --- in the child: only what is safe between fork and exec --- */

static void limit_child(void)
{
    tut_jail_limit(RLIMIT_CPU, TUT_LIMIT_DOT_MS / 1000 + 1);
    tut_jail_limit(RLIMIT_FSIZE, 0);
    tut_jail_limit(RLIMIT_CORE, 0);
    tut_jail_limit(RLIMIT_NOFILE, 64);
    if (!tut_jail_is_instrumented())
        tut_jail_limit(RLIMIT_AS, TUT_LIMIT_DOT_HEAP_BYTES);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void become(int in, int out, int nowhere, int failed)
{
    char program[] = "dot", format[] = "-Tjson0", locale[] = "LC_ALL=C",
         home[] = "HOME=/nonexistent";
    char *const words[] = {program, format, NULL};
    char *const environment[] = {locale, home, NULL};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(nowhere, STDERR_FILENO) >= 0 && chdir("/") == 0) {
        limit_child();
        (void)execvpe(words[0], words, environment); /* found by our PATH, and not given it */
    }
    int why = errno;
    ssize_t wrote = write(failed, &why, sizeof(why));
    (void)wrote;
    _exit(127);
}

/* --- in the parent --- */

static tut_status not_run(int why, tut_error *err)
{
    if (why == ENOENT)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "Graphviz is not installed here: there is no program dot on PATH (Debian: "
                        "apt install graphviz)");
    return tut_fail_errno(err, why, "Graphviz's dot cannot be run");
}

static tut_status launch(dot_child *c, int in[2], int out[2], int failed[2], int nowhere,
                         tut_error *err)
{
    int why = 0;
    pid_t pid = fork();
    if (pid < 0)
        return tut_fail_errno(err, errno, "Graphviz's dot cannot be run");
    if (pid == 0)
        become(in[0], out[1], nowhere, failed[1]);
    c->pid = pid;
    close_one(&in[0]);
    close_one(&out[1]);
    close_one(&failed[1]);
    ssize_t got;
    do
        got = read(failed[0], &why, sizeof(why));
    while (got < 0 && errno == EINTR);
    if (got == sizeof(why))
        return not_run(why, err);
    c->in = in[1];
    c->out = out[0];
    in[1] = out[0] = -1;
    (void)fcntl(c->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(c->out, F_SETFL, O_NONBLOCK);
    return TUT_SUCCESS;
}

static tut_status start(dot_child *c, tut_error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, failed[2] = {-1, -1};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    tut_status status = TUT_SUCCESS;
    if (nowhere < 0 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        pipe2(failed, O_CLOEXEC) != 0)
        status = tut_fail_errno(err, errno, "no pipe to Graphviz's dot");
    if (tut_is_ok(status))
        status = launch(c, in, out, failed, nowhere, err);
    for (int i = 0; i < 2; i++) {
        close_one(&in[i]);
        close_one(&out[i]);
        close_one(&failed[i]);
    }
    close_one(&nowhere);
    return status;
}

static void send_text(dot_child *c)
{
    ssize_t wrote = write(c->in, c->text.data + c->written, c->text.len - c->written);
    if (wrote > 0)
        c->written += (size_t)wrote;
    if (c->written == c->text.len || (wrote < 0 && errno != EAGAIN && errno != EINTR))
        close_one(&c->in);
}

static tut_status take_answer(dot_child *c, tut_buf *out, tut_error *err)
{
    uint8_t piece[16384];
    ssize_t got = read(c->out, piece, sizeof(piece));
    if (got == 0)
        close_one(&c->out);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return tut_fail_errno(err, errno, "Graphviz's dot was lost");
    if (got > 0)
        tut_buf_add(out, piece, (size_t)got);
    return tut_buf_check(out, err);
}

static tut_status converse(dot_child *c, tut_buf *out, tut_error *err)
{
    while (c->out >= 0) {
        uint64_t now = tut_clock_ms();
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (now >= c->until)
            return tut_fail(err, TUT_LIMIT, "Graphviz's dot takes longer than %u s on this graph",
                            TUT_LIMIT_DOT_MS / 1000);
        uint64_t left = c->until - now;
        struct pollfd ends[2] = {{c->out, POLLIN, 0}, {c->in, POLLOUT, 0}};
        if (poll(ends, 2, left > 200 ? 200 : (int)left) < 0 && errno != EINTR)
            return tut_fail_errno(err, errno, "Graphviz's dot was lost");
        if (c->in >= 0 && ends[1].revents)
            send_text(c);
        if (ends[0].revents)
            TUT_TRY(take_answer(c, out, err));
    }
    return TUT_SUCCESS;
}

static tut_status finish(dot_child *c, bool is_killed, tut_error *err)
{
    int status = 0;
    close_one(&c->in);
    close_one(&c->out);
    if (c->pid <= 0)
        return TUT_SUCCESS;
    if (is_killed)
        (void)kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return TUT_SUCCESS;
    if (WIFSIGNALED(status))
        return tut_fail(err, TUT_IO, "Graphviz's dot was ended by signal %d", WTERMSIG(status));
    return tut_fail(err, TUT_IO, "Graphviz's dot ended with status %d", WEXITSTATUS(status));
}

tut_status tut_dot_run(tut_str dot, tut_buf *out, tut_error *err)
{
    dot_child c = {.in = -1, .out = -1, .text = dot, .until = tut_clock_ms() + TUT_LIMIT_DOT_MS};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    (void)sigaction(SIGPIPE, &ignore, &old);
    tut_status status = start(&c, err);
    if (tut_is_ok(status))
        status = converse(&c, out, err);
    tut_error later = {0}; /* what went wrong first is what is told */
    bool is_killed = !tut_is_ok(status) && c.out >= 0;
    tut_status ended = finish(&c, is_killed, tut_is_ok(status) ? err : &later);
    (void)sigaction(SIGPIPE, &old, NULL);
    return tut_is_ok(status) ? ended : status;
}
