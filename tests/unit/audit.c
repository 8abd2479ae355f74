/* The audit: what a hostile writer got into a whole and rightly signed log is found and named, and
 * nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json_write.h"
#include "crypto/dsse.h"
#include "ledger/bodies.h"
#include "ledger/people_event.h"
#include "ledger/record.h"
#include "ledger/sequencer.h"
#include "state/audit.h"

static char dir[64];
static char state_dir[80];
static tut_key *stranger;

static int make_dir(void **state)
{
    (void)state;
    char keys[80];
    strcpy(dir, "/tmp/tutela-audit-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(keys, sizeof(keys), "%s/keys", dir);
    (void)snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    if (setenv("XDG_DATA_HOME", keys, 1) != 0)
        return -1;
    return tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &stranger, NULL)) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char command[200];
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    tut_key_free(stranger);
    return system(command);
}

static tut_record a_record(const tut_subject *subject)
{
    static const char *const clauses[] = {"5.2.1-1"};
    tut_time now = tut_time_now();
    return (tut_record){.type = TUT_RECORD_EVIDENCE,
                        .at = now,
                        .check = "scan.content/1",
                        .result = TUT_RESULT_PASS,
                        .clauses = clauses,
                        .clause_count = 1,
                        .subjects = subject,
                        .subject_count = 1,
                        .from = now,
                        .to = now,
                        .expires = now + 86400,
                        .actor = "tool",
                        .statement = "It is so."};
}

/* A log with a genesis and one good record; its name. */
static void begin(char origin[128])
{
    tut_ledger *l = NULL;
    tut_error err = {0};
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    if (!tut_is_ok(tut_ledger_open(state_dir, true, &l, &err)) ||
        !tut_is_ok(tut_ledger_append(l, &r, 1, &err)))
        fail_msg("%s", err.text);
    tut_str_copy(origin, 128, tut_str_of(tut_ledger_origin(l)));
    tut_ledger_close(l);
}

/* As any process of this user may: what the sequencer lets through. */
static void submit(const char *origin, const char *kind, const char *producer, uint64_t seq,
                   bool is_dsse, tut_span payload)
{
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_AUTO(tut_sequencer) client = NULL;
    tut_error err = {0};
    tut_submission item = {.log = TUT_LOG_EVIDENCE,
                           .kind = kind,
                           .producer = producer,
                           .seq = seq,
                           .is_dsse = is_dsse,
                           .payload = payload};
    assert_true(tut_is_ok(tut_keystore_open(origin, false, &keys, NULL)));
    tut_sequencer_options options = {.state_dir = state_dir, .origin = origin, .keys = keys};
    if (!tut_is_ok(tut_sequencer_connect(&options, &client, &err)) ||
        !tut_is_ok(tut_sequencer_append(client, &item, 1, NULL, &err)) ||
        !tut_is_ok(tut_sequencer_close(&client, &err)))
        fail_msg("%s", err.text);
}

