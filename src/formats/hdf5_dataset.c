/*
 * Datasets: where their raw data lies (layout), what it went through (filters), and whether it lies
 * in this file at all (external files, virtual datasets).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/hdf5_internal.h"

enum {
    LOOK_STRUCTURE = 1 << 20, /* bytes of text and code that are looked at in one dataset */
    LOOK_CONTENT = 32 << 20,
    NAME_BYTES = 4096
};

/* --- layout --- */

static tut_status read_dims(tut_reader *r, unsigned width, tut_hdf5_layout *ret)
{
    if (ret->rank > TUT_HDF5_RANK || ret->rank == 0)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < ret->rank; i++)
        TUT_TRY(tut_hdf5_number(r, width, &ret->chunk[i]));
    return TUT_SUCCESS;
}

/* Versions 1 and 2: rank:1 class:1 0:5 [address] dims [element size:4 | size:4 data] */
static tut_status read_old_layout(tut_hdf5 *h, tut_reader *r, uint64_t at, tut_hdf5_layout *ret)
{
    uint8_t rank = 0, class = 0;
    TUT_TRY(tut_reader_u8(r, &rank));
    TUT_TRY(tut_reader_u8(r, &class));
    TUT_TRY(tut_reader_skip(r, 5));
    if (class > TUT_HDF5_CHUNKED)
        return (tut_status){TUT_MALFORMED};
    ret->class = (tut_hdf5_layout_class) class;
    ret->rank = rank;
    ret->size = UINT64_MAX;
    if (class != TUT_HDF5_COMPACT)
        TUT_TRY(tut_hdf5_address(h, r, &ret->address));
    if (class == TUT_HDF5_CHUNKED)
        return read_dims(r, 4, ret);
    TUT_TRY(tut_reader_skip(r, 4ull * rank));
    if (class == TUT_HDF5_CONTIGUOUS)
        return TUT_SUCCESS;
    uint32_t size = 0;
    TUT_TRY(tut_reader_u32le(r, &size));
    ret->size = size;
    ret->value_at = at == TUT_NO_OFFSET ? at : at + r->pos;
    return tut_reader_skip(r, size);
}

/* Version 4: flags:1 rank:1 width:1 dims index:1 parameters address */
static tut_status read_new_chunks(tut_hdf5 *h, tut_reader *r, tut_hdf5_layout *ret)
{
    enum { SINGLE_FILTERED = 2 };
    static const uint8_t parameters[] = {0, 0, 0, 1, 5, 6};
    uint8_t flags = 0, rank = 0, width = 0, index = 0;
    TUT_TRY(tut_reader_u8(r, &flags));
    TUT_TRY(tut_reader_u8(r, &rank));
    TUT_TRY(tut_reader_u8(r, &width));
    ret->rank = rank;
    TUT_TRY(read_dims(r, width, ret));
    TUT_TRY(tut_reader_u8(r, &index));
    if (index < TUT_HDF5_INDEX_SINGLE || index > TUT_HDF5_INDEX_TREE2)
        return (tut_status){TUT_MALFORMED};
    ret->index = (tut_hdf5_index)index;
    if (index == TUT_HDF5_INDEX_SINGLE && flags & SINGLE_FILTERED) {
        TUT_TRY(tut_hdf5_length(h, r, &ret->single_size));
        TUT_TRY(tut_reader_u32le(r, &ret->single_mask));
    }
    TUT_TRY(tut_reader_skip(r, parameters[index]));
    return tut_hdf5_address(h, r, &ret->address);
}

