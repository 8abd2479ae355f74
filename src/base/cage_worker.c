/*
 * The worker: a fork that keeps one socket, enters the jail, and then runs one task after the other
 * until the parent hangs up. Everything here happens after fork() in a process of one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cage_internal.h"
#include "base/jail.h"

enum {
    SOCKET = 3, /* where the worker keeps it; 0 to 2 are /dev/null */
    IN_BYTES = 16 << 10,
    FDS_MAX = TUT_LIMIT_CAGE_AHEAD + 4
};

typedef struct pending {
    uint64_t seq;
    bool has_fd;
    int fd;
    uint8_t *argument; /* NULL when is_lost */
    size_t len;
    bool is_lost; /* no memory was left for the argument */
} pending;

typedef struct worker {
    tut_cage_job job;
    uint8_t in[IN_BYTES];
    size_t have, used;
    int fds[FDS_MAX]; /* came in and wait for their message, oldest first */
    size_t fd_count;
    pending queue[TUT_LIMIT_CAGE_AHEAD]; /* sent ahead, oldest first */
    size_t queue_count;
} worker;

struct tut_cage_task {
    worker *w;
    uint64_t seq;
    int siblings[TUT_LIMIT_SIBLINGS];
    size_t sibling_count;
};

/* The parent went away, or what it says makes no sense: there is nobody to tell. */
static void give_up(void) __attribute__((noreturn));
static void give_up(void)
{
    _exit(0);
}

static void keep_descriptors(worker *w, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (w->fd_count == FDS_MAX)
                give_up();
            w->fds[w->fd_count++] = fd;
        }
    }
}

