#include "ledger/log_given.h"

#include "ledger/log_internal.h"

enum { AT_ONCE = 4096 }; /* entries between two growths */

static tut_status add_some(tut_log *log, tut_reader *r, size_t count, tut_error *err)
{
    tut_span all = tut_span_of(r->data + r->pos, tut_reader_left(r));
    size_t from = r->pos;
    TUT_TRY(tut_log_memory_reserve(log, count, err));
    for (size_t i = 0; i < count; i++) {
        uint16_t len = 0;
        tut_span entry;
        tut_sha256 leaf;
        if (!tut_is_ok(tut_reader_u16be(r, &len)) || !tut_is_ok(tut_reader_bytes(r, len, &entry)))
            return tut_fail(err, TUT_MALFORMED, "the entries end within number %llu",
                            (unsigned long long)log->range.size);
        tut_merkle_leaf(entry, &leaf);
        tut_log_memory_add_leaf(log, &leaf);
    }
    all.len = r->pos - from;
    return tut_log_memory_add_entries(log, all, count, err);
}

static tut_status fill(tut_log *log, tut_span bundles, uint64_t count, tut_error *err)
{
    tut_reader r = tut_reader_of(bundles);
    tut_merkle_range none = {0};
    tut_log_memory_start(log, &none);
    while (count > 0) {
        size_t some = count < AT_ONCE ? (size_t)count : AT_ONCE;
        TUT_TRY(add_some(log, &r, some, err));
        count -= some;
    }
    return tut_reader_left(&r) == 0
               ? TUT_SUCCESS
               : tut_fail(err, TUT_MALFORMED, "bytes follow the last of the entries");
}

tut_status tut_log_given(const char *origin, tut_span bundles, uint64_t count, tut_str checkpoint,
                         tut_log **ret_log, tut_error *err)
{
    TUT_TRY(tut_merkle_start(err));
    TUT_AUTO(tut_log) log = tut_alloc_array(1, sizeof(*log));
    if (!log)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    log->dirfd = log->lock_fd = log->journal_fd = -1;
    log->anchor = TUT_ANCHOR_NONE;
    log->dir = tut_strdup("");
    log->origin = tut_strdup(origin);
    tut_buf_add_str(&log->note, checkpoint);
    if (!log->dir || !log->origin)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_buf_check(&log->note, err));
    TUT_TRY(fill(log, bundles, count, err));
    *ret_log = tut_move(&log);
    return TUT_SUCCESS;
}

tut_status tut_log_given_cut(const tut_log *log, uint64_t size, tut_log **ret_log, tut_error *err)
{
    if (size > log->range.size)
        return tut_fail(err, TUT_USAGE, "a log of %llu entries has no first %llu",
                        (unsigned long long)log->range.size, (unsigned long long)size);
    size_t end = size < log->range.size ? log->recent_at[size] : log->recent.len;
    return tut_log_given(log->origin, tut_span_of(log->recent.data, end), size, TUT_LIT(""),
                         ret_log, err);
}

tut_span tut_log_given_tile(const tut_log *log, int level, uint64_t n, unsigned width)
{
    uint64_t first = n << 8;
    if (level >= 0)
        return tut_span_of(log->levels[level].hashes + first, (size_t)width * TUT_SHA256_BYTES);
    uint64_t end = first + width;
    size_t from = log->recent_at[first];
    size_t to = end < log->range.size ? log->recent_at[end] : log->recent.len;
    return tut_span_of(log->recent.data + from, to - from);
}
