/*
 * The lowest bits of consecutive numbers, plane by plane: whether ones and zeros alternate as
 * chance has it.
 *
 * The low bits of natural weights are even and without rhythm. Text that is strung along them has
 * one: the eighth bit of each byte is zero, and returns every 8 numbers where one bit a number is
 * used, every 4 where two are, every 16 where every second number is left alone. All such rhythms
 * divide 96, so ones are counted by place modulo 96. Programs and documents, full of zeros, are
 * uneven on the whole.
 */
#ifndef TUT_STATS_PLANES_H
#define TUT_STATS_PLANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TUT_PLANES = 8,
    TUT_PLANES_PERIOD = 96,
    TUT_PLANES_GROUPS = 64, /* of 96 numbers: what is counted at once */
    TUT_PLANES_VALUES = TUT_PLANES_PERIOD * TUT_PLANES_GROUPS
};

typedef struct tut_planes {
    uint8_t ones[TUT_PLANES][TUT_PLANES_PERIOD];
    size_t groups;
} tut_planes;

/* low: groups * 96 low bytes; groups <= TUT_PLANES_GROUPS. */
void tut_planes_count(const uint8_t *low, size_t groups, tut_planes *ret);

/* How far the ones of one plane are from chance: chi-square over the limit that chance passes about
 * once in 1e11, at the worst period of 1, 8, 16, 24, 32 and 96; above 1 is uneven. is_centred: only
 * the rhythm counts, not how many ones there are in all. A plane without a one, or without a zero,
 * is at rest: 0. */
double tut_planes_score(const tut_planes *p, unsigned plane, bool is_centred, unsigned *ret_period);

#endif
