/* Evidence that covers other evidence, as a receipt covers findings: what came after it is not in
 * it. Which checks those are stands in the control row ("covers"). */
#ifndef TUT_ASSESS_COVERED_H
#define TUT_ASSESS_COVERED_H

#include "assess/catalogue.h"
#include "assets/system.h"

#define TUT_CHECK_SHARED "probe.shared"

/* Whether the record is measured evidence, without a doubt, of a check that the want covers. */
bool tut_want_covers(const tut_want *want, const tut_record *r);

typedef struct tut_covered_list {
    const tut_record **items; /* borrowed from the records; ascending */
    size_t count, capacity;
} tut_covered_list;
void tut_covered_list_done(tut_covered_list *l);

/* What a piece of evidence has to cover: of each check and subject the newest that is in force,
 * that is, did not run out by `at` and is about the subject as it is described. */
TUT_MUST tut_status tut_covered_in_force(const tut_want *want, const tut_records *records,
                                         const tut_system *system, tut_time at,
                                         tut_covered_list *ret, tut_error *err);
/* The newest of all that the want covers, in force or not; NULL: there is none. */
const tut_record *tut_covered_newest(const tut_want *want, const tut_records *records);

#endif
