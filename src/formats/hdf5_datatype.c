/*
 * Datatypes: class and version:1 bits:3 size:4 properties, with further types inside compounds,
 * enumerations, sequences and arrays. Only what decides how values are read is kept; the types
 * inside are gone over with a stack of their own.
 */
#include <string.h>

#include "formats/hdf5_internal.h"

enum { NESTING = 64 };

typedef struct level {
    uint32_t left; /* types that follow at this level */
    uint8_t version;
    bool is_compound; /* each of them after its name and place */
    uint32_t size;    /* of the compound */
} level;

typedef struct type_head {
    uint8_t class, version;
    uint32_t bits, size;
} type_head;

static tut_status read_head(tut_reader *r, type_head *ret)
{
    uint8_t first = 0, low = 0;
    uint16_t high = 0;
    TUT_TRY(tut_reader_u8(r, &first));
    TUT_TRY(tut_reader_u8(r, &low));
    TUT_TRY(tut_reader_u16le(r, &high));
    TUT_TRY(tut_reader_u32le(r, &ret->size));
    ret->class = first & 15;
    ret->version = first >> 4;
    ret->bits = low | (uint32_t)high << 8;
    bool is_sound = ret->class < TUT_HDF5_CLASSES && ret->version >= 1 && ret->version <= 5;
    return is_sound ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

/* A name that ends in NUL, padded to 8 bytes before version 3. */
static tut_status skip_name(tut_reader *r, uint8_t version)
{
    const uint8_t *nul = memchr(r->data + r->pos, 0, tut_reader_left(r));
    if (!nul)
        return (tut_status){TUT_TRUNCATED};
    uint64_t len = (uint64_t)(nul - (r->data + r->pos)) + 1;
    return tut_reader_skip(r, version < 3 ? (len + 7) / 8 * 8 : len);
}

static unsigned bytes_for(uint32_t size)
{
    return size < 256 ? 1 : size < 65536 ? 2 : size < (1u << 24) ? 3 : 4;
}

/* Name and place of a compound's member. */
static tut_status skip_member(tut_reader *r, uint8_t version, uint32_t size)
{
    TUT_TRY(skip_name(r, version));
    if (version >= 3)
        return tut_reader_skip(r, bytes_for(size));
    return tut_reader_skip(r, version == 1 ? 4 + 4 + 4 + 4 + 16 : 4);
}

/* Properties in front of the types inside. *ret_inside: how many of those there are. */
static tut_status skip_properties(tut_reader *r, const type_head *t, uint32_t *ret_inside)
{
    uint8_t rank = 0;
    *ret_inside = 0;
    switch ((tut_hdf5_class)t->class) {
    case TUT_HDF5_INTEGER:
    case TUT_HDF5_BITS:
        return tut_reader_skip(r, 4);
    case TUT_HDF5_FLOAT:
        return tut_reader_skip(r, 12);
    case TUT_HDF5_TIME:
        return tut_reader_skip(r, 2);
    case TUT_HDF5_OPAQUE:
        return tut_reader_skip(r, t->bits & 0xff);
    case TUT_HDF5_COMPOUND:
        *ret_inside = t->bits & 0xffff;
        return TUT_SUCCESS;
    case TUT_HDF5_ENUM:
    case TUT_HDF5_VLEN:
    case TUT_HDF5_COMPLEX:
        *ret_inside = 1;
        return TUT_SUCCESS;
    case TUT_HDF5_ARRAY:
        *ret_inside = 1;
        TUT_TRY(tut_reader_u8(r, &rank));
        return tut_reader_skip(r, (t->version < 3 ? 3u + 8u * rank : 4u * rank));
    case TUT_HDF5_STRING:
    case TUT_HDF5_REFERENCE:
    case TUT_HDF5_CLASSES:
        break;
    }
    return TUT_SUCCESS;
}

/* Names and values of an enumeration stand behind its base type. */
typedef struct pending_enum {
    bool is_there;
    uint32_t count;
    uint8_t version;
} pending_enum;

static tut_status skip_enum(tut_reader *r, const pending_enum *e, uint32_t base_size)
{
    for (uint32_t i = 0; i < e->count; i++)
        TUT_TRY(skip_name(r, e->version));
    return tut_reader_skip(r, (uint64_t)e->count * base_size);
}

static void keep_outer(const type_head *t, tut_reader after, tut_hdf5_type *ret)
{
    *ret = (tut_hdf5_type){.is_there = true,
                           .class = (tut_hdf5_class)t->class,
                           .size = t->size,
                           .is_big_endian = t->bits & 1,
                           .is_signed = t->bits & 8,
                           .is_vlen_string = t->class == TUT_HDF5_VLEN && (t->bits & 15) == 1};
    if (t->class == TUT_HDF5_FLOAT && tut_reader_left(&after) >= 8)
        ret->mantissa = after.data[after.pos + 7]; /* its size in bits */
}

tut_status tut_hdf5_read_type(tut_hdf5 *h, tut_reader *r, tut_hdf5_type *ret)
{
    level stack[NESTING];
    size_t depth = 0;
    bool is_first = true, is_second = false;
    pending_enum values = {0};
    stack[depth++] = (level){.left = 1};
    while (depth > 0) {
        level *top = &stack[depth - 1];
        type_head t;
        uint32_t inside = 0;
        if (top->left == 0) {
            depth--;
            continue;
        }
        top->left--;
        TUT_TRY(tut_budget_steps(h->x->budget, 1, NULL));
        if (top->is_compound)
            TUT_TRY(skip_member(r, top->version, top->size));
        TUT_TRY(read_head(r, &t));
        if (is_first)
            keep_outer(&t, *r, ret);
        else if (is_second) {
            ret->base = (tut_hdf5_class)t.class;
            ret->base_size = t.size;
        }
        is_second = is_first;
        is_first = false;
        ret->has_vlen = ret->has_vlen || t.class == TUT_HDF5_VLEN;
        TUT_TRY(skip_properties(r, &t, &inside));
        if (values.is_there)
            TUT_TRY(skip_enum(r, &values, t.size));
        values = (pending_enum){
            .is_there = t.class == TUT_HDF5_ENUM, .count = t.bits & 0xffff, .version = t.version};
        if (inside == 0)
            continue;
        if (depth == NESTING)
            return (tut_status){TUT_MALFORMED};
        stack[depth++] = (level){.left = inside,
                                 .version = t.version,
                                 .size = t.size,
                                 .is_compound = t.class == TUT_HDF5_COMPOUND};
    }
    return TUT_SUCCESS;
}

const char *tut_hdf5_dtype(const tut_hdf5_type *t)
{
    static const char *const floats[] = {"F16", "F32", "F64"};
    static const char *const integers[2][4] = {{"U8", "U16", "U32", "U64"},
                                               {"I8", "I16", "I32", "I64"}};
    unsigned power = t->size == 1 ? 0 : t->size == 2 ? 1 : t->size == 4 ? 2 : t->size == 8 ? 3 : 9;
    if (power == 9 || (t->is_big_endian && t->size > 1))
        return NULL;
    if (t->class == TUT_HDF5_FLOAT && power >= 1)
        return power == 1 && t->mantissa == 7 ? "BF16" : floats[power - 1];
    if (t->class == TUT_HDF5_INTEGER)
        return integers[t->is_signed][power];
    if (t->class == TUT_HDF5_ENUM && t->size == 1)
        return "BOOL";
    return NULL;
}
