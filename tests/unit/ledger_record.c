/* Records: what is written comes back, torn and damaged lines, locks, bodies. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "ledger/record_internal.h"

static char dir[64];

static const char *path_of(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, 256, "%s/%s", dir, name);
    return p;
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-record-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char command[200];
    snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf -- %s", dir, dir);
    return system(command);
}

static const char *const clauses[] = {"5.2.1-1", "5.2.3-1"};

static tut_record evidence(const tut_subject *subject)
{
    return (tut_record){.type = TUT_RECORD_EVIDENCE,
                        .at = 1700000000,
                        .check = "scan.content/1",
                        .method = TUT_METHOD_TEST,
                        .result = TUT_RESULT_FAIL,
                        .clauses = clauses,
                        .clause_count = 2,
                        .subjects = subject,
                        .subject_count = 1,
                        .from = 1699999990,
                        .to = 1700000000,
                        .expires = 1700086400,
                        .actor = "tool",
                        .statement = "a \"quoted\" line\nand another"};
}

static tut_ledger *open_for(bool writing)
{
    tut_ledger *l = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_ledger_open(dir, writing, &l, &err)))
        fail_msg("%s", err.text);
    return l;
}

static void append_one(tut_time at)
{
    tut_subject subject = {.name = "model/a"};
    tut_record r = evidence(&subject);
    r.at = r.to = at;
    r.expires = at + 100;
    r.from = at;
    tut_ledger *l = open_for(true);
    assert_true(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_ledger_close(l);
}

static tut_status read_all(tut_time until, tut_records **ret, tut_error *err)
{
    tut_ledger *l = open_for(false);
    tut_status s = tut_ledger_read(l, until, ret, err);
    tut_ledger_close(l);
    return s;
}

static size_t count_until(tut_time until)
{
    tut_records *records = NULL;
    tut_error err = {0};
    if (!tut_is_ok(read_all(until, &records, &err)))
        fail_msg("%s", err.text);
    size_t count = records->count;
    tut_records_free(records);
    return count;
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    tut_subject subject = {.name = "model/ä b", .digest = {{1, 2, 3}}};
    tut_record r = evidence(&subject);
    r.has_body = true;
    memset(r.body.bytes, 0xab, 32);
    memset(r.tool_rules.bytes, 0x11, 32);
    tut_ledger *l = open_for(true);
    assert_true(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    assert_true(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_ledger_close(l);
    tut_records *records = NULL;
    assert_true(tut_is_ok(read_all(INT64_MAX, &records, NULL)));
    assert_int_equal(records->count, 2);
    const tut_record *back = &records->items[1];
    assert_int_equal(back->index, 1);
    assert_int_equal(back->type, TUT_RECORD_EVIDENCE);
    assert_string_equal(back->check, r.check);
    assert_int_equal(back->result, TUT_RESULT_FAIL);
    assert_string_equal(back->clauses[1], "5.2.3-1");
    assert_string_equal(back->subjects[0].name, "model/ä b");
    assert_true(tut_sha256_eq(&back->subjects[0].digest, &subject.digest));
    assert_string_equal(back->statement, r.statement);
    assert_int_equal(back->from, r.from);
    assert_int_equal(back->expires, r.expires);
    assert_true(back->has_body && tut_sha256_eq(&back->body, &r.body));
    assert_true(tut_sha256_eq(&back->tool_rules, &r.tool_rules));
    assert_true(strncmp(back->origin, "tutela-", 7) == 0 && strlen(back->origin) == 39);
    tut_records_free(records);
}

static void a_line_is_an_in_toto_statement(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of("records/journal.jsonl"), 10000, &text, NULL)));
    const char *line = tut_buf_z(&text);
    assert_non_null(strstr(line, "\"_type\":\"https://in-toto.io/Statement/v1\""));
    assert_non_null(strstr(line, "\"predicateType\":\"urn:tutela:evidence:1\""));
    assert_non_null(strstr(line, "\"subject\":[{\"digest\":{\"sha256\":\"0000"));
    assert_int_equal(line[text.len - 1], '\n');
}

static void state_is_kept_out_of_version_control(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of(".gitignore"), 10, &text, NULL)));
    assert_true(tut_str_eq_z(tut_buf_str(&text), "*\n"));
}

static void the_origin_stays_the_same_and_differs_between_logs(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) other = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of("origin"), 100, &first, NULL)));
    append_one(1001);
    assert_true(tut_is_ok(tut_fs_read(path_of("origin"), 100, &second, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&first), tut_buf_str(&second)));
    tut_ledger *l = NULL;
    assert_true(tut_is_ok(tut_ledger_open(path_of("elsewhere"), true, &l, NULL)));
    tut_ledger_close(l);
    assert_true(tut_is_ok(tut_fs_read(path_of("elsewhere/origin"), 100, &other, NULL)));
    assert_false(tut_str_eq(tut_buf_str(&first), tut_buf_str(&other)));
}

static void until_leaves_out_what_came_later(void **state)
{
    (void)state;
    append_one(1000);
    append_one(2000);
    append_one(3000);
    assert_int_equal(count_until(999), 0);
    assert_int_equal(count_until(2000), 2);
    assert_int_equal(count_until(INT64_MAX), 3);
}

static void evidence_without_expiry_is_refused(void **state)
{
    (void)state;
    tut_subject subject = {.name = "model/a"};
    tut_record r = evidence(&subject);
    r.expires = 0;
    tut_ledger *l = open_for(true);
    assert_int_equal(tut_ledger_append(l, &r, 1, NULL).code, TUT_USAGE);
    r = evidence(&subject);
    r.subject_count = 0;
    assert_int_equal(tut_ledger_append(l, &r, 1, NULL).code, TUT_USAGE);
    tut_ledger_close(l);
    assert_int_equal(count_until(INT64_MAX), 0);
}

static void a_batch_with_one_bad_record_writes_none(void **state)
{
    (void)state;
    tut_subject subject = {.name = "model/a"};
    tut_record r[3] = {evidence(&subject), evidence(&subject), evidence(&subject)};
    r[2].actor = "";
    tut_ledger *l = open_for(true);
    assert_int_equal(tut_ledger_append(l, r, 3, NULL).code, TUT_USAGE);
    tut_ledger_close(l);
    assert_int_equal(count_until(INT64_MAX), 0);
}

static void add_raw(const char *text)
{
    int fd = open(path_of("records/journal.jsonl"), O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void a_torn_last_line_is_passed_over_and_cut_at_the_next_append(void **state)
{
    (void)state;
    append_one(1000);
    add_raw("{\"_type\":\"https://in-toto.io/Sta");
    assert_int_equal(count_until(INT64_MAX), 1);
    append_one(2000);
    assert_int_equal(count_until(INT64_MAX), 2);
}

static void every_cut_of_the_last_line_leaves_the_earlier_ones(void **state)
{
    (void)state;
    append_one(1000);
    struct stat one;
    struct stat two;
    const char *journal = path_of("records/journal.jsonl");
    assert_int_equal(stat(journal, &one), 0);
    append_one(2000);
    journal = path_of("records/journal.jsonl");
    assert_int_equal(stat(journal, &two), 0);
    for (off_t size = two.st_size - 1; size >= one.st_size; size -= 7) {
        assert_int_equal(truncate(path_of("records/journal.jsonl"), size), 0);
        assert_int_equal(count_until(INT64_MAX), 1);
    }
}

static void a_damaged_line_in_the_middle_is_named(void **state)
{
    (void)state;
    append_one(1000);
    add_raw("{\"not\":\"a record\"}\n");
    tut_records *records = NULL;
    tut_error err = {0};
    assert_int_equal(read_all(INT64_MAX, &records, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "line 2"));
}

static void a_line_taken_out_is_noticed(void **state)
{
    (void)state;
    append_one(1000);
    append_one(2000);
    append_one(3000);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of("records/journal.jsonl"), 100000, &text, NULL)));
    uint8_t *first_end = memchr(text.data, '\n', text.len);
    uint8_t *second_end = memchr(first_end + 1, '\n', text.len);
    TUT_CLEAN(tut_buf) cut = TUT_BUF_INIT;
    tut_buf_add(&cut, text.data, (size_t)(first_end + 1 - text.data));
    tut_buf_add(&cut, second_end + 1, text.len - (size_t)(second_end + 1 - text.data));
    assert_true(
        tut_is_ok(tut_fs_write(path_of("records/journal.jsonl"), tut_buf_span(&cut), 0600, NULL)));
    tut_records *records = NULL;
    assert_int_equal(read_all(INT64_MAX, &records, NULL).code, TUT_STORE);
}

static void each_flipped_byte_is_refused_or_changes_only_a_value(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of("records/journal.jsonl"), 100000, &text, NULL)));
    size_t refused = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        tut_arena arena;
        tut_record r;
        tut_arena_init(&arena, 0);
        text.data[i] ^= 0x81;
        refused +=
            !tut_is_ok(tut_record_parse(tut_span_of(text.data, text.len - 1), &arena, &r, NULL));
        text.data[i] ^= 0x81;
        tut_arena_done(&arena);
    }
    assert_true(refused > text.len / 2);
}

static void truncated_lines_are_refused(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path_of("records/journal.jsonl"), 100000, &text, NULL)));
    for (size_t len = 0; len + 1 < text.len; len++) {
        tut_arena arena;
        tut_record r;
        tut_arena_init(&arena, 0);
        if (len + 1 < text.len - 1)
            assert_false(
                tut_is_ok(tut_record_parse(tut_span_of(text.data, len), &arena, &r, NULL)));
        tut_arena_done(&arena);
    }
}

static void reading_where_nothing_was_written_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(count_until(INT64_MAX), 0);
    assert_false(tut_fs_exists(path_of("records")));
}

static void writing_needs_a_ledger_open_for_writing(void **state)
{
    (void)state;
    tut_subject subject = {.name = "model/a"};
    tut_record r = evidence(&subject);
    tut_sha256 digest;
    tut_ledger *l = open_for(false);
    assert_int_equal(tut_ledger_append(l, &r, 1, NULL).code, TUT_USAGE);
    assert_int_equal(tut_ledger_put_body(l, tut_span_of("x", 1), &digest, NULL).code, TUT_USAGE);
    tut_ledger_close(l);
}

static void a_second_writer_waits_for_the_first(void **state)
{
    (void)state;
    tut_ledger *l = open_for(true);
    int fd = open(path_of("records/lock"), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    tut_ledger_close(l);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
}

static void bodies_come_back_and_an_altered_one_is_refused(void **state)
{
    (void)state;
    tut_ledger *l = open_for(true);
    tut_sha256 digest;
    tut_sha256 again;
    assert_true(tut_is_ok(tut_ledger_put_body(l, tut_span_of("hello", 5), &digest, NULL)));
    assert_true(tut_is_ok(tut_ledger_put_body(l, tut_span_of("hello", 5), &again, NULL)));
    assert_true(tut_sha256_eq(&digest, &again));
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_ledger_get_body(l, &digest, &out, NULL)));
    assert_true(tut_str_eq_z(tut_buf_str(&out), "hello"));
    char hex[TUT_SHA256_HEX];
    char name[100];
    tut_sha256_hex(&digest, hex);
    snprintf(name, sizeof(name), "bodies/%s", hex);
    assert_true(tut_is_ok(tut_fs_write(path_of(name), tut_span_of("hellO", 5), 0600, NULL)));
    assert_int_equal(tut_ledger_get_body(l, &digest, &out, NULL).code, TUT_STORE);
    /* Put again, it is whole again. */
    assert_true(tut_is_ok(tut_ledger_put_body(l, tut_span_of("hello", 5), &digest, NULL)));
    assert_true(tut_is_ok(tut_ledger_get_body(l, &digest, &out, NULL)));
    assert_int_equal(unlink(path_of(name)), 0);
    assert_int_equal(tut_ledger_get_body(l, &digest, &out, NULL).code, TUT_STORE);
    tut_ledger_close(l);
}

