/* Structured output, numbers of classifiers and probabilities of tokens. */
#include "unit/guard_world.h"

#include "guard/schema.h"

/* --- schemas --- */
static void schema_row(const char *schema, const char *value, const char *why_has)
{
    TUT_AUTO(tut_json_doc) s = NULL;
    TUT_AUTO(tut_json_doc) v = NULL;
    char why[TUT_GUARD_SCHEMA_WHY];
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(schema, strlen(schema)), NULL, &s, NULL)));
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(value, strlen(value)), NULL, &v, NULL)));
    assert_true(tut_is_ok(tut_guard_schema_understood(tut_json_root(s), why, NULL)));
    if (why[0])
        fail_msg("%s: %s", schema, why);
    assert_true(tut_is_ok(tut_guard_schema_check(tut_json_root(s), tut_json_root(v), why, NULL)));
    if (why_has ? !strstr(why, why_has) : why[0] != '\0')
        fail_msg("%s of %s: \"%s\"", value, schema, why);
}

static void values_are_held_against_their_schema(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"{\"type\":\"integer\"}", "3", NULL},
        {"{\"type\":\"integer\"}", "3.0", NULL},
        {"{\"type\":\"integer\"}", "3.5", "another type"},
        {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
        {"{\"type\":[\"string\",\"null\"]}", "false", "another type"},
        {"{\"enum\":[\"a\",1,null]}", "1", NULL},
        {"{\"enum\":[\"a\",1,null]}", "\"b\"", "none of the values"},
        {"{\"const\":true}", "false", "not the value"},
        {"{\"minimum\":1,\"maximum\":3}", "3", NULL},
        {"{\"minimum\":1,\"maximum\":3}", "3.01", "limits"},
        {"{\"exclusiveMinimum\":1}", "1", "limits"},
        {"{\"multipleOf\":0.1}", "0.3", NULL},
        {"{\"multipleOf\":2}", "3", "multiple"},
        {"{\"minLength\":2,\"maxLength\":3}", "\"\xc3\xbc\xc3\xbc\"", NULL},
        {"{\"maxLength\":1}", "\"ab\"", "length"},
        {"{\"pattern\":\"^[A-Z]{2}[0-9]+$\"}", "\"DE42\"", NULL},
        {"{\"pattern\":\"^[A-Z]{2}[0-9]+$\"}", "\"DE42\\n\"", "pattern"},
        {"{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
         "pattern"},
        {"{\"items\":{\"type\":\"string\"},\"maxItems\":2}", "[\"a\",\"b\"]", NULL},
        {"{\"items\":{\"type\":\"string\"}}", "[\"a\",1]", "another type"},
        {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\",1]", "not allowed"},
        {"{\"uniqueItems\":true}", "[1,2,1]", "twice"},
        {"{\"required\":[\"a\"]}", "{\"b\":1}", "without"},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"additionalProperties\":false}",
         "{\"a\":null}", NULL},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}},\"additionalProperties\":false}",
         "{\"c\":null}", "\"c\": not a member"},
        {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"c\":\"x\"}", "another type"},
        {"{\"$defs\":{\"p\":{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/$defs/p\"}},"
         "\"additionalProperties\":false}},\"$ref\":\"#/$defs/p\"}",
         "{\"n\":{\"n\":{}}}", NULL},
        {"{\"$defs\":{\"p\":{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/$defs/p\"}},"
         "\"additionalProperties\":false}},\"$ref\":\"#/$defs/p\"}",
         "{\"n\":{\"m\":{}}}", "not a member"},
        {"{\"$ref\":\"#\"}", "1", "refers to itself"},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "null", NULL},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "\"x\"", "another type"},
        {"true", "[]", NULL},
        {"false", "[]", "not allowed"},
    };
    for (size_t i = 0; i < TUT_COUNT(rows); i++)
        schema_row(rows[i][0], rows[i][1], rows[i][2]);
}

static void what_of_a_schema_is_not_checked_is_said(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"oneOf\":[]}", "\"oneOf\": a keyword"},
        {"{\"properties\":{\"a\":{\"if\":{}}}}", "\"if\": a keyword"},
        {"{\"items\":{\"pattern\":\"(\"}}", "cannot be read"},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", "one schema and null"},
        {"{\"$ref\":\"#/$defs/none\"}", "refers to nothing"},
        {"{\"enum\":[{\"a\":1}]}", "without members"},
    };
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        TUT_AUTO(tut_json_doc) s = NULL;
        char why[TUT_GUARD_SCHEMA_WHY];
        assert_true(
            tut_is_ok(tut_json_parse(tut_span_of(rows[i][0], strlen(rows[i][0])), NULL, &s, NULL)));
        assert_true(tut_is_ok(tut_guard_schema_understood(tut_json_root(s), why, NULL)));
        if (!strstr(why, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], why);
    }
}

