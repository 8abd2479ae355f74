/*
 *   delta = varint(block size) varint(miniblocks) varint(count) zigzag(first) { block }
 *   block = zigzag(least delta) { width (one byte) a miniblock } { miniblock }
 *
 * A miniblock holds block size / miniblocks deltas less the least one, packed, lowest bit first.
 * Only miniblocks that hold values are there; the widths of the others may be anything. Sums wrap.
 * (Lemire and Boytsov, "Decoding billions of integers per second through vectorization", 2012.)
 */
#include "formats/parquet_internal.h"

enum { BLOCK_MAX = 1 << 20, PER_MINI = 8 };

static bool varint(parquet_delta *d, uint64_t *ret)
{
    tut_reader r = tut_reader_of(tut_span_of(d->at, (size_t)(d->end - d->at)));
    if (!tut_is_ok(tut_reader_varint(&r, ret)))
        return false;
    d->at += r.pos;
    return true;
}

static uint64_t unzigzag(uint64_t raw)
{
    return (raw >> 1) ^ (0 - (raw & 1));
}

/* The format wants blocks of 128 and miniblocks of 32; whole bytes are all that reading needs. */
bool parquet_delta_init(parquet_delta *d, tut_span bytes)
{
    uint64_t first = 0;
    *d = (parquet_delta){.at = bytes.data, .end = bytes.data + bytes.len, .is_first = true};
    if (!varint(d, &d->block) || !varint(d, &d->minis) || !varint(d, &d->left) ||
        !varint(d, &first))
        return false;
    if (d->block == 0 || d->block > BLOCK_MAX || d->minis == 0 || d->minis > d->block)
        return false;
    d->per_mini = d->block / d->minis;
    d->mini = d->minis;
    d->last = unzigzag(first);
    return d->per_mini * d->minis == d->block && d->per_mini % PER_MINI == 0;
}

static bool next_block(parquet_delta *d)
{
    uint64_t raw;
    if (!varint(d, &raw) || d->minis > (uint64_t)(d->end - d->at))
        return false;
    d->min_delta = unzigzag(raw);
    d->widths = d->at;
    d->at += d->minis;
    d->mini = 0;
    return true;
}

/* The last miniblock may be cut behind its last value: some writers do. */
static bool next_mini(parquet_delta *d)
{
    if (d->mini == d->minis && !next_block(d))
        return false;
    d->width = d->widths[d->mini++];
    if (d->width > 64)
        return false;
    uint64_t bytes = d->per_mini / 8 * d->width, have = (uint64_t)(d->end - d->at);
    uint64_t held = d->left < d->per_mini ? d->left : d->per_mini;
    uint64_t needed = (held * d->width + 7) / 8;
    if (needed > have)
        return false;
    d->bits = d->at;
    d->bit = 0;
    d->mini_left = d->per_mini;
    d->at += bytes < have ? bytes : have;
    return true;
}

/* A value of up to 64 bits at any bit; the spare bytes behind a page are read. */
static uint64_t wide(const uint8_t *bits, uint64_t bit, unsigned width)
{
    const uint8_t *at = bits + (bit >> 3);
    unsigned shift = (unsigned)(bit & 7);
    uint64_t value = parquet_word(at) >> shift;
    if (shift + width > 64)
        value |= (uint64_t)at[8] << (64 - shift);
    return width == 64 ? value : value & (((uint64_t)1 << width) - 1);
}

static void take_mini(parquet_delta *d, int64_t *to, size_t n)
{
    uint64_t last = d->last;
    const uint64_t least = d->min_delta;
    if (d->width == 0) {
        for (size_t i = 0; i < n; i++)
            to[i] = (int64_t)(last += least);
    } else if (d->width <= 56) {
        const uint64_t mask = ((uint64_t)1 << d->width) - 1;
        uint64_t bit = d->bit;
        for (size_t i = 0; i < n; i++, bit += d->width)
            to[i] =
                (int64_t)(last += least + (parquet_word(d->bits + (bit >> 3)) >> (bit & 7) & mask));
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = (int64_t)(last += least + wide(d->bits, d->bit + i * d->width, d->width));
    }
    d->last = last;
    d->bit += n * (uint64_t)d->width;
    d->mini_left -= n;
    d->left -= n;
}

bool parquet_delta_take(parquet_delta *d, int64_t *to, size_t n)
{
    if (n > d->left)
        return false;
    if (n > 0 && d->is_first) {
        d->is_first = false;
        *to++ = (int64_t)d->last;
        d->left--;
        n--;
    }
    while (n > 0) {
        if (d->mini_left == 0 && !next_mini(d))
            return false;
        size_t part = d->mini_left < n ? (size_t)d->mini_left : n;
        take_mini(d, to, part);
        to += part;
        n -= part;
    }
    return true;
}

bool parquet_delta_end(const parquet_delta *d, const uint8_t **ret_end)
{
    parquet_delta walk = *d;
    if (walk.left > 0 && walk.is_first)
        walk.left--;
    while (walk.left > 0) {
        if (!next_mini(&walk))
            return false;
        walk.left -= walk.left < walk.per_mini ? walk.left : walk.per_mini;
    }
    *ret_end = walk.at;
    return true;
}
