/*
 * bench_chunks FILE: SHA-256 of a file alone; the same with its chunks and their Merkle root in the
 * one pass; and where the chunks end alone. Prints nanoseconds on the clock and of all processors
 * together, the best of some rounds, and how many chunks there are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/chunk.h"

enum { ROUNDS = 5 };
#define FILE_MAX ((size_t)2 << 30)

typedef enum work { DIGEST, BOTH, CUTS, WORKS } work;

typedef struct took {
    uint64_t wall, cpu;
} took;

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static tut_status go_over(const tut_source *source, tut_span bytes, work w, uint64_t *ret_chunks,
                          tut_error *err)
{
    TUT_CLEAN(tut_chunks) chunks = {0};
    const tut_chunks_options options = {0};
    tut_sha256 digest;
    if (w == DIGEST)
        return tut_sha256_source(source, &digest, err);
    if (w == CUTS) {
        *ret_chunks = 0;
        for (size_t at = 0; at < bytes.len; ++*ret_chunks)
            at += tut_chunk_cut(bytes.data + at, bytes.len - at);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_chunks_read(source, &options, &digest, &chunks, err));
    *ret_chunks = chunks.count;
    return TUT_SUCCESS;
}

static tut_status measure(const tut_source *source, tut_span bytes, tut_error *err)
{
    static const char *const names[WORKS] = {"sha256", "sha256+root", "cuts"};
    uint64_t chunks = 0;
    for (work w = DIGEST; w < WORKS; w++) {
        took best = {UINT64_MAX, UINT64_MAX};
        for (int round = 0; round < ROUNDS; round++) {
            took t = {now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID)};
            TUT_TRY(go_over(source, bytes, w, &chunks, err));
            t = (took){now(CLOCK_MONOTONIC) - t.wall, now(CLOCK_PROCESS_CPUTIME_ID) - t.cpu};
            best.wall = t.wall < best.wall ? t.wall : best.wall;
            best.cpu = t.cpu < best.cpu ? t.cpu : best.cpu;
        }
        printf("%-12s %12llu ns %6.2f GB/s; of processors %12llu ns\n", names[w],
               (unsigned long long)best.wall, (double)bytes.len / (double)best.wall,
               (unsigned long long)best.cpu);
    }
    printf("bytes %zu\nchunks %llu\n", bytes.len, (unsigned long long)chunks);
    return TUT_SUCCESS;
}

int main(int argc, char **argv)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    tut_error err = {0};
    tut_source source;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 2;
    bool is_done = tut_is_ok(tut_source_file(fd, &source, &err)) &&
                   tut_is_ok(tut_fs_read(argv[1], FILE_MAX, &file, &err)) &&
                   tut_is_ok(measure(&source, tut_buf_span(&file), &err));
    if (!is_done)
        fprintf(stderr, "bench_chunks: %s\n", err.text);
    (void)close(fd);
    return is_done ? 0 : 2;
}
