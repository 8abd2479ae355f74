/* What verification finds: every flipped byte, every cut, and the ways to tell another story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/fs.h"
#include "log_fixture.h"
#include "memcheck.h"

static log_fixture fx;

static int make(void **state)
{
    (void)state;
    fixture_make(&fx, "logverify");
    return 0;
}

static int wipe(void **state)
{
    (void)state;
    fixture_wipe(&fx);
    fx.options.anchor = fx.anchor;
    return 0;
}

static int done(void **state)
{
    (void)state;
    fixture_done(&fx);
    return 0;
}

typedef struct findings {
    unsigned count;
    char names[256], lines[4096];
} findings;

static void keep(void *ctx, const char *name, const char *detail)
{
    findings *f = ctx;
    f->count++;
    (void)snprintf(f->names + strlen(f->names), sizeof(f->names) - strlen(f->names), "%s ", name);
    (void)snprintf(f->lines + strlen(f->lines), sizeof(f->lines) - strlen(f->lines), "%s: %s\n",
                   name, detail);
}

/* What opening for reading or verification say; "" when all is well. */
static void look(findings *f)
{
    tut_error err = {0};
    tut_log *log = NULL;
    *f = (findings){0};
    tut_status status = tut_log_open(&fx.options, false, &log, &err);
    if (tut_is_ok(status)) {
        fixture_must(tut_log_verify(log, keep, f, &err), &err, "verify");
        tut_log_free(log);
        return;
    }
    assert_true(err.text[0] != '\0');
    keep(f, tut_code_name(status.code), err.text);
}

static void assert_sound(void)
{
    findings f;
    look(&f);
    if (f.count)
        fail_msg("%s", f.lines);
}

static void assert_found(const char *name, const char *text)
{
    findings f;
    look(&f);
    if (!strstr(f.names, name) || !strstr(f.lines, text))
        fail_msg("wanted %s with \"%s\", found: %s", name, text, f.lines);
}

/* Entries below the base, frames behind it, partial tiles of both. */
static void build_small(void)
{
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 12);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, 3);
    fixture_append(log, 5);
    fixture_close(log);
}

/* Full tiles of two levels, below and above the base. */
static void build_tiles(void)
{
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 700);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, 600);
    fixture_close(log);
}

typedef struct file {
    char path[256];
    tut_buf bytes;
} file;

enum { FILES_MAX = 64 };
static file files[FILES_MAX];
static size_t file_count;

static tut_status take_file(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    (void)ctx;
    assert_true(file_count < FILES_MAX);
    file *f = &files[file_count++];
    *f = (file){0};
    (void)snprintf(f->path, sizeof(f->path), "%s/%s", fx.dir, entry->rel);
    return tut_fs_read(f->path, 1 << 24, &f->bytes, err);
}

static void take_files(void)
{
    file_count = 0;
    assert_true(tut_is_ok(tut_walk(fx.dir, take_file, NULL, NULL)));
    assert_true(file_count > 6);
}

static void drop_files(void)
{
    for (size_t i = 0; i < file_count; i++)
        tut_buf_done(&files[i].bytes);
}

static void put(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (len)
        assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void flip_every_byte(void)
{
    size_t flips = 0;
    take_files();
    for (size_t i = 0; i < file_count; i++) {
        file *f = &files[i];
        for (size_t at = 0; at < f->bytes.len; at += memcheck_step(61)) {
            findings found;
            uint8_t bit = (uint8_t)(1u << (at + i) % 8);
            f->bytes.data[at] ^= bit;
            put(f->path, f->bytes.data, f->bytes.len);
            look(&found);
            if (found.count == 0)
                fail_msg("byte %zu of %s flipped by %02x, and nothing was found", at, f->path, bit);
            f->bytes.data[at] ^= bit;
            flips++;
        }
        put(f->path, f->bytes.data, f->bytes.len);
    }
    print_message("%zu bytes in %zu files\n", flips, file_count);
    assert_true(flips > 2500 / memcheck_step(100));
    drop_files();
    assert_sound();
}

static void every_flipped_byte_is_found_without_an_anchor(void **state)
{
    (void)state;
    fx.options.anchor = NULL;
    build_small();
    assert_sound();
    flip_every_byte();
}

static void every_flipped_byte_of_a_log_left_by_a_crash_is_found(void **state)
{
    (void)state;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 12);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, 3);
    fixture_must(tut_log_fold(log, NULL), NULL, "fold");
    fixture_append(log, 5);
    tut_log_free(log);
    assert_sound();
    flip_every_byte();
}

