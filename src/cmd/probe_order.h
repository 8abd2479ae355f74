/* What `tutela probe KIND` was told to do: a target of tutela.yaml with the options over it, or one
 * of the options alone. */
#ifndef TUT_CMD_PROBE_ORDER_H
#define TUT_CMD_PROBE_ORDER_H

#include "cmd/command.h"
#include "guard/policy.h"
#include "probe/run.h"

typedef struct tut_probe_here {
    char *dir, *state;  /* of the described system; NULL: there is none */
    tut_system *system; /* likewise */
    tut_probe_policy policy;
    bool has_guard;
    tut_guard_policy guard;
    tut_arena arena; /* paths */
} tut_probe_here;

/* No described system is none, not an error. */
TUT_MUST tut_status tut_probe_here_open(const tut_args *args, tut_probe_here *ret, tut_error *err);
void tut_probe_here_done(tut_probe_here *h);

typedef struct tut_probe_job {
    tut_probe_target target; /* paths that can be opened */
    bool is_declared;
    tut_probe_order order; /* refers to target */
} tut_probe_job;

/* The target that --target names, or the one that probe_choose.h finds. */
TUT_MUST tut_status tut_probe_job_make(const tut_args *args, tut_probe_here *h, tut_probe_kind kind,
                                       tut_probe_job *ret, tut_error *err);
/* The same of one that is known. */
TUT_MUST tut_status tut_probe_job_of(const tut_args *args, tut_probe_here *h, tut_probe_kind kind,
                                     const tut_probe_target *declared, tut_probe_job *ret,
                                     tut_error *err);

extern const tut_option tut_probe_options[];

#endif
