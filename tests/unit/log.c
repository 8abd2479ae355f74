/* The log on its good days: layout, entries, roots and proofs; rollback; the binder; pruning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/limits.h"
#include "log_fixture.h"
#include "memcheck.h"

static log_fixture fx;

static int make(void **state)
{
    (void)state;
    fixture_make(&fx, "log");
    return 0;
}

static int wipe(void **state)
{
    (void)state;
    fixture_wipe(&fx);
    fx.options.binder = NULL;
    fx.options.anchor = fx.anchor;
    return 0;
}

static int done(void **state)
{
    (void)state;
    fixture_done(&fx);
    return 0;
}

static bool is_there(const char *rel)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fx.dir, rel);
    return tut_fs_exists(path);
}

static off_t size_of(const char *rel)
{
    char path[256];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", fx.dir, rel);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void assert_entry(tut_log *log, uint64_t i)
{
    tut_error err = {0};
    uint8_t room[FIXTURE_ENTRY_MAX];
    tut_span want = fixture_entry(i, room);
    TUT_CLEAN(tut_buf) got = TUT_BUF_INIT;
    fixture_must(tut_log_entry(log, i, &got, &err), &err, "entry");
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
}

static void assert_proofs(tut_log *log, uint64_t i, uint64_t size, const tut_sha256 *root)
{
    tut_error err = {0};
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX], leaf, old_root;
    size_t count = 0;
    fixture_must(tut_log_leaf(log, i, &leaf, &err), &err, "leaf");
    fixture_must(tut_log_prove_inclusion(log, i, size, proof, &count, &err), &err, "inclusion");
    fixture_must(tut_merkle_check_inclusion(&leaf, i, size, proof, count, root, &err), &err,
                 "inclusion");
    fixture_must(tut_log_root_at(log, i, &old_root, &err), &err, "root");
    fixture_must(tut_log_prove_consistency(log, i, size, proof, &count, &err), &err, "consistency");
    fixture_must(tut_merkle_check_consistency(i, size, proof, count, &old_root, root, &err), &err,
                 "consistency");
}

/* Size, root, and some entries and proofs, of which `step` says how many. */
static void assert_log(tut_log *log, uint64_t size, uint64_t step)
{
    tut_merkle_range range;
    tut_sha256 want, got;
    fixture_range(size, &range);
    tut_merkle_range_root(&range, &want);
    tut_log_root(log, &got);
    assert_int_equal(tut_log_size(log), size);
    assert_memory_equal(&got, &want, sizeof(want));
    for (uint64_t i = 0; i < size; i += step) {
        assert_entry(log, i);
        assert_proofs(log, i, size, &want);
    }
}

static void assert_note(const tut_log *log)
{
    tut_error err = {0};
    tut_note note = {0};
    tut_checkpoint c = {0};
    tut_sha256 root;
    fixture_must(tut_note_parse(tut_log_checkpoint(log), &note, &err), &err, "note");
    fixture_must(tut_note_verify(&note, &fx.verifier, 1, 1, NULL, NULL, &err), &err, "signature");
    fixture_must(tut_checkpoint_parse(note.text, &c, &err), &err, "checkpoint");
    tut_log_root(log, &root);
    assert_true(tut_str_eq_z(c.origin, FIXTURE_ORIGIN));
    assert_int_equal(c.size, tut_log_size(log));
    assert_memory_equal(&c.root, &root, sizeof(root));
    tut_note_done(&note);
}

static void an_empty_log_opens_again(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_log *log = NULL;
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_IO);
    for (int i = 0; i < 3; i++) {
        log = fixture_open(&fx, true);
        assert_int_equal(tut_log_size(log), 0);
        assert_int_equal(tut_log_checkpoint(log).len, 0);
        fixture_close(log);
    }
    log = fixture_open(&fx, false);
    assert_log(log, 0, 1);
    tut_log_free(log);
}

