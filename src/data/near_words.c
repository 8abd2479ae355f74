#include "data/near_internal.h"
#include "stats/random.h"

/* What a byte is to words: itself or its small letter, or 0 for what is no part of one. */
#define WORD(c)                                                                                    \
    ((c) >= 'A' && (c) <= 'Z'                                                    ? (c) + 0x20      \
     : ((c) >= 'a' && (c) <= 'z') || ((c) >= '0' && (c) <= '9') || ((c) >= 0x80) ? (c)             \
                                                                                 : 0)
/* First bytes of characters that are words by themselves: U+3000 to U+DFFF (kana, ideographs,
 * syllables of Korean), U+800 to U+FFF (the scripts of South Asia, Thai, Lao), from U+10000. */
#define ALONE(c) (((c) >= 0xe3 && (c) <= 0xed) || (c) == 0xe0 || (c) >= 0xf0)
#define WORD_1(c) (uint8_t)(ALONE(c) ? 0 : WORD(c))
#define WORD_4(c) WORD_1(c), WORD_1((c) + 1), WORD_1((c) + 2), WORD_1((c) + 3)
#define WORD_16(c) WORD_4(c), WORD_4((c) + 4), WORD_4((c) + 8), WORD_4((c) + 12)
#define WORD_64(c) WORD_16(c), WORD_16((c) + 16), WORD_16((c) + 32), WORD_16((c) + 48)
static const uint8_t word_bytes[256] = {WORD_64(0), WORD_64(64), WORD_64(128), WORD_64(192)};

static const uint64_t folded_factor = 0x100000001b3ull, exact_factor = 0x9ddfea08eb382d69ull;
static const uint64_t rolling_factor = 0xd6e8feb86659fd93ull;

typedef struct roll {
    uint64_t last[TUT_NEAR_WORDS]; /* hashes of words, in a ring */
    uint64_t value, leaving;       /* leaving: the factor of the word that goes */
    size_t words;
} roll;

/* Of the whole text: words and what stands between them, each as a hash. */
typedef struct whole {
    uint64_t a, b;
} whole;

static void whole_add(whole *w, uint64_t piece)
{
    w->a = (w->a ^ piece) * 0x9e3779b97f4a7c15ull;
    w->a ^= w->a >> 29;
    w->b = (w->b + piece) * 0xbf58476d1ce4e5b9ull;
    w->b ^= w->b >> 32;
}

static tut_status keep(tut_near *n, uint64_t value, tut_error *err)
{
    if (n->shingle_count == n->shingle_capacity) {
        size_t capacity = n->shingle_capacity ? 2 * n->shingle_capacity : 1024;
        uint32_t *shingles = tut_realloc_array(n->shingles, capacity, sizeof(*shingles));
        if (!shingles)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        n->shingles = shingles;
        n->shingle_capacity = capacity;
    }
    n->shingles[n->shingle_count++] = (uint32_t)(tut_random_mix(value) >> 32);
    return TUT_SUCCESS;
}

static tut_status roll_add(tut_near *n, roll *r, uint64_t word, tut_error *err)
{
    uint64_t *slot = &r->last[r->words % TUT_NEAR_WORDS];
    word = (word ^ word >> 31) * rolling_factor;
    r->value = r->value * rolling_factor + word - *slot * r->leaving;
    *slot = word;
    r->words++;
    if (r->words < TUT_NEAR_WORDS || n->shingle_count == TUT_NEAR_SHINGLES)
        return TUT_SUCCESS;
    return keep(n, r->value, err);
}

static bool is_white(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the character at `at`, which begins with one of ALONE. */
static size_t alone_bytes(const uint8_t *at, const uint8_t *end)
{
    size_t len = *at >= 0xf0 ? 4 : 3;
    return len < (size_t)(end - at) ? len : (size_t)(end - at);
}

static uint64_t hash_bytes(uint64_t seed, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        seed = (seed ^ at[i]) * exact_factor;
    return seed;
}

/* The word at *at, which begins with a byte of words. */
static tut_status take_word(tut_near *n, const uint8_t **at, const uint8_t *end, roll *r, whole *w,
                            tut_error *err)
{
    const uint8_t *p = *at;
    uint64_t folded = n->seed, exact = folded;
    for (uint8_t c; p < end && (c = word_bytes[*p]) != 0; p++) {
        folded = (folded ^ c) * folded_factor;
        exact = (exact ^ *p) * exact_factor;
    }
    *at = p;
    whole_add(w, exact);
    return roll_add(n, r, folded, err);
}

tut_status near_read_words(tut_near *n, tut_str text, uint64_t ret_hash[2], bool *ret_is_cut,
                           tut_error *err)
{
    const uint8_t *at = (const uint8_t *)text.data, *end = at + text.len;
    whole w = {.a = n->seed, .b = ~n->seed};
    roll r = {.leaving = rolling_factor};
    for (int i = 1; i < TUT_NEAR_WORDS; i++)
        r.leaving *= rolling_factor;
    n->shingle_count = 0;
    while (at < end && is_white(*at))
        at++;
    while (at < end) {
        if (word_bytes[*at]) {
            TUT_TRY(take_word(n, &at, end, &r, &w, err));
        } else if (is_white(*at)) {
            while (at < end && is_white(*at))
                at++;
            if (at < end)
                whole_add(&w, ' ');
        } else {
            size_t len = ALONE(*at) ? alone_bytes(at, end) : 1;
            uint64_t h = hash_bytes(n->seed, at, len);
            whole_add(&w, h);
            if (len > 1)
                TUT_TRY(roll_add(n, &r, h, err));
            at += len;
        }
    }
    if (r.words > 0 && r.words < TUT_NEAR_WORDS) /* a short text is one shingle */
        TUT_TRY(keep(n, r.value + r.words, err));
    *ret_is_cut = r.words >= TUT_NEAR_WORDS + (size_t)TUT_NEAR_SHINGLES;
    ret_hash[0] = tut_random_mix(w.a);
    ret_hash[1] = tut_random_mix(w.b);
    return TUT_SUCCESS;
}
