/*
 * Fractal heaps, in which dense links, dense attributes and shared messages lie:
 *
 *   heap     = "FRHP" 0 id size:2 filters:2 flags:1 largest managed:4 ... table width:2 first block
 *              largest direct block  bits:2 rows:2 root rows:2 [filtered root] checksum:4
 *   direct   = "FHDB" 0 heap offset [checksum:4] { object }
 *   indirect = "FHIB" 0 heap offset { child [filtered size:L mask:4] } checksum:4
 *
 * An object's id is where it lies in the heap's own address space. Rows of blocks double from the
 * second row on; those up to the largest direct block are direct, those above indirect.
 */
#include <string.h>

#include "formats/hdf5_internal.h"

enum {
    OBJECT_BYTES = 64 << 20, /* an attribute of this size is no attribute */
    ROWS = 64,
    FLAG_CHECKSUMS = 2,
    ID_MANAGED = 0,
    ID_HUGE = 1,
    ID_TINY = 2
};

typedef struct fractal {
    uint16_t id_bytes, filter_bytes, width, bits, root_rows;
    uint32_t largest_managed;
    uint64_t huge_tree, first_block, largest_direct, root;
    unsigned offset_bytes, size_bytes;
} fractal;

static unsigned log2_of(uint64_t n)
{
    unsigned bits = 0;
    while (n >> bits > 1)
        bits++;
    return bits;
}

static bool is_power(uint64_t n)
{
    return n && !(n & (n - 1));
}

static bool is_sound(const fractal *f)
{
    return is_power(f->first_block) && is_power(f->largest_direct) && f->width > 0 &&
           f->first_block <= f->largest_direct && f->largest_direct <= (1ull << 32) &&
           f->bits > 0 && f->bits <= 64 && f->id_bytes >= 3 && f->root_rows <= ROWS;
}

static tut_status read_heap(tut_hdf5 *h, uint64_t address, fractal *f, tut_error *err)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned L = h->length_bytes, O = h->offset_bytes;
    uint64_t len = 22u + 12u * L + 3u * O;
    TUT_TRY(tut_hdf5_read(h, address, len, &raw, err));
    if (memcmp(raw.data, "FRHP", 4) != 0)
        return (tut_status){TUT_MALFORMED};
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 5));
    TUT_TRY(tut_reader_u16le(&r, &f->id_bytes));
    TUT_TRY(tut_reader_u16le(&r, &f->filter_bytes));
    TUT_TRY(tut_reader_skip(&r, 1));
    TUT_TRY(tut_reader_u32le(&r, &f->largest_managed));
    TUT_TRY(tut_reader_skip(&r, L));
    TUT_TRY(tut_hdf5_address(h, &r, &f->huge_tree));
    TUT_TRY(tut_reader_skip(&r, L + O + 8u * L));
    TUT_TRY(tut_reader_u16le(&r, &f->width));
    TUT_TRY(tut_hdf5_length(h, &r, &f->first_block));
    TUT_TRY(tut_hdf5_length(h, &r, &f->largest_direct));
    TUT_TRY(tut_reader_u16le(&r, &f->bits));
    TUT_TRY(tut_reader_skip(&r, 2));
    TUT_TRY(tut_hdf5_address(h, &r, &f->root));
    TUT_TRY(tut_reader_u16le(&r, &f->root_rows));
    if (!is_sound(f))
        return (tut_status){TUT_MALFORMED};
    f->offset_bytes = (f->bits + 7u) / 8u;
    uint64_t longest = f->largest_direct < f->largest_managed ? f->largest_direct
                                                              : f->largest_managed;
    f->size_bytes = log2_of(longest) / 8 + 1;
    return TUT_SUCCESS;
}

/* Bytes of a block in this row. */
static uint64_t row_block(const fractal *f, unsigned row)
{
    unsigned shift = row < 2 ? 0 : row - 1;
    return shift >= 63 - log2_of(f->first_block) ? UINT64_MAX : f->first_block << shift;
}

/* Goes down from an indirect block to the direct block that holds `offset`, which becomes the
 * offset inside that block. */
