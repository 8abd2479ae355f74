/* tutela report: the verdict from what was recorded; it never looks at the files again. */
#include <stdio.h>

#include "base/fs.h"
#include "cmd/judge.h"

static const tut_option options[] = {
    {"--at", TUT_OPTION_VALUE, "TIME", "judge by the records up to TIME; default now"},
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY", "exit 1 from this severity on; default high"},
    {"--model", TUT_OPTION_VALUE, "MODEL",
     "of --format oscal: catalog, component-definition, assessment-results (default) or "
     "mapping-collection"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* What is of this build alone needs no system. */
static int of_build(const tut_args *args, const tut_judging *how, const char *dir)
{
    TUT_AUTO_FREE char *none = tut_fs_join(dir, "tutela.yaml");
    TUT_AUTO(tut_assessment) a = NULL;
    tut_error err = {0};
    if (!none)
        TUT_IGNORE(tut_fail(&err, TUT_NOMEM, "memory ran out"));
    if (!none || !tut_is_ok(tut_assess_evaluate(dir, none, how->at, &a, &err)))
        return tut_cmd_fail(&err);
    return tut_judging_print(args, a, how, NULL, 0);
}

static int run(const tut_args *args)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO(tut_assessment) a = NULL;
    tut_error err = {0};
    tut_judging how;
    if (!tut_is_ok(tut_judging_options(args, &how, &err)) ||
        !tut_is_ok(tut_cmd_locate(args, args->positional_count ? args->positional[0] : NULL, &dir,
                                  &state, &err)))
        return tut_cmd_fail(&err);
    if (!state && tut_oscal_model_is_of_build(how.model))
        return of_build(args, &how, dir);
    if (!state) {
        tut_error_set_path(&err, dir);
        TUT_IGNORE(tut_fail(&err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one"));
        return tut_cmd_fail(&err);
    }
    if (!tut_is_ok(
            tut_assess_evaluate(args->system ? args->system : dir, state, how.at, &a, &err)) ||
        !tut_is_ok(tut_judging_policy(a, &how, &err)))
        return tut_cmd_fail(&err);
    if (!a->system && !tut_assessment_is_damaged(a) && !tut_oscal_model_is_of_build(how.model))
        return tut_judging_nothing(args, a, &how, dir);
    if (a->is_strangers && !args->quiet && !tut_oscal_model_is_of_build(how.model))
        fputs("The keys of this log are not here, so it vouches for itself alone; compare: tutela "
              "ledger verify --key VKEY\n",
              stderr);
    return tut_judging_print(args, a, &how, NULL, 0);
}

const tut_command tut_cmd_report = {
    .name = "report",
    .arguments = "[DIR]",
    .summary =
        "Print the verdict that the records support, as text, JSON, HTML, SARIF, OSCAL or a bill "
        "of materials",
    .help = "Derives the verdicts anew from the records. It collects nothing: what has changed "
            "since the last tutela assess does not show. The exit status is that of tutela assess.",
    .formats = "table json html sarif oscal cyclonedx spdx",
    .options = options,
    .most = 1,
    .run = run,
};
