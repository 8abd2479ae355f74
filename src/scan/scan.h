/*
 * Files -> findings. tut_scan_run walks paths, sends each file through the cage, and hands back one
 * report per file. The same run serves `init` and `inventory` (facts and digests, no rules).
 */
#ifndef TUT_SCAN_SCAN_H
#define TUT_SCAN_SCAN_H

#include "assets/system.h"
#include "base/cage.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/term.h"
#include "crypto/digest.h"
#include "formats/format.h"
#include "scan/rule.h"
#include "text/gitleaks.h"

typedef struct tut_finding {
    const tut_rule *rule;
    tut_severity severity; /* the rule's, or raised by what was seen */
    char *title;           /* sharper than the rule's, or NULL: see tut_finding_title */
    char *message;         /* what was seen, one line, escaped */
    char *location;        /* member path chain, beginning with the file's rel: "x.pt!/data.pkl" */
    uint64_t offset;       /* TUT_NO_OFFSET: none */
    uint32_t times;        /* how often the same thing occurred in the file (>= 1) */
    uint64_t subject; /* not 0: what was seen, hashed; of one subject and place the worst is kept */
    uint8_t rank;     /* among equal severities of one subject the higher is kept */
} tut_finding;
const char *tut_finding_title(const tut_finding *f);

/* A finding that somebody accepted for a time (policy.scan.allow): it decides nothing, and every
 * report shows it. */
typedef struct tut_suppressed {
    tut_finding finding;
    char *reason, *by; /* escaped */
    char *entry;       /* "policy.scan.allow[0]" */
    tut_time until;
} tut_suppressed;

typedef enum tut_scan_status {
    TUT_SCAN_COMPLETE,
    TUT_SCAN_INCOMPLETE,
    TUT_SCAN_UNSUPPORTED, /* nothing that we know */
    TUT_SCAN_ERROR        /* could not be read, or its worker died */
} tut_scan_status;
const char *tut_scan_status_name(tut_scan_status s);

typedef struct tut_fact {
    const char *key; /* interned by the report */
    char *value;     /* escaped text */
} tut_fact;

struct tut_baseline; /* see scan/baseline.h */

typedef struct tut_file_report {
    char *path;               /* as given, or root/rel for a walk */
    char *rel;                /* below the walked root; the last component for a single file */
    const tut_format *format; /* NULL: not recognised */
    uint64_t size;
    bool has_digest; /* false at depth structure, and after errors */
    tut_sha256 digest;
    bool is_content; /* depth */
    bool has_model;  /* it is, or holds, something that is loaded as a model */
    tut_scan_status status;
    char *problem;         /* why not complete, or NULL: one line */
    tut_finding *findings; /* worst first, then by location and offset */
    size_t finding_count, finding_capacity;
    size_t findings_dropped;    /* beyond TUT_LIMIT_FINDINGS; never worse than those kept */
    tut_suppressed *suppressed; /* in the same order */
    size_t suppressed_count, suppressed_capacity;
    bool has_siblings; /* other files were read for it: what is said rests on them too */
    tut_fact *facts;   /* in order of occurrence */
    size_t fact_count, fact_capacity;
    tut_listed_package *packages; /* in order of occurrence */
    size_t package_count, package_capacity;
    size_t packages_dropped;       /* beyond TUT_LIMIT_PACKAGES */
    struct tut_baseline *baseline; /* what changed since an earlier file, or NULL */
} tut_file_report;

void tut_file_report_done(tut_file_report *f);
tut_verdict tut_file_verdict(const tut_file_report *f);
const char *tut_file_fact(const tut_file_report *f, const char *key); /* first, or NULL */

typedef struct tut_scan {
    tut_file_report *files; /* byte order of path */
    size_t count, capacity;
    size_t passed_over; /* files in walked directories that are no model (scan only) */
    size_t links_out;   /* links that lead out of a walked directory, or to nothing */
    uint64_t bytes;
    const char *text_problem; /* why text was not looked through for secrets; NULL: it was */
    tut_cage_facts cage;
    bool has_lists;      /* the lists of a tutela.yaml were applied */
    char **list_remarks; /* entries that do not count, and why: one line each */
    size_t list_remark_count, list_remark_capacity;
    size_t cached;    /* files of which is told what an earlier scan found */
    tut_sha256 rules; /* of the rules in force, those of users among them */
} tut_scan;
void tut_scan_free(tut_scan *s);
TUT_DEFINE_AUTO(tut_scan)

typedef struct tut_scan_options {
    bool content;     /* depth content: hash and test the bytes */
    bool facts_only;  /* init, inventory: no rules applied, every recognised kind reported */
    bool all_kinds;   /* report datasets, prompts, code, ... too, not models only */
    bool skip_others; /* a file that was named and holds no model is passed over, as in a directory
                       */
    bool every_file;  /* keep what no format recognises as well: a declared asset may be anything */
    const tut_text_user *secret_rules; /* of a file (secret_rules.h), or NULL */
    const tut_system *system;          /* its policy.scan holds; NULL: none */
    const struct tut_yara *yara;       /* rules that users bring (yara.h); NULL: none */
    const char *baseline; /* a file or directory to compare with, or NULL: scan/baseline.h */
    bool may_reuse; /* what this build found before in the same bytes (verdict_cache.h), at depth
                     * content; else all is read anew */
    tut_cage_mode sandbox;
    unsigned workers; /* 0: choose */
    void (*progress)(void *ctx, size_t done, size_t total, uint64_t bytes);
    void *progress_ctx;
} tut_scan_options;

/* paths: files, directories, or "-" (standard input, spooled to an unlinked temporary file with a
 * cap). An unreadable path becomes a report with status error. CANCELLED on Ctrl-C. */
TUT_MUST tut_status tut_scan_run(const char *const *paths, size_t count,
                                 const tut_scan_options *options, tut_scan **ret_scan,
                                 tut_error *err);

/* One open regular file, borrowed; `name` is what reports call it. No file beside it is opened. */
TUT_MUST tut_status tut_scan_descriptor(int fd, const char *name, const tut_scan_options *options,
                                        tut_scan **ret_scan, tut_error *err);

/* One file's report as the contract's JSON object, and back (for stored evidence bodies: rules are
 * looked up by id; an unknown id is MALFORMED). */
void tut_file_report_json(const tut_file_report *f, tut_json *j);
void tut_finding_json(const tut_finding *f, tut_json *j);
/* "until 2027-01-31, by Ada: reason" */
void tut_suppressed_words(const tut_suppressed *s, tut_buf *out);

typedef struct tut_scan_tally {
    size_t verdicts[4]; /* by tut_verdict, of files that were recognised and read */
    size_t statuses[4]; /* by tut_scan_status */
    size_t findings[TUT_SEVERITY_COUNT];
    size_t suppressed;
} tut_scan_tally;

void tut_scan_count(const tut_scan *scan, tut_scan_tally *ret_tally);
/* The document tutela.scan/1, and its files[] one a line; a newline ends each. */
TUT_MUST tut_status tut_scan_json(const tut_scan *scan, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_scan_jsonl(const tut_scan *scan, tut_buf *out, tut_error *err);

#endif
