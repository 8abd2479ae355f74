/* tutela gate: the family, and what its members share. */
#include "cmd/gate_here.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/signer.h"

tut_status tut_gate_here_open(const tut_args *args, const char *name, tut_gate_here *h,
                              tut_error *err)
{
    TUT_TRY(tut_cmd_locate(args, NULL, &h->dir, &h->state, err));
    if (h->state)
        return tut_gate_here_look(args, name, h, err);
    tut_error_set_path(err, h->dir);
    return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
}

tut_status tut_gate_here_look(const tut_args *args, const char *name, tut_gate_here *h,
                              tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    const char *fail_on = tut_args_get(args, "--fail-on");
    int severity = TUT_SEVERITY_HIGH;
    TUT_TRY(tut_cmd_fail_on(fail_on, false, &severity, err));
    const tut_gate_question q = {.dir_or_file = args->system ? args->system : h->dir,
                                 .state_dir = h->state,
                                 .name = name,
                                 .has_fail_on = fail_on != NULL,
                                 .fail_on = (tut_severity)severity,
                                 .is_all = tut_args_has(args, "--by"),
                                 .sandbox = args->sandbox,
                                 .shown = &shown};
    tut_status status = tut_gate_look(&q, &h->view, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

tut_status tut_gate_here_signer(const tut_args *args, tut_gate_here *h, tut_error *err)
{
    h->by = tut_args_get(args, "--by");
    if (!h->by || !h->by[0])
        return tut_fail(err, TUT_USAGE, "--by names the registered person who signs this");
    TUT_TRY(tut_signer_find(args, h->state, &h->by, &h->people, &h->key, err));
    if (!h->key)
        return tut_fail(err, TUT_DENIED,
                        "%s has no key here: tutela people enrol %s --generate, or --signing-key",
                        h->by, h->by);
    return TUT_SUCCESS;
}

void tut_gate_here_done(tut_gate_here *h)
{
    tut_gate_view_free(h->view);
    tut_key_free(h->key);
    tut_records_free(h->people);
    tut_free(h->dir);
    tut_free(h->state);
}

static const tut_command *const members[] = {&tut_cmd_gate_check,    &tut_cmd_gate_sign,
                                             &tut_cmd_gate_override, &tut_cmd_gate_examine,
                                             &tut_cmd_gate_template, NULL};

const tut_command tut_cmd_gate = {
    .name = "gate",
    .arguments = "COMMAND",
    .summary = "Let the system go on only when what has to be known of it is known and signed",
    .help = "A gate opens from fresh evidence about this very description and these very assets, "
            "and from the signatures that tutela.yaml wants (gates:). docs/gate.md has the rest.",
    .subcommands = members,
};
