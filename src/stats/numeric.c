#include "stats/numeric.h"

#include <string.h>

#include "stats/wide.h"

const tut_numeric_kind tut_numeric_kinds[TUT_NUMERIC_COUNT] = {
    [TUT_NUMERIC_NONE] = {"none", 1, 0, 0, 0},  [TUT_NUMERIC_F64] = {"F64", 8, 1, 52, 63},
    [TUT_NUMERIC_F32] = {"F32", 4, 1, 23, 31},  [TUT_NUMERIC_F16] = {"F16", 2, 1, 10, 15},
    [TUT_NUMERIC_BF16] = {"BF16", 2, 1, 7, 15}, [TUT_NUMERIC_I8] = {"I8", 1, 1, 0, 8},
    [TUT_NUMERIC_U8] = {"U8", 1, 1, 0, 8},      [TUT_NUMERIC_Q8_0] = {"Q8_0", 34, 32, 0, 8},
};

tut_numeric tut_numeric_of(const char *dtype)
{
    static const struct {
        const char *name;
        tut_numeric kind;
    } names[] = {
        {"F64", TUT_NUMERIC_F64},     {"F32", TUT_NUMERIC_F32},       {"F16", TUT_NUMERIC_F16},
        {"BF16", TUT_NUMERIC_BF16},   {"I8", TUT_NUMERIC_I8},         {"U8", TUT_NUMERIC_U8},
        {"Q8_0", TUT_NUMERIC_Q8_0},   {"<f8", TUT_NUMERIC_F64},       {"<f4", TUT_NUMERIC_F32},
        {"<f2", TUT_NUMERIC_F16},     {"|i1", TUT_NUMERIC_I8},        {"|u1", TUT_NUMERIC_U8},
        {"float64", TUT_NUMERIC_F64}, {"float32", TUT_NUMERIC_F32},   {"float16", TUT_NUMERIC_F16},
        {"int8", TUT_NUMERIC_I8},     {"uint8", TUT_NUMERIC_U8},      {"double", TUT_NUMERIC_F64},
        {"float", TUT_NUMERIC_F32},   {"bfloat16", TUT_NUMERIC_BF16}, {"C64", TUT_NUMERIC_F32},
        {"C128", TUT_NUMERIC_F64},    {"<c8", TUT_NUMERIC_F32},       {"<c16", TUT_NUMERIC_F64},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(dtype, names[i].name) == 0)
            return names[i].kind;
    return TUT_NUMERIC_NONE;
}

/* --- low bytes --- */

TUT_WIDE_BODY void low_of_4(const uint8_t *v, size_t count, uint8_t *low)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t x;
        memcpy(&x, v + 4 * i, 4);
        low[i] = (uint8_t)x;
    }
}

TUT_WIDE_BODY void low_of_2(const uint8_t *v, size_t count, uint8_t *low)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t x;
        memcpy(&x, v + 2 * i, 2);
        low[i] = (uint8_t)x;
    }
}

TUT_WIDE static void low_of_4_wide(const uint8_t *v, size_t count, uint8_t *low)
{
    low_of_4(v, count, low);
}

TUT_WIDE static void low_of_2_wide(const uint8_t *v, size_t count, uint8_t *low)
{
    low_of_2(v, count, low);
}

void tut_numeric_low(tut_numeric kind, const uint8_t *units, size_t count, uint8_t *low)
{
    switch (kind) {
    case TUT_NUMERIC_F64:
        for (size_t i = 0; i < count; i++)
            low[i] = units[8 * i];
        return;
    case TUT_NUMERIC_F32:
        if (TUT_WIDE_IS_THERE())
            low_of_4_wide(units, count, low);
        else
            low_of_4(units, count, low);
        return;
    case TUT_NUMERIC_F16:
    case TUT_NUMERIC_BF16:
        if (TUT_WIDE_IS_THERE())
            low_of_2_wide(units, count, low);
        else
            low_of_2(units, count, low);
        return;
    case TUT_NUMERIC_I8:
    case TUT_NUMERIC_U8:
        memcpy(low, units, count);
        return;
    case TUT_NUMERIC_Q8_0:
        for (size_t i = 0; i < count; i++)
            memcpy(low + 32 * i, units + 34 * i + 2, 32);
        return;
    case TUT_NUMERIC_NONE:
    case TUT_NUMERIC_COUNT:
        return;
    }
}

/* --- values --- */

static float of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

/* Half precision: shifted into place, then scaled by what the exponents' biases differ. */
TUT_WIDE_BODY void floats_of_half(const uint8_t *v, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t h;
        memcpy(&h, v + 2 * i, 2);
        uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13;
        uint32_t special = (h & 0x7c00) == 0x7c00 ? 0x7f800000u | magnitude : 0;
        uint32_t bits;
        float scaled, as;
        memcpy(&as, &magnitude, 4);
        scaled = as * 0x1p112f;
        memcpy(&bits, &scaled, 4);
        bits = (special ? special : bits) | (uint32_t)(h & 0x8000) << 16;
        memcpy(to + i, &bits, 4);
    }
}

