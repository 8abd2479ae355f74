/*
 *   hybrid = { run }
 *   run    = varint(count << 1) value                 value: width bits in whole bytes
 *          | varint(groups << 1 | 1) packed           8 values a group, lowest bit first
 */
#include "formats/parquet_internal.h"

void parquet_hybrid_init(parquet_hybrid *h, tut_span bytes, unsigned width)
{
    *h = (parquet_hybrid){.at = bytes.data, .end = bytes.data + bytes.len, .width = width};
}

void parquet_msb_init(parquet_hybrid *h, tut_span bytes, unsigned width, uint64_t count)
{
    *h = (parquet_hybrid){.at = bytes.data + bytes.len,
                          .end = bytes.data + bytes.len,
                          .width = width,
                          .is_packed = true,
                          .is_msb = true,
                          .left = count,
                          .bits = bytes.data};
}

static bool varint(parquet_hybrid *h, uint64_t *ret)
{
    tut_reader r = tut_reader_of(tut_span_of(h->at, (size_t)(h->end - h->at)));
    if (!tut_is_ok(tut_reader_varint(&r, ret)))
        return false;
    h->at += r.pos;
    return true;
}

/* The last group of packed values may be cut: not all writers fill it up. */
static void open_packed(parquet_hybrid *h, uint64_t groups)
{
    uint64_t have = (uint64_t)(h->end - h->at);
    h->is_packed = true;
    h->bits = h->at;
    h->bit = 0;
    if (h->width == 0) {
        h->left = groups * 8;
    } else if (groups <= have / h->width) {
        h->left = groups * 8;
        h->at += groups * h->width;
    } else {
        h->left = have * 8 / h->width;
        h->at = h->end;
    }
}

static bool next_run(parquet_hybrid *h)
{
    uint64_t head;
    if (h->is_msb || !varint(h, &head) || head >> 1 == 0 || head >> 1 > INT32_MAX)
        return false;
    if (head & 1) {
        open_packed(h, head >> 1);
        return h->left > 0;
    }
    size_t bytes = (h->width + 7) / 8;
    if (bytes > (size_t)(h->end - h->at))
        return false;
    h->is_packed = false;
    h->left = head >> 1;
    h->value = 0;
    for (size_t i = 0; i < bytes; i++)
        h->value |= (uint32_t)h->at[i] << (8 * i);
    h->at += bytes;
    return true;
}

static uint32_t msb_value(const parquet_hybrid *h, uint64_t bit)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < h->width; i++, bit++)
        value = value << 1 | (h->bits[bit >> 3] >> (7 - (bit & 7)) & 1u);
    return value;
}

/* Words are read past the last bits: a page ends in PARQUET_SPARE bytes that are not its own. */
#define DEFINE_UNPACK(name, type)                                                                  \
    static void name(parquet_hybrid *h, type *to, size_t n)                                        \
    {                                                                                              \
        uint64_t mask = ((uint64_t)1 << h->width) - 1, bit = h->bit;                               \
        const unsigned width = h->width;                                                           \
        const uint8_t *bits = h->bits;                                                             \
        if (h->is_msb) {                                                                           \
            for (size_t i = 0; i < n; i++)                                                         \
                to[i] = (type)msb_value(h, bit + i * width);                                       \
        } else if (width == 0) {                                                                   \
            memset(to, 0, n * sizeof(type));                                                       \
        } else {                                                                                   \
            for (size_t i = 0; i < n; i++, bit += width)                                           \
                to[i] = (type)(parquet_word(bits + (bit >> 3)) >> (bit & 7) & mask);               \
        }                                                                                          \
        h->bit += n * (uint64_t)width;                                                             \
    }
DEFINE_UNPACK(unpack_numbers, uint32_t)
DEFINE_UNPACK(unpack_levels, uint8_t)

bool parquet_hybrid_take(parquet_hybrid *h, uint32_t *to, size_t n)
{
    while (n > 0) {
        if (h->left == 0 && !next_run(h))
            return false;
        size_t part = h->left < n ? (size_t)h->left : n;
        if (h->is_packed) {
            unpack_numbers(h, to, part);
        } else {
            for (size_t i = 0; i < part; i++)
                to[i] = h->value;
        }
        h->left -= part;
        to += part;
        n -= part;
    }
    return true;
}

bool parquet_hybrid_levels(parquet_hybrid *h, uint8_t *to, size_t n)
{
    while (n > 0) {
        if (h->left == 0 && !next_run(h))
            return false;
        size_t part = h->left < n ? (size_t)h->left : n;
        if (h->is_packed)
            unpack_levels(h, to, part);
        else
            memset(to, (int)(h->value & 0xff), part);
        h->left -= part;
        to += part;
        n -= part;
    }
    return true;
}

bool parquet_hybrid_all(parquet_hybrid *h, uint32_t value, size_t n)
{
    if (h->left == 0 && !next_run(h))
        return false;
    if (h->is_packed || h->value != value || h->left < n)
        return false;
    h->left -= n;
    return true;
}
