/* One exchange of the traffic log, for the commands that show it. */
#ifndef TUT_CMD_GUARD_FIND_H
#define TUT_CMD_GUARD_FIND_H

#include "cmd/ledger_view.h"

/* Opens the traffic log and finds the exchange that begins with these digits. An event follows its
 * answer by a moment: one that is not there is looked for again, for two seconds. */
TUT_MUST tut_status tut_guard_find_exchange(const tut_args *args, const char *id,
                                            tut_ledger_view *ret_view, uint64_t *ret_index,
                                            tut_error *err);

#endif
