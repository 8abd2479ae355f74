/* Keys: reading, naming, signing, verifying, writing; hostile keys and signatures. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "crypto/base64.h"
#include "crypto/key_internal.h"
#include "crypto/pem.h"
#include "unit/key_vectors.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-key-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static const char *put(const char *name, const char *text, mode_t mode)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 128, "%s/%s", dir, name);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
    return path;
}

static tut_span span_of(const char *z)
{
    return tut_span_of(z, strlen(z));
}

static const struct {
    tut_key_type type;
    const char *pkcs8, *sec1, *pub, *id;
} kinds[] = {
    {TUT_KEY_ED25519, ed25519_pkcs8, NULL, ed25519_public, ed25519_id},
    {TUT_KEY_P256, p256_pkcs8, p256_sec1, p256_public, p256_id},
    {TUT_KEY_P384, p384_pkcs8, p384_sec1, p384_public, p384_id},
    {TUT_KEY_P521, p521_pkcs8, p521_sec1, p521_public, p521_id},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void public_keys_of_openssl_have_its_name_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        TUT_AUTO(tut_pubkey) key = NULL;
        TUT_AUTO(tut_pubkey) again = NULL;
        TUT_AUTO(tut_pubkey) copy = NULL;
        assert_true(tut_is_ok(tut_pubkey_from_pem(span_of(kinds[i].pub), &key, NULL)));
        assert_int_equal(tut_pubkey_type(key), kinds[i].type);
        assert_string_equal(tut_pubkey_id(key), kinds[i].id);
        assert_true(tut_str_eq_z(tut_pubkey_pem(key), kinds[i].pub));
        assert_true(tut_is_ok(tut_pubkey_from_der(tut_pubkey_der(key), &again, NULL)));
        assert_true(tut_pubkey_eq(key, again));
        assert_true(tut_is_ok(tut_pubkey_copy(key, &copy, NULL)));
        assert_true(tut_pubkey_eq(key, copy));
        assert_string_equal(tut_pubkey_id(copy), kinds[i].id);
        assert_int_equal(tut_pubkey_raw(key).len, i == 0 ? 32 : 0);
    }
}

static void private_keys_of_openssl_have_their_public_half(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        for (unsigned form = 0; form < 2; form++) {
            const char *pem = form ? kinds[i].sec1 : kinds[i].pkcs8;
            TUT_AUTO(tut_key) key = NULL;
            TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
            if (!pem)
                continue;
            assert_true(tut_is_ok(tut_key_open(put("k", pem, 0600), NULL, &key, NULL)));
            assert_string_equal(tut_pubkey_id(tut_key_public(key)), kinds[i].id);
            assert_true(tut_is_ok(tut_key_sign(key, span_of("m"), &sig, NULL)));
            assert_true(tut_is_ok(
                tut_pubkey_verify(tut_key_public(key), span_of("m"), tut_buf_span(&sig), NULL)));
            assert_int_equal(
                tut_pubkey_verify(tut_key_public(key), span_of("n"), tut_buf_span(&sig), NULL).code,
                TUT_CRYPTO);
        }
    }
}

static void rsa_verifies_and_does_not_sign(void **state)
{
    (void)state;
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_AUTO(tut_key) none = NULL;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_pubkey_from_pem(span_of(rsa_public), &key, NULL)));
    assert_true(tut_str_eq_z(tut_pubkey_pem(key), rsa_public));
    assert_true(tut_is_ok(tut_base64_read(tut_str_of(rsa_signature), false, &sig)));
    assert_true(tut_is_ok(tut_pubkey_verify(key, span_of("hello"), tut_buf_span(&sig), NULL)));
    sig.data[100] ^= 1;
    assert_int_equal(tut_pubkey_verify(key, span_of("hello"), tut_buf_span(&sig), NULL).code,
                     TUT_CRYPTO);
    assert_int_equal(tut_key_open(put("k", rsa_private, 0600), NULL, &none, NULL).code,
                     TUT_UNSUPPORTED);
    assert_int_equal(tut_key_generate(TUT_KEY_RSA, &none, NULL).code, TUT_UNSUPPORTED);
}

/* RFC 8032, 7.1, TEST 2 */
static const uint8_t rfc_secret[] = {
    0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
    0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
static const uint8_t rfc_public[] = {
    0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
    0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
static const uint8_t rfc_signature[] = {
    0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40,
    0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda,
    0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c,
    0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};

static void ed25519_is_that_of_rfc_8032(void **state)
{
    (void)state;
    uint8_t der[48] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    memcpy(der + 16, rfc_secret, 32);
    assert_true(tut_is_ok(tut_key_from_der(tut_span_of(der, 48), false, &key, NULL)));
    assert_memory_equal(tut_pubkey_raw(tut_key_public(key)).data, rfc_public, 32);
    assert_true(tut_is_ok(tut_key_sign(key, span_of("r"), &sig, NULL)));
    assert_int_equal(sig.len, 64);
    assert_memory_equal(sig.data, rfc_signature, 64);
}

static void ed25519_has_one_signature_only(void **state)
{
    (void)state;
    static const uint8_t order[] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                    0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                    0,    0,    0,    0,    0,    0,    0,    0,
                                    0,    0,    0,    0,    0,    0,    0,    0x10};
    TUT_AUTO(tut_pubkey) key = NULL;
    uint8_t sig[65] = {0};
    unsigned carry = 0;
    assert_true(tut_is_ok(tut_pubkey_from_ed25519(rfc_public, &key, NULL)));
    memcpy(sig, rfc_signature, 64);
    for (size_t i = 0; i < 32; i++) { /* S + L: the same number to a lax verifier */
        carry += sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_int_equal(tut_pubkey_verify(key, span_of("r"), tut_span_of(sig, 64), NULL).code,
                     TUT_CRYPTO);
    memcpy(sig, rfc_signature, 64);
    for (size_t len = 0; len <= 65; len++)
        assert_int_equal(tut_pubkey_verify(key, span_of("r"), tut_span_of(sig, len), NULL).code,
                         len == 64 ? TUT_OK : TUT_CRYPTO);
    for (size_t i = 0; i < 64 * 8; i++) {
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(tut_pubkey_verify(key, span_of("r"), tut_span_of(sig, 64), NULL).code,
                         TUT_CRYPTO);
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void ed25519_keys_of_small_order_are_refused(void **state)
{
    (void)state;
    static const char *const weak[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        TUT_AUTO(tut_pubkey) key = NULL;
        tut_sha256 raw;
        assert_true(tut_is_ok(tut_sha256_parse(tut_str_of(weak[i]), &raw)));
        assert_int_equal(tut_pubkey_from_ed25519(raw.bytes, &key, NULL).code, TUT_MALFORMED);
    }
}

/* Signatures of ECDSA from two numbers, each given as the content of a DER INTEGER. */
static tut_status verify_numbers(const tut_pubkey *key, tut_span r, tut_span s)
{
    TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
    tut_buf_add_byte(&der, 0x30);
    tut_buf_add_byte(&der, (uint8_t)(r.len + s.len + 4));
    tut_buf_add_byte(&der, 0x02);
    tut_buf_add_byte(&der, (uint8_t)r.len);
    tut_buf_add(&der, r.data, r.len);
    tut_buf_add_byte(&der, 0x02);
    tut_buf_add_byte(&der, (uint8_t)s.len);
    tut_buf_add(&der, s.data, s.len);
    return tut_pubkey_verify(key, span_of("m"), tut_buf_span(&der), NULL);
}

static void ecdsa_numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    /* n of P-256, n - 1 and n + 1 with a leading zero; zero, one, minus one */
    uint8_t n[33] = {0,    0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff,
                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
                     0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t below[33], above[33];
    memcpy(below, n, 33);
    memcpy(above, n, 33);
    below[32]--;
    above[32]++;
    const tut_span numbers[] = {{n, 33},
                                {below, 33},
                                {above, 33},
                                {(const uint8_t *)"\0", 1},
                                {(const uint8_t *)"\1", 1},
                                {(const uint8_t *)"\xff", 1},
                                {(const uint8_t *)"", 0}};
    TUT_AUTO(tut_pubkey) key = NULL;
    assert_true(tut_is_ok(tut_pubkey_from_pem(span_of(p256_public), &key, NULL)));
    for (size_t i = 0; i < 7; i++)
        for (size_t k = 0; k < 7; k++)
            assert_int_equal(verify_numbers(key, numbers[i], numbers[k]).code, TUT_CRYPTO);
}

static void ecdsa_has_one_encoding_only(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_key_open(put("k", p256_pkcs8, 0600), NULL, &key, NULL)));
    assert_true(tut_is_ok(tut_key_sign(key, span_of("m"), &sig, NULL)));
    const tut_pubkey *pub = tut_key_public(key);
    for (size_t len = 0; len < sig.len; len++)
        assert_int_equal(
            tut_pubkey_verify(pub, span_of("m"), tut_span_of(sig.data, len), NULL).code,
            TUT_CRYPTO);
    for (size_t i = 0; i < sig.len * 8; i++) {
        sig.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(tut_pubkey_verify(pub, span_of("m"), tut_buf_span(&sig), NULL).code,
                         TUT_CRYPTO);
        sig.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    /* A length in long form, and a byte behind the end. */
    TUT_CLEAN(tut_buf) longer = TUT_BUF_INIT;
    tut_buf_add(&longer, "\x30\x81", 2);
    tut_buf_add(&longer, sig.data + 1, sig.len - 1);
    assert_int_equal(tut_pubkey_verify(pub, span_of("m"), tut_buf_span(&longer), NULL).code,
                     TUT_CRYPTO);
    tut_buf_add_byte(&sig, 0);
    assert_int_equal(tut_pubkey_verify(pub, span_of("m"), tut_buf_span(&sig), NULL).code,
                     TUT_CRYPTO);
}

static void raw_signatures_of_tokens_become_der(void **state)
{
    (void)state;
    const tut_curve *curve = tut_curve_of(TUT_KEY_P256);
    uint8_t raw[64] = {0};
    TUT_CLEAN(tut_buf) der = TUT_BUF_INIT;
    raw[31] = 0x80; /* r = 128 takes a leading zero */
    raw[63] = 1;
    assert_true(tut_is_ok(tut_ecdsa_from_raw(curve, tut_span_of(raw, 64), &der, NULL)));
    assert_int_equal(der.len, 9);
    assert_memory_equal(der.data, "\x30\x07\x02\x02\x00\x80\x02\x01\x01", 9);
    assert_int_equal(tut_ecdsa_from_raw(curve, tut_span_of(raw, 63), &der, NULL).code,
                     TUT_MALFORMED);
}

static void other_public_keys_say_why_not(void **state)
{
    (void)state;
    static const struct {
        const char *pem;
        tut_code code;
        const char *why;
    } cases[] = {
        {p256_compressed, TUT_UNSUPPORTED, "uncompressed"},
        {k256_public, TUT_UNSUPPORTED, "P-256"},
        {p256_certificate, TUT_USAGE, "openssl x509"},
        {p256_pkcs8, TUT_USAGE, "openssl pkey"},
        {"", TUT_MALFORMED, "no PEM block"},
        {"hello\n", TUT_MALFORMED, "no PEM block"},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n", TUT_TRUNCATED, "no end"},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END X-----\n", TUT_MALFORMED, "another name"},
        {"-----BEGIN PUBLIC KEY-----\nMC!w\n-----END PUBLIC KEY-----\n", TUT_MALFORMED, "base64"},
        {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", TUT_MALFORMED, "DER"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO(tut_pubkey) key = NULL;
        tut_error err = {0};
        assert_int_equal(tut_pubkey_from_pem(span_of(cases[i].pem), &key, &err).code,
                         cases[i].code);
        assert_non_null(strstr(err.text, cases[i].why));
    }
}

static void truncated_and_altered_public_keys_are_no_other_key(void **state)
{
    (void)state;
    const char *const pems[] = {ed25519_public, p256_public, p384_public, p521_public, rsa_public};
    for (size_t k = 0; k < 5; k++) {
        TUT_AUTO(tut_pubkey) key = NULL;
        assert_true(tut_is_ok(tut_pubkey_from_pem(span_of(pems[k]), &key, NULL)));
        tut_span der = tut_pubkey_der(key);
        for (size_t len = 0; len < der.len; len++) {
            TUT_AUTO(tut_pubkey) cut = NULL;
            TUT_AUTO_FREE uint8_t *exact = tut_alloc_array(len ? len : 1, 1);
            assert_non_null(exact);
            memcpy(exact, der.data, len);
            assert_false(tut_is_ok(tut_pubkey_from_der(tut_span_of(exact, len), &cut, NULL)));
        }
        TUT_AUTO_FREE uint8_t *bytes = tut_alloc_array(der.len, 1);
        assert_non_null(bytes);
        memcpy(bytes, der.data, der.len);
        for (size_t i = 0; i < der.len * 8; i++) {
            TUT_AUTO(tut_pubkey) other = NULL;
            bytes[i / 8] ^= (uint8_t)(1u << i % 8);
            if (tut_is_ok(tut_pubkey_from_der(tut_span_of(bytes, der.len), &other, NULL))) {
                assert_false(tut_pubkey_eq(key, other));
                assert_memory_equal(tut_pubkey_der(other).data, bytes, der.len);
                assert_true(tut_pubkey_type(key) == TUT_KEY_ED25519 ||
                            tut_pubkey_type(key) == TUT_KEY_RSA);
            }
            bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        }
    }
}

static tut_status open_der(tut_span der, bool is_sec1)
{
    TUT_AUTO(tut_key) key = NULL;
    return tut_key_from_der(der, is_sec1, &key, NULL);
}

static void truncated_and_altered_private_keys_are_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2 * KINDS; k++) {
        const char *pem = k % 2 ? kinds[k / 2].sec1 : kinds[k / 2].pkcs8;
        if (!pem)
            continue;
        tut_str text = tut_str_of(pem);
        tut_pem_block block = {.label = {NULL, 0}};
        bool found = true;
        do {
            tut_buf_done(&block.der);
            assert_true(tut_is_ok(tut_pem_next(&text, &found, &block, NULL)));
            assert_true(found);
        } while (tut_str_eq_z(block.label, "EC PARAMETERS"));
        tut_buf *der = &block.der;
        assert_true(tut_is_ok(open_der(tut_buf_span(der), k % 2)));
        for (size_t len = 0; len < der->len; len++) {
            TUT_AUTO_FREE uint8_t *exact = tut_alloc_array(len ? len : 1, 1);
            assert_non_null(exact);
            memcpy(exact, der->data, len);
            assert_false(tut_is_ok(open_der(tut_span_of(exact, len), k % 2)));
        }
        /* With both halves in the file, each bit counts; the Ed25519 seed is any 32 bytes. */
        size_t last = kinds[k / 2].type == TUT_KEY_ED25519 ? 16 : der->len;
        /* The large curves take a millisecond each time: some bits, all over. */
        size_t step = kinds[k / 2].type > TUT_KEY_P256 ? 33 : 1;
        for (size_t i = 0; i < last * 8; i += step) {
            der->data[i / 8] ^= (uint8_t)(1u << i % 8);
            /* version 0 and 1 of PKCS#8 differ in optional members only */
            bool is_version = k % 2 == 0 && (i / 8 == 4 || i / 8 == 5) && i % 8 == 0;
            if (!is_version && tut_is_ok(open_der(tut_buf_span(der), k % 2)))
                fail_msg("key %zu, bit %zu", k, i);
            der->data[i / 8] ^= (uint8_t)(1u << i % 8);
        }
        tut_buf_done(der);
    }
}

static void keys_written_read_back_in_clear_and_sealed(void **state)
{
    (void)state;
    char path[128];
    const char *pass = put("pass", "geheim\nsecond line\n", 0600);
    const char *wrong = put("wrong", "falsch\n", 0600);
    for (unsigned i = 0; i < 8; i += i < 2 ? 1 : 2) { /* one sealed: that takes its time */
        TUT_AUTO(tut_key) key = NULL;
        TUT_AUTO(tut_key) back = NULL;
        struct stat st;
        tut_error err = {0};
        (void)snprintf(path, sizeof(path), "%s/new%u", dir, i);
        assert_true(tut_is_ok(tut_key_generate((tut_key_type)(i / 2), &key, NULL)));
        tut_str sealed = i % 2 ? TUT_LIT("geheim") : TUT_LIT("");
        assert_true(tut_is_ok(tut_key_write(key, path, sealed, NULL)));
        assert_int_equal(tut_key_write(key, path, sealed, &err).code, TUT_STORE);
        assert_string_equal(err.path, path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        if (i % 2) {
            assert_int_equal(tut_key_open(path, NULL, &back, NULL).code, TUT_DENIED);
            assert_int_equal(
                tut_key_open(path, &(tut_secret_source){.file = wrong}, &back, NULL).code,
                TUT_DENIED);
        }
        assert_true(tut_is_ok(tut_key_open(path, &(tut_secret_source){.file = pass}, &back, NULL)));
        assert_true(tut_pubkey_eq(tut_key_public(key), tut_key_public(back)));
    }
}

static void sealed_keys_of_openssl_open(void **state)
{
    (void)state;
    tut_secret_source right = {.file = put("pass", "correct\r\n", 0600)};
    TUT_AUTO(tut_key) a = NULL;
    TUT_AUTO(tut_key) b = NULL;
    TUT_AUTO(tut_key) c = NULL;
    assert_true(tut_is_ok(tut_key_open(put("a", ed25519_sealed, 0600), &right, &a, NULL)));
    assert_string_equal(tut_pubkey_id(tut_key_public(a)), ed25519_id);
    assert_true(tut_is_ok(tut_key_open(put("b", p256_scrypt, 0600), &right, &b, NULL)));
    assert_string_equal(tut_pubkey_id(tut_key_public(b)), p256_id);
    assert_int_equal(tut_key_open(put("c", ed25519_slow, 0600), &right, &c, NULL).code, TUT_LIMIT);
    assert_int_equal(tut_key_open(put("c", p256_old_encryption, 0600), &right, &c, NULL).code,
                     TUT_UNSUPPORTED);
}

static void files_open_to_others_are_refused_with_what_to_do(void **state)
{
    (void)state;
    static const mode_t bad[] = {0640, 0604, 0620, 0602, 0610, 0601, 0777};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_AUTO(tut_key) key = NULL;
        tut_error err = {0};
        const char *path = put("open", ed25519_pkcs8, bad[i]);
        assert_int_equal(tut_key_open(path, NULL, &key, &err).code, TUT_DENIED);
        assert_non_null(strstr(err.text, "chmod 600"));
        assert_string_equal(err.path, path);
        const char *pass = put("pass", "correct\n", bad[i]);
        path = put("sealed", ed25519_sealed, 0600);
        err = (tut_error){.code = TUT_OK};
        assert_int_equal(tut_key_open(path, &(tut_secret_source){.file = pass}, &key, &err).code,
                         TUT_DENIED);
        assert_string_equal(err.path, pass);
    }
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_open(put("k", ed25519_pkcs8, 0400), NULL, &key, NULL)));
}

