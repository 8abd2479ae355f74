#include "base/reader.h"

tut_reader tut_reader_of(tut_span bytes)
{
    return (tut_reader){.data = bytes.data, .len = bytes.len};
}

size_t tut_reader_left(const tut_reader *r)
{
    return r->len - r->pos;
}

uint64_t tut_reader_offset(const tut_reader *r)
{
    return r->base + r->pos;
}

tut_status tut_reader_bytes(tut_reader *r, uint64_t n, tut_span *ret_bytes)
{
    if (n > r->len - r->pos)
        return (tut_status){TUT_TRUNCATED};
    /* A reader of nothing may have no data; its spans point somewhere all the same. */
    static const uint8_t nothing[1];
    *ret_bytes = (tut_span){r->data ? r->data + r->pos : nothing, (size_t)n};
    r->pos += (size_t)n;
    return TUT_SUCCESS;
}

tut_status tut_reader_take(tut_reader *r, uint64_t n, tut_reader *ret_sub)
{
    uint64_t base = tut_reader_offset(r);
    tut_span bytes;
    TUT_TRY(tut_reader_bytes(r, n, &bytes));
    *ret_sub = (tut_reader){.data = bytes.data, .len = bytes.len, .base = base};
    return TUT_SUCCESS;
}

tut_status tut_reader_skip(tut_reader *r, uint64_t n)
{
    tut_span ignored;
    return tut_reader_bytes(r, n, &ignored);
}

static tut_status take_number(tut_reader *r, unsigned bytes, bool is_little, uint64_t *ret)
{
    tut_span s;
    TUT_TRY(tut_reader_bytes(r, bytes, &s));
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)s.data[i] << (8 * (is_little ? i : bytes - 1 - i));
    *ret = value;
    return TUT_SUCCESS;
}

#define DEFINE_NUMBER(name, type, bytes, is_little)                                                \
    tut_status tut_reader_##name(tut_reader *r, type *ret)                                         \
    {                                                                                              \
        uint64_t value;                                                                            \
        TUT_TRY(take_number(r, bytes, is_little, &value));                                         \
        *ret = (type)value;                                                                        \
        return TUT_SUCCESS;                                                                        \
    }

DEFINE_NUMBER(u8, uint8_t, 1, true)
DEFINE_NUMBER(u16le, uint16_t, 2, true)
DEFINE_NUMBER(u32le, uint32_t, 4, true)
DEFINE_NUMBER(u64le, uint64_t, 8, true)
DEFINE_NUMBER(u16be, uint16_t, 2, false)
DEFINE_NUMBER(u32be, uint32_t, 4, false)
DEFINE_NUMBER(u64be, uint64_t, 8, false)

tut_status tut_reader_varint(tut_reader *r, uint64_t *ret)
{
    uint64_t value = 0;
    size_t pos = r->pos;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (pos >= r->len)
            return (tut_status){TUT_TRUNCATED};
        uint8_t byte = r->data[pos++];
        if (shift == 63 && byte > 1)
            return (tut_status){TUT_MALFORMED};
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            r->pos = pos;
            *ret = value;
            return TUT_SUCCESS;
        }
    }
    return (tut_status){TUT_MALFORMED};
}

tut_status tut_reader_sized(tut_reader *r, tut_str *ret)
{
    tut_reader probe = *r;
    uint32_t len;
    tut_span bytes;
    TUT_TRY(tut_reader_u32le(&probe, &len));
    TUT_TRY(tut_reader_bytes(&probe, len, &bytes));
    *r = probe;
    *ret = tut_str_from(bytes);
    return TUT_SUCCESS;
}

tut_status tut_reader_expect(tut_reader *r, tut_str bytes)
{
    tut_reader probe = *r;
    tut_span found;
    TUT_TRY(tut_reader_bytes(&probe, bytes.len, &found));
    if (bytes.len && memcmp(found.data, bytes.data, bytes.len) != 0)
        return (tut_status){TUT_MALFORMED};
    *r = probe;
    return TUT_SUCCESS;
}
