/*
 *   snappy  = varint(length) { element }
 *   element = (n-1 << 2 | 0) n bytes                       literal, n <= 60
 *           | (59+k << 2 | 0) (n-1 in k bytes) n bytes     literal, k = 1..4
 *           | (offset>>8 << 5 | n-4 << 2 | 1) offset&255   copy, n = 4..11, offset < 2048
 *           | (n-1 << 2 | 2) u16le(offset)                 copy, n = 1..64
 *           | (n-1 << 2 | 3) u32le(offset)
 */
#include "formats/snappy.h"

#include "base/reader.h"

enum {
    COPY_MAX = 64,  /* bytes of one copy, which takes at least 2 */
    SLACK = 16,     /* bytes of room that let a copy run over its end */
    RATIO_MAX = 32, /* COPY_MAX from 2 bytes, at the very most */
};

typedef struct decoder {
    const uint8_t *in, *in_end;
    uint8_t *begin, *out, *out_end;
} decoder;

static tut_status wrong(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "snappy: %s", what);
}

static tut_status read_length(tut_reader *r, uint64_t *ret_len, tut_error *err)
{
    if (!tut_is_ok(tut_reader_varint(r, ret_len)) || *ret_len > UINT32_MAX)
        return wrong(err, "no length of 32 bits");
    if (*ret_len / RATIO_MAX > tut_reader_left(r))
        return wrong(err, "says that it makes more than its bytes can");
    return TUT_SUCCESS;
}

tut_status tut_snappy_length(tut_span packed, uint64_t *ret_len, tut_error *err)
{
    tut_reader r = tut_reader_of(packed);
    return read_length(&r, ret_len, err);
}

static bool literal(decoder *d, uint8_t tag)
{
    size_t n = tag >> 2;
    size_t left = (size_t)(d->in_end - d->in), room = (size_t)(d->out_end - d->out);
    if (n < SLACK && left >= SLACK && room >= SLACK) {
        memcpy(d->out, d->in, SLACK);
        d->in += n + 1;
        d->out += n + 1;
        return true;
    }
    if (n >= 60) {
        size_t extra = n - 59, value = 0;
        if (extra > left)
            return false;
        for (size_t i = 0; i < extra; i++)
            value |= (size_t)d->in[i] << (8 * i);
        d->in += extra;
        left -= extra;
        n = value;
    }
    n++;
    if (n > left || n > room)
        return false;
    memcpy(d->out, d->in, n);
    d->in += n;
    d->out += n;
    return true;
}

/* What is copied may overlap what it is copied to: then it repeats. */
static bool copy(decoder *d, size_t offset, size_t n)
{
    size_t room = (size_t)(d->out_end - d->out);
    if (offset == 0 || offset > (size_t)(d->out - d->begin) || n > room)
        return false;
    const uint8_t *from = d->out - offset;
    if (offset >= SLACK && room >= COPY_MAX) {
        for (size_t i = 0; i < n; i += SLACK)
            memcpy(d->out + i, from + i, SLACK);
    } else if (offset >= n) {
        memcpy(d->out, from, n);
    } else {
        for (size_t i = 0; i < n; i++)
            d->out[i] = from[i];
    }
    d->out += n;
    return true;
}

static bool element(decoder *d)
{
    uint8_t tag = *d->in++;
    size_t left = (size_t)(d->in_end - d->in);
    size_t need = (tag & 3) == 3 ? 4 : tag & 3;
    size_t n = (size_t)(tag >> 2) + 1, offset = 0;
    if ((tag & 3) == 0)
        return literal(d, tag);
    if (need > left)
        return false;
    for (size_t i = 0; i < need; i++)
        offset |= (size_t)d->in[i] << (8 * i);
    d->in += need;
    if ((tag & 3) == 1) {
        n = ((size_t)(tag >> 2) & 7) + 4;
        offset |= (size_t)(tag >> 5) << 8;
    }
    return copy(d, offset, n);
}

tut_status tut_snappy_decode(tut_span packed, uint8_t *to, size_t len, tut_error *err)
{
    tut_reader r = tut_reader_of(packed);
    uint64_t told;
    tut_span body;
    TUT_TRY(read_length(&r, &told, err));
    if (told != len)
        return wrong(err, "says another length than its page");
    TUT_TRY(tut_reader_bytes(&r, tut_reader_left(&r), &body));
    decoder d = {.in = body.data,
                 .in_end = body.data + body.len,
                 .begin = to,
                 .out = to,
                 .out_end = to + len};
    while (d.in < d.in_end) {
        if (!element(&d))
            return wrong(err, "a literal or copy leads out of the data");
    }
    return d.out == d.out_end ? TUT_SUCCESS : wrong(err, "makes fewer bytes than it says");
}
