/* Bodies that may hold personal data: sealed, named by a keyed digest, erased with their key. */
#include <dirent.h>
#include <errno.h>
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
#include "base/fs_internal.h"
#include "ledger/bodies.h"
#include "ledger/body_seal.h"
#include "ledger/ledger_internal.h"

static char dir[64];
static tut_ledger *l;

#define AT 1700000000 /* November 2023 */

static const char *path_of(const char *name)
{
    static char path[4][300];
    static unsigned next;
    char *p = path[next++ % 4];
    (void)snprintf(p, 300, "%s/%s", dir, name);
    return p;
}

static int make_all(void **state)
{
    (void)state;
    tut_error err = {0};
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-bodies-XXXXXX");
    if (!mkdtemp(dir) || setenv("XDG_DATA_HOME", path_of("data"), 1) != 0)
        return -1;
    if (!tut_is_ok(tut_ledger_open(path_of("state"), true, &l, &err))) {
        print_error("%s: %s\n", err.path, err.text);
        return -1;
    }
    return 0;
}

static int drop_all(void **state)
{
    (void)state;
    tut_ledger_close(l);
    l = NULL;
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
    char command[200];
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static tut_span span_of(const char *text)
{
    return tut_span_of(text, strlen(text));
}

static tut_sha256 put(const char *text)
{
    tut_sha256 digest;
    tut_error err = {0};
    if (!tut_is_ok(tut_ledger_put_personal_body(l, AT, span_of(text), &digest, &err)))
        fail_msg("%s: %s", err.path, err.text);
    return digest;
}

static const char *body_path(const tut_sha256 *digest)
{
    char name[80] = "state/bodies/";
    tut_sha256_hex(digest, name + strlen(name));
    return path_of(name);
}

static void read_file(const char *path, tut_buf *out)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_fs_read(path, 1 << 20, out, &err)))
        fail_msg("%s", err.text);
}

static void write_file(const char *path, tut_span bytes)
{
    assert_true(tut_is_ok(tut_fs_write(path, bytes, 0600, NULL)));
}

static void assert_body(const tut_sha256 *digest, const char *text)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(tut_ledger_get_body(l, digest, &body, &err)))
        fail_msg("%s: %s", err.path, err.text);
    assert_int_equal(body.len, strlen(text));
    assert_memory_equal(body.data, text, body.len);
}

/* The body cannot be had, and nothing of it came out. */
static void assert_refused(const tut_sha256 *digest, tut_code code, const char *part)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_error err = {0};
    assert_int_equal(tut_ledger_get_body(l, digest, &body, &err).code, code);
    assert_int_equal(body.len, 0);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static unsigned count_bodies(void)
{
    unsigned n = 0;
    DIR *d = opendir(path_of("state/bodies"));
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 2;
}

static void what_is_put_comes_back(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    assert_body(&digest, "my name is Ada");
    bool is_personal = false;
    assert_true(tut_is_ok(tut_ledger_body_is_personal(l, &digest, &is_personal, NULL)));
    assert_true(is_personal);
    tut_sha256 empty = put("");
    assert_body(&empty, "");
}

