/* Arrays as rows: npy, npz and idx. Vectors are what NumPy 1.24.2 writes, or as the format says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "data/rows.h"
#include "memcheck.h"

static void npy(tut_buf *out, const char *descr, bool is_fortran, const char *shape,
                const void *data, size_t len)
{
    char text[300];
    int n = snprintf(text, sizeof(text), "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n",
                     descr, is_fortran ? "True" : "False", shape);
    tut_buf_add(out, "\x93NUMPY\1\0", 8);
    tut_buf_add_byte(out, (uint8_t)n);
    tut_buf_add_byte(out, (uint8_t)(n >> 8));
    tut_buf_add(out, text, (size_t)n);
    tut_buf_add(out, data, len);
}

static void show_cell(const tut_cells *c, size_t row, tut_buf *out)
{
    static const char *const marks[] = {"-", "", "", "b", "t", "n"};
    tut_buf_add_z(out, marks[c->kinds[row]]);
    if (c->texts && c->texts[row].len > 0)
        tut_buf_add_str(out, c->texts[row]);
    else if (!isnan(c->numbers[row]))
        tut_buf_printf(out, "%.9g", c->numbers[row]);
    else if (c->kinds[row] == TUT_CELL_NUMBER)
        tut_buf_add_z(out, "nan");
}

/* Names, then the rows, each in a line; what cannot be opened: its code. */
static void show(tut_span bytes, const char *name, tut_buf *out, tut_rows_facts *ret_facts)
{
    tut_source source = tut_source_memory(bytes);
    const tut_batch *b = NULL;
    TUT_AUTO(tut_rows) rows = NULL;
    tut_status s = tut_rows_open(&source, name, &rows, NULL);
    bool is_first = true;
    while (tut_is_ok(s) && tut_is_ok(s = tut_rows_next(rows, &b, NULL)) && b) {
        for (size_t c = 0; is_first && c < b->column_count; c++) {
            tut_buf_add_z(out, c ? " " : "");
            tut_buf_add_str(out, b->names[c]);
        }
        for (size_t row = 0; row < b->count; row++) {
            for (size_t c = 0; c < b->column_count; c++) {
                tut_buf_add_z(out, c ? " " : "\n");
                show_cell(&b->cells[c], row, out);
            }
        }
        is_first = false;
    }
    if (!tut_is_ok(s))
        tut_buf_add_z(out, tut_code_name(s.code));
    if (rows)
        *ret_facts = *tut_rows_about(rows);
    tut_buf_add_byte(out, 0);
}

