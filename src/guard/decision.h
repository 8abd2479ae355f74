/*
 * What the guard decided, and why. A decision gathers reasons; its action is the sternest of them.
 * Reasons are bounded: what is beyond is counted, and the action still takes it into account.
 */
#ifndef TUT_GUARD_DECISION_H
#define TUT_GUARD_DECISION_H

#include "base/buf.h"
#include "base/json_write.h"

typedef enum tut_guard_action { /* sternest last */
                                TUT_GUARD_ALLOW,
                                TUT_GUARD_FLAG,
                                TUT_GUARD_REDACT,
                                TUT_GUARD_HOLD,
                                TUT_GUARD_BLOCK,
                                TUT_GUARD_ACTION_COUNT
} tut_guard_action;

const char *tut_guard_action_name(tut_guard_action a); /* "redact" */
bool tut_guard_action_parse(tut_str word, tut_guard_action *ret_action);

enum { TUT_GUARD_REASONS = 32, TUT_GUARD_WHERE = 96, TUT_GUARD_DETAIL = 160 };

typedef struct tut_guard_reason {
    const char *check; /* "secrets_out"; constant */
    tut_guard_action action;
    char where[TUT_GUARD_WHERE];   /* "messages[2].content" */
    char detail[TUT_GUARD_DETAIL]; /* for people; never the value itself */
} tut_guard_reason;

/* The lists stand last and need no zeroing: there is nothing in them but what the counts say. */
typedef struct tut_guard_decision {
    tut_guard_action action; /* what the policy asks for */
    bool is_enforced;        /* false: monitor mode, nothing is done about it */
    bool lacks_scorer;       /* a check of the policy had nothing to work with */
    unsigned status;         /* for HTTP where it is refused: 403, 404, 413 ... */
    uint64_t scanned_bytes;  /* of text */
    uint64_t redactions;
    uint32_t holds; /* times that something was found for which a person is asked */
    size_t reason_count, reasons_dropped;
    size_t unscanned_count, unscanned_dropped;
    tut_guard_reason reasons[TUT_GUARD_REASONS];
    /* Parts that went by unscanned, because the policy passes them or this version lacks the means;
     * the same shape, with the action ALLOW. */
    tut_guard_reason unscanned[TUT_GUARD_REASONS];
} tut_guard_decision;

/* What is done: the action, or in monitor mode at most a flag. */
tut_guard_action tut_guard_done(const tut_guard_decision *d);
void tut_guard_add(tut_guard_decision *d, const char *check, tut_guard_action action, tut_str where,
                   const char *fmt, ...) TUT_PRINTF(5, 6);
/* A broken rule of default deny: a block of that HTTP status. */
void tut_guard_refuse(tut_guard_decision *d, unsigned status, const char *check, tut_str where,
                      const char *fmt, ...) TUT_PRINTF(5, 6);
void tut_guard_not_scanned(tut_guard_decision *d, const char *check, tut_str where, const char *fmt,
                           ...) TUT_PRINTF(4, 5);
/* {"action", "would", "status", "reasons", "not_scanned", ...}: one JSON object. */
void tut_guard_decision_json(const tut_guard_decision *d, tut_json *j);

#endif
