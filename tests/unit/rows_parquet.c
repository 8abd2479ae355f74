/* Parquet as rows: what stored values mean, how columns keep in step, what is told of the broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "data/rows.h"
#include "data/rows_value.h"
#include "memcheck.h"
#include "parquet_maker.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static tut_rows *open_bytes(tut_source *source, tut_span bytes, tut_error *err)
{
    tut_rows *rows = NULL;
    *source = tut_source_memory(bytes);
    return tut_is_ok(tut_rows_open(source, "x.parquet", &rows, err)) ? rows : NULL;
}

/* Cells of a table as text, "|" between columns, each row in a line; numbers without text as %g. */
static void show_batch(const tut_batch *b, tut_buf *out)
{
    for (size_t row = 0; row < b->count; row++) {
        for (size_t c = 0; c < b->column_count; c++) {
            const tut_cells *cells = &b->cells[c];
            tut_str text = cells->texts ? cells->texts[row] : (tut_str){"", 0};
            tut_buf_add_z(out, c > 0 ? "|" : "");
            switch ((tut_cell_kind)cells->kinds[row]) {
            case TUT_CELL_NONE:
                tut_buf_add_z(out, "-");
                break;
            case TUT_CELL_BOOL:
                tut_buf_add_z(out, cells->numbers[row] == 1 ? "true" : "false");
                break;
            case TUT_CELL_NUMBER:
            case TUT_CELL_INTEGER:
                if (text.len > 0)
                    tut_buf_add_str(out, text);
                else
                    tut_buf_printf(out, "%.9g", cells->numbers[row]);
                break;
            case TUT_CELL_TEXT:
            case TUT_CELL_NESTED:
                tut_buf_add_str(out, text);
                break;
            }
        }
        tut_buf_add_z(out, "\n");
    }
}

static void show(tut_span bytes, tut_buf *out, tut_rows_facts *ret_facts)
{
    tut_source source;
    tut_error err = {0};
    const tut_batch *b = NULL;
    TUT_AUTO(tut_rows) rows = open_bytes(&source, bytes, &err);
    if (!rows)
        fail_msg("%s", err.text);
    while (tut_is_ok(tut_rows_next(rows, &b, &err)) && b)
        show_batch(b, out);
    *ret_facts = *tut_rows_about(rows);
    tut_buf_add_byte(out, 0);
}

static void expect_shown(const make_column *columns, size_t n, const char *want)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    make_parquet(&file, columns, n, 1, (int64_t)columns[0].rows);
    show(tut_buf_span(&file), &out, &facts);
    assert_string_equal((const char *)out.data, want);
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++)
        assert_int_equal(facts.defects[i].count, 0);
    assert_string_equal(facts.format, "parquet");
}

