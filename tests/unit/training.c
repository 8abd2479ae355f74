/* Modules of training: read, carried through the cage, drawn from, graded, shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "govern/training_git.h"
#include "govern/training_view.h"
#include "memcheck.h"

#define FRONT                                                                                      \
    "---\nid: odd-input\ntitle: Odd input\nversion: 3\nreviewed: 2026-11-20\nreview_days: 100\n"   \
    "minutes: 12\nabout: threat\nfor: [developer, operator]\natlas: [AML.T0015, AML.T0043.004]\n"  \
    "atlas_version: 5.6.0\nclauses: [5.1.1-1]\npass: 0.75\ndraw: 3\n---\n"
#define TEXT                                                                                       \
    "# Odd input\n\nSome *text* over\ntwo lines, with `code` and a [link](https://x.example/).\n"  \
    "\n- first\n- second\n  goes on\n  - deeper\n1. one\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n"    \
    "```\ncode | here\n\n```\n> said by\n> somebody\n\n<!-- not shown -->\n## More\n\nEnd.\n\n"
#define QUESTIONS                                                                                  \
    "## Questions\n\n### One?\n- [ ] wrong\n- [x] right\n> Why: it is.\n> And more.\n\n"           \
    "### Two?\nWhat is wrong here?\n\n```\n- [ ] no answer\n```\n\n- [x] right\n- [ ] wrong\n"     \
    "  over two lines\n- [x] right too\n\n### Three?\n- [x] yes\n- [ ] no\n\n### Four?\n"          \
    "- [ ] no\n- [ ] neither\n- [X] yes\n"
static const char *const whole = FRONT TEXT QUESTIONS;

static tut_training_module *parse(const char *text)
{
    tut_training_module *m = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_training_module_parse("m.md", tut_str_of(text), &m, &err)))
        fail_msg("%s: %s", err.path, err.text);
    return m;
}

static void assert_str(tut_str s, const char *z)
{
    if (!tut_str_eq_z(s, z))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, s.data, z);
}

/* --- reading --- */

static void a_module_is_read_with_all_its_parts(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) m = parse(whole);
    assert_str(m->id, "odd-input");
    assert_int_equal(m->version, 3);
    assert_int_equal(m->roles, TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR);
    assert_int_equal(m->atlas.count, 2);
    assert_true(m->about == TUT_TRAINING_THREAT && m->draw == 3 && m->pass == 0.75);
    assert_true(tut_training_review_due(m) == m->reviewed + (tut_time)100 * TUT_DAY_SECONDS);
    static const struct {
        tut_block_type type;
        uint32_t level, number;
        const char *text;
    } blocks[] = {
        {TUT_BLOCK_HEADING, 1, 0, "Odd input"},
        {TUT_BLOCK_PARAGRAPH, 0, 0,
         "Some *text* over\ntwo lines, with `code` and a [link](https://x.example/)."},
        {TUT_BLOCK_ITEM, 1, 0, "first"},
        {TUT_BLOCK_ITEM, 1, 0, "second\n  goes on"},
        {TUT_BLOCK_ITEM, 2, 0, "deeper"},
        {TUT_BLOCK_ITEM, 1, 1, "one"},
        {TUT_BLOCK_TABLE, 0, 0, "| a | b |\n| - | - |\n| 1 | 2 |"},
        {TUT_BLOCK_CODE, 0, 0, "code | here\n"},
        {TUT_BLOCK_QUOTE, 0, 0, "> said by\n> somebody"},
        {TUT_BLOCK_HEADING, 2, 0, "More"},
        {TUT_BLOCK_PARAGRAPH, 0, 0, "End."},
    };
    assert_int_equal(m->text_blocks, sizeof(blocks) / sizeof(blocks[0]));
    for (size_t i = 0; i < m->text_blocks; i++) {
        assert_int_equal(m->blocks[i].type, blocks[i].type);
        assert_int_equal(m->blocks[i].level, blocks[i].level);
        assert_int_equal(m->blocks[i].number, blocks[i].number);
        assert_str(m->blocks[i].text, blocks[i].text);
    }
    assert_int_equal(m->question_count, 4);
    assert_str(m->questions[0].why, "it is.\n> And more.");
    assert_int_equal(m->questions[1].block_count, 2);
    assert_int_equal(m->questions[1].answer_count, 3);
    assert_int_equal(m->questions[1].right_count, 2);
    assert_str(m->questions[1].answers[1].text, "wrong\n  over two lines");
}

