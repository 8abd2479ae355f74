/* Envelopes and base64. The PAE is that of secure-systems-lab/dsse, protocol.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/dsse.h"

/* --- base64 --- */

static void base64_of_rfc_4648_both_ways(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        tut_base64_add(&text, tut_span_of(pairs[i][0], strlen(pairs[i][0])));
        assert_string_equal(tut_buf_z(&text), pairs[i][1]);
        assert_true(tut_is_ok(tut_base64_read(tut_str_of(pairs[i][1]), false, &bytes)));
        assert_true(tut_str_eq_z(tut_buf_str(&bytes), pairs[i][0]));
    }
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_base64_read(TUT_LIT("-_8="), true, &url)));
    assert_true(tut_str_eq_z(tut_buf_str(&url), "\xfb\xff"));
    assert_int_equal(tut_base64_read(TUT_LIT("-_8="), false, &url).code, TUT_MALFORMED);
}

static void unsound_base64_adds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",         "Zg",   "Zg=",      "=",        "====",       "Z===",
        "Zh==",      "Zm9=", "Zg==Zg==", "Zm9v\n",   "Zm9 v",      " Zm9",
        "Zm9vYg= =", "Zm=v", "Zm9v====", "Zm9vY===", "Zm\xc3\xa4", "Z\0g=",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_buf_add_z(&out, "kept");
        if (tut_base64_read(tut_str_of(bad[i]), true, &out).code != TUT_MALFORMED)
            fail_msg("\"%s\" is taken", bad[i]);
        assert_int_equal(out.len, 4);
    }
    TUT_CLEAN(tut_buf) nul = TUT_BUF_INIT;
    assert_int_equal(tut_base64_read((tut_str){"Zm\0v", 4}, true, &nul).code, TUT_MALFORMED);
}

static void any_bytes_survive_base64(void **state)
{
    (void)state;
    uint8_t bytes[260];
    for (size_t len = 0; len < sizeof(bytes); len++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(i * 151 + len);
        tut_base64_add(&text, tut_span_of(bytes, len));
        assert_true(tut_is_ok(tut_base64_read(tut_buf_str(&text), false, &back)));
        assert_int_equal(back.len, len);
        if (len)
            assert_memory_equal(back.data, bytes, len);
    }
}

/* --- envelopes --- */

static void pae_is_that_of_the_specification(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_dsse_pae(TUT_LIT("http://example.com/HelloWorld"), tut_span_of("hello world", 11), &out);
    assert_string_equal(tut_buf_z(&out), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

static tut_status read_text(tut_str text, tut_json_doc **doc, tut_dsse *envelope, tut_error *err)
{
    TUT_TRY(tut_json_parse(tut_span_of(text.data, text.len), NULL, doc, err));
    return tut_dsse_read(tut_json_root(*doc), envelope, err);
}

static tut_status write_text(const tut_key *const *keys, size_t count, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    TUT_TRY(tut_dsse_write(j, TUT_DSSE_INTOTO, tut_span_of("{\"a\":1}", 7), keys, count, err));
    return tut_json_finish(j, err);
}

static tut_status verify_text(tut_str text, const tut_pubkey *key, size_t i)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
    TUT_TRY(read_text(text, &doc, &envelope, NULL));
    return tut_dsse_verify(&envelope, i, key, NULL);
}

static void an_envelope_of_all_kinds_of_keys_verifies(void **state)
{
    (void)state;
    tut_key *keys[4] = {NULL};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (unsigned i = 0; i < 4; i++)
        assert_true(tut_is_ok(tut_key_generate((tut_key_type)i, &keys[i], NULL)));
    assert_true(tut_is_ok(write_text((const tut_key *const *)keys, 4, &text, NULL)));
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
    assert_true(tut_is_ok(read_text(tut_buf_str(&text), &doc, &envelope, NULL)));
    assert_int_equal(envelope.signature_count, 4);
    assert_true(tut_str_eq_z(tut_buf_str(&envelope.payload), "{\"a\":1}"));
    assert_true(tut_str_eq_z(envelope.type, TUT_DSSE_INTOTO));
    for (size_t i = 0; i < 4; i++) {
        const tut_pubkey *key = tut_key_public(keys[i]);
        assert_true(tut_str_eq_z(envelope.signatures[i].keyid, tut_pubkey_id(key)));
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(tut_dsse_verify(&envelope, k, key, NULL).code,
                             k == i ? TUT_OK : TUT_CRYPTO);
        assert_int_equal(tut_dsse_verify(&envelope, 4, key, NULL).code, TUT_USAGE);
    }
    for (size_t i = 0; i < 4; i++)
        tut_key_free(keys[i]);
}

static void each_truncation_and_bit_flip_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)));
    assert_true(tut_is_ok(write_text((const tut_key *const[]){key}, 1, &text, NULL)));
    const tut_pubkey *pub = tut_key_public(key);
    assert_true(tut_is_ok(verify_text(tut_buf_str(&text), pub, 0)));
    for (size_t n = 0; n < text.len; n++)
        assert_false(tut_is_ok(verify_text((tut_str){(const char *)text.data, n}, pub, 0)));
    size_t harmless = 0;
    for (size_t n = 0; n < text.len; n++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[n] ^= (uint8_t)(1u << bit);
            harmless += tut_is_ok(verify_text(tut_buf_str(&text), pub, 0));
            text.data[n] ^= (uint8_t)(1u << bit);
        }
    }
    /* Only the key's name is not signed: 64 hex digits, each flipped to another ASCII character
     * that JSON takes as it is; '+' and '/' of base64 have a second spelling, '-' and '_', that is
     * more than one bit away. */
    assert_in_range(harmless, 1, 64 * 7);
}

