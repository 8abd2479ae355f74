/* The container and the manifest of packs: one form, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "pack/draft.h"
#include "pack/image.h"
#include "pack/verify.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-pack-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    char path[96];
    (void)state;
    snprintf(path, sizeof(path), "%s/p.tar", dir);
    (void)unlink(path);
    return rmdir(dir);
}

static tut_status no_body(void *ctx, const tut_sha256 *digest, tut_buf *out, tut_error *err)
{
    (void)ctx;
    (void)digest;
    (void)out;
    return tut_fail(err, TUT_STORE, "there is none");
}

static tut_span text(const char *z)
{
    return tut_span_of(z, strlen(z));
}

/* Three files and the sums, through a file. */
static tut_status write_pack(tut_buf *out, tut_error *err)
{
    char path[96];
    tut_draft d;
    snprintf(path, sizeof(path), "%s/p.tar", dir);
    tut_draft_init(&d, no_body, NULL);
    tut_status status = tut_draft_add(&d, "b/second", text("2"), true, err);
    if (tut_is_ok(status))
        status = tut_draft_add(&d, "a", text(""), true, err);
    if (tut_is_ok(status))
        status = tut_draft_add(&d, "b/second", text("2"), true, err);
    if (tut_is_ok(status))
        status = tut_draft_write(&d, path, err);
    tut_draft_done(&d);
    return tut_is_ok(status) ? tut_fs_read(path, 1 << 20, out, err) : status;
}

static tut_code read_code(tut_span bytes)
{
    tut_source source = tut_source_memory(bytes);
    tut_archive a = {.count = 0};
    tut_status status = tut_archive_read(&source, &a, NULL);
    if (tut_is_ok(status))
        tut_archive_done(&a);
    return status.code;
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const good[] = {"a", "VERIFY.txt", "log/tile/0/x001/234.p/5", "a-b_c.D/9"};
    static const char *const bad[] = {"",       "/a",  "a/",  "a//b", ".a",     "a/.b",  "..",
                                      "a/../b", "a b", "a\\", "a\nb", "a\200b", "a/..b", "a:b"};
    char longest[128];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(tut_archive_is_name(tut_str_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(tut_archive_is_name(tut_str_of(bad[i])));
    memset(longest, 'a', sizeof(longest));
    assert_true(tut_archive_is_name((tut_str){longest, 87}));
    assert_false(tut_archive_is_name((tut_str){longest, 88}));
}

static void what_was_written_is_read(void **state)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sums = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    tut_archive a;
    (void)state;
    assert_true(tut_is_ok(write_pack(&bytes, NULL)));
    tut_source source = tut_source_memory(tut_buf_span(&bytes));
    assert_true(tut_is_ok(tut_archive_read(&source, &a, NULL)));
    assert_int_equal(a.count, 3); /* one of two of the same name */
    assert_string_equal(a.members[0].name, TUT_PACK_SUMS);
    assert_string_equal(a.members[1].name, "a");
    assert_string_equal(a.members[2].name, "b/second");
    tut_archive_sums(a.members, a.count, &sums);
    assert_true(tut_is_ok(tut_archive_get(&a, TUT_PACK_SUMS, 4096, &found, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&sums), tut_buf_str(&found)));
    tut_buf_clear(&found);
    assert_true(tut_is_ok(tut_archive_get(&a, "a", 0, &found, NULL)));
    assert_int_equal(found.len, 0);
    assert_int_equal(tut_archive_get(&a, "b", 9, &found, NULL).code, TUT_IO);
    assert_int_equal(tut_archive_get(&a, "b/second", 0, &found, NULL).code, TUT_LIMIT);
    tut_archive_done(&a);
}

static void every_cut_and_every_bit_is_noticed(void **state)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    (void)state;
    assert_true(tut_is_ok(write_pack(&bytes, NULL)));
    tut_source source = tut_source_memory(tut_buf_span(&bytes));
    tut_archive whole;
    assert_true(tut_is_ok(tut_archive_read(&source, &whole, NULL)));
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(read_code(tut_span_of(bytes.data, len)), TUT_OK);
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        tut_archive a = {.count = 0};
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (tut_is_ok(tut_archive_read(&source, &a, NULL))) { /* then it is in a file's bytes */
            bool is_other = false;
            assert_int_equal(a.count, whole.count);
            for (size_t i = 0; i < a.count; i++)
                is_other = is_other ||
                           !tut_sha256_eq(&a.members[i].digest, &whole.members[i].digest);
            assert_true(is_other);
            tut_archive_done(&a);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tut_archive_done(&whole);
}

static void a_manifest_has_one_form(void **state)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_arena) arena = {0};
    const tut_pack_file files[] = {{.name = {"a", 1}, .size = 1}, {.name = {"b/c", 3}, .size = 2}};
    const tut_pack_withheld withheld[] = {{.entry = 7, .why = {"sealed", 6}}};
    const tut_pack_manifest m = {.tutela = {"0.1.0", 5},
                                 .evaluated_at = 1700000000,
                                 .system_name = {"s", 1},
                                 .origin = {"o/evidence", 10},
                                 .log_size = 12,
                                 .files = files,
                                 .file_count = 2,
                                 .withheld = withheld,
                                 .withheld_count = 1};
    tut_pack_manifest back;
    (void)state;
    assert_true(tut_is_ok(tut_pack_manifest_write(&m, &out, NULL)));
    assert_true(tut_is_ok(tut_pack_manifest_read(tut_buf_span(&out), &arena, &back, NULL)));
    assert_int_equal(back.log_size, 12);
    assert_int_equal(back.file_count, 2);
    assert_true(tut_str_eq_z(back.files[1].name, "b/c"));
    assert_int_equal(back.withheld[0].entry, 7);
    /* One byte more, less, or another one that is still JSON. */
    for (size_t len = 0; len < out.len; len++)
        assert_false(
            tut_is_ok(tut_pack_manifest_read(tut_span_of(out.data, len), &arena, &back, NULL)));
    tut_buf_add_byte(&out, '\n');
    assert_false(tut_is_ok(tut_pack_manifest_read(tut_buf_span(&out), &arena, &back, NULL)));
}

