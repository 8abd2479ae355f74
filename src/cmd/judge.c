#include "cmd/judge.h"

#include <string.h>
#include <unistd.h>

#include "assess/oscal.h"
#include "ledger/people.h"

/* Which of the OSCAL documents. */
static tut_status read_model(const tut_args *args, tut_judging *how, tut_error *err)
{
    const char *word = tut_args_get(args, "--model");
    how->model = TUT_OSCAL_RESULTS;
    if (!word)
        return TUT_SUCCESS;
    if (strcmp(args->format, "oscal") != 0)
        return tut_fail(err, TUT_USAGE, "--model is for: --format oscal");
    if (!tut_oscal_model_parse(word, &how->model))
        return tut_fail(err, TUT_USAGE,
                        "--model takes catalog, component-definition, assessment-results or "
                        "mapping-collection, not \"%s\"",
                        word);
    return TUT_SUCCESS;
}

tut_status tut_judging_options(const tut_args *args, tut_judging *ret, tut_error *err)
{
    tut_judging how = {.at = tut_time_now(), .fail_on = TUT_SEVERITY_HIGH};
    const char *at = tut_args_get(args, "--at");
    const char *fail_on = tut_args_get(args, "--fail-on");
    if (at) {
        how.has_at = true;
        if (!tut_is_ok(tut_time_parse(tut_str_of(at), &how.at)))
            return tut_fail(err, TUT_USAGE,
                            "--at takes a time such as 2026-11-23T09:41:07Z or a date, "
                            "not \"%s\"",
                            at);
        if (how.at > tut_time_now())
            return tut_fail(err, TUT_USAGE,
                            "--at %s lies in the future; nobody can judge by what will "
                            "be recorded",
                            at);
    }
    if (fail_on) {
        int severity;
        TUT_TRY(tut_cmd_fail_on(fail_on, false, &severity, err));
        how.has_fail_on = true;
        how.fail_on = (tut_severity)severity;
    }
    TUT_TRY(read_model(args, &how, err));
    *ret = how;
    return TUT_SUCCESS;
}

tut_status tut_judging_policy(const tut_assessment *a, tut_judging *how, tut_error *err)
{
    if (how->has_fail_on || !a->system || a->system->fail_on.len == 0)
        return TUT_SUCCESS;
    if (!tut_severity_parse(a->system->fail_on, &how->fail_on))
        return tut_fail(err, TUT_USAGE, "policy.fail_on of tutela.yaml is no severity");
    return TUT_SUCCESS;
}

static tut_status compose(const tut_args *args, const tut_assessment *a, tut_oscal_model model,
                          const char *html, uint64_t took_ms, tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "oscal") == 0)
        return tut_report_oscal(a, model, out, err);
    if (strcmp(args->format, "json") == 0)
        return tut_report_json(a, out, err);
    if (strcmp(args->format, "html") == 0)
        return tut_report_html(a, out, err);
    if (strcmp(args->format, "sarif") == 0)
        return tut_report_sarif(a, out, err);
    if (strcmp(args->format, "cyclonedx") == 0)
        return tut_report_cyclonedx(a, out, err);
    if (strcmp(args->format, "spdx") == 0)
        return tut_report_spdx(a, out, err);
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    return tut_report_terminal(a, &term, html, took_ms, out, err);
}

int tut_judging_print(const tut_args *args, const tut_assessment *a, const tut_judging *how,
                      const char *html, uint64_t took_ms)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(compose(args, a, how->model, html, took_ms, &out, &err)))
        return tut_cmd_fail(&err);
    /* What says nothing of the system is no verdict on it. */
    if (tut_oscal_model_is_of_build(how->model))
        return tut_cmd_output(&out, TUT_EXIT_OK);
    return tut_cmd_output(&out, tut_assessment_exit(a, how->fail_on));
}

/* A clock that was set back: even the first entry is yet to come. */
static bool begins_later(const tut_records *records)
{
    return records->log_size > 0 && records->people && !records->people->has_genesis;
}

int tut_judging_nothing(const tut_args *args, const tut_assessment *a, const tut_judging *how,
                        const char *dir)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (strcmp(args->format, "table") != 0) {
        if (!tut_is_ok(compose(args, a, how->model, NULL, 0, &out, &err)))
            return tut_cmd_fail(&err);
        return tut_cmd_output(&out, TUT_EXIT_DOUBT);
    }
    bool is_recorded = a->system != NULL;
    tut_buf_add_escaped(&out, tut_str_of(dir), 400);
    if (!tut_args_get(args, "--at") && begins_later(a->records)) {
        tut_buf_add_z(&out, ": the log begins later than now, so nothing was checked. No grade.\n"
                            "Next     set this machine's clock\n");
        return tut_cmd_output(&out, TUT_EXIT_DOUBT);
    }
    tut_buf_add_z(&out, is_recorded
                            ? ": no asset was recognised, so nothing was checked. No grade.\n"
                            : ": nothing had been recorded by then, so nothing was checked. No "
                              "grade.\n");
    tut_buf_add_z(&out, is_recorded ? "Next     tutela init --update " : "Next     tutela assess ");
    tut_buf_add_escaped(&out, tut_str_of(dir), 400);
    tut_buf_add_z(&out, "\n");
    return tut_cmd_output(&out, TUT_EXIT_DOUBT);
}
