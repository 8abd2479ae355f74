/* The cage: what a hostile job can not do, while the other tasks of its batch finish. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cage.h"
#include "base/cage_internal.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/time.h"

/* --- the jobs, by the first word of the argument --- */

static tut_status reply_number(tut_buf *out, long value)
{
    tut_buf_printf(out, "%ld", value);
    return TUT_SUCCESS;
}

static tut_status job_echo(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)err;
    tut_buf_add_z(out, rest);
    return TUT_SUCCESS;
}

static tut_status job_read(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)rest;
    uint8_t *to = tut_buf_extend(out, s->size);
    if (!to && s->size > 0)
        return tut_fail(err, TUT_NOMEM, "no room");
    return tut_source_read(s, 0, to, s->size, err);
}

static tut_status job_open(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)err;
    int fd = open(rest, O_RDONLY | O_CLOEXEC);
    return reply_number(out, fd < 0 ? errno : 0);
}

static tut_status job_create(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)t, (void)s, (void)err;
    int fd = open(rest, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return reply_number(out, fd < 0 ? errno : 0);
}

static tut_status job_overwrite(tut_cage_task *t, const tut_source *s, const char *rest,
                                tut_buf *out, tut_error *err)
{
    (void)t, (void)rest, (void)err;
    return reply_number(out, write(s->fd, "x", 1) < 0 ? errno : 0);
}

static tut_status job_descriptors(tut_cage_task *t, const tut_source *s, const char *rest,
                                  tut_buf *out, tut_error *err)
{
    (void)t, (void)rest, (void)err;
    struct stat st;
    long open_ones = 0;
    for (int fd = 4; fd < 1000; fd++)
        open_ones += fd != s->fd && fstat(fd, &st) == 0;
    return reply_number(out, open_ones);
}

static tut_status job_stat(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)err;
    struct stat st;
    return reply_number(out, stat(rest, &st) != 0 ? errno : 0);
}

static tut_status job_connect(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                              tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof(to));
    return reply_number(out, rc < 0 ? errno : 0);
}

static tut_status job_fork(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return reply_number(out, pid < 0 ? errno : 0);
}

static tut_status job_exec(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    char name[] = "/bin/true";
    char *argv[] = {name, NULL};
    (void)execv(name, argv);
    return reply_number(out, errno);
}

static tut_status job_kill_parent(tut_cage_task *t, const tut_source *s, const char *rest,
                                  tut_buf *out, tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    return reply_number(out, kill(getppid(), 0) != 0 ? errno : 0);
}

static tut_status job_ptrace(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    return reply_number(out, ptrace(PTRACE_ATTACH, getppid(), 0, 0) != 0 ? errno : 0);
}

static tut_status job_execmem(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                              tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    const void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return reply_number(out, p == MAP_FAILED ? errno : 0);
}

static tut_status job_send_fd(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                              tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)err;
    struct msghdr msg = {0};
    return reply_number(out, sendmsg(3, &msg, 0) < 0 ? errno : 0);
}

static tut_status job_memory(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)out;
    for (unsigned mib = 0; mib < 4096; mib += 16) {
        volatile char *p = malloc(16u << 20);
        if (!p)
            return tut_fail(err, TUT_NOMEM, "memory ran out after %u MiB", mib);
        for (size_t i = 0; i < 16u << 20; i += 4096)
            p[i] = 1;
    }
    return TUT_SUCCESS;
}

static volatile bool forever = true;

static tut_status job_loop(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)out, (void)err;
    while (forever)
        continue;
    return TUT_SUCCESS;
}

static tut_status job_segv(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)out, (void)err;
    /* By signal: sanitizers would turn a bad access into a report. */
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return TUT_SUCCESS;
}

static tut_status job_exit(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)out, (void)err;
    _exit(7);
}

static tut_status job_error(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                            tut_error *err)
{
    (void)t, (void)s;
    tut_buf_add_z(out, "not to be delivered");
    tut_error_set_path(err, "inner/name");
    tut_status status = tut_fail_at(err, TUT_MALFORMED, 42, "no good: %s", rest);
    tut_error_set_path(err, "inner/name");
    return status;
}

static tut_status job_large(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                            tut_error *err)
{
    (void)t, (void)s, (void)err;
    size_t wanted = strtoul(rest, NULL, 10);
    for (size_t n = 0; n < wanted; n += 4096) {
        char block[4096];
        memset(block, 'x', sizeof(block));
        tut_buf_add(out, block, wanted - n < sizeof(block) ? wanted - n : sizeof(block));
    }
    return TUT_SUCCESS;
}

