/* tutela restore: assets as they were in a version of the store. */
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/stored.h"
#include "store/restore.h"

static const tut_option options[] = {
    {"--all", TUT_OPTION_FLAG, NULL,
     "the newest version of every asset that has one; and tutela.yaml where it is lost"},
    {"--version", TUT_OPTION_VALUE, "V",
     "a number, tag or digest that tutela history shows (default: the newest)"},
    {"--to", TUT_OPTION_VALUE, "DIR",
     "into this directory, below the asset's path; nothing is written over"},
    {"--only", TUT_OPTION_VALUE, "NAME", "one file of the asset, named from its own directory"},
    {"--unsigned", TUT_OPTION_FLAG, NULL,
     "also what is not signed by whom the policy wants; recorded as such"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static const char description[] = "tutela.yaml";

typedef struct failure { /* an asset that did not come back */
    tut_code code;
    char *why;
} failure;

typedef struct work {
    tut_stored stored;
    tut_restoring restoring;
    const char **assets;
    size_t count;
    tut_restored *restored; /* one an asset; empty where it failed */
    failure *failures;      /* likewise; code OK where it did not */
    char *described;        /* where tutela.yaml was put, or NULL */
    char *before;           /* where the one that was there lies now, or NULL */
} work;

static void work_done(work *w)
{
    for (size_t i = 0; w->restored && w->failures && i < w->count; i++) {
        tut_restored_done(&w->restored[i]);
        tut_free(w->failures[i].why);
    }
    tut_free(w->restored);
    tut_free(w->failures);
    tut_free(w->assets);
    tut_free(w->described);
    tut_free(w->before);
    tut_restoring_done(&w->restoring);
    tut_stored_done(&w->stored);
}

/* --- tutela.yaml --- */

static tut_status set_aside(work *w, const char *path, tut_error *err)
{
    char when[TUT_TIME_TEXT];
    TUT_CLEAN(tut_buf) old = TUT_BUF_INIT;
    if (!tut_fs_exists(path))
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *kept = tut_fs_join(w->stored.state, "kept");
    tut_time_rfc3339(tut_time_now(), when);
    w->before = kept ? tut_asprintf("%s/tutela.yaml.%s", kept, when) : NULL;
    if (!w->before)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_mkdirs(kept, 0700, err));
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_YAML_BYTES, &old, err));
    return tut_fs_write(w->before, tut_buf_span(&old), 0644, err);
}

static tut_status record_description(tut_ledger *ledger, const tut_stored *s,
                                     const tut_sha256 *digest, tut_error *err)
{
    const tut_subject subject = {.name = description, .digest = *digest};
    tut_record r = s->who;
    r.at = tut_time_now();
    r.check = TUT_EVENT_RESTORED;
    r.subjects = &subject;
    r.subject_count = 1;
    r.statement = "tutela.yaml was restored as it was recorded last.";
    return tut_ledger_append(ledger, &r, 1, err);
}

static tut_status restore_description(const tut_args *args, work *w, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const char *to = tut_args_get(args, "--to");
    tut_sha256 digest;
    tut_time at;
    w->described = tut_fs_join(to ? to : w->stored.dir, description);
    if (!w->described)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (to && tut_fs_exists(w->described)) {
        tut_error_set_path(err, w->described);
        return tut_fail(err, TUT_STORE, "is there already, and is not written over");
    }
    if (to)
        TUT_TRY(tut_fs_mkdirs(to, 0700, err));
    TUT_TRY(tut_ledger_open(w->stored.state, true, &ledger, err));
    TUT_TRY(tut_restore_description(ledger, &text, &digest, &at, err));
    TUT_TRY(set_aside(w, w->described, err));
    TUT_TRY(tut_fs_write(w->described, tut_buf_span(&text), 0644, err));
    return record_description(ledger, &w->stored, &digest, err);
}

/* --- assets --- */

static tut_status choose_all(work *w, tut_error *err)
{
    const tut_known_versions *known = &w->restoring.known;
    w->assets = tut_alloc_array(known->count + 1, sizeof(*w->assets));
    if (!w->assets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < known->count; i++)
        if (&known->items[i] == tut_known_latest(known, known->items[i].asset, NULL))
            w->assets[w->count++] = known->items[i].asset;
    return TUT_SUCCESS;
}

static tut_status choose_given(const tut_args *args, work *w, tut_error *err)
{
    w->assets = tut_alloc_array(args->positional_count + 1, sizeof(*w->assets));
    if (!w->assets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < args->positional_count; i++) {
        const char *word = args->positional[i];
        const tut_asset *asset = NULL;
        if (strcmp(word, description) == 0)
            continue;
        if (!tut_known_latest(&w->restoring.known, word, NULL)) {
            w->stored.system = w->stored.system ? w->stored.system
                                                : tut_move(&w->restoring.recorded);
            TUT_TRY(tut_stored_asset(&w->stored, word, &asset, err));
        }
        w->assets[w->count++] = asset ? asset->id : word;
    }
    return TUT_SUCCESS;
}