static tut_status find_block(tut_hdf5 *h, const fractal *f, uint64_t *offset, uint64_t *ret_block,
                             tut_error *err)
{
    enum { LEVELS = 64 };
    uint64_t block = f->root;
    for (unsigned level = 0; level < LEVELS; level++) {
        unsigned row = 0;
        uint64_t index = 0, size, before = 0;
        for (;; row++) {
            size = row_block(f, row);
            uint64_t whole = 0;
            if (row >= ROWS || size == 0 || size == UINT64_MAX ||
                __builtin_mul_overflow(size, f->width, &whole))
                return (tut_status){TUT_MALFORMED};
            if (*offset - before < whole)
                break;
            before += whole;
        }
        index = (*offset - before) / size;
        *offset = *offset - before - index * size;
        unsigned direct_rows = log2_of(f->largest_direct) - log2_of(f->first_block) + 2;
        bool is_direct = row < direct_rows;
        uint64_t direct_bytes = h->offset_bytes;
        if (f->filter_bytes)
            direct_bytes += h->length_bytes + 4u;
        uint64_t entry = is_direct ? (row * (uint64_t)f->width + index) * direct_bytes
                                   : (uint64_t)direct_rows * f->width * direct_bytes +
                                         ((row - direct_rows) * (uint64_t)f->width + index) *
                                             h->offset_bytes;
        TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
        TUT_TRY(tut_hdf5_read(h, block, 4, &raw, err));
        if (memcmp(raw.data, "FHIB", 4) != 0)
            return (tut_status){TUT_MALFORMED};
        tut_buf_clear(&raw);
        TUT_TRY(tut_hdf5_read(h, block + 5 + h->offset_bytes + f->offset_bytes + entry,
                              h->offset_bytes, &raw, err));
        tut_reader r = tut_reader_of(tut_buf_span(&raw));
        TUT_TRY(tut_hdf5_address(h, &r, &block));
        if (block == TUT_HDF5_NOWHERE)
            return (tut_status){TUT_MALFORMED};
        *ret_block = block;
        if (is_direct)
            return TUT_SUCCESS;
        TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
    }
    return (tut_status){TUT_MALFORMED};
}

static tut_status read_managed(tut_hdf5 *h, const fractal *f, tut_reader r, tut_buf *out,
                               uint64_t *ret_at, tut_error *err)
{
    uint64_t offset = 0, size = 0, block = f->root;
    TUT_TRY(tut_hdf5_number(&r, f->offset_bytes, &offset));
    TUT_TRY(tut_hdf5_number(&r, f->size_bytes, &size));
    if (f->filter_bytes) {
        tut_hdf5_problem(h, TUT_UNSUPPORTED, "%s: a compressed heap is not read", h->path);
        return (tut_status){TUT_UNSUPPORTED};
    }
    if (f->root == TUT_HDF5_NOWHERE || size > OBJECT_BYTES)
        return (tut_status){TUT_MALFORMED};
    if (f->root_rows > 0)
        TUT_TRY(find_block(h, f, &offset, &block, err));
    uint8_t magic[4];
    TUT_TRY(tut_source_read(h->src, tut_hdf5_offset(h, block), magic, 4, err));
    if (memcmp(magic, "FHDB", 4) != 0 || block > UINT64_MAX - offset)
        return (tut_status){TUT_MALFORMED};
    *ret_at = tut_hdf5_offset(h, block + offset);
    return tut_hdf5_read(h, block + offset, size, out, err);
}

/* --- objects too large for blocks --- */

typedef struct huge_search {
    tut_hdf5 *h;
    uint64_t id, address, size;
    bool is_found;
} huge_search;

/* address size id */
static tut_status match_huge(void *ctx, tut_span record, tut_error *err)
{
    huge_search *s = ctx;
    tut_reader r = tut_reader_of(record);
    uint64_t address = 0, size = 0, id = 0;
    (void)err;
    TUT_TRY(tut_hdf5_address(s->h, &r, &address));
    TUT_TRY(tut_hdf5_length(s->h, &r, &size));
    TUT_TRY(tut_hdf5_length(s->h, &r, &id));
    if (id != s->id)
        return TUT_SUCCESS;
    s->address = address;
    s->size = size;
    s->is_found = true;
    return TUT_SUCCESS;
}

static tut_status read_huge(tut_hdf5 *h, const fractal *f, tut_reader r, tut_buf *out,
                            uint64_t *ret_at, tut_error *err)
{
    enum { INDIRECT = 1 };
    huge_search s = {.h = h};
    bool is_direct = f->id_bytes >= 1u + h->offset_bytes + h->length_bytes;
    if (f->filter_bytes)
        return (tut_status){TUT_UNSUPPORTED};
    if (is_direct) {
        TUT_TRY(tut_hdf5_address(h, &r, &s.address));
        TUT_TRY(tut_hdf5_length(h, &r, &s.size));
    } else {
        unsigned width = f->id_bytes - 1u < 8 ? f->id_bytes - 1u : 8;
        TUT_TRY(tut_hdf5_number(&r, width < h->length_bytes ? width : h->length_bytes, &s.id));
        if (f->huge_tree == TUT_HDF5_NOWHERE)
            return (tut_status){TUT_MALFORMED};
        TUT_TRY(tut_hdf5_each_record(h, f->huge_tree, INDIRECT, match_huge, &s, err));
        if (!s.is_found)
            return (tut_status){TUT_MALFORMED};
    }
    if (s.size > OBJECT_BYTES)
        return (tut_status){TUT_LIMIT};
    *ret_at = tut_hdf5_offset(h, s.address);
    return tut_hdf5_read(h, s.address, s.size, out, err);
}

