/* Records over the log: what is written comes back, who signed it, what proves nothing, bodies. */
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
#include "base/json_write.h"
#include "ledger/ledger_internal.h"

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
    char keys[96];
    strcpy(dir, "/tmp/tutela-record-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(keys, sizeof(keys), "%s/keys", dir);
    tut_time_pretend(500);
    return setenv("XDG_DATA_HOME", keys, 1);
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
    if (tut_time_now() < 100000)
        tut_time_pretend(at);
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
    assert_int_equal(records->count, 3);
    assert_string_equal(records->items[0].check, "ledger.genesis");
    const tut_record *back = &records->items[2];
    assert_int_equal(back->index, 2);
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
    assert_true(strncmp(back->origin, "tutela-", 7) == 0 && strlen(back->origin) == 39 + 9);
    assert_int_equal(records->log_size, 3);
    tut_records_free(records);
}

static tut_str entry_of(tut_ledger *l, uint64_t index, tut_buf *bytes)
{
    tut_log *log = NULL;
    assert_true(tut_is_ok(tut_ledger_log(l, &log, NULL)));
    assert_true(tut_is_ok(tut_log_entry(log, index, bytes, NULL)));
    return tut_buf_str(bytes);
}

static void evidence_is_an_in_toto_statement_in_an_envelope(void **state)
{
    (void)state;
    append_one(1000);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_ledger *l = open_for(false);
    tut_str text = entry_of(l, 1, &bytes);
    tut_arena arena;
    tut_entry e = {0};
    tut_arena_init(&arena, 0);
    assert_true(tut_is_ok(tut_entry_parse(tut_span_of(text.data, text.len), &arena, &e, NULL)));
    assert_true(e.head.is_dsse && e.has_record);
    assert_true(tut_str_eq_z(e.head.kind, "scan.content"));
    assert_true(tut_str_eq_z(e.envelope.type, "application/vnd.in-toto+json"));
    size_t at;
    assert_true(
        tut_str_find(e.statement, TUT_LIT("\"_type\":\"https://in-toto.io/Statement/v1\""), &at));
    assert_true(
        tut_str_find(e.statement, TUT_LIT("\"predicateType\":\"urn:tutela:evidence:1\""), &at));
    assert_int_equal(e.head.uid, getuid());
    tut_entry_done(&e);
    tut_arena_done(&arena);
    tut_ledger_close(l);
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
    assert_int_equal(count_until(1000), 2); /* the genesis too */
    assert_int_equal(count_until(2000), 3);
    assert_int_equal(count_until(INT64_MAX), 4);
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
    assert_int_equal(count_until(INT64_MAX), 1);
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
    assert_int_equal(count_until(INT64_MAX), 1);
}

static void a_batch_longer_than_a_message_is_written_whole(void **state)
{
    (void)state;
    enum { COUNT = 4500, STATEMENT = 4000 }; /* 18 MB */
    tut_subject subject = {.name = "model/a"};
    tut_record *r = calloc(COUNT, sizeof(*r));
    char *statement = calloc(1, STATEMENT + 1);
    assert_non_null(r);
    assert_non_null(statement);
    memset(statement, 'x', STATEMENT);
    for (size_t i = 0; i < COUNT; i++) {
        r[i] = evidence(&subject);
        r[i].type = TUT_RECORD_EVENT;
        r[i].at = 500;
        r[i].check = "asset.noted";
        r[i].statement = statement;
    }
    tut_ledger *l = open_for(true);
    tut_error err = {0};
    if (!tut_is_ok(tut_ledger_append(l, r, COUNT, &err)))
        fail_msg("%s", err.text);
    tut_ledger_close(l);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(r[i].index, i + 1);
    assert_int_equal(count_until(INT64_MAX), COUNT + 1);
    free(statement);
    free(r);
}

/* --- who stands behind it --- */

static tut_records *records_now(void)
{
    tut_records *records = NULL;
    tut_error err = {0};
    if (!tut_is_ok(read_all(INT64_MAX, &records, &err)))
        fail_msg("%s", err.text);
    return records;
}

static const tut_record *last(const tut_records *records)
{
    return &records->items[records->count - 1];
}

