#include "detect/plain.h"

enum { WORD_AHEAD = 48 }; /* bytes looked at to tell what script a word has */

void tut_plain_done(tut_plain *p)
{
    tut_buf_done(&p->text);
    tut_buf_done(&p->unseen);
    tut_buf_done(&p->origins);
    *p = (tut_plain){0};
}

static bool is_latin(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

/* The word that holds `at` has an ASCII letter in it. */
static bool is_in_latin_word(const tut_plain *p, size_t at)
{
    if (p->out && is_latin(p->text.data[p->out - 1]))
        return true;
    size_t end = p->from.len - at > WORD_AHEAD ? at + WORD_AHEAD : p->from.len;
    for (size_t i = at; i < end; i++) {
        uint8_t c = (uint8_t)p->from.data[i];
        if (is_latin(c))
            return true;
        if (c < 0x80)
            return false;
    }
    return false;
}

static void put(tut_plain *p, uint8_t c)
{
    p->text.data[p->out++] = c;
}

static void note_origin(tut_plain *p)
{
    int64_t shift = (int64_t)p->at - (int64_t)p->out;
    if (shift == p->shift)
        return;
    tut_plain_origin o = {(uint32_t)p->out, (uint32_t)p->at};
    tut_buf_add(&p->origins, &o, sizeof(o));
    p->shift = shift;
}

static void fold_unseen(tut_plain *p, tut_fold how, uint32_t c, uint8_t ascii)
{
    if (how == TUT_FOLD_TAG) {
        if (p->flag > 0)
            p->flag--;
        else if (ascii)
            tut_buf_add_byte(&p->unseen, ascii);
        return;
    }
    /* A selector behind a character says how that looks; the rest of a row of them are bytes. */
    uint32_t byte = c >= 0xe0100 ? c - 0xe0100 + 16 : c - 0xfe00;
    if (byte >= 0x20 && byte < 0x7f)
        tut_buf_add_byte(&p->unseen, (uint8_t)byte);
}

static void fold_one(tut_plain *p, uint32_t c, size_t len)
{
    uint8_t ascii;
    tut_fold how = tut_fold_of(c, &ascii);
    if (c == 0x1f3f4)
        p->flag = 7; /* a flag of a region: up to six letters and the end */
    else if (how != TUT_FOLD_TAG)
        p->flag = 0;
    switch (how) {
    case TUT_FOLD_LOOKALIKE:
        if (is_in_latin_word(p, p->at)) {
            p->lookalikes++;
            put(p, ascii);
            return;
        }
        break;
    case TUT_FOLD_STYLED:
        p->styled++;
        put(p, ascii);
        return;
    case TUT_FOLD_LETTER:
        put(p, ascii);
        return;
    case TUT_FOLD_INVISIBLE:
        p->invisible += c != 0xad && p->out && is_latin(p->text.data[p->out - 1]) &&
                        p->at + len < p->from.len && is_latin((uint8_t)p->from.data[p->at + len]);
        return;
    case TUT_FOLD_DIRECTIONAL:
        p->directional += c >= 0x202a && c != 0x2066 && c != 0x2067 && c != 0x2068 && c != 0x2069;
        return;
    case TUT_FOLD_TAG:
    case TUT_FOLD_SELECTOR:
        fold_unseen(p, how, c, ascii);
        return;
    case TUT_FOLD_DROP:
        return;
    case TUT_FOLD_KEEP:
        break;
    }
    memcpy(p->text.data + p->out, p->from.data + p->at, len);
    p->out += len;
}

tut_status tut_plain_begin(tut_plain *p, tut_str text, tut_error *err)
{
    tut_buf_clear(&p->text);
    tut_buf_clear(&p->unseen);
    tut_buf_clear(&p->origins);
    p->invisible = p->directional = p->lookalikes = p->styled = p->broken = p->flag = 0;
    p->at = p->out = 0;
    p->shift = 0;
    p->from = text;
    if (text.len > UINT32_MAX)
        return tut_fail(err, TUT_LIMIT, "a text of more than 4 GiB is not looked at");
    if (!tut_buf_extend(&p->text, text.len))
        return tut_buf_check(&p->text, err);
    return TUT_SUCCESS;
}

/* End of the ASCII that begins at `at`, eight bytes at a time. */
static size_t ascii_end(tut_str s, size_t at)
{
    uint64_t eight;
    for (; s.len - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, s.data + at, sizeof(eight));
        if (eight & 0x8080808080808080u)
            break;
    }
    while (at < s.len && (uint8_t)s.data[at] < 0x80)
        at++;
    return at;
}

tut_status tut_plain_step(tut_plain *p, size_t max_bytes, bool *ret_is_done, tut_error *err)
{
    size_t stop = p->from.len - p->at > max_bytes ? p->at + max_bytes : p->from.len;
    while (p->at < stop) {
        size_t run = ascii_end((tut_str){p->from.data, stop}, p->at);
        note_origin(p);
        if (run > p->at) {
            memcpy(p->text.data + p->out, p->from.data + p->at, run - p->at);
            p->out += run - p->at;
            p->at = run;
            p->flag = 0;
            continue;
        }
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){p->from.data + p->at, p->from.len - p->at}, &c);
        if (len == 0) {
            p->broken++;
            put(p, ' ');
        } else {
            fold_one(p, c, len);
        }
        p->at += len ? len : 1;
    }
    *ret_is_done = p->at >= p->from.len;
    if (*ret_is_done)
        p->text.len = p->out;
    TUT_TRY(tut_buf_check(&p->unseen, err));
    return tut_buf_check(&p->origins, err);
}

tut_status tut_plain_make(tut_plain *p, tut_str text, tut_error *err)
{
    bool is_done;
    TUT_TRY(tut_plain_begin(p, text, err));
    return tut_plain_step(p, SIZE_MAX, &is_done, err);
}

uint64_t tut_plain_origin_of(const tut_plain *p, uint64_t at)
{
    const tut_plain_origin *o = (const tut_plain_origin *)(const void *)p->origins.data;
    size_t low = 0, high = p->origins.len / sizeof(*o);
    while (low < high) { /* the last that begins at or before */
        size_t middle = low + (high - low) / 2;
        if (o[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? o[low - 1].from + (at - o[low - 1].at) : at;
}
