/* A pack verified in a process of its own, that gave up its powers: for who has keys, or goes on to
 * write. */
#ifndef TUT_PACK_APART_H
#define TUT_PACK_APART_H

#include "pack/verify.h"

/* What tut_pack_result_json says of the pack is appended to `out`; what a hostile pack may have
 * made of that process is only this text. BUG when the process died. */
TUT_MUST tut_status tut_pack_verify_apart(int fd, const tut_pack_trust *trust, tut_time now,
                                          tut_buf *out, tut_error *err);

#endif
