/*
 * A writer killed at any moment under load, many times over; and what a machine that loses power
 * leaves, acted out: the journal cut or spoilt behind the last acknowledged frame, and every file
 * that nobody waited for old, absent, empty or full of zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/fs.h"
#include "log_fixture.h"

static log_fixture fx;
static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

static int make(void **state)
{
    (void)state;
    fixture_make(&fx, "logcrash");
    return 0;
}

static int wipe(void **state)
{
    (void)state;
    fixture_wipe(&fx);
    return 0;
}

static int done(void **state)
{
    (void)state;
    fixture_done(&fx);
    return 0;
}

static void never_found(void *ctx, const char *name, const char *detail)
{
    (void)ctx;
    fail_msg("%s: %s", name, detail);
}

static void assert_root(const tut_log *log)
{
    tut_merkle_range range;
    tut_sha256 want, got;
    fixture_range(tut_log_size(log), &range);
    tut_merkle_range_root(&range, &want);
    tut_log_root(log, &got);
    assert_memory_equal(&got, &want, sizeof(want));
}

static void verify(tut_log *log)
{
    tut_error err = {0};
    fixture_must(tut_log_verify(log, never_found, NULL, &err), &err, "verify");
}

/* Appends for ever, and says after each batch up to where it is acknowledged. */
static void write_under_load(int to)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    tut_log *log = fixture_open(&fx, true);
    for (;;) {
        fixture_append(log, 1 + random_below(random_below(8) ? 20 : 700));
        uint64_t size = tut_log_size(log);
        if (write(to, &size, sizeof(size)) != (ssize_t)sizeof(size))
            _exit(1);
        if (random_below(4) == 0)
            fixture_must(tut_log_fold(log, NULL), NULL, "fold");
        if (random_below(16) == 0)
            fixture_must(tut_log_renew(log, NULL), NULL, "renew");
        if (random_below(16) == 0) {
            fixture_close(log);
            log = fixture_open(&fx, true);
        }
    }
}

/* However slow the machine is: every other round the writer has come to acknowledge something, and
 * the others may catch it while it starts. */
static void let_it_begin(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    (void)poll(&wait, 1, 20000);
}

static uint64_t kill_one(unsigned round)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    random_state += round * 7919;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        write_under_load(ends[1]);
    }
    (void)close(ends[1]);
    if (round % 2)
        let_it_begin(ends[0]);
    struct timespec wait = {.tv_nsec = (long)(1 + random_below(30)) * 1000 * 1000 +
                                       (long)random_below(1000 * 1000)};
    (void)nanosleep(&wait, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    uint64_t acknowledged = 0, size;
    while (read(ends[0], &size, sizeof(size)) == (ssize_t)sizeof(size))
        acknowledged = size;
    (void)close(ends[0]);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    return acknowledged;
}

static void a_writer_killed_at_any_moment_loses_nothing_acknowledged(void **state)
{
    (void)state;
    uint64_t acknowledged = 0;
    unsigned grew = 0;
    for (unsigned round = 0; round < 60; round++) {
        tut_error err = {0};
        uint64_t before = acknowledged, now = kill_one(round);
        if (now > acknowledged)
            acknowledged = now;
        grew += acknowledged > before;
        tut_log *log = NULL;
        tut_status status = tut_log_open(&fx.options, round % 2, &log, &err);
        if (status.code == TUT_IO && acknowledged == 0)
            continue; /* killed before there was a log */
        fixture_must(status, &err, "open");
        assert_true(tut_log_size(log) >= acknowledged);
        acknowledged = tut_log_size(log);
        assert_root(log);
        if (round % 2)
            verify(log);
        if (round % 4 == 1)
            fixture_close(log);
        else
            tut_log_free(log);
    }
    print_message("%llu entries, %u rounds that added some\n", (unsigned long long)acknowledged,
                  grew);
    assert_true(grew > 20);
}

