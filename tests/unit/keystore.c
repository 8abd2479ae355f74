/* The key store: made once, closed to others, never led elsewhere by a name. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "crypto/keystore.h"
#include "crypto/note.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-store-XXXXXX");
    return mkdtemp(dir) && setenv("XDG_DATA_HOME", dir, 1) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static const char *in(const tut_keystore *s, const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", tut_keystore_dir(s), name);
    return path;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void without_create_there_is_none(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    assert_true(tut_is_ok(tut_keystore_open("absent", false, &s, NULL)));
    assert_null(s);
}

static void created_once_and_the_same_ever_after(void **state)
{
    (void)state;
    char log_id[TUT_SHA256_HEX];
    {
        TUT_AUTO(tut_keystore) s = NULL;
        TUT_AUTO(tut_key) log = NULL;
        TUT_AUTO(tut_key) tool = NULL;
        TUT_AUTO(tut_pubkey) log_public = NULL;
        TUT_AUTO(tut_pubkey) tool_public = NULL;
        assert_true(tut_is_ok(tut_keystore_open("one", true, &s, NULL)));
        assert_int_equal(mode_of(tut_keystore_dir(s)), 0700);
        assert_int_equal(mode_of(in(s, "log.key")), 0600);
        assert_int_equal(mode_of(in(s, "tool.key")), 0600);
        assert_true(tut_is_ok(tut_keystore_key(s, "log", NULL, &log, NULL)));
        assert_true(tut_is_ok(tut_keystore_key(s, "tool", NULL, &tool, NULL)));
        assert_false(tut_pubkey_eq(tut_key_public(log), tut_key_public(tool)));
        assert_true(tut_is_ok(tut_keystore_public(s, "log", &log_public, NULL)));
        assert_true(tut_is_ok(tut_keystore_public(s, "tool", &tool_public, NULL)));
        assert_true(tut_pubkey_eq(log_public, tut_key_public(log)));
        assert_true(tut_pubkey_eq(tool_public, tut_key_public(tool)));
        memcpy(log_id, tut_pubkey_id(log_public), sizeof(log_id));
    }
    TUT_AUTO(tut_keystore) s = NULL;
    TUT_AUTO(tut_pubkey) again = NULL;
    TUT_CLEAN(tut_buf) vkeys = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_keystore_open("one", true, &s, NULL)));
    assert_true(tut_is_ok(tut_keystore_public(s, "log", &again, NULL)));
    assert_string_equal(tut_pubkey_id(again), log_id);
    assert_true(tut_is_ok(tut_fs_read(in(s, "log.vkey"), 4096, &vkeys, NULL)));
    assert_non_null(strstr(tut_buf_z(&vkeys), "one/evidence+"));
    assert_non_null(strstr(tut_buf_z(&vkeys), "\none/traffic+"));
    /* A public half that a crash left out is made again from the private one. */
    assert_int_equal(unlink(in(s, "log.vkey")), 0);
    TUT_AUTO(tut_keystore) t = NULL;
    TUT_CLEAN(tut_buf) made = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_keystore_open("one", true, &t, NULL)));
    assert_true(tut_is_ok(tut_fs_read(in(t, "log.vkey"), 4096, &made, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&made), tut_buf_str(&vkeys)));
}

static void two_that_create_at_once_share_one_key(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        char origin[16];
        int ends[2];
        (void)snprintf(origin, sizeof(origin), "race%u", round);
        assert_int_equal(pipe(ends), 0);
        pid_t pids[4];
        for (unsigned i = 0; i < 4; i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0) {
                TUT_AUTO(tut_keystore) s = NULL;
                TUT_AUTO(tut_key) key = NULL;
                uint8_t secret[TUT_PERIOD_SECRET];
                bool is_ok = tut_is_ok(tut_keystore_open(origin, true, &s, NULL)) &&
                             tut_is_ok(tut_keystore_key(s, "log", NULL, &key, NULL)) &&
                             tut_is_ok(tut_keystore_period(s, "202611", true, secret, NULL)) &&
                             write(ends[1], tut_pubkey_id(tut_key_public(key)), 32) == 32 &&
                             write(ends[1], secret, 32) == 32;
                _exit(is_ok ? 0 : 1);
            }
        }
        for (unsigned i = 0; i < 4; i++) {
            int rc = -1;
            assert_int_equal(waitpid(pids[i], &rc, 0), pids[i]);
            assert_int_equal(rc, 0);
        }
        uint8_t told[4][64];
        size_t ids = 0;
        uint8_t block[32];
        const uint8_t *first_id = NULL;
        const uint8_t *first_secret = NULL;
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(read(ends[0], block, 32), 32);
            bool is_id = true;
            for (unsigned k = 0; k < 32; k++)
                is_id = is_id && strchr("0123456789abcdef", block[k]) && block[k];
            const uint8_t **first = is_id ? &first_id : &first_secret;
            if (!*first) {
                memcpy(told[ids], block, 32);
                *first = told[ids++];
            }
            assert_memory_equal(block, *first, 32);
        }
        assert_int_equal(ids, 2);
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
}

