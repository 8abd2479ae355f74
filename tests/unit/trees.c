/* Models of trees and tables: their parsers over seeds, and what only a unit test can look at. */
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
#include "formats/key_stack.h"
#include "formats/rds.h"
#include "formats/ubj_pull.h"
#include "formats/xml.h"
#include "memcheck.h"

typedef struct seed {
    uint8_t bytes[16384];
    size_t len;
    const char *format;
} seed;

static const struct {
    const char *folder, *format;
} targets[] = {
    {"ubjson", "xgboost-ubj"},
    {"xgboost_json", "xgboost-json"},
    {"xgboost_binary", "xgboost-binary"},
    {"lightgbm", "lightgbm"},
    {"catboost", "catboost"},
    {"msgpack", "msgpack"},
    {"rds", "r"},
    {"pmml", "pmml"},
    {"openvino", "openvino"},
    {"sentencepiece", "sentencepiece"},
};

static bool load(const char *folder, const char *name, seed *s)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "tests/fuzz/seeds/%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (name[0] == '.' || !f)
        return false;
    s->len = fread(s->bytes, 1, sizeof(s->bytes), f);
    fclose(f);
    assert_in_range(s->len, 2, sizeof(s->bytes) - 1);
    return true;
}

/* A copy of its own size, so that a checker of memory sees what lies behind. */
static tut_status examine(const seed *s, size_t len, exam_recorder *r)
{
    const tut_format *f = tut_format_by_name(s->format);
    uint8_t *copy = malloc(len ? len : 1);
    TUT_AUTO(tut_stream) stream = NULL;
    assert_non_null(f);
    assert_non_null(copy);
    memcpy(copy, s->bytes, len);
    tut_source source = tut_source_memory(tut_span_of(copy, len));
    *r = (exam_recorder){.content = true, .sniffs_only = true};
    tut_budget_init(&r->budget);
    tut_error err = {0};
    tut_status status = tut_stream_open_source(&source, &stream);
    if (tut_is_ok(status)) {
        tut_exam x = {.stream = stream,
                      .source = &source,
                      .size = len,
                      .name = TUT_LIT("seed.xml"),
                      .budget = &r->budget,
                      .content = true,
                      .ops = &recorder_ops,
                      .ctx = r};
        status = f->examine(&x, &err);
    }
    free(copy);
    return status;
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
            s->format = targets[i].format;
            if (!load(targets[i].folder, e->d_name, s))
                continue;
            visit(s);
            count++;
        }
        closedir(d);
    }
    assert_in_range(count, 20, 1000);
    free(s);
}

/* A model that lost its end is never passed in silence; trailing white space, and what LightGBM and
 * XGBoost have behind the trees, may be lacking, the parts of CatBoost are not read,
 * and protobuf may end behind any field. */
static void cut_anywhere(seed *s)
{
    bool has_optional_end = strcmp(s->format, "lightgbm") == 0 ||
                            strcmp(s->format, "catboost") == 0 ||
                            strcmp(s->format, "sentencepiece") == 0 ||
                            strcmp(s->format, "xgboost-json") == 0;
    for (size_t len = 0; len < s->len; len += 3 * memcheck_step(13)) {
        exam_recorder r;
        tut_status status = examine(s, len, &r);
        const char *log = tut_buf_z(&r.log);
        assert_int_not_equal(status.code, TUT_BUG);
        bool is_silent = tut_is_ok(status) && (!log || !recorder_has(log, "rule "));
        if (is_silent && !has_optional_end && len + 2 < s->len)
            fail_msg("%s: silent after %zu of %zu bytes", s->format, len, s->len);
        recorder_done(&r);
    }
}

static void seeds_cut_anywhere_are_not_silent(void **state)
{
    (void)state;
    for_each_seed(cut_anywhere);
}

