/* What a verified pack came to, for people. */
#ifndef TUT_CMD_PACK_VIEW_H
#define TUT_CMD_PACK_VIEW_H

#include "base/term.h"
#include "pack/verify.h"

TUT_MUST tut_status tut_pack_view_text(const tut_pack_result *r, const tut_term *term, tut_buf *out,
                                       tut_error *err);

#endif