static void stored_values_mean_what_the_schema_says(void **state)
{
    (void)state;
    static const tut_parquet_type I32 = TUT_PARQUET_INT32, I64 = TUT_PARQUET_INT64,
                                  FIX = TUT_PARQUET_FIXED;
    /* LogicalType: its field (struct), what it holds, end of the union */
    static const char nanos[] = "\x8c\x11\x1c\x3c\0\0\0\0";    /* TIMESTAMP { UTC, NANOS } */
    static const char local_ms[] = "\x8c\x12\x1c\x1c\0\0\0\0"; /* TIMESTAMP { not UTC, MILLIS } */
    static const char uuid[] = "\xec\0\0", half[] = "\xfc\0\0";
    static const char i32[] = "\xac\x13\x20\x11\0\0";
    const struct {
        tut_parquet_type type;
        int32_t width, converted, scale;
        tut_str logical, bytes;
        const char *want;
    } cases[] = {
        {I32, 0, 6, 0, {0}, BYTES("\x00\x00\x00\x00"), "1970-01-01\n"},
        {I32, 0, 6, 0, {0}, BYTES("\x9c\x4c\x00\x00"), "2023-09-12\n"}, /* 19612 days */
        {I32, 0, 6, 0, {0}, BYTES("\xff\xff\xff\xff"), "1969-12-31\n"},
        {I32, 0, 7, 0, {0}, BYTES("\xd2\x02\x96\x49"), "1234567890\n"}, /* no time of a day */
        {I32, 0, 7, 0, {0}, BYTES("\xe8\x03\x00\x00"), "00:00:01\n"},
        {I64, 0, 8, 0, {0}, BYTES("\x41\x42\x0f\x00\x00\x00\x00\x00"), "00:00:01.000001\n"},
        {I64, 0, 9, 0, {0}, BYTES("\xe8\x03\0\0\0\0\0\0"), "1970-01-01T00:00:01Z\n"},
        {I64,
         0,
         10,
         0,
         {0},
         BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
         "1969-12-31T23:59:59.999999Z\n"},
        {I64, 0, -1, 0, BYTES(nanos), BYTES("\x01\0\0\0\0\0\0\0"),
         "1970-01-01T00:00:00.000000001Z\n"},
        {I64, 0, -1, 0, BYTES(local_ms), BYTES("\x01\0\0\0\0\0\0\0"), "1970-01-01T00:00:00.001\n"},
        {TUT_PARQUET_INT96,
         0,
         -1,
         0,
         {0},
         BYTES("\0\xca\x9a\x3b\0\0\0\0\x8c\x3d\x25\0"),
         "1970-01-01T00:00:01\n"}, /* Julian day 2440588 */
        {I32, 0, 5, 2, {0}, BYTES("\x39\x30\0\0"), "123.45\n"},
        {I32, 0, 5, 2, {0}, BYTES("\xff\xff\xff\xff"), "-0.01\n"},
        {I64, 0, 5, 20, {0}, BYTES("\x01\0\0\0\0\0\0\x80"), "-0.09223372036854775807\n"},
        {FIX,
         17,
         5,
         3,
         {0},
         BYTES("\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
         "340282366920938463463374607431768211.456\n"}, /* 2^128 */
        {TUT_PARQUET_BYTE_ARRAY, 0, 5, 1, {0}, BYTES("\xfe"), "-0.2\n"},
        {I32, 0, 15, 0, {0}, BYTES("\xfe\xff\xff\xff"), "-2\n"},
        {I32, 0, 13, 0, {0}, BYTES("\xfe\xff\xff\xff"), "4294967294\n"},
        {I32, 0, -1, 0, BYTES(i32), BYTES("\xfe\xff\xff\xff"), "-2\n"}, /* a sign, as it says */
        {I64, 0, 14, 0, {0}, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615\n"},
        {I64, 0, -1, 0, {0}, BYTES("\0\0\0\0\0\0\0\x80"), "-9223372036854775808\n"},
        {FIX, 16, -1, 0, BYTES(uuid), BYTES("\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"),
         "00010203-0405-0607-0809-0a0b0c0d0e0f\n"},
        {FIX, 2, -1, 0, BYTES(half), BYTES("\0\xbe"), "-1.5\n"},
        {FIX, 2, -1, 0, BYTES(half), BYTES("\1\0"), "5.96046448e-08\n"},
        {FIX, 12, 21, 0, {0}, BYTES("\3\0\0\0\4\0\0\0\x8e\x13\0\0"), "P3M4DT5.006S\n"},
        {FIX, 3, -1, 0, {0}, BYTES("a\0\xff"), "0x6100ff\n"},
        {TUT_PARQUET_FLOAT, 0, -1, 0, {0}, BYTES("\0\0\xc0\x7f"), "nan\n"},
        {TUT_PARQUET_DOUBLE, 0, -1, 0, {0}, BYTES("\0\0\0\0\0\0\xf8\xbf"), "-1.5\n"},
        {TUT_PARQUET_BOOLEAN, 0, -1, 0, {0}, BYTES("\1"), "true\n"},
        {TUT_PARQUET_BYTE_ARRAY, 0, 0, 0, {0}, BYTES("na\xc3\xafve"), "na\xc3\xafve\n"},
        {TUT_PARQUET_BYTE_ARRAY, 0, -1, 0, {0}, BYTES("plain"), "plain\n"},
        {TUT_PARQUET_BYTE_ARRAY, 0, -1, 0, {0}, BYTES("\xff\1"), "0xff01\n"},
        {TUT_PARQUET_BYTE_ARRAY, 0, 20, 0, {0}, BYTES("bson"), "0x62736f6e\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const make_value value = {.bytes = cases[i].bytes};
        make_column c = {.name = "c",
                         .type = cases[i].type,
                         .width = cases[i].width,
                         .converted = cases[i].converted,
                         .scale = cases[i].scale,
                         .logical = cases[i].logical,
                         .values = &value,
                         .count = 1,
                         .rows = 1};
        expect_shown(&c, 1, cases[i].want);
        if (c.type != TUT_PARQUET_BOOLEAN) {
            c.encoding = PARQUET_RLE_DICTIONARY;
            expect_shown(&c, 1, cases[i].want);
        }
    }
}

static void kinds_are_as_elsewhere(void **state)
{
    (void)state;
    const double numbers[] = {
        0,    -3, 0.5, 9007199254740992.0, 9007199254740994.0, NAN, INFINITY, -4503599627370497.5,
        1e300};
    const uint8_t want[] = {TUT_CELL_INTEGER, TUT_CELL_INTEGER, TUT_CELL_NUMBER,
                            TUT_CELL_INTEGER, TUT_CELL_NUMBER,  TUT_CELL_NUMBER,
                            TUT_CELL_NUMBER,  TUT_CELL_NUMBER,  TUT_CELL_NUMBER};
    uint8_t kinds[sizeof(want)];
    rows_number_kinds(kinds, numbers, sizeof(want));
    for (size_t i = 0; i < sizeof(want); i++)
        assert_int_equal(kinds[i], rows_number_kind(numbers[i]));
    assert_int_equal(kinds[0], want[0]);
    assert_int_equal(kinds[2], want[2]);
    assert_int_equal(kinds[3], want[3]);
    assert_int_equal(kinds[4], want[4]);
    assert_int_equal(kinds[5], want[5]);
}

/* Texts, numbers and lists side by side, nulls in each, in pages of different lengths. */
enum { MIXED = 6000 };
static make_value mixed_values[3][2 * MIXED];
static char mixed_bytes[MIXED][24];

static void make_mixed(make_column columns[3], size_t rows)
{
    size_t items = 0;
    for (size_t i = 0; i < rows; i++) {
        int len = snprintf(mixed_bytes[i], sizeof(mixed_bytes[i]), "%08zu", i);
        tut_str text = {mixed_bytes[i], (size_t)len};
        mixed_values[0][i] = (make_value){.bytes = {mixed_bytes[i], 8}};
        mixed_values[1][i] = (make_value){.def = i % 3 != 0, .bytes = text};
        mixed_values[2][items++] = (make_value){.def = i % 5 ? 3 : (uint8_t)(i % 2), .bytes = text};
        if (i % 5 > 2)
            mixed_values[2][items++] = (make_value){.def = 2, .rep = 1};
    }
    columns[0] = (make_column){.name = "id", .type = TUT_PARQUET_INT64, .page_levels = 1000};
    columns[1] = (make_column){.name = "text",
                               .type = TUT_PARQUET_BYTE_ARRAY,
                               .is_optional = true,
                               .encoding = PARQUET_RLE_DICTIONARY,
                               .page_levels = 777};
    columns[2] = (make_column){.name = "list",
                               .type = TUT_PARQUET_BYTE_ARRAY,
                               .is_list = true,
                               .codec = PARQUET_ZSTD,
                               .page_levels = 333};
    for (size_t i = 0; i < 3; i++) {
        columns[i].converted = i ? 0 : -1;
        columns[i].values = mixed_values[i];
        columns[i].rows = rows;
        columns[i].count = i == 2 ? items : rows;
    }
}

static void columns_keep_in_step(void **state)
{
    (void)state;
    const size_t rows = MIXED / memcheck_step(10);
    make_column columns[3];
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) want = TUT_BUF_INIT;
    tut_rows_facts facts;
    enum { GROUPS = 2 };
    make_mixed(columns, rows);
    /* dictionaries of the maker are quadratic */
    columns[1].encoding = PARQUET_DELTA_BYTES;
    make_parquet(&file, columns, 3, GROUPS, (int64_t)rows);
    show(tut_buf_span(&file), &out, &facts);
    for (size_t k = 0; k < GROUPS * rows; k++) {
        size_t i = k % rows;
        int64_t id;
        memcpy(&id, mixed_bytes[i], 8);
        tut_buf_printf(&want, "%lld|", (long long)id);
        tut_buf_printf(&want, i % 3 ? "%08zu|" : "-|", i);
        if (i % 5)
            tut_buf_printf(&want, "[\"%08zu\"%s]\n", i, i % 5 > 2 ? ",null" : "");
        else
            tut_buf_add_z(&want, i % 2 ? "[]\n" : "-\n");
    }
    tut_buf_add_byte(&want, 0);
    assert_string_equal((const char *)out.data, (const char *)want.data);
    assert_int_equal(facts.rows, GROUPS * rows);
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++)
        assert_int_equal(facts.defects[i].count, 0);
}

static void long_texts_make_small_batches(void **state)
{
    (void)state;
    enum { LONG = 1 << 20, COUNT = 11 };
    TUT_AUTO_FREE char *text = tut_alloc_array(LONG, 1);
    make_value values[COUNT];
    memset(text, 'x', LONG);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (make_value){.bytes = {text, LONG - i}};
    make_column c = {.name = "c",
                     .type = TUT_PARQUET_BYTE_ARRAY,
                     .converted = 0,
                     .codec = PARQUET_ZSTD,
                     .values = values,
                     .count = COUNT,
                     .rows = COUNT};
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, &c, 1, 1, COUNT);
    tut_source source;
    const tut_batch *b = NULL;
    TUT_AUTO(tut_rows) rows = open_bytes(&source, tut_buf_span(&file), NULL);
    size_t seen = 0;
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        size_t bytes = 0;
        assert_int_equal(b->first, seen);
        for (size_t i = 0; i < b->count; i++, seen++) {
            assert_int_equal(b->cells[0].texts[i].len, LONG - seen);
            bytes += b->cells[0].texts[i].len;
        }
        assert_true(bytes <= TUT_ROWS_BATCH_BYTES);
    }
    assert_int_equal(seen, COUNT);
}

