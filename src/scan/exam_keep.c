/*
 * What comes out of a decoder, kept while it is examined: parsers jump about in it, the numbers of
 * its tensors are read again, and the rules of users see it whole. Small ones stay in memory, large
 * ones go to a scratch file.
 */
#include <string.h>

#include "base/fs.h"
#include "base/limits.h"
#include "scan/exam_keep.h"

void tut_kept_done(tut_kept *k)
{
    if (k->fd >= 0)
        tut_cage_scratch_done(k->task, k->fd);
    tut_budget_heap_return(k->budget, k->charged);
    tut_buf_done(&k->memory);
    *k = (tut_kept){.fd = -1};
}

/* From now on in a file; without one, all stays in memory as long as it may. */
static void move_to_file(tut_kept *k)
{
    k->is_asked = true;
    if (!tut_is_ok(tut_cage_scratch(k->task, &k->fd, NULL)))
        return;
    if (!tut_is_ok(tut_fs_write_to(k->fd, tut_buf_span(&k->memory), NULL))) {
        tut_cage_scratch_done(k->task, k->fd);
        k->fd = -1;
    }
}

static tut_status add(tut_kept *k, tut_span some, tut_error *err)
{
    if (k->fd < 0 && !k->is_asked && k->size + some.len > TUT_LIMIT_HELD_BYTES)
        move_to_file(k);
    if (k->fd >= 0) {
        TUT_TRY(tut_fs_write_to(k->fd, some, err));
    } else {
        if (k->size + some.len > TUT_LIMIT_MEMBER_BYTES)
            return tut_fail(err, TUT_LIMIT, "too large to be unpacked in memory");
        TUT_TRY(tut_budget_heap(k->budget, some.len, err));
        k->charged += some.len;
        tut_buf_add(&k->memory, some.data, some.len);
        TUT_TRY(tut_buf_check(&k->memory, err));
    }
    k->size += some.len;
    return TUT_SUCCESS;
}

tut_status tut_kept_fill(tut_kept *k, tut_stream *stream, tut_cage_task *task, tut_budget *budget,
                         tut_error *err)
{
    *k = (tut_kept){.fd = -1, .task = task, .budget = budget};
    tut_buf_init(&k->memory, TUT_LIMIT_MEMBER_BYTES);
    for (;;) {
        tut_span some;
        TUT_TRY(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            break; /* why it ended early, whoever opened the stream finds out */
        TUT_TRY(add(k, some, err));
        TUT_TRY(tut_stream_skip(stream, some.len));
    }
    if (k->fd < 0) {
        k->source = tut_source_memory(tut_buf_span(&k->memory));
        return TUT_SUCCESS;
    }
    /* Nobody else writes to it: what was counted is there. */
    k->source = (tut_source){.fd = k->fd, .size = k->size};
    tut_budget_heap_return(budget, k->charged);
    k->charged = 0;
    tut_buf_done(&k->memory);
    return TUT_SUCCESS;
}

/* --- what could not be kept whole --- */

/* What was kept, and after it what the decoder still has. */
typedef struct replay {
    const tut_kept *kept;
    uint64_t given;
    tut_stream *rest;
} replay;

static tut_status replay_read(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    replay *r = ctx;
    tut_span some = {0};
    const char *text = NULL;
    const tut_kept *k = r->kept;
    tut_source held = k->fd >= 0 ? (tut_source){.fd = k->fd, .size = k->size}
                                 : tut_source_memory(tut_buf_span(&k->memory));
    if (r->given < k->size) {
        TUT_TRY(tut_source_read_some(&held, r->given, to, cap, ret_got, err));
        r->given += *ret_got;
        if (*ret_got > 0)
            return TUT_SUCCESS;
    }
    size_t most = cap < TUT_LIMIT_PEEK_BYTES ? cap : TUT_LIMIT_PEEK_BYTES;
    TUT_TRY(tut_stream_peek_some(r->rest, most, &some));
    *ret_got = some.len;
    if (some.len > 0) {
        memcpy(to, some.data, some.len);
        return tut_stream_skip(r->rest, some.len);
    }
    tut_code failure = tut_stream_failure(r->rest, &text);
    return failure == TUT_OK ? TUT_SUCCESS : tut_fail(err, failure, "%s", text ? text : "");
}

static void replay_free(void *ctx)
{
    tut_free(ctx);
}

tut_status tut_kept_replay(const tut_kept *k, tut_stream *rest, tut_stream **ret_again,
                           tut_error *err)
{
    replay *r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *r = (replay){.kept = k, .rest = rest};
    return tut_stream_open_pull((tut_pull){.read = replay_read, .free = replay_free, .ctx = r},
                                ret_again);
}
