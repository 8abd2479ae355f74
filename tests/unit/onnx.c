/* ONNX: recognised without magic, walked without recursion, measured against its shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "exam_recorder.h"

static void put_varint(tut_buf *b, uint64_t value)
{
    for (; value > 127; value >>= 7)
        tut_buf_add_byte(b, (uint8_t)(value | 128));
    tut_buf_add_byte(b, (uint8_t)value);
}

static void put_number(tut_buf *b, unsigned field, uint64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, value);
}

static void put_bytes(tut_buf *b, unsigned field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    tut_buf_add(b, data, len);
}

static void put_z(tut_buf *b, unsigned field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

static void put_message(tut_buf *b, unsigned field, tut_buf *message)
{
    put_bytes(b, field, message->data, message->len);
    tut_buf_done(message);
}

/* A tensor of four floats, with `raw` bytes of data (0: none) or with its data at `location`. */
static tut_buf tensor(size_t raw, const char *location)
{
    static const uint8_t bytes[64] = {1, 2, 3};
    tut_buf t = TUT_BUF_INIT, entry = TUT_BUF_INIT;
    put_number(&t, 1, 4);
    put_number(&t, 2, 1);
    put_z(&t, 8, "w");
    if (raw)
        put_bytes(&t, 9, bytes, raw);
    if (location) {
        put_z(&entry, 1, "location");
        put_z(&entry, 2, location);
        put_message(&t, 13, &entry);
        put_number(&t, 14, 1);
    }
    return t;
}

static tut_buf graph(const char *domain, tut_buf t)
{
    tut_buf g = TUT_BUF_INIT, node = TUT_BUF_INIT;
    put_z(&node, 1, "x");
    put_z(&node, 2, "y");
    put_z(&node, 4, "Add");
    if (domain)
        put_z(&node, 7, domain);
    put_message(&g, 1, &node);
    put_z(&g, 2, "g");
    put_message(&g, 5, &t);
    return g;
}

static tut_buf model(tut_buf g)
{
    tut_buf m = TUT_BUF_INIT, opset = TUT_BUF_INIT;
    put_number(&m, 1, 8);
    put_z(&m, 2, "test");
    put_message(&m, 7, &g);
    put_number(&opset, 2, 17);
    put_message(&m, 8, &opset);
    return m;
}

static void expect(tut_buf m, const char *wanted)
{
    exam_recorder r;
    tut_source s = tut_source_memory(tut_buf_span(&m));
    const char *log = recorder_examine(&r, "m.onnx", &s, true);
    if (!recorder_has(log, wanted))
        fail_msg("no \"%s\" in\n%s", wanted, log);
    recorder_done(&r);
    tut_buf_done(&m);
}

static void valid_model_is_silent_and_gives_its_facts(void **state)
{
    (void)state;
    tut_buf m = model(graph(NULL, tensor(16, NULL)));
    exam_recorder r;
    tut_source s = tut_source_memory(tut_buf_span(&m));
    const char *log = recorder_examine(&r, "m.onnx", &s, true);
    assert_true(recorder_has(log, "member m.onnx onnx"));
    assert_false(recorder_has(log, "rule "));
    assert_false(recorder_has(log, "status "));
    assert_true(recorder_has(log, "fact onnx.ir=8 "));
    assert_true(recorder_has(log, "fact onnx.producer=test "));
    assert_true(recorder_has(log, "fact onnx.opset=17 "));
    assert_true(recorder_has(log, "fact onnx.nodes=1 "));
    assert_true(recorder_has(log, "fact onnx.ops=Add 1 "));
    assert_true(recorder_has(log, "fact parameters=4 "));
    recorder_done(&r);
    tut_buf_done(&m);
}

