#include "detect/hidden_internal.h"

enum {
    ENCODED_LEAST = 20, /* characters of base64 that may say something */
    DECODED_LEAST = 10,
    ESCAPES_LEAST = 6,
    ESCAPES_AROUND = 256 /* what stands beside them is read with them */
};

static const char *const names[TUT_HIDDEN_COUNT] = {
    "as it stands", "base64",         "hexadecimal",          "percent or other escapes",
    "rot13",        "spaced letters", "invisible characters", "words torn apart by markup",
};

const char *tut_hidden_name(tut_hidden_kind kind)
{
    return names[kind];
}

void tut_hidden_done(tut_hidden *h)
{
    for (size_t i = 0; i < TUT_HIDDEN_PIECES; i++)
        tut_buf_done(&h->items[i].text);
    *h = (tut_hidden){0};
}

void tut_hidden_begin(tut_hidden *h)
{
    h->count = 0;
    h->bytes_left = TUT_HIDDEN_BYTES;
    h->is_cut = false;
}

tut_buf *hidden_piece_begin(tut_hidden *h, tut_hidden_kind kind, uint64_t at)
{
    if (h->count == TUT_HIDDEN_PIECES || h->bytes_left == 0) {
        h->is_cut = true;
        return NULL;
    }
    tut_hidden_piece *p = &h->items[h->count];
    tut_buf_clear(&p->text);
    p->text.max = h->bytes_left;
    p->kind = kind;
    p->depth = h->search.depth + 1;
    p->at = h->search.depth ? h->search.from : at;
    return &p->text;
}

/* Letters, spaces and ordinary signs almost only: what chance does not decode to. */
static bool reads_as_text(tut_str s)
{
    size_t good = 0;
    for (size_t i = 0; i < s.len;) {
        uint8_t c = (uint8_t)s.data[i];
        uint32_t wide;
        size_t len = c < 0x80 ? 1 : tut_utf8_len((tut_str){s.data + i, s.len - i}, &wide);
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return false;
        if (len == 0 && s.len - i > 3) /* what is cut at its end may end within a character */
            return false;
        len = len ? len : 1;
        good += (uint8_t)((c | 0x20) - 'a') < 26 || c == ' ' || c >= 0xc2 ? len : 0;
        i += len;
    }
    return s.len >= DECODED_LEAST && good * 10 >= s.len * 8 - 10;
}

void hidden_piece_end(tut_hidden *h, bool is_sure)
{
    tut_buf *text = &h->items[h->count].text;
    if (text->failed == TUT_LIMIT) {
        h->is_cut = true;
        text->failed = TUT_OK;
    }
    if (text->len < DECODED_LEAST || !(is_sure || reads_as_text(tut_buf_str(text))))
        return;
    h->bytes_left -= text->len;
    h->count++;
}

static bool seek_unseen(tut_hidden *h)
{
    const tut_plain *plain = h->search.plain;
    if (plain->unseen.len < DECODED_LEAST)
        return true;
    tut_buf *to = hidden_piece_begin(h, TUT_HIDDEN_UNSEEN, 0);
    if (to) {
        tut_buf_add_str(to, tut_buf_str(&plain->unseen));
        hidden_piece_end(h, true);
    }
    return true;
}

/* --- base64 and hexadecimal --- */
#define TEN(base, value)                                                                           \
    [base] = value, [base + 1] = value + 1, [base + 2] = value + 2, [base + 3] = value + 3,        \
    [base + 4] = value + 4, [base + 5] = value + 5, [base + 6] = value + 6,                        \
    [base + 7] = value + 7, [base + 8] = value + 8, [base + 9] = value + 9
#define LETTERS(base, value)                                                                       \
    TEN(base, value), TEN(base + 10, value + 10),                                                  \
        [base + 20] = value + 20, [base + 21] = value + 21, [base + 22] = value + 22,              \
                [base + 23] = value + 23, [base + 24] = value + 24, [base + 25] = value + 25
static const uint8_t digits64[256] = {/* one more than what it stands for; 0: none */
                                      LETTERS('A', 1), LETTERS('a', 27), TEN('0', 53), ['+'] = 63,
                                      ['-'] = 63,      ['/'] = 64,       ['_'] = 64};

