#include "stats/sketch.h"

#include <math.h>

enum { RUN = 5, END_BYTES = 32 << 10, NIBBLE = 4 };

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

uint64_t tut_sketch_digest(const void *bytes, size_t len, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t h = mix(seed ^ len), word;
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * 0xd6e8feb86659fd93ull;
        h ^= h >> 32;
    }
    word = 0;
    if (len)
        memcpy(&word, at, len);
    return mix(h ^ word ^ seed >> 7);
}

/* --- texts --- */
/* A space: neither letter nor digit. Bytes of other scripts stand for themselves. */
#define FOLDED(c)                                                                                  \
    ((c) >= 'A' && (c) <= 'Z'                                                  ? (c) + 0x20        \
     : ((c) >= 'a' && (c) <= 'z') || ((c) >= '0' && (c) <= '9') || (c) >= 0x80 ? (c)               \
                                                                               : ' ')
#define FOLDED_1(c) (uint8_t)(FOLDED(c))
#define FOLDED_4(c) FOLDED_1(c), FOLDED_1((c) + 1), FOLDED_1((c) + 2), FOLDED_1((c) + 3)
#define FOLDED_16(c) FOLDED_4(c), FOLDED_4((c) + 4), FOLDED_4((c) + 8), FOLDED_4((c) + 12)
#define FOLDED_64(c) FOLDED_16(c), FOLDED_16((c) + 16), FOLDED_16((c) + 32), FOLDED_16((c) + 48)
static const uint8_t fold[256] = {FOLDED_64(0), FOLDED_64(64), FOLDED_64(128), FOLDED_64(192)};

typedef struct minima {
    uint64_t least[TUT_SKETCH_PLACES]; /* UINT64_MAX: no run fell there */
    uint32_t runs;
} minima;

static void add_runs(minima *m, tut_str text, uint64_t seed)
{
    uint64_t run = ' '; /* the last five, a byte each; between words one space */
    unsigned have = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = fold[(uint8_t)text.data[i]];
        if (c == ' ' && (run & 0xff) == ' ')
            continue;
        run = (run << 8 | c) & 0xffffffffffull;
        if (++have < RUN)
            continue;
        uint64_t h = (run ^ seed) * 0x9e3779b97f4a7c15ull;
        h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ull;
        uint64_t *least = &m->least[h >> 59]; /* of 32 places */
        uint64_t value = h << 5;
        *least = value < *least ? value : *least;
        m->runs++;
    }
}

tut_text_sketch tut_sketch_text(tut_str text, uint64_t seed)
{
    minima m = {.runs = 0};
    tut_text_sketch s = {.runs = 0};
    for (size_t i = 0; i < TUT_SKETCH_PLACES; i++)
        m.least[i] = UINT64_MAX;
    if (text.len <= (size_t)2 * END_BYTES) {
        add_runs(&m, text, seed);
    } else {
        add_runs(&m, (tut_str){text.data, END_BYTES}, seed);
        add_runs(&m, (tut_str){text.data + (text.len - END_BYTES), END_BYTES}, seed);
    }
    s.runs = m.runs;
    for (size_t i = 0; m.runs && i < TUT_SKETCH_PLACES; i++) {
        size_t from = i, steps = 0;
        while (m.least[from] == UINT64_MAX) { /* some place has one */
            from = (from + 1) % TUT_SKETCH_PLACES;
            steps++;
        }
        uint64_t nibble = mix(m.least[from] + steps * 0x9e3779b97f4a7c15ull) & 15;
        s.words[i / 16] |= nibble << (NIBBLE * (i % 16));
    }
    return s;
}

unsigned tut_sketch_alike(const tut_text_sketch *a, const tut_text_sketch *b)
{
    unsigned differing = 0;
    for (size_t i = 0; i < 2; i++) {
        uint64_t x = a->words[i] ^ b->words[i];
        x |= x >> 2;
        x |= x >> 1;
        differing += (unsigned)__builtin_popcountll(x & 0x1111111111111111ull);
    }
    return TUT_SKETCH_PLACES - differing;
}

/* --- vectors --- */
void tut_sketch_add(tut_vector_sketch *s, double value, uint64_t seed)
{
    uint64_t bits, h = mix(s->count + seed);
    double v = isfinite(value) ? value : 0;
    memcpy(&bits, &value, sizeof(bits));
    s->digest = mix(s->digest ^ bits ^ h);
    s->sums[h % TUT_SKETCH_SUMS] += h >> 63 ? v : -v;
    s->count++;
}

double tut_sketch_norm(const tut_vector_sketch *s)
{
    double squares = 0;
    for (size_t i = 0; i < TUT_SKETCH_SUMS; i++)
        squares += s->sums[i] * s->sums[i];
    return sqrt(squares);
}

double tut_sketch_distance(const double a[TUT_SKETCH_SUMS], const double b[TUT_SKETCH_SUMS])
{
    double squares = 0;
    for (size_t i = 0; i < TUT_SKETCH_SUMS; i++)
        squares += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(squares);
}
