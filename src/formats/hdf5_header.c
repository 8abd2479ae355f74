/*
 * Object headers:
 *
 *   version 1 = 1, 0, count:2, references:4, size:4, padding:4, { type:2 size:2 flags:1 0:3 body }
 *   version 2 = "OHDR" 2 flags:1 [times:16] [phase change:4] size { type:1 size:2 flags:1
 *               [order:2] body } gap checksum:4
 *
 * and continuation blocks of the same messages ("OCHK" ... checksum, in version 2).
 */
#include <inttypes.h>
#include <string.h>

#include "formats/hdf5_internal.h"

enum {
    CONTINUATION = 0x10,
    HEADER1_BYTES = 16,
    PENDING = 1024,         /* continuation blocks: usual files have under ten */
    CHUNK_BYTES = 16 << 20, /* a block of messages, each of at most 64 KiB */
    FLAG_SIZE = 3,          /* bytes of the first block's size, as a power of two */
    FLAG_ORDER = 4,         /* messages have a creation order */
    FLAG_PHASE = 16,
    FLAG_TIMES = 32
};

typedef struct block {
    uint64_t address, size;
} block;

typedef struct header {
    tut_hdf5 *h;
    tut_hdf5_node *node;
    bool is_old, has_order;
    block pending[PENDING];
    size_t count, done;
} header;

static void add_block(header *d, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->pending[i].address == address) {
            tut_hdf5_bad(d->h, address, "the object header continues in a block that it has");
            return;
        }
    if (d->count == PENDING)
        tut_hdf5_problem(d->h, TUT_LIMIT, "an object header in over %d parts", PENDING);
    else
        d->pending[d->count++] = (block){address, size};
}

static tut_status continuation(header *d, tut_span body)
{
    tut_reader r = tut_reader_of(body);
    uint64_t address = 0, size = 0;
    TUT_TRY(tut_hdf5_address(d->h, &r, &address));
    TUT_TRY(tut_hdf5_length(d->h, &r, &size));
    add_block(d, address, size);
    return TUT_SUCCESS;
}

static tut_status next_message(header *d, tut_reader *r, unsigned *type, unsigned *flags,
                               tut_span *body)
{
    uint8_t small = 0, bits = 0;
    uint16_t wide = 0, size = 0;
    if (d->is_old)
        TUT_TRY(tut_reader_u16le(r, &wide));
    else
        TUT_TRY(tut_reader_u8(r, &small));
    TUT_TRY(tut_reader_u16le(r, &size));
    TUT_TRY(tut_reader_u8(r, &bits));
    if (d->is_old || d->has_order)
        TUT_TRY(tut_reader_skip(r, d->is_old ? 3 : 2));
    *type = d->is_old ? wide : small;
    *flags = bits;
    return tut_reader_bytes(r, size, body);
}

static tut_status read_messages(header *d, tut_span raw, uint64_t address, tut_error *err)
{
    tut_hdf5 *h = d->h;
    tut_reader r = tut_reader_of(raw);
    /* What is left at the end is a gap when no message fits in. */
    size_t least = d->is_old ? 8 : d->has_order ? 6 : 4;
    while (tut_reader_left(&r) >= least) {
        unsigned type = 0, flags = 0;
        tut_span body = {0};
        TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
        if (!tut_is_ok(next_message(d, &r, &type, &flags, &body))) {
            tut_hdf5_bad(h, address, "a message reaches beyond its object header");
            return TUT_SUCCESS;
        }
        uint64_t at = tut_hdf5_offset(h, address) + (uint64_t)(body.data - raw.data);
        tut_status status = type == CONTINUATION
                                ? continuation(d, body)
                                : tut_hdf5_message(h, d->node, type, flags, body, at, err);
        if (!tut_is_ok(status) && !tut_hdf5_is_local(status))
            return status;
        if (!tut_is_ok(status))
            tut_hdf5_bad(h, at - h->base, "a message of type %u cannot be read", type);
    }
    return TUT_SUCCESS;
}

