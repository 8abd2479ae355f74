/* tutela vet: what datasets are, and what is wrong with them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "base/time.h"
#include "cmd/command.h"
#include "cmd/vet_copy.h"
#include "cmd/vet_view.h"
#include "data/chunk_list.h"
#include "data/schema.h"
#include "data/vet_inputs.h"

/* What the datasets are held against is the other version, or the list of its chunks. */
static tut_status take_against(const tut_args *args, tut_vet_inputs *in, tut_error *err)
{
    const char *against = tut_args_get(args, "--against");
    const char *save = tut_args_get(args, "--save-chunks");
    bool is_list = false;
    if (save && (in->count != 1 || in->items[0].file_count != 1))
        return tut_fail(err, TUT_USAGE, "--save-chunks goes with one file");
    if (save)
        in->items[0].wants_chunks = true;
    if (!against)
        return TUT_SUCCESS;
    TUT_TRY(tut_chunk_list_load(against, &is_list, &in->against, err));
    if (is_list && in->items[0].file_count != 1)
        return tut_fail(err, TUT_USAGE, "a list of chunks goes with one file, and %s has %zu",
                        in->items[0].path, in->items[0].file_count);
    in->items[0].against = is_list ? NULL : against;
    in->items[0].against_chunks = is_list ? &in->against : NULL;
    return TUT_SUCCESS;
}

static tut_status take_options(const tut_args *args, tut_vet_inputs *in, tut_error *err)
{
    const char *label = tut_args_get(args, "--label"), *source = tut_args_get(args, "--source");
    const char *labels = tut_args_get(args, "--labels"), *split = tut_args_get(args, "--split");
    const char *baseline = tut_args_get(args, "--baseline");
    const char *against = tut_args_get(args, "--against");
    const char *save = tut_args_get(args, "--save-baseline");
    const char *activations = tut_args_get(args, "--activations");
    const char *page = tut_args_get(args, "--html");
    tut_split given = TUT_SPLIT_NONE;
    if (split && !tut_split_parse(tut_str_of(split), &given))
        return tut_fail(err, TUT_USAGE, "--split is train, validation or test");
    if ((labels || baseline || against || save || activations) && in->count != 1)
        return tut_fail(err, TUT_USAGE, "%s goes with one dataset, and here are %zu",
                        labels        ? "--labels"
                        : baseline    ? "--baseline"
                        : against     ? "--against"
                        : activations ? "--activations"
                                      : "--save-baseline",
                        in->count);
    if (baseline)
        TUT_TRY(tut_fs_read(baseline, TUT_LIMIT_MEMBER_BYTES, &in->baseline, err));
    if (baseline && in->baseline.len == 0)
        return tut_fail(err, TUT_USAGE, "the baseline %s is empty", baseline);
    for (size_t i = 0; i < in->count; i++) {
        in->items[i].label = label;
        in->items[i].source = source;
        in->items[i].labels = labels ? labels : in->items[i].labels;
        in->items[i].activations = activations;
        in->items[i].wants_baseline = save != NULL;
        in->items[i].wants_examples = page || strcmp(args->format, "html") == 0;
        in->items[i].split = split ? given : in->items[i].split;
        in->items[i].baseline = tut_buf_span(&in->baseline);
    }
    return take_against(args, in, err);
}

static void step(void *ctx, size_t done, size_t total)
{
    tut_progress_step(ctx, "vet", done, total);
}

static tut_status vet(const tut_args *args, const tut_vet_inputs *in, tut_vet **ret_vet,
                      tut_error *err)
{
    tut_progress progress;
    tut_vet_options options = {.checks = TUT_VET_ALL, .sandbox = args->sandbox, .progress = step};
    const char *checks = tut_args_get(args, "--checks");
    if (checks)
        TUT_TRY(tut_vet_checks_parse(checks, &options.checks, err));
    tut_progress_start(&progress, args->quiet, args->color);
    options.progress_ctx = &progress;
    tut_status status = tut_vet_run(in->items, in->count, &options, ret_vet, err);
    tut_progress_end(&progress);
    return status;
}

