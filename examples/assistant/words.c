#include "words.h"

#include <math.h>

enum { WORD = 64 }; /* bytes of a word that count */

typedef struct word {
    char text[WORD];
    size_t len;
    bool has_digit;
} word;

typedef struct hashing {
    float *row;
    size_t buckets;
    word before;
} hashing;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

tut_str assistant_chunk(tut_str text, size_t *at)
{
    while (*at < text.len && is_space(text.data[*at]))
        (*at)++;
    size_t from = *at;
    while (*at < text.len && !is_space(text.data[*at]))
        (*at)++;
    return (tut_str){text.data + from, *at - from};
}

static uint32_t fnv(uint32_t value, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        value = (value ^ (uint8_t)data[i]) * 16777619u;
    return value;
}

static void mark(hashing *h, uint32_t hash)
{
    float *bucket = &h->row[hash % ASSISTANT_WIDTH];
    h->buckets += *bucket == 0;
    *bucket = 1;
}

static void put_word(hashing *h, const word *w)
{
    enum { BASIS = 2166136261u };
    char edged[WORD + 2] = "^";
    memcpy(edged + 1, w->text, w->len);
    edged[w->len + 1] = '$';
    mark(h, fnv(fnv(BASIS, "w", 1), w->text, w->len));
    uint32_t pair = fnv(fnv(BASIS, "p", 1), h->before.text, h->before.len);
    mark(h, fnv(fnv(pair, " ", 1), w->text, w->len));
    for (size_t i = 0; i + 3 <= w->len + 2; i++)
        mark(h, fnv(fnv(BASIS, "t", 1), edged + i, 3));
    h->before = *w;
}

static void put_sign(hashing *h, tut_str sign)
{
    word w = {.len = sign.len};
    memcpy(w.text, sign.data, sign.len);
    put_word(h, &w);
}

static void end_word(hashing *h, word *w)
{
    if (w->len && w->has_digit)
        put_sign(h, TUT_LIT("<number>"));
    else if (w->len)
        put_word(h, w);
    *w = (word){.len = 0};
}

/* Small letters of Latin-1; another letter stays as it is. */
static uint32_t lower(uint32_t c)
{
    bool is_capital = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
    return is_capital ? c + 32 : c;
}

static void put_parts(hashing *h, tut_str chunk)
{
    word w = {.len = 0};
    for (size_t at = 0; at < chunk.len;) {
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){chunk.data + at, chunk.len - at}, &c);
        char small[4] = {chunk.data[at]};
        size_t small_len = len ? tut_utf8_put(lower(c), small) : 1;
        bool is_digit = c >= '0' && c <= '9';
        bool is_part = !len || c >= 0x80 || is_digit || (lower(c) >= 'a' && lower(c) <= 'z');
        at += len ? len : 1;
        if (!is_part) {
            end_word(h, &w);
            continue;
        }
        w.has_digit = w.has_digit || is_digit;
        if (w.len + small_len <= WORD) {
            memcpy(w.text + w.len, small, small_len);
            w.len += small_len;
        }
    }
    end_word(h, &w);
}

void assistant_numbers(tut_str text, float *ret_row)
{
    hashing h = {.row = ret_row, .before = {.text = "^", .len = 1}};
    size_t at = 0, ignored;
    memset(ret_row, 0, ASSISTANT_WIDTH * sizeof(*ret_row));
    for (tut_str chunk; (chunk = assistant_chunk(text, &at)).len;) {
        if (tut_str_find(chunk, TUT_LIT("://"), &ignored))
            put_sign(&h, TUT_LIT("<link>"));
        else if (memchr(chunk.data, '@', chunk.len))
            put_sign(&h, TUT_LIT("<address>"));
        else
            put_parts(&h, chunk);
        if (memchr(chunk.data, '?', chunk.len) && h.buckets)
            put_sign(&h, TUT_LIT("<asked>"));
    }
    float each = (float)(4 / sqrt(h.buckets ? (double)h.buckets : 1));
    for (size_t i = 0; i < ASSISTANT_WIDTH; i++)
        ret_row[i] *= each;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

tut_str assistant_order(tut_str chunk)
{
    while (chunk.len && !is_digit(chunk.data[0]) && !is_letter(chunk.data[0]))
        chunk.data++, chunk.len--;
    while (chunk.len && !is_digit(chunk.data[chunk.len - 1]))
        chunk.len--;
    size_t digits = 0;
    for (size_t i = 0; i < chunk.len; i++) {
        digits += is_digit(chunk.data[i]);
        if (!is_digit(chunk.data[i]) && !is_letter(chunk.data[i]) && chunk.data[i] != '-')
            return (tut_str){NULL, 0};
    }
    bool has_letter = chunk.len > 2 && is_letter(chunk.data[0]) && chunk.data[1] == '-';
    return digits >= 4 || (has_letter && digits >= 2) ? chunk : (tut_str){NULL, 0};
}
