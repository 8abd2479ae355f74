/* The stop switch thrown in a drill: how long until nobody is served, and begun again at once. */
#ifndef TUT_CMD_GUARD_DRILL_H
#define TUT_CMD_GUARD_DRILL_H

#include "cmd/guard_here.h"

typedef struct tut_guard_drill {
    uint64_t asked, served; /* requests after the switch; of these, not refused */
    uint64_t stop_ms;       /* until the last that was not refused, or the first that was */
    uint64_t away_ms;       /* nobody was served for so long */
    bool is_in_time, did_resume;
    uint64_t index; /* of the evidence */
} tut_guard_drill;

/* --by signs the end of it: USAGE or DENIED, before anything is stopped, where that cannot be. */
TUT_MUST tut_status tut_guard_drill_run(const tut_args *args, tut_guard_here *h,
                                        tut_guard_drill *ret_drill, tut_error *err);

#endif
