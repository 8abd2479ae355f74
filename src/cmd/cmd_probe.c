/* tutela probe KIND: attack a model as others would, and measure how far that gets. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "cmd/probe_record.h"
#include "cmd/probe_view.h"

static void step(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    tut_progress_step(ctx, what, done, total);
}

static int exit_of(tut_outcome o)
{
    switch (o) {
    case TUT_OUTCOME_PASS:
        return TUT_EXIT_OK;
    case TUT_OUTCOME_FAIL:
        return TUT_EXIT_FOUND;
    case TUT_OUTCOME_OPEN:
    case TUT_OUTCOME_UNMEASURED:
        return TUT_EXIT_DOUBT;
    }
    return TUT_EXIT_FAILED;
}

static tut_status save_page(const tut_args *args, const tut_probe_run *r, tut_error *err)
{
    static const struct {
        const char *option;
        tut_status (*make)(const tut_probe_run *r, tut_buf *out, tut_error *err);
    } pages[] = {{"--html", tut_probe_run_html}, {"--svg", tut_probe_run_svg}};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const char *to = tut_args_get(args, pages[i].option);
        TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
        if (!to)
            continue;
        TUT_TRY(pages[i].make(r, &page, err));
        TUT_TRY(tut_fs_write(to, tut_buf_span(&page), 0600, err));
    }
    return TUT_SUCCESS;
}

static tut_status carry_out(const tut_args *args, tut_probe_here *h, tut_probe_job *job,
                            tut_buf *out, tut_buf *remarks, int *ret_exit, tut_error *err)
{
    TUT_AUTO(tut_probe_run) r = NULL;
    tut_probe_gate gate;
    tut_progress progress;
    tut_progress_start(&progress, args->quiet, args->color);
    job->order.step = step;
    job->order.step_ctx = &progress;
    tut_status status = tut_probe_run_do(&job->order, &r, err);
    tut_progress_end(&progress);
    TUT_TRY(status);
    TUT_TRY(tut_probe_gate_take(tut_args_get(args, "--baseline"), r, &gate, err));
    *ret_exit = gate.became_worse ? TUT_EXIT_FOUND : exit_of(r->outcome);
    TUT_TRY(strcmp(args->format, "json") == 0   ? tut_probe_document(h, job, r, &gate, out, err)
            : strcmp(args->format, "html") == 0 ? tut_probe_run_html(r, out, err)
                                                : tut_probe_view(args, r, out, err));
    if (strcmp(args->format, "table") == 0)
        tut_probe_gate_view(args, &gate, r, out);
    TUT_TRY(save_page(args, r, err));
    return tut_probe_record(args, h, job, r, out, remarks, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT, remarks = TUT_BUF_INIT;
    TUT_CLEAN(tut_probe_here) h = {0};
    tut_probe_job job;
    tut_probe_kind kind = TUT_PROBE_KINDS;
    int exit_status = TUT_EXIT_DOUBT;
    tut_error err = {0};
    if (!tut_probe_kind_parse(tut_str_of(strrchr(args->command->name, ' ') + 1), &kind))
        return tut_cmd_usage(args, "no such probe");
    tut_interrupt_install();
    if (!tut_is_ok(tut_probe_here_open(args, &h, &err)) ||
        !tut_is_ok(tut_probe_job_make(args, &h, kind, &job, &err)))
        return tut_cmd_fail(&err);
    bool is_done = tut_is_ok(carry_out(args, &h, &job, &out, &remarks, &exit_status, &err));
    /* What was measured is shown, whether it could be recorded or not. */
    if (out.len > 0)
        exit_status = tut_cmd_output(&out, exit_status);
    if (remarks.len > 0 && !args->quiet)
        (void)fwrite(remarks.data, 1, remarks.len, stderr);
    return is_done ? exit_status : tut_cmd_fail(&err);
}

/* One command a kind; all take the same options. */
#define HELP                                                                                       \
    "The target is one of tutela.yaml (probe.targets, docs/probe.md) or a place: a model.onnx, "   \
    "recorded predictions (.npy, .csv), command:PROGRAM, http://.../v2/models/NAME/infer, "        \
    "http://.../v1/chat/completions or /v1/completions. What is neither on this machine nor "      \
    "declared needs --i-am-authorised-to-test NAME. Everything is drawn from --seed.\n\n"          \
    "Exit status: 1 when a bound is broken, 0 when all are kept, 3 when it stays open or nothing " \
    "could be measured."

#define PROBE(symbol, name_, threat, atlas, check, per_model, title)                               \
    static const tut_command probe_##symbol = {.name = "probe " name_,                             \
                                               .summary = title,                                   \
                                               .help = HELP,                                       \
                                               .formats = "table json html",                       \
                                               .options = tut_probe_options,                       \
                                               .run = run};
#include "probe/kinds.def"
#undef PROBE

extern const tut_command tut_cmd_probe_plan;

static const tut_command *const members[] = {
    &tut_cmd_probe_plan,
#define PROBE(symbol, name_, threat, atlas, check, per_model, title) &probe_##symbol,
#include "probe/kinds.def"
#undef PROBE
    NULL,
};

const tut_command tut_cmd_probe = {
    .name = "probe",
    .arguments = "COMMAND",
    .summary = "Attack a model as others would, and measure how far that gets",
    .help = "tutela probe plan says what the provisions ask for, and with which command.",
    .subcommands = members,
};
