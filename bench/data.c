/*
 * bench_data FILE: how fast a dataset is read, and read and profiled; and how fast memcpy() copies
 * as many bytes. The file is in memory. Prints nanoseconds of the processor, the best of some
 * rounds, and the bytes, rows and columns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "data/profile.h"

enum { ROUNDS = 5 };
#define FILE_MAX ((size_t)2 << 30)

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

typedef enum work { COPY, READ, PROFILE, WORKS } work;

typedef struct seen {
    uint64_t rows, broken;
    size_t columns;
} seen;

static tut_status go_over(const tut_source *source, const char *name, work w, seen *ret,
                          tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_profile) profile = NULL;
    const tut_batch *batch = NULL;
    TUT_TRY(tut_rows_open(source, name, &rows, err));
    TUT_TRY(tut_profile_new(&profile, err));
    do {
        TUT_TRY(tut_rows_next(rows, &batch, err));
        if (batch && w == PROFILE)
            TUT_TRY(tut_profile_add(profile, batch, err));
        ret->columns = batch ? batch->column_count : ret->columns;
    } while (batch);
    const tut_rows_facts *facts = tut_rows_about(rows);
    ret->rows = facts->rows;
    ret->broken = 0;
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++)
        ret->broken += facts->defects[i].count;
    return TUT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const char *const names[WORKS] = {"memcpy", "read", "read+profile"};
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    tut_error err = {0};
    seen s = {0};
    if (argc != 2)
        return 2;
    if (!tut_is_ok(tut_fs_read(argv[1], FILE_MAX, &file, &err))) {
        fprintf(stderr, "bench_data: %s\n", err.text);
        return 2;
    }
    uint8_t *copy = malloc(file.len + 1);
    if (!copy)
        return 2;
    tut_source source = tut_source_memory(tut_buf_span(&file));
    for (work w = COPY; w < WORKS; w++) {
        uint64_t best = UINT64_MAX;
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t began = now();
            if (w == COPY)
                memcpy(copy, file.data, file.len);
            else if (!tut_is_ok(go_over(&source, argv[1], w, &s, &err)))
                break;
            uint64_t took = now() - began;
            best = took < best ? took : best;
        }
        if (err.code != TUT_OK) {
            fprintf(stderr, "bench_data: %s\n", err.text);
            free(copy);
            return 2;
        }
        printf("%-12s %12llu ns %8.0f MB/s (%u)\n", names[w], (unsigned long long)best,
               (double)file.len * 1000 / (double)best, copy[file.len / 2]);
    }
    printf("bytes %zu\nrows %llu\ncolumns %zu\nbroken %llu\n", file.len, (unsigned long long)s.rows,
           s.columns, (unsigned long long)s.broken);
    free(copy);
    return 0;
}
