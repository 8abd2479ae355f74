/* Entries, each proved to be the one that its leaf stands for. */
#include <inttypes.h>

#include "base/cage.h"
#include "ledger/log_internal.h"

static tut_status check_index(const tut_log *log, uint64_t index, tut_error *err)
{
    if (index >= log->range.size)
        return tut_fail(err, TUT_TRUNCATED,
                        "the log has %" PRIu64 " entries; there is none %" PRIu64, log->range.size,
                        index);
    if (index < log->pruned)
        return tut_fail(err, TUT_DENIED, "entry %" PRIu64 " was pruned (all below %" PRIu64 " are)",
                        index, log->pruned);
    return TUT_SUCCESS;
}

/* Among the entries of the base's bundle, which are few. */
static tut_status edge_entry(tut_log *log, uint64_t index, tut_span *ret, tut_error *err)
{
    size_t at[TUT_LOG_TILE_WIDTH + 1];
    unsigned i = (unsigned)(index - log->levels[0].start);
    TUT_TRY(tut_log_load_edge(log, err));
    TUT_TRY(tut_bundle_split(tut_buf_span(&log->edge), i + 1, false, at));
    *ret = tut_span_of(log->edge.data + at[i] + 2, at[i + 1] - at[i] - 2);
    return TUT_SUCCESS;
}

static tut_status find_entry(tut_log *log, uint64_t index, tut_span *ret, tut_error *err)
{
    const tut_bundle *b = NULL;
    TUT_TRY(check_index(log, index, err));
    if (index >= log->base.size) {
        *ret = tut_log_memory_entry(log, index);
        return TUT_SUCCESS;
    }
    if (index >= log->levels[0].start)
        return edge_entry(log, index, ret, err);
    TUT_TRY(tut_log_bundle(log, index >> 8, &b, err));
    const size_t *at = &b->at[index & 255];
    *ret = tut_span_of(b->bytes.data + at[0] + 2, at[1] - at[0] - 2);
    return TUT_SUCCESS;
}

tut_status tut_log_entry(tut_log *log, uint64_t index, tut_buf *out, tut_error *err)
{
    tut_span entry;
    TUT_TRY(find_entry(log, index, &entry, err));
    tut_buf_add(out, entry.data, entry.len);
    return tut_buf_check(out, err);
}

tut_status tut_log_leaf(tut_log *log, uint64_t index, tut_sha256 *ret, tut_error *err)
{
    const tut_sha256 *hashes = NULL;
    TUT_TRY(check_index(log, index, err));
    TUT_TRY(tut_log_hashes(log, 0, index, &hashes, err));
    *ret = *hashes;
    return TUT_SUCCESS;
}

tut_status tut_log_each(tut_log *log, uint64_t first, uint64_t end, tut_log_visit visit, void *ctx,
                        tut_error *err)
{
    for (uint64_t i = first; i < end; i++) {
        tut_span entry;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(find_entry(log, i, &entry, err));
        TUT_TRY(visit(ctx, i, entry, err));
    }
    return TUT_SUCCESS;
}
