/* tutela guard reload, rollback: another policy, without a request that is dropped. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "cmd/guard_bodies.h"
#include "cmd/guard_here.h"
#include "cmd/people_act.h"
#include "guard/inforce.h"
#include "guard/keeper.h"

static const tut_option options[] = {TUT_SIGNER_OPTIONS, {NULL, TUT_OPTION_FLAG, NULL, NULL}};

static tut_status put_in_force(const tut_args *args, tut_guard_here *h, const char *kind,
                               const char *statement, bool differs, tut_error *err)
{
    char hex[TUT_SHA256_HEX], before_hex[TUT_SHA256_HEX];
    tut_sha256 before;
    uint64_t index = 0, generation = 0;
    TUT_AUTO_FREE char *nginx = NULL;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    if (differs) {
        TUT_TRY(tut_keeper_find_nginx(&nginx, err));
        TUT_TRY(tut_keeper_test(nginx, h->dir, err));
    }
    (void)tut_live_policy(h->live, &before);
    tut_sha256_hex(&h->policy.version, hex);
    tut_sha256_hex(&before, before_hex);
    if (tut_sha256_eq(&before, &h->policy.version) && !differs) {
        if (!args->quiet)
            (void)printf("Policy %.12s is in force already.\n", hex);
        return TUT_SUCCESS;
    }
    tut_buf_printf(&data, "{\"before\":\"%s\",\"policy\":\"%s\"}", before_hex, hex);
    TUT_TRY(tut_buf_check(&data, err));
    TUT_TRY(tut_guard_here_say(args, h, kind, statement, tut_buf_str(&data), false, &index, err));
    TUT_TRY(tut_live_set_policy(h->live, &h->policy.version, &generation, err));
    if (differs && kill(h->keeper, SIGHUP) != 0)
        return tut_fail(err, TUT_IO, "the keeper, process %d, cannot be told", (int)h->keeper);
    if (!args->quiet)
        (void)printf("Policy %.12s is in force, with entry %llu of the ledger. It was %.12s.\n",
                     hex, (unsigned long long)index, before_hex);
    return TUT_SUCCESS;
}

/* nginx.conf as it was, where the new one is refused. */
typedef struct kept {
    char *path;
    tut_buf text;
} kept;

static tut_status keep_conf(const tut_guard_here *h, kept *k, tut_error *err)
{
    k->path = tut_fs_join(h->dir, "nginx.conf");
    if (!k->path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_read(k->path, TUT_LIMIT_YAML_BYTES, &k->text, err);
}

static tut_status prepare_bodies(const tut_args *args, const tut_guard_here *h, tut_error *err)
{
    TUT_CLEAN(tut_ledger_place) place = {0};
    TUT_TRY(tut_ledger_place_find(args, &place, err));
    return tut_guard_bodies_prepare(h, place.keys, err);
}

static tut_status change(const tut_args *args, tut_guard_here *h, const char *kind,
                         const char *statement, tut_error *err)
{
    kept k = {0};
    bool differs = false;
    tut_status status = tut_guard_here_trained(args, err);
    if (tut_is_ok(status))
        status = keep_conf(h, &k, err);
    if (tut_is_ok(status))
        status = tut_guard_here_write(h, &differs, err);
    if (tut_is_ok(status))
        status = tut_guard_here_approvers(args, h, err);
    if (tut_is_ok(status))
        status = prepare_bodies(args, h, err);
    if (tut_is_ok(status))
        status = put_in_force(args, h, kind, statement, differs, err);
    if (!tut_is_ok(status) && k.text.len) /* what runs goes on by what it knows */
        TUT_IGNORE(tut_fs_write(k.path, tut_buf_span(&k.text), 0600, NULL));
    tut_free(k.path);
    tut_buf_done(&k.text);
    return status;
}

static int run_reload(const tut_args *args)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    tut_error err = {0};
    tut_status status = tut_guard_here_open(args, &h, &err);
    if (tut_is_ok(status))
        status = tut_guard_here_runs(&h, &err);
    if (tut_is_ok(status))
        status = change(args, &h, "guard.policy", "Another policy was put in force.", &err);
    return tut_is_ok(status) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_reload = {
    .name = "guard reload",
    .summary = "Put the policy as tutela.yaml has it now in force, dropping no request",
    .help = "A policy that cannot be read, or a configuration that nginx refuses, changes nothing. "
            "Exchanges under way end by the policy that they began with.",
    .formats = "table",
    .options = options,
    .run = run_reload,
};

/* --- rollback: what was in force before is read from the ledger's side of DIR --- */
static tut_status find_version(const tut_guard_here *h, const char *wanted, tut_sha256 *ret,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    tut_sha256 now;
    bool is_found = false;
    (void)tut_live_policy(h->live, &now);
    TUT_TRY(tut_guard_here_versions(h, &names, err));
    for (size_t at = 0; at + TUT_SHA256_HEX <= names.len; at += TUT_SHA256_HEX) {
        tut_str hex = {(const char *)names.data + at, TUT_SHA256_HEX - 1};
        tut_sha256 version;
        if (!tut_is_ok(tut_sha256_parse(hex, &version)) || tut_sha256_eq(&version, &now))
            continue;
        if (wanted && !tut_str_starts(hex, tut_str_of(wanted)))
            continue;
        if (is_found && wanted)
            return tut_fail(err, TUT_USAGE, "more than one policy begins with %s", wanted);
        *ret = version;
        is_found = true;
        if (!wanted)
            break; /* the newest */
    }
    if (is_found)
        return TUT_SUCCESS;
    return wanted
               ? tut_fail(err, TUT_USAGE, "no policy that was in force begins with %.64s", wanted)
               : tut_fail(err, TUT_USAGE, "no other policy was in force here");
}

static tut_status roll_back(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    tut_sha256 version;
    TUT_TRY(tut_guard_here_find(args, &h, err));
    TUT_TRY(tut_guard_here_runs(&h, err));
    TUT_TRY(find_version(&h, args->positional_count ? args->positional[0] : NULL, &version, err));
    TUT_TRY(tut_inforce_read(h.dir, h.system_dir, &version, &h.system, &h.policy, err));
    TUT_TRY(
        change(args, &h, "guard.rolled-back", "An earlier policy was put in force again.", err));
    if (!args->quiet)
        (void)puts("tutela.yaml still has the other one: the next reload takes that.");
    return TUT_SUCCESS;
}

static int run_rollback(const tut_args *args)
{
    tut_error err = {0};
    return tut_is_ok(roll_back(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_guard_rollback = {
    .name = "guard rollback",
    .arguments = "[VERSION]",
    .summary = "Put the policy that was in force before in force again",
    .help = "VERSION is the beginning of a version that was in force; without it, the last one "
            "before this one. A policy names models and upstreams as well, so this is how the "
            "traffic goes back to the previous model.",
    .formats = "table",
    .options = options,
    .most = 1,
    .run = run_rollback,
};