static void a_full_disk_leaves_the_earlier_records_whole(void **state)
{
    (void)state;
    append_one(1000);
    tut_subject subject = {.name = "model/a"};
    tut_record r = evidence(&subject);
    tut_ledger *l = open_for(true);
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, ENOSPC);
    assert_false(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
    assert_int_equal(count_until(INT64_MAX), 1);
    tut_fs_fault(TUT_FS_STEP_FSYNC, 1, EIO);
    assert_false(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_fs_fault(TUT_FS_STEP_FSYNC, 0, 0);
    assert_true(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_ledger_close(l);
    assert_true(count_until(INT64_MAX) >= 2);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    append_one(1000);
    for (uint64_t n = 1; n < 200; n++) {
        tut_records *records = NULL;
        tut_ledger *l = open_for(false);
        tut_alloc_fail_after(n);
        tut_status s = tut_ledger_read(l, INT64_MAX, &records, NULL);
        tut_alloc_fail_after(0);
        tut_ledger_close(l);
        if (tut_is_ok(s)) {
            assert_int_equal(records->count, 1);
            tut_records_free(records);
            return;
        }
        assert_int_equal(s.code, TUT_NOMEM);
    }
    fail_msg("reading never succeeded");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_comes_back),
        CASE(a_line_is_an_in_toto_statement),
        CASE(state_is_kept_out_of_version_control),
        CASE(the_origin_stays_the_same_and_differs_between_logs),
        CASE(until_leaves_out_what_came_later),
        CASE(evidence_without_expiry_is_refused),
        CASE(a_batch_with_one_bad_record_writes_none),
        CASE(a_torn_last_line_is_passed_over_and_cut_at_the_next_append),
        CASE(every_cut_of_the_last_line_leaves_the_earlier_ones),
        CASE(a_damaged_line_in_the_middle_is_named),
        CASE(a_line_taken_out_is_noticed),
        CASE(each_flipped_byte_is_refused_or_changes_only_a_value),
        CASE(truncated_lines_are_refused),
        CASE(reading_where_nothing_was_written_gives_nothing),
        CASE(writing_needs_a_ledger_open_for_writing),
        CASE(a_second_writer_waits_for_the_first),
        CASE(bodies_come_back_and_an_altered_one_is_refused),
        CASE(a_full_disk_leaves_the_earlier_records_whole),
        CASE(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
