/*
 * Controls x evidence -> verdicts. The evaluator is generic; it reads rows (catalogue.h), records
 * (ledger/record.h) and the inventory as recorded, at a stated time. It collects nothing.
 */
#ifndef TUT_ASSESS_ASSESSMENT_H
#define TUT_ASSESS_ASSESSMENT_H

#include "assess/catalogue.h"
#include "assess/overrides.h"
#include "assess/tool.h"
#include "assets/sign.h"
#include "assets/system.h"
#include "assets/vouchers.h"
#include "base/cage.h"
#include "base/json_write.h"
#include "base/term.h"
#include "base/time.h"
#include "crypto/key.h"
#include "ledger/vouched.h"
#include "scan/rule.h"

typedef enum tut_control_verdict {
    TUT_CONTROL_MET,
    TUT_CONTROL_PARTLY,
    TUT_CONTROL_NOT_MET,
    TUT_CONTROL_NOT_CHECKED,
    TUT_CONTROL_NOT_APPLICABLE,
    TUT_CONTROL_VERDICT_COUNT
} tut_control_verdict;
const char *tut_control_verdict_name(tut_control_verdict v);  /* "not_met" */
const char *tut_control_verdict_label(tut_control_verdict v); /* "not met" */

/* How a piece of evidence was used. A control lists the latest record of each check and subject in
 * scope, its predecessor where that said something else, and a statement that cannot count. */
typedef enum tut_use {
    TUT_USE_COUNTS,       /* holds a want */
    TUT_USE_CONTRADICTS,  /* a fail that holds */
    TUT_USE_STALE,        /* too old or expired */
    TUT_USE_OTHER_DIGEST, /* about another version of the subject */
    TUT_USE_SUPERSEDED,   /* a later record of the same check and subject exists */
    TUT_USE_NOT_ENOUGH /* hand-made where TEST is wanted, self-declared where signers are wanted */
} tut_use;
const char *tut_use_name(tut_use u); /* "counts", "contradicts", "stale", ... */

typedef struct tut_evidence_use {
    const tut_record *record; /* borrowed from the assessment's records */
    tut_use use;
    char *why; /* one line for people */
} tut_evidence_use;

typedef struct tut_control {
    const tut_clause *clause;
    tut_control_verdict verdict;
    bool is_stale;  /* not_checked or partly because evidence ran out */
    char **reasons; /* one line each, the decisive one first */
    size_t reason_count;
    tut_evidence_use *evidence;
    size_t evidence_count;
    tut_str refresh;           /* the command that would move this control, or empty */
    bool is_refresh_available; /* it would move it now; false: a later version will
                                * decide, or nothing is in scope */
} tut_control;

/* A finding as the report shows it: from the recorded bodies. */
typedef struct tut_report_finding {
    char *asset; /* "model/reranker", or the path when undeclared */
    char *rule, *title, *message, *location, *fix;
    char *threats, *clauses; /* space separated */
    char *accepted;          /* until when, by whom, why; NULL: it stands */
    tut_severity severity;
    char *confidence;
    bool has_offset;
    uint64_t offset;
} tut_report_finding;

typedef struct tut_cap {
    char grade;   /* 'C': at most this; 'F' */
    bool applies; /* its condition holds */
    bool bit;     /* and it lowered the grade */
    char *reason; /* "a shall is not met: 5.1.2-4 5.1.2-6" */
} tut_cap;

typedef struct tut_next_step { /* the three commands that would help most */
    char *command;
    char *why; /* "settles 3 of the 6" */
    char *title;
    char *clauses; /* space separated */
    double points;
} tut_next_step;

typedef enum tut_clearance { /* due diligence on an asset from outside (5.1.2-4) */
                             TUT_CLEARANCE_NOT_ASKED, /* it is not from outside */
                             TUT_CLEARED,
                             TUT_CLEARED_OTHER, /* another version of it was */
                             TUT_CLEARED_ONCE,  /* it ran out */
                             TUT_NOT_CLEARED
} tut_clearance;

typedef struct tut_asset_summary { /* from the recorded inventory */
    char *id, *path, *kind, *state, *format, *digest, *detail;
    uint64_t size;
    char **depends_on;
    size_t depends_count;
    tut_clearance clearance;
    const char *clearance_why; /* for NOT_CLEARED, where there is more to say than that; or NULL */
} tut_asset_summary;

typedef struct tut_unchecked { /* what was not checked, said as loudly as what was */
    char *what;                /* file or subject */
    char *why;
} tut_unchecked;

