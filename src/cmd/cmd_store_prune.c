/* tutela store prune: old versions are given up. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cmd/store_open.h"
#include "store/prune.h"

static const tut_option options[] = {
    {"--keep", TUT_OPTION_VALUE, "N", "keep so many of the newest versions"},
    {"--older-than", TUT_OPTION_VALUE, "DAYS", "only versions older than so many days"},
    {"--dry-run", TUT_OPTION_FLAG, NULL, "only say which"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { DAYS_MAX = 36500 };

static tut_status read_options(const tut_args *args, tut_prune_options *o, tut_error *err)
{
    uint64_t keep = 1;
    uint64_t days = 0;
    const char *keep_text = tut_args_get(args, "--keep");
    const char *days_text = tut_args_get(args, "--older-than");
    if (!keep_text && !days_text)
        return tut_fail(err, TUT_USAGE, "store prune wants --keep N, --older-than DAYS, or both");
    if (keep_text && (!tut_str_u64(tut_str_of(keep_text), &keep) || keep == 0))
        return tut_fail(err, TUT_USAGE, "--keep takes a number from 1, not \"%s\"", keep_text);
    if (days_text && (!tut_str_u64(tut_str_of(days_text), &days) || days > DAYS_MAX))
        return tut_fail(err, TUT_USAGE, "--older-than takes a number of days, not \"%s\"",
                        days_text);
    o->keep = (size_t)keep;
    o->older = days_text ? tut_time_now() - (tut_time)days * TUT_DAY_SECONDS : 0;
    o->dry = tut_args_has(args, "--dry-run");
    return TUT_SUCCESS;
}

static tut_status find_asset(const tut_opened_store *s, const char *word, const char **ret_id,
                             tut_error *err)
{
    const tut_asset *asset = NULL;
    if (tut_known_latest(&s->known, word, NULL)) {
        *ret_id = word;
        return TUT_SUCCESS;
    }
    if (!s->stored.system)
        return tut_fail(err, TUT_USAGE, "the log knows no version of %s", word);
    TUT_TRY(tut_stored_asset(&s->stored, word, &asset, err));
    *ret_id = asset->id;
    return TUT_SUCCESS;
}

static tut_status write_json(const tut_pruned *p, const tut_prune_options *o, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.store/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_bool(j, "dry_run", o->dry);
    tut_json_put_u64(j, "pruned", p->count);
    tut_json_put_z(j, "spared", p->spared ? p->spared->tag : NULL);
    tut_json_end_object(j);
    tut_json_key(j, "versions");
    tut_json_array(j);
    for (size_t i = 0; i < p->count; i++)
        tut_json_z(j, p->items[i]->tag);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void write_text(const tut_pruned *p, const tut_prune_options *o, tut_buf *out)
{
    for (size_t i = 0; i < p->count; i++)
        tut_buf_printf(out, "  %s %s\n", o->dry ? "would give up" : "gave up", p->items[i]->tag);
    if (p->count == 0)
        tut_buf_add_z(out, "No version is to be given up.\n");
    else if (!o->dry)
        tut_buf_add_z(out, "Their bytes go with the next tutela store gc.\n");
    if (p->spared)
        tut_buf_printf(out, "%s stays in any case: the newest that is signed.\n", p->spared->tag);
}

static tut_status prune(const tut_args *args, tut_opened_store *s, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_pruned) p = {0};
    tut_prune_options o = {0};
    const char *asset;
    TUT_TRY(read_options(args, &o, err));
    TUT_TRY(tut_opened_store_open(args, true, s, err));
    TUT_TRY(find_asset(s, args->positional[0], &asset, err));
    o.who = &s->stored.who;
    TUT_TRY(tut_store_prune(s->store, s->ledger, s->stored.system, &s->known, asset, &o, &p, err));
    if (strcmp(args->format, "json") == 0)
        return write_json(&p, &o, out, err);
    write_text(&p, &o, out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_opened_store) s = {0};
    tut_error err = {0};
    if (!tut_is_ok(prune(args, &s, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_store_prune = {
    .name = "store prune",
    .arguments = "ASSET",
    .summary = "Give up old versions of an asset",
    .help = "Each version that is given up is an event in the log. The newest version, and the "
            "newest that is signed by whom the policy names, stay whatever is asked. The bytes go "
            "with the next tutela store gc.\n\n"
            "tutela store prune model/reranker --keep 5 --older-than 90",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
