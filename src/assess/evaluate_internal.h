/* What the files of the evaluator and their tests share. */
#ifndef TUT_ASSESS_EVALUATE_INTERNAL_H
#define TUT_ASSESS_EVALUATE_INTERNAL_H

#include "assess/assessment.h"
#include "assess/design.h"
#include "assets/vouchers.h"
#include "base/arena.h"

/* Subjects of evidence that are no asset. */
#define TUT_SUBJECT_SYSTEM "tutela.yaml"        /* the system; digest: of its description */
#define TUT_SUBJECT_ORGANISATION "organisation" /* digest: of the document, not compared */

#define TUT_CHECK_INVENTORY "inventory.complete"
#define TUT_CHECK_SCAN "scan.content"
#define TUT_CHECK_DOCUMENT "declared.document"
#define TUT_CHECK_MANIFEST "verify.manifest"
#define TUT_CHECK_PUBLISHED "verify.published"
#define TUT_CHECK_LIFECYCLE "ledger.lifecycle"
#define TUT_CHECK_CHANGES "ledger.prompt-changes"
#define TUT_CHECK_SOURCES "inventory.sources"
#define TUT_CHECK_VETTED "vet.dataset"
#define TUT_CHECK_PROVENANCE "vet.provenance"
#define TUT_CHECK_APPROVED "supply.sources"
#define TUT_CHECK_VERSIONS "store.versions"
#define TUT_CHECK_SNAPSHOTS "store.snapshots"
#define TUT_CHECK_BOM "bom.signed"
#define TUT_CHECK_THREAT_MODEL "threats.model"
#define TUT_EVENT_SYSTEM_CHANGED "system.changed"
#define TUT_EVENT_ASSET_SIGNED "asset.signed"
#define TUT_EVENT_ASSET_VERIFIED "asset.verified"
#define TUT_EVENT_ASSET_DECLARED "asset.declared"
#define TUT_EVENT_ASSET_CHANGED "asset.changed"

/* Evidence of the collecting steps holds for this long. */
enum { TUT_COLLECT_EXPIRY_DAYS = 30, TUT_REASONS_MAX = 8 };

/* An asset as the recorded inventory (or, without one, the description) knows it. */
typedef struct tut_known_asset {
    const char *id, *path, *kind_name, *state, *format, *detail, *problem;
    const char *origin, *url, *licence, *sensitivity;
    tut_asset_kind kind;
    bool has_digest;
    tut_sha256 digest;
    uint64_t size;
    bool is_shared;
    bool is_declared; /* not undeclared */
    const char **depends_on;
    size_t depends_count;
} tut_known_asset;

typedef struct tut_known_problem { /* something in the tree that could not be looked at */
    const char *what, *why;
} tut_known_problem;

typedef struct tut_evaluation {
    tut_assessment *a;  /* being filled; owns the records */
    tut_ledger *ledger; /* NULL when it does not verify */
    const char *state_dir;
    const tut_evaluation_source *given; /* instead of a state, or NULL */
    tut_arena arena;                    /* text of the known assets */
    const char *dir;                    /* as given, for commands that people copy */
    const char *file;  /* the description, where it is not DIR/tutela.yaml, or NULL */
    const char *state; /* the state, where it is not DIR/.tutela, or NULL */
    bool has_system;
    tut_sha256 system_digest;
    tut_design design;           /* of that description */
    const tut_record *inventory; /* the record that the assets come from, or NULL */
    tut_known_asset *assets;
    size_t asset_count;
    tut_known_problem *problems;
    size_t problem_count;
    size_t *places;  /* by record: where the control that is being evaluated lists it, if it does */
    uint8_t *bodies; /* by record: whether its body is whole, once somebody asked (evidence.c) */
    char *damage;    /* a body that evidence names is missing or altered, in words; NULL: none */
    tut_error *err;
} tut_evaluation;

struct tut_want_subject;

/* --- known.c --- */
/* The latest event that carries a description (it was drafted, changed, or an asset in it
 * accepted), or NULL. */
const tut_record *tut_latest_description(const tut_records *records);
/* The description as last recorded, the latest inventory about it, and the assets. */
TUT_MUST tut_status tut_known_load(tut_evaluation *e);
/* A document of the design at the bytes last recorded of it, as a subject of evidence. */
TUT_MUST tut_status tut_known_document(tut_evaluation *e, tut_str path,
                                       struct tut_want_subject *ret_subject);
/* The latest event about this document, or NULL. */
const tut_record *tut_latest_document(const tut_records *records, tut_str path);

