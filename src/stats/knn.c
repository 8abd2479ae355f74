#include "stats/knn.h"

#include <float.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cage.h"

/* A block of SIDE rows is stored column after column, so that SIDE products are made at once; PART
 * of them by a row of the other block. DEPTH columns of two blocks fit into the nearest cache. */
enum { SIDE = 16, PART = 4, DEPTH = 256 };

#if defined(__x86_64__) && defined(__GNUC__)
#define FUSED_IS_THERE() (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define FUSED __attribute__((target("avx2,fma")))
#else
#define FUSED_IS_THERE() 0
#define FUSED
#endif

typedef struct search {
    float *blocks; /* block after block */
    float *norms;
    tut_neighbour *found; /* k a row, sorted */
    float *worst;         /* a row's k-th distance so far */
    size_t count, width, k, block_count;
} search;

/* Eight numbers that are added and multiplied together; the compiler takes two halves where the
 * processor has no registers of that size. */
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

static inline __attribute__((always_inline)) void multiply_body(const float *a, const float *b,
                                                                size_t depth, float *dots)
{
    for (size_t part = 0; part < SIDE; part += PART) {
        eight *to = (eight *)(dots + part * SIDE);
        eight s0 = to[0], t0 = to[1], s1 = to[2], t1 = to[3];
        eight s2 = to[4], t2 = to[5], s3 = to[6], t3 = to[7];
        const float *x = a + part;
        for (size_t d = 0; d < depth; d++, x += SIDE) {
            const eight *y = (const eight *)(b + d * SIDE);
            eight left = y[0], right = y[1];
            s0 += x[0] * left;
            t0 += x[0] * right;
            s1 += x[1] * left;
            t1 += x[1] * right;
            s2 += x[2] * left;
            t2 += x[2] * right;
            s3 += x[3] * left;
            t3 += x[3] * right;
        }
        to[0] = s0, to[1] = t0, to[2] = s1, to[3] = t1;
        to[4] = s2, to[5] = t2, to[6] = s3, to[7] = t3;
    }
}

static void multiply_plain(const float *a, const float *b, size_t depth, float *dots)
{
    multiply_body(a, b, depth, dots);
}

FUSED static void multiply_fused(const float *a, const float *b, size_t depth, float *dots)
{
    multiply_body(a, b, depth, dots);
}

/* Rows are centred before: what is common to all would cost digits. */
static tut_status pack(search *s, const float *rows, tut_error *err)
{
    TUT_AUTO_FREE double *means = tut_alloc_array(s->width + 1, sizeof(*means));
    if (!means)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->count; i++)
        for (size_t j = 0; j < s->width; j++)
            means[j] += (double)rows[i * s->width + j];
    for (size_t j = 0; j < s->width; j++)
        means[j] /= (double)s->count;
    for (size_t i = 0; i < s->count; i++) {
        float *to = s->blocks + i / SIDE * SIDE * s->width + i % SIDE;
        double norm = 0;
        for (size_t j = 0; j < s->width; j++) {
            float x = (float)((double)rows[i * s->width + j] - means[j]);
            to[j * SIDE] = x;
            norm += (double)x * (double)x;
        }
        s->norms[i] = (float)norm;
    }
    return TUT_SUCCESS;
}

static void consider(search *s, size_t row, size_t other, float distance)
{
    tut_neighbour *found = s->found + row * s->k;
    size_t at = s->k - 1;
    for (; at > 0 && found[at - 1].distance > distance; at--)
        found[at] = found[at - 1];
    found[at] = (tut_neighbour){.row = (uint32_t)other, .distance = distance};
    s->worst[row] = found[s->k - 1].distance;
}

static void take(search *s, size_t first, size_t second, const float *dots)
{
    size_t rows = s->count - first < SIDE ? s->count - first : SIDE;
    size_t others = s->count - second < SIDE ? s->count - second : SIDE;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = first == second ? i + 1 : 0; j < others; j++) {
            size_t a = first + i, b = second + j;
            float d = s->norms[a] + s->norms[b] - 2 * dots[i * SIDE + j];
            if (d < s->worst[a])
                consider(s, a, b, d);
            if (d < s->worst[b])
                consider(s, b, a, d);
        }
    }
}

static tut_status run(search *s, tut_error *err)
{
    bool is_fused = FUSED_IS_THERE();
    float dots[SIDE * SIDE];
    for (size_t i = 0; i < s->block_count; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (size_t j = i; j < s->block_count; j++) {
            const float *a = s->blocks + i * SIDE * s->width, *b = s->blocks + j * SIDE * s->width;
            memset(dots, 0, sizeof(dots));
            for (size_t d = 0; d < s->width; d += DEPTH) {
                size_t depth = s->width - d < DEPTH ? s->width - d : DEPTH;
                (is_fused ? multiply_fused : multiply_plain)(a + d * SIDE, b + d * SIDE, depth,
                                                             dots);
            }
            take(s, i * SIDE, j * SIDE, dots);
        }
    }
    return TUT_SUCCESS;
}

static bool is_nearer(tut_neighbour a, tut_neighbour b)
{
    return a.distance < b.distance || (a.distance <= b.distance && a.row < b.row);
}

/* Distances anew, from the rows as they were, and the order that they give. */
static void settle(search *s, const float *rows)
{
    for (size_t i = 0; i < s->count; i++) {
        tut_neighbour *found = s->found + i * s->k;
        const float *a = rows + i * s->width;
        for (size_t n = 0; n < s->k; n++) {
            const float *b = rows + found[n].row * s->width;
            double sums[PART] = {0}, sum = 0;
            size_t j = 0;
            for (; j + PART <= s->width; j += PART)
                for (size_t p = 0; p < PART; p++) {
                    double d = (double)a[j + p] - (double)b[j + p];
                    sums[p] += d * d;
                }
            for (; j < s->width; j++)
                sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
            for (size_t p = 0; p < PART; p++)
                sum += sums[p];
            tut_neighbour now = {.row = found[n].row, .distance = (float)sum};
            size_t at = n;
            for (; at > 0 && is_nearer(now, found[at - 1]); at--)
                found[at] = found[at - 1];
            found[at] = now;
        }
    }
}

static tut_status search_all(search *s, const float *rows, tut_error *err)
{
    s->blocks = tut_alloc_array(s->block_count * SIDE, s->width * sizeof(*s->blocks));
    s->norms = tut_alloc_array(s->count, sizeof(*s->norms));
    s->worst = tut_alloc_array(s->count, sizeof(*s->worst));
    if (!s->blocks || !s->norms || !s->worst)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->count; i++)
        s->worst[i] = FLT_MAX;
    for (size_t i = 0; i < s->count * s->k; i++)
        s->found[i] = (tut_neighbour){.distance = FLT_MAX};
    TUT_TRY(pack(s, rows, err));
    TUT_TRY(run(s, err));
    settle(s, rows);
    return TUT_SUCCESS;
}

tut_status tut_knn(const float *rows, size_t count, size_t width, size_t k,
                   tut_neighbour *ret_neighbours, tut_error *err)
{
    search s = {.found = ret_neighbours,
                .count = count,
                .width = width,
                .k = k,
                .block_count = (count + SIDE - 1) / SIDE};
    if (k == 0 || k > TUT_KNN_MOST || k >= count || width == 0 || count > UINT32_MAX)
        return tut_fail(err, TUT_USAGE, "%zu neighbours of %zu rows cannot be looked for", k,
                        count);
    tut_status status = search_all(&s, rows, err);
    tut_free(s.blocks);
    tut_free(s.norms);
    tut_free(s.worst);
    return status;
}
