/* Which declared target a probe is of, where --target does not say. */
#ifndef TUT_CMD_PROBE_CHOOSE_H
#define TUT_CMD_PROBE_CHOOSE_H

#include "cmd/command.h"
#include "probe/policy.h"

/* The only one that this probe is asked of; or, of several ways to one asset, the one that more of
 * the probe's attacks fit than any other, which is said on stderr. USAGE with their names where
 * that leaves several, or none. */
TUT_MUST tut_status tut_probe_choose(const tut_args *args, const tut_probe_policy *policy,
                                     tut_probe_kind kind, const tut_probe_target **ret,
                                     tut_error *err);

#endif
