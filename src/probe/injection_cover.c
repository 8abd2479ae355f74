/*
 * Attempts that cover each pair of values of any two axes in few queries: each next one is the best
 * of a number of random ones (Cohen, Dalal, Fredman and Patton 1997).
 */
#include "probe/injection_internal.h"

enum { CANDIDATES = 40, VALUES = 32, PAIRS = TUT_AXIS_COUNT * TUT_AXIS_COUNT };

struct tut_cover {
    const tut_injection_goals *goals;
    uint8_t had[PAIRS][VALUES][VALUES]; /* of two axes, the first below the second */
    size_t pairs, covered;
};

/* The values of an axis: of the goals those that the system has a tool for. */
static size_t size_of(const tut_cover *c, tut_injection_axis axis)
{
    return axis == TUT_AXIS_GOAL ? c->goals->count : tut_axis_size(axis);
}

static uint8_t value_of(const tut_cover *c, tut_injection_axis axis, size_t i)
{
    return axis == TUT_AXIS_GOAL ? c->goals->goals[i] : (uint8_t)i;
}

tut_status tut_cover_new(const tut_injection_goals *goals, tut_cover **ret_cover, tut_error *err)
{
    TUT_AUTO(tut_cover) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->goals = goals;
    for (tut_injection_axis a = 0; a < TUT_AXIS_COUNT; a++) {
        if (size_of(c, a) == 0 || tut_axis_size(a) > VALUES)
            return tut_fail(err, TUT_BUG, "the axis %s has %zu values", tut_axis_name(a),
                            size_of(c, a));
        for (tut_injection_axis b = a + 1; b < TUT_AXIS_COUNT; b++)
            c->pairs += size_of(c, a) * size_of(c, b);
    }
    *ret_cover = tut_move(&c);
    return TUT_SUCCESS;
}

void tut_cover_free(tut_cover *c)
{
    tut_free(c);
}

static uint8_t *place_of(tut_cover *c, const uint8_t *at, size_t a, size_t b)
{
    return &c->had[a * TUT_AXIS_COUNT + b][at[a]][at[b]];
}

static size_t count_new(tut_cover *c, const uint8_t *at)
{
    size_t n = 0;
    for (size_t a = 0; a < TUT_AXIS_COUNT; a++)
        for (size_t b = a + 1; b < TUT_AXIS_COUNT; b++)
            n += !*place_of(c, at, a, b);
    return n;
}

static void draw(const tut_cover *c, tut_seeded *r, uint8_t *ret_at)
{
    for (tut_injection_axis a = 0; a < TUT_AXIS_COUNT; a++)
        ret_at[a] = value_of(c, a, tut_seeded_below(r, size_of(c, a)));
}

void tut_cover_next(tut_cover *c, tut_seeded *r, uint8_t *ret_at)
{
    uint8_t one[TUT_AXIS_COUNT];
    size_t best = 0;
    draw(c, r, ret_at);
    best = count_new(c, ret_at);
    for (size_t i = 1; i < CANDIDATES; i++) {
        draw(c, r, one);
        size_t n = count_new(c, one);
        if (n <= best)
            continue;
        best = n;
        memcpy(ret_at, one, sizeof(one));
    }
    for (size_t a = 0; a < TUT_AXIS_COUNT; a++)
        for (size_t b = a + 1; b < TUT_AXIS_COUNT; b++)
            *place_of(c, ret_at, a, b) = 1;
    c->covered += best;
}

double tut_cover_share(const tut_cover *c)
{
    return (double)c->covered / (double)c->pairs;
}