static void one_command_after_another_grows_the_log(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 300; size++) {
        tut_log *log = fixture_open(&fx, true);
        fixture_append(log, 1);
        assert_int_equal(tut_log_size(log), size);
        if (size % 50 == 0)
            assert_log(log, size, 1);
        assert_note(log);
        fixture_close(log);
        log = fixture_open(&fx, false);
        assert_log(log, size, size > 20 ? 17 : 1);
        assert_note(log);
        tut_log_free(log);
    }
}

static void partial_tiles_go_once_they_are_not_needed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        tut_log *log = fixture_open(&fx, true);
        fixture_append(log, 25);
        fixture_close(log);
    }
    /* 500 entries: of tile 1 the present width and the one before. */
    assert_true(is_there("tile/0/001.p/244"));
    assert_true(is_there("tile/0/001.p/219"));
    assert_true(is_there("tile/entries/001.p/219"));
    assert_false(is_there("tile/0/001.p/194"));
    assert_false(is_there("tile/entries/001.p/194"));
    assert_false(is_there("tile/0/000.p"));
    assert_false(is_there("tile/entries/000.p"));
    assert_true(is_there("tile/0/000"));
}

static void tiles_lie_as_c2sp_wants_them(void **state)
{
    (void)state;
    if (memcheck_step(2) > 1)
        skip();
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 256);
    assert_true(tut_is_ok(tut_log_fold(log, NULL)));
    assert_int_equal(size_of("tile/0/000"), 8192);
    assert_int_equal(size_of("tile/1/000.p/1"), 32);
    assert_false(is_there("tile/0/000.p"));
    assert_false(is_there("tile/0/001.p"));
    assert_false(is_there("tile/2"));
    while (tut_log_size(log) < 70000)
        fixture_append(log, 70000 - tut_log_size(log) < 9000 ? 70000 - tut_log_size(log) : 9000);
    fixture_close(log);
    assert_int_equal(size_of("tile/0/272"), 8192);
    assert_int_equal(size_of("tile/0/273.p/112"), 112 * 32);
    assert_false(is_there("tile/0/273"));
    assert_false(is_there("tile/0/274.p"));
    assert_int_equal(size_of("tile/1/000"), 8192);
    assert_int_equal(size_of("tile/1/001.p/17"), 17 * 32);
    assert_int_equal(size_of("tile/2/000.p/1"), 32);
    assert_true(is_there("tile/entries/272"));
    assert_true(is_there("tile/entries/273.p/112"));
    log = fixture_open(&fx, false);
    assert_log(log, 70000, 997);
    tut_log_free(log);
    log = fixture_open(&fx, true);
    fixture_append(log, 1);
    assert_log(log, 70001, 1009);
    fixture_close(log);
}

static void paths_are_in_groups_of_three(void **state)
{
    (void)state;
    char path[TUT_TILE_PATH];
    tut_tile_path(0, 1234067, 256, path);
    assert_string_equal(path, "tile/0/x001/x234/067");
    tut_tile_path(-1, 1000, 7, path);
    assert_string_equal(path, "tile/entries/x001/000.p/7");
    tut_tile_path(7, 999, 255, path);
    assert_string_equal(path, "tile/7/999.p/255");
    tut_tile_path(0, (uint64_t)1 << 56, 256, path);
    assert_string_equal(path, "tile/0/x072/x057/x594/x037/x927/936");
}

