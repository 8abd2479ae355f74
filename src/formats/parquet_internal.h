/*
 * The Parquet reader's parts: parquet_footer.c (opening), parquet_schema.c (leaves),
 * parquet_group.c (row groups and their chunks), parquet_page.c (pages: header, checksum,
 * decompression, dictionary), parquet_unpack.c (codecs), parquet_hybrid.c and parquet_delta.c
 * (packed integers), parquet_values.c (encodings), parquet_read.c (runs).
 */
#ifndef TUT_FORMATS_PARQUET_INTERNAL_H
#define TUT_FORMATS_PARQUET_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/reader.h"
#include "formats/parquet.h"
#include "formats/thrift.h"

enum {
    PARQUET_FOOTER_MAX = 64 << 20, /* a table of 10,000 columns in 500 row groups */
    PARQUET_NAMES_MAX = 16 << 20,
    PARQUET_SPARES = 7, /* sizes of blocks that are kept for the next page */
    PARQUET_SPARES_KEPT = 8,
    PARQUET_SPARE = 8 /* bytes behind a page, so that packed integers are read in words */
};

/* --- packed integers --- */

/* Runs of one value and runs of packed ones ("RLE / bit-packing hybrid"), or only packed ones with
 * the first bit on top ("BIT_PACKED"). A value; copying it keeps the place. */
typedef struct parquet_hybrid {
    const uint8_t *at, *end;
    unsigned width;      /* bits, at most 32 */
    bool is_packed;      /* of the run */
    bool is_msb;         /* BIT_PACKED */
    uint64_t left;       /* values of the run */
    uint32_t value;      /* of a run of one value */
    const uint8_t *bits; /* of a packed run */
    uint64_t bit;
} parquet_hybrid;

void parquet_hybrid_init(parquet_hybrid *h, tut_span bytes, unsigned width);
void parquet_msb_init(parquet_hybrid *h, tut_span bytes, unsigned width, uint64_t count);
/* False: there are not so many. */
bool parquet_hybrid_take(parquet_hybrid *h, uint32_t *to, size_t n);
bool parquet_hybrid_levels(parquet_hybrid *h, uint8_t *to, size_t n);
/* Whether the next n are all this value, in one run; then they are taken. */
bool parquet_hybrid_all(parquet_hybrid *h, uint32_t value, size_t n);

/* DELTA_BINARY_PACKED. A value, likewise. */
typedef struct parquet_delta {
    const uint8_t *at, *end; /* the next block's header, or (in a block) the next miniblock */
    uint64_t left;           /* values that were not taken */
    uint64_t block, per_mini;
    uint64_t minis;        /* of a block */
    uint64_t mini;         /* the next one of the block */
    const uint8_t *widths; /* of the block's miniblocks */
    uint64_t mini_left;    /* values */
    const uint8_t *bits;
    uint64_t bit;
    unsigned width;
    uint64_t last, min_delta; /* two's complement */
    bool is_first;
} parquet_delta;

TUT_MUST bool parquet_delta_init(parquet_delta *d, tut_span bytes);
TUT_MUST bool parquet_delta_take(parquet_delta *d, int64_t *to, size_t n);
/* Where the sequence ends in its bytes. d stays as it is. */
TUT_MUST bool parquet_delta_end(const parquet_delta *d, const uint8_t **ret_end);

/* --- pages --- */

/* Memory that values point to; in a list of those to be freed with the next release. */
typedef struct parquet_block {
    struct parquet_block *next;
    size_t len, capacity;
    uint8_t data[];
} parquet_block;

typedef enum parquet_codec { /* as the format numbers them */
                             PARQUET_UNCOMPRESSED,
                             PARQUET_SNAPPY,
                             PARQUET_GZIP,
                             PARQUET_LZO,
                             PARQUET_BROTLI,
                             PARQUET_LZ4,
                             PARQUET_ZSTD,
                             PARQUET_LZ4_RAW
} parquet_codec;

typedef enum parquet_encoding { /* as the format numbers them */
                                PARQUET_PLAIN = 0,
                                PARQUET_PLAIN_DICTIONARY = 2,
                                PARQUET_RLE = 3,
                                PARQUET_BIT_PACKED = 4,
                                PARQUET_DELTA_BINARY_PACKED = 5,
                                PARQUET_DELTA_LENGTH = 6,
                                PARQUET_DELTA_BYTES = 7,
                                PARQUET_RLE_DICTIONARY = 8,
                                PARQUET_SPLIT = 9,
                                PARQUET_ALP = 10
} parquet_encoding;

typedef enum parquet_page_kind {
    PARQUET_PAGE_DATA = 0,
    PARQUET_PAGE_INDEX = 1,
    PARQUET_PAGE_DICTIONARY = 2,
    PARQUET_PAGE_DATA_V2 = 3
} parquet_page_kind;

