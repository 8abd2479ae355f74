/*
 * Text in pieces. A window is what is new with a little of what came before it; what begins in its
 * last bytes waits for the next window, so that everything is seen whole, and told once.
 */
#include "text/scan_internal.h"

tut_status tut_text_begin(tut_text_scanner *s, const tut_text_wish *wish, tut_error *err)
{
    (void)err;
    s->wish = *wish;
    tut_buf_clear(&s->held);
    s->base = s->told_to = s->counted_to = 0;
    s->line = 1;
    s->from = s->count = s->odd_count = 0;
    s->utf16 = 0;
    s->failed = TUT_OK;
    s->is_over = s->is_begun = false;
    return TUT_SUCCESS;
}

/* Looks at what is held, all but its last bytes, and lets go of what is not needed any more. */
static tut_status advance(tut_text_scanner *s, tut_error *err)
{
    size_t to = s->held.len - TUT_TEXT_AFTER;
    s->window = tut_buf_str(&s->held);
    TUT_TRY(tut_text_window(s, to, err));
    size_t keep_from = to - TUT_TEXT_BEFORE;
    size_t kept = s->held.len - keep_from;
    memmove(s->held.data, s->held.data + keep_from, kept);
    s->held.len = kept;
    s->base += keep_from;
    s->from = TUT_TEXT_BEFORE;
    return TUT_SUCCESS;
}

static tut_status take(tut_text_scanner *s, const void *data, size_t len, tut_error *err)
{
    const uint8_t *at = data;
    const size_t full = TUT_TEXT_BEFORE + TUT_TEXT_WINDOW + TUT_TEXT_AFTER;
    while (len > 0 && !s->is_over) {
        size_t room = full - s->held.len;
        size_t n = len < room ? len : room;
        tut_buf_add(&s->held, at, n);
        TUT_TRY(tut_buf_check(&s->held, err));
        at += n;
        len -= n;
        if (s->held.len == full)
            TUT_TRY(advance(s, err));
    }
    return TUT_SUCCESS;
}

/* --- UTF-16 --- */
static void look_at_mark(tut_text_scanner *s, tut_span first)
{
    const uint8_t *c = first.data;
    s->is_begun = true;
    if (s->wish.is_binary || first.len < 4)
        return;
    bool is_little = (c[0] == 0xff && c[1] == 0xfe) || (c[0] && !c[1] && c[2] && !c[3]);
    bool is_big = (c[0] == 0xfe && c[1] == 0xff) || (!c[0] && c[1] && !c[2] && c[3]);
    s->utf16 = is_little ? 1 : is_big ? 2 : 0;
}

/* Unit by unit: surrogates come out as what they are, which no rule asks for. */
static tut_status take_utf16(tut_text_scanner *s, tut_span piece, tut_error *err)
{
    char out[3 * 512];
    size_t n = 0;
    for (size_t i = 0; i < piece.len; i++) {
        s->odd[s->odd_count++] = piece.data[i];
        if (s->odd_count < 2)
            continue;
        s->odd_count = 0;
        uint32_t unit = s->utf16 == 1 ? (uint32_t)(s->odd[0] | s->odd[1] << 8)
                                      : (uint32_t)(s->odd[1] | s->odd[0] << 8);
        n += tut_utf8_put(unit, out + n);
        if (n + 3 > sizeof(out)) {
            TUT_TRY(take(s, out, n, err));
            n = 0;
        }
    }
    return take(s, out, n, err);
}

tut_status tut_text_feed(tut_text_scanner *s, tut_span piece, tut_error *err)
{
    if (piece.len == 0)
        return TUT_SUCCESS;
    if (!s->is_begun)
        look_at_mark(s, piece);
    return s->utf16 ? take_utf16(s, piece, err) : take(s, piece.data, piece.len, err);
}

tut_status tut_text_end(tut_text_scanner *s, tut_error *err)
{
    if (s->held.len == 0 || s->is_over)
        return TUT_SUCCESS;
    s->window = tut_buf_str(&s->held);
    return tut_text_window(s, s->held.len, err);
}

/* The same windows, over text that is there already: nothing is copied. */
static tut_status scan_in_place(tut_text_scanner *s, tut_str text, tut_error *err)
{
    size_t begin = 0;
    while (!s->is_over) {
        size_t full = s->from + TUT_TEXT_WINDOW + TUT_TEXT_AFTER;
        bool is_last = text.len - begin <= full;
        s->window = (tut_str){text.data + begin, is_last ? text.len - begin : full};
        s->base = begin;
        size_t to = is_last ? s->window.len : full - TUT_TEXT_AFTER;
        TUT_TRY(tut_text_window(s, to, err));
        if (is_last)
            break;
        begin += to - TUT_TEXT_BEFORE;
        s->from = TUT_TEXT_BEFORE;
    }
    return TUT_SUCCESS;
}

tut_status tut_text_scan(tut_text_scanner *s, tut_str text, const tut_text_wish *wish,
                         tut_error *err)
{
    TUT_TRY(tut_text_begin(s, wish, err));
    if (text.len == 0)
        return TUT_SUCCESS;
    look_at_mark(s, tut_span_of(text.data, text.len));
    if (!s->utf16)
        return scan_in_place(s, text, err);
    TUT_TRY(tut_text_feed(s, tut_span_of(text.data, text.len), err));
    return tut_text_end(s, err);
}