static void flip_bits(seed *s)
{
    for (size_t bit = 0; bit < s->len * 8; bit += 31 * memcheck_step(11)) {
        exam_recorder r;
        s->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(examine(s, s->len, &r).code, TUT_BUG);
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
    for (unsigned n = 1; n < 60; n++) {
        exam_recorder r;
        tut_alloc_fail_after(n);
        tut_status status = examine(s, s->len, &r);
        tut_alloc_fail_after(0);
        assert_int_not_equal(status.code, TUT_BUG);
        assert_int_equal(r.budget.heap_left, fresh.heap_left);
        recorder_done(&r);
    }
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    for_each_seed(fail_allocations);
}

/* --- UBJSON --- */
static void typed_and_counted_arrays_give_their_values(void **state)
{
    (void)state;
    static const uint8_t text[] = "{U\x01"
                                  "a[$U#U\x02\x07\xff"
                                  "NU\x01"
                                  "b{#i\x01U\x01"
                                  "cZ}";
    static const tut_json_token due[] = {
        TUT_TOKEN_OBJECT, TUT_TOKEN_KEY,       TUT_TOKEN_ARRAY,      TUT_TOKEN_NUMBER,
        TUT_TOKEN_NUMBER, TUT_TOKEN_ARRAY_END, TUT_TOKEN_KEY,        TUT_TOKEN_OBJECT,
        TUT_TOKEN_KEY,    TUT_TOKEN_NULL,      TUT_TOKEN_OBJECT_END, TUT_TOKEN_OBJECT_END,
        TUT_TOKEN_END};
    tut_source source = tut_source_memory(tut_span_of(text, sizeof(text) - 1));
    TUT_AUTO(tut_stream) stream = NULL;
    assert_true(tut_is_ok(tut_stream_open_source(&source, &stream)));
    tut_ubj_pull p;
    tut_ubj_pull_init(&p, stream, source.size);
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
        tut_json_token token;
        assert_true(tut_is_ok(tut_ubj_pull_next(&p, &token, NULL)));
        assert_int_equal(token, due[i]);
        sum += token == TUT_TOKEN_NUMBER && p.is_integer ? p.integer : 0;
    }
    assert_int_equal(sum, 7 + 255);
    tut_ubj_pull_done(&p);
}

static void integers_keep_their_sign(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        int64_t value;
    } rows[] = {{"i\xff", 2, -1},
                {"U\xff", 2, 255},
                {"I\x80\x00", 3, -32768},
                {"l\xff\xff\xff\xfe", 5, -2},
                {"L\x7f\xff\xff\xff\xff\xff\xff\xff", 9, INT64_MAX}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tut_source source = tut_source_memory(tut_span_of(rows[i].bytes, rows[i].len));
        TUT_AUTO(tut_stream) stream = NULL;
        assert_true(tut_is_ok(tut_stream_open_source(&source, &stream)));
        tut_ubj_pull p;
        tut_json_token token;
        tut_ubj_pull_init(&p, stream, source.size);
        assert_true(tut_is_ok(tut_ubj_pull_next(&p, &token, NULL)));
        assert_true(p.is_integer && p.integer == rows[i].value);
        tut_ubj_pull_done(&p);
    }
}

static void keys_count_in_their_own_object_only(void **state)
{
    (void)state;
    tut_budget budget;
    tut_key_stack k;
    tut_budget_init(&budget);
    tut_key_stack_init(&k, &budget);
    tut_key_stack_open(&k);
    assert_true(tut_is_ok(tut_key_stack_add(&k, 1, NULL)));
    tut_key_stack_open(&k);
    assert_true(tut_is_ok(tut_key_stack_add(&k, 1, NULL)));
    assert_int_equal(tut_key_stack_close(&k), 0);
    assert_true(tut_is_ok(tut_key_stack_add(&k, 2, NULL)));
    assert_true(tut_is_ok(tut_key_stack_add(&k, 1, NULL)));
    assert_int_equal(tut_key_stack_close(&k), 1);
    tut_key_stack_done(&k);
}

/* --- R --- */
static void names_that_reach_out_of_r_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tut_rds_name means;
    } rows[] = {{"system", TUT_RDS_EXECUTES},
                {"system2", TUT_RDS_EXECUTES},
                {"shell", TUT_RDS_EXECUTES},
                {"shell.exec", TUT_RDS_EXECUTES},
                {"pipe", TUT_RDS_EXECUTES},
                {"dyn.load", TUT_RDS_EXECUTES},
                {"sourceCpp", TUT_RDS_EXECUTES},
                {"source_python", TUT_RDS_EXECUTES},
                {"cppFunction", TUT_RDS_EXECUTES},
                {"install.packages", TUT_RDS_EXECUTES},
                {"exec_wait", TUT_RDS_EXECUTES},
                {"library.dynam", TUT_RDS_EXECUTES},
                {"download.file", TUT_RDS_NETWORK},
                {"socketConnection", TUT_RDS_NETWORK},
                {"url", TUT_RDS_NETWORK},
                {"browseURL", TUT_RDS_NETWORK},
                {"source", TUT_RDS_LOADS},
                {"sys.source", TUT_RDS_LOADS},
                {"readRDS", TUT_RDS_LOADS},
                {"load", TUT_RDS_LOADS},
                {"unserialize", TUT_RDS_LOADS},
                {"unlink", TUT_RDS_DELETES},
                {"file.remove", TUT_RDS_DELETES},
                {"reg.finalizer", TUT_RDS_DEFERS},
                {"makeActiveBinding", TUT_RDS_DEFERS},
                {"delayedAssign", TUT_RDS_DEFERS},
                {"eval", TUT_RDS_EVAL},
                {"evalq", TUT_RDS_EVAL},
                {"parse", TUT_RDS_PARSE},
                {"str2lang", TUT_RDS_PARSE},
                {"do.call", TUT_RDS_INDIRECT},
                {"get", TUT_RDS_INDIRECT},
                {"Map", TUT_RDS_INDIRECT},
                {"vapply", TUT_RDS_INDIRECT},
                {"::", TUT_RDS_COLONS},
                {":::", TUT_RDS_COLONS},
                {".First", TUT_RDS_STARTUP},
                {".Last", TUT_RDS_STARTUP},
                {"print", TUT_RDS_COMMON},
                {"wrap_string", TUT_RDS_ALTREP},
                {"compact_intseq", TUT_RDS_ALTREP},
                {"mmap_real", TUT_RDS_ALTREP_FILE},
                {"lm", TUT_RDS_PLAIN},
                {"systems", TUT_RDS_PLAIN},
                {"", TUT_RDS_PLAIN}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tut_rds_name_of(tut_str_of(rows[i].name)) != rows[i].means)
            fail_msg("%s is taken for another", rows[i].name);
}

