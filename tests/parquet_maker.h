/*
 * Writes Parquet files for tests: each encoding, codec and version of pages, with nulls and lists.
 * Values are given as their stored bytes. Sizes are small; running out of memory ends the test.
 */
#ifndef TUT_TESTS_PARQUET_MAKER_H
#define TUT_TESTS_PARQUET_MAKER_H

#include <lz4.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "formats/parquet_internal.h"

/* One level of a column: a value, or none. */
typedef struct make_value {
    uint8_t def, rep;
    tut_str bytes; /* meaningless unless def is the column's greatest */
} make_value;

typedef struct make_column {
    const char *name;
    tut_parquet_type type;
    int32_t width;     /* of FIXED */
    int32_t converted; /* -1: none */
    tut_str logical;   /* Thrift of LogicalType, with its end; "" without */
    int32_t scale;
    bool is_optional;
    bool is_list; /* optional group (LIST) { repeated group list { optional element } } */
    parquet_encoding encoding;
    parquet_codec codec;
    bool is_v2, has_crc, is_msb; /* msb: levels as BIT_PACKED (version 1) */
    size_t page_levels;          /* 0: all in one page */
    const make_value *values;
    size_t count, rows;
} make_column;

/* --- Thrift --- */

static inline void make_varint(tut_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        tut_buf_add_byte(b, (uint8_t)(v | 0x80));
    tut_buf_add_byte(b, (uint8_t)v);
}

static inline uint64_t make_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline void make_field(tut_buf *b, int *io_last, int id, uint8_t type)
{
    tut_buf_add_byte(b, (uint8_t)((id - *io_last) << 4 | type));
    *io_last = id;
}

static inline void make_int(tut_buf *b, int *io_last, int id, uint8_t type, int64_t v)
{
    make_field(b, io_last, id, type);
    make_varint(b, make_zigzag(v));
}

static inline void make_binary(tut_buf *b, tut_str s)
{
    make_varint(b, s.len);
    tut_buf_add_str(b, s);
}

static inline void make_list(tut_buf *b, size_t count, uint8_t type)
{
    if (count < 15) {
        tut_buf_add_byte(b, (uint8_t)(count << 4 | type));
        return;
    }
    tut_buf_add_byte(b, 0xf0 | type);
    make_varint(b, count);
}

/* --- packed integers --- */

static inline void make_bits(tut_buf *b, const uint64_t *values, size_t n, unsigned width)
{
    size_t bytes = (n * width + 7) / 8;
    uint8_t *to = tut_buf_extend(b, bytes);
    if (!to)
        abort();
    memset(to, 0, bytes);
    for (size_t i = 0; i < n * width; i++)
        to[i / 8] |= (uint8_t)((values[i / width] >> (i % width) & 1) << (i % 8));
}

static inline void make_msb(tut_buf *b, const uint64_t *values, size_t n, unsigned width)
{
    size_t bytes = (n * width + 7) / 8;
    uint8_t *to = tut_buf_extend(b, bytes);
    if (!to)
        abort();
    memset(to, 0, bytes);
    for (size_t i = 0; i < n * width; i++)
        to[i / 8] |= (uint8_t)((values[i / width] >> (width - 1 - i % width) & 1) << (7 - i % 8));
}

/* Runs of 8 and more as such, the rest packed. */
static inline void make_hybrid(tut_buf *b, const uint64_t *values, size_t n, unsigned width)
{
    for (size_t at = 0; at < n;) {
        size_t run = 1;
        while (at + run < n && values[at + run] == values[at])
            run++;
        if (run >= 8) {
            make_varint(b, run << 1);
            for (unsigned i = 0; i < (width + 7) / 8; i++)
                tut_buf_add_byte(b, (uint8_t)(values[at] >> (8 * i)));
            at += run;
            continue;
        }
        uint64_t eight[8] = {0};
        size_t take = n - at < 8 ? n - at : 8;
        memcpy(eight, values + at, take * sizeof(*eight));
        make_varint(b, 1 << 1 | 1);
        make_bits(b, eight, 8, width);
        at += take;
    }
}

static inline unsigned make_width(uint64_t top)
{
    return top == 0 ? 0 : 64 - (unsigned)__builtin_clzll(top);
}

