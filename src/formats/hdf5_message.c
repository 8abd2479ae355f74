/* The messages of object headers that decide what a loader does; the others are passed over. */
#include <inttypes.h>
#include <string.h>

#include "formats/hdf5_internal.h"

enum {
    MESSAGE_SPACE = 0x01,
    MESSAGE_LINK_INFO = 0x02,
    MESSAGE_TYPE = 0x03,
    MESSAGE_LINK = 0x06,
    MESSAGE_EXTERNAL = 0x07,
    MESSAGE_LAYOUT = 0x08,
    MESSAGE_FILTERS = 0x0b,
    MESSAGE_ATTRIBUTE = 0x0c,
    MESSAGE_SHARED_TABLE = 0x0f,
    MESSAGE_GROUP = 0x11,
    MESSAGE_ATTRIBUTE_INFO = 0x15,
    FLAG_SHARED = 2,
    FLAG_FAIL_ALWAYS = 0x80,
    LAST_KNOWN = 0x18,
    SHARED_DEPTH = 4
};

static bool multiply(uint64_t *product, uint64_t factor)
{
    return !__builtin_mul_overflow(*product, factor, product);
}

/* version:1 rank:1 flags:1 [reserved:5 | type:1] dims [maxima] */
tut_status tut_hdf5_read_space(tut_hdf5 *h, tut_reader r, tut_hdf5_space *ret)
{
    uint8_t version = 0, rank = 0, flags = 0, type = 1;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &rank));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (version < 1 || version > 2 || rank > TUT_HDF5_RANK)
        return (tut_status){TUT_MALFORMED};
    if (version == 1)
        TUT_TRY(tut_reader_skip(&r, 5));
    else
        TUT_TRY(tut_reader_u8(&r, &type));
    *ret = (tut_hdf5_space){.is_there = true, .is_null = type == 2, .rank = rank, .elements = 1};
    bool is_sound = true;
    for (uint32_t i = 0; i < rank; i++) {
        TUT_TRY(tut_hdf5_length(h, &r, &ret->dims[i]));
        is_sound = is_sound && multiply(&ret->elements, ret->dims[i]);
    }
    if (!is_sound)
        ret->elements = UINT64_MAX;
    if (ret->is_null)
        ret->elements = 0;
    return TUT_SUCCESS;
}

/* version:1 flags:1 [largest order:8] heap tree [tree by order] */
static tut_status read_link_info(tut_hdf5 *h, tut_hdf5_node *node, tut_reader r)
{
    uint8_t version = 0, flags = 0;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (version != 0)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_skip(&r, flags & 1 ? 8 : 0));
    TUT_TRY(tut_hdf5_address(h, &r, &node->link_heap));
    return tut_hdf5_address(h, &r, &node->link_tree);
}

static tut_status read_attribute_info(tut_hdf5 *h, tut_hdf5_node *node, tut_reader r)
{
    uint8_t version = 0, flags = 0;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (version != 0)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_skip(&r, flags & 1 ? 2 : 0));
    TUT_TRY(tut_hdf5_address(h, &r, &node->attribute_heap));
    return tut_hdf5_address(h, &r, &node->attribute_tree);
}

/* The table of shared messages, of the superblock's extension. */
static tut_status read_shared_table(tut_hdf5 *h, tut_reader r, tut_error *err)
{
    enum { INDEXES = 8 };
    uint8_t version = 0, count = 0;
    uint64_t address = 0, ignored = 0, heap = 0;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_hdf5_address(h, &r, &address));
    TUT_TRY(tut_reader_u8(&r, &count));
    size_t entry = 1u + 1 + 2 + 4 + 2 + 2 + 2 + 2u * h->offset_bytes;
    if (version != 0 || count > INDEXES)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_hdf5_read(h, address, 4 + count * entry + 4, &raw, err));
    if (memcmp(raw.data, "SMTB", 4) != 0 || !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        return (tut_status){TUT_MALFORMED};
    r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 4));
    for (h->shared_count = 0; h->shared_count < count; h->shared_count++) {
        uint16_t types = 0;
        TUT_TRY(tut_reader_skip(&r, 2));
        TUT_TRY(tut_reader_u16le(&r, &types));
        TUT_TRY(tut_reader_skip(&r, 4 + 2 + 2 + 2));
        TUT_TRY(tut_hdf5_address(h, &r, &ignored));
        TUT_TRY(tut_hdf5_address(h, &r, &heap));
        h->shared_types[h->shared_count] = types;
        h->shared_heaps[h->shared_count] = heap;
    }
    return TUT_SUCCESS;
}

/* --- messages that lie elsewhere --- */

/* The message of one type in the object header of a committed datatype. */
static bool from_object(tut_hdf5 *h, unsigned type, uint64_t address, tut_buf *out, tut_error *err)
{
    tut_hdf5_node node = {.wanted = out, .wanted_type = type};
    return tut_is_ok(tut_hdf5_read_header(h, address, &node, err)) && node.is_found &&
           tut_is_ok(tut_buf_check(out, NULL));
}

