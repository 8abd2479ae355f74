/* What a user trusts about packs, and what a verified one came to, for people. */
#ifndef TUT_CMD_PACK_VIEW_H
#define TUT_CMD_PACK_VIEW_H

#include "base/term.h"
#include "cmd/command.h"
#include "pack/receipt.h"
#include "pack/trust.h"

/* The options --trust (again and again) and --timestamp-ca. */
TUT_MUST tut_status tut_pack_view_trust(const tut_args *args, tut_pack_trusting *ret,
                                        tut_error *err);
TUT_MUST tut_status tut_pack_view_text(const tut_pack_result *r, const tut_term *term, tut_buf *out,
                                       tut_error *err);

#define TUT_RECEIPT_SCHEMA "tutela.pack-receipt/1"
/* What a receipt says, as members of the summary. */
void tut_pack_view_receipt(const tut_receipt *r, const char *key_id, tut_json *j);

#endif
