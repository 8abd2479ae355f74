/*
 * Overrides of gates: two people, in two different roles, let a closed gate pass, for a reason and
 * until a day. They never leave the reports, also when they ran out.
 */
#ifndef TUT_ASSESS_OVERRIDES_H
#define TUT_ASSESS_OVERRIDES_H

#include "base/json_write.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "ledger/record.h"

#define TUT_CHECK_OVERRIDE "gate.override"
#define TUT_SUBJECT_GATE "gate/" /* subjects of what is said of a gate: this, and its name */

typedef enum tut_override_state {
    TUT_OVERRIDE_IN_FORCE,
    TUT_OVERRIDE_WAITING, /* for a second person in another role */
    TUT_OVERRIDE_LAPSED,  /* its day is over */
    TUT_OVERRIDE_OTHER,   /* it was for another tutela.yaml */
    TUT_OVERRIDE_VOID,    /* nobody whose key counts signed it */
    TUT_OVERRIDE_STATES
} tut_override_state;
const char *tut_override_state_name(tut_override_state s); /* "in_force", "waiting", ... */

enum { TUT_OVERRIDE_PEOPLE = 8 };

typedef struct tut_override {
    const char *gate, *reason; /* of the records, which outlive it */
    tut_sha256 id, description;
    tut_time since, expires;
    const char *by[TUT_OVERRIDE_PEOPLE]; /* whose signatures count, each once */
    uint32_t roles[TUT_OVERRIDE_PEOPLE];
    size_t by_count;
    uint64_t entries[TUT_OVERRIDE_PEOPLE]; /* the records, those that do not count too */
    size_t entry_count;
    tut_override_state state;
} tut_override;

/* What is signed, in one digest: gate, description, end and reason. */
TUT_MUST tut_status tut_override_id(const char *gate, const tut_sha256 *description,
                                    tut_time expires, const char *reason, tut_sha256 *ret_id,
                                    tut_error *err);
/* All overrides among the records, in the order of the log, as they stand at that time for that
 * description (NULL: none is described). Caller frees the list with tut_free. */
TUT_MUST tut_status tut_overrides_find(const tut_records *records, tut_time at,
                                       const tut_sha256 *description, tut_override **ret_overrides,
                                       size_t *ret_count, tut_error *err);
/* "overrides": [...] */
void tut_overrides_json(const tut_override *o, size_t count, tut_json *j);
/* "release until 2026-12-31, by Ada (developer) and Bob (approver): the reason", untrusted text as
 * it is; for a line of a report. */
void tut_override_line(const tut_override *o, tut_buf *out);

#endif