/* Everything that a log of a few tiles can be asked, from memory, from tiles and from both. */
static void every_root_and_proof_of_a_small_log_verifies(void **state)
{
    (void)state;
    enum { SIZE = 600 };
    static const uint64_t bases[] = {0, 1, 255, 256, 257, 512, 599, 600};
    tut_sha256 roots[SIZE + 1], proof[TUT_MERKLE_PROOF_MAX], got;
    tut_merkle_range range = {0};
    for (uint64_t i = 0; i <= SIZE; i++) {
        fixture_range(i, &range);
        tut_merkle_range_root(&range, &roots[i]);
    }
    for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
        size_t count = 0;
        tut_log *log = fixture_open(&fx, true);
        if (bases[b])
            fixture_append(log, bases[b]);
        assert_true(tut_is_ok(tut_log_renew(log, NULL)));
        if (SIZE - bases[b])
            fixture_append(log, SIZE - bases[b]);
        assert_int_equal(tut_log_base(log), bases[b]);
        tut_log_free(log);
        log = fixture_open(&fx, false);
        assert_int_equal(tut_log_base(log), bases[b]);
        for (uint64_t i = 0; i <= SIZE; i++) {
            assert_true(tut_is_ok(tut_log_root_at(log, i, &got, NULL)));
            assert_memory_equal(&got, &roots[i], sizeof(got));
        }
        for (uint64_t n = 1; n <= SIZE; n += 13 * memcheck_step(7))
            for (uint64_t m = 0; m < n; m += 3) {
                tut_sha256 leaf;
                assert_true(tut_is_ok(tut_log_leaf(log, m, &leaf, NULL)));
                assert_true(tut_is_ok(tut_log_prove_inclusion(log, m, n, proof, &count, NULL)));
                assert_true(tut_is_ok(
                    tut_merkle_check_inclusion(&leaf, m, n, proof, count, &roots[n], NULL)));
                assert_true(tut_is_ok(tut_log_prove_consistency(log, m, n, proof, &count, NULL)));
                assert_true(tut_is_ok(
                    tut_merkle_check_consistency(m, n, proof, count, &roots[m], &roots[n], NULL)));
            }
        tut_log_free(log);
        fixture_wipe(&fx);
    }
}

static tut_status take_in_order(void *ctx, uint64_t index, tut_span entry, tut_error *err)
{
    uint64_t *next = ctx;
    uint8_t room[FIXTURE_ENTRY_MAX];
    tut_span want = fixture_entry(index, room);
    (void)err;
    assert_int_equal(index, (*next)++);
    assert_int_equal(entry.len, want.len);
    assert_memory_equal(entry.data, want.data, want.len);
    return (tut_status){index == 700 ? TUT_CANCELLED : TUT_OK};
}

static void each_goes_over_tiles_and_memory_in_order(void **state)
{
    (void)state;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 600);
    assert_true(tut_is_ok(tut_log_renew(log, NULL)));
    fixture_append(log, 200);
    uint64_t next = 10;
    assert_true(tut_is_ok(tut_log_each(log, 10, 699, take_in_order, &next, NULL)));
    assert_int_equal(next, 699);
    assert_int_equal(tut_log_each(log, 699, 800, take_in_order, &next, NULL).code, TUT_CANCELLED);
    assert_int_equal(tut_log_each(log, 800, 801, take_in_order, &next, NULL).code, TUT_TRUNCATED);
    fixture_close(log);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    static uint8_t big[TUT_LOG_ENTRY_MAX + 1];
    tut_error err = {0};
    uint64_t first = 77;
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX], got;
    size_t count = 77;
    tut_span entry = tut_span_of(big, sizeof(big));
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_log *log = fixture_open(&fx, true);
    assert_int_equal(tut_log_append(log, &entry, 1, &first, &err).code, TUT_LIMIT);
    assert_int_equal(tut_log_append(log, &entry, 0, &first, &err).code, TUT_USAGE);
    assert_int_equal(first, 77);
    entry.len--;
    assert_true(tut_is_ok(tut_log_append(log, &entry, 1, &first, &err)));
    assert_int_equal(first, 0);
    entry.len = 0;
    assert_true(tut_is_ok(tut_log_append(log, &entry, 1, &first, &err)));
    assert_int_equal(tut_log_entry(log, 2, &out, &err).code, TUT_TRUNCATED);
    assert_int_equal(tut_log_leaf(log, 2, &got, &err).code, TUT_TRUNCATED);
    assert_int_equal(tut_log_root_at(log, 3, &got, &err).code, TUT_TRUNCATED);
    assert_int_equal(tut_log_prove_inclusion(log, 2, 2, proof, &count, &err).code, TUT_TRUNCATED);
    assert_int_equal(tut_log_prove_inclusion(log, 0, 3, proof, &count, &err).code, TUT_TRUNCATED);
    assert_int_equal(tut_log_prove_consistency(log, 2, 1, proof, &count, &err).code, TUT_TRUNCATED);
    assert_int_equal(count, 77);
    fixture_close(log);
    log = fixture_open(&fx, false);
    assert_true(tut_is_ok(tut_log_entry(log, 0, &out, &err)));
    assert_int_equal(out.len, TUT_LOG_ENTRY_MAX);
    assert_true(tut_is_ok(tut_log_entry(log, 1, &out, &err)));
    assert_int_equal(out.len, TUT_LOG_ENTRY_MAX);
    assert_int_equal(tut_log_append(log, &entry, 1, &first, &err).code, TUT_USAGE);
    assert_int_equal(tut_log_fold(log, &err).code, TUT_USAGE);
    tut_log_free(log);
}

