/* SARIF 2.1.0, for the code scanning views of forges and editors: scan and assess write it here. */
#ifndef TUT_SCAN_SARIF_H
#define TUT_SCAN_SARIF_H

#include "scan/scan.h"

/* One result. Text is borrowed; NULL and "" are alike. */
typedef struct tut_sarif_item {
    const char *rule;                          /* id */
    const char *title;                         /* of the rule, or sharper */
    const char *why, *fix, *threats, *clauses; /* of the rule; lists are space separated */
    const char *message;                       /* what was seen */
    const char *path;                          /* file, as given; NULL: about no file */
    const char *location;                      /* member path chain */
    const char *confidence;
    const char *accepted; /* somebody accepted it: until when, who, why; NULL: it stands */
    tut_severity severity;
    bool has_offset;
    uint64_t offset;
} tut_sarif_item;

/* Something that could not be checked: said as loudly as a finding, as a notification. */
typedef struct tut_sarif_note {
    const char *path, *text;
    bool is_error; /* could not be read at all */
} tut_sarif_note;

typedef struct tut_sarif_run {
    const tut_sarif_item *items;
    size_t item_count;
    const tut_sarif_note *notes;
    size_t note_count;
} tut_sarif_run;

/* Appends one document and a newline. Items keep their order; rules are listed by id. */
TUT_MUST tut_status tut_sarif_write(const tut_sarif_run *run, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_scan_sarif(const tut_scan *scan, tut_buf *out, tut_error *err);

#endif