static void what_is_broken_is_told_and_the_rest_read(void **state)
{
    (void)state;
    make_column columns[3];
    tut_rows_facts facts;
    make_mixed(columns, 100);
    columns[0].has_crc = true;
    columns[0].page_levels = 40;
    columns[1].encoding = PARQUET_PLAIN;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    make_parquet(&file, columns, 3, 1, 130); /* 30 rows more than there are */
    uint8_t *hit = memmem(file.data, file.len, "0000005000000051", 16);
    assert_non_null(hit);
    hit[3] ^= 1;
    show(tut_buf_span(&file), &out, &facts);
    assert_int_equal(facts.rows, 100);
    assert_int_equal(facts.defects[TUT_ROWS_PAGE].count, 2);
    assert_int_equal(facts.defects[TUT_ROWS_PAGE].items[0].row, 40);
    assert_string_equal(facts.defects[TUT_ROWS_PAGE].items[0].detail,
                        "id: the checksum of a page is wrong");
    assert_string_equal(facts.defects[TUT_ROWS_PAGE].items[1].detail,
                        "30 rows of a row group are not there");
    const char *row = strstr((const char *)out.data, "-|00000050|");
    assert_non_null(row);
}

static void bad_text_is_mended_and_told(void **state)
{
    (void)state;
    const make_value values[] = {{.bytes = BYTES("ok")},
                                 {.bytes = BYTES("a\xff z")},
                                 {.bytes = BYTES("n\0l")},
                                 {.bytes = BYTES("")}};
    make_column c = {.name = "c\xff",
                     .type = TUT_PARQUET_BYTE_ARRAY,
                     .converted = 0,
                     .values = values,
                     .count = 4,
                     .rows = 4};
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, &c, 1, 1, 4);
    tut_source source;
    const tut_batch *b = NULL;
    TUT_AUTO(tut_rows) rows = open_bytes(&source, tut_buf_span(&file), NULL);
    assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)));
    assert_true(tut_str_eq_z(b->names[0], "c?"));
    assert_true(tut_str_eq_z(b->cells[0].texts[1], "a\xef\xbf\xbd z"));
    assert_int_equal(b->cells[0].texts[2].len, 3);
    assert_int_equal(b->cells[0].kinds[3], TUT_CELL_TEXT);
    const tut_rows_facts *f = tut_rows_about(rows);
    assert_int_equal(f->defects[TUT_ROWS_ENCODING].count, 1);
    assert_int_equal(f->defects[TUT_ROWS_ENCODING].items[0].row, 1);
    assert_int_equal(f->defects[TUT_ROWS_NUL].count, 1);
    assert_int_equal(f->defects[TUT_ROWS_NUL].items[0].row, 2);
}

