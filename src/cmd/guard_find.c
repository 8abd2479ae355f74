#include "cmd/guard_find.h"

#include <unistd.h>

#include "base/cage.h"
#include "guard/traffic.h"

enum { TRIES = 20, PAUSE_US = 100000 };

static tut_status find(const tut_args *args, const char *id, tut_ledger_view *view,
                       uint64_t *ret_index, tut_error *err)
{
    TUT_TRY(tut_ledger_view_open_traffic(args, view, err));
    return tut_traffic_find(view->log, tut_str_of(id), ret_index, err);
}

tut_status tut_guard_find_exchange(const tut_args *args, const char *id, tut_ledger_view *ret_view,
                                   uint64_t *ret_index, tut_error *err)
{
    tut_ledger_view view = {0};
    tut_status status = find(args, id, &view, ret_index, err);
    bool may_come = status.code == TUT_USAGE && strlen(id) >= TUT_TRAFFIC_DIGITS;
    for (int i = 0; may_come && !tut_is_ok(status) && i < TRIES && !tut_interrupted(); i++) {
        (void)usleep(PAUSE_US);
        tut_ledger_view_done(&view);
        view = (tut_ledger_view){0};
        *err = (tut_error){0};
        status = find(args, id, &view, ret_index, err);
    }
    if (tut_is_ok(status))
        *ret_view = view;
    else
        tut_ledger_view_done(&view);
    return status;
}