static void a_key_of_another_user_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    const char *path = put("k", ed25519_pkcs8, 0600);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_int_equal(tut_key_open(path, NULL, &key, NULL).code, TUT_DENIED);
}

static void what_is_no_private_key_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tut_code code;
        const char *why;
    } cases[] = {
        {ed25519_public, TUT_USAGE, "not a private key"},
        {"", TUT_MALFORMED, "no PEM block"},
        {k256_sec1, TUT_UNSUPPORTED, "curve"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
         TUT_UNSUPPORTED, "ssh-add"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", TUT_MALFORMED, "DER"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
         TUT_MALFORMED, "DER"},
    };
    tut_secret_source source = {.file = put("pass", "x\n", 0600)};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO(tut_key) key = NULL;
        tut_error err = {0};
        const char *path = put("k", cases[i].text, 0600);
        assert_int_equal(tut_key_open(path, &source, &key, &err).code, cases[i].code);
        assert_non_null(strstr(err.text, cases[i].why));
        assert_string_equal(err.path, path);
    }
}

static void secrets_come_from_files_or_terminals_only(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) s = TUT_BUF_INIT;
    assert_int_equal(tut_secret_read(&(tut_secret_source){.file = "-"}, "p", false, &s, NULL).code,
                     TUT_USAGE);
    assert_int_equal(tut_secret_read(NULL, "p", false, &s, NULL).code, TUT_DENIED);
    assert_int_equal(tut_secret_read(&(tut_secret_source){.file = NULL}, "p", false, &s, NULL).code,
                     TUT_DENIED);
    static const char *const unsound[] = {"", "\n", "\nsecond\n", "\r\n"};
    for (size_t i = 0; i < 4; i++) {
        tut_secret_source source = {.file = put("pass", unsound[i], 0600)};
        assert_int_equal(tut_secret_read(&source, "p", false, &s, NULL).code, TUT_MALFORMED);
    }
    tut_secret_source source = {.file = put("pass", " a b \n", 0600)};
    assert_true(tut_is_ok(tut_secret_read(&source, "p", false, &s, NULL)));
    assert_true(tut_str_eq_z(tut_buf_str(&s), " a b "));
    tut_secret_wipe(&s);
    assert_null(s.data);
}