static void every_cut_and_every_missing_file_is_found(void **state)
{
    (void)state;
    fx.options.anchor = NULL;
    build_small();
    take_files();
    for (size_t i = 0; i < file_count; i++) {
        file *f = &files[i];
        findings found;
        for (size_t len = 0; len < f->bytes.len; len += memcheck_step(61)) {
            put(f->path, f->bytes.data, len);
            look(&found);
            if (found.count == 0)
                fail_msg("%s cut to %zu bytes, and nothing was found", f->path, len);
        }
        if (f->bytes.len == 0)
            continue; /* lock */
        bool is_spare = strstr(f->path, ".p/12") || strstr(f->path, ".p/15");
        assert_int_equal(remove(f->path), 0);
        look(&found);
        if (found.count == 0 && !is_spare)
            fail_msg("%s removed, and nothing was found", f->path);
        put(f->path, f->bytes.data, f->bytes.len);
    }
    drop_files();
    assert_sound();
}

static void full_tiles_are_found_altered_missing_and_swapped(void **state)
{
    (void)state;
    build_tiles();
    assert_sound();
    static const struct {
        const char *line, *name, *text;
    } cases[] = {
        {"printf x | dd of=log/tile/0/001 bs=1 seek=100 conv=notrunc 2>/dev/null", "tile",
         "tile/0/001 was altered"},
        {"printf x | dd of=log/tile/0/004 bs=1 seek=100 conv=notrunc 2>/dev/null", "tile",
         "tile/0/004 was altered: hash 3"},
        {"printf x | dd of=log/tile/entries/001 bs=1 seek=100 conv=notrunc 2>/dev/null", "entry",
         "tile/entries/001"},
        {"printf x | dd of=log/tile/1/000.p/5 bs=1 seek=40 conv=notrunc 2>/dev/null", "tile",
         "tile/1/000.p/5 was altered: hash 1"},
        {"mv log/tile/0/000 x && mv log/tile/0/001 log/tile/0/000 && mv x log/tile/0/001", "tile",
         "tile/0/000 was altered"},
        {"mv log/tile/entries/003 x && mv log/tile/entries/004 log/tile/entries/003 && "
         "mv x log/tile/entries/004",
         "entry", "entry 768 in tile/entries/003 was altered"},
        {"rm log/tile/0/001", "tile", "tile/0/001 is missing"},
        {"rm log/tile/entries/000", "entry", "tile/entries/000 is missing"},
        {"rm -r log/tile/entries/005.p", "entry", "tile/entries/005.p/20 is missing"},
        {"rm -r log/tile/1", "tile", "tile/1/000"},
        {"cp log/tile/0/000 log/tile/0/077", "tile", "tile/0/077 is beyond the end"},
        {"echo > log/tile/0/0777", "tile", "tile/0/0777 is no part of the log"},
        {"ln -s /etc/passwd log/tile/0/078", "tile", "tile/0/078 is no part of the log"},
        {"rm log/checkpoint", "checkpoint", "missing"},
        {"rm log/journal", "STORE", "journal"},
        {"printf x | dd of=anchor bs=1 seek=30 conv=notrunc 2>/dev/null", "anchor", "damaged"},
        {"rm -r log/tile", "tile", "missing"},
    };
    fixture_run("cp -a log kept-log && cp anchor kept-anchor", fx.root);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_run(cases[i].line, fx.root);
        assert_found(cases[i].name, cases[i].text);
        fixture_run("rm -r log && cp -a kept-log log && cp kept-anchor anchor", fx.root);
    }
    assert_sound();
}

static void entries_in_another_order_are_found(void **state)
{
    (void)state;
    tut_error err = {0};
    static const tut_span entries[] = {{(const uint8_t *)"first", 5},
                                       {(const uint8_t *)"other", 5}};
    uint64_t first = 0;
    tut_log *log = fixture_open(&fx, true);
    fixture_must(tut_log_append(log, entries, 2, &first, &err), &err, "append");
    fixture_must(tut_log_renew(log, &err), &err, "renew");
    fixture_close(log);
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/tile/entries/000.p/2", fx.dir);
    put(path, "\0\5other\0\5first", 14);
    assert_found("entry", "entry 0");
}

static void a_log_sealed_again_by_another_key_is_refused(void **state)
{
    (void)state;
    tut_error err = {0};
    log_fixture thief;
    fixture_make(&thief, "thief");
    build_small();
    /* The same entries, and some of his own, under his key and under the name of the log. */
    tut_log *log = fixture_open(&thief, true);
    fixture_append(log, 20);
    fixture_append(log, 5);
    fixture_close(log);
    fixture_run("rm -r log", fx.root);
    char line[256];
    (void)snprintf(line, sizeof(line), "cp -a '%s' log", thief.dir);
    fixture_run(line, fx.root);
    for (int writing = 0; writing < 2; writing++) {
        log = NULL;
        assert_int_equal(tut_log_open(&fx.options, writing, &log, &err).code, TUT_STORE);
        assert_non_null(strstr(err.text, "signed checkpoint is not good"));
    }
    fixture_done(&thief);
}

