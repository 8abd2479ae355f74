/* tutela watch compare: do current data still look like the reference? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assess/attest.h"
#include "base/fs.h"
#include "cmd/command.h"
#include "cmd/watch_view.h"
#include "crypto/digest.h"
#include "scan/rule.h"
#include "watch/compare.h"

static const tut_option options[] = {
    {"--reference", TUT_OPTION_VALUE, "FILE", "what the data should look like"},
    {"--current", TUT_OPTION_VALUE, "FILE", "what they look like now"},
    {"--columns", TUT_OPTION_VALUE, "A,B,...", "only these"},
    {"--alpha", TUT_OPTION_VALUE, "P", "share of false discoveries, 0.05"},
    {"--effect", TUT_OPTION_VALUE, "E", "the least effect that counts, 0.1"},
    {"--prediction", TUT_OPTION_VALUE, "COLUMN", "a classifier's answer, 0 or 1"},
    {"--probability", TUT_OPTION_VALUE, "COLUMN", "its probability of 1"},
    {"--label", TUT_OPTION_VALUE, "COLUMN", "what was right, at least in the reference"},
    {"--text", TUT_OPTION_VALUE, "COLUMN", "a column of texts: words and pairs of words"},
    {"--html", TUT_OPTION_VALUE, "FILE", "write a report with the distributions"},
    {"--record", TUT_OPTION_FLAG, NULL, "record what was found as evidence"},
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY",
     "exit 1 from there on: medium (default) is an effect of --effect, high one of 0.3"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { COLUMNS = 256 };
/* Severities as --fail-on knows them. */
enum { NOTHING = -1 };

static tut_status take_share(const tut_args *args, const char *option, double *value,
                             tut_error *err)
{
    const char *text = tut_args_get(args, option);
    char *end = NULL;
    if (!text)
        return TUT_SUCCESS;
    double v = strtod(text, &end);
    if (end == text || *end || !(v > 0 && v < 1))
        return tut_fail(err, TUT_USAGE, "%s takes a number between 0 and 1, not \"%s\"", option,
                        text);
    *value = v;
    return TUT_SUCCESS;
}

static tut_status take_columns(const char *text, tut_str columns[COLUMNS], size_t *ret_count,
                               tut_error *err)
{
    while (text && *text) {
        size_t len = strcspn(text, ",");
        if (*ret_count == COLUMNS)
            return tut_fail(err, TUT_USAGE, "--columns takes at most %d names", COLUMNS);
        if (len)
            columns[(*ret_count)++] = (tut_str){text, len};
        text += len + (text[len] == ',');
    }
    return TUT_SUCCESS;
}

static tut_status take_options(const tut_args *args, tut_str columns[COLUMNS],
                               tut_compare_options *o, tut_error *err)
{
    o->drift = tut_drift_by_default;
    o->sandbox = args->sandbox;
    o->columns = columns;
    TUT_TRY(take_columns(tut_args_get(args, "--columns"), columns, &o->column_count, err));
    TUT_TRY(take_share(args, "--alpha", &o->drift.alpha, err));
    TUT_TRY(take_share(args, "--effect", &o->drift.effect, err));
    o->drift.prediction = tut_str_of(tut_args_get(args, "--prediction"));
    o->drift.probability = tut_str_of(tut_args_get(args, "--probability"));
    o->drift.label = tut_str_of(tut_args_get(args, "--label"));
    o->language = tut_str_of(tut_args_get(args, "--text"));
    bool some = o->drift.prediction.len || o->drift.probability.len;
    if (some && !(o->drift.prediction.len && o->drift.probability.len && o->drift.label.len))
        return tut_fail(err, TUT_USAGE,
                        "performance needs --prediction, --probability and --label together");
    return TUT_SUCCESS;
}

static int severity_of(const tut_drift *d)
{
    static const double high = 0.3;
    int worst = NOTHING;
    for (size_t i = 0; i < d->count; i++) {
        const tut_drift_feature *f = &d->features[i];
        if (f->drifted || f->is_missing_drifted)
            worst = worst == TUT_SEVERITY_HIGH || !(f->effect < high) ? TUT_SEVERITY_HIGH
                                                                      : TUT_SEVERITY_MEDIUM;
    }
    if (worst != TUT_SEVERITY_HIGH && tut_drift_is_found(d))
        worst = d->performance.is_there && d->performance.drifted ? TUT_SEVERITY_HIGH
                                                                  : TUT_SEVERITY_MEDIUM;
    return worst;
}

static tut_status digest_of(const char *path, tut_sha256 *ret, tut_error *err)
{
    FILE *f = fopen(path, "rbe");
    tut_source source;
    if (!f)
        return tut_fail(err, TUT_IO, "%s cannot be read again", path);
    tut_status status = tut_source_file(fileno(f), &source, err);
    if (tut_is_ok(status))
        status = tut_sha256_source(&source, ret, err);
    (void)fclose(f);
    return status;
}

