/* Graph formats: protobuf and FlatBuffers read by tables, over the seeds that their generator made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "exam_recorder.h"
#include "formats/proto.h"
#include "formats/tf_ops.h"
#include "memcheck.h"

typedef struct seed {
    uint8_t bytes[16384];
    size_t len;
    const char *format;
} seed;

/* Seeds of one fuzz target; where several formats share it, the first byte says which. */
typedef struct target {
    const char *folder;
    const char *formats[4];
} target;

static const target targets[] = {
    {"tf", {"tf-saved-model", "tf-graph", "tf-meta-graph", "keras-metadata"}},
    {"tf_checkpoint", {"tf-checkpoint"}},
    {"tflite", {"tflite"}},
    {"executorch", {"executorch"}},
    {"coreml", {"coreml"}},
    {"beside", {"coreml-data", "coreml-weights", "coreml-program", "tf-checkpoint-state"}},
    {"paddle", {"paddle", "paddle-parameters", "caffe"}},
    {"opaque", {"tensorrt"}},
};

static bool load(const target *t, const char *name, seed *s)
{
    char path[512];
    uint8_t raw[sizeof(s->bytes) + 1];
    (void)snprintf(path, sizeof(path), "tests/fuzz/seeds/%s/%s", t->folder, name);
    FILE *f = fopen(path, "rb");
    if (name[0] == '.' || !f)
        return false;
    size_t len = fread(raw, 1, sizeof(raw), f);
    fclose(f);
    bool is_shared = t->formats[1] != NULL;
    assert_in_range(len, 2, sizeof(s->bytes));
    s->format = is_shared ? t->formats[raw[0]] : t->formats[0];
    s->len = len - is_shared;
    memcpy(s->bytes, raw + is_shared, s->len);
    return true;
}

/* What examine() says of these bytes, and how it ended. */
static tut_status examine(const seed *s, exam_recorder *r)
{
    const tut_format *f = tut_format_by_name(s->format);
    tut_source source = tut_source_memory(tut_span_of(s->bytes, s->len));
    TUT_AUTO(tut_stream) stream = NULL;
    *r = (exam_recorder){.content = true, .sniffs_only = true};
    tut_budget_init(&r->budget);
    assert_non_null(f);
    TUT_TRY(tut_stream_open_source(&source, &stream));
    tut_exam x = {.stream = stream,
                  .source = &source,
                  .size = s->len,
                  .name = TUT_LIT("seed.index"),
                  .budget = &r->budget,
                  .content = true,
                  .ops = &recorder_ops,
                  .ctx = r};
    tut_error err = {0};
    return f->examine(&x, &err);
}

static void for_each_seed(void (*visit)(seed *s))
{
    seed *s = malloc(sizeof(*s));
    size_t count = 0;
    assert_non_null(s);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char folder[256];
        (void)snprintf(folder, sizeof(folder), "tests/fuzz/seeds/%s", targets[i].folder);
        DIR *d = opendir(folder);
        assert_non_null(d);
        for (struct dirent *e = readdir(d); e; e = readdir(d)) {
            if (!load(&targets[i], e->d_name, s))
                continue;
            visit(s);
            count++;
        }
        closedir(d);
    }
    assert_in_range(count, 15, 1000);
    free(s);
}

static void cut_anywhere(seed *s)
{
    size_t len = s->len;
    for (size_t n = 0; n < len; n += memcheck_step(37)) {
        exam_recorder r;
        s->len = n;
        tut_status status = examine(s, &r);
        assert_int_not_equal(status.code, TUT_BUG);
        recorder_done(&r);
    }
    s->len = len;
}

static void seeds_cut_anywhere_are_survived(void **state)
{
    (void)state;
    for_each_seed(cut_anywhere);
}

static void flip_bits(seed *s)
{
    for (size_t bit = 0; bit < s->len * 8; bit += (size_t)3 * memcheck_step(101)) {
        exam_recorder r;
        s->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(examine(s, &r).code, TUT_BUG);
        s->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        recorder_done(&r);
    }
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    for_each_seed(flip_bits);
}

