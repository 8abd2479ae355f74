/* Server-sent events (WHATWG HTML, 9.2): lines end with CR, LF or both, an empty line ends an
 * event. Comments and unknown fields do not go on: they carry text that nothing would look at. */
#include "guard/answer_internal.h"

static void take_line(tut_sse *s)
{
    tut_str line = tut_buf_str(&s->line), value = {"", 0};
    size_t colon = 0;
    while (colon < line.len && line.data[colon] != ':')
        colon++;
    tut_str field = {line.data, colon};
    if (colon < line.len) {
        size_t from = colon + 1 + (colon + 1 < line.len && line.data[colon + 1] == ' ');
        value = (tut_str){line.data + from, line.len - from};
    }
    if (tut_str_eq_z(field, "data")) {
        if (s->has_data)
            tut_buf_add_byte(&s->data, '\n');
        tut_buf_add_str(&s->data, value);
        s->has_data = true;
    } else if (tut_str_eq_z(field, "event")) {
        tut_buf_clear(&s->event);
        tut_buf_add_str(&s->event, value);
    }
}

static tut_status end_line(tut_guard_answer *a, tut_buf *out, tut_error *err)
{
    tut_sse *s = &a->sse;
    TUT_TRY(tut_buf_check(&s->line, err));
    if (s->line.len > 0) {
        take_line(s);
        tut_buf_clear(&s->line);
        TUT_TRY(tut_buf_check(&s->data, err));
        return tut_buf_check(&s->event, err);
    }
    if (s->has_data)
        TUT_TRY(tut_answer_event(a, tut_buf_str(&s->event), tut_buf_str(&s->data), out, err));
    tut_buf_clear(&s->event);
    tut_buf_clear(&s->data);
    s->has_data = false;
    return TUT_SUCCESS;
}

static bool is_too_long(tut_guard_answer *a, size_t more)
{
    const tut_sse *s = &a->sse;
    if (s->line.len + s->data.len + s->event.len + more <= a->request->limits.event_bytes)
        return false;
    tut_guard_refuse(&a->decision, 502, "format", TUT_LIT("answer"),
                     "an event has more than %u bytes", a->request->limits.event_bytes);
    return true;
}

/* Up to the next end of a line; p.len: there is none. */
static size_t line_end(tut_span p, size_t at)
{
    const uint8_t *feed = memchr(p.data + at, '\n', p.len - at);
    size_t end = feed ? (size_t)(feed - p.data) : p.len;
    const uint8_t *back = memchr(p.data + at, '\r', end - at);
    return back ? (size_t)(back - p.data) : end;
}

tut_status tut_sse_feed(tut_guard_answer *a, tut_span piece, size_t *ret_read, tut_buf *out,
                        tut_error *err)
{
    tut_sse *s = &a->sse;
    size_t at = 0;
    while (at < piece.len && !tut_answer_is_stopped(a) && !a->is_over) {
        bool is_second = s->was_return && piece.data[at] == '\n';
        s->was_return = false;
        if (is_second) {
            at++;
            continue;
        }
        size_t end = line_end(piece, at);
        if (is_too_long(a, end - at))
            break;
        tut_buf_add(&s->line, piece.data + at, end - at);
        if (end < piece.len) {
            s->was_return = piece.data[end] == '\r';
            TUT_TRY(end_line(a, out, err));
            end++;
        }
        at = end;
    }
    *ret_read = at;
    return tut_buf_check(&s->line, err);
}
