/* Gates: what tutela.yaml may say of them, who can stand for which roles, what an override is, and
 * what a system card says against the description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/design.h"
#include "govern/documents.h"
#include "govern/gate.h"
#include "ledger/people.h"

#define HEAD "schema: tutela.system/1\nsystem:\n  name: n\n  version: \"1\"\n  purpose: p\n"

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

static void assert_refused(const char *yaml, const char *says)
{
    TUT_AUTO(tut_system) system = parse(yaml);
    tut_gates gates;
    tut_error err = {0};
    assert_false(tut_is_ok(tut_gates_read(system, &gates, NULL, &err)));
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

/* --- policy --- */

static void six_gates_are_built_in(void **s)
{
    (void)s;
    TUT_AUTO(tut_system) system = parse("");
    tut_gates gates;
    assert_true(tut_is_ok(tut_gates_read(system, &gates, NULL, NULL)));
    assert_int_equal(gates.count, 6);
    const tut_gate *release = tut_gates_find(&gates, TUT_LIT("release"));
    assert_non_null(release);
    assert_true(release->wants_by_default);
    assert_false(release->is_configured);
    assert_int_equal(release->after.count, 2);
    assert_int_equal(release->demand[0], 1); /* a developer */
    bool has_tests = false;
    for (size_t i = 0; i < release->want_count; i++)
        has_tests = has_tests || tut_str_eq_z(release->wants[i].clause, "5.2.5-1");
    assert_true(has_tests);
    for (size_t i = 0; i < gates.count; i++)
        assert_true(gates.items[i].want_count > 0);
}

static void no_built_in_gate_waits_for_itself(void **s)
{
    (void)s;
    TUT_AUTO(tut_system) system = parse("");
    tut_gates gates;
    assert_true(tut_is_ok(tut_gates_read(system, &gates, NULL, NULL)));
    const tut_gate *change = tut_gates_find(&gates, TUT_LIT("change"));
    for (size_t i = 0; i < change->want_count; i++)
        assert_false(tut_str_eq_z(change->wants[i].clause, "5.4.1-2"));
}

static void a_section_changes_only_what_it_says(void **s)
{
    (void)s;
    TUT_AUTO(tut_system)
    system = parse("gates:\n  - name: release\n    after: []\n"
                   "    signature_days: 7\n    findings: none\n"
                   "  - name: mine\n    wants:\n      - check: scan.content\n"
                   "        kinds: [model, dataset]\n        max_age_days: 3\n"
                   "    signers:\n      - role: tester\n        count: 2\n");
    tut_gates gates;
    tut_error err = {0};
    if (!tut_is_ok(tut_gates_read(system, &gates, NULL, &err)))
        fail_msg("%s", err.text);
    assert_int_equal(gates.count, 7);
    const tut_gate *release = tut_gates_find(&gates, TUT_LIT("release"));
    assert_true(release->is_configured && release->wants_by_default && !release->has_findings);
    assert_int_equal(release->after.count, 0);
    assert_int_equal(release->signature_days, 7);
    assert_true(release->want_count > 5);
    const tut_gate *mine = tut_gates_find(&gates, TUT_LIT("mine"));
    assert_false(mine->wants_by_default);
    assert_int_equal(mine->wants[0].max_age_days, 3);
    assert_int_equal(mine->wants[0].kinds, 1u << TUT_KIND_MODEL | 1u << TUT_KIND_DATASET);
    assert_int_equal(mine->signature_days, TUT_GATE_SIGNATURE_DAYS);
    uint32_t signers = 0;
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        signers += mine->demand[i];
    assert_int_equal(signers, 2);
}

static void what_makes_no_sense_is_refused(void **s)
{
    (void)s;
    assert_refused("gates:\n  - name: a\n    wants: []\n", "wants nothing");
    assert_refused("gates:\n  - name: Up\n    wants: [{check: scan.content}]\n", "name of its own");
    assert_refused("gates:\n  - name: a\n    wants: [{check: scan.content}]\n  - name: a\n"
                   "    wants: [{check: scan.content}]\n",
                   "name of its own");
    assert_refused("gates:\n  - name: a\n    wants: [{}]\n", "either a check or a clause");
    assert_refused("gates:\n  - name: a\n    after: [b]\n    wants: [{check: scan.content}]\n"
                   "  - name: b\n    after: [a]\n    wants: [{check: scan.content}]\n",
                   "wait for itself");
    assert_refused("gates:\n  - name: a\n    wants: [{check: scan.content}]\n"
                   "    signers: [{role: developer, count: 0}]\n",
                   "1 to 9");
    assert_refused("gates: {}\n", "gates");
}

/* --- people --- */

static bool fills(const uint32_t *roles, size_t people, uint32_t developers, uint32_t operators,
                  uint32_t custodians)
{
    uint32_t demand[TUT_PERSON_ROLE_COUNT] = {developers, operators, custodians};
    return tut_people_fill(roles, people, demand);
}

