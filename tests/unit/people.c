/* Who may sign what: enrolment, rotation and revocation as events, and everything that must not
 * count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "people_log.h"

static people_log lg;
/* a, b: roots; c, d, e: for others; tool, log: machines */
static tut_key *a, *b, *c, *d, *e, *tool, *logk;

static const tut_pubkey *pub(const tut_key *k)
{
    return tut_key_public(k);
}

static const char *id(const tut_key *k)
{
    return tut_pubkey_id(tut_key_public(k));
}

static uint64_t after_of(const char *name)
{
    const tut_person *person = tut_people_find(lg.people, tut_str_of(name));
    return person ? person->after : 0;
}

/* --- one change a call; false: it did not count --- */

static bool counted(void)
{
    return lg.problem[0] == '\0';
}

static void genesis(const char *root, const tut_key *key)
{
    tut_people_change r = {.kind = TUT_PEOPLE_ROOT,
                           .name = tut_str_of(root),
                           .roles = TUT_PERSON_ROOT | TUT_PERSON_APPROVER,
                           .key_count = 1};
    if (root)
        r.keys[0] = pub(key);
    tut_people_change g = {.kind = TUT_PEOPLE_GENESIS,
                           .keys = {pub(tool)},
                           .key_count = 1,
                           .log_keys = {pub(logk)},
                           .log_key_count = 1,
                           .roots = &r,
                           .root_count = root ? 1 : 0};
    log_change(&lg, &g, NULL, 0);
    assert_string_equal(lg.problem, "");
}

static bool enrol(const char *name, const tut_key *key, uint32_t roles, const tut_key *by)
{
    const tut_person *known = tut_people_find(lg.people, tut_str_of(name));
    tut_people_change ch = {.kind = TUT_PEOPLE_ENROLLED,
                            .name = tut_str_of(name),
                            .roles = roles,
                            .keys = {pub(key)},
                            .key_count = 1,
                            .has_after = known != NULL,
                            .after = after_of(name)};
    log_change(&lg, &ch, &by, by ? 1 : 0);
    return counted();
}

static bool rotate(const char *name, const tut_key *key, int64_t from, const tut_key *by)
{
    tut_people_change ch = {.kind = TUT_PEOPLE_ROTATED,
                            .name = tut_str_of(name),
                            .keys = {pub(key)},
                            .key_count = 1,
                            .has_after = true,
                            .after = after_of(name),
                            .has_from = from >= 0,
                            .from = from >= 0 ? (uint64_t)from : 0};
    log_change(&lg, &ch, &by, by ? 1 : 0);
    return counted();
}

static bool revoke(const char *name, int64_t from, const tut_key *by)
{
    tut_people_change ch = {.kind = TUT_PEOPLE_REVOKED,
                            .name = tut_str_of(name),
                            .keys = {pub(a)},
                            .key_count = 1,
                            .reason = TUT_LIT("left"),
                            .has_after = true,
                            .after = after_of(name),
                            .has_from = from >= 0,
                            .from = from >= 0 ? (uint64_t)from : 0};
    log_change(&lg, &ch, &by, by ? 1 : 0);
    return counted();
}

static bool rotate_machine(tut_people_kind kind, const tut_key *key, const tut_key *by)
{
    const tut_person *h = kind == TUT_PEOPLE_TOOL_ROTATED ? &lg.people->tool : &lg.people->log;
    tut_people_change ch = {
        .kind = kind, .keys = {pub(key)}, .key_count = 1, .has_after = true, .after = h->after};
    log_change(&lg, &ch, &by, by ? 1 : 0);
    return counted();
}

/* Entries of other kinds, so that indices move on. */
static void pass_time(unsigned entries)
{
    while (entries-- > 0)
        log_statement(&lg, "guard.decision", TUT_LIT("{\"a\":1}"), NULL, 0);
}

static bool may(const tut_key *key, uint32_t roles, uint64_t index)
{
    tut_act act = {.roles = roles, .index = index};
    return tut_people_may_sign(lg.people, id(key), &act, NULL, NULL);
}

static const char *why(const tut_key *key, const tut_act *act)
{
    const char *reason = NULL;
    bool ok = tut_people_may_sign(lg.people, id(key), act, NULL, &reason);
    assert_int_equal(ok, reason == NULL);
    return reason ? reason : "";
}

static void assert_problem(const char *part)
{
    if (!strstr(lg.problem, part))
        fail_msg("\"%s\" is not in \"%s\"", part, lg.problem);
}

static int begin(void **state)
{
    (void)state;
    tut_error err = {0};
    lg = (people_log){.origin = LOG_ORIGIN};
    must(tut_people_new(&lg.people, &err), &err);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_done(&lg);
    return 0;
}