static void the_digest_is_of_what_is_below_the_front_matter(void **state)
{
    (void)state;
    tut_sha256 digest;
    TUT_AUTO(tut_training_module) m = parse(whole);
    assert_true(tut_is_ok(
        tut_sha256_of(tut_span_of(TEXT QUESTIONS, sizeof(TEXT QUESTIONS) - 1), &digest, NULL)));
    assert_true(tut_sha256_eq(&digest, &m->digest));
}

static const struct {
    const char *piece, *by; /* of the whole, and what stands there instead */
    const char *where, *what;
} flaws[] = {
    {"---\nid", "id", "m.md:1", "no line \"---\""},
    {"draw: 3\n---\n", "draw: 3\n", "m.md:1", "does not end"},
    {"id: odd-input", "id: Odd", "m.md:2", "id is a name"},
    {"id: odd-input\n", "", "m.md:2:1", "does not say id"},
    {"version: 3", "version: three", "m.md:4:10", "whole number"},
    {"version: 3", "version: 0", "m.md:2", "version is"},
    {"reviewed: 2026-11-20", "reviewed: soon", "m.md:5:11", "must be a date"},
    {"about: threat", "about: treat", "m.md:8:8", "did you mean \"threat\""},
    {"[developer, operator]", "[developers]", "m.md:9:6", "is no role"},
    {"AML.T0043.004", "T0043", "m.md:2", "atlas is a list"},
    {"atlas_version: 5.6.0", "atlas_version: five", "m.md:2", "atlas_version"},
    {"pass: 0.75", "pass: 75", "m.md:2", "pass is"},
    {"draw: 3", "draw: 5", "m.md:2", "draw is"},
    {"minutes: 12", "minuts: 12", "m.md:7:1", "did you mean \"minutes\""},
    {"## Questions", "## Question", "m.md:70", "no section"},
    {"\n```\n> said", "\n> said", "m.md:55", "no end"},
    {" -->\n", "\n", "m.md:38", "no end"},
    {"### Three?\n- [x] yes\n", "### Three?\n", "m.md:63", "at least two answers"},
    {"- [x] right\n> Why", "- [ ] right\n> Why", "m.md:45", "a right answer"},
    {"- [ ] no\n- [ ] neither", "- [x] no\n- [x] neither", "m.md:67", "a right answer"},
    {"> And more.\n", "> And more.\nText.\n", "m.md:50", "no part of a question"},
};

static void a_flaw_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
        char text[4096];
        const char *at = strstr(whole, flaws[i].piece);
        tut_training_module *m = NULL;
        tut_error err = {0};
        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, flaws[i].by,
                 at + strlen(flaws[i].piece));
        assert_int_equal(tut_training_module_parse("m.md", tut_str_of(text), &m, &err).code,
                         TUT_MALFORMED);
        if (strcmp(err.path, flaws[i].where) != 0 || !strstr(err.text, flaws[i].what))
            fail_msg("%zu: %s: %s", i, err.path, err.text);
    }
}

static void what_is_no_text_or_too_large_is_refused(void **state)
{
    (void)state;
    tut_training_module *m = NULL;
    TUT_CLEAN(tut_buf) large = TUT_BUF_INIT;
    static const char latin[] = "---\nid: \xe9\n---\n", nul[] = "---\nid: a\0b\n---\n";
    tut_buf_add_z(&large, whole);
    while (large.len <= TUT_TRAINING_BYTES)
        tut_buf_add_z(&large, "a long line that goes on and on and on and says nothing new ever\n");
    assert_int_equal(tut_training_module_parse("m", tut_buf_str(&large), &m, NULL).code,
                     TUT_MALFORMED);
    assert_int_equal(
        tut_training_module_parse("m", (tut_str){latin, sizeof(latin) - 1}, &m, NULL).code,
        TUT_MALFORMED);
    assert_int_equal(tut_training_module_parse("m", (tut_str){nul, sizeof(nul) - 1}, &m, NULL).code,
                     TUT_MALFORMED);
}

