/* tutela ledger reindex: the index made anew from the log alone. */
#include <string.h>

#include "cmd/ledger_view.h"
#include "state/index.h"

static const tut_option options[] = {
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status print(const tut_args *args, const tut_ledger_view *view, const tut_index *index,
                        tut_buf *out, tut_error *err)
{
    unsigned long long size = tut_index_size(index);
    tut_sha256 root;
    if (strcmp(args->format, "json") != 0) {
        tut_buf_printf(out, "%llu %s from the log; the index is what was signed.\n", size,
                       size == 1 ? "entry was indexed" : "entries were indexed");
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_log_root(view->log, &root);
    tut_ledger_head(j, tut_ledger_log_origin(view->ledger), tut_log_size(view->log), &root);
    tut_json_put_u64(j, "indexed", size);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static tut_status reindex(const tut_args *args, tut_ledger_view *view, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(tut_ledger_view_open(args, view, err));
    TUT_TRY(tut_index_open(view->state, &index, err));
    TUT_TRY(tut_index_clear(index, err));
    TUT_TRY(tut_index_ready(index, view->log, NULL, err));
    if (tut_index_is_in_memory(index)) {
        tut_error_set_path(err, view->state);
        return tut_fail(err, TUT_IO, "the index cannot be written here");
    }
    return print(args, view, index, out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(tut_ledger_view_done))) tut_ledger_view view = {.state = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(reindex(args, &view, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_reindex = {
    .name = "ledger reindex",
    .summary = "Make the index anew from the log",
    .help = "The index (state.db) is never trusted: it is compared with what the log's key signed "
            "at every use, and made anew by itself when it does not agree. This does it on demand.",
    .formats = "table json",
    .options = options,
    .run = run,
};
