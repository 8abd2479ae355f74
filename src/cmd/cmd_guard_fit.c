/* tutela guard fit: trains the detector of injections. */
#include <string.h>

#include "base/fs.h"
#include "cmd/command.h"
#include "crypto/digest.h"
#include "detect/fit.h"

static const tut_option options[] = {
    {"--out", TUT_OPTION_VALUE, "FILE", "where the weights go (default: detector-weights.bin)"},
    {"--card", TUT_OPTION_VALUE, "FILE", "write the figures there, in Markdown"},
    {"--seed", TUT_OPTION_VALUE, "NUMBER", "of the texts that are made up (default: 6)"},
    {"--measure", TUT_OPTION_FLAG, NULL, "also fit without each family, and say what that misses"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status fit(const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) weights = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) card = TUT_BUF_INIT;
    const char *path = tut_args_get(args, "--out"), *card_path = tut_args_get(args, "--card");
    const char *seed = tut_args_get(args, "--seed");
    tut_fit_options o = {.data = args->positional[0], .seed = 6};
    tut_sha256 digest;
    char hex[TUT_SHA256_HEX];
    o.measures = tut_args_has(args, "--measure");
    path = path ? path : "detector-weights.bin";
    if (seed && !tut_str_u64(tut_str_of(seed), &o.seed))
        return tut_fail(err, TUT_USAGE, "--seed is a number");
    TUT_TRY(tut_fit(&o, &weights, &card, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&weights), &digest, err));
    TUT_TRY(tut_fs_write(path, tut_buf_span(&weights), 0644, err));
    if (card_path)
        TUT_TRY(tut_fs_write(card_path, tut_buf_span(&card), 0644, err));
    tut_sha256_hex(&digest, hex);
    tut_buf_add_str(out, tut_buf_str(&card));
    tut_buf_printf(out, "\n%s: %zu bytes, SHA-256 %s\n", path, weights.len, hex);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(fit(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_guard_fit = {
    .name = "guard fit",
    .arguments = "FOLDER",
    .summary = "Train the detector of injections, and measure it on what it has not seen",
    .help =
        "FOLDER holds the sets as JSON lines (INDEX.tsv names them). The same folder and seed give "
        "the same weights. `tutela guard score --weights FILE` uses them; those of the program "
        "are src/detect/weights.bin when it is built.",
    .formats = "table",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
