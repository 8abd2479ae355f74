/* safetensors: what the reference writes is clean, every lie of a header is told, and reading stays
 * inside whatever bytes there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "exam_recorder.h"
#include "formats/payload.h"
#include "formats/relpath.h"

static void put(tut_buf *b, const char *header, size_t data_bytes)
{
    tut_buf_add_u64le(b, strlen(header));
    tut_buf_add_z(b, header);
    for (size_t i = 0; i < data_bytes; i++)
        tut_buf_add_byte(b, (uint8_t)(i * 37 + 11));
}

static const char valid[] = "{\"__metadata__\":{\"format\":\"pt\",\"license\":\"mit\"},"
                            "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                            "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}   ";

/* The log of these bytes; freed by recorder_done. */
static const char *examine(exam_recorder *r, const tut_buf *b)
{
    tut_source s = tut_source_memory(tut_buf_span(b));
    return recorder_examine(r, "x.safetensors", &s, true);
}

static void expect(const char *header, size_t data_bytes, const char *rule)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    exam_recorder r;
    put(&b, header, data_bytes);
    const char *log = examine(&r, &b);
    char line[96];
    (void)snprintf(line, sizeof(line), "rule %s x.safetensors", rule);
    if (!recorder_has(log, line))
        fail_msg("%s is not told of: %s\n%s", rule, header, log);
    recorder_done(&r);
}

static void valid_file_is_silent_and_gives_its_facts(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    exam_recorder r;
    put(&b, valid, 32);
    const char *log = examine(&r, &b);
    assert_false(recorder_has(log, "rule "));
    assert_false(recorder_has(log, "status "));
    assert_true(recorder_has(log, "member x.safetensors safetensors"));
    assert_true(recorder_has(log, "fact safetensors.tensors=2 "));
    assert_true(recorder_has(log, "fact parameters=10 "));
    assert_true(recorder_has(log, "fact safetensors.dtypes=F32 1, BF16 1 "));
    assert_true(recorder_has(log, "fact safetensors.format=pt "));
    assert_true(recorder_has(log, "fact licence=mit "));
    recorder_done(&r);
}

static void lies_of_the_header_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *rule;
    } rows[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "safetensors.duplicate-key"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}", 4,
         "safetensors.shape-overflow"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4,
         "safetensors.bad-offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[18446744073709551616,4]}}", 4,
         "safetensors.bad-offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4,
         "safetensors.bad-offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5,
         "safetensors.trailing-data"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12,
         "safetensors.hole"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "safetensors.overlap"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}", 4,
         "safetensors.out-of-range"},
        {"{\"a\":{\"dtype\":\"I7\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "safetensors.unknown-dtype"},
        {"{\"__metadata__\":{\"a\":null}}", 0, "safetensors.bad-metadata"},
        {"{\"__metadata__\":{\"a\":\"\\ud800x\"},}", 0, "safetensors.bad-header"},
        {"{\"a\":5}", 0, "safetensors.bad-entry"},
        {"{\"__metadata__\":{\"a\":\"import os; os.system(1)\"}}", 0, "data.code-in-text"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(rows[i].header, rows[i].data, rows[i].rule);
}

static void file_cut_anywhere_is_never_clean(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    put(&b, valid, 32);
    for (size_t len = 0; len < b.len; len++) {
        /* of its own size, so that a checker of memory sees what lies behind */
        uint8_t *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, b.data, len);
        tut_source s = tut_source_memory(tut_span_of(copy, len));
        exam_recorder r;
        const char *log = recorder_examine(&r, "x.safetensors", &s, true);
        bool is_silent = !recorder_has(log, "rule ") && !recorder_has(log, "status ");
        if (is_silent && recorder_has(log, "safetensors safetensors"))
            fail_msg("clean after %zu of %zu bytes", len, b.len);
        recorder_done(&r);
        free(copy);
    }
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    put(&b, valid, 32);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        exam_recorder r;
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_non_null(examine(&r, &b));
        recorder_done(&r);
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void header_of_claims_costs_no_memory(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    exam_recorder r;
    tut_buf_add_u64le(&b, UINT64_MAX / 2);
    tut_buf_add_z(&b, "{\"dtype\"");
    assert_true(recorder_has(examine(&r, &b), "rule safetensors.header-length"));
    recorder_done(&r);
}

static void nesting_ends_at_a_limit(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) header = TUT_BUF_INIT;
    tut_buf_add_z(&header, "{\"a\":");
    for (int i = 0; i < 100000; i++)
        tut_buf_add_byte(&header, '[');
    expect(tut_buf_z(&header), 0, "safetensors.header-depth");
}

static void magic_alone_is_no_payload(void **state)
{
    (void)state;
    static const uint8_t mz[64] = {'M', 'Z', 1, 2, 3};
    static const uint8_t elf[64] = {0x7f, 'E', 'L', 'F', 9, 9, 9};
    static const uint8_t program[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0,
                                        0,    0,   0,   0,   0, 0, 2, 0, 62};
    assert_null(tut_payload_name(tut_span_of(mz, sizeof(mz))));
    assert_null(tut_payload_name(tut_span_of(elf, sizeof(elf))));
    assert_string_equal(tut_payload_name(tut_span_of(program, sizeof(program))), "an ELF program");
    assert_null(tut_payload_name(tut_span_of(program, 10)));
}

static void unsafe_paths_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "/a",     "../a",  "a/../b", "a/..", "C:x",    "c:/x",
                                      "a\\b", "file:a", "x://y", "~/a",    "a\nb", "$HOME/a"};
    static const char *const good[] = {"a",    "a.bin",   "a/b.data",   "..a",
                                       "a..b", "a/..b/c", "model 1.bin"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!tut_relpath_unsafe(tut_str_of(bad[i])))
            fail_msg("%s passes", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (tut_relpath_unsafe(tut_str_of(good[i])))
            fail_msg("%s %s", good[i], tut_relpath_unsafe(tut_str_of(good[i])));
    assert_non_null(tut_relpath_unsafe(TUT_LIT("a\0b")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_file_is_silent_and_gives_its_facts),
        cmocka_unit_test(lies_of_the_header_are_told),
        cmocka_unit_test(file_cut_anywhere_is_never_clean),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(header_of_claims_costs_no_memory),
        cmocka_unit_test(nesting_ends_at_a_limit),
        cmocka_unit_test(magic_alone_is_no_payload),
        cmocka_unit_test(unsafe_paths_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
