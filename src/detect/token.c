#include "detect/token.h"

enum { BYTE_SIGN, BYTE_WORD, BYTE_DIGIT, BYTE_SPACE, BYTE_LINE, BYTE_HIGH };

static const uint8_t kinds[256] = {
    [0 ... 8] = BYTE_SPACE,     ['\t'] = BYTE_SPACE,       ['\n'] = BYTE_LINE,
    [11 ... 12] = BYTE_SPACE,   ['\r'] = BYTE_SPACE,       [14 ... 32] = BYTE_SPACE,
    ['0' ... '9'] = BYTE_DIGIT, ['A' ... 'Z'] = BYTE_WORD, ['a' ... 'z'] = BYTE_WORD,
    [127] = BYTE_SPACE,         [128 ... 255] = BYTE_HIGH,
};

static const uint8_t signs[128] = {
    ['.'] = TUT_SYM_STOP,    [','] = TUT_SYM_COMMA,   ['?'] = TUT_SYM_ASKING,
    ['!'] = TUT_SYM_CALLING, [':'] = TUT_SYM_COLON,   [';'] = TUT_SYM_COMMA,
    ['"'] = TUT_SYM_QUOTE,   ['\''] = TUT_SYM_QUOTE,  ['`'] = TUT_SYM_QUOTE,
    ['('] = TUT_SYM_OPENING, ['['] = TUT_SYM_OPENING, ['{'] = TUT_SYM_OPENING,
    [')'] = TUT_SYM_CLOSING, [']'] = TUT_SYM_CLOSING, ['}'] = TUT_SYM_CLOSING,
    ['<'] = TUT_SYM_ANGLE,   ['>'] = TUT_SYM_ANGLE,   ['#'] = TUT_SYM_RULER,
    ['-'] = TUT_SYM_RULER,   ['='] = TUT_SYM_RULER,   ['*'] = TUT_SYM_RULER,
    ['_'] = TUT_SYM_RULER,   ['~'] = TUT_SYM_RULER,
};

void tut_tokens_done(tut_tokens *t)
{
    tut_free(t->items);
    *t = (tut_tokens){0};
}

typedef struct reading {
    const uint8_t *p;
    size_t at, len;
    const tut_lexicon *lexicon;
} reading;

/* Nothing that is longer than its length can tell is one token: work on each is bounded. */
static size_t end_of(const reading *r)
{
    return r->len - r->at > UINT16_MAX ? r->at + UINT16_MAX : r->len;
}

/* Eight bytes of a text, the first lowest; what is behind its end is zero. */
static uint64_t eight_at(const uint8_t *p, size_t left)
{
    uint64_t bytes = 0;
    if (left >= sizeof(bytes))
        memcpy(&bytes, p, sizeof(bytes)); /* little-endian, as all of these machines */
    else
        memcpy(&bytes, p, left);
    return bytes;
}

#define EACH(byte) (0x0101010101010101u * (byte))
/* The highest bit of each byte that is between the two, both of ASCII. */
static uint64_t between(uint64_t bytes, uint8_t low, uint8_t high)
{
    uint64_t plain = bytes & EACH(0x7f);
    return (plain + EACH(0x80u - low)) & ~(plain + EACH(0x7fu - high)) & ~bytes & EACH(0x80);
}

typedef struct word {
    uint64_t hash, small; /* small: some letter of it is */
    unsigned letters;
    size_t at; /* behind it */
} word;

/* Letters and digits, eight at a time; capitals count as small letters. */
static word read_letters(const uint8_t *p, size_t at, size_t end)
{
    word w = {TUT_WORD_BASIS, 0, 0, at};
    for (;;) {
        uint64_t bytes = eight_at(p + w.at, end - w.at);
        uint64_t letters = between(bytes | EACH(0x20), 'a', 'z') & ~bytes;
        uint64_t ends = ~(letters | between(bytes, '0', '9')) & EACH(0x80);
        size_t count = ends ? (size_t)__builtin_ctzll(ends) / 8 : sizeof(bytes);
        if (count == 0)
            return w;
        uint64_t mask = count < sizeof(bytes) ? (1ull << 8 * count) - 1 : ~0ull;
        letters &= mask;
        w.small |= letters & bytes << 2;
        w.letters += (unsigned)__builtin_popcountll(letters);
        w.hash = tut_word_eight(w.hash, (bytes | letters >> 2) & mask);
        w.at += count;
        if (count < sizeof(bytes))
            return w;
    }
}

/* With apostrophes between letters, which do not count: don't is dont. */
static word read_joined(const uint8_t *p, size_t at, size_t end)
{
    uint8_t letters[64];
    size_t count = 0;
    word w = {.at = at};
    for (; w.at < end && count < sizeof(letters); w.at++) {
        uint8_t c = p[w.at];
        if (kinds[c] == BYTE_WORD || kinds[c] == BYTE_DIGIT) {
            w.letters += kinds[c] == BYTE_WORD;
            w.small |= c >= 'a';
            letters[count++] = kinds[c] == BYTE_WORD ? c | 0x20 : c;
        } else if (c != '\'' || w.at + 1 >= end || kinds[p[w.at + 1]] != BYTE_WORD) {
            break;
        }
    }
    w.hash = tut_word_hash(letters, count);
    return w;
}