static tut_status job_sibling(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                              tut_error *err)
{
    (void)s;
    tut_source source;
    TUT_TRY(tut_cage_sibling(t, rest, &source, err));
    return job_read(t, &source, "", out, err);
}

static tut_status job_siblings(tut_cage_task *t, const tut_source *s, const char *rest,
                               tut_buf *out, tut_error *err)
{
    (void)s;
    unsigned long wanted = strtoul(rest, NULL, 10);
    tut_source source;
    for (unsigned long i = 0; i < wanted; i++)
        TUT_TRY(tut_cage_sibling(t, "f", &source, err));
    return reply_number(out, (long)wanted);
}

/* Straight onto the socket, past the library, as taken-over code would. */
static void raw(const void *data, size_t len)
{
    ssize_t n = write(3, data, len);
    (void)n;
}

static uint64_t seq_of_this_task;

static void raw_header(uint8_t kind, uint8_t code, uint32_t length, uint64_t seq)
{
    uint8_t bytes[TUT_CAGE_HEADER_BYTES];
    tut_cage_header h = {.kind = kind, .code = code, .length = length, .seq = seq};
    tut_cage_header_write(&h, bytes);
    raw(bytes, sizeof(bytes));
}

static tut_status job_breach(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)s, (void)out, (void)err;
    memcpy(&seq_of_this_task, (const char *)t + sizeof(void *), sizeof(seq_of_this_task));
    uint64_t seq = seq_of_this_task;
    char garbage[2 * TUT_CAGE_ERROR_MAX];
    memset(garbage, 0xff, sizeof(garbage));
    switch (rest[0]) {
    case 'k':
        raw_header(99, 0, 0, seq);
        break;
    case 'z':
        raw_header(0, 0, 0, seq);
        break;
    case 's': /* an answer to somebody else's task */
        raw_header(TUT_CAGE_RESULT, 0, 0, seq + 1);
        break;
    case 'l':
        raw_header(TUT_CAGE_RESULT, 0, TUT_LIMIT_REPLY_BYTES + 1, seq);
        break;
    case 'm':
        raw_header(TUT_CAGE_RESULT, 0, 0xffffffff, seq);
        break;
    case 'e':
        raw_header(TUT_CAGE_ERROR, TUT_LIMIT, 100, seq);
        raw(garbage, 100);
        break;
    case 'o': /* an error that is none */
        raw_header(TUT_CAGE_ERROR, TUT_OK, 100, seq);
        raw(garbage, 100);
        break;
    case 'r':
        raw_header(TUT_CAGE_READY, 0, TUT_CAGE_READY_BYTES, 0);
        raw("\1\7\1", 3);
        break;
    case 't':
        raw_header(TUT_CAGE_TASK, 0, 0, seq);
        break;
    case 'd': /* twice answered */
        raw_header(TUT_CAGE_RESULT, 0, 0, seq);
        raw_header(TUT_CAGE_RESULT, 0, 0, seq);
        break;
    case 'g':
        raw(garbage, sizeof(garbage));
        break;
    case 'a': /* asks and never listens */
        for (int i = 0; i < 1000; i++) {
            raw_header(TUT_CAGE_ASK, 0, 1, seq);
            raw("f", 1);
        }
        break;
    case 'n': /* a name with a NUL in it */
        raw_header(TUT_CAGE_ASK, 0, 3, seq);
        raw("f\0g", 3);
        break;
    case 'h': /* half a message, then silence */
        raw_header(TUT_CAGE_RESULT, 0, 100, seq);
        raw(garbage, 50);
        break;
    }
    while (forever)
        continue;
    return TUT_SUCCESS;
}

typedef tut_status (*verb)(tut_cage_task *, const tut_source *, const char *, tut_buf *,
                           tut_error *);

static tut_status job(tut_cage_task *task, const tut_source *bytes, tut_span argument, tut_buf *out,
                      tut_error *err)
{
    static const struct {
        const char *name;
        verb run;
    } verbs[] = {
        {"echo", job_echo},         {"read", job_read},           {"open", job_open},
        {"create", job_create},     {"overwrite", job_overwrite}, {"descriptors", job_descriptors},
        {"stat", job_stat},         {"connect", job_connect},     {"fork", job_fork},
        {"exec", job_exec},         {"kill", job_kill_parent},    {"ptrace", job_ptrace},
        {"execmem", job_execmem},   {"sendfd", job_send_fd},      {"memory", job_memory},
        {"loop", job_loop},         {"segv", job_segv},           {"exit", job_exit},
        {"error", job_error},       {"large", job_large},         {"sibling", job_sibling},
        {"siblings", job_siblings}, {"breach", job_breach},
    };
    char text[8192] = "";
    tut_str_copy(text, sizeof(text), tut_str_from(argument));
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = '\0';
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(text, verbs[i].name) == 0)
            return verbs[i].run(task, bytes, rest ? rest : "", out, err);
    return tut_fail(err, TUT_USAGE, "no such job: %s", text);
}