/* Findings decide first, then doubt: 1 beats 2 beats 3 beats 0. */
static int exit_status(const tut_vet *v, int fail_on)
{
    bool has_failed = false, has_doubt = v->count == 0 || v->text_problem[0];
    for (size_t i = 0; i < v->count; i++) {
        if (tut_vet_worst(&v->items[i]) >= fail_on)
            return TUT_EXIT_FOUND;
        has_failed |= v->items[i].status == TUT_VET_ERROR;
        has_doubt |= v->items[i].status != TUT_VET_COMPLETE;
    }
    return has_failed ? TUT_EXIT_FAILED : has_doubt ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

/* What cannot be read is said as other commands say it: one line on stderr. */
static void say_unreadable(const tut_vet *v)
{
    TUT_CLEAN(tut_buf) lines = TUT_BUF_INIT;
    for (size_t i = 0; i < v->count; i++) {
        const tut_vet_dataset *d = &v->items[i];
        if (d->status != TUT_VET_ERROR && d->status != TUT_VET_UNSUPPORTED)
            continue;
        tut_buf_add_escaped(&lines, tut_str_of(d->path), TUT_ERROR_PATH_MAX);
        tut_buf_printf(&lines, ": %s.\n", d->problem);
    }
    if (lines.len > 0)
        fwrite(lines.data, 1, lines.len, stderr);
}

static tut_status write_out(const tut_args *args, const tut_vet *v, const tut_vet_copy *copy,
                            uint64_t took_ms, tut_buf *out, tut_error *err)
{
    tut_term term;
    if (strcmp(args->format, "json") == 0)
        return tut_vet_copy_json(copy, v, out, err);
    if (strcmp(args->format, "sarif") == 0)
        return tut_vet_sarif(v, out, err);
    if (strcmp(args->format, "html") == 0)
        return tut_vet_html(v, out, err);
    say_unreadable(v);
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(tut_vet_view(v, &term, took_ms, out, err));
    if (copy->path)
        tut_vet_copy_say(copy, &term, out);
    return tut_buf_check(out, err);
}

static tut_status save_page(const tut_args *args, const tut_vet *v, tut_error *err)
{
    const char *to = tut_args_get(args, "--html");
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    if (!to)
        return TUT_SUCCESS;
    TUT_TRY(tut_vet_html(v, &page, err));
    return tut_fs_write(to, tut_buf_span(&page), 0600, err);
}

/* What the worker wrote is read once more before it is believed. */
static tut_status save_baseline(const tut_args *args, const tut_vet *v, tut_error *err)
{
    const char *to = tut_args_get(args, "--save-baseline");
    TUT_AUTO(tut_profile) profile = NULL;
    TUT_AUTO(tut_data_schema) schema = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!to)
        return TUT_SUCCESS;
    const tut_vet_dataset *d = &v->items[0];
    if (d->status != TUT_VET_COMPLETE || !d->baseline || !d->baseline[0])
        return tut_fail(err, TUT_USAGE, "no baseline was saved: %s",
                        d->problem[0] ? d->problem : "there is nothing to make one of");
    TUT_TRY(tut_data_schema_read(tut_span_of(d->baseline, strlen(d->baseline)), &profile, &schema,
                                 err));
    TUT_TRY(tut_data_schema_write(profile, schema, tut_time_generated(), &text, err));
    return tut_fs_write(to, tut_buf_span(&text), 0600, err);
}

static tut_status save_chunks(const tut_args *args, const tut_vet *v, tut_error *err)
{
    const char *to = tut_args_get(args, "--save-chunks");
    const tut_vet_dataset *d = &v->items[0];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!to)
        return TUT_SUCCESS;
    if (!d->has_root || !d->has_digest)
        return tut_fail(err, TUT_USAGE, "no chunks were saved: %s", d->problem);
    TUT_TRY(tut_chunk_list_write(&d->chunks, &d->digest, tut_time_generated(), &text, err));
    return tut_fs_write(to, tut_buf_span(&text), 0600, err);
}

