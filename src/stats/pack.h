/* Strings of bits that lie in the low bits of numbers, put together again as bytes. */
#ifndef TUT_STATS_PACK_H
#define TUT_STATS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tut_pack_way {
    unsigned bits;     /* the lowest of each number: 1 to 52 */
    unsigned stride;   /* every number, every second, …: 1 to 4 */
    unsigned first;    /* numbers passed over at the beginning */
    unsigned phase;    /* bits dropped at the beginning: 0 to 7 */
    bool is_low_first; /* the first bit is the lowest of its byte, and of its number; else the
                          highest */
    bool is_turned;    /* the bits inside each number run the other way than those of the byte */
} tut_pack_way;

/* How many bytes were made, at most `room`. */
size_t tut_pack(const uint64_t *numbers, size_t count, const tut_pack_way *way, uint8_t *to,
                size_t room);
/* The same with each 192 numbers in another order, always the same one: what a number has by itself
 * remains, and what numbers of one place have in common; what was strung across several is gone. */
size_t tut_pack_shuffled(const uint64_t *numbers, size_t count, const tut_pack_way *way,
                         uint8_t *to, size_t room);

/* Whether tut_pack_repeats() can be above 0, whatever `shuffled` is: false spares making it. */
bool tut_pack_may_repeat(const uint8_t *bytes, size_t count, double times);
/* How many pairs of bytes are equal, in standard deviations above what `shuffled` (of the same
 * length) has; 0 unless there are so many times more. */
double tut_pack_repeats(const uint8_t *bytes, const uint8_t *shuffled, size_t count, double times);

#endif
