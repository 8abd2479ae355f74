/* HDF5 and Keras: a sound file is silent, a broken one never is; what code uses is listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "exam_recorder.h"
#include "formats/keras_text.h"
#include "formats/marshal.h"

/* A group with a dataset of three floats "w", a string "v" in a global heap, and the attribute
 * keras_version, as tests/corpus/hdf5_writer.py makes it:
 *   w = f.contiguous(struct.pack("<3f", 1, 2, 3), F32, (3,))
 *   v = f.compact(f.vlen([b"ab"]), VLEN_TEXT, (1,))
 *   f.root = f.group({"w": w, "v": v}, {"keras_version": text("3")}) */
static const struct piece {
    const char *bytes; /* NULL: zeros */
    size_t len;
} pieces[] = {
    {"\x89\x48\x44\x46\x0d\x0a\x1a\x0a\x02\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff"
     "\xff\xff\xff\xff\xff\xff\xff\x52\x11\x00\x00\x00\x00\x00\x00\xe0\x10\x00\x00\x00\x00"
     "\x00\x00\x94\x0d\xd0\xce\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x00"
     "\x00\x4f\x48\x44\x52\x02\x02\x3e\x00\x00\x00\x01\x0c\x00\x00\x02\x01\x00\x01\x03\x00"
     "\x00\x00\x00\x00\x00\x00\x03\x14\x00\x00\x11\x20\x1f\x00\x04\x00\x00\x00\x00\x00\x20"
     "\x00\x17\x08\x00\x17\x7f\x00\x00\x00\x08\x12\x00\x00\x03\x01\x30\x00\x00\x00\x00\x00"
     "\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\xad\x00\x59\xf4\x00\x00\x00\x00\x47\x43\x4f"
     "\x4c\x01\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00"
     "\x02\x00\x00\x00\x00\x00\x00\x00\x61\x62\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
     "\x00\x00\x00\xd8\x0f",
     194},
    {NULL, 4046},
    {"\x4f\x48\x44\x52\x02\x02\x3c\x00\x00\x00\x01\x0c\x00\x00\x02\x01\x00\x01\x01\x00\x00"
     "\x00\x00\x00\x00\x00\x03\x10\x00\x00\x19\x01\x00\x00\x10\x00\x00\x00\x13\x00\x00\x00"
     "\x01\x00\x00\x00\x08\x14\x00\x00\x03\x00\x10\x00\x02\x00\x00\x00\x90\x00\x00\x00\x00"
     "\x00\x00\x00\x01\x00\x00\x00\x93\xea\xd9\xf2\x00\x00\x00\x00\x00\x00\x4f\x48\x44\x52"
     "\x02\x02\x64\x00\x00\x00\x02\x12\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"
     "\xff\xff\xff\xff\xff\xff\xff\x0a\x02\x00\x00\x00\x00\x06\x0c\x00\x00\x01\x00\x01\x77"
     "\x40\x00\x00\x00\x00\x00\x00\x00\x06\x0c\x00\x00\x01\x00\x01\x76\x90\x10\x00\x00\x00"
     "\x00\x00\x00\x0c\x24\x00\x00\x03\x00\x0e\x00\x08\x00\x04\x00\x00\x6b\x65\x72\x61\x73"
     "\x5f\x76\x65\x72\x73\x69\x6f\x6e\x00\x13\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
     "\x33\x28\x77\xf0\xd0",
     194},
};

static void put_sample(tut_buf *b)
{
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        for (size_t k = 0; k < pieces[i].len; k++)
            tut_buf_add_byte(b, pieces[i].bytes ? (uint8_t)pieces[i].bytes[k] : 0);
}

static const char *examine(exam_recorder *r, const uint8_t *data, size_t len)
{
    tut_source s = tut_source_memory(tut_span_of(data, len));
    return recorder_examine(r, "m.h5", &s, true);
}

