/*
 * The rows of a dataset, a batch at a time, whatever format they come in: CSV and its cousins, JSON
 * (an array or one object a line), Parquet, arrays of NumPy and idx, folders' texts and Markdown;
 * each also as gzip, zstd, bz2 or xz. One pass, bounded memory, never more than what a batch holds.
 *
 * A table has columns with names; cells are text, numbers, booleans, nothing, or something nested.
 * Objects in JSON are columns "a.b", lists stay whole ("[…]" as text) apart from what people talk
 * in: of a list of {role, content} the contents become the text of one column, one after another.
 * Columns that appear later are appended; rows before them had nothing there.
 *
 * CSV: delimiter (, ; tab |), quote and header are found from the first records and told. Without a
 * header the columns are "0", "1", …; an empty name is its place, and a name that is there already
 * gets ".1" and so on. Fields are trimmed unless quoted; empty ones are nothing, quoted or not. A
 * row with fields left over loses them. Text that is not in the encoding of the file is taken for
 * windows-1252. Records of more than 32 MiB are cut (CSV) or left out (JSON).
 *
 * JSON: one list of objects, of lists, or of scalars (column "value"); a line each; or an object of
 * which one member is a list of objects. NaN and Infinity are read as Python writes them. Of a key
 * that stands there twice the last value counts.
 *
 * An array's first axis are the rows; its other axes, flattened, the columns "0", "1", … (at most
 * TUT_ROWS_COLUMNS; a one-dimensional array has the column "value"). An idx or npy array of many
 * columns is handed out without texts.
 *
 * What is broken is counted, and the first of each kind are kept with their rows; reading goes on
 * behind it as long as that makes sense.
 */
#ifndef TUT_DATA_ROWS_H
#define TUT_DATA_ROWS_H

#include "base/buf.h"
#include "base/source.h"
#include "base/str.h"

enum {
    TUT_ROWS_BATCH = 2048, /* rows of a batch, at most; fewer where there are many columns */
    TUT_ROWS_BATCH_BYTES = 4 << 20, /* of its texts, unless one row is larger */
    TUT_ROWS_COLUMNS = 4096,        /* columns of a table; more is LIMIT */
    TUT_ROWS_CELL_BYTES = 16 << 20, /* a longer cell is cut, and that is a defect */
    TUT_ROWS_DEFECTS_KEPT = 16      /* of each kind */
};

typedef enum tut_cell_kind {
    TUT_CELL_NONE,    /* an empty field, null, or a column that the row does not have */
    TUT_CELL_NUMBER,  /* not a whole number, or one beyond 2^53 */
    TUT_CELL_INTEGER, /* a whole number that a double holds exactly */
    TUT_CELL_BOOL,
    TUT_CELL_TEXT,
    TUT_CELL_NESTED /* a list or object as JSON text */
} tut_cell_kind;

/* One column of a batch: as many of each as the batch has rows. */
typedef struct tut_cells {
    uint8_t *kinds;  /* tut_cell_kind */
    double *numbers; /* of numbers and booleans (0, 1); NaN where there is none. A NaN of kind
                        NUMBER was written down as one */
    tut_str *texts;  /* without quotes and escapes, valid UTF-8; a number as it was written. NULL
                        where the column has none (arrays, Parquet's floating point numbers) */
} tut_cells;

typedef struct tut_batch {
    uint64_t first; /* the number of its first row, from 0 */
    size_t count;
    size_t column_count;
    const tut_str *names; /* of the columns */
    const tut_cells *cells;
    const uint64_t *offsets; /* where each row begins, in the bytes after decompression; NULL: in an
                                array, or a format that stores columns */
} tut_batch;

/* kind, words for people. A row is named where one is known. */
#define TUT_ROWS_DEFECTS(X)                                                                        \
    X(RAGGED, "ragged-row", "a row has another number of fields than the header")                  \
    X(QUOTE, "broken-quote", "a quote is not closed, or text follows one")                         \
    X(NUL, "nul-byte", "a byte that is 0 in text")                                                 \
    X(ENCODING, "wrong-encoding", "bytes that are not valid in the encoding of the file")          \
    X(LONG, "cell-too-long", "a cell or line was too long, and was cut")                           \
    X(SYNTAX, "broken-record", "a record is not valid in its format")                              \
    X(DUPLICATE, "duplicate-key", "a key or column name stands there twice")                       \
    X(DEPTH, "too-deep", "a record is nested too deep, and was left out")                          \
    X(PAGE, "broken-page", "a page or chunk cannot be read; its rows are left out")                \
    X(CUT, "cut-off", "the file ends in the middle")                                               \
    X(TYPE, "mixed-encoding", "parts of the file are in different encodings")                      \
    X(UNREAD, "not-read", "a column is stored in a way that is not read")

typedef enum tut_rows_defect_kind {
#define TUT_ROWS_DEFECT_ENUM(name, id, words) TUT_ROWS_##name,
    TUT_ROWS_DEFECTS(TUT_ROWS_DEFECT_ENUM)
#undef TUT_ROWS_DEFECT_ENUM
        TUT_ROWS_DEFECT_COUNT
} tut_rows_defect_kind;

typedef struct tut_rows_defect {
    uint64_t row;    /* from 0; UINT64_MAX: not of one row */
    uint64_t offset; /* in the bytes after decompression; UINT64_MAX: unknown */
    char detail[96]; /* "9 fields instead of 12"; never bytes of the file that are not printable */
} tut_rows_defect;

typedef struct tut_rows_defects {
    uint64_t count;
    size_t kept;
    tut_rows_defect items[TUT_ROWS_DEFECTS_KEPT];
} tut_rows_defects;

/* What is known of the file; grows while it is read. */
typedef struct tut_rows_facts {
    const char *format;      /* "csv", "json", "jsonl", "parquet", "npy", "npz", "idx", "text" */
    const char *compression; /* "gzip", "zstd", …; "" without */
    const char
        *encoding;      /* "utf-8", "utf-16le", "utf-16be", "windows-1252"; "" where it has none */
    const char *layout; /* "table", "chat", "instruction", "array", "document" */
    char delimiter, quote; /* of CSV; 0 elsewhere */
    bool has_header;       /* of CSV: the first line names the columns */
    bool has_bom;
    unsigned rank; /* of an array: its axes, and their lengths */
    uint64_t shape[8];
    uint64_t rows;  /* so far; with defects or without, as long as they were handed out */
    uint64_t bytes; /* read so far, after decompression */
    tut_rows_defects defects[TUT_ROWS_DEFECT_COUNT];
} tut_rows_facts;

typedef struct tut_rows tut_rows;

/*
 * bytes and name are borrowed for the object's life; name (of the file, for its ending) may be
 * NULL. What a file is, its bytes decide; the ending only where they leave it open (a text file of
 * one column). UNSUPPORTED: this is no dataset that we read, *err says what it is taken for.
 */
TUT_MUST tut_status tut_rows_open(const tut_source *bytes, const char *name, tut_rows **ret_rows,
                                  tut_error *err);
void tut_rows_free(tut_rows *r);
TUT_DEFINE_AUTO(tut_rows)

/* The next rows; lives until the next call. *ret_batch is NULL at the end. MALFORMED, TRUNCATED,
 * LIMIT: nothing more can be read; what was handed out stands. */
TUT_MUST tut_status tut_rows_next(tut_rows *r, const tut_batch **ret_batch, tut_error *err);
const tut_rows_facts *tut_rows_about(const tut_rows *r);

const char *tut_rows_defect_id(tut_rows_defect_kind kind);
const char *tut_rows_defect_words(tut_rows_defect_kind kind);

#endif
