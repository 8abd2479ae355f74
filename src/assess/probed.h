/*
 * What the provisions ask to be probed of a system, and how each stands: by the targets that
 * tutela.yaml declares and the evidence that the log has about these very digests.
 */
#ifndef TUT_ASSESS_PROBED_H
#define TUT_ASSESS_PROBED_H

#include "ledger/record.h"
#include "probe/policy.h"

typedef enum tut_probed_state {
    TUT_PROBED_PASS,
    TUT_PROBED_FAIL,
    TUT_PROBED_EXEMPT,   /* there is nothing of the kind to measure, as a test found */
    TUT_PROBED_OPEN,     /* tried, and it came to no answer */
    TUT_PROBED_STALE,    /* ran out */
    TUT_PROBED_OTHER,    /* about other bytes than these */
    TUT_PROBED_MISSING,  /* never done, though a target is declared */
    TUT_PROBED_NO_TARGET /* nothing says how the model is reached */
} tut_probed_state;
const char *tut_probed_state_name(tut_probed_state s); /* "pass", ..., "no target" */

typedef struct tut_probed_model { /* as it is now: found, or as tutela.yaml pins it */
    const char *id;
    bool has_digest;
    tut_sha256 digest;
} tut_probed_model;

typedef struct tut_probed {
    tut_probe_kind kind;
    const tut_probed_model *model;  /* NULL: of the system */
    const tut_probe_target *target; /* NULL: none is declared */
    tut_probed_state state;
    const tut_record *record; /* the evidence that decides; or NULL */
} tut_probed;

typedef struct tut_probed_list {
    tut_probed *items; /* models in order, then the system */
    size_t count, capacity;
} tut_probed_list;
void tut_probed_list_done(tut_probed_list *l);

/* Borrows from all of them. */
TUT_MUST tut_status tut_probed_look(const tut_system *system, const tut_probed_model *models,
                                    size_t count, const tut_probe_policy *policy,
                                    const tut_records *records, tut_time at, tut_probed_list *ret,
                                    tut_error *err);

/* All of what is asked of one model (of the system: NULL), as one: FAIL when one failed, PASS when
 * there is something and all passed that apply to it, else NOT_CHECKED. text: one sentence.
 * ret_until: when the first of them runs out. */
TUT_MUST tut_status tut_probed_conclude(const tut_probed_list *l, const tut_probed_model *model,
                                        tut_buf *text, tut_result *ret_result, tut_time *ret_until,
                                        tut_error *err);

#endif
