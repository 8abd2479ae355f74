/* tutela scan: what lies in model files, and whether loading them is safe. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/time.h"
#include "cmd/command.h"
#include "cmd/scan_view.h"
#include "scan/cyclonedx.h"
#include "scan/sarif.h"
#include "scan/secret_rules.h"
#include "scan/yara.h"

static void step(void *ctx, size_t done, size_t total, uint64_t bytes)
{
    (void)bytes;
    tut_progress_step(ctx, "scan", done, total);
}

enum { PROBLEMS_SHOWN = 5 };

/* Rules of the user's that cannot be used are never left out in silence. */
static void say_unusable(const tut_text_user *rules, const char *file)
{
    size_t count = 0;
    while (tut_text_user_problem(rules, count))
        count++;
    if (count == 0)
        return;
    fprintf(stderr, "tutela: %zu of the expressions in %s cannot be used:\n", count, file);
    for (size_t i = 0; i < count && i < PROBLEMS_SHOWN; i++)
        fprintf(stderr, "  %s\n", tut_text_user_problem(rules, i));
    if (count > PROBLEMS_SHOWN)
        fprintf(stderr, "  and %zu more\n", count - PROBLEMS_SHOWN);
}

static tut_status open_rules(const tut_args *args, tut_text_user **ret_rules, tut_error *err)
{
    const char *file = tut_args_get(args, "--secret-rules");
    if (!file)
        return TUT_SUCCESS;
    TUT_TRY(tut_secret_rules_open(file, args->positional, args->positional_count, args->sandbox,
                                  ret_rules, err));
    say_unusable(*ret_rules, file);
    return TUT_SUCCESS;
}

/* The description whose lists hold: the one that was named, or that of the directory in which one
 * stands. That of a directory which is only looked at is content, and has no say. */
