#include "guard/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "base/jail.h"
#include "guard/jwks_fetch.h"
#include "guard/live.h"
#include "guard/rotate.h"
#include "ledger/body_seal.h"

enum {
    TEND_MS = 200,
    DEATHS_MAX = 6,
    DEATHS_MS = 60000,
    QUIT_MS = 70000,
    LEDGER_MS = 10000,
    SERVED_ELSEWHERE = 75,
    CLAIMS = 10,
    CLAIM_US = 10000
};

typedef struct keeper {
    const tut_keeper_options *o;
    tut_live *live;
    int lock_fd;
    pid_t tending;
    pid_t nginx, ledger, approvals, keys; /* 0: not running; ledger also where another one serves,
                                             keys where none are fetched */
    bool has_ledger;
    uint64_t deaths[DEATHS_MAX];
    size_t death_count;
} keeper;

static volatile sig_atomic_t hang_up;

static void on_hang_up(int sig)
{
    (void)sig;
    hang_up = 1;
}

/* --- one of a kind --- */
static int open_lock(const char *dir)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "keeper.lock");
    return path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

tut_status tut_keeper_pid(const char *dir, pid_t *ret_pid, tut_error *err)
{
    char text[32] = "";
    *ret_pid = 0;
    if (!tut_fs_is_dir(dir))
        return TUT_SUCCESS;
    int fd = open_lock(dir);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s/keeper.lock cannot be opened", dir);
    bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
    ssize_t got = is_free ? 0 : pread(fd, text, sizeof(text) - 1, 0);
    (void)close(fd);
    if (!is_free && got > 0)
        *ret_pid = (pid_t)strtol(text, NULL, 10);
    if (!is_free && *ret_pid <= 0)
        return tut_fail(err, TUT_STORE, "%s/keeper.lock is held by a process that is just starting",
                        dir);
    return TUT_SUCCESS;
}

static tut_status claim(keeper *k, tut_error *err)
{
    char text[32];
    k->lock_fd = open_lock(k->o->dir);
    if (k->lock_fd < 0)
        return tut_fail_errno(err, errno, "%s/keeper.lock cannot be opened", k->o->dir);
    bool is_ours = false;
    for (int i = 0; i < CLAIMS && !is_ours; i++) { /* somebody may just be asking */
        is_ours = flock(k->lock_fd, LOCK_EX | LOCK_NB) == 0;
        if (!is_ours)
            (void)usleep(CLAIM_US);
    }
    if (!is_ours)
        return tut_fail(err, TUT_STORE, "a guard runs here already; tutela guard down ends it");
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(k->lock_fd, 0) != 0 || pwrite(k->lock_fd, text, (size_t)len, 0) != len)
        return tut_fail_errno(err, errno, "%s/keeper.lock cannot be written", k->o->dir);
    return TUT_SUCCESS;
}

/* --- nginx --- */
tut_status tut_keeper_find_nginx(char **ret_path, tut_error *err)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/local/sbin/nginx",
                                         "/usr/bin/nginx"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (access(places[i], X_OK) != 0)
            continue;
        *ret_path = tut_strdup(places[i]);
        return *ret_path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return tut_fail(err, TUT_USAGE, "nginx is not installed; on Debian: apt-get install nginx");
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)signal(numbers[i], SIG_DFL);
}

static void become_nginx(const char *nginx, const char *dir, uint32_t capabilities, bool is_test)
    __attribute__((noreturn));
static void become_nginx(const char *nginx, const char *dir, uint32_t capabilities, bool is_test)
{
    char *path = tut_strdup(nginx);
    char *prefix = tut_asprintf("%s/", dir);
    char *conf = tut_asprintf("%s/nginx.conf", dir);
    char *errors = tut_asprintf("%s", is_test ? "stderr" : "/dev/null");
    char *env[] = {NULL};
    char dash_p[] = "-p", dash_c[] = "-c", dash_e[] = "-e", dash_t[] = "-t", dash_q[] = "-q";
    char *argv[] = {path,   dash_p, prefix, dash_c, conf, dash_e, errors, is_test ? dash_t : NULL,
                    dash_q, NULL};
    reset_signals();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    tut_jail_keep_capabilities(capabilities);
    if (path && prefix && conf && errors)
        (void)execve(path, argv, env);
    _exit(127);
}