static tut_status read_layout(tut_hdf5 *h, tut_reader *r, unsigned version, uint64_t at,
                              tut_hdf5_layout *ret)
{
    uint8_t class = 0, rank = 0;
    uint16_t size = 0;
    TUT_TRY(tut_reader_u8(r, &class));
    if (class > TUT_HDF5_VIRTUAL)
        return (tut_status){TUT_MALFORMED};
    ret->class = (tut_hdf5_layout_class) class;
    switch (ret->class) {
    case TUT_HDF5_COMPACT:
        TUT_TRY(tut_reader_u16le(r, &size));
        ret->size = size;
        ret->value_at = at == TUT_NO_OFFSET ? at : at + r->pos;
        return tut_reader_skip(r, size);
    case TUT_HDF5_CONTIGUOUS:
        TUT_TRY(tut_hdf5_address(h, r, &ret->address));
        return tut_hdf5_length(h, r, &ret->size);
    case TUT_HDF5_CHUNKED:
        if (version >= 4)
            return read_new_chunks(h, r, ret);
        TUT_TRY(tut_reader_u8(r, &rank));
        ret->rank = rank;
        TUT_TRY(tut_hdf5_address(h, r, &ret->address));
        return read_dims(r, 4, ret);
    case TUT_HDF5_VIRTUAL:
        TUT_TRY(tut_hdf5_address(h, r, &ret->address));
        return tut_reader_u32le(r, &ret->heap_index);
    }
    return (tut_status){TUT_MALFORMED};
}

tut_status tut_hdf5_read_layout(tut_hdf5 *h, tut_span body, uint64_t at, tut_hdf5_layout *ret)
{
    tut_reader r = tut_reader_of(body);
    uint8_t version = 0;
    tut_hdf5_layout layout = {.is_there = true, .address = TUT_HDF5_NOWHERE};
    TUT_TRY(tut_reader_u8(&r, &version));
    if (version < 1 || version > 5)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(version < 3 ? read_old_layout(h, &r, at, &layout)
                        : read_layout(h, &r, version, at, &layout));
    *ret = layout;
    return TUT_SUCCESS;
}

/* --- filters --- */

/* Filters that the library has, that h5py and PyTables bring along, or that are registered with the
 * HDF Group: https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
 */
static bool is_registered(unsigned id)
{
    return (id >= 1 && id <= 6) || id == 257 || (id >= 305 && id <= 320) ||
           (id >= 32000 && id <= 32032);
}

static void check_filter(tut_hdf5 *h, const tut_hdf5_node *node, unsigned id, tut_str name)
{
    enum { BUILT_IN = 256, LZF = 32000, BLOSC = 32001, LZO = 305, BZIP2 = 307, BLOSC2 = 32026 };
    tut_hdf5_path(h, node->object, TUT_LIT(""));
    if (!is_registered(id))
        tut_exam_observe(h->x, "hdf5.unknown-filter", TUT_NO_OFFSET,
                         "%s goes through filter %u '%.*s'", h->path, id,
                         (int)(name.len < 64 ? name.len : 64), name.data);
    else if (id >= BUILT_IN && id != LZF && id != BLOSC && id != LZO && id != BZIP2 && id != BLOSC2)
        tut_exam_observe(h->x, "hdf5.plugin-filter", TUT_NO_OFFSET,
                         "%s goes through filter %u '%.*s'", h->path, id,
                         (int)(name.len < 64 ? name.len : 64), name.data);
}

/* version:1 count:1 [0:6] { id:2 [name size:2] flags:2 values:2 name value:4 [padding:4] } */
tut_status tut_hdf5_read_filters(tut_hdf5 *h, const tut_hdf5_node *node, tut_span body,
                                 tut_hdf5_filters *ret)
{
    tut_reader r = tut_reader_of(body);
    uint8_t version = 0, count = 0;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &count));
    if (version < 1 || version > 2 || count > TUT_HDF5_FILTERS)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_skip(&r, version == 1 ? 6 : 0));
    ret->count = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t id = 0, name_size = 0, flags = 0, values = 0;
        tut_span name = {0};
        TUT_TRY(tut_reader_u16le(&r, &id));
        if (version == 1 || id >= 256)
            TUT_TRY(tut_reader_u16le(&r, &name_size));
        TUT_TRY(tut_reader_u16le(&r, &flags));
        TUT_TRY(tut_reader_u16le(&r, &values));
        TUT_TRY(tut_reader_bytes(&r, version == 1 ? (name_size + 7u) / 8u * 8u : name_size, &name));
        tut_reader first = r;
        if (values > 0)
            TUT_TRY(tut_reader_u32le(&first, &ret->client[i]));
        TUT_TRY(tut_reader_skip(&r, 4ull * values + (version == 1 && values % 2 ? 4 : 0)));
        ret->ids[ret->count++] = id;
        const char *text = name.len ? (const char *)name.data : "";
        check_filter(h, node, id, (tut_str){text, strnlen(text, name.len)});
    }
    return TUT_SUCCESS;
}