static void a_second_writer_is_kept_out_and_readers_are_not(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_log *other = NULL;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 3);
    assert_int_equal(tut_log_open(&fx.options, true, &other, &err).code, TUT_DENIED);
    assert_null(other);
    other = fixture_open(&fx, false);
    assert_log(other, 3, 1);
    fixture_append(log, 400);
    assert_log(other, 3, 1);
    assert_true(tut_is_ok(tut_log_renew(log, NULL)));
    fixture_append(log, 1000);
    assert_true(tut_is_ok(tut_log_renew(log, NULL)));
    assert_log(other, 3, 1);
    tut_log_free(other);
    fixture_close(log);
}

/* What a reader opened before needs of the base's partial tiles, once these have gone. */
static void a_reader_survives_the_folding_of_its_base(void **state)
{
    (void)state;
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 100);
    assert_true(tut_is_ok(tut_log_renew(log, NULL)));
    fixture_append(log, 20);
    tut_log *reader = fixture_open(&fx, false);
    for (int i = 0; i < 3; i++) {
        fixture_append(log, 50);
        assert_true(tut_is_ok(tut_log_renew(log, NULL)));
    }
    assert_false(is_there("tile/0/000.p/100"));
    assert_log(reader, 120, 1);
    tut_log_free(reader);
    fixture_close(log);
}

static void a_log_set_back_or_swapped_is_refused(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 10);
    fixture_close(log);
    fixture_run("cp -a log old", fx.root);
    log = fixture_open(&fx, true);
    fixture_append(log, 10);
    fixture_close(log);
    fixture_run("mv log new && cp -a old log", fx.root);
    for (int writing = 0; writing < 2; writing++) {
        log = NULL;
        assert_int_equal(tut_log_open(&fx.options, writing, &log, &err).code, TUT_STORE);
        assert_null(log);
        assert_non_null(strstr(err.text, "set back"));
    }
    /* The same size, signed by the same key, but other entries. */
    fx.options.anchor = NULL;
    log = fixture_open(&fx, true);
    tut_span entry = tut_span_of("other", 5);
    for (uint64_t i = 0, first; i < 10; i++)
        fixture_must(tut_log_append(log, &entry, 1, &first, &err), &err, "append");
    fixture_close(log);
    fx.options.anchor = fx.anchor;
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "other ones"));
    fixture_run("rm -r log && mv new log", fx.root);
    log = fixture_open(&fx, true);
    assert_log(log, 20, 1);
    fixture_close(log);
    /* All of it gone. */
    fixture_run("rm -r log", fx.root);
    assert_int_equal(tut_log_open(&fx.options, true, &log, &err).code, TUT_STORE);
}

static void the_anchor_outlives_a_torn_slot_but_not_two(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 3);
    fixture_append(log, 3);
    tut_log_free(log);
    fixture_run("cp anchor kept && printf x | dd of=anchor bs=1 seek=20 conv=notrunc "
                "2>/dev/null",
                fx.root);
    log = fixture_open(&fx, false);
    assert_log(log, 6, 1);
    assert_int_equal(log->anchor.bad_slots, 1);
    tut_log_free(log);
    fixture_run("printf x | dd of=anchor bs=1 seek=150 conv=notrunc 2>/dev/null", fx.root);
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_STORE);
    fixture_run(": > anchor", fx.root);
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_STORE);
    fixture_run("mv kept anchor", fx.root);
    fx.options.origin = "example.com/another";
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_STORE);
    fx.options.origin = FIXTURE_ORIGIN;
    log = fixture_open(&fx, true);
    assert_log(log, 6, 1);
    fixture_close(log);
}