tut_status tut_keeper_test(const char *nginx, const char *dir, tut_error *err)
{
    int pipe_fds[2];
    char text[600];
    size_t len = 0;
    int rc = 0;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return tut_fail_errno(err, errno, "no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(pipe_fds[1], STDERR_FILENO);
        (void)dup2(pipe_fds[1], STDOUT_FILENO);
        become_nginx(nginx, dir, 1u << CAP_SETGID, true);
    }
    (void)close(pipe_fds[1]);
    if (pid < 0) {
        (void)close(pipe_fds[0]);
        return tut_fail_errno(err, errno, "nginx cannot be started");
    }
    for (;;) {
        ssize_t got = read(pipe_fds[0], text + len, sizeof(text) - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    (void)close(pipe_fds[0]);
    while (waitpid(pid, &rc, 0) < 0 && errno == EINTR)
        continue;
    text[len] = '\0';
    if (WIFEXITED(rc) && WEXITSTATUS(rc) == 0)
        return TUT_SUCCESS;
    text[strcspn(text, "\n")] = '\0';
    return tut_fail(err, TUT_USAGE, "nginx does not take the configuration: %s",
                    text[0] ? text : "it says nothing");
}

static tut_status start_nginx(keeper *k, tut_error *err)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0);
        become_nginx(k->o->nginx, k->o->dir, k->o->capabilities, false);
    }
    if (pid < 0)
        return tut_fail_errno(err, errno, "nginx cannot be started");
    k->nginx = pid;
    return TUT_SUCCESS;
}

/* --- the ledger --- */
static void serve_ledger(const keeper *k) __attribute__((noreturn));
static void serve_ledger(const keeper *k)
{
    tut_error err = {0};
    reset_signals();
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    tut_status status = tut_sequencer_serve(&k->o->ledger, NULL, NULL, &err);
    if (tut_is_ok(status))
        _exit(0);
    (void)fprintf(stderr, "ledger: %s\n", err.text);
    _exit(status.code == TUT_STORE ? SERVED_ELSEWHERE : 70);
}

static tut_status start_ledger(keeper *k, tut_error *err)
{
    pid_t pid = fork();
    if (pid == 0)
        serve_ledger(k);
    if (pid < 0)
        return tut_fail_errno(err, errno, "the ledger cannot be served");
    k->ledger = pid;
    return TUT_SUCCESS;
}

/* --- approvals --- */
static tut_status start_approvals(keeper *k, tut_error *err)
{
    if (!k->o->approvals)
        return TUT_SUCCESS;
    pid_t pid = fork();
    if (pid == 0) {
        tut_error why = {0};
        reset_signals();
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
        if (tut_is_ok(k->o->approvals(k->o->ctx, &why)))
            _exit(0);
        (void)fprintf(stderr, "approvals: %s\n", why.text);
        _exit(70);
    }
    if (pid < 0)
        return tut_fail_errno(err, errno, "no process for approvals can be started");
    k->approvals = pid;
    return TUT_SUCCESS;
}

/* --- keys of an issuer --- */
static tut_status start_keys(keeper *k, tut_error *err)
{
    if (!tut_jwks_is_planned(k->o->dir))
        return TUT_SUCCESS;
    pid_t pid = fork();
    if (pid == 0) {
        reset_signals();
        tut_interrupt_install();
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        tut_jwks_keep_fresh(k->o->dir);
        _exit(0);
    }
    if (pid < 0)
        return tut_fail_errno(err, errno, "no process for the keys of tokens can be started");
    k->keys = pid;
    return TUT_SUCCESS;
}

