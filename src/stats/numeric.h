/*
 * Numbers as tensors store them, little endian: their size, their lowest bits, their values.
 */
#ifndef TUT_STATS_NUMERIC_H
#define TUT_STATS_NUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tut_numeric {
    TUT_NUMERIC_NONE, /* no numbers with bits to spare: text, packed blocks, booleans */
    TUT_NUMERIC_F64,
    TUT_NUMERIC_F32,
    TUT_NUMERIC_F16,
    TUT_NUMERIC_BF16,
    TUT_NUMERIC_I8,
    TUT_NUMERIC_U8,
    TUT_NUMERIC_Q8_0, /* GGUF: blocks of a half-precision scale and 32 signed bytes */
    TUT_NUMERIC_COUNT
} tut_numeric;

typedef struct tut_numeric_kind {
    const char *name;
    uint8_t unit_bytes, unit_values; /* the smallest piece that can be read: Q8_0 34 and 32 */
    uint8_t mantissa_bits;           /* 0: integers */
    uint8_t code_bits;               /* of the magnitude (floats) or of the value (integers) */
} tut_numeric_kind;

extern const tut_numeric_kind tut_numeric_kinds[TUT_NUMERIC_COUNT];
/* By the names that formats use: "F32", "float32", "<f4", "torch.float32", … NONE when unknown. */
tut_numeric tut_numeric_of(const char *dtype);

/* The lowest byte of each of so many units' values. */
void tut_numeric_low(tut_numeric kind, const uint8_t *units, size_t count, uint8_t *ret_low);
/* As single precision; what exceeds it becomes infinite. Q8_0: scale times value. */
void tut_numeric_floats(tut_numeric kind, const uint8_t *units, size_t count, float *ret_values);
/* Which bits are ever 1, and which always are, over these values (not for Q8_0). */
void tut_numeric_masks(tut_numeric kind, const uint8_t *units, size_t count, uint64_t *ret_ever,
                       uint64_t *ret_always);
/* The bits of each value as a number; of Q8_0 the signed byte alone. */
void tut_numeric_bits(tut_numeric kind, const uint8_t *units, size_t count, uint64_t *ret_bits);

#endif
