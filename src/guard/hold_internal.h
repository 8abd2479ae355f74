/* What hold*.c and approvers.c share. */
#ifndef TUT_GUARD_HOLD_INTERNAL_H
#define TUT_GUARD_HOLD_INTERNAL_H

#include "guard/hold.h"

bool tut_hold_nonce_of(tut_str text, uint8_t ret_nonce[TUT_HOLD_NONCE]);
/* Whose key it is; ret_key may be NULL. */
const tut_approver *tut_approvers_by_key(const tut_approvers *who, tut_str key_id,
                                         const tut_pubkey **ret_key);
/* What was signed, whoever signed it. */
TUT_MUST tut_status tut_hold_check_statement(tut_span payload, const tut_hold *h,
                                             tut_hold_decision *d, tut_error *err);
/* DIR/holds/ID + suffix; caller frees. */
char *tut_hold_path(const char *dir, const char *id, const char *suffix);

#endif