typedef struct parquet_page_header {
    int32_t kind, unpacked, packed;
    bool has_crc, has_body; /* the struct of its kind is there */
    uint32_t crc;
    int32_t values, encoding, def_encoding, rep_encoding;
    int32_t nulls, rows, def_bytes, rep_bytes; /* of version 2 */
    bool is_plain;                             /* version 2: not compressed */
} parquet_page_header;

/* The values of a data page, where they are read. */
typedef struct parquet_values {
    parquet_encoding encoding;
    const uint8_t *at, *end; /* of what is read one after another */
    uint64_t bit;            /* PLAIN booleans */
    uint64_t index, count;   /* BYTE_STREAM_SPLIT: next and all */
    parquet_hybrid indices;  /* dictionary indices, RLE booleans */
    parquet_delta lengths; /* also of DELTA_BINARY_PACKED: the numbers; of DELTA_BYTES: suffixes */
    parquet_delta prefixes;
} parquet_values;

typedef struct parquet_column {
    const tut_parquet_leaf *leaf;
    const char *unread; /* why nothing of it is read in this row group */
    /* the chunk */
    parquet_codec codec;
    uint64_t at, end;     /* of the next page, and behind the last */
    uint64_t values_left; /* levels of pages that were not loaded */
    parquet_block *dictionary;
    tut_str *texts; /* of the dictionary, of BYTE_ARRAY */
    size_t items;
    uint64_t dictionary_number;
    bool had_dictionary, had_data;
    const char *trouble; /* not told yet */
    bool is_over;        /* nothing more can be read in this row group */
    /* the page */
    parquet_block *page; /* NULL: none, or it is lost */
    uint64_t page_at;
    uint64_t levels, levels_left;
    bool is_lost;
    parquet_hybrid defs, reps;
    parquet_values values;
    tut_buf last; /* DELTA_BYTES: the value before */
} parquet_column;

struct tut_parquet {
    const tut_source *source;
    tut_budget *budget;
    tut_parquet_facts facts;
    tut_buf footer;
    uint64_t footer_at;
    uint64_t heap; /* charged for what lives as long as this */
    tut_arena names;
    tut_parquet_leaf *leaves;
    size_t leaf_capacity;
    tut_reader groups; /* the list of row groups, at the next one */
    uint64_t groups_left;
    uint64_t dictionaries; /* so far */
    parquet_column *columns;
    parquet_block *retired;
    void *spares[PARQUET_SPARES][PARQUET_SPARES_KEPT];
    /* of the run that is out */
    uint8_t defs[TUT_PARQUET_RUN], reps[TUT_PARQUET_RUN];
    uint32_t indices[TUT_PARQUET_RUN];
    tut_str texts[TUT_PARQUET_RUN];
    int64_t numbers[TUT_PARQUET_RUN], prefixes[TUT_PARQUET_RUN];
    tut_buf fixed;
};

/* parquet_schema.c: fills leaves from the list at r. */
TUT_MUST tut_status parquet_schema(tut_parquet *p, tut_reader *r, uint8_t type, tut_error *err);

/* parquet_group.c */
void parquet_columns_close(tut_parquet *p);

/* parquet_page.c. */
/* NULL: the budget or the memory has no more. */
parquet_block *parquet_block_new(tut_parquet *p, size_t len);
void parquet_block_free(tut_parquet *p, parquet_block *b);
/* Loads the next data page, or sets is_over. What is wrong goes to trouble. Hard failures only:
 * NOMEM, IO. */
TUT_MUST tut_status parquet_page_next(tut_parquet *p, parquet_column *c, tut_error *err);

/* parquet_unpack.c: decodes a page's bytes into exactly `len` at `to`. */
TUT_MUST tut_status parquet_unpack(parquet_codec codec, tut_span packed, uint8_t *to, size_t len,
                                   tut_error *err);
/* Whether so many bytes can come out of so few. */
bool parquet_unpack_fits(parquet_codec codec, size_t packed, size_t len);
bool parquet_codec_is_read(int32_t codec);
const char *parquet_codec_name(int32_t codec);

/* parquet_values.c: all set *ret_trouble where the page is broken; NOMEM alone fails. */
void parquet_values_open(parquet_column *c, tut_span bytes, int32_t encoding,
                         const char **ret_trouble);
/* The next n values; n is at most TUT_PARQUET_RUN. */
TUT_MUST tut_status parquet_values_take(tut_parquet *p, parquet_column *c, size_t n,
                                        tut_parquet_run *run, const char **ret_trouble);
/* The dictionary's entries out of its page. */
TUT_MUST tut_status parquet_dictionary(tut_parquet *p, parquet_column *c, uint64_t count,
                                       const char **ret_trouble);
static inline uint64_t parquet_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

#endif