typedef struct tut_assessment {
    tut_time evaluated_at, generated;
    tut_system *system; /* as recorded; NULL when none */
    char *system_name, *system_version;
    tut_records *records;
    bool borrows_records;
    tut_control controls[TUT_CLAUSE_COUNT];
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    char grade, grade_without_caps; /* 0: none given */
    double score;                   /* of 100 */
    char *grade_sentence;           /* "Six duties are not met, so the grade stops at C." */
    tut_cap caps[4];
    size_t cap_count;
    tut_report_finding *findings; /* worst first */
    size_t finding_count, finding_capacity;
    tut_report_finding *accepted; /* set aside by policy.scan.allow; they decide nothing */
    size_t accepted_count, accepted_capacity;
    tut_asset_summary *assets;
    size_t asset_count, asset_capacity;
    tut_unchecked *unchecked;
    size_t unchecked_count, unchecked_capacity;
    tut_override *overrides; /* of gates, those that ran out too; in the order of the log */
    size_t override_count;
    tut_next_step next[3];
    size_t next_count;
    tut_sha256 tool_binary, tool_catalogue, tool_rules;
    char *log_origin;      /* of the evidence log; "" when there is none */
    bool is_strangers;     /* its keys are not here: it vouches for itself alone */
    tut_sha256 log_root;   /* that its key signed, at records->log_size */
    tut_trust log_trust;   /* what it rests on: its own key, time-stamps, witnesses */
    tut_proven log_proven; /* and what these prove of it */
    bool is_log_unvouched; /* somebody is believed about it, and none of them stands for it */
    char *sandbox;         /* "Landlock 7, seccomp" or what is lacking, as recorded with the scan */
    tut_buf inventory;     /* the inventory as recorded, for bills of materials; empty: none */
    tut_buf threat_model;  /* tutela.threats/1 of this very description as recorded; empty: none */
    void *owner_;          /* text that the controls borrow */
} tut_assessment;

/* Reads records up to `at` from state_dir and evaluates. Collects nothing, writes nothing. The
 * system is named as people did, for the commands they copy: its directory, or its description. */
TUT_MUST tut_status tut_assess_evaluate(const char *dir_or_file, const char *state_dir, tut_time at,
                                        tut_assessment **ret_assessment, tut_error *err);
/* One question beside the 72 provisions, answered by the same evaluator: one want of a row, taken
 * more strictly than the row does. What a gate asks. Released by tut_demands_done; it must stay
 * where it is meanwhile, and what the control borrows lives as long as the assessment. */
typedef struct tut_demand {
    const tut_clause *of;         /* the row */
    size_t want;                  /* of its wants */
    uint32_t max_age_days, kinds; /* 0: as the row says */
    tut_want strict;
    tut_clause clause; /* the row with that want alone */
    tut_control control;
} tut_demand;
void tut_demands_done(tut_demand *demands, size_t count);

/* The same of a ledger that is no state's (an evidence pack), as if from the system's directory. */
typedef struct tut_evaluation_source {
    tut_ledger *ledger;
    tut_records *records;  /* read of it before, which outlive the assessment; NULL: to be read */
    tut_tool_digests tool; /* of the program that is said to have evaluated */
    tut_time generated;
    const char *dir_or_file, *state_dir; /* for commands that people copy; NULL: as if from there */
    tut_demand *demands;                 /* answered as well; may be NULL */
    size_t demand_count;
    bool is_partial; /* only what the demands ask for is among the records: no verdict of the 72, no
                        grade */
} tut_evaluation_source;
TUT_MUST tut_status tut_assess_evaluate_given(const tut_evaluation_source *given, tut_time at,
                                              tut_assessment **ret_assessment, tut_error *err);
void tut_assessment_free(tut_assessment *a);
TUT_DEFINE_AUTO(tut_assessment)

/* The records do not verify: something was altered, taken out or rolled back. */
bool tut_assessment_is_damaged(const tut_assessment *a);
/* Entries of policy.scan that do not count at the time of the evaluation, a line each: `line` is
 * called for them in order. */
void tut_assessment_idle_entries(const tut_assessment *a, void (*line)(void *ctx, tut_str text),
                                 void *ctx);
/* The records that an assessment went by, or NULL: the description of the system (its first subject
 * has the digest), and the files of those whose word about the log was taken. */
const tut_record *tut_assessment_description(const tut_assessment *a);
const tut_record *tut_assessment_voucher(const tut_assessment *a, tut_voucher which);
/* The latest event that says which bytes this document of the design has (design.h), or NULL. */
const tut_record *tut_assessment_document(const tut_assessment *a, tut_str path);
/* May this asset be used, as far as due diligence goes: it holds for these very bytes, or the asset
 * is not from outside. What a gate asks; *ret_why says why, lives as long as the assessment. */
bool tut_assessment_clears(const tut_assessment *a, const char *asset, const char **ret_why);
bool tut_asset_is_cleared(const tut_asset_summary *asset, const char **ret_why);
/* Exit status by the contract, at this threshold ("" = policy or high). */
int tut_assessment_exit(const tut_assessment *a, tut_severity fail_on);