/* --- what is looked after once a minute --- */
static void start_tending(keeper *k)
{
    if (!k->o->tend || k->tending > 0)
        return;
    k->tending = fork();
    if (k->tending != 0)
        return;
    tut_error why = {0};
    reset_signals();
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (tut_is_ok(k->o->tend(k->o->tend_ctx, &why)))
        _exit(0);
    (void)fprintf(stderr, "tending: %s %s\n", why.path, why.text);
    _exit(70);
}

/* --- the secret --- */
tut_status tut_keeper_secret(const char *dir, const tut_keystore *keys, tut_time now,
                             bool *ret_is_new, tut_error *err)
{
    static const char label[] = "tutela guard exchange v1";
    char period[TUT_PERIOD_NAME];
    uint8_t of_period[TUT_PERIOD_SECRET], secret[TUT_SHA256_BYTES];
    unsigned len = 0;
    TUT_CLEAN(tut_buf) old = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "secret");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_seal_period(now, period, err));
    for (unsigned n = 1; tut_keystore_is_erased(keys, period) && n < TUT_SEAL_MONTH_SECRETS; n++) {
        char month[TUT_PERIOD_NAME];
        TUT_TRY(tut_seal_period(now, month, err));
        TUT_TRY(tut_seal_period_nth(month, n, period, err));
    }
    TUT_TRY(tut_keystore_period(keys, period, true, of_period, err));
    bool is_made = HMAC(EVP_sha256(), of_period, sizeof(of_period), (const uint8_t *)label,
                        sizeof(label) - 1, secret, &len) != NULL;
    explicit_bzero(of_period, sizeof(of_period));
    if (!is_made || len != sizeof(secret))
        return tut_fail(err, TUT_BUG, "no key could be derived");
    *ret_is_new = !tut_is_ok(tut_fs_read(path, sizeof(secret), &old, NULL)) ||
                  old.len != sizeof(secret) || memcmp(old.data, secret, sizeof(secret)) != 0;
    tut_status status = *ret_is_new
                            ? tut_fs_write(path, tut_span_of(secret, sizeof(secret)), 0600, err)
                            : TUT_SUCCESS;
    explicit_bzero(secret, sizeof(secret));
    return status;
}

/* --- living --- */
static bool is_hopeless(keeper *k)
{
    uint64_t now = tut_clock_ms();
    uint64_t *place = &k->deaths[k->death_count % DEATHS_MAX];
    bool too_often = k->death_count >= DEATHS_MAX && now - *place < DEATHS_MS;
    *place = now;
    k->death_count++;
    return too_often;
}

typedef struct part {
    pid_t *pid;
    const char *name, *log;
    tut_status (*start)(keeper *k, tut_error *err);
} part;

static tut_status bury(keeper *k, tut_error *err)
{
    const part parts[] = {
        {&k->nginx, "nginx", "error.log", start_nginx},
        {&k->ledger, "the ledger", "keeper.log", start_ledger},
        {&k->approvals, "the process for approvals", "keeper.log", start_approvals},
        {&k->keys, "the process for the keys of tokens", "keeper.log", start_keys}};
    int rc = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &rc, WNOHANG)) > 0) {
        const part *dead = NULL;
        if (pid == k->tending)
            k->tending = 0;
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            if (pid == *parts[i].pid)
                dead = &parts[i];
        if (!dead)
            continue;
        *dead->pid = 0;
        if (dead->pid == &k->ledger && WIFEXITED(rc) && WEXITSTATUS(rc) == SERVED_ELSEWHERE) {
            k->has_ledger = false; /* looked at again later */
            continue;
        }
        bool has_done = dead->pid == &k->keys && WIFEXITED(rc) && WEXITSTATUS(rc) == 0;
        if (tut_interrupted() || has_done) /* a reload may plan for keys again */
            continue;
        if (is_hopeless(k))
            return tut_fail(err, TUT_BUG, "%s ended for the %dth time within a minute; see %s/%s",
                            dead->name, DEATHS_MAX + 1, k->o->dir, dead->log);
        TUT_TRY(dead->start(k, err));
    }
    return TUT_SUCCESS;
}