static void openssh_lines_are_public_keys(void **state)
{
    (void)state;
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_CLEAN(tut_buf) blob = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    static const uint8_t head[] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                                   '2', '5', '5', '1', '9', 0,   0,   0,   32};
    tut_buf_add(&blob, head, sizeof(head));
    tut_buf_add(&blob, rfc_public, 32);
    tut_buf_add_z(&line, "ssh-ed25519 ");
    tut_base64_add(&line, tut_buf_span(&blob));
    tut_buf_add_z(&line, " who where\n");
    assert_true(tut_is_ok(tut_pubkey_from_ssh(tut_buf_str(&line), &key, NULL)));
    assert_memory_equal(tut_pubkey_raw(key).data, rfc_public, 32);
    TUT_AUTO(tut_pubkey) file = NULL;
    assert_true(
        tut_is_ok(tut_pubkey_from_file(put("id.pub", tut_buf_z(&line), 0644), &file, NULL)));
    assert_true(tut_pubkey_eq(key, file));
    for (size_t n = 0; n < blob.len; n++) {
        TUT_AUTO(tut_pubkey) none = NULL;
        assert_false(tut_is_ok(tut_pubkey_from_ssh_blob(tut_span_of(blob.data, n), &none, NULL)));
    }
    tut_buf_add_byte(&blob, 0);
    TUT_AUTO(tut_pubkey) none = NULL;
    assert_false(tut_is_ok(tut_pubkey_from_ssh_blob(tut_buf_span(&blob), &none, NULL)));
    static const char *const bad[] = {"",
                                      "ssh-ed25519",
                                      "ssh-ed25519 AAAA",
                                      "ssh-rsa AAAA x",
                                      "ecdsa-sha2-nistp256 AAAA",
                                      "hello",
                                      "ssh-ed25519 A\nB"};
    for (size_t i = 0; i < 7; i++)
        assert_false(tut_is_ok(tut_pubkey_from_ssh(tut_str_of(bad[i]), &none, NULL)));
}

