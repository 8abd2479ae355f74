/* The index: it finds what was recorded, and whatever somebody does to its file, the answers are
 * those of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "ledger/entry.h"
#include "ledger/heads.h"
#include "state/index.h"

#define ORIGIN "example.org/test/evidence"

static char dir[64];
static tut_key *key;

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
    strcpy(dir, "/tmp/tutela-index-XXXXXX");
    if (!mkdtemp(dir) || !tut_is_ok(tut_merkle_start(NULL)))
        return -1;
    return tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char command[200];
    (void)snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf -- %s", dir, dir);
    tut_key_free(key);
    key = NULL;
    return system(command);
}

/* --- a log to be indexed --- */

typedef struct test_log {
    tut_heads *heads;
    tut_log_binder binder;
    tut_log *log;
} test_log;

static void open_log(test_log *t, const char *name)
{
    tut_error err = {0};
    tut_log_signer signer = {.name = ORIGIN, .key = key};
    assert_true(tut_is_ok(tut_heads_new(in_dir("heads"), &t->heads, NULL)));
    if (!t->binder.load)
        t->binder = tut_heads_binder(t->heads);
    tut_log_options options = {.dir = in_dir(name),
                               .origin = ORIGIN,
                               .signers = &signer,
                               .signer_count = 1,
                               .binder = &t->binder};
    if (!tut_is_ok(tut_log_open(&options, true, &t->log, &err)))
        fail_msg("%s", err.text);
}

static void close_log(test_log *t)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_log_close(&t->log, &err)))
        fail_msg("%s", err.text);
    tut_heads_free(t->heads);
    *t = (test_log){0};
}

static void add_payload(test_log *t, const char *kind, uint64_t seq, tut_time at, tut_str payload)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error err = {0};
    tut_entry_head head = {
        .at = at, .kind = tut_str_of(kind), .producer = TUT_LIT("test"), .seq = seq};
    tut_entry_compose(&head, payload, &bytes);
    tut_span span = tut_buf_span(&bytes);
    uint64_t first;
    if (!tut_is_ok(tut_log_append(t->log, &span, 1, &first, &err)))
        fail_msg("%s", err.text);
}

static void add(test_log *t, const tut_record *r)
{
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    char kind[65];
    assert_true(tut_is_ok(tut_json_new(&statement, &j)));
    tut_record_json(r, j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    tut_str_copy(kind, sizeof(kind), (tut_str){r->check, strcspn(r->check, "/")});
    add_payload(t, kind, tut_log_size(t->log), r->at + 1, tut_buf_str(&statement));
}

static const char *const one[] = {"5.2.1-1"};
static const char *const two[] = {"5.2.1-1", "5.2.3-1"};

static tut_record evidence(const tut_subject *subject, tut_time at)
{
    return (tut_record){.type = TUT_RECORD_EVIDENCE,
                        .at = at,
                        .check = "scan.content/1",
                        .method = TUT_METHOD_TEST,
                        .result = TUT_RESULT_PASS,
                        .clauses = two,
                        .clause_count = 2,
                        .subjects = subject,
                        .subject_count = 1,
                        .from = at,
                        .to = at,
                        .expires = at + 1000000,
                        .actor = "tool",
                        .statement = "It is so.",
                        .origin = "example.org/test"};
}

static tut_record event(const tut_subject *subject, const char *kind, tut_time at)
{
    tut_record r = evidence(subject, at);
    r.type = TUT_RECORD_EVENT;
    r.check = kind;
    r.clause_count = 0;
    r.actor = "Ada";
    return r;
}

/* 0 genesis, 1 a, 2 a (fails), 3 b, 4 a again, 5 a for one clause only, 6 a by a person, 7 b of
 * another digest, 8 event of another producer, 9 approval, 10 description, 11 description, 12
 * description */
static void fill(test_log *t)
{
    tut_subject a = {.name = "model/a", .digest = {{1}}};
    tut_subject b = {.name = "model/b", .digest = {{2}}};
    tut_subject system = {.name = "tutela.yaml", .digest = {{3}}};
    tut_record r = event(&system, "ledger.genesis", 1000);
    add(t, &r);
    r = evidence(&a, 1001);
    add(t, &r);
    r = evidence(&a, 1002);
    r.result = TUT_RESULT_FAIL;
    add(t, &r);
    r = evidence(&b, 1003);
    add(t, &r);
    r = evidence(&a, 1004);
    add(t, &r);
    r = evidence(&a, 1005);
    r.clauses = one;
    r.clause_count = 1;
    add(t, &r);
    r = evidence(&a, 1006);
    r.actor = "Ada";
    add(t, &r);
    b.digest.bytes[0] = 9;
    r = evidence(&b, 1007);
    add(t, &r);
    add_payload(t, "guard.note", 8, 1008, TUT_LIT("{\"x\":1}"));
    r = event(&a, "asset.accepted", 1009);
    add(t, &r);
    for (tut_time at = 1010; at < 1013; at++) {
        r = event(&system, "system.changed", at);
        add(t, &r);
    }
}

/* --- answers in words --- */

static void in_words(tut_places *places, char *out)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < places->count; i++)
        tut_buf_printf(&text, "%llu ", (unsigned long long)places->items[i]);
    tut_str_copy(out, 256, tut_buf_str(&text));
    tut_places_done(places);
}