/* --- running them --- */

typedef struct result {
    bool is_done;
    tut_cage_outcome outcome;
    size_t len;
    char reply[64];
    tut_error error;
} result;

typedef struct batch {
    result results[2000];
    size_t count; /* delivered */
    tut_code fail_with;
} batch;

static batch b; /* large */

static tut_status take(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                       const tut_error *error, tut_error *err)
{
    batch *all = ctx;
    size_t index = (size_t)(uintptr_t)tag;
    assert_int_equal(index, all->count); /* in order of submission */
    result *r = &all->results[all->count++];
    *r = (result){.is_done = true, .outcome = outcome, .len = reply.len};
    tut_str_copy(r->reply, sizeof(r->reply), tut_str_from(reply));
    assert_true((outcome == TUT_CAGE_DONE) == (error == NULL));
    if (error)
        r->error = *error;
    if (all->fail_with != TUT_OK)
        return tut_fail(err, all->fail_with, "the visitor failed");
    return TUT_SUCCESS;
}

static tut_cage *open_cage(unsigned workers, uint64_t task_ms)
{
    tut_cage *cage = NULL;
    tut_cage_options o = {.workers = workers, .task_ms = task_ms};
    b = (batch){0};
    assert_true(tut_is_ok(tut_cage_open(job, &o, &cage, NULL)));
    return cage;
}

static tut_status submit_with(tut_cage *cage, size_t index, const char *argument, int fd, int dirfd)
{
    tut_cage_request r = {.fd = fd,
                          .sibling_dirfd = dirfd,
                          .argument = tut_span_of(argument, strlen(argument)),
                          .tag = (void *)(uintptr_t)index};
    tut_error err = {0};
    tut_status status = tut_cage_submit(cage, &r, take, &b, &err);
    if (!tut_is_ok(status))
        print_message("submit: %s\n", err.text);
    return status;
}

/* The task at hand in the middle of harmless ones, which must all come back right. */
static result *run_among_others(unsigned workers, uint64_t task_ms, const char *argument, int fd,
                                int dirfd)
{
    enum { BEFORE = 12, ALL = 25 };
    TUT_AUTO(tut_cage) cage = open_cage(workers, task_ms);
    for (size_t i = 0; i < ALL; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "echo:%zu", i);
        assert_true(tut_is_ok(i == BEFORE ? submit_with(cage, i, argument, fd, dirfd)
                                          : submit_with(cage, i, text, -1, -1)));
    }
    tut_error err = {0};
    tut_status status = tut_cage_drain(cage, take, &b, &err);
    if (!tut_is_ok(status))
        print_message("drain: %s\n", err.text);
    assert_true(tut_is_ok(status));
    assert_int_equal(b.count, ALL);
    for (size_t i = 0; i < ALL; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%zu", i);
        if (i == BEFORE)
            continue;
        assert_int_equal(b.results[i].outcome, TUT_CAGE_DONE);
        assert_string_equal(b.results[i].reply, text);
    }
    return &b.results[BEFORE];
}

static uint64_t patience_ms(uint64_t ms)
{
    return tut_cage_is_instrumented() ? ms * 10 : ms;
}

static void assert_crashed(const char *argument, const char *text)
{
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        const result *r = run_among_others(workers, patience_ms(5000), argument, -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_CRASHED);
        if (!strstr(r->error.text, text))
            print_error("%s: %s\n", argument, r->error.text);
        assert_non_null(strstr(r->error.text, text));
    }
}

/* A call that the jail punishes; sanitizer builds answer EPERM, valgrind has no filter. */
static void assert_forbidden(const char *argument)
{
    if (!tut_cage_is_instrumented()) {
        assert_crashed(argument, "forbidden system call");
        return;
    }
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (!jail.seccomp)
        return;
    const result *r = run_among_others(1, patience_ms(5000), argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "1"); /* EPERM */
}

static size_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static size_t fds_before;

static int count_before(void **state)
{
    (void)state;
    tut_cage_pretend(-1, true);
    fds_before = open_descriptors();
    return 0;
}

/* After each test: no descriptor and no child process is left. */
static int count_after(void **state)
{
    (void)state;
    size_t now = open_descriptors();
    if (now != fds_before)
        print_error("%zu descriptors before, %zu after\n", fds_before, now);
    errno = 0;
    bool has_child = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
    if (has_child)
        print_error("a worker was not waited for\n");
    return now == fds_before && !has_child ? 0 : -1;
}

