/*
 * bench_near [DOCUMENTS [MEMORY_MIB]]: near duplicates of made-up documents (about 760 bytes each;
 * one in sixteen is an altered copy of an earlier one). Prints documents, bytes, CPU seconds of
 * adding and of comparing, peak memory of the process, recall over the planted pairs whose Jaccard
 * coefficient, worked out from their words, is at least 0.8, and of the verified links the share
 * that is right. The targets beside them are for 100,000 documents. For scale, the time that one
 * pass of hashing over the same bytes takes (FNV-1a, a byte at a time).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/fs.h"
#include "data/near.h"
#include "stats/random.h"

enum { VOCABULARY = 20000, WORDS_MAX = 256, PLANTED_EVERY = 16, GRAM = TUT_NEAR_WORDS };

typedef struct document {
    uint32_t words[WORDS_MAX];
    size_t count;
} document;

static char vocabulary[VOCABULARY][16];

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_vocabulary(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < VOCABULARY; i++) {
        size_t len = 2 + tut_random_below(&state, 9);
        for (size_t j = 0; j < len; j++)
            vocabulary[i][j] = (char)('a' + tut_random_below(&state, 26));
    }
}

/* The square makes small numbers, the frequent words, more likely. */
static uint32_t word(uint64_t *state)
{
    double u = tut_random_unit(state);
    return (uint32_t)(u * u * VOCABULARY);
}

static void make_plain(uint64_t i, document *d)
{
    uint64_t state = i * 2 + 1;
    d->count = 80 + tut_random_below(&state, 70);
    for (size_t j = 0; j < d->count; j++)
        d->words[j] = word(&state);
}

static uint64_t copied_by(uint64_t i)
{
    uint64_t state = i * 2 + 1000003;
    uint64_t original = tut_random_below(&state, i);
    return original % PLANTED_EVERY == PLANTED_EVERY - 1 ? original - 1 : original;
}

static void make(uint64_t i, document *d)
{
    if (i == 0 || i % PLANTED_EVERY != PLANTED_EVERY - 1) {
        make_plain(i, d);
        return;
    }
    uint64_t state = i * 2 + 77;
    make_plain(copied_by(i), d);
    size_t changes = tut_random_below(&state, 5);
    for (size_t j = 0; j < changes; j++)
        d->words[tut_random_below(&state, d->count)] = word(&state);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, GRAM * sizeof(uint32_t));
}

typedef struct grams {
    uint32_t items[WORDS_MAX][GRAM];
    size_t count;
} grams;

static void grams_of(const document *d, grams *g)
{
    size_t all = d->count - GRAM + 1;
    for (size_t i = 0; i < all; i++)
        memcpy(g->items[i], d->words + i, sizeof(g->items[i]));
    qsort(g->items, all, sizeof(g->items[0]), compare);
    g->count = 0;
    for (size_t i = 0; i < all; i++)
        if (i == 0 || compare(g->items[i], g->items[i - 1]) != 0)
            memmove(g->items[g->count++], g->items[i], sizeof(g->items[i]));
}

static double jaccard(uint64_t i, uint64_t j)
{
    static document a, b;
    static grams x, y;
    make(i, &a);
    make(j, &b);
    grams_of(&a, &x);
    grams_of(&b, &y);
    size_t both = 0;
    for (size_t p = 0, q = 0; p < x.count && q < y.count;) {
        int order = compare(x.items[p], y.items[q]);
        both += order == 0;
        p += order <= 0;
        q += order >= 0;
    }
    return (double)both / (double)(x.count + y.count - both);
}

static void write_text(const document *d, tut_buf *to)
{
    tut_buf_clear(to);
    for (size_t i = 0; i < d->count; i++) {
        tut_buf_add_z(to, vocabulary[d->words[i]]);
        tut_buf_add_byte(to, ' ');
    }
}