static void read_word(reading *r, tut_token *t)
{
    const uint8_t *p = r->p;
    size_t end = end_of(r);
    word w = read_letters(p, r->at, end);
    t->hash = tut_word_end(w.hash);
    if (w.at + 1 < end && p[w.at] == '\'' && kinds[p[w.at + 1]] == BYTE_WORD) {
        w = read_joined(p, r->at, end);
        t->hash = (uint32_t)w.hash;
    }
    unsigned symbol = tut_lexicon_find(r->lexicon, t->hash);
    t->flags |= TUT_TOKEN_WORD;
    if (!(p[r->at] & 0x20))
        t->flags |= w.small == 0 && w.letters > 1 ? TUT_TOKEN_SHOUTED | TUT_TOKEN_CAPITAL
                                                  : TUT_TOKEN_CAPITAL;
    if (symbol == TUT_SYM_ROT) {
        t->flags |= TUT_TOKEN_ROT;
        symbol = TUT_SYM_OTHER;
    }
    t->symbol = (uint8_t)symbol;
    t->len = (uint16_t)(w.at - r->at);
    r->at = w.at;
}

static void read_number(reading *r, tut_token *t)
{
    size_t begin = r->at, end = end_of(r);
    while (r->at < end && kinds[r->p[r->at]] == BYTE_DIGIT)
        r->at++;
    t->hash = r->at - begin <= 4 ? 0x6e756d31 : 0x6e756d32;
    t->symbol = TUT_SYM_NUMBER;
    t->len = (uint16_t)(r->at - begin);
}

/* The same sign again and again is one token; three or more are alike. */
static void read_sign(reading *r, tut_token *t)
{
    uint8_t c = r->p[r->at];
    size_t begin = r->at, end = end_of(r);
    while (r->at < end && r->p[r->at] == c)
        r->at++;
    size_t run = r->at - begin;
    t->hash = tut_word_finish(0x51ed27u + c * 4u + (uint32_t)(run > 3 ? 3 : run));
    t->symbol = signs[c] ? signs[c] : TUT_SYM_MARK;
    t->len = (uint16_t)run;
}

/* Cyrillic capitals become small, as the lexicon has them. */
static void lower(uint8_t *lead, uint8_t *second)
{
    if (*lead == 0xd0 && *second >= 0x90 && *second <= 0x9f) {
        *second += 0x20;
    } else if (*lead == 0xd0 && *second >= 0xa0 && *second <= 0xaf) {
        *lead = 0xd1;
        *second -= 0x20;
    }
}

/* Words of other scripts by their bytes; a character each of those that know no spaces. What is
 * very long is cut. */
static void read_foreign(reading *r, tut_token *t)
{
    size_t begin = r->at, end = end_of(r), count = 0;
    uint8_t bytes[64];
    while (r->at < end && r->p[r->at] >= 0x80 && count + 4 <= sizeof(bytes)) {
        uint8_t lead = r->p[r->at];
        size_t len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        len = end - r->at < len ? end - r->at : len;
        memcpy(bytes + count, r->p + r->at, len);
        if (len == 2)
            lower(&bytes[count], &bytes[count + 1]);
        count += len;
        r->at += len;
        if (lead >= 0xe3)
            break;
    }
    t->hash = tut_word_hash(bytes, count);
    unsigned symbol = tut_lexicon_find(r->lexicon, t->hash);
    t->symbol = symbol == TUT_SYM_OTHER ? TUT_SYM_FOREIGN : (uint8_t)symbol;
    t->flags |= TUT_TOKEN_WORD;
    t->len = (uint16_t)(r->at - begin);
}

static uint8_t skip_space(reading *r)
{
    unsigned lines = r->at == 0 ? 1 : 0, any = 0;
    for (; r->at < r->len; r->at++) {
        uint8_t kind = kinds[r->p[r->at]];
        if (kind == BYTE_LINE)
            lines++;
        else if (kind != BYTE_SPACE)
            break;
        any = 1;
    }
    return (uint8_t)((any ? TUT_TOKEN_SPACE : 0) | (lines ? TUT_TOKEN_NEWLINE : 0) |
                     (lines > 1 ? TUT_TOKEN_BLANK : 0));
}

void tut_tokens_begin(tut_tokens *t, const tut_lexicon *lexicon, tut_str plain)
{
    t->count = t->at = t->letters = t->turned = 0;
    t->plain = plain;
    t->lexicon = lexicon;
}

static void read_token(reading *r, tut_token *t)
{
    switch (kinds[r->p[r->at]]) {
    case BYTE_WORD:
        read_word(r, t);
        break;
    case BYTE_DIGIT:
        read_number(r, t);
        break;
    case BYTE_HIGH:
        read_foreign(r, t);
        break;
    default:
        read_sign(r, t);
        break;
    }
}

tut_status tut_tokens_step(tut_tokens *t, size_t max_bytes, bool *ret_is_done, tut_error *err)
{
    reading r = {(const uint8_t *)t->plain.data, t->at, t->plain.len, t->lexicon};
    size_t stop = r.len - r.at > max_bytes ? r.at + max_bytes : r.len;
    while (r.at < stop) {
        uint8_t flags = skip_space(&r);
        if (r.at >= r.len)
            break;
        if (t->count == t->capacity &&
            !tut_is_ok(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_token *token = &t->items[t->count++];
        *token = (tut_token){.at = (uint32_t)r.at, .flags = flags};
        read_token(&r, token);
        t->letters += token->len == 1 && (token->flags & TUT_TOKEN_WORD);
        t->turned += (token->flags & TUT_TOKEN_ROT) != 0;
    }
    t->at = r.at;
    *ret_is_done = r.at >= r.len;
    return TUT_SUCCESS;
}
