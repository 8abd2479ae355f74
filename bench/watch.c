/*
 * What watch costs: the test of Kolmogorov and Smirnov, and the pass of PSI, Jensen-Shannon and W1,
 * over a million numbers against a million in 20 columns, beside reading the memory once.
 *   bench_watch [columns [numbers]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "stats/divergence.h"
#include "stats/ks.h"
#include "stats/seeded.h"

enum { SAMPLE = 4096 };

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct column {
    double *a, *b;
    float *fa, *fb;
} column;

static void fill(column *c, size_t count, uint64_t seed)
{
    tut_seeded r = tut_seeded_of(seed);
    for (size_t i = 0; i < count; i++) {
        c->a[i] = tut_seeded_normal(&r);
        c->b[i] = tut_seeded_normal(&r) + 0.001 * (double)(seed % 5);
        c->fa[i] = (float)c->a[i];
        c->fb[i] = (float)c->b[i];
    }
}

static tut_divergence pass_f32(const column *c, size_t count)
{
    double sample[SAMPLE];
    size_t n = 0;
    tut_bins a, b;
    for (size_t i = 0; i < count && n < SAMPLE; i += count / SAMPLE + 1)
        sample[n++] = (double)c->fa[i];
    tut_bins_place(&a, sample, n);
    tut_bins_like(&b, &a);
    tut_bins_add_f32(&a, c->fa, count);
    tut_bins_add_f32(&b, c->fb, count);
    return tut_divergence_of(&a, &b);
}

static tut_divergence pass_f64(const column *c, size_t count)
{
    double sample[SAMPLE];
    size_t n = 0;
    tut_bins a, b;
    for (size_t i = 0; i < count && n < SAMPLE; i += count / SAMPLE + 1)
        sample[n++] = c->a[i];
    tut_bins_place(&a, sample, n);
    tut_bins_like(&b, &a);
    tut_bins_add_f64(&a, c->a, count);
    tut_bins_add_f64(&b, c->b, count);
    return tut_divergence_of(&a, &b);
}

int main(int argc, char **argv)
{
    size_t columns = argc > 1 ? strtoul(argv[1], NULL, 10) : 4;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    double ks32 = 0, ks64 = 0, psi32 = 0, psi64 = 0, read = 0, sum = 0;
    column c = {.a = tut_alloc_array(count, sizeof(double)),
                .b = tut_alloc_array(count, sizeof(double)),
                .fa = tut_alloc_array(count, sizeof(float)),
                .fb = tut_alloc_array(count, sizeof(float))};
    if (!c.a || !c.b || !c.fa || !c.fb)
        return 1;
    for (size_t k = 0; k < columns; k++) {
        tut_ks t32, t64;
        fill(&c, count, k + 1);
        double at[6] = {cpu()};
        for (size_t i = 0; i < count; i++)
            sum += (double)(c.fa[i] + c.fb[i]);
        at[1] = cpu();
        if (!tut_is_ok(tut_ks_f32(c.fa, count, c.fb, count, &t32, NULL)))
            return 1;
        at[2] = cpu();
        if (!tut_is_ok(tut_ks_f64(c.a, count, c.b, count, &t64, NULL)))
            return 1;
        at[3] = cpu();
        tut_divergence d32 = pass_f32(&c, count);
        at[4] = cpu();
        tut_divergence d64 = pass_f64(&c, count);
        at[5] = cpu();
        read += at[1] - at[0];
        ks32 += at[2] - at[1];
        ks64 += at[3] - at[2];
        psi32 += at[4] - at[3];
        psi64 += at[5] - at[4];
        printf("column %zu: D %.7f (single %.7f) p %.4g  PSI %.3g (%.3g) W1 %.4g\n", k,
               t64.statistic, t32.statistic, t64.p, d64.psi, d32.psi, d64.wasserstein);
    }
    double up = 20 / (double)columns;
    printf("for 20 columns of %zu + %zu, CPU seconds:\n", count, count);
    printf("  read once, single   %.3f (sum %.3g)\n", read * up, sum);
    printf("  KS single %.3f  double %.3f\n", ks32 * up, ks64 * up);
    printf("  PSI+JS+W1 single %.3f  double %.3f\n", psi32 * up, psi64 * up);
    tut_free(c.a);
    tut_free(c.b);
    tut_free(c.fa);
    tut_free(c.fb);
    return 0;
}
