/*
 * Arrays of chunks' places:
 *
 *   fixed      = "FAHD" 0 client:1 entry size:1 page bits:1 count block checksum:4
 *   its block  = "FADB" 0 client:1 header [bit of each page] [checksum:4] { entry } checksum:4
 *   extensible = "EAHD" 0 client:1 entry size:1 bits:1 in index:1 least in block:1 least pointers:1
 *                page bits:1 six numbers  index block  checksum:4
 *   its index  = "EAIB" 0 client:1 header { entry } { block } { super block } checksum:4
 *   block      = "EADB" 0 client:1 header offset { entry } checksum:4, or pages of them
 *   super      = "EASB" 0 client:1 header offset [bits of pages] { block } checksum:4
 *
 * Super block u stands for 2^(u/2) blocks of 2^((u+1)/2) times the least number of entries; the
 * blocks of the first few are named by the index itself.
 */
#include <string.h>

#include "formats/hdf5_internal.h"

typedef struct array {
    tut_hdf5 *h;
    tut_hdf5_record_fn fn;
    void *ctx;
    unsigned entry_bytes, page_bits;
    unsigned bits, in_index, least_entries, least_pointers; /* extensible */
} array;

/* Of one page; the count of bits was checked when the header was read. */
static uint64_t page_entries(const array *a)
{
    uint64_t entries = 1ull << (a->page_bits & 31u);
    return entries ? entries : 1;
}

/* `count` entries at the address. */
static tut_status read_entries(array *a, uint64_t address, uint64_t count, tut_error *err)
{
    enum { AT_ONCE = 4096 };
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    for (uint64_t done = 0; done < count;) {
        uint64_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        tut_buf_clear(&raw);
        TUT_TRY(tut_budget_steps(a->h->x->budget, n, err));
        TUT_TRY(
            tut_hdf5_read(a->h, address + done * a->entry_bytes, n * a->entry_bytes, &raw, err));
        for (uint64_t i = 0; i < n; i++)
            TUT_TRY(a->fn(a->ctx, (tut_span){raw.data + i * a->entry_bytes, a->entry_bytes}, err));
        done += n;
    }
    return TUT_SUCCESS;
}

/* The same in pages, each with a checksum behind it. Those whose bit is not set were never written,
 * and nobody reads them; `written` is where the bits lie. */
static tut_status read_pages(array *a, uint64_t address, uint64_t count, uint64_t written,
                             tut_error *err)
{
    uint64_t page = page_entries(a), pages = (count + page - 1) / page;
    TUT_CLEAN(tut_buf) bits = TUT_BUF_INIT;
    TUT_TRY(tut_hdf5_read(a->h, written, (pages + 7) / 8, &bits, err));
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t left = count - i * page, n = left < page ? left : page;
        TUT_TRY(tut_budget_steps(a->h->x->budget, 1, err));
        if (bits.data[i / 8] & 0x80 >> (i % 8))
            TUT_TRY(read_entries(a, address, n, err));
        address += n * a->entry_bytes + 4;
    }
    return TUT_SUCCESS;
}

static tut_status has_magic(tut_hdf5 *h, uint64_t address, const char *magic, tut_error *err)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    TUT_TRY(tut_hdf5_read(h, address, 4, &raw, err));
    return memcmp(raw.data, magic, 4) == 0 ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

tut_status tut_hdf5_fixed_array(tut_hdf5 *h, uint64_t address, tut_hdf5_record_fn fn, void *ctx,
                                tut_error *err)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned L = h->length_bytes, O = h->offset_bytes;
    uint64_t count = 0, block = 0;
    TUT_TRY(tut_hdf5_read(h, address, 8u + L + O + 4u, &raw, err));
    if (memcmp(raw.data, "FAHD", 4) != 0 || !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        return (tut_status){TUT_MALFORMED};
    array a = {.h = h, .fn = fn, .ctx = ctx, .entry_bytes = raw.data[6], .page_bits = raw.data[7]};
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 8));
    TUT_TRY(tut_hdf5_length(h, &r, &count));
    TUT_TRY(tut_hdf5_address(h, &r, &block));
    if (block == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    if (a.page_bits > 30 || a.entry_bytes < O || count > h->src->size / a.entry_bytes)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(has_magic(h, block, "FADB", err));
    uint64_t page = page_entries(&a), at = block + 6u + O;
    if (count <= page)
        return read_entries(&a, at, count, err);
    return read_pages(&a, at + ((count + page - 1) / page + 7) / 8 + 4, count, at, err);
}

/* --- the extensible one --- */

static unsigned log2_of(uint64_t n)
{
    unsigned bits = 0;
    while (n >> bits > 1)
        bits++;
    return bits;
}