static int base64_value(uint8_t c)
{
    return digits64[c] - 1;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode_hex(tut_hidden *h, size_t begin, size_t end)
{
    tut_str s = h->search.text;
    tut_buf *to = hidden_piece_begin(h, TUT_HIDDEN_HEX, begin);
    for (size_t i = begin; to && to->failed == TUT_OK && i + 1 < end; i += 2)
        tut_buf_add_byte(
            to, (uint8_t)(hex_value((uint8_t)s.data[i]) << 4 | hex_value((uint8_t)s.data[i + 1])));
    if (to)
        hidden_piece_end(h, false);
}

static void decode_base64(tut_hidden *h, size_t begin, size_t end)
{
    tut_str s = h->search.text;
    tut_buf *to = hidden_piece_begin(h, TUT_HIDDEN_BASE64, begin);
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = begin; to && to->failed == TUT_OK && i < end; i++) {
        int v = base64_value((uint8_t)s.data[i]);
        if (v < 0)
            continue; /* a line's end */
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        tut_buf_add_byte(to, (uint8_t)(bits >> have));
    }
    if (to)
        hidden_piece_end(h, false);
}

/* The run may go on in the next line, as mail wraps it: a run is long, and a line's end is one. */
static size_t encoded_end(tut_str s, size_t at, size_t line)
{
    for (;;) {
        while (at < s.len && base64_value((uint8_t)s.data[at]) >= 0)
            at++;
        size_t next = at;
        next += next < s.len && s.data[next] == '\r';
        next += next < s.len && s.data[next] == '\n';
        if (next == at || at - line < 60 || next >= s.len ||
            base64_value((uint8_t)s.data[next]) < 0)
            return at;
        line = next;
        at = next;
    }
}

static void decode_run(tut_hidden *h, size_t begin, size_t end)
{
    bool is_hex = (end - begin) % 2 == 0;
    for (size_t k = begin; k < end && is_hex; k++)
        is_hex = hex_value((uint8_t)h->search.text.data[k]) >= 0;
    if (is_hex)
        decode_hex(h, begin, end);
    else
        decode_base64(h, begin, end);
}

static bool seek_encoded(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search;
    tut_str s = f->text;
    size_t stop = s.len - f->at > max ? f->at + max : s.len;
    /* A run as long as that has one of its characters at every multiple of it. */
    size_t i = f->at + (f->at == 0 ? ENCODED_LEAST - 1 : 0);
    for (; i < stop; i += ENCODED_LEAST) {
        if (base64_value((uint8_t)s.data[i]) < 0)
            continue;
        size_t begin = i;
        while (begin > 0 && base64_value((uint8_t)s.data[begin - 1]) >= 0)
            begin--;
        size_t end = encoded_end(s, i, begin);
        if (end - begin < ENCODED_LEAST)
            continue;
        decode_run(h, begin, end);
        i = end;
    }
    f->at = i;
    return i >= s.len;
}

/* --- escapes: %41 \x41 \u0041 &#65; &#x41; and hexadecimal pairs with spaces --- */
static size_t read_hex(tut_str s, size_t at, size_t digits, uint32_t *ret_c)
{
    if (s.len - at < digits)
        return 0;
    *ret_c = 0;
    for (size_t i = 0; i < digits; i++) {
        int v = hex_value((uint8_t)s.data[at + i]);
        if (v < 0)
            return 0;
        *ret_c = *ret_c << 4 | (uint32_t)v;
    }
    return digits;
}

static size_t read_entity(tut_str s, size_t at, uint32_t *ret_c)
{
    size_t i = at + 2, begin;
    bool is_hex = i < s.len && (s.data[i] | 0x20) == 'x';
    i += is_hex;
    *ret_c = 0;
    for (begin = i; i < s.len && i - begin < 7; i++) {
        int v = hex_value((uint8_t)s.data[i]);
        if (v < 0 || (!is_hex && v > 9))
            break;
        *ret_c = *ret_c * (is_hex ? 16 : 10) + (uint32_t)v;
    }
    if (i == begin)
        return 0;
    return i + (i < s.len && s.data[i] == ';') - at;
}

/* Length of the escape at `at`, 0: none. */
static size_t read_escape(tut_str s, size_t at, uint32_t *ret_c)
{
    char c = s.data[at], next = at + 1 < s.len ? s.data[at + 1] : 0;
    size_t digits = 0;
    if (c == '%')
        return (digits = read_hex(s, at + 1, 2, ret_c)) ? digits + 1 : 0;
    if (c == '\\' && next == 'x')
        return (digits = read_hex(s, at + 2, 2, ret_c)) ? digits + 2 : 0;
    if (c == '\\' && next == 'u')
        return (digits = read_hex(s, at + 2, 4, ret_c)) ? digits + 2 : 0;
    return c == '&' && next == '#' ? read_entity(s, at, ret_c) : 0;
}