static void nothing_of_it_is_on_the_disk(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    tut_sha256 plain;
    struct stat st;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    size_t at;
    read_file(body_path(&digest), &file);
    assert_false(tut_str_find(tut_buf_str(&file), TUT_LIT("Ada"), &at));
    assert_int_equal(file.len, strlen("my name is Ada") + TUT_SEAL_OVERHEAD);
    assert_int_equal(stat(body_path(&digest), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(tut_is_ok(tut_sha256_of(span_of("my name is Ada"), &plain, NULL)));
    assert_false(tut_sha256_eq(&plain, &digest));
    assert_false(tut_fs_exists(body_path(&plain)));
}

static void a_body_is_kept_once_a_period(void **state)
{
    (void)state;
    tut_sha256 first = put("again");
    tut_sha256 second = put("again");
    assert_true(tut_sha256_eq(&first, &second));
    assert_int_equal(count_bodies(), 1);
    tut_sha256 later;
    assert_true(tut_is_ok(
        tut_ledger_put_personal_body(l, AT + 40 * 86400, span_of("again"), &later, NULL)));
    assert_false(tut_sha256_eq(&first, &later));
    assert_body(&later, "again");
    tut_sha256 digest;
    assert_true(tut_is_ok(tut_ledger_keyed_digest(l, AT, span_of("again"), &digest, NULL)));
    assert_true(tut_sha256_eq(&first, &digest));
}

static void plain_bodies_stay_plain(void **state)
{
    (void)state;
    tut_sha256 digest;
    tut_sha256 expected;
    bool is_personal = true;
    assert_true(tut_is_ok(tut_ledger_put_body(l, span_of("a report"), &digest, NULL)));
    assert_true(tut_is_ok(tut_sha256_of(span_of("a report"), &expected, NULL)));
    assert_true(tut_sha256_eq(&digest, &expected));
    assert_body(&digest, "a report");
    assert_true(tut_is_ok(tut_ledger_body_is_personal(l, &digest, &is_personal, NULL)));
    assert_false(is_personal);
}

static void a_plain_body_may_look_sealed(void **state)
{
    (void)state;
    tut_sha256 sealed = put("inner");
    tut_sha256 digest;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    read_file(body_path(&sealed), &file);
    assert_true(tut_is_ok(tut_ledger_put_body(l, tut_buf_span(&file), &digest, NULL)));
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_ledger_get_body(l, &digest, &back, NULL)));
    assert_int_equal(back.len, file.len);
    assert_memory_equal(back.data, file.data, file.len);
}

static void every_flipped_bit_shows(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    read_file(body_path(&digest), &file);
    for (size_t i = 0; i < file.len * 8; i++) {
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
        write_file(body_path(&digest), tut_buf_span(&file));
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        if (tut_is_ok(tut_ledger_get_body(l, &digest, &body, NULL)) || body.len > 0)
            fail_msg("bit %zu", i);
        file.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    write_file(body_path(&digest), tut_buf_span(&file));
    assert_body(&digest, "my name is Ada");
}

static void every_cut_shows(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    read_file(body_path(&digest), &file);
    for (size_t len = 0; len < file.len; len++) {
        write_file(body_path(&digest), tut_span_of(file.data, len));
        assert_refused(&digest, TUT_STORE, "is not what was recorded");
    }
    tut_buf_add_byte(&file, 0);
    write_file(body_path(&digest), tut_buf_span(&file));
    assert_refused(&digest, TUT_STORE, "is not what was recorded");
}

static void exchanged_bodies_show(void **state)
{
    (void)state;
    tut_sha256 ada = put("Ada pays");
    tut_sha256 bob = put("Bob pays");
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    read_file(body_path(&ada), &file);
    write_file(body_path(&bob), tut_buf_span(&file));
    assert_refused(&bob, TUT_STORE, "is not what was recorded");
    /* Put again, the right bytes are at hand: the damaged body is written anew. */
    tut_sha256 again = put("Bob pays");
    assert_true(tut_sha256_eq(&again, &bob));
    assert_body(&bob, "Bob pays");
}

static void without_its_periods_key_a_body_is_erased(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    tut_sha256 plain;
    assert_true(tut_is_ok(tut_ledger_put_body(l, span_of("a report"), &plain, NULL)));
    TUT_AUTO_FREE char *secret = tut_fs_join(tut_keystore_dir(l->keys), "period/202311");
    assert_int_equal(unlink(secret), 0);
    assert_refused(&digest, TUT_STORE, "was erased: the key of its period, 202311");
    assert_body(&plain, "a report");
    /* A new key of the same period opens nothing that was sealed before. */
    tut_sha256 other = put("my name is Bob");
    assert_body(&other, "my name is Bob");
    assert_refused(&digest, TUT_STORE, "erased and made anew");
}

static tut_erasure plan_of(const char *month)
{
    tut_erasure plan;
    tut_error err = {0};
    if (!tut_is_ok(tut_ledger_erasure_plan(l, month, &plan, &err)))
        fail_msg("%s: %s", err.path, err.text);
    return plan;
}

static void an_erased_month_goes_on_under_another_key(void **state)
{
    (void)state;
    static const char *const bad[] = {"202312", "202300", "202313", "20231", "../log", ""};
    tut_erasure plan;
    tut_sha256 plain;
    tut_sha256 none;
    tut_sha256 first = put("my name is Ada");
    tut_sha256 second = put("my name is Bob");
    assert_true(tut_is_ok(tut_ledger_put_body(l, span_of("a report"), &plain, NULL)));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tut_ledger_erasure_plan(l, bad[i], &plan, NULL).code, TUT_USAGE);
    plan = plan_of("202311");
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.bodies, 2);
    assert_body(&first, "my name is Ada"); /* planning changes nothing */
    assert_true(tut_is_ok(tut_ledger_erase(l, &plan, NULL)));
    assert_refused(&first, TUT_STORE, "was erased: the key of its period, 202311");
    assert_refused(&second, TUT_STORE, "was erased");
    assert_body(&plain, "a report");
    /* The month is not over: the same body has another name now, and is read. */
    tut_sha256 again = put("my name is Ada");
    assert_false(tut_sha256_eq(&again, &first));
    assert_body(&again, "my name is Ada");
    assert_refused(&first, TUT_STORE, "was erased: the key of its period, 202311");
    plan = plan_of("202311");
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.periods[0], "202323");
    assert_int_equal(plan.bodies, 1);
    assert_true(tut_is_ok(tut_ledger_erase(l, &plan, NULL)));
    assert_refused(&again, TUT_STORE, "was erased: the key of its period, 202323");
    for (int i = 2; i < TUT_SEAL_MONTH_SECRETS; i++) {
        put("more");
        plan = plan_of("202311");
        assert_true(tut_is_ok(tut_ledger_erase(l, &plan, NULL)));
    }
    assert_int_equal(tut_ledger_put_personal_body(l, AT, span_of("too often"), &none, NULL).code,
                     TUT_LIMIT);
}