static void names_do_not_lead_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *folder;
    } cases[] = {
        {"example.com/log", "example.com%2Flog"}, {"..", "%2E."},
        {"../../etc", "%2E.%2F..%2Fetc"},         {".hidden", "%2Ehidden"},
        {"a b\n\xc3\xa4", "a%20b%0A%C3%A4"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO(tut_keystore) s = NULL;
        char expected[256];
        tut_status status = tut_keystore_open(cases[i].origin, true, &s, NULL);
        (void)snprintf(expected, sizeof(expected), "%s/tutela/%s", dir, cases[i].folder);
        /* A name that no note could carry makes no keys. */
        if (!tut_is_ok(status)) {
            assert_non_null(strpbrk(cases[i].origin, " \n"));
            assert_true(tut_fs_is_dir(expected));
            continue;
        }
        assert_string_equal(tut_keystore_dir(s), expected);
    }
    TUT_AUTO(tut_keystore) s = NULL;
    TUT_AUTO(tut_key) key = NULL;
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    longest[299] = '\0';
    assert_int_equal(tut_keystore_open("", true, &s, NULL).code, TUT_USAGE);
    assert_int_equal(tut_keystore_open(longest, true, &s, NULL).code, TUT_USAGE);
    assert_true(tut_is_ok(tut_keystore_open("names", true, &s, NULL)));
    static const char *const bad[] = {"", "other", "people/", "../log", "log/../tool"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tut_keystore_key(s, bad[i], NULL, &key, NULL).code, TUT_USAGE);
}

static void people_have_keys_of_their_own(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_AUTO(tut_key) again = NULL;
    TUT_AUTO(tut_pubkey) pub = NULL;
    assert_true(tut_is_ok(tut_keystore_open("people", true, &s, NULL)));
    assert_int_equal(tut_keystore_key(s, "people/ada", NULL, &again, NULL).code, TUT_STORE);
    assert_true(
        tut_is_ok(tut_keystore_generate(s, "people/ada", TUT_KEY_P256, TUT_LIT("pw"), &key, NULL)));
    assert_int_equal(mode_of(in(s, "people/ada.key")), 0600);
    assert_int_equal(
        tut_keystore_generate(s, "people/ada", TUT_KEY_P256, TUT_LIT(""), &again, NULL).code,
        TUT_STORE);
    /* The public half is there without the passphrase. */
    assert_true(tut_is_ok(tut_keystore_public(s, "people/ada", &pub, NULL)));
    assert_true(tut_pubkey_eq(pub, tut_key_public(key)));
    assert_int_equal(tut_keystore_key(s, "people/ada", NULL, &again, NULL).code, TUT_DENIED);
}

static void a_store_open_to_others_is_refused(void **state)
{
    (void)state;
    tut_error err = {0};
    TUT_AUTO(tut_keystore) s = NULL;
    TUT_AUTO(tut_keystore) t = NULL;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_keystore_open("open", true, &s, NULL)));
    assert_int_equal(chmod(in(s, "log.key"), 0644), 0);
    assert_int_equal(tut_keystore_key(s, "log", NULL, &key, &err).code, TUT_DENIED);
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_int_equal(chmod(tut_keystore_dir(s), 0750), 0);
    assert_int_equal(tut_keystore_open("open", false, &t, &err).code, TUT_DENIED);
    assert_non_null(strstr(err.text, "chmod 700"));
}