static void tiles_are_those_of_the_specification(void **state)
{
    char name[TUT_PACK_NAME];
    (void)state;
    tut_pack_tile_name(0, 1234067, 256, name);
    assert_string_equal(name, "log/tile/0/x001/x234/067");
    tut_pack_tile_name(-1, 0, 8, name);
    assert_string_equal(name, "log/tile/entries/000.p/8");
    tut_pack_evidence_name(42, "tlog-proof", name);
    assert_string_equal(name, "evidence/0000000042.tlog-proof");
}

typedef struct counting {
    size_t full, partial, bundles;
} counting;

static tut_status count_tile(void *ctx, int level, uint64_t n, unsigned width, tut_error *err)
{
    counting *c = ctx;
    (void)n;
    (void)err;
    c->bundles += level < 0;
    c->full += level >= 0 && width == 256;
    c->partial += level >= 0 && width < 256;
    return TUT_SUCCESS;
}

/* C2SP's own example: 70,000 entries. */
static void a_log_of_70000_has_its_tiles(void **state)
{
    counting c = {0};
    (void)state;
    assert_true(tut_is_ok(tut_pack_tiles(70000, count_tile, &c, NULL)));
    assert_int_equal(c.bundles, 274);
    assert_int_equal(c.full, 273 + 1);
    assert_int_equal(c.partial, 1 + 1 + 1);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 2000; n++) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = write_pack(&bytes, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            assert_true(n > 10);
            return;
        }
        assert_int_equal(status.code, TUT_NOMEM);
    }
    fail_msg("never enough memory");
}

static void what_is_no_pack_is_said_to_be_none(void **state)
{
    uint8_t zeros[2048] = {0};
    const tut_pack_trust none = {.keys = NULL};
    (void)state;
    for (size_t len = 0; len <= sizeof(zeros); len += 256) {
        tut_source source = tut_source_memory(tut_span_of(zeros, len));
        tut_pack_result *r = NULL;
        assert_int_equal(tut_pack_verify(&source, &none, 0, &r, NULL).code, TUT_UNSUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_cut_and_every_bit_is_noticed),
        cmocka_unit_test(a_manifest_has_one_form),
        cmocka_unit_test(tiles_are_those_of_the_specification),
        cmocka_unit_test(a_log_of_70000_has_its_tiles),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(what_is_no_pack_is_said_to_be_none),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
