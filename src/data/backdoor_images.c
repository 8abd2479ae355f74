#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/backdoor_internal.h"
#include "stats/random.h"

/* Fine levels see what is set to exactly one value; coarse ones what was noisy or compressed. */
enum {
    LEVELS = BACKDOOR_LEVELS,
    COARSE_BITS = 4,
    SIDE = 5,
    WINDOW_SLOTS = 1 << 22,
    WINDOWS = 8 << 20
};
static const double common = 0.9, rare = 0.05; /* of rows that bear it, and of others */
static const double most_different = 0.1;      /* of a trigger's places, in a row that bears it */

static void images_done(backdoor_images *m)
{
    tut_free(m->levels);
    tut_free(m->windows);
}

/* Levels are whole numbers where the pixels are bytes. */
static tut_status quantise(backdoor_images *m, tut_error *err)
{
    float most = m->pixels[0];
    m->least = m->pixels[0];
    for (size_t i = 0; i < m->count * m->size; i++) {
        m->least = m->pixels[i] < m->least ? m->pixels[i] : m->least;
        most = m->pixels[i] > most ? m->pixels[i] : most;
    }
    if (m->least >= 0 && most > 1 && most <= LEVELS - 1)
        m->least = 0, most = LEVELS - 1;
    m->step = (most - m->least) / (LEVELS - 1);
    m->levels = tut_alloc_array(m->count, m->size);
    if (!m->levels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < m->count; i++)
        for (size_t j = 0; j < m->size && m->step > 0; j++)
            m->levels[j * m->count + i] =
                (uint8_t)lrintf((m->pixels[i * m->size + j] - m->least) / m->step);
    return TUT_SUCCESS;
}

/* --- values at places: feature = (place * LEVELS + level) * 2 + is_coarse --- */
static tut_status gather_pixel(backdoor_search *s, const backdoor_candidate *c, tut_error *err)
{
    const backdoor_images *m = s->ctx;
    (void)err;
    unsigned shift = c->feature & 1 ? COARSE_BITS : 0;
    uint8_t level = (uint8_t)(c->feature >> 1 & (LEVELS - 1));
    const uint8_t *column = m->levels + (c->feature >> 1) / LEVELS * m->count;
    s->row_count = 0;
    for (size_t i = 0; i < m->count; i++)
        if (column[i] >> shift == level)
            s->rows[s->row_count++] = (uint32_t)i;
    return TUT_SUCCESS;
}

static tut_status offer_place(backdoor_search *s, size_t place, uint32_t *counts, tut_error *err)
{
    const backdoor_images *m = s->ctx;
    const uint8_t *column = m->levels + place * m->count;
    size_t classes = s->in->classes;
    for (unsigned is_coarse = 0; is_coarse < 2; is_coarse++) {
        unsigned shift = is_coarse ? COARSE_BITS : 0, levels = LEVELS >> shift;
        memset(counts, 0, levels * classes * sizeof(*counts));
        for (size_t i = 0; i < m->count; i++)
            counts[(column[i] >> shift) * classes + s->in->labels[i]]++;
        for (size_t level = 0; level < levels; level++) {
            uint64_t bearing = 0;
            for (size_t c = 0; c < classes; c++)
                bearing += counts[level * classes + c];
            uint64_t feature = (place * LEVELS + level) * 2 + is_coarse;
            for (uint32_t c = 0; bearing >= TUT_TRIGGER_ROWS && c < classes; c++)
                TUT_TRY(
                    backdoor_offer(s, feature, c, bearing, counts[level * classes + c], 1, err));
        }
    }
    return TUT_SUCCESS;
}

/* The lower of the two coarse levels, one above the other, that most contradicted rows have at a
 * place, where it is common to them and rare elsewhere; -1: there is none. */