static int make_keys(void **state)
{
    (void)state;
    a = new_key(), b = new_key(), c = new_key(), d = new_key(), e = new_key();
    tool = new_key(), logk = new_key();
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    tut_key *all[] = {a, b, c, d, e, tool, logk};
    for (size_t i = 0; i < 7; i++)
        tut_key_free(all[i]);
    return 0;
}

/* --- genesis and the first root --- */

static void genesis_names_machines_and_roots(void **state)
{
    (void)state;
    genesis("Ada", a);
    const tut_person *ada = tut_people_find(lg.people, TUT_LIT("ADA"));
    assert_non_null(ada);
    assert_string_equal(ada->name, "Ada");
    assert_true(ada->is_root && ada->is_active);
    assert_int_equal(ada->roles, TUT_PERSON_ROOT | TUT_PERSON_APPROVER);
    assert_int_equal(ada->enrolled_at, 1700000000);
    assert_string_equal(lg.people->origin, LOG_ORIGIN);
    assert_true(tut_people_is_tool(lg.people, id(tool), 0));
    assert_false(tut_people_is_tool(lg.people, id(logk), 0));
    assert_true(tut_people_is_log(lg.people, id(logk), 5));
    assert_null(tut_people_by_key(lg.people, id(tool), NULL));
    assert_ptr_equal(tut_people_by_key(lg.people, id(a), NULL), ada);
}

static void a_second_genesis_changes_nothing(void **state)
{
    (void)state;
    genesis("Ada", a);
    log_repeat(&lg, 0);
    assert_problem("begins only once");
    assert_int_equal(lg.people->count, 1);
}

static void without_a_genesis_nothing_counts(void **state)
{
    (void)state;
    pass_time(1);
    tut_people_change r = {
        .kind = TUT_PEOPLE_ROOT, .name = TUT_LIT("Ada"), .keys = {pub(a)}, .key_count = 1};
    log_change(&lg, &r, NULL, 0);
    assert_problem("does not begin with a genesis");
    assert_int_equal(lg.people->count, 0);
    assert_int_equal(lg.people->problem_total, 1);
    assert_string_equal(lg.people->problems[0],
                        "entry 1 (people.root) changes nothing: the log does "
                        "not begin with a genesis");
}

static void a_genesis_whose_root_is_a_machine_is_void(void **state)
{
    (void)state;
    tut_people_change r = {
        .kind = TUT_PEOPLE_ROOT, .name = TUT_LIT("Ada"), .keys = {pub(tool)}, .key_count = 1};
    tut_people_change g = {.kind = TUT_PEOPLE_GENESIS,
                           .keys = {pub(tool)},
                           .key_count = 1,
                           .log_keys = {pub(logk)},
                           .log_key_count = 1,
                           .roots = &r,
                           .root_count = 1};
    log_change(&lg, &g, NULL, 0);
    assert_problem("is a machine's");
    assert_false(lg.people->has_genesis);
    assert_false(tut_people_is_tool(lg.people, id(tool), 1));
    assert_false(enrol("Eve", e, 0, tool));
}

static void first_root(const char *name, const tut_key *key, const tut_key *by)
{
    tut_people_change r = {.kind = TUT_PEOPLE_ROOT,
                           .name = tut_str_of(name),
                           .roles = TUT_PERSON_ROOT,
                           .keys = {pub(key)},
                           .key_count = 1};
    log_change(&lg, &r, &by, by ? 1 : 0);
}

static void the_first_root_counts_once(void **state)
{
    (void)state;
    genesis(NULL, NULL);
    assert_false(lg.people->has_root);
    first_root("Ada", a, NULL);
    assert_true(counted());
    first_root("Eve", e, NULL);
    assert_problem("has its roots already");
    first_root("Eve", e, e);
    assert_problem("has its roots already");
    assert_null(tut_people_find(lg.people, TUT_LIT("Eve")));
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a));
}

static void a_first_root_signed_by_another_key_does_not_count(void **state)
{
    (void)state;
    genesis(NULL, NULL);
    first_root("Ada", a, e);
    assert_problem("not signed by the key that it names");
    first_root("Ada", a, a);
    assert_true(counted());
}

static void a_genesis_with_roots_takes_no_first_root(void **state)
{
    (void)state;
    genesis("Ada", a);
    first_root("Eve", e, NULL);
    assert_problem("has its roots already");
}

/* --- enrolment --- */

static void a_root_enrols_and_roles_are_asked(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER | TUT_PERSON_TESTER, a));
    assert_true(may(b, 0, 1));
    assert_true(may(b, TUT_PERSON_APPROVER, 1));
    assert_true(may(b, TUT_PERSON_AUDITOR | TUT_PERSON_TESTER, 99));
    assert_false(may(b, TUT_PERSON_AUDITOR, 1));
    assert_false(may(b, TUT_PERSON_ROOT, 1));
    assert_false(may(b, 0, 0));
    tut_act early = {.index = 0};
    assert_string_equal(why(b, &early), "the key was enrolled only later");
    tut_act late = {.index = 9, .roles = TUT_PERSON_AUDITOR};
    assert_non_null(strstr(why(b, &late), "none of the roles"));
    assert_non_null(strstr(why(e, &late), "nobody who was enrolled"));
    assert_non_null(strstr(why(tool, &late), "a machine's"));
}