static void machine_evidence_is_signed_with_the_tools_key(void **state)
{
    (void)state;
    append_one(1000);
    TUT_AUTO(tut_records) records = records_now();
    const tut_record *r = last(records);
    assert_int_equal(r->signer_count, 1);
    assert_true(r->signers[0].is_tool && r->signers[0].counts);
    assert_string_equal(r->signers[0].name, "tool");
    assert_int_equal(r->tier, TUT_TIER_FIRST);
    assert_null(r->doubt);
}

/* As somebody who may write to the log but has no key of it. */
static void submit(const char *kind, bool is_dsse, tut_str payload)
{
    tut_ledger *l = open_for(true);
    tut_submission item = {.log = TUT_LOG_EVIDENCE,
                           .kind = kind,
                           .producer = "somebody",
                           .is_dsse = is_dsse,
                           .payload = tut_span_of(payload.data, payload.len)};
    assert_true(tut_is_ok(tut_sequencer_append(l->sequencer, &item, 1, NULL, NULL)));
    tut_ledger_close(l);
}

static void statement_of(const char *origin, tut_buf *out)
{
    tut_subject subject = {.name = "model/a"};
    tut_record r = evidence(&subject);
    r.result = TUT_RESULT_PASS;
    r.origin = origin;
    TUT_AUTO(tut_json) j = NULL;
    assert_true(tut_is_ok(tut_json_new(out, &j)));
    tut_record_json(&r, j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
}

static void envelope_by(const tut_key *key, tut_span statement, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    assert_true(tut_is_ok(tut_json_new(out, &j)));
    assert_true(tut_is_ok(tut_dsse_write(j, TUT_DSSE_INTOTO, statement, &key, 1, NULL)));
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
}

static char *own_log_origin(void)
{
    tut_ledger *l = open_for(false);
    char *origin = tut_strdup(tut_ledger_log_origin(l));
    tut_ledger_close(l);
    return origin;
}

static void evidence_that_nobody_signed_is_in_doubt(void **state)
{
    (void)state;
    append_one(1000);
    tut_time_pretend(1700000000);
    TUT_AUTO_FREE char *origin = own_log_origin();
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    statement_of(origin, &statement);
    submit("scan.content", false, tut_buf_str(&statement));
    TUT_AUTO(tut_records) records = records_now();
    assert_string_equal(last(records)->doubt, "it is not signed");
}

static void evidence_that_a_stranger_signed_is_in_doubt(void **state)
{
    (void)state;
    append_one(1000);
    tut_time_pretend(1700000000);
    TUT_AUTO_FREE char *origin = own_log_origin();
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    statement_of(origin, &statement);
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)));
    envelope_by(key, tut_buf_span(&statement), &envelope);
    submit("scan.content", true, tut_buf_str(&envelope));
    TUT_AUTO(tut_records) records = records_now();
    assert_string_equal(last(records)->doubt, "signed with a key that the log does not know");
    assert_false(last(records)->signers[0].counts);
}

static void evidence_of_another_log_is_in_doubt(void **state)
{
    (void)state;
    append_one(1000);
    tut_time_pretend(1700000000);
    tut_ledger *l = open_for(true);
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    statement_of("tutela-0/evidence", &statement);
    envelope_by(l->tool_key, tut_buf_span(&statement), &envelope);
    tut_ledger_close(l);
    submit("scan.content", true, tut_buf_str(&envelope));
    TUT_AUTO(tut_records) records = records_now();
    assert_string_equal(last(records)->doubt, "it was carried over from another log");
}

static void an_altered_statement_under_a_good_signature_is_in_doubt(void **state)
{
    (void)state;
    append_one(1000);
    tut_time_pretend(1700000000);
    TUT_AUTO_FREE char *origin = own_log_origin();
    tut_ledger *l = open_for(true);
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) altered = TUT_BUF_INIT;
    statement_of(origin, &statement);
    envelope_by(l->tool_key, tut_buf_span(&statement), &envelope);
    tut_ledger_close(l);
    /* the same envelope around other bytes: "pass" is what a forger would like to read */
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&envelope), NULL, &doc, NULL)));
    tut_str sig =
        tut_json_get_text(tut_json_item(tut_json_get(tut_json_root(doc), "signatures"), 0), "sig");
    tut_str keyid = tut_json_get_text(
        tut_json_item(tut_json_get(tut_json_root(doc), "signatures"), 0), "keyid");
    size_t at;
    assert_true(tut_str_find(tut_buf_str(&statement), TUT_LIT("another"), &at));
    statement.data[at] = 'A';
    tut_buf_add_z(&altered, "{\"payload\":\"");
    tut_base64_add(&altered, tut_buf_span(&statement));
    tut_buf_printf(&altered,
                   "\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":["
                   "{\"keyid\":\"%.*s\",\"sig\":\"%.*s\"}]}",
                   (int)keyid.len, keyid.data, (int)sig.len, sig.data);
    submit("scan.content", true, tut_buf_str(&altered));
    TUT_AUTO(tut_records) records = records_now();
    assert_string_equal(last(records)->doubt, "the signature does not verify");
}