static inline void make_delta(tut_buf *b, const int64_t *values, size_t n)
{
    enum { BLOCK = 128, MINIS = 4, PER_MINI = BLOCK / MINIS };
    make_varint(b, BLOCK);
    make_varint(b, MINIS);
    make_varint(b, n);
    make_varint(b, make_zigzag(n ? values[0] : 0));
    for (size_t at = 1; at < n; at += BLOCK) {
        uint64_t deltas[BLOCK] = {0};
        size_t held = n - at < BLOCK ? n - at : BLOCK;
        int64_t least = INT64_MAX;
        for (size_t i = 0; i < held; i++) {
            deltas[i] = (uint64_t)values[at + i] - (uint64_t)values[at + i - 1];
            least = (int64_t)deltas[i] < least ? (int64_t)deltas[i] : least;
        }
        make_varint(b, make_zigzag(least));
        unsigned widths[MINIS] = {0};
        for (size_t i = 0; i < held; i++) {
            deltas[i] -= (uint64_t)least;
            unsigned width = make_width(deltas[i]);
            widths[i / PER_MINI] = width > widths[i / PER_MINI] ? width : widths[i / PER_MINI];
        }
        for (size_t m = 0; m < MINIS; m++)
            tut_buf_add_byte(b, (uint8_t)widths[m]);
        for (size_t m = 0; m * PER_MINI < held; m++)
            make_bits(b, deltas + m * PER_MINI, PER_MINI, widths[m]);
    }
}

/* --- encodings --- */

static inline void make_plain(tut_buf *b, tut_parquet_type type, const tut_str *v, size_t n)
{
    TUT_AUTO_FREE uint64_t *bits = tut_alloc_array(n + 1, sizeof(*bits));
    for (size_t i = 0; i < n; i++) {
        if (type == TUT_PARQUET_BOOLEAN) {
            bits[i] = (uint64_t)(v[i].data[0] != 0);
            continue;
        }
        if (type == TUT_PARQUET_BYTE_ARRAY)
            tut_buf_add_u32le(b, (uint32_t)v[i].len);
        tut_buf_add_str(b, v[i]);
    }
    if (type == TUT_PARQUET_BOOLEAN)
        make_bits(b, bits, n, 1);
}

static inline int64_t make_number(tut_str s)
{
    int64_t wide = 0;
    int32_t narrow = 0;
    memcpy(&wide, s.data, s.len < 8 ? s.len : 8);
    memcpy(&narrow, s.data, s.len < 4 ? s.len : 4);
    return s.len == 4 ? narrow : wide;
}

static inline void make_deltas(tut_buf *b, parquet_encoding e, const tut_str *v, size_t n)
{
    TUT_AUTO_FREE int64_t *first = tut_alloc_array(n + 1, sizeof(*first));
    TUT_AUTO_FREE int64_t *second = tut_alloc_array(n + 1, sizeof(*second));
    for (size_t i = 0; i < n; i++) {
        size_t shared = 0;
        while (e == PARQUET_DELTA_BYTES && i > 0 && shared < v[i].len && shared < v[i - 1].len &&
               v[i].data[shared] == v[i - 1].data[shared])
            shared++;
        first[i] = e == PARQUET_DELTA_BINARY_PACKED ? make_number(v[i]) : (int64_t)shared;
        second[i] = (int64_t)(v[i].len - shared);
    }
    if (e != PARQUET_DELTA_LENGTH)
        make_delta(b, first, n);
    if (e == PARQUET_DELTA_BINARY_PACKED)
        return;
    make_delta(b, second, n);
    for (size_t i = 0; i < n; i++)
        tut_buf_add(b, v[i].data + v[i].len - second[i], (size_t)second[i]);
}

/* Entries of the dictionary into `unique`; the index of each value. */
static inline size_t make_unique(const tut_str *v, size_t n, tut_str *unique, uint64_t *indices)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < count && !tut_str_eq(unique[k], v[i]))
            k++;
        if (k == count)
            unique[count++] = v[i];
        indices[i] = k;
    }
    return count;
}