/* One page whose levels are one run of as many nulls as 31 bits count. */
static void make_null_bomb(tut_buf *file, const make_column *c)
{
    make_column many = *c;
    tut_buf page = TUT_BUF_INIT, footer = TUT_BUF_INIT, levels = TUT_BUF_INIT;
    int last = 0, inner = 0;
    many.count = INT32_MAX;
    make_varint(&levels, (uint64_t)INT32_MAX << 1);
    tut_buf_add_byte(&levels, 0);
    tut_buf_add_u32le(&page, (uint32_t)levels.len);
    tut_buf_add_str(&page, tut_buf_str(&levels));
    tut_buf_add_z(file, "PAR1");
    make_chunk k = {.begin = file->len, .data_at = file->len};
    make_page_header(file, c, PARQUET_PAGE_DATA, page.len, tut_buf_span(&page), INT32_MAX, 0, 0, 0,
                     0);
    tut_buf_add_str(file, tut_buf_str(&page));
    k.end = file->len;
    make_field(&footer, &last, 2, TUT_THRIFT_LIST);
    make_schema(&footer, c, 1);
    make_field(&footer, &last, 4, TUT_THRIFT_LIST);
    make_list(&footer, 1, TUT_THRIFT_STRUCT);
    make_field(&footer, &inner, 1, TUT_THRIFT_LIST);
    make_list(&footer, 1, TUT_THRIFT_STRUCT);
    make_chunk_of(&footer, &many, &k);
    make_int(&footer, &inner, 3, TUT_THRIFT_I64, INT32_MAX);
    tut_buf_add_byte(&footer, 0);
    tut_buf_add_byte(&footer, 0);
    tut_buf_add_str(file, tut_buf_str(&footer));
    tut_buf_add_u32le(file, (uint32_t)footer.len);
    tut_buf_add_z(file, "PAR1");
    tut_buf_done(&page);
    tut_buf_done(&footer);
    tut_buf_done(&levels);
}

