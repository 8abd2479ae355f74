/* tutela gate check: is it open, and if not, what is missing and which command brings it. */
#include <string.h>
#include <unistd.h>

#include "cmd/gate_here.h"

static const tut_option options[] = {
    {"--fail-on", TUT_OPTION_VALUE, "SEVERITY",
     "findings from this severity on close it; default: as the gate says (findings:)"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_gate_here) h = {0};
    tut_error err = {0};
    tut_term term;
    if (!tut_is_ok(tut_gate_here_open(args, args->positional_count ? args->positional[0] : NULL, &h,
                                      &err)))
        return tut_cmd_fail(&err);
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    if (strcmp(args->format, "json") != 0)
        tut_gate_text(h.view, &term, &out);
    else if (!tut_is_ok(tut_gate_json(h.view, &out, &err)))
        return tut_cmd_fail(&err);
    if (!tut_is_ok(tut_buf_check(&out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, tut_gate_exit(h.view));
}

const tut_command tut_cmd_gate_check = {
    .name = "gate check",
    .arguments = "[NAME]",
    .summary = "Say whether a gate is open, and what is missing",
    .help =
        "Reads the evidence and the signatures, compares description, documents and assets with "
        "what was assessed, and writes nothing. Without NAME all gates of tutela.yaml.\n\n"
        "Exit status: 0 open (or overridden, which it says); 1 closed by something that does not "
        "hold; 3 closed as something is missing, ran out or is about something else; 2 could not "
        "answer.",
    .formats = "table json",
    .options = options,
    .most = 1,
    .run = run,
};