static inline void make_values(tut_buf *b, const make_column *c, const tut_str *v,
                               const uint64_t *indices, size_t unique, size_t n)
{
    TUT_CLEAN(tut_buf) inner = TUT_BUF_INIT;
    TUT_AUTO_FREE uint64_t *bits = tut_alloc_array(n + 1, sizeof(*bits));
    unsigned width = make_width(unique ? unique - 1 : 0);
    switch (c->encoding) {
    case PARQUET_PLAIN:
        make_plain(b, c->type, v, n);
        break;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        tut_buf_add_byte(b, (uint8_t)width);
        make_hybrid(b, indices, n, width);
        break;
    case PARQUET_RLE:
        for (size_t i = 0; i < n; i++)
            bits[i] = (uint64_t)(v[i].data[0] != 0);
        make_hybrid(&inner, bits, n, 1);
        tut_buf_add_u32le(b, (uint32_t)inner.len);
        tut_buf_add_str(b, tut_buf_str(&inner));
        break;
    case PARQUET_DELTA_BINARY_PACKED:
    case PARQUET_DELTA_LENGTH:
    case PARQUET_DELTA_BYTES:
        make_deltas(b, c->encoding, v, n);
        break;
    case PARQUET_SPLIT:
        for (size_t k = 0; n > 0 && k < v[0].len; k++)
            for (size_t i = 0; i < n; i++)
                tut_buf_add_byte(b, (uint8_t)v[i].data[k]);
        break;
    case PARQUET_BIT_PACKED:
    case PARQUET_ALP:
        break;
    }
}

/* --- codecs --- */

/* Literals and copies of what stands up to 60 kB before; also copies that overlap themselves. */
static inline void make_snappy(tut_buf *b, tut_span raw)
{
    make_varint(b, raw.len);
    size_t literal = 0;
    for (size_t at = 0; at <= raw.len;) {
        size_t best = 0, offset = 0;
        for (size_t back = 1; at < raw.len && back <= at && back < 300; back++) {
            size_t n = 0;
            while (n < 64 && at + n < raw.len && raw.data[at + n] == raw.data[at + n - back])
                n++;
            if (n > best) {
                best = n;
                offset = back;
            }
        }
        if (best < 4 && at < raw.len) {
            at++;
            literal++;
            if (literal < 70000)
                continue;
        }
        if (literal > 0) {
            size_t n = literal - 1;
            unsigned extra = n < 60 ? 0 : n < 256 ? 1 : n < 65536 ? 2 : 3;
            tut_buf_add_byte(b, (uint8_t)((extra ? 59 + extra : n) << 2));
            for (unsigned i = 0; i < extra; i++)
                tut_buf_add_byte(b, (uint8_t)(n >> (8 * i)));
            tut_buf_add(b, raw.data + at - literal, literal);
            literal = 0;
        }
        if (at >= raw.len)
            break;
        if (best < 4)
            continue;
        if (best < 12 && offset % 3 == 0) {
            tut_buf_add_byte(b, (uint8_t)(offset >> 8 << 5 | (best - 4) << 2 | 1));
            tut_buf_add_byte(b, (uint8_t)offset);
        } else {
            bool is_long = offset % 3 == 1;
            tut_buf_add_byte(b, (uint8_t)((best - 1) << 2 | (is_long ? 3 : 2)));
            for (unsigned i = 0; i < (is_long ? 4u : 2u); i++)
                tut_buf_add_byte(b, (uint8_t)(offset >> (8 * i)));
        }
        at += best;
    }
}

static inline void make_gzip(tut_buf *b, tut_span raw)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)raw.data, .avail_in = (uInt)raw.len};
    size_t cap = raw.len + raw.len / 10 + 64, before = b->len;
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_out = tut_buf_extend(b, cap);
    z.avail_out = (uInt)cap;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    b->len = before + z.total_out;
    deflateEnd(&z);
}