static void a_period_has_one_secret(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    uint8_t a[TUT_PERIOD_SECRET], b[TUT_PERIOD_SECRET], c[TUT_PERIOD_SECRET];
    assert_true(tut_is_ok(tut_keystore_open("period", true, &s, NULL)));
    assert_false(tut_is_ok(tut_keystore_period(s, "202611", false, a, NULL)));
    assert_true(tut_is_ok(tut_keystore_period(s, "202611", true, a, NULL)));
    assert_true(tut_is_ok(tut_keystore_period(s, "202611", true, b, NULL)));
    assert_true(tut_is_ok(tut_keystore_period(s, "202612", true, c, NULL)));
    assert_memory_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, c, sizeof(a));
    assert_int_equal(mode_of(in(s, "period/202611")), 0600);
    static const char *const bad[] = {"", "2026", "2026-11", "../log", "2026111", "20261x"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(tut_keystore_period(s, bad[i], true, a, NULL).code, TUT_USAGE);
    assert_int_equal(truncate(in(s, "period/202611"), 31), 0);
    assert_int_equal(tut_keystore_period(s, "202611", true, a, NULL).code, TUT_STORE);
}

static void an_erased_period_stays_erased(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    uint8_t secret[TUT_PERIOD_SECRET];
    uint8_t seen[TUT_PERIOD_SECRET];
    tut_error err = {0};
    assert_true(tut_is_ok(tut_keystore_open("erased", true, &s, NULL)));
    assert_int_equal(tut_keystore_erase_period(s, "202611", NULL).code, TUT_STORE);
    assert_int_equal(tut_keystore_erase_period(s, "../log", NULL).code, TUT_USAGE);
    assert_true(tut_is_ok(tut_keystore_period(s, "202611", true, secret, NULL)));
    assert_true(tut_keystore_has_period(s, "202611"));
    assert_false(tut_keystore_is_erased(s, "202611"));
    int fd = open(in(s, "period/202611"), O_RDONLY); /* the bytes themselves are gone, too */
    assert_true(fd >= 0);
    assert_true(tut_is_ok(tut_keystore_erase_period(s, "202611", NULL)));
    assert_int_equal(pread(fd, seen, sizeof(seen), 0), sizeof(seen));
    assert_memory_not_equal(seen, secret, sizeof(seen));
    (void)close(fd);
    assert_false(tut_fs_exists(in(s, "period/202611")));
    assert_true(tut_keystore_is_erased(s, "202611"));
    assert_int_equal(tut_keystore_period(s, "202611", true, seen, &err).code, TUT_STORE);
    assert_string_equal(err.text, "was erased");
    assert_true(tut_is_ok(tut_keystore_period(s, "202612", true, secret, NULL)));
}

/* --- a machine key that takes another one's place --- */

static void id_of(const tut_keystore *s, const char *name, char ret[TUT_SHA256_HEX])
{
    TUT_AUTO(tut_pubkey) key = NULL;
    assert_true(tut_is_ok(tut_keystore_public(s, name, &key, NULL)));
    tut_str_copy(ret, TUT_SHA256_HEX, tut_str_of(tut_pubkey_id(key)));
}

static void private_id_of(const char *path, char ret[TUT_SHA256_HEX])
{
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_open(path, NULL, &key, NULL)));
    tut_str_copy(ret, TUT_SHA256_HEX, tut_str_of(tut_pubkey_id(tut_key_public(key))));
}

static void make_next(const tut_keystore *s, const char *name, char ret_id[TUT_SHA256_HEX])
{
    TUT_AUTO(tut_key) key = NULL;
    assert_true(
        tut_is_ok(tut_keystore_generate(s, name, TUT_KEY_ED25519, TUT_LIT(""), &key, NULL)));
    tut_str_copy(ret_id, TUT_SHA256_HEX, tut_str_of(tut_pubkey_id(tut_key_public(key))));
}

static char *beside(const tut_keystore *s, const char *name, const char *ending)
{
    return tut_asprintf("%s/%s%s", tut_keystore_dir(s), name, ending);
}

