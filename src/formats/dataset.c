/* Data sets in binary form, recognised by magic and size; their rows are the affair of vetting. */
#include <inttypes.h>
#include <string.h>

#include "formats/format.h"

/* --- Parquet: "PAR1" data footer length:u32 "PAR1"; "PARE": the footer is encrypted --- */

static tut_match sniff_parquet(const tut_sniff *s)
{
    bool is_plain = tut_sniff_magic(s, "PAR1", 4);
    if (!is_plain && !tut_sniff_magic(s, "PARE", 4))
        return TUT_MATCH_NONE;
    bool has_end = s->tail.len >= 4 && (memcmp(s->tail.data + s->tail.len - 4, "PAR1", 4) == 0 ||
                                        memcmp(s->tail.data + s->tail.len - 4, "PARE", 4) == 0);
    return has_end ? TUT_MATCH_SURE : TUT_MATCH_STRONG;
}

static tut_status examine_parquet(tut_exam *x, tut_error *err)
{
    uint8_t end[8];
    const uint8_t *magic = NULL;
    TUT_TRY(tut_stream_peek(x->stream, 4, &magic));
    if (memcmp(magic, "PARE", 4) == 0)
        return tut_fail(err, TUT_UNSUPPORTED, "the Parquet footer is encrypted");
    if (!x->source)
        return TUT_SUCCESS;
    if (x->source->size < 12)
        return tut_fail(err, TUT_TRUNCATED, "no room for a Parquet footer");
    TUT_TRY(tut_source_read(x->source, x->source->size - 8, end, 8, err));
    uint64_t footer = (uint64_t)end[0] | (uint64_t)end[1] << 8 | (uint64_t)end[2] << 16 |
                      (uint64_t)end[3] << 24;
    if (memcmp(end + 4, "PAR1", 4) != 0)
        return tut_fail(err, TUT_TRUNCATED, "the Parquet footer is missing");
    if (footer > x->source->size - 12)
        return tut_fail(err, TUT_MALFORMED, "the Parquet footer is larger than the file");
    tut_exam_factf(x, "parquet.footer-bytes", "%" PRIu64, footer);
    return TUT_SUCCESS;
}

/* --- idx (MNIST): 0 0 type dimensions { size:u32 big endian } values --- */

static uint32_t idx_item_bytes(uint8_t type)
{
    switch (type) {
    case 0x08:
    case 0x09:
        return 1;
    case 0x0b:
        return 2;
    case 0x0c:
    case 0x0d:
        return 4;
    case 0x0e:
        return 8;
    default:
        return 0;
    }
}

static uint32_t u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static tut_match sniff_idx(const tut_sniff *s)
{
    enum { MAX_DIMS = 8 };
    if (s->head.len < 8 || s->head.data[0] || s->head.data[1])
        return TUT_MATCH_NONE;
    uint64_t total = idx_item_bytes(s->head.data[2]);
    size_t dims = s->head.data[3];
    if (total == 0 || dims == 0 || dims > MAX_DIMS || s->head.len < 4 + 4 * dims)
        return TUT_MATCH_NONE;
    for (size_t i = 0; i < dims; i++)
        if (__builtin_mul_overflow(total, (uint64_t)u32be(s->head.data + 4 + 4 * i), &total))
            return TUT_MATCH_NONE;
    return s->size != UINT64_MAX && total <= s->size && total + 4 + 4 * dims == s->size
               ? TUT_MATCH_SURE
               : TUT_MATCH_NONE;
}

static tut_status examine_idx(tut_exam *x, tut_error *err)
{
    const uint8_t *head = NULL;
    (void)err;
    TUT_TRY(tut_stream_peek(x->stream, 8, &head));
    tut_exam_factf(x, "rows", "%u", u32be(head + 4));
    return TUT_SUCCESS;
}

/* --- by magic alone --- */

static tut_match sniff_arrow(const tut_sniff *s)
{
    return tut_sniff_magic(s, "ARROW1\0\0", 8) || tut_sniff_magic(s, "FEA1", 4) ? TUT_MATCH_SURE
                                                                                : TUT_MATCH_NONE;
}

static tut_match sniff_sqlite(const tut_sniff *s)
{
    return tut_sniff_magic(s, "SQLite format 3\0", 16) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_match sniff_avro(const tut_sniff *s)
{
    return tut_sniff_magic(s, "Obj\1", 4) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

extern const tut_format tut_format_parquet, tut_format_idx, tut_format_arrow, tut_format_sqlite,
    tut_format_avro;

const tut_format tut_format_parquet = {.name = "parquet",
                                       .label = "Parquet",
                                       .kind = TUT_KIND_DATASET,
                                       .sniff = sniff_parquet,
                                       .examine = examine_parquet,
                                       .extensions = ".parquet .pq"};
const tut_format tut_format_idx = {.name = "idx",
                                   .label = "IDX array",
                                   .kind = TUT_KIND_DATASET,
                                   .sniff = sniff_idx,
                                   .examine = examine_idx,
                                   .extensions = "-ubyte .idx .idx1 .idx3 .ubyte"};
const tut_format tut_format_arrow = {.name = "arrow",
                                     .label = "Arrow",
                                     .kind = TUT_KIND_DATASET,
                                     .sniff = sniff_arrow,
                                     .extensions = ".arrow .feather .ipc"};
const tut_format tut_format_sqlite = {.name = "sqlite",
                                      .label = "SQLite database",
                                      .kind = TUT_KIND_DATASET,
                                      .sniff = sniff_sqlite,
                                      .extensions = ".sqlite .sqlite3 .db .gpkg"};
const tut_format tut_format_avro = {.name = "avro",
                                    .label = "Avro",
                                    .kind = TUT_KIND_DATASET,
                                    .sniff = sniff_avro,
                                    .extensions = ".avro"};