static inline void make_packed(tut_buf *b, parquet_codec codec, tut_span raw)
{
    size_t cap = ZSTD_compressBound(raw.len) + (size_t)LZ4_compressBound((int)raw.len) + 64;
    TUT_AUTO_FREE uint8_t *to = tut_alloc_array(cap, 1);
    size_t n = 0;
    switch (codec) {
    case PARQUET_SNAPPY:
        make_snappy(b, raw);
        return;
    case PARQUET_GZIP:
        make_gzip(b, raw);
        return;
    case PARQUET_ZSTD:
        n = ZSTD_compress(to, cap, raw.data, raw.len, 3);
        break;
    case PARQUET_LZ4:
    case PARQUET_LZ4_RAW:
        n = (size_t)LZ4_compress_default((const char *)raw.data, (char *)to, (int)raw.len,
                                         (int)cap);
        break;
    case PARQUET_UNCOMPRESSED:
    case PARQUET_LZO:
    case PARQUET_BROTLI:
        tut_buf_add(b, raw.data, raw.len);
        return;
    }
    for (unsigned i = 0; codec == PARQUET_LZ4 && i < 4; i++)
        tut_buf_add_byte(b, (uint8_t)(raw.len >> (24 - 8 * i)));
    for (unsigned i = 0; codec == PARQUET_LZ4 && i < 4; i++)
        tut_buf_add_byte(b, (uint8_t)(n >> (24 - 8 * i)));
    tut_buf_add(b, to, n);
}

/* --- pages --- */

static inline uint8_t make_max_def(const make_column *c)
{
    return c->is_list ? 3 : c->is_optional;
}

static inline void make_levels(tut_buf *b, const make_column *c, const make_value *v, size_t n,
                               bool is_rep)
{
    TUT_AUTO_FREE uint64_t *levels = tut_alloc_array(n + 1, sizeof(*levels));
    TUT_CLEAN(tut_buf) inner = TUT_BUF_INIT;
    unsigned width = make_width(is_rep ? c->is_list : make_max_def(c));
    if (width == 0)
        return;
    for (size_t i = 0; i < n; i++)
        levels[i] = is_rep ? v[i].rep : v[i].def;
    if (c->is_msb) {
        make_msb(b, levels, n, width);
        return;
    }
    make_hybrid(&inner, levels, n, width);
    if (!c->is_v2)
        tut_buf_add_u32le(b, (uint32_t)inner.len);
    tut_buf_add_str(b, tut_buf_str(&inner));
}

static inline void make_page_header(tut_buf *b, const make_column *c, int kind, size_t unpacked,
                                    tut_span packed, size_t values, size_t nulls, size_t rows,
                                    size_t defs, size_t reps)
{
    int last = 0, inner = 0;
    bool is_dictionary = kind == PARQUET_PAGE_DICTIONARY, is_v2 = kind == PARQUET_PAGE_DATA_V2;
    int levels = c->is_msb ? PARQUET_BIT_PACKED : PARQUET_RLE;
    make_int(b, &last, 1, TUT_THRIFT_I32, kind);
    make_int(b, &last, 2, TUT_THRIFT_I32, (int64_t)unpacked);
    make_int(b, &last, 3, TUT_THRIFT_I32, (int64_t)packed.len);
    if (c->has_crc)
        make_int(b, &last, 4, TUT_THRIFT_I32, (int32_t)crc32(0, packed.data, (unsigned)packed.len));
    make_field(b, &last, is_dictionary ? 7 : is_v2 ? 8 : 5, TUT_THRIFT_STRUCT);
    make_int(b, &inner, 1, TUT_THRIFT_I32, (int64_t)values);
    if (is_v2) {
        make_int(b, &inner, 2, TUT_THRIFT_I32, (int64_t)nulls);
        make_int(b, &inner, 3, TUT_THRIFT_I32, (int64_t)rows);
        make_int(b, &inner, 4, TUT_THRIFT_I32, c->encoding);
        make_int(b, &inner, 5, TUT_THRIFT_I32, (int64_t)defs);
        make_int(b, &inner, 6, TUT_THRIFT_I32, (int64_t)reps);
    } else {
        make_int(b, &inner, 2, TUT_THRIFT_I32, is_dictionary ? PARQUET_PLAIN : (int)c->encoding);
        if (!is_dictionary) {
            make_int(b, &inner, 3, TUT_THRIFT_I32, levels);
            make_int(b, &inner, 4, TUT_THRIFT_I32, levels);
        }
    }
    tut_buf_add_byte(b, 0);
    tut_buf_add_byte(b, 0);
}

