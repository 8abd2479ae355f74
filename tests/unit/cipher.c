/* Sealing of files: what opens is what was sealed, whole and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/cipher.h"

static const uint8_t key[TUT_CIPHER_KEY] = {1, 2, 3};

/* Seals `len` bytes of a pattern in chunks of the given lengths into fresh memory. */
static uint8_t *seal(size_t len, size_t *ret_len)
{
    uint8_t *plain = malloc(len + 1);
    size_t sealed_len = (size_t)tut_cipher_sealed_bytes(len);
    uint8_t *sealed = malloc(sealed_len);
    TUT_AUTO(tut_cipher) c = NULL;
    assert_non_null(plain);
    assert_non_null(sealed);
    for (size_t i = 0; i < len; i++)
        plain[i] = (uint8_t)(i * 7 + i / 251);
    assert_true(
        tut_is_ok(tut_cipher_seal(key, TUT_LIT("model/a"), TUT_LIT("w"), sealed, &c, NULL)));
    size_t at = TUT_CIPHER_HEAD;
    size_t done = 0;
    do {
        size_t n = len - done < TUT_CIPHER_CHUNK ? len - done : TUT_CIPHER_CHUNK;
        assert_true(tut_is_ok(
            tut_cipher_chunk(c, done + n == len, tut_span_of(plain + done, n), sealed + at, NULL)));
        at += n + TUT_CIPHER_TAG;
        done += n;
    } while (done < len);
    assert_int_equal(at, sealed_len);
    free(plain);
    *ret_len = sealed_len;
    return sealed;
}

/* Opens as blob.c does: sizes tell the chunks. Whether all of it opened, and to the pattern. */
static bool opens(const uint8_t *sealed, size_t len, const char *asset, const char *name)
{
    uint64_t plain_len;
    TUT_AUTO(tut_cipher) c = NULL;
    if (!tut_cipher_plain_bytes(len, &plain_len) ||
        !tut_is_ok(tut_cipher_open(key, tut_str_of(asset), tut_str_of(name), sealed, &c, NULL)))
        return false;
    uint8_t *plain = malloc((size_t)plain_len + 1);
    size_t at = TUT_CIPHER_HEAD;
    size_t left = (size_t)plain_len;
    size_t done = 0;
    bool ok = plain != NULL;
    do {
        size_t n = left < TUT_CIPHER_CHUNK ? left : TUT_CIPHER_CHUNK;
        left -= n;
        ok = ok &&
             tut_is_ok(tut_cipher_chunk(c, left == 0, tut_span_of(sealed + at, n + TUT_CIPHER_TAG),
                                        plain + done, NULL));
        at += n + TUT_CIPHER_TAG;
        done += n;
    } while (ok && left > 0);
    for (size_t i = 0; ok && i < plain_len; i++)
        ok = plain[i] == (uint8_t)(i * 7 + i / 251);
    free(plain);
    return ok;
}

static void what_was_sealed_opens(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   15,
                                   16,
                                   4096,
                                   TUT_CIPHER_CHUNK - 1,
                                   TUT_CIPHER_CHUNK,
                                   TUT_CIPHER_CHUNK + 1,
                                   2 * TUT_CIPHER_CHUNK,
                                   3 * TUT_CIPHER_CHUNK + 5};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t len;
        uint64_t plain;
        uint8_t *sealed = seal(sizes[i], &len);
        assert_true(tut_cipher_plain_bytes(len, &plain));
        assert_int_equal(plain, sizes[i]);
        assert_true(opens(sealed, len, "model/a", "w"));
        assert_false(opens(sealed, len, "model/b", "w"));
        assert_false(opens(sealed, len, "model/a", "v"));
        free(sealed);
    }
}

static void every_altered_byte_is_found(void **state)
{
    size_t len;
    (void)state;
    uint8_t *sealed = seal(200, &len);
    for (size_t i = 0; i < len; i++) {
        sealed[i] ^= 0x10;
        assert_false(opens(sealed, len, "model/a", "w"));
        sealed[i] ^= 0x10;
    }
    assert_true(opens(sealed, len, "model/a", "w"));
    free(sealed);
}

static void a_file_that_ends_early_does_not_open(void **state)
{
    static const size_t whole = TUT_CIPHER_CHUNK + TUT_CIPHER_TAG;
    size_t len;
    (void)state;
    uint8_t *sealed = seal(300, &len);
    for (size_t cut = 0; cut < len; cut++)
        assert_false(opens(sealed, cut, "model/a", "w"));
    free(sealed);
    sealed = seal(2 * TUT_CIPHER_CHUNK + 9, &len);
    /* at the very end of a chunk, where a plain sequence of chunks would pass */
    assert_false(opens(sealed, TUT_CIPHER_HEAD + whole, "model/a", "w"));
    assert_false(opens(sealed, TUT_CIPHER_HEAD + 2 * whole, "model/a", "w"));
    free(sealed);
}

