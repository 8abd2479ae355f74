/* Columns of a table, as somebody who fills in a form can change them. */
#include <math.h>

#include "base/term.h"
#include "probe/evasion_tabular.h"
#include "stats/robust.h"

static void look_at(const tut_evasion *e, size_t j, tut_feature *f, double *room)
{
    const tut_sample *s = e->sample;
    double sum = 0, squares = 0;
    f->is_whole = f->is_bool = true;
    f->low = INFINITY;
    f->high = -INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        float x = s->rows[i * s->width + j];
        f->is_whole &= x == floorf(x);
        f->is_bool &= x == 0 || x == 1;
        f->low = fminf(f->low, x);
        f->high = fmaxf(f->high, x);
        sum += x;
        room[i] = x;
    }
    double mean = sum / (double)s->count;
    for (size_t i = 0; i < s->count; i++)
        squares += (room[i] - mean) * (room[i] - mean);
    f->spread = 1.4826 * tut_robust_of(room, s->count).mad;
    if (f->spread <= 0)
        f->spread = sqrt(squares / (double)s->count);
    if (f->is_bool)
        f->spread = 1;
    f->can_change = e->space.unit[j] > 0 && f->high > f->low;
}

tut_status tut_features_of(tut_evasion *e, tut_features *ret, tut_error *err)
{
    tut_features f = {.count = e->width};
    f.items = tut_evasion_memory(e, e->width, sizeof(*f.items));
    double *room = tut_evasion_memory(e, e->count, sizeof(*room));
    if (!f.items || !room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t j = 0; j < e->width; j++)
        look_at(e, j, &f.items[j], room);
    *ret = f;
    return TUT_SUCCESS;
}

float tut_feature_value(const tut_feature *f, float x, double wanted)
{
    float low = fminf(f->low, x), high = fmaxf(f->high, x);
    if (f->is_bool)
        return x < 0.5F ? 1 : 0;
    if (f->is_whole) /* never further than was wanted */
        wanted = wanted > x ? floor(wanted) : ceil(wanted);
    return fminf(fmaxf((float)wanted, low), high);
}

double tut_features_cost(const tut_features *f, const float *row, const float *other,
                         size_t *ret_changed)
{
    double cost = 0;
    size_t changed = 0;
    for (size_t j = 0; j < f->count; j++) {
        if (other[j] == row[j])
            continue;
        const tut_feature *c = &f->items[j];
        bool is_fine = c->can_change && (!c->is_whole || other[j] == floorf(other[j])) &&
                       other[j] >= fminf(c->low, row[j]) && other[j] <= fmaxf(c->high, row[j]);
        cost += is_fine ? fabs((double)other[j] - row[j]) / c->spread : INFINITY;
        changed++;
    }
    *ret_changed = changed;
    return cost;
}

static void show_number(const tut_feature *f, float x, tut_buf *out)
{
    char digits[32];
    if (!f->is_whole || fabsf(x) >= 1e15F) {
        tut_buf_printf(out, "%.6g", (double)x);
        return;
    }
    tut_human_count((uint64_t)fabsf(x), digits);
    tut_buf_printf(out, "%s%s", x < 0 ? "-" : "", digits);
}

void tut_features_show(const tut_features *f, const tut_sample *s, const float *row,
                       const float *other, tut_buf *out)
{
    const char *between = "";
    for (size_t j = 0; j < f->count; j++) {
        if (other[j] == row[j])
            continue;
        tut_buf_add_z(out, between);
        between = ", ";
        if (s->columns)
            tut_buf_add_escaped(out, tut_str_of(s->columns[j].name), 40);
        else
            tut_buf_printf(out, "column %zu", j + 1);
        tut_buf_add_z(out, " ");
        show_number(&f->items[j], row[j], out);
        tut_buf_add_z(out, " -> ");
        show_number(&f->items[j], other[j], out);
    }
}
