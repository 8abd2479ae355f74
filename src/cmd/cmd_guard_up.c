/* tutela guard up, down: the guard as a running service. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "cmd/approvals_act.h"
#include "cmd/guard_bodies.h"
#include "cmd/guard_here.h"
#include "cmd/guard_stops.h"
#include "cmd/ledger_place.h"
#include "cmd/people_act.h"
#include "guard/address.h"
#include "guard/keeper.h"
#include "guard/server.h"

enum { READY_MS = 15000, DOWN_MS = 80000 };

static const tut_option up_options[] = {
    {"--foreground", TUT_OPTION_FLAG, NULL, "stay in the foreground, as service managers want it"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static bool answers(tut_str where)
{
    tut_address at;
    if (!tut_address_parse(where, &at))
        return false;
    tut_address_ask(&at);
    return tut_address_answers(&at);
}

static uint32_t capabilities_of(const tut_guard_policy *p)
{
    tut_address at;
    bool is_low = tut_address_parse(tut_server_listen(p), &at) && strtol(at.port, NULL, 10) < 1024;
    return (geteuid() == 0 ? 1u << CAP_SETGID : 0) | (is_low ? 1u << CAP_NET_BIND_SERVICE : 0);
}

/* What stands between this and a guard that serves. */
static tut_status prepare(const tut_args *args, tut_guard_here *h, char **ret_nginx,
                          bool *ret_is_new, tut_error *err)
{
    TUT_AUTO_FREE char *live = NULL;
    uint64_t boot = 0, generation = 0;
    bool has_upstream = false;
    TUT_TRY(tut_guard_here_open(args, h, err));
    if (h->keeper > 0)
        return tut_fail(err, TUT_USAGE,
                        "the guard runs already (process %d); tutela guard reload takes a new "
                        "policy, down ends it",
                        (int)h->keeper);
    for (size_t i = 0; i < h->policy.route_count; i++)
        has_upstream = has_upstream || h->policy.routes[i].upstream.len > 0;
    if (!has_upstream)
        return tut_fail(err, TUT_USAGE, "no route of the policy names an upstream");
    TUT_TRY(tut_keeper_find_nginx(ret_nginx, err));
    TUT_TRY(tut_guard_here_write(h, NULL, err));
    live = tut_fs_join(h->dir, "live");
    if (!live)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!h->live)
        TUT_TRY(tut_live_open(live, true, &h->live, ret_is_new, err));
    TUT_TRY(tut_live_begin(h->live, &boot, err));
    TUT_TRY(tut_live_set_policy(h->live, &h->policy.version, &generation, err));
    if (answers(tut_server_listen(&h->policy)))
        return tut_fail(err, TUT_USAGE, "something else answers at %.*s already",
                        (int)tut_server_listen(&h->policy).len, tut_server_listen(&h->policy).data);
    return tut_keeper_test(*ret_nginx, h->dir, err);
}

/* --- the keeper's process --- */
static tut_status serve_approvals(void *ctx, tut_error *err)
{
    TUT_CLEAN(tut_approvals_act) a = {0};
    return tut_approvals_serve(&a, ctx, true, err);
}

static tut_status keep(const tut_args *args, tut_guard_here *h, const char *nginx, tut_error *err)
{
    TUT_CLEAN(tut_ledger_place) place = {0};
    TUT_TRY(tut_ledger_place_find(args, &place, err));
    tut_guard_bodies bodies = {.here = h, .keys = place.keys};
    tut_keeper_options o = {.dir = h->dir,
                            .nginx = nginx,
                            .capabilities = capabilities_of(&h->policy),
                            .ledger = tut_ledger_place_options(&place),
                            .approvals = serve_approvals,
                            .ctx = (void *)(uintptr_t)args,
                            .tend = tut_guard_bodies_tend,
                            .tend_ctx = &bodies};
    o.ledger.state_dir = h->state;
    return tut_keeper_run(&o, err);
}

static void become_keeper(const tut_args *args, tut_guard_here *h, const char *nginx)
    __attribute__((noreturn));
