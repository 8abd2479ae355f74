/*
 * bench_poison COMMAND FILE [ARGUMENT...]: one step of the search for poison over a matrix. FILE:
 * count, width, classes (u32, little-endian), then count x width numbers (f32), then count labels
 * (u32). Answers go to stdout, CPU seconds to stderr. For bench/poison.py and the tests that
 * compare with scikit-learn.
 *
 *   neighbours K                  a line a row: K rows, the nearest first
 *   regression C                  a line a row: probabilities, of a model fitted to all rows
 *   joint                         the matrix holds probabilities (width = classes): a line a class
 *   labels SEED                   a line a doubt: row, given, likely, right, q
 *   images HEIGHT WIDTH CHANNELS  a line a trigger: kind, label, rows, bearing, contradicted, p, q,
 *                                 places; then a line with its rows
 *   outliers                      a line a row: class, row, score, p, q
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "data/backdoor.h"
#include "data/labels.h"
#include "data/spectral.h"

typedef struct matrix {
    tut_buf bytes;
    uint32_t count, width, classes;
    const float *rows;
    const uint32_t *labels;
} matrix;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void told(double started)
{
    fprintf(stderr, "seconds %.4f\n", now() - started);
}

static tut_status load(const char *path, matrix *m, tut_error *err)
{
    TUT_TRY(tut_fs_read(path, (size_t)2 << 30, &m->bytes, err));
    uint32_t head[3] = {0};
    if (m->bytes.len >= sizeof(head))
        memcpy(head, m->bytes.data, sizeof(head));
    if (m->bytes.len != sizeof(head) + ((size_t)head[0] * head[1] + head[0]) * 4)
        return tut_fail(err, TUT_MALFORMED, "%s: another size than it says", path);
    m->count = head[0], m->width = head[1], m->classes = head[2];
    m->rows = (const float *)(const void *)(m->bytes.data + sizeof(head));
    m->labels = (const uint32_t *)(const void *)(m->rows + (size_t)m->count * m->width);
    return TUT_SUCCESS;
}

static tut_status find_neighbours(const matrix *m, size_t k, tut_neighbour **ret, tut_error *err)
{
    *ret = tut_alloc_array(m->count * k, sizeof(**ret));
    if (!*ret)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_knn(m->rows, m->count, m->width, k, *ret, err);
}

static tut_status neighbours(const matrix *m, char **args, tut_error *err)
{
    size_t k = strtoul(args[0], NULL, 10);
    TUT_AUTO_FREE tut_neighbour *found = NULL;
    double started = now();
    TUT_TRY(find_neighbours(m, k, &found, err));
    told(started);
    for (size_t i = 0; i < m->count * k; i++)
        printf("%u:%.9g%c", found[i].row, (double)found[i].distance, (i + 1) % k ? ' ' : '\n');
    return TUT_SUCCESS;
}

static tut_status regression(const matrix *m, char **args, tut_error *err)
{
    tut_design x = {.count = m->count, .dense = m->rows, .dense_width = m->width};
    tut_logistic_wish wish = {.c = strtod(args[0], NULL), .rounds = 2000, .tolerance = 1e-7};
    tut_logistic model = {0};
    TUT_AUTO_FREE double *scores = tut_alloc_array(m->classes, 2 * sizeof(*scores));
    if (!scores)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double started = now();
    TUT_TRY(tut_logistic_fit(&x, m->labels, m->classes, NULL, 0, &wish, &model, err));
    told(started);
    for (size_t i = 0; i < m->count; i++) {
        tut_logistic_scores(&model, &x, i, scores);
        tut_logistic_softmax(&model, scores, scores + m->classes);
        for (size_t c = 0; c < m->classes; c++)
            printf("%.9g%c", scores[m->classes + c], c + 1 < m->classes ? ' ' : '\n');
    }
    tut_logistic_done(&model);
    return TUT_SUCCESS;
}

static tut_status joint(const matrix *m, char **args, tut_error *err)
{
    size_t classes = m->classes;
    (void)args;
    TUT_AUTO_FREE double *counts = tut_alloc_array(classes * classes, sizeof(*counts));
    TUT_AUTO_FREE uint8_t *doubted = tut_alloc_array(m->count, 1);
    if (!counts || !doubted || m->width != classes)
        return tut_fail(err, TUT_USAGE, "these are no probabilities");
    double started = now();
    TUT_TRY(tut_labels_joint(m->rows, m->labels, m->count, classes, counts, err));
    fprintf(stderr, "joint %.4f\n", now() - started);
    TUT_TRY(tut_labels_prune(m->rows, m->labels, m->count, classes, counts, doubted, err));
    told(started);
    for (size_t i = 0; i < classes * classes; i++)
        printf("%.9g%c", counts[i], (i + 1) % classes ? ' ' : '\n');
    for (size_t i = 0; i < m->count; i++)
        if (doubted[i])
            printf("%zu ", i);
    putchar('\n');
    return TUT_SUCCESS;
}

static tut_status labels(const matrix *m, char **args, tut_error *err)
{
    tut_design x = {.count = m->count, .dense = m->rows, .dense_width = m->width};
    size_t k = m->count > TUT_LABELS_NEIGHBOURS ? TUT_LABELS_NEIGHBOURS : m->count - 1;
    TUT_AUTO_FREE tut_neighbour *near = NULL;
    tut_label_doubts d = {0};
    double started = now();
    TUT_TRY(find_neighbours(m, k, &near, err));
    tut_labels_input in = {.x = &x,
                           .neighbours = near,
                           .count = m->count,
                           .neighbour_count = k,
                           .labels = m->labels,
                           .classes = m->classes,
                           .seed = strtoull(args[0], NULL, 10)};
    TUT_TRY(tut_labels_find(&in, &d, err));
    told(started);
    fprintf(stderr, "core %llu contradicted %llu noise %.4f p %.3g regression %d\n",
            (unsigned long long)d.core, (unsigned long long)d.core_contradicted, d.noise, d.p,
            d.used_regression);
    for (size_t i = 0; i < d.count; i++)
        printf("%u %u %u %.6g %.6g\n", d.items[i].row, d.items[i].given, d.items[i].likely,
               d.items[i].right, d.items[i].q);
    tut_label_doubts_done(&d);
    return TUT_SUCCESS;
}

static void tell(const tut_triggers *found)
{
    static const char *const kinds[TUT_TRIGGER_KINDS] = {"pixels", "window", "tokens"};
    for (size_t i = 0; i < found->count; i++) {
        const tut_trigger *t = &found->items[i];
        printf("%s %u %zu %llu %llu %.3g %.3g", kinds[t->kind], t->label, t->row_count,
               (unsigned long long)t->bearing, (unsigned long long)t->contradicted, t->p, t->q);
        for (size_t j = 0; j < t->place_count && j < TUT_TRIGGER_PLACES; j++)
            printf(" %u=%g", t->places[j], (double)t->values[j]);
        putchar('\n');
        for (size_t j = 0; j < t->row_count; j++)
            printf("%u ", t->rows[j]);
        putchar('\n');
    }
}

static tut_status images(const matrix *m, char **args, tut_error *err)
{
    TUT_AUTO_FREE tut_neighbour *near = NULL;
    tut_triggers found = {0};
    double started = now();
    TUT_TRY(find_neighbours(m, TUT_LABELS_NEIGHBOURS, &near, err));
    tut_backdoor_input in = {.count = m->count,
                             .labels = m->labels,
                             .classes = m->classes,
                             .neighbours = near,
                             .neighbour_count = TUT_LABELS_NEIGHBOURS};
    fprintf(stderr, "neighbours %.4f\n", now() - started);
    tut_status s = tut_backdoor_images(&in, m->rows, strtoul(args[0], NULL, 10),
                                       strtoul(args[1], NULL, 10), strtoul(args[2], NULL, 10),
                                       &found, err);
    told(started);
    fprintf(stderr, "candidates %llu left out %llu\n", (unsigned long long)found.candidates,
            (unsigned long long)found.left_out);
    if (tut_is_ok(s))
        tell(&found);
    tut_triggers_done(&found);
    return s;
}

static tut_status outliers(const matrix *m, char **args, tut_error *err)
{
    tut_spectral_outliers found = {0};
    (void)args;
    double started = now();
    TUT_TRY(tut_spectral_find(m->rows, m->count, m->width, m->labels, m->classes, &found, err));
    told(started);
    for (size_t i = 0; i < found.count; i++)
        printf("%u %u %.6g %.6g %.6g\n", m->labels[found.items[i].row], found.items[i].row,
               found.items[i].score, found.items[i].p, found.items[i].q);
    tut_spectral_outliers_done(&found);
    return TUT_SUCCESS;
}

static const struct {
    const char *name;
    int arguments;
    tut_status (*run)(const matrix *m, char **args, tut_error *err);
} commands[] = {{"neighbours", 1, neighbours}, {"regression", 1, regression},
                {"joint", 0, joint},           {"labels", 1, labels},
                {"images", 3, images},         {"outliers", 0, outliers}};

int main(int argc, char **argv)
{
    matrix m = {.bytes = TUT_BUF_INIT};
    tut_error err = {0};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc < 3 || strcmp(argv[1], commands[i].name) != 0 || argc != 3 + commands[i].arguments)
            continue;
        tut_status s = load(argv[2], &m, &err);
        if (tut_is_ok(s))
            s = commands[i].run(&m, argv + 3, &err);
        tut_buf_done(&m.bytes);
        if (tut_is_ok(s))
            return 0;
        fprintf(stderr, "bench_poison: %s\n", err.text);
        return 2;
    }
    fprintf(stderr, "usage: bench_poison COMMAND FILE [ARGUMENT...]\n");
    return 2;
}
