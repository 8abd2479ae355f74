#include "detect/lexicon.h"

#include "base/str.h"

static const struct row {
    uint8_t symbol;
    const char *words;
} rows[] = {
#define X(symbol, words) {TUT_SYM_##symbol, words},
#include "detect/lexicon.def"
#undef X
};

static void put(tut_lexicon *l, uint32_t hash, uint8_t symbol)
{
    uint32_t at = hash % TUT_LEXICON_SLOTS;
    for (; l->slots[at]; at = (at + 1) % TUT_LEXICON_SLOTS)
        if ((l->slots[at] ^ hash) >> 8 == 0)
            return;
    l->slots[at] = (hash & ~0xffu) | symbol;
}

void tut_lexicon_init(tut_lexicon *l)
{
    memset(l, 0, sizeof(*l));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (const char *c = rows[i].words; *c;) {
            size_t len = strcspn(c, " ");
            put(l, tut_word_hash(c, len), rows[i].symbol);
            c += len + strspn(c + len, " ");
        }
    }
}

const char *tut_symbol_name(unsigned symbol)
{
    static const char *const names[] = {
        "none",
#define X(symbol, words) #symbol,
#include "detect/lexicon.def"
#undef X
    };
    return symbol < sizeof(names) / sizeof(names[0]) ? names[symbol] : "other";
}
