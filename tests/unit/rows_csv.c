#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/fs.h"
#include "memcheck.h"
#include "unit/rows_shown.h"

static void cells_are_told_by_their_look(void **state)
{
    (void)state;
    READS_AS("a.csv", "a,b,c,d\n1,2.50,x,true\n-3,nan,NA,False\n+1e3,,null,inf\n",
             "a|b|c|d\ni1|n2.50|tx|btrue\ni-3|nnan|-NA|bFalse\ni+1e3|-|-null|ninf\n");
}

static void dialects_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char delimiter, quote;
    } cases[] = {
        {"a,b\n1,2\n3,4\n", ',', '"'},
        {"a;b\n1,5;2,5\n3,5;4,5\n", ';', '"'},
        {"a\tb\tc\n1,2\tx\t3\n4,5\ty\t6\n", '\t', '"'},
        {"a|b\n1|2\n3|4\n", '|', '"'},
        {"a,b\n'x, y',1\n'z, w',2\n'v',3\n", ',', '\''},
        {"a,b\n\"x; y\",1\n\"z; w\",2\n", ',', '"'},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shown s = show("x.csv", cases[i].text, strlen(cases[i].text));
        assert_int_equal(s.facts.delimiter, cases[i].delimiter);
        assert_int_equal(s.facts.quote, cases[i].quote);
        assert_true(s.facts.has_header);
        tut_buf_done(&s.text);
    }
}

static void quotes_hold_delimiters_quotes_and_lines(void **state)
{
    (void)state;
    READS_AS("a.csv", "a,b\r\n\"x,1\",2\r\n\"say \"\"hi\"\"\",3\r\n\"two\nlines\" ,4\r\n",
             "a|b\ntx,1|i2\ntsay \"hi\"|i3\nttwo\nlines|i4\n");
    READS_AS("a.csv", "a,b\n5\" pipe,1\nx, \"y\" \n", "a|b\nt5\" pipe|i1\ntx|ty\n");
}

static void every_end_of_line_ends_a_record(void **state)
{
    (void)state;
    READS_AS("a.csv", "a,b\r1,2\n3,4\r\n\n\r\n5,6", "a|b\ni1|i2\ni3|i4\ni5|i6\n");
}

static void spaces_around_cells_are_not_of_them(void **state)
{
    (void)state;
    READS_AS("a.data", "39, State-gov , 7\n40, Private, 8\n41,x ,9\n",
             "0|1|2\ni39|tState-gov|i7\ni40|tPrivate|i8\ni41|tx|i9\n");
}

static void headers_are_told_from_data(void **state)
{
    (void)state;
    READS_AS("a.csv", ",0,1,2\n0,1.5,2.5,3.5\n1,4.5,5.5,6.5\n",
             "0|0.1|1|2\ni0|n1.5|n2.5|n3.5\ni1|n4.5|n5.5|n6.5\n");
    READS_AS("a.csv", "text,label\nfoo bar,pos\nbaz,neg\n",
             "text|label\ntfoo bar|tpos\ntbaz|tneg\n");
    READS_AS("a.csv", "foo bar,pos\nbaz,neg\nqux,pos\n",
             "0|1\ntfoo bar|tpos\ntbaz|tneg\ntqux|tpos\n");
    READS_AS("a.csv", "1,2\n3,4\n", "0|1\ni1|i2\ni3|i4\n");
    READS_AS("a.csv", "x,y\n", "0|1\ntx|ty\n"); /* one row is data */
    READS_AS("a.csv", "id,id\n1,2\n3,4\n", "id|id.1\ni1|i2\ni3|i4\n");
    READS_AS("a.csv", "x,y\nr1,1,2\nr2,3,4\nr3,5,6\n", "0|x|y\ntr1|i1|i2\ntr2|i3|i4\ntr3|i5|i6\n");
}

static void encodings_are_read_and_told(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *encoding;
        bool has_bom;
    } cases[] = {
        {"a,b\ncaf\xc3\xa9,1\nx,2\n", 16, "utf-8", false},
        {"\xef\xbb\xbf"
         "a,b\ncaf\xc3\xa9,1\nx,2\n",
         19, "utf-8", true},
        {"a,b\ncaf\xe9,1\nx,2\n", 15, "windows-1252", false},
        {"\xff\xfe"
         "a\0,\0b\0\n\0c\0a\0f\0\xe9\0,\0"
         "1\0\n\0x\0,\0"
         "2\0\n\0",
         32, "utf-16le", true},
        {"\xfe\xff\0a\0,\0b\0\n\0c\0a\0f\0\xe9\0,\0"
         "1\0\n\0x\0,\0"
         "2\0\n",
         32, "utf-16be", true},
        {"a\0,\0b\0\n\0c\0a\0f\0\xe9\0,\0"
         "1\0\n\0x\0,\0"
         "2\0\n\0",
         30, "utf-16le", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shown s = show("x.csv", cases[i].bytes, cases[i].len);
        assert_string_equal(tut_buf_z(&s.text), "a|b\ntcaf\xc3\xa9|i1\ntx|i2\n");
        assert_string_equal(s.facts.encoding, cases[i].encoding);
        assert_int_equal(s.facts.has_bom, cases[i].has_bom);
        assert_int_equal(s.facts.bytes, cases[i].len);
        tut_buf_done(&s.text);
    }
}