static void nobody_but_a_root_enrols(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a));
    assert_false(enrol("Cid", c, 0, b));
    assert_problem("Bob, who signed it, is no root");
    assert_false(enrol("Cid", c, 0, c));
    assert_problem("not signed by anybody");
    assert_false(enrol("Cid", c, 0, NULL));
    assert_problem("not signed by anybody");
    assert_false(enrol("Cid", c, 0, tool));
    assert_problem("signed by a machine");
    assert_null(tut_people_find(lg.people, TUT_LIT("Cid")));
    assert_int_equal(lg.people->problem_total, 4);
}

static void one_of_several_signatures_is_enough(void **state)
{
    (void)state;
    genesis("Ada", a);
    tut_people_change ch = {
        .kind = TUT_PEOPLE_ENROLLED, .name = TUT_LIT("Bob"), .keys = {pub(b)}, .key_count = 1};
    const tut_key *signers[] = {e, tool, a};
    log_change(&lg, &ch, signers, 3);
    assert_true(counted());
}

static void a_broken_signature_is_none(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    /* The same envelope under another payload: what Ada signed for Bob says nothing for Cid. */
    tut_buf *enrolled = &lg.entries[1];
    tut_json_doc *doc = NULL;
    tut_error err = {0};
    must(tut_json_parse(tut_buf_span(enrolled), NULL, &doc, &err), &err);
    tut_str sig = tut_json_get_text(
        tut_json_item(tut_json_get(tut_json_get(tut_json_root(doc), "dsse"), "signatures"), 0),
        "sig");
    assert_true(rotate("Bob", c, -1, a)); /* a good one, whose signature is then exchanged */
    tut_buf *rotated = &lg.entries[2];
    size_t at;
    assert_true(tut_str_find(tut_buf_str(rotated), TUT_LIT("\"sig\":\""), &at));
    memcpy(rotated->data + at + 7, sig.data, sig.len);
    tut_json_doc_free(doc);
    /* A log in which it always had that signature. */
    tut_people_free(lg.people);
    must(tut_people_new(&lg.people, &err), &err);
    lg.size = 0;
    for (size_t i = 0; i < 3; i++)
        log_apply(&lg, tut_buf_span(&lg.entries[i]));
    assert_problem("not signed by anybody");
    assert_true(may(b, 0, 2));
    assert_false(may(c, 0, 2));
}

static void names_are_unique_whatever_their_case(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    assert_false(enrol("bob", c, 0, a));
    assert_problem("Bob is enrolled already");
    tut_people_change ch = {
        .kind = TUT_PEOPLE_ENROLLED, .name = TUT_LIT("ada"), .keys = {pub(c)}, .key_count = 1};
    const tut_key *by = a;
    log_change(&lg, &ch, &by, 1);
    assert_problem("Ada is enrolled already");
}

static void a_key_belongs_to_one(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    assert_false(enrol("Cid", b, 0, a));
    assert_problem("was named before, for Bob");
    assert_false(enrol("Cid", a, 0, a));
    assert_false(enrol("Cid", tool, 0, a));
    assert_problem("is a machine's");
    assert_false(enrol("Cid", logk, 0, a));
    assert_false(rotate("Bob", b, -1, a));
    tut_people_change twice = {.kind = TUT_PEOPLE_ENROLLED,
                               .name = TUT_LIT("Cid"),
                               .keys = {pub(c), pub(c)},
                               .key_count = 2};
    const tut_key *by = a;
    log_change(&lg, &twice, &by, 1);
    assert_problem("named twice");
    assert_false(rotate_machine(TUT_PEOPLE_TOOL_ROTATED, b, a));
    assert_problem("was named before, for Bob");
}

static void another_logs_events_do_not_count(void **state)
{
    (void)state;
    genesis("Ada", a);
    lg.origin = "tutela-other";
    assert_false(enrol("Bob", b, 0, a));
    assert_problem("made for another log");
    lg.origin = LOG_ORIGIN;
    assert_true(enrol("Bob", b, 0, a));
}

static void an_envelope_counts_once(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a)); /* 1 */
    log_repeat(&lg, 1);
    assert_false(counted());
    assert_true(revoke("Bob", -1, a)); /* 3 */
    log_repeat(&lg, 1);                /* the enrolment again: he would be back */
    assert_false(counted());
    assert_false(tut_people_find(lg.people, TUT_LIT("Bob"))->is_active);
    assert_true(enrol("Bob", c, TUT_PERSON_TESTER, a)); /* 5 */
    log_repeat(&lg, 3);                                 /* the revocation again */
    assert_problem("does not follow the last change");
    assert_true(tut_people_find(lg.people, TUT_LIT("Bob"))->is_active);
}

