/* Oversight: its section, which tests are due, what is told once, and whose training had lapsed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/attest.h"
#include "base/fs.h"
#include "govern/oversight.h"
#include "govern/training_rights.h"
#include "state/records.h"

#define HEAD "schema: tutela.system/1\nsystem:\n  name: n\n  version: \"1\"\n  purpose: p\n"
#define CLOSE __attribute__((cleanup(tut_ledger_close_auto)))

typedef struct world {
    char dir[64];
    char *state;
} world;

static tut_system *parse(const char *rest)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_system *system = NULL;
    tut_error err = {0};
    tut_buf_printf(&text, HEAD "%s", rest);
    if (!tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_buf_str(&text), &system, NULL, &err)))
        fail_msg("%s", err.text);
    return system;
}

static void check(tut_status status, const tut_error *err)
{
    if (!tut_is_ok(status))
        fail_msg("%s %s", err->path, err->text);
}

static int begin(void **state)
{
    world *w = calloc(1, sizeof(*w));
    if (!w)
        return -1;
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/tutela-oversight-XXXXXX");
    if (!mkdtemp(w->dir) || setenv("XDG_DATA_HOME", w->dir, 1) != 0)
        return -1;
    w->state = tut_fs_join(w->dir, ".tutela");
    *state = w;
    return w->state && tut_is_ok(tut_fs_mkdirs(w->state, 0700, NULL)) ? 0 : -1;
}

static int end(void **state)
{
    world *w = *state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", w->dir);
    tut_free(w->state);
    free(w);
    return system(command);
}

static void attest(const world *w, const tut_system *system, const char *name, tut_result result)
{
    CLOSE tut_ledger *ledger = NULL;
    tut_error err = {0};
    const tut_attestation a = {
        .check = name, .result = result, .statement = "It was run.", .body = tut_span_of("{}", 2)};
    check(tut_ledger_open(w->state, true, &ledger, &err), &err);
    check(tut_attest_to(ledger, system, &a, NULL, &err), &err);
}

static tut_oversight look(const world *w, tut_system *system, unsigned days)
{
    CLOSE tut_ledger *ledger = NULL;
    tut_error err = {0};
    tut_oversight o;
    check(tut_ledger_open(w->state, false, &ledger, &err), &err);
    check(tut_oversight_look(system, ledger, tut_time_now() + (tut_time)days * TUT_DAY_SECONDS, &o,
                             &err),
          &err);
    return o;
}

/* --- the section --- */

static void days_have_defaults(void **state)
{
    (void)state;
    tut_oversight_policy p;
    TUT_AUTO(tut_system) none = parse("");
    assert_true(tut_is_ok(tut_oversight_policy_read(none, &p, NULL, NULL)));
    assert_true(!p.node && p.every_days[TUT_OVERSIGHT_BLOCK] == 7);
    assert_int_equal(p.every_days[TUT_OVERSIGHT_STOP], 30);
    TUT_AUTO(tut_system)
    some = parse("oversight:\n  every: {guard.stop-switch: 90}\n"
                 "  unattended: [guard.block-test]\n");
    assert_true(tut_is_ok(tut_oversight_policy_read(some, &p, NULL, NULL)));
    assert_true(p.node && p.unattended[TUT_OVERSIGHT_BLOCK]);
    assert_false(p.unattended[TUT_OVERSIGHT_APPROVALS]);
    assert_int_equal(p.every_days[TUT_OVERSIGHT_STOP], 90);
    assert_int_equal(p.every_days[TUT_OVERSIGHT_APPROVALS], 30);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "every: {guard.block-test: 0}",
        "every: {guard.block-test: 367}",
        "every: {guard.block-test: [7]}",
        "every: {guard.other: 7}",
        "every: 7",
        "unattended: [guard.stop-switch]",
        "unattended: [[guard.block-test]]",
        "unattended: {guard.block-test: 7}",
        "other: 1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_oversight_policy p;
        tut_error err = {0};
        tut_buf_printf(&text, "oversight:\n  %s\n", bad[i]);
        TUT_AUTO(tut_system) system = parse(tut_buf_z(&text));
        assert_false(tut_is_ok(tut_oversight_policy_read(system, &p, NULL, &err)));
        assert_true(err.text[0] != '\0');
    }
}

/* --- what is due --- */

static void a_test_is_due_when_its_time_is_over(void **state)
{
    const world *w = *state;
    TUT_AUTO(tut_system) system = parse("oversight: {}\n");
    for (int i = 0; i < TUT_OVERSIGHT_TESTS; i++)
        assert_int_equal(look(w, system, 0).items[i].state, TUT_OVERSIGHT_NEVER);
    attest(w, system, "guard.block-test", TUT_RESULT_PASS);
    tut_oversight o = look(w, system, 6);
    assert_int_equal(o.items[TUT_OVERSIGHT_BLOCK].state, TUT_OVERSIGHT_CURRENT);
    assert_string_equal(o.items[TUT_OVERSIGHT_BLOCK].actor, "tool");
    assert_false(tut_oversight_is_due(&o.items[TUT_OVERSIGHT_BLOCK]));
    o = look(w, system, 7);
    assert_int_equal(o.items[TUT_OVERSIGHT_BLOCK].state, TUT_OVERSIGHT_OVERDUE);
    TUT_AUTO(tut_system) other = parse("oversight: {every: {guard.block-test: 90}}\n");
    assert_int_equal(look(w, other, 0).items[TUT_OVERSIGHT_BLOCK].state, TUT_OVERSIGHT_CHANGED);
}

