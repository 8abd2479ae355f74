#include "guard/word.h"

enum {
    LONG = 16,        /* no key without a digit is shorter than what is longer */
    LONG_LETTERS = 22 /* nor one of nothing but letters, unless they are capitals */
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static uint16_t kind_of(uint8_t c)
{
    if (c == ' ' || c == '\r' || c == '\t')
        return TUT_KIND_SPACE;
    if (c == '\n')
        return TUT_KIND_SPACE | TUT_KIND_CLOSE;
    if (c >= '0' && c <= '9')
        return TUT_KIND_DIGIT;
    if (c >= 'A' && c <= 'Z')
        return TUT_KIND_CAPITAL;
    if (c >= 'a' && c <= 'z')
        return TUT_KIND_LETTER;
    if (c >= 0x80)
        return TUT_KIND_LETTER | (c >= 0xc0 ? TUT_KIND_START : 0);
    static const struct {
        const char *signs;
        uint16_t kind;
    } rows[] = {{"@", TUT_KIND_AT},       {"[<", TUT_KIND_BRACKET}, {":", TUT_KIND_COLON},
                {"/\\", TUT_KIND_SLASH},  {"-", TUT_KIND_DASH},     {"-()./+", TUT_KIND_SIGN},
                {"%\\", TUT_KIND_ESCAPE}, {")]>", TUT_KIND_CLOSE},  {"]>", TUT_KIND_OTHER}};
    uint16_t kinds = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (c && strchr(rows[i].signs, c))
            kinds |= rows[i].kind;
    return kinds ? kinds : TUT_KIND_OTHER;
}

static void init_canary(tut_guard_canary *c, tut_str text)
{
    c->len = (uint16_t)(text.len < TUT_GUARD_CANARY_MOST ? text.len : TUT_GUARD_CANARY_MOST);
    for (size_t i = 0; i < c->len; i++)
        c->text[i] = lower((uint8_t)text.data[i]);
    for (uint16_t i = 1, k = 0; i < c->len; i++) {
        while (k > 0 && c->text[i] != c->text[k])
            k = c->back[k];
        k = (uint16_t)(k + (c->text[i] == c->text[k]));
        c->back[i + 1] = k;
    }
}

tut_status tut_guard_kinds_init(tut_guard_kinds *k, const tut_str *canaries, size_t count,
                                tut_error *err)
{
    *k = (tut_guard_kinds){.canary_count = count};
    for (unsigned c = 0; c < 256; c++)
        k->of[c] = kind_of((uint8_t)c);
    if (count == 0)
        return TUT_SUCCESS;
    k->canaries = tut_alloc_array(count, sizeof(*k->canaries));
    if (!k->canaries)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        init_canary(&k->canaries[i], canaries[i]);
        for (unsigned c = 0; c < 256; c++)
            if (lower((uint8_t)c) == k->canaries[i].text[0])
                k->of[c] |= TUT_KIND_CANARY;
    }
    return TUT_SUCCESS;
}

void tut_guard_kinds_done(tut_guard_kinds *k)
{
    tut_free(k->canaries);
    *k = (tut_guard_kinds){0};
}

uint16_t tut_guard_canary_step(const tut_guard_canary *c, uint16_t state, uint8_t byte)
{
    byte = lower(byte);
    for (;; state = c->back[state]) {
        if (state < c->len && c->text[state] == byte)
            return (uint16_t)(state + 1);
        if (state == 0)
            return 0;
    }
}

static size_t capitals_of(tut_str word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.len; i++)
        n += word.data[i] >= 'A' && word.data[i] <= 'Z';
    return n;
}

bool tut_guard_word_is_hot(tut_str word, unsigned kinds)
{
    size_t at;
    if (kinds & (TUT_KIND_AT | TUT_KIND_BRACKET))
        return true;
    if ((kinds & TUT_KIND_COLON) && (kinds & TUT_KIND_SLASH))
        return true;
    if ((kinds & TUT_KIND_DASH) && tut_str_find(word, TUT_LIT("-----"), &at))
        return true;
    size_t len = word.len - ((kinds & TUT_KIND_SPACE) != 0);
    if (len <= LONG)
        return false;
    unsigned letters = TUT_KIND_LETTER | TUT_KIND_CAPITAL | TUT_KIND_SPACE | TUT_KIND_START |
                       TUT_KIND_CANARY;
    return len > LONG_LETTERS || (kinds & ~letters & ~(unsigned)TUT_KIND_CLOSE) ||
           ((kinds & TUT_KIND_CAPITAL) && capitals_of(word) > 1);
}
