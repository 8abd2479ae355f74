/*
 * Figures of membership inference. bench_probe_member DIGITS [MODELS [RECIPE [SEED]]]: DIGITS are
 * rows of 64 pixels and the label, as text, one row a line (bench/probe_member.py writes them from
 * scikit-learn's). The table of digits with 10 % wrong labels: models trained here, each attacked
 * with the others; then how long scores of 50,000 rows against 256 references take.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe/references.h"
#include "stats/seeded.h"

enum { WIDTH = 64, CLASSES = 10, ROWS_MOST = 4096, BIG_ROWS = 50000, BIG_MODELS = 256 };

static float rows[ROWS_MOST * WIDTH];
static uint32_t labels[ROWS_MOST];
static size_t row_count;

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void stop(const char *what)
{
    (void)fprintf(stderr, "probe_member: %s\n", what);
    exit(2);
}

static void check(tut_status s, const tut_error *err)
{
    if (!tut_is_ok(s))
        stop(err->text);
}

static void read_digits(const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "r");
    if (!f)
        stop("the file of digits cannot be opened");
    while (row_count < ROWS_MOST && fgets(line, sizeof(line), f)) {
        char *at = line;
        for (size_t c = 0; c < WIDTH; c++)
            rows[row_count * WIDTH + c] = strtof(at, &at) / 16;
        labels[row_count++] = (uint32_t)strtoul(at, NULL, 10);
    }
    (void)fclose(f);
}

/* Every tenth row gets another label than its own. */
static void spoil_labels(uint64_t seed)
{
    tut_seeded random = tut_seeded_of(seed);
    for (size_t i = 0; i < row_count; i++)
        if (tut_seeded_unit(&random) < 0.1)
            labels[i] = (labels[i] + 1 + (uint32_t)tut_seeded_below(&random, 9)) % CLASSES;
}

typedef struct sums {
    const char *name;
    double auc, low_end;
} sums;

enum { LOSS, ONLINE, OFFLINE, RMIA_ALL, RMIA_FOUR, RMIA_ONE, CHOSEN, ROWS_OF_TABLE };

static void count_in(sums *s, const double *scores, const uint8_t *members)
{
    tut_roc roc;
    tut_error err;
    check(tut_mia_roc(scores, members, row_count, &roc, &err), &err);
    s->auc += roc.auc;
    s->low_end += roc.at[0].tpr;
}

static void by_rmia(const float *target, const tut_mia_references *r, double a,
                    const uint8_t *members, double *scores, sums *s)
{
    uint8_t outside[ROWS_MOST];
    tut_error err;
    tut_rmia_wish wish = {.a = a, .gamma = 1, .is_population = outside};
    for (size_t i = 0; i < row_count; i++)
        outside[i] = !members[i];
    check(tut_mia_rmia(target, r, &wish, scores, &err), &err);
    count_in(s, scores, members);
}

static void attack_one(const tut_reference_set *set, size_t t, sums *table, float *logits,
                       uint8_t *inside)
{
    static double scores[ROWS_MOST];
    const uint8_t *members = set->inside + t * row_count;
    const float *target = set->logits + t * row_count;
    tut_mia_references r = {0, row_count, logits, inside};
    tut_error err;
    double a;
    for (size_t m = 0; m < set->r.models; m++) {
        if (m == t)
            continue;
        memcpy(logits + r.models * row_count, set->logits + m * row_count,
               row_count * sizeof(*logits));
        memcpy(inside + r.models++ * row_count, set->inside + m * row_count, row_count);
    }
    for (size_t i = 0; i < row_count; i++) /* the loss in the order of its logarithm's odds */
        scores[i] = (double)target[i];
    count_in(&table[LOSS], scores, members);
    tut_lira_wish lira = {.is_online = true, .has_row_variance = tut_lira_wants_row_variance(&r)};
    check(tut_mia_lira(target, &r, &lira, scores, &err), &err);
    count_in(&table[ONLINE], scores, members);
    lira.is_online = false;
    check(tut_mia_lira(target, &r, &lira, scores, &err), &err);
    count_in(&table[OFFLINE], scores, members);
    by_rmia(target, &r, 0.3, members, scores, &table[RMIA_ALL]);
    check(tut_mia_rmia_choose_a(&r, &a, &err), &err);
    by_rmia(target, &r, a, members, scores, &table[CHOSEN]);
    r.models = 4;
    by_rmia(target, &r, 0.3, members, scores, &table[RMIA_FOUR]);
    r.models = 1;
    by_rmia(target, &r, 0.3, members, scores, &table[RMIA_ONE]);
}

