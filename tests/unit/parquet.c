/* Parquet: what the maker of the tests writes comes back, and what is broken does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "formats/snappy.h"
#include "memcheck.h"
#include "parquet_maker.h"

enum { ROWS = 300, WIDTH = 5, VALUE_MAX = 64 };

/* --- values --- */

typedef struct world {
    make_value values[ROWS];
    char bytes[ROWS][VALUE_MAX];
} world;

static size_t value_bytes(tut_parquet_type type, size_t i, char *to)
{
    static const size_t widths[] = {1, 4, 8, 12, 4, 8, 0, WIDTH};
    uint64_t mixed = (i % 90) * 0x9e3779b97f4a7c15u;
    if (type == TUT_PARQUET_BYTE_ARRAY)
        return (size_t)snprintf(to, VALUE_MAX, "%.*s%zu", (int)(i % 40),
                                "a common beginning of quite some length .....", i % 70);
    mixed = i % 3 ? mixed >> (i % 60) : i; /* runs of near and of far numbers */
    memset(to, (int)('a' + i % 26), VALUE_MAX);
    memcpy(to, &mixed, sizeof(mixed));
    if (type == TUT_PARQUET_BOOLEAN)
        to[0] = (i / 20) % 2 ? i % 3 == 0 : 1;
    return widths[type];
}

static void fill_world(world *w, tut_parquet_type type, bool is_optional)
{
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = value_bytes(type, i, w->bytes[i]);
        bool is_null = is_optional && (i % 7 == 3 || (i > 150 && i < 190));
        w->values[i] = (make_value){.def = is_optional && !is_null, .bytes = {w->bytes[i], len}};
    }
}

/* --- reading --- */

typedef struct seen {
    size_t levels, values, lost;
    size_t troubles;
    char trouble[120];
} seen;

/* Checks a column against what was written, as far as it is not lost; NULL: only goes over it. */
static void read_column(tut_parquet *p, size_t leaf, const make_column *c, size_t step, seen *s)
{
    const tut_parquet_leaf *l = &tut_parquet_about(p)->leaves[leaf];
    for (;;) {
        tut_parquet_run run;
        tut_status status = tut_parquet_read(p, leaf, step, &run, NULL);
        if (!tut_is_ok(status) || (run.levels == 0 && !run.trouble))
            return;
        if (run.trouble) {
            s->troubles++;
            (void)snprintf(s->trouble, sizeof(s->trouble), "%s", run.trouble);
        }
        s->lost += run.is_lost ? run.levels : 0;
        assert_true(run.levels <= TUT_PARQUET_RUN);
        size_t v = 0;
        for (size_t i = 0; i < run.levels && !run.is_lost; i++) {
            uint8_t def = run.defs ? run.defs[i] : l->max_def;
            tut_str got = {"", 0};
            if (def == l->max_def) {
                assert_true(v < run.values);
                size_t item = run.indices ? run.indices[v] : v;
                assert_true(item < run.items);
                size_t width = l->type == TUT_PARQUET_BOOLEAN ? 1 : l->width;
                got = run.texts ? run.texts[item]
                                : (tut_str){(const char *)run.fixed + item * width, width};
                v++;
            }
            if (!c)
                continue;
            assert_true(s->levels + i < c->count);
            const make_value *want = &c->values[s->levels + i];
            assert_int_equal(def, want->def);
            assert_int_equal(run.reps ? run.reps[i] : 0, want->rep);
            if (def == l->max_def) {
                assert_int_equal(got.len, want->bytes.len);
                assert_memory_equal(got.data, want->bytes.data, got.len);
            }
        }
        assert_int_equal(run.is_lost ? 0 : v, run.values);
        s->levels += run.levels;
        s->values += run.values;
        tut_parquet_release(p);
    }
}

static tut_parquet *open_bytes(tut_source *source, tut_budget *budget, tut_span bytes)
{
    tut_parquet *p = NULL;
    *source = tut_source_memory(bytes);
    tut_budget_init(budget);
    return tut_is_ok(tut_parquet_open(source, budget, &p, NULL)) ? p : NULL;
}