static void nobody_is_counted_for_two(void **s)
{
    (void)s;
    enum { D = TUT_PERSON_DEVELOPER, O = TUT_PERSON_OPERATOR, C = TUT_PERSON_CUSTODIAN };
    const uint32_t both[] = {D | O};
    const uint32_t pair[] = {D | O, O};
    const uint32_t three[] = {D | O, O | C, C | D};
    const uint32_t cross[] = {D, D | O, D | C};
    assert_true(fills(NULL, 0, 0, 0, 0));
    assert_false(fills(NULL, 0, 1, 0, 0));
    assert_true(fills(both, 1, 1, 0, 0));
    assert_false(fills(both, 1, 1, 1, 0));
    assert_true(fills(pair, 2, 1, 1, 0));
    assert_false(fills(pair, 2, 2, 0, 0));
    assert_true(fills(three, 3, 1, 1, 1));
    assert_true(fills(cross, 3, 1, 1, 1));
    assert_false(fills(cross, 3, 2, 1, 1));
}

/* --- overrides --- */

static void all_of_an_override_is_in_its_id(void **s)
{
    (void)s;
    tut_sha256 one = {{1}}, two = {{2}}, id, other;
    assert_true(tut_is_ok(tut_override_id("go", &one, 1000, "because", &id, NULL)));
    assert_true(tut_is_ok(tut_override_id("go", &one, 1000, "because", &other, NULL)));
    assert_true(tut_sha256_eq(&id, &other));
    assert_true(tut_is_ok(tut_override_id("stop", &one, 1000, "because", &other, NULL)));
    assert_false(tut_sha256_eq(&id, &other));
    assert_true(tut_is_ok(tut_override_id("go", &two, 1000, "because", &other, NULL)));
    assert_false(tut_sha256_eq(&id, &other));
    assert_true(tut_is_ok(tut_override_id("go", &one, 1001, "because", &other, NULL)));
    assert_false(tut_sha256_eq(&id, &other));
    assert_true(tut_is_ok(tut_override_id("go", &one, 1000, "because!", &other, NULL)));
    assert_false(tut_sha256_eq(&id, &other));
}

typedef struct said { /* an override's record by one person */
    const char *name;
    uint32_t roles;
    bool counts;
    const char *doubt, *statement;
} said;

static size_t count_in(const said *who, size_t count, tut_time at, const tut_sha256 *description,
                       tut_override_state *ret_state)
{
    static const char reason[] = "it cannot wait";
    tut_sha256 of = {{7}};
    tut_record items[4];
    tut_subject subjects[4][2];
    tut_record_signer signers[4];
    tut_override *list = NULL;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        subjects[i][0].name = "gate/go";
        subjects[i][1] = (tut_subject){.name = "tutela.yaml", .digest = of};
        assert_true(
            tut_is_ok(tut_override_id("go", &of, 5000, reason, &subjects[i][0].digest, NULL)));
        signers[i] = (tut_record_signer){
            .key_id = "k", .name = who[i].name, .roles = who[i].roles, .counts = who[i].counts};
        items[i] = (tut_record){.index = i,
                                .type = TUT_RECORD_EVIDENCE,
                                .check = "gate.override/1",
                                .subjects = subjects[i],
                                .subject_count = 2,
                                .expires = 5000,
                                .statement = who[i].statement ? who[i].statement : reason,
                                .doubt = who[i].doubt,
                                .signers = &signers[i],
                                .signer_count = 1};
    }
    const tut_records records = {.items = items, .count = count};
    assert_true(tut_is_ok(tut_overrides_find(&records, at, description, &list, &found, NULL)));
    if (found)
        *ret_state = list[0].state;
    tut_free(list);
    return found;
}

