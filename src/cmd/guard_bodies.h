/* The days of sealed bodies, for the processes that hold the keys (guard/bodies.h). */
#ifndef TUT_CMD_GUARD_BODIES_H
#define TUT_CMD_GUARD_BODIES_H

#include "cmd/guard_here.h"
#include "cmd/ledger_place.h"

/* Keys of this day and the next, where the policy keeps bodies. */
TUT_MUST tut_status tut_guard_bodies_prepare(const tut_guard_here *h, const tut_keystore *keys,
                                             tut_error *err);
typedef struct tut_guard_bodies {
    const tut_guard_here *here;
    const tut_keystore *keys;
} tut_guard_bodies;
/* Once a minute, by a process of its own: the same for the policy that is in force, and erases the
 * days whose time is over, each with an event before. ctx: tut_guard_bodies. */
TUT_MUST tut_status tut_guard_bodies_tend(void *ctx, tut_error *err);

#endif