/* The copy, and what the same checks find in it. */
static tut_status sanitise(const tut_args *args, const tut_vet_inputs *in, tut_vet_copy *copy,
                           tut_error *err)
{
    const char *to = tut_args_get(args, "--sanitise");
    if (!to)
        return TUT_SUCCESS;
    if (in->count != 1 || in->items[0].file_count != 1)
        return tut_fail(err, TUT_USAGE, "--sanitise goes with one file");
    TUT_TRY(tut_vet_copy_make(&in->items[0], to, tut_args_get(args, "--pseudonym-key"),
                              args->sandbox, copy, err));
    const char *copied[] = {to};
    tut_vet_input again = in->items[0];
    again.path = to;
    again.files = copied;
    again.against = NULL;
    again.against_chunks = NULL;
    again.wants_chunks = false;
    const tut_vet_options options = {.checks = TUT_VET_BIT(TUT_VET_PROFILE) |
                                               TUT_VET_BIT(TUT_VET_PERSONAL) |
                                               TUT_VET_BIT(TUT_VET_HIDDEN),
                                     .sandbox = args->sandbox};
    return tut_vet_run(&again, 1, &options, &copy->vetted, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_vet_inputs) in = {0};
    TUT_CLEAN(tut_vet_copy) copy = {0};
    TUT_AUTO(tut_vet) v = NULL;
    tut_error err = {0};
    int fail_on;
    uint64_t started = tut_clock_ms();
    if (!tut_is_ok(tut_cmd_fail_on(tut_args_get(args, "--fail-on"), false, &fail_on, &err)) ||
        !tut_is_ok(tut_vet_inputs_collect(args->positional, args->positional_count, &in, &err)) ||
        !tut_is_ok(take_options(args, &in, &err)) || !tut_is_ok(vet(args, &in, &v, &err)) ||
        !tut_is_ok(save_baseline(args, v, &err)) || !tut_is_ok(save_chunks(args, v, &err)) ||
        !tut_is_ok(save_page(args, v, &err)) || !tut_is_ok(sanitise(args, &in, &copy, &err)) ||
        !tut_is_ok(write_out(args, v, &copy, tut_clock_ms() - started, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, exit_status(copy.vetted ? copy.vetted : v, fail_on));
}

static const tut_option options[] = {
    {"--checks", TUT_OPTION_VALUE, "LIST",
     "only these of profile,personal,hidden,duplicates,poison (default: all)"},
    {"--save-baseline", TUT_OPTION_VALUE, "FILE",
     "write what the dataset is like, for later versions to be held against"},
    {"--baseline", TUT_OPTION_VALUE, "FILE", "hold the dataset against what was saved before"},
    {"--against", TUT_OPTION_VALUE, "FILE",
     "another version: which rows were added, and which removed, and which bytes differ; or the "
     "list of its chunks: which bytes"},
    {"--save-chunks", TUT_OPTION_VALUE, "FILE",
     "write the leaves of its Merkle root, for --against a later version"},
    {"--label", TUT_OPTION_VALUE, "COLUMN", "the column that says what a row is (for poison)"},
    {"--labels", TUT_OPTION_VALUE, "FILE", "one label a row, in a file of its own (idx, npy, csv)"},
    {"--activations", TUT_OPTION_VALUE, "FILE",
     "what a model makes of each row (npy): outliers are looked for there"},
    {"--source", TUT_OPTION_VALUE, "COLUMN", "the column that says who brought a row in"},
    {"--html", TUT_OPTION_VALUE, "FILE",
     "write a page too: what was found, with its rows in view, and what the columns are like"},
    {"--sanitise", TUT_OPTION_VALUE, "OUT",
     "write a copy without personal data, secrets and hidden characters, and vet that"},
    {"--pseudonym-key", TUT_OPTION_VALUE, "FILE",
     "in the copy the same value gets the same pseudonym; made where there is no such file"},
    {"--split", TUT_OPTION_VALUE, "train|validation|test",
     "what the datasets are for (default: by their names)"},
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY", "exit 1 from this severity on (default high)"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

const tut_command tut_cmd_vet = {
    .name = "vet",
    .arguments = "PATH...",
    .summary = "Look through datasets for poison, personal data, secrets, hidden text, duplicates",
    .help =
        "Reads CSV, JSON, Parquet, NumPy and idx arrays and folders of texts, also compressed, "
        "once, "
        "in a worker process without network, keys or write access. Rows count from 0, without "
        "the header.\n\n"
        "Exit status: 1 when a finding is at or above --fail-on; 2 when a dataset could not be "
        "read; 3 when something was not read to its end, or nothing was recognised; else 0. With "
        "--sanitise it speaks of the copy.",
    .formats = "table json sarif html",
    .options = options,
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
