/* Answers that call a tool, for the block test. */
#ifndef TUT_GUARD_TRIAL_CALLS_H
#define TUT_GUARD_TRIAL_CALLS_H

#include "base/buf.h"

/* What the arguments hold: an address in two halves, neither of which stands anywhere else. */
#define TUT_TRIAL_HALF_1 "quokka51"
#define TUT_TRIAL_HALF_2 "wombat73.example"

typedef struct tut_trial_shape {
    const char *protocol;
    bool is_stream;
    const char *name, *text;
} tut_trial_shape;

const tut_trial_shape *tut_trial_shapes(size_t *ret_count);
/* is_escaped: the name is spelled in JSON's escapes. */
TUT_MUST tut_status tut_trial_call(const tut_trial_shape *shape, tut_str tool, bool is_escaped,
                                   tut_buf *out, tut_error *err);

#endif