/* One asset that cannot be had is no reason to leave the others where they are. */
static tut_status restore_each(work *w, const tut_restore_options *o, tut_error *err)
{
    for (size_t i = 0; i < w->count; i++) {
        tut_error why = {0};
        tut_status status = tut_restore_asset(&w->restoring, w->assets[i], o, &w->restored[i],
                                              &why);
        if (tut_is_ok(status))
            continue;
        if (w->count == 1 || status.code == TUT_NOMEM || status.code == TUT_CANCELLED ||
            status.code == TUT_BUG) {
            *err = why;
            return status;
        }
        const char *where = tut_error_where(&why);
        w->failures[i] =
            (failure){.code = status.code,
                      .why = tut_asprintf("%s%s%s", where, where[0] ? ": " : "", why.text)};
        if (!w->failures[i].why)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

static tut_status restore_assets(const tut_args *args, work *w, tut_error *err)
{
    tut_stored *s = &w->stored;
    const tut_restore_options o = {.version = tut_args_get(args, "--version"),
                                   .to = tut_args_get(args, "--to"),
                                   .only = tut_args_get(args, "--only"),
                                   .allow_unsigned = tut_args_has(args, "--unsigned"),
                                   .progress = tut_stored_progress,
                                   .ctx = s,
                                   .who = &s->who};
    TUT_TRY(tut_restoring_open(s->dir, s->state, s->system, &w->restoring, err));
    TUT_TRY(tut_args_has(args, "--all") ? choose_all(w, err) : choose_given(args, w, err));
    if (w->count != 1 && (o.version || o.only))
        return tut_fail(err, TUT_USAGE, "--version and --only go with a single asset");
    w->restored = tut_alloc_array(w->count + 1, sizeof(*w->restored));
    w->failures = tut_alloc_array(w->count + 1, sizeof(*w->failures));
    if (!w->restored || !w->failures)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->label = "restoring: bytes";
    tut_progress_start(&s->progress, args->quiet, args->color);
    tut_status status = restore_each(w, &o, err);
    tut_progress_end(&s->progress);
    return status;
}

static bool names_description(const tut_args *args)
{
    for (size_t i = 0; i < args->positional_count; i++)
        if (strcmp(args->positional[i], description) == 0)
            return true;
    return false;
}

static tut_status restore(const tut_args *args, work *w, tut_error *err)
{
    bool is_all = tut_args_has(args, "--all");
    bool wants_description = names_description(args);
    if (is_all == (args->positional_count > 0))
        return tut_fail(err, TUT_USAGE, "restore wants ASSET..., or --all");
    TUT_TRY(tut_stored_open(args, false, &w->stored, err));
    if (wants_description || (is_all && !w->stored.system))
        TUT_TRY(restore_description(args, w, err));
    if (wants_description && args->positional_count == 1)
        return TUT_SUCCESS;
    return restore_assets(args, w, err);
}

/* --- what is said --- */

static size_t came_back(const work *w)
{
    size_t count = 0;
    for (size_t i = 0; w->restored && i < w->count; i++)
        count += w->restored[i].asset != NULL;
    return count;
}

static void put_restored(tut_json *j, const char *asset, const tut_restored *r, const char *problem)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", asset);
    tut_json_put_z(j, "problem", problem);
    tut_json_put_z(j, "tag", r->tag);
    tut_json_put_u64(j, "version", r->number);
    tut_json_key(j, "digest");
    tut_json_sha256(j, r->digest.bytes);
    tut_json_key(j, "manifest");
    tut_json_sha256(j, r->manifest.bytes);
    tut_json_put_z(j, "path", r->place);
    tut_json_put_z(j, "kept", r->kept);
    tut_json_put_z(j, "person", r->person);
    tut_json_put_z(j, "doubt", r->doubt);
    tut_json_put_u64(j, "files", r->files);
    tut_json_put_u64(j, "bytes", r->bytes);
    tut_json_put_u64(j, "took_ms", r->took_ms);
    tut_json_put_bool(j, "file_by_file", r->is_by_file);
    tut_json_end_object(j);
}

static tut_status write_json(const work *w, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.restore/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "restored", came_back(w));
    tut_json_put_u64(j, "failed", w->count - came_back(w));
    tut_json_put_z(j, "description", w->described);
    tut_json_put_z(j, "description_kept", w->before);
    tut_json_end_object(j);
    tut_json_key(j, "assets");
    tut_json_array(j);
    for (size_t i = 0; w->restored && i < w->count; i++)
        put_restored(j, w->assets[i], &w->restored[i], w->failures[i].why);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* What was restored is not what the description pins: somebody has to say which of them is right.
 */
static bool is_pinned_otherwise(const work *w, const tut_restored *r)
{
    const tut_asset *a = w->restoring.system
                             ? tut_system_asset(w->restoring.system, tut_str_of(r->asset))
                             : NULL;
    return a && a->has_digest && !tut_sha256_eq(&a->digest, &r->digest);
}

static void add_restored(const work *w, const tut_restored *r, tut_buf *out)
{
    char bytes[16];
    tut_human_bytes(r->bytes, bytes);
    tut_buf_add_z(out, "Restored ");
    tut_buf_add_escaped(out, tut_str_of(r->asset), 200);
    tut_buf_printf(out, " v%llu: %zu file%s, %s, in %.2f s.\n", (unsigned long long)r->number,
                   r->files, r->files == 1 ? "" : "s", bytes, (double)r->took_ms / 1000);
    tut_cmd_line(out, "to", r->place);
    tut_cmd_line(out, "signed by", r->person);
    tut_cmd_line(out, "UNSIGNED", r->doubt);
    tut_cmd_line(out, "before", r->kept);
    if (r->is_by_file)
        tut_buf_add_z(out, "  file by file: each changed places by itself\n");
    if (is_pinned_otherwise(w, r))
        tut_buf_printf(out, "  tutela.yaml pins other bytes: tutela init --accept %s\n", r->asset);
    if (r->is_not_atomic)
        tut_buf_add_z(out, "  this file system cannot exchange names: for a moment the old one was "
                           "gone and the new one not yet there\n");
}

static tut_status write_text(const work *w, tut_buf *out, tut_error *err)
{
    if (w->described)
        tut_buf_add_z(out, "Restored tutela.yaml as it was recorded last.\n");
    tut_cmd_line(out, "to", w->described);
    tut_cmd_line(out, "before", w->before);
    for (size_t i = 0; w->restored && i < w->count; i++) {
        if (w->restored[i].asset)
            add_restored(w, &w->restored[i], out);
        else if (w->failures[i].why) {
            tut_buf_printf(out, "NOT restored %s: ", w->assets[i]);
            tut_buf_add_escaped(out, tut_str_of(w->failures[i].why), TUT_ERROR_TEXT_MAX);
            tut_buf_add_byte(out, '\n');
        }
    }
    if (w->count == 0 && !w->described)
        tut_buf_add_z(out, "The log knows no version of any asset.\n");
    return tut_buf_check(out, err);
}

/* By the contract a doubtful signature, which is a finding, beats what else went wrong. */
static int judge(const work *w, tut_status status)
{
    bool is_denied = status.code == TUT_DENIED;
    bool is_failed = !tut_is_ok(status);
    for (size_t i = 0; w->failures && i < w->count; i++) {
        is_denied |= w->failures[i].code == TUT_DENIED;
        is_failed |= w->failures[i].code != TUT_OK;
    }
    if (is_denied || is_failed)
        return is_denied ? TUT_EXIT_FOUND : TUT_EXIT_FAILED;
    return w->count > 0 || w->described ? TUT_EXIT_OK : TUT_EXIT_DOUBT;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(work) w = {0};
    tut_error err = {0};
    tut_error unsaid = {0};
    bool is_json = strcmp(args->format, "json") == 0;
    tut_status status = restore(args, &w, &err);
    /* what was restored before a failure was restored all the same */
    if ((tut_is_ok(status) || came_back(&w) > 0 || w.described) &&
        !tut_is_ok(is_json ? write_json(&w, &out, &unsaid) : write_text(&w, &out, &unsaid)))
        return tut_cmd_fail(&unsaid);
    if (!tut_is_ok(status))
        (void)tut_cmd_fail(&err);
    return tut_cmd_output(&out, judge(&w, status));
}

const tut_command tut_cmd_restore = {
    .name = "restore",
    .arguments = "[ASSET...]",
    .summary = "Put a version of an asset back in its place",
    .help = "Only versions that the log knows are restored, and only when every digest holds and "
            "the signature is by somebody whom the policy names. The version is written beside, "
            "checked, and then changes places with what was there in one step; what was there is "
            "kept below .tutela/kept. It works from .tutela/ledger, .tutela/store, "
            ".tutela/bodies and the keys alone: tutela restore tutela.yaml brings back the "
            "description that was recorded last.\n\n"
            "tutela restore model/reranker --version 2\n"
            "tutela restore --all --to /srv/rebuilt\n\n"
            "Exit status: 0 restored; 1 not, because the signature does not count; 2 not, for "
            "another reason.",
    .formats = "table json",
    .options = options,
    .most = SIZE_MAX,
    .run = run,
};