/* The key's owner signs two stories of one size: a saved checkpoint tells. */
static void a_split_view_is_found_against_the_shown_checkpoint(void **state)
{
    (void)state;
    tut_error err = {0};
    uint64_t first = 0;
    fx.options.anchor = NULL;
    build_small();
    fixture_run("mv log one", fx.root);
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 19);
    tut_span other = tut_span_of("another story", 13);
    fixture_must(tut_log_append(log, &other, 1, &first, &err), &err, "append");
    fixture_close(log);
    assert_sound();
    fixture_run("cp one/checkpoint log/checkpoint", fx.root);
    assert_found("STORE", "other ones");
}

static void an_old_checkpoint_put_back_is_found(void **state)
{
    (void)state;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 5);
    fixture_close(log);
    fixture_run("cp log/checkpoint old", fx.root);
    build_small();
    fixture_run("cp old log/checkpoint", fx.root);
    assert_found("checkpoint", "old one, of 5 entries");
}

static void a_pruned_log_verifies_and_its_mark_cannot_be_moved(void **state)
{
    (void)state;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 1300);
    fixture_must(tut_log_prune(log, 600, NULL), NULL, "prune");
    fixture_append(log, 10);
    fixture_close(log);
    assert_sound();
    fixture_run("cp -a log kept && sed -i s/512/768/g log/pruned", fx.root);
    assert_found("STORE", "altered");
    fixture_run("rm -r log && cp -a kept log && rm log/pruned", fx.root);
    assert_found("tile", "missing");
    /* Another key's word for it. */
    log_fixture thief;
    fixture_make(&thief, "thief");
    log = fixture_open(&thief, true);
    fixture_append(log, 1310);
    fixture_must(tut_log_prune(log, 1310, NULL), NULL, "prune");
    fixture_close(log);
    char line[256];
    (void)snprintf(line, sizeof(line), "rm -r log && cp -a kept log && cp '%s/pruned' log/pruned",
                   thief.dir);
    fixture_run(line, fx.root);
    fixture_done(&thief);
    assert_found("STORE", "altered");
    fixture_run("rm -r log && cp -a kept log && rm log/tile/0/002", fx.root);
    assert_found("tile", "tile/0/002 is missing");
    fixture_run("rm -r log && cp -a kept log && cp log/tile/0/002 log/tile/0/000", fx.root);
    assert_found("tile", "should be gone");
}

static void damage_that_a_reader_meets_is_named(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX];
    size_t count = 0;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    build_tiles();
    fixture_run("printf x | dd of=log/tile/0/001 bs=1 seek=100 conv=notrunc 2>/dev/null", fx.root);
    fixture_run("printf x | dd of=log/tile/entries/000 bs=1 seek=5 conv=notrunc 2>/dev/null",
                fx.root);
    tut_log *log = fixture_open(&fx, false);
    assert_int_equal(tut_log_entry(log, 0, &out, &err).code, TUT_STORE);
    assert_string_equal(err.path, "tile/entries/000");
    assert_true(tut_is_ok(tut_log_prove_inclusion(log, 0, 1300, proof, &count, &err)));
    err = (tut_error){0};
    assert_int_equal(tut_log_prove_inclusion(log, 300, 1300, proof, &count, &err).code, TUT_STORE);
    assert_string_equal(err.path, "tile/0/001");
    assert_int_equal(out.len, 0);
    tut_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_flipped_byte_is_found_without_an_anchor, wipe),
        cmocka_unit_test_teardown(every_flipped_byte_of_a_log_left_by_a_crash_is_found, wipe),
        cmocka_unit_test_teardown(every_cut_and_every_missing_file_is_found, wipe),
        cmocka_unit_test_teardown(full_tiles_are_found_altered_missing_and_swapped, wipe),
        cmocka_unit_test_teardown(entries_in_another_order_are_found, wipe),
        cmocka_unit_test_teardown(a_log_sealed_again_by_another_key_is_refused, wipe),
        cmocka_unit_test_teardown(a_split_view_is_found_against_the_shown_checkpoint, wipe),
        cmocka_unit_test_teardown(an_old_checkpoint_put_back_is_found, wipe),
        cmocka_unit_test_teardown(a_pruned_log_verifies_and_its_mark_cannot_be_moved, wipe),
        cmocka_unit_test_teardown(damage_that_a_reader_meets_is_named, wipe),
    };
    return cmocka_run_group_tests(tests, make, done);
}
