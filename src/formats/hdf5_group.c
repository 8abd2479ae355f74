/*
 * Old groups: a B-tree of the first kind whose leaves are tables of symbols, whose names lie in a
 * local heap.
 *
 *   node  = "TREE" type:1 level:1 used:2 left right { key child } key
 *   table = "SNOD" 1 0 count:2 { name object cache:4 0:4 scratch:16 }
 *   heap  = "HEAP" 0 0:3 size free data
 *
 * A child lies one level below its parent and is visited once: no cycle, no sharing.
 */
#include <string.h>

#include "formats/hdf5_internal.h"

enum { NAME_BYTES = 64 << 10, CACHE_GROUP = 1, CACHE_SOFT = 2 };

typedef struct group {
    tut_hdf5 *h;
    const tut_hdf5_object *parent;
    uint64_t names, names_size; /* of the local heap's data */
    struct pending {
        uint64_t address;
        unsigned level;
    } * pending;
    size_t count, capacity;
} group;

bool tut_hdf5_local_heap(tut_hdf5 *h, uint64_t address, uint64_t *ret_data, uint64_t *ret_size)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint64_t size = 0, unused = 0, data = 0;
    size_t len = 8u + 2u * h->length_bytes + h->offset_bytes;
    if (!tut_is_ok(tut_hdf5_read(h, address, len, &raw, NULL)) ||
        memcmp(raw.data, "HEAP", 4) != 0) {
        tut_hdf5_bad(h, address, "no heap of names lies where one should");
        return false;
    }
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    bool is_read = tut_is_ok(tut_reader_skip(&r, 8)) && tut_is_ok(tut_hdf5_length(h, &r, &size)) &&
                   tut_is_ok(tut_hdf5_length(h, &r, &unused)) &&
                   tut_is_ok(tut_hdf5_address(h, &r, &data));
    uint64_t at = tut_hdf5_offset(h, data);
    if (!is_read || at > h->src->size || size > h->src->size - at) {
        tut_hdf5_bad(h, address, "the heap of names reaches beyond the file");
        return false;
    }
    *ret_data = data;
    *ret_size = size;
    return true;
}

static bool heap_text(group *g, uint64_t offset, tut_buf *out)
{
    if (offset >= g->names_size)
        return false;
    uint64_t room = g->names_size - offset;
    return tut_hdf5_read_z(g->h, g->names + offset, room < NAME_BYTES ? (size_t)room : NAME_BYTES,
                           out) &&
           out->len < room;
}

static tut_status read_entry(group *g, tut_reader *r, tut_error *err)
{
    tut_hdf5 *h = g->h;
    uint64_t name_at = 0, address = 0, tree = TUT_HDF5_NOWHERE, heap = TUT_HDF5_NOWHERE;
    uint32_t cache = 0;
    tut_span scratch;
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_TRY(tut_hdf5_length(h, r, &name_at));
    TUT_TRY(tut_hdf5_address(h, r, &address));
    TUT_TRY(tut_reader_u32le(r, &cache));
    TUT_TRY(tut_reader_skip(r, 4));
    TUT_TRY(tut_reader_bytes(r, 16, &scratch));
    TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
    if (!heap_text(g, name_at, &name)) {
        tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "the name of a link lies outside the heap of names");
        return TUT_SUCCESS;
    }
    if (cache == CACHE_SOFT)
        return TUT_SUCCESS; /* leads to what is read anyway, or nowhere */
    if (cache == CACHE_GROUP) {
        tut_reader cached = tut_reader_of(scratch);
        TUT_TRY(tut_hdf5_address(h, &cached, &tree));
        TUT_TRY(tut_hdf5_address(h, &cached, &heap));
    }
    return tut_hdf5_queue(h, g->parent, tut_buf_str(&name), address, tree, heap, err);
}

static tut_status read_table(group *g, uint64_t address, tut_error *err)
{
    tut_hdf5 *h = g->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint16_t count = 0;
    tut_status status = tut_hdf5_read(h, address, 8, &raw, err);
    if (tut_is_ok(status) && memcmp(raw.data, "SNOD", 4) != 0)
        status = (tut_status){TUT_MALFORMED};
    TUT_TRY(status);
    count = (uint16_t)(raw.data[6] | raw.data[7] << 8);
    size_t entry = (size_t)h->length_bytes + h->offset_bytes + 24;
    tut_buf_clear(&raw);
    TUT_TRY(tut_hdf5_read(h, address + 8, (uint64_t)count * entry, &raw, err));
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    for (unsigned i = 0; i < count; i++)
        TUT_TRY(read_entry(g, &r, err));
    return TUT_SUCCESS;
}

static tut_status add_pending(group *g, uint64_t address, unsigned level, tut_error *err)
{
    TUT_TRY(tut_grow(&g->pending, g->count, &g->capacity, sizeof(*g->pending)));
    g->pending[g->count++] = (struct pending){address, level};
    return tut_budget_steps(g->h->x->budget, 1, err);
}

static tut_status read_node(group *g, uint64_t address, unsigned level, bool is_root,
                            tut_error *err)
{
    tut_hdf5 *h = g->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    size_t head = 8u + 2u * h->offset_bytes;
    TUT_TRY(tut_hdf5_read(h, address, head, &raw, err));
    bool is_right = memcmp(raw.data, "TREE", 4) == 0 && raw.data[4] == 0 &&
                    (is_root || raw.data[5] == level);
    if (!is_right)
        return (tut_status){TUT_MALFORMED};
    level = raw.data[5];
    unsigned used = raw.data[6] | (unsigned)raw.data[7] << 8;
    tut_buf_clear(&raw);
    TUT_TRY(tut_hdf5_read(h, address + head, (uint64_t)used * (h->length_bytes + h->offset_bytes),
                          &raw, err));
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    for (unsigned i = 0; i < used; i++) {
        uint64_t key = 0, child = 0;
        TUT_TRY(tut_hdf5_length(h, &r, &key));
        TUT_TRY(tut_hdf5_address(h, &r, &child));
        TUT_TRY(add_pending(g, child, level, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_tree(group *g, uint64_t root, tut_error *err)
{
    bool is_root = true;
    TUT_TRY(add_pending(g, root, 0, err));
    while (g->count > 0) {
        struct pending p = g->pending[--g->count];
        bool is_new = false;
        TUT_TRY(tut_hdf5_visit(g->h, 'T', p.address, &is_new, err));
        if (!is_new) {
            tut_hdf5_bad(g->h, p.address, "a part of a group belongs to two, or to itself");
            continue;
        }
        bool is_table = !is_root && p.level == 0;
        tut_status status = is_table
                                ? read_table(g, p.address, err)
                                : read_node(g, p.address, is_root ? 0 : p.level - 1, is_root, err);
        if (tut_hdf5_is_local(status))
            tut_hdf5_bad(g->h, p.address, "a part of the group cannot be read");
        else
            TUT_TRY(status);
        is_root = false;
    }
    return TUT_SUCCESS;
}

tut_status tut_hdf5_old_group(tut_hdf5 *h, const tut_hdf5_object *parent, uint64_t tree,
                              uint64_t heap, tut_error *err)
{
    group g = {.h = h, .parent = parent};
    if (!tut_hdf5_local_heap(h, heap, &g.names, &g.names_size))
        return TUT_SUCCESS;
    tut_status status = read_tree(&g, tree, err);
    tut_free(g.pending);
    return status;
}
