/*
 * Chunked datasets. Where the chunks lie is held against the file, by whichever index the layout
 * has; chunks of text or bytes are decoded and looked at.
 *
 *   old index = B-tree of the first kind: "TREE" 1 level:1 used:2 left right { key child } key,
 *               key = stored size:4 mask:4 offset:8 for each dimension
 *   single, implicit: one address.  Tree of the second kind: address [size mask:4] offsets:8
 *   fixed array = "FAHD" 0 client:1 entry size:1 page bits:1 count:L block checksum:4,
 *                 block = "FADB" 0 client:1 header [pages] { entry }
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
    LOOK_STRUCTURE = 1 << 20,
    LOOK_CONTENT = 64 << 20
};

typedef struct chunks {
    tut_hdf5 *h;
    const tut_hdf5_node *node;
    bool look, is_told;
    bool is_partial; /* chunks that were not gone over */
    uint64_t plain_size, look_left, stored;
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
        if (i < 32 && mask & (1u << i))
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
    if (tut_is_ok(status) && decode(h, c->node, mask, &data))
        status = tut_hdf5_look_elements(h, &c->node->type, tut_buf_span(&data), h->path, err);
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

static tut_status read_fixed(chunks *c, tut_error *err)
{
    tut_hdf5 *h = c->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned L = h->length_bytes, O = h->offset_bytes;
    uint64_t count = 0, block = 0;
    TUT_TRY(tut_hdf5_read(h, c->node->layout.address, 8u + L + O + 4u, &raw, err));
    if (memcmp(raw.data, "FAHD", 4) != 0 || !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        return (tut_status){TUT_MALFORMED};
    unsigned entry = raw.data[6], page_bits = raw.data[7];
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 8));
    TUT_TRY(tut_hdf5_length(h, &r, &count));
    TUT_TRY(tut_hdf5_address(h, &r, &block));
    if (block == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    if (page_bits > 30 || entry == 0)
        return (tut_status){TUT_MALFORMED};
    uint64_t page = 1ull << page_bits, at = 6u + O;
    if (count > page) /* a bit for each page, then the pages, each with a checksum of its own */
        at += ((count + page - 1) / page + 7) / 8 + 4;
    if (count > h->src->size / entry)
        return (tut_status){TUT_TRUNCATED};
    for (uint64_t done = 0; done < count;) {
        uint64_t n = count - done < page ? count - done : page;
        tut_buf_clear(&raw);
        TUT_TRY(tut_budget_steps(h->x->budget, n, err));
        TUT_TRY(tut_hdf5_read(h, block + at, n * entry, &raw, err));
        r = tut_reader_of(tut_buf_span(&raw));
        for (uint64_t i = 0; i < n; i++)
            TUT_TRY(take_entry(c, &r, err));
        done += n;
        at += n * entry + 4;
    }
    return TUT_SUCCESS;
}

/* The elements that lie in the index block itself; those of further blocks are not gone over. */
static tut_status read_extensible(chunks *c, tut_error *err)
{
    tut_hdf5 *h = c->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned L = h->length_bytes, O = h->offset_bytes;
    uint64_t block = 0;
    TUT_TRY(tut_hdf5_read(h, c->node->layout.address, 12u + 6u * L + O + 4u, &raw, err));
    if (memcmp(raw.data, "EAHD", 4) != 0 || !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        return (tut_status){TUT_MALFORMED};
    unsigned entry = raw.data[6], count = raw.data[8];
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 12 + 6ull * L));
    TUT_TRY(tut_hdf5_address(h, &r, &block));
    if (block == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    tut_buf_clear(&raw);
    TUT_TRY(tut_hdf5_read(h, block + 6u + O, (uint64_t)count * entry, &raw, err));
    r = tut_reader_of(tut_buf_span(&raw));
    for (unsigned i = 0; i < count; i++)
        TUT_TRY(take_entry(c, &r, err));
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
        return take_chunk(c, l->address, l->single_size ? l->single_size : c->plain_size, 0, err);
    case TUT_HDF5_INDEX_IMPLICIT:
        c->is_partial = true;
        return take_chunk(c, l->address, c->plain_size, 0, err); /* the first: none is filtered */
    case TUT_HDF5_INDEX_FIXED:
        return read_fixed(c, err);
    case TUT_HDF5_INDEX_EXTENSIBLE:
        c->is_partial = true;
        return read_extensible(c, err);
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
    tut_status status = read_index(&c, err);
    tut_free(c.pending);
    *ret_stored = c.is_partial ? UINT64_MAX : c.stored;
    if (!tut_hdf5_is_local(status))
        return status;
    tut_hdf5_bad(h, l->address, "the index of its chunks cannot be read");
    return TUT_SUCCESS;
}
