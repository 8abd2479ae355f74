/*
 * bench_text [-c CLASSES] FILE...: how fast the text engine goes over these files, and what it
 * finds. One line a match (tab-separated: file, id, class, proof, begin, end, line, decoded, shown)
 * with -m; else one line: bytes, seconds of three rounds (the best), matches by class, and the time
 * that memchr() for a byte that is nowhere takes over the same memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "text/text.h"

enum { ROUNDS = 3, FILE_MAX = 256 << 20 };

typedef struct tally {
    const char *path;
    bool is_told;
    size_t by_class[TUT_TEXT_CLASS_COUNT];
} tally;

static bool on_match(void *ctx, const tut_text_match *m)
{
    static const char *const proofs[] = {"shape", "context", "checksum"};
    tally *t = ctx;
    t->by_class[m->type]++;
    if (t->is_told)
        printf("%s\t%s\t%s\t%s\t%llu\t%llu\t%llu\t%s\t%s\n", t->path, m->id,
               tut_text_class_name(m->type), proofs[m->proof], (unsigned long long)m->begin,
               (unsigned long long)m->end, (unsigned long long)m->line,
               m->decoded ? m->decoded : "-", m->shown);
    return true;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const tut_error *err)
{
    fprintf(stderr, "bench_text: %s\n", err->text);
    return 2;
}

static tut_status go_over(tut_text_scanner *s, const tut_buf *files, char **paths, size_t count,
                          unsigned classes, tally *t, tut_error *err)
{
    for (size_t i = 0; i < count; i++) {
        t->path = paths[i];
        tut_text_wish wish = {.classes = classes, .match = on_match, .ctx = t};
        TUT_TRY(tut_text_scan(s, tut_buf_str(&files[i]), &wish, err));
    }
    return TUT_SUCCESS;
}

/* What memory allows: a copy of everything, file by file. */
static double copy(const tut_buf *files, size_t count, tut_buf *to)
{
    double started = now();
    for (size_t i = 0; i < count; i++) {
        tut_buf_clear(to);
        tut_buf_add(to, files[i].data, files[i].len);
    }
    return now() - started;
}

int main(int argc, char **argv)
{
    TUT_CLEAN(tut_buf) to = TUT_BUF_INIT;
    tut_error err = {0};
    tally t = {0};
    unsigned classes = TUT_TEXT_ALL;
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "-m") == 0)
            t.is_told = true;
        else if (strcmp(argv[first], "-c") == 0 && first + 1 < argc)
            classes = (unsigned)strtoul(argv[++first], NULL, 0);
    }
    size_t count = (size_t)(argc - first), bytes = 0;
    tut_buf *files = tut_alloc_array(count + 1, sizeof(*files));
    TUT_AUTO(tut_text_set) set = NULL;
    TUT_AUTO(tut_text_scanner) s = NULL;
    if (!files || !tut_is_ok(tut_text_set_open(NULL, &set, &err)) ||
        !tut_is_ok(tut_text_scanner_new(set, &s, &err)))
        return fail(&err);
    for (size_t i = 0; i < count; i++) {
        if (!tut_is_ok(tut_fs_read(argv[first + (int)i], FILE_MAX, &files[i], &err)))
            return fail(&err);
        bytes += files[i].len;
    }
    double best = 1e9, peer = 1e9;
    for (int round = 0; round < (t.is_told ? 1 : ROUNDS); round++) {
        memset(t.by_class, 0, sizeof(t.by_class));
        double started = now();
        if (!tut_is_ok(go_over(s, files, argv + first, count, classes, &t, &err)))
            return fail(&err);
        double took = now() - started;
        best = took < best ? took : best;
        took = copy(files, count, &to);
        peer = took < peer ? took : peer;
    }
    if (!t.is_told) {
        printf("bytes %zu seconds %.6f copy %.6f", bytes, best, peer);
        for (int c = 0; c < TUT_TEXT_CLASS_COUNT; c++)
            printf(" %s %zu", tut_text_class_name((tut_text_class)c), t.by_class[c]);
        putchar('\n');
    }
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&files[i]);
    tut_free(files);
    return 0;
}