static bool is_jailed(void)
{
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    return jail.landlock_abi > 0 || jail.seccomp;
}

/* --- the claims --- */

static void a_job_sees_its_file_and_its_argument(void **state)
{
    (void)state;
    char path[] = "/tmp/tutela-test-cage-XXXXXX";
    int out = mkstemp(path);
    assert_int_equal(write(out, "content", 7), 7);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink(path), 0);
    const result *r = run_among_others(2, 0, "read", in, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "content");
    r = run_among_others(2, 0, "read", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(r->len, 0);
    /* open for writing here, read-only there */
    r = run_among_others(2, 0, "read", out, -1);
    assert_string_equal(r->reply, "content");
    r = run_among_others(2, 0, "overwrite", out, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(strtol(r->reply, NULL, 10), EBADF);
    (void)close(in);
    (void)close(out);
}

static void a_worker_has_no_other_descriptors(void **state)
{
    (void)state;
    int extra = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    assert_true(extra >= 0);
    TUT_AUTO(tut_cage) cage = open_cage(3, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "descriptors", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    /* those of tasks sent ahead are rightly there; these have none */
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(b.results[i].reply, "0");
    (void)close(extra);
}

static void a_job_cannot_open_look_up_or_create_files(void **state)
{
    (void)state;
    if (!is_jailed())
        skip();
    static const char *const arguments[] = {"open:/etc/passwd",
                                            "open:/",
                                            "open:.",
                                            "open:/proc/self/status",
                                            "create:/tmp/tutela-test-cage-escape",
                                            "create:tutela-test-cage-escape"};
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        const result *r = run_among_others(1, 0, arguments[i], -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_DONE);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
    }
    assert_int_equal(access("/tmp/tutela-test-cage-escape", F_OK), -1);
    assert_int_equal(access("tutela-test-cage-escape", F_OK), -1);
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.seccomp) {
        const result *r = run_among_others(1, 0, "stat:/etc/passwd", -1, -1);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
    }
}

/* Each half of the jail keeps files shut without the other. */
static void either_half_alone_keeps_files_shut(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi > 0) {
        for (int abi = 1; abi <= jail.landlock_abi; abi++) {
            tut_cage_pretend(abi, false);
            const result *r = run_among_others(1, 0, "open:/etc/passwd", -1, -1);
            assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            r = run_among_others(1, 0, "create:/tmp/tutela-test-cage-escape", -1, -1);
            assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            if (abi >= 4) {
                r = run_among_others(1, 0, "connect", -1, -1);
                assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            }
            if (abi >= 6) {
                r = run_among_others(1, 0, "kill", -1, -1);
                assert_int_equal(strtol(r->reply, NULL, 10), EPERM);
            }
        }
    }
    if (jail.seccomp) {
        tut_cage_pretend(0, true);
        const result *r = run_among_others(1, 0, "open:/etc/passwd", -1, -1);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
        assert_forbidden("connect");
    }
}

static void a_job_that_connects_is_killed(void **state)
{
    (void)state;
    assert_forbidden("connect");
}

static void a_job_that_forks_is_killed(void **state)
{
    (void)state;
    assert_forbidden("fork");
}

static void a_job_that_execs_is_killed(void **state)
{
    (void)state;
    assert_forbidden("exec");
}

static void a_job_that_signals_or_traces_its_parent_is_killed(void **state)
{
    (void)state;
    assert_forbidden("kill");
    assert_forbidden("ptrace");
}

static void a_job_that_wants_memory_to_run_is_killed(void **state)
{
    (void)state;
    assert_forbidden("execmem");
}

static void a_job_that_sends_descriptors_is_killed(void **state)
{
    (void)state;
    assert_forbidden("sendfd");
}

static void too_much_memory_is_an_error_of_that_task(void **state)
{
    (void)state;
    if (tut_cage_is_instrumented())
        skip(); /* no memory limit there */
    const result *r = run_among_others(2, 0, "memory", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_NOMEM);
    unsigned mib = 0;
    const char *number = strstr(r->error.text, "after ");
    assert_non_null(number);
    mib = (unsigned)strtoul(number + 6, NULL, 10);
    assert_true(mib >= 256 && mib <= 400);
}

static void a_job_that_never_ends_is_late(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        uint64_t before = tut_clock_ms();
        const result *r = run_among_others(workers, patience_ms(100), "loop", -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
        assert_int_equal(r->error.code, TUT_LIMIT);
        assert_non_null(strstr(r->error.text, "twice"));
        uint64_t took = tut_clock_ms() - before;
        assert_true(took >= patience_ms(200) && took < patience_ms(2000));
    }
}

