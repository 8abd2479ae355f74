/* tutela store gc: what nothing names goes. */
#include <string.h>

#include "base/json_write.h"
#include "cmd/store_open.h"
#include "store/fsck.h"

enum { GRACE_S = 3600 };

static const tut_option options[] = {
    {"--dry-run", TUT_OPTION_FLAG, NULL, "only say what would go"},
    {"--grace", TUT_OPTION_VALUE, "SECONDS",
     "leave what is younger: another tool may be copying into the layout (default 3600)"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status collect(const tut_args *args, tut_gc *ret, tut_error *err)
{
    TUT_CLEAN(tut_opened_store) s = {0};
    uint64_t grace = GRACE_S;
    const char *given = tut_args_get(args, "--grace");
    if (given && (!tut_str_u64(tut_str_of(given), &grace) || grace > INT32_MAX))
        return tut_fail(err, TUT_USAGE, "--grace takes a number of seconds, not \"%s\"", given);
    TUT_TRY(tut_opened_store_open(args, true, &s, err));
    return tut_store_gc(s.store, &s.known, (int64_t)grace, tut_args_has(args, "--dry-run"), ret,
                        err);
}

static tut_status write_json(const tut_args *args, const tut_gc *g, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.store/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_bool(j, "dry_run", tut_args_has(args, "--dry-run"));
    tut_json_put_u64(j, "blobs", g->blobs);
    tut_json_put_u64(j, "drafts", g->drafts);
    tut_json_put_u64(j, "tags", g->tags);
    tut_json_put_u64(j, "bytes", g->bytes);
    tut_json_put_u64(j, "kept_young", g->kept_young);
    tut_json_end_object(j);
    tut_json_key(j, "faults");
    tut_json_array(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const tut_args *args, const tut_gc *g, tut_buf *out, tut_error *err)
{
    char bytes[16];
    tut_human_bytes(g->bytes, bytes);
    tut_buf_printf(out, "%s %zu blob%s, %zu file%s of work cut short and %zu tag%s, %s.\n",
                   tut_args_has(args, "--dry-run") ? "Would take away" : "Took away", g->blobs,
                   g->blobs == 1 ? "" : "s", g->drafts, g->drafts == 1 ? "" : "s", g->tags,
                   g->tags == 1 ? "" : "s", bytes);
    if (g->kept_young > 0)
        tut_buf_printf(out, "%zu that nothing names %s left: younger than the grace.\n",
                       g->kept_young, g->kept_young == 1 ? "is" : "are");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_gc g = {0};
    tut_error err = {0};
    if (!tut_is_ok(collect(args, &g, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(args, &g, &out, &err)
                                                     : write_text(args, &g, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_store_gc = {
    .name = "store gc",
    .summary = "Take away what no version names",
    .help = "Blobs that no version of the log names, files that an interrupted snapshot left, and "
            "tags of versions that the log does not know or that were pruned. Safe beside a "
            "snapshot, and against a crash at any moment. A version's own files never go.",
    .formats = "table json",
    .options = options,
    .run = run,
};