static void a_sound_file_is_silent(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    exam_recorder r;
    put_sample(&b);
    const char *log = examine(&r, b.data, b.len);
    assert_false(recorder_has(log, "rule "));
    assert_false(recorder_has(log, "status "));
    assert_true(recorder_has(log, "fact hdf5.objects=3 "));
    assert_true(recorder_has(log, "fact hdf5.datasets=2 "));
    assert_true(recorder_has(log, "fact keras.version=3 "));
    assert_true(recorder_has(log, "fact parameters=3 "));
    recorder_done(&r);
}

static void a_file_cut_anywhere_is_never_clean(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    put_sample(&b);
    for (size_t len = 9; len < b.len; len += len < 300 || len + 600 > b.len ? 1 : 97) {
        uint8_t *copy = malloc(len);
        exam_recorder r;
        assert_non_null(copy);
        memcpy(copy, b.data, len);
        if (!recorder_has(examine(&r, copy, len), "status "))
            fail_msg("complete after %zu of %zu bytes", len, b.len);
        recorder_done(&r);
        free(copy);
    }
}

static bool is_in_zeros(size_t byte)
{
    size_t at = 0;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); at += pieces[i++].len)
        if (byte >= at && byte < at + pieces[i].len)
            return !pieces[i].bytes;
    return false;
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    put_sample(&b);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        exam_recorder r;
        if (is_in_zeros(bit / 8))
            continue;
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_non_null(examine(&r, b.data, b.len));
        assert_int_equal(r.budget.heap_left, TUT_LIMIT_HEAP_BYTES);
        recorder_done(&r);
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void memory_that_runs_out_is_an_ordinary_error(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    put_sample(&b);
    for (uint64_t n = 1; n < 60; n++) {
        exam_recorder r;
        tut_alloc_fail_after(n);
        (void)examine(&r, b.data, b.len);
        tut_alloc_fail_after(0);
        assert_int_equal(r.budget.heap_left, TUT_LIMIT_HEAP_BYTES);
        recorder_done(&r);
    }
}

/* --- Keras --- */

