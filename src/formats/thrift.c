/*
 *   struct = { field } 0
 *   field  = (delta << 4 | type) value | type zigzag(number) value
 *   list   = (count << 4 | type) { value } | (0xf0 | type) varint(count) { value }
 *   map    = 0 | varint(count) (key type << 4 | value type) { key value }
 *   binary = varint(length) bytes
 *   bool   = in the type of a field; one byte in lists and maps
 */
#include "formats/thrift.h"

static const tut_status malformed = {TUT_MALFORMED};

static tut_status zigzag(tut_reader *r, int64_t *ret)
{
    uint64_t raw;
    TUT_TRY(tut_reader_varint(r, &raw));
    *ret = (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
    return TUT_SUCCESS;
}

tut_status tut_thrift_field(tut_reader *r, int32_t *io_field, uint8_t *ret_type)
{
    uint8_t byte;
    TUT_TRY(tut_reader_u8(r, &byte));
    if (byte == TUT_THRIFT_STOP) {
        *ret_type = TUT_THRIFT_STOP;
        return TUT_SUCCESS;
    }
    int64_t field = (int64_t)*io_field + (byte >> 4);
    if (byte >> 4 == 0)
        TUT_TRY(zigzag(r, &field));
    if (field < 0 || field > INT16_MAX || (byte & 0x0f) == TUT_THRIFT_STOP)
        return malformed;
    *io_field = (int32_t)field;
    *ret_type = byte & 0x0f;
    return TUT_SUCCESS;
}

tut_status tut_thrift_number(tut_reader *r, uint8_t type, int64_t *ret)
{
    if (type == TUT_THRIFT_BYTE) {
        uint8_t byte;
        TUT_TRY(tut_reader_u8(r, &byte));
        *ret = byte < 128 ? byte : (int64_t)byte - 256;
        return TUT_SUCCESS;
    }
    if (type < TUT_THRIFT_I16 || type > TUT_THRIFT_I64)
        return malformed;
    return zigzag(r, ret);
}

tut_status tut_thrift_i32(tut_reader *r, uint8_t type, int32_t *ret)
{
    int64_t value;
    TUT_TRY(tut_thrift_number(r, type, &value));
    if (value < INT32_MIN || value > INT32_MAX)
        return malformed;
    *ret = (int32_t)value;
    return TUT_SUCCESS;
}

tut_status tut_thrift_bool(uint8_t type, bool *ret)
{
    if (type != TUT_THRIFT_TRUE && type != TUT_THRIFT_FALSE)
        return malformed;
    *ret = type == TUT_THRIFT_TRUE;
    return TUT_SUCCESS;
}

tut_status tut_thrift_binary(tut_reader *r, uint8_t type, tut_str *ret)
{
    uint64_t len;
    tut_span bytes;
    if (type != TUT_THRIFT_BINARY)
        return malformed;
    TUT_TRY(tut_reader_varint(r, &len));
    TUT_TRY(tut_reader_bytes(r, len, &bytes));
    *ret = tut_str_from(bytes);
    return TUT_SUCCESS;
}

tut_status tut_thrift_list(tut_reader *r, uint8_t type, uint8_t *ret_item_type, uint64_t *ret_count)
{
    uint8_t byte;
    if (type != TUT_THRIFT_LIST && type != TUT_THRIFT_SET)
        return malformed;
    TUT_TRY(tut_reader_u8(r, &byte));
    uint64_t count = byte >> 4;
    if (count == 15)
        TUT_TRY(tut_reader_varint(r, &count));
    if (count > tut_reader_left(r))
        return (tut_status){TUT_TRUNCATED};
    *ret_item_type = byte & 0x0f;
    *ret_count = count;
    return TUT_SUCCESS;
}

/* What holds further values. */
typedef struct level {
    bool is_struct;
    uint8_t types[2]; /* of the items; of keys and values in turn */
    uint8_t turn;
    uint64_t left;
    int32_t field;
} level;

typedef struct skipper {
    level levels[TUT_THRIFT_DEPTH];
    size_t depth;
} skipper;

static tut_status open_map(tut_reader *r, level *l)
{
    uint8_t types = 0;
    uint64_t count;
    TUT_TRY(tut_reader_varint(r, &count));
    if (count > 0)
        TUT_TRY(tut_reader_u8(r, &types));
    if (count > tut_reader_left(r))
        return (tut_status){TUT_TRUNCATED};
    *l = (level){.types = {types >> 4, types & 0x0f}, .left = 2 * count};
    return TUT_SUCCESS;
}

static tut_status open_level(tut_reader *r, skipper *s, uint8_t type)
{
    if (s->depth == TUT_THRIFT_DEPTH)
        return (tut_status){TUT_LIMIT};
    level *l = &s->levels[s->depth++];
    *l = (level){.is_struct = type == TUT_THRIFT_STRUCT};
    if (type == TUT_THRIFT_MAP)
        return open_map(r, l);
    if (l->is_struct)
        return TUT_SUCCESS;
    TUT_TRY(tut_thrift_list(r, type, &l->types[0], &l->left));
    l->types[1] = l->types[0];
    return TUT_SUCCESS;
}

/* Goes over a value without parts, or opens one that has some. */
static tut_status skip_value(tut_reader *r, skipper *s, uint8_t type, bool in_list)
{
    uint64_t number;
    tut_str text;
    switch (type) {
    case TUT_THRIFT_TRUE:
    case TUT_THRIFT_FALSE:
        return in_list ? tut_reader_skip(r, 1) : TUT_SUCCESS;
    case TUT_THRIFT_BYTE:
        return tut_reader_skip(r, 1);
    case TUT_THRIFT_I16:
    case TUT_THRIFT_I32:
    case TUT_THRIFT_I64:
        return tut_reader_varint(r, &number);
    case TUT_THRIFT_DOUBLE:
        return tut_reader_skip(r, 8);
    case TUT_THRIFT_BINARY:
        return tut_thrift_binary(r, type, &text);
    case TUT_THRIFT_LIST:
    case TUT_THRIFT_SET:
    case TUT_THRIFT_MAP:
    case TUT_THRIFT_STRUCT:
        return open_level(r, s, type);
    default:
        return malformed;
    }
}

tut_status tut_thrift_skip(tut_reader *r, uint8_t type, bool in_list)
{
    skipper s;
    s.depth = 0;
    TUT_TRY(skip_value(r, &s, type, in_list));
    while (s.depth > 0) {
        level *l = &s.levels[s.depth - 1];
        uint8_t next = l->types[l->turn];
        if (l->is_struct)
            TUT_TRY(tut_thrift_field(r, &l->field, &next));
        bool is_over = l->is_struct ? next == TUT_THRIFT_STOP : l->left == 0;
        if (is_over) {
            s.depth--;
            continue;
        }
        l->turn ^= 1;
        l->left -= !l->is_struct;
        TUT_TRY(skip_value(r, &s, next, !l->is_struct));
    }
    return TUT_SUCCESS;
}
