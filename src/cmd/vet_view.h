/* What tutela vet shows on a terminal. */
#ifndef TUT_CMD_VET_VIEW_H
#define TUT_CMD_VET_VIEW_H

#include "base/term.h"
#include "data/vet.h"

TUT_MUST tut_status tut_vet_view(const tut_vet *v, const tut_term *term, uint64_t took_ms,
                                 tut_buf *out, tut_error *err);

#endif
