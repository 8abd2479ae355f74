/*
 * bench_parquet: how fast Parquet becomes rows, from memory. It makes its files itself: a million
 * rows of doubles, plain and out of dictionaries, and of texts out of dictionaries. One line a
 * file: bytes of values as they are decoded (8 a double; of a text its length), the best of five
 * rounds in CPU seconds, GB/s; and what a copy of as many bytes takes in the same run.
 */
#include <stdio.h>
#include <time.h>

#include "data/rows.h"
#include "parquet_maker.h"

enum { ROWS = 1 << 20, ENTRIES = 200, ROUNDS = 5, TEXT_MAX = 40 };

static make_value values[ROWS];
static char bytes[ROWS][8];
static char words[ENTRIES][TEXT_MAX];

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t fill(tut_parquet_type type, bool is_dictionary)
{
    uint64_t random = 88172645463325252u, total = 0;
    for (size_t i = 0; i < ENTRIES; i++)
        (void)snprintf(words[i], TEXT_MAX, "a label of some length, number %zu", i);
    for (size_t i = 0; i < ROWS; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        double number = is_dictionary ? (double)(random % ENTRIES) / 7 : (double)random / 7;
        memcpy(bytes[i], &number, sizeof(number));
        const char *word = words[random % ENTRIES];
        values[i].bytes = type == TUT_PARQUET_BYTE_ARRAY ? tut_str_of(word)
                                                         : (tut_str){bytes[i], 8};
        total += values[i].bytes.len;
    }
    return total;
}

static double read_all(const tut_buf *file)
{
    tut_source source = tut_source_memory(tut_buf_span(file));
    tut_rows *rows = NULL;
    const tut_batch *b = NULL;
    uint64_t count = 0;
    double start = now();
    if (!tut_is_ok(tut_rows_open(&source, "x.parquet", &rows, NULL)))
        abort();
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
        count += b->count;
    double took = now() - start;
    tut_rows_free(rows);
    if (count != ROWS)
        abort();
    return took;
}

static double copy_all(uint64_t len)
{
    TUT_AUTO_FREE uint8_t *from = tut_alloc_array((size_t)len, 1);
    TUT_AUTO_FREE uint8_t *to = tut_alloc_array((size_t)len, 1);
    if (!from || !to)
        abort();
    memset(from, 1, (size_t)len);
    memset(to, 2, (size_t)len);
    double start = now();
    memcpy(to, from, (size_t)len);
    double took = now() - start;
    return to[len / 2] == 1 ? took : 0;
}

static void measure(const char *name, tut_parquet_type type, parquet_encoding encoding,
                    parquet_codec codec)
{
    const uint64_t total = fill(type, encoding != PARQUET_PLAIN);
    const make_column c = {.name = "c",
                           .type = type,
                           .converted = type == TUT_PARQUET_BYTE_ARRAY ? 0 : -1,
                           .encoding = encoding,
                           .codec = codec,
                           .page_levels = 24 << 10,
                           .values = values,
                           .count = ROWS,
                           .rows = ROWS};
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, &c, 1, 1, ROWS);
    double best = 1e9, copy = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double took = read_all(&file), copied = copy_all(total);
        best = took < best ? took : best;
        copy = copied < copy ? copied : copy;
    }
    printf("%-28s %9llu bytes  %.4f s  %.2f GB/s  (copy %.2f GB/s)\n", name,
           (unsigned long long)total, best, (double)total / best / 1e9, (double)total / copy / 1e9);
}

int main(void)
{
    measure("doubles, plain", TUT_PARQUET_DOUBLE, PARQUET_PLAIN, PARQUET_UNCOMPRESSED);
    measure("doubles, plain, Zstandard", TUT_PARQUET_DOUBLE, PARQUET_PLAIN, PARQUET_ZSTD);
    measure("doubles, split bytes", TUT_PARQUET_DOUBLE, PARQUET_SPLIT, PARQUET_UNCOMPRESSED);
    measure("doubles, dictionary", TUT_PARQUET_DOUBLE, PARQUET_RLE_DICTIONARY,
            PARQUET_UNCOMPRESSED);
    measure("integers, deltas", TUT_PARQUET_INT64, PARQUET_DELTA_BINARY_PACKED,
            PARQUET_UNCOMPRESSED);
    measure("texts, plain", TUT_PARQUET_BYTE_ARRAY, PARQUET_PLAIN, PARQUET_UNCOMPRESSED);
    measure("texts, dictionary", TUT_PARQUET_BYTE_ARRAY, PARQUET_RLE_DICTIONARY,
            PARQUET_UNCOMPRESSED);
    return 0;
}
