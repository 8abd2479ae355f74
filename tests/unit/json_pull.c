/* The JSON tokenizer over streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/limits.h"
#include "formats/json_pull.h"

/* Tokens as letters, text behind a colon: "{k:a s:b }" */
static tut_status spell(const char *json, size_t len, uint64_t limit, tut_buf *out)
{
    static const char letters[] = "{}[]ksntf0.";
    tut_source source = tut_source_memory(tut_span_of(json, len));
    TUT_AUTO(tut_stream) stream = NULL;
    tut_json_pull p;
    tut_json_token token = TUT_TOKEN_NULL;
    TUT_TRY(tut_stream_open_source(&source, &stream));
    tut_json_pull_init(&p, stream, limit, 8);
    tut_status status = TUT_SUCCESS;
    while (tut_is_ok(status) && token != TUT_TOKEN_END) {
        status = tut_json_pull_next(&p, &token, NULL);
        if (!tut_is_ok(status))
            break;
        tut_buf_add_byte(out, (uint8_t)letters[token]);
        if (token == TUT_TOKEN_KEY || token == TUT_TOKEN_STRING || token == TUT_TOKEN_NUMBER) {
            tut_buf_add_byte(out, ':');
            tut_buf_add_str(out, tut_json_pull_text(&p));
            tut_buf_add_byte(out, ' ');
        }
    }
    if (tut_is_ok(status) && !tut_json_pull_is_exhausted(&p))
        status.code = TUT_MALFORMED;
    tut_json_pull_done(&p);
    return status;
}

static void tokens_come_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *json, *tokens;
    } rows[] = {
        {"{}", "{}."},
        {" [ ] ", "[]."},
        {"{\"a\":\"b\",\"c\":[1,-2.5e+3,true,false,null,{}]}",
         "{k:a s:b k:c [n:1 n:-2.5e+3 tf0{}]}."},
        {"\"\\u0041\\n\\\"\\/\\u00e9\\ud83d\\ude00\"", "s:A\n\"/\xc3\xa9\xf0\x9f\x98\x80 ."},
        {"\"\\ud800\\n\"", "s:\xef\xbf\xbd\n ."},
        {"\"\\ud800\\u0041\"", "s:\xef\xbf\xbd"
                               "A ."},
        {"0", "n:0 ."},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        assert_true(tut_is_ok(spell(rows[i].json, strlen(rows[i].json), UINT64_MAX, &out)));
        assert_string_equal(tut_buf_z(&out), rows[i].tokens);
    }
}

static void anything_else_is_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"{,}",         "{\"a\"}",
                                      "{\"a\":}",    "{\"a\":1,}",
                                      "[1,]",        "[1 2]",
                                      "[,1]",        "01",
                                      "1.",          ".5",
                                      "+1",          "1e",
                                      "-",           "nul",
                                      "True",        "NaN",
                                      "'a'",         "\"\\x41\"",
                                      "\"\\u12g4\"", "\"\n\"",
                                      "{a:1}",       "[1]]",
                                      "{} {}",       "// c\n1",
                                      "\"\xff\"",    "{\"a\":1 \"b\":2}",
                                      "]",           "}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        if (spell(bad[i], strlen(bad[i]), UINT64_MAX, &out).code != TUT_MALFORMED)
            fail_msg("%s passes", bad[i]);
    }
}

static void text_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    static const char json[] = "{\"a\\u00e9\":[1,\"x\\\"y\",true],\"b\":{\"c\":null}}";
    for (size_t len = 0; len < sizeof(json) - 1; len++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_code code = spell(json, len, UINT64_MAX, &out).code;
        assert_true(code == TUT_TRUNCATED || code == TUT_MALFORMED);
        tut_buf_clear(&out);
        /* the same by the limit, with bytes behind it */
        code = spell(json, sizeof(json) - 1, len, &out).code;
        assert_true(code == TUT_TRUNCATED || code == TUT_MALFORMED);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_int_equal(spell("[[[[[[[[]]]]]]]]", 16, UINT64_MAX, &out).code, TUT_OK);
    assert_int_equal(spell("[[[[[[[[[]]]]]]]]]", 18, UINT64_MAX, &out).code, TUT_LIMIT);
}

static void long_text_is_cut_but_counted_and_hashed_whole(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    uint64_t hashes[2];
    for (int round = 0; round < 2; round++) {
        tut_json_pull p;
        tut_json_token token = TUT_TOKEN_NULL;
        TUT_AUTO(tut_stream) stream = NULL;
        tut_buf_clear(&json);
        tut_buf_add_byte(&json, '"');
        for (size_t i = 0; i < 300000; i++)
            tut_buf_add_byte(&json, 'x');
        tut_buf_add_z(&json, round ? "y\"" : "z\"");
        tut_source source = tut_source_memory(tut_buf_span(&json));
        assert_true(tut_is_ok(tut_stream_open_source(&source, &stream)));
        tut_json_pull_init(&p, stream, UINT64_MAX, 0);
        assert_true(tut_is_ok(tut_json_pull_next(&p, &token, NULL)));
        assert_int_equal(tut_json_pull_text(&p).len, TUT_JSON_PULL_TEXT);
        assert_int_equal(p.text_total, 300001);
        hashes[round] = p.text_hash;
        tut_json_pull_done(&p);
        assert_int_equal(tut_stream_pos(stream), json.len);
    }
    assert_true(hashes[0] != hashes[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_as_written),
        cmocka_unit_test(anything_else_is_malformed),
        cmocka_unit_test(text_cut_anywhere_is_truncated),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(long_text_is_cut_but_counted_and_hashed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
