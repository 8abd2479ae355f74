/* A log brought back from a copy: whole, of one or several tiles, with or without its journal; what
 * is not exactly what was signed is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "ledger/log_restore.h"

#define ORIGIN "example.org/x"

static char dir[64];
static tut_key *key;
static tut_verifier verifier;

static const char *in_dir(const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 160, "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-restore-XXXXXX");
    if (!mkdtemp(dir) || !tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)))
        return -1;
    return tut_is_ok(
               tut_verifier_of(ORIGIN, TUT_NOTE_ED25519, tut_key_public(key), &verifier, NULL))
               ? 0
               : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char command[100];
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    tut_verifier_done(&verifier);
    tut_key_free(key);
    return system(command);
}

static tut_log *open_log(const char *name, bool writing)
{
    tut_log *log = NULL;
    tut_error err = {0};
    tut_log_signer signer = {.name = ORIGIN, .key = key};
    tut_log_options options = {.dir = in_dir(name),
                               .origin = ORIGIN,
                               .signers = &signer,
                               .signer_count = 1,
                               .verifiers = &verifier,
                               .verifier_count = 1};
    if (!tut_is_ok(tut_log_open(&options, writing, &log, &err)))
        fail_msg("%s", err.text);
    return log;
}

static void make_log(const char *name, unsigned count)
{
    tut_log *log = open_log(name, true);
    tut_span *entries = calloc(count, sizeof(*entries));
    char(*texts)[32] = calloc(count, sizeof(*texts));
    uint64_t first;
    assert_true(entries && texts);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "entry %u", i);
        entries[i] = tut_span_of(texts[i], i == 7 ? 0 : strlen(texts[i]));
    }
    assert_true(tut_is_ok(tut_log_append(log, entries, count, &first, NULL)));
    assert_true(tut_is_ok(tut_log_close(&log, NULL)));
    free(entries);
    free(texts);
}

static void wrong(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    fail_msg("%s: %s", name, detail);
}

static tut_code read_copy(const char *name, tut_log_copy *copy)
{
    return tut_log_copy_read(in_dir(name), ORIGIN, &verifier, 1, copy, NULL).code;
}

/* The restored log verifies, is the same tree, and goes on. */
static void assert_restored(const char *from, unsigned count)
{
    tut_log_copy copy = {.size = 0};
    tut_error err = {0};
    tut_sha256 root;
    uint64_t first = 0;
    if (!tut_is_ok(tut_log_copy_read(in_dir(from), ORIGIN, &verifier, 1, &copy, &err)) ||
        !tut_is_ok(tut_log_copy_write(&copy, in_dir("new"), ORIGIN, &err)))
        fail_msg("%s", err.text);
    assert_int_equal(copy.size, count);
    assert_int_equal(tut_log_copy_write(&copy, in_dir("new"), ORIGIN, NULL).code, TUT_STORE);
    tut_log *log = open_log("new", false);
    assert_true(tut_is_ok(tut_log_verify(log, wrong, NULL, NULL)));
    tut_log_root(log, &root);
    assert_true(tut_sha256_eq(&root, &copy.root));
    assert_true(tut_str_eq(tut_log_checkpoint(log), tut_buf_str(&copy.note)));
    tut_log_free(log);
    log = open_log("new", true);
    tut_span more = tut_span_of("more", 4);
    assert_true(tut_is_ok(tut_log_append(log, &more, 1, &first, NULL)));
    assert_int_equal(first, count);
    tut_log_copy_root_at(&copy, count, &root);
    tut_sha256 then;
    assert_true(tut_is_ok(tut_log_root_at(log, count, &then, NULL)));
    assert_true(tut_sha256_eq(&root, &then));
    assert_true(tut_is_ok(tut_log_close(&log, NULL)));
    log = open_log("new", false);
    assert_true(tut_is_ok(tut_log_verify(log, wrong, NULL, NULL)));
    tut_log_free(log);
    tut_log_copy_done(&copy);
}

static void run_command(const char *fmt, const char *a, const char *b)
{
    char command[400];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(command, sizeof(command), fmt, a, b);
#pragma GCC diagnostic pop
    assert_int_equal(system(command), 0);
}

static void a_whole_log_comes_back_from_its_directory(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 2, 255, 256, 257, 700};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_log("log", sizes[i]);
        assert_restored("log", sizes[i]);
        run_command("rm -r %s %s", in_dir("log"), in_dir("new"));
    }
}

static void and_from_what_a_web_server_publishes(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 256, 700};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_log("log", sizes[i]);
        run_command("rm -r %s/journal %s/tile/0", in_dir("log"), in_dir("log"));
        assert_restored("log", sizes[i]);
        run_command("rm -r %s %s", in_dir("log"), in_dir("new"));
    }
}

static void no_altered_byte_of_a_copy_is_taken(void **state)
{
    (void)state;
    static const char *const files[] = {"log/checkpoint", "log/tile/entries/000.p/20"};
    tut_log_copy copy = {.size = 0};
    make_log("log", 20);
    run_command("rm -r %s/journal %s/tile/0", in_dir("log"), in_dir("log"));
    for (size_t i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_fs_read(in_dir(files[i]), 1 << 20, &good, NULL)));
        for (size_t at = 0; at < good.len; at++) {
            good.data[at] ^= 4;
            assert_true(tut_is_ok(
                tut_fs_write_unsynced(in_dir(files[i]), tut_buf_span(&good), 0600, NULL)));
            assert_int_not_equal(read_copy("log", &copy), TUT_OK);
            good.data[at] ^= 4;
        }
        for (size_t len = 0; len < good.len; len++) {
            assert_true(tut_is_ok(
                tut_fs_write_unsynced(in_dir(files[i]), tut_span_of(good.data, len), 0600, NULL)));
            assert_int_not_equal(read_copy("log", &copy), TUT_OK);
        }
        assert_true(
            tut_is_ok(tut_fs_write_unsynced(in_dir(files[i]), tut_buf_span(&good), 0600, NULL)));
        assert_int_equal(read_copy("log", &copy), TUT_OK);
        tut_log_copy_done(&copy);
    }
}

static void nobodys_copy_is_taken(void **state)
{
    (void)state;
    tut_log_copy copy = {.size = 0};
    TUT_AUTO(tut_key) other = NULL;
    TUT_CLEAN(tut_verifier) stranger = {.id = 0};
    make_log("log", 3);
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &other, NULL)));
    assert_true(tut_is_ok(
        tut_verifier_of(ORIGIN, TUT_NOTE_ED25519, tut_key_public(other), &stranger, NULL)));
    assert_int_not_equal(tut_log_copy_read(in_dir("log"), ORIGIN, &stranger, 1, &copy, NULL).code,
                         TUT_OK);
    assert_int_equal(tut_log_copy_read(in_dir("log"), ORIGIN, NULL, 0, &copy, NULL).code,
                     TUT_USAGE);
    assert_int_not_equal(
        tut_log_copy_read(in_dir("log"), "example.org/y", &verifier, 1, &copy, NULL).code, TUT_OK);
    assert_int_not_equal(read_copy("absent", &copy), TUT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_log_comes_back_from_its_directory),
        TEST(and_from_what_a_web_server_publishes),
        TEST(no_altered_byte_of_a_copy_is_taken),
        TEST(nobodys_copy_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
