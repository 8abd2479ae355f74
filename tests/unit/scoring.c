/* The example's scoring service: KServe v2 over the committed model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scoring.h"

#define INFER "/v2/models/classifier/infer"
#define INPUT(shape, data)                                                                         \
    "{\"inputs\":[{\"name\":\"applications\",\"datatype\":\"FP32\",\"shape\":" shape               \
    ",\"data\":" data "}]}"

static scoring_model *model;

static int open_model(void **state)
{
    tut_error err = {.code = TUT_OK};
    (void)state;
    tut_status s = scoring_open("examples/credit-scoring/models/classifier.onnx", "classifier",
                                TUT_CAGE_AUTO, &model, &err);
    if (!tut_is_ok(s))
        print_error("%s: %s\n", err.path, err.text);
    return tut_is_ok(s) ? 0 : -1;
}

static int close_model(void **state)
{
    (void)state;
    scoring_model_free(model);
    return 0;
}

static void serve(const char *method, const char *path, const char *body, tut_http_answer *ret)
{
    scoring_serve(model, tut_str_of(method), tut_str_of(path), tut_span_of(body, strlen(body)),
                  ret);
}

static tut_json_doc *ask(const char *method, const char *path, const char *body, int status)
{
    tut_json_doc *doc = NULL;
    tut_http_answer said;
    serve(method, path, body, &said);
    assert_int_equal(said.status, status);
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&said.body), NULL, &doc, NULL)));
    tut_buf_done(&said.body);
    return doc;
}

static double number(const tut_json_value *output, uint32_t i)
{
    return tut_json_real_of(tut_json_item(tut_json_get(output, "data"), i));
}

static void it_says_what_it_takes_and_gives(void **state)
{
    (void)state;
    TUT_AUTO(tut_json_doc) doc = ask("GET", "/v2/models/classifier", "", 200);
    const tut_json_value *root = tut_json_root(doc);
    const tut_json_value *in = tut_json_item(tut_json_get(root, "inputs"), 0);
    const tut_json_value *out = tut_json_item(tut_json_get(root, "outputs"), 0);
    assert_true(tut_str_eq_z(tut_json_get_text(in, "name"), "applications"));
    assert_int_equal(tut_json_item(tut_json_get(in, "shape"), 0)->as.integer, -1);
    assert_int_equal(tut_json_item(tut_json_get(in, "shape"), 1)->as.integer, 5);
    assert_int_equal(tut_json_item(tut_json_get(out, "shape"), 1)->as.integer, 2);
    TUT_AUTO(tut_json_doc) ready = ask("GET", "/v2/models/classifier/ready", "", 200);
    TUT_AUTO(tut_json_doc) healthy = ask("GET", "/v2/health/ready", "", 200);
    assert_true(tut_json_get_bool(tut_json_root(ready), "ready", false));
    assert_true(tut_json_get_bool(tut_json_root(healthy), "ready", false));
}

static void probabilities_are_of_both_classes_and_follow_the_row(void **state)
{
    (void)state;
    TUT_AUTO(tut_json_doc)
    doc = ask("POST", INFER, INPUT("[2,5]", "[[50000,2000,20,0,45],[15000,12000,0,5,21]]"), 200);
    const tut_json_value *out = tut_json_item(tut_json_get(tut_json_root(doc), "outputs"), 0);
    assert_int_equal(tut_json_count(tut_json_get(out, "data")), 4);
    assert_true(number(out, 0) + number(out, 1) == 1 && number(out, 2) + number(out, 3) == 1);
    assert_true(number(out, 1) < 0.2 && number(out, 3) > 0.8);
}

static void flat_and_nested_data_get_the_same_bytes_again_and_again(void **state)
{
    tut_http_answer a, b;
    (void)state;
    serve("POST", INFER, INPUT("[2,5]", "[1,2,3,4,5,6.5,7,8,9,10]"), &a);
    serve("POST", INFER, INPUT("[2,5]", "[[1,2,3,4,5],[6.5,7,8,9,10]]"), &b);
    assert_int_equal(a.status, 200);
    assert_true(tut_str_eq(tut_buf_str(&a.body), tut_buf_str(&b.body)));
    tut_buf_done(&a.body);
    tut_buf_done(&b.body);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *body, *said;
    } bad[] = {{"{", ""},
               {"[]", "inputs: a list of one"},
               {"{\"inputs\":[]}", "inputs: a list of one"},
               {"{\"inputs\":[{\"name\":\"x\"}]}", "inputs[0].name: \"applications\" is wanted"},
               {"{\"inputs\":[{\"name\":\"applications\",\"datatype\":\"INT8\"}]}",
                "inputs[0].datatype: \"FP32\" or \"FP64\" is wanted, not \"INT8\""},
               {INPUT("[1]", "[1]"), "inputs[0].shape: a list of 2"},
               {INPUT("[1,5,1]", "[1]"), "inputs[0].shape: a list of 2"},
               {INPUT("[0,5]", "[]"), "inputs[0].shape[0]: 1 to 4096"},
               {INPUT("[-1,5]", "[]"), "inputs[0].shape[0]: 1 to 4096"},
               {INPUT("[4097,5]", "[]"), "inputs[0].shape[0]: 1 to 4096"},
               {INPUT("[1,6]", "[1]"), "inputs[0].shape[1]: the model takes 5"},
               {INPUT("[1,5]", "3"), "inputs[0].data: a list"},
               {INPUT("[1,5]", "[1,2,3,4]"), "inputs[0].data: 5 numbers are wanted, not 4"},
               {INPUT("[2,5]", "[[1,2,3,4,5]]"), "a list of 2 is wanted at depth 1"},
               {INPUT("[1,5]", "[[1,2,3,4]]"), "a list of 5 is wanted at depth 2"},
               {INPUT("[1,5]", "[[1,2,3,4,[5]]]"), "row 0, number 4"},
               {INPUT("[1,5]", "[1,2,3,4,\"5\"]"), "row 0, number 4"},
               {INPUT("[2,5]", "[1,2,3,4,5,6,1e39,8,9,10]"), "row 1, number 1"},
               {INPUT("[1,5]", "[1,2,3,null,5]"), "row 0, number 3"},
               {"{\"outputs\":[{\"name\":\"logits\"}],\"inputs\":[{\"name\":\"applications\","
                "\"datatype\":\"FP32\",\"shape\":[1,5],\"data\":[1,2,3,4,5]}]}",
                "outputs[].name: \"probabilities\" is wanted, not \"logits\""}};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t at;
        TUT_AUTO(tut_json_doc) doc = ask("POST", INFER, bad[i].body, 400);
        tut_str error = tut_json_get_text(tut_json_root(doc), "error");
        assert_true(error.len > 5);
        if (!tut_str_find(error, tut_str_of(bad[i].said), &at))
            fail_msg("\"%.*s\" has no \"%s\"", (int)error.len, error.data, bad[i].said);
    }
}

static void other_paths_and_methods_are_refused(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } bad[] = {{"GET", "/", 404},
               {"GET", "/v2/models/other", 404},
               {"GET", "/v2/models/classifier2/ready", 404},
               {"POST", INFER "/", 404},
               {"GET", INFER, 405},
               {"POST", "/v2/health/ready", 405}};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_AUTO(tut_json_doc) doc = ask(bad[i].method, bad[i].path, "", bad[i].status);
        assert_true(tut_json_get_text(tut_json_root(doc), "error").len > 5);
    }
}

static void a_name_that_no_path_can_have_is_refused(void **state)
{
    static const char longest[] = "a234567890123456789012345678901234567890"
                                  "123456789012345678901234";
    static const char *const names[] = {"", "a/b", "a b", longest};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        scoring_model *none = NULL;
        tut_error err = {.code = TUT_OK};
        tut_status s = scoring_open("examples/credit-scoring/models/classifier.onnx", names[i],
                                    TUT_CAGE_AUTO, &none, &err);
        assert_int_equal(s.code, TUT_USAGE);
        assert_null(none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_takes_and_gives),
        cmocka_unit_test(probabilities_are_of_both_classes_and_follow_the_row),
        cmocka_unit_test(flat_and_nested_data_get_the_same_bytes_again_and_again),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(other_paths_and_methods_are_refused),
        cmocka_unit_test(a_name_that_no_path_can_have_is_refused),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
