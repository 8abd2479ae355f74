/*
 * Chunked datasets. Where the chunks lie is held against the file, by whichever index the layout
 * has; chunks of text or bytes are decoded and looked at, each, and all in a row: a value may lie
 * in many small ones.
 *
 *   old index = B-tree of the first kind: "TREE" 1 level:1 used:2 left right { key child } key,
 *               key = stored size:4 mask:4 offset:8 for each dimension
 *   single, implicit: one address.  Tree of the second kind: address [size mask:4] offsets:8
 *   arrays: hdf5_array.c
 */
#include <inttypes.h>
#include <string.h>

#include "formats/codec.h"
#include "formats/hdf5_internal.h"

enum {
    DEFLATE = 1,
    SHUFFLE = 2,
    FLETCHER = 3,
    LZF = 32000,
    CHUNK_LOOKED = 32 << 20,
    JOINED = 8 << 20,
    LOOK_STRUCTURE = 1 << 20,
    LOOK_CONTENT = 64 << 20
};

typedef struct chunks {
    tut_hdf5 *h;
    const tut_hdf5_node *node;
    bool look, is_told;
    uint64_t plain_size, look_left, stored;
    tut_buf joined; /* numbers and bytes of the chunks so far, in the order of the index */
    uint64_t joined_count;
    struct pending {
        uint64_t address;
        unsigned level;
    } * pending;
    size_t count, capacity;
} chunks;

/* --- decoding --- */

static bool inflate_all(tut_hdf5 *h, const tut_buf *from, tut_buf *to)
{
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) plain = NULL;
    tut_source source = tut_source_memory(tut_buf_span(from));
    tut_span some = {0};
    if (!tut_is_ok(tut_stream_open_source(&source, &packed)) ||
        !tut_is_ok(tut_codec_open(TUT_CODEC_ZLIB, packed, h->x->budget, &plain, NULL)))
        return false;
    while (tut_is_ok(tut_stream_peek_some(plain, 16u << 10, &some)) && some.len > 0) {
        tut_buf_add(to, some.data, some.len);
        if (!tut_is_ok(tut_buf_check(to, NULL)) || !tut_is_ok(tut_stream_skip(plain, some.len)))
            return false;
    }
    return to->len > 0;
}

/* LibLZF by Marc Lehmann: literal runs, and copies of 3 and more bytes from up to 8 KiB before. */
static bool lzf_all(const tut_buf *from, tut_buf *to)
{
    tut_reader r = tut_reader_of(tut_buf_span(from));
    uint8_t control = 0, low = 0, more = 0;
    while (tut_is_ok(tut_reader_u8(&r, &control))) {
        tut_span run;
        if (control < 32) {
            if (!tut_is_ok(tut_reader_bytes(&r, control + 1u, &run)))
                return false;
            tut_buf_add(to, run.data, run.len);
        } else {
            size_t len = control >> 5;
            if (len == 7 && !tut_is_ok(tut_reader_u8(&r, &more)))
                return false;
            len += (len == 7 ? more : 0) + 2u;
            if (!tut_is_ok(tut_reader_u8(&r, &low)))
                return false;
            size_t back = ((size_t)(control & 31) << 8 | low) + 1;
            if (back > to->len)
                return false;
            for (size_t i = 0; i < len && to->failed == TUT_OK; i++)
                tut_buf_add_byte(to, to->data[to->len - back]);
        }
        if (to->failed != TUT_OK)
            return false;
    }
    return to->len > 0;
}

