#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cage.h"
#include "crypto/digest.h"

/* FIPS 180-2, appendix B, and the empty message. */
static const struct {
    const char *text, *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};
static const char million_hex[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static int file_of(const void *data, size_t len)
{
    char path[] = "/tmp/tutela-digest-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    return fd;
}

static void check_hex(const tut_sha256 *d, const char *expected)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(d, hex);
    assert_string_equal(hex, expected);
}

static void known_messages_have_their_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        tut_sha256 d;
        size_t len = strlen(vectors[i].text);
        tut_span bytes = tut_span_of(vectors[i].text, len);
        assert_true(tut_is_ok(tut_sha256_of(bytes, &d, NULL)));
        check_hex(&d, vectors[i].hex);
        tut_source memory = tut_source_memory(bytes);
        assert_true(tut_is_ok(tut_sha256_source(&memory, &d, NULL)));
        check_hex(&d, vectors[i].hex);
    }
    tut_sha256 d;
    assert_true(tut_is_ok(tut_sha256_of((tut_span){NULL, 0}, &d, NULL)));
    check_hex(&d, vectors[0].hex);
}

static void portions_make_no_difference(void **state)
{
    (void)state;
    uint8_t *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    const size_t portions[] = {1, 63, 64, 65, 4096, 999999, 1000000};
    for (size_t i = 0; i < sizeof(portions) / sizeof(portions[0]); i++) {
        TUT_AUTO(tut_hasher) h = NULL;
        tut_sha256 d;
        assert_true(tut_is_ok(tut_hasher_new(&h, NULL)));
        for (size_t at = 0; at < 1000000; at += portions[i]) {
            size_t n = 1000000 - at < portions[i] ? 1000000 - at : portions[i];
            assert_true(tut_is_ok(tut_hasher_add(h, tut_span_of(million + at, n), NULL)));
        }
        assert_true(tut_is_ok(tut_hasher_add(h, (tut_span){NULL, 0}, NULL)));
        assert_true(tut_is_ok(tut_hasher_finish(h, &d, NULL)));
        check_hex(&d, million_hex);
    }
    int fd = file_of(million, 1000000);
    tut_source file, slice;
    tut_sha256 d, e;
    assert_true(tut_is_ok(tut_source_file(fd, &file, NULL)));
    assert_true(tut_is_ok(tut_sha256_source(&file, &d, NULL)));
    check_hex(&d, million_hex);
    assert_true(tut_is_ok(tut_source_slice(&file, 7, 300000, &slice)));
    assert_true(tut_is_ok(tut_sha256_source(&slice, &d, NULL)));
    assert_true(tut_is_ok(tut_sha256_of(tut_span_of(million, 300000), &e, NULL)));
    assert_true(tut_sha256_eq(&d, &e));
    close(fd);
    free(million);
}

static void file_that_shrank_is_truncated(void **state)
{
    (void)state;
    static const char zeros[600000];
    int fd = file_of(zeros, sizeof(zeros));
    tut_source file;
    tut_sha256 d = {{42}};
    tut_error err = {0};
    assert_true(tut_is_ok(tut_source_file(fd, &file, NULL)));
    assert_int_equal(ftruncate(fd, 599999), 0);
    assert_int_equal(tut_sha256_source(&file, &d, &err).code, TUT_TRUNCATED);
    assert_string_equal(err.text, "the file shrank while it was read");
    assert_true(err.has_offset && err.offset == 599999);
    assert_int_equal(d.bytes[0], 42);
    close(fd);
    assert_int_equal(tut_sha256_source(&file, &d, &err).code, TUT_IO);
}

static void hex_reads_back(void **state)
{
    (void)state;
    tut_sha256 d, e;
    for (size_t i = 0; i < sizeof(d.bytes); i++)
        d.bytes[i] = (uint8_t)(i * 37 + 5);
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&d, hex);
    assert_int_equal(strlen(hex), 64);
    assert_true(tut_is_ok(tut_sha256_parse(tut_str_of(hex), &e)));
    assert_true(tut_sha256_eq(&d, &e));
    for (size_t i = 0; i < 64; i++) {
        if (hex[i] >= 'a')
            hex[i] = (char)(hex[i] - 'a' + 'A');
    }
    assert_true(tut_is_ok(tut_sha256_parse(tut_str_of(hex), &e)));
    assert_true(tut_sha256_eq(&d, &e));
    e.bytes[31] ^= 1;
    assert_false(tut_sha256_eq(&d, &e));
}

static void anything_but_64_digits_is_malformed(void **state)
{
    (void)state;
    char hex[66];
    tut_sha256 d = {{42}};
    memset(hex, '0', sizeof(hex));
    for (size_t len = 0; len <= sizeof(hex); len++) {
        if (len != 64)
            assert_int_equal(tut_sha256_parse((tut_str){hex, len}, &d).code, TUT_MALFORMED);
    }
    static const char wrong[] = "gG/:@` \n\x80";
    for (size_t i = 0; i < 64; i++) {
        for (size_t w = 0; w < sizeof(wrong); w++) { /* the NUL too */
            hex[i] = wrong[w];
            assert_int_equal(tut_sha256_parse((tut_str){hex, 64}, &d).code, TUT_MALFORMED);
        }
        hex[i] = '0';
    }
    assert_int_equal(d.bytes[0], 42);
    assert_true(tut_is_ok(tut_sha256_parse((tut_str){hex, 64}, &d)));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    tut_source memory = tut_source_memory(tut_span_of("abc", 3));
    for (uint64_t n = 1;; n++) {
        tut_sha256 d = {{42}};
        tut_error err = {0};
        tut_alloc_fail_after(n);
        tut_code code = tut_sha256_source(&memory, &d, &err).code;
        tut_alloc_fail_after(0);
        if (code == TUT_OK) {
            assert_true(n > 2);
            check_hex(&d, vectors[1].hex);
            break;
        }
        assert_int_equal(code, TUT_NOMEM);
        assert_int_equal(err.code, TUT_NOMEM);
        assert_int_equal(d.bytes[0], 42);
    }
    tut_hasher_free(NULL);
}

static tut_status digest_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                             tut_buf *out, tut_error *err)
{
    (void)task;
    (void)argument;
    tut_sha256 d;
    TUT_TRY(tut_sha256_source(bytes, &d, err));
    tut_buf_add(out, d.bytes, sizeof(d.bytes));
    return TUT_SUCCESS;
}

/* OpenSSL reads its configuration when first used; a worker has no file system. This runs before
 * the parent has used it. */
static void the_first_digest_can_be_made_in_the_cage(void **state)
{
    (void)state;
    int fd = file_of("abc", 3);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_cage_options options = {0};
    tut_status s = tut_cage_call(digest_job, &options, fd, (tut_span){NULL, 0}, &out, &err);
    if (!tut_is_ok(s))
        fail_msg("%s", err.text);
    tut_sha256 d;
    assert_int_equal(out.len, sizeof(d.bytes));
    memcpy(d.bytes, out.data, sizeof(d.bytes));
    check_hex(&d, vectors[1].hex);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_digest_can_be_made_in_the_cage),
        cmocka_unit_test(known_messages_have_their_digests),
        cmocka_unit_test(portions_make_no_difference),
        cmocka_unit_test(file_that_shrank_is_truncated),
        cmocka_unit_test(hex_reads_back),
        cmocka_unit_test(anything_but_64_digits_is_malformed),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