/* The heap is charged to the budget and comes back, whichever allocation fails. */
static void fail_allocations(seed *s)
{
    tut_budget fresh;
    tut_budget_init(&fresh);
    for (unsigned n = 1; n < 200; n++) {
        exam_recorder r;
        tut_alloc_fail_after(n);
        tut_status status = examine(s, &r);
        tut_alloc_fail_after(0);
        assert_int_equal(r.budget.heap_left, fresh.heap_left);
        assert_int_not_equal(status.code, TUT_BUG);
        recorder_done(&r);
    }
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    for_each_seed(fail_allocations);
}

static void sniff_is(const char *bytes, size_t len, const char *name, const char *wanted)
{
    tut_sniff s = {.head = tut_span_of(bytes, len),
                   .tail = tut_span_of(bytes, len),
                   .size = len,
                   .name = tut_str_of(name)};
    const tut_format *f = tut_format_detect(&s, NULL);
    assert_string_equal(f ? f->name : "-", wanted);
}

static void other_files_are_no_graphs(void **state)
{
    (void)state;
    sniff_is("\x0a\x03"
             "abc",
             5, "x", "-");
    sniff_is("\x08\x01\x12\x00", 4, "x", "-");
    sniff_is("\x0a\x0a\x0a\x08harmless\x12\x02", 14, "x", "-");
    sniff_is("\x80\x02}q\x00.", 6, "saved_model.pb", "pickle");
    sniff_is("TFL3TFL3TFL3TFL3", 16, "x.tflite", "tflite");
    sniff_is("0000TFL2000000000000", 20, "x", "-");
}

static void message_is_known_by_its_fields(void **state)
{
    (void)state;
    static const tut_proto_field fields[] = {
        {0, 1, TUT_WIRE_LEN, true, TUT_PROTO_ENTER, 1},
        {0, 2, TUT_WIRE_VARINT, false, TUT_PROTO_SKIP, 2},
        {1, 1, TUT_WIRE_LEN, false, TUT_PROTO_TEXT_A, 2},
    };
    static const char *const names[] = {"outer", "inner"};
    static const tut_proto_schema schema = {
        .fields = fields, .count = 3, .names = names, .family = "test"};
    static const struct {
        const char *bytes;
        size_t len, known;
    } rows[] = {
        {"\x0a\x04\x0a\x02hi\x10\x05", 8, 3},    /* both fields, and one inside */
        {"\x0a\x04\x0a\x02hi\x18\x05", 8, 0},    /* a field that is unknown */
        {"\x0a\x04\x0a\x02h\x01\x10\x05", 8, 0}, /* text with a control character */
        {"\x0a\x04\x0a\x07hi\x10\x05", 8, 0},    /* longer than what holds it */
        {"\x0d\x04\x0a\x02hi", 6, 0},            /* another wire type */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tut_sniff s = {.head = tut_span_of(rows[i].bytes, rows[i].len), .size = rows[i].len};
        assert_int_equal(tut_proto_sniff(&schema, 0, &s), rows[i].known);
    }
}

/* Both tables are searched by halves: a row out of order would never be found. */
static void every_operator_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {
#define OP(name) name,
#define EXTENSION(name) name,
#include "formats/tf_ops.def"
#undef OP
#undef EXTENSION
    };
    static const char *const judged[] = {"AsString",
                                         "BigQueryReader",
                                         "EagerPyFunc",
                                         "ReadFile",
                                         "WriteFile",
                                         "RpcCall",
                                         "SaveV2",
                                         "RestoreV2",
                                         "XlaCustomCallV2",
                                         "ImmutableConst",
                                         "TextLineDataset",
                                         "MergeV2Checkpoints",
                                         "LookupTableExportV2",
                                         "PrintV2"};
    bool is_extension = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!tut_tf_op_exists(names[i], &is_extension))
            fail_msg("%s is out of order", names[i]);
    for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
        assert_non_null(tut_tf_op_find(judged[i]));
    assert_false(tut_tf_op_exists("NoSuchOperator", &is_extension));
    assert_null(tut_tf_op_find("MatMul"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_cut_anywhere_are_survived),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(failing_allocations_are_survived),
        cmocka_unit_test(other_files_are_no_graphs),
        cmocka_unit_test(message_is_known_by_its_fields),
        cmocka_unit_test(every_operator_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