/* --- vouched.c --- */
/* Events that say who is believed about the log, with the file as body; their subjects. */
extern const char *const tut_voucher_events[TUT_VOUCHER_COUNT];
extern const char *const tut_voucher_subjects[TUT_VOUCHER_COUNT];
/* The latest event of this kind that has a body, or NULL. */
const tut_record *tut_latest_event(const tut_records *records, const char *event);
/* STORE, with the reason, when the log does not contain what was cosigned or stamped of it. */
TUT_MUST tut_status tut_vouched_damage(tut_ledger *ledger, tut_time until, tut_error *err);
/* What the log rests on, by those who were believed. */
TUT_MUST tut_status tut_vouched_load(tut_evaluation *e);

/* --- facts.c --- */
/* Whether the word of a clause's contradicted_by holds; *ret_why names what contradicts (arena).
 * An unknown word is BUG. */
TUT_MUST tut_status tut_fact_holds(tut_evaluation *e, tut_str word, bool *ret_holds,
                                   const char **ret_why);

bool tut_origin_is_external(tut_str origin);

/* --- evidence.c --- */
/* Evidence of this check (without version) that the tool's own key signed, by TEST. */
bool tut_record_is_test(const tut_record *r, const char *check);

typedef enum tut_standing { /* of one want for one subject */
                            TUT_STANDING_HOLDS,
                            TUT_STANDING_EXEMPT, /* a test found that it does not apply to it */
                            TUT_STANDING_CONTRADICTED,
                            TUT_STANDING_STALE,
                            TUT_STANDING_OTHER_DIGEST,
                            TUT_STANDING_NOT_ENOUGH,
                            TUT_STANDING_MISSING,
                            TUT_STANDING_COUNT
} tut_standing;

typedef struct tut_want_subject {
    const char *name;
    bool is_any_digest;
    bool has_digest;
    tut_sha256 digest;
} tut_want_subject;

typedef struct tut_match_result {
    tut_standing standing;
    const tut_record *record; /* NULL when missing */
    const char *why;          /* in the arena */
} tut_match_result;

/* One want of one clause: what its records say about the subject. Uses are noted in the control. */
typedef struct tut_evidence_index tut_evidence_index;
TUT_MUST tut_status tut_evidence_index_new(tut_evaluation *e, const tut_clause *clause,
                                           const tut_want *want, tut_evidence_index **ret_index);
void tut_evidence_index_free(tut_evidence_index *index);
TUT_DEFINE_AUTO(tut_evidence_index)
/* control may be NULL: then no use is noted. */
TUT_MUST tut_status tut_evidence_find(tut_evidence_index *index, const tut_want_subject *subject,
                                      tut_control *control, tut_match_result *ret_result);
/* Records by people that name a clause which no want of it can use. */
TUT_MUST tut_status tut_evidence_note_unused(tut_evaluation *e, tut_control *control);

/* --- control.c --- */
/* How one want stands over all its subjects. */
enum { TUT_NAMED_SUBJECTS = 4 };

typedef struct tut_want_state {
    const tut_want *want;
    size_t subjects;
    size_t by_standing[TUT_STANDING_COUNT];
    const char *names[TUT_STANDING_COUNT][TUT_NAMED_SUBJECTS];
    const tut_record *first[TUT_STANDING_COUNT];
    const char *why;        /* of the first that is not enough */
    bool is_nothing_wanted; /* the row takes it that nothing is in scope, and nothing is */
} tut_want_state;
/* There are subjects, and it holds for all that it applies to; or none is fine. */
bool tut_want_holds(const tut_want_state *s);
TUT_MUST tut_status tut_control_evaluate(tut_evaluation *e, tut_control *control);
TUT_MUST tut_status tut_control_reason(tut_evaluation *e, tut_control *control, const char *fmt,
                                       ...) TUT_PRINTF(3, 4);

/* --- overrides.c --- */
TUT_MUST tut_status tut_overrides_load(tut_evaluation *e);

/* --- refresh.c --- */
/* Sets the command that would move the control, by what it lacks. */
TUT_MUST tut_status tut_control_refresh(tut_evaluation *e, tut_control *c,
                                        const tut_want_state *states);

/* --- clearance.c --- */
/* Fills the clearance of the assets, which are summarised already. */
TUT_MUST tut_status tut_clearance_load(tut_evaluation *e);
const char *tut_clearance_text(const tut_asset_summary *a);

/* --- findings.c --- */
TUT_MUST tut_status tut_findings_load(tut_evaluation *e);

/* --- grade.c --- */
TUT_MUST tut_status tut_grade_assessment(tut_assessment *a, const char *damage, size_t expired,
                                         tut_error *err);

/* --- next.c --- */
TUT_MUST tut_status tut_next_steps(tut_evaluation *e);

/* "tutela assess", or "tutela assess DIR" where DIR is not the current directory (arena). */
TUT_MUST tut_status tut_command_for(tut_evaluation *e, tut_str command, const char **ret_command);

#endif
