#include "detect/feature.h"

enum { NEAR = 6 }; /* tokens between which an ordered pair counts */
enum { RUNS, NEARBY, COUNTS, TOGETHER, SENTENCES, BEGINNINGS };

const tut_bag_shape tut_head_shapes[TUT_HEAD_COUNT] = {
    [TUT_HEAD_WORDS] = {1, {1 << 17}, {1}},
    [TUT_HEAD_SYMBOLS] = {6,
                          {1 << 15, 1 << 12, 1 << 10, 1 << 12, 1 << 12, 1 << 12},
                          {1, 0.7f, 0.3f, 0.3f, 0.3f, 0.3f}},
    /* runs of words, runs of symbols, words beside symbols, places, sets, the document around; a
     * stretch has no place, and nothing around it counts */
    [TUT_HEAD_STRETCH] = {5, {1 << 16, 1 << 14, 1 << 15, 0, 1 << 13}, {1, 1, 1, 0, 0.7f}},
    [TUT_HEAD_SEGMENT] = {6,
                          {1 << 16, 1 << 15, 1 << 15, 1 << 15, 1 << 13, 1 << 12},
                          {1, 1, 1, 1, 0.7f, 0.7f}},
};

bool tut_feature_words(tut_bag *b, const tut_token *t, size_t count, int32_t *spans)
{
    uint32_t before = 0, pair_before = 0;
    if (!tut_bag_begin(b, 3 * count))
        return false;
    tut_bag_group g = tut_bag_open(b, 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t one = t[i].hash, two = tut_hash_mix(before, one),
                 three = tut_hash_mix(pair_before, one + 1);
        tut_bag_put(&g, one);
        if (i > 0)
            tut_bag_put(&g, two);
        if (i > 1)
            tut_bag_put(&g, three);
        if (spans)
            spans[i] = g.weights[one & g.mask] + (i > 0 ? g.weights[two & g.mask] : 0) +
                       (i > 1 ? g.weights[three & g.mask] : 0);
        before = one;
        pair_before = two;
    }
    tut_bag_close(b, 0, &g);
    return true;
}

/* Runs of two to five symbols with two of the lexicon among them (of two: one). Many plain words
 * in a row are one symbol. */
static void add_runs(tut_bag *b, const tut_token *t, size_t count)
{
    tut_bag_group g = tut_bag_open(b, RUNS);
    uint64_t last = 0;              /* a byte each, the newest lowest */
    unsigned held = 0, classes = 0; /* bit k: the k-th of them is of the lexicon */
    for (size_t i = 0; i < count; i++) {
        uint8_t s = t[i].symbol;
        if (s == TUT_SYM_OTHER && (uint8_t)last == s)
            continue;
        last = last << 8 | s;
        classes = (classes << 1 | tut_symbol_is_class(s)) & 31;
        held += held < 5;
        if (classes == 0)
            continue;
        uint32_t hash = s;
        for (unsigned k = 1; k < held; k++) {
            hash = tut_hash_mix(hash, (uint8_t)(last >> 8 * k) + 64 * k);
            unsigned within = classes & ((2u << k) - 1);
            if (k == 1 ? within != 0 : (within & (within - 1)) != 0)
                tut_bag_put(&g, hash);
        }
    }
    tut_bag_close(b, RUNS, &g);
}

/* Pairs of symbols as 64 sets: each pair is there once, and found without a hash. */
typedef uint64_t pairs[64];

static void add_pairs(tut_bag *b, unsigned group, const pairs p)
{
    tut_bag_group g = tut_bag_open(b, group);
    for (uint32_t one = 0; one < 64; one++)
        for (uint64_t others = p[one]; others; others &= others - 1)
            tut_bag_put_new(&g, one << 6 | (uint32_t)__builtin_ctzll(others));
    tut_bag_close(b, group, &g);
}

