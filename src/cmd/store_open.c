#include "cmd/store_open.h"

#include "base/fs.h"

void tut_opened_store_done(tut_opened_store *s)
{
    tut_known_versions_done(&s->known);
    tut_store_free(s->store);
    tut_ledger_close(s->ledger);
    tut_stored_done(&s->stored);
    *s = (tut_opened_store){0};
}

static tut_status open_all(const tut_args *args, bool for_writing, tut_opened_store *s,
                           tut_error *err)
{
    TUT_TRY(tut_stored_open(args, false, &s->stored, err));
    TUT_AUTO_FREE char *dir = tut_fs_join(s->stored.state, "store");
    if (!dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(dir))
        return tut_fail(err, TUT_USAGE, "there is no version store here; tutela snapshot makes it");
    TUT_TRY(tut_ledger_open(s->stored.state, for_writing, &s->ledger, err));
    TUT_TRY(tut_store_open(s->stored.state, for_writing, &s->store, err));
    return tut_known_versions_read(s->ledger, NULL, &s->known, err);
}

tut_status tut_opened_store_open(const tut_args *args, bool for_writing, tut_opened_store *ret,
                                 tut_error *err)
{
    TUT_CLEAN(tut_opened_store) s = {0};
    TUT_TRY(open_all(args, for_writing, &s, err));
    *ret = s;
    s = (tut_opened_store){0};
    return TUT_SUCCESS;
}
