#include "govern/training_git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

void tut_git_log_done(tut_git_log *l)
{
    tut_free(l->items);
    tut_buf_done(&l->text);
}

/* --- the child --- */

typedef struct child {
    pid_t pid;
    int out, told; /* what it writes; a file with what it complains about */
} child;

#define OFF(setting) "-c", setting

static tut_status spawn(char *const argv[], char *const envp[], int out, child *c, tut_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&actions, out, 1);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&actions, c->told, 2);
    failed = failed ? failed : posix_spawnp(&c->pid, "git", &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed == ENOENT)
        return tut_fail(err, TUT_USAGE,
                        "git is not installed here, and the commits are its to tell");
    return failed ? tut_fail_errno(err, failed, "git could not be started") : TUT_SUCCESS;
}

static tut_status read_out(child *c, tut_buf *out, tut_error *err)
{
    uint64_t end = tut_clock_ms() + (uint64_t)TUT_GIT_SECONDS * 1000;
    uint8_t part[64 << 10];
    for (;;) {
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        uint64_t now = tut_clock_ms();
        int ready = now >= end ? 0 : poll(&p, 1, (int)(end - now));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            return tut_fail_errno(err, errno, "git could not be read");
        if (ready == 0)
            return tut_fail(err, TUT_LIMIT, "git did not answer within %d s", TUT_GIT_SECONDS);
        ssize_t n = read(c->out, part, sizeof(part));
        if (n < 0 && errno != EINTR)
            return tut_fail_errno(err, errno, "git could not be read");
        if (n == 0)
            return TUT_SUCCESS;
        if (n > 0)
            tut_buf_add(out, part, (size_t)n);
        if (out->len > TUT_GIT_BYTES)
            return tut_fail(err, TUT_LIMIT,
                            "there are more commits than are looked at at once; "
                            "name a shorter range");
        TUT_TRY(tut_buf_check(out, err));
    }
}

/* The last line of what git complained about, which is the one that says it. */
static tut_status complaint(const child *c, int wait_status, tut_error *err)
{
    char text[1024];
    ssize_t n = pread(c->told, text, sizeof(text), 0);
    tut_str s = tut_str_trim((tut_str){text, n > 0 ? (size_t)n : 0});
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\n')
            s.len = i;
    if (s.len == 0)
        return tut_fail(err, TUT_IO, "git ended with status %d", wait_status);
    return tut_fail(err, TUT_USAGE, "git says: %.*s", (int)(s.len > 300 ? 300 : s.len), s.data);
}

static tut_status finish(child *c, tut_status status, tut_error *err)
{
    int wait_status = 0;
    if (!tut_is_ok(status))
        kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    TUT_TRY(status);
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
        return TUT_SUCCESS;
    return complaint(c, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1, err);
}

static tut_status run_with(child *c, char *const argv[], char *const envp[], tut_buf *out,
                           tut_error *err)
{
    int pipes[2];
    TUT_TRY(tut_fs_open_nameless(&c->told, err));
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return tut_fail_errno(err, errno, "no pipe for git");
    c->out = pipes[0];
    tut_status status = spawn(argv, envp, pipes[1], c, err);
    close(pipes[1]);
    TUT_TRY(status);
    return finish(c, read_out(c, out, err), err);
}

/* Nothing of the repository's or the user's configuration starts a program: what could is switched
 * off, and a safe directory is every one for the same reason. */
