/* What a driver of a target is. */
#ifndef TUT_PROBE_TARGET_INTERNAL_H
#define TUT_PROBE_TARGET_INTERNAL_H

#include "probe/target.h"

typedef struct tut_target_driver {
    const char *kind;
    unsigned gives;   /* at most; what the target really gives is in its facts */
    bool needs_leave; /* it reaches over a network: loopback, declared, or authorised */
    bool (*takes)(const char *place);
    /* Sets t->state and the facts that it knows already. */
    tut_status (*open)(tut_target *t, const tut_target_wish *wish, tut_error *err);
    void (*close)(tut_target *t);
    /* Either may be NULL: USAGE then. Both fill what the caller allocated. */
    tut_status (*predict)(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err);
    tut_status (*ask)(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret_said,
                      tut_error *err);
} tut_target_driver;

struct tut_target {
    const tut_target_driver *driver;
    tut_target_facts facts;
    tut_allowance *allowance;
    void *state; /* the driver's own */
};

#endif