static void every_cut_and_every_flipped_bit_is_told_or_read(void **state)
{
    (void)state;
    size_t len = strlen(whole);
    TUT_AUTO_FREE char *copy = tut_strdup(whole);
    assert_non_null(copy);
    for (size_t i = 0; i < len; i += memcheck_step(23)) {
        TUT_AUTO(tut_training_module) m = NULL;
        tut_error err = {0};
        if (!tut_is_ok(tut_training_module_parse("m", (tut_str){whole, i}, &m, &err)))
            assert_true(err.text[0] != '\0');
    }
    for (size_t i = 0; i < len * 8; i += memcheck_step(97)) {
        TUT_AUTO(tut_training_module) m = NULL;
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        tut_error err = {0};
        if (!tut_is_ok(tut_training_module_parse("m", (tut_str){copy, len}, &m, &err)))
            assert_true(err.text[0] != '\0');
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
    }
}

static void memory_that_runs_out_is_an_ordinary_error(void **state)
{
    (void)state;
    bool has_passed = false;
    for (uint64_t n = 1; !has_passed; n++) {
        TUT_AUTO(tut_training_module) m = NULL, *again = NULL;
        TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
        uint64_t before = tut_alloc_failures();
        assert_true(n < 2000);
        tut_alloc_fail_after(n);
        tut_status status = tut_training_module_parse("m", tut_str_of(whole), &m, NULL);
        if (tut_is_ok(status))
            status = tut_training_module_encode(m, &reply, NULL);
        if (tut_is_ok(status))
            status = tut_training_module_decode("m", tut_str_of(whole), tut_buf_span(&reply),
                                                &again, NULL);
        tut_alloc_fail_after(0);
        has_passed = tut_alloc_failures() == before;
        if (has_passed)
            assert_true(tut_is_ok(status));
    }
}

/* --- through the cage --- */

static void a_module_through_the_cage_is_the_same(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) here = parse(whole);
    TUT_AUTO(tut_training_module) caged = NULL;
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) other = TUT_BUF_INIT;
    tut_error err = {0};
    const tut_training_file file = {"m.md", tut_str_of(whole)};
    if (!tut_is_ok(tut_training_modules_parse(&file, 1, &caged, &err)))
        fail_msg("%s", err.text);
    assert_true(tut_is_ok(tut_training_module_encode(here, &one, NULL)));
    assert_true(tut_is_ok(tut_training_module_encode(caged, &other, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&one), tut_buf_str(&other)));
    assert_true(tut_sha256_eq(&here->digest, &caged->digest));
}

static void a_flaw_through_the_cage_keeps_its_line(void **state)
{
    (void)state;
    tut_training_module *m[3] = {NULL};
    tut_error err = {0};
    const tut_training_file files[] = {{"own/a.md", tut_str_of(whole)},
                                       {"own/m.md", TUT_LIT(FRONT TEXT)},
                                       {"own/z.md", TUT_LIT("")}};
    assert_int_equal(tut_training_modules_parse(files, 3, m, &err).code, TUT_MALFORMED);
    assert_true(strncmp(err.path, "own/m.md:", 9) == 0 && strstr(err.text, "no section"));
    assert_null(m[0]);
}

static void a_hostile_worker_makes_no_module(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) m = parse(whole);
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_training_module_encode(m, &reply, NULL)));
    for (size_t i = 0; i < reply.len; i += memcheck_step(7)) { /* cut */
        tut_training_module *cut = NULL;
        assert_int_equal(tut_training_module_decode("m", tut_str_of(whole),
                                                    tut_span_of(reply.data, i), &cut, NULL)
                             .code,
                         TUT_MALFORMED);
    }
    for (size_t i = 0; i < reply.len; i += memcheck_step(7)) { /* altered: refused, or sound */
        TUT_AUTO(tut_training_module) altered = NULL;
        reply.data[i] ^= 0xff;
        if (tut_is_ok(tut_training_module_decode("m", tut_str_of(whole), tut_buf_span(&reply),
                                                 &altered, NULL))) {
            TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
            const tut_term term = {.width = 60};
            tut_training_text(altered, &term, &out);
            tut_training_page(altered, NULL, NULL, &out);
        }
        reply.data[i] ^= 0xff;
    }
}

/* --- exams --- */

