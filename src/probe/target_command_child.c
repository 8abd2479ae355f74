#include "probe/target_command_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"

enum { GRACE_MS = 1000, READ_BYTES = 64 << 10, TOLD_LINE = 4096, TOLD_SHOWN = 400 };

/* --- beginning --- */
static void close_both(int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
}

/* In the child: only what is safe between fork and exec. */
static void become(char *const words[], int in, int out, int errors, int failed, pid_t parent)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0)
        (void)execvp(words[0], words);
    int why = errno;
    ssize_t wrote = write(failed, &why, sizeof(why));
    (void)wrote;
    _exit(127);
}

static tut_status launch(command_child *c, char *const words[], int in[2], int out[2],
                         int errors[2], int failed[2], tut_error *err)
{
    int why = 0;
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return tut_fail_errno(err, errno, "%s cannot be run", words[0]);
    if (pid == 0)
        become(words, in[0], out[1], errors[1], failed[1], parent);
    (void)setpgid(pid, pid);
    (void)close(failed[1]);
    failed[1] = -1;
    ssize_t got = read(failed[0], &why, sizeof(why));
    if (got == sizeof(why)) {
        (void)waitpid(pid, NULL, 0);
        return tut_fail_errno(err, why, "%s cannot be run", words[0]);
    }
    c->pid = pid;
    c->in = in[1];
    c->out = out[0];
    c->errors = errors[0];
    in[1] = out[0] = errors[0] = -1;
    (void)fcntl(c->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(c->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(c->errors, F_SETFL, O_NONBLOCK);
    return TUT_SUCCESS;
}

tut_status command_child_start(command_child *c, char *const words[], tut_error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, failed[2] = {-1, -1};
    const char *slash = strrchr(words[0], '/');
    tut_str_copy(c->name, sizeof(c->name), tut_str_of(slash ? slash + 1 : words[0]));
    tut_buf_done(&c->to);
    tut_buf_init(&c->from, TUT_LIMIT_PROBE_ANSWER_BYTES);
    c->written = 0;
    tut_status s = TUT_SUCCESS;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ||
        pipe2(failed, O_CLOEXEC) != 0)
        s = tut_fail_errno(err, errno, "no pipe to the command");
    if (tut_is_ok(s))
        s = launch(c, words, in, out, errors, failed, err);
    close_both(in);
    close_both(out);
    close_both(errors);
    close_both(failed);
    return s;
}

/* --- ending --- */
static bool has_ended(command_child *c, int *ret_status)
{
    pid_t got = waitpid(c->pid, ret_status, WNOHANG);
    return got == c->pid || (got < 0 && errno != EINTR);
}

static int end_process(command_child *c)
{
    int status = 0;
    uint64_t until = tut_clock_ms() + GRACE_MS;
    (void)kill(-c->pid, SIGTERM);
    while (!has_ended(c, &status)) {
        if (tut_clock_ms() >= until)
            (void)kill(-c->pid, SIGKILL);
        (void)poll(NULL, 0, 5);
    }
    (void)kill(-c->pid, SIGKILL); /* what it has started and left behind */
    c->pid = 0;
    return status;
}

static void close_pipes(command_child *c)
{
    (void)close(c->in);
    (void)close(c->out);
    (void)close(c->errors);
    c->in = c->out = c->errors = -1;
}

void command_child_stop(command_child *c)
{
    if (c->pid > 0) {
        (void)end_process(c);
        close_pipes(c);
    }
    tut_buf_done(&c->to);
    tut_buf_done(&c->from);
    tut_buf_done(&c->told);
}

void command_child_obituary(command_child *c, char *ret_text, size_t cap)
{
    int status = 0;
    bool has_gone = false;
    for (unsigned i = 0; i < 40 && !has_gone; i++) {
        has_gone = has_ended(c, &status);
        if (!has_gone)
            (void)poll(NULL, 0, 5);
    }
    if (!has_gone) {
        (void)end_process(c);
        (void)snprintf(ret_text, cap, "it closed its output");
    } else {
        (void)kill(-c->pid, SIGKILL);
        c->pid = 0;
        if (WIFSIGNALED(status))
            (void)snprintf(ret_text, cap, "signal %d ended it", WTERMSIG(status));
        else
            (void)snprintf(ret_text, cap, "it ended with %d", WEXITSTATUS(status));
    }
    close_pipes(c);
}

/* --- a round --- */
/* Its errors, a line at a time, marked as not ours. */
static void tell(command_child *c, bool all)
{
    size_t at = 0;
    while (c->told.len > 0) {
        tut_str told = tut_buf_str(&c->told);
        bool is_whole = tut_str_find(told, TUT_LIT("\n"), &at);
        if (!is_whole && !all && told.len < TOLD_LINE)
            return;
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        tut_str shown = {told.data, is_whole ? at : told.len};
        tut_buf_printf(&line, "%s: ", c->name);
        tut_buf_add_escaped(&line, shown, TOLD_SHOWN);
        tut_buf_add_byte(&line, '\n');
        ssize_t wrote = write(STDERR_FILENO, line.data, line.len);
        (void)wrote;
        size_t used = shown.len + (is_whole ? 1 : 0);
        memmove(c->told.data, c->told.data + used, c->told.len - used);
        c->told.len -= used;
    }
}

static tut_status write_some(command_child *c, tut_error *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    (void)sigaction(SIGPIPE, &ignore, &old);
    ssize_t n = write(c->in, c->to.data + c->written, c->to.len - c->written);
    int why = errno;
    (void)sigaction(SIGPIPE, &old, NULL);
    if (n < 0 && why != EAGAIN && why != EINTR && why != EPIPE)
        return tut_fail_errno(err, why, "the command cannot be written to");
    c->written += n > 0 ? (size_t)n : 0;
    if (c->written == c->to.len) {
        tut_buf_clear(&c->to);
        c->written = 0;
    }
    return TUT_SUCCESS;
}

/* False at the end. */
static bool read_some(int fd, tut_buf *to)
{
    uint8_t bytes[READ_BYTES];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    tut_buf_add(to, bytes, (size_t)n);
    return n > 0;
}

static tut_status hand_lines(command_child *c, size_t from, command_line line, void *ctx,
                             tut_error *err)
{
    size_t begin = 0;
    for (size_t i = from; i < c->from.len; i++) {
        if (c->from.data[i] != '\n')
            continue;
        TUT_TRY(line(ctx, tut_span_of(c->from.data + begin, i - begin), err));
        begin = i + 1;
    }
    if (begin > 0) {
        memmove(c->from.data, c->from.data + begin, c->from.len - begin);
        c->from.len -= begin;
    }
    return TUT_SUCCESS;
}

tut_status command_child_round(command_child *c, int wait_ms, command_line line, void *ctx,
                               bool *ret_is_over, tut_error *err)
{
    bool has_more = c->to.len > c->written;
    struct pollfd fds[] = {{.fd = c->out, .events = POLLIN},
                           {.fd = c->errors, .events = POLLIN},
                           {.fd = has_more ? c->in : -1, .events = POLLOUT}};
    *ret_is_over = false;
    if (poll(fds, 3, wait_ms) < 0)
        return errno == EINTR ? TUT_SUCCESS : tut_fail_errno(err, errno, "the command was lost");
    if (fds[1].revents && !read_some(c->errors, &c->told)) {
        tell(c, true);
        (void)close(c->errors);
        c->errors = -1; /* poll passes it over */
    }
    tell(c, false);
    if (fds[2].revents)
        TUT_TRY(write_some(c, err));
    if (!fds[0].revents)
        return TUT_SUCCESS;
    size_t before = c->from.len;
    *ret_is_over = !read_some(c->out, &c->from);
    TUT_TRY(hand_lines(c, before, line, ctx, err));
    if (c->from.failed == TUT_LIMIT)
        return tut_fail(err, TUT_LIMIT, "a line of the command is longer than %u MiB",
                        TUT_LIMIT_PROBE_ANSWER_BYTES >> 20);
    return tut_buf_check(&c->from, err);
}