static void a_record_from_the_future_is_in_doubt(void **state)
{
    (void)state;
    tut_time_pretend(1700000000 - 3600);
    append_one(1700000000);
    TUT_AUTO(tut_records) records = records_now();
    assert_non_null(last(records)->doubt);
}

/* --- loss --- */

static void rename_to(const char *from, const char *to)
{
    assert_int_equal(rename(path_of(from), path_of(to)), 0);
}

static void a_log_that_is_gone_is_a_loss(void **state)
{
    (void)state;
    append_one(1000);
    rename_to("ledger/evidence", "away");
    tut_records *records = NULL;
    tut_ledger *l = NULL;
    assert_int_equal(read_all(INT64_MAX, &records, NULL).code, TUT_STORE);
    assert_int_equal(tut_ledger_open(dir, true, &l, NULL).code, TUT_STORE);
}

static void an_older_copy_of_the_log_is_refused(void **state)
{
    (void)state;
    char command[400];
    append_one(1000);
    snprintf(command, sizeof(command), "cp -a %s/ledger %s/older", dir, dir);
    assert_int_equal(system(command), 0);
    append_one(1001);
    rename_to("ledger", "newer");
    rename_to("older", "ledger");
    tut_records *records = NULL;
    assert_int_equal(read_all(INT64_MAX, &records, NULL).code, TUT_STORE);
    tut_ledger *l = NULL;
    assert_int_equal(tut_ledger_open(dir, true, &l, NULL).code, TUT_STORE);
}

static void a_log_without_its_keys_can_be_read_and_not_written(void **state)
{
    (void)state;
    append_one(1000);
    rename_to("keys", "elsewhere");
    assert_int_equal(count_until(INT64_MAX), 2);
    tut_ledger *l = NULL;
    assert_int_equal(tut_ledger_open(dir, true, &l, NULL).code, TUT_STORE);
}

static void reading_where_nothing_was_written_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(count_until(INT64_MAX), 0);
    assert_false(tut_fs_exists(path_of("ledger")));
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

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    append_one(1000);
    for (uint64_t n = 1; n < 2000; n++) {
        tut_records *records = NULL;
        tut_ledger *l = open_for(false);
        tut_alloc_fail_after(n);
        tut_status s = tut_ledger_read(l, INT64_MAX, &records, NULL);
        tut_alloc_fail_after(0);
        tut_ledger_close(l);
        if (tut_is_ok(s)) {
            assert_int_equal(records->count, 2);
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
        CASE(evidence_is_an_in_toto_statement_in_an_envelope),
        CASE(state_is_kept_out_of_version_control),
        CASE(the_origin_stays_the_same_and_differs_between_logs),
        CASE(until_leaves_out_what_came_later),
        CASE(evidence_without_expiry_is_refused),
        CASE(a_batch_with_one_bad_record_writes_none),
        CASE(a_batch_longer_than_a_message_is_written_whole),
        CASE(machine_evidence_is_signed_with_the_tools_key),
        CASE(evidence_that_nobody_signed_is_in_doubt),
        CASE(evidence_that_a_stranger_signed_is_in_doubt),
        CASE(evidence_of_another_log_is_in_doubt),
        CASE(an_altered_statement_under_a_good_signature_is_in_doubt),
        CASE(a_record_from_the_future_is_in_doubt),
        CASE(a_log_that_is_gone_is_a_loss),
        CASE(an_older_copy_of_the_log_is_refused),
        CASE(a_log_without_its_keys_can_be_read_and_not_written),
        CASE(reading_where_nothing_was_written_gives_nothing),
        CASE(writing_needs_a_ledger_open_for_writing),
        CASE(bodies_come_back_and_an_altered_one_is_refused),
        CASE(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