static bool unshuffle(const tut_buf *from, uint32_t width, tut_buf *to)
{
    size_t count = width ? from->len / width : 0;
    uint8_t *out = tut_buf_extend(to, from->len);
    if (!out || count == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        for (uint32_t b = 0; b < width; b++)
            out[i * width + b] = from->data[b * count + i];
    memcpy(out + count * width, from->data + count * width, from->len - count * width);
    return true;
}

/* Undoes the filters, last one first. False: one of them is not ours, or the data is broken. */
static bool decode(tut_hdf5 *h, const tut_hdf5_node *node, uint32_t mask, tut_buf *data)
{
    for (uint32_t i = node->filters.count; i-- > 0;) {
        TUT_CLEAN(tut_buf) next;
        bool is_done = false;
        if ((mask >> i) & 1u)
            continue;
        tut_buf_init(&next, CHUNK_LOOKED);
        switch (node->filters.ids[i]) {
        case DEFLATE:
            is_done = inflate_all(h, data, &next);
            break;
        case LZF:
            is_done = lzf_all(data, &next);
            break;
        case SHUFFLE:
            is_done = unshuffle(
                data, node->filters.client[i] ? node->filters.client[i] : node->type.size, &next);
            break;
        case FLETCHER:
            is_done = data->len > 4;
            if (is_done)
                tut_buf_add(&next, data->data, data->len - 4);
            break;
        default:
            break;
        }
        if (!is_done)
            return false;
        tut_buf swap = *data;
        *data = next;
        next = swap;
    }
    return true;
}

/* --- one chunk --- */

static void join(chunks *c, const tut_buf *data)
{
    const tut_hdf5_class class = c->node->type.class;
    bool is_raw = class == TUT_HDF5_INTEGER || class == TUT_HDF5_BITS ||
                  (class == TUT_HDF5_OPAQUE && c->node->type.size == 1);
    if (!is_raw || c->joined.failed != TUT_OK || data->len > JOINED - c->joined.len)
        return;
    tut_buf_add(&c->joined, data->data, data->len);
    c->joined_count++;
}

static tut_status look_at_joined(chunks *c, tut_error *err)
{
    if (c->joined_count < 2 || c->joined.failed != TUT_OK)
        return TUT_SUCCESS;
    return tut_hdf5_look_elements(c->h, &c->node->type, tut_buf_span(&c->joined), c->h->path, err);
}

static tut_status look_at(chunks *c, uint64_t address, uint64_t size, uint32_t mask, tut_error *err)
{
    tut_hdf5 *h = c->h;
    TUT_CLEAN(tut_buf) data;
    tut_buf_init(&data, CHUNK_LOOKED);
    if (!c->look || size > CHUNK_LOOKED || size > c->look_left)
        return TUT_SUCCESS;
    c->look_left -= size;
    TUT_TRY(tut_budget_heap(h->x->budget, CHUNK_LOOKED, err));
    tut_status status = tut_hdf5_read(h, address, size, &data, err);
    if (tut_is_ok(status) && decode(h, c->node, mask, &data)) {
        join(c, &data);
        status = tut_hdf5_look_elements(h, &c->node->type, tut_buf_span(&data), h->path, err);
    } else if (c->node->type.class == TUT_HDF5_VLEN)
        h->wants_sweep = true; /* where its values lie cannot be read, but they themselves can */
    tut_budget_heap_return(h->x->budget, CHUNK_LOOKED);
    return status;
}

static tut_status take_chunk(chunks *c, uint64_t address, uint64_t size, uint32_t mask,
                             tut_error *err)
{
    tut_hdf5 *h = c->h;
    if (address == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    uint64_t at = tut_hdf5_offset(h, address);
    if (__builtin_add_overflow(c->stored, size, &c->stored))
        c->stored = UINT64_MAX;
    if (at <= h->src->size && size <= h->src->size - at)
        return look_at(c, address, size, mask, err);
    if (!c->is_told)
        tut_exam_observe(h->x, "hdf5.out-of-range", at,
                         "%s: %" PRIu64 " bytes of a chunk at offset %" PRIu64
                         " lie beyond the file",
                         h->path, size, at);
    c->is_told = true;
    tut_hdf5_problem(h, TUT_TRUNCATED, "%s lies beyond the file", h->path);
    return TUT_SUCCESS;
}

/* --- the old index --- */

static tut_status add_pending(chunks *c, uint64_t address, unsigned level, tut_error *err)
{
    TUT_TRY(tut_grow(&c->pending, c->count, &c->capacity, sizeof(*c->pending)));
    c->pending[c->count++] = (struct pending){address, level};
    return tut_budget_steps(c->h->x->budget, 1, err);
}

static tut_status read_tree1_node(chunks *c, uint64_t address, unsigned level, bool is_root,
                                  tut_error *err)
{
    tut_hdf5 *h = c->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned head = 8u + 2u * h->offset_bytes, key = 8u + 8u * c->node->layout.rank;
    TUT_TRY(tut_hdf5_read(h, address, head, &raw, err));
    if (memcmp(raw.data, "TREE", 4) != 0 || raw.data[4] != 1 || (!is_root && raw.data[5] != level))
        return (tut_status){TUT_MALFORMED};
    level = raw.data[5];
    unsigned used = raw.data[6] | (unsigned)raw.data[7] << 8;
    tut_buf_clear(&raw);
    TUT_TRY(tut_hdf5_read(h, address + head, (uint64_t)used * (key + h->offset_bytes), &raw, err));
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    size_t first = c->count;
    for (unsigned i = 0; i < used; i++) {
        uint32_t size = 0, mask = 0;
        uint64_t child = 0;
        TUT_TRY(tut_reader_u32le(&r, &size));
        TUT_TRY(tut_reader_u32le(&r, &mask));
        TUT_TRY(tut_reader_skip(&r, key - 8u));
        TUT_TRY(tut_hdf5_address(h, &r, &child));
        TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
        TUT_TRY(level ? add_pending(c, child, level - 1, err)
                      : take_chunk(c, child, size, mask, err));
    }
    /* The last one added is read first: the order of the chunks is that of the keys. */
    for (size_t last = c->count; last > first + 1; first++) {
        struct pending swap = c->pending[first];
        c->pending[first] = c->pending[--last];
        c->pending[last] = swap;
    }
    return TUT_SUCCESS;
}

static tut_status read_tree1(chunks *c, tut_error *err)
{
    bool is_root = true;
    TUT_TRY(add_pending(c, c->node->layout.address, 0, err));
    while (c->count > 0) {
        struct pending p = c->pending[--c->count];
        bool is_new = false;
        TUT_TRY(tut_hdf5_visit(c->h, 'C', p.address, &is_new, err));
        tut_status status = is_new ? read_tree1_node(c, p.address, p.level, is_root, err)
                                   : (tut_status){TUT_MALFORMED};
        if (tut_hdf5_is_local(status))
            tut_hdf5_bad(c->h, p.address, "a part of an index of chunks cannot be read");
        else
            TUT_TRY(status);
        is_root = false;
    }
    return TUT_SUCCESS;
}

/* --- the new ones --- */

/* Width of the stored size beside a filtered chunk's address. */
static unsigned stored_width(const chunks *c)
{
    unsigned bits = 0;
    while (bits < 63 && c->plain_size >> bits > 1)
        bits++;
    unsigned width = 1 + (bits + 8) / 8;
    return width > 8 ? 8 : width;
}

/* An entry of an array: address [size mask:4] */
static tut_status take_entry(chunks *c, tut_reader *r, tut_error *err)
{
    uint64_t address = 0, size = c->plain_size;
    uint32_t mask = 0;
    TUT_TRY(tut_hdf5_address(c->h, r, &address));
    if (c->node->filters.count) {
        TUT_TRY(tut_hdf5_number(r, stored_width(c), &size));
        TUT_TRY(tut_reader_u32le(r, &mask));
    }
    return take_chunk(c, address, size, mask, err);
}

static tut_status take_record(void *ctx, tut_span record, tut_error *err)
{
    tut_reader r = tut_reader_of(record);
    return take_entry(ctx, &r, err);
}

/* As many chunks as the shape needs, one behind the other. */
static tut_status read_implicit(chunks *c, tut_error *err)
{
    const tut_hdf5_space *space = &c->node->space;
    uint64_t count = 1, address = c->node->layout.address;
    for (uint32_t i = 0; i < space->rank && i < c->node->layout.rank; i++) {
        uint64_t chunk = c->node->layout.chunk[i];
        uint64_t along = chunk ? space->dims[i] / chunk + (space->dims[i] % chunk != 0) : 0;
        if (__builtin_mul_overflow(count, along, &count))
            return (tut_status){TUT_MALFORMED};
    }
    if (count > c->h->src->size / c->plain_size) /* told of by the first that lies beyond */
        count = c->h->src->size / c->plain_size + 1;
    for (uint64_t i = 0; i < count; i++, address += c->plain_size) {
        TUT_TRY(tut_budget_steps(c->h->x->budget, 1, err));
        TUT_TRY(take_chunk(c, address, c->plain_size, 0, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_index(chunks *c, tut_error *err)
{
    enum { CHUNKS = 10, FILTERED_CHUNKS = 11 };
    const tut_hdf5_layout *l = &c->node->layout;
    switch (l->index) {
    case TUT_HDF5_INDEX_TREE1:
        return read_tree1(c, err);
    case TUT_HDF5_INDEX_SINGLE:
        return take_chunk(c, l->address, l->single_size ? l->single_size : c->plain_size,
                          l->single_mask, err);
    case TUT_HDF5_INDEX_IMPLICIT:
        return read_implicit(c, err);
    case TUT_HDF5_INDEX_FIXED:
        return tut_hdf5_fixed_array(c->h, l->address, take_record, c, err);
    case TUT_HDF5_INDEX_EXTENSIBLE:
        return tut_hdf5_extensible_array(c->h, l->address, take_record, c, err);
    case TUT_HDF5_INDEX_TREE2:
        return tut_hdf5_each_record(c->h, l->address,
                                    c->node->filters.count ? FILTERED_CHUNKS : CHUNKS, take_record,
                                    c, err);
    }
    return TUT_SUCCESS;
}

tut_status tut_hdf5_chunks(tut_hdf5 *h, const tut_hdf5_node *node, bool look, uint64_t *ret_stored,
                           tut_error *err)
{
    const tut_hdf5_layout *l = &node->layout;
    chunks c = {.h = h,
                .node = node,
                .look = look,
                .plain_size = 1,
                .look_left = h->x->content ? LOOK_CONTENT : LOOK_STRUCTURE};
    *ret_stored = 0;
    if (l->address == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    for (uint32_t i = 0; i < l->rank; i++)
        if (__builtin_mul_overflow(c.plain_size, l->chunk[i], &c.plain_size))
            c.plain_size = UINT64_MAX;
    if (c.plain_size == 0 || c.plain_size == UINT64_MAX) {
        tut_hdf5_bad(h, node->object->address, "chunks of an impossible shape");
        return TUT_SUCCESS;
    }
    if (look)
        TUT_TRY(tut_budget_heap(h->x->budget, JOINED, err));
    tut_buf_init(&c.joined, JOINED);
    tut_status status = read_index(&c, err);
    if (tut_is_ok(status))
        status = look_at_joined(&c, err);
    tut_buf_done(&c.joined);
    if (look)
        tut_budget_heap_return(h->x->budget, JOINED);
    tut_free(c.pending);
    *ret_stored = c.stored;
    if (!tut_hdf5_is_local(status))
        return status;
    tut_hdf5_bad(h, l->address, "the index of its chunks cannot be read");
    return TUT_SUCCESS;
}
