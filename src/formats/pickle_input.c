#include "formats/pickle_input.h"

#include "base/limits.h"

static const uint8_t nothing[1]; /* an empty window still points somewhere */

tut_pinput tut_pinput_of(tut_stream *stream, uint64_t size)
{
    return (tut_pinput){
        .stream = stream, .at = nothing, .base = tut_stream_pos(stream), .size = size};
}

tut_pinput tut_pinput_memory(tut_span bytes, uint64_t base, uint64_t size)
{
    return (tut_pinput){
        .at = bytes.len ? bytes.data : nothing, .len = bytes.len, .base = base, .size = size};
}

void tut_pinput_sync(tut_pinput *in)
{
    if (!in->stream)
        return;
    if (in->used)
        TUT_IGNORE(tut_stream_skip(in->stream, in->used));
    in->base = tut_stream_pos(in->stream);
    in->at = nothing;
    in->len = in->used = 0;
}

bool tut_pinput_more(tut_pinput *in, size_t want)
{
    if (!in->stream)
        return in->len - in->used >= want;
    tut_pinput_sync(in);
    tut_span window = {0};
    TUT_IGNORE(tut_stream_peek_some(in->stream, TUT_LIMIT_PEEK_BYTES, &window));
    in->at = window.len ? window.data : nothing;
    in->len = window.len;
    return in->len >= want;
}

tut_span tut_pinput_peek_some(tut_pinput *in, size_t n)
{
    if (in->len - in->used < n)
        tut_pinput_more(in, n);
    size_t left = in->len - in->used;
    return tut_span_of(in->at + in->used, left < n ? left : n);
}

bool tut_pinput_skip(tut_pinput *in, uint64_t n)
{
    if (n <= in->len - in->used) {
        in->used += (size_t)n;
        return true;
    }
    n -= in->len - in->used;
    in->used = in->len;
    if (!in->stream)
        return false;
    tut_pinput_sync(in);
    bool is_there = tut_is_ok(tut_stream_skip(in->stream, n));
    in->base = tut_stream_pos(in->stream);
    return is_there;
}

bool tut_pinput_uint(tut_pinput *in, unsigned width, uint64_t *ret)
{
    const uint8_t *bytes = tut_pinput_peek(in, width);
    if (!bytes)
        return false;
    uint64_t n = 0;
    for (unsigned i = width; i > 0; i--)
        n = (n << 8) | bytes[i - 1];
    in->used += width;
    *ret = n;
    return true;
}

uint64_t tut_pinput_left(const tut_pinput *in)
{
    if (in->size == UINT64_MAX)
        return UINT64_MAX;
    uint64_t pos = tut_pinput_pos(in);
    return pos < in->size ? in->size - pos : 0;
}

/* A line longer than a window: its beginning goes to `keep`, the rest is skipped. */
static bool long_line(tut_pinput *in, uint8_t *keep, size_t cap, tut_pline *ret)
{
    size_t kept = 0;
    uint64_t total = 0;
    for (;;) {
        if (in->used == in->len && !tut_pinput_more(in, 1))
            return false;
        const uint8_t *from = in->at + in->used;
        size_t there = in->len - in->used;
        const uint8_t *end = memchr(from, '\n', there);
        size_t n = end ? (size_t)(end - from) : there;
        size_t copy = n < cap - kept ? n : cap - kept;
        memcpy(keep + kept, from, copy);
        kept += copy;
        total += n;
        in->used += n + (end ? 1 : 0);
        if (end)
            break;
    }
    *ret = (tut_pline){.text = {(const char *)keep, kept}, .len = total, .is_cut = total > kept};
    return true;
}

bool tut_pinput_line(tut_pinput *in, uint8_t *keep, size_t cap, tut_pline *ret)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        const uint8_t *from = in->at + in->used;
        const uint8_t *end = memchr(from, '\n', in->len - in->used);
        if (end) {
            size_t n = (size_t)(end - from);
            *ret = (tut_pline){.text = {(const char *)from, n}, .len = n};
            in->used += n + 1;
            return true;
        }
        if (attempt == 0 && !tut_pinput_more(in, 1))
            return false;
    }
    return long_line(in, keep, cap, ret);
}
