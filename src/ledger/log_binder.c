/*
 * The structure that is bound into each checkpoint, brought to the present size: from what it saved
 * at the last fold, or at the base, or from all entries. Its line must be the signed one.
 */
#include <inttypes.h>

#include "ledger/log_internal.h"

static tut_status line_of(const tut_buf *note, tut_str *ret, tut_error *err)
{
    tut_checkpoint c = {0};
    if (note->len) {
        tut_note parsed = {0};
        tut_status status = tut_note_parse(tut_buf_str(note), &parsed, err);
        if (tut_is_ok(status))
            status = tut_checkpoint_parse(parsed.text, &c, err);
        tut_note_done(&parsed);
        TUT_TRY(status);
    }
    *ret = c.extension_count ? c.extensions[0] : tut_str_of("");
    return TUT_SUCCESS;
}

/* Entries first..end-1 (at most one tile of them) go to the binder. */
static tut_status extend_some(tut_log *log, uint64_t first, uint64_t end, tut_buf *line,
                              tut_error *err)
{
    tut_span entries[TUT_LOG_TILE_WIDTH];
    size_t at[TUT_LOG_TILE_WIDTH];
    tut_sha256 leaves[TUT_LOG_TILE_WIDTH];
    size_t count = (size_t)(end - first);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        at[i] = bytes.len;
        TUT_TRY(tut_log_entry(log, first + i, &bytes, err));
        entries[i].len = bytes.len - at[i];
        TUT_TRY(tut_log_leaf(log, first + i, &leaves[i], err));
    }
    for (size_t i = 0; i < count; i++)
        entries[i].data = bytes.data + at[i];
    tut_buf_clear(line);
    return log->binder.extend(log->binder.ctx, first, entries, leaves, count, line, err);
}

static tut_status extend_from(tut_log *log, uint64_t first, tut_str want, tut_error *err)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    while (first < log->range.size) {
        uint64_t left = log->range.size - first;
        uint64_t end = first + (left < TUT_LOG_TILE_WIDTH ? left : TUT_LOG_TILE_WIDTH);
        TUT_TRY(extend_some(log, first, end, &line, err));
        first = end;
    }
    if (!tut_str_eq(tut_buf_str(&line), want))
        return tut_fail(err, TUT_STORE,
                        "the checkpoint of %s binds something else than its entries give: it was "
                        "signed by a changed program, or a key was stolen",
                        log->dir);
    return TUT_SUCCESS;
}

/* OK when the binder stands at `size`; STORE when it cannot. */
static tut_status load_at(tut_log *log, uint64_t size, tut_str line)
{
    return log->binder.load(log->binder.ctx, size, line, NULL);
}

tut_status tut_log_bind_open(tut_log *log, const tut_checkpoint *folded, tut_error *err)
{
    tut_str want, base_line;
    if (!log->has_binder)
        return TUT_SUCCESS;
    if (log->range.size == 0) {
        log->binder.reset(log->binder.ctx);
        return TUT_SUCCESS;
    }
    TUT_TRY(line_of(&log->note, &want, err));
    TUT_TRY(line_of(&log->base_note, &base_line, err));
    if (tut_is_ok(load_at(log, log->range.size, want)))
        return TUT_SUCCESS;
    if (folded && folded->extension_count &&
        tut_is_ok(load_at(log, folded->size, folded->extensions[0])))
        return extend_from(log, folded->size, want, err);
    if (log->base.size && tut_is_ok(load_at(log, log->base.size, base_line)))
        return extend_from(log, log->base.size, want, err);
    log->binder.reset(log->binder.ctx);
    return extend_from(log, 0, want, err);
}