/* Rows without end out of some bytes: first those that are not there, then a run of nulls. */
static void rows_out_of_nothing_end(void **state)
{
    (void)state;
    static make_value nulls[64];
    make_column c = {.name = "c",
                     .type = TUT_PARQUET_INT32,
                     .converted = -1,
                     .is_optional = true,
                     .values = nulls,
                     .count = 64,
                     .rows = 64};
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    make_parquet(&file, &c, 1, 1, INT64_MAX);
    show(tut_buf_span(&file), &out, &facts);
    assert_int_equal(facts.rows, 64);
    assert_int_equal(facts.defects[TUT_ROWS_PAGE].count, 1);
    if (RUNNING_ON_VALGRIND)
        return;
    const make_column columns[] = {c};
    TUT_CLEAN(tut_buf) bomb = TUT_BUF_INIT;
    make_null_bomb(&bomb, columns);
    tut_source source;
    tut_status status = {TUT_OK};
    const tut_batch *b = NULL;
    TUT_AUTO(tut_rows) rows = open_bytes(&source, tut_buf_span(&bomb), NULL);
    do {
        status = tut_rows_next(rows, &b, NULL);
    } while (tut_is_ok(status) && b);
    assert_int_equal(status.code, TUT_LIMIT);
}

static void cut_and_flipped_files_do_no_harm(void **state)
{
    (void)state;
    make_column columns[3];
    make_mixed(columns, 40);
    columns[1].codec = PARQUET_SNAPPY;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, columns, 3, 1, 40);
    for (size_t bit = 0; bit < 8 * file.len; bit += memcheck_step(211)) {
        tut_source source;
        const tut_batch *b = NULL;
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        TUT_AUTO(tut_rows) rows = open_bytes(&source, tut_buf_span(&file), NULL);
        while (rows && tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
            assert_true(b->count <= TUT_ROWS_BATCH);
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    make_column columns[3];
    make_mixed(columns, 40);
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, columns, 3, 1, 40);
    for (uint64_t n = 1; n < 200; n++) {
        tut_source source;
        const tut_batch *b = NULL;
        tut_alloc_fail_after(n);
        TUT_AUTO(tut_rows) rows = open_bytes(&source, tut_buf_span(&file), NULL);
        while (rows && tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
            assert_true(b->count <= TUT_ROWS_BATCH);
        tut_alloc_fail_after(0);
    }
}

/* Sums that DuckDB 1.5 gives: SELECT count(*), sum(id), sum(AGEP), sum(predicted_probability) FROM
 * read_parquet('employment_MA_analysis.pq'). */
static void a_real_file_reads_as_a_peer_reads_it(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/data/nannyml/employment_MA_analysis.pq";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    tut_source source;
    tut_rows *rows = NULL;
    const tut_batch *b = NULL;
    double sums[20] = {0};
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_rows_open(&source, path, &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
        for (size_t c = 0; c < 20; c++)
            for (size_t i = 0; i < b->count; i++)
                sums[c] += isnan(b->cells[c].numbers[i]) ? 0 : b->cells[c].numbers[i];
    assert_int_equal(tut_rows_about(rows)->rows, 208892);
    assert_true(sums[0] == 36186465606.0);
    assert_true(sums[1] == 8716504.0);
    assert_true(fabs(sums[19] - 102865.25492534277) < 1e-6);
    tut_rows_free(rows);
    close(fd);
}

/* Made with DuckDB 1.5: COPY (SELECT i, CASE WHEN i%3=0 THEN [] ELSE [{'role':'user','content':
 * 'hi '||i},{'role':'assistant','content':'yo "q" '||i}] END AS messages, ['a',NULL] AS tags
 * FROM range(3) r(i)) TO 'duckdb-chat.parquet' (FORMAT parquet) */
static void talk_becomes_one_text(void **state)
{
    (void)state;
    int fd = open("tests/fuzz/seeds/parquet/duckdb-chat.parquet", O_RDONLY | O_CLOEXEC);
    tut_source source;
    tut_rows *rows = NULL;
    const tut_batch *b = NULL;
    assert_true(fd >= 0);
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_rows_open(&source, "x.parquet", &rows, NULL)));
    assert_string_equal(tut_rows_about(rows)->layout, "chat");
    assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)));
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    show_batch(b, &out);
    tut_buf_add_byte(&out, 0);
    assert_true(tut_str_eq_z(b->names[2], "messages"));
    assert_int_equal(b->cells[2].kinds[1], TUT_CELL_TEXT);
    assert_string_equal((const char *)out.data,
                        "0|[]||[\"a\",null]\n"
                        "1|[\"user\",\"assistant\"]|hi 1\nyo \"q\" 1|[\"a\",null]\n"
                        "2|[\"user\",\"assistant\"]|hi 2\nyo \"q\" 2|[\"a\",null]\n");
    tut_rows_free(rows);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_values_mean_what_the_schema_says),
        cmocka_unit_test(kinds_are_as_elsewhere),
        cmocka_unit_test(columns_keep_in_step),
        cmocka_unit_test(long_texts_make_small_batches),
        cmocka_unit_test(what_is_broken_is_told_and_the_rest_read),
        cmocka_unit_test(bad_text_is_mended_and_told),
        cmocka_unit_test(rows_out_of_nothing_end),
        cmocka_unit_test(cut_and_flipped_files_do_no_harm),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
        cmocka_unit_test(talk_becomes_one_text),
        cmocka_unit_test(a_real_file_reads_as_a_peer_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