static inline void make_data_page(tut_buf *file, const make_column *c, const make_value *levels,
                                  size_t n, const tut_str *values, const uint64_t *indices,
                                  size_t unique, size_t present)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) packed = TUT_BUF_INIT;
    make_levels(&raw, c, levels, n, true);
    size_t reps = raw.len, rows = 0;
    make_levels(&raw, c, levels, n, false);
    size_t before = c->is_v2 ? raw.len : 0, defs = raw.len - reps;
    make_values(&raw, c, values, indices, unique, present);
    tut_buf_add(&packed, raw.data, before);
    make_packed(&packed, c->codec, tut_span_of(raw.data + before, raw.len - before));
    for (size_t i = 0; i < n; i++)
        rows += levels[i].rep == 0;
    make_page_header(file, c, c->is_v2 ? PARQUET_PAGE_DATA_V2 : PARQUET_PAGE_DATA, raw.len,
                     tut_buf_span(&packed), n, n - present, rows, defs, reps);
    tut_buf_add_str(file, tut_buf_str(&packed));
}

typedef struct make_chunk {
    uint64_t data_at, dictionary_at, begin, end;
} make_chunk;

static inline make_chunk make_pages(tut_buf *file, const make_column *c)
{
    TUT_AUTO_FREE tut_str *values = tut_alloc_array(c->count + 1, sizeof(*values));
    TUT_AUTO_FREE tut_str *unique = tut_alloc_array(c->count + 1, sizeof(*unique));
    TUT_AUTO_FREE uint64_t *indices = tut_alloc_array(c->count + 1, sizeof(*indices));
    bool is_dictionary = c->encoding == PARQUET_RLE_DICTIONARY ||
                         c->encoding == PARQUET_PLAIN_DICTIONARY;
    size_t present = 0, entries = 0, step = c->page_levels ? c->page_levels : c->count;
    make_chunk k = {.begin = file->len};
    for (size_t i = 0; i < c->count; i++)
        if (c->values[i].def == make_max_def(c))
            values[present++] = c->values[i].bytes;
    if (is_dictionary) {
        TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) packed = TUT_BUF_INIT;
        entries = make_unique(values, present, unique, indices);
        make_plain(&raw, c->type, unique, entries);
        make_packed(&packed, c->codec, tut_buf_span(&raw));
        k.dictionary_at = file->len;
        make_page_header(file, c, PARQUET_PAGE_DICTIONARY, raw.len, tut_buf_span(&packed), entries,
                         0, 0, 0, 0);
        tut_buf_add_str(file, tut_buf_str(&packed));
    }
    k.data_at = file->len;
    for (size_t at = 0, v = 0; at < c->count; at += step) {
        size_t n = c->count - at < step ? c->count - at : step, held = 0;
        for (size_t i = 0; i < n; i++)
            held += c->values[at + i].def == make_max_def(c);
        make_data_page(file, c, c->values + at, n, values + v, indices + v, entries, held);
        v += held;
    }
    k.end = file->len;
    return k;
}

/* --- footer --- */

static inline void make_element(tut_buf *b, const char *name, int repetition, int children,
                                const make_column *leaf, int converted)
{
    int last = 0;
    if (leaf) {
        make_int(b, &last, 1, TUT_THRIFT_I32, leaf->type);
        if (leaf->type == TUT_PARQUET_FIXED)
            make_int(b, &last, 2, TUT_THRIFT_I32, leaf->width);
    }
    if (repetition >= 0)
        make_int(b, &last, 3, TUT_THRIFT_I32, repetition);
    make_field(b, &last, 4, TUT_THRIFT_BINARY);
    make_binary(b, tut_str_of(name));
    if (!leaf)
        make_int(b, &last, 5, TUT_THRIFT_I32, children);
    if (converted >= 0)
        make_int(b, &last, 6, TUT_THRIFT_I32, converted);
    if (leaf && leaf->scale)
        make_int(b, &last, 7, TUT_THRIFT_I32, leaf->scale);
    if (leaf && leaf->logical.len) {
        make_field(b, &last, 10, TUT_THRIFT_STRUCT);
        tut_buf_add_str(b, leaf->logical);
    }
    tut_buf_add_byte(b, 0);
}