static void go_over(tut_span bytes)
{
    tut_source source;
    tut_budget budget;
    TUT_AUTO(tut_parquet) p = open_bytes(&source, &budget, bytes);
    uint64_t rows = 0;
    bool is_end = !p;
    while (!is_end && tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)) && !is_end) {
        for (size_t i = 0; i < tut_parquet_about(p)->leaf_count; i++) {
            seen s = {0};
            uint64_t weight;
            if (tut_is_ok(tut_parquet_weight(p, i, &weight, NULL)))
                read_column(p, i, NULL, 100, &s);
        }
    }
}

static void expect_same(const make_column *c, size_t groups, size_t step)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    tut_source source;
    tut_budget budget;
    make_parquet(&file, c, 1, groups, (int64_t)c->rows);
    TUT_AUTO(tut_parquet) p = open_bytes(&source, &budget, tut_buf_span(&file));
    assert_non_null(p);
    uint64_t rows = 0, heap = budget.heap_left;
    bool is_end = false;
    for (size_t g = 0; g < groups; g++) {
        seen s = {0};
        assert_true(tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)));
        assert_false(is_end);
        assert_int_equal(rows, c->rows);
        assert_null(tut_parquet_unread(p, 0));
        read_column(p, 0, c, step, &s);
        if (s.troubles > 0)
            fail_msg("%s (encoding %d, codec %d)", s.trouble, (int)c->encoding, (int)c->codec);
        assert_int_equal(s.levels, c->count);
    }
    assert_true(tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)));
    assert_true(is_end);
    assert_int_equal(budget.heap_left, heap);
}

static const parquet_codec codecs[] = {PARQUET_UNCOMPRESSED, PARQUET_SNAPPY, PARQUET_GZIP,
                                       PARQUET_LZ4,          PARQUET_ZSTD,   PARQUET_LZ4_RAW};

static bool takes(tut_parquet_type type, parquet_encoding e)
{
    bool is_int = type == TUT_PARQUET_INT32 || type == TUT_PARQUET_INT64;
    bool is_bytes = type == TUT_PARQUET_BYTE_ARRAY;
    switch (e) {
    case PARQUET_PLAIN:
        return true;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        return type != TUT_PARQUET_BOOLEAN;
    case PARQUET_RLE:
        return type == TUT_PARQUET_BOOLEAN;
    case PARQUET_DELTA_BINARY_PACKED:
        return is_int;
    case PARQUET_DELTA_LENGTH:
        return is_bytes;
    case PARQUET_DELTA_BYTES:
        return is_bytes || type == TUT_PARQUET_FIXED;
    case PARQUET_SPLIT:
        return type != TUT_PARQUET_BOOLEAN && type != TUT_PARQUET_INT96 && !is_bytes;
    case PARQUET_BIT_PACKED:
    case PARQUET_ALP:
        break;
    }
    return false;
}

static make_column column_of(const world *w, tut_parquet_type type, parquet_encoding e)
{
    return (make_column){.name = "c",
                         .type = type,
                         .width = WIDTH,
                         .converted = -1,
                         .encoding = e,
                         .values = w->values,
                         .count = ROWS,
                         .rows = ROWS};
}

/* --- tests --- */

static void each_encoding_of_each_type_comes_back(void **state)
{
    (void)state;
    static world w;
    size_t files = 0;
    for (unsigned k = 0; k < 8u * 10u * 8u; k += memcheck_step(7)) {
        unsigned type = k % 8, e = k / 8 % 10, shape = k / 80;
        if (!takes((tut_parquet_type)type, (parquet_encoding)e))
            continue;
        fill_world(&w, (tut_parquet_type)type, shape & 1);
        make_column c = column_of(&w, (tut_parquet_type)type, (parquet_encoding)e);
        c.is_optional = shape & 1;
        c.is_v2 = shape & 2;
        c.page_levels = shape & 4 ? 37 : 0;
        for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++, files++) {
            c.codec = codecs[i];
            c.has_crc = i % 2;
            expect_same(&c, 1 + (shape & 1), i % 2 ? 1000 : 23);
        }
    }
    assert_true(RUNNING_ON_VALGRIND || files == 33 * 8 * 6);
}