static void mixed_encodings_are_a_defect_and_read_all_the_same(void **state)
{
    (void)state;
    static const char text[] = "a,b\ncaf\xc3\xa9,1\nna\xefve,2\n\x80\xc3\xa9,3\n";
    shown s = show("x.csv", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text),
                        "a|b\ntcaf\xc3\xa9|i1\ntna\xc3\xafve|i2\nt\xef\xbf\xbd\xc3\xa9|i3\n");
    assert_int_equal(broken(&s, TUT_ROWS_TYPE), 1);
    assert_int_equal(s.facts.defects[TUT_ROWS_TYPE].items[0].row, 1);
    assert_int_equal(broken(&s, TUT_ROWS_ENCODING), 1);
    assert_int_equal(s.facts.defects[TUT_ROWS_ENCODING].items[0].row, 2);
    tut_buf_done(&s.text);
}

static void ragged_rows_are_counted_and_kept(void **state)
{
    (void)state;
    static const char text[] = "a,b,c\n1,2\n3,4,5\n6,7,8,9\n1,2,3,\n";
    shown s = show("x.csv", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a|b|c\ni1|i2|-\ni3|i4|i5\ni6|i7|i8\ni1|i2|i3\n");
    assert_int_equal(broken(&s, TUT_ROWS_RAGGED), 2);
    assert_int_equal(s.facts.defects[TUT_ROWS_RAGGED].items[1].row, 2);
    assert_int_equal(s.facts.defects[TUT_ROWS_RAGGED].items[1].offset, 16);
    assert_string_equal(s.facts.defects[TUT_ROWS_RAGGED].items[1].detail, "4 fields instead of 3");
    tut_buf_done(&s.text);
}

static void a_nul_byte_is_a_defect(void **state)
{
    (void)state;
    static const char text[] = "a,b\nx\0y,1\nz,2\n";
    shown s = show("x.csv", text, sizeof(text) - 1);
    assert_int_equal(broken(&s, TUT_ROWS_NUL), 1);
    assert_int_equal(s.facts.rows, 2);
    tut_buf_done(&s.text);
}

static void a_quote_without_an_end_is_a_character(void **state)
{
    (void)state;
    static const char text[] = "a,b\n\"x,1\ny,2\nz,3\n";
    shown s = show("x.csv", text, sizeof(text) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a|b\nt\"x|i1\nty|i2\ntz|i3\n");
    assert_int_equal(broken(&s, TUT_ROWS_QUOTE), 1);
    tut_buf_done(&s.text);
    static const char behind[] = "a,b\n\"z\"w,3\nx,4\n";
    s = show("x.csv", behind, sizeof(behind) - 1);
    assert_string_equal(tut_buf_z(&s.text), "a|b\nt\"z\"w|i3\ntx|i4\n");
    assert_int_equal(broken(&s, TUT_ROWS_QUOTE), 1);
    tut_buf_done(&s.text);
}

static void batches_join_without_a_seam(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    uint64_t next = 0;
    uint64_t count = RUNNING_ON_VALGRIND ? 12000 : 200000;
    tut_buf_add_z(&text, "id,text,half\n");
    for (uint64_t i = 0; i < count; i++)
        tut_buf_printf(&text, "%llu,\"a \"\"%llu\"\"\n\",%.1f\n", (unsigned long long)i,
                       (unsigned long long)i * 977, (double)i / 2);
    tut_source source = tut_source_memory(tut_buf_span(&text));
    assert_true(tut_is_ok(tut_rows_open(&source, "x.csv", &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        for (size_t i = 0; i < b->count; i++, next++) {
            char expected[64];
            (void)snprintf(expected, sizeof(expected), "a \"%llu\"\n",
                           (unsigned long long)next * 977);
            assert_true(b->cells[0].numbers[i] == (double)next);
            assert_true(tut_str_eq_z(b->cells[1].texts[i], expected));
            assert_true(b->cells[2].numbers[i] == (double)next / 2);
            uint64_t number;
            const char *at = (const char *)text.data + b->offsets[i];
            assert_true(tut_str_u64((tut_str){at, strcspn(at, ",")}, &number) && number == next);
        }
    }
    assert_int_equal(next, count);
    assert_int_equal(tut_rows_about(rows)->rows, count);
}

static void a_line_that_is_too_long_is_cut_in_bounded_memory(void **state)
{
    (void)state;
    uint64_t len = RUNNING_ON_VALGRIND ? 36u << 20 : 256u << 20;
    char name[] = "/tmp/tut_rows_XXXXXX";
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    size_t longest = 0;
    uint64_t count = 0;
    tut_source source;
    FILE *f = NULL;
    int fd = mkstemp(name);
    assert_true(fd >= 0 && (f = fdopen(fd, "r+b")) != NULL);
    (void)remove(name);
    assert_true(fputs("a,b\n1,x\n2,", f) >= 0);
    static char block[1 << 20];
    memset(block, 'y', sizeof(block));
    for (uint64_t done = 0; done < len; done += sizeof(block))
        assert_int_equal(fwrite(block, 1, sizeof(block), f), sizeof(block));
    assert_true(fputs("\n3,z\n", f) >= 0 && fflush(f) == 0);
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_rows_open(&source, "x.csv", &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        for (size_t i = 0; i < b->count; i++)
            longest = b->cells[1].texts[i].len > longest ? b->cells[1].texts[i].len : longest;
        count += b->count;
    }
    assert_int_equal(count, 3);
    assert_int_equal(longest, TUT_ROWS_CELL_BYTES);
    assert_int_equal(tut_rows_about(rows)->defects[TUT_ROWS_LONG].count, 2); /* record and cell */
    (void)fclose(f);
}

/* The quote takes the largest window, and after that nothing may be cut where a window ends. */
static void rows_behind_a_quote_without_an_end_are_whole(void **state)
{
    (void)state;
    if (RUNNING_ON_VALGRIND)
        skip();
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    uint64_t count = 0;
    uint64_t broken_ones = 0;
    size_t lines = ((size_t)33 << 20) / 8;
    tut_buf_add_z(&text, "a,b\n1,\"2\n");
    for (size_t i = 0; i < lines; i++)
        tut_buf_add_z(&text, "123,456\n");
    tut_source source = tut_source_memory(tut_buf_span(&text));
    assert_true(tut_is_ok(tut_rows_open(&source, "x.csv", &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        for (size_t i = count == 0; i < b->count; i++)
            broken_ones += b->cells[0].numbers[i] != 123 || b->cells[1].numbers[i] != 456;
        count += b->count;
    }
    assert_int_equal(count, lines + 1);
    assert_int_equal(broken_ones, 0);
    assert_int_equal(tut_rows_about(rows)->defects[TUT_ROWS_QUOTE].count, 1);
    assert_int_equal(tut_rows_about(rows)->defects[TUT_ROWS_LONG].count, 0);
}

static void every_cut_of_a_file_is_read(void **state)
{
    (void)state;
    static const char text[] = "a,b\r\n1,\"x \"\"q\"\", y\"\r\n2.5,caf\xc3\xa9\r\n";
    for (size_t len = 1; len < sizeof(text); len++) {
        shown s = show("x.csv", text, len);
        assert_int_equal(s.err.code, TUT_OK);
        tut_buf_done(&s.text);
    }
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,\"x \"\"q\"\"\"\n2,na\xefve\n";
    for (uint64_t n = 1; n < 40; n++) {
        tut_alloc_fail_after(n);
        shown s = show("x.csv", text, sizeof(text) - 1);
        tut_alloc_fail_after(0);
        assert_true(s.err.code == TUT_OK || s.err.code == TUT_NOMEM);
        tut_buf_done(&s.text);
    }
}

static uint64_t rows_of(const char *path, uint64_t *ret_broken)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    if (!tut_is_ok(tut_fs_read(path, 64 << 20, &file, NULL))) {
        print_message("%s is not here: skipped\n", path);
        skip();
    }
    shown s = show(path, file.data, file.len);
    *ret_broken = 0;
    for (size_t i = 0; i < TUT_ROWS_DEFECT_COUNT; i++)
        *ret_broken += s.facts.defects[i].count;
    uint64_t rows = s.facts.rows;
    tut_buf_done(&s.text);
    return rows;
}

static void public_files_are_read_whole(void **state)
{
    (void)state;
    uint64_t broken_ones;
    assert_int_equal(rows_of("../shared/data/data/adult/adult.data", &broken_ones), 30162);
    assert_int_equal(broken_ones, 0);
    assert_int_equal(
        rows_of("../shared/data/data/nannyml/california_housing_reference.csv", &broken_ones),
        5832);
    assert_int_equal(broken_ones, 0);
    assert_int_equal(rows_of("../shared/data/data/nab/realKnownCause/nyc_taxi.csv", &broken_ones),
                     10320);
    assert_int_equal(broken_ones, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_told_by_their_look),
        cmocka_unit_test(dialects_are_found),
        cmocka_unit_test(quotes_hold_delimiters_quotes_and_lines),
        cmocka_unit_test(every_end_of_line_ends_a_record),
        cmocka_unit_test(spaces_around_cells_are_not_of_them),
        cmocka_unit_test(headers_are_told_from_data),
        cmocka_unit_test(encodings_are_read_and_told),
        cmocka_unit_test(mixed_encodings_are_a_defect_and_read_all_the_same),
        cmocka_unit_test(ragged_rows_are_counted_and_kept),
        cmocka_unit_test(a_nul_byte_is_a_defect),
        cmocka_unit_test(a_quote_without_an_end_is_a_character),
        cmocka_unit_test(batches_join_without_a_seam),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_in_bounded_memory),
        cmocka_unit_test(rows_behind_a_quote_without_an_end_are_whole),
        cmocka_unit_test(every_cut_of_a_file_is_read),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(public_files_are_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
