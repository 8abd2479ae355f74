/*
 * Runs a fuzz target without libFuzzer: every seed (files, or the files of folders), every seed cut
 * at each byte (evenly spread cuts for large ones), and some thousand mutations of each from a
 * fixed random sequence. TUTELA_FUZZ_MS is the time for cuts and mutations of all seeds together
 * (default 2000). The input that crashes, or takes longer than 20 s, is left in crash-NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum {
    SEEDS_MAX = 4096,
    SEED_MAX_BYTES = 16 << 20,
    CUTS_MAX = 4096,
    MUTATIONS_MAX = 4000,
    STACKED_MAX = 4,
    CHUNK_MAX = 64,
    DEFAULT_MS = 2000,
    HANG_SECONDS = 20
};

typedef struct seed {
    char *name;
    uint8_t *data;
    size_t len;
} seed;

static seed *seeds;
static size_t seed_count;
static uint64_t inputs;
static const char *target;
static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* What is being run, for the handlers. */
static const uint8_t *current;
static size_t current_len;
static char crash_name[256];

static void keep_current(void)
{
    int fd = open(crash_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    for (size_t at = 0; at < current_len;) {
        ssize_t n = write(fd, current + at, current_len - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    close(fd);
}

static void on_signal(int number)
{
    static const char hang[] = ": hang; the input is in ";
    static const char crash[] = ": crash; the input is in ";
    const char *text = number == SIGALRM ? hang : crash;
    keep_current();
    if (write(STDERR_FILENO, target, strlen(target)) < 0 ||
        write(STDERR_FILENO, text, strlen(text)) < 0 ||
        write(STDERR_FILENO, crash_name, strlen(crash_name)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(125);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch(void)
{
    snprintf(crash_name, sizeof(crash_name), "crash-%s", target);
    signal(SIGALRM, on_signal);
    if (__sanitizer_set_death_callback) { /* its own report says more than ours */
        __sanitizer_set_death_callback(keep_current);
        return;
    }
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], on_signal);
}

static void *must(void *p)
{
    if (!p) {
        fprintf(stderr, "%s: out of memory\n", target);
        exit(1);
    }
    return p;
}

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s: %s: %s: %s\n", target, path, what, strerror(errno));
    exit(1);
}

/* A block of exactly this size, so that reading past it shows under AddressSanitizer. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *exact = must(malloc(len ? len : 1));
    if (len)
        memcpy(exact, data, len);
    current = exact;
    current_len = len;
    alarm(HANG_SECONDS);
    if (LLVMFuzzerTestOneInput(exact, len) != 0) {
        fprintf(stderr, "%s: the target did not return 0\n", target);
        exit(1);
    }
    alarm(0);
    current_len = 0;
    free(exact);
    inputs++;
}

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * 0x2545f4914f6cdd1du >> 16) % n;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void load(const char *path)
{
    if (seed_count == SEEDS_MAX)
        return;
    FILE *f = fopen(path, "rb");
    if (!f)
        fail("cannot be opened", path);
    uint8_t *data = must(malloc(SEED_MAX_BYTES));
    size_t len = fread(data, 1, SEED_MAX_BYTES, f);
    if (ferror(f))
        fail("cannot be read", path);
    fclose(f);
    seeds[seed_count++] =
        (seed){.name = must(strdup(path)), .data = must(realloc(data, len ? len : 1)), .len = len};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const seed *)a)->name, ((const seed *)b)->name);
}

static void load_folder(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        fail("cannot be opened", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char inner[4096];
        struct stat st;
        int n = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (n > 0 && (size_t)n < sizeof(inner) && stat(inner, &st) == 0 && S_ISREG(st.st_mode))
            load(inner);
    }
    closedir(dir);
    qsort(seeds, seed_count, sizeof(*seeds), by_name);
}

static void cut(const seed *s, uint64_t until_ms)
{
    size_t step = s->len / CUTS_MAX + 1;
    for (size_t len = 0; len < s->len && now_ms() < until_ms; len += step)
        run(s->data, len);
}

static void set_number(uint8_t *data, size_t len, size_t at)
{
    static const uint64_t values[] = {0,          1,         0x7f,       0x80,       0xff,
                                      0x7fff,     0x8000,    0xffff,     0x7fffffff, 0x80000000,
                                      0xffffffff, INT64_MAX, UINT64_MAX, 1u << 20,   1ull << 40};
    uint64_t value = values[random_below(sizeof(values) / sizeof(values[0]))];
    size_t width = (size_t)1 << random_below(4);
    bool is_big = random_below(4) == 0;
    for (size_t i = 0; i < width && at + i < len; i++)
        data[at + i] = (uint8_t)(value >> (8 * (is_big ? width - 1 - i : i)));
}

static void overwrite_from_other(uint8_t *data, size_t len, size_t at, size_t chunk)
{
    const seed *other = &seeds[random_below(seed_count)];
    if (other->len == 0)
        return;
    size_t from = random_below(other->len);
    if (chunk > other->len - from)
        chunk = other->len - from;
    if (chunk > len - at)
        chunk = len - at;
    memcpy(data + at, other->data + from, chunk);
}

/* One change; there is room for CHUNK_MAX more bytes. The new length. */
static size_t mutate(uint8_t *data, size_t len)
{
    if (len == 0) {
        data[0] = (uint8_t)random_below(256);
        return 1;
    }
    size_t at = random_below(len);
    size_t chunk = 1 + random_below(CHUNK_MAX);
    size_t there = chunk < len - at ? chunk : len - at;
    switch (random_below(8)) {
    case 0:
    case 1:
        data[at] ^= (uint8_t)(1u << random_below(8));
        return len;
    case 2:
        data[at] = random_below(2) ? 0xff : 0;
        return len;
    case 3:
        data[at] = (uint8_t)random_below(256);
        return len;
    case 4:
        set_number(data, len, at);
        return len;
    case 5:
        memmove(data + at, data + at + there, len - at - there);
        return len - there;
    case 6:
        memmove(data + at + there, data + at, len - at);
        return len + there;
    default:
        overwrite_from_other(data, len, at, chunk);
        return len;
    }
}

static void mutations(const seed *s, uint64_t until_ms)
{
    uint8_t *room = must(malloc(s->len + STACKED_MAX * CHUNK_MAX));
    for (int i = 0; i < MUTATIONS_MAX && now_ms() < until_ms; i++) {
        size_t len = s->len;
        memcpy(room, s->data, len);
        for (uint64_t n = 1 + random_below(STACKED_MAX); n > 0; n--)
            len = mutate(room, len);
        run(room, len);
    }
    free(room);
}

static uint64_t time_allowed(void)
{
    const char *text = getenv("TUTELA_FUZZ_MS");
    char *end;
    if (!text || !*text)
        return DEFAULT_MS;
    unsigned long ms = strtoul(text, &end, 10);
    if (*end) {
        fprintf(stderr, "%s: TUTELA_FUZZ_MS is a number of milliseconds\n", target);
        exit(1);
    }
    return ms;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    target = slash ? slash + 1 : argv[0];
    if (strncmp(target, "fuzz_", 5) == 0)
        target += 5;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    seeds = must(calloc(SEEDS_MAX, sizeof(*seeds)));
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0)
            fail("cannot be found", argv[i]);
        if (S_ISDIR(st.st_mode))
            load_folder(argv[i]);
        else
            load(argv[i]);
    }
    if (seed_count == 0) {
        fprintf(stderr, "%s: no seeds\n", target);
        return 1;
    }
    watch();
    for (size_t i = 0; i < seed_count; i++)
        run(seeds[i].data, seeds[i].len);
    uint64_t share = time_allowed() / seed_count + 1; /* each seed gets its part */
    for (size_t i = 0; i < seed_count; i++) {
        uint64_t start = now_ms();
        cut(&seeds[i], start + share / 2 + 1);
        mutations(&seeds[i], start + share);
    }
    printf("%s: %llu inputs, no crash\n", target, (unsigned long long)inputs);
    for (size_t i = 0; i < seed_count; i++) {
        free(seeds[i].name);
        free(seeds[i].data);
    }
    free(seeds);
    return 0;
}