static void each_type_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *shape, *data;
        size_t len;
        const char *want;
    } cases[] = {
        {"'|b1'", "(2,)", "\1\0", 2, "value\nb1\nb0"},
        {"'|i1'", "(2,)", "\xff\1", 2, "value\n-1\n1"},
        {"'|u1'", "(2,)", "\xff\1", 2, "value\n255\n1"},
        {"'<i2'", "(1,)", "\xfe\xff", 2, "value\n-2"},
        {"'>i2'", "(1,)", "\xff\xfe", 2, "value\n-2"},
        {"'>u4'", "(1,)", "\xff\xff\xff\xfe", 4, "value\n4.29496729e+09"},
        {"'<i8'", "(1,)", "\1\0\0\0\0\0\0\x80", 8, "value\n-9223372036854775807"},
        {"'<u8'", "(1,)", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "value\n18446744073709551615"},
        {"'<f2'", "(2,)", "\0\x3e\0\x7e", 4, "value\n1.5\nnan"},
        {"'>f2'", "(1,)", "\xbe\0", 2, "value\n-1.5"},
        {"'<f4'", "(1,)", "\0\0\xc0\x3f", 4, "value\n1.5"},
        {"'>f8'", "()", "\x3f\xf8\0\0\0\0\0\0", 8, "value\n1.5"},
        {"'<U2'", "(2,)", "a\0\0\0\xe9\0\0\0b\0\0\0\0\0\0\0", 16, "value\nta\xc3\xa9\ntb"},
        {"'>U1'", "(1,)", "\0\1\xf6\0", 4, "value\nt\xf0\x9f\x98\x80"},
        {"'|S3'", "(2,)", "ab\0x\0y", 6, NULL},
        {"'<M8[D]'", "(2,)", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 16, "value\nt1970-01-01\n-"},
        {"'<M8[ms]'", "(1,)", "\1\0\0\0\0\0\0\0", 8, "value\nt1970-01-01T00:00:00.001"},
        {"'<m8[s]'", "(1,)", "\5\0\0\0\0\0\0\0", 8, "value\n5"},
        {"[('a', '<i2'), ('b', '|u1', (2,)), ('', '|V1'), ('c', '|S1')]", "(2,)",
         "\1\0\2\3\0x\4\0\5\6\0y", 12, "a b.0 b.1 c\n1 2 3 tx\n4 5 6 ty"},
        {"'<i2'", "(2, 1, 2)", "\1\0\2\0\3\0\4\0", 8, "0 1\n1 2\n3 4"},
        {"'<i2'", "(0, 5)", "", 0, ""},
        {"'<i2'", "(5, 0)", "", 0, ""},
        {"'<c16'", "(1,)", "0123456789abcdef", 16, "UNSUPPORTED"},
        {"'|O'", "(1,)", "(lp0\n.", 6, "UNSUPPORTED"},
        {"'<U0'", "(9999999999,)", "", 0, "UNSUPPORTED"},
        {"'<f8'", "(9223372036854775807, 9)", "", 0, "MALFORMED"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_rows_facts facts = {0};
        npy(&file, cases[i].descr, false, cases[i].shape, cases[i].data, cases[i].len);
        show(tut_buf_span(&file), "x.npy", &out, &facts);
        if (cases[i].want)
            assert_string_equal((const char *)out.data, cases[i].want);
        else /* a NUL inside a text belongs to it */
            assert_memory_equal(out.data, "value\ntab\ntx\0y", 14);
    }
}

static void fortran_order_gives_the_same_rows(void **state)
{
    (void)state;
    enum { ROWS = 5000, A = 2, B = 3 };
    static int32_t c_order[ROWS * A * B], f_order[ROWS * A * B];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < A; j++)
            for (int k = 0; k < B; k++)
                c_order[(i * A + j) * B + k] = f_order[i + ROWS * (j + A * k)] = i * 10 + j * 3 + k;
    TUT_CLEAN(tut_buf) c = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) f = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) c_shown = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) f_shown = TUT_BUF_INIT;
    tut_rows_facts facts;
    npy(&c, "'<i4'", false, "(5000, 2, 3)", c_order, sizeof(c_order));
    npy(&f, "'<i4'", true, "(5000, 2, 3)", f_order, sizeof(f_order));
    show(tut_buf_span(&c), "x.npy", &c_shown, &facts);
    show(tut_buf_span(&f), "x.npy", &f_shown, &facts);
    assert_string_equal((const char *)c_shown.data, (const char *)f_shown.data);
    assert_int_equal(facts.rows, ROWS);
    assert_int_equal(facts.rank, 3);
    assert_int_equal(facts.shape[2], B);
}

static void a_shape_that_lies_is_told(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    npy(&file, "'<i2'", false, "(4000000000, 2)", "\1\0\2\0\3\0\4\0\5", 9);
    show(tut_buf_span(&file), "x.npy", &out, &facts);
    assert_string_equal((const char *)out.data, "0 1\n1 2\n3 4");
    assert_int_equal(facts.defects[TUT_ROWS_CUT].count, 1);
    assert_int_equal(facts.defects[TUT_ROWS_CUT].items[0].row, 2);
}

