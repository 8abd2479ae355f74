#include "data/rows_input.h"

#include "base/limits.h"

size_t rows_input_window = ROWS_WINDOW;

/* Of a small file no more than it may take: UTF-16 grows by half. */
static size_t first_capacity(const tut_rows *r)
{
    bool is_small = !r->packed && r->source.size < rows_input_window / 2;
    return is_small ? 2 * ((size_t)r->source.size + ROWS_WINDOW_PAD) : rows_input_window;
}

tut_status rows_input_open(tut_rows *r, rows_input *in, tut_error *err)
{
    *in = (rows_input){.rows = r, .capacity = first_capacity(r), .offset = r->bom_bytes};
    in->data = tut_alloc_array(in->capacity + ROWS_WINDOW_PAD, 1);
    if (!in->data)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->facts.bytes = r->bom_bytes;
    return tut_stream_skip(r->stream, r->bom_bytes);
}

void rows_input_done(rows_input *in)
{
    tut_free(in->data);
    in->data = NULL;
}

/* UTF-16's bytes of what lies between, in UTF-8: two a character, four where UTF-8 takes four. */
static uint64_t width_utf16(const char *at, size_t len)
{
    uint64_t width = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)at[i];
        width += (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 4 : 2;
    }
    return width;
}

uint64_t rows_input_offset(rows_input *in, size_t at)
{
    if (at <= in->marked)
        return in->offset;
    bool is_utf16 = in->rows->encoding == ROWS_UTF16LE || in->rows->encoding == ROWS_UTF16BE;
    size_t len = at - in->marked;
    in->offset += is_utf16 ? width_utf16(in->data + in->marked, len) : len;
    in->marked = at;
    return in->offset;
}

static void to_front(rows_input *in)
{
    size_t gone = in->begin;
    if (gone == 0)
        return;
    (void)rows_input_offset(in, gone);
    memmove(in->data, in->data + gone, in->end - gone);
    in->end -= gone;
    in->begin = 0;
    in->marked -= gone;
    in->checked = in->checked > gone ? in->checked - gone : 0;
    in->suspect = in->suspect > gone ? in->suspect - gone : 0;
}

static bool grow(rows_input *in)
{
    size_t capacity = 2 * in->capacity;
    char *data = tut_realloc_array(in->data, capacity + ROWS_WINDOW_PAD, 1);
    if (!data)
        return false;
    in->data = data;
    in->capacity = capacity;
    return true;
}

/* One portion of the stream; nothing more to read sets is_end. */
static tut_status read_some(rows_input *in)
{
    tut_rows *r = in->rows;
    bool is_utf16 = r->encoding == ROWS_UTF16LE || r->encoding == ROWS_UTF16BE;
    size_t room = in->capacity - in->end;
    size_t want = is_utf16 ? room / 4 * 2 : room; /* half a pair that waited takes three more */
    want = want < TUT_LIMIT_PEEK_BYTES ? want : TUT_LIMIT_PEEK_BYTES;
    tut_span got;
    TUT_TRY(tut_stream_peek_some(r->stream, want, &got));
    in->is_end = got.len < want;
    if (is_utf16) {
        in->end += rows_from_utf16(in, r->encoding == ROWS_UTF16BE, got.data, got.len,
                                   in->data + in->end);
        if (in->is_end && (got.len % 2 || in->has_half))
            rows_defect(r, TUT_ROWS_CUT, UINT64_MAX, r->facts.bytes + got.len,
                        "half a character at the end");
    } else if (got.len) {
        memcpy(in->data + in->end, got.data, got.len);
        in->end += got.len;
    }
    r->facts.bytes += got.len;
    return tut_stream_skip(r->stream, got.len);
}

static bool is_ascii(const char *from, size_t len)
{
    uint64_t all = 0;
    uint64_t lanes[8] = {0};
    size_t i = 0;
    for (; i + 64 <= len; i += 64) {
        uint64_t words[8];
        memcpy(words, from + i, 64);
        for (size_t k = 0; k < 8; k++)
            lanes[k] |= words[k];
    }
    for (size_t k = 0; k < 8; k++)
        all |= lanes[k];
    for (; i < len; i++)
        all |= (uint8_t)from[i];
    return (all & 0x8080808080808080ull) == 0;
}

/* Looks at the bytes that are new, but for a character that is not all there yet. */
static void check(rows_input *in)
{
    size_t end = in->end;
    for (size_t i = 0; !in->is_end && i < 3 && end > in->checked; i++) {
        if (((uint8_t)in->data[end - 1] & 0x80) == 0)
            break;
        end--;
        if (((uint8_t)in->data[end] & 0xc0) == 0xc0)
            break;
    }
    const char *from = in->data + in->checked;
    size_t len = end - in->checked;
    if (len == 0)
        return;
    bool is_plain = is_ascii(from, len);
    /* Of a file in windows-1252 any byte beyond ASCII needs a look. */
    bool is_good = is_plain || (in->rows->encoding != ROWS_1252 && rows_utf8_valid(from, len));
    in->saw_multibyte |= is_good && !is_plain;
    is_good = is_good && !memchr(from, '\0', len);
    if (!is_good)
        in->suspect = in->end;
    in->checked = end;
}

enum { ROOM = 64 }; /* fewer are not worth a move */

bool rows_input_is_full(const rows_input *in, size_t at)
{
    return !in->is_end && at == 0 && in->capacity >= ROWS_WINDOW_MAX &&
           in->capacity - in->end < ROOM;
}

tut_status rows_input_fill(rows_input *in, tut_error *err)
{
    to_front(in);
    bool has_room = in->capacity - in->end >= ROOM;
    if (!has_room && in->capacity < ROWS_WINDOW_MAX && !grow(in))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (!in->is_end && in->capacity - in->end >= ROOM)
        TUT_TRY(read_some(in));
    check(in);
    memset(in->data + in->end, 0, ROWS_WINDOW_PAD);
    return TUT_SUCCESS;
}
