#include "base/source.h"

#include "base/limits.h"

/* Behind the longest line that may be borrowed there is room to look for the line's end. */
enum { ROOM_BYTES = TUT_LIMIT_PEEK_BYTES + (16 << 10) };

static size_t at_hand(const tut_stream *s)
{
    return (size_t)(s->end - s->next);
}

static void hold(tut_stream *s, const uint8_t *begin, size_t len, uint64_t end_pos)
{
    s->begin = s->next = begin;
    s->end = begin + len;
    s->end_pos = end_pos;
}

tut_status tut_stream_open_source(const tut_source *source, tut_stream **ret_stream)
{
    static const uint8_t nothing[1];
    TUT_AUTO(tut_stream) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return (tut_status){TUT_NOMEM};
    s->source = *source;
    s->limit = source->size;
    if (source->size == 0) {
        hold(s, nothing, 0, 0);
    } else if (source->fd < 0) {
        hold(s, source->data + source->start, (size_t)source->size, source->size);
    } else {
        s->capacity = source->size < ROOM_BYTES ? (size_t)source->size : ROOM_BYTES;
        s->buffer = tut_alloc_array(s->capacity, 1);
        if (!s->buffer)
            return (tut_status){TUT_NOMEM};
        hold(s, s->buffer, 0, 0);
    }
    *ret_stream = tut_move(&s);
    return TUT_SUCCESS;
}

tut_status tut_stream_open_pull(tut_pull pull, tut_stream **ret_stream)
{
    tut_stream *s = tut_alloc_array(1, sizeof(*s));
    uint8_t *buffer = tut_alloc_array(ROOM_BYTES, 1);
    if (!s || !buffer) {
        if (pull.free)
            pull.free(pull.ctx);
        tut_free(s);
        tut_free(buffer);
        return (tut_status){TUT_NOMEM};
    }
    s->pull = pull;
    s->limit = UINT64_MAX;
    s->buffer = buffer;
    s->capacity = ROOM_BYTES;
    hold(s, buffer, 0, 0);
    *ret_stream = s;
    return TUT_SUCCESS;
}

void tut_stream_free(tut_stream *s)
{
    if (!s)
        return;
    if (s->pull.free)
        s->pull.free(s->pull.ctx);
    tut_free(s->buffer);
    tut_free(s);
}

uint64_t tut_stream_pos(const tut_stream *s)
{
    return s->end_pos - at_hand(s);
}

const tut_source *tut_stream_source(const tut_stream *s)
{
    return s->pull.read ? NULL : &s->source;
}

/* Ends the stream here; the first reason stays. */
static void end_here(tut_stream *s, tut_code code, const char *why)
{
    s->limit = s->end_pos;
    if (s->failure != TUT_OK || code == TUT_OK)
        return;
    s->failure = code;
    tut_str_copy(s->why, sizeof(s->why), tut_str_of(why && *why ? why : tut_code_sentence(code)));
}

/* Adds what one read gives behind `end`, at most cap bytes. */
static void fetch(tut_stream *s, size_t cap)
{
    size_t got = 0;
    tut_error err = {0};
    tut_status status;
    uint8_t *to = s->buffer + (s->end - s->buffer);
    if (s->pull.read) {
        status = s->pull.read(s->pull.ctx, to, cap, &got, &err);
    } else {
        if (cap > s->limit - s->end_pos)
            cap = (size_t)(s->limit - s->end_pos);
        status = tut_source_read_some(&s->source, s->end_pos, to, cap, &got, &err);
    }
    if (!tut_is_ok(status)) {
        end_here(s, status.code, err.text);
    } else if (got > cap) {
        end_here(s, TUT_BUG, NULL);
    } else {
        s->end += got;
        s->end_pos += got;
        if (got == 0 && s->pull.read)
            end_here(s, TUT_OK, NULL);
        else if (got < cap && !s->pull.read)
            end_here(s, TUT_TRUNCATED, "the file shrank while it was read");
    }
}

/* Brings n bytes to hand, or all that are left. n <= TUT_LIMIT_PEEK_BYTES */
static void fill(tut_stream *s, size_t n)
{
    if (at_hand(s) >= n || s->end_pos == s->limit)
        return;
    size_t kept = at_hand(s);
    if (kept)
        memmove(s->buffer, s->next, kept);
    hold(s, s->buffer, kept, s->end_pos);
    while (at_hand(s) < n && s->end_pos < s->limit)
        fetch(s, s->capacity - at_hand(s));
}

bool tut_stream_at_end(tut_stream *s)
{
    fill(s, 1);
    return at_hand(s) == 0;
}

