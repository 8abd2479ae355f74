#include <errno.h>
#include <unistd.h>

#include "data/near_internal.h"

/* --- the scratch file --- */
tut_status near_scratch_add(tut_near *n, const void *bytes, size_t len, uint64_t *ret_offset,
                            bool *ret_is_there, tut_error *err)
{
    *ret_is_there = n->scratch >= 0 || n->options.scratch;
    if (!*ret_is_there)
        return TUT_SUCCESS;
    if (n->scratch < 0)
        TUT_TRY(n->options.scratch(n->options.ctx, &n->scratch, err));
    const uint8_t *at = bytes;
    *ret_offset = n->scratch_bytes;
    while (len > 0) {
        ssize_t wrote = pwrite(n->scratch, at, len, (off_t)n->scratch_bytes);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return tut_fail_errno(err, errno, "cannot write to the scratch file");
        at += wrote;
        len -= (size_t)wrote;
        n->scratch_bytes += (uint64_t)wrote;
    }
    return TUT_SUCCESS;
}

tut_status near_scratch_get(const tut_near *n, uint64_t offset, void *to, size_t len,
                            tut_error *err)
{
    uint8_t *at = to;
    while (len > 0) {
        ssize_t got = pread(n->scratch, at, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tut_fail_errno(err, errno, "cannot read the scratch file");
        if (got == 0)
            return tut_fail(err, TUT_IO, "the scratch file has shrunk");
        at += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return TUT_SUCCESS;
}

/* --- the spool --- */
static tut_status spill(tut_near *n, bool *ret_is_full, tut_error *err)
{
    near_spool *s = &n->spool;
    bool is_there;
    uint64_t offset = 0;
    if (!tut_is_ok(
            tut_grow(&s->segments, s->segment_count, &s->segment_capacity, sizeof(*s->segments))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(
        near_scratch_add(n, s->tail, s->tail_count * sizeof(*s->tail), &offset, &is_there, err));
    *ret_is_full = !is_there;
    if (!is_there)
        return TUT_SUCCESS;
    s->segments[s->segment_count++] =
        (near_segment){.first = s->tail_first, .count = s->tail_count, .offset = offset};
    s->tail_first += s->tail_count;
    s->tail_count = 0;
    return TUT_SUCCESS;
}

static tut_status make_room(near_spool *s, size_t count, tut_error *err)
{
    size_t capacity = s->tail_capacity ? s->tail_capacity : 1 << 16;
    while (capacity - s->tail_count < count)
        capacity *= 2;
    if (capacity == s->tail_capacity)
        return TUT_SUCCESS;
    uint32_t *tail = tut_realloc_array(s->tail, capacity, sizeof(*tail));
    if (!tail)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->tail = tail;
    s->tail_capacity = capacity;
    return TUT_SUCCESS;
}

tut_status near_spool_add(tut_near *n, const uint32_t *hashes, size_t count, uint64_t *ret_at,
                          bool *ret_is_full, tut_error *err)
{
    near_spool *s = &n->spool;
    *ret_is_full = false;
    if (s->tail_count > 0 && s->tail_count + count > s->tail_max) {
        TUT_TRY(spill(n, ret_is_full, err));
        if (*ret_is_full)
            return TUT_SUCCESS;
    }
    TUT_TRY(make_room(s, count, err));
    memcpy(s->tail + s->tail_count, hashes, count * sizeof(*hashes));
    *ret_at = s->tail_first + s->tail_count;
    s->tail_count += count;
    return TUT_SUCCESS;
}

tut_status near_spool_get(const tut_near *n, uint64_t at, size_t count, uint32_t *to,
                          tut_error *err)
{
    const near_spool *s = &n->spool;
    if (at >= s->tail_first) {
        memcpy(to, s->tail + (at - s->tail_first), count * sizeof(*to));
        return TUT_SUCCESS;
    }
    size_t low = 0, high = s->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->segments[middle].first <= at)
            low = middle;
        else
            high = middle;
    }
    const near_segment *g = &s->segments[low];
    return near_scratch_get(n, g->offset + (at - g->first) * sizeof(*to), to, count * sizeof(*to),
                            err);
}

void near_spool_done(near_spool *s)
{
    tut_free(s->tail);
    tut_free(s->segments);
}
