/*
 * The birth of the child: it takes the ledger's lock and the log key, opens the logs, gives up what
 * it does not need, and only then listens to anyone.
 *
 * A log key in a token needs its module's system calls, whatever those are: then the child keeps
 * its system calls and paths, and only its privileges go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/jail.h"
#include "ledger/sequencer_server.h"

enum {
    CONTROL = 3, /* where the child keeps its descriptors; 0 to 2 are /dev/null */
    LISTENER = 4,
    LOCK_WAIT_MS = 10000,
    LOCK_STEP_MS = 5,
    READY_MS = LOCK_WAIT_MS + 20000 /* a long log is read when it recovers */
};

/* Files of the ledger, peers, waiting for the disk. */
static const int allowed_calls[] = {
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rmdir),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(ftruncate),
    SCMP_SYS(truncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(syncfs),
    SCMP_SYS(flock),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(fcntl),
    SCMP_SYS(getdents64),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(dup),
    SCMP_SYS(umask),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getcwd),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(mlock),
    SCMP_SYS(munlock),
    SCMP_SYS(fstatfs),
    SCMP_SYS(mlock2),
};

/* Libraries may try; nothing comes of it. */
static const int refused_calls[] = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(ioctl),
};

/* --- in the child --- */

static void say(tut_code code, const tut_error *error)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    char text[TUT_ERROR_TEXT_MAX + TUT_ERROR_PATH_MAX];
    const char *where = tut_error_where(error);
    (void)snprintf(text, sizeof(text), "%s%s%s", where, where[0] ? ": " : "", error->text);
    tut_seq_put_error(&out, TUT_SEQ_BROKEN, code, text);
    if (tut_is_ok(tut_buf_check(&out, NULL)))
        (void)send(CONTROL, out.data, out.len, MSG_NOSIGNAL);
}

/* Whoever forked us decides when we end, by closing the connection. */
static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Into their places, clear of each other's. */
static bool place_descriptors(int control, int listener)
{
    int high = fcntl(control, F_DUPFD_CLOEXEC, 10);
    int high_listener = listener >= 0 ? fcntl(listener, F_DUPFD_CLOEXEC, 10) : -1;
    if (high < 0 || (listener >= 0 && high_listener < 0) || dup2(high, CONTROL) < 0)
        return false;
    if (listener >= 0 ? dup2(high_listener, LISTENER) < 0
                      : (close(LISTENER) != 0 && errno != EBADF))
        return false;
    (void)close(high);
    if (high_listener >= 0)
        (void)close(high_listener);
    return true;
}

static void silence(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* Tools that watch memory keep their standard error. */
    for (int fd = 0; fd < (tut_jail_is_instrumented() ? 2 : 3) && null >= 0; fd++)
        (void)dup2(null, fd);
}

static tut_status take_lock(const char *ledger_dir, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(ledger_dir, "lock");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); /* closed by our end */
    tut_error_set_path(err, path);
    if (fd < 0)
        return tut_fail_errno(err, errno, "cannot be opened");
    for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
        struct pollfd parent = {.fd = CONTROL};
        if (errno != EWOULDBLOCK && errno != EINTR)
            return tut_fail_errno(err, errno, "the ledger cannot be locked");
        if (waited >= LOCK_WAIT_MS)
            return tut_fail(err, TUT_STORE,
                            "another tutela has been writing to this ledger for %d s; try again",
                            LOCK_WAIT_MS / 1000);
        if (poll(&parent, 1, LOCK_STEP_MS) > 0) /* only its end: nobody waits for us any more */
            _exit(1);
    }
    if (err)
        err->path[0] = '\0';
    return TUT_SUCCESS;
}