static void chunks_that_change_places_or_come_twice_do_not_open(void **state)
{
    static const size_t whole = TUT_CIPHER_CHUNK + TUT_CIPHER_TAG;
    size_t len;
    (void)state;
    uint8_t *sealed = seal(3 * TUT_CIPHER_CHUNK, &len);
    uint8_t *other = malloc(len + whole);
    assert_non_null(other);
    memcpy(other, sealed, len);
    memcpy(other + TUT_CIPHER_HEAD, sealed + TUT_CIPHER_HEAD + whole, whole);
    memcpy(other + TUT_CIPHER_HEAD + whole, sealed + TUT_CIPHER_HEAD, whole);
    assert_false(opens(other, len, "model/a", "w"));
    memcpy(other, sealed, len);
    memcpy(other + len, sealed + TUT_CIPHER_HEAD + 2 * whole, whole);
    assert_false(opens(other, len + whole, "model/a", "w"));
    memcpy(other + TUT_CIPHER_HEAD + whole, sealed + TUT_CIPHER_HEAD + 2 * whole, whole);
    assert_false(opens(other, len - whole, "model/a", "w"));
    free(other);
    free(sealed);
}

static void sizes_that_no_sealed_file_has_are_refused(void **state)
{
    uint64_t plain;
    (void)state;
    for (uint64_t n = 0; n < TUT_CIPHER_HEAD + TUT_CIPHER_TAG; n++)
        assert_false(tut_cipher_plain_bytes(n, &plain));
    /* an empty chunk behind a whole one: it would be a second form of the same file */
    for (uint64_t more = 1; more <= TUT_CIPHER_TAG; more++)
        assert_false(tut_cipher_plain_bytes(
            TUT_CIPHER_HEAD + TUT_CIPHER_CHUNK + TUT_CIPHER_TAG + more, &plain));
    assert_true(tut_cipher_plain_bytes(TUT_CIPHER_HEAD + TUT_CIPHER_CHUNK + 2 * TUT_CIPHER_TAG + 1,
                                       &plain));
    assert_int_equal(plain, TUT_CIPHER_CHUNK + 1);
    (void)tut_cipher_plain_bytes(UINT64_MAX, &plain);
}

/* RFC 3394, section 4.6: 256 bits of key data with a 256-bit KEK. */
static void wrapping_is_that_of_rfc_3394(void **state)
{
    static const uint8_t expected[TUT_CIPHER_WRAPPED] = {
        0x28, 0xC9, 0xF4, 0x04, 0xC4, 0xB8, 0x10, 0xF4, 0xCB, 0xCC, 0xB3, 0x5C, 0xFB, 0x87,
        0xF8, 0x26, 0x3F, 0x57, 0x86, 0xE2, 0xD8, 0x0E, 0xD3, 0x26, 0xCB, 0xC7, 0xF0, 0xE7,
        0x1A, 0x99, 0xF4, 0x3B, 0xFB, 0x98, 0x8B, 0x9B, 0x7A, 0x02, 0xDD, 0x21};
    uint8_t kek[TUT_CIPHER_KEY];
    uint8_t data[TUT_CIPHER_KEY];
    uint8_t wrapped[TUT_CIPHER_WRAPPED];
    uint8_t opened[TUT_CIPHER_KEY];
    (void)state;
    for (size_t i = 0; i < TUT_CIPHER_KEY; i++) {
        kek[i] = (uint8_t)i;
        data[i] = (uint8_t)(i < 16 ? i * 0x11 : i - 16);
    }
    assert_true(tut_is_ok(tut_cipher_wrap(kek, data, wrapped, NULL)));
    assert_memory_equal(wrapped, expected, sizeof(expected));
    assert_true(tut_is_ok(tut_cipher_unwrap(kek, wrapped, opened, NULL)));
    assert_memory_equal(opened, data, sizeof(data));
    for (size_t i = 0; i < sizeof(wrapped); i++) {
        wrapped[i] ^= 1;
        assert_int_equal(tut_cipher_unwrap(kek, wrapped, opened, NULL).code, TUT_CRYPTO);
        wrapped[i] ^= 1;
    }
    kek[0] ^= 1;
    assert_int_equal(tut_cipher_unwrap(kek, wrapped, opened, NULL).code, TUT_CRYPTO);
}

static void two_seals_of_one_file_differ(void **state)
{
    size_t len;
    (void)state;
    uint8_t *one = seal(100, &len);
    uint8_t *two = seal(100, &len);
    assert_memory_not_equal(one + TUT_CIPHER_HEAD, two + TUT_CIPHER_HEAD, 100);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens),
        cmocka_unit_test(every_altered_byte_is_found),
        cmocka_unit_test(a_file_that_ends_early_does_not_open),
        cmocka_unit_test(chunks_that_change_places_or_come_twice_do_not_open),
        cmocka_unit_test(sizes_that_no_sealed_file_has_are_refused),
        cmocka_unit_test(wrapping_is_that_of_rfc_3394),
        cmocka_unit_test(two_seals_of_one_file_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