static void a_job_that_crashes_is_named_with_its_signal(void **state)
{
    (void)state;
    assert_crashed("segv", "signal 11");
    assert_crashed("exit", "status 7");
}

static void several_bad_ones_in_a_row_each_get_their_own_outcome(void **state)
{
    (void)state;
    static const char *const arguments[] = {"segv", "echo:a", "loop",   "exit", "segv",
                                            "loop", "error:", "echo:b", "exit", "echo:c"};
    static const tut_cage_outcome outcomes[] = {
        TUT_CAGE_CRASHED, TUT_CAGE_DONE,   TUT_CAGE_TIMEOUT, TUT_CAGE_CRASHED, TUT_CAGE_CRASHED,
        TUT_CAGE_TIMEOUT, TUT_CAGE_FAILED, TUT_CAGE_DONE,    TUT_CAGE_CRASHED, TUT_CAGE_DONE};
    for (unsigned workers = 1; workers <= 4; workers++) {
        TUT_AUTO(tut_cage) cage = open_cage(workers, patience_ms(60));
        for (size_t i = 0; i < 10; i++)
            assert_true(tut_is_ok(submit_with(cage, i, arguments[i], -1, -1)));
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        assert_int_equal(b.count, 10);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(b.results[i].outcome, outcomes[i]);
        assert_string_equal(b.results[9].reply, "c");
    }
}

static void a_jobs_error_arrives_whole(void **state)
{
    (void)state;
    const result *r = run_among_others(2, 0, "error:really", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_MALFORMED);
    assert_true(r->error.has_offset);
    assert_int_equal(r->error.offset, 42);
    assert_string_equal(r->error.text, "no good: really");
    assert_string_equal(r->error.path, "inner/name");
    assert_int_equal(r->len, 0);
}

static void a_reply_may_have_its_full_size_and_no_more(void **state)
{
    (void)state;
    char argument[32];
    (void)snprintf(argument, sizeof(argument), "large:%u", TUT_LIMIT_REPLY_BYTES);
    const result *r = run_among_others(2, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_int_equal(r->len, TUT_LIMIT_REPLY_BYTES);
    (void)snprintf(argument, sizeof(argument), "large:%u", TUT_LIMIT_REPLY_BYTES + 1);
    r = run_among_others(2, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_LIMIT);
}

static void a_worker_that_breaks_the_protocol_is_given_up(void **state)
{
    (void)state;
    static const char kinds[] = "kzslmeortdga";
    for (const char *k = kinds; *k; k++) {
        char argument[16];
        (void)snprintf(argument, sizeof(argument), "breach:%c", *k);
        int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const result *r = run_among_others(1, patience_ms(1000), argument, -1, dirfd);
        (void)close(dirfd);
        /* an answer of its own, twice, is that of its task; the second one is the breach */
        tut_cage_outcome wanted = *k == 'd' ? TUT_CAGE_DONE : TUT_CAGE_CRASHED;
        if (r->outcome != wanted)
            print_error("breach %c: outcome %d, %s\n", *k, (int)r->outcome, r->error.text);
        assert_int_equal(r->outcome, wanted);
        if (wanted == TUT_CAGE_CRASHED)
            assert_non_null(strstr(r->error.text, "protocol"));
    }
    const result *r = run_among_others(1, patience_ms(100), "breach:h", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
    r = run_among_others(1, patience_ms(100), "breach:n", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
}

static void siblings_come_from_beneath_only(void **state)
{
    (void)state;
    char dir[] = "/tmp/tutela-test-cage-XXXXXX";
    assert_non_null(mkdtemp(dir));
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(at, "t", 0755), 0);
    int t = openat(at, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(t, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "shard", 5), 5);
    assert_int_equal(close(fd), 0);
    fd = openat(at, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "secret", 6), 6);
    assert_int_equal(close(fd), 0);
    assert_int_equal(symlinkat("../x", t, "out"), 0);
    assert_int_equal(symlinkat("f", t, "in"), 0);
    assert_int_equal(mkfifoat(t, "fifo", 0600), 0);
    static const struct {
        const char *argument;
        tut_code code;
    } cases[] = {
        {"sibling:f", TUT_OK},          {"sibling:in", TUT_OK},
        {"sibling:../x", TUT_DENIED},   {"sibling:/etc/passwd", TUT_DENIED},
        {"sibling:out", TUT_DENIED},    {"sibling:absent", TUT_IO},
        {"sibling:", TUT_DENIED},       {"sibling:fifo", TUT_UNSUPPORTED},
        {"sibling:.", TUT_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const result *r = run_among_others(2, 0, cases[i].argument, -1, t);
        if (cases[i].code == TUT_OK) {
            assert_int_equal(r->outcome, TUT_CAGE_DONE);
            assert_string_equal(r->reply, "shard");
            continue;
        }
        assert_int_equal(r->outcome, TUT_CAGE_FAILED);
        assert_int_equal(r->error.code, cases[i].code);
    }
    const result *r = run_among_others(2, 0, "sibling:f", -1, -1);
    assert_int_equal(r->error.code, TUT_DENIED);
    char argument[32];
    (void)snprintf(argument, sizeof(argument), "siblings:%u", TUT_LIMIT_SIBLINGS);
    r = run_among_others(1, 0, argument, -1, t);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    (void)snprintf(argument, sizeof(argument), "siblings:%u", TUT_LIMIT_SIBLINGS + 1);
    r = run_among_others(1, 0, argument, -1, t);
    assert_int_equal(r->error.code, TUT_LIMIT);
    assert_int_equal(unlinkat(t, "f", 0) | unlinkat(t, "in", 0) | unlinkat(t, "out", 0), 0);
    assert_int_equal(unlinkat(t, "fifo", 0) | unlinkat(at, "x", 0), 0);
    assert_int_equal(unlinkat(at, "t", AT_REMOVEDIR), 0);
    (void)close(t);
    (void)close(at);
    assert_int_equal(rmdir(dir), 0);
}

static uint64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void two_thousand_tasks_come_back_in_order(void **state)
{
    (void)state;
    uint64_t best_us = UINT64_MAX;
    for (int round = 0; round < 3; round++) {
        uint64_t start = now_us();
        TUT_AUTO(tut_cage) cage = open_cage(0, 0);
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        int dirfd = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < 2000; i++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "echo:%zu", i);
            assert_true(tut_is_ok(submit_with(cage, i, text, fd, dirfd)));
        }
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        (void)close(fd);
        (void)close(dirfd);
        assert_int_equal(b.count, 2000);
        for (size_t i = 0; i < 2000; i++)
            assert_int_equal(strtoul(b.results[i].reply, NULL, 10), i);
        uint64_t us = now_us() - start;
        best_us = us < best_us ? us : best_us;
    }
    print_message("2,000 tasks in %llu us\n", (unsigned long long)best_us);
}