static void shapes_that_are_not_known_change_nothing(void **state)
{
    (void)state;
    static const char *const persons[] = {
        "{}",
        "[]",
        "{\"name\":\"Cid\",\"roles\":[],\"keys\":[]}",
        "{\"name\":\"Cid\",\"roles\":[],\"keys\":[\"x\"]}",
        "{\"name\":\"Cid\",\"roles\":[\"king\"],\"keys\":[%s]}",
        "{\"name\":\"Cid\",\"roles\":[\"tester\",\"tester\"],\"keys\":[%s]}",
        "{\"name\":\"Cid\",\"roles\":[],\"keys\":[%s],\"only_on\":\"Mondays\"}",
        "{\"name\":\"tool\",\"roles\":[],\"keys\":[%s]}",
        "{\"name\":\"../Cid\",\"roles\":[],\"keys\":[%s]}",
        "{\"name\":\"Cid\\u202e\",\"roles\":[],\"keys\":[%s]}",
        "{\"name\":\"Cid\",\"roles\":[],\"keys\":[%s],\"after\":-1}",
        "{\"name\":\"Cid\",\"roles\":[],\"keys\":[%s],\"after\":\"0\"}",
        "{\"name\":\"Cid\",\"roles\":\"tester\",\"keys\":[%s]}",
        "{\"name\":7,\"roles\":[],\"keys\":[%s]}",
    };
    genesis("Ada", a);
    tut_str pem = tut_pubkey_pem(pub(c));
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    tut_json *j = NULL;
    tut_error err = {0};
    must(tut_json_new(&key, &j), &err);
    tut_json_str(j, pem);
    must(tut_json_finish(j, &err), &err);
    tut_json_free(j);
    const tut_key *by = a;
    size_t count = sizeof(persons) / sizeof(persons[0]);
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) person = TUT_BUF_INIT;
        const char *hole = strstr(persons[i], "%s");
        tut_buf_add(&person, persons[i], hole ? (size_t)(hole - persons[i]) : strlen(persons[i]));
        if (hole) {
            tut_buf_add_str(&person, tut_buf_str(&key));
            tut_buf_add_z(&person, hole + 2);
        }
        tut_subject subject = {.name = "person/Cid"};
        tut_record r = {.at = 1,
                        .actor = "x",
                        .check = "people.enrolled",
                        .statement = "",
                        .subjects = &subject,
                        .subject_count = 1,
                        .origin = LOG_ORIGIN,
                        .data_key = "person",
                        .data = tut_buf_str(&person)};
        TUT_CLEAN(tut_buf) statement = TUT_BUF_INIT;
        must(tut_json_new(&statement, &j), &err);
        tut_record_json(&r, j);
        must(tut_json_finish(j, &err), &err);
        tut_json_free(j);
        log_statement(&lg, "people.enrolled", tut_buf_str(&statement), &by, 1);
        if (counted())
            fail_msg("%s", persons[i]);
    }
    assert_int_equal(lg.people->problem_total, count);
    assert_int_equal(lg.people->count, 1);
    assert_true(enrol("Cid", c, 0, a));
}

/* --- rotation --- */

static void ones_own_old_key_rotates(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a)); /* 1 */
    assert_true(rotate("Bob", c, -1, b));                 /* 2 */
    assert_true(may(b, TUT_PERSON_APPROVER, 1));
    assert_false(may(b, 0, 2));
    assert_true(may(c, TUT_PERSON_APPROVER, 2));
    assert_false(may(c, 0, 1));
    tut_act act = {.index = 5};
    assert_string_equal(why(b, &act), "the key was replaced by another");
    assert_false(rotate("Bob", d, -1, b));
    assert_problem("no longer in force");
}

static void another_persons_key_does_not_rotate(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    assert_true(enrol("Cid", c, 0, a));
    assert_false(rotate("Bob", d, -1, c));
    assert_problem("is no root");
    assert_true(rotate("Bob", d, -1, a));
    assert_false(rotate("Nix", e, -1, a));
    assert_problem("nobody is called Nix");
}

static void ones_own_key_does_not_disown_the_past(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a)); /* 1 */
    pass_time(3);
    assert_false(rotate("Bob", c, 2, b));
    assert_problem("only a root may say");
    assert_true(rotate("Bob", c, 2, a));
    assert_true(may(b, 0, 1));
    assert_false(may(b, 0, 2));
    assert_true(may(c, 0, 6));
}