static tut_status lend(void *ctx, int *ret_fd, tut_error *err)
{
    (void)ctx;
    return tut_fs_open_nameless(ret_fd, err);
}

enum { PORTION = 1000 };

static double hash_pass(tut_str text)
{
    uint64_t h = 0xcbf29ce484222325ull;
    double started = now();
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (uint8_t)text.data[i]) * 0x100000001b3ull;
    return now() - started + (h == 0 ? 1e-9 : 0); /* h is needed */
}

typedef struct figures {
    double adding, comparing, hashing;
    uint64_t bytes;
} figures;

/* Texts of a thousand documents are made, then added: only the adding is timed. */
static tut_status add_all(tut_near *n, uint64_t count, figures *f, tut_error *err)
{
    static tut_buf texts[PORTION];
    document d;
    for (uint64_t i = 0; i < count; i += PORTION) {
        uint64_t here = count - i < PORTION ? count - i : PORTION;
        for (uint64_t j = 0; j < here; j++) {
            make(i + j, &d);
            write_text(&d, &texts[j]);
            f->bytes += texts[j].len;
            f->hashing += hash_pass(tut_buf_str(&texts[j]));
        }
        double started = now();
        for (uint64_t j = 0; j < here; j++)
            TUT_TRY(tut_near_add(n, 0, TUT_SPLIT_NONE, i + j, tut_buf_str(&texts[j]), err));
        f->adding += now() - started;
    }
    for (size_t j = 0; j < PORTION; j++)
        tut_buf_done(&texts[j]);
    return TUT_SUCCESS;
}

static void judge(const tut_near *n)
{
    size_t count;
    uint64_t planted = 0, found = 0, links = 0, right = 0;
    const tut_near_document *d = tut_near_documents(n, &count);
    for (uint64_t i = PLANTED_EVERY - 1; i < count; i += PLANTED_EVERY) {
        bool is_pair = jaccard(i, copied_by(i)) >= 0.8;
        planted += is_pair;
        found += is_pair && d[i].cluster == d[copied_by(i)].cluster;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (d[i].link == TUT_NEAR_NONE)
            continue;
        links++;
        right += jaccard(i, d[i].link) >= 0.8;
    }
    printf("recall %.5f of %llu pairs (target 0.99)\nprecision %.5f of %llu links (target 1.0)\n",
           (double)found / (double)planted, (unsigned long long)planted,
           (double)right / (double)links, (unsigned long long)links);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    size_t memory = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) << 20 : 0;
    tut_near_options options = {.seed = 1, .memory_bytes = memory, .scratch = lend};
    TUT_AUTO(tut_near) n = NULL;
    tut_error err = {0};
    figures f = {0};
    struct rusage usage;
    make_vocabulary();
    tut_status s = tut_near_new(&options, &n, &err);
    if (tut_is_ok(s))
        s = add_all(n, count, &f, &err);
    double started = now();
    if (tut_is_ok(s))
        s = tut_near_finish(n, &err);
    f.comparing = now() - started;
    if (!tut_is_ok(s)) {
        fprintf(stderr, "bench_near: %s\n", err.text);
        return 2;
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    const tut_near_counts *c = tut_near_about(n);
    printf("documents %llu\nbytes %llu\nadding %.3f s\ncomparing %.3f s\n",
           (unsigned long long)count, (unsigned long long)f.bytes, f.adding, f.comparing);
    printf("both %.3f s (target 1.0 for 100000)\none pass of hashing %.3f s\n",
           f.adding + f.comparing, f.hashing);
    printf("peak memory %.0f MB (target 150 for 100000)\n", (double)usage.ru_maxrss * 1024 / 1e6);
    printf("exact %llu near %llu pairs verified %llu left out %llu unmatched %llu\n",
           (unsigned long long)c->exact, (unsigned long long)c->near,
           (unsigned long long)c->pairs_verified, (unsigned long long)c->pairs_left_out,
           (unsigned long long)c->unmatched);
    judge(n);
    return 0;
}
