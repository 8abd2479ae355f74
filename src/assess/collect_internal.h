/* What collecting puts together before anything is written. */
#ifndef TUT_ASSESS_COLLECT_INTERNAL_H
#define TUT_ASSESS_COLLECT_INTERNAL_H

#include "assess/assessment.h"
#include "scan/found.h"
#include "scan/scan.h"

typedef struct tut_collection {
    tut_system *system;
    tut_scan *scan;
    tut_found *found;
    tut_inventory *inventory;
    const tut_file_report **reports; /* in the order of found->files */
    size_t *item_of;                 /* inventory item of each found file; SIZE_MAX: none */
    tut_time from, to;
    tut_error *err;
} tut_collection;

void tut_collection_done(tut_collection *c);

/* --- collect_files.c --- */
/* Fills reports and item_of. */
TUT_MUST tut_status tut_collection_assign(tut_collection *c);
/* Files that no evidence speaks of because they could not be read. */
bool tut_collection_is_unread(const tut_collection *c, size_t file);

/* --- collect_bodies.c --- */
/* The inventory as recorded: the contract's assets, the sandbox, what could not be read. */
TUT_MUST tut_status tut_collection_inventory_body(const tut_collection *c, tut_buf *out);
/* The scan of one asset as recorded: the contract's files. */
TUT_MUST tut_status tut_collection_scan_body(const tut_collection *c, size_t item, tut_buf *out);

/* --- collect_judge.c --- */
/* What the check came to, and one sentence for people (caller frees). */
TUT_MUST tut_status tut_collection_judge_inventory(const tut_collection *c, tut_result *ret_result,
                                                   char **ret_statement);
TUT_MUST tut_status tut_collection_judge_scan(const tut_collection *c, size_t item,
                                              tut_result *ret_result, char **ret_statement);

#endif
