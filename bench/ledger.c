/*
 * Figures of the log, each beside a floor measured in the same run: `bench_ledger DIR` works in a
 * new directory below DIR (on the disk that is meant) and prints one line a figure. Exit 1 when a
 * target is missed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ledger/log.h"

#define ORIGIN "bench.example/log"
/* golang.org/x/mod/sumdb/tlog over a million entries of 256 bytes, which begin with their number.
 */
#define MILLION_ROOT "e8ffe47e7c2956fafb6a464c3ecb4d13e4564f4d4db270f6afcd92497666f059"

enum { ENTRY_BYTES = 256, MILLION = 1000000, BATCH = 5000, BATCHES = 60, SINGLES = 1000 };

static uint8_t entry_room[BATCH][ENTRY_BYTES];
static unsigned missed;

static void must(tut_status s, const tut_error *err)
{
    if (tut_is_ok(s))
        return;
    (void)fprintf(stderr, "bench_ledger: %s\n", err->text);
    exit(2);
}

static void must_be(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "bench_ledger: %s\n", what);
    exit(2);
}

static double now(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void line(const char *name, const char *figure, const char *target, bool is_met,
                 const char *beside)
{
    printf("%-44s %-18s %-18s %-7s %s\n", name, figure, target, is_met ? "ok" : "MISSED", beside);
    (void)fflush(stdout);
    missed += !is_met;
}

static tut_span entry(uint64_t i, size_t slot)
{
    for (unsigned b = 0; b < 3; b++)
        entry_room[slot][b] = (uint8_t)(i >> 8 * b);
    return tut_span_of(entry_room[slot], ENTRY_BYTES);
}

static void in_memory(void)
{
    char figure[64], beside[128];
    tut_merkle_range range = {0};
    tut_sha256 leaf;
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < MILLION; i++)
        tut_merkle_leaf(entry(i, 0), &leaf);
    double floor = MILLION / (now(CLOCK_PROCESS_CPUTIME_ID) - start);
    start = now(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < MILLION; i++) {
        tut_merkle_leaf(entry(i, 0), &leaf);
        tut_merkle_range_add(&range, &leaf);
    }
    double rate = MILLION / (now(CLOCK_PROCESS_CPUTIME_ID) - start);
    (void)snprintf(figure, sizeof(figure), "%.0f /s", rate);
    (void)snprintf(beside, sizeof(beside), "%.2f of hashing the leaves alone (%.0f /s)",
                   rate / floor, floor);
    line("appends in memory, 256 B", figure, ">= 800,000 /s", rate >= 800000, beside);
}

static void fill(tut_log *log, uint64_t until)
{
    tut_span entries[BATCH];
    tut_error err = {0};
    uint64_t first;
    while (tut_log_size(log) < until) {
        uint64_t at = tut_log_size(log), left = until - at;
        size_t count = left < BATCH ? (size_t)left : BATCH;
        for (size_t i = 0; i < count; i++)
            entries[i] = entry(at + i, i);
        must(tut_log_append(log, entries, count, &first, &err), &err);
    }
}

/* The same bytes, appended plainly and synced as often. */
static double plain_batches(const char *dir)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/plain-batches", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must_be(fd >= 0, "cannot make a file");
    double start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < BATCHES; i++)
        must_be(write(fd, entry_room, sizeof(entry_room)) == (ssize_t)sizeof(entry_room) &&
                    fdatasync(fd) == 0,
                "cannot write");
    double took = now(CLOCK_MONOTONIC) - start;
    (void)close(fd);
    return (double)BATCH * BATCHES / took;
}

static void batches(const tut_log_options *options, const char *dir)
{
    char figure[64], beside[128];
    tut_error err = {0};
    tut_log *log = NULL;
    must(tut_log_open(options, true, &log, &err), &err);
    double start = now(CLOCK_MONOTONIC);
    fill(log, (uint64_t)BATCH * BATCHES);
    double rate = (double)BATCH * BATCHES / (now(CLOCK_MONOTONIC) - start);
    double floor = plain_batches(dir);
    (void)snprintf(figure, sizeof(figure), "%.0f /s", rate);
    (void)snprintf(beside, sizeof(beside), "%.2f of plain writes of as much, synced as often",
                   rate / floor);
    line("durable appends in batches of 5,000, 256 B", figure, ">= 50,000 /s", rate >= 50000,
         beside);
    fill(log, MILLION);
    must(tut_log_close(&log, &err), &err);
}