#define PIECE(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH                                                                                     \
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"              \
    "data: [DONE]\n\n"

static void structured_output_goes_on_when_it_is_of_its_schema(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) own = ask("/shaped", "application/json", "{" MESSAGES "}");
    TUT_AUTO(tut_guard_request)
    asked = ask(CHAT, "application/json",
                "{\"model\":\"m\",\"max_tokens\":1," MESSAGES
                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{"
                "\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":"
                "\"integer\"}}}}}}");
    static const struct {
        const char *type, *body;
        tut_guard_action action;
    } rows[] = {
        {"text/event-stream", PIECE("{\\\"n\\\"") PIECE(": 4") PIECE("2}") FINISH, TUT_GUARD_ALLOW},
        {"text/event-stream", PIECE("{\\\"n\\\"") PIECE(": 4") PIECE("2") FINISH, TUT_GUARD_BLOCK},
        {"text/event-stream", PIECE("{\\\"n\\\"") PIECE(":\\\"leaked\\\"}") FINISH,
         TUT_GUARD_BLOCK},
        {"text/event-stream", PIECE("{\\\"n\\\":42}") "data: [DONE]\n\n", TUT_GUARD_ALLOW},
        {"application/json",
         "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"{\\\"n\\\": 42}\"}}]}",
         TUT_GUARD_ALLOW},
        {"application/json",
         "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"leaked 42\"}}]}", TUT_GUARD_BLOCK},
        {"application/json", "{\"choices\":[{\"index\":0,\"message\":{\"content\":null}}]}",
         TUT_GUARD_ALLOW},
    };
    for (size_t i = 0; i < 2 * TUT_COUNT(rows); i++) {
        const tut_guard_request *r = i % 2 ? own : asked;
        result res = {0};
        expect_same_everywhere(r, rows[i / 2].type, rows[i / 2].body, &res);
        if (res.decision.action != rows[i / 2].action)
            fail_msg("row %zu: %s", i / 2, tut_guard_action_name(res.decision.action));
        assert_false(contains(&res.out, "leaked"));
        if (res.decision.action == TUT_GUARD_ALLOW && strstr(rows[i / 2].body, "42"))
            assert_true(contains(&res.out, "42}"));
        tut_buf_done(&res.out);
    }
}

/* --- numbers --- */
static void numbers_of_classifiers_are_rounded_and_the_small_ones_left_out(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request)
    r = ask("/v2/models/x/classify", "application/json", TENSOR("[1,2]", "[0,0]"));
    result res = {0};
    expect_same_everywhere(
        r, "application/json",
        "{\"outputs\":[{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[2,3],\"data\":[[0.61803,"
        "0.2718,0.11],[0.1,0.1,0.8]]},{\"name\":\"k\",\"datatype\":\"INT64\",\"shape\":[2],"
        "\"data\":[1234567,2]}]}",
        &res);
    assert_true(contains(&res.out, "\"data\":[0.62,0.27,0,0.1,0,0.8]"));
    assert_true(contains(&res.out, "\"data\":[1234567,2]"));
    tut_buf_done(&res.out);
    res = (result){0};
    answer(r, "application/json",
           tut_str_of("{\"outputs\":[{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":["
                      "\"0.61803\"]}]}"),
           0, 9, &res);
    assert_int_equal(res.decision.action, TUT_GUARD_BLOCK);
    tut_buf_done(&res.out);
}

static void probabilities_that_pass_are_rounded(void **state)
{
    (void)state;
    TUT_AUTO(tut_guard_request) r = ask("/marked", "application/json", "{" MESSAGES "}");
    result res = {0};
    expect_same_everywhere(
        r, "application/json",
        "{\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":"
        "-0.123456,\"top_logprobs\":[{\"token\":\"a\",\"logprob\":-0.123456},{\"token\":\"b\","
        "\"logprob\":-2.777},{\"token\":\"c\",\"logprob\":-9.1}]}]}}]}",
        &res);
    assert_true(contains(&res.out, "\"logprob\":-0.1,"));
    assert_true(contains(&res.out, "\"logprob\":-2.8,"));
    assert_false(contains(&res.out, "-9.1"));
    assert_false(contains(&res.out, "23456"));
    assert_int_equal(res.decision.unscanned_count, 1);
    tut_buf_done(&res.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_held_against_their_schema),
        cmocka_unit_test(what_of_a_schema_is_not_checked_is_said),
        cmocka_unit_test(structured_output_goes_on_when_it_is_of_its_schema),
        cmocka_unit_test(numbers_of_classifiers_are_rounded_and_the_small_ones_left_out),
        cmocka_unit_test(probabilities_that_pass_are_rounded),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
