/* A buffer of two windows: bytes [at, end) are ahead of the position; a refill moves them to the
 * front. */
#include <string.h>

#include "base/limits.h"
#include "base/source.h"

enum { BUFFER_BYTES = 2 * TUT_LIMIT_PEEK_BYTES };

struct tut_stream {
    tut_source source;
    tut_pull pull;
    bool has_source;
    bool is_over;    /* nothing behind the buffered bytes */
    tut_code failed; /* why it is over, when not by a plain end */
    char failed_text[TUT_ERROR_TEXT_MAX];
    uint64_t pos; /* of buffer[at] */
    size_t at, end;
    uint8_t *line; /* see cut_line */
    uint8_t buffer[BUFFER_BYTES];
};

static tut_status open_stream(tut_stream **ret_stream)
{
    tut_stream *s = tut_realloc_array(NULL, 1, sizeof(*s)); /* the buffer need not be zeroed */
    if (!s)
        return (tut_status){TUT_NOMEM};
    memset(s, 0, offsetof(tut_stream, buffer));
    *ret_stream = s;
    return TUT_SUCCESS;
}

tut_status tut_stream_open_source(const tut_source *source, tut_stream **ret_stream)
{
    tut_stream *s;
    TUT_TRY(open_stream(&s));
    s->source = *source;
    s->has_source = true;
    *ret_stream = s;
    return TUT_SUCCESS;
}

tut_status tut_stream_open_pull(tut_pull pull, tut_stream **ret_stream)
{
    tut_stream *s;
    tut_status status = open_stream(&s);
    if (!tut_is_ok(status)) {
        if (pull.free)
            pull.free(pull.ctx);
        return status;
    }
    s->pull = pull;
    *ret_stream = s;
    return TUT_SUCCESS;
}

void tut_stream_free(tut_stream *s)
{
    if (!s)
        return;
    if (!s->has_source && s->pull.free)
        s->pull.free(s->pull.ctx);
    tut_free(s->line);
    tut_free(s);
}

uint64_t tut_stream_pos(const tut_stream *s)
{
    return s->pos;
}

const tut_source *tut_stream_source(const tut_stream *s)
{
    return s->has_source ? &s->source : NULL;
}

static void fail(tut_stream *s, const tut_error *err, tut_status status)
{
    s->is_over = true;
    s->failed = status.code;
    tut_str_copy(s->failed_text, sizeof(s->failed_text), tut_str_of(err->text));
}

/* One read behind the buffered bytes. */
static void read_more(tut_stream *s)
{
    tut_error err = {0};
    size_t room = BUFFER_BYTES - s->end;
    size_t got = 0;
    tut_status status;
    if (s->has_source) {
        uint64_t offset = s->pos + (s->end - s->at);
        if (room > TUT_LIMIT_WINDOW_BYTES)
            room = TUT_LIMIT_WINDOW_BYTES;
        status = tut_source_read_some(&s->source, offset, s->buffer + s->end, room, &got, &err);
        if (tut_is_ok(status) && got < room && offset + got < s->source.size)
            status = tut_fail(&err, TUT_TRUNCATED, "the file became shorter while it was read");
    } else {
        status = s->pull.read(s->pull.ctx, s->buffer + s->end, room, &got, &err);
    }
    s->end += got;
    if (!tut_is_ok(status))
        fail(s, &err, status);
    else if (got == 0)
        s->is_over = true;
}

/* At least n bytes buffered, as far as there are that many. */
static void fill(tut_stream *s, size_t n)
{
    if (s->end - s->at >= n)
        return;
    if (s->at > 0 && n > BUFFER_BYTES - s->at) {
        memmove(s->buffer, s->buffer + s->at, s->end - s->at);
        s->end -= s->at;
        s->at = 0;
    } else if (s->at == s->end) {
        s->at = s->end = 0;
    }
    while (s->end - s->at < n && !s->is_over)
        read_more(s);
}

bool tut_stream_at_end(tut_stream *s)
{
    fill(s, 1);
    return s->at == s->end;
}

tut_status tut_stream_peek_some(tut_stream *s, size_t n, tut_span *ret_bytes)
{
    if (n > TUT_LIMIT_PEEK_BYTES)
        return (tut_status){TUT_BUG};
    fill(s, n);
    size_t have = s->end - s->at;
    *ret_bytes = (tut_span){s->buffer + s->at, have < n ? have : n};
    return TUT_SUCCESS;
}

