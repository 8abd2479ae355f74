/* Features of a tensor, asked. */
#include "guard/bounds.h"

#include <math.h>
#include <stdio.h>

static bool is_listed(const tut_guard_feature *f, double n)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (f->values[i] == n)
            return true;
    return false;
}

const char *tut_guard_feature_refuses(const tut_guard_feature *f, double n)
{
    if (n < f->least || n > f->most) /* never of NaN */
        return "out of its range";
    if (f->is_whole && n != floor(n))
        return "not whole";
    if (f->value_count && !is_listed(f, n))
        return "none of those that the column has";
    return NULL;
}

static void put_end(double end, bool is_whole, char buf[32])
{
    if (isnan(end))
        (void)snprintf(buf, 32, "any");
    else
        (void)snprintf(buf, 32, is_whole && fabs(end) < 1e15 ? "%.0f" : "%.6g", end);
}

void tut_guard_feature_range(const tut_guard_feature *f, char *buf, size_t cap)
{
    char least[32], most[32];
    put_end(f->least, f->is_whole, least);
    put_end(f->most, f->is_whole, most);
    (void)snprintf(buf, cap, "%s to %s", least, most);
}

bool tut_guard_feature_is_bounded(const tut_guard_feature *f)
{
    return f->value_count || (!isnan(f->least) && !isnan(f->most));
}

double tut_guard_feature_sample(const tut_guard_feature *f)
{
    if (f->value_count)
        return is_listed(f, 0) ? 0 : f->values[0];
    return f->least > 0 ? f->least : f->most < 0 ? f->most : 0;
}

bool tut_guard_features_fit(size_t count, const int64_t *shape, size_t rank)
{
    uint64_t held = 1;
    if (count == 1)
        return rank < 2 || shape[rank - 1] == 1 || shape[rank - 1] < 0;
    while (rank-- > 0) {
        if (shape[rank] < 0)
            return count % held == 0;
        if (shape[rank] == 0 || (uint64_t)shape[rank] > count / held)
            return false;
        held *= (uint64_t)shape[rank];
        if (held == count)
            return true;
    }
    return false;
}

void tut_guard_features_close(size_t count, int64_t *shape, size_t rank)
{
    uint64_t held = 1;
    while (rank-- > 0) {
        if (shape[rank] < 0)
            shape[rank] = held < count ? (int64_t)(count / held) : 1;
        held *= (uint64_t)shape[rank];
    }
}