static void without_keys_personal_bodies_are_closed(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    tut_keystore *keys = tut_move(&l->keys);
    assert_refused(&digest, TUT_DENIED, "keys of this log are not here");
    tut_sha256 none;
    assert_int_equal(tut_ledger_put_personal_body(l, AT, span_of("x"), &none, NULL).code,
                     TUT_DENIED);
    l->keys = keys;
    assert_body(&digest, "my name is Ada");
}

static void reading_a_personal_body_is_an_event(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    tut_sha256 plain;
    tut_records *records = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_record who = {.at = AT, .actor = "Ada", .statement = "asked for by Ada herself"};
    assert_true(tut_is_ok(tut_ledger_put_body(l, span_of("a report"), &plain, NULL)));
    assert_true(tut_is_ok(tut_ledger_read_body(l, &who, &plain, &body, NULL)));
    assert_true(tut_is_ok(tut_ledger_read_body(l, &who, &digest, &body, NULL)));
    assert_int_equal(body.len, strlen("a reportmy name is Ada"));
    assert_true(tut_is_ok(tut_ledger_read(l, INT64_MAX, &records, NULL)));
    const tut_record *found = NULL;
    for (size_t i = 0; i < records->count; i++) {
        if (strcmp(records->items[i].check, TUT_BODY_READ_EVENT) != 0)
            continue;
        assert_null(found); /* one event: the plain body is nobody's secret */
        found = &records->items[i];
    }
    assert_non_null(found);
    assert_string_equal(found->actor, "Ada");
    assert_string_equal(found->statement, "asked for by Ada herself");
    assert_true(tut_sha256_eq(&found->subjects[0].digest, &digest));
    tut_records_free(records);
}

static void a_read_that_cannot_be_recorded_shows_nothing(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_record nobody = {.at = AT};
    assert_false(tut_is_ok(tut_ledger_read_body(l, &nobody, &digest, &body, NULL)));
    assert_int_equal(body.len, 0);
}

static void a_failed_write_leaves_no_body(void **state)
{
    (void)state;
    put("first, so that the period has its key");
    tut_sha256 digest;
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, ENOSPC);
    assert_false(tut_is_ok(tut_ledger_put_personal_body(l, AT, span_of("second"), &digest, NULL)));
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
    assert_int_equal(count_bodies(), 1);
}

