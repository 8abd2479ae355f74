/* What made a piece of evidence: digests of the running program, the catalogue and the rule set. */
#ifndef TUT_ASSESS_TOOL_H
#define TUT_ASSESS_TOOL_H

#include "base/status.h"
#include "crypto/digest.h"

typedef struct tut_tool_digests {
    tut_sha256 binary, catalogue, rules;
} tut_tool_digests;

/* Computed at the first call, then remembered. */
TUT_MUST tut_status tut_tool_get_digests(tut_tool_digests *ret_digests, tut_error *err);

#endif
