/* The one table of rules. A rule is a row in a rules_*.def file; docs/rules.md is generated from
 * it. */
#ifndef TUT_SCAN_RULE_H
#define TUT_SCAN_RULE_H

#include "base/status.h"
#include "base/str.h"

typedef enum tut_severity {
    TUT_SEVERITY_INFO,
    TUT_SEVERITY_LOW,
    TUT_SEVERITY_MEDIUM,
    TUT_SEVERITY_HIGH,
    TUT_SEVERITY_CRITICAL,
    TUT_SEVERITY_COUNT
} tut_severity;

typedef enum tut_confidence {
    TUT_CONFIDENCE_EXECUTES, /* "executes-on-load" */
    TUT_CONFIDENCE_CAPABILITY,
    TUT_CONFIDENCE_STRUCTURAL,
    TUT_CONFIDENCE_HEURISTIC
} tut_confidence;

/* Verdict of a file: its worst finding. */
typedef enum tut_verdict {
    TUT_VERDICT_CLEAN,
    TUT_VERDICT_REVIEW,
    TUT_VERDICT_DANGEROUS,
    TUT_VERDICT_MALICIOUS
} tut_verdict;

typedef struct tut_rule {
    const char *id; /* "pickle.call-on-load" */
    tut_severity severity;
    tut_confidence confidence;
    const char *title;      /* "Runs a shell command when the file is loaded" style, for people */
    const char *why;        /* why it matters, one or two sentences */
    const char *fix;        /* what to do */
    const char *threats;    /* space separated ATLAS ids: "AML.T0011.000 AML.T0018.002" */
    const char *clauses;    /* space separated clause ids of EN 304 223 */
    const char *references; /* space separated CWE and CVE ids, or "" */
} tut_rule;

size_t tut_rule_count(void);
const tut_rule *tut_rule_at(size_t i); /* in byte order of id */
const tut_rule *tut_rule_find(tut_str id);
/* Digest input: the canonical JSON of the whole table, so that evidence names the rule set. */
TUT_MUST tut_status tut_rules_digest(uint8_t ret_sha256[32], tut_error *err);

const char *tut_severity_name(tut_severity s);     /* "high" */
const char *tut_confidence_name(tut_confidence c); /* "executes-on-load" */
const char *tut_verdict_name(tut_verdict v);       /* "malicious" */
bool tut_severity_parse(tut_str name, tut_severity *ret);
tut_verdict tut_verdict_of(tut_severity worst);

#endif
