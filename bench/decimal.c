/*
 * bench_decimal MILLIONS: reads so many millions of random numbers in decimal as strtod() does, and
 * compares each bit. Prints nanoseconds a number of both, and how many differ (which must be none).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/decimal.h"

enum { BATCH = 4096, TEXT = 64 };

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Every form that files have: shortest digits, many digits, fixed point, whole, near halfway. */
static void write_number(uint64_t *state, char *to)
{
    uint64_t bits = draw(state);
    double v;
    memcpy(&v, &bits, sizeof(v));
    if (v != v || v - v != 0)
        v = 1.5;
    switch (draw(state) % 5) {
    case 0:
        (void)snprintf(to, TEXT, "%.17g", v);
        break;
    case 1:
        (void)snprintf(to, TEXT, "%.*e", (int)(draw(state) % 30), v);
        break;
    case 2:
        (void)snprintf(to, TEXT, "%.*f", (int)(draw(state) % 17),
                       (double)(int64_t)(draw(state) >> (20 + draw(state) % 40)) / 977);
        break;
    case 3:
        (void)snprintf(to, TEXT, "%llu", (unsigned long long)(draw(state) >> draw(state) % 64));
        break;
    default:
        (void)snprintf(
            to, TEXT, "%llu.%llue%d", (unsigned long long)(draw(state) >> draw(state) % 64),
            (unsigned long long)(draw(state) >> draw(state) % 64), (int)(draw(state) % 660) - 330);
    }
}

int main(int argc, char **argv)
{
    static char texts[BATCH][TEXT + TUT_DECIMAL_PAD];
    static double ours[BATCH];
    static double theirs[BATCH];
    uint64_t state = 1;
    uint64_t times[2] = {0};
    uint64_t count = 0;
    uint64_t different = 0;
    uint64_t wanted = argc == 2 ? strtoull(argv[1], NULL, 10) * 1000000 : 0;
    for (; count < wanted; count += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            write_number(&state, texts[i]);
        uint64_t began = now();
        for (size_t i = 0; i < BATCH; i++) {
            bool is_whole;
            if (!tut_decimal_padded((tut_str){texts[i], strlen(texts[i])}, &ours[i], &is_whole))
                different++;
        }
        times[0] += now() - began;
        began = now();
        for (size_t i = 0; i < BATCH; i++)
            theirs[i] = strtod(texts[i], NULL);
        times[1] += now() - began;
        for (size_t i = 0; i < BATCH; i++)
            different += memcmp(&ours[i], &theirs[i], sizeof(double)) != 0;
    }
    if (count)
        printf("ours %.1f ns, strtod %.1f ns; of %llu numbers %llu differ\n",
               (double)times[0] / (double)count, (double)times[1] / (double)count,
               (unsigned long long)count, (unsigned long long)different);
    return count == 0 || different > 0;
}
