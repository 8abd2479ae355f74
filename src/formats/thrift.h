/*
 * Thrift's compact protocol, as Parquet's footer and page headers are written in: a struct is a run
 * of fields, each with its number and type, closed by a zero byte. Numbers are zigzag varints.
 * (Apache Thrift, doc/specs/thrift-compact-protocol.md.)
 *
 * Nothing here allocates or recurses. A count is checked against the bytes that are left: each item
 * of a list takes at least one.
 */
#ifndef TUT_FORMATS_THRIFT_H
#define TUT_FORMATS_THRIFT_H

#include "base/reader.h"

enum {
    TUT_THRIFT_STOP = 0,
    TUT_THRIFT_TRUE = 1,
    TUT_THRIFT_FALSE = 2,
    TUT_THRIFT_BYTE = 3,
    TUT_THRIFT_I16 = 4,
    TUT_THRIFT_I32 = 5,
    TUT_THRIFT_I64 = 6,
    TUT_THRIFT_DOUBLE = 7,
    TUT_THRIFT_BINARY = 8,
    TUT_THRIFT_LIST = 9,
    TUT_THRIFT_SET = 10,
    TUT_THRIFT_MAP = 11,
    TUT_THRIFT_STRUCT = 12,
    TUT_THRIFT_DEPTH = 32 /* deeper than any struct of Parquet's */
};

/* The next field of a struct; *io_field starts as 0 and holds the number of the one before. Type
 * STOP: the struct ends. */
TUT_MUST tut_status tut_thrift_field(tut_reader *r, int32_t *io_field, uint8_t *ret_type);
/* A value of the type BYTE, I16, I32 or I64; another type is MALFORMED. */
TUT_MUST tut_status tut_thrift_number(tut_reader *r, uint8_t type, int64_t *ret);
/* The same within 32 bits. */
TUT_MUST tut_status tut_thrift_i32(tut_reader *r, uint8_t type, int32_t *ret);
/* A field's boolean, which is in its type. */
TUT_MUST tut_status tut_thrift_bool(uint8_t type, bool *ret);
TUT_MUST tut_status tut_thrift_binary(tut_reader *r, uint8_t type, tut_str *ret);
/* A field of the type LIST (or SET): what it holds, and how many. */
TUT_MUST tut_status tut_thrift_list(tut_reader *r, uint8_t type, uint8_t *ret_item_type,
                                    uint64_t *ret_count);
/* Goes over a value of a field, or (in_list) of a list's item. LIMIT: nested beyond
 * TUT_THRIFT_DEPTH. */
TUT_MUST tut_status tut_thrift_skip(tut_reader *r, uint8_t type, bool in_list);

#endif
