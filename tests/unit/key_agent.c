/* Answers of SSH agents and pkcs11: URIs: taken whole, refused when cut off or altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/key_internal.h"
#include "crypto/pkcs11_uri.h"
#include "crypto/ssh.h"

static void add_u32(tut_buf *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        tut_buf_add_byte(out, (uint8_t)(v >> (24 - 8 * i)));
}

static void add_string(tut_buf *out, const void *data, size_t len)
{
    add_u32(out, (uint32_t)len);
    tut_buf_add(out, data, len);
}

static void make_list(tut_buf *out, uint32_t claimed, uint32_t count)
{
    tut_buf_add_byte(out, 12);
    add_u32(out, claimed);
    for (uint32_t i = 0; i < count; i++) {
        add_string(out, "blob", 4);
        add_string(out, "comment", 7);
    }
}

static tut_status count_keys(void *ctx, tut_span blob, tut_str comment, tut_error *err)
{
    (void)err;
    assert_int_equal(blob.len, 4);
    assert_true(tut_str_eq_z(comment, "comment"));
    ++*(size_t *)ctx;
    return TUT_SUCCESS;
}

static tut_status list(const void *data, size_t len, size_t *ret_count)
{
    TUT_AUTO_FREE uint8_t *exact = tut_alloc_array(len ? len : 1, 1);
    assert_non_null(exact);
    memcpy(exact, data, len);
    *ret_count = 0;
    return tut_ssh_identities(tut_span_of(exact, len), count_keys, ret_count, NULL);
}

static void lists_of_keys_are_taken_whole(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    size_t count;
    make_list(&reply, 3, 3);
    assert_true(tut_is_ok(list(reply.data, reply.len, &count)));
    assert_int_equal(count, 3);
    for (size_t len = 0; len < reply.len; len++)
        assert_int_equal(list(reply.data, len, &count).code, TUT_MALFORMED);
    tut_buf_add_byte(&reply, 0);
    assert_int_equal(list(reply.data, reply.len, &count).code, TUT_MALFORMED);
    assert_int_equal(list("\x05", 1, &count).code, TUT_DENIED);
    tut_buf_clear(&reply);
    make_list(&reply, 2049, 3);
    assert_int_equal(list(reply.data, reply.len, &count).code, TUT_LIMIT);
    assert_int_equal(count, 0);
}

static void signatures_of_agents_are_64_bytes_of_ed25519(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t len;
        bool has_tail;
        tut_code code;
    } cases[] = {{"ssh-ed25519", 64, false, TUT_OK},
                 {"ssh-ed25519", 63, false, TUT_MALFORMED},
                 {"ssh-ed25519", 65, false, TUT_MALFORMED},
                 {"ssh-ed25519", 64, true, TUT_MALFORMED},
                 {"ssh-rsa", 64, false, TUT_MALFORMED}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) inner = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
        uint8_t bytes[65] = {7};
        tut_span signature;
        add_string(&inner, cases[i].type, strlen(cases[i].type));
        add_string(&inner, bytes, cases[i].len);
        if (cases[i].has_tail)
            tut_buf_add_byte(&inner, 0);
        tut_buf_add_byte(&reply, 14);
        add_string(&reply, inner.data, inner.len);
        assert_int_equal(tut_ssh_signature(tut_buf_span(&reply), &signature, NULL).code,
                         cases[i].code);
        if (cases[i].code != TUT_OK)
            continue;
        assert_int_equal(signature.len, 64);
        assert_int_equal(signature.data[0], 7);
        for (size_t len = 0; len < reply.len; len++)
            assert_false(
                tut_is_ok(tut_ssh_signature(tut_span_of(reply.data, len), &signature, NULL)));
    }
}

static void uris_say_what_they_mean(void **state)
{
    (void)state;
    tut_pkcs11_uri u;
    assert_true(tut_is_ok(tut_pkcs11_uri_parse(
        TUT_LIT("pkcs11:token=first%20token;object=a%3Bb;id=%01%00%fF;serial=1;manufacturer=m;"
                "model=v2;type=private?module-path=/usr/lib/x.so&pin-source=file:///etc/p%69n"),
        &u, NULL)));
    assert_string_equal(u.token, "first token");
    assert_string_equal(u.object, "a;b");
    assert_int_equal(u.id_len, 3);
    assert_memory_equal(u.id, "\x01\x00\xff", 3);
    assert_string_equal(u.serial, "1");
    assert_string_equal(u.manufacturer, "m");
    assert_string_equal(u.model, "v2");
    assert_string_equal(u.module_path, "/usr/lib/x.so");
    assert_string_equal(u.pin_source, "/etc/pin");
    assert_true(
        tut_is_ok(tut_pkcs11_uri_parse(TUT_LIT("pkcs11:?pin-source=file:/etc/pin"), &u, NULL)));
    assert_string_equal(u.pin_source, "/etc/pin");
    assert_string_equal(u.token, "");
    assert_true(tut_is_ok(tut_pkcs11_uri_parse(TUT_LIT("pkcs11:"), &u, NULL)));
}

static void unsound_uris_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        tut_code code;
        const char *why;
    } cases[] = {
        {"pkcs12:token=a", TUT_MALFORMED, "pkcs11:"},
        {"pkcs11:token", TUT_MALFORMED, "NAME=VALUE"},
        {"pkcs11:token=", TUT_MALFORMED, "empty"},
        {"pkcs11:token=a;", TUT_MALFORMED, "ends in"},
        {"pkcs11:token=a;token=b", TUT_MALFORMED, "twice"},
        {"pkcs11:token=%", TUT_MALFORMED, "bad %"},
        {"pkcs11:token=%4", TUT_MALFORMED, "bad %"},
        {"pkcs11:token=%4x", TUT_MALFORMED, "bad %"},
        {"pkcs11:token=%00", TUT_MALFORMED, "NUL"},
        {"pkcs11:token=a b", TUT_MALFORMED, "%XX"},
        {"pkcs11:token=\xc3\xa4", TUT_MALFORMED, "%XX"},
        {"pkcs11:token=123456789012345678901234567890123", TUT_LIMIT, "32 bytes"},
        {"pkcs11:type=public", TUT_UNSUPPORTED, "type"},
        {"pkcs11:x-mine=1", TUT_UNSUPPORTED, "x-mine"},
        {"pkcs11:module-path=/a", TUT_UNSUPPORTED, "module-path"},
        {"pkcs11:?token=a", TUT_UNSUPPORTED, "token"},
        {"pkcs11:?module-path=a.so", TUT_USAGE, "absolute"},
        {"pkcs11:?pin-source=file:pin", TUT_USAGE, "absolute"},
        {"pkcs11:?pin-source=|echo", TUT_USAGE, "absolute"},
        {"pkcs11:?pin-value=1234", TUT_USAGE, "does not belong"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_pkcs11_uri u;
        tut_error err = {0};
        tut_status status = tut_pkcs11_uri_parse(tut_str_of(cases[i].uri), &u, &err);
        if (status.code != cases[i].code || !strstr(err.text, cases[i].why))
            fail_msg("%s: %s: %s", cases[i].uri, tut_code_name(status.code), err.text);
        assert_null(strstr(err.text, "1234\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_keys_are_taken_whole),
        cmocka_unit_test(signatures_of_agents_are_64_bytes_of_ed25519),
        cmocka_unit_test(uris_say_what_they_mean),
        cmocka_unit_test(unsound_uris_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
