/* The table of rules: every row can be found, read, and traced to the standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "scan/rule.h"
#include "scan/rule_doc.h"

static bool is_kebab(const char *text)
{
    bool is_start = true;
    for (; *text; text++) {
        bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9');
        if (!is_plain && (*text != '-' || is_start))
            return false;
        is_start = *text == '-';
    }
    return !is_start;
}

static void ids_are_a_family_and_kebab_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < tut_rule_count(); i++) {
        const char *id = tut_rule_at(i)->id;
        const char *dot = strchr(id, '.');
        assert_non_null(dot);
        TUT_AUTO_FREE char *family = tut_strndup(id, (size_t)(dot - id));
        assert_non_null(family);
        if (!is_kebab(family) || !is_kebab(dot + 1))
            fail_msg("%s is not family.kebab-words", id);
    }
}

static void ids_are_unique_and_in_order(void **state)
{
    (void)state;
    assert_true(tut_rule_count() > 20);
    for (size_t i = 1; i < tut_rule_count(); i++) {
        if (strcmp(tut_rule_at(i - 1)->id, tut_rule_at(i)->id) >= 0)
            fail_msg("%s does not come before %s", tut_rule_at(i - 1)->id, tut_rule_at(i)->id);
    }
    assert_null(tut_rule_at(tut_rule_count()));
}

static void every_id_is_found_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < tut_rule_count(); i++)
        assert_ptr_equal(tut_rule_find(tut_str_of(tut_rule_at(i)->id)), tut_rule_at(i));
    assert_null(tut_rule_find(TUT_LIT("")));
    assert_null(tut_rule_find(TUT_LIT("pickle.call-on-loa")));
    assert_null(tut_rule_find(TUT_LIT("pickle.call-on-load2")));
}

static void texts_are_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < tut_rule_count(); i++) {
        const tut_rule *r = tut_rule_at(i);
        size_t title = strlen(r->title);
        if (title < 5 || title > 90 || strchr(".!?", r->title[title - 1]))
            fail_msg("%s: the title is no headline: \"%s\"", r->id, r->title);
        const char *const sentences[] = {r->why, r->fix};
        for (size_t k = 0; k < 2; k++) {
            size_t len = strlen(sentences[k]);
            if (len < 10 || sentences[k][len - 1] != '.' || strchr(sentences[k], '\n') ||
                strstr(sentences[k], "  "))
                fail_msg("%s: no sentence: \"%s\"", r->id, sentences[k]);
        }
    }
}

/* Calls check for each word of a list that single spaces separate. */
static void each_word(const tut_rule *r, const char *list, bool (*check)(tut_str word))
{
    while (*list) {
        size_t len = strcspn(list, " ");
        if (len == 0 || !check((tut_str){list, len}))
            fail_msg("%s: \"%s\" is wrong from here on", r->id, list);
        list += len;
        if (*list == ' ' && list[1] == '\0')
            fail_msg("%s: a list ends in a space", r->id);
        list += *list == ' ';
    }
}

static bool is_digits(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return s.len > 0;
}

static bool is_threat(tut_str word)
{
    if (!tut_str_starts(word, TUT_LIT("AML.T")) || (word.len != 9 && word.len != 13))
        return false;
    bool has_sub = word.len == 13;
    return is_digits((tut_str){word.data + 5, 4}) &&
           (!has_sub || (word.data[9] == '.' && is_digits((tut_str){word.data + 10, 3})));
}

static bool is_reference(tut_str word)
{
    return tut_str_starts(word, TUT_LIT("CWE-")) || tut_str_starts(word, TUT_LIT("CVE-")) ||
           tut_str_starts(word, TUT_LIT("GHSA-"));
}

static void threats_and_references_are_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < tut_rule_count(); i++) {
        each_word(tut_rule_at(i), tut_rule_at(i)->threats, is_threat);
        each_word(tut_rule_at(i), tut_rule_at(i)->references, is_reference);
    }
}

static const tut_json_value *catalogue;

static bool is_clause(tut_str word)
{
    for (uint32_t i = 0; i < tut_json_count(catalogue); i++) {
        if (tut_str_eq(tut_json_get_text(tut_json_item(catalogue, i), "id"), word))
            return true;
    }
    return false;
}

static void every_rule_speaks_to_clauses_that_exist(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error err = {0};
    assert_true(
        tut_is_ok(tut_fs_read("catalogue/catalogue.json", TUT_LIMIT_JSON_BYTES, &text, &err)));
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, &err)));
    catalogue = tut_json_root(doc);
    if (catalogue->type == TUT_JSON_OBJECT)
        catalogue = tut_json_get(catalogue, "provisions");
    assert_int_equal(tut_json_count(catalogue), 72);
    for (size_t i = 0; i < tut_rule_count(); i++) {
        assert_true(tut_rule_at(i)->clauses[0] != '\0');
        each_word(tut_rule_at(i), tut_rule_at(i)->clauses, is_clause);
    }
}

static void digest_is_stable_within_a_build(void **state)
{
    (void)state;
    uint8_t once[32], again[32], none[32] = {0};
    assert_true(tut_is_ok(tut_rules_digest(once, NULL)));
    assert_true(tut_is_ok(tut_rules_digest(again, NULL)));
    assert_memory_equal(once, again, 32);
    assert_memory_not_equal(once, none, 32);
}

static void verdict_words_follow_severity(void **state)
{
    (void)state;
    assert_string_equal(tut_verdict_name(tut_verdict_of(TUT_SEVERITY_CRITICAL)), "malicious");
    assert_string_equal(tut_verdict_name(tut_verdict_of(TUT_SEVERITY_HIGH)), "dangerous");
    assert_string_equal(tut_verdict_name(tut_verdict_of(TUT_SEVERITY_MEDIUM)), "review");
    assert_string_equal(tut_verdict_name(tut_verdict_of(TUT_SEVERITY_LOW)), "clean");
    assert_string_equal(tut_verdict_name(tut_verdict_of(TUT_SEVERITY_INFO)), "clean");
    tut_severity s;
    for (int i = 0; i < TUT_SEVERITY_COUNT; i++) {
        assert_true(tut_severity_parse(tut_str_of(tut_severity_name((tut_severity)i)), &s));
        assert_int_equal(s, i);
    }
    assert_false(tut_severity_parse(TUT_LIT("High"), &s));
}

static void the_document_is_the_table(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) made = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) kept = TUT_BUF_INIT;
    tut_error err = {0};
    tut_rules_markdown(&made);
    assert_true(tut_is_ok(tut_buf_check(&made, NULL)));
    bool is_read = tut_is_ok(tut_fs_read("docs/rules.md", 4u << 20, &kept, &err));
    if (!is_read || !tut_str_eq(tut_buf_str(&made), tut_buf_str(&kept)))
        fail_msg("docs/rules.md is out of date; write it anew with\n"
                 "    tutela explain rules --format markdown > docs/rules.md");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_a_family_and_kebab_words),
        cmocka_unit_test(ids_are_unique_and_in_order),
        cmocka_unit_test(every_id_is_found_and_no_other),
        cmocka_unit_test(texts_are_sentences),
        cmocka_unit_test(threats_and_references_are_ids),
        cmocka_unit_test(every_rule_speaks_to_clauses_that_exist),
        cmocka_unit_test(digest_is_stable_within_a_build),
        cmocka_unit_test(verdict_words_follow_severity),
        cmocka_unit_test(the_document_is_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
