/* Time-stamps kept beside a log: what is asked for is what is taken, once; what cannot be kept is
 * not half kept. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs_internal.h"
#include "ledger/timestamp.h"
#include "unit/tsa.h"

enum { FROM = 1700000000, AT = 1700100000, TO = 1700200000 };

static char dir[64];
static tsa_identity root, tsa;
static tut_tsp_trust *trust;
static tut_key *key;

static int setup(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    strcpy(dir, "/tmp/tutela-stamp-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    root = tsa_identity_new("Root", NULL, NULL, FROM, TO);
    tsa = tsa_identity_new("Authority", &root, "critical,timeStamping", FROM, TO);
    tsa_pem(root.cert, &pem);
    assert_true(tut_is_ok(tut_tsp_trust_from_pem(tut_buf_span(&pem), &trust, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    tut_tsp_trust_free(trust);
    tsa_identity_done(&root);
    tsa_identity_done(&tsa);
    tut_key_free(key);
    snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    return system(command);
}

static void checkpoint(uint64_t size, tut_buf *out)
{
    tut_checkpoint c = {.origin = TUT_LIT("example.com/log"), .size = size};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    c.root.bytes[0] = (uint8_t)size;
    tut_checkpoint_write(&c, &text);
    tut_buf_add_str(out, tut_buf_str(&text));
    tut_buf_add_byte(out, '\n');
    assert_true(tut_is_ok(
        tut_note_sign("example.com/log", TUT_NOTE_ED25519, key, tut_buf_str(&text), 0, out, NULL)));
}

static tut_status ask(uint64_t size, tut_buf *request, tut_error *err)
{
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    uint64_t got = 0;
    checkpoint(size, &note);
    TUT_TRY(tut_timestamp_request(dir, tut_buf_str(&note), &got, request, err));
    assert_int_equal(got, size);
    return TUT_SUCCESS;
}

static tut_status take(const tut_buf *response, uint64_t *ret_size, tut_error *err)
{
    tut_tsp_token token;
    TUT_TRY(tut_timestamp_take(dir, tut_buf_span(response), trust, &token, ret_size, err));
    assert_int_equal(token.at, AT);
    return TUT_SUCCESS;
}

static bool is_kept(uint64_t size)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/timestamps/%d.tsr", dir, (int)size);
    return tut_fs_exists(path);
}

static void an_answer_finds_its_request(void **state)
{
    (void)state;
    tut_buf requests[3] = {TUT_BUF_INIT, TUT_BUF_INIT, TUT_BUF_INIT};
    for (size_t i = 0; i < 3; i++)
        assert_true(tut_is_ok(ask(i + 7, &requests[i], NULL)));
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        uint64_t size = 0;
        tut_error err = {0};
        tsa_answer(&tsa, &requests[i], AT, &response);
        if (!tut_is_ok(take(&response, &size, &err)))
            fail_msg("%s", err.text);
        assert_int_equal(size, i + 7);
        assert_true(is_kept(size));
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        assert_int_equal(ask(size, &again, &err).code, TUT_STORE);
        tut_buf_done(&requests[i]);
    }
}

static void an_answer_without_request_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    uint64_t size;
    tut_error err = {0};
    assert_true(tut_is_ok(ask(5, &first, NULL)));
    tsa_answer(&tsa, &first, AT, &response);
    assert_true(tut_is_ok(ask(5, &second, NULL))); /* another nonce takes its place */
    assert_int_equal(take(&response, &size, &err).code, TUT_CRYPTO);
    assert_false(is_kept(5));
}

static void what_cannot_be_written_is_not_kept(void **state)
{
    (void)state;
    static const tut_fs_step steps[] = {TUT_FS_STEP_OPEN, TUT_FS_STEP_WRITE, TUT_FS_STEP_FSYNC,
                                        TUT_FS_STEP_RENAME};
    for (size_t i = 0; i < 4; i++) {
        TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
        uint64_t size;
        tut_fs_fault(steps[i], 1, EIO);
        assert_int_not_equal(ask(20, &request, NULL).code, TUT_OK);
        tut_fs_fault(steps[i], 0, 0);
        assert_int_equal(request.len, 0);
        assert_true(tut_is_ok(ask(20, &request, NULL)));
        tsa_answer(&tsa, &request, AT, &response);
        tut_fs_fault(steps[i], 1, ENOSPC);
        assert_int_not_equal(take(&response, &size, NULL).code, TUT_OK);
        tut_fs_fault(steps[i], 0, 0);
        assert_false(is_kept(20));
    }
}

static void memory_may_run_out(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    assert_true(tut_is_ok(ask(30, &request, NULL)));
    tsa_answer(&tsa, &request, AT, &response);
    for (uint64_t n = 1; n < 500; n++) {
        uint64_t size = 0;
        tut_alloc_fail_after(n);
        tut_status s = take(&response, &size, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s)) {
            assert_true(n > 3);
            assert_int_equal(size, 30);
            return;
        }
        assert_false(is_kept(30));
    }
    fail_msg("never enough memory");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_answer_finds_its_request),
        T(an_answer_without_request_is_refused),
        T(what_cannot_be_written_is_not_kept),
        T(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
