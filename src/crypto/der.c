#include "crypto/der.h"

enum { LONG_FORM = 0x80, LENGTH_BYTES_MAX = 4, HIGH_TAG = 0x1f };

static tut_status read_length(tut_reader *r, uint32_t *ret)
{
    uint8_t first;
    TUT_TRY(tut_reader_u8(r, &first));
    if (first < LONG_FORM) {
        *ret = first;
        return TUT_SUCCESS;
    }
    unsigned count = first & 0x7f;
    if (count == 0 || count > LENGTH_BYTES_MAX)
        return (tut_status){TUT_MALFORMED};
    uint32_t length = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t byte;
        TUT_TRY(tut_reader_u8(r, &byte));
        if (i == 0 && byte == 0)
            return (tut_status){TUT_MALFORMED};
        length = length << 8 | byte;
    }
    if (length < LONG_FORM)
        return (tut_status){TUT_MALFORMED};
    *ret = length;
    return TUT_SUCCESS;
}

tut_status tut_der_next(tut_reader *r, uint8_t *ret_tag, tut_reader *ret_content)
{
    uint8_t tag;
    uint32_t length;
    TUT_TRY(tut_reader_u8(r, &tag));
    if ((tag & HIGH_TAG) == HIGH_TAG)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(read_length(r, &length));
    TUT_TRY(tut_reader_take(r, length, ret_content));
    *ret_tag = tag;
    return TUT_SUCCESS;
}

tut_status tut_der_expect(tut_reader *r, uint8_t tag, tut_reader *ret_content)
{
    uint8_t found;
    tut_reader content;
    TUT_TRY(tut_der_next(r, &found, &content));
    if (found != tag)
        return (tut_status){TUT_MALFORMED};
    *ret_content = content;
    return TUT_SUCCESS;
}

tut_span tut_der_rest(const tut_reader *r)
{
    return (tut_span){r->data + r->pos, r->len - r->pos};
}