static void one_call_takes_little_time(void **state)
{
    (void)state;
    uint64_t best_us = UINT64_MAX;
    for (int round = 0; round < 10; round++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        uint64_t start = now_us();
        tut_buf_add_z(&out, "kept ");
        assert_true(tut_is_ok(tut_cage_call(job, NULL, -1, tut_span_of("echo:x", 6), &out, NULL)));
        uint64_t us = now_us() - start;
        best_us = us < best_us ? us : best_us;
        assert_string_equal(tut_buf_z(&out), "kept x");
    }
    print_message("one call in %llu us\n", (unsigned long long)best_us);
}

static void a_call_hands_its_failure_up(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_cage_options o = {.task_ms = patience_ms(60)};
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("error:x", 7), &out, &err).code,
                     TUT_MALFORMED);
    assert_string_equal(err.text, "no good: x");
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("segv", 4), &out, &err).code, TUT_BUG);
    assert_int_equal(tut_cage_call(job, &o, -1, tut_span_of("loop", 4), &out, &err).code,
                     TUT_LIMIT);
    assert_int_equal(out.len, 0);
}

static void a_large_argument_arrives_whole(void **state)
{
    (void)state;
    size_t len = 6u << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'y', len);
    memcpy(text, "echo:", 5);
    text[len] = '\0';
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    for (size_t i = 0; i < 6; i++)
        assert_true(tut_is_ok(submit_with(cage, i, text, -1, -1)));
    free(text);
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_int_equal(b.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(b.results[i].outcome, TUT_CAGE_DONE);
        assert_int_equal(b.results[i].len, 8191 - 5); /* what the job's own text holds of it */
    }
}

static void a_visitor_that_fails_ends_the_drain(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "echo:x", -1, -1)));
    b.fail_with = TUT_STORE;
    tut_error err = {0};
    assert_int_equal(tut_cage_drain(cage, take, &b, &err).code, TUT_STORE);
    assert_string_equal(err.text, "the visitor failed");
    assert_int_equal(b.count, 1);
}

static void a_cage_freed_with_tasks_under_way_leaves_nothing(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(3, 0);
    for (size_t i = 0; i < 7; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "loop", -1, -1)));
    /* count_after() looks for descriptors and children */
}

