/* Which changes of a row are allowed, and how large they are. */
#include <math.h>

#include "probe/evasion.h"

static tut_status take_shape(const tut_probe *p, const tut_target_facts *facts, tut_space *s,
                             tut_error *err)
{
    size_t axes = p->axes ? p->axes : facts->axes, all = 1, known = 0, dim[3] = {1, 1, 1};
    const size_t *shape = p->axes ? p->shape : facts->shape;
    for (size_t i = 0; i < axes; i++)
        all *= shape[i];
    if (p->axes && all != s->width)
        return tut_fail(err, TUT_USAGE, "the shape has %zu numbers, the rows have %zu", all,
                        s->width);
    s->channels = s->tall = 1;
    s->wide = s->width;
    s->step_channel = s->step_down = s->width;
    s->step_right = 1;
    for (size_t i = 0; i < axes; i++)
        if (shape[i] > 1 || (axes <= 3 && axes - i <= 2)) {
            if (known == 3)
                return TUT_SUCCESS;
            dim[known++] = shape[i];
        }
    if (all != s->width || known < 2)
        return TUT_SUCCESS;
    /* Colours last where the last axis is as short as colours are. */
    bool is_last = known == 3 && dim[2] <= 4 && dim[0] > 4;
    s->is_image = true;
    s->channels = known == 2 ? 1 : is_last ? dim[2] : dim[0];
    s->tall = known == 2 ? dim[0] : is_last ? dim[0] : dim[1];
    s->wide = known == 2 ? dim[1] : is_last ? dim[1] : dim[2];
    s->step_channel = is_last ? 1 : s->tall * s->wide;
    s->step_right = is_last ? s->channels : 1;
    s->step_down = s->wide * s->step_right;
    return TUT_SUCCESS;
}

static void take_ranges(const tut_probe *p, const tut_sample *sample, tut_space *s)
{
    float least = INFINITY, most = -INFINITY;
    bool is_wished = p->low != 0 || p->high != 0;
    for (size_t j = 0; j < s->width; j++)
        s->low[j] = INFINITY, s->high[j] = -INFINITY;
    for (size_t i = 0; i < sample->count; i++)
        for (size_t j = 0; j < s->width; j++) {
            float x = sample->rows[i * s->width + j];
            s->low[j] = fminf(s->low[j], x);
            s->high[j] = fmaxf(s->high[j], x);
        }
    s->is_common = is_wished || s->is_image;
    for (size_t j = 0; j < s->width; j++) {
        least = fminf(least, s->low[j]);
        most = fmaxf(most, s->high[j]);
    }
    for (size_t j = 0; j < s->width; j++) {
        if (s->is_common) {
            s->low[j] = is_wished ? (float)p->low : least;
            s->high[j] = is_wished ? (float)p->high : most;
        }
        s->unit[j] = s->is_common ? 1 : s->high[j] - s->low[j];
    }
}

static tut_status fix_columns(const tut_probe *p, const tut_sample *sample, tut_space *s,
                              tut_error *err)
{
    tut_str rest = tut_str_of(p->fixed);
    while (rest.len) {
        size_t at = 0;
        tut_str name = rest;
        if (tut_str_find(rest, TUT_LIT("\n"), &at))
            name.len = at;
        rest = (tut_str){rest.data + name.len, rest.len - name.len};
        if (rest.len)
            rest = (tut_str){rest.data + 1, rest.len - 1};
        name = tut_str_trim(name);
        bool is_there = name.len == 0;
        for (size_t j = 0; sample->columns && j < s->width; j++)
            if (name.len && tut_str_eq_z(name, sample->columns[j].name)) {
                s->unit[j] = 0;
                is_there = true;
            }
        if (!is_there)
            return tut_fail(err, TUT_USAGE, "no column is named \"%.*s\": it cannot be held fixed",
                            (int)(name.len < 96 ? name.len : 96), name.data);
    }
    return TUT_SUCCESS;
}

static double usual_size(const tut_space *s)
{
    double span = s->is_common && s->width ? (double)s->high[0] - s->low[0] : 1;
    return s->norm == TUT_NORM_L2 ? 0.05 * sqrt((double)s->width) * span : 0.1 * span;
}

