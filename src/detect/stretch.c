#include "detect/stretch.h"

enum { SEEN = TUT_STRETCH_SEEN, MANY = TUT_STRETCH_MANY, BLOCK = 64 };

static const int16_t bonus[TUT_SYM_COUNT] = {
    [TUT_SYM_OVERRIDE] = 120, [TUT_SYM_PRIOR] = 60,   [TUT_SYM_INSTRUCTION] = 120,
    [TUT_SYM_RULE] = 60,      [TUT_SYM_REVEAL] = 60,  [TUT_SYM_SECRET] = 60,
    [TUT_SYM_SYSTEM] = 60,    [TUT_SYM_YOUR] = 60,    [TUT_SYM_QUANTIFIER] = 60,
    [TUT_SYM_UNBOUND] = 60,   [TUT_SYM_MACHINE] = 60, [TUT_SYM_INSTEAD] = 40,
    [TUT_SYM_NOW] = 40,       [TUT_SYM_YOU] = 40,     [TUT_SYM_REFUSAL] = 60,
};

typedef struct peak {
    int32_t sum;
    size_t end;
} peak;

/* Keeps the highest; of two that overlap, the higher. */
static void keep(peak best[MANY], size_t *count, peak p)
{
    for (size_t i = 0; i < *count; i++)
        if (p.end < best[i].end + SEEN) { /* ends come in order */
            if (p.sum <= best[i].sum)
                return;
            best[i] = best[--*count];
            i--;
        }
    if (*count < MANY) {
        best[(*count)++] = p;
        return;
    }
    size_t lowest = 0;
    for (size_t i = 1; i < MANY; i++)
        lowest = best[i].sum < best[lowest].sum ? i : lowest;
    if (p.sum > best[lowest].sum)
        best[lowest] = p;
}

/* Two words at the begin of a text are not enough to say anything. */
static tut_stretch place_of(size_t end, size_t count)
{
    size_t first = end > SEEN ? end - SEEN : 0;
    return (tut_stretch){first, count - first < SEEN ? count - first : SEEN};
}

size_t tut_stretch_find(const int32_t *spans, const tut_token *t, size_t count,
                        tut_stretch found[TUT_STRETCH_MANY])
{
    peak best[MANY], block = {INT32_MIN, 0};
    size_t n = 0;
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += spans[i] + bonus[t[i].symbol];
        if (i >= SEEN)
            sum -= spans[i - SEEN] + bonus[t[i - SEEN].symbol];
        if (sum > block.sum)
            block = (peak){sum, i + 1};
        if (i % BLOCK == BLOCK - 1 || i + 1 == count) {
            keep(best, &n, block);
            block.sum = INT32_MIN;
        }
    }
    for (size_t i = 0; i < n; i++) {
        found[i] = place_of(best[i].end, count);
    }
    return n;
}

bool tut_stretch_guess(const tut_token *t, size_t count, tut_stretch *ret_place)
{
    enum { ENOUGH = 180 }; /* two or three words of a kind */
    int32_t sum = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        sum += bonus[t[i].symbol] - (i >= SEEN ? bonus[t[i - SEEN].symbol] : 0);
        if (sum <= most)
            continue;
        most = sum;
        *ret_place = place_of(i + 1, count);
    }
    return most >= ENOUGH;
}