static void digits_table(size_t models, const char *recipe)
{
    sums table[ROWS_OF_TABLE] = {{.name = "loss"},
                                 {.name = "LiRA online"},
                                 {.name = "LiRA offline"},
                                 {.name = "RMIA, a 0.3"},
                                 {.name = "RMIA, 4 references, a 0.3"},
                                 {.name = "RMIA, 1 reference, a 0.3"},
                                 {.name = "RMIA, a chosen"}};
    tut_probe probe = {.seed = 1};
    tut_reference_rows x = {
        .rows = rows, .count = row_count, .width = WIDTH, .classes = CLASSES, .labels = labels};
    tut_reference_wish wish = {.models = models, .recipe = tut_recipe_find(recipe), .seed = 1};
    tut_reference_set set;
    tut_error err;
    if (!wish.recipe)
        stop("there is no such recipe");
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(tut_references_train(&probe, &x, &wish, &set, &err), &err);
    (void)printf("%-28s %6.2f s, %6.2f s of processor\n", "training",
                 seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    float *logits = malloc(models * row_count * sizeof(*logits));
    uint8_t *inside = malloc(models * row_count);
    if (!logits || !inside)
        stop("memory ran out");
    for (size_t t = 0; t < models; t++)
        attack_one(&set, t, table, logits, inside);
    for (size_t i = 0; i < ROWS_OF_TABLE; i++)
        (void)printf("%-28s AUC %.3f  TPR at 1 %% %.3f\n", table[i].name,
                     table[i].auc / (double)models, table[i].low_end / (double)models);
    (void)printf("%-28s %6.2f s, %6.2f s of processor\n", "all of it",
                 seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    free(logits);
    free(inside);
    tut_reference_set_done(&set);
}

static void scoring(void)
{
    size_t cells = (size_t)BIG_ROWS * BIG_MODELS;
    float *logits = malloc(cells * sizeof(*logits)), *target = malloc(BIG_ROWS * sizeof(*target));
    uint8_t *inside = malloc(cells), *outside = malloc(BIG_ROWS);
    double *scores = malloc(BIG_ROWS * sizeof(*scores));
    uint64_t state = 7;
    tut_error err;
    if (!logits || !inside || !target || !outside || !scores)
        stop("memory ran out");
    for (size_t i = 0; i < cells; i++) {
        logits[i] = (float)(8 * tut_random_unit(&state) - 2);
        inside[i] = (uint8_t)tut_random_below(&state, 2);
    }
    for (size_t i = 0; i < BIG_ROWS; i++) {
        target[i] = (float)(8 * tut_random_unit(&state) - 2);
        outside[i] = i % 2;
    }
    tut_mia_references r = {BIG_MODELS, BIG_ROWS, logits, inside};
    tut_rmia_wish rmia = {.a = 0.3, .gamma = 1, .is_population = outside};
    tut_lira_wish lira = {.is_online = true, .has_row_variance = true};
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(tut_mia_lira(target, &r, &lira, scores, &err), &err);
    (void)printf("%-28s %6.3f s, %6.3f s of processor\n", "LiRA, 50,000 x 256",
                 seconds(CLOCK_MONOTONIC) - start, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    check(tut_mia_rmia(target, &r, &rmia, scores, &err), &err);
    (void)printf("%-28s %6.3f s, %6.3f s of processor\n", "RMIA, 50,000 x 256",
                 seconds(CLOCK_MONOTONIC) - start, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    free(logits);
    free(target);
    free(inside);
    free(outside);
    free(scores);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        stop("usage: bench_probe_member DIGITS [MODELS [RECIPE [SEED]]]");
    read_digits(argv[1]);
    spoil_labels(argc > 4 ? strtoul(argv[4], NULL, 10) : 3);
    digits_table(argc > 2 ? strtoul(argv[2], NULL, 10) : 17, argc > 3 ? argv[3] : "network-long");
    scoring();
    return 0;
}
