/*
 * Apache Parquet: what is in the footer, and the values of the columns, a run at a time.
 *
 * The file is read row group by row group; within one each column is read by itself and moves on
 * page by page, so that no more is in memory than a page and a dictionary of each. Values come as
 * they are stored (physical type, little endian), with their definition and repetition levels
 * (Melnik et al., "Dremel", 2010); what they mean, the leaf says.
 *
 * Whatever the file says is checked against the bytes that are there. A page that is broken costs
 * its rows where their number is known, else the rest of its column in this row group: the run says
 * so, and reading goes on. Only running out of memory and failing to read the file end it.
 *
 * Read are: data pages of both versions and dictionaries; the encodings PLAIN, PLAIN_DICTIONARY,
 * RLE_DICTIONARY, RLE, BIT_PACKED (levels), DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY,
 * DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT; the codecs none, Snappy, gzip, Zstandard, LZ4 (raw, and in
 * Hadoop's frames). Not read, and told: Brotli, LZO, the encoding ALP, encrypted columns, columns
 * in other files.
 *
 * Format: apache/parquet-format, src/main/thrift/parquet.thrift, Encodings.md, LogicalTypes.md.
 */
#ifndef TUT_FORMATS_PARQUET_H
#define TUT_FORMATS_PARQUET_H

#include "base/budget.h"
#include "base/source.h"
#include "base/status.h"
#include "base/str.h"

enum {
    TUT_PARQUET_RUN = 2048,     /* levels of a run, at most */
    TUT_PARQUET_LEAVES = 65536, /* columns; more is LIMIT */
    TUT_PARQUET_DEPTH = 64      /* of the schema; deeper is LIMIT */
};

typedef enum tut_parquet_type { /* as the format numbers them */
                                TUT_PARQUET_BOOLEAN,
                                TUT_PARQUET_INT32,
                                TUT_PARQUET_INT64,
                                TUT_PARQUET_INT96,
                                TUT_PARQUET_FLOAT,
                                TUT_PARQUET_DOUBLE,
                                TUT_PARQUET_BYTE_ARRAY,
                                TUT_PARQUET_FIXED
} tut_parquet_type;

typedef enum tut_parquet_meaning {
    TUT_PARQUET_RAW, /* numbers as they are; bytes of no known kind */
    TUT_PARQUET_STRING,
    TUT_PARQUET_ENUM,
    TUT_PARQUET_JSON,
    TUT_PARQUET_BSON,
    TUT_PARQUET_DATE,      /* days since 1970-01-01 */
    TUT_PARQUET_TIME,      /* of the day, in `digits` */
    TUT_PARQUET_TIMESTAMP, /* since 1970-01-01, in `digits`; INT96: nanoseconds and a Julian day */
    TUT_PARQUET_DECIMAL,   /* times 10^-scale; bytes are big endian, two's complement */
    TUT_PARQUET_INTEGER,   /* of `bits`, with or without sign */
    TUT_PARQUET_UUID,
    TUT_PARQUET_FLOAT16,
    TUT_PARQUET_INTERVAL, /* months, days, milliseconds: three u32le */
    TUT_PARQUET_NOTHING,  /* only nulls */
    TUT_PARQUET_OTHER     /* variant, geometry and what the format may yet get: bytes */
} tut_parquet_meaning;

typedef struct tut_parquet_leaf {
    tut_str name; /* "a.b", as in the file, which need not be UTF-8; the groups that only make up
                     lists and maps are left out */
    tut_parquet_type type;
    uint32_t width; /* bytes of a value; 0: BYTE_ARRAY, and BOOLEAN, which is a byte in a run */
    tut_parquet_meaning meaning;
    uint8_t digits; /* of a second: 3, 6 or 9 */
    bool is_utc;    /* a time at a place of its own: false */
    uint8_t bits;   /* of INTEGER: 8, 16, 32, 64 */
    bool is_signed;
    int32_t scale;
    uint8_t max_def, max_rep;
    uint8_t list_def; /* of max_rep 1: from this definition level on an element stands there; one
                         below: the list is empty; else there is no list */
} tut_parquet_leaf;

typedef struct tut_parquet_facts {
    int32_t version;
    uint64_t rows;   /* as the footer says */
    uint64_t groups; /* row groups, likewise */
    tut_str writer;  /* "parquet-cpp-arrow version 12.0.0"; bytes of the file */
    const tut_parquet_leaf *leaves;
    size_t leaf_count;
} tut_parquet_facts;

/* Consecutive levels of a column and the values that belong to them; lives until the next call for
 * any column, but for what `texts` point to, which lives until tut_parquet_release(). */
typedef struct tut_parquet_run {
    size_t levels;       /* 0, and no trouble: the column has no more in this row group (or, asked
                            with 0 rows, no more of the last row) */
    const uint8_t *defs; /* NULL: all are max_def */
    const uint8_t *reps; /* NULL: all are 0 */
    bool is_lost;        /* the page is broken: no values, no levels */
    const char *trouble; /* what is wrong from here on, in words; NULL: nothing. Printable */
    uint64_t offset;     /* of the page in the file */

    size_t values;           /* levels that are max_def */
    const uint32_t *indices; /* of each value in items; NULL: value i is item i */
    uint64_t dictionary;     /* another number, other items; meaningless without indices */
    size_t items;
    const uint8_t *fixed; /* `width` bytes each (BOOLEAN: one, 0 or 1) */
    const tut_str *texts; /* of BYTE_ARRAY, instead of fixed */
} tut_parquet_run;

typedef struct tut_parquet tut_parquet;

/*
 * source and budget are borrowed for the object's life. Decoded bytes are charged to
 * budget->bytes_left, memory to heap_left. TRUNCATED, MALFORMED: no footer, or not one;
 * UNSUPPORTED: it is encrypted; LIMIT: more columns or footer than is read.
 */
TUT_MUST tut_status tut_parquet_open(const tut_source *source, tut_budget *budget,
                                     tut_parquet **ret_parquet, tut_error *err);
void tut_parquet_free(tut_parquet *p);
TUT_DEFINE_AUTO(tut_parquet)
const tut_parquet_facts *tut_parquet_about(const tut_parquet *p);

/* Goes to the next row group, whose rows it says; *ret_is_end: there is none. MALFORMED: what the
 * footer says of it is broken, and so is all that follows. Releases all runs. */
TUT_MUST tut_status tut_parquet_group(tut_parquet *p, uint64_t *ret_rows, bool *ret_is_end,
                                      tut_error *err);
/* Why a leaf is not read in this row group at all; NULL: it is. */
const char *tut_parquet_unread(const tut_parquet *p, size_t leaf);
/* Bytes that a level of the column's present page takes on average, decoded; loads the page if need
 * be. 0: nothing is left. */
TUT_MUST tut_status tut_parquet_weight(tut_parquet *p, size_t leaf, uint64_t *ret_bytes,
                                       tut_error *err);
/*
 * The next levels of a column: of at most `rows` rows, and at most TUT_PARQUET_RUN. 0 rows: what is
 * left of the row that is begun (of a list). A run may end in the middle of a row.
 */
TUT_MUST tut_status tut_parquet_read(tut_parquet *p, size_t leaf, size_t rows,
                                     tut_parquet_run *ret_run, tut_error *err);
/* What texts of runs point to may go. */
void tut_parquet_release(tut_parquet *p);

#endif
