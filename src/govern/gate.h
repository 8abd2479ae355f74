/*
 * Gates: named points at which a system goes on only when what tutela.yaml wants to be known of it
 * is known, fresh, and about these very bytes, and the people it names signed that. What is known
 * is decided by the evaluator of the 72 provisions (assess/assessment.h); a gate only says which of
 * it is wanted. Nothing here writes, but what says so.
 */
#ifndef TUT_GOVERN_GATE_H
#define TUT_GOVERN_GATE_H

#include "assess/assessment.h"
#include "assess/design.h"
#include "ledger/people.h"

#define TUT_CHECK_SIGNATURE "gate.signature" /* evidence: a person's word for a gate's decision */

enum {
    TUT_GATE_NAME_MAX = 64,
    TUT_GATES_MAX = 32,
    TUT_GATE_WANTS_MAX = 128, /* as written; a provision's row may hold several */
    TUT_GATE_SIGNATURE_DAYS = 90
};

/* --- the policy: `gates:` of tutela.yaml, and what is built in --- */

typedef struct tut_gate_want {
    tut_str check, clause; /* one of the two */
    uint32_t max_age_days; /* 0: as the provision's row says; it can only be shorter */
    uint32_t kinds;        /* bit set of tut_asset_kind; 0: as the row says */
} tut_gate_want;

typedef struct tut_gate {
    tut_str name;
    tut_str_list after; /* gates that have to be open before */
    tut_gate_want *wants;
    size_t want_count;
    bool wants_by_default; /* what this version cannot check is left out, and said */
    uint32_t demand[TUT_PERSON_ROLE_COUNT]; /* signatures, by role */
    uint32_t signature_days;                /* for which one holds */
    bool has_findings;
    tut_severity findings; /* a finding from this severity on closes it */
    bool is_configured;    /* in tutela.yaml */
} tut_gate;

typedef struct tut_gates {
    tut_gate *items;
    size_t count;
} tut_gates;

/* Those of tutela.yaml in its order, then the built-in ones that it does not name: design, data,
 * release, deployment, change, retirement. What a section leaves out of a built-in gate stays as it
 * is built in. Text and lists live in the system. */
TUT_MUST tut_status tut_gates_read(tut_system *system, tut_gates *ret_gates, tut_buf *ret_shown,
                                   tut_error *err);
const tut_gate *tut_gates_find(const tut_gates *gates, tut_str name);
/* The built-in gate of that name without anything of tutela.yaml; false: none is called so. */
TUT_MUST tut_status tut_gate_default(tut_arena *arena, tut_str name, tut_gate *ret_gate,
                                     bool *ret_is_one, tut_error *err);
/* Names of the built-in gates, NULL-ended, each after those that it needs. */
extern const char *const tut_gate_defaults[];

/* --- the decision --- */

typedef enum tut_gate_state {
    TUT_GATE_OPEN,
    TUT_GATE_OVERRIDDEN, /* closed, and two people let it pass */
    TUT_GATE_FAILED,     /* closed: something is known, and is not as it has to be */
    TUT_GATE_LACKING     /* closed: something is missing, ran out, or is about something else */
} tut_gate_state;

typedef enum tut_gate_standing { /* of one thing that is wanted */
                                 TUT_GATE_HOLDS,
                                 TUT_GATE_NOT_APPLICABLE,
                                 TUT_GATE_LEFT_OUT, /* by default wanted; not in this version */
                                 TUT_GATE_CONTRADICTED,
                                 TUT_GATE_STALE,
                                 TUT_GATE_OTHER, /* about another version */
                                 TUT_GATE_NOT_ENOUGH,
                                 TUT_GATE_MISSING,
                                 TUT_GATE_STANDINGS
} tut_gate_standing;
const char *tut_gate_standing_name(tut_gate_standing s); /* "holds", "failed", "stale", ... */

typedef struct tut_gate_item { /* one want of one provision's row */
    const tut_demand *demand;
    tut_gate_standing standing;
    const char *why; /* of the assessment */
    tut_time due;    /* when the first of its evidence runs out; 0: nothing that could */
} tut_gate_item;

enum { TUT_GATE_SIGNERS_MAX = 32 };