static void bytes_behind_the_array_are_told(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    npy(&file, "'|u1'", false, "(1,)", "\1more", 5);
    show(tut_buf_span(&file), "x.npy", &out, &facts);
    assert_string_equal((const char *)out.data, "value\n1");
    assert_int_equal(facts.defects[TUT_ROWS_UNREAD].count, 1);
}

static void only_so_many_columns_of_a_row_are_read(void **state)
{
    (void)state;
    enum { WIDE = 100000 };
    static uint8_t data[3 * WIDE];
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    data[WIDE] = 7;
    npy(&file, "'|u1'", false, "(3, 100000)", data, sizeof(data));
    show(tut_buf_span(&file), "x.npy", &out, &facts);
    assert_int_equal(facts.rows, 3);
    assert_int_equal(facts.defects[TUT_ROWS_UNREAD].count, 1);
    assert_non_null(strstr((const char *)out.data, "\n7 0 0"));
}

static void idx_is_big_endian(void **state)
{
    (void)state;
    static const char images[] = "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\2\1\2\3\xff";
    static const char reals[] = "\0\0\x0d\1\0\0\0\1\x3f\xc0\0\0";
    static const char shorts[] = "\0\0\x0b\1\0\0\0\1\xff\xfe";
    tut_rows_facts facts = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    show(tut_span_of(images, sizeof(images) - 1), NULL, &out, &facts);
    assert_string_equal((const char *)out.data, "0 1\n1 2\n3 255");
    assert_string_equal(facts.format, "idx");
    assert_string_equal(facts.layout, "array");
    tut_buf_clear(&out);
    show(tut_span_of(reals, sizeof(reals) - 1), NULL, &out, &facts);
    assert_string_equal((const char *)out.data, "value\n1.5");
    tut_buf_clear(&out);
    show(tut_span_of(shorts, sizeof(shorts) - 1), NULL, &out, &facts);
    assert_string_equal((const char *)out.data, "value\n-2");
}

/* --- npz --- */

typedef struct zip_file {
    tut_buf bytes, directory;
    size_t count;
} zip_file;

static void zip_add(zip_file *z, const char *name, const tut_buf *content)
{
    uint32_t crc = (uint32_t)crc32(0, content->data, (unsigned)content->len);
    uint32_t at = (uint32_t)z->bytes.len;
    tut_buf *const both[] = {&z->bytes, &z->directory};
    for (size_t i = 0; i < 2; i++) {
        tut_buf *b = both[i];
        tut_buf_add(b, i ? "PK\1\2\x14\0" : "PK\3\4", i ? 6 : 4);
        tut_buf_add(b, "\x14\0\0\0\0\0\0\0\0\0", 10);
        tut_buf_add_u32le(b, crc);
        tut_buf_add_u32le(b, (uint32_t)content->len);
        tut_buf_add_u32le(b, (uint32_t)content->len);
        tut_buf_add_u32le(b, (uint32_t)strlen(name));
        if (i) {
            tut_buf_add(b, "\0\0\0\0\0\0\0\0\0\0", 10);
            tut_buf_add_u32le(b, at);
        }
        tut_buf_add_z(b, name);
    }
    tut_buf_add_str(&z->bytes, tut_buf_str(content));
    z->count++;
}

static void zip_end(zip_file *z)
{
    uint32_t at = (uint32_t)z->bytes.len;
    tut_buf_add_str(&z->bytes, tut_buf_str(&z->directory));
    tut_buf_add(&z->bytes, "PK\5\6\0\0\0\0", 8);
    tut_buf_add_byte(&z->bytes, (uint8_t)z->count);
    tut_buf_add_byte(&z->bytes, 0);
    tut_buf_add_byte(&z->bytes, (uint8_t)z->count);
    tut_buf_add_byte(&z->bytes, 0);
    tut_buf_add_u32le(&z->bytes, (uint32_t)z->directory.len);
    tut_buf_add_u32le(&z->bytes, at);
    tut_buf_add(&z->bytes, "\0\0", 2);
    tut_buf_done(&z->directory);
}

