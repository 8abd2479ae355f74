/* tutela pack build: the verdict and all that it rests on, as one archive. */
#include <string.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "cmd/judge.h"
#include "cmd/signer.h"
#include "pack/build.h"

static const tut_option options[] = {
    {"--at", TUT_OPTION_VALUE, "TIME", "of the verdict as it stood at TIME; default now"},
    {"--by", TUT_OPTION_VALUE, "PERSON",
     "who builds it; recorded, and signed where a key is there"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the person's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status print_json(const char *path, const tut_pack_options *how,
                             const tut_pack_built *built, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.pack-built/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "path", path);
    tut_json_put_time(j, "evaluated_at", how->at);
    tut_json_put_or_null(j, "grade", (tut_str){&built->grade, built->grade ? 1 : 0});
    tut_json_put_u64(j, "entry", built->entry);
    tut_json_put_bool(j, "recorded", built->is_new);
    tut_json_put_u64(j, "log_size", built->log_size);
    tut_json_put_u64(j, "files", built->files);
    tut_json_put_u64(j, "evidence", built->evidence);
    tut_json_put_u64(j, "withheld", built->withheld);
    tut_json_key(j, "manifest");
    tut_json_sha256(j, built->manifest.bytes);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static tut_status print_text(const char *path, const tut_pack_options *how,
                             const tut_pack_built *built, tut_buf *out, tut_error *err)
{
    char people[TUT_TIME_TEXT];
    char exact[TUT_TIME_TEXT];
    tut_time_people(how->at, people);
    tut_time_rfc3339(how->at, exact);
    tut_buf_add_escaped(out, tut_str_of(path), 400);
    tut_buf_printf(out, ": the verdict at %s", people);
    if (built->grade)
        tut_buf_printf(out, " (grade %c)", built->grade);
    tut_buf_printf(out, ", %zu files, %zu pieces of evidence.\n", built->files, built->evidence);
    tut_buf_printf(out, "Entry %llu of the log %s; its checkpoint is of %llu entries.\n",
                   (unsigned long long)built->entry,
                   built->is_new ? "records this" : "had recorded this before",
                   (unsigned long long)built->log_size);
    if (built->withheld)
        tut_buf_printf(out, "%zu bodies stay here: sealed, or missing (pack.json, withheld).\n",
                       built->withheld);
    if (built->is_new)
        tut_buf_printf(out,
                       "Next     tutela ledger witness ask, or tutela ledger timestamp; then build "
                       "it again with --at %s:\n         the same pack, with what others say of "
                       "its log\n",
                       exact);
    return tut_buf_check(out, err);
}

static tut_status build(const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    tut_judging how;
    tut_pack_built built = {.entry = 0};
    const char *path = args->positional[0];
    TUT_TRY(tut_judging_options(args, &how, err));
    TUT_TRY(tut_cmd_locate(args, args->positional_count > 1 ? args->positional[1] : NULL, &dir,
                           &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    }
    tut_pack_options options_of = {
        .state_dir = state, .path = path, .at = how.at, .by = tut_args_get(args, "--by")};
    if ((options_of.by && !options_of.by[0]) ||
        (!options_of.by && tut_args_has(args, "--signing-key")))
        return tut_fail(err, TUT_USAGE,
                        "--by says who builds the pack; --signing-key goes with it");
    if (options_of.by)
        TUT_TRY(tut_signer_find(args, state, &options_of.by, &records, &key, err));
    options_of.signer = key;
    TUT_TRY(tut_pack_build(&options_of, &built, err));
    return strcmp(args->format, "json") == 0 ? print_json(path, &options_of, &built, out, err)
                                             : print_text(path, &options_of, &built, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(build(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_pack_build = {
    .name = "pack build",
    .arguments = "FILE [DIR]",
    .summary = "Write the verdict and all that it rests on as one archive",
    .help =
        "It collects nothing: run tutela assess before. The archive holds the reports, the bodies "
        "that the verdict was drawn from, the whole evidence log with its checkpoint and tiles, "
        "proofs of the evidence, cosignatures and time-stamps, public keys, and VERIFY.txt. That "
        "it was built is recorded. Bodies that may hold personal data stay here.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 2,
    .run = run,
};
