/* What `guard check` does, for whoever runs it on a schedule. */
#ifndef TUT_CMD_GUARD_CHECK_H
#define TUT_CMD_GUARD_CHECK_H

#include "cmd/command.h"
#include "ledger/record.h"

typedef struct tut_guard_checked {
    tut_result block; /* of guard.block-test */
    uint64_t index;   /* of its evidence; UINT64_MAX: nothing was recorded */
    size_t failed;    /* of all that was tried */
} tut_guard_checked;

/* Tries the guard of the described system, and records what holds. */
TUT_MUST tut_status tut_guard_check_record(const tut_args *args, tut_guard_checked *ret,
                                           tut_error *err);

#endif
