/* Building one file's report, and carrying it from the worker to its parent as bytes. */
#ifndef TUT_SCAN_REPORT_H
#define TUT_SCAN_REPORT_H

#include "scan/scan.h"

/* What is about to become a finding. Text is escaped already. */
typedef struct tut_finding_seed {
    const char *rule;  /* id; one that no row has becomes file.malformed, with the id in its text */
    int severity;      /* -1: the rule's */
    const char *title; /* NULL: the rule's */
    tut_str message, location;
    uint64_t offset, subject;
    uint8_t rank;
} tut_finding_seed;

/* Folds into what is there (see tut_finding), keeps at most TUT_LIMIT_FINDINGS and never lets a
 * worse one go for a milder one. */
TUT_MUST tut_status tut_report_add(tut_file_report *r, const tut_finding_seed *seed);
/* Takes the finding of this rule, subject and place back: what came after explains it. */
void tut_report_take_back(tut_file_report *r, const char *rule, uint64_t subject, tut_str location);
/* At most TUT_LIMIT_FACTS; what is beyond is left out. */
TUT_MUST tut_status tut_report_fact(tut_file_report *r, const char *key, tut_str escaped);
/* At most TUT_LIMIT_PACKAGES; what is beyond is counted. Text is escaped already. */
TUT_MUST tut_status tut_report_package(tut_file_report *r, const tut_package *escaped);
/* Makes the status at least this bad (COMPLETE < INCOMPLETE < ERROR) and keeps the first reason. */
TUT_MUST tut_status tut_report_spoil(tut_file_report *r, tut_scan_status status, const char *why);
/* Who accepted a finding; borrowed, escaped already. */
typedef struct tut_acceptance {
    const char *entry, *reason, *by;
    tut_time until;
} tut_acceptance;

/* Takes the finding at this place among the findings aside: somebody accepted it. */
TUT_MUST tut_status tut_report_suppress(tut_file_report *r, size_t at, const tut_acceptance *by);
/* Worst first, then by location and offset. */
void tut_report_sort(tut_file_report *r);

/* What the worker found out: everything but path and rel. */
void tut_report_encode(const tut_file_report *r, tut_buf *out);
/* MALFORMED for anything that no worker of this build writes. Fills r, which has path and rel only.
 */
TUT_MUST tut_status tut_report_decode(tut_span bytes, tut_file_report *r, tut_error *err);

#endif