static void an_override_stands_on_two_people_in_two_roles(void **s)
{
    (void)s;
    const tut_sha256 this = {{7}}, that = {{8}};
    tut_override_state state;
    const said one[] = {{"Ada", TUT_PERSON_DEVELOPER, true, NULL, NULL}};
    const said twice[] = {{"Ada", TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR, true, NULL, NULL},
                          {"Ada", TUT_PERSON_OPERATOR, true, NULL, NULL}};
    const said same[] = {{"Ada", TUT_PERSON_DEVELOPER, true, NULL, NULL},
                         {"Bob", TUT_PERSON_DEVELOPER, true, NULL, NULL}};
    const said root[] = {{"Ada", TUT_PERSON_DEVELOPER, true, NULL, NULL},
                         {"Bob", TUT_PERSON_ROOT, true, NULL, NULL}};
    const said void_[] = {{"Ada", TUT_PERSON_DEVELOPER, false, NULL, NULL},
                          {"Bob", TUT_PERSON_OPERATOR, true, "stolen", NULL}};
    const said good[] = {{"Ada", TUT_PERSON_DEVELOPER, true, NULL, NULL},
                         {"Bob", TUT_PERSON_OPERATOR, true, NULL, NULL}};
    const said other[] = {{"Ada", TUT_PERSON_DEVELOPER, true, NULL, NULL},
                          {"Bob", TUT_PERSON_OPERATOR, true, NULL, "something else"}};
    assert_int_equal(count_in(one, 1, 100, &this, &state), 1);
    assert_int_equal(state, TUT_OVERRIDE_WAITING);
    (void)count_in(twice, 2, 100, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_WAITING);
    (void)count_in(same, 2, 100, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_WAITING);
    (void)count_in(root, 2, 100, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_WAITING);
    (void)count_in(void_, 2, 100, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_VOID);
    (void)count_in(good, 2, 100, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_IN_FORCE);
    (void)count_in(good, 2, 5000, &this, &state);
    assert_int_equal(state, TUT_OVERRIDE_LAPSED);
    (void)count_in(good, 2, 100, &that, &state);
    assert_int_equal(state, TUT_OVERRIDE_OTHER);
    (void)count_in(good, 2, 100, NULL, &state);
    assert_int_equal(state, TUT_OVERRIDE_OTHER);
    assert_int_equal(count_in(other, 2, 100, &this, &state), 1); /* it says not what its id is of */
    assert_int_equal(state, TUT_OVERRIDE_WAITING);
}

/* --- documents --- */

#define ASSETS                                                                                     \
    "assets:\n  - id: model/a\n    path: a.onnx\n  - id: dataset/b\n    path: b.csv\n"             \
    "  - id: prompt/c\n    path: c.txt\n"

static void assert_card(const char *text, const char *says)
{
    TUT_AUTO(tut_system) system = parse(ASSETS);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_card_compare(system, tut_str_of(text), &out, NULL)));
    const char *words = tut_buf_z(&out);
    assert_non_null(words);
    if (says[0] ? !strstr(words, says) : words[0])
        fail_msg("\"%s\" says \"%s\"", text, words);
}

static void a_card_names_what_is_there_and_all_of_it(void **s)
{
    (void)s;
    assert_card("model/a, trained on dataset/b.", "");
    assert_card("(model/a) `dataset/b` prompt/c prompt/none", "");
    assert_card("model/a", "does not name dataset/b");
    assert_card("model/a dataset/b dataset/gone", "not declared: dataset/gone");
    assert_card("model/a-2 dataset/b", "does not name model/a");
    assert_card("", "does not name model/a; it does not name dataset/b");
    assert_card("model/a\n\xff dataset/b \x01", "");
}

static void assert_design(const char *yaml, const char *says)
{
    TUT_AUTO(tut_system) system = parse(yaml);
    tut_design d;
    tut_error err = {0};
    assert_false(tut_is_ok(tut_design_read(system, &d, NULL, &err)));
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void the_section_design(void **s)
{
    (void)s;
    TUT_AUTO(tut_system) none = parse("");
    TUT_AUTO(tut_system)
    some = parse("design:\n  record: r.md\n  documents: [a.md, b.md, r.md]\n"
                 "  card: c.md\n  use_ceiling: internal\n");
    tut_design d;
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    assert_true(tut_is_ok(tut_design_read(none, &d, NULL, NULL)));
    assert_false(d.is_there);
    assert_int_equal(tut_design_documents(&d, paths), 0);
    assert_true(tut_is_ok(tut_design_read(some, &d, NULL, NULL)));
    assert_int_equal(tut_design_documents(&d, paths), 4);
    assert_int_equal(tut_design_of_check(&d, TUT_LIT("gate.design-record"), paths), 1);
    /* no maintenance plan: half of the documentation is none */
    assert_int_equal(tut_design_of_check(&d, TUT_LIT("gate.design-documents"), paths), 0);
    assert_int_equal(tut_design_of_check(&d, TUT_LIT("scan.content"), paths), 0);
    assert_design("design:\n  record: ../r.md\n", "below the folder");
    assert_design("design:\n  documents: [/etc/passwd]\n", "below the folder");
    assert_design("design:\n  use_ceiling: secret\n", "use_ceiling");
    assert_design("design:\n  custodian: [{control: x}]\n", "either a check or a clause");
    assert_design("design:\n  recrod: x\n", "did you mean");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_gates_are_built_in),
        cmocka_unit_test(no_built_in_gate_waits_for_itself),
        cmocka_unit_test(a_section_changes_only_what_it_says),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(nobody_is_counted_for_two),
        cmocka_unit_test(all_of_an_override_is_in_its_id),
        cmocka_unit_test(an_override_stands_on_two_people_in_two_roles),
        cmocka_unit_test(a_card_names_what_is_there_and_all_of_it),
        cmocka_unit_test(the_section_design),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