static tut_status write_json(const tut_drift *d, const char *const paths[TUT_SIDES], bool digests,
                             tut_buf *out, tut_error *err)
{
    static const char *const keys[TUT_SIDES] = {"reference", "current"};
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.drift/1", tut_time_generated());
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        tut_sha256 digest;
        tut_json_key(j, keys[side]);
        tut_json_object(j);
        tut_json_put_z(j, "path", paths[side]);
        if (digests) {
            TUT_TRY(digest_of(paths[side], &digest, err));
            tut_json_key(j, "digest");
            tut_json_sha256(j, digest.bytes);
        }
        tut_json_end_object(j);
    }
    tut_drift_json(d, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* What was looked at counts as evidence, whichever way it came out; that nothing could be judged
 * does not. */
static tut_status record(const tut_args *args, const tut_drift *d,
                         const char *const paths[TUT_SIDES], tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    char statement[400];
    uint64_t index = 0;
    bool found = tut_drift_is_found(d);
    if (!d->is_enough)
        return TUT_SUCCESS;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state)
        return tut_fail(err, TUT_USAGE, "--record needs a described system");
    TUT_TRY(write_json(d, paths, true, &body, err));
    (void)snprintf(statement, sizeof(statement),
                   "%zu of %zu features drifted (q %g, effect %g; %llu rows against %llu)%s.",
                   d->drifted, d->count, d->alpha, d->effect, (unsigned long long)d->rows[1],
                   (unsigned long long)d->rows[0],
                   !d->performance.is_there ? ""
                   : d->performance.drifted ? "; accuracy fell"
                                            : "; accuracy did not fall");
    const tut_attestation a = {.check = d->performance.is_there ? "watch.performance"
                                                                : "watch.analysis",
                               .result = found ? TUT_RESULT_FAIL : TUT_RESULT_PASS,
                               .statement = statement,
                               .body = tut_buf_span(&body)};
    TUT_TRY(tut_attest(args->system ? args->system : dir, state, &a, &index, err));
    if (strcmp(args->format, "json") != 0)
        tut_buf_printf(out, "Recorded as entry %llu: %s, %s.\n", (unsigned long long)index, a.check,
                       tut_result_name(a.result));
    return tut_buf_check(out, err);
}

static tut_status write_html(const char *path, const tut_drift *d,
                             const char *const paths[TUT_SIDES], tut_error *err)
{
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    if (!path)
        return TUT_SUCCESS;
    TUT_TRY(tut_drift_html(d, paths, &page, err));
    return tut_fs_write(path, tut_buf_span(&page), 0644, err);
}

static tut_status show(const tut_args *args, const tut_drift *d, const char *const paths[TUT_SIDES],
                       tut_buf *out, tut_error *err)
{
    TUT_TRY(write_html(tut_args_get(args, "--html"), d, paths, err));
    if (strcmp(args->format, "json") == 0)
        TUT_TRY(write_json(d, paths, false, out, err));
    else
        TUT_TRY(tut_watch_view(args, d, out, err));
    return tut_args_has(args, "--record") ? record(args, d, paths, out, err) : TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    const char *const paths[TUT_SIDES] = {tut_args_get(args, "--reference"),
                                          tut_args_get(args, "--current")};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_drift) drift = NULL;
    tut_str columns[COLUMNS];
    tut_compare_options o = {.column_count = 0};
    tut_error err = {0};
    const char *on = tut_args_get(args, "--fail-on");
    int fail_on = 0;
    if (!paths[0] || !paths[1])
        return tut_cmd_usage(args, "watch compare needs --reference FILE and --current FILE");
    tut_interrupt_install();
    tut_status status = tut_cmd_fail_on(on ? on : "medium", false, &fail_on, &err);
    if (tut_is_ok(status))
        status = take_options(args, columns, &o, &err);
    if (tut_is_ok(status))
        status = tut_compare_files(paths, &o, &drift, &err);
    if (tut_is_ok(status))
        status = show(args, drift, paths, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, !drift->is_enough               ? TUT_EXIT_DOUBT
                                : severity_of(drift) >= fail_on ? TUT_EXIT_FOUND
                                                                : TUT_EXIT_OK);
}

const tut_command tut_cmd_watch_compare = {
    .name = "watch compare",
    .summary = "Do current data still look like the reference?",
    .help =
        "Every column of both files is compared by a test for its kind; a column has drifted when "
        "the q-value over all tests AND the effect say so. Tables in CSV, JSON, Parquet and the "
        "like, compressed or not. With --prediction, --probability and --label a classifier's "
        "performance is estimated where no labels are there yet.\n"
        "\n"
        "  tutela watch compare --reference train.csv --current week.csv --html drift.html",
    .formats = "table json",
    .options = options,
    .run = run,
};
