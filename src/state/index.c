#include "state/index.h"

#include "base/fs.h"
#include "state/index_internal.h"

tut_status tut_index_open(const char *state_dir, tut_index **ret_index, tut_error *err)
{
    TUT_TRY(tut_sqlite_load(err));
    TUT_AUTO(tut_index) index = tut_alloc_array(1, sizeof(*index));
    TUT_AUTO_FREE char *dir = tut_asprintf("%s%s", state_dir[0] == '/' ? "" : "./", state_dir);
    if (!index || !dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    index->path = tut_fs_join(dir, "state.db");
    if (!index->path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    index->is_unusable = !tut_is_ok(tut_index_db_open(index, false, NULL));
    if (index->is_unusable && !tut_is_ok(tut_index_db_renew(index, false, NULL)))
        TUT_TRY(tut_index_db_open(index, true, err));
    *ret_index = tut_move(&index);
    return TUT_SUCCESS;
}

void tut_index_free(tut_index *index)
{
    if (!index)
        return;
    if (index->db)
        tut_index_rollback(index);
    tut_index_db_close(index);
    tut_buf_done(&index->text);
    tut_free(index->subjects);
    tut_free(index->path);
    tut_free(index);
}

uint64_t tut_index_size(const tut_index *index)
{
    return index->size;
}

bool tut_index_is_in_memory(const tut_index *index)
{
    return index->in_memory;
}

tut_status tut_index_clear(tut_index *index, tut_error *err)
{
    tut_index_rollback(index);
    return tut_index_db_renew(index, index->in_memory, err);
}

static tut_status make_ready(tut_index *index, tut_log *log, tut_error *err)
{
    TUT_TRY(tut_index_catch_up(index, log, err));
    TUT_TRY(tut_index_begin(index, false, err));
    return tut_index_verify(index, tut_log_checkpoint(log), err);
}

/* Anew on disk, and where that fails for the index's own sake, in memory. */
static tut_status make_anew(tut_index *index, tut_log *log, tut_error *err)
{
    for (int in_memory = index->in_memory; in_memory <= 1; in_memory++) {
        tut_error why = {0};
        tut_status status = tut_index_db_renew(index, in_memory, &why);
        if (tut_is_ok(status))
            status = make_ready(index, log, &why);
        if (tut_is_ok(status))
            return status;
        if (!index->is_faulty || status.code == TUT_NOMEM) {
            tut_error_set_path(err, why.path);
            return tut_fail(err, status.code, "%s", why.text);
        }
    }
    return tut_fail(err, TUT_STORE,
                    "the entries of the log do not give the heads that its key signed; tutela "
                    "ledger verify says more");
}

tut_status tut_index_ready(tut_index *index, tut_log *log, char ret_why[TUT_INDEX_WHY_MAX],
                           tut_error *err)
{
    tut_error why = {0};
    tut_status status = make_ready(index, log, &why);
    if (ret_why)
        tut_str_copy(ret_why, TUT_INDEX_WHY_MAX,
                     index->is_unusable ? TUT_LIT("what was there is damaged, or not of this "
                                                  "version")
                                        : TUT_LIT(""));
    index->is_unusable = false;
    if (tut_is_ok(status))
        return status;
    if (!index->is_faulty || status.code == TUT_NOMEM) {
        tut_error_set_path(err, why.path);
        return tut_fail(err, status.code, "%s", why.text);
    }
    if (ret_why)
        tut_str_copy(ret_why, TUT_INDEX_WHY_MAX, tut_str_of(why.text));
    return make_anew(index, log, err);
}