/* Where the first and the last are, and how many: one sign that begins them after the other. */
static bool seek_escapes(tut_hidden *h, size_t max)
{
    static const char begins[] = "%\\&";
    tut_hidden_search *f = &h->search;
    tut_str s = f->text;
    size_t stop = s.len - f->at > max ? f->at + max : s.len;
    const char *at = s.data + f->at, *end = s.data + stop;
    while (at < end && (at = memchr(at, begins[f->part], (size_t)(end - at))) != NULL) {
        uint32_t c;
        size_t here = (size_t)(at - s.data), len = read_escape(s, here, &c);
        if (len && c < 0x80) {
            f->first = f->count == 0 || here < f->first ? here : f->first;
            f->last = here + len > f->last ? here + len : f->last;
            f->count++;
        }
        at += len ? len : 1;
    }
    f->at = at && (size_t)(at - s.data) > stop ? (size_t)(at - s.data) : stop;
    if (f->at < s.len)
        return false;
    f->at = 0;
    f->part++;
    return begins[f->part] == '\0';
}

static bool seek_escaped(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search;
    tut_str s = f->text;
    if (!f->open) { /* how many there are is known by now */
        if (f->count < ESCAPES_LEAST)
            return true;
        f->at = f->first > ESCAPES_AROUND ? f->first - ESCAPES_AROUND : 0;
        f->last = s.len - f->last > ESCAPES_AROUND ? f->last + ESCAPES_AROUND : s.len;
        f->open = hidden_piece_begin(h, TUT_HIDDEN_ESCAPED, f->at);
        if (!f->open)
            return true;
    }
    size_t stop = f->last - f->at > max ? f->at + max : f->last;
    while (f->at < stop && f->open->failed == TUT_OK) {
        uint32_t c = 0;
        size_t len = read_escape(s, f->at, &c);
        bool is_plain = len && c < 0x80;
        tut_buf_add_byte(f->open, is_plain ? (uint8_t)c : (uint8_t)s.data[f->at]);
        f->at += is_plain ? len : 1;
    }
    if (f->at < f->last && f->open->failed == TUT_OK)
        return false;
    hidden_piece_end(h, true);
    return true;
}

/* --- all of it --- */
void tut_hidden_seek(tut_hidden *h, const tut_plain *plain, tut_str text, const tut_tokens *tokens,
                     const tut_lexicon *lexicon, unsigned depth, uint64_t from)
{
    bool is_nothing = depth >= TUT_HIDDEN_DEPTH || text.len == 0;
    h->search = (tut_hidden_search){.plain = plain,
                                    .tokens = tokens,
                                    .lexicon = lexicon,
                                    .text = text,
                                    .depth = depth,
                                    .from = from,
                                    .stage = is_nothing ? TUT_SEEK_NOTHING : TUT_SEEK_UNSEEN};
}

static bool seek(tut_hidden *h, size_t max)
{
    switch (h->search.stage) {
    case TUT_SEEK_UNSEEN:
        return seek_unseen(h);
    case TUT_SEEK_ENCODED:
        return seek_encoded(h, max);
    case TUT_SEEK_ESCAPES:
        return seek_escapes(h, max);
    case TUT_SEEK_ESCAPED:
        return seek_escaped(h, max);
    case TUT_SEEK_ROT13:
        return hidden_seek_rot13(h, max);
    case TUT_SEEK_SPACED:
        return hidden_seek_spaced(h, max);
    case TUT_SEEK_TORN:
        return hidden_seek_torn(h, max);
    case TUT_SEEK_MARKUP:
        return hidden_seek_markup(h, max);
    case TUT_SEEK_NOTHING:
        break;
    }
    return true;
}

/* Those that count hand what they counted to the stage behind them. */
static void next_stage(tut_hidden_search *f)
{
    bool is_counted = f->stage == TUT_SEEK_ESCAPES || f->stage == TUT_SEEK_TORN;
    if (!is_counted)
        f->count = f->first = f->last = 0;
    f->at = 0;
    f->part = 0;
    f->open = NULL;
    f->stage++;
}

tut_status tut_hidden_step(tut_hidden *h, size_t max_bytes, bool *ret_is_done, tut_error *err)
{
    tut_hidden_search *f = &h->search;
    size_t had = h->count;
    if (f->stage != TUT_SEEK_NOTHING && seek(h, max_bytes))
        next_stage(f);
    for (size_t i = had; i < h->count; i++)
        TUT_TRY(tut_buf_check(&h->items[i].text, err));
    if (f->open)
        TUT_TRY(tut_buf_check(f->open, err));
    *ret_is_done = f->stage == TUT_SEEK_NOTHING;
    return TUT_SUCCESS;
}