static tut_status read_tiny(const fractal *f, uint8_t first, tut_reader r, tut_buf *out)
{
    enum { SHORT = 18 };
    uint64_t size = (first & 15u) + 1u;
    tut_span bytes;
    if (f->id_bytes > SHORT) {
        uint8_t low = 0;
        TUT_TRY(tut_reader_u8(&r, &low));
        size = ((first & 15u) << 8 | low) + 1u;
    }
    TUT_TRY(tut_reader_bytes(&r, size, &bytes));
    tut_buf_add(out, bytes.data, bytes.len);
    return tut_buf_check(out, NULL);
}

static tut_status read_object(tut_hdf5 *h, const fractal *f, tut_span id, tut_buf *out,
                              uint64_t *ret_at, tut_error *err)
{
    tut_reader r = tut_reader_of(id);
    uint8_t first = 0;
    *ret_at = TUT_NO_OFFSET;
    TUT_TRY(tut_reader_u8(&r, &first));
    switch (first >> 4 & 3) {
    case ID_MANAGED:
        return read_managed(h, f, r, out, ret_at, err);
    case ID_HUGE:
        return read_huge(h, f, r, out, ret_at, err);
    case ID_TINY:
        return read_tiny(f, first, r, out);
    default:
        return (tut_status){TUT_MALFORMED};
    }
}

bool tut_hdf5_heap_object(tut_hdf5 *h, uint64_t heap, tut_span id, tut_buf *out, tut_error *err)
{
    fractal f = {0};
    uint64_t at = 0;
    return tut_is_ok(read_heap(h, heap, &f, err)) &&
           tut_is_ok(read_object(h, &f, id, out, &at, err));
}

/* --- everything that an index names --- */

typedef struct dense {
    tut_hdf5 *h;
    fractal f;
    unsigned type;
    tut_hdf5_heap_fn fn;
    void *ctx;
} dense;

static bool shared_attribute(tut_hdf5 *h, tut_span id, tut_buf *out, tut_error *err)
{
    enum { ATTRIBUTES = 1u << 12 };
    for (uint32_t i = 0; i < h->shared_count; i++)
        if (h->shared_types[i] & ATTRIBUTES)
            return tut_hdf5_heap_object(h, h->shared_heaps[i], id, out, err);
    return false;
}

/* Links by name: hash:4 id:7. Attributes by name: id:8 flags:1 order:4 hash:4. */
static tut_status read_record(void *ctx, tut_span record, tut_error *err)
{
    enum { LINKS = 5, ATTRIBUTE_ID = 8 };
    dense *d = ctx;
    TUT_CLEAN(tut_buf) object = TUT_BUF_INIT;
    tut_reader r = tut_reader_of(record);
    tut_span id;
    uint8_t flags = 0;
    uint64_t at = 0;
    if (d->type == LINKS) {
        TUT_TRY(tut_reader_skip(&r, 4));
        TUT_TRY(tut_reader_bytes(&r, d->f.id_bytes, &id));
    } else {
        TUT_TRY(tut_reader_bytes(&r, ATTRIBUTE_ID, &id));
        TUT_TRY(tut_reader_u8(&r, &flags));
        if (flags & 2) { /* the whole attribute is shared: its id is one of that heap */
            if (!shared_attribute(d->h, id, &object, err))
                return (tut_status){TUT_MALFORMED};
            return d->fn(d->h, d->ctx, tut_buf_span(&object), TUT_NO_OFFSET, err);
        }
    }
    TUT_TRY(read_object(d->h, &d->f, id, &object, &at, err));
    return d->fn(d->h, d->ctx, tut_buf_span(&object), at, err);
}

tut_status tut_hdf5_each_dense(tut_hdf5 *h, uint64_t heap, uint64_t tree, unsigned type,
                               tut_hdf5_heap_fn fn, void *ctx, tut_error *err)
{
    dense d = {.h = h, .type = type, .fn = fn, .ctx = ctx};
    tut_status status = read_heap(h, heap, &d.f, err);
    if (tut_is_ok(status) && tree != TUT_HDF5_NOWHERE)
        status = tut_hdf5_each_record(h, tree, type, read_record, &d, err);
    if (!tut_hdf5_is_local(status))
        return status;
    tut_hdf5_bad(h, heap, "the heap of its links or attributes cannot be read");
    return TUT_SUCCESS;
}