static void join_all(pairs p, uint64_t set) /* each with itself and those behind it */
{
    for (uint64_t rest = set; rest; rest &= rest - 1)
        p[__builtin_ctzll(rest)] |= rest;
}

static void add_nearby(tut_bag *b, const tut_token *t, size_t count)
{
    uint8_t symbols[NEAR];
    size_t n = 0;
    size_t places[NEAR];
    pairs p = {0};
    for (size_t i = 0; i < count; i++) {
        uint8_t s = t[i].symbol;
        if (!tut_symbol_is_class(s))
            continue;
        for (unsigned k = 0; k < NEAR && k < n; k++) {
            size_t at = (n - 1 - k) % NEAR;
            if (i - places[at] > NEAR)
                break;
            p[symbols[at]] |= 1ull << s;
        }
        symbols[n % NEAR] = s;
        places[n % NEAR] = i;
        n++;
    }
    add_pairs(b, NEARBY, p);
}

static void add_counts(tut_bag *b, const uint32_t *counts, size_t tokens)
{
    uint64_t set = 0;
    pairs together = {0};
    tut_bag_group g = tut_bag_open(b, COUNTS);
    for (uint32_t s = 1; s < TUT_SYM_COUNT; s++) {
        uint32_t n = counts[s];
        if (n == 0)
            continue;
        if (tut_symbol_is_class(s))
            set |= 1ull << s;
        uint32_t bucket = n <= 4 ? n - 1 : n <= 7 ? 4 : n <= 15 ? 5 : 6;
        tut_bag_put(&g, s << 4 | bucket);
        uint32_t rate = (uint32_t)(n * 64ul / tokens);
        tut_bag_put(&g, s << 4 | (8 + (rate > 7 ? 7 : rate)));
        for (uint32_t least = 2, k = 1; least <= 8 && n >= least; least *= 2, k++)
            tut_bag_put(&g, (0x3c0u + k * 64 + s) & 0x3ff);
    }
    tut_bag_close(b, COUNTS, &g);
    join_all(together, set);
    add_pairs(b, TOGETHER, together);
}

/* Which symbols share a sentence, and the first three of each. */
static void add_sentences(tut_bag *b, const tut_token *t, size_t count)
{
    pairs sentences = {0};
    uint64_t set = 0;
    uint32_t begin = 0;
    unsigned length = 0;
    tut_bag_group g = tut_bag_open(b, BEGINNINGS);
    for (size_t i = 0; i < count; i++) {
        uint8_t symbol = t[i].symbol;
        bool is_begin = t[i].flags & TUT_TOKEN_NEWLINE;
        if (i > 0) {
            uint8_t last = t[i - 1].symbol;
            is_begin |= last == TUT_SYM_STOP || last == TUT_SYM_ASKING || last == TUT_SYM_CALLING;
        }
        if (is_begin) {
            join_all(sentences, set);
            set = 0;
            begin = length = 0;
        }
        if (tut_symbol_is_class(symbol))
            set |= 1ull << symbol;
        if (length++ < 3) {
            begin = begin << 6 | symbol;
            tut_bag_put(&g, tut_hash_mix(begin, length));
        }
    }
    tut_bag_close(b, BEGINNINGS, &g);
    join_all(sentences, set);
    add_pairs(b, SENTENCES, sentences);
}

bool tut_feature_symbols(tut_bag *b, const tut_token *t, size_t count)
{
    uint32_t counts[TUT_SYM_COUNT] = {0};
    enum { PAIRS = 64 * 64, COUNTED = 5 * TUT_SYM_COUNT };
    if (!tut_bag_begin(b, 5 * count + (size_t)3 * PAIRS + COUNTED))
        return false;
    for (size_t i = 0; i < count; i++)
        counts[t[i].symbol]++;
    add_runs(b, t, count);
    add_nearby(b, t, count);
    add_sentences(b, t, count);
    if (count)
        add_counts(b, counts, count);
    return true;
}
