/* tutela assess: look at the system, judge the 72 provisions, write the reports. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/assessment.h"
#include "base/fs.h"
#include "cmd/command.h"
#include "cmd/judge.h"
#include "govern/govern.h"
#include "scan/scan.h"

static const tut_option options[] = {
    {"--at", TUT_OPTION_VALUE, "TIME", "judge by the records up to TIME; collects nothing"},
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY",
     "exit 1 from this severity on (a shall that is not met is high, a should low); default high"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* For scripts: all provisions, not checked. No state can lie below a file that is not there, so
 * records that an earlier description left behind do not speak for this one. */
static int undescribed_document(const tut_args *args, const tut_judging *how, const char *dir)
{
    TUT_AUTO_FREE char *none = tut_fs_join(dir, "tutela.yaml");
    TUT_AUTO(tut_assessment) a = NULL;
    tut_error err = {0};
    if (!none)
        TUT_IGNORE(tut_fail(&err, TUT_NOMEM, "memory ran out"));
    if (!none || !tut_is_ok(tut_assess_evaluate(dir, none, tut_time_now(), &a, &err)))
        return tut_cmd_fail(&err);
    return tut_judging_nothing(args, a, how, dir);
}

/* A directory that nobody has described: say what is there, and what would describe it. */
static int undescribed(const tut_args *args, const tut_judging *how, const char *dir)
{
    if (strcmp(args->format, "table") != 0)
        return undescribed_document(args, how, dir);
    TUT_AUTO(tut_scan) scan = NULL;
    tut_error err = {0};
    tut_scan_options look = {.facts_only = true, .all_kinds = true, .sandbox = args->sandbox};
    if (!tut_is_ok(tut_scan_run(&dir, 1, &look, &scan, &err)))
        return tut_cmd_fail(&err);
    size_t assets = 0;
    for (size_t i = 0; i < scan->count; i++)
        assets += scan->files[i].format && scan->files[i].format->kind != TUT_KIND_NONE;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_escaped(&line, tut_str_of(dir), 400);
    if (assets == 0)
        tut_buf_add_z(&line, ": no asset was recognised, so nothing was checked. No grade.\n");
    else
        tut_buf_printf(&line,
                       ": %zu %s found, but no tutela.yaml describes the system, so nothing was "
                       "assessed. No grade.\n",
                       assets, assets == 1 ? "asset was" : "assets were");
    tut_buf_add_z(&line, "Next     tutela init ");
    tut_buf_add_escaped(&line, tut_str_of(dir), 400);
    tut_buf_add_z(&line, "\n");
    return tut_cmd_output(&line, TUT_EXIT_DOUBT);
}

static tut_status collect(const tut_args *args, const char *dir, const char *state, tut_error *err)
{
    tut_progress progress;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_progress_start(&progress, args->quiet, args->color);
    tut_collect_options how = {.sandbox = args->sandbox, .progress = &progress, .shown = &shown};
    const char *place = args->system ? args->system : dir;
    tut_status status = tut_assess_collect(place, state, &how, err);
    if (tut_is_ok(status))
        status = tut_govern_collect(place, state, err);
    tut_progress_end(&progress);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

static int give_up(const tut_error *err, bool is_recorded)
{
    int status = tut_cmd_fail(err);
    fputs(is_recorded ? "The evidence was recorded; the last report is unchanged.\n"
                      : "Nothing was assessed; the last report is unchanged.\n",
          stderr);
    return status;
}

/* Nothing is added to a log that does not verify; that it does not is the verdict. */
static bool is_verdict_on_log(const tut_args *args, const char *dir, const char *state, tut_time at,
                              tut_code why)
{
    TUT_AUTO(tut_assessment) a = NULL;
    return why == TUT_STORE &&
           tut_is_ok(tut_assess_evaluate(args->system ? args->system : dir, state, at, &a, NULL)) &&
           tut_assessment_is_damaged(a);
}

static int run(const tut_args *args)
{
    uint64_t started = tut_clock_ms();
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO_FREE char *html = NULL;
    TUT_AUTO(tut_assessment) a = NULL;
    tut_error err = {0};
    tut_judging how;
    if (!tut_is_ok(tut_judging_options(args, &how, &err)) ||
        !tut_is_ok(tut_cmd_locate(args, args->positional_count ? args->positional[0] : NULL, &dir,
                                  &state, &err)))
        return tut_cmd_fail(&err);
    if (!state)
        return undescribed(args, &how, dir);
    if (!how.has_at) {
        tut_status status = collect(args, dir, state, &err);
        how.at = tut_time_now();
        if (!tut_is_ok(status) && !is_verdict_on_log(args, dir, state, how.at, status.code))
            return give_up(&err, false);
    }
    if (!tut_is_ok(
            tut_assess_evaluate(args->system ? args->system : dir, state, how.at, &a, &err)) ||
        !tut_is_ok(tut_judging_policy(a, &how, &err)) ||
        !tut_is_ok(tut_assess_write_reports(a, state, &html, &err)))
        return give_up(&err, !how.has_at);
    if (a->asset_count == 0 && !how.has_at && !tut_assessment_is_damaged(a))
        return tut_judging_nothing(args, a, &how, dir);
    return tut_judging_print(args, a, &how, html, tut_clock_ms() - started);
}

const tut_command tut_cmd_assess = {
    .name = "assess",
    .arguments = "[DIR]",
    .summary = "Check the described system against the 72 provisions and write the reports",
    .help =
        "Compares the files with tutela.yaml, scans every artefact, records the evidence under "
        ".tutela, derives the verdict of each provision from the records, and writes "
        "report.html, report.json, results.sarif and oscal/.\n\n"
        "Exit status: 0 nothing wrong; 1 a finding or a provision not met at or above --fail-on; "
        "2 could not answer; 3 not enough was checked.",
    .formats = "table json",
    .options = options,
    .most = 1,
    .run = run,
};
