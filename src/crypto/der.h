/*
 * The little of DER (X.690) that keys need: tag, minimal definite length, content. Only low tag
 * numbers; indefinite and longer-than-needed lengths are MALFORMED.
 */
#ifndef TUT_CRYPTO_DER_H
#define TUT_CRYPTO_DER_H

#include "base/reader.h"

enum {
    TUT_DER_INTEGER = 0x02,
    TUT_DER_BIT_STRING = 0x03,
    TUT_DER_OCTET_STRING = 0x04,
    TUT_DER_OID = 0x06,
    TUT_DER_SEQUENCE = 0x30,
    TUT_DER_CONTEXT_0 = 0xa0,
    TUT_DER_CONTEXT_1 = 0xa1
};

TUT_MUST tut_status tut_der_next(tut_reader *r, uint8_t *ret_tag, tut_reader *ret_content);
/* MALFORMED for another tag. */
TUT_MUST tut_status tut_der_expect(tut_reader *r, uint8_t tag, tut_reader *ret_content);
/* What a reader has left, as a view. */
tut_span tut_der_rest(const tut_reader *r);

#endif