static void facts_tell_what_the_kernel_gave(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    tut_cage_facts f;
    tut_cage *cage = open_cage(1, 0);
    tut_cage_get_facts(cage, &f);
    assert_int_equal(f.landlock_abi, jail.landlock_abi);
    assert_int_equal(f.seccomp, jail.seccomp);
    assert_int_equal(f.complete, f.lacking[0] == '\0');
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:x", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    tut_cage_facts after;
    tut_cage_get_facts(cage, &after);
    assert_memory_equal(&f, &after, sizeof(f));
    tut_cage_free(cage);
}

static void a_lacking_part_is_told_and_require_refuses(void **state)
{
    (void)state;
    static const struct {
        int abi;
        bool seccomp;
        const char *lacking;
    } cases[] = {{0, true, "landlock"}, {-1, false, "seccomp"}, {0, false, "landlock, seccomp"}};
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi < 4 || !jail.seccomp)
        skip();
    for (size_t i = 0; i < 3; i++) {
        tut_cage_pretend(cases[i].abi, cases[i].seccomp);
        tut_cage *cage = open_cage(1, 0);
        assert_true(tut_is_ok(submit_with(cage, 0, "echo:x", -1, -1)));
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        assert_string_equal(b.results[0].reply, "x");
        tut_cage_facts f;
        tut_cage_get_facts(cage, &f);
        assert_false(f.complete);
        assert_non_null(strstr(f.lacking, cases[i].lacking));
        tut_cage_free(cage);
        cage = NULL;
        tut_cage_options o = {.mode = TUT_CAGE_REQUIRE};
        tut_error err = {0};
        assert_int_equal(tut_cage_open(job, &o, &cage, &err).code, TUT_UNSUPPORTED);
        assert_non_null(strstr(err.text, cases[i].lacking));
        assert_null(cage);
    }
    tut_cage_pretend(-1, true);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_cage_options o = {.mode = TUT_CAGE_REQUIRE};
    assert_true(tut_is_ok(tut_cage_call(job, &o, -1, tut_span_of("echo:x", 6), &out, NULL)));
}

/* The probe was too hopeful: the worker itself finds out, and nothing is parsed. */
static void require_holds_when_only_the_worker_finds_out(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi < 4 || !jail.seccomp)
        skip();
    tut_cage *cage = NULL;
    tut_cage_options o = {.mode = TUT_CAGE_REQUIRE, .workers = 1};
    b = (batch){0};
    assert_true(tut_is_ok(tut_cage_open(job, &o, &cage, NULL)));
    tut_cage_pretend(0, true);
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:x", -1, -1)));
    tut_error err = {0};
    assert_int_equal(tut_cage_drain(cage, take, &b, &err).code, TUT_UNSUPPORTED);
    assert_non_null(strstr(err.text, "landlock"));
    assert_int_equal(b.count, 0);
    tut_cage_free(cage);
}

/* In a child of its own; returns its exit status. */
static int in_child(int (*what)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(what());
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void on_alarm(int number)
{
    (void)number;
    (void)raise(SIGINT);
}

static int interrupted_drain(void)
{
    tut_interrupt_install();
    (void)signal(SIGALRM, on_alarm);
    tut_cage *cage = open_cage(2, 0);
    for (size_t i = 0; i < 4; i++)
        if (!tut_is_ok(submit_with(cage, i, "loop", -1, -1)))
            return 1;
    (void)alarm(1);
    tut_error err = {0};
    if (tut_cage_drain(cage, take, &b, &err).code != TUT_CANCELLED || !tut_interrupted())
        return 2;
    if (waitpid(-1, NULL, WNOHANG) != -1)
        return 3; /* the workers are gone by then */
    tut_cage_free(cage);
    return b.count == 0 ? 0 : 4;
}

static int second_interrupt(void)
{
    tut_interrupt_install();
    (void)raise(SIGTERM);
    (void)raise(SIGINT);
    return 0;
}

static void interruption_ends_the_drain_and_a_second_the_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(interrupted_drain), 0);
    assert_int_equal(in_child(second_interrupt), 128 + SIGINT);
}