/* Entries in each block of super block u. */
static uint64_t block_entries(const array *a, unsigned u)
{
    return (uint64_t)a->least_entries << ((u + 1) / 2);
}

/* `written`: where the bits of its pages lie. */
static tut_status read_block(array *a, uint64_t address, unsigned u, uint64_t written,
                             tut_error *err)
{
    tut_hdf5 *h = a->h;
    uint64_t count = block_entries(a, u), page = page_entries(a);
    uint64_t at = address + 6u + h->offset_bytes + (a->bits + 7u) / 8u;
    if (address == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    TUT_TRY(has_magic(h, address, "EADB", err));
    if (count > page)
        return read_pages(a, at + 4, count, written, err);
    return read_entries(a, at, count, err);
}

/* `count` addresses of blocks of super block u, with bits of pages before them where such blocks
 * have pages. */
static tut_status read_blocks(array *a, uint64_t address, uint64_t count, unsigned u,
                              tut_error *err)
{
    uint64_t entries = block_entries(a, u), page = page_entries(a);
    uint64_t bits = entries > page ? (entries / page + 7) / 8 : 0, written = address;
    tut_hdf5 *h = a->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    TUT_TRY(tut_hdf5_read(h, address + count * bits, count * h->offset_bytes, &raw, err));
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    for (uint64_t i = 0; i < count; i++, written += bits) {
        uint64_t block = 0;
        TUT_TRY(tut_hdf5_address(h, &r, &block));
        TUT_TRY(read_block(a, block, u, written, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_super(array *a, uint64_t address, unsigned u, tut_error *err)
{
    tut_hdf5 *h = a->h;
    uint64_t at = address + 6u + h->offset_bytes + (a->bits + 7u) / 8u;
    if (address == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    TUT_TRY(has_magic(h, address, "EASB", err));
    return read_blocks(a, at, 1ull << (u / 2), u, err);
}

static tut_status read_index(array *a, uint64_t block, tut_error *err)
{
    tut_hdf5 *h = a->h;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned supers = 1 + a->bits - log2_of(a->least_entries);
    unsigned direct = 2 * log2_of(a->least_pointers); /* super blocks whose blocks are here */
    uint64_t at = block + 6u + h->offset_bytes;
    TUT_TRY(has_magic(h, block, "EAIB", err));
    TUT_TRY(read_entries(a, at, a->in_index, err));
    at += (uint64_t)a->in_index * a->entry_bytes;
    for (unsigned u = 0; u < direct && u < supers; u++) {
        TUT_TRY(read_blocks(a, at, 1ull << (u / 2), u, err));
        at += (1ull << (u / 2)) * h->offset_bytes;
    }
    if (supers <= direct)
        return TUT_SUCCESS;
    TUT_TRY(tut_hdf5_read(h, at, (uint64_t)(supers - direct) * h->offset_bytes, &raw, err));
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    for (unsigned u = direct; u < supers; u++) {
        uint64_t address = 0;
        TUT_TRY(tut_hdf5_address(h, &r, &address));
        TUT_TRY(read_super(a, address, u, err));
    }
    return TUT_SUCCESS;
}

static bool is_power(unsigned n)
{
    return n && !(n & (n - 1));
}

tut_status tut_hdf5_extensible_array(tut_hdf5 *h, uint64_t address, tut_hdf5_record_fn fn,
                                     void *ctx, tut_error *err)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    unsigned L = h->length_bytes, O = h->offset_bytes;
    uint64_t block = 0;
    TUT_TRY(tut_hdf5_read(h, address, 12u + 6u * L + O + 4u, &raw, err));
    if (memcmp(raw.data, "EAHD", 4) != 0 || !tut_hdf5_checksum_fits(tut_buf_span(&raw)))
        return (tut_status){TUT_MALFORMED};
    array a = {.h = h,
               .fn = fn,
               .ctx = ctx,
               .entry_bytes = raw.data[6],
               .bits = raw.data[7],
               .in_index = raw.data[8],
               .least_entries = raw.data[9],
               .least_pointers = raw.data[10],
               .page_bits = raw.data[11]};
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    TUT_TRY(tut_reader_skip(&r, 12 + 6ull * L));
    TUT_TRY(tut_hdf5_address(h, &r, &block));
    if (block == TUT_HDF5_NOWHERE)
        return TUT_SUCCESS;
    bool is_sound = a.entry_bytes >= O && a.bits <= 48 && a.page_bits <= 30 &&
                    is_power(a.least_entries) && is_power(a.least_pointers) &&
                    a.bits >= log2_of(a.least_entries);
    return is_sound ? read_index(&a, block, err) : (tut_status){TUT_MALFORMED};
}
