/*
 * Data sets in binary: Parquet, Arrow files (Feather), and idx.
 *
 *   parquet = "PAR1" { column chunk } metadata length "PAR1"
 *   metadata = Thrift, compact protocol (formats/thrift.h): 1 version, 2 schema, 3 number of rows,
 * ... arrow   = "ARROW1" 0 0 ... "ARROW1" idx     = 0 0 type dimensions { size (4 bytes, big
 * endian) } data
 */
#include <string.h>

#include "base/buf.h"
#include "base/reader.h"
#include "formats/text.h"
#include "formats/thrift.h"

static bool ends_with(const tut_sniff *s, const char *magic, size_t len)
{
    return s->tail.len >= len && memcmp(s->tail.data + s->tail.len - len, magic, len) == 0;
}

/* --- Parquet --- */
enum {
    PARQUET_MIN_BYTES = 12,
    PARQUET_FOOTER_MAX = 16 << 20 /* a table of 10,000 columns in 100 groups */
};

static tut_match sniff_parquet(const tut_sniff *s)
{
    bool fits = tut_sniff_magic(s, "PAR1", 4) && s->size >= PARQUET_MIN_BYTES &&
                (s->tail.len == 0 || ends_with(s, "PAR1", 4));
    return fits ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* One element of the schema; a group has field 5, the number of its children. */
static tut_status parquet_element(tut_reader *r, bool *ret_is_group)
{
    *ret_is_group = false;
    for (int32_t field = 0;;) {
        uint8_t type;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return TUT_SUCCESS;
        *ret_is_group |= field == 5;
        TUT_TRY(tut_thrift_skip(r, type, false));
    }
}

static tut_status parquet_schema(tut_reader *r, uint8_t type, uint64_t *ret_columns)
{
    uint8_t item;
    uint64_t count, columns = 0;
    TUT_TRY(tut_thrift_list(r, type, &item, &count));
    if (item != TUT_THRIFT_STRUCT)
        return (tut_status){TUT_MALFORMED};
    for (uint64_t i = 0; i < count; i++) {
        bool is_group;
        TUT_TRY(parquet_element(r, &is_group));
        columns += !is_group;
    }
    *ret_columns = columns;
    return TUT_SUCCESS;
}

static tut_status parquet_metadata(tut_reader *r, uint64_t *ret_rows, uint64_t *ret_columns)
{
    uint64_t columns = 0;
    for (int32_t field = 0;;) {
        uint8_t type;
        int64_t rows;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            return (tut_status){TUT_MALFORMED};
        if (field == 2 && type == TUT_THRIFT_LIST) {
            TUT_TRY(parquet_schema(r, type, &columns));
        } else if (field == 3) {
            TUT_TRY(tut_thrift_number(r, type, &rows));
            *ret_rows = rows < 0 ? 0 : (uint64_t)rows;
            *ret_columns = columns;
            if (rows < 0)
                return (tut_status){TUT_MALFORMED};
            return TUT_SUCCESS;
        } else {
            TUT_TRY(tut_thrift_skip(r, type, false));
        }
    }
}

static tut_status read_footer(tut_exam *x, tut_buf *footer, tut_error *err)
{
    uint8_t raw[8];
    TUT_TRY(tut_source_read(x->source, x->source->size - sizeof(raw), raw, sizeof(raw), err));
    uint32_t len = raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
    tut_buf_init(footer, PARQUET_FOOTER_MAX);
    if (len > PARQUET_FOOTER_MAX || len > x->source->size - PARQUET_MIN_BYTES)
        return TUT_SUCCESS;
    uint8_t *to = tut_buf_extend(footer, len);
    TUT_TRY(tut_buf_check(footer, err));
    return tut_source_read(x->source, x->source->size - sizeof(raw) - len, to, len, err);
}

static tut_status examine_parquet(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) footer = TUT_BUF_INIT;
    uint64_t rows = 0, columns = 0;
    if (!x->source || x->source->size < PARQUET_MIN_BYTES)
        return TUT_SUCCESS;
    TUT_TRY(read_footer(x, &footer, err));
    tut_reader r = tut_reader_of(tut_buf_span(&footer));
    if (!tut_is_ok(parquet_metadata(&r, &rows, &columns))) {
        tut_text_fact(x, "data.broken", TUT_LIT("the table's description cannot be read"));
        return TUT_SUCCESS;
    }
    tut_text_count(x, "rows", rows);
    tut_text_count(x, "columns", columns);
    return TUT_SUCCESS;
}