/* The first of the wanted type; nothing else is looked at, so nothing leads further. */
static void take_wanted(tut_hdf5_node *node, unsigned type, unsigned flags, tut_span body)
{
    if (type != node->wanted_type || flags & FLAG_SHARED || node->is_found)
        return;
    tut_buf_add(node->wanted, body.data, body.len);
    node->is_found = true;
}

/* version:1 type:1 [reserved:6] address, or in version 3 type 1 a heap id of 8 bytes */
bool tut_hdf5_follow_shared(tut_hdf5 *h, unsigned type, tut_span body, tut_buf *out, tut_error *err)
{
    tut_reader r = tut_reader_of(body);
    uint8_t version = 0, kind = 0;
    uint64_t address = 0;
    tut_span id;
    if (!tut_is_ok(tut_reader_u8(&r, &version)) || !tut_is_ok(tut_reader_u8(&r, &kind)))
        return false;
    if (version == 3 && kind == 1) {
        if (!tut_is_ok(tut_reader_bytes(&r, 8, &id)))
            return false;
        for (uint32_t i = 0; i < h->shared_count; i++)
            if (type < 16 && h->shared_types[i] & (1u << type))
                return tut_hdf5_heap_object(h, h->shared_heaps[i], id, out, err);
        return false;
    }
    if (version == 1 && !tut_is_ok(tut_reader_skip(&r, 6)))
        return false;
    if (!tut_is_ok(tut_hdf5_address(h, &r, &address)) || address == TUT_HDF5_NOWHERE)
        return false;
    return from_object(h, type, address, out, err);
}

static bool matters(unsigned type)
{
    return type == MESSAGE_SPACE || type == MESSAGE_TYPE || type == MESSAGE_FILTERS ||
           type == MESSAGE_ATTRIBUTE || type == MESSAGE_LAYOUT || type == MESSAGE_LINK ||
           type == MESSAGE_EXTERNAL;
}

static tut_status shared_message(tut_hdf5 *h, tut_hdf5_node *node, unsigned type, tut_span body,
                                 tut_error *err)
{
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    if (!matters(type))
        return TUT_SUCCESS;
    if (node->depth >= SHARED_DEPTH || !tut_hdf5_follow_shared(h, type, body, &found, err))
        return (tut_status){TUT_MALFORMED};
    node->depth++;
    tut_status status = tut_hdf5_message(h, node, type, 0, tut_buf_span(&found), TUT_NO_OFFSET,
                                         err);
    node->depth--;
    return status;
}

static tut_status old_group(tut_hdf5 *h, tut_hdf5_node *node, tut_reader r)
{
    TUT_TRY(tut_hdf5_address(h, &r, &node->tree));
    return tut_hdf5_address(h, &r, &node->heap);
}

static tut_status read_type(tut_hdf5 *h, tut_hdf5_node *node, tut_span body)
{
    tut_reader r = tut_reader_of(body);
    return tut_hdf5_read_type(h, &r, &node->type);
}

tut_status tut_hdf5_message(tut_hdf5 *h, tut_hdf5_node *node, unsigned type, unsigned flags,
                            tut_span body, uint64_t at, tut_error *err)
{
    if (node->wanted) {
        take_wanted(node, type, flags, body);
        return TUT_SUCCESS;
    }
    if (flags & FLAG_SHARED)
        return shared_message(h, node, type, body, err);
    tut_reader r = tut_reader_of(body);
    switch (type) {
    case MESSAGE_SPACE:
        return tut_hdf5_read_space(h, r, &node->space);
    case MESSAGE_LINK_INFO:
        return read_link_info(h, node, r);
    case MESSAGE_TYPE:
        return read_type(h, node, body);
    case MESSAGE_LINK:
        return node->object ? tut_hdf5_link(h, node->object, body, err) : TUT_SUCCESS;
    case MESSAGE_EXTERNAL:
        node->has_external = true;
        tut_hdf5_external_files(h, node, body, err);
        return TUT_SUCCESS;
    case MESSAGE_LAYOUT:
        return tut_hdf5_read_layout(h, body, at, &node->layout);
    case MESSAGE_FILTERS:
        return tut_hdf5_read_filters(h, node, body, &node->filters);
    case MESSAGE_ATTRIBUTE:
        return tut_hdf5_attribute(h, node, body, at, err);
    case MESSAGE_SHARED_TABLE:
        return node->object ? TUT_SUCCESS : read_shared_table(h, r, err);
    case MESSAGE_GROUP:
        return old_group(h, node, r);
    case MESSAGE_ATTRIBUTE_INFO:
        return read_attribute_info(h, node, r);
    default:
        if (type > LAST_KNOWN && flags & FLAG_FAIL_ALWAYS)
            tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "a message of the unknown type %u", type);
        return TUT_SUCCESS;
    }
}
