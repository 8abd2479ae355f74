/* NumPy arrays: the strict header grammar, and the data behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "exam_recorder.h"
#include "formats/npy_header.h"

static bool parses(const char *text, tut_npy_header *h)
{
    return tut_is_ok(tut_npy_header_parse(tut_str_of(text), h, NULL));
}

#define HEADER(descr, shape)                                                                       \
    "{'descr': " descr ", 'fortran_order': False, 'shape': " shape ", }   \n"

static void what_numpy_writes_parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t item, bytes;
        bool has_object;
    } good[] = {
        {HEADER("'<f8'", "(2, 3)"), 8, 48, false},
        {HEADER("'<f8'", "()"), 8, 8, false},
        {HEADER("'|b1'", "(7,)"), 1, 7, false},
        {HEADER("'<U10'", "(2,)"), 40, 80, false},
        {HEADER("'<M8[ns]'", "(3,)"), 8, 24, false},
        {HEADER("'|V12'", "(1,)"), 12, 12, false},
        {HEADER("'<i8'", "(2L,)"), 8, 16, false},
        {HEADER("'<i8'", "(0, 99)"), 8, 0, false},
        {HEADER("'|O'", "(4,)"), 8, 32, true},
        {HEADER("[('a', '<f8'), ('b', '<i4', (2, 3))]", "(2,)"), 32, 64, false},
        {HEADER("[('a', [('b', '<f4'), ('', '|V4')]), (('t', 'n'), '|u1')]", "(1,)"), 9, 9, false},
        {HEADER("[('a', [('b', [('c', '|O')])])]", "(1,)"), 8, 8, true},
        {HEADER("[('a', ('<f4', (3,)))]", "(1,)"), 12, 12, false},
        {HEADER("[('\\xe9', '<f8')]", "(1,)"), 8, 8, false},
        {"{'shape': (1,), 'fortran_order': True, 'descr': '<f8'}", 8, 8, false},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tut_npy_header h;
        uint64_t bytes = 0;
        assert_true(parses(good[i].text, &h));
        assert_false(h.is_odd);
        assert_int_equal(h.has_object, good[i].has_object);
        assert_int_equal(h.item_bytes, good[i].item);
        assert_true(tut_npy_header_bytes(&h, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "{'descr': '<f8', 'fortran_order': False}",
        HEADER("'<f8'", "(2)"),
        HEADER("'<f8'", "[2]"),
        HEADER("'<f8'", "(-1,)"),
        HEADER("'<f8'", "(1.5,)"),
        HEADER("'<f8'", "(1 << 70,)"),
        HEADER("'<f8'", "(99999999999999999999,)"),
        HEADER("'|' 'O'", "(1,)"),
        HEADER("'|\\x4f'", "(1,)"),
        HEADER("b'|O'", "(1,)"),
        HEADER("str('|O')", "(1,)"),
        HEADER("__import__('os').system('x')", "(1,)"),
        HEADER("[('a', '<f8'), 'x']", "(1,)"),
        HEADER("[('a')]", "(1,)"),
        HEADER("{'names': ['a'], 'formats': ['|O']}", "(1,)"),
        HEADER("'<f8'", "(1,)") "x",
        "{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} and 1",
        "{**{}, 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tut_npy_header h;
        if (parses(bad[i], &h))
            print_error("parsed: %s\n", bad[i]);
        assert_false(parses(bad[i], &h));
    }
}

static void types_that_numpy_never_writes_are_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {
        HEADER("'f8,O'", "(1,)"),     HEADER("'3O,'", "(1,)"), HEADER("'object'", "(1,)"),
        HEADER("'(2,)O'", "(1,)"),    HEADER("'<f'", "(1,)"),  HEADER("' |O'", "(1,)"),
        HEADER("'<M8[ns]x'", "(1,)"), HEADER("''", "(1,)"),    HEADER("'<M8[ns'", "(1,)"),
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        tut_npy_header h;
        assert_true(parses(odd[i], &h));
        assert_true(h.is_odd);
    }
}

static void nesting_and_products_are_bounded(void **state)
{
    (void)state;
    tut_npy_header h;
    uint64_t bytes = 0;
    TUT_CLEAN(tut_buf) deep = TUT_BUF_INIT;
    tut_buf_add_z(&deep, "{'descr': ");
    for (int i = 0; i < 5000; i++)
        tut_buf_add_z(&deep, "[('a', ");
    assert_int_equal(tut_npy_header_parse(tut_buf_str(&deep), &h, NULL).code, TUT_LIMIT);
    assert_true(parses(HEADER("'<f8'", "(4294967296, 4294967296)"), &h));
    assert_false(tut_npy_header_bytes(&h, &bytes));
    assert_true(parses(HEADER("'<f8'", "(2305843009213693952,)"), &h));
    assert_false(tut_npy_header_bytes(&h, &bytes));
    assert_true(parses(HEADER("'|V9223372036854775807'", "(3,)"), &h));
}

static void add_array(tut_buf *b, const char *header, const void *data, size_t len)
{
    tut_buf_add(b, "\x93NUMPY\1\0", 8);
    size_t n = strlen(header);
    tut_buf_add_byte(b, (uint8_t)n);
    tut_buf_add_byte(b, (uint8_t)(n >> 8));
    tut_buf_add_z(b, header);
    tut_buf_add(b, data, len);
}

static const char *examine(exam_recorder *r, const tut_buf *b, size_t len)
{
    tut_source s = tut_source_memory(tut_span_of(b->data, len));
    return recorder_examine(r, "a.npy", &s, true);
}

static void a_sound_array_is_silent_and_a_cut_one_never(void **state)
{
    (void)state;
    static const uint8_t zeros[48];
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    exam_recorder r;
    add_array(&b, HEADER("'<f8'", "(2, 3)"), zeros, 48);
    const char *log = examine(&r, &b, b.len);
    assert_false(recorder_has(log, "rule "));
    assert_false(recorder_has(log, "status "));
    assert_true(recorder_has(log, "fact numpy.dtype='<f8' "));
    assert_true(recorder_has(log, "fact numpy.shape=(2, 3) "));
    recorder_done(&r);
    for (size_t cut = 6; cut < b.len; cut++) {
        log = examine(&r, &b, cut);
        assert_true(recorder_has(log, "status "));
        recorder_done(&r);
    }
    size_t whole = b.len;
    add_array(&b, HEADER("'<f8'", "(1,)"), zeros, 8);
    assert_false(recorder_has(examine(&r, &b, b.len), "rule ")); /* np.save appended twice */
    recorder_done(&r);
    assert_true(recorder_has(examine(&r, &b, whole + 3), "rule numpy.trailing-data "));
    recorder_done(&r);
}

