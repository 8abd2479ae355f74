#include "cmd/approvals_act.h"

#include <stdio.h>

#include "assess/tool.h"
#include "base/fs.h"
#include "cmd/signer.h"
#include "state/records.h"

/* Where the description is bad the place is shown, as other commands do. */
static tut_status load_policy(tut_approvals_act *a, const char *where, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_status status = tut_system_load(where, &a->system, &shown, err);
    if (tut_is_ok(status))
        status = tut_guard_policy_read(a->system, &a->policy, &shown, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

static tut_status open_place(tut_approvals_act *a, tut_error *err)
{
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    a->dir = tut_fs_join(a->state, "guard");
    if (!a->dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_signer_rights(a->args, &a->rights, err));
    TUT_TRY(tut_training_rights_read(a->rights, err)); /* else nobody could decide, unsaid */
    a->place = (tut_approve_place){.dir = a->dir,
                                   .state_dir = a->state,
                                   .policy = &a->policy.approvals,
                                   .tool_binary = tool.binary,
                                   .tool_catalogue = tool.catalogue,
                                   .tool_rules = tool.rules,
                                   .lacks_training = tut_training_rights_lack,
                                   .training = a->rights};
    return TUT_SUCCESS;
}

tut_status tut_approvals_open(tut_approvals_act *a, const tut_args *args, bool for_writing,
                              tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    a->args = args;
    a->now_ms = tut_hold_now_ms();
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &a->state, err));
    if (!a->state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, so no guard holds anything; tutela init writes "
                        "one");
    }
    TUT_TRY(load_policy(a, args->system ? args->system : dir, err));
    TUT_TRY(open_place(a, err));
    TUT_TRY(tut_ledger_open(a->state, for_writing, &a->ledger, err));
    TUT_TRY(tut_state_people(a->ledger, &a->records, err));
    TUT_TRY(tut_approvers_of(&a->place, a->records, &a->who, err));
    return tut_waiting_read(a->dir, a->who, a->now_ms, &a->list, err);
}

void tut_approvals_act_done(tut_approvals_act *a)
{
    tut_waiting_list_done(&a->list);
    tut_approvers_free(a->who);
    tut_records_free(a->records);
    tut_ledger_close(a->ledger);
    tut_system_free(a->system);
    tut_training_rights_free(a->rights);
    tut_free(a->dir);
    tut_free(a->state);
}

tut_str tut_approvals_word(const tut_hold *h)
{
    return h->tool.len ? h->tool : tut_str_of(tut_hold_kind_name(h->kind));
}

void tut_approvals_span(int64_t ms, char out[32])
{
    long long s = (ms < 0 ? 0 : ms) / 1000;
    if (s < 60)
        (void)snprintf(out, 32, "%lld s", s);
    else if (s < 600)
        (void)snprintf(out, 32, "%lld min %02lld s", s / 60, s % 60);
    else if (s < 7200)
        (void)snprintf(out, 32, "%lld min", s / 60);
    else
        (void)snprintf(out, 32, "%lld h", s / 3600);
}