TUT_WIDE_BODY void floats_of_brain(const uint8_t *v, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t h;
        memcpy(&h, v + 2 * i, 2);
        uint32_t bits = (uint32_t)h << 16;
        memcpy(to + i, &bits, 4);
    }
}

TUT_WIDE static void floats_of_half_wide(const uint8_t *v, size_t count, float *to)
{
    floats_of_half(v, count, to);
}

TUT_WIDE static void floats_of_brain_wide(const uint8_t *v, size_t count, float *to)
{
    floats_of_brain(v, count, to);
}

static void floats_of_q8(const uint8_t *units, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++) {
        float scale;
        floats_of_half(units + 34 * i, 1, &scale);
        for (size_t j = 0; j < 32; j++)
            to[32 * i + j] = scale * (float)(int8_t)units[34 * i + 2 + j];
    }
}

static void floats_of_double(const uint8_t *units, size_t count, float *to)
{
    for (size_t i = 0; i < count; i++) {
        double d;
        memcpy(&d, units + 8 * i, 8);
        /* What is too large for a float is infinite; converting it would be undefined. */
        to[i] = d > 0x1.fffffep127    ? of_bits(0x7f800000u)
                : d < -0x1.fffffep127 ? of_bits(0xff800000u)
                                      : (float)d;
    }
}

void tut_numeric_floats(tut_numeric kind, const uint8_t *units, size_t count, float *to)
{
    switch (kind) {
    case TUT_NUMERIC_F64:
        floats_of_double(units, count, to);
        return;
    case TUT_NUMERIC_F32:
        memcpy(to, units, 4 * count);
        return;
    case TUT_NUMERIC_F16:
        if (TUT_WIDE_IS_THERE())
            floats_of_half_wide(units, count, to);
        else
            floats_of_half(units, count, to);
        return;
    case TUT_NUMERIC_BF16:
        if (TUT_WIDE_IS_THERE())
            floats_of_brain_wide(units, count, to);
        else
            floats_of_brain(units, count, to);
        return;
    case TUT_NUMERIC_I8:
        for (size_t i = 0; i < count; i++)
            to[i] = (float)(int8_t)units[i];
        return;
    case TUT_NUMERIC_U8:
        for (size_t i = 0; i < count; i++)
            to[i] = (float)units[i];
        return;
    case TUT_NUMERIC_Q8_0:
        floats_of_q8(units, count, to);
        return;
    case TUT_NUMERIC_NONE:
    case TUT_NUMERIC_COUNT:
        return;
    }
}

void tut_numeric_bits(tut_numeric kind, const uint8_t *units, size_t count, uint64_t *to)
{
    const tut_numeric_kind *k = &tut_numeric_kinds[kind];
    if (kind == TUT_NUMERIC_Q8_0) {
        for (size_t i = 0; i < count * 32; i++)
            to[i] = units[34 * (i / 32) + 2 + i % 32];
        return;
    }
    for (size_t i = 0; i < count; i++) {
        to[i] = 0;
        memcpy(&to[i], units + i * k->unit_bytes, k->unit_bytes);
    }
}

/* --- masks --- */

TUT_WIDE_BODY void masks_of_8(const uint8_t *v, size_t count, uint64_t *ever, uint64_t *always)
{
    uint64_t any = 0, all = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t x;
        memcpy(&x, v + 8 * i, 8);
        any |= x;
        all &= x;
    }
    *ever = any;
    *always = all;
}

TUT_WIDE static void masks_of_8_wide(const uint8_t *v, size_t count, uint64_t *ever,
                                     uint64_t *always)
{
    masks_of_8(v, count, ever, always);
}

/* Numbers of 1, 2 and 4 bytes are taken 8 bytes at a time, and folded at the end. */
void tut_numeric_masks(tut_numeric kind, const uint8_t *units, size_t count, uint64_t *ret_ever,
                       uint64_t *ret_always)
{
    const size_t width = tut_numeric_kinds[kind].unit_bytes;
    const size_t whole = count * width / 8, left = count * width % 8;
    uint64_t ever = 0, always = UINT64_MAX;
    if (TUT_WIDE_IS_THERE())
        masks_of_8_wide(units, whole, &ever, &always);
    else
        masks_of_8(units, whole, &ever, &always);
    for (size_t i = 0; i < left; i += width) {
        uint64_t x = 0, rest = width < 8 ? UINT64_MAX << (8 * width) : 0;
        memcpy(&x, units + whole * 8 + i, width);
        ever |= x;
        always &= x | rest;
    }
    for (size_t bits = 32; bits >= 8 * width && width < 8; bits /= 2) {
        ever |= ever >> bits;
        always &= always >> bits;
    }
    uint64_t mask = width < 8 ? (1ull << (8 * width)) - 1 : UINT64_MAX;
    *ret_ever = ever & mask;
    *ret_always = always & mask;
}