/* --- raw data in other files --- */

static tut_status read_external(tut_hdf5 *h, tut_reader r)
{
    uint16_t allocated = 0, used = 0;
    uint8_t version = 0;
    uint64_t heap = 0, names = 0, size = 0;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_skip(&r, 3));
    TUT_TRY(tut_reader_u16le(&r, &allocated));
    TUT_TRY(tut_reader_u16le(&r, &used));
    TUT_TRY(tut_hdf5_address(h, &r, &heap));
    bool has_names = tut_hdf5_local_heap(h, heap, &names, &size);
    for (unsigned i = 0; i < used; i++) {
        uint64_t name_at = 0, offset = 0, len = 0;
        TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
        TUT_TRY(tut_hdf5_length(h, &r, &name_at));
        TUT_TRY(tut_hdf5_length(h, &r, &offset));
        TUT_TRY(tut_hdf5_length(h, &r, &len));
        if (!has_names || name_at >= size ||
            !tut_hdf5_read_z(h, names + name_at, NAME_BYTES, &name))
            tut_buf_add_z(&name, "(its name cannot be read)");
        tut_exam_observe(h->x, "hdf5.external-storage", TUT_NO_OFFSET,
                         "%s reads %" PRIu64 " bytes from offset %" PRIu64 " of file %.*s", h->path,
                         len, offset, (int)(name.len < 200 ? name.len : 200),
                         (const char *)name.data);
    }
    return TUT_SUCCESS;
}

void tut_hdf5_external_files(tut_hdf5 *h, tut_hdf5_node *node, tut_span body, tut_error *err)
{
    (void)err;
    tut_hdf5_path(h, node->object, TUT_LIT(""));
    if (!tut_is_ok(read_external(h, tut_reader_of(body))))
        tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "the list of external files cannot be read");
}

/* --- a dataset --- */

static void tell_tensor(tut_hdf5 *h, const tut_hdf5_node *node, uint64_t begin, uint64_t size)
{
    const char *dtype = tut_hdf5_dtype(&node->type);
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    if (!h->x->ops->tensor || !dtype || node->filters.count)
        return;
    for (uint32_t i = 0; i < node->space.rank; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "[", node->space.dims[i]);
    tut_buf_add_z(&shape, node->space.rank ? "]" : "[]");
    const char *name = h->path[0] == '/' && h->path[1] ? h->path + 1 : h->path;
    const tut_tensor told = {.name = tut_str_of(name),
                             .dtype = dtype,
                             .shape = tut_buf_str(&shape),
                             .begin = begin,
                             .end = begin + size};
    h->x->ops->tensor(h->x->ctx, &told);
}

static bool wants_look(const tut_hdf5_type *t)
{
    return t->class == TUT_HDF5_STRING || t->class == TUT_HDF5_OPAQUE ||
           t->class == TUT_HDF5_VLEN || t->class == TUT_HDF5_INTEGER || t->class == TUT_HDF5_BITS;
}

static tut_status look_at_range(tut_hdf5 *h, const tut_hdf5_node *node, uint64_t offset,
                                uint64_t size, tut_error *err)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint64_t most = h->x->content ? LOOK_CONTENT : LOOK_STRUCTURE;
    if (!wants_look(&node->type) || offset == TUT_NO_OFFSET)
        return TUT_SUCCESS;
    if (size > most)
        size = most;
    TUT_TRY(tut_budget_heap(h->x->budget, size, err));
    tut_status status = tut_hdf5_read(h, offset - h->base, size, &raw, err);
    if (tut_is_ok(status))
        status = tut_hdf5_look_elements(h, &node->type, tut_buf_span(&raw), h->path, err);
    tut_budget_heap_return(h->x->budget, size);
    return status;
}

