/* How a planted text is written. Its code, numbers and links stay as they are where letters are
 * exchanged one by one: they are what it is told by, and an attacker would not spoil them. */
#include "crypto/base64.h"
#include "probe/injection_internal.h"

/* Letters that look like Latin ones, of Cyrillic (Unicode's confusables.txt). */
static const struct {
    char letter, digit;
    const char *twin;
} twins[] = {{'a', '4', "а"},  {'c', 0, "с"},   {'e', '3', "е"}, {'i', '1', "і"},
             {'j', 0, "ј"},    {'o', '0', "о"}, {'p', 0, "р"},   {'s', '5', "ѕ"},
             {'t', '7', NULL}, {'x', 0, "х"},   {'y', 0, "у"}};

static bool is_kept(tut_str word)
{
    size_t at;
    for (size_t i = 0; i < word.len; i++)
        if ((word.data[i] >= '0' && word.data[i] <= '9') || word.data[i] == '_')
            return true;
    return tut_str_find(word, TUT_LIT("://"), &at);
}

static void exchange(char c, bool is_leet, tut_buf *out)
{
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        if (twins[i].letter != c)
            continue;
        if (is_leet && twins[i].digit)
            c = twins[i].digit;
        else if (!is_leet && twins[i].twin) {
            tut_buf_add_z(out, twins[i].twin);
            return;
        }
        break;
    }
    tut_buf_add_byte(out, (uint8_t)c);
}

static void exchange_all(tut_str text, bool is_leet, tut_buf *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && text.data[end] != ' ' && text.data[end] != '\n')
            end++;
        tut_str word = {text.data + at, end - at};
        for (size_t i = 0; i < word.len && !is_kept(word); i++)
            exchange(word.data[i], is_leet, out);
        if (is_kept(word))
            tut_buf_add_str(out, word);
        if (end < text.len)
            tut_buf_add_byte(out, (uint8_t)text.data[end]);
        at = end + 1;
    }
}

static void by_character(tut_injection_way way, tut_str text, tut_buf *out)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t c = 0;
        char as[4];
        size_t len = tut_utf8_len((tut_str){text.data + at, text.len - at}, &c);
        len = len ? len : 1;
        if (way == TUT_WAY_ENTITIES)
            tut_buf_printf(out, "&#%u;", (unsigned)c);
        else if (way == TUT_WAY_TAGS && c >= 0x20 && c < 0x7f)
            tut_buf_add(out, as, tut_utf8_put(0xe0000 + c, as));
        else
            tut_buf_add(out, text.data + at, len);
        if (way == TUT_WAY_ZERO_WIDTH)
            tut_buf_add_z(out, "\xe2\x80\x8b");
        at += len;
    }
}

static void by_line(tut_str text, tut_buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        tut_buf_add_byte(out, text.data[i] == ' ' ? '\n' : (uint8_t)text.data[i]);
}

void tut_injection_encode(tut_injection_way way, tut_str text, tut_buf *out)
{
    switch (way) {
    case TUT_WAY_PLAIN:
        tut_buf_add_str(out, text);
        return;
    case TUT_WAY_BASE64:
        tut_base64_add(out, tut_span_of(text.data, text.len));
        return;
    case TUT_WAY_HEX:
        tut_buf_add_hex(out, text.data, text.len);
        return;
    case TUT_WAY_HOMOGLYPH:
    case TUT_WAY_LEET:
        exchange_all(text, way == TUT_WAY_LEET, out);
        return;
    case TUT_WAY_LINES:
        by_line(text, out);
        return;
    case TUT_WAY_ZERO_WIDTH:
    case TUT_WAY_TAGS:
    case TUT_WAY_ENTITIES:
        by_character(way, text, out);
        return;
    }
}
