#include "cmd/guard_here.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/tool.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cmd/signer.h"
#include "guard/hold.h"
#include "guard/inforce.h"
#include "guard/jwks_fetch.h"
#include "guard/keeper.h"
#include "guard/server.h"
#include "ledger/record.h"
#include "state/records.h"

#define MODULE "ngx_http_tutela_module.so"
#define TUT_CLEAN_LEDGER __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *

void tut_guard_here_done(tut_guard_here *h)
{
    tut_free(h->system_dir);
    tut_free(h->state);
    tut_free(h->dir);
    tut_live_free(h->live);
    tut_system_free(h->system);
    *h = (tut_guard_here){0};
}

static tut_status absolute(char **path, tut_error *err)
{
    char real[PATH_MAX];
    if (!realpath(*path, real))
        return tut_fail_errno(err, errno, "%s cannot be found", *path);
    tut_free(*path);
    *path = tut_strdup(real);
    return *path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status open_live(tut_guard_here *h, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(h->dir, "live");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(path))
        return TUT_SUCCESS;
    tut_status status = tut_live_open(path, false, &h->live, NULL, err);
    /* One of another version that nobody runs by is made anew by the next `up`. */
    return status.code == TUT_STORE && h->keeper == 0 ? TUT_SUCCESS : status;
}

tut_status tut_guard_here_find(const tut_args *args, tut_guard_here *ret, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_TRY(tut_cmd_locate(args, NULL, &h.system_dir, &h.state, err));
    if (!h.state) {
        tut_error_set_path(err, h.system_dir);
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    }
    TUT_TRY(tut_fs_mkdirs(h.state, 0700, err));
    TUT_TRY(absolute(&h.system_dir, err));
    TUT_TRY(absolute(&h.state, err));
    h.dir = tut_fs_join(h.state, "guard");
    if (!h.dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_keeper_pid(h.dir, &h.keeper, err));
    TUT_TRY(open_live(&h, err));
    *ret = h;
    h = (tut_guard_here){0};
    return TUT_SUCCESS;
}

tut_status tut_guard_here_open(const tut_args *args, tut_guard_here *ret, tut_error *err)
{
    TUT_CLEAN(tut_guard_here) h = {0};
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    TUT_TRY(tut_guard_here_find(args, &h, err));
    tut_status status = tut_system_load(args->system ? args->system : h.system_dir, &h.system,
                                        &shown, err);
    if (tut_is_ok(status))
        status = tut_guard_policy_read(h.system, &h.policy, &shown, err);
    if (!tut_is_ok(status)) {
        if (shown.len && tut_buf_z(&shown))
            (void)fputs(tut_buf_z(&shown), stderr);
        return status;
    }
    *ret = h;
    h = (tut_guard_here){0};
    return TUT_SUCCESS;
}

tut_status tut_guard_here_runs(const tut_guard_here *h, tut_error *err)
{
    if (h->keeper > 0 && h->live)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE, "no guard runs here; tutela guard up starts it");
}

/* Beside this program, as it is built or installed. */
static tut_status find_module(char **ret_path, tut_error *err)
{
    static const char *const places[] = {"../guard/nginx/" MODULE, "../lib/tutela/" MODULE};
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len <= 0)
        return tut_fail_errno(err, errno, "this program cannot be found");
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < TUT_COUNT(places); i++) {
        char real[PATH_MAX];
        TUT_AUTO_FREE char *path = tut_asprintf("%s/%s", self, places[i]);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (!realpath(path, real))
            continue;
        *ret_path = tut_strdup(real);
        return *ret_path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return tut_fail(err, TUT_USAGE, "%s is not beside this program: it was built without nginx-dev",
                    MODULE);
}

static tut_status write_conf(tut_guard_here *h, bool *ret_differs, tut_error *err)
{
    TUT_AUTO_FREE char *module = NULL;
    TUT_AUTO_FREE char *path = tut_fs_join(h->dir, "nginx.conf");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(find_module(&module, err));
    tut_server_paths paths = {
        .dir = h->dir, .system_dir = h->system_dir, .module = module, .is_root = geteuid() == 0};
    TUT_TRY(tut_server_conf(&h->policy, &paths, &text, err));
    bool is_there = tut_is_ok(tut_fs_read(path, TUT_LIMIT_YAML_BYTES, &before, NULL));
    if (ret_differs)
        *ret_differs = !is_there || !tut_str_eq(tut_buf_str(&text), tut_buf_str(&before));
    return tut_fs_write(path, tut_buf_span(&text), 0600, err);
}

tut_status tut_guard_here_write(tut_guard_here *h, bool *ret_differs, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 digest;
    TUT_TRY(tut_server_prepare(h->dir, err));
    TUT_TRY(tut_fs_read(h->system->file, TUT_LIMIT_YAML_BYTES, &text, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &digest, err));
    if (!tut_sha256_eq(&digest, &h->system->digest))
        return tut_fail(err, TUT_STORE, "%s was changed while it was read; try again",
                        h->system->file);
    TUT_TRY(tut_inforce_keep(h->dir, &h->policy, tut_buf_span(&text), err));
    TUT_TRY(tut_jwks_plan(&h->policy, h->dir, h->system_dir, err));
    return write_conf(h, ret_differs, err);
}

