#include "cmd/ledger_evidence.h"

#include "base/fs.h"

void tut_ledger_evidence_done(tut_ledger_evidence *e)
{
    tut_ledger_close(e->ledger);
    tut_free(e->dir);
    *e = (tut_ledger_evidence){0};
}

static tut_status open_in(const char *state, tut_ledger_evidence *e, tut_error *err)
{
    e->dir = tut_asprintf("%s/ledger/evidence", state);
    if (!e->dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_ledger_open(state, false, &e->ledger, err));
    TUT_TRY(tut_ledger_log(e->ledger, &e->log, err));
    if (!e->log || tut_log_size(e->log) == 0) {
        tut_error_set_path(err, state);
        return tut_fail(err, TUT_USAGE,
                        "nothing is recorded there yet, so that there is nothing to vouch for; "
                        "tutela assess begins");
    }
    return TUT_SUCCESS;
}

tut_status tut_ledger_evidence_open(const tut_args *args, tut_ledger_evidence *ret_evidence,
                                    tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    tut_ledger_evidence e = {0};
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and outside a described system there is no "
                        "ledger; tutela init writes one");
    }
    tut_status s = open_in(state, &e, err);
    if (!tut_is_ok(s)) {
        tut_ledger_evidence_done(&e);
        return s;
    }
    *ret_evidence = e;
    return TUT_SUCCESS;
}

tut_status tut_ledger_read_file(const char *path, size_t max_bytes, tut_buf *out, tut_error *err)
{
    tut_status s = tut_fs_read(path, max_bytes, out, err);
    if (!tut_is_ok(s))
        tut_error_set_path(err, path);
    return s;
}
