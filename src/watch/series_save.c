/* A series as bytes, and back. What is read was written by us, but is taken for hostile all the
 * same: sizes are checked against what is there. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "watch/series.h"

static void put_real(tut_buf *to, double v)
{
    uint64_t bits = 0;
    memcpy(&bits, &v, sizeof(bits));
    tut_buf_add_u64le(to, bits);
}

static void put_floats(tut_buf *to, const float *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &v[i], sizeof(bits));
        tut_buf_add_u32le(to, bits);
    }
}

static tut_status get_real(tut_reader *r, double *ret)
{
    uint64_t bits = 0;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(bits));
    return TUT_SUCCESS;
}

static tut_status get_floats(tut_reader *r, float *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        TUT_TRY(tut_reader_u32le(r, &bits));
        memcpy(&v[i], &bits, sizeof(bits));
    }
    return TUT_SUCCESS;
}

static tut_status get_time(tut_reader *r, int64_t *ret)
{
    uint64_t bits = 0;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(bits));
    return TUT_SUCCESS;
}

static tut_status get_flag(tut_reader *r, bool *ret)
{
    uint8_t byte = 0;
    TUT_TRY(tut_reader_u8(r, &byte));
    *ret = byte != 0;
    return TUT_SUCCESS;
}

static void put_ranks(tut_buf *to, const tut_ranks *r)
{
    put_floats(to, r->knots, TUT_BANK_KNOTS);
    put_floats(to, r->on_knot, TUT_BANK_KNOTS);
    put_floats(to, r->slopes, TUT_BANK_KNOTS);
    put_floats(to, &r->beyond, 1);
}

static tut_status get_ranks(tut_reader *r, tut_ranks *ret)
{
    TUT_TRY(get_floats(r, ret->knots, TUT_BANK_KNOTS));
    TUT_TRY(get_floats(r, ret->on_knot, TUT_BANK_KNOTS));
    TUT_TRY(get_floats(r, ret->slopes, TUT_BANK_KNOTS));
    return get_floats(r, &ret->beyond, 1);
}

static void put_bank(tut_buf *to, const tut_bank *b)
{
    put_floats(to, b->s, TUT_BANK_LANES);
    put_floats(to, b->a, TUT_BANK_LANES);
    put_floats(to, b->b, TUT_BANK_LANES);
    put_floats(to, b->c, TUT_BANK_LANES);
    put_floats(to, b->h, TUT_BANK_LANES);
    tut_buf_add(to, b->change, TUT_BANK_LANES);
    tut_buf_add_byte(to, (uint8_t)b->kind);
    tut_buf_add_u32le(to, b->learnt);
    put_real(to, b->mean);
    put_real(to, b->deviation);
    const float rest[] = {b->follows, b->last, b->ewma, b->ewma_limit};
    put_floats(to, rest, 4);
    if (b->kind == TUT_BANK_NUMBER)
        put_ranks(to, &b->ranks);
    if (b->follows > 0)
        put_ranks(to, &b->steps);
}

static tut_status get_bank(tut_reader *r, tut_bank *b)
{
    uint8_t kind = 0;
    tut_span change;
    float rest[4];
    TUT_TRY(get_floats(r, b->s, TUT_BANK_LANES));
    TUT_TRY(get_floats(r, b->a, TUT_BANK_LANES));
    TUT_TRY(get_floats(r, b->b, TUT_BANK_LANES));
    TUT_TRY(get_floats(r, b->c, TUT_BANK_LANES));
    TUT_TRY(get_floats(r, b->h, TUT_BANK_LANES));
    TUT_TRY(tut_reader_bytes(r, TUT_BANK_LANES, &change));
    TUT_TRY(tut_reader_u8(r, &kind));
    TUT_TRY(tut_reader_u32le(r, &b->learnt));
    TUT_TRY(get_real(r, &b->mean));
    TUT_TRY(get_real(r, &b->deviation));
    TUT_TRY(get_floats(r, rest, 4));
    for (size_t k = 0; k < TUT_BANK_LANES; k++) {
        if (change.data[k] > TUT_CHANGE_NARROWER)
            return (tut_status){TUT_MALFORMED};
        b->change[k] = change.data[k];
    }
    if (kind > TUT_BANK_NUMBER)
        return (tut_status){TUT_MALFORMED};
    b->kind = (tut_bank_kind)kind;
    b->follows = rest[0];
    b->last = rest[1];
    b->ewma = rest[2];
    b->ewma_limit = rest[3];
    if (b->kind == TUT_BANK_NUMBER)
        TUT_TRY(get_ranks(r, &b->ranks));
    return b->follows > 0 ? get_ranks(r, &b->steps) : TUT_SUCCESS;
}

static void put_chart(tut_buf *to, const tut_series *s)
{
    tut_buf_add_u32le(to, s->point_count);
    tut_buf_add_u32le(to, s->point_events);
    for (uint32_t i = 0; i < s->point_count; i++) {
        const tut_series_point *p = &s->points[i];
        const float v[] = {p->low, p->high, p->sum};
        put_floats(to, v, 3);
        tut_buf_add_u32le(to, p->count);
        tut_buf_add_u64le(to, (uint64_t)p->at_ms);
    }
    tut_buf_add_u32le(to, s->mark_count);
    for (uint32_t i = 0; i < s->mark_count; i++) {
        tut_buf_add_u64le(to, s->marks[i].index);
        tut_buf_add_u64le(to, (uint64_t)s->marks[i].at_ms);
        tut_buf_add_byte(to, s->marks[i].kind);
    }
}

static tut_status get_chart(tut_reader *r, tut_series *s)
{
    TUT_TRY(tut_reader_u32le(r, &s->point_count));
    TUT_TRY(tut_reader_u32le(r, &s->point_events));
    if (s->point_count > TUT_SERIES_POINTS || s->point_events == 0)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < s->point_count; i++) {
        float v[3];
        TUT_TRY(get_floats(r, v, 3));
        s->points[i] = (tut_series_point){.low = v[0], .high = v[1], .sum = v[2]};
        TUT_TRY(tut_reader_u32le(r, &s->points[i].count));
        TUT_TRY(get_time(r, &s->points[i].at_ms));
        if (s->points[i].count == 0)
            return (tut_status){TUT_MALFORMED};
    }
    TUT_TRY(tut_reader_u32le(r, &s->mark_count));
    if (s->mark_count > TUT_SERIES_ALARMS)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < s->mark_count; i++) {
        TUT_TRY(tut_reader_u64le(r, &s->marks[i].index));
        TUT_TRY(get_time(r, &s->marks[i].at_ms));
        TUT_TRY(tut_reader_u8(r, &s->marks[i].kind));
    }
    return TUT_SUCCESS;
}

static void put_adwin(tut_buf *to, const tut_adwin *w)
{
    tut_buf_add_u64le(to, w->width);
    tut_buf_add_u64le(to, w->seen);
    put_real(to, w->total);
    put_real(to, w->variance);
    tut_buf_add_u32le(to, w->rows);
    for (uint32_t row = 0; row < w->rows; row++) {
        tut_buf_add_byte(to, w->used[row]);
        for (size_t k = 0; k < w->used[row]; k++) {
            put_real(to, w->sums[row][k]);
            put_real(to, w->squares[row][k]);
        }
    }
}

static tut_status get_adwin(tut_reader *r, tut_adwin *w)
{
    uint64_t width = 0;
    TUT_TRY(tut_reader_u64le(r, &w->width));
    TUT_TRY(tut_reader_u64le(r, &w->seen));
    TUT_TRY(get_real(r, &w->total));
    TUT_TRY(get_real(r, &w->variance));
    TUT_TRY(tut_reader_u32le(r, &w->rows));
    if (w->rows == 0 || w->rows > TUT_ADWIN_ROWS)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t row = 0; row < w->rows; row++) {
        TUT_TRY(tut_reader_u8(r, &w->used[row]));
        if (w->used[row] > TUT_ADWIN_BUCKETS || (row > 0 && row + 1 == w->rows && !w->used[row]))
            return (tut_status){TUT_MALFORMED};
        width += (uint64_t)w->used[row] << row;
        for (size_t k = 0; k < w->used[row]; k++) {
            TUT_TRY(get_real(r, &w->sums[row][k]));
            TUT_TRY(get_real(r, &w->squares[row][k]));
        }
    }
    return width == w->width ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

void tut_series_save(const tut_series *s, tut_buf *to)
{
    tut_buf_add_sized(to, tut_str_of(s->name));
    put_real(to, s->options.interval);
    tut_buf_add_u32le(to, s->options.learn);
    tut_buf_add_byte(to, s->adwin != NULL);
    tut_buf_add_byte(to, s->options.no_seasons);
    tut_buf_add_byte(to, s->options.keeps);
    tut_buf_add_u64le(to, s->seen);
    tut_buf_add_u64le(to, s->missing);
    tut_buf_add_u64le(to, s->late);
    tut_buf_add_u64le(to, s->alarms);
    tut_buf_add_u64le(to, (uint64_t)s->first_ms);
    tut_buf_add_u64le(to, (uint64_t)s->last_ms);
    tut_buf_add_byte(to, s->is_learnt);
    tut_buf_add_u32le(to, s->held);
    for (uint32_t i = 0; i < s->held; i++) {
        put_real(to, s->values[i]);
        tut_buf_add_u64le(to, (uint64_t)s->times[i]);
    }
    tut_buf_add_u32le(to, s->slots);
    put_floats(to, s->usual, s->slots);
    put_bank(to, &s->bank);
    put_floats(to, s->ring, TUT_SERIES_RING);
    tut_buf_add_byte(to, s->is_open);
    tut_buf_add_byte(to, s->open_kind);
    tut_buf_add_u32le(to, s->calm);
    tut_buf_add_u32le(to, s->patience);
    tut_buf_add_u64le(to, s->ended);
    tut_buf_add_byte(to, s->ended_kind);
    tut_buf_add_u32le(to, s->again);
    put_real(to, s->gap_mean);
    put_real(to, s->gap_most);
    tut_buf_add_byte(to, s->is_silent);
    put_chart(to, s);
    if (s->adwin)
        put_adwin(to, s->adwin);
}

static tut_status get_learning(tut_reader *r, tut_series *s)
{
    uint32_t held = 0, slots = 0;
    TUT_TRY(get_flag(r, &s->is_learnt));
    TUT_TRY(tut_reader_u32le(r, &held));
    if (held > s->options.learn || (!s->is_learnt && held == s->options.learn))
        return (tut_status){TUT_MALFORMED};
    for (; s->held < held; s->held++) {
        TUT_TRY(get_real(r, &s->values[s->held]));
        TUT_TRY(get_time(r, &s->times[s->held]));
        if (!isfinite(s->values[s->held]))
            return (tut_status){TUT_MALFORMED};
    }
    if (s->is_learnt && held == 0) {
        tut_free(s->values);
        tut_free(s->times);
        s->values = NULL;
        s->times = NULL;
    }
    TUT_TRY(tut_reader_u32le(r, &slots));
    if (slots != 0 && slots != 24 && slots != TUT_SERIES_SLOTS)
        return (tut_status){TUT_MALFORMED};
    s->slots = (uint16_t)slots;
    return get_floats(r, s->usual, slots);
}

static tut_status get_rest(tut_reader *r, tut_series *s)
{
    TUT_TRY(tut_reader_u64le(r, &s->seen));
    TUT_TRY(tut_reader_u64le(r, &s->missing));
    TUT_TRY(tut_reader_u64le(r, &s->late));
    TUT_TRY(tut_reader_u64le(r, &s->alarms));
    TUT_TRY(get_time(r, &s->first_ms));
    TUT_TRY(get_time(r, &s->last_ms));
    TUT_TRY(get_learning(r, s));
    TUT_TRY(get_bank(r, &s->bank));
    TUT_TRY(get_floats(r, s->ring, TUT_SERIES_RING));
    TUT_TRY(get_flag(r, &s->is_open));
    TUT_TRY(tut_reader_u8(r, &s->open_kind));
    TUT_TRY(tut_reader_u32le(r, &s->calm));
    TUT_TRY(tut_reader_u32le(r, &s->patience));
    TUT_TRY(tut_reader_u64le(r, &s->ended));
    TUT_TRY(tut_reader_u8(r, &s->ended_kind));
    TUT_TRY(tut_reader_u32le(r, &s->again));
    TUT_TRY(get_real(r, &s->gap_mean));
    TUT_TRY(get_real(r, &s->gap_most));
    TUT_TRY(get_flag(r, &s->is_silent));
    TUT_TRY(get_chart(r, s));
    return s->adwin ? get_adwin(r, s->adwin) : TUT_SUCCESS;
}

tut_status tut_series_load(tut_reader *r, tut_series **ret_series, tut_error *err)
{
    TUT_AUTO(tut_series) s = NULL;
    tut_series_options o = {.interval = 0};
    tut_str name;
    TUT_TRY(tut_reader_sized(r, &name));
    TUT_TRY(get_real(r, &o.interval));
    TUT_TRY(tut_reader_u32le(r, &o.learn));
    TUT_TRY(get_flag(r, &o.has_adwin));
    TUT_TRY(get_flag(r, &o.no_seasons));
    TUT_TRY(get_flag(r, &o.keeps));
    if (!(o.interval >= 1 && isfinite(o.interval)) || o.learn > TUT_SERIES_LEARN_MAX ||
        name.len == 0 || name.len >= TUT_SERIES_NAME)
        return tut_fail(err, TUT_MALFORMED, "a stream is not described as we do it");
    TUT_TRY(tut_series_new(name, &o, &s, err));
    tut_status status = get_rest(r, s);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "the state of stream %s is not whole", s->name);
    *ret_series = tut_move(&s);
    return TUT_SUCCESS;
}