static void files_of_all_forms_of_public_keys(void **state)
{
    (void)state;
    TUT_AUTO(tut_pubkey) pem = NULL;
    TUT_AUTO(tut_pubkey) der = NULL;
    TUT_AUTO(tut_pubkey) raw = NULL;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/form", dir);
    assert_true(tut_is_ok(tut_pubkey_from_file(put("pem", ed25519_public, 0644), &pem, NULL)));
    assert_true(tut_is_ok(tut_fs_write(path, tut_pubkey_der(pem), 0644, NULL)));
    assert_true(tut_is_ok(tut_pubkey_from_file(path, &der, NULL)));
    assert_true(tut_is_ok(tut_fs_write(path, tut_pubkey_raw(pem), 0644, NULL)));
    assert_true(tut_is_ok(tut_pubkey_from_file(path, &raw, NULL)));
    assert_true(tut_pubkey_eq(pem, der) && tut_pubkey_eq(pem, raw));
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    const char *pem = put("k", p256_sec1, 0600);
    const char *sealed = put("s", ed25519_sealed, 0600);
    tut_secret_source source = {.file = put("pass", "correct\n", 0600)};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/w", dir);
    uint64_t n = 1;
    for (bool is_done = false; !is_done; n++) {
        TUT_AUTO(tut_key) a = NULL;
        TUT_AUTO(tut_key) b = NULL;
        TUT_AUTO(tut_key) c = NULL;
        TUT_AUTO(tut_pubkey) pub = NULL;
        TUT_CLEAN(tut_buf) sig = TUT_BUF_INIT;
        (void)unlink(path);
        tut_alloc_fail_after(n);
        tut_status status = tut_key_open(pem, NULL, &a, NULL);
        if (tut_is_ok(status))
            status = tut_key_open(sealed, &source, &b, NULL);
        if (tut_is_ok(status))
            status = tut_key_generate(TUT_KEY_P256, &c, NULL);
        if (tut_is_ok(status))
            status = tut_key_write(c, path, TUT_LIT(""), NULL);
        if (tut_is_ok(status))
            status = tut_key_sign(c, span_of("m"), &sig, NULL);
        if (tut_is_ok(status))
            status = tut_pubkey_from_pem(span_of(rsa_public), &pub, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        if (!is_done && status.code != TUT_NOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, tut_code_name(status.code));
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys_of_openssl_have_its_name_and_text),
        cmocka_unit_test(private_keys_of_openssl_have_their_public_half),
        cmocka_unit_test(rsa_verifies_and_does_not_sign),
        cmocka_unit_test(ed25519_is_that_of_rfc_8032),
        cmocka_unit_test(ed25519_has_one_signature_only),
        cmocka_unit_test(ed25519_keys_of_small_order_are_refused),
        cmocka_unit_test(ecdsa_numbers_out_of_range_are_refused),
        cmocka_unit_test(ecdsa_has_one_encoding_only),
        cmocka_unit_test(raw_signatures_of_tokens_become_der),
        cmocka_unit_test(other_public_keys_say_why_not),
        cmocka_unit_test(truncated_and_altered_public_keys_are_no_other_key),
        cmocka_unit_test(truncated_and_altered_private_keys_are_refused),
        cmocka_unit_test(keys_written_read_back_in_clear_and_sealed),
        cmocka_unit_test(sealed_keys_of_openssl_open),
        cmocka_unit_test(files_open_to_others_are_refused_with_what_to_do),
        cmocka_unit_test(a_key_of_another_user_is_refused),
        cmocka_unit_test(what_is_no_private_key_says_so),
        cmocka_unit_test(secrets_come_from_files_or_terminals_only),
        cmocka_unit_test(openssh_lines_are_public_keys),
        cmocka_unit_test(files_of_all_forms_of_public_keys),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