/* Keras' own line (CVE-2026-0897): what a loader allocates beside what there is. */
static void check_bomb(tut_hdf5 *h, uint64_t wanted, uint64_t stored)
{
    enum { TIMES = 1000 };
    if (wanted > (4ull << 30) && wanted / TIMES > stored)
        tut_exam_observe(h->x, "hdf5.shape-bomb", TUT_NO_OFFSET,
                         "%s: %" PRIu64 " bytes in memory out of %" PRIu64 " in the file", h->path,
                         wanted, stored);
}

static tut_status check_contiguous(tut_hdf5 *h, const tut_hdf5_node *node, uint64_t wanted,
                                   tut_error *err)
{
    const tut_hdf5_layout *l = &node->layout;
    if (l->address == TUT_HDF5_NOWHERE) { /* never written: all fill values */
        check_bomb(h, wanted, 0);
        return TUT_SUCCESS;
    }
    uint64_t size = l->size == UINT64_MAX ? wanted : l->size;
    uint64_t begin = tut_hdf5_offset(h, l->address);
    if (size < wanted) {
        tut_exam_observe(h->x, "hdf5.size-mismatch", begin,
                         "%s has %" PRIu64 " bytes, type and shape need %" PRIu64, h->path, size,
                         wanted);
        return TUT_SUCCESS;
    }
    if (begin > h->src->size || size > h->src->size - begin) {
        tut_exam_observe(h->x, "hdf5.out-of-range", begin,
                         "%s: %" PRIu64 " bytes at offset %" PRIu64 " lie beyond the file", h->path,
                         size, begin);
        tut_hdf5_problem(h, TUT_TRUNCATED, "%s lies beyond the file", h->path);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_extents_add(&h->extents, begin, begin + size, err));
    tell_tensor(h, node, begin, wanted);
    return look_at_range(h, node, begin, wanted, err);
}

static tut_status check_compact(tut_hdf5 *h, const tut_hdf5_node *node, uint64_t wanted,
                                tut_error *err)
{
    if (node->layout.size < wanted) {
        tut_exam_observe(h->x, "hdf5.size-mismatch", node->layout.value_at,
                         "%s has %" PRIu64 " bytes, type and shape need %" PRIu64, h->path,
                         node->layout.size, wanted);
        return TUT_SUCCESS;
    }
    if (node->layout.value_at != TUT_NO_OFFSET)
        tell_tensor(h, node, node->layout.value_at, wanted);
    return look_at_range(h, node, node->layout.value_at, wanted, err);
}

static tut_status check_chunks(tut_hdf5 *h, const tut_hdf5_node *node, uint64_t wanted,
                               tut_error *err)
{
    uint64_t stored = 0;
    TUT_TRY(tut_hdf5_chunks(h, node, wants_look(&node->type), &stored, err));
    check_bomb(h, wanted, stored);
    return TUT_SUCCESS;
}

tut_status tut_hdf5_dataset(tut_hdf5 *h, const tut_hdf5_node *node, tut_error *err)
{
    uint64_t wanted = 0;
    h->datasets++;
    if (!node->type.is_there || !node->space.is_there) {
        tut_hdf5_bad(h, node->object->address, "a dataset without a type or a shape");
        return TUT_SUCCESS;
    }
    bool is_sound = node->space.elements != UINT64_MAX &&
                    !__builtin_mul_overflow(node->space.elements, node->type.size, &wanted);
    bool is_number = node->type.class == TUT_HDF5_FLOAT || node->type.class == TUT_HDF5_INTEGER;
    if (is_sound && is_number)
        h->parameters += node->space.elements;
    if (node->has_external)
        return TUT_SUCCESS; /* told: its bytes are not in this file */
    if (!is_sound) {
        tut_exam_observe(h->x, "hdf5.shape-overflow", tut_hdf5_offset(h, node->object->address),
                         "%s: the product of its shape exceeds 64 bits", h->path);
        return TUT_SUCCESS;
    }
    switch (node->layout.class) {
    case TUT_HDF5_COMPACT:
        return check_compact(h, node, wanted, err);
    case TUT_HDF5_CONTIGUOUS:
        return check_contiguous(h, node, wanted, err);
    case TUT_HDF5_CHUNKED:
        return check_chunks(h, node, wanted, err);
    case TUT_HDF5_VIRTUAL:
        tut_hdf5_virtual(h, node);
        break;
    }
    return TUT_SUCCESS;
}