tut_status tut_guard_here_approvers(const tut_args *args, const tut_guard_here *h, tut_error *err)
{
    TUT_CLEAN_LEDGER ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_training_rights) rights = NULL;
    TUT_TRY(tut_ledger_open(h->state, false, &ledger, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    TUT_TRY(tut_signer_rights(args, &rights, err));
    TUT_TRY(tut_training_rights_read(rights, err)); /* else nobody could approve, unsaid */
    const tut_act act = {.roles = h->policy.approvals.roles,
                         .index = records->log_size,
                         .lacks_training = tut_training_rights_lack,
                         .training = rights};
    return tut_approvers_write(h->dir, records->people, &act, err);
}

typedef struct version {
    char hex[TUT_SHA256_HEX];
    int64_t at;
} version;

static int by_age(const void *a, const void *b)
{
    const version *x = a;
    const version *y = b;
    return x->at != y->at ? (x->at < y->at) - (x->at > y->at) : strcmp(x->hex, y->hex);
}

tut_status tut_guard_here_versions(const tut_guard_here *h, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(h->dir, "policies");
    version *items = NULL;
    size_t count = 0, capacity = 0;
    DIR *dir = path ? opendir(path) : NULL;
    if (!dir)
        return tut_fail_errno(err, errno, "%s/policies cannot be read", h->dir);
    tut_status status = TUT_SUCCESS;
    for (const struct dirent *d; tut_is_ok(status) && (d = readdir(dir));) {
        struct stat st;
        if (strlen(d->d_name) != TUT_SHA256_HEX - 1 + strlen(".yaml") ||
            strcmp(d->d_name + TUT_SHA256_HEX - 1, ".yaml") != 0 ||
            fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        status = tut_grow(&items, count, &capacity, sizeof(*items));
        if (!tut_is_ok(status))
            break;
        tut_str_copy(items[count].hex, sizeof(items[count].hex),
                     (tut_str){d->d_name, TUT_SHA256_HEX - 1});
        items[count++].at = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    (void)closedir(dir);
    if (count)
        qsort(items, count, sizeof(*items), by_age);
    for (size_t i = 0; i < count; i++)
        tut_buf_add(out, items[i].hex, TUT_SHA256_HEX);
    tut_free(items);
    return tut_is_ok(status) ? tut_buf_check(out, err) : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_guard_here_signer(const tut_args *args, const tut_guard_here *h, const char **by,
                                 tut_records **ret_records, tut_key **ret_key, tut_error *err)
{
    if (!*by)
        return tut_fail(err, TUT_USAGE, "--by names the registered person who signs this");
    TUT_TRY(tut_signer_find(args, h->state, by, ret_records, ret_key, err));
    if (!*ret_key)
        return tut_fail(err, TUT_DENIED,
                        "%s has no key here: tutela people enrol %s --generate, or --signing-key",
                        *by, *by);
    return TUT_SUCCESS;
}

tut_status tut_guard_here_trained(const tut_args *args, tut_error *err)
{
    return tut_signer_check_trained(args, tut_args_get(args, "--by"), err);
}

tut_status tut_guard_here_say_as(const tut_guard_here *h, const char *by, const tut_key *key,
                                 const char *kind, const char *statement, tut_str data,
                                 uint64_t *ret_index, tut_error *err)
{
    TUT_CLEAN_LEDGER ledger = NULL;
    tut_tool_digests tool;
    tut_subject subject = {.name = "system", .digest = {{0}}};
    if (h->system)
        subject.digest = h->system->digest;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_record record = {.type = TUT_RECORD_EVENT,
                         .at = tut_time_now(),
                         .check = kind,
                         .subjects = &subject,
                         .subject_count = 1,
                         .actor = by ? by : "tool",
                         .statement = statement,
                         .data_key = "guard",
                         .data = data,
                         .tool_binary = tool.binary,
                         .tool_catalogue = tool.catalogue,
                         .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_open(h->state, true, &ledger, err));
    const tut_key *keys[] = {key};
    tut_status status = key ? tut_ledger_append_signed(ledger, &record, keys, 1, err)
                            : tut_ledger_append(ledger, &record, 1, err);
    if (tut_is_ok(status) && ret_index)
        *ret_index = record.index;
    return status;
}

tut_status tut_guard_here_say(const tut_args *args, const tut_guard_here *h, const char *kind,
                              const char *statement, tut_str data, bool must_sign,
                              uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    const char *by = tut_args_get(args, "--by");
    if (must_sign)
        TUT_TRY(tut_guard_here_signer(args, h, &by, &records, &key, err));
    else if (by)
        TUT_TRY(tut_signer_find(args, h->state, &by, &records, &key, err));
    return tut_guard_here_say_as(h, by, key, kind, statement, data, ret_index, err);
}
