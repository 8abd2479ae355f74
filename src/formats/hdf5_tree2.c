/*
 * B-trees of the second kind:
 *
 *   header = "BTHD" 0 type:1 node size:4 record size:2 depth:2 split:1 merge:1 root count:2 total
 *            checksum:4
 *   leaf   = "BTLF" 0 type:1 { record } checksum:4
 *   node   = "BTIN" 0 type:1 { record } { child count [total] } checksum:4
 *
 * The widths of the counts beside a child follow from how many records could lie below it.
 */
#include <string.h>

#include "formats/hdf5_internal.h"

enum { NODE_PREFIX = 10, DEPTH = 16, NODE_BYTES = 16 << 20 };

typedef struct tree {
    tut_hdf5 *h;
    unsigned type, depth, record_bytes;
    uint32_t node_bytes;
    unsigned count_bytes;        /* width of a child's number of records */
    unsigned total_bytes[DEPTH]; /* width of the number below, by level */
    tut_hdf5_record_fn fn;
    void *ctx;
    struct pending {
        uint64_t address, records;
        unsigned level;
    } * pending;
    size_t count, capacity;
} tree;

static unsigned width_of(uint64_t most)
{
    unsigned bits = 0;
    while (most >> bits > 1)
        bits++;
    return bits / 8 + 1;
}

/* As the library reckons them. False: no such tree can be. */
static bool set_widths(tree *t)
{
    if (t->node_bytes <= NODE_PREFIX || t->record_bytes == 0 || t->depth >= DEPTH)
        return false;
    uint64_t most = (t->node_bytes - NODE_PREFIX) / t->record_bytes;
    t->count_bytes = width_of(most);
    t->total_bytes[0] = 0;
    for (unsigned level = 1; level <= t->depth; level++) {
        unsigned pointer = t->h->offset_bytes + t->count_bytes + t->total_bytes[level - 1];
        if (t->node_bytes <= NODE_PREFIX + pointer)
            return false;
        uint64_t here = (t->node_bytes - NODE_PREFIX - pointer) / (t->record_bytes + pointer);
        if (__builtin_mul_overflow(most, here + 1, &most) ||
            __builtin_add_overflow(most, here, &most))
            return false;
        t->total_bytes[level] = width_of(most);
    }
    return true;
}

static tut_status add_pending(tree *t, uint64_t address, uint64_t records, unsigned level,
                              tut_error *err)
{
    TUT_TRY(tut_grow(&t->pending, t->count, &t->capacity, sizeof(*t->pending)));
    t->pending[t->count++] = (struct pending){address, records, level};
    return tut_budget_steps(t->h->x->budget, 1, err);
}

static tut_status read_children(tree *t, tut_reader *r, const struct pending *p, tut_error *err)
{
    for (uint64_t i = 0; i <= p->records; i++) {
        uint64_t address = 0, records = 0, total = 0;
        TUT_TRY(tut_hdf5_address(t->h, r, &address));
        TUT_TRY(tut_hdf5_number(r, t->count_bytes, &records));
        if (p->level > 1)
            TUT_TRY(tut_hdf5_number(r, t->total_bytes[p->level - 1], &total));
        TUT_TRY(add_pending(t, address, records, p->level - 1, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_node(tree *t, const struct pending *p, tut_error *err)
{
    tut_hdf5 *h = t->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned pointer = h->offset_bytes + t->count_bytes +
                       (p->level > 1 ? t->total_bytes[p->level - 1] : 0);
    uint64_t size = 6 + p->records * t->record_bytes + (p->level ? (p->records + 1) * pointer : 0) +
                    4;
    if (p->records > t->node_bytes || size > t->node_bytes)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_hdf5_read(h, p->address, size, &raw, err));
    if (memcmp(raw.data, p->level ? "BTIN" : "BTLF", 4) != 0 || raw.data[5] != t->type)
        return (tut_status){TUT_MALFORMED};
    if (!tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        tut_hdf5_bad(h, p->address, "the checksum of an index is wrong");
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 6));
    for (uint64_t i = 0; i < p->records; i++) {
        tut_span record;
        TUT_TRY(tut_reader_bytes(&r, t->record_bytes, &record));
        TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
        tut_status status = t->fn(t->ctx, record, err);
        if (tut_hdf5_is_local(status))
            tut_hdf5_bad(h, p->address, "an entry of an index leads nowhere");
        else
            TUT_TRY(status);
    }
    return p->level ? read_children(t, &r, p, err) : TUT_SUCCESS;
}

static tut_status walk(tree *t, tut_error *err)
{
    enum { HUGE_OBJECTS = 1 }; /* searched once for each of them */
    while (t->count > 0) {
        struct pending p = t->pending[--t->count];
        bool is_new = true;
        if (t->type != HUGE_OBJECTS)
            TUT_TRY(tut_hdf5_visit(t->h, 'B', p.address, &is_new, err));
        if (!is_new) {
            tut_hdf5_bad(t->h, p.address, "a part of an index belongs to two, or to itself");
            continue;
        }
        tut_status status = read_node(t, &p, err);
        if (tut_hdf5_is_local(status))
            tut_hdf5_bad(t->h, p.address, "a part of an index cannot be read");
        else
            TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

static tut_status read_header(tree *t, uint64_t address, unsigned type, tut_error *err)
{
    tut_hdf5 *h = t->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint8_t found = 0;
    uint16_t record = 0, depth = 0, records = 0;
    uint64_t root = 0, total = 0;
    TUT_TRY(
        tut_hdf5_read(h, address, 16u + h->offset_bytes + 2u + h->length_bytes + 4u, &raw, err));
    if (memcmp(raw.data, "BTHD", 4) != 0)
        return (tut_status){TUT_MALFORMED};
    if (!tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        tut_hdf5_bad(h, address, "the checksum of an index is wrong");
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 5));
    TUT_TRY(tut_reader_u8(&r, &found));
    TUT_TRY(tut_reader_u32le(&r, &t->node_bytes));
    TUT_TRY(tut_reader_u16le(&r, &record));
    TUT_TRY(tut_reader_u16le(&r, &depth));
    TUT_TRY(tut_reader_skip(&r, 2));
    TUT_TRY(tut_hdf5_address(h, &r, &root));
    TUT_TRY(tut_reader_u16le(&r, &records));
    TUT_TRY(tut_hdf5_length(h, &r, &total));
    t->type = found;
    t->record_bytes = record;
    t->depth = depth;
    if (found != type || t->node_bytes > NODE_BYTES || !set_widths(t))
        return (tut_status){TUT_MALFORMED};
    return root == TUT_HDF5_NOWHERE ? TUT_SUCCESS : add_pending(t, root, records, depth, err);
}

tut_status tut_hdf5_each_record(tut_hdf5 *h, uint64_t address, unsigned type, tut_hdf5_record_fn fn,
                                void *ctx, tut_error *err)
{
    tree t = {.h = h, .fn = fn, .ctx = ctx};
    tut_status status = read_header(&t, address, type, err);
    if (tut_is_ok(status))
        status = walk(&t, err);
    tut_free(t.pending);
    return status;
}
