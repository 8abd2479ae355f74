/*
 * bench_probe_evade MODEL.onnx FILE ATTACK [NAME=VALUE...]: one attack on a model, as one line of
 * JSON on stdout. FILE: count, width, classes (u32, little-endian), then count x width numbers
 * (f32), then count labels (u32). Names: norm (linf, l2, l0), size, queries, seed, low, high, tall,
 * wide, channels. Attacks of evasion and of
 * backdoor. For bench/probe_evade.py, bench/probe_backdoor.py and tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "probe/attack.h"

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static tut_status load(const char *path, tut_buf *bytes, tut_sample *s, tut_error *err)
{
    TUT_TRY(tut_fs_read(path, (size_t)2 << 30, bytes, err));
    uint32_t head[3] = {0};
    if (bytes->len >= sizeof(head))
        memcpy(head, bytes->data, sizeof(head));
    if (bytes->len != sizeof(head) + ((size_t)head[0] * head[1] + head[0]) * 4)
        return tut_fail(err, TUT_MALFORMED, "%s: another size than it says", path);
    s->count = head[0], s->width = head[1], s->classes = head[2];
    s->rows = (float *)(void *)(bytes->data + sizeof(head));
    s->labels = (uint32_t *)(void *)(s->rows + s->count * s->width);
    return TUT_SUCCESS;
}

static void take_wish(tut_probe *p, const char *text)
{
    const char *value = strchr(text, '=');
    double x = value ? strtod(value + 1, NULL) : 0;
    size_t name = value ? (size_t)(value - text) : 0;
    static const char *const dims[] = {"channels", "tall", "wide"};
    if (strncmp(text, "norm", name) == 0)
        p->norm = strcmp(value, "=l2") == 0   ? TUT_NORM_L2
                  : strcmp(value, "=l0") == 0 ? TUT_NORM_L0
                                              : TUT_NORM_LINF;
    else if (strncmp(text, "size", name) == 0)
        p->size = x;
    else if (strncmp(text, "queries", name) == 0)
        p->queries_a_row = (uint64_t)x;
    else if (strncmp(text, "seed", name) == 0)
        p->seed = (uint64_t)x;
    else if (strncmp(text, "low", name) == 0)
        p->low = x;
    else if (strncmp(text, "high", name) == 0)
        p->high = x;
    for (size_t i = 0; i < 3; i++)
        if (name && strncmp(text, dims[i], name) == 0) {
            p->axes = 3;
            p->shape[i] = (size_t)x;
        }
}

static void print_real(const char *name, double x)
{
    if (isnan(x))
        printf(",\"%s\":null", name);
    else
        printf(",\"%s\":%.6g", name, x);
}

static void print_result(const tut_attack *a, const tut_attack_result *r, double seconds)
{
    printf("{\"attack\":\"%s\",\"rows\":%llu,\"queries\":%llu", a->name,
           (unsigned long long)r->rows, (unsigned long long)r->queries);
    print_real("seconds", seconds);
    print_real("value", r->decisive.value);
    print_real("low", r->decisive.low);
    print_real("high", r->decisive.high);
    for (size_t i = 0; i < r->measure_count; i++)
        print_real(r->measures[i].name, r->measures[i].value);
    printf(",\"budget\":\"%s\",\"kept\":\"%s\",\"curves\":[", r->budget, r->kept ? r->kept : "");
    for (size_t c = 0; c < r->curve_count; c++) {
        printf("%s{\"name\":\"%s\",\"x\":\"%s\",\"points\":[", c ? "," : "", r->curves[c].name,
               r->curves[c].x);
        for (size_t i = 0; i < r->curves[c].count; i++)
            printf("%s[%.6g,%.6g]", i ? "," : "", r->curves[c].xs[i], r->curves[c].ys[i]);
        printf("]}");
    }
    printf("],\"exposed\":[");
    for (size_t i = 0; i < r->exposed_count; i++)
        printf("%s[%llu,%.6g,\"%s\"]", i ? "," : "", (unsigned long long)r->exposed[i].row,
               r->exposed[i].score, r->exposed[i].text);
    printf("]}\n");
}

static tut_status run(int argc, char **argv, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_target) target = NULL;
    tut_sample sample = {.count = 0};
    tut_allowance allowance = {.queries = 0};
    const tut_target_wish wish = {.place = argv[1], .allowance = &allowance};
    TUT_TRY(load(argv[2], &bytes, &sample, err));
    TUT_TRY(tut_target_open(&wish, &target, err));
    for (size_t i = 0; tut_attacks[i]; i++) {
        if (strcmp(tut_attacks[i]->name, argv[3]) != 0 ||
            (strcmp(tut_attacks[i]->probe, "evasion") != 0 &&
             strcmp(tut_attacks[i]->probe, "backdoor") != 0))
            continue;
        tut_probe p = {.target = target, .others = &sample};
        tut_attack_result r = {.metric = NULL};
        for (int k = 4; k < argc; k++)
            take_wish(&p, argv[k]);
        double started = now();
        TUT_TRY(tut_attacks[i]->run(&p, &r, err));
        print_result(tut_attacks[i], &r, now() - started);
        tut_arena_done(&p.arena);
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_USAGE, "there is no attack %s", argv[3]);
}

int main(int argc, char **argv)
{
    tut_error err = {.code = TUT_OK};
    if (argc < 4 || !tut_is_ok(run(argc, argv, &err))) {
        fprintf(stderr, "%s\n", argc < 4 ? "bench_probe_evade MODEL FILE ATTACK..." : err.text);
        return 1;
    }
    return 0;
}
