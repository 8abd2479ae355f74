/*
 * bench_probe_evade MODEL.onnx FILE ATTACK [NAME=VALUE...]: one attack on a model, as one line of
 * JSON on stdout; ATTACK "ascent": PGD of 40 steps from one start, without queries and curves.
 * FILE: count, width, classes (u32, little-endian), then count x width numbers (f32), then count
 * labels (u32). Names: norm (linf, l2, l0), size, queries, seed, low, high, tall, wide, channels.
 * Attacks of evasion and of backdoor. For bench/probe_evade.py, bench/probe_backdoor.py and tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "probe/evasion_ascent.h"

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

/* What other libraries call PGD-40: one start, many rows, the net alone. */
static tut_status ascend(const tut_probe *p, tut_error *err)
{
    enum { ROOM = 64, STEPS = 40 };
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_AUTO(tut_ascent) a = NULL;
    const tut_sample *s = p->others;
    tut_space space;
    const tut_ascent_wish wish = {
        .is_random = true, .steps = STEPS, .size = p->size, .step = 2.5 / STEPS};
    tut_arena_init(&arena, 0);
    TUT_TRY(tut_space_of(p, s, tut_target_about(p->target), &arena, &space, err));
    TUT_TRY(tut_ascent_new(tut_target_net(p->target), &space, &arena, &a, err));
    float *deltas = tut_arena_take(&arena, ROOM * s->width, sizeof(*deltas));
    size_t held = 0, room = tut_ascent_room(a);
    if (!deltas)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double started = now();
    for (size_t from = 0, n; from < s->count; from += n) {
        const float *rows[ROOM];
        tut_seeded random[ROOM], *streams[ROOM];
        uint8_t is_wrong[ROOM];
        n = s->count - from < room ? s->count - from : room;
        for (size_t i = 0; i < n; i++) {
            rows[i] = s->rows + (from + i) * s->width;
            random[i] = tut_seeded_of(p->seed + from + i);
            streams[i] = &random[i];
        }
        TUT_TRY(
            tut_ascent_run(a, &wish, rows, s->labels + from, streams, n, deltas, is_wrong, err));
        for (size_t i = 0; i < n; i++)
            held += !is_wrong[i];
    }
    printf("{\"attack\":\"ascent\",\"rows\":%zu,\"seconds\":%.6g,\"value\":%.6g}\n", s->count,
           now() - started, (double)held / (double)s->count);
    return TUT_SUCCESS;
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
    tut_probe p = {.target = target, .others = &sample};
    for (int k = 4; k < argc; k++)
        take_wish(&p, argv[k]);
    if (strcmp(argv[3], "ascent") == 0)
        return ascend(&p, err);
    for (size_t i = 0; tut_attacks[i]; i++) {
        if (strcmp(tut_attacks[i]->name, argv[3]) != 0 ||
            (strcmp(tut_attacks[i]->probe, "evasion") != 0 &&
             strcmp(tut_attacks[i]->probe, "backdoor") != 0))
            continue;
        tut_attack_result r = {.metric = NULL};
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