static const char lambda_config[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Lambda\", "
    "\"config\": {\"name\": \"l\", \"function\": [\"////\", null, null], \"function_type\": "
    "\"lambda\"}}]}}";

static bool says(const uint8_t *data, size_t len, const char *what)
{
    exam_recorder r;
    tut_source s = tut_source_memory(tut_span_of(data, len));
    bool found = recorder_has(recorder_examine(&r, "m.json", &s, true), what);
    recorder_done(&r);
    return found;
}

static void a_lambda_is_found_in_every_encoding(void **state)
{
    (void)state;
    const size_t len = sizeof(lambda_config) - 1;
    assert_true(says((const uint8_t *)lambda_config, len, "rule keras.lambda-code "));
    for (unsigned width = 2; width <= 4; width += 2)
        for (unsigned big = 0; big < 2; big++) {
            TUT_CLEAN(tut_buf) wide = TUT_BUF_INIT;
            for (size_t i = 0; i < len; i++)
                for (unsigned k = 0; k < width; k++)
                    tut_buf_add_byte(&wide,
                                     k == (big ? width - 1 : 0) ? (uint8_t)lambda_config[i] : 0);
            assert_true(says(wide.data, wide.len, "rule keras.lambda-code "));
            assert_true(says(wide.data, wide.len, "rule keras.odd-encoding "));
        }
}

static void what_only_python_reads_becomes_what_all_read(void **state)
{
    (void)state;
    static const char text[] = "[NaN, -Infinity, \"NaN \\\" Infinity\", \"\\ud800\", "
                               "\"\\ud83d\\ude00\"]";
    static const char wanted[] = "[0.0, -0.000000, \"NaN \\\" Infinity\", \"\\ufffd\", "
                                 "\"\\ud83d\\ude00\"]";
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const char *encoding = NULL;
    tut_keras_text(tut_span_of(text, sizeof(text) - 1), &out, &encoding);
    assert_string_equal(encoding, "UTF-8");
    assert_int_equal(out.len, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.len);
}

/* --- code objects --- */

/* code(["__import__", "system"], ["os", "id"], "3.11") of tests/corpus/keras_tricks.py, and
 * code(["eval"], ["os"], "2.7") with a second name that refers to the first interned text. */
static const uint8_t code_311[] =
    "\xe3\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x43\x00\x00\x00\x73"
    "\x04\x00\x00\x00\x74\x00\x53\x00\x29\x03\x4e\x7a\x02\x6f\x73\x7a\x02\x69\x64\x29\x02\x7a"
    "\x0a\x5f\x5f\x69\x6d\x70\x6f\x72\x74\x5f\x5f\x7a\x06\x73\x79\x73\x74\x65\x6d\x29\x01\x7a"
    "\x01\x78\x73\x01\x00\x00\x00\x26\x7a\x07\x3c\x73\x74\x64\x69\x6e\x3e\x7a\x08\x3c\x6c\x61"
    "\x6d\x62\x64\x61\x3e\x7a\x08\x3c\x6c\x61\x6d\x62\x64\x61\x3e\x01\x00\x00\x00\x73\x00\x00"
    "\x00\x00\x73\x00\x00\x00\x00";
static const uint8_t code_27[] =
    "\x63\x01\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x43\x00\x00\x00\x73\x04\x00\x00\x00"
    "\x74\x00\x53\x00\x28\x02\x00\x00\x00\x4e\x74\x02\x00\x00\x00\x6f\x73\x28\x02\x00\x00\x00"
    "\x74\x04\x00\x00\x00\x65\x76\x61\x6c\x52\x00\x00\x00\x00\x28\x01\x00\x00\x00\x74\x01\x00"
    "\x00\x00\x78\x28\x00\x00\x00\x00\x28\x00\x00\x00\x00\x74\x07\x00\x00\x00\x3c\x73\x74\x64"
    "\x69\x6e\x3e\x74\x08\x00\x00\x00\x3c\x6c\x61\x6d\x62\x64\x61\x3e\x01\x00\x00\x00\x73\x00"
    "\x00\x00\x00";

static void names_and_texts_of_code_are_listed(void **state)
{
    (void)state;
    tut_budget budget;
    tut_marshal_use use;
    tut_budget_init(&budget);
    tut_span old = tut_span_of(code_27, sizeof(code_27) - 1);
    assert_true(tut_marshal_is_code(old));
    assert_true(tut_is_ok(tut_marshal_read(old, &budget, &use, NULL)));
    assert_true(use.is_whole);
    assert_int_equal(use.name_count, 2); /* the second by reference to a text */
    assert_true(tut_str_eq_z(use.names[0], "eval"));
    assert_true(tut_str_eq_z(use.names[1], "os"));
    assert_int_equal(use.text_count, 1);
    tut_span new = tut_span_of(code_311, sizeof(code_311) - 1);
    assert_true(tut_marshal_is_code(new));
    assert_true(tut_is_ok(tut_marshal_read(new, &budget, &use, NULL)));
    assert_true(use.is_whole);
    assert_int_equal(use.name_count, 2);
    assert_int_equal(use.text_count, 2);
    assert_true(tut_str_eq_z(use.texts[1], "id"));
}

static void code_cut_anywhere_is_not_whole(void **state)
{
    (void)state;
    for (size_t len = 1; len + 1 < sizeof(code_27); len++) {
        tut_budget budget;
        tut_marshal_use use;
        tut_budget_init(&budget);
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, code_27, len);
        assert_true(tut_is_ok(tut_marshal_read(tut_span_of(copy, len), &budget, &use, NULL)));
        assert_false(use.is_whole);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_file_is_silent),
        cmocka_unit_test(a_file_cut_anywhere_is_never_clean),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(memory_that_runs_out_is_an_ordinary_error),
        cmocka_unit_test(a_lambda_is_found_in_every_encoding),
        cmocka_unit_test(what_only_python_reads_becomes_what_all_read),
        cmocka_unit_test(names_and_texts_of_code_are_listed),
        cmocka_unit_test(code_cut_anywhere_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