/* --- Arrow --- */
static tut_match sniff_arrow(const tut_sniff *s)
{
    bool is_file = tut_sniff_magic(s, "ARROW1\0\0", 8) && s->size >= 16 &&
                   (s->tail.len == 0 || ends_with(s, "ARROW1", 6));
    bool is_first = tut_sniff_magic(s, "FEA1", 4) && s->size >= 12 && ends_with(s, "FEA1", 4);
    return is_file || is_first ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* --- idx --- */
enum { IDX_DIMENSIONS = 8 };

typedef struct idx {
    uint32_t dimensions;
    uint32_t sizes[IDX_DIMENSIONS];
    uint64_t total; /* bytes of header and data */
} idx;

static bool read_idx(tut_span head, idx *ret)
{
    /* width of each element type from 8 on */
    static const uint8_t widths[] = {1, 1, 0, 2, 4, 4, 8};
    tut_reader r = tut_reader_of(head);
    uint16_t zero;
    uint8_t type, count;
    if (!tut_is_ok(tut_reader_u16be(&r, &zero)) || !tut_is_ok(tut_reader_u8(&r, &type)) ||
        !tut_is_ok(tut_reader_u8(&r, &count)))
        return false;
    if (zero != 0 || type < 8 || type - 8u >= sizeof(widths) || count == 0 ||
        count > IDX_DIMENSIONS)
        return false;
    uint64_t bytes = widths[type - 8];
    for (uint8_t i = 0; i < count; i++) {
        if (!tut_is_ok(tut_reader_u32be(&r, &ret->sizes[i])) ||
            __builtin_mul_overflow(bytes, ret->sizes[i], &bytes))
            return false;
    }
    ret->dimensions = count;
    return bytes > 0 && !__builtin_add_overflow(bytes, (uint64_t)r.pos, &ret->total);
}

static tut_match sniff_idx(const tut_sniff *s)
{
    idx i;
    return read_idx(s->head, &i) && i.total == s->size ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_status examine_idx(tut_exam *x, tut_error *err)
{
    tut_span head;
    idx i;
    (void)err;
    TUT_TRY(tut_stream_peek_some(x->stream, 4 + 4 * IDX_DIMENSIONS, &head));
    if (!read_idx(head, &i))
        return TUT_SUCCESS;
    uint64_t columns = 1; /* fits: the sniffer multiplied all of them */
    for (uint32_t d = 1; d < i.dimensions; d++)
        columns *= i.sizes[d];
    tut_text_count(x, "rows", i.sizes[0]);
    tut_text_count(x, "columns", columns);
    return TUT_SUCCESS;
}

extern const tut_format tut_format_parquet;
const tut_format tut_format_parquet = {
    .name = "parquet",
    .label = "Parquet",
    .kind = TUT_KIND_DATASET,
    .needs_source = true,
    .sniff = sniff_parquet,
    .examine = examine_parquet,
    .extensions = ".parquet .pq .parq",
    .reads = "schema, rows, columns",
};

extern const tut_format tut_format_arrow;
const tut_format tut_format_arrow = {
    .name = "arrow",
    .label = "Arrow",
    .kind = TUT_KIND_DATASET,
    .sniff = sniff_arrow,
    .extensions = ".arrow .feather .ipc .fea",
};

extern const tut_format tut_format_idx;
const tut_format tut_format_idx = {
    .name = "idx",
    .label = "IDX",
    .kind = TUT_KIND_DATASET,
    .sniff = sniff_idx,
    .examine = examine_idx,
    .reads = "rows, shape",
};