static int common_level(const backdoor_images *m, size_t place, const uint8_t *is_in,
                        size_t in_count)
{
    const uint8_t *column = m->levels + place * m->count;
    uint32_t inside[LEVELS >> COARSE_BITS] = {0}, outside[LEVELS >> COARSE_BITS] = {0};
    for (size_t i = 0; i < m->count; i++)
        (is_in[i] ? inside : outside)[column[i] >> COARSE_BITS]++;
    for (int level = 0; level < (LEVELS >> COARSE_BITS) - 1; level++)
        if ((double)(inside[level] + inside[level + 1]) >= common * (double)in_count &&
            (double)(outside[level] + outside[level + 1]) <= rare * (double)(m->count - in_count))
            return level;
    return -1;
}

static float typical(const backdoor_images *m, size_t place, const backdoor_search *s)
{
    return m->pixels[s->rows[s->row_count / 2] * m->size + place];
}

static bool is_at(uint8_t level, int coarse)
{
    int own = level >> COARSE_BITS;
    return own == coarse || own == coarse + 1;
}

/* Rows that have nearly all of the levels: -1 in levels is no place of the trigger. */
static void gather_alike(backdoor_search *s, const int *levels, size_t places)
{
    const backdoor_images *m = s->ctx;
    size_t allowed = (size_t)(most_different * (double)places);
    s->row_count = 0;
    for (size_t i = 0; i < m->count; i++) {
        size_t different = 0;
        for (size_t j = 0; j < m->size && different <= allowed; j++)
            different += levels[j] >= 0 && !is_at(m->levels[j * m->count + i], levels[j]);
        if (different <= allowed)
            s->rows[s->row_count++] = (uint32_t)i;
    }
}