tut_status tut_space_of(const tut_probe *p, const tut_sample *sample, const tut_target_facts *facts,
                        tut_arena *arena, tut_space *ret, tut_error *err)
{
    tut_space s = {.norm = p->norm, .width = sample->width};
    s.low = tut_arena_take(arena, s.width + 1, sizeof(float));
    s.high = tut_arena_take(arena, s.width + 1, sizeof(float));
    s.unit = tut_arena_take(arena, s.width + 1, sizeof(float));
    if (!s.low || !s.high || !s.unit)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!(p->size >= 0) || isinf(p->size))
        return tut_fail(err, TUT_USAGE, "the size of a change is a number from 0 up");
    if ((p->low != 0 || p->high != 0) && !(p->low < p->high))
        return tut_fail(err, TUT_USAGE, "the range from %g to %g holds nothing", p->low, p->high);
    TUT_TRY(take_shape(p, facts, &s, err));
    take_ranges(p, sample, &s);
    TUT_TRY(fix_columns(p, sample, &s, err));
    s.size = p->size > 0 ? p->size : usual_size(&s);
    *ret = s;
    return TUT_SUCCESS;
}

void tut_space_add(const tut_space *s, const float *row, const float *delta, float *restrict ret)
{
    const float *unit = s->unit, *lows = s->low, *highs = s->high;
    for (size_t j = 0, n = s->width; j < n; j++) {
        float x = row[j] + delta[j] * unit[j];
        float low = lows[j] < row[j] ? lows[j] : row[j];
        float high = highs[j] > row[j] ? highs[j] : row[j];
        x = x < low ? low : x;
        ret[j] = x > high ? high : x;
    }
}

void tut_space_between(const tut_space *s, const float *row, const float *other, float *ret_delta)
{
    for (size_t j = 0; j < s->width; j++)
        ret_delta[j] = s->unit[j] > 0 ? (other[j] - row[j]) / s->unit[j] : 0;
}

double tut_space_length(const tut_space *s, const float *delta)
{
    double sum = 0, most = 0;
    for (size_t j = 0; j < s->width; j++) {
        double d = s->unit[j] > 0 ? fabs((double)delta[j]) : 0;
        sum += d * d;
        most = d > most ? d : most;
    }
    return s->norm == TUT_NORM_L2 ? sqrt(sum) : most;
}

double tut_space_distance(const tut_space *s, const float *row, const float *other)
{
    double sum = 0, most = 0;
    for (size_t j = 0; j < s->width; j++) {
        double d = (double)other[j] - row[j];
        if (d == 0)
            continue;
        d = s->unit[j] > 0 ? fabs(d) / s->unit[j] : INFINITY;
        sum += d * d;
        most = d > most ? d : most;
    }
    return s->norm == TUT_NORM_L2 ? sqrt(sum) : most;
}

/* Two at a time (Box and Muller). */
static void draw_normals(tut_seeded *random, float *ret, size_t n)
{
    for (size_t j = 0; j < n; j += 2) {
        double far = sqrt(-2 * log(1 - tut_seeded_unit(random)));
        double angle = 6.283185307179586 * tut_seeded_unit(random);
        ret[j] = (float)(far * cos(angle));
        if (j + 1 < n)
            ret[j + 1] = (float)(far * sin(angle));
    }
}

void tut_space_way(const tut_space *s, tut_seeded *random, float *ret)
{
    double sum = 0;
    if (s->norm == TUT_NORM_L2)
        draw_normals(random, ret, s->width);
    for (size_t j = 0; j < s->width; j++) {
        if (s->norm != TUT_NORM_L2)
            ret[j] = (float)(2 * tut_seeded_unit(random) - 1);
        ret[j] = s->unit[j] > 0 ? ret[j] : 0;
        sum += (double)ret[j] * ret[j];
    }
    float by = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (size_t j = 0; j < s->width; j++)
        ret[j] *= by;
}

void tut_space_noise(const tut_space *s, double length, tut_seeded *random, float *ret_delta)
{
    if (s->norm == TUT_NORM_L2)
        tut_space_way(s, random, ret_delta);
    for (size_t j = 0; j < s->width; j++) {
        if (s->norm != TUT_NORM_L2)
            ret_delta[j] = s->unit[j] <= 0 ? 0 : tut_seeded_below(random, 2) ? 1 : -1;
        ret_delta[j] *= (float)length;
    }
}