static void fill(worker *w)
{
    union {
        char space[CMSG_SPACE(sizeof(int) * 2)];
        struct cmsghdr align;
    } control;
    struct iovec iov = {w->in, sizeof(w->in)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof(control.space)};
    ssize_t got;
    do {
        got = recvmsg(SOCKET, &msg, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        give_up();
    keep_descriptors(w, &msg);
    w->have = (size_t)got;
    w->used = 0;
}

/* to may be NULL: the bytes are passed over. */
static void take(worker *w, uint8_t *to, size_t n)
{
    while (n > 0) {
        if (w->used == w->have)
            fill(w);
        size_t part = w->have - w->used < n ? w->have - w->used : n;
        if (to) {
            memcpy(to, w->in + w->used, part);
            to += part;
        }
        w->used += part;
        n -= part;
    }
}

/* Descriptors come in the order of the messages that announce them. -1: lost (limit reached). */
static int take_descriptor(worker *w)
{
    if (w->fd_count == 0)
        return -1;
    int fd = w->fds[0];
    w->fd_count--;
    memmove(w->fds, w->fds + 1, w->fd_count * sizeof(w->fds[0]));
    return fd;
}

static void take_task(worker *w, const tut_cage_header *h)
{
    if (w->queue_count == TUT_LIMIT_CAGE_AHEAD)
        give_up();
    pending *p = &w->queue[w->queue_count++];
    *p = (pending){.seq = h->seq, .has_fd = h->has_fd, .fd = -1, .len = h->length};
    if (h->length > 0)
        p->argument = tut_alloc_array(h->length, 1);
    p->is_lost = h->length > 0 && !p->argument;
    take(w, p->argument, h->length);
    if (h->has_fd)
        p->fd = take_descriptor(w);
}

static void take_header(worker *w, tut_cage_header *ret_header)
{
    uint8_t bytes[TUT_CAGE_HEADER_BYTES];
    take(w, bytes, sizeof(bytes));
    tut_cage_header_read(bytes, ret_header);
}

static void say(tut_cage_kind kind, tut_code code, uint64_t seq, tut_span body)
{
    uint8_t bytes[TUT_CAGE_HEADER_BYTES];
    tut_cage_header h = {
        .kind = (uint8_t)kind, .code = (uint8_t)code, .length = (uint32_t)body.len, .seq = seq};
    tut_cage_header_write(&h, bytes);
    size_t sent = 0, total = sizeof(bytes) + body.len;
    while (sent < total) {
        struct iovec iov[2];
        int count = 0;
        if (sent < sizeof(bytes))
            iov[count++] = (struct iovec){bytes + sent, sizeof(bytes) - sent};
        size_t from = sent > sizeof(bytes) ? sent - sizeof(bytes) : 0;
        if (body.len > from) /* writev does not write to what it is given */
            iov[count++] = (struct iovec){(void *)(uintptr_t)(body.data + from), body.len - from};
        /* Not sendmsg, which the jail forbids: a worker has no descriptors to send. */
        ssize_t n = writev(SOCKET, iov, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            give_up();
        sent += (size_t)n;
    }
}

static void say_error(uint64_t seq, tut_code code, const tut_error *error)
{
    uint8_t body[TUT_CAGE_ERROR_MAX];
    size_t len = tut_cage_error_write(error, body);
    say(TUT_CAGE_ERROR, code, seq, tut_span_of(body, len));
}

static tut_status open_source(const pending *p, tut_source *ret_source, tut_error *err)
{
    if (p->is_lost)
        return tut_fail(err, TUT_NOMEM, "no memory for a task of %zu bytes", p->len);
    if (p->has_fd && p->fd < 0)
        return tut_fail(err, TUT_LIMIT, "too many files are open");
    if (p->fd >= 0)
        return tut_source_file(p->fd, ret_source, err);
    *ret_source = tut_source_memory(tut_span_of(NULL, 0));
    return TUT_SUCCESS;
}

static void run_task(worker *w, const pending *p)
{
    tut_cage_task task = {.w = w, .seq = p->seq};
    tut_error error = {0};
    tut_source source;
    tut_buf out;
    tut_buf_init(&out, TUT_LIMIT_REPLY_BYTES);
    tut_status status = open_source(p, &source, &error);
    if (tut_is_ok(status))
        status = w->job(&task, &source, tut_span_of(p->argument, p->len), &out, &error);
    if (tut_is_ok(status))
        status = tut_buf_check(&out, &error);
    if (tut_is_ok(status))
        say(TUT_CAGE_RESULT, TUT_OK, p->seq, tut_buf_span(&out));
    else
        say_error(p->seq, status.code, &error);
    tut_buf_done(&out);
    for (size_t i = 0; i < task.sibling_count; i++)
        (void)close(task.siblings[i]);
    if (p->fd >= 0)
        (void)close(p->fd);
    tut_free(p->argument);
}

/* The answer to a question; tasks that come before it are kept. */
static int take_answer(worker *w, tut_code *ret_code, char text[TUT_ERROR_TEXT_MAX])
{
    for (;;) {
        tut_cage_header h;
        take_header(w, &h);
        if (h.kind == TUT_CAGE_TASK) {
            take_task(w, &h);
            continue;
        }
        if (h.kind != TUT_CAGE_ANSWER || h.length >= TUT_ERROR_TEXT_MAX)
            give_up();
        take(w, (uint8_t *)text, h.length);
        text[h.length] = '\0';
        *ret_code = h.code;
        if (!h.has_fd)
            return -1;
        int fd = take_descriptor(w);
        if (fd < 0) {
            *ret_code = TUT_LIMIT;
            memcpy(text, "too many files are open", sizeof("too many files are open"));
        }
        return fd;
    }
}

/* A descriptor of the parent's, closed when the task ends. */
static tut_status ask(tut_cage_task *task, tut_cage_kind kind, tut_span body, int *ret_fd,
                      tut_error *err)
{
    char text[TUT_ERROR_TEXT_MAX];
    tut_code code = TUT_OK;
    if (task->sibling_count == TUT_LIMIT_SIBLINGS)
        return tut_fail(err, TUT_LIMIT, "more than %u files beside this one", TUT_LIMIT_SIBLINGS);
    say(kind, TUT_OK, task->seq, body);
    int fd = take_answer(task->w, &code, text);
    if (fd < 0)
        return tut_fail(err, code, "%s", text);
    task->siblings[task->sibling_count++] = fd;
    *ret_fd = fd;
    return TUT_SUCCESS;
}

tut_status tut_cage_file(tut_cage_task *task, const char *name, int *ret_fd, tut_error *err)
{
    size_t len = strlen(name);
    if (len == 0 || len >= TUT_CAGE_PATH_MAX)
        return tut_fail(err, TUT_DENIED, "a file name of %zu bytes is refused", len);
    tut_status status = ask(task, TUT_CAGE_ASK, tut_span_of(name, len), ret_fd, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

tut_status tut_cage_sibling(tut_cage_task *task, const char *rel, tut_source *ret_source,
                            tut_error *err)
{
    int fd = -1;
    TUT_TRY(tut_cage_file(task, rel, &fd, err));
    return tut_source_file(fd, ret_source, err);
}

tut_status tut_cage_scratch(tut_cage_task *task, int *ret_fd, tut_error *err)
{
    if (!task)
        return tut_fail(err, TUT_UNSUPPORTED, "there is nobody to ask for a file");
    return ask(task, TUT_CAGE_SCRATCH, tut_span_of(NULL, 0), ret_fd, err);
}

void tut_cage_scratch_done(tut_cage_task *task, int fd)
{
    for (size_t i = 0; i < task->sibling_count; i++) {
        if (task->siblings[i] != fd)
            continue;
        (void)close(fd);
        task->siblings[i] = task->siblings[--task->sibling_count];
        return;
    }
}

static void reset_signals(pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGINT, SIG_IGN); /* the parent decides */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a full scratch file is an error */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        give_up(); /* it died before we asked to die with it */
}

static void keep_only(int socket)
{
    int high = fcntl(socket, F_DUPFD_CLOEXEC, 10);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (high < 0)
        give_up();
    /* Taken, so that no file that arrives becomes standard output. Tools that watch memory keep
     * their standard error. */
    for (int fd = 0; fd < (tut_cage_is_instrumented() ? 2 : 3) && null >= 0; fd++)
        (void)dup2(null, fd);
    if (dup2(high, SOCKET) < 0)
        give_up();
    tut_jail_close_from(SOCKET + 1);
}

void tut_cage_worker_main(const tut_cage *cage, int socket, pid_t parent)
{
    static worker w; /* one process, one worker */
    w.job = cage->job;
    reset_signals(parent);
    keep_only(socket);
    tut_cage_jail jail = {0};
    tut_cage_jail_enter(cage->heap_bytes, &jail);
    const uint8_t ready[TUT_CAGE_READY_BYTES] = {1, (uint8_t)jail.landlock_abi, jail.seccomp};
    say(TUT_CAGE_READY, TUT_OK, 0, tut_span_of(ready, sizeof(ready)));
    tut_cage_facts facts;
    tut_cage_jail_facts(&jail, &facts);
    if (cage->mode == TUT_CAGE_REQUIRE && !facts.complete)
        give_up();
    for (;;) {
        while (w.queue_count == 0) {
            tut_cage_header h;
            take_header(&w, &h);
            if (h.kind != TUT_CAGE_TASK)
                give_up();
            take_task(&w, &h);
        }
        pending p = w.queue[0];
        w.queue_count--;
        memmove(w.queue, w.queue + 1, w.queue_count * sizeof(w.queue[0]));
        run_task(&w, &p);
    }
}
