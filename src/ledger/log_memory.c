/* What came after the base: hashes by tile level, and entries as bundles want them. */
#include "ledger/log_internal.h"

uint64_t tut_log_base(const tut_log *log)
{
    return log->base.size;
}

void tut_log_memory_start(tut_log *log, const tut_merkle_range *base)
{
    log->base = *base;
    log->range = *base;
    log->recent.len = 0;
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        uint64_t at = base->size >> 8 * level;
        log->levels[level].start = at & ~(uint64_t)(TUT_LOG_TILE_WIDTH - 1);
        log->levels[level].count = (size_t)(at - log->levels[level].start);
    }
    log->has_edge = base->size == 0;
}

void tut_log_memory_done(tut_log *log)
{
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        tut_free(log->levels[level].hashes);
        tut_free(log->slots[level]);
    }
    tut_free(log->recent_at);
    tut_buf_done(&log->edge);
    tut_buf_done(&log->recent);
    tut_buf_done(&log->bundle.bytes);
}

/* A little ahead, so that single entries do not come here each time. */
static tut_status reserve(void *items_ptr, size_t want, size_t *cap, size_t item_size,
                          tut_error *err)
{
    void **items = items_ptr;
    size_t grown = want < SIZE_MAX / 2 ? want + want / 2 : want;
    if (want <= *cap)
        return TUT_SUCCESS;
    void *bigger = tut_realloc_array(*items, grown, item_size);
    if (!bigger)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *items = bigger;
    *cap = grown;
    return TUT_SUCCESS;
}

tut_status tut_log_memory_reserve(tut_log *log, size_t count, tut_error *err)
{
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        tut_log_level *l = &log->levels[level];
        size_t more = level < 4 ? (count >> 8 * level) + 1 : 1;
        TUT_TRY(reserve(&l->hashes, l->count + more + TUT_LOG_TILE_WIDTH, &l->cap,
                        sizeof(*l->hashes), err));
    }
    size_t recent = (size_t)(log->range.size - log->base.size);
    return reserve(&log->recent_at, recent + count + 1, &log->recent_cap, sizeof(*log->recent_at),
                   err);
}

void tut_log_memory_add_leaf(tut_log *log, const tut_sha256 *leaf)
{
    tut_merkle_range_add(&log->range, leaf);
    uint64_t size = log->range.size;
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        tut_log_level *l = &log->levels[level];
        if (level && (size & (((uint64_t)1 << 8 * level) - 1)) != 0)
            return;
        l->hashes[l->count++] = log->range.hashes[(size_t)8 * level];
    }
}

tut_status tut_log_memory_add_entries(tut_log *log, tut_span entries, size_t count, tut_error *err)
{
    size_t at = log->recent.len;
    tut_buf_add(&log->recent, entries.data, entries.len);
    if (log->recent.failed != TUT_OK) {
        log->recent.failed = TUT_OK;
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    /* They are the last `count` of the leaves. */
    size_t *places = log->recent_at + (log->range.size - log->base.size - count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *length = log->recent.data + at;
        places[i] = at;
        at += 2 + ((size_t)length[0] << 8 | length[1]);
    }
    places[count] = at;
    return TUT_SUCCESS;
}

void tut_log_memory_cut(tut_log *log, const tut_merkle_range *to)
{
    log->range = *to;
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++)
        log->levels[level].count = (size_t)((to->size >> 8 * level) - log->levels[level].start);
}

tut_span tut_log_memory_entry(const tut_log *log, uint64_t index)
{
    size_t i = (size_t)(index - log->base.size);
    const size_t *at = log->recent_at + i;
    return tut_span_of(log->recent.data + at[0] + 2, at[1] - at[0] - 2);
}

void tut_log_memory_range(const tut_log *log, uint64_t size, tut_merkle_range *ret)
{
    const tut_log_level *leaves = &log->levels[0];
    tut_merkle_range range = log->base;
    for (uint64_t i = range.size; i < size; i++)
        tut_merkle_range_add(&range, &leaves->hashes[i - leaves->start]);
    *ret = range;
}

/* The entries of the bundle that is not full yet. */
static tut_status rebase_edge(tut_log *log, tut_error *err)
{
    uint64_t size = log->range.size;
    uint64_t start = size & ~(uint64_t)(TUT_LOG_TILE_WIDTH - 1);
    size_t from = 0;
    if (start >= log->base.size) {
        log->edge.len = 0;
        from = size > log->base.size ? log->recent_at[start - log->base.size] : log->recent.len;
    }
    tut_buf_add(&log->edge, log->recent.data + from, log->recent.len - from);
    return tut_buf_check(&log->edge, err);
}

tut_status tut_log_memory_rebase(tut_log *log, tut_error *err)
{
    TUT_TRY(rebase_edge(log, err));
    for (unsigned level = 0; level < TUT_TILE_LEVELS; level++) {
        tut_log_level *l = &log->levels[level];
        uint64_t start = (log->range.size >> 8 * level) & ~(uint64_t)(TUT_LOG_TILE_WIDTH - 1);
        size_t gone = (size_t)(start - l->start);
        if (gone)
            memmove(l->hashes, l->hashes + gone, (l->count - gone) * sizeof(*l->hashes));
        l->start = start;
        l->count -= gone;
    }
    log->recent.len = 0;
    log->base = log->range;
    return TUT_SUCCESS;
}