/* Each look is at one tree, whatever the writer is doing, and the next one is that tree grown. */
static void readers_see_one_tree_while_a_writer_folds(void **state)
{
    (void)state;
    tut_error err = {0};
    int ends[2];
    uint64_t known = 0, told = 0;
    unsigned looks = 0, grew = 0;
    tut_merkle_range range = {0};
    fixture_close(fixture_open(&fx, true));
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        (void)fcntl(ends[1], F_SETFL, 0);
        write_under_load(ends[1]);
    }
    enum { LEAST = 3, MOST = 60 }; /* seconds */
    for (time_t from = time(NULL);
         time(NULL) < from + LEAST || (grew <= 5 && time(NULL) < from + MOST); looks++) {
        tut_sha256 want, got;
        uint64_t size;
        while (read(ends[0], &size, sizeof(size)) == (ssize_t)sizeof(size))
            told = size;
        tut_log *log = fixture_open(&fx, false);
        size = tut_log_size(log);
        assert_true(size >= known && size >= told);
        grew += size > known;
        known = size;
        while (range.size < size) {
            uint8_t room[FIXTURE_ENTRY_MAX];
            tut_sha256 leaf;
            tut_merkle_leaf(fixture_entry(range.size, room), &leaf);
            tut_merkle_range_add(&range, &leaf);
        }
        tut_merkle_range_root(&range, &want);
        tut_log_root(log, &got);
        assert_memory_equal(&got, &want, sizeof(want));
        for (int i = 0; i < 20 && size; i++) {
            TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
            fixture_must(tut_log_entry(log, random_below(size), &entry, &err), &err, "entry");
        }
        if (looks % 4 == 0)
            verify(log);
        tut_log_free(log);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
    print_message("%u looks, %u at a tree that had grown, %llu entries\n", looks, grew,
                  (unsigned long long)known);
    assert_true(grew > 5);
}

static void take(const char *name, tut_buf *out)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fx.dir, name);
    out->len = 0;
    assert_true(tut_is_ok(tut_fs_read(path, 1 << 26, out, NULL)));
}

static void put(const char *name, const uint8_t *data, size_t len)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fx.dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (len)
        assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Reader, writer, reader. */
static void assert_comes_back(uint64_t least, uint64_t most)
{
    for (int i = 0; i < 3; i++) {
        tut_log *log = fixture_open(&fx, i == 1);
        assert_in_range(tut_log_size(log), least, most);
        assert_root(log);
        if (i == 0) {
            tut_log_free(log);
            continue;
        }
        verify(log);
        fixture_close(log);
    }
}

static void keep_as(const char *name)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "rm -rf %s && mkdir %s && cp -a log anchor %s/", name, name,
                   name);
    fixture_run(line, fx.root);
}

static void back_to(const char *name)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "rm -rf log anchor && cp -a %s/. .", name);
    fixture_run(line, fx.root);
}

/* 20 acknowledged; the anchor knows of them; then a frame of 4 that nobody heard of. */
static size_t build_unheard(tut_buf *journal)
{
    tut_log *log = fixture_open(&fx, true);
    fixture_append(log, 10);
    fixture_must(tut_log_renew(log, NULL), NULL, "renew");
    fixture_append(log, 10);
    fixture_must(tut_log_fold(log, NULL), NULL, "fold");
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT, anchor = TUT_BUF_INIT;
    take("journal", &before);
    take("../anchor", &anchor);
    fixture_append(log, 4);
    tut_log_free(log);
    take("journal", journal);
    put("../anchor", anchor.data, anchor.len);
    assert_true(journal->len > before.len + 100);
    keep_as("kept");
    return before.len;
}

static void a_frame_torn_at_any_byte_is_as_if_never_written(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) journal = TUT_BUF_INIT;
    size_t from = build_unheard(&journal);
    for (size_t len = from; len <= journal.len; len++) {
        back_to("kept");
        put("journal", journal.data, len);
        assert_comes_back(len == journal.len ? 24 : 20, len == journal.len ? 24 : 20);
    }
}

static void a_frame_spoilt_anywhere_is_as_if_never_written(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) journal = TUT_BUF_INIT;
    size_t from = build_unheard(&journal);
    for (unsigned round = 0; round < 200; round++) {
        TUT_CLEAN(tut_buf) spoilt = TUT_BUF_INIT;
        tut_buf_add(&spoilt, journal.data, journal.len);
        size_t at = from + random_below(journal.len - from);
        size_t len = 1 + random_below(journal.len - at);
        memset(spoilt.data + at, round % 2 ? 0 : 0xa5, len);
        if (memcmp(spoilt.data, journal.data, journal.len) == 0)
            continue;
        back_to("kept");
        put("journal", spoilt.data, spoilt.len);
        assert_comes_back(20, 20);
    }
}

static void an_acknowledged_frame_spoilt_is_damage_and_not_cut_off(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) journal = TUT_BUF_INIT;
    size_t from = build_unheard(&journal);
    for (size_t at = 0; at < from; at += 3) {
        tut_log *log = NULL;
        journal.data[at] ^= 0x10;
        back_to("kept");
        put("journal", journal.data, journal.len);
        assert_int_equal(tut_log_open(&fx.options, true, &log, NULL).code, TUT_STORE);
        /* The same when nothing follows it: the anchor knows better. */
        put("journal", journal.data, from);
        assert_int_equal(tut_log_open(&fx.options, true, &log, NULL).code, TUT_STORE);
        journal.data[at] ^= 0x10;
    }
}

