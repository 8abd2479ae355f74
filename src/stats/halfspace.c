#include "stats/halfspace.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "stats/seeded.h"

enum { NODES = (2 << TUT_HALFSPACE_DEPTH) - 1, LEAST_MASS = TUT_HALFSPACE_WINDOW / 10 };

typedef struct node {
    float cut;
    uint16_t dimension;
    uint16_t reference, latest; /* points of the window before, and of this one */
} node;

struct tut_halfspace {
    size_t dims, seen;
    double *low, *scale; /* to 0..1 */
    float *point;
    node nodes[TUT_HALFSPACE_TREES][NODES];
};

/* Cuts in the middle of what is left of a dimension, of a range that is itself drawn around the
 * given one (section 3 of the paper). */
static void grow(node *nodes, double *from, double *to, size_t dims, tut_seeded *random)
{
    double kept_from[TUT_HALFSPACE_DEPTH + 1], kept_to[TUT_HALFSPACE_DEPTH + 1];
    uint8_t turn[TUT_HALFSPACE_DEPTH + 1] = {0};
    size_t at = 0, depth = 0;
    while (true) {
        node *n = &nodes[at];
        if (depth == TUT_HALFSPACE_DEPTH || turn[depth] == 2) {
            if (depth == 0)
                return;
            turn[depth] = 0;
            at = (at - 1) / 2;
            depth--;
            from[nodes[at].dimension] = kept_from[depth];
            to[nodes[at].dimension] = kept_to[depth];
            continue;
        }
        if (turn[depth] == 0) {
            n->dimension = (uint16_t)tut_seeded_below(random, dims);
            kept_from[depth] = from[n->dimension];
            kept_to[depth] = to[n->dimension];
            n->cut = (float)((kept_from[depth] + kept_to[depth]) / 2);
        }
        if (turn[depth] == 0)
            to[n->dimension] = (double)n->cut;
        else
            from[n->dimension] = (double)n->cut;
        at = 2 * at + 1 + turn[depth];
        turn[depth]++;
        depth++;
        turn[depth] = 0;
    }
}

tut_status tut_halfspace_new(const double *low, const double *high, size_t dims, uint64_t seed,
                             tut_halfspace **ret_forest, tut_error *err)
{
    tut_seeded random = tut_seeded_of(seed);
    TUT_AUTO_FREE double *range = tut_alloc_array(2 * dims + 1, sizeof(*range));
    tut_halfspace *f = tut_alloc_array(1, sizeof(*f));
    if (!f || !range || dims == 0)
        goto failed;
    f->dims = dims;
    f->low = tut_alloc_array(2 * dims, sizeof(double));
    f->point = tut_alloc_array(dims, sizeof(float));
    if (!f->low || !f->point)
        goto failed;
    f->scale = f->low + dims;
    for (size_t d = 0; d < dims; d++) {
        double span = high[d] - low[d];
        f->low[d] = low[d];
        f->scale[d] = span > 0 && isfinite(span) ? 1 / span : 0;
    }
    for (size_t t = 0; t < TUT_HALFSPACE_TREES; t++) {
        for (size_t d = 0; d < dims; d++) {
            double s = tut_seeded_unit(&random), half = 2 * fmax(s, 1 - s);
            range[d] = s - half;
            range[dims + d] = s + half;
        }
        grow(f->nodes[t], range, range + dims, dims, &random);
    }
    *ret_forest = f;
    return TUT_SUCCESS;
failed:
    tut_halfspace_free(f);
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

void tut_halfspace_free(tut_halfspace *f)
{
    if (!f)
        return;
    tut_free(f->low);
    tut_free(f->point);
    tut_free(f);
}

/* The mass where the point ends, as if all leaves were at one depth. */
static double walk(node *nodes, const float *point)
{
    size_t at = 0;
    double mass = -1;
    for (unsigned depth = 0; depth <= TUT_HALFSPACE_DEPTH; depth++) {
        node *n = &nodes[at];
        n->latest++;
        if (mass < 0 && (n->reference <= LEAST_MASS || depth == TUT_HALFSPACE_DEPTH))
            mass = ldexp(n->reference, (int)depth);
        if (depth < TUT_HALFSPACE_DEPTH)
            at = 2 * at + 1 + (point[n->dimension] >= n->cut);
    }
    return mass;
}

static void turn(tut_halfspace *f)
{
    for (size_t t = 0; t < TUT_HALFSPACE_TREES; t++)
        for (size_t i = 0; i < NODES; i++) {
            f->nodes[t][i].reference = f->nodes[t][i].latest;
            f->nodes[t][i].latest = 0;
        }
}

double tut_halfspace_step(tut_halfspace *f, const double *point)
{
    double mass = 0;
    for (size_t d = 0; d < f->dims; d++) {
        double x = isnan(point[d]) ? 0.5 : (point[d] - f->low[d]) * f->scale[d];
        f->point[d] = (float)fmin(fmax(x, -1), 2);
    }
    for (size_t t = 0; t < TUT_HALFSPACE_TREES; t++)
        mass += walk(f->nodes[t], f->point) / TUT_HALFSPACE_TREES;
    bool is_first = f->seen++ < TUT_HALFSPACE_WINDOW;
    if (f->seen % TUT_HALFSPACE_WINDOW == 0)
        turn(f);
    return is_first ? -1 : TUT_HALFSPACE_WINDOW / (TUT_HALFSPACE_WINDOW + mass);
}
