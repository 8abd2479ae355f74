/* The stop switches, as the log has them. */
#ifndef TUT_CMD_GUARD_STOPS_H
#define TUT_CMD_GUARD_STOPS_H

#include "cmd/guard_here.h"

/* Throws anew what the log says is stopped: for a live map that was made anew, because it was gone
 * or of another version. Who resumes has signed; what nobody signed counts as none. */
TUT_MUST tut_status tut_guard_stops_restore(const tut_guard_here *h, size_t *ret_count,
                                            tut_error *err);

#endif