/* Files that differ from what was there when the disk was last synced. */
enum { UNSYNCED_MAX = 64 };
static char unsynced[UNSYNCED_MAX][128];
static size_t unsynced_count;

static tut_status note_unsynced(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    char old[256], new[256];
    TUT_CLEAN(tut_buf) a = TUT_BUF_INIT, b = TUT_BUF_INIT;
    (void)ctx;
    (void)err;
    if (strcmp(entry->rel, "journal") == 0 || strcmp(entry->rel, "lock") == 0)
        return TUT_SUCCESS;
    (void)snprintf(old, sizeof(old), "%s/synced/log/%s", fx.root, entry->rel);
    (void)snprintf(new, sizeof(new), "%s/%s", fx.dir, entry->rel);
    assert_true(tut_is_ok(tut_fs_read(new, 1 << 24, &b, NULL)));
    if (tut_is_ok(tut_fs_read(old, 1 << 24, &a, NULL)) && a.len == b.len &&
        (a.len == 0 || memcmp(a.data, b.data, a.len) == 0))
        return TUT_SUCCESS;
    assert_true(unsynced_count < UNSYNCED_MAX);
    (void)snprintf(unsynced[unsynced_count++], sizeof(unsynced[0]), "%s", entry->rel);
    return TUT_SUCCESS;
}

typedef enum spoiling { ABSENT, EMPTY, ZEROS, SPOILINGS } spoiling;

static void spoil(const char *rel, spoiling how)
{
    char path[256];
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    (void)snprintf(path, sizeof(path), "%s/%s", fx.dir, rel);
    take(rel, &b);
    if (how == ABSENT) {
        assert_int_equal(remove(path), 0);
        return;
    }
    memset(b.data, 0, b.len);
    put(rel, b.data, how == EMPTY ? 0 : b.len);
}

/* What was folded without waiting for the disk, one file at a time and all at once. */
static void files_that_nobody_waited_for_are_made_again(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        tut_log *log = fixture_open(&fx, true);
        fixture_append(log, 500);
        fixture_must(tut_log_renew(log, NULL), NULL, "renew");
        keep_as("synced");
        fixture_append(log, 5);
        fixture_must(tut_log_fold(log, NULL), NULL, "fold");
        fixture_append(log, 300);
        fixture_must(tut_log_fold(log, NULL), NULL, "fold");
        if (closes)
            fixture_close(log);
        else
            tut_log_free(log);
        unsynced_count = 0;
        assert_true(tut_is_ok(tut_walk(fx.dir, note_unsynced, NULL, NULL)));
        assert_true(unsynced_count > 6);
        keep_as("kept");
        for (spoiling how = ABSENT; how < SPOILINGS; how++)
            for (size_t i = 0; i <= unsynced_count; i++) {
                back_to("kept");
                for (size_t k = 0; k < unsynced_count; k++)
                    if (i == unsynced_count || i == k)
                        spoil(unsynced[k], how);
                log = fixture_open(&fx, true);
                assert_int_equal(tut_log_size(log), 805);
                assert_root(log);
                verify(log);
                fixture_close(log);
                log = fixture_open(&fx, false);
                verify(log);
                tut_log_free(log);
            }
        /* And all as it was when the disk was last synced, but for the journal and the anchor. */
        fixture_run("cp kept/log/journal j && rm -rf log && cp -a synced/log log && "
                    "mv j log/journal && cp kept/anchor anchor",
                    fx.root);
        assert_comes_back(805, 805);
        fixture_wipe(&fx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_writer_killed_at_any_moment_loses_nothing_acknowledged, wipe),
        cmocka_unit_test_teardown(readers_see_one_tree_while_a_writer_folds, wipe),
        cmocka_unit_test_teardown(a_frame_torn_at_any_byte_is_as_if_never_written, wipe),
        cmocka_unit_test_teardown(a_frame_spoilt_anywhere_is_as_if_never_written, wipe),
        cmocka_unit_test_teardown(an_acknowledged_frame_spoilt_is_damage_and_not_cut_off, wipe),
        cmocka_unit_test_teardown(files_that_nobody_waited_for_are_made_again, wipe),
    };
    return cmocka_run_group_tests(tests, make, done);
}