static void confine(const char *ledger_dir, const char *keys_dir, bool has_token)
{
    static const tut_jail_calls calls = {
        .allowed = allowed_calls,
        .allowed_count = sizeof(allowed_calls) / sizeof(allowed_calls[0]),
        .refused = refused_calls,
        .refused_count = sizeof(refused_calls) / sizeof(refused_calls[0]),
        .may_look = true};
    tut_jail_limit(RLIMIT_CORE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    /* Root may keep the ledger of another user; that takes its right over files, and no other. */
    tut_jail_keep_capabilities(1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER);
    if (has_token)
        return;
    tut_jail_limit(RLIMIT_NPROC, 0);
    int dirs[] = {open(ledger_dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
                  open(keys_dir, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (dirs[0] >= 0 && dirs[1] >= 0)
        (void)tut_jail_enter_landlock(dirs, 2);
    (void)close(dirs[0]);
    (void)close(dirs[1]);
    (void)tut_jail_enter_seccomp(&calls);
}

static tut_status open_keys(const tut_sequencer_options *options, bool has_token,
                            tut_seq_keys *ret_keys, tut_error *err)
{
    /* A token's module keeps descriptors; a passphrase may come through one of the caller's. */
    if (has_token)
        tut_jail_close_from(LISTENER + 1);
    TUT_TRY(tut_seq_keys_open(options, ret_keys, err));
    if (!has_token)
        tut_jail_close_from(LISTENER + 1);
    return TUT_SUCCESS;
}

static tut_status load_access(const tut_sequencer_options *options, tut_seq_access *ret_access,
                              tut_error *err)
{
    TUT_AUTO_FREE char *usual = tut_fs_join(tut_keystore_dir(options->keys), "access");
    if (!usual)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_seq_access_load(options->access ? options->access : usual, ret_access, err);
}

static tut_status prepare(tut_seq_server *s, tut_seq_keys *keys, tut_error *err)
{
    const char *keys_dir = tut_keystore_dir(s->options->keys);
    TUT_AUTO_FREE char *ledger_dir = tut_fs_join(s->options->state_dir, "ledger");
    if (!ledger_dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool has_token = tut_seq_keys_need_token(s->options);
    TUT_TRY(tut_fs_mkdirs(ledger_dir, 0700, err));
    TUT_TRY(open_keys(s->options, has_token, keys, err));
    TUT_TRY(take_lock(ledger_dir, err));
    TUT_TRY(load_access(s->options, &s->access, err));
    s->access.is_rotating = s->options->is_rotating;
    TUT_TRY(tut_seq_keys_open_logs(s->options, keys, &s->logs, err));
    silence();
    confine(ledger_dir, keys_dir, has_token);
    tut_seq_peer_id parent = {.uid = getuid(), .gid = getgid(), .pid = getppid()};
    TUT_TRY(tut_seq_peer_new(CONTROL, &parent, &s->peers[0]));
    s->peers[0]->is_control = true;
    s->peer_count = 1;
    return TUT_SUCCESS;
}

static int child_main(const tut_sequencer_options *options, bool has_listener)
{
    static tut_seq_server server; /* one process, one sequencer */
    tut_seq_keys keys = {.log = NULL};
    tut_error error = {0};
    server.options = options;
    server.listener = has_listener ? LISTENER : -1;
    tut_status status = prepare(&server, &keys, &error);
    if (tut_is_ok(status))
        tut_seq_server_run(&server);
    else
        say(status.code, &error);
    tut_seq_keys_done(&keys); /* wiped; the rest goes with the process */
    return tut_is_ok(status) ? 0 : 1;
}

/* --- in the parent --- */

static tut_status fork_child(const tut_sequencer_options *options, int listener,
                             tut_seq_child *child, tut_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return tut_fail_errno(err, errno, "cannot make a socket for the sequencer");
    pid_t pid = fork();
    if (pid == 0) {
        reset_signals();
        if (!place_descriptors(pair[1], listener))
            _exit(1);
        _exit(child_main(options, listener >= 0));
    }
    int saved = errno;
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return tut_fail_errno(err, saved, "cannot start the sequencer's process");
    }
    *child = (tut_seq_child){.pid = pid, .conn = {.fd = pair[0]}};
    return TUT_SUCCESS;
}

tut_status tut_seq_child_start(const tut_sequencer_options *options, int listener,
                               tut_seq_child *ret_child, tut_error *err)
{
    tut_seq_child child;
    if (!options->keys)
        return tut_fail(err, TUT_USAGE, "there are no keys for this ledger");
    TUT_TRY(fork_child(options, listener, &child, err));
    tut_error why = {0};
    tut_status status = tut_seq_conn_welcome(&child.conn, options->origin, READY_MS, &why);
    if (tut_is_ok(status)) {
        *ret_child = child;
        return status;
    }
    if (status.code == TUT_IO && !child.conn.was_told) /* it died without a word */
        status = tut_seq_child_reap(&child, &why);
    tut_seq_child_kill(&child);
    return tut_fail(err, tut_is_ok(status) ? TUT_BUG : status.code, "%s", why.text);
}

void tut_seq_child_kill(tut_seq_child *child)
{
    tut_seq_conn_done(&child->conn);
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    child->pid = 0;
}

tut_status tut_seq_child_reap(tut_seq_child *child, tut_error *err)
{
    int status = 0;
    pid_t pid;
    do {
        pid = waitpid(child->pid, &status, 0);
    } while (pid < 0 && errno == EINTR);
    child->pid = 0;
    tut_seq_conn_done(&child->conn);
    if (pid > 0 && WIFSIGNALED(status))
        return tut_fail(err, TUT_BUG, "the sequencer's process died: signal %d%s", WTERMSIG(status),
                        WTERMSIG(status) == SIGSYS ? " (forbidden system call)" : "");
    if (pid > 0 && WEXITSTATUS(status) != 0)
        return tut_fail(err, TUT_BUG, "the sequencer's process ended with status %d",
                        WEXITSTATUS(status));
    return TUT_SUCCESS;
}