static void levels_of_the_old_kind_come_back(void **state)
{
    (void)state;
    static world w;
    fill_world(&w, TUT_PARQUET_INT32, true);
    make_column c = column_of(&w, TUT_PARQUET_INT32, PARQUET_PLAIN);
    c.is_optional = c.is_msb = true;
    expect_same(&c, 1, 50);
}

/* Lists: none, empty, with and without nulls, over the ends of pages. */
static size_t fill_lists(world *w, size_t rows)
{
    size_t n = 0;
    for (size_t row = 0; row < rows && n + 5 < ROWS; row++) {
        size_t items = row % 5;
        if (items < 2)
            w->values[n++] = (make_value){.def = (uint8_t)items};
        for (size_t i = 0; items >= 2 && i < items; i++, n++) {
            size_t len = value_bytes(TUT_PARQUET_BYTE_ARRAY, n, w->bytes[n]);
            w->values[n] = (make_value){
                .def = (i + row) % 4 ? 3 : 2, .rep = i > 0, .bytes = {w->bytes[n], len}};
        }
    }
    return n;
}

static void levels_of_lists_come_back_row_by_row(void **state)
{
    (void)state;
    static world w;
    enum { LISTS = 90 };
    make_column c = column_of(&w, TUT_PARQUET_BYTE_ARRAY, PARQUET_RLE_DICTIONARY);
    c.is_list = true;
    c.count = fill_lists(&w, LISTS);
    c.rows = LISTS;
    for (unsigned shape = 0; shape < 4; shape++) {
        c.is_v2 = shape & 1;
        c.page_levels = shape & 2 ? 13 : 0; /* pages end within rows: old writers did that */
        expect_same(&c, 2, 1000);
    }
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, &c, 1, 1, LISTS);
    tut_source source;
    tut_budget budget;
    TUT_AUTO(tut_parquet) p = open_bytes(&source, &budget, tut_buf_span(&file));
    uint64_t rows;
    bool is_end;
    size_t begun = 0, levels = 0;
    assert_true(tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)));
    for (tut_parquet_run run = {.levels = 1}; run.levels > 0;) {
        assert_true(tut_is_ok(tut_parquet_read(p, 0, 1, &run, NULL)));
        begun += run.levels > 0;
        levels += run.levels;
        for (tut_parquet_run rest = run; rest.levels > 0; levels += rest.levels) {
            assert_true(tut_is_ok(tut_parquet_read(p, 0, 0, &rest, NULL)));
            assert_true(rest.levels == 0 || rest.reps[0] == 1);
        }
    }
    assert_int_equal(levels, c.count);
    assert_int_equal(begun, LISTS);
}

/* One file with a bit of all, to cut and to flip. */
static void make_mixed(tut_buf *file)
{
    static world worlds[5];
    static const struct {
        tut_parquet_type type;
        parquet_encoding encoding;
        parquet_codec codec;
    } parts[] = {
        {TUT_PARQUET_INT64, PARQUET_DELTA_BINARY_PACKED, PARQUET_UNCOMPRESSED},
        {TUT_PARQUET_BYTE_ARRAY, PARQUET_DELTA_BYTES, PARQUET_ZSTD},
        {TUT_PARQUET_BYTE_ARRAY, PARQUET_RLE_DICTIONARY, PARQUET_SNAPPY},
        {TUT_PARQUET_DOUBLE, PARQUET_SPLIT, PARQUET_LZ4},
        {TUT_PARQUET_BOOLEAN, PARQUET_RLE, PARQUET_UNCOMPRESSED},
    };
    make_column columns[5];
    for (size_t i = 0; i < 5; i++) {
        fill_world(&worlds[i], parts[i].type, i % 2);
        columns[i] = column_of(&worlds[i], parts[i].type, parts[i].encoding);
        columns[i].is_optional = i % 2;
        columns[i].codec = parts[i].codec;
        columns[i].is_v2 = i == 2;
        columns[i].count = columns[i].rows = 60;
        columns[i].page_levels = 25;
    }
    make_parquet(file, columns, 5, 1, 60);
}