/* The first `done` steps of a switch, as a crash would leave them. */
static void begin_switch(const tut_keystore *s, const char *name, const char *pub, unsigned done)
{
    TUT_AUTO_FREE char *key = beside(s, name, ".key");
    TUT_AUTO_FREE char *kept = beside(s, name, ".key.1");
    TUT_AUTO_FREE char *next = beside(s, name, ".next.key");
    TUT_AUTO_FREE char *public = beside(s, name, pub);
    TUT_AUTO_FREE char *kept_public = tut_asprintf("%s.1", public);
    if (done >= 1)
        assert_int_equal(link(key, kept), 0);
    if (done >= 2)
        assert_int_equal(rename(next, key), 0);
    if (done >= 3)
        assert_int_equal(link(public, kept_public), 0);
}

/* Whatever was done already of a switch, the next call does the rest, and keeps the old key once.
 */
static void a_switch_goes_on_from_wherever_it_stopped(void **state)
{
    (void)state;
    static const char *const names[] = {"log", "tool"};
    for (unsigned i = 0; i < 2 * 4; i++) {
        const char *name = names[i / 4];
        const char *pub = i / 4 ? ".pub" : ".vkey";
        TUT_AUTO(tut_keystore) s = NULL;
        char origin[32], next[16], old_id[TUT_SHA256_HEX], new_id[TUT_SHA256_HEX];
        char found[TUT_SHA256_HEX];
        (void)snprintf(origin, sizeof(origin), "switch%u", i);
        (void)snprintf(next, sizeof(next), "%s.next", name);
        assert_true(tut_is_ok(tut_keystore_open(origin, true, &s, NULL)));
        id_of(s, name, old_id);
        assert_false(tut_keystore_has_next(s, name));
        make_next(s, next, new_id);
        assert_true(tut_keystore_has_next(s, name));
        begin_switch(s, name, pub, i % 4);
        assert_true(tut_is_ok(tut_keystore_switch(s, name, NULL)));
        assert_false(tut_keystore_has_next(s, name));
        id_of(s, name, found);
        assert_string_equal(found, new_id);
        TUT_AUTO_FREE char *key = beside(s, name, ".key");
        TUT_AUTO_FREE char *kept = beside(s, name, ".key.1");
        TUT_AUTO_FREE char *twice = beside(s, name, ".key.2");
        private_id_of(key, found);
        assert_string_equal(found, new_id);
        private_id_of(kept, found);
        assert_string_equal(found, old_id);
        assert_false(tut_fs_exists(twice));
        TUT_AUTO_FREE char *kept_public = tut_asprintf("%s/%s%s.1", tut_keystore_dir(s), name, pub);
        assert_true(tut_fs_exists(kept_public));
        assert_int_equal(tut_keystore_switch(s, name, NULL).code, TUT_BUG);
    }
}

static void a_token_takes_the_place_of_a_file_and_back(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    char id[TUT_SHA256_HEX], found[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_keystore_open("token", true, &s, NULL)));
    /* What the URI names does not matter here: it is moved, not opened. */
    make_next(s, "log.next", id);
    assert_int_equal(unlink(in(s, "log.next.key")), 0);
    assert_true(
        tut_is_ok(tut_fs_write(in(s, "log.next.uri"), tut_span_of("pkcs11:x\n", 9), 0600, NULL)));
    assert_true(tut_is_ok(tut_keystore_switch(s, "log", NULL)));
    assert_true(tut_fs_exists(in(s, "log.uri")));
    assert_false(tut_fs_exists(in(s, "log.key")));
    assert_true(tut_fs_exists(in(s, "log.key.1")));
    make_next(s, "log.next", id);
    assert_true(tut_is_ok(tut_keystore_switch(s, "log", NULL)));
    assert_false(tut_fs_exists(in(s, "log.uri")));
    assert_true(tut_fs_exists(in(s, "log.uri.2")));
    private_id_of(in(s, "log.key"), found);
    assert_string_equal(found, id);
}

static void a_key_that_waits_can_be_given_up(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    char id[TUT_SHA256_HEX];
    int lock = -1, other = -1;
    assert_true(tut_is_ok(tut_keystore_open("giveup", true, &s, NULL)));
    make_next(s, "tool.next", id);
    assert_int_equal(unlink(in(s, "tool.next.pub")), 0);
    assert_false(tut_keystore_has_next(s, "tool")); /* its making was cut short */
    assert_true(tut_is_ok(tut_keystore_drop_next(s, "tool", NULL)));
    assert_false(tut_fs_exists(in(s, "tool.next.key")));
    assert_true(tut_is_ok(tut_keystore_drop_next(s, "tool", NULL)));
    assert_int_equal(tut_keystore_drop_next(s, "people/x", NULL).code, TUT_USAGE);
    assert_true(tut_is_ok(tut_keystore_lock(s, &lock, NULL)));
    assert_int_equal(tut_keystore_lock(s, &other, NULL).code, TUT_STORE);
    (void)close(lock);
    assert_true(tut_is_ok(tut_keystore_lock(s, &other, NULL)));
    (void)close(other);
}