/* Counts entries and adds up their bytes; the state is one line in a file. */
typedef struct sums {
    uint64_t count, total;
    unsigned loads, resets, extended;
    bool is_broken;
    char file[128];
} sums;

static void sums_line(const sums *s, tut_buf *out)
{
    tut_buf_printf(out, "sums %llu %llu", (unsigned long long)s->count,
                   (unsigned long long)s->total);
}

static tut_status sums_load(void *ctx, uint64_t size, tut_str line, tut_error *err)
{
    sums *s = ctx;
    unsigned long long count = 0, total = 0;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT, now = TUT_BUF_INIT;
    s->loads++;
    if (!tut_is_ok(tut_fs_read(s->file, 100, &text, NULL)) ||
        sscanf(tut_buf_z(&text), "sums %llu %llu", &count, &total) != 2)
        return tut_fail(err, TUT_STORE, "nothing saved");
    sums loaded = {.count = count, .total = total};
    sums_line(&loaded, &now);
    if (count != size || !tut_str_eq(tut_buf_str(&now), line))
        return tut_fail(err, TUT_STORE, "not of this size");
    s->count = count;
    s->total = total;
    return TUT_SUCCESS;
}

static void sums_reset(void *ctx)
{
    sums *s = ctx;
    s->resets++;
    s->count = s->total = 0;
}

static tut_status sums_extend(void *ctx, uint64_t first, const tut_span *entries,
                              const tut_sha256 *leaves, size_t count, tut_buf *line, tut_error *err)
{
    sums *s = ctx;
    assert_int_equal(first, s->count);
    for (size_t i = 0; i < count; i++) {
        tut_sha256 leaf;
        tut_merkle_leaf(entries[i], &leaf);
        assert_memory_equal(&leaf, &leaves[i], sizeof(leaf));
        s->total += entries[i].len;
    }
    s->count += count;
    s->extended += (unsigned)count;
    if (s->is_broken)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    sums_line(s, line);
    return TUT_SUCCESS;
}

static tut_status sums_save(void *ctx, uint64_t size, tut_error *err)
{
    const sums *s = ctx;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_int_equal(size, s->count);
    sums_line(s, &text);
    return tut_fs_write_unsynced(s->file, tut_buf_span(&text), 0600, err);
}

static tut_log_binder bind(sums *s)
{
    (void)snprintf(s->file, sizeof(s->file), "%s/sums", fx.root);
    return (tut_log_binder){sums_load, sums_reset, sums_extend, sums_save, s};
}

/* A new process: nothing is known but what is on the disk. */
static tut_log *reopen_bound(sums *s, tut_log_binder *binder)
{
    *s = (sums){0};
    *binder = bind(s);
    fx.options.binder = binder;
    return fixture_open(&fx, true);
}

static void the_binder_is_loaded_replayed_or_rebuilt(void **state)
{
    (void)state;
    sums s;
    tut_log_binder binder;
    tut_log *log = reopen_bound(&s, &binder);
    assert_int_equal(s.resets, 1);
    fixture_append(log, 5);
    fixture_append(log, 5);
    assert_true(tut_str_find(tut_log_checkpoint(log), TUT_LIT("\nsums 10 "), &(size_t){0}));
    fixture_close(log);
    log = reopen_bound(&s, &binder);
    assert_int_equal(s.count, 10);
    assert_int_equal(s.extended, 0);
    assert_int_equal(s.loads, 1);
    fixture_append(log, 7);
    tut_log_free(log); /* a crash: saved are 10 */
    log = reopen_bound(&s, &binder);
    assert_int_equal(s.count, 17);
    assert_int_equal(s.extended, 7);
    assert_int_equal(s.resets, 0);
    fixture_append(log, 600);
    fixture_close(log);
    assert_int_equal(remove(s.file), 0);
    log = reopen_bound(&s, &binder);
    assert_int_equal(s.resets, 1);
    assert_int_equal(s.extended, 617);
    assert_int_equal(s.count, 617);
    fixture_close(log);
}