/* --- XML --- */
static bool root_is(const char *bytes, size_t len, const char *name)
{
    char root[32] = "";
    tut_sniff s = {.head = tut_span_of(bytes, len), .size = len};
    return tut_xml_root(&s, root, sizeof(root)) && strcmp(root, name) == 0;
}

static void root_is_found_behind_what_may_stand_before_it(void **state)
{
    (void)state;
    static const char *const documents[] = {"<net name='x'>",
                                            "  <net>",
                                            "<?xml version='1.0'?>\n<net>",
                                            "<!-- <a> --><net>",
                                            "<!DOCTYPE net [<!ENTITY a '>'>]><net>",
                                            "<!DOCTYPE net SYSTEM 'x'><net/>",
                                            "<p:net>",
                                            "\xef\xbb\xbf<net>"};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        if (!root_is(documents[i], strlen(documents[i]), "net"))
            fail_msg("not found: %s", documents[i]);
    assert_true(root_is("\xff\xfe<\0n\0e\0t\0>\0", 12, "net"));
    assert_true(root_is("\xfe\xff\0<\0n\0e\0t\0>", 12, "net"));
    assert_false(root_is("net", 3, "net"));
    assert_false(root_is("<!-- <net>", 10, "net"));
    assert_false(root_is("<", 1, ""));
}

static void functions_of_pmml_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"+",
                                        "-",
                                        "*",
                                        "/",
                                        "min",
                                        "max",
                                        "sum",
                                        "avg",
                                        "median",
                                        "product",
                                        "log10",
                                        "ln",
                                        "sqrt",
                                        "abs",
                                        "exp",
                                        "pow",
                                        "threshold",
                                        "floor",
                                        "ceil",
                                        "round",
                                        "isMissing",
                                        "isNotMissing",
                                        "isValid",
                                        "isNotValid",
                                        "equal",
                                        "notEqual",
                                        "lessThan",
                                        "lessOrEqual",
                                        "greaterThan",
                                        "greaterOrEqual",
                                        "and",
                                        "or",
                                        "not",
                                        "isIn",
                                        "isNotIn",
                                        "if",
                                        "uppercase",
                                        "lowercase",
                                        "stringLength",
                                        "substring",
                                        "trimBlanks",
                                        "concat",
                                        "replace",
                                        "matches",
                                        "formatNumber",
                                        "formatDatetime",
                                        "dateDaysSinceYear",
                                        "dateSecondsSinceYear",
                                        "dateSecondsSinceMidnight",
                                        "expm1",
                                        "hypot",
                                        "ln1p",
                                        "rint",
                                        "sin",
                                        "asin",
                                        "sinh",
                                        "cos",
                                        "acos",
                                        "cosh",
                                        "tan",
                                        "atan",
                                        "tanh",
                                        "modulo",
                                        "normalCDF",
                                        "normalIDF",
                                        "normalPDF",
                                        "stdNormalCDF",
                                        "stdNormalIDF",
                                        "stdNormalPDF",
                                        "erf"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[256];
        exam_recorder r;
        (void)snprintf(text, sizeof(text),
                       "<PMML version='4.4'><Apply function='%s'><FieldRef/></Apply></PMML>",
                       names[i]);
        tut_source s = tut_source_memory(tut_span_of(text, strlen(text)));
        const char *log = recorder_examine(&r, "x.pmml", &s, true);
        if (recorder_has(log, "rule "))
            fail_msg("%s", log);
        recorder_done(&r);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_cut_anywhere_are_not_silent),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(failing_allocations_are_survived),
        cmocka_unit_test(typed_and_counted_arrays_give_their_values),
        cmocka_unit_test(integers_keep_their_sign),
        cmocka_unit_test(keys_count_in_their_own_object_only),
        cmocka_unit_test(names_that_reach_out_of_r_are_known),
        cmocka_unit_test(root_is_found_behind_what_may_stand_before_it),
        cmocka_unit_test(functions_of_pmml_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