static void make_npz(tut_buf *out)
{
    zip_file z = {0};
    static const char *const names[] = {"x.npy", "y.npy", "less.npy", "objects.npy"};
    static const struct {
        const char *descr, *shape, *data;
        size_t len;
    } parts[] = {
        {"'|u1'", "(3, 2)", "\1\2\3\4\5\6", 6},
        {"'<i2'", "(3,)", "\7\0\x08\0\x09\0", 6},
        {"'|u1'", "(2,)", "\1\2", 2},
        {"'|O'", "(3,)", "...", 3},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
        npy(&one, parts[i].descr, i == 0, parts[i].shape, parts[i].data, parts[i].len);
        zip_add(&z, names[i], &one);
    }
    zip_end(&z);
    *out = z.bytes;
}

static void members_of_npz_are_columns_side_by_side(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_rows_facts facts;
    make_npz(&file);
    show(tut_buf_span(&file), "x.npz", &out, &facts);
    assert_string_equal((const char *)out.data, "x.0 x.1 y\n1 4 7\n2 5 8\n3 6 9");
    assert_string_equal(facts.format, "npz");
    assert_int_equal(facts.defects[TUT_ROWS_UNREAD].count, 2);
    assert_string_equal(
        facts.defects[TUT_ROWS_UNREAD].items[0].detail,
        "objects: the elements are Python objects: reading them would run a pickle");
}

static void cut_flipped_and_without_memory_no_harm(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) zip = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    tut_rows_facts facts;
    make_npz(&zip);
    npy(&one, "[('a', '<U3'), ('b', '<f4', (2,)), ('c', [('d', '<i8')])]", true, "(2, 2)", zip.data,
        112);
    const tut_buf *files[] = {&zip, &one};
    for (size_t i = 0; i < 2; i++) {
        uint8_t *data = files[i]->data;
        for (size_t n = 0; n < files[i]->len; n += memcheck_step(17)) {
            TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
            show(tut_span_of(data, n), "x.npz", &out, &facts);
        }
        for (size_t bit = 0; bit < 8 * files[i]->len; bit += memcheck_step(101)) {
            TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            show(tut_buf_span(files[i]), "x.npz", &out, &facts);
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (uint64_t n = 1; n < 120; n++) {
            tut_source source = tut_source_memory(tut_buf_span(files[i]));
            const tut_batch *b = NULL;
            tut_alloc_fail_after(n);
            TUT_AUTO(tut_rows) rows = NULL;
            if (tut_is_ok(tut_rows_open(&source, "x.npz", &rows, NULL)))
                while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
                    assert_true(b->count > 0);
            tut_alloc_fail_after(0);
        }
    }
}

static void real_digits_are_read_through_gzip(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/data/digits/digits10k-images-idx3-ubyte.gz";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    tut_source source;
    tut_rows *rows = NULL;
    const tut_batch *b = NULL;
    double sum = 0;
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_rows_open(&source, path, &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
        for (size_t c = 0; c < b->column_count; c++)
            for (size_t i = 0; i < b->count; i++)
                sum += b->cells[c].numbers[i];
    /* gzip.open(path).read()[16:], the sum of its bytes in Python */
    assert_true(sum == 262146600.0);
    assert_int_equal(tut_rows_about(rows)->rows, 10000);
    assert_string_equal(tut_rows_about(rows)->compression, "gzip");
    tut_rows_free(rows);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_read),
        cmocka_unit_test(fortran_order_gives_the_same_rows),
        cmocka_unit_test(a_shape_that_lies_is_told),
        cmocka_unit_test(bytes_behind_the_array_are_told),
        cmocka_unit_test(only_so_many_columns_of_a_row_are_read),
        cmocka_unit_test(idx_is_big_endian),
        cmocka_unit_test(members_of_npz_are_columns_side_by_side),
        cmocka_unit_test(cut_flipped_and_without_memory_no_harm),
        cmocka_unit_test(real_digits_are_read_through_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
