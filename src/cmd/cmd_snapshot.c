/* tutela snapshot: the files of assets as they are now, kept as versions. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cmd/stored.h"
#include "store/snapshot.h"

static const tut_option options[] = {
    {"--all", TUT_OPTION_FLAG, NULL, "every declared asset that has files"},
    {"--no-cache", TUT_OPTION_FLAG, NULL,
     "read every byte again, also of files whose inode, size and times are as before"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct work {
    tut_stored stored;
    const tut_asset **assets;
    size_t count;
    tut_snapshot *snapshots;
} work;

static void work_done(work *w)
{
    tut_snapshots_free(w->snapshots, w->count);
    tut_free(w->assets);
    tut_stored_done(&w->stored);
}

static void step(void *ctx, size_t done, size_t total, uint64_t bytes)
{
    (void)bytes;
    tut_progress_step(&((tut_stored *)ctx)->progress, "looking", done, total);
}

static tut_status choose(const tut_args *args, work *w, tut_error *err)
{
    const tut_system *system = w->stored.system;
    bool is_all = tut_args_has(args, "--all");
    size_t most = is_all ? system->asset_count : args->positional_count;
    if (is_all == (args->positional_count > 0))
        return tut_fail(err, TUT_USAGE, "snapshot wants ASSET..., or --all");
    w->assets = tut_alloc_array(most + 1, sizeof(*w->assets));
    if (!w->assets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < most; i++) {
        const tut_asset *asset = is_all ? &system->assets[i] : NULL;
        bool is_there = false;
        if (!is_all)
            TUT_TRY(tut_stored_asset(&w->stored, args->positional[i], &asset, err));
        for (size_t k = 0; k < w->count; k++)
            is_there = is_there || w->assets[k] == asset;
        if (!is_there && (!is_all || asset->path.len > 0))
            w->assets[w->count++] = asset;
    }
    return TUT_SUCCESS;
}

static tut_status take(const tut_args *args, work *w, tut_error *err)
{
    tut_stored *s = &w->stored;
    TUT_TRY(tut_stored_open(args, true, s, err));
    TUT_TRY(choose(args, w, err));
    s->label = "storing: bytes";
    const tut_snapshot_options o = {.no_cache = tut_args_has(args, "--no-cache"),
                                    .sandbox = args->sandbox,
                                    .progress = tut_stored_progress,
                                    .census_progress = step,
                                    .ctx = s,
                                    .who = &s->who};
    tut_progress_start(&s->progress, args->quiet, args->color);
    tut_status status = tut_snapshot_take(s->system, s->state, w->assets, w->count, &o,
                                          &w->snapshots, err);
    tut_progress_end(&s->progress);
    return status;
}

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest, bool is_there)
{
    tut_json_key(j, key);
    if (is_there)
        tut_json_sha256(j, digest->bytes);
    else
        tut_json_null(j);
}

static void put_asset(tut_json *j, const tut_snapshot *s)
{
    bool is_kept = s->outcome != TUT_SNAPSHOT_REFUSED;
    tut_json_object(j);
    tut_json_put_z(j, "id", s->asset->id);
    tut_json_put_z(j, "state", tut_snapshot_word(s->outcome));
    tut_json_put_z(j, "problem", s->problem);
    tut_json_put_z(j, "tag", s->tag);
    tut_json_put_u64(j, "version", s->number);
    put_digest(j, "digest", &s->digest, is_kept);
    put_digest(j, "manifest", &s->manifest, is_kept);
    tut_json_put_u64(j, "files", s->files);
    tut_json_put_u64(j, "bytes", s->bytes);
    tut_json_put_u64(j, "stored_files", s->stored);
    tut_json_put_u64(j, "stored_bytes", s->stored_bytes);
    tut_json_put_bool(j, "has_signature", s->has_signature);
    tut_json_put_bool(j, "sealed", s->is_sealed);
    tut_json_end_object(j);
}

static void tally(const work *w, size_t counts[3], uint64_t *stored)
{
    for (size_t i = 0; i < w->count; i++) {
        counts[w->snapshots[i].outcome]++;
        *stored += w->snapshots[i].stored_bytes;
    }
}

static tut_status write_json(const work *w, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t counts[3] = {0};
    uint64_t stored = 0;
    tally(w, counts, &stored);
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.snapshot/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    for (int i = TUT_SNAPSHOT_TAKEN; i <= TUT_SNAPSHOT_REFUSED; i++)
        tut_json_put_u64(j, tut_snapshot_word((tut_snapshot_outcome)i), counts[i]);
    tut_json_put_u64(j, "stored_bytes", stored);
    tut_json_end_object(j);
    tut_json_key(j, "assets");
    tut_json_array(j);
    for (size_t i = 0; i < w->count; i++)
        put_asset(j, &w->snapshots[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void add_remarks(const tut_snapshot *s, const tut_term *term, tut_buf *out)
{
    if (s->problem) {
        tut_buf_add_z(out, "    ");
        tut_term_wrap(term, out, 4, tut_str_of(s->problem));
    }
    if (s->has_plain_past)
        tut_buf_add_z(out,
                      "    Versions from before it was confidential lie in the store unsealed; "
                      "tutela store prune takes them away.\n");
}

static tut_status write_text(const tut_args *args, const work *w, tut_buf *out, tut_error *err)
{
    static const tut_style styles[] = {TUT_STYLE_GOOD, TUT_STYLE_PLAIN, TUT_STYLE_BAD};
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    for (size_t i = 0; i < w->count; i++) {
        const tut_snapshot *s = &w->snapshots[i];
        char bytes[16];
        tut_human_bytes(s->stored_bytes, bytes);
        tut_term_printf(&term, out, styles[s->outcome], "  %-9s", tut_snapshot_word(s->outcome));
        tut_buf_add_byte(out, ' ');
        tut_buf_add_escaped(out, tut_str_of(s->asset->id), 200);
        if (s->outcome != TUT_SNAPSHOT_REFUSED)
            tut_buf_printf(out, " v%llu", (unsigned long long)s->number);
        if (s->outcome == TUT_SNAPSHOT_TAKEN)
            tut_buf_printf(out, ": %zu of %zu file%s stored, %s%s%s", s->stored, s->files,
                           s->files == 1 ? "" : "s", bytes, s->is_sealed ? ", sealed" : "",
                           s->has_signature ? "" : ", not signed");
        tut_buf_add_byte(out, '\n');
        add_remarks(s, &term, out);
    }
    if (w->count == 0)
        tut_buf_add_z(out, "The description names no asset that has files.\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(work) w = {0};
    tut_error err = {0};
    size_t counts[3] = {0};
    uint64_t stored = 0;
    if (!tut_is_ok(take(args, &w, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(&w, &out, &err)
                                                     : write_text(args, &w, &out, &err)))
        return tut_cmd_fail(&err);
    tally(&w, counts, &stored);
    return tut_cmd_output(&out, counts[TUT_SNAPSHOT_REFUSED] > 0 ? TUT_EXIT_FOUND
                                : w.count == 0                   ? TUT_EXIT_DOUBT
                                                                 : TUT_EXIT_OK);
}

const tut_command tut_cmd_snapshot = {
    .name = "snapshot",
    .arguments = "[ASSET...]",
    .summary = "Keep assets as they are now as versions to go back to",
    .help = "Puts the files of each asset, with its signature, into the version store below "
            ".tutela/store, an OCI image layout; what is there already is not stored again. "
            "Confidential and personal assets are encrypted. Each version is an event in the log: "
            "one that the log does not know is never restored. An asset that is not what was "
            "accepted is refused. ASSET is an id or a path of the description.\n\n"
            "tutela snapshot model/reranker\n"
            "tutela snapshot --all\n\n"
            "Exit status: 0 all kept; 1 an asset was refused; 2 nothing could be done.",
    .formats = "table json",
    .options = options,
    .most = SIZE_MAX,
    .run = run,
};