static void submit_record(const char *origin, tut_record *r, const char *log_origin,
                          const tut_key *key)
{
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO(tut_json) outer = NULL;
    char kind[65];
    r->origin = log_origin;
    tut_str_copy(kind, sizeof(kind), (tut_str){r->check, strcspn(r->check, "/")});
    assert_true(tut_is_ok(tut_json_new(&statement, &j)));
    tut_record_json(r, j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    if (!key) {
        submit(origin, kind, "mallory", 0, false, tut_buf_span(&statement));
        return;
    }
    assert_true(tut_is_ok(tut_json_new(&payload, &outer)));
    assert_true(
        tut_is_ok(tut_dsse_write(outer, TUT_DSSE_INTOTO, tut_buf_span(&statement), &key, 1, NULL)));
    assert_true(tut_is_ok(tut_json_finish(outer, NULL)));
    submit(origin, kind, "mallory", 0, true, tut_buf_span(&payload));
}

/* The one check that does not hold, and what it says; NULL: all hold. */
static void assert_only(const char *name, const char *says)
{
    TUT_AUTO(tut_audit) audit = NULL;
    tut_error err = {0};
    tut_audit_options options = {.state_dir = state_dir};
    if (!tut_is_ok(tut_audit_run(&options, &audit, &err)))
        fail_msg("%s", err.text);
    bool is_found = false;
    for (size_t i = 0; i < audit->count; i++) {
        const tut_audit_check *c = &audit->checks[i];
        if (c->holds)
            continue;
        if (!name || strcmp(c->name, name) != 0)
            fail_msg("%s: %s", c->name, c->detail);
        if (!strstr(c->detail, says))
            fail_msg("%s: %s", c->name, c->detail);
        is_found = true;
    }
    assert_int_equal(is_found, name != NULL);
    assert_int_equal(audit->holds, name == NULL);
}

static void an_honest_log_holds(void **state)
{
    (void)state;
    char origin[128];
    begin(origin);
    assert_only(NULL, NULL);
    begin(origin); /* a second run, with numbers of its own */
    assert_only(NULL, NULL);
}

static void numbers_that_are_left_out_or_come_again(void **state)
{
    (void)state;
    static const struct {
        uint64_t numbers[4];
        const char *says;
    } cases[] = {
        {{0, 1, 2, 3}, NULL},
        {{0, 1, 0, 2}, "number 0 comes again with entry 4"},
        {{0, 1, 3, 4}, "number 2 is missing before entry 4"},
        {{0, 4, 5, 6}, "numbers 1 to 3 are missing before entry 3"},
        {{1, 2, 3, 4}, "number 0 is missing before entry 2"},
        {{0, 1, 1, 2}, "number 1 comes again with entry 4"},
        {{0, 1, 2, 1}, "number 1 comes again with entry 5"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char origin[128];
        char command[200];
        begin(origin);
        for (size_t k = 0; k < 4; k++)
            submit(origin, "test.event", "counter", cases[i].numbers[k], false,
                   tut_span_of("{}", 2));
        assert_only(cases[i].says ? "sequence" : NULL, cases[i].says);
        (void)snprintf(command, sizeof(command), "rm -rf -- %s %s/keys", state_dir, dir);
        assert_int_equal(system(command), 0);
    }
}

static void evidence_that_nobody_known_signed(void **state)
{
    (void)state;
    char origin[128];
    char log_origin[160];
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    begin(origin);
    (void)snprintf(log_origin, sizeof(log_origin), "%s/evidence", origin);
    submit_record(origin, &r, log_origin, stranger);
    assert_only("signatures", "entry 2 (scan.content/1): signed with a key that the log does not "
                              "know");
}

static void evidence_without_a_signature(void **state)
{
    (void)state;
    char origin[128];
    char log_origin[160];
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    begin(origin);
    (void)snprintf(log_origin, sizeof(log_origin), "%s/evidence", origin);
    submit_record(origin, &r, log_origin, NULL);
    assert_only("signatures", "it is not signed");
}

/* Signed by a stranger, in the name of the tool's key. */
static void a_signature_that_is_not_the_keys_own(void **state)
{
    (void)state;
    char origin[128];
    char log_origin[160];
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_AUTO(tut_pubkey) tool = NULL;
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO(tut_json) outer = NULL;
    TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    const tut_key *signer = stranger;
    begin(origin);
    (void)snprintf(log_origin, sizeof(log_origin), "%s/evidence", origin);
    r.origin = log_origin;
    assert_true(tut_is_ok(tut_keystore_open(origin, false, &keys, NULL)));
    assert_true(tut_is_ok(tut_keystore_public(keys, "tool", &tool, NULL)));
    assert_true(tut_is_ok(tut_json_new(&statement, &j)));
    tut_record_json(&r, j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    assert_true(tut_is_ok(tut_json_new(&payload, &outer)));
    assert_true(tut_is_ok(
        tut_dsse_write(outer, TUT_DSSE_INTOTO, tut_buf_span(&statement), &signer, 1, NULL)));
    assert_true(tut_is_ok(tut_json_finish(outer, NULL)));
    char *id = memmem(payload.data, payload.len, tut_pubkey_id(tut_key_public(stranger)), 64);
    assert_non_null(id);
    memcpy(id, tut_pubkey_id(tool), 64);
    submit(origin, "scan.content", "mallory", 0, true, tut_buf_span(&payload));
    assert_only("signatures", "the signature does not verify");
}

/* Erasing on purpose is no damage; losing the file is. */
static void a_body_whose_key_was_erased(void **state)
{
    (void)state;
    char origin[128];
    char command[200];
    tut_ledger *l = NULL;
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    begin(origin);
    assert_true(tut_is_ok(tut_ledger_open(state_dir, true, &l, NULL)));
    r.has_body = true;
    assert_true(tut_is_ok(
        tut_ledger_put_personal_body(l, r.at, tut_span_of("a prompt", 8), &r.body, NULL)));
    assert_true(tut_is_ok(tut_ledger_append(l, &r, 1, NULL)));
    tut_ledger_close(l);
    assert_only(NULL, NULL);
    (void)snprintf(command, sizeof(command), "rm -r %s/keys/tutela/*/period", dir);
    assert_int_equal(system(command), 0);
    assert_only(NULL, NULL);
    (void)snprintf(command, sizeof(command), "rm -r %s/bodies/*", state_dir);
    assert_int_equal(system(command), 0);
    assert_only("bodies", "cannot be read");
}

static void a_record_of_another_log(void **state)
{
    (void)state;
    char origin[128];
    tut_subject subject = {.name = "model/a", .digest = {{1}}};
    tut_record r = a_record(&subject);
    r.type = TUT_RECORD_EVENT;
    r.check = "asset.accepted";
    begin(origin);
    submit_record(origin, &r, "tutela-other/evidence", NULL);
    assert_only("signatures", "carried over from another log");
}

static void a_stranger_who_enrols_himself(void **state)
{
    (void)state;
    char origin[128];
    char log_origin[160];
    tut_arena arena;
    tut_people_change change = {.kind = TUT_PEOPLE_ENROLLED,
                                .name = TUT_LIT("Mallory"),
                                .roles = TUT_PERSON_AUDITOR,
                                .keys = {tut_key_public(stranger)},
                                .key_count = 1};
    tut_record r = {.type = TUT_RECORD_EVENT, .at = tut_time_now(), .actor = "Mallory"};
    begin(origin);
    (void)snprintf(log_origin, sizeof(log_origin), "%s/evidence", origin);
    tut_arena_init(&arena, 0);
    assert_true(tut_is_ok(tut_people_record(&change, &arena, &r, NULL)));
    submit_record(origin, &r, log_origin, stranger);
    tut_arena_done(&arena);
    TUT_AUTO(tut_audit) audit = NULL;
    tut_audit_options options = {.state_dir = state_dir};
    assert_true(tut_is_ok(tut_audit_run(&options, &audit, NULL)));
    assert_false(audit->holds);
    for (size_t i = 0; i < audit->count; i++)
        assert_int_equal(audit->checks[i].holds, strcmp(audit->checks[i].name, "people") != 0 &&
                                                     strcmp(audit->checks[i].name, "signatures"));
}

static void where_nothing_was_recorded_is_no_answer(void **state)
{
    (void)state;
    TUT_AUTO(tut_audit) audit = NULL;
    tut_audit_options options = {.state_dir = state_dir};
    assert_int_equal(tut_audit_run(&options, &audit, NULL).code, TUT_USAGE);
    assert_null(audit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_honest_log_holds),
        TEST(numbers_that_are_left_out_or_come_again),
        TEST(evidence_that_nobody_known_signed),
        TEST(evidence_without_a_signature),
        TEST(a_signature_that_is_not_the_keys_own),
        TEST(a_body_whose_key_was_erased),
        TEST(a_record_of_another_log),
        TEST(a_stranger_who_enrols_himself),
        TEST(where_nothing_was_recorded_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