static inline void make_schema(tut_buf *b, const make_column *columns, size_t n)
{
    size_t lists = 0;
    for (size_t i = 0; i < n; i++)
        lists += columns[i].is_list;
    make_list(b, 1 + n + 2 * lists, TUT_THRIFT_STRUCT);
    make_element(b, "schema", -1, (int)n, NULL, -1);
    for (size_t i = 0; i < n; i++) {
        const make_column *c = &columns[i];
        if (c->is_list) {
            make_element(b, c->name, 1, 1, NULL, 3);
            make_element(b, "list", 2, 1, NULL, -1);
            make_element(b, "element", 1, 0, c, c->converted);
        } else {
            make_element(b, c->name, c->is_optional, 0, c, c->converted);
        }
    }
}

static inline void make_chunk_of(tut_buf *b, const make_column *c, const make_chunk *k)
{
    int outer = 0, last = 0;
    make_int(b, &outer, 2, TUT_THRIFT_I64, (int64_t)k->begin);
    make_field(b, &outer, 3, TUT_THRIFT_STRUCT);
    make_int(b, &last, 1, TUT_THRIFT_I32, c->type);
    make_field(b, &last, 2, TUT_THRIFT_LIST);
    make_list(b, 1, TUT_THRIFT_I32);
    make_varint(b, make_zigzag(c->encoding));
    make_field(b, &last, 3, TUT_THRIFT_LIST);
    make_list(b, 1, TUT_THRIFT_BINARY);
    make_binary(b, tut_str_of(c->name));
    make_int(b, &last, 4, TUT_THRIFT_I32, c->codec);
    make_int(b, &last, 5, TUT_THRIFT_I64, (int64_t)c->count);
    make_int(b, &last, 6, TUT_THRIFT_I64, (int64_t)(k->end - k->begin));
    make_int(b, &last, 7, TUT_THRIFT_I64, (int64_t)(k->end - k->begin));
    make_int(b, &last, 9, TUT_THRIFT_I64, (int64_t)k->data_at);
    if (k->dictionary_at)
        make_int(b, &last, 11, TUT_THRIFT_I64, (int64_t)k->dictionary_at);
    tut_buf_add_byte(b, 0);
    tut_buf_add_byte(b, 0);
}

/* The same columns in `groups` row groups; rows: of each, as the footer says. */
static inline void make_parquet(tut_buf *file, const make_column *columns, size_t n, size_t groups,
                                int64_t rows)
{
    TUT_CLEAN(tut_buf) footer = TUT_BUF_INIT;
    TUT_AUTO_FREE make_chunk *chunks = tut_alloc_array(n * groups + 1, sizeof(*chunks));
    int last = 0;
    tut_buf_add_z(file, "PAR1");
    for (size_t i = 0; i < n * groups; i++)
        chunks[i] = make_pages(file, &columns[i % n]);
    make_int(&footer, &last, 1, TUT_THRIFT_I32, 2);
    make_field(&footer, &last, 2, TUT_THRIFT_LIST);
    make_schema(&footer, columns, n);
    make_int(&footer, &last, 3, TUT_THRIFT_I64, rows * (int64_t)groups);
    make_field(&footer, &last, 4, TUT_THRIFT_LIST);
    make_list(&footer, groups, TUT_THRIFT_STRUCT);
    for (size_t g = 0; g < groups; g++) {
        int inner = 0;
        make_field(&footer, &inner, 1, TUT_THRIFT_LIST);
        make_list(&footer, n, TUT_THRIFT_STRUCT);
        for (size_t i = 0; i < n; i++)
            make_chunk_of(&footer, &columns[i], &chunks[g * n + i]);
        make_int(&footer, &inner, 2, TUT_THRIFT_I64, 0);
        make_int(&footer, &inner, 3, TUT_THRIFT_I64, rows);
        tut_buf_add_byte(&footer, 0);
    }
    make_field(&footer, &last, 6, TUT_THRIFT_BINARY);
    make_binary(&footer, TUT_LIT("parquet_maker of the tests"));
    tut_buf_add_byte(&footer, 0);
    tut_buf_add_str(file, tut_buf_str(&footer));
    tut_buf_add_u32le(file, (uint32_t)footer.len);
    tut_buf_add_z(file, "PAR1");
    if (file->failed)
        abort();
}

#endif