static void relevant(tut_index *index, tut_time until, char *out)
{
    tut_places places = {0};
    tut_error err = {0};
    if (!tut_is_ok(tut_index_relevant(index, until, &places, &err)))
        fail_msg("%s", err.text);
    in_words(&places, out);
}

static void search(tut_index *index, tut_index_query query, char *out)
{
    tut_places places = {0};
    tut_error err = {0};
    if (query.to == 0)
        query.to = INT64_MAX;
    if (!tut_is_ok(tut_index_search(index, &query, &places, &err)))
        fail_msg("%s", err.text);
    in_words(&places, out);
}

static tut_index *open_index(void)
{
    tut_index *index = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_index_open(dir, &index, &err)))
        fail_msg("%s", err.text);
    return index;
}

static tut_index *ready_index(test_log *t, char *why)
{
    tut_error err = {0};
    tut_index *index = open_index();
    if (!tut_is_ok(tut_index_ready(index, t->log, why, &err)))
        fail_msg("%s", err.text);
    return index;
}

static void assert_answers(tut_index *index)
{
    char text[256];
    relevant(index, INT64_MAX, text);
    assert_string_equal(text, "0 2 3 4 5 6 7 8 9 10 11 12 ");
    search(index, (tut_index_query){.asset = "model/a", .clause = "5.2.3-1"}, text);
    assert_string_equal(text, "1 2 4 6 ");
}

/* --- tests --- */

