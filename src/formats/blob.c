#include "formats/blob.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "formats/payload.h"

enum { LOOK_BYTES = 4096, LEAST_BYTES = 4 };

static tut_status skip(tut_exam *x, uint64_t n, tut_error *err)
{
    if (tut_is_ok(tut_stream_skip(x->stream, n)))
        return TUT_SUCCESS;
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(x->stream),
                       "the data ends inside a value");
}

/* Out of a decoder there is nothing to slice: the bytes are held in memory. */
static tut_status hold(tut_exam *x, uint64_t size, tut_buf *held, tut_error *err)
{
    while (held->len < size) {
        tut_span some = {0};
        uint64_t left = size - held->len;
        size_t want = left < TUT_LIMIT_PEEK_BYTES ? (size_t)left : TUT_LIMIT_PEEK_BYTES;
        if (!tut_is_ok(tut_stream_peek_some(x->stream, want, &some)) || some.len == 0)
            return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(x->stream),
                               "the data ends inside a value");
        tut_buf_add(held, some.data, some.len);
        TUT_TRY(tut_buf_check(held, err));
        TUT_TRY(tut_stream_skip(x->stream, some.len));
    }
    return TUT_SUCCESS;
}

static tut_status hand_on_held(tut_exam *x, tut_str name, uint64_t size, tut_error *err)
{
    TUT_CLEAN(tut_buf) held;
    tut_buf_init(&held, TUT_LIMIT_MEMBER_BYTES);
    if (size > TUT_LIMIT_MEMBER_BYTES || !tut_is_ok(tut_budget_heap(x->budget, size, NULL)))
        return tut_fail(err, TUT_LIMIT,
                        "a value that is a file of its own is too large for memory");
    tut_status status = hold(x, size, &held, err);
    if (tut_is_ok(status)) {
        tut_source source = tut_source_memory(tut_buf_span(&held));
        status = x->ops->member(x->ctx, name, &source, NULL, size, err);
    }
    tut_budget_heap_return(x->budget, size);
    return status;
}

static bool is_artefact(tut_span head, uint64_t size)
{
    tut_match match = TUT_MATCH_NONE;
    const tut_sniff s = {.head = head, .size = size};
    const tut_format *f = tut_format_detect(&s, &match);
    return f && match >= TUT_MATCH_STRONG;
}

tut_status tut_blob_look(tut_exam *x, uint64_t size, const char *what, tut_error *err)
{
    uint64_t begin = tut_stream_pos(x->stream);
    tut_span head = {0};
    if (size < LEAST_BYTES)
        return skip(x, size, err);
    TUT_TRY(tut_stream_peek_some(x->stream, size < LOOK_BYTES ? (size_t)size : LOOK_BYTES, &head));
    const char *payload = tut_payload_name(head);
    bool is_handed_on = x->ops->member && head.len >= LEAST_BYTES && is_artefact(head, size);
    if (payload)
        tut_exam_observe(x, "data.hidden-payload", begin, "%s lies in %s", payload, what);
    if (!is_handed_on)
        return skip(x, size, err);
    char name[96];
    int len = snprintf(name, sizeof(name), "%s@%" PRIu64, what, begin);
    tut_str told = {name, len > 0 ? (size_t)len : 0};
    const tut_source *source = tut_stream_source(x->stream);
    tut_source slice;
    if (!source)
        return hand_on_held(x, told, size, err);
    if (tut_is_ok(tut_source_slice(source, begin, size, &slice)))
        TUT_TRY(x->ops->member(x->ctx, told, &slice, NULL, size, err));
    return skip(x, size, err);
}
