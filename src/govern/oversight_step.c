/* Oversight, looked at by `assess`: a schedule that was missed is told. */
#include "govern/govern.h"
#include "govern/oversight.h"

tut_status tut_govern_step_oversight(tut_governing *g)
{
    tut_oversight_policy policy;
    tut_oversight o;
    TUT_TRY(tut_oversight_policy_read(g->system, &policy, NULL, g->err));
    if (!policy.node)
        return TUT_SUCCESS;
    TUT_TRY(tut_oversight_look(g->system, g->ledger, g->at, &o, g->err));
    return tut_oversight_tell_missed(g->system, g->ledger, &o, g->err);
}