typedef struct tut_gate_signature {
    const char *name; /* of the person, in the records */
    uint32_t roles;
    uint64_t index;
    tut_time at, until;
    const char *why_not; /* it does not count: why; NULL: it does */
} tut_gate_signature;

typedef struct tut_gate_decision {
    const tut_gate *gate;
    tut_gate_state state;
    tut_gate_item *items;
    size_t item_count;
    tut_gate_signature signatures[TUT_GATE_SIGNERS_MAX];
    size_t signature_count;
    bool is_signed;               /* as the gate demands */
    size_t findings;              /* that close it */
    const char *first_finding;    /* of the assessment */
    tut_sha256 about;             /* gate, description, assets and documents: what is signed */
    tut_str waits_for;            /* a gate before it that is closed; or empty */
    bool waits_failed;            /* that one is closed by a failure */
    const tut_override *override; /* in force; or NULL */
    tut_time due;                 /* when it closes by itself; 0: never, or it is closed */
    size_t by_standing[TUT_GATE_STANDINGS];
} tut_gate_decision;

typedef struct tut_gate_change { /* what is no longer as it was when it was last assessed */
    char *what;                  /* "tutela.yaml", an asset's id, a document's path */
    const char *how;             /* "changed", "missing", "is not declared" */
} tut_gate_change;

typedef struct tut_gate_view {
    tut_system *system; /* as it is now */
    tut_gates gates;
    tut_design design;
    tut_ledger *ledger;
    tut_records *records;
    tut_assessment *assessment;
    tut_demand *demands;
    size_t demand_count;
    tut_gate_decision *decisions; /* each after those that it needs; the one asked for is last */
    size_t decision_count;
    tut_gate_change *changes;
    size_t change_count, change_capacity;
    bool was_assessed; /* a description is on record */
    bool is_of_one;    /* one gate was asked for by name */
} tut_gate_view;

typedef struct tut_gate_question {
    const char *dir_or_file, *state_dir;
    const char *name; /* NULL: all gates */
    bool has_fail_on; /* findings from `fail_on` on close it, whatever its policy */
    tut_severity fail_on;
    bool is_all; /* read all that can decide anything: what an act by people needs */
    tut_cage_mode sandbox;
    tut_buf *shown; /* or NULL: the excerpt of an error in tutela.yaml */
} tut_gate_question;

/* Decides the gate, and those before it. Reads; writes nothing. USAGE for a gate that does not
 * exist. */
TUT_MUST tut_status tut_gate_look(const tut_gate_question *q, tut_gate_view **ret_view,
                                  tut_error *err);
void tut_gate_view_free(tut_gate_view *v);
TUT_DEFINE_AUTO(tut_gate_view)
/* The decision that was asked for. */
const tut_gate_decision *tut_gate_asked(const tut_gate_view *v);
bool tut_gate_is_open(const tut_gate_decision *d); /* or overridden */

/* --- acts --- */

/* Whether the holder of this key may sign: enrolled in one of these roles (0: any), and trained as
 * tutela.yaml wants. DENIED says why not. */
TUT_MUST tut_status tut_gate_may_sign(const tut_gate_view *v, const tut_key *key, uint32_t roles,
                                      const tut_person **ret_person, tut_error *err);
/* The person's signature on the gate's decision. DENIED while anything but signatures lacks. */
TUT_MUST tut_status tut_gate_sign(const tut_gate_view *v, const char *state_dir, const char *by,
                                  const tut_key *key, uint64_t *ret_index, bool *ret_is_new,
                                  tut_error *err);
typedef struct tut_gate_overriding {
    const char *by, *reason;
    tut_time expires;
    bool is_second; /* signs the one that stands as entry `first` */
    uint64_t first;
} tut_gate_overriding;
TUT_MUST tut_status tut_gate_override(const tut_gate_view *v, const char *state_dir,
                                      const tut_gate_overriding *how, const tut_key *key,
                                      uint64_t *ret_index, tut_override_state *ret_state,
                                      tut_error *err);

/* --- reports --- */
TUT_MUST tut_status tut_gate_json(const tut_gate_view *v, tut_buf *out, tut_error *err);
void tut_gate_text(const tut_gate_view *v, const tut_term *term, tut_buf *out);
int tut_gate_exit(const tut_gate_view *v); /* of the contract */

#endif