static void a_failure_stays_until_the_next_run(void **state)
{
    const world *w = *state;
    TUT_AUTO(tut_system) system = parse("oversight: {}\n");
    attest(w, system, "guard.approvals", TUT_RESULT_PASS);
    attest(w, system, "guard.reviewers", TUT_RESULT_FAIL);
    assert_int_equal(look(w, system, 0).items[TUT_OVERSIGHT_APPROVALS].state, TUT_OVERSIGHT_FAILED);
    attest(w, system, "guard.stop-switch", TUT_RESULT_FAIL);
    assert_int_equal(look(w, system, 40).items[TUT_OVERSIGHT_STOP].state, TUT_OVERSIGHT_FAILED);
    attest(w, system, "guard.stop-switch", TUT_RESULT_PASS);
    assert_int_equal(look(w, system, 0).items[TUT_OVERSIGHT_STOP].state, TUT_OVERSIGHT_CURRENT);
}

static void a_gap_is_told_once(void **state)
{
    const world *w = *state;
    TUT_AUTO(tut_system) system = parse("oversight: {}\n");
    tut_error err = {0};
    attest(w, system, "guard.block-test", TUT_RESULT_PASS);
    for (int round = 0; round < 2; round++) {
        CLOSE tut_ledger *ledger = NULL;
        TUT_AUTO(tut_records) records = NULL;
        tut_oversight o = look(w, system, 8);
        size_t told = 0;
        check(tut_ledger_open(w->state, true, &ledger, &err), &err);
        check(tut_oversight_tell_missed(system, ledger, &o, &err), &err);
        check(tut_ledger_read(ledger, INT64_MAX, &records, &err), &err);
        for (size_t i = 0; i < records->count; i++)
            told += strcmp(records->items[i].check, TUT_EVENT_OVERSIGHT_MISSED) == 0;
        assert_int_equal(told, 1);
    }
    assert_true(look(w, system, 8).items[TUT_OVERSIGHT_BLOCK].is_told);
}

static void a_review_of_nothing_was_run(void **state)
{
    const world *w = *state;
    TUT_AUTO(tut_system) system = parse("oversight: {}\n");
    tut_error err = {0};
    CLOSE tut_ledger *ledger = NULL;
    check(tut_ledger_open(w->state, true, &ledger, &err), &err);
    check(tut_oversight_tell_empty(system, ledger, TUT_OVERSIGHT_APPROVALS, NULL, &err), &err);
    tut_oversight o = look(w, system, 29);
    assert_int_equal(o.items[TUT_OVERSIGHT_APPROVALS].state, TUT_OVERSIGHT_EMPTY);
    assert_int_equal(o.items[TUT_OVERSIGHT_BLOCK].state, TUT_OVERSIGHT_NEVER);
    o = look(w, system, 31);
    assert_int_equal(o.items[TUT_OVERSIGHT_APPROVALS].state, TUT_OVERSIGHT_OVERDUE);
}

/* --- whose training lapsed --- */

static void what_cannot_be_read_gives_nobody_the_right(void **state)
{
    const world *w = *state;
    tut_error err = {0};
    TUT_AUTO(tut_training_rights) rights = NULL;
    TUT_AUTO_FREE char *file = tut_fs_join(w->dir, "tutela.yaml");
    const tut_person person = {.name = "Ada", .is_active = true};
    assert_non_null(file);
    check(tut_training_rights_new(file, w->state, &rights, &err), &err);
    const char *why = tut_training_rights_lack(rights, &person, 0); /* there is no such file */
    assert_non_null(why);
    assert_non_null(strstr(why, "cannot be read"));
    assert_true(tut_training_rights_had_lapsed(rights, &person, 0));
    assert_false(tut_is_ok(tut_training_rights_check(rights, TUT_LIT("Ada"), &err)));
    check(tut_fs_write(file, tut_span_of(HEAD, sizeof(HEAD) - 1), 0600, &err), &err);
    assert_null(tut_training_rights_lack(rights, &person, 0)); /* nothing is asked */
    assert_false(tut_training_rights_had_lapsed(rights, &person, 0));
    check(tut_training_rights_check(rights, TUT_LIT("Ada"), &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_have_defaults),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test_setup_teardown(a_test_is_due_when_its_time_is_over, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_stays_until_the_next_run, begin, end),
        cmocka_unit_test_setup_teardown(a_gap_is_told_once, begin, end),
        cmocka_unit_test_setup_teardown(a_review_of_nothing_was_run, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_gives_nobody_the_right, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