static void the_same_seed_draws_the_same(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) m = parse(whole);
    static tut_quiz a, b;
    bool differs = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        tut_quiz_draw(m, seed, &a);
        tut_quiz_draw(m, seed, &b);
        assert_int_equal(a.count, 3);
        for (size_t i = 0; i < a.count; i++) {
            uint32_t seen = 0;
            assert_ptr_equal(a.asked[i].question, b.asked[i].question);
            assert_memory_equal(a.asked[i].order, b.asked[i].order, TUT_TRAINING_ANSWERS);
            for (size_t k = 0; k < a.asked[i].question->answer_count; k++)
                seen |= 1u << a.asked[i].order[k];
            assert_int_equal(seen, (1u << a.asked[i].question->answer_count) - 1);
            for (size_t k = 0; k < i; k++)
                assert_ptr_not_equal(a.asked[k].question, a.asked[i].question);
        }
        tut_quiz_draw(m, seed + 1000, &b);
        differs = differs || a.asked[0].question != b.asked[0].question;
    }
    assert_true(differs);
}

/* The sheet on which everything is right. */
static void write_right(const tut_quiz *e, tut_buf *out)
{
    for (size_t i = 0; i < e->count; i++) {
        tut_buf_printf(out, "%zu", i + 1);
        for (size_t k = 0; k < e->asked[i].question->answer_count; k++)
            if (e->asked[i].question->answers[e->asked[i].order[k]].is_right)
                tut_buf_add_byte(out, (uint8_t)('a' + (int)k));
        tut_buf_add_byte(out, i % 2 ? '\n' : ' ');
    }
}

static void exactly_the_right_answers_are_right(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) m = parse(whole);
    static tut_quiz e;
    for (uint64_t seed = 0; seed < 20; seed++) {
        TUT_CLEAN(tut_buf) sheet = TUT_BUF_INIT;
        tut_quiz_draw(m, seed, &e);
        assert_int_equal(tut_quiz_right(&e), 0); /* nothing is answered */
        write_right(&e, &sheet);
        assert_true(tut_is_ok(tut_quiz_answer(&e, tut_buf_str(&sheet), NULL)));
        assert_int_equal(tut_quiz_right(&e), e.count);
        for (size_t i = 0; i < e.count; i++) {
            uint16_t kept = e.asked[i].chosen;
            for (size_t k = 0; k < e.asked[i].question->answer_count; k++) {
                e.asked[i].chosen = kept ^ (uint16_t)(1u << k);
                assert_false(tut_quiz_is_right(&e.asked[i]));
            }
            e.asked[i].chosen = kept;
        }
        assert_true(tut_quiz_is_passed(&e));
        e.asked[0].chosen = 0; /* 2 of 3 are less than 0.75 */
        assert_false(tut_quiz_is_passed(&e));
    }
}

static void what_is_no_answer_is_named(void **state)
{
    (void)state;
    TUT_AUTO(tut_training_module) m = parse(whole);
    static tut_quiz e;
    static const struct {
        const char *sheet, *what;
    } bad[] = {{"1b 1a", "answered twice"}, {"4a", "no question 4"},
               {"0a", "no question 0"},     {"1z", "a to"},
               {"b1", "\"b1\" is no"},      {"1", "\"1\" is no"},
               {"1a!", "\"1a!\" is no"},    {"99999999999999999999a", "is no answer"}};
    tut_quiz_draw(m, 7, &e);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tut_error err = {0};
        assert_int_equal(tut_quiz_answer(&e, tut_str_of(bad[i].sheet), &err).code, TUT_USAGE);
        if (!strstr(err.text, bad[i].what))
            fail_msg("%s: %s", bad[i].sheet, err.text);
    }
    assert_true(tut_is_ok(tut_quiz_answer_one(&e.asked[0], TUT_LIT("2 1"), NULL)));
    assert_int_equal(e.asked[0].chosen, 3);
    assert_true(tut_is_ok(tut_quiz_answer_one(&e.asked[0], TUT_LIT(" B, "), NULL)));
    assert_int_equal(e.asked[0].chosen, 2);
    assert_int_equal(tut_quiz_answer_one(&e.asked[0], TUT_LIT("0"), NULL).code, TUT_USAGE);
    assert_int_equal(tut_quiz_answer_one(&e.asked[0], TUT_LIT("maybe?"), NULL).code, TUT_USAGE);
}