static void a_binder_that_fails_ends_the_writing(void **state)
{
    (void)state;
    sums s;
    tut_log_binder binder;
    tut_error err = {0};
    tut_log *log = reopen_bound(&s, &binder);
    fixture_append(log, 5);
    s.is_broken = true;
    assert_int_equal(fixture_try_append(log, 1, &err).code, TUT_NOMEM);
    s.is_broken = false;
    assert_int_equal(fixture_try_append(log, 1, &err).code, TUT_STORE);
    assert_log(log, 5, 1);
    assert_int_equal(tut_log_close(&log, &err).code, TUT_STORE);
    log = reopen_bound(&s, &binder);
    assert_int_equal(s.count, 5);
    fixture_append(log, 1);
    assert_log(log, 6, 1);
    fixture_close(log);
}

static void a_line_that_entries_do_not_give_is_found(void **state)
{
    (void)state;
    sums s;
    tut_log_binder binder;
    tut_error err = {0};
    tut_log *log = reopen_bound(&s, &binder);
    fixture_append(log, 5);
    s.total++; /* a program that was tampered with */
    fixture_append(log, 5);
    tut_log_free(log);
    (void)remove(s.file);
    s = (sums){0};
    binder = bind(&s);
    assert_int_equal(tut_log_open(&fx.options, true, &log, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "binds something else"));
}

static void pruning_keeps_what_is_above(void **state)
{
    (void)state;
    if (memcheck_step(2) > 1)
        skip();
    tut_error err = {0};
    tut_sha256 root, proof[TUT_MERKLE_PROOF_MAX], leaf;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    size_t count = 0;
    enum { SIZE = 66500, MIN = 66000 };
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, SIZE);
    assert_int_equal(tut_log_prune(log, SIZE + 1, &err).code, TUT_TRUNCATED);
    fixture_must(tut_log_prune(log, 300, &err), &err, "prune");
    assert_int_equal(tut_log_pruned(log), 256);
    fixture_must(tut_log_prune(log, MIN, &err), &err, "prune");
    assert_int_equal(tut_log_pruned(log), MIN / 256 * 256);
    for (int i = 0; i < 2; i++) {
        tut_log_root(log, &root);
        for (uint64_t at = tut_log_pruned(log); at < SIZE; at += 7) {
            assert_entry(log, at);
            assert_proofs(log, at, SIZE, &root);
        }
        assert_int_equal(tut_log_entry(log, 255, &out, &err).code, TUT_DENIED);
        assert_int_equal(tut_log_entry(log, tut_log_pruned(log) - 1, &out, &err).code, TUT_DENIED);
        assert_int_equal(tut_log_leaf(log, 5, &leaf, &err).code, TUT_DENIED);
        assert_int_equal(tut_log_prove_inclusion(log, 5, SIZE, proof, &count, &err).code,
                         TUT_DENIED);
        fixture_close(log);
        log = fixture_open(&fx, i == 0);
        assert_int_equal(tut_log_pruned(log), MIN / 256 * 256);
    }
    tut_log_free(log);
    assert_false(is_there("tile/entries/000"));
    assert_false(is_there("tile/0/256"));
    assert_false(is_there("tile/1/000"));
    assert_true(is_there("tile/0/257"));
    assert_true(is_there("tile/2/000.p/1"));
}