tut_status tut_stream_peek(tut_stream *s, size_t n, const uint8_t **ret_bytes)
{
    if (n > TUT_LIMIT_PEEK_BYTES)
        return (tut_status){TUT_LIMIT};
    fill(s, n);
    if (at_hand(s) < n)
        return (tut_status){TUT_TRUNCATED};
    *ret_bytes = s->next;
    return TUT_SUCCESS;
}

tut_status tut_stream_peek_some(tut_stream *s, size_t n, tut_span *ret_bytes)
{
    if (n > TUT_LIMIT_PEEK_BYTES)
        n = TUT_LIMIT_PEEK_BYTES;
    fill(s, n);
    *ret_bytes = (tut_span){s->next, at_hand(s) < n ? at_hand(s) : n};
    return TUT_SUCCESS;
}

tut_status tut_stream_take(tut_stream *s, size_t n, const uint8_t **ret_bytes)
{
    TUT_TRY(tut_stream_peek(s, n, ret_bytes));
    s->next += n;
    return TUT_SUCCESS;
}

tut_status tut_stream_u8_slow(tut_stream *s, uint8_t *ret)
{
    if (tut_stream_at_end(s))
        return (tut_status){TUT_TRUNCATED};
    *ret = *s->next++;
    return TUT_SUCCESS;
}

/* Nothing at hand, the position anywhere up to the limit. */
static void jump(tut_stream *s, uint64_t pos)
{
    hold(s, s->buffer ? s->buffer : s->end, 0, pos);
}

tut_status tut_stream_skip(tut_stream *s, uint64_t n)
{
    if (n <= at_hand(s)) {
        s->next += n;
        return TUT_SUCCESS;
    }
    if (!s->pull.read) {
        n -= at_hand(s);
        s->next = s->end;
        bool is_there = n <= s->limit - s->end_pos;
        if (s->buffer)
            jump(s, is_there ? s->end_pos + n : s->limit);
        return (tut_status){is_there ? TUT_OK : TUT_TRUNCATED};
    }
    while (n > at_hand(s)) {
        n -= at_hand(s);
        s->next = s->end;
        if (tut_stream_at_end(s))
            return (tut_status){TUT_TRUNCATED};
    }
    s->next += n;
    return TUT_SUCCESS;
}

tut_status tut_stream_seek(tut_stream *s, uint64_t pos)
{
    if (s->pull.read)
        return (tut_status){TUT_UNSUPPORTED};
    uint64_t begin_pos = s->end_pos - (uint64_t)(s->end - s->begin);
    if (pos >= begin_pos && pos <= s->end_pos) {
        s->next = s->end - (s->end_pos - pos);
        return TUT_SUCCESS;
    }
    if (pos > s->limit)
        return (tut_status){TUT_TRUNCATED};
    jump(s, pos); /* memory is at hand from its first to its last byte, so this is a file */
    return TUT_SUCCESS;
}

/* The first `head` bytes at the front of the buffer stay borrowed while the end of their line is
 * looked for in the room behind them. Moves behind the newline. */
static tut_status skip_long_line(tut_stream *s, size_t head)
{
    uint8_t *room = s->buffer + head;
    s->begin = s->next = s->end;
    while (s->end_pos < s->limit) {
        hold(s, room, 0, s->end_pos);
        fetch(s, s->capacity - head);
        const uint8_t *newline = memchr(s->next, '\n', at_hand(s));
        if (newline) {
            s->begin = s->next = newline + 1;
            return TUT_SUCCESS;
        }
        s->next = s->end;
    }
    return (tut_status){TUT_TRUNCATED};
}

tut_status tut_stream_line(tut_stream *s, size_t cap, tut_span *ret_line, bool *ret_is_cut)
{
    if (cap > TUT_LIMIT_PEEK_BYTES)
        cap = TUT_LIMIT_PEEK_BYTES;
    size_t seen = 0;
    while (true) {
        const uint8_t *newline = at_hand(s) > seen ? memchr(s->next + seen, '\n', at_hand(s) - seen)
                                                   : NULL;
        if (newline) {
            size_t len = (size_t)(newline + 1 - s->next);
            *ret_line = (tut_span){s->next, len < cap ? len : cap};
            *ret_is_cut = len > cap;
            s->next += len;
            return TUT_SUCCESS;
        }
        seen = at_hand(s);
        if (s->end_pos == s->limit) {
            s->next = s->end;
            return (tut_status){TUT_TRUNCATED};
        }
        if (seen >= cap)
            break;
        fill(s, seen + 1);
    }
    memmove(s->buffer, s->next, seen);
    hold(s, s->buffer, seen, s->end_pos);
    TUT_TRY(skip_long_line(s, cap));
    *ret_line = (tut_span){s->buffer, cap};
    *ret_is_cut = true;
    return TUT_SUCCESS;
}

tut_code tut_stream_failure(const tut_stream *s, const char **ret_text)
{
    if (ret_text)
        *ret_text = s->why;
    return s->failure;
}