/* A word of a command that people copy: quoted for the shell where it must be. */
void tut_command_word(tut_buf *out, const char *word);

/* --- reports; pure functions of the assessment --- */
TUT_MUST tut_status tut_report_json(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_report_html(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_report_sarif(const tut_assessment *a, tut_buf *out, tut_error *err);
/* CycloneDX 1.6 and SPDX 3.0.1 of the assets as recorded, with what is claimed of conformity. */
TUT_MUST tut_status tut_report_cyclonedx(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_report_spdx(const tut_assessment *a, tut_buf *out, tut_error *err);
/* The threat model as recorded; nothing where none is. */
TUT_MUST tut_status tut_report_threat_model(const tut_assessment *a, tut_buf *out, tut_error *err);
/* The files that an assessment writes, in order of their names. One that is empty is not written:
 * there is nothing to say. */
typedef struct tut_report_file {
    const char *name; /* below the folder of the reports */
    tut_status (*compose)(const tut_assessment *a, tut_buf *out, tut_error *err);
} tut_report_file;
const tut_report_file *tut_report_files(size_t *ret_count);
/* The result in 80 columns. report_path: printed as given, or NULL. took_ms 0: not printed. */
TUT_MUST tut_status tut_report_terminal(const tut_assessment *a, const tut_term *term,
                                        const char *report_path, uint64_t took_ms, tut_buf *out,
                                        tut_error *err);
/* One control of the assessment, as in its report. */
TUT_MUST tut_status tut_report_clause_json(const tut_assessment *a, const tut_clause *clause,
                                           tut_buf *out, tut_error *err);
/* One clause: what it asks, its state here, the next command. */
TUT_MUST tut_status tut_report_explain(const tut_assessment *a_or_null, const tut_clause *clause,
                                       const tut_term *term, tut_buf *out, tut_error *err);

/* --- collecting: what `assess` does before it evaluates --- */
typedef struct tut_collect_options {
    tut_cage_mode sandbox;
    tut_progress *progress; /* NULL: silent */
    tut_buf *shown;         /* NULL, or takes the excerpt of an error in tutela.yaml */
} tut_collect_options;

/* Inventory and scan of the described system, recorded as evidence with bodies (and the changed
 * tutela.yaml as an event with a snapshot). Nothing is recorded after Ctrl-C or a failure before
 * the first complete step. */
TUT_MUST tut_status tut_assess_collect(const char *dir, const char *state_dir,
                                       const tut_collect_options *options, tut_error *err);

/* Writes report.html, report.json, results.sarif, oscal/ and the bills of materials under
 * STATE/reports/TIME/ and repoints
 * STATE/reports/latest; *ret_html is the path of the page through `latest` (caller frees). On a
 * failure the last reports are as they were. */
TUT_MUST tut_status tut_assess_write_reports(const tut_assessment *a, const char *state_dir,
                                             char **ret_html, tut_error *err);

/* --- what people say --- */
typedef struct tut_declaration {
    const tut_clause *clause;
    const char *statement, *by; /* by: a name; self-declared until that person's key signs */
    const char *file;           /* the document, kept by its digest */
    tut_time at, expires;
    const tut_key *signer; /* of the person; NULL: nobody signs */
} tut_declaration;

/* Records evidence declared.document (EXAMINE). It never satisfies a want of TEST; who signed it is
 * found out by whoever reads it. */
TUT_MUST tut_status tut_assess_declare(const char *state_dir, const tut_declaration *d,
                                       uint64_t *ret_index, tut_error *err);
/* Whether a declared document moves this clause at all. */
bool tut_clause_takes_documents(const tut_clause *clause);

/* --- what was signed --- */
/* Records an event asset.signed for each path that lies in the described system; *ret_recorded of
 * the paths do. */
TUT_MUST tut_status tut_assess_signed(const char *dir_or_file, const char *state_dir,
                                      const char *const *paths, const tut_sign_result *results,
                                      size_t count, size_t *ret_recorded, tut_error *err);

typedef struct tut_asset_check { /* one asset, held against the people and the policy */
    char *path, *name;           /* name: of the asset, or the path itself */
    char *person; /* whose key signed, whether it counts or not; NULL: a stranger's */
    tut_verify_result result;
} tut_asset_check;
/* `verify --policy`: these paths, or every asset of the description that has files. Each check is
 * an event asset.verified. Caller frees. */
TUT_MUST tut_status tut_assess_verify(const char *dir_or_file, const char *state_dir,
                                      const char *const *paths, size_t path_count,
                                      const tut_verify_options *options,
                                      tut_asset_check **ret_checks, size_t *ret_count,
                                      tut_error *err);
void tut_asset_checks_free(tut_asset_check *checks, size_t count);

#endif
