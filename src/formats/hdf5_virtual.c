/*
 * Virtual datasets: their values are read out of other datasets, mostly of other files, which are
 * opened by the names that stand in the global heap:
 *
 *   block = version:1 count:L { file NUL dataset NUL selection selection } checksum:4
 *
 * "." is this file. A count that is a lie ends where a name does not.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/hdf5_internal.h"

enum { SELECT_NONE, SELECT_POINTS, SELECT_HYPERSLAB, SELECT_ALL, SHOWN_FILES = 16 };

static tut_status take_z(tut_reader *r, tut_str *ret)
{
    const uint8_t *from = r->data + r->pos;
    const uint8_t *nul = memchr(from, 0, tut_reader_left(r));
    if (!nul)
        return (tut_status){TUT_TRUNCATED};
    *ret = (tut_str){(const char *)from, (size_t)(nul - from)};
    return tut_reader_skip(r, ret->len + 1);
}

static tut_status skip_slab(tut_reader *r, uint32_t version)
{
    uint8_t flags = 0, width = 0;
    uint32_t len = 0, rank = 0;
    uint64_t blocks = 0;
    if (version == 1) {
        TUT_TRY(tut_reader_skip(r, 4));
        TUT_TRY(tut_reader_u32le(r, &len));
        return tut_reader_skip(r, len);
    }
    TUT_TRY(tut_reader_u8(r, &flags));
    if (version == 2) {
        TUT_TRY(tut_reader_u32le(r, &len));
        return tut_reader_skip(r, len);
    }
    TUT_TRY(tut_reader_u8(r, &width));
    TUT_TRY(tut_reader_u32le(r, &rank));
    if (width > 8 || rank > TUT_HDF5_RANK)
        return (tut_status){TUT_MALFORMED};
    if (flags & 1) /* regular: start, stride, count, block */
        return tut_reader_skip(r, 4ull * rank * width);
    TUT_TRY(tut_hdf5_number(r, width, &blocks));
    if (blocks > tut_reader_left(r))
        return (tut_status){TUT_TRUNCATED};
    return tut_reader_skip(r, blocks * 2 * rank * width);
}

static tut_status skip_selection(tut_reader *r)
{
    uint32_t type = 0, version = 0, len = 0;
    TUT_TRY(tut_reader_u32le(r, &type));
    TUT_TRY(tut_reader_u32le(r, &version));
    if (type == SELECT_NONE || type == SELECT_ALL)
        return tut_reader_skip(r, 8);
    if (type == SELECT_HYPERSLAB)
        return skip_slab(r, version);
    TUT_TRY(tut_reader_skip(r, 4));
    TUT_TRY(tut_reader_u32le(r, &len));
    return tut_reader_skip(r, len);
}

static tut_status read_sources(tut_hdf5 *h, tut_reader r)
{
    uint8_t version = 0;
    uint64_t count = 0, outside = 0;
    tut_str last = {"", 0};
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_hdf5_length(h, &r, &count));
    for (uint64_t i = 0; i < count; i++) {
        tut_str file, dataset;
        TUT_TRY(tut_budget_steps(h->x->budget, 1, NULL));
        TUT_TRY(take_z(&r, &file));
        TUT_TRY(take_z(&r, &dataset));
        if (!tut_str_eq_z(file, ".") && !tut_str_eq(file, last) && outside++ < SHOWN_FILES)
            tut_exam_observe(h->x, "hdf5.virtual-source", TUT_NO_OFFSET,
                             "%s reads %.*s out of file %.*s", h->path,
                             (int)(dataset.len < 160 ? dataset.len : 160), dataset.data,
                             (int)(file.len < 160 ? file.len : 160), file.data);
        last = file;
        TUT_TRY(skip_selection(&r));
        TUT_TRY(skip_selection(&r));
    }
    return TUT_SUCCESS;
}

void tut_hdf5_virtual(tut_hdf5 *h, const tut_hdf5_node *node)
{
    TUT_CLEAN(tut_buf) block;
    tut_buf_init(&block, TUT_HDF5_VALUE_BYTES);
    if (node->layout.address == TUT_HDF5_NOWHERE)
        return;
    if (!tut_hdf5_global(h, node->layout.address, node->layout.heap_index, &block) ||
        !tut_is_ok(read_sources(h, tut_reader_of(tut_buf_span(&block)))))
        tut_hdf5_bad(h, node->layout.address, "the sources of a virtual dataset cannot be read");
}