static void relevant_is_the_newest_and_the_one_before_of_each_kind(void **state)
{
    (void)state;
    test_log t = {0};
    char text[256];
    char why[TUT_INDEX_WHY_MAX];
    open_log(&t, "log");
    fill(&t);
    TUT_AUTO(tut_index) index = ready_index(&t, why);
    assert_string_equal(why, "");
    assert_false(tut_index_is_in_memory(index));
    assert_int_equal(tut_index_size(index), 13);
    assert_answers(index);
    relevant(index, 1004, text); /* as of then: 4 says that it is of then, and came later */
    assert_string_equal(text, "0 1 2 3 ");
    relevant(index, 999, text);
    assert_string_equal(text, "");
    struct stat st;
    assert_int_equal(stat(in_dir("state.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close_log(&t);
}

static void search_finds_by_each_criterion(void **state)
{
    (void)state;
    test_log t = {0};
    char text[256];
    open_log(&t, "log");
    fill(&t);
    TUT_AUTO(tut_index) index = ready_index(&t, NULL);
    search(index, (tut_index_query){0}, text);
    assert_string_equal(text, "0 1 2 3 4 5 6 7 8 9 10 11 12 ");
    search(index, (tut_index_query){.actor = "Ada"}, text);
    assert_string_equal(text, "0 6 9 10 11 12 ");
    search(index, (tut_index_query){.clause = "5.2.1-1", .to = 1005}, text);
    assert_string_equal(text, "1 2 3 4 5 ");
    search(index, (tut_index_query){.from = 1001, .to = 1002}, text);
    assert_string_equal(text, "1 2 ");
    search(index, (tut_index_query){.kind = "system.*"}, text);
    assert_string_equal(text, "10 11 12 ");
    search(index, (tut_index_query){.kind = "system"}, text);
    assert_string_equal(text, "");
    search(index, (tut_index_query){.kind = "guard.note"}, text);
    assert_string_equal(text, "8 ");
    search(index, (tut_index_query){.asset = "model/a' OR 1=1 --"}, text);
    assert_string_equal(text, "");
    close_log(&t);
}

static void only_what_is_new_is_taken_in(void **state)
{
    (void)state;
    test_log t = {0};
    char why[TUT_INDEX_WHY_MAX];
    tut_subject a = {.name = "model/a", .digest = {{1}}};
    open_log(&t, "log");
    fill(&t);
    tut_index_free(ready_index(&t, why));
    for (tut_time at = 2000; at < 2005; at++) {
        char text[256];
        tut_record r = evidence(&a, at);
        add(&t, &r);
        TUT_AUTO(tut_index) index = ready_index(&t, why);
        assert_string_equal(why, "");
        search(index, (tut_index_query){.from = at}, text);
        assert_int_equal(atoi(text), 13 + at - 2000);
    }
    close_log(&t);
    open_log(&t, "log"); /* and after reopening */
    TUT_AUTO(tut_index) index = ready_index(&t, why);
    assert_string_equal(why, "");
    assert_int_equal(tut_index_size(index), 18);
    close_log(&t);
}

static void an_index_that_stays_open_catches_up_too(void **state)
{
    (void)state;
    test_log t = {0};
    tut_subject a = {.name = "model/a", .digest = {{1}}};
    open_log(&t, "log");
    TUT_AUTO(tut_index) index = ready_index(&t, NULL); /* of nothing */
    assert_int_equal(tut_index_size(index), 0);
    fill(&t);
    assert_true(tut_is_ok(tut_index_ready(index, t.log, NULL, NULL)));
    assert_answers(index);
    tut_record r = evidence(&a, 3000);
    add(&t, &r);
    assert_true(tut_is_ok(tut_index_ready(index, t.log, NULL, NULL)));
    assert_int_equal(tut_index_size(index), 14);
    close_log(&t);
}

static bool alter(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(in_dir("state.db"), &db), SQLITE_OK);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc == SQLITE_OK;
}

static void whatever_is_altered_by_hand_is_found_and_made_anew(void **state)
{
    (void)state;
    static const char *const alterations[] = {
        "UPDATE entries SET at = 5 WHERE idx = 4",
        "UPDATE entries SET recorded_at = 5 WHERE idx = 12",
        "UPDATE entries SET expires = 1 << 60 WHERE idx = 4",
        "UPDATE entries SET is_record = 0 WHERE idx = 4",
        "UPDATE entries SET type = 0 WHERE idx = 4",
        "UPDATE entries SET type = 77 WHERE idx = 4",
        "UPDATE entries SET kind = 'scan.other' WHERE idx = 4",
        "UPDATE entries SET check_id = 'scan.other/1' WHERE idx = 4",
        "UPDATE entries SET method = 2 WHERE idx = 4",
        "UPDATE entries SET result = 0 WHERE idx = 2",
        "UPDATE entries SET actor = 'Eve' WHERE idx = 6",
        "UPDATE entries SET producer = 'x' WHERE idx = 4",
        "UPDATE entries SET seq = 99 WHERE idx = 4",
        "UPDATE entries SET clauses = 0 WHERE idx = 4",
        "UPDATE entries SET clauses = (SELECT clauses FROM entries WHERE idx = 5) WHERE idx = 4",
        "UPDATE entries SET leaf = zeroblob(32) WHERE idx = 4",
        "UPDATE entries SET leaf = zeroblob(31) WHERE idx = 4",
        "UPDATE entries SET idx = 99 WHERE idx = 4",
        "UPDATE entries SET idx = -1 WHERE idx = 0",
        "DELETE FROM entries WHERE idx = 2",
        "DELETE FROM entries WHERE idx = 12",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE idx = 12; DELETE FROM subjects WHERE idx = 12",
        "INSERT INTO entries SELECT 13, at, recorded_at, expires, is_record, type, kind, check_id, "
        "method, result, actor, producer, seq, clauses, leaf FROM entries WHERE idx = 12",
        "INSERT INTO entries SELECT 13, at, recorded_at, expires, is_record, type, kind, check_id, "
        "method, result, actor, producer, seq, clauses, leaf FROM entries WHERE idx = 12; INSERT "
        "INTO subjects SELECT 13, ord, name, digest FROM subjects WHERE idx = 12",
        "UPDATE subjects SET name = 'model/b' WHERE idx = 4",
        "UPDATE subjects SET digest = zeroblob(32) WHERE idx = 4",
        "UPDATE subjects SET digest = zeroblob(5) WHERE idx = 4",
        "DELETE FROM subjects WHERE idx = 4",
        "DELETE FROM subjects",
        "INSERT INTO subjects VALUES(4, 1, 'model/c', zeroblob(32))",
        "INSERT INTO subjects VALUES(77, 0, 'model/c', zeroblob(32))",
        "UPDATE clauses SET clause = '5.2.9-1' WHERE ord = 1",
        "DELETE FROM clauses WHERE ord = 1",
        "DELETE FROM clauses",
        "INSERT INTO clauses SELECT id, 9, '5.4.1-1' FROM clauses WHERE ord = 1",
        "INSERT INTO clauses VALUES(99, 0, '5.4.1-1')",
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 600) INSERT "
        "INTO clauses SELECT 1, i, 'x' FROM n",
        "UPDATE meta SET value = zeroblob(8) WHERE name = 'size'",
        "UPDATE meta SET value = x'00000000000000ff' WHERE name = 'size'",
        "UPDATE meta SET value = 'text'",
        "UPDATE meta SET value = zeroblob(32) WHERE name = 'root'",
        "DELETE FROM meta",
        "DELETE FROM meta WHERE name = 'root'",
        "CREATE TRIGGER evil AFTER INSERT ON entries BEGIN DELETE FROM entries; END",
        "CREATE VIEW evil AS SELECT 1",
        "ALTER TABLE entries RENAME TO things",
        "DROP TABLE subjects; CREATE VIEW subjects AS SELECT 4 AS idx, 0 AS ord, 'x' AS name, "
        "zeroblob(32) AS digest",
        "CREATE INDEX more ON subjects(name)",
        "PRAGMA application_id = 5",
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 0",
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'clauses'",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM "
        "sqlite_schema WHERE name = 'subjects') WHERE name = 'clauses'",
    };
    test_log t = {0};
    open_log(&t, "log");
    fill(&t);
    tut_index_free(ready_index(&t, NULL));
    for (size_t i = 0; i < sizeof(alterations) / sizeof(alterations[0]); i++) {
        char why[TUT_INDEX_WHY_MAX] = "";
        if (!alter(alterations[i]))
            fail_msg("not altered: %s", alterations[i]);
        tut_index *index = ready_index(&t, why);
        assert_answers(index);
        assert_false(tut_index_is_in_memory(index));
        tut_index_free(index);
        index = ready_index(&t, why); /* it was repaired, not only bypassed */
        if (why[0])
            fail_msg("still %s after: %s", why, alterations[i]);
        assert_answers(index);
        tut_index_free(index);
    }
    close_log(&t);
}

static void a_row_that_was_changed_is_told(void **state)
{
    (void)state;
    test_log t = {0};
    char why[TUT_INDEX_WHY_MAX] = "";
    open_log(&t, "log");
    fill(&t);
    tut_index_free(ready_index(&t, NULL));
    assert_true(alter("UPDATE entries SET result = 0 WHERE idx = 2"));
    tut_index_free(ready_index(&t, why));
    assert_non_null(strstr(why, "a row was changed, added or left out"));
    close_log(&t);
}

static void no_byte_of_the_file_changes_an_answer(void **state)
{
    (void)state;
    test_log t = {0};
    TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
    open_log(&t, "log");
    fill(&t);
    tut_index_free(ready_index(&t, NULL));
    assert_true(tut_is_ok(tut_fs_read(in_dir("state.db"), 1 << 20, &good, NULL)));
    for (size_t at = 0; at < good.len; at += at < 200 ? 1 : 61) {
        good.data[at] ^= 0x41;
        assert_true(
            tut_is_ok(tut_fs_write_unsynced(in_dir("state.db"), tut_buf_span(&good), 0600, NULL)));
        good.data[at] ^= 0x41;
        TUT_AUTO(tut_index) index = ready_index(&t, NULL);
        assert_answers(index);
    }
    for (size_t len = 0; len < good.len; len += 511) {
        assert_true(tut_is_ok(
            tut_fs_write_unsynced(in_dir("state.db"), tut_span_of(good.data, len), 0600, NULL)));
        TUT_AUTO(tut_index) index = ready_index(&t, NULL);
        assert_answers(index);
    }
    close_log(&t);
}

static void what_is_no_file_of_ours_is_replaced_or_left_alone(void **state)
{
    (void)state;
    test_log t = {0};
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    open_log(&t, "log");
    fill(&t);
    assert_true(
        tut_is_ok(tut_fs_write_unsynced(in_dir("other"), tut_span_of("precious", 8), 0600, NULL)));
    assert_int_equal(symlink("other", in_dir("state.db")), 0);
    tut_index *index = ready_index(&t, NULL);
    assert_answers(index);
    tut_index_free(index);
    assert_true(tut_is_ok(tut_fs_read(in_dir("other"), 100, &back, NULL)));
    assert_string_equal(tut_buf_z(&back), "precious");
    assert_int_equal(unlink(in_dir("state.db")), 0);
    assert_int_equal(symlink("absent", in_dir("state.db")), 0);
    tut_index_free(ready_index(&t, NULL));
    assert_false(tut_fs_exists(in_dir("absent")));
    assert_int_equal(unlink(in_dir("state.db")), 0);
    assert_int_equal(mkdir(in_dir("state.db"), 0700), 0);
    index = ready_index(&t, NULL);
    assert_true(tut_index_is_in_memory(index));
    assert_answers(index);
    tut_index_free(index);
    assert_int_equal(rmdir(in_dir("state.db")), 0);
    close_log(&t);
}

static void another_log_is_another_index(void **state)
{
    (void)state;
    test_log t = {0};
    char why[TUT_INDEX_WHY_MAX] = "";
    tut_subject c = {.name = "model/c", .digest = {{1}}};
    open_log(&t, "log");
    fill(&t);
    tut_index_free(ready_index(&t, NULL));
    close_log(&t);
    open_log(&t, "log2");
    for (tut_time at = 0; at < 20; at++) {
        tut_record r = evidence(&c, 1000 + at);
        add(&t, &r);
    }
    TUT_AUTO(tut_index) index = ready_index(&t, why);
    char text[256];
    assert_non_null(strstr(why, "another log"));
    relevant(index, INT64_MAX, text);
    assert_string_equal(text, "18 19 ");
    close_log(&t);
}

/* Whichever allocation of ours fails: an error, or the right answer; then all is well again. */
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    test_log t = {0};
    bool is_done = false;
    open_log(&t, "log");
    fill(&t);
    for (uint64_t n = 1; !is_done; n += n < 400 ? 1 : 37) {
        tut_index *index = NULL;
        tut_places places = {0};
        (void)unlink(in_dir("state.db"));
        tut_alloc_fail_after(n);
        tut_status status = tut_index_open(dir, &index, NULL);
        if (tut_is_ok(status))
            status = tut_index_ready(index, t.log, NULL, NULL);
        if (tut_is_ok(status))
            status = tut_index_relevant(index, INT64_MAX, &places, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status) && n > 200;
        if (!tut_is_ok(status))
            assert_int_equal(status.code, TUT_NOMEM);
        else
            assert_int_equal(places.count, 12);
        tut_places_done(&places);
        tut_index_free(index);
        assert_true(n < 100000);
    }
    TUT_AUTO(tut_index) index = ready_index(&t, NULL);
    assert_answers(index);
    close_log(&t);
}