static tut_status tend(keeper *k, uint64_t turn, tut_error *err)
{
    bool is_new = false;
    TUT_TRY(bury(k, err));
    if (turn % 5 == 0)
        (void)tut_live_reap(k->live, 0);
    if (turn % 300 == 0 &&
        tut_is_ok(tut_keeper_secret(k->o->dir, k->o->ledger.keys, tut_time_now(), &is_new, NULL)) &&
        is_new && turn > 0)
        hang_up = 1; /* workers read it when they begin */
    if (turn % 300 == 25)
        start_tending(k);
    if (turn % 25 == 10 && k->nginx > 0 && tut_rotate_logs(k->o->dir, TUT_ROTATE_BYTES))
        (void)kill(k->nginx, SIGUSR1);
    if (hang_up) {
        hang_up = 0;
        if (k->nginx > 0)
            (void)kill(k->nginx, SIGHUP);
    }
    if (!k->keys && turn % 5 == 0)
        TUT_TRY(start_keys(k, err));
    return TUT_SUCCESS;
}

static bool wait_for_end(pid_t pid, int most_ms)
{
    uint64_t until = tut_clock_ms() + (uint64_t)most_ms;
    while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
        if (tut_clock_ms() > until)
            return false;
        (void)usleep(20000);
    }
    return true;
}

/* nginx first: what it finishes is still logged. */
static void end(keeper *k)
{
    if (k->nginx > 0) {
        (void)kill(k->nginx, SIGQUIT);
        if (!wait_for_end(k->nginx, QUIT_MS)) {
            (void)kill(k->nginx, SIGTERM);
            if (!wait_for_end(k->nginx, 2000))
                (void)kill(k->nginx, SIGKILL);
        }
    }
    const pid_t helpers[] = {k->approvals, k->keys};
    for (size_t i = 0; i < TUT_COUNT(helpers); i++) {
        if (helpers[i] <= 0)
            continue;
        (void)kill(helpers[i], SIGTERM);
        if (!wait_for_end(helpers[i], 2000))
            (void)kill(helpers[i], SIGKILL);
    }
    if (k->ledger > 0) {
        (void)kill(k->ledger, SIGTERM);
        if (!wait_for_end(k->ledger, LEDGER_MS))
            (void)kill(k->ledger, SIGKILL);
    }
    (void)tut_live_reap(k->live, 0);
}

static tut_status live(keeper *k, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(k->o->dir, "live");
    struct sigaction action = {.sa_handler = on_hang_up};
    bool is_new = false;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(claim(k, err));
    TUT_TRY(tut_live_open(path, false, &k->live, NULL, err));
    (void)sigaction(SIGHUP, &action, NULL);
    TUT_TRY(tut_keeper_secret(k->o->dir, k->o->ledger.keys, tut_time_now(), &is_new, err));
    k->has_ledger = true;
    TUT_TRY(start_ledger(k, err));
    tut_status status = start_nginx(k, err);
    if (tut_is_ok(status))
        status = start_approvals(k, err);
    if (tut_is_ok(status))
        status = start_keys(k, err);
    for (uint64_t turn = 0; tut_is_ok(status) && !tut_interrupted(); turn++) {
        status = tend(k, turn, err);
        if (tut_is_ok(status) && !k->has_ledger && turn % 25 == 0) {
            k->has_ledger = true;
            status = start_ledger(k, err);
        }
        if (tut_is_ok(status) && !tut_interrupted())
            (void)usleep(TEND_MS * 1000);
    }
    end(k);
    return status;
}

tut_status tut_keeper_run(const tut_keeper_options *options, tut_error *err)
{
    keeper k = {.o = options, .lock_fd = -1};
    tut_interrupt_install();
    tut_status status = live(&k, err);
    tut_live_free(k.live);
    if (k.lock_fd >= 0)
        (void)close(k.lock_fd);
    return status;
}
