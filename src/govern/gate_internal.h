/* What the files of the gates share. */
#ifndef TUT_GOVERN_GATE_INTERNAL_H
#define TUT_GOVERN_GATE_INTERNAL_H

#include "govern/gate.h"

/* gate_records.c: opens the ledger, reads the records that the demands ask for, and has them
 * answered. */
TUT_MUST tut_status tut_gate_read(tut_gate_view *v, const tut_gate_question *q, tut_time at,
                                  tut_error *err);

/* gate_fresh.c: what is no longer as it was last assessed, into the view. Files whose inode did not
 * change since then are not read. */
TUT_MUST tut_status tut_gate_find_changes(tut_gate_view *v, tut_cage_mode sandbox, tut_error *err);

/* gate_decide.c: decisions[at], whose demands are answered; those before it are decided. */
TUT_MUST tut_status tut_gate_decide(tut_gate_view *v, size_t at, const tut_gate_question *q,
                                    tut_error *err);
/* What a signature on this gate is about. */
TUT_MUST tut_status tut_gate_about(const tut_gate_view *v, const tut_gate *gate,
                                   tut_sha256 *ret_about, tut_error *err);

#endif
