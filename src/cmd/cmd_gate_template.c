/* tutela gate template: a form to fill in. */
#include "cmd/gate_here.h"
#include "govern/documents.h"

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO(tut_system) system = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_cmd_locate(args, NULL, &dir, &state, &err)) ||
        !tut_is_ok(tut_system_load(args->system ? args->system : dir, &system, NULL, &err)) ||
        !tut_is_ok(tut_document_template(system, args->positional[0], &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_gate_template = {
    .name = "gate template",
    .arguments = "design|documentation|maintenance|card|custodian-policies",
    .summary = "Print a form, filled in as far as the description knows",
    .help = "A section is filled in when it says something and no line of it begins with TODO. "
            "tutela.yaml names the finished document under design:. The form of the intended use "
            "of a dataset is that of tutela record 5.1.2-5 --asset DATASET --template.",
    .formats = "table",
    .least = 1,
    .most = 1,
    .run = run,
};