static void a_sheet_is_read_as_people_write_it(void **state)
{
    (void)state;
    tut_quiz_sheet s;
    assert_true(tut_is_ok(tut_quiz_sheet_read(
        TUT_LIT("tutela-answers 1\r\nmodule: odd-input\nseed 00000000000000ff\n\nanswers 1b\n 2a"),
        &s, NULL)));
    assert_str(s.module, "odd-input");
    assert_true(s.seed == 0xff);
    assert_str(s.answers, "1b\n 2a");
    static const char *const bad[] = {
        "",
        "tutela-answers 2\nmodule a\nseed 00000000000000ff\nanswers 1a",
        "tutela-answers 1\nmodule a\nseed ff\nanswers 1a",
        "tutela-answers 1\nmodule a\nseed 00000000000000fg\nanswers 1a",
        "tutela-answers 1\nseed 00000000000000ff\nanswers 1a",
        "tutela-answers 1\nmodule a\nseed 00000000000000ff\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tut_quiz_sheet_read(tut_str_of(bad[i]), &s, NULL).code, TUT_USAGE);
}

static void reading_takes_its_time(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, FRONT "# Title\n\n");
    for (size_t i = 0; i < 237; i++)
        tut_buf_add_z(&text, "word's ");
    tut_buf_add_z(&text, "\n\n" QUESTIONS);
    TUT_AUTO(tut_training_module) m = parse(tut_buf_z(&text));
    assert_int_equal(m->words, 238);
    assert_int_equal(tut_training_reading_seconds(m), 60);
    assert_true(tut_quiz_is_hurried(m, &(tut_quiz_times){.started = 100, .finished = 114}));
    assert_false(tut_quiz_is_hurried(m, &(tut_quiz_times){.started = 100, .finished = 115}));
    assert_true(tut_quiz_is_hurried(m, &(tut_quiz_times){.started = 100, .finished = 50}));
}

static void versions_are_compared_by_their_numbers(void **state)
{
    (void)state;
    assert_true(tut_training_version_cmp(TUT_LIT("5.6.0"), TUT_LIT("5.10")) < 0);
    assert_true(tut_training_version_cmp(TUT_LIT("5.6"), TUT_LIT("5.6.0")) == 0);
    assert_true(tut_training_version_cmp(TUT_LIT("6"), TUT_LIT("5.99.99")) > 0);
    assert_true(tut_training_version_cmp(TUT_LIT(""), TUT_LIT("0.1")) < 0);
}

/* --- shown --- */

static void shown_is(const char *text, unsigned width, const char *wanted)
{
    TUT_CLEAN(tut_buf) source = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_term term = {.width = width};
    tut_buf_printf(&source, FRONT "%s\n\n" QUESTIONS, text);
    TUT_AUTO(tut_training_module) m = parse(tut_buf_z(&source));
    tut_training_text(m, &term, &out);
    assert_string_equal(tut_buf_z(&out), wanted);
}

static void text_is_folded_and_marks_are_left_out(void **state)
{
    (void)state;
    shown_is("A **strong** and *slanted* `x = a*b*c` [there](https://x.example), 2 * 3 * 4.", 40,
             "A strong and slanted `x = a*b*c` there\n(https://x.example), 2 * 3 * 4.\n");
    shown_is("> one\n> two\n\n***\n\n- a\n  - b", 40,
             "  | one two\n\n--------\n\n  - a\n    - b\n");
    shown_is("[a](javascript:x) <script> \\*plain\\* a_b_c", 60, "a <script> *plain* a_b_c\n");
}