static void become_keeper(const tut_args *args, tut_guard_here *h, const char *nginx)
{
    tut_error err = {0};
    TUT_AUTO_FREE char *log = tut_fs_join(h->dir, "keeper.log");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int out = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    (void)setsid();
    if (null < 0 || out < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(TUT_EXIT_FAILED);
    if (tut_is_ok(keep(args, h, nginx, &err)))
        _exit(0);
    (void)fprintf(stderr, "tutela: %s\n", err.text);
    _exit(TUT_EXIT_FAILED);
}

static void last_line(const char *dir, const char *name, char *line, size_t cap)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, name);
    line[0] = '\0';
    if (!path || !tut_is_ok(tut_fs_read(path, 16u << 20, &text, NULL)))
        return;
    tut_str all = tut_str_trim(tut_buf_str(&text));
    size_t from = all.len;
    while (from > 0 && all.data[from - 1] != '\n')
        from--;
    tut_str_copy(line, cap, (tut_str){all.data + from, all.len - from});
}

static bool has_workers(const tut_live *live)
{
    tut_live_worker workers[TUT_LIVE_WORKERS];
    return tut_live_workers(live, workers) > 0;
}

static tut_status wait_until_ready(const tut_guard_here *h, pid_t pid, tut_error *err)
{
    char line[300];
    uint64_t until = tut_clock_ms() + READY_MS;
    TUT_AUTO_FREE char *control = tut_fs_join(h->dir, TUT_SERVER_CONTROL);
    while (tut_clock_ms() < until && !tut_interrupted()) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            last_line(h->dir, "keeper.log", line, sizeof(line));
            return tut_fail(err, TUT_IO, "the guard ended again: %s", line);
        }
        pid_t keeper = 0; /* of two that start at once, the one that has the lock serves */
        TUT_IGNORE(tut_keeper_pid(h->dir, &keeper, NULL));
        if (keeper == pid && control && tut_fs_exists(control) &&
            answers(tut_server_listen(&h->policy)) && has_workers(h->live))
            return TUT_SUCCESS;
        (void)usleep(20000);
    }
    (void)kill(pid, SIGTERM);
    last_line(h->dir, "error.log", line, sizeof(line));
    return tut_fail(err, tut_interrupted() ? TUT_CANCELLED : TUT_IO,
                    "the guard does not serve within %d s%s%s", READY_MS / 1000,
                    line[0] ? ": " : "", line);
}

static tut_status say(const tut_args *args, const tut_guard_here *h, uint64_t *ret_index,
                      tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_sha256_hex(&h->policy.version, hex);
    tut_buf_printf(&data, "{\"policy\":\"%s\"}", hex);
    TUT_TRY(tut_buf_check(&data, err));
    return tut_guard_here_say(args, h, "guard.up", "The guard was started with this policy.",
                              tut_buf_str(&data), false, ret_index, err);
}

static void tell(const tut_args *args, const tut_guard_here *h, pid_t pid, uint64_t index)
{
    char hex[TUT_SHA256_HEX];
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_str listen = tut_server_listen(&h->policy);
    tut_sha256_hex(&h->policy.version, hex);
    if (args->quiet)
        return;
    tut_buf_printf(&out, "The guard serves at %s%.*s (process %d).\n\n",
                   h->policy.server.certificate.len ? "https://" : "http://", (int)listen.len,
                   listen.data, (int)pid);
    for (size_t i = 0; i < h->policy.route_count; i++) {
        const tut_guard_route *r = &h->policy.routes[i];
        tut_buf_printf(&out, "  %-12.*s %.*s -> %.*s%s%.*s%s\n", (int)r->id.len, r->id.data,
                       (int)r->path.len, r->path.data, (int)r->upstream.len, r->upstream.data,
                       r->standby.len ? ", else " : "", (int)r->standby.len,
                       r->standby.len ? r->standby.data : "",
                       r->is_monitored ? "  (monitored: told, not done)" : "");
    }
    tut_buf_printf(&out,
                   "\n  policy       %.12s, in force with entry %llu of the ledger\n"
                   "  logs         .tutela/ledger/traffic; .tutela/guard/access.log, error.log\n",
                   hex, (unsigned long long)index);
    if (!h->policy.server.certificate.len)
        tut_buf_add_z(&out, "  Without TLS: keys and texts pass in clear. guard.tls names a "
                            "certificate.\n");
    tut_buf_add_z(&out, "\nNext: tutela guard status; tutela guard down ends it.\n");
    (void)tut_cmd_output(&out, TUT_EXIT_OK);
}