static void machines_are_rotated_by_roots(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));                             /* 1 */
    assert_false(rotate_machine(TUT_PEOPLE_TOOL_ROTATED, c, tool)); /* 2 */
    assert_false(rotate_machine(TUT_PEOPLE_TOOL_ROTATED, c, b));    /* 3 */
    assert_true(rotate_machine(TUT_PEOPLE_TOOL_ROTATED, c, a));     /* 4 */
    assert_true(rotate_machine(TUT_PEOPLE_LOG_ROTATED, d, a));      /* 5 */
    assert_true(tut_people_is_tool(lg.people, id(tool), 3));
    assert_false(tut_people_is_tool(lg.people, id(tool), 4));
    assert_true(tut_people_is_tool(lg.people, id(c), 4));
    assert_true(tut_people_is_log(lg.people, id(d), 5));
    assert_false(tut_people_is_log(lg.people, id(logk), 5));
    assert_false(enrol("Cid", c, 0, a));
    assert_problem("is a machine's");
}

/* --- revocation --- */

static void a_revoked_key_counts_until_then(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a)); /* 1 */
    pass_time(2);
    assert_true(revoke("Bob", -1, a)); /* 4 */
    assert_true(may(b, TUT_PERSON_APPROVER, 3));
    assert_false(may(b, 0, 4));
    const tut_person *bob = tut_people_find(lg.people, TUT_LIT("Bob"));
    assert_false(bob->is_active);
    assert_int_equal(bob->revoked_at, 1700000000 + 4 * 60);
    assert_string_equal(bob->reason, "left");
    tut_act act = {.index = 4};
    assert_string_equal(why(b, &act), "the key was revoked");
    assert_false(revoke("Bob", -1, a));
    assert_problem("is revoked");
}

static void after_a_compromise_it_counts_until_earlier(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a)); /* 1 */
    pass_time(5);
    assert_true(revoke("Bob", 3, a)); /* 7 */
    assert_true(may(b, TUT_PERSON_APPROVER, 2));
    assert_false(may(b, TUT_PERSON_APPROVER, 3));
    assert_false(may(b, TUT_PERSON_APPROVER, 6));
    assert_int_equal(tut_people_find(lg.people, TUT_LIT("Bob"))->event_count, 2);
}

static void a_revocation_of_the_future_does_not_count(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    assert_false(revoke("Bob", 9, a));
    assert_problem("later than itself");
}

static void the_last_root_stays(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_false(revoke("Ada", -1, a));
    assert_problem("the last root cannot be revoked");
    assert_false(revoke("Ada", 0, a));
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));
    assert_true(revoke("Ada", -1, b));
    assert_false(revoke("Bob", -1, b));
    assert_problem("the last root cannot be revoked");
    assert_true(tut_people_find(lg.people, TUT_LIT("Bob"))->is_root);
}

static void a_revoked_root_enrols_nobody(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));
    assert_true(revoke("Bob", -1, a));
    assert_false(enrol("Cid", c, 0, b));
    assert_problem("no longer in force");
}

static void whoever_comes_back_has_the_new_roles_only_from_then(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_DEVELOPER, a)); /* 1 */
    assert_true(revoke("Bob", -1, a));                     /* 2 */
    assert_true(enrol("Bob", c, TUT_PERSON_AUDITOR, a));   /* 3 */
    assert_true(may(b, TUT_PERSON_DEVELOPER, 1));
    assert_false(may(b, TUT_PERSON_AUDITOR, 1));
    assert_false(may(b, 0, 3));
    assert_true(may(c, TUT_PERSON_AUDITOR, 3));
    assert_false(may(c, TUT_PERSON_DEVELOPER, 3));
    const tut_person *bob = tut_people_find(lg.people, TUT_LIT("Bob"));
    assert_true(bob->is_active);
    assert_int_equal(bob->revoked_at, 0);
    assert_null(bob->reason);
}

/* --- what a thief did with a root's key --- */

static void a_thiefs_enrolments_fall_with_his_key(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));      /* 1 */
    pass_time(2);                                          /* 2, 3: Bob's key is stolen */
    assert_true(enrol("Eve", e, TUT_PERSON_ROOT, b));      /* 4 */
    assert_true(enrol("Mal", d, TUT_PERSON_APPROVER, e));  /* 5 */
    assert_true(enrol("Cid", c, TUT_PERSON_DEVELOPER, a)); /* 6 */
    assert_true(may(d, TUT_PERSON_APPROVER, 6));
    assert_true(revoke("Bob", 2, a)); /* 7 */
    assert_true(may(b, 0, 1));
    assert_false(may(b, 0, 2));
    assert_false(may(e, 0, 5));
    assert_false(may(d, TUT_PERSON_APPROVER, 6));
    assert_true(may(c, TUT_PERSON_DEVELOPER, 7));
    assert_false(enrol("Fay", tool, 0, e));
    const tut_person *mal = tut_people_find(lg.people, TUT_LIT("Mal"));
    assert_false(mal->is_active);
    assert_non_null(mal->reason);
    tut_act act = {.index = 6};
    assert_non_null(strstr(why(d, &act), "never counted"));
}