static void flipped_bits_are_harmless(void **state)
{
    (void)state;
    static const uint8_t zeros[48];
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    add_array(&b, HEADER("[('a', '<f8', (2,)), ('b', '|O')]", "(2, 3)"), zeros, 48);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        exam_recorder r;
        b.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        (void)examine(&r, &b, b.len);
        assert_int_equal(r.budget.heap_left, TUT_LIMIT_HEAP_BYTES);
        recorder_done(&r);
        b.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void objects_are_handed_on_as_a_member(void **state)
{
    (void)state;
    static const char *const types[] = {HEADER("'|O'", "(1,)"), HEADER("'f8,O'", "(1,)"),
                                        HEADER("[('x', [('y', '|O')])]", "(1,)")};
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
        exam_recorder r;
        add_array(&b, types[i], "\x80\2}.", 4);
        assert_true(recorder_has(examine(&r, &b, b.len), "member a.npy!/[objects] "));
        recorder_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_numpy_writes_parses),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(types_that_numpy_never_writes_are_odd),
        cmocka_unit_test(nesting_and_products_are_bounded),
        cmocka_unit_test(a_sound_array_is_silent_and_a_cut_one_never),
        cmocka_unit_test(flipped_bits_are_harmless),
        cmocka_unit_test(objects_are_handed_on_as_a_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