static void lies_are_told(void **state)
{
    (void)state;
    expect(model(graph(NULL, tensor(12, NULL))), "rule onnx.tensor-size");
    expect(model(graph(NULL, tensor(0, NULL))), "rule onnx.tensor-size");
    expect(model(graph("ai.onnx.ml", tensor(16, NULL))), "rule onnx.undeclared-domain");
    expect(model(graph(NULL, tensor(0, "a/../../b"))), "rule onnx.external-path");
    expect(model(graph(NULL, tensor(0, "w.bin"))), "rule onnx.external-missing");
    expect(model(graph(NULL, tensor(16, "w.bin"))), "rule onnx.two-values");
    tut_buf twice = model(graph(NULL, tensor(16, NULL))), g = graph(NULL, tensor(16, NULL));
    put_message(&twice, 7, &g);
    expect(twice, "rule onnx.duplicate-field");
    tut_buf wire = model(graph(NULL, tensor(16, NULL)));
    put_number(&wire, 3, 1);
    expect(wire, "rule onnx.wrong-wire-type");
    tut_buf unknown = model(graph(NULL, tensor(16, NULL)));
    tut_buf large = TUT_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        tut_buf_add_byte(&large, 'u');
    put_message(&unknown, 200, &large);
    expect(unknown, "rule onnx.unknown-field");
}

/* Graph in attribute in node in graph ...: deeper than protobuf goes. */
static void nesting_ends_at_a_limit(void **state)
{
    (void)state;
    tut_buf g = graph(NULL, tensor(16, NULL));
    for (int i = 0; i < 200; i++) {
        tut_buf attribute = TUT_BUF_INIT, node = TUT_BUF_INIT, outer = TUT_BUF_INIT;
        put_message(&attribute, 6, &g);
        put_message(&node, 5, &attribute);
        put_message(&outer, 1, &node);
        g = outer;
    }
    expect(model(g), "rule onnx.nesting");
}

static void other_files_are_no_onnx(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x80\x04\x95\x0b\0\0\0\0\0\0\0}.", 13},
        {"\x08\x07", 2},
        {"\x08\x07plain text behind it", 22},
        {"{\"a\": 1}", 8},
        {":graph", 6},
        {"\x08\x63\x3a\x00", 4},
        {"\x0a\x03"
         "abc\x12\x04"
         "defg",
         11},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tut_sniff s = {.head = tut_span_of(rows[i].bytes, rows[i].len),
                       .size = rows[i].len,
                       .name = TUT_LIT("file")};
        const tut_format *f = tut_format_by_name("onnx");
        assert_non_null(f);
        assert_int_equal(f->sniff(&s), TUT_MATCH_NONE);
    }
}

static void file_cut_anywhere_is_never_taken_for_whole(void **state)
{
    (void)state;
    tut_buf m = model(graph(NULL, tensor(16, NULL)));
    for (size_t len = 4; len < m.len; len++) {
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, m.data, len);
        tut_source s = tut_source_memory(tut_span_of(copy, len));
        exam_recorder r;
        const char *log = recorder_examine(&r, "m.onnx", &s, true);
        bool is_silent = !recorder_has(log, "rule ") && !recorder_has(log, "status ");
        if (is_silent && recorder_has(log, "m.onnx onnx"))
            fail_msg("clean after %zu of %zu bytes", len, m.len);
        recorder_done(&r);
        free(copy);
    }
    tut_buf_done(&m);
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    tut_buf m = model(graph(NULL, tensor(16, "w.bin")));
    for (size_t bit = 0; bit < m.len * 8; bit++) {
        exam_recorder r;
        tut_source s = tut_source_memory(tut_buf_span(&m));
        m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_non_null(recorder_examine(&r, "m.onnx", &s, true));
        recorder_done(&r);
        m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tut_buf_done(&m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_model_is_silent_and_gives_its_facts),
        cmocka_unit_test(lies_are_told),
        cmocka_unit_test(nesting_ends_at_a_limit),
        cmocka_unit_test(other_files_are_no_onnx),
        cmocka_unit_test(file_cut_anywhere_is_never_taken_for_whole),
        cmocka_unit_test(flipped_bits_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
