/* What a word does in an instruction: a symbol for each token (lexicon.def). */
#ifndef TUT_DETECT_LEXICON_H
#define TUT_DETECT_LEXICON_H

#include <stdint.h>
#include <string.h>

#include "base/status.h"

typedef enum tut_symbol {
    TUT_SYM_NONE,
#define X(symbol, words) TUT_SYM_##symbol,
#include "detect/lexicon.def"
#undef X
    TUT_SYM_OTHER, /* any other word */
    TUT_SYM_FOREIGN,
    TUT_SYM_NUMBER,
    TUT_SYM_STOP, /* . */
    TUT_SYM_COMMA,
    TUT_SYM_ASKING,  /* ? */
    TUT_SYM_CALLING, /* ! */
    TUT_SYM_COLON,
    TUT_SYM_QUOTE,
    TUT_SYM_OPENING,
    TUT_SYM_CLOSING,
    TUT_SYM_ANGLE,
    TUT_SYM_RULER, /* # - = * _ ~ */
    TUT_SYM_MARK,  /* any other sign */
    TUT_SYM_COUNT
} tut_symbol;
_Static_assert(TUT_SYM_COUNT <= 64, "sets of symbols are kept in 64 bits");

static inline bool tut_symbol_is_class(unsigned s) /* of the lexicon, more than a plain verb */
{
    return s >= TUT_SYM_OVERRIDE && s < TUT_SYM_IMPERATIVE;
}

enum { TUT_LEXICON_SLOTS = 8192 };

typedef struct tut_lexicon {
    uint32_t slots[TUT_LEXICON_SLOTS]; /* the hash but for its lowest byte, which is the symbol */
} tut_lexicon;

void tut_lexicon_init(tut_lexicon *l);
const char *tut_symbol_name(unsigned symbol); /* "override" */

/* A word is hashed eight bytes at a time, the first lowest, zeros behind the last. */
#define TUT_WORD_BASIS 0x9ae16a3b2f90404fu
static inline uint64_t tut_word_eight(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ bytes) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 29;
}
static inline uint32_t tut_word_finish(uint32_t h)
{
    h ^= h >> 15;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    return h ? h : 1;
}
static inline uint32_t tut_word_end(uint64_t hash)
{
    return tut_word_finish((uint32_t)(hash >> 32));
}
static inline uint32_t tut_word_hash(const void *word, size_t len)
{
    uint64_t hash = TUT_WORD_BASIS, bytes;
    const uint8_t *p = word;
    for (; len >= sizeof(bytes); len -= sizeof(bytes), p += sizeof(bytes)) {
        memcpy(&bytes, p, sizeof(bytes)); /* little-endian, as all of these machines */
        hash = tut_word_eight(hash, bytes);
    }
    bytes = 0;
    memcpy(&bytes, p, len);
    return tut_word_end(len ? tut_word_eight(hash, bytes) : hash);
}
static inline unsigned tut_lexicon_find(const tut_lexicon *l, uint32_t hash)
{
    for (uint32_t at = hash % TUT_LEXICON_SLOTS, slot; (slot = l->slots[at]) != 0;
         at = (at + 1) % TUT_LEXICON_SLOTS)
        if ((slot ^ hash) >> 8 == 0)
            return slot & 0xff;
    return TUT_SYM_OTHER;
}

#endif