/* A block of messages. `inset`: bytes before the first of them. */
static tut_status read_block(header *d, uint64_t address, uint64_t size, size_t inset,
                             tut_error *err)
{
    tut_hdf5 *h = d->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    size_t tail = d->is_old ? 0 : 4;
    if (size < inset + tail || size > CHUNK_BYTES) {
        tut_hdf5_bad(h, address, "a part of the object header has %" PRIu64 " bytes", size);
        return TUT_SUCCESS;
    }
    tut_status status = tut_hdf5_read(h, address, size, &raw, err);
    if (status.code == TUT_TRUNCATED) {
        tut_hdf5_bad(h, address, "the object header reaches beyond the file");
        return TUT_SUCCESS;
    }
    TUT_TRY(status);
    if (!d->is_old && !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        tut_hdf5_bad(h, address, "the checksum of the object header is wrong");
    return read_messages(d, (tut_span){raw.data + inset, raw.len - inset - tail}, address + inset,
                         err);
}

static tut_status read_continuations(header *d, tut_error *err)
{
    for (; d->done < d->count; d->done++) {
        const block *b = &d->pending[d->done];
        uint8_t magic[4];
        if (!d->is_old && (!tut_is_ok(tut_source_read(d->h->src, tut_hdf5_offset(d->h, b->address),
                                                      magic, 4, NULL)) ||
                           memcmp(magic, "OCHK", 4) != 0)) {
            tut_hdf5_bad(d->h, b->address, "no part of an object header lies where one should");
            continue;
        }
        TUT_TRY(read_block(d, b->address, b->size, d->is_old ? 0 : 4, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_new(header *d, uint64_t address, tut_span head, tut_error *err)
{
    tut_reader r = tut_reader_of(head);
    uint8_t version = 0, flags = 0;
    uint64_t size = 0;
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (version != 2)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_skip(&r, (flags & FLAG_TIMES ? 16 : 0) + (flags & FLAG_PHASE ? 4 : 0)));
    TUT_TRY(tut_hdf5_number(&r, 1u << (flags & FLAG_SIZE), &size));
    d->has_order = flags & FLAG_ORDER;
    size_t inset = r.pos;
    if (size > CHUNK_BYTES)
        return (tut_status){TUT_MALFORMED};
    return read_block(d, address, inset + size + 4, inset, err);
}

static tut_status read_old(header *d, uint64_t address, tut_span head, tut_error *err)
{
    tut_reader r = tut_reader_of(head);
    uint8_t version = 0;
    uint32_t size = 0;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_skip(&r, 7));
    TUT_TRY(tut_reader_u32le(&r, &size));
    if (version != 1)
        return (tut_status){TUT_MALFORMED};
    return read_block(d, address + HEADER1_BYTES, size, 0, err);
}

tut_status tut_hdf5_read_header(tut_hdf5 *h, uint64_t address, tut_hdf5_node *node, tut_error *err)
{
    uint8_t raw[48];
    size_t got = 0;
    uint64_t at = tut_hdf5_offset(h, address);
    if (at >= h->src->size || address == TUT_HDF5_NOWHERE) {
        tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "the object lies at %" PRIu64 ", beyond the file", at);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_source_read_some(h->src, at, raw, sizeof(raw), &got, err));
    TUT_AUTO_FREE header *d = tut_alloc_array(1, sizeof(*d));
    if (!d)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->h = h;
    d->node = node;
    tut_span head = {raw, got};
    d->is_old = got < 4 || memcmp(raw, "OHDR", 4) != 0;
    tut_status status = d->is_old ? read_old(d, address, head, err)
                                  : read_new(d, address, head, err);
    if (tut_hdf5_is_local(status)) {
        tut_hdf5_bad(h, address, "no object header lies where a link leads");
        return TUT_SUCCESS;
    }
    TUT_TRY(status);
    return read_continuations(d, err);
}