static tut_status nothing(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    uint64_t *sum = ctx;
    (void)err;
    *sum += index + bytes.data[0];
    return TUT_SUCCESS;
}

static unsigned findings;

static void found(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    (void)fprintf(stderr, "bench_ledger: %s: %s\n", name, detail);
    findings++;
}

/* Every entry read from its bundle and hashed, every tile proved up to the signed root. */
static void million(const tut_log_options *options)
{
    char figure[64];
    tut_error err = {0};
    tut_log *log = NULL;
    tut_sha256 root;
    char hex[TUT_SHA256_HEX];
    uint64_t sum = 0;
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    must(tut_log_open(options, false, &log, &err), &err);
    must(tut_log_each(log, 0, MILLION, nothing, &sum, &err), &err);
    double took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    tut_log_root(log, &root);
    tut_sha256_hex(&root, hex);
    must_be(strcmp(hex, MILLION_ROOT) == 0, "the root of a million entries is not the known one");
    (void)snprintf(figure, sizeof(figure), "%.2f s", took);
    line("root of 1,000,000 entries recomputed (CPU)", figure, "<= 1.5 s", took <= 1.5, "");
    start = now(CLOCK_PROCESS_CPUTIME_ID);
    must(tut_log_verify(log, found, NULL, &err), &err);
    took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    (void)snprintf(figure, sizeof(figure), "%.2f s", took);
    line("verify of 1,000,000 entries (CPU)", figure, "no finding", findings == 0, "");
    tut_log_free(log);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

static double time_ours(tut_log *log, uint64_t i)
{
    tut_error err = {0};
    uint64_t first;
    tut_span e = entry(i, 0);
    double start = now(CLOCK_MONOTONIC);
    must(tut_log_append(log, &e, 1, &first, &err), &err);
    return now(CLOCK_MONOTONIC) - start;
}

static double time_plain(int fd, uint64_t i)
{
    tut_span e = entry(i, 0);
    double start = now(CLOCK_MONOTONIC);
    must_be(write(fd, e.data, e.len) == (ssize_t)e.len && fdatasync(fd) == 0, "cannot write");
    return now(CLOCK_MONOTONIC) - start;
}

/* A signed checkpoint's signature: what no log that signs each event can do without. */
static double time_signature(const tut_key *key)
{
    tut_error err = {0};
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    double start = now(CLOCK_MONOTONIC);
    must(tut_key_sign(key, tut_span_of(entry_room[0], 150), &signature, &err), &err);
    return now(CLOCK_MONOTONIC) - start;
}

/* One event that is waited for, beside one plain append that is waited for and one signature, in
 * turn. Where the disk confirms in less time than a signature takes, the second floor is the one
 * that can be reached. */
static void singles(tut_log_options options, const char *dir)
{
    static double ours[SINGLES], plain[SINGLES], closing[SINGLES], signing[SINGLES];
    char path[512], figure[64], beside[160];
    tut_error err = {0};
    tut_log *log = NULL;
    uint64_t first;
    (void)snprintf(path, sizeof(path), "%s/plain", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must_be(fd >= 0, "cannot make a file");
    must(tut_log_open(&options, true, &log, &err), &err);
    for (size_t i = 0; i < SINGLES; i++) {
        /* Who comes second may find the disk's journal just written: they take turns at that too.
         */
        bool is_first = i % 2;
        if (is_first)
            ours[i] = time_ours(log, i);
        plain[i] = time_plain(fd, i);
        if (!is_first)
            ours[i] = time_ours(log, i);
        signing[i] = time_signature(options.signers[0].key);
    }
    for (size_t i = 0; i < SINGLES; i++) {
        tut_span e = entry(i, 0);
        must(tut_log_append(log, &e, 1, &first, &err), &err);
        double start = now(CLOCK_MONOTONIC);
        must(tut_log_fold(log, &err), &err);
        closing[i] = now(CLOCK_MONOTONIC) - start;
    }
    must(tut_log_close(&log, &err), &err);
    (void)close(fd);
    double us = median(ours, SINGLES), them = median(plain, SINGLES);
    double fold = median(closing, SINGLES), sign = median(signing, SINGLES);
    double ratio = us / them, signed_ratio = us / (them + sign);
    (void)snprintf(figure, sizeof(figure), "%.2f x floor", ratio);
    (void)snprintf(beside, sizeof(beside),
                   "%.3f ms beside %.3f ms, 256 B + fdatasync, in turn; %.2f x with the %.3f ms of "
                   "a signature",
                   us * 1e3, them * 1e3, signed_ratio, sign * 1e3);
    /* A disk that confirms sooner than five signatures take cannot tell: then they count as floor,
     * and the line says that it was judged so. */
    bool is_too_fast = them < 5 * sign && ratio > 1.2;
    line("one synchronous event of 256 B", figure, is_too_fast ? "<= 1.2 x signed" : "<= 1.2 x",
         is_too_fast ? signed_ratio <= 1.2 : ratio <= 1.2, beside);
    (void)snprintf(figure, sizeof(figure), "%.3f ms", fold * 1e3);
    line("folding after one event", figure, "<= 2 ms", fold <= 2e-3, "");
}

/* A command's whole share: open, one event, close. */
static void command(tut_log_options options)
{
    static double took[SINGLES], cpu[SINGLES];
    char figure[64], beside[128];
    tut_error err = {0};
    for (size_t i = 0; i < SINGLES; i++) {
        tut_log *log = NULL;
        uint64_t first;
        tut_span e = entry(i, 0);
        double start = now(CLOCK_MONOTONIC), start_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        must(tut_log_open(&options, true, &log, &err), &err);
        must(tut_log_append(log, &e, 1, &first, &err), &err);
        must(tut_log_close(&log, &err), &err);
        took[i] = now(CLOCK_MONOTONIC) - start;
        cpu[i] = now(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
    }
    double wall = median(took, SINGLES), busy = median(cpu, SINGLES);
    (void)snprintf(figure, sizeof(figure), "%.3f ms", wall * 1e3);
    (void)snprintf(beside, sizeof(beside), "%.3f ms of CPU, the rest is the disk (log and anchor)",
                   busy * 1e3);
    line("open, one event, close", figure, "CPU <= 2 ms", busy <= 2e-3, beside);
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    char root[400], dirs[3][512], anchor[512], sweep[512];
    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_ledger DIR\n");
        return 2;
    }
    (void)snprintf(root, sizeof(root), "%s/bench-ledger-XXXXXX", argv[1]);
    must_be(mkdtemp(root) != NULL, "cannot make a directory");
    for (int i = 0; i < 3; i++)
        (void)snprintf(dirs[i], sizeof(dirs[i]), "%s/log%d", root, i);
    (void)snprintf(anchor, sizeof(anchor), "%s/anchor", root);
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_verifier) verifier = {.key = NULL};
    must(tut_merkle_start(&err), &err);
    must(tut_key_generate(TUT_KEY_ED25519, &key, &err), &err);
    must(tut_verifier_of(ORIGIN, TUT_NOTE_ED25519, tut_key_public(key), &verifier, &err), &err);
    tut_log_signer signer = {ORIGIN, key};
    tut_log_options options = {.dir = dirs[0],
                               .origin = ORIGIN,
                               .signers = &signer,
                               .signer_count = 1,
                               .verifiers = &verifier,
                               .verifier_count = 1};
    in_memory();
    batches(&options, root);
    million(&options);
    options.anchor = anchor;
    options.dir = dirs[1];
    singles(options, root);
    (void)remove(anchor);
    options.dir = dirs[2];
    command(options);
    (void)snprintf(sweep, sizeof(sweep), "rm -rf -- '%s'", root);
    FILE *p = popen(sweep, "r");
    must_be(p && pclose(p) == 0, "cannot tidy up");
    return missed ? 1 : 0;
}
