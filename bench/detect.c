/*
 * bench_detect ROLE FILE: how fast the detector scores the texts of FILE (each begins with its
 * length in four bytes, little-endian), and how fast a text that it has scored already. Prints
 * nanoseconds: of scoring, of looking its verdict up, of SHA-256 and of
 * memchr() for a byte that is nowhere, over the same bytes; and how many bytes and texts there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "crypto/digest.h"
#include "detect/cache.h"

enum { ROUNDS = 15, FILE_MAX = 256 << 20, TEXTS_MAX = 1 << 16 };

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int fail(const tut_error *err)
{
    fprintf(stderr, "bench_detect: %s\n", err->text);
    return 2;
}

typedef struct texts {
    tut_str items[TEXTS_MAX];
    size_t count, bytes;
} texts;

static void cut(tut_str rest, texts *t)
{
    while (rest.len > 4 && t->count < TEXTS_MAX) {
        const uint8_t *p = (const uint8_t *)rest.data;
        size_t len = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        len = len < rest.len - 4 ? len : rest.len - 4;
        t->items[t->count++] = (tut_str){rest.data + 4, len};
        t->bytes += len;
        rest = (tut_str){rest.data + 4 + len, rest.len - 4 - len};
    }
}

typedef enum work { SCORE, LOOK_UP, SHA256, MEMCHR, WORKS } work;

static tut_status go_over(tut_detector *d, tut_detect_role role, const texts *t, work w,
                          size_t *ret_found, tut_error *err)
{
    tut_detect_verdict v;
    tut_sha256 digest;
    for (size_t i = 0; i < t->count; i++) {
        tut_str s = t->items[i];
        if (w == SCORE || w == LOOK_UP) {
            TUT_TRY(tut_detect(d, role, s, &v, err));
            *ret_found += v.action != TUT_ACTION_ALLOW;
        } else if (w == SHA256) {
            TUT_TRY(tut_sha256_of(tut_span_of(s.data, s.len), &digest, err));
            *ret_found += digest.bytes[0];
        } else if (w == MEMCHR) {
            *ret_found += memchr(s.data, 0xff, s.len) != NULL;
        }
    }
    return TUT_SUCCESS;
}

int main(int argc, char **argv)
{
    static texts t;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_AUTO(tut_model) model = NULL;
    TUT_AUTO(tut_detector) d = NULL;
    TUT_AUTO(tut_detect_cache) cache = NULL;
    tut_error err = {0};
    tut_detect_role role;
    if (argc != 3 || !tut_detect_role_of(tut_str_of(argv[1]), &role))
        return 2;
    if (!tut_is_ok(tut_fs_read(argv[2], FILE_MAX, &file, &err)) ||
        !tut_is_ok(tut_model_builtin(&model, &err)) ||
        !tut_is_ok(tut_detector_new(model, &d, &err)) ||
        !tut_is_ok(tut_detect_cache_new(&cache, &err)))
        return fail(&err);
    cut(tut_buf_str(&file), &t);
    for (work w = SCORE; w < WORKS; w++) {
        uint64_t best = UINT64_MAX;
        size_t found = 0;
        tut_detector_use(d, w == LOOK_UP ? cache : NULL);
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t began = now();
            found = 0;
            if (!tut_is_ok(go_over(d, role, &t, w, &found, &err)))
                return fail(&err);
            uint64_t took = now() - began;
            best = took < best ? took : best;
        }
        static const char *const names[WORKS] = {"score", "hit", "sha256", "memchr"};
        printf("%s %llu (%zu)\n", names[w], (unsigned long long)best, found);
    }
    printf("bytes %zu\ntexts %zu\n", t.bytes, t.count);
    return 0;
}