static tut_status up(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_AUTO_FREE char *nginx = NULL;
    TUT_CLEAN(tut_ledger_place) place = {0};
    uint64_t index = 0;
    size_t stopped = 0;
    bool is_new = false; /* the live map: what was stopped is stopped again, by the log */
    TUT_TRY(prepare(args, &h, &nginx, &is_new, err));
    TUT_TRY(tut_ledger_place_find(args, &place, err)); /* begins the ledger where there is none */
    TUT_TRY(is_new ? tut_guard_stops_restore(&h, &stopped, err) : TUT_SUCCESS);
    if (stopped)
        (void)fprintf(stderr, "%zu stop switches are thrown again, as the log has them.\n",
                      stopped);
    TUT_TRY(tut_guard_here_approvers(&h, err));
    TUT_TRY(tut_guard_bodies_prepare(&h, place.keys, err));
    if (tut_args_has(args, "--foreground")) {
        TUT_TRY(say(args, &h, &index, err));
        return keep(args, &h, nginx, err);
    }
    tut_interrupt_install();
    pid_t pid = fork();
    if (pid == 0)
        become_keeper(args, &h, nginx);
    if (pid < 0)
        return tut_fail_errno(err, errno, "no process can be started");
    TUT_TRY(wait_until_ready(&h, pid, err));
    tut_status said = say(args, &h, &index, err);
    if (!tut_is_ok(said)) { /* what the ledger does not know of does not serve */
        (void)kill(pid, SIGTERM);
        return said;
    }
    tell(args, &h, pid, index);
    return TUT_SUCCESS;
}

static int run_up(const tut_args *args)
{
    tut_error err = {0};
    return tut_is_ok(up(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_up = {
    .name = "guard up",
    .summary = "Put the policy in force: start the guard in front of the model server",
    .help = "Writes a configuration of nginx from guard: in tutela.yaml, has it tested, and starts "
            "nginx without privileges together with the ledger; returns when it serves. "
            "docs/guard.md describes the policy.\n\n"
            "tutela guard up\ntutela guard up --foreground     for systemd and containers",
    .formats = "table",
    .options = up_options,
    .run = run_up,
};

/* --- down --- */
static tut_status down(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_TRY(tut_guard_here_find(args, &h, err));
    TUT_TRY(tut_guard_here_runs(&h, err));
    pid_t pid = h.keeper;
    if (kill(pid, SIGTERM) != 0)
        return tut_fail_errno(err, errno, "process %d cannot be told to end", (int)pid);
    uint64_t until = tut_clock_ms() + DOWN_MS;
    while (h.keeper == pid) {
        if (tut_clock_ms() > until || tut_interrupted())
            return tut_fail(err, TUT_IO, "process %d is still ending what it began", (int)pid);
        (void)usleep(20000);
        TUT_TRY(tut_keeper_pid(h.dir, &h.keeper, err));
    }
    TUT_TRY(tut_guard_here_say(args, &h, "guard.down", "The guard was ended.", TUT_LIT("{}"), false,
                               NULL, err));
    if (!args->quiet)
        (void)puts("The guard has ended: what it had begun was finished, and is in the ledger.");
    return TUT_SUCCESS;
}

static int run_down(const tut_args *args)
{
    tut_error err = {0};
    tut_interrupt_install();
    return tut_is_ok(down(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_down = {
    .name = "guard down",
    .summary = "End the guard, once it has finished what it began",
    .help = "Nothing new is let in; exchanges under way are finished, for at most a minute.",
    .formats = "table",
    .run = run_down,
};