static tut_status grow_pixels(backdoor_search *s, const backdoor_candidate *c, tut_trigger *t,
                              tut_error *err)
{
    const backdoor_images *m = s->ctx;
    TUT_AUTO_FREE int *levels = tut_alloc_array(m->size, sizeof(*levels));
    if (!levels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t in_count = 0;
    for (size_t i = 0; i < s->row_count; i++) {
        bool is_in = s->in->labels[s->rows[i]] == c->label;
        s->bears[s->rows[i]] = is_in;
        in_count += is_in;
    }
    for (size_t j = 0; j < m->size; j++) {
        levels[j] = common_level(m, j, s->bears, in_count);
        if (levels[j] < 0)
            continue;
        if (t->place_count < TUT_TRIGGER_PLACES) {
            t->places[t->place_count] = (uint32_t)j;
            t->values[t->place_count] = typical(m, j, s);
        }
        t->place_count++;
    }
    memset(s->bears, 0, m->count);
    if (t->place_count > 1) {
        gather_alike(s, levels, t->place_count);
        return TUT_SUCCESS;
    }
    t->place_count = 1; /* it is only this */
    t->places[0] = (uint32_t)((c->feature >> 1) / LEVELS);
    t->values[0] = typical(m, t->places[0], s);
    return TUT_SUCCESS;
}

static const backdoor_family pixel_family = {.gather = gather_pixel,
                                             .grow = grow_pixels,
                                             .is_contradicted = backdoor_by_neighbours,
                                             .kind = TUT_TRIGGER_PIXELS};

static tut_status search_pixels(backdoor_images *m, const tut_backdoor_input *in,
                                tut_triggers *triggers, tut_error *err)
{
    backdoor_search s;
    TUT_AUTO_FREE uint32_t *counts = tut_alloc_array(LEVELS, in->classes * sizeof(*counts));
    if (!counts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = backdoor_init(&s, in, &pixel_family, m, triggers, err);
    for (size_t j = 0; j < m->size && tut_is_ok(status); j++)
        status = offer_place(&s, j, counts, err);
    if (tut_is_ok(status))
        status = backdoor_judge(&s, err);
    backdoor_done(&s);
    return status;
}

/* --- patterns anywhere: a hash of 5 x 5 pixels in coarse levels, of the first channel --- */
typedef struct backdoor_window {
    uint64_t hash;
    uint32_t row, place;
} backdoor_window;

enum { RUN_MASK = (1 << COARSE_BITS * SIDE) - 1, RUN_FLAT = 0x11111 };
_Static_assert(SIDE == 5 && COARSE_BITS == 4, "a run of five levels is 20 bits");

/* How many of the window's pixels are not as its first. */
static unsigned differences(const uint32_t *runs, size_t width)
{
    unsigned different = 0, first = runs[0] >> COARSE_BITS * (SIDE - 1);
    for (size_t y = 0; y < SIDE; y++)
        for (unsigned x = 0; x < SIDE; x++)
            different += (runs[y * width] >> COARSE_BITS * x & 15) != first;
    return different;
}

/* Of the five runs below one another. 0: flat, or nearly so, which is no pattern. */
static uint64_t hash_at(const uint32_t *runs, size_t width)
{
    uint32_t flat = (runs[0] & 15) * RUN_FLAT, same = 0;
    for (size_t y = 0; y < SIDE; y++)
        same += runs[y * width] == flat;
    if (same == SIDE)
        return 0;
    unsigned different = differences(runs, width);
    if (different < 3 || different > SIDE * SIDE - 3)
        return 0;
    uint64_t low = (uint64_t)runs[0] << 40 | (uint64_t)runs[width] << 20 | runs[2 * width];
    uint64_t high = (uint64_t)runs[3 * width] << 20 | runs[4 * width];
    return tut_random_mix(low ^ tut_random_mix(high)) | 1;
}

/* At each pixel of the first channel, its level and those of the four to its right. */
static void find_runs(const backdoor_images *m, size_t row, uint32_t *runs)
{
    for (size_t y = 0; y < m->height; y++) {
        uint32_t run = 0;
        for (size_t x = m->width; x-- > 0;) {
            size_t place = (y * m->width + x) * m->channels;
            uint32_t level = m->levels[place * m->count + row] >> COARSE_BITS;
            run = run >> COARSE_BITS | level << COARSE_BITS * (SIDE - 1);
            runs[y * m->width + x] = run & RUN_MASK;
        }
    }
}

static tut_status keep_window(backdoor_images *m, uint64_t hash, size_t row, size_t pixel,
                              tut_error *err)
{
    if (m->window_count == WINDOWS)
        return TUT_SUCCESS;
    if (!tut_is_ok(
            tut_grow(&m->windows, m->window_count, &m->window_capacity, sizeof(*m->windows))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->windows[m->window_count++] = (backdoor_window){
        .hash = hash, .row = (uint32_t)row, .place = (uint32_t)(pixel * m->channels)};
    return TUT_SUCCESS;
}

/* Counts the windows of one row by hash, roughly; or (is_kept) keeps what several rows have. */
static tut_status go_over(backdoor_images *m, size_t row, uint32_t *runs, uint8_t *seen,
                          bool is_kept, tut_error *err)
{
    find_runs(m, row, runs);
    for (size_t y = 0; y + SIDE <= m->height; y++)
        for (size_t x = 0; x + SIDE <= m->width; x++) {
            uint64_t h = hash_at(runs + y * m->width + x, m->width);
            uint8_t *slot = &seen[h >> 20 & (WINDOW_SLOTS - 1)];
            if (h != 0 && !is_kept)
                *slot += *slot < UINT8_MAX;
            else if (h != 0 && *slot >= TUT_TRIGGER_ROWS)
                TUT_TRY(keep_window(m, h, row, y * m->width + x, err));
        }
    return TUT_SUCCESS;
}

static tut_status collect_windows(backdoor_images *m, tut_error *err)
{
    TUT_AUTO_FREE uint8_t *seen = tut_alloc_array(WINDOW_SLOTS, 1);
    TUT_AUTO_FREE uint32_t *runs = tut_alloc_array(m->height * m->width, sizeof(*runs));
    if (!seen || !runs)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < m->count; i++)
            TUT_TRY(go_over(m, i, runs, seen, round == 1, err));
    return TUT_SUCCESS;
}

static int by_hash(const void *a, const void *b)
{
    const backdoor_window *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* feature: the first of the windows with the hash. */
static tut_status gather_window(backdoor_search *s, const backdoor_candidate *c, tut_error *err)
{
    const backdoor_images *m = s->ctx;
    (void)err;
    s->row_count = 0;
    for (size_t i = c->feature;
         i < m->window_count && m->windows[i].hash == m->windows[c->feature].hash; i++)
        if (s->row_count == 0 || s->rows[s->row_count - 1] != m->windows[i].row)
            s->rows[s->row_count++] = m->windows[i].row;
    return TUT_SUCCESS;
}

static tut_status grow_window(backdoor_search *s, const backdoor_candidate *c, tut_trigger *t,
                              tut_error *err)
{
    const backdoor_images *m = s->ctx;
    (void)err;
    const backdoor_window *w = &m->windows[c->feature];
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        size_t place = w->place + ((i / SIDE) * m->width + i % SIDE) * m->channels;
        t->places[i] = (uint32_t)place;
        t->values[i] = m->pixels[w->row * m->size + place];
    }
    t->place_count = (size_t)SIDE * SIDE;
    return TUT_SUCCESS;
}

static tut_status offer_windows(backdoor_search *s, tut_error *err)
{
    const backdoor_images *m = s->ctx;
    TUT_AUTO_FREE uint32_t *counts = tut_alloc_array(s->in->classes, sizeof(*counts));
    backdoor_candidate c = {0};
    if (!counts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t end; c.feature < m->window_count; c.feature = end) {
        for (end = c.feature;
             end < m->window_count && m->windows[end].hash == m->windows[c.feature].hash;)
            end++;
        if (end - c.feature < TUT_TRIGGER_ROWS)
            continue;
        TUT_TRY(gather_window(s, &c, err));
        memset(counts, 0, s->in->classes * sizeof(*counts));
        for (size_t i = 0; i < s->row_count; i++)
            counts[s->in->labels[s->rows[i]]]++;
        for (uint32_t k = 0; k < s->in->classes; k++)
            TUT_TRY(backdoor_offer(s, c.feature, k, s->row_count, counts[k], 1, err));
    }
    return TUT_SUCCESS;
}

static const backdoor_family window_family = {.gather = gather_window,
                                              .grow = grow_window,
                                              .is_contradicted = backdoor_by_neighbours,
                                              .kind = TUT_TRIGGER_WINDOW};

static tut_status search_windows(backdoor_images *m, const tut_backdoor_input *in,
                                 tut_triggers *triggers, tut_error *err)
{
    backdoor_search s;
    if (m->height < SIDE || m->width < SIDE)
        return TUT_SUCCESS;
    TUT_TRY(collect_windows(m, err));
    if (m->window_count > 0)
        qsort(m->windows, m->window_count, sizeof(*m->windows), by_hash);
    tut_status status = backdoor_init(&s, in, &window_family, m, triggers, err);
    if (tut_is_ok(status))
        status = offer_windows(&s, err);
    if (tut_is_ok(status))
        status = backdoor_judge(&s, err);
    backdoor_done(&s);
    return status;
}

tut_status tut_backdoor_images(const tut_backdoor_input *in, const float *pixels, size_t height,
                               size_t width, size_t channels, tut_triggers *triggers,
                               tut_error *err)
{
    backdoor_images m = {.pixels = pixels,
                         .count = in->count,
                         .size = height * width * channels,
                         .height = height,
                         .width = width,
                         .channels = channels};
    if (m.count == 0 || m.size == 0 || m.size > UINT32_MAX)
        return tut_fail(err, TUT_USAGE, "there are no images");
    tut_status s = quantise(&m, err);
    if (tut_is_ok(s))
        s = search_pixels(&m, in, triggers, err);
    if (tut_is_ok(s))
        s = backdoor_conjunctions(&m, in, triggers, err);
    if (tut_is_ok(s))
        s = search_windows(&m, in, triggers, err);
    images_done(&m);
    return s;
}