static tut_status run_git(const char *dir, const char *const *words, tut_buf *out, tut_error *err)
{
    enum { WORDS_MAX = 40 };
    static const char *const before[] = {"git",
                                         "--no-pager",
                                         "--no-optional-locks",
                                         "--no-replace-objects",
                                         OFF("safe.directory=*"),
                                         OFF("core.fsmonitor="),
                                         OFF("core.hooksPath=/dev/null"),
                                         OFF("core.pager=cat"),
                                         OFF("log.showSignature=false"),
                                         OFF("log.mailmap=false"),
                                         OFF("gpg.program=/bin/false"),
                                         OFF("protocol.allow=never"),
                                         OFF("gc.auto=0"),
                                         "-C"};
    static const char *const settings[] = {
        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
        "GIT_NO_LAZY_FETCH=1",   "GIT_GRAFT_FILE=/dev/null",    "GIT_OPTIONAL_LOCKS=0",
        "GIT_PAGER=cat",         "HOME=/nonexistent",           "LC_ALL=C"};
    const char *argv[WORDS_MAX], *envp[WORDS_MAX];
    size_t n = 0, e = 0;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        argv[n++] = before[i];
    argv[n++] = dir;
    for (size_t i = 0; words[i] && n + 1 < WORDS_MAX; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        envp[e++] = settings[i];
    const char *path = getenv("PATH");
    TUT_AUTO_FREE char *path_setting = tut_asprintf("PATH=%s", path ? path : "/usr/bin:/bin");
    if (!path_setting)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    envp[e++] = path_setting;
    envp[e] = NULL;
    child c = {.out = -1, .told = -1};
    union { /* posix_spawn takes them so, and changes nothing */
        const char **in;
        char **out;
    } args = {.in = argv}, environment = {.in = envp};
    tut_status status = run_with(&c, args.out, environment.out, out, err);
    if (c.out >= 0)
        close(c.out);
    if (c.told >= 0)
        close(c.told);
    return status;
}

/* --- what it tells --- */

static bool take_field(tut_str *rest, tut_str *ret)
{
    const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
    if (!end)
        return false;
    *ret = (tut_str){rest->data, (size_t)(end - rest->data)};
    *rest = (tut_str){end + 1, rest->len - ret->len - 1};
    return true;
}

tut_status tut_git_parse(tut_git_log *log, tut_error *err)
{
    tut_str rest = tut_buf_str(&log->text);
    while (rest.len > 0) {
        tut_git_commit c = {.at = 0};
        tut_str at;
        uint64_t seconds;
        bool is_whole = take_field(&rest, &c.id) && take_field(&rest, &c.author.name) &&
                        take_field(&rest, &c.author.mail) && take_field(&rest, &c.committer.name) &&
                        take_field(&rest, &c.committer.mail) && take_field(&rest, &at) &&
                        rest.len > 0 && rest.data[0] == '\n' && tut_str_u64(at, &seconds) &&
                        seconds < (uint64_t)1 << 40 && (c.id.len == 40 || c.id.len == 64);
        if (!is_whole)
            return tut_fail(err, TUT_MALFORMED, "git's list of commits is not understood");
        rest = (tut_str){rest.data + 1, rest.len - 1};
        c.at = (tut_time)seconds;
        if (log->count == TUT_GIT_COMMITS)
            return tut_fail(err, TUT_LIMIT, "there are more than %d commits; name a shorter range",
                            TUT_GIT_COMMITS);
        if (!tut_is_ok(tut_grow(&log->items, log->count, &log->capacity, sizeof(*log->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        log->items[log->count++] = c;
    }
    return TUT_SUCCESS;
}

tut_status tut_git_read(const char *dir, const char *range, tut_git_log *ret_log, tut_error *err)
{
    const char *const log[] = {"log",
                               "--no-show-signature",
                               "--no-decorate",
                               "--format=tformat:%H%x00%an%x00%ae%x00%cn%x00%ce%x00%ct%x00",
                               "--end-of-options",
                               range,
                               "--",
                               NULL};
    const char *const shallow[] = {"rev-parse", "--is-shallow-repository", NULL};
    TUT_CLEAN(tut_buf) told = TUT_BUF_INIT;
    TUT_CLEAN(tut_git_log) l = {.count = 0};
    TUT_TRY(run_git(dir, shallow, &told, err));
    l.is_shallow = tut_str_eq_z(tut_str_trim(tut_buf_str(&told)), "true");
    TUT_TRY(run_git(dir, log, &l.text, err));
    TUT_TRY(tut_git_parse(&l, err));
    *ret_log = l;
    l = (tut_git_log){.count = 0};
    return TUT_SUCCESS;
}