/* One process has an index open and verified while another takes new entries in. */
static void two_at_once_do_not_disturb_each_other(void **state)
{
    (void)state;
    test_log t = {0};
    tut_subject a = {.name = "model/a", .digest = {{1}}};
    open_log(&t, "log");
    fill(&t);
    tut_index *reader = ready_index(&t, NULL);
    tut_index *other = ready_index(&t, NULL);
    assert_answers(reader);
    assert_answers(other);
    tut_index_free(other);
    tut_record r = evidence(&a, 5000);
    add(&t, &r);
    assert_answers(reader); /* its own snapshot */
    tut_index_free(reader);
    char why[TUT_INDEX_WHY_MAX];
    reader = ready_index(&t, why);
    assert_string_equal(why, "");
    assert_int_equal(tut_index_size(reader), 14);
    tut_index_free(reader);
    close_log(&t);
}

static tut_status lying_extend(void *ctx, uint64_t first, const tut_span *entries,
                               const tut_sha256 *leaves, size_t count, tut_buf *line,
                               tut_error *err)
{
    tut_log_binder honest = tut_heads_binder(ctx);
    TUT_TRY(honest.extend(ctx, first, entries, leaves, count, line, err));
    line->data[line->len - 2] ^= 1;
    return TUT_SUCCESS;
}