static void what_only_looks_like_a_mark_is_read_once(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[", "<", "`` ` ", "**a ", "*a", "|[", "[a]("};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        const tut_term term = {.width = 80};
        tut_buf_add_z(&text, FRONT "Text ");
        while (text.len < TUT_TRAINING_BYTES / memcheck_step(20) - 4096)
            tut_buf_add_z(&text, pieces[i]);
        tut_buf_add_z(&text, "\n\n" QUESTIONS);
        TUT_AUTO(tut_training_module) m = parse(tut_buf_z(&text));
        uint64_t start = tut_clock_ms();
        tut_training_text(m, &term, &out);
        tut_training_page(m, NULL, NULL, &out);
        assert_true(tut_clock_ms() - start < 20000); /* without the bound: minutes */
    }
}

static void tables_are_folded_into_their_columns(void **state)
{
    (void)state;
    shown_is("| what | who may |\n| --- | :-: |\n| a rather long cell | `a|b` |\n| x | y \\| z |",
             26,
             "  what             who may\n"
             "  ---------------  -------\n"
             "  a rather long    `a|b`\n"
             "  cell\n"
             "  x                y | z\n");
}

static void a_page_shows_text_as_text(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_training_module)
    m = parse(FRONT
              "# <b>T</b>\n\n<script>alert(1)</script> **s** [x](javascript:1) "
              "[y](https://y.example/?a=1&b=2)\n\n- a\n  1. b\n- c\n\n```\n<i>\n```\n" QUESTIONS);
    static tut_quiz e;
    tut_quiz_draw(m, 3, &e);
    tut_training_page(m, &e, "Ada <x>", &out);
    const char *page = tut_buf_z(&out);
    assert_non_null(page);
    assert_null(strstr(page, "<script>alert"));
    assert_null(strstr(page, "javascript:"));
    assert_null(strstr(page, "<b>T</b>"));
    assert_null(strstr(page, "Ada <x>"));
    assert_null(strstr(page, "it is.")); /* why, which tells what is right */
    assert_non_null(strstr(page, "<strong>s</strong>"));
    assert_non_null(strstr(page, "href=\"https://y.example/?a=1&amp;b=2\""));
    assert_non_null(strstr(page, "<ul>\n<li>a<ol>\n<li>b</li></ol></li>\n<li>c</li></ul>"));
    assert_non_null(strstr(page, "<pre><code>&lt;i&gt;\n</code></pre>"));
    assert_non_null(strstr(page, "script-src 'sha256-"));
    assert_non_null(strstr(page, "seed 0000000000000003"));
}

/* --- what git tells --- */

#define COMMIT "0123456789012345678901234567890123456789\0Ada\0ada@x\0Bob\0bob@x\0001700000000\0\n"

static void commits_are_read_and_nothing_else(void **state)
{
    (void)state;
    TUT_CLEAN(tut_git_log) log = {.count = 0};
    tut_buf_add(&log.text, COMMIT COMMIT, 2 * (sizeof(COMMIT) - 1));
    assert_true(tut_is_ok(tut_git_parse(&log, NULL)));
    assert_int_equal(log.count, 2);
    assert_str(log.items[1].committer.mail, "bob@x");
    assert_true(log.items[1].at == 1700000000);
    for (size_t i = 1; i < sizeof(COMMIT) - 1; i++) {
        TUT_CLEAN(tut_git_log) cut = {.count = 0};
        tut_buf_add(&cut.text, COMMIT, i);
        assert_int_equal(tut_git_parse(&cut, NULL).code, TUT_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_is_read_with_all_its_parts),
        cmocka_unit_test(the_digest_is_of_what_is_below_the_front_matter),
        cmocka_unit_test(a_flaw_is_told_with_its_line),
        cmocka_unit_test(what_is_no_text_or_too_large_is_refused),
        cmocka_unit_test(every_cut_and_every_flipped_bit_is_told_or_read),
        cmocka_unit_test(memory_that_runs_out_is_an_ordinary_error),
        cmocka_unit_test(a_module_through_the_cage_is_the_same),
        cmocka_unit_test(a_flaw_through_the_cage_keeps_its_line),
        cmocka_unit_test(a_hostile_worker_makes_no_module),
        cmocka_unit_test(the_same_seed_draws_the_same),
        cmocka_unit_test(exactly_the_right_answers_are_right),
        cmocka_unit_test(what_is_no_answer_is_named),
        cmocka_unit_test(a_sheet_is_read_as_people_write_it),
        cmocka_unit_test(reading_takes_its_time),
        cmocka_unit_test(versions_are_compared_by_their_numbers),
        cmocka_unit_test(text_is_folded_and_marks_are_left_out),
        cmocka_unit_test(what_only_looks_like_a_mark_is_read_once),
        cmocka_unit_test(tables_are_folded_into_their_columns),
        cmocka_unit_test(a_page_shows_text_as_text),
        cmocka_unit_test(commits_are_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