static void a_thiefs_revocations_are_lifted(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));     /* 1 */
    assert_true(enrol("Cid", c, TUT_PERSON_APPROVER, b)); /* 2 */
    assert_true(enrol("Dan", d, TUT_PERSON_ROOT, a));     /* 3 */
    assert_true(revoke("Bob", 1, d));                     /* 4: by a thief of Dan's key */
    assert_false(may(c, TUT_PERSON_APPROVER, 4));         /* what Bob signed fell */
    assert_true(revoke("Dan", 4, a));                     /* 5 */
    assert_true(may(b, TUT_PERSON_ROOT, 5));
    assert_true(may(b, TUT_PERSON_ROOT, 2));
    assert_true(may(c, TUT_PERSON_APPROVER, 5));
    assert_true(may(d, 0, 3));
    assert_false(may(d, 0, 4));
    const tut_person *bob = tut_people_find(lg.people, TUT_LIT("Bob"));
    assert_true(bob->is_active && bob->is_root);
    assert_null(bob->reason);
    assert_true(enrol("Eve", e, 0, b));
}

static void rotations_by_a_thief_fall_and_the_old_key_holds(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a)); /* 1 */
    assert_true(enrol("Cid", c, 0, a));               /* 2 */
    assert_true(rotate("Cid", d, -1, b));             /* 3: by a thief of Bob's key */
    assert_false(may(c, 0, 3));
    assert_true(revoke("Bob", 3, a)); /* 4 */
    assert_true(may(c, 0, 3));
    assert_false(may(d, 0, 3));
    assert_true(rotate("Cid", e, -1, c)); /* 5 */
    assert_true(may(e, 0, 5));
}

static void whoever_owes_his_place_to_a_key_cannot_undo_it(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a)); /* 1 */
    assert_true(enrol("Eve", e, TUT_PERSON_ROOT, b)); /* 2 */
    assert_false(revoke("Bob", 1, e));                /* 3 */
    assert_problem("owes that to what it undoes");
    assert_true(may(b, TUT_PERSON_ROOT, 3));
    assert_true(may(e, TUT_PERSON_ROOT, 3));
    assert_true(revoke("Bob", 3, e)); /* from where he did not sign for Eve: fine */
    assert_true(may(e, TUT_PERSON_ROOT, 5));
}

static void a_reach_that_leaves_no_root_is_ignored(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a)); /* 1 */
    assert_true(revoke("Ada", -1, b));                /* 2: Bob is the only root now */
    assert_true(enrol("Cid", c, 0, b));               /* 3 */
    assert_false(revoke("Bob", 1, b));
    assert_true(rotate("Bob", d, -1, b));
    /* Ada's past cannot be cut either: Bob owes his place to it, and she is revoked already. */
    assert_false(revoke("Ada", 0, d));
    assert_true(may(d, TUT_PERSON_ROOT, lg.size));
    assert_true(may(c, 0, lg.size));
}

static void a_sole_root_replaces_his_own_stolen_key(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));               /* 1 */
    assert_true(enrol("Eve", e, TUT_PERSON_ROOT, a)); /* 2: by a thief */
    assert_true(rotate("Ada", c, 2, a));              /* 3 */
    assert_true(may(a, TUT_PERSON_ROOT, 1));
    assert_false(may(a, 0, 2));
    assert_true(may(c, TUT_PERSON_ROOT, 3));
    assert_false(may(e, 0, 3));
    assert_true(may(b, 0, 3));
    assert_true(enrol("Dan", d, 0, c)); /* 4 */
    assert_true(may(d, 0, 4));
}

static void a_later_word_undoes_an_earlier_one_never_the_other_way(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a)); /* 1 */
    assert_true(enrol("Cid", c, TUT_PERSON_ROOT, a)); /* 2 */
    assert_true(enrol("Dan", d, TUT_PERSON_ROOT, a)); /* 3 */
    assert_true(revoke("Bob", 2, c));                 /* 4: a thief has Cid's key */
    assert_false(revoke("Cid", 3, b));                /* 5: Bob cannot, he is revoked */
    assert_problem("no longer in force");
    assert_true(revoke("Cid", 4, d)); /* 6 */
    assert_true(may(b, TUT_PERSON_ROOT, 6));
    assert_false(revoke("Dan", 6, b)); /* 7: Bob speaks only because 6 undid 4 */
    assert_problem("owes that to what it undoes");
    assert_true(may(b, TUT_PERSON_ROOT, 8));
    assert_true(enrol("Eve", e, 0, b)); /* 8 */
    assert_true(revoke("Dan", 6, a));   /* 9: undoes 6, so 4 holds again, and with it falls 8 */
    assert_false(may(b, TUT_PERSON_ROOT, 9));
    assert_true(may(b, TUT_PERSON_ROOT, 1));
    assert_true(may(c, TUT_PERSON_ROOT, 9));
    assert_false(may(e, 0, 9));
}