static void cut_and_flipped_files_do_no_harm(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_mixed(&file);
    for (size_t n = 0; n < file.len; n += memcheck_step(37))
        go_over(tut_span_of(file.data, n));
    for (size_t bit = 0; bit < 8 * file.len; bit += memcheck_step(331)) {
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        go_over(tut_buf_span(&file));
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_mixed(&file);
    for (uint64_t n = 1; n < 400; n++) {
        tut_alloc_fail_after(n);
        go_over(tut_buf_span(&file));
    }
    tut_alloc_fail_after(0);
}

/* A page that is broken costs its rows; those around it come. */
static void a_wrong_checksum_loses_one_page(void **state)
{
    (void)state;
    static world w;
    fill_world(&w, TUT_PARQUET_INT64, false);
    make_column c = column_of(&w, TUT_PARQUET_INT64, PARQUET_PLAIN);
    c.has_crc = true;
    c.page_levels = 100;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, &c, 1, 1, ROWS);
    /* the last value of the second page */
    uint8_t *hit = memmem(file.data, file.len, w.bytes[199], 8);
    uint8_t *next = hit ? memmem(hit + 1, file.len - (size_t)(hit + 1 - file.data), w.bytes[199], 8)
                        : NULL;
    assert_non_null(hit);
    hit = next ? next : hit;
    hit[7] ^= 0x40;
    tut_source source;
    tut_budget budget;
    TUT_AUTO(tut_parquet) p = open_bytes(&source, &budget, tut_buf_span(&file));
    uint64_t rows;
    bool is_end;
    seen s = {0};
    assert_true(tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)));
    read_column(p, 0, &c, 1000, &s);
    assert_int_equal(s.levels, ROWS);
    assert_int_equal(s.lost, 100);
    assert_int_equal(s.troubles, 1);
    assert_string_equal(s.trouble, "the checksum of a page is wrong");
}

/* What is told of a column that was changed in one place after it was made. */
static void expect_trouble(const make_column *c, const char *find, size_t len, const char *put,
                           const char *trouble)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    make_parquet(&file, c, 1, 1, (int64_t)c->rows);
    uint8_t *hit = memmem(file.data, file.len, find, len);
    assert_non_null(hit);
    memcpy(hit, put, len);
    tut_source source;
    tut_budget budget;
    TUT_AUTO(tut_parquet) p = open_bytes(&source, &budget, tut_buf_span(&file));
    assert_non_null(p);
    uint64_t rows;
    bool is_end;
    seen s = {0};
    assert_true(tut_is_ok(tut_parquet_group(p, &rows, &is_end, NULL)));
    read_column(p, 0, NULL, 1000, &s);
    assert_int_equal(s.troubles > 0, 1);
    assert_string_equal(s.trouble, trouble);
}

static void pages_that_lie_are_told(void **state)
{
    (void)state;
    static const char eight[] = "\x08\0\0\0ABCDEFGH";
    const make_value texts[] = {{.bytes = {"ABCDEFGH", 8}}, {.bytes = {"ABCDEFG_", 8}}};
    make_column c = {.name = "c",
                     .type = TUT_PARQUET_BYTE_ARRAY,
                     .converted = -1,
                     .encoding = PARQUET_PLAIN,
                     .values = texts,
                     .count = 2,
                     .rows = 2};
    expect_trouble(&c, eight, 4, "\xff\xff\xff\x7f", "a text is longer than its page");
    /* header: 5 (data page) { 1 values: 2 -> 63 } */
    expect_trouble(&c, "\x2c\x15\x04", 3, "\x2c\x15\x7e",
                   "a page says that it holds more values than the column has");
    c.encoding = PARQUET_RLE_DICTIONARY;
    /* header: 7 (dictionary) { 1 values: 2 -> 1 } */
    expect_trouble(&c, "\x4c\x15\x04", 3, "\x4c\x15\x02", "an index leads out of the dictionary");
    c.codec = PARQUET_SNAPPY;
    expect_trouble(&c, "\x4c\x15\x04", 3, "\x4c\x15\x7e",
                   "values of a dictionary that is not there");
}

