/* Bills of materials and the records: what they take from an assessment, and that one was made. */
#ifndef TUT_ASSESS_BOM_CLAIMS_H
#define TUT_ASSESS_BOM_CLAIMS_H

#include "assess/assessment.h"
#include "bom/bom.h"

enum { TUT_BOM_EXPIRY_DAYS = 90 };

/* Borrows from the assessment; arrays are the arena's. */
TUT_MUST tut_status tut_assess_conformity(const tut_assessment *a, tut_arena *arena,
                                          tut_bom_conformity *ret, tut_error *err);
/* Evidence bom.signed: the bill of this very description, its digest and its bytes, signed with the
 * tool's key. The bill has a system. signer: who signed the bill itself, in words. */
TUT_MUST tut_status tut_assess_log_bom(tut_ledger *ledger, const tut_bom *bom, tut_bom_spec spec,
                                       tut_span document, const char *signer, uint64_t *ret_index,
                                       tut_error *err);

#endif