static void two_keys_sign_while_one_takes_over(void **state)
{
    (void)state;
    tut_error err = {0};
    TUT_AUTO(tut_key) next = NULL;
    TUT_CLEAN(tut_verifier) verifier = {.key = NULL};
    fixture_must(tut_key_generate(TUT_KEY_ED25519, &next, &err), &err, "key");
    fixture_must(
        tut_verifier_of(FIXTURE_ORIGIN, TUT_NOTE_ED25519, tut_key_public(next), &verifier, &err),
        &err, "verifier");
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 3);
    fixture_close(log);
    tut_log_options both = fx.options, after = fx.options;
    tut_log_signer signers[] = {fx.signer, {FIXTURE_ORIGIN, next}};
    both.signers = signers;
    both.signer_count = 2;
    fixture_must(tut_log_open(&both, true, &log, &err), &err, "open");
    fixture_append(log, 1);
    fixture_close(log);
    assert_note(log = fixture_open(&fx, false));
    tut_log_free(log);
    after.signers = &signers[1];
    after.verifiers = &verifier;
    fixture_must(tut_log_open(&after, true, &log, &err), &err, "open");
    fixture_append(log, 1);
    fixture_close(log);
    assert_int_equal(tut_log_open(&fx.options, false, &log, &err).code, TUT_STORE);
    fixture_must(tut_log_open(&after, false, &log, &err), &err, "open");
    assert_log(log, 5, 1);
    tut_log_free(log);
}

static void a_growing_journal_is_renewed_while_it_runs(void **state)
{
    (void)state;
    static uint8_t big[60000];
    tut_error err = {0};
    uint64_t first = 0;
    tut_log *log = fixture_open(&fx, true);
    tut_span entries[100];
    for (size_t i = 0; i < 100; i++)
        entries[i] = tut_span_of(big, sizeof(big) - i);
    for (int i = 0; i < 8; i++)
        fixture_must(tut_log_append(log, entries, 100, &first, &err), &err, "append");
    assert_in_range(tut_log_base(log), 100, 700);
    assert_true(log->journal_bytes <
                TUT_LIMIT_LOG_RUNNING_BYTES + 100 * sizeof(big) + TUT_LIMIT_LOG_NOTE_BYTES);
    fixture_close(log);
    assert_true(size_of("journal") < 4096);
    log = fixture_open(&fx, false);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    fixture_must(tut_log_entry(log, 799, &out, &err), &err, "entry");
    assert_int_equal(out.len, sizeof(big) - 99);
    tut_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_empty_log_opens_again, wipe),
        cmocka_unit_test_teardown(one_command_after_another_grows_the_log, wipe),
        cmocka_unit_test_teardown(partial_tiles_go_once_they_are_not_needed, wipe),
        cmocka_unit_test_teardown(tiles_lie_as_c2sp_wants_them, wipe),
        cmocka_unit_test(paths_are_in_groups_of_three),
        cmocka_unit_test_teardown(every_root_and_proof_of_a_small_log_verifies, wipe),
        cmocka_unit_test_teardown(each_goes_over_tiles_and_memory_in_order, wipe),
        cmocka_unit_test_teardown(what_cannot_be_asked_is_refused, wipe),
        cmocka_unit_test_teardown(a_second_writer_is_kept_out_and_readers_are_not, wipe),
        cmocka_unit_test_teardown(a_reader_survives_the_folding_of_its_base, wipe),
        cmocka_unit_test_teardown(a_log_set_back_or_swapped_is_refused, wipe),
        cmocka_unit_test_teardown(the_anchor_outlives_a_torn_slot_but_not_two, wipe),
        cmocka_unit_test_teardown(the_binder_is_loaded_replayed_or_rebuilt, wipe),
        cmocka_unit_test_teardown(a_binder_that_fails_ends_the_writing, wipe),
        cmocka_unit_test_teardown(a_line_that_entries_do_not_give_is_found, wipe),
        cmocka_unit_test_teardown(pruning_keeps_what_is_above, wipe),
        cmocka_unit_test_teardown(two_keys_sign_while_one_takes_over, wipe),
        cmocka_unit_test_teardown(a_growing_journal_is_renewed_while_it_runs, wipe),
    };
    return cmocka_run_group_tests(tests, make, done);
}
