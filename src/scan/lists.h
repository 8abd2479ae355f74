/*
 * The lists of a description, applied to reports: what is refused becomes a finding, and findings
 * that somebody accepted for a time are taken aside. What is refused is never accepted, and how far
 * a file was read is not for a list to say.
 */
#ifndef TUT_SCAN_LISTS_H
#define TUT_SCAN_LISTS_H

#include "scan/report.h"

/* Applies policy.scan of the system to every report, as of `now`, and lists the entries that do not
 * count. */
TUT_MUST tut_status tut_lists_apply(tut_scan *scan, const tut_system *system, tut_time now,
                                    tut_error *err);

/* Why the entry does not count: a rule that does not exist, or what tut_listed_lack() says. NULL:
 * it does. */
const char *tut_lists_lack(const tut_listed *entry, bool is_allowing, tut_time at);

/* --- in the worker --- */
/* What the parent has in force when it starts workers; borrowed, and kept for as long as they run.
 * NULL: nothing. */
void tut_lists_use(const tut_system *system, tut_time now);
/* The entry that refuses this name of a pickle, or NULL. "os.*" refuses all names of the module. */
const tut_listed *tut_lists_refuse_global(tut_str module, tut_str name);
/* What of the lists a worker's reply depends on. */
void tut_lists_add_key(tut_buf *out);
/* "refused by Ada: reason" */
void tut_lists_words(const tut_listed *entry, tut_buf *out);

#endif