/* Ctrl-C reaches the whole group of processes: workers leave it to their parent. */
static void workers_ignore_ctrl_c(void **state)
{
    (void)state;
    TUT_AUTO(tut_cage) cage = open_cage(1, 0);
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:a", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    pid_t worker = cage->workers[0].pid;
    assert_int_equal(kill(worker, SIGINT), 0);
    assert_true(tut_is_ok(submit_with(cage, 1, "echo:b", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_int_equal(cage->workers[0].pid, worker);
    assert_string_equal(b.results[1].reply, "b");
}

static void workers_die_with_their_parent(void **state)
{
    (void)state;
    int tell[2];
    assert_int_equal(pipe(tell), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tut_cage *cage = open_cage(1, 0);
        if (!tut_is_ok(submit_with(cage, 0, "echo:a", -1, -1)) ||
            !tut_is_ok(tut_cage_drain(cage, take, &b, NULL)) ||
            !tut_is_ok(submit_with(cage, 1, "loop", -1, -1)))
            _exit(1);
        pid_t worker = cage->workers[0].pid;
        _exit(write(tell[1], &worker, sizeof(worker)) == sizeof(worker) ? 0 : 1);
    }
    pid_t worker = 0;
    int status = 0;
    assert_int_equal(read(tell[0], &worker, sizeof(worker)), sizeof(worker));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    /* orphaned to us; it must end by itself */
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
    (void)close(tell[0]);
    (void)close(tell[1]);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 12; n++) {
        tut_alloc_fail_after(n);
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_status status = tut_cage_call(job, NULL, -1, tut_span_of("echo:x", 6), &out, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status))
            assert_string_equal(tut_buf_z(&out), "x");
    }
}

static int as_ordinary_user(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 77;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    if (!tut_is_ok(tut_cage_call(job, NULL, -1, tut_span_of("open:/etc/passwd", 16), &out, NULL)))
        return 1;
    if (is_jailed() && strtol(tut_buf_z(&out), NULL, 10) != EACCES)
        return 2;
    const result *r = run_among_others(2, patience_ms(5000), "segv", -1, -1);
    if (r->outcome != TUT_CAGE_CRASHED)
        return 3;
    r = run_among_others(2, patience_ms(100), "loop", -1, -1);
    return r->outcome == TUT_CAGE_TIMEOUT ? 0 : 4;
}

static void it_holds_for_an_ordinary_user(void **state)
{
    (void)state;
    assert_int_equal(in_child(as_ordinary_user), 0);
}

static int with_few_descriptors(void)
{
    struct rlimit few = {.rlim_cur = 40, .rlim_max = 40};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    TUT_AUTO(tut_cage) cage = open_cage(2, 0);
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < 200; i++)
        if (!tut_is_ok(submit_with(cage, i, "echo:x", fd, -1)))
            return 2;
    return tut_is_ok(tut_cage_drain(cage, take, &b, NULL)) && b.count == 200 ? 0 : 3;
}

static void few_descriptors_are_enough(void **state)
{
    (void)state;
    if (tut_cage_is_instrumented())
        skip(); /* such tools keep some for themselves */
    assert_int_equal(in_child(with_few_descriptors), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_sees_its_file_and_its_argument),
        TEST(a_worker_has_no_other_descriptors),
        TEST(a_job_cannot_open_look_up_or_create_files),
        TEST(either_half_alone_keeps_files_shut),
        TEST(a_job_that_connects_is_killed),
        TEST(a_job_that_forks_is_killed),
        TEST(a_job_that_execs_is_killed),
        TEST(a_job_that_signals_or_traces_its_parent_is_killed),
        TEST(a_job_that_wants_memory_to_run_is_killed),
        TEST(a_job_that_sends_descriptors_is_killed),
        TEST(too_much_memory_is_an_error_of_that_task),
        TEST(a_job_that_never_ends_is_late),
        TEST(a_job_that_crashes_is_named_with_its_signal),
        TEST(several_bad_ones_in_a_row_each_get_their_own_outcome),
        TEST(a_jobs_error_arrives_whole),
        TEST(a_reply_may_have_its_full_size_and_no_more),
        TEST(a_worker_that_breaks_the_protocol_is_given_up),
        TEST(siblings_come_from_beneath_only),
        TEST(two_thousand_tasks_come_back_in_order),
        TEST(one_call_takes_little_time),
        TEST(a_call_hands_its_failure_up),
        TEST(a_large_argument_arrives_whole),
        TEST(a_visitor_that_fails_ends_the_drain),
        TEST(a_cage_freed_with_tasks_under_way_leaves_nothing),
        TEST(facts_tell_what_the_kernel_gave),
        TEST(a_lacking_part_is_told_and_require_refuses),
        TEST(require_holds_when_only_the_worker_finds_out),
        TEST(interruption_ends_the_drain_and_a_second_the_process),
        TEST(workers_ignore_ctrl_c),
        TEST(workers_die_with_their_parent),
        TEST(running_out_of_memory_is_an_ordinary_error),
        TEST(it_holds_for_an_ordinary_user),
        TEST(few_descriptors_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
