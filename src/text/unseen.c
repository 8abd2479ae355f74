#include "text/unseen.h"

typedef struct range {
    uint32_t first, last;
} range;

static const range unseen[] = {
    {0x00ad, 0x00ad},                                         /* soft hyphen */
    {0x034f, 0x034f},                                         /* grapheme joiner */
    {0x061c, 0x061c},                                         /* Arabic letter mark */
    {0x115f, 0x1160},                                         /* fillers of Hangul */
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200b}, /* zero-width space */
    {0x200e, 0x200f},                                         /* marks of direction */
    {0x202a, 0x202e},                                         /* embeddings and overrides */
    {0x2060, 0x206f}, /* word joiner, invisible operators, isolates */
    {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},                                           /* not characters of text */
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, /* tags, selectors beyond sixteen */
};

bool tut_unseen_always(uint32_t c)
{
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
        if (c >= unseen[i].first && c <= unseen[i].last)
            return true;
    return false;
}

static bool is_joiner(uint32_t c)
{
    return c == 0x200c || c == 0x200d;
}

static bool is_selector(uint32_t c)
{
    return c >= 0xfe00 && c <= 0xfe0f;
}

/* The next place from `at` on where a byte is beyond ASCII. */
static size_t next_odd(tut_str t, size_t at)
{
    for (; t.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t w;
        memcpy(&w, t.data + at, sizeof(w));
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < t.len && (uint8_t)t.data[at] < 0x80)
        at++;
    return at;
}

static uint32_t point_at(tut_str t, size_t at)
{
    uint32_t c = 0;
    return at < t.len && tut_utf8_len((tut_str){t.data + at, t.len - at}, &c) ? c : 0;
}

static bool is_left_out(tut_str t, size_t at, size_t len, uint32_t c, uint32_t before)
{
    if (tut_unseen_always(c))
        return true;
    if (is_joiner(c)) /* one, between what it can join */
        return before < 0x300 || is_joiner(before) || point_at(t, at + len) < 0x300;
    return is_selector(c) && (before == 0 || is_selector(before) || is_joiner(before) ||
                              (before < 0x80 && point_at(t, at + len) != 0x20e3));
}

size_t tut_unseen_next(tut_unseen *u)
{
    tut_str t = u->text;
    u->at += u->len;
    while ((u->at = next_odd(t, u->at)) < t.len) {
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){t.data + u->at, t.len - u->at}, &c);
        if (u->at > 0 && (uint8_t)t.data[u->at - 1] < 0x80)
            u->before = (uint8_t)t.data[u->at - 1];
        if (len && is_left_out(t, u->at, len, c, u->before))
            return u->len = len;
        u->before = c;
        u->at += len ? len : 1;
    }
    return u->len = 0;
}

size_t tut_unseen_strip(tut_str t, tut_buf *out)
{
    size_t left_out = 0, kept = 0; /* kept: up to here it is in out */
    for (tut_unseen u = {.text = t}; tut_unseen_next(&u) > 0;) {
        tut_buf_add(out, t.data + kept, u.at - kept);
        kept = u.at + u.len;
        left_out++;
    }
    if (left_out)
        tut_buf_add(out, t.data + kept, t.len - kept);
    return left_out;
}