static void heads_that_are_not_the_entries_are_the_logs_fault(void **state)
{
    (void)state;
    test_log t = {0};
    tut_error err = {0};
    tut_heads *lying = NULL;
    assert_true(tut_is_ok(tut_heads_new(NULL, &lying, NULL)));
    t.binder = tut_heads_binder(lying);
    t.binder.extend = lying_extend;
    open_log(&t, "log");
    fill(&t);
    TUT_AUTO(tut_index) index = open_index();
    assert_int_equal(tut_index_ready(index, t.log, NULL, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "do not give the heads that its key signed"));
    close_log(&t);
    tut_heads_free(lying);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(relevant_is_the_newest_and_the_one_before_of_each_kind),
        TEST(search_finds_by_each_criterion),
        TEST(only_what_is_new_is_taken_in),
        TEST(an_index_that_stays_open_catches_up_too),
        TEST(whatever_is_altered_by_hand_is_found_and_made_anew),
        TEST(a_row_that_was_changed_is_told),
        TEST(no_byte_of_the_file_changes_an_answer),
        TEST(what_is_no_file_of_ours_is_replaced_or_left_alone),
        TEST(another_log_is_another_index),
        TEST(memory_that_runs_out_is_an_error),
        TEST(two_at_once_do_not_disturb_each_other),
        TEST(heads_that_are_not_the_entries_are_the_logs_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
