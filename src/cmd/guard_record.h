/* What a replay of traffic shows about the policy, as evidence: guard.functions. */
#ifndef TUT_CMD_GUARD_RECORD_H
#define TUT_CMD_GUARD_RECORD_H

#include "base/json.h"
#include "cmd/command.h"
#include "guard/policy.h"

/* Of functions and modalities that the policy does not declare: a route, a tool and a kind of
 * content have to have been asked for, and all of it refused, every exchange as its line expects.
 * Recorded where that was tried. items: of tut_guard_replay_json. Adds a line for people. */
TUT_MUST tut_status tut_guard_record(const tut_args *args, const tut_guard_policy *policy,
                                     tut_json_doc *const *items, size_t count, tut_buf *out,
                                     tut_error *err);

#endif