tut_status tut_stream_peek(tut_stream *s, size_t n, const uint8_t **ret_bytes)
{
    tut_span bytes;
    TUT_TRY(tut_stream_peek_some(s, n, &bytes));
    if (bytes.len < n)
        return (tut_status){TUT_TRUNCATED};
    *ret_bytes = bytes.data;
    return TUT_SUCCESS;
}

tut_status tut_stream_take(tut_stream *s, size_t n, const uint8_t **ret_bytes)
{
    TUT_TRY(tut_stream_peek(s, n, ret_bytes));
    s->at += n;
    s->pos += n;
    return TUT_SUCCESS;
}

tut_status tut_stream_u8(tut_stream *s, uint8_t *ret)
{
    if (s->at == s->end) {
        fill(s, 1);
        if (s->at == s->end)
            return (tut_status){TUT_TRUNCATED};
    }
    *ret = s->buffer[s->at++];
    s->pos++;
    return TUT_SUCCESS;
}

tut_status tut_stream_seek(tut_stream *s, uint64_t pos)
{
    if (!s->has_source)
        return (tut_status){TUT_UNSUPPORTED};
    if (pos > s->source.size)
        return (tut_status){TUT_TRUNCATED};
    s->at = s->end = 0;
    s->pos = pos;
    s->is_over = false;
    s->failed = TUT_OK;
    return TUT_SUCCESS;
}

tut_status tut_stream_skip(tut_stream *s, uint64_t n)
{
    size_t buffered = s->end - s->at;
    if (n <= buffered) {
        s->at += (size_t)n;
        s->pos += n;
        return TUT_SUCCESS;
    }
    if (s->has_source && s->failed == TUT_OK) {
        uint64_t left = s->source.size - s->pos;
        TUT_TRY(tut_stream_seek(s, n <= left ? s->pos + n : s->source.size));
        return (tut_status){n <= left ? TUT_OK : TUT_TRUNCATED};
    }
    while (n > 0) {
        fill(s, 1);
        size_t have = s->end - s->at;
        if (have == 0)
            return (tut_status){TUT_TRUNCATED};
        size_t step = n < have ? (size_t)n : have;
        s->at += step;
        s->pos += step;
        n -= step;
    }
    return TUT_SUCCESS;
}

/* Where the line ends among the next cap bytes: its length with the newline, or 0. Looks in growing
 * steps, so that a short line does not wait for a whole window. */
static size_t find_newline(tut_stream *s, size_t cap)
{
    size_t looked = 0;
    while (looked < cap) {
        size_t want = looked + 256 < cap ? looked + 256 : cap;
        fill(s, want);
        size_t have = s->end - s->at < want ? s->end - s->at : want;
        const uint8_t *hit = have > looked ? memchr(s->buffer + s->at + looked, '\n', have - looked)
                                           : NULL;
        if (hit)
            return (size_t)(hit - (s->buffer + s->at)) + 1;
        if (have < want)
            return 0;
        looked = have;
    }
    return 0;
}

/* The first cap bytes of a longer line, kept beside the buffer while the rest is passed over. */
static tut_status cut_line(tut_stream *s, size_t cap, tut_span *ret_line)
{
    if (!s->line)
        s->line = tut_realloc_array(NULL, TUT_LIMIT_PEEK_BYTES, 1);
    if (!s->line)
        return (tut_status){TUT_NOMEM};
    memcpy(s->line, s->buffer + s->at, cap);
    s->at += cap;
    s->pos += cap;
    while (true) {
        fill(s, 1);
        size_t have = s->end - s->at;
        if (have == 0)
            return (tut_status){TUT_TRUNCATED};
        const uint8_t *hit = memchr(s->buffer + s->at, '\n', have);
        size_t step = hit ? (size_t)(hit - (s->buffer + s->at)) + 1 : have;
        s->at += step;
        s->pos += step;
        if (hit)
            break;
    }
    *ret_line = (tut_span){s->line, cap};
    return TUT_SUCCESS;
}

tut_status tut_stream_line(tut_stream *s, size_t cap, tut_span *ret_line, bool *ret_is_cut)
{
    if (cap > TUT_LIMIT_PEEK_BYTES)
        return (tut_status){TUT_BUG};
    size_t len = find_newline(s, cap);
    *ret_is_cut = len == 0;
    if (len == 0 && s->end - s->at < cap)
        return (tut_status){TUT_TRUNCATED};
    if (len == 0)
        return cut_line(s, cap, ret_line);
    ret_line->len = len;
    return tut_stream_take(s, len, &ret_line->data);
}

tut_code tut_stream_failure(const tut_stream *s, const char **ret_text)
{
    if (ret_text)
        *ret_text = s->failed == TUT_OK ? "" : s->failed_text;
    return s->failed;
}
