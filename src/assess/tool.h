/* What made a piece of evidence: digests of the running program, the catalogue and the rule set. */
#ifndef TUT_ASSESS_TOOL_H
#define TUT_ASSESS_TOOL_H

#include "base/status.h"
#include "crypto/digest.h"
#include "ledger/record.h"

typedef struct tut_tool_digests {
    tut_sha256 binary, catalogue, rules;
} tut_tool_digests;

/* Computed at the first call, then remembered. */
TUT_MUST tut_status tut_tool_get_digests(tut_tool_digests *ret_digests, tut_error *err);

/* Appends what this program found, or what a person does with it: under the digests above, with
 * the body kept (empty: none, unless has_body says so), signed with the person's key. key NULL:
 * with the tool's, where it is evidence. */
TUT_MUST tut_status tut_tool_append(tut_ledger *ledger, tut_record *record, tut_span body,
                                    const struct tut_key *key, tut_error *err);

#endif