static void a_key_in_force_is_not_adopted_again(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_AUTO(tut_key) p256 = NULL;
    char own[300], other[300];
    assert_true(tut_is_ok(tut_keystore_open("adopt", true, &s, NULL)));
    (void)snprintf(own, sizeof(own), "%s/log.key", tut_keystore_dir(s));
    (void)snprintf(other, sizeof(other), "%s/p256.pem", dir);
    assert_int_equal(tut_keystore_adopt_next(s, "log", own, NULL, &key, NULL).code, TUT_USAGE);
    assert_int_equal(tut_keystore_adopt_next(s, "log", "ssh-agent:", NULL, &key, NULL).code,
                     TUT_USAGE);
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &p256, NULL)));
    assert_true(tut_is_ok(tut_key_write(p256, other, TUT_LIT(""), NULL)));
    assert_int_equal(tut_keystore_adopt_next(s, "log", other, NULL, &key, NULL).code, TUT_USAGE);
    assert_false(tut_keystore_has_next(s, "log"));
    assert_true(tut_is_ok(tut_keystore_adopt_next(s, "tool", other, NULL, &key, NULL)));
    assert_true(tut_keystore_has_next(s, "tool"));
    assert_int_equal(mode_of(in(s, "tool.next.key")), 0600);
}

static void a_relative_data_home_is_ignored(void **state)
{
    (void)state;
    TUT_AUTO(tut_keystore) s = NULL;
    char expected[128];
    assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1), 0);
    assert_int_equal(setenv("HOME", dir, 1), 0);
    assert_true(tut_is_ok(tut_keystore_open("home", true, &s, NULL)));
    (void)snprintf(expected, sizeof(expected), "%s/.local/share/tutela/home", dir);
    assert_string_equal(tut_keystore_dir(s), expected);
    assert_int_equal(unsetenv("HOME"), 0);
    TUT_AUTO(tut_keystore) none = NULL;
    assert_int_equal(tut_keystore_open("home", true, &none, NULL).code, TUT_USAGE);
    assert_int_equal(setenv("XDG_DATA_HOME", dir, 1), 0);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool is_done = false; !is_done; n++) {
        TUT_AUTO(tut_keystore) s = NULL;
        TUT_AUTO(tut_pubkey) pub = NULL;
        char origin[32];
        uint8_t secret[TUT_PERIOD_SECRET];
        (void)snprintf(origin, sizeof(origin), "memory%llu", (unsigned long long)n);
        tut_alloc_fail_after(n);
        tut_status status = tut_keystore_open(origin, true, &s, NULL);
        if (tut_is_ok(status))
            status = tut_keystore_public(s, "log", &pub, NULL);
        if (tut_is_ok(status))
            status = tut_keystore_period(s, "202611", true, secret, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        if (!is_done && status.code != TUT_NOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, tut_code_name(status.code));
    }
    assert_true(n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_create_there_is_none),
        cmocka_unit_test(created_once_and_the_same_ever_after),
        cmocka_unit_test(two_that_create_at_once_share_one_key),
        cmocka_unit_test(names_do_not_lead_elsewhere),
        cmocka_unit_test(people_have_keys_of_their_own),
        cmocka_unit_test(a_store_open_to_others_is_refused),
        cmocka_unit_test(a_period_has_one_secret),
        cmocka_unit_test(an_erased_period_stays_erased),
        cmocka_unit_test(a_switch_goes_on_from_wherever_it_stopped),
        cmocka_unit_test(a_token_takes_the_place_of_a_file_and_back),
        cmocka_unit_test(a_key_that_waits_can_be_given_up),
        cmocka_unit_test(a_key_in_force_is_not_adopted_again),
        cmocka_unit_test(a_relative_data_home_is_ignored),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