/* --- the seal itself --- */

static void the_name_is_the_one_that_anybody_can_compute(void **state)
{
    (void)state;
    /* k=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:000102..1f
     *     -kdfopt "info:tutela body name v1" HKDF | tr -d : | tr A-F a-f)
     * printf abc | openssl mac -digest SHA256 -macopt hexkey:$k HMAC */
    uint8_t secret[TUT_PERIOD_SECRET];
    char hex[TUT_SHA256_HEX];
    tut_sha256 name;
    for (size_t i = 0; i < sizeof(secret); i++)
        secret[i] = (uint8_t)i;
    assert_true(tut_is_ok(tut_seal_name(secret, span_of("abc"), &name, NULL)));
    tut_sha256_hex(&name, hex);
    assert_string_equal(hex, "8326668df5ea7ab90afcf8e063c871cfb5ece7a998a24ea2a59675e2728581c5");
}

static void periods_are_months_in_utc(void **state)
{
    (void)state;
    char period[TUT_PERIOD_NAME];
    assert_true(tut_is_ok(tut_seal_period(AT, period, NULL)));
    assert_string_equal(period, "202311");
    assert_true(tut_is_ok(tut_seal_period(1701388799, period, NULL)));
    assert_string_equal(period, "202311");
    assert_true(tut_is_ok(tut_seal_period(1701388800, period, NULL)));
    assert_string_equal(period, "202312");
    assert_false(tut_is_ok(tut_seal_period(-1, period, NULL)));
    assert_false(tut_is_ok(tut_seal_period(INT64_MAX, period, NULL)));
}

static void a_seal_takes_a_fresh_nonce(void **state)
{
    (void)state;
    uint8_t secret[TUT_PERIOD_SECRET] = {1};
    tut_sha256 name;
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_seal_name(secret, span_of("abc"), &name, NULL)));
    assert_true(tut_is_ok(tut_seal_close(secret, "202311", &name, span_of("abc"), &first, NULL)));
    assert_true(tut_is_ok(tut_seal_close(secret, "202311", &name, span_of("abc"), &second, NULL)));
    assert_int_equal(first.len, second.len);
    assert_memory_not_equal(first.data, second.data, first.len);
    uint8_t other[TUT_PERIOD_SECRET] = {2};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_int_equal(tut_seal_open(other, &name, tut_buf_span(&first), &out, NULL).code, TUT_STORE);
    assert_int_equal(out.len, 0);
    assert_true(tut_is_ok(tut_seal_open(secret, &name, tut_buf_span(&first), &out, NULL)));
    assert_int_equal(out.len, 3);
}

static void running_out_of_memory_shows_nothing(void **state)
{
    (void)state;
    tut_sha256 digest = put("my name is Ada");
    uint64_t n = 1;
    for (;; n++) {
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = tut_ledger_get_body(l, &digest, &body, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status))
            break;
        assert_int_equal(body.len, 0);
    }
    assert_true(n > 3);
    assert_body(&digest, "my name is Ada");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_all, drop_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_put_comes_back),
        CASE(nothing_of_it_is_on_the_disk),
        CASE(a_body_is_kept_once_a_period),
        CASE(plain_bodies_stay_plain),
        CASE(a_plain_body_may_look_sealed),
        CASE(every_flipped_bit_shows),
        CASE(every_cut_shows),
        CASE(exchanged_bodies_show),
        CASE(without_its_periods_key_a_body_is_erased),
        CASE(an_erased_month_goes_on_under_another_key),
        CASE(without_keys_personal_bodies_are_closed),
        CASE(reading_a_personal_body_is_an_event),
        CASE(a_read_that_cannot_be_recorded_shows_nothing),
        CASE(a_failed_write_leaves_no_body),
        CASE(running_out_of_memory_shows_nothing),
        cmocka_unit_test(the_name_is_the_one_that_anybody_can_compute),
        cmocka_unit_test(periods_are_months_in_utc),
        cmocka_unit_test(a_seal_takes_a_fresh_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