/* --- Snappy --- */

static tut_status unsnap(const char *packed, size_t len, char *to, size_t room)
{
    return tut_snappy_decode(tut_span_of(packed, len), (uint8_t *)to, room, NULL);
}

static void snappy_reads_literals_and_copies(void **state)
{
    (void)state;
    char to[64];
    uint64_t len;
    /* "abc", then 6 bytes from 3 before: it repeats */
    static const char repeat[] = "\x09\x08"
                                 "abc\x09\x03";
    assert_true(tut_is_ok(unsnap(repeat, sizeof(repeat) - 1, to, 9)));
    assert_memory_equal(to, "abcabcabc", 9);
    assert_true(tut_is_ok(tut_snappy_length(tut_span_of(repeat, sizeof(repeat) - 1), &len, NULL)));
    assert_int_equal(len, 9);
    for (size_t n = 0; n < sizeof(repeat) - 1; n++)
        assert_int_equal(unsnap(repeat, n, to, 9).code, TUT_MALFORMED);
    assert_int_equal(unsnap(repeat, sizeof(repeat) - 1, to, 8).code, TUT_MALFORMED);
    assert_int_equal(unsnap("\x09\x08"
                            "abc\x09\x04",
                            7, to, 9)
                         .code,
                     TUT_MALFORMED); /* from before the beginning */
    assert_int_equal(unsnap("\xff\xff\xff\xff\x0f\0a", 7, to, 9).code, TUT_MALFORMED);
}

static void snappy_undoes_what_the_maker_packs(void **state)
{
    (void)state;
    static uint8_t raw[70000], back[70000];
    uint64_t x = 88172645463325252u;
    for (size_t n = 1; n < sizeof(raw); n = n * 3 + 1) {
        for (size_t i = 0; i < n; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            raw[i] = (uint8_t)((i / 100) % 3 ? x : i % 7);
        }
        TUT_CLEAN(tut_buf) packed = TUT_BUF_INIT;
        make_snappy(&packed, tut_span_of(raw, n));
        assert_true(tut_is_ok(tut_snappy_decode(tut_buf_span(&packed), back, n, NULL)));
        assert_memory_equal(back, raw, n);
    }
}

/* --- Thrift --- */

static void thrift_nests_only_so_deep(void **state)
{
    (void)state;
    uint8_t deep[200];
    memset(deep, 0x1c, sizeof(deep)); /* field 1, struct; and so on */
    tut_reader r = tut_reader_of(tut_span_of(deep, sizeof(deep)));
    assert_int_equal(tut_thrift_skip(&r, TUT_THRIFT_STRUCT, false).code, TUT_LIMIT);
    static const uint8_t many[] = {0xf8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0};
    r = tut_reader_of(tut_span_of(many, sizeof(many)));
    assert_int_equal(tut_thrift_skip(&r, TUT_THRIFT_LIST, false).code, TUT_TRUNCATED);
    static const uint8_t map[] = {0x02, 0x85, 0x01, 'a', 0x02, 0x01, 'b', 0x04};
    r = tut_reader_of(tut_span_of(map, sizeof(map)));
    assert_true(tut_is_ok(tut_thrift_skip(&r, TUT_THRIFT_MAP, false)));
    assert_int_equal(r.pos, sizeof(map));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_encoding_of_each_type_comes_back),
        cmocka_unit_test(levels_of_the_old_kind_come_back),
        cmocka_unit_test(levels_of_lists_come_back_row_by_row),
        cmocka_unit_test(cut_and_flipped_files_do_no_harm),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
        cmocka_unit_test(a_wrong_checksum_loses_one_page),
        cmocka_unit_test(pages_that_lie_are_told),
        cmocka_unit_test(snappy_reads_literals_and_copies),
        cmocka_unit_test(snappy_undoes_what_the_maker_packs),
        cmocka_unit_test(thrift_nests_only_so_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