static void a_plain_revocation_by_a_thief_is_lifted_too(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));     /* 1 */
    assert_true(enrol("Cid", c, TUT_PERSON_APPROVER, a)); /* 2 */
    assert_true(revoke("Cid", -1, b));                    /* 3: by a thief of Bob's key */
    assert_true(enrol("Cid", d, TUT_PERSON_AUDITOR, b));  /* 4: his own Cid */
    assert_true(rotate("Cid", e, -1, a));                 /* 5: Ada believes in that Cid */
    assert_true(revoke("Bob", 3, a));                     /* 6 */
    assert_true(may(c, TUT_PERSON_APPROVER, 6));
    assert_false(may(d, 0, 4));
    assert_false(may(e, 0, 6));
    const tut_person *cid = tut_people_find(lg.people, TUT_LIT("Cid"));
    assert_true(cid->is_active);
    assert_int_equal(cid->roles, TUT_PERSON_APPROVER);
    assert_int_equal(cid->since, 2);
}

static void machine_keys_named_by_a_thief_fall(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));           /* 1 */
    assert_true(rotate_machine(TUT_PEOPLE_TOOL_ROTATED, c, b)); /* 2 */
    assert_false(tut_people_is_tool(lg.people, id(tool), 2));
    assert_true(revoke("Bob", 2, a)); /* 3 */
    assert_true(tut_people_is_tool(lg.people, id(tool), 2));
    assert_false(tut_people_is_tool(lg.people, id(c), 2));
}

/* --- approvals --- */

static const char *no_training(const void *training, const tut_person *person, uint64_t index)
{
    const char *whom = training;
    return index > 2 && strcmp(person->name, whom) == 0 ? "the training has lapsed" : NULL;
}

static void an_author_is_never_the_only_approver(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_APPROVER, a));
    tut_act act = {.roles = TUT_PERSON_APPROVER, .index = 2, .author = "bob", .is_approval = true};
    assert_string_equal(why(b, &act), "an author is never the only approver");
    assert_string_equal(why(a, &act), "");
    act.others = 1;
    assert_string_equal(why(b, &act), "");
    act.others = 0;
    act.is_approval = false;
    assert_string_equal(why(b, &act), "");
}

static void training_is_asked_where_the_act_wants_it(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, 0, a));
    tut_act act = {.index = 2, .lacks_training = no_training, .training = "Bob"};
    assert_string_equal(why(b, &act), "");
    act.index = 3;
    assert_string_equal(why(b, &act), "the training has lapsed");
    assert_string_equal(why(a, &act), "");
    const tut_person *who = NULL;
    assert_false(tut_people_may_sign(lg.people, id(b), &act, &who, NULL));
    assert_string_equal(who->name, "Bob");
}

/* --- the shape --- */

static void what_could_not_be_read_is_not_written(void **state)
{
    (void)state;
    tut_error err = {0};
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_record r = {.actor = "x"};
    tut_people_change ch = {
        .kind = TUT_PEOPLE_ENROLLED, .name = TUT_LIT("a/b"), .keys = {pub(c)}, .key_count = 1};
    assert_int_equal(tut_people_record(&ch, &arena, &r, &err).code, TUT_USAGE);
    assert_non_null(strstr(err.text, "without slashes"));
    ch.name = TUT_LIT("Cid");
    ch.kind = TUT_PEOPLE_REVOKED;
    assert_int_equal(tut_people_record(&ch, &arena, &r, &err).code, TUT_USAGE);
    ch.key_count = 0;
    assert_int_equal(tut_people_record(&ch, &arena, &r, &err).code, TUT_USAGE);
    tut_arena_done(&arena);
}

static void names_that_deceive_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     " a",   "a ",   "a\nb", "a\x1b[31m", "tool",
                                      "TOOL", "log",  "a/b",  "a\\b", ".a",        "-a",
                                      "\xff", "root", "none", "a\tb", "a\u202eb"};
    static const char *const good[] = {"Ada",   "Ada Lovelace", "Zoë Müller",
                                       "李 雷", "o'Brien",      "a.b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (tut_is_ok(tut_person_check_name(tut_str_of(bad[i]), NULL)))
            fail_msg("%s", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!tut_is_ok(tut_person_check_name(tut_str_of(good[i]), NULL)))
            fail_msg("%s", good[i]);
    char longest[TUT_PERSON_NAME_MAX + 2];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[TUT_PERSON_NAME_MAX + 1] = '\0';
    assert_false(tut_is_ok(tut_person_check_name(tut_str_of(longest), NULL)));
    longest[TUT_PERSON_NAME_MAX] = '\0';
    assert_true(tut_is_ok(tut_person_check_name(tut_str_of(longest), NULL)));
}

