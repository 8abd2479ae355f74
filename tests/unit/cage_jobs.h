/* What the tests of the cage let a worker do: one job, many verbs. */
#ifndef TUT_TEST_CAGE_JOBS_H
#define TUT_TEST_CAGE_JOBS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The reply is what a write of the lent file answers: the bytes written, or minus errno. */
static tut_status job_write(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                            tut_error *err)
{
    (void)s;
    int fd = -1;
    TUT_TRY(tut_cage_file(t, rest, &fd, err));
    ssize_t n = pwrite(fd, "written", 7, 0);
    return reply_number(out, n < 0 ? -(long)errno : (long)n);
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

/* Writes to so many scratch files, one after the other, and reads what is there. */
static tut_status job_scratch(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                              tut_error *err)
{
    (void)s;
    unsigned long wanted = strtoul(rest, NULL, 10);
    long good = 0;
    for (unsigned long i = 0; i < wanted; i++) {
        int fd = -1;
        struct stat st;
        char text[6] = "";
        TUT_TRY(tut_cage_scratch(t, &fd, err));
        if (fstat(fd, &st) == 0 && st.st_size == 0 && st.st_nlink == 0 &&
            write(fd, "kept", 4) == 4 && pread(fd, text, 5, 0) == 4 && strcmp(text, "kept") == 0)
            good++;
        tut_cage_scratch_done(t, fd);
    }
    return reply_number(out, good);
}

/* Straight onto the socket, past the library, as taken-over code would. */
static void raw(const void *data, size_t len)
{
    ssize_t n = write(3, data, len);
    (void)n;
}

/* Taken-over code finds it: it lies behind the first pointer of the worker's own record. */
static uint64_t seq_of(const tut_cage_task *task)
{
    uint64_t seq;
    memcpy(&seq, (const char *)task + sizeof(void *), sizeof(seq));
    return seq;
}

static void raw_header(uint8_t kind, uint8_t code, uint32_t length, uint64_t seq)
{
    uint8_t bytes[TUT_CAGE_HEADER_BYTES];
    tut_cage_header h = {.kind = kind, .code = code, .length = length, .seq = seq};
    tut_cage_header_write(&h, bytes);
    raw(bytes, sizeof(bytes));
}

/* Asks past the library's own count; the reply is the code of the last answer. */
static tut_status job_raw_siblings(tut_cage_task *t, const tut_source *s, const char *rest,
                                   tut_buf *out, tut_error *err)
{
    (void)s;
    unsigned long wanted = strtoul(rest, NULL, 10);
    tut_cage_header h = {0};
    for (unsigned long i = 0; i < wanted; i++) {
        uint8_t bytes[TUT_CAGE_HEADER_BYTES];
        char text[TUT_ERROR_TEXT_MAX];
        raw_header(TUT_CAGE_ASK, 0, 1, seq_of(t));
        raw("f", 1);
        if (read(3, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
            return tut_fail(err, TUT_IO, "no answer");
        tut_cage_header_read(bytes, &h);
        if (h.length >= sizeof(text) || read(3, text, h.length) != (ssize_t)h.length)
            return tut_fail(err, TUT_IO, "no text");
    }
    return reply_number(out, h.code);
}

static volatile char *shared; /* a page that parent and workers see */

static tut_status job_mark(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                           tut_error *err)
{
    (void)t, (void)s, (void)rest, (void)out, (void)err;
    *shared = 1;
    return TUT_SUCCESS;
}

static tut_status job_breach(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)s, (void)out, (void)err;
    uint64_t seq = seq_of(t);
    char garbage[2 * TUT_CAGE_ERROR_MAX];
    memset(garbage, 0xff, sizeof(garbage));
    const tut_error none = {0};
    size_t len;
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
        len = tut_cage_error_write(&none, (uint8_t *)garbage);
        raw_header(TUT_CAGE_ERROR, TUT_OK, (uint32_t)len, seq);
        raw(garbage, len);
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

/* Needs a worker without the filter, which forbids to ask. */
static tut_status job_limits(tut_cage_task *t, const tut_source *s, const char *rest, tut_buf *out,
                             tut_error *err)
{
    (void)t, (void)s, (void)rest;
    struct rlimit core, size, processes, files, space;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || getrlimit(RLIMIT_FSIZE, &size) != 0 ||
        getrlimit(RLIMIT_NPROC, &processes) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        getrlimit(RLIMIT_AS, &space) != 0)
        return tut_fail(err, TUT_IO, "no limits");
    tut_buf_printf(out, "%d %d %d %d %d %d %d", core.rlim_max == 0,
                   size.rlim_max == TUT_LIMIT_SCRATCH_BYTES, processes.rlim_max == 0,
                   files.rlim_max < 512, space.rlim_max != RLIM_INFINITY,
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    return TUT_SUCCESS;
}

typedef tut_status (*verb)(tut_cage_task *, const tut_source *, const char *, tut_buf *,
                           tut_error *);

static inline tut_status job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                             tut_buf *out, tut_error *err)
{
    static const struct {
        const char *name;
        verb run;
    } verbs[] = {
        {"echo", job_echo},           {"read", job_read},
        {"open", job_open},           {"create", job_create},
        {"overwrite", job_overwrite}, {"descriptors", job_descriptors},
        {"stat", job_stat},           {"connect", job_connect},
        {"fork", job_fork},           {"exec", job_exec},
        {"kill", job_kill_parent},    {"ptrace", job_ptrace},
        {"execmem", job_execmem},     {"sendfd", job_send_fd},
        {"memory", job_memory},       {"loop", job_loop},
        {"segv", job_segv},           {"exit", job_exit},
        {"error", job_error},         {"large", job_large},
        {"sibling", job_sibling},     {"write", job_write},
        {"scratch", job_scratch},     {"siblings", job_siblings},
        {"breach", job_breach},       {"rawsiblings", job_raw_siblings},
        {"mark", job_mark},           {"limits", job_limits},
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

#endif