static void unsound_envelopes_are_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"payload\":\"\",\"payloadType\":\"t\"}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":{}}",
        "{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"payload\":\"\",\"payloadType\":1,\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"payload\":null,\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"payload\":\"A\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AB==\"}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"\"}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\"}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[\"AA==\"]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\",\"keyid\":7}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\",\"x\":7}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\"}],\"x\":1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
        tut_error err = {0};
        if (read_text(tut_str_of(bad[i]), &doc, &envelope, &err).code != TUT_MALFORMED)
            fail_msg("%s is taken", bad[i]);
        assert_true(err.text[0] != '\0');
    }
    static const char *const good[] = {
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\"}]}",
        "{\"payload\":\"-_8=\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\",\"keyid\":"
        "null}]}",
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AA==\",\"keyid\":\"\"}]"
        "}",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
        assert_true(tut_is_ok(read_text(tut_str_of(good[i]), &doc, &envelope, NULL)));
        assert_int_equal(envelope.signatures[0].keyid.len, 0);
    }
}

static void more_signatures_than_the_limit_are_refused(void **state)
{
    (void)state;
    for (unsigned count = TUT_DSSE_SIGNATURES_MAX; count <= TUT_DSSE_SIGNATURES_MAX + 1; count++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_AUTO(tut_json_doc) doc = NULL;
        TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
        tut_buf_add_z(&text, "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[");
        for (unsigned i = 0; i < count; i++)
            tut_buf_add_z(&text, i ? ",{\"sig\":\"AA==\"}" : "{\"sig\":\"AA==\"}");
        tut_buf_add_z(&text, "]}");
        assert_int_equal(read_text(tut_buf_str(&text), &doc, &envelope, NULL).code,
                         count > TUT_DSSE_SIGNATURES_MAX ? TUT_LIMIT : TUT_OK);
    }
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)));
    uint64_t n = 1;
    for (bool is_done = false; !is_done; n++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = write_text((const tut_key *const[]){key}, 1, &text, NULL);
        if (tut_is_ok(status))
            status = verify_text(tut_buf_str(&text), tut_key_public(key), 0);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        if (!is_done)
            assert_int_equal(status.code, TUT_NOMEM);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_rfc_4648_both_ways),
        cmocka_unit_test(unsound_base64_adds_nothing),
        cmocka_unit_test(any_bytes_survive_base64),
        cmocka_unit_test(pae_is_that_of_the_specification),
        cmocka_unit_test(an_envelope_of_all_kinds_of_keys_verifies),
        cmocka_unit_test(each_truncation_and_bit_flip_is_refused),
        cmocka_unit_test(unsound_envelopes_are_malformed),
        cmocka_unit_test(more_signatures_than_the_limit_are_refused),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