static void roles_have_their_words(void **state)
{
    (void)state;
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        assert_int_equal(tut_person_role(tut_str_of(tut_person_roles[i])), 1 << i);
    assert_int_equal(tut_person_role(TUT_LIT("king")), 0);
    assert_string_equal(tut_person_roles[7], "root");
}

static void a_change_can_be_tried_before_it_is_signed(void **state)
{
    (void)state;
    genesis("Ada", a);
    tut_error err = {0};
    const char *problem = "";
    tut_people_change ch = {
        .kind = TUT_PEOPLE_ENROLLED, .name = TUT_LIT("Bob"), .keys = {pub(b)}, .key_count = 1};
    must(tut_people_admit(lg.people, 1, 5, &ch, id(e), &problem, &err), &err);
    assert_non_null(strstr(problem, "not signed by anybody"));
    must(tut_people_admit(lg.people, 1, 5, &ch, id(a), &problem, &err), &err);
    assert_null(problem);
    assert_true(may(b, 0, 1));
}

static void running_out_of_memory_is_an_error_at_every_step(void **state)
{
    (void)state;
    genesis("Ada", a);
    assert_true(enrol("Bob", b, TUT_PERSON_ROOT, a));
    assert_true(enrol("Cid", c, 0, b));
    assert_true(revoke("Bob", 2, a));
    unsigned failures = 0;
    for (uint64_t n = 1; n < 2000; n++) {
        tut_people *p = NULL;
        tut_arena arena;
        tut_arena_init(&arena, 0);
        tut_alloc_fail_after(n);
        tut_status status = tut_people_new(&p, NULL);
        for (uint64_t i = 0; i < 4 && tut_is_ok(status); i++) {
            tut_entry entry = {0};
            status = tut_entry_parse(tut_buf_span(&lg.entries[i]), &arena, &entry, NULL);
            if (!tut_is_ok(status))
                break;
            const char *problem = NULL;
            status = tut_people_apply(p, i, &entry, &problem, NULL);
            assert_null(problem);
            tut_entry_done(&entry);
        }
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            assert_int_equal(p->problem_total, 0);
            assert_int_equal(p->count, 3);
        }
        tut_people_free(p);
        tut_arena_done(&arena);
        if (tut_is_ok(status))
            break;
        assert_int_equal(status.code, TUT_NOMEM);
        failures++;
    }
    assert_true(failures > 50);
    assert_true(failures < 1990);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(genesis_names_machines_and_roots),
        CASE(a_second_genesis_changes_nothing),
        CASE(without_a_genesis_nothing_counts),
        CASE(a_genesis_whose_root_is_a_machine_is_void),
        CASE(the_first_root_counts_once),
        CASE(a_first_root_signed_by_another_key_does_not_count),
        CASE(a_genesis_with_roots_takes_no_first_root),
        CASE(a_root_enrols_and_roles_are_asked),
        CASE(nobody_but_a_root_enrols),
        CASE(one_of_several_signatures_is_enough),
        CASE(a_broken_signature_is_none),
        CASE(names_are_unique_whatever_their_case),
        CASE(a_key_belongs_to_one),
        CASE(another_logs_events_do_not_count),
        CASE(an_envelope_counts_once),
        CASE(shapes_that_are_not_known_change_nothing),
        CASE(ones_own_old_key_rotates),
        CASE(another_persons_key_does_not_rotate),
        CASE(ones_own_key_does_not_disown_the_past),
        CASE(machines_are_rotated_by_roots),
        CASE(a_revoked_key_counts_until_then),
        CASE(after_a_compromise_it_counts_until_earlier),
        CASE(a_revocation_of_the_future_does_not_count),
        CASE(the_last_root_stays),
        CASE(a_revoked_root_enrols_nobody),
        CASE(whoever_comes_back_has_the_new_roles_only_from_then),
        CASE(a_thiefs_enrolments_fall_with_his_key),
        CASE(a_thiefs_revocations_are_lifted),
        CASE(rotations_by_a_thief_fall_and_the_old_key_holds),
        CASE(whoever_owes_his_place_to_a_key_cannot_undo_it),
        CASE(a_reach_that_leaves_no_root_is_ignored),
        CASE(a_sole_root_replaces_his_own_stolen_key),
        CASE(a_later_word_undoes_an_earlier_one_never_the_other_way),
        CASE(a_plain_revocation_by_a_thief_is_lifted_too),
        CASE(machine_keys_named_by_a_thief_fall),
        CASE(an_author_is_never_the_only_approver),
        CASE(training_is_asked_where_the_act_wants_it),
        CASE(what_could_not_be_read_is_not_written),
        CASE(names_that_deceive_are_refused),
        CASE(roles_have_their_words),
        CASE(a_change_can_be_tried_before_it_is_signed),
        CASE(running_out_of_memory_is_an_error_at_every_step),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