static tut_status find_system(const tut_args *args, tut_system **ret_system, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    const char *file = args->system ? args->system : "tutela.yaml";
    if (!args->system && !tut_fs_exists(file))
        return TUT_SUCCESS;
    tut_status status = tut_system_load(file, ret_system, &shown, err);
    if (!tut_is_ok(status) && shown.len > 0) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

static tut_status gather_yara(const tut_args *args, const tut_system *system, tut_yara **ret_yara,
                              tut_error *err)
{
    size_t count = 0;
    TUT_AUTO_FREE const char **paths = tut_alloc_array(args->given_count + 1, sizeof(*paths));
    if (!paths)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (const char *p; (p = tut_args_nth(args, "--yara", count));)
        paths[count++] = p;
    return tut_yara_gather(system, paths, count, ret_yara, err);
}

static tut_status run_scan(const tut_args *args, const tut_system *system, const tut_yara *yara,
                           const tut_text_user *rules, tut_scan **ret_scan, tut_error *err)
{
    const char *depth = tut_args_get(args, "--depth");
    tut_progress progress;
    tut_progress_start(&progress, args->quiet, args->color);
    tut_scan_options options = {
        .content = !depth || strcmp(depth, "content") == 0,
        .all_kinds = tut_args_has(args, "--all"),
        .skip_others = tut_args_has(args, "--skip-others"),
        .secret_rules = rules,
        .system = system,
        .yara = yara,
        .baseline = tut_args_get(args, "--baseline"),
        .may_reuse = !tut_args_has(args, "--no-cache"),
        .sandbox = args->sandbox,
        .progress = step,
        .progress_ctx = &progress,
    };
    tut_status status = tut_scan_run(args->positional, args->positional_count, &options, ret_scan,
                                     err);
    tut_progress_end(&progress);
    return status;
}

/* Findings decide first, then doubt: 1 beats 2 beats 3 beats 0. */
static int exit_status(const tut_scan *scan, int fail_on, bool may_be_none)
{
    tut_scan_tally tally;
    tut_scan_count(scan, &tally);
    for (int s = fail_on; s < TUT_SEVERITY_COUNT; s++) {
        if (tally.findings[s] > 0)
            return TUT_EXIT_FOUND;
    }
    if (tally.statuses[TUT_SCAN_ERROR] > 0)
        return TUT_EXIT_FAILED;
    if (tally.statuses[TUT_SCAN_COMPLETE] < scan->count)
        return TUT_EXIT_DOUBT;
    return scan->count == 0 && !may_be_none ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
}

/* --- people --- */
static size_t say_unreadable(const tut_scan *scan)
{
    size_t unread = 0;
    TUT_CLEAN(tut_buf) lines = TUT_BUF_INIT;
    for (size_t i = 0; i < scan->count; i++)
        unread += scan->files[i].status == TUT_SCAN_ERROR;
    for (size_t i = 0, said = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        if (r->status != TUT_SCAN_ERROR)
            continue;
        tut_buf_add_escaped(&lines, tut_str_of(r->path), TUT_ERROR_PATH_MAX);
        tut_buf_printf(&lines, ": %s.", r->problem ? r->problem : "cannot be read");
        if (++said == unread)
            tut_buf_printf(&lines, " %zu of %zu files checked.", scan->count - unread, scan->count);
        tut_buf_add_byte(&lines, '\n');
    }
    if (lines.len > 0)
        fwrite(lines.data, 1, lines.len, stderr);
    return unread;
}

static tut_status write_table(const tut_args *args, const tut_scan *scan, uint64_t took_ms,
                              tut_buf *out, tut_error *err)
{
    tut_term term;
    size_t unread = say_unreadable(scan);
    if (scan->count > 0 && unread == scan->count)
        return TUT_SUCCESS;
    if (scan->count == 0) {
        tut_buf_add_escaped(out, tut_str_of(args->positional[0]), TUT_ERROR_PATH_MAX);
        tut_buf_printf(out, ": no model was recognised in %zu file%s, so nothing was checked.\n",
                       scan->passed_over, scan->passed_over == 1 ? "" : "s");
        return TUT_SUCCESS;
    }
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    return tut_scan_view(scan, &term, took_ms, out, err);
}

static tut_status write_out(const tut_args *args, const tut_scan *scan, uint64_t took_ms,
                            tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return tut_scan_json(scan, out, err);
    if (strcmp(args->format, "jsonl") == 0)
        return tut_scan_jsonl(scan, out, err);
    if (strcmp(args->format, "sarif") == 0)
        return tut_scan_sarif(scan, out, err);
    if (strcmp(args->format, "cyclonedx") == 0)
        return tut_scan_cyclonedx(scan, out, err);
    return write_table(args, scan, took_ms, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_text_user) rules = NULL;
    TUT_AUTO(tut_scan) scan = NULL;
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO(tut_yara) yara = NULL;
    tut_error err = {0};
    int fail_on;
    if (!tut_is_ok(tut_cmd_fail_on(tut_args_get(args, "--fail-on"), true, &fail_on, &err)))
        return tut_cmd_fail(&err);
    uint64_t started = tut_clock_ms();
    if (!tut_is_ok(find_system(args, &system, &err)) ||
        !tut_is_ok(open_rules(args, &rules, &err)) ||
        !tut_is_ok(gather_yara(args, system, &yara, &err)) ||
        !tut_is_ok(run_scan(args, system, yara, rules, &scan, &err)))
        return tut_cmd_fail(&err);
    if (scan->text_problem)
        fprintf(stderr, "tutela: text was not looked through for secrets: %s\n",
                scan->text_problem);
    if (!tut_is_ok(write_out(args, scan, tut_clock_ms() - started, &out, &err)))
        return tut_cmd_fail(&err);
    bool may_be_none = tut_args_has(args, "--skip-others");
    return tut_cmd_output(&out, exit_status(scan, fail_on, may_be_none));
}

static const tut_option options[] = {
    {"--depth", TUT_OPTION_VALUE, "structure|content",
     "structure: what loaders interpret; content (default): hash and test all bytes too"},
    {"--fail-on", TUT_OPTION_VALUE, "WORD",
     "exit 1 from this severity or verdict on (default high, which is dangerous)"},
    {"--baseline", TUT_OPTION_VALUE, "OLD",
     "an earlier version, a file or a directory: say which tensors changed, and by how much"},
    {"--secret-rules", TUT_OPTION_VALUE, "FILE",
     "also look for what this rule file (in gitleaks' format) describes"},
    {"--yara", TUT_OPTION_LIST, "FILE|DIR",
     "match these YARA rules too, over each file and member; may be given again"},
    {"--no-cache", TUT_OPTION_FLAG, NULL,
     "read every file anew, also where an earlier scan has read the same bytes by the same rules"},
    {"--all", TUT_OPTION_FLAG, NULL, "report every kind of asset, not models only"},
    {"--skip-others", TUT_OPTION_FLAG, NULL,
     "pass files over that are no model though they were named, as a hook does that names all"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

const tut_command tut_cmd_scan = {
    .name = "scan",
    .arguments = "PATH... | -",
    .summary = "Read model files as their loaders do and say what loading them would do",
    .help =
        "Formats are told by content, never by name alone. Files are parsed by worker processes "
        "without network, keys or write access. In a directory, files that are no model are "
        "passed over. \"-\" reads standard input.\n\n"
        "Exit status: 1 when a finding is at or above --fail-on; 2 when a file could not be "
        "read; 3 when something was not checked to its end, or nothing was recognised (with "
        "--skip-others that is fine); else 0.",
    .formats = "table json jsonl sarif cyclonedx",
    .options = options,
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
