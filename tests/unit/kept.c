/* What the last look left finds exactly what the whole index finds, also after more entries came,
 * and whatever somebody does to its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "state/kept.h"

static char dir[64];
static char state[96];

static int make_dir(void **s)
{
    (void)s;
    strcpy(dir, "/tmp/tutela-kept-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(state, sizeof(state), "%s/.tutela", dir);
    return setenv("XDG_DATA_HOME", dir, 1);
}

static int drop_dir(void **s)
{
    char command[200];
    (void)s;
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    return system(command);
}

static void must(tut_status status, const tut_error *err)
{
    if (!tut_is_ok(status))
        fail_msg("%s", err->text);
}

static tut_record record_of(const tut_subject *subject, const char *check, tut_time at)
{
    static const char *const clauses[] = {"5.2.1-1"};
    bool is_event = strchr(check, '/') == NULL;
    return (tut_record){.type = is_event ? TUT_RECORD_EVENT : TUT_RECORD_EVIDENCE,
                        .at = at,
                        .from = at,
                        .to = at,
                        .expires = at + 1000000,
                        .check = check,
                        .method = TUT_METHOD_TEST,
                        .result = TUT_RESULT_PASS,
                        .clauses = clauses,
                        .clause_count = is_event ? 0 : 1,
                        .subjects = subject,
                        .subject_count = 1,
                        .actor = "tool",
                        .statement = "It is so."};
}

static void add(const char *name, uint8_t version, const char *check, tut_time at)
{
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    tut_subject subject = {.name = name, .digest = {{version}}};
    tut_record r = record_of(&subject, check, at);
    must(tut_ledger_open(state, true, &ledger, &err), &err);
    must(tut_ledger_append(ledger, &r, 1, &err), &err);
    tut_ledger_close(ledger);
}

/* All places that the groups name, and those of the whole look that they stand for. */
static void assert_same(tut_ledger *ledger, const tut_kept *kept)
{
    tut_error err = {0};
    TUT_AUTO(tut_records) records = NULL;
    tut_places all = {0};
    size_t count;
    const tut_relevant_group *groups = tut_kept_groups(kept, &count);
    must(tut_places_join(&all, tut_kept_people(kept)->items, tut_kept_people(kept)->count, &err),
         &err);
    for (size_t i = 0; i < count; i++) {
        uint64_t places[2] = {groups[i].newest - 1, groups[i].before - 1};
        must(tut_places_join(&all, places, groups[i].before ? 2 : 1, &err), &err);
    }
    must(tut_state_read(ledger, tut_time_now(), &records, &err), &err);
    assert_int_equal(all.count, records->count);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(all.items[i], records->items[i].index);
    tut_places_done(&all);
}

static bool look(void)
{
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    TUT_AUTO(tut_kept) kept = NULL;
    must(tut_ledger_open(state, false, &ledger, &err), &err);
    must(tut_kept_open(ledger, tut_time_now(), &kept, &err), &err);
    assert_non_null(kept);
    assert_same(ledger, kept);
    bool is_fresh = tut_kept_is_fresh(kept);
    tut_ledger_close(ledger);
    return is_fresh;
}

static void fill(void)
{
    tut_time at = tut_time_now() - 1000;
    for (uint8_t i = 0; i < 5; i++) {
        add("tutela.yaml", i / 2, "inventory.complete/1", at + i);
        add("model/a", i, "scan.content/1", at + i);
        add("model/a", i, "asset.changed", at + i);
    }
}

static char *kept_file(void)
{
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    must(tut_ledger_open(state, false, &ledger, &err), &err);
    char *path = tut_ledger_beside_keys(ledger, "relevant");
    assert_non_null(path);
    tut_ledger_close(ledger);
    return path;
}

static void the_second_look_goes_by_the_first(void **s)
{
    (void)s;
    fill();
    assert_true(look());
    assert_false(look());
    add("model/a", 1, "scan.content/1", tut_time_now() - 10);
    add("model/b", 1, "scan.content/1", tut_time_now() - 10);
    add("model/b", 1, "asset.accepted", tut_time_now() - 10);
    assert_false(look());
    assert_false(look());
}

static void a_file_that_is_not_as_it_was_written_is_none(void **s)
{
    (void)s;
    tut_error err = {0};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    fill();
    assert_true(look());
    TUT_AUTO_FREE char *path = kept_file();
    must(tut_fs_read(path, 1 << 20, &bytes, &err), &err);
    for (size_t i = 0; i < bytes.len; i += 1 + bytes.len / 40) {
        bytes.data[i] ^= 0x20;
        must(tut_fs_write(path, tut_buf_span(&bytes), 0600, &err), &err);
        bytes.data[i] ^= 0x20;
        assert_true(look()); /* which writes it anew */
    }
    for (size_t len = 0; len < bytes.len; len += 1 + bytes.len / 20) {
        must(tut_fs_write(path, tut_span_of(bytes.data, len), 0600, &err), &err);
        assert_true(look());
    }
    assert_false(look());
}

static void what_another_log_left_is_none(void **s)
{
    (void)s;
    tut_error err = {0};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    char command[300];
    fill();
    assert_true(look());
    TUT_AUTO_FREE char *path = kept_file();
    must(tut_fs_read(path, 1 << 20, &bytes, &err), &err);
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", state);
    assert_int_equal(system(command), 0);
    fill();
    TUT_AUTO_FREE char *other = kept_file();
    must(tut_fs_write(other, tut_buf_span(&bytes), 0600, &err), &err);
    assert_true(look());
}

static void a_look_into_the_past_is_a_whole_one(void **s)
{
    (void)s;
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    TUT_AUTO(tut_kept) kept = NULL;
    fill();
    assert_true(look());
    must(tut_ledger_open(state, false, &ledger, &err), &err);
    must(tut_kept_open(ledger, tut_time_now() - 500, &kept, &err), &err);
    assert_null(kept);
    tut_ledger_close(ledger);
}

static void an_entry_of_the_future_is_not_seen_before_its_time(void **s)
{
    (void)s;
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    TUT_AUTO(tut_kept) kept = NULL;
    fill();
    add("model/a", 9, "scan.content/1", tut_time_now() + 100000);
    must(tut_ledger_open(state, false, &ledger, &err), &err);
    must(tut_kept_open(ledger, tut_time_now(), &kept, &err), &err);
    assert_null(kept);
    tut_ledger_close(ledger);
}

static void without_a_log_there_is_nothing(void **s)
{
    (void)s;
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    TUT_AUTO(tut_kept) kept = NULL;
    must(tut_ledger_open(state, false, &ledger, &err), &err);
    must(tut_kept_open(ledger, tut_time_now(), &kept, &err), &err);
    assert_null(kept);
    tut_ledger_close(ledger);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)
    const struct CMUnitTest tests[] = {
        T(the_second_look_goes_by_the_first),
        T(a_file_that_is_not_as_it_was_written_is_none),
        T(what_another_log_left_is_none),
        T(a_look_into_the_past_is_a_whole_one),
        T(an_entry_of_the_future_is_not_seen_before_its_time),
        T(without_a_log_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
