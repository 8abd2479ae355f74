/*
 * Bounded reader over bytes in memory: the only way that parsers touch bytes. A read beyond the end
 * is TRUNCATED and moves nothing. Sub-readers make it impossible to see past a length field.
 */
#ifndef TUT_BASE_READER_H
#define TUT_BASE_READER_H

#include "base/status.h"
#include "base/str.h"

typedef struct tut_reader {
    const uint8_t *data;
    size_t len;
    size_t pos;
    uint64_t base; /* offset of data[0] in the artefact, for messages */
} tut_reader;

tut_reader tut_reader_of(tut_span bytes);
size_t tut_reader_left(const tut_reader *r);
uint64_t tut_reader_offset(const tut_reader *r); /* base + pos */
TUT_MUST tut_status tut_reader_take(tut_reader *r, uint64_t n, tut_reader *ret_sub);
TUT_MUST tut_status tut_reader_bytes(tut_reader *r, uint64_t n, tut_span *ret_bytes);
TUT_MUST tut_status tut_reader_skip(tut_reader *r, uint64_t n);
TUT_MUST tut_status tut_reader_u8(tut_reader *r, uint8_t *ret);
TUT_MUST tut_status tut_reader_u16le(tut_reader *r, uint16_t *ret);
TUT_MUST tut_status tut_reader_u32le(tut_reader *r, uint32_t *ret);
TUT_MUST tut_status tut_reader_u64le(tut_reader *r, uint64_t *ret);
TUT_MUST tut_status tut_reader_u16be(tut_reader *r, uint16_t *ret);
TUT_MUST tut_status tut_reader_u32be(tut_reader *r, uint32_t *ret);
TUT_MUST tut_status tut_reader_u64be(tut_reader *r, uint64_t *ret);
/* LEB128 as in protobuf: at most 10 bytes; more, or a value beyond 64 bits, is MALFORMED. */
TUT_MUST tut_status tut_reader_varint(tut_reader *r, uint64_t *ret);
/* u32le length and that many bytes (see tut_buf_add_sized). */
TUT_MUST tut_status tut_reader_sized(tut_reader *r, tut_str *ret);
/* MALFORMED unless the next bytes are exactly these. */
TUT_MUST tut_status tut_reader_expect(tut_reader *r, tut_str bytes);

#endif
