/* Answers to probes, and their journal, where memory runs out and where files lie. */
#include <fcntl.h>
#include <math.h>
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
#include "probe/target_http.h"
#include "probe/target_numbers.h"
#include "probe/target_said.h"

static char path[128];

static const char *in_folder(const char *name)
{
    (void)snprintf(path, sizeof(path), "/tmp/tutela-answers-%d/%s", (int)getpid(), name);
    return path;
}

/* Whatever allocation fails, it is an error of memory and nothing is lost or freed twice. */
static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    static const char answer[] = "{\"choices\":[{\"message\":{\"content\":\"hi\",\"tool_calls\":[{"
                                 "\"function\":{\"name\":\"f\",\"arguments\":"
                                 "\"{}\"}}]},\"logprobs\":{\"content\":[{\"logprob\":-1}]}}]}";
    const tut_asked asked = {.messages = TUT_LIT("\"x\"")};
    bool is_whole = false;
    (void)state;
    for (uint64_t n = 1; !is_whole; n++) {
        TUT_CLEAN(tut_said) said = {.status = 200};
        tut_span span = tut_span_of(answer, sizeof(answer) - 1);
        assert_true(n < 200);
        tut_alloc_fail_after(n);
        tut_status s = tut_said_begin(&said, span, NULL);
        if (tut_is_ok(s))
            s = target_said_openai(&said, &asked, span, true, NULL);
        tut_alloc_fail_after(0);
        assert_true(tut_is_ok(s) || s.code == TUT_NOMEM);
        is_whole = tut_is_ok(s) && said.answered == TUT_ANSWERED;
        if (is_whole) {
            assert_int_equal(said.call_count, 1);
            assert_int_equal(said.logprob_count, 1);
            assert_true(tut_str_eq_z(said.text, "hi"));
        }
    }
}

/* Of the likeliest at each place: the mean of their logarithms and how far they lie from it, with
 * what they leave over on the least likely. */
static void tokens_stand_out_among_those_that_are_listed(void **state)
{
    static const char answer[] =
        "{\"choices\":[{\"text\":\"one two three\",\"logprobs\":{\"token_logprobs\":[null,"
        "-0.6931471805599453,-2,-3],\"top_logprobs\":[null,{\" two\":-0.6931471805599453,\"a\":"
        "-1.3862943611198906},{\"b\":-2},{\"c\":-1,\"d\":-2}],\"text_offset\":[0,3,7,13]}}]}";
    const tut_asked asked = {.messages = TUT_LIT("{\"prompt\":\"one two three\"}"),
                             .wants_echo = true};
    TUT_CLEAN(tut_said) said = {.status = 200};
    tut_span span = tut_span_of(answer, sizeof(answer) - 1);
    const double half = log(0.5), quarter = log(0.25);
    (void)state;
    assert_true(tut_is_ok(tut_said_begin(&said, span, NULL)));
    assert_true(tut_is_ok(target_said_openai(&said, &asked, span, false, NULL)));
    assert_int_equal(said.logprob_count, 2); /* none of the first, nor of what was generated */
    assert_non_null(said.relative);
    /* half of the mass on log 1/2, a quarter on log 1/4, the quarter left over there too */
    double mean = (half + quarter) / 2, spread = (half - quarter) / 2;
    assert_true(fabs(said.relative[0] - (half - mean) / spread) < 1e-9);
    assert_true(isnan(said.relative[1])); /* one alone says nothing */
}

static tut_json_doc *parse(const char *text)
{
    tut_json_doc *doc = NULL;
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(text, strlen(text)), NULL, &doc, NULL)));
    return doc;
}

static bool take(target_numbers *n, tut_target *t, tut_predictions *p, const char *text,
                 bool are_labels)
{
    TUT_AUTO(tut_json_doc) doc = parse(text);
    double *values = NULL;
    bool is_fine = target_numbers_take(n, t, p, tut_json_root(doc), 2, are_labels, &values);
    for (size_t i = 0; is_fine && i < 2; i++)
        target_numbers_put(n, p, i, values, i);
    tut_free(values);
    return is_fine;
}

static void the_first_answer_says_what_numbers_are(void **state)
{
    tut_target t = {.facts = {.gives = TUT_GIVES_PROBABILITIES}};
    target_numbers n = {.width = 0};
    TUT_CLEAN(tut_predictions) p = {.count = 2};
    (void)state;
    assert_true(take(&n, &t, &p, "[[2,2],[3,1]]", false));
    assert_int_equal(n.form, NUMBERS_SCORES);
    assert_true(fabs(p.values[0] - 0.5) < 1e-12 && fabs(p.values[2] - 1 / (1 + exp(-2))) < 1e-12);
    assert_true(take(&n, &t, &p, "[0.5,0.5,0.25,0.75]", false)); /* scores may be anything */
    assert_false(take(&n, &t, &p, "[1,2,3,4,5,6]", false));
    assert_string_equal(p.problem,
                        "an answer has 3 numbers for a row, where others have 2 numbers");
    p.problem[0] = '\0';
    assert_false(take(&n, &t, &p, "[1,2]", true));
    assert_non_null(strstr(p.problem, "1 labels for a row"));
}

/* What is left out is shared among the others, so that the label stays and loss is finite. */
static void behind_a_guard_rounded_and_cut_probabilities_are_answers(void **state)
{
    tut_target t = {.facts = {.gives = TUT_GIVES_PROBABILITIES}};
    target_numbers strict = {.width = 0}, n = {.may_be_coarse = true};
    TUT_CLEAN(tut_predictions) p = {.count = 2};
    TUT_CLEAN(tut_predictions) q = {.count = 2};
    (void)state;
    assert_true(take(&n, &t, &p, "[[0.6,0],[0,0.5]]", false));
    assert_int_equal(n.form, NUMBERS_PROBABILITIES);
    assert_true(p.values[0] == 0.6 && fabs(p.values[1] - 0.4) < 1e-12);
    assert_true(p.values[3] == 0.5 && p.values[2] < 0.5 && p.values[2] > 0.499);
    assert_true(take(&n, &t, &p, "[[0.5,0.6],[1,0]]", false)); /* each rounded up */
    assert_true(p.values[1] == 0.6 && p.values[3] == 0);
    assert_false(take(&n, &t, &p, "[[0.9,0.9],[1,0]]", false));
    assert_non_null(strstr(p.problem, "adds up to 1.8"));
    t.facts.classes = 0;
    assert_true(take(&strict, &t, &q, "[[0.6,0.4],[0.5,0.5]]", false));
    assert_false(take(&strict, &t, &q, "[[0.6,0],[0.5,0.5]]", false));
}

static void labels_beyond_the_classes_are_none(void **state)
{
    tut_target t = {.facts = {.gives = TUT_GIVES_PROBABILITIES}};
    target_numbers n = {.classes = 3};
    TUT_CLEAN(tut_predictions) p = {.count = 2};
    (void)state;
    assert_true(take(&n, &t, &p, "[0,2]", true));
    const double wanted[] = {1, 0, 0, 0, 0, 1};
    assert_memory_equal(p.values, wanted, sizeof(wanted));
    assert_int_equal(t.facts.gives & TUT_GIVES_PROBABILITIES, 0);
    assert_false(take(&n, &t, &p, "[0,3]", true));
    assert_non_null(strstr(p.problem, "a label is 3, which is none of 0 to 2"));
    assert_false(take(&n, &t, &p, "[0,1.5]", true));
    assert_false(take(&n, &t, &p, "[0,-1]", true));
}

static void numbers_are_written_as_they_are_read(void **state)
{
    static const float row[] = {0, -1, 0.1F, 16777216, 3.4028235e38F, -1e-45F, 1e6F};
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    (void)state;
    tut_buf_add_byte(&b, '[');
    target_numbers_add(&b, row, 7, false);
    tut_buf_add_byte(&b, ']');
    TUT_AUTO(tut_json_doc) doc = parse(tut_buf_z(&b));
    for (uint32_t i = 0; i < 7; i++)
        assert_true((float)tut_json_real_of(tut_json_item(tut_json_root(doc), i)) == row[i]);
}

static void a_reason_is_what_the_guard_says(void **state)
{
    static const struct {
        const char *body, *reason;
    } cases[] = {{"{\"error\":{\"type\":\"guard\",\"code\":\"blocked\",\"message\":\"No.\"}}",
                  "blocked: No."},
                 {"{\"error\":\"too large\"}", "too large"},
                 {"{\"message\":\"gone\"}", "gone"},
                 {"<html>\x1b[2J", "<html>\\x1b[2J"},
                 {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
        http_reason(tut_span_of(cases[i].body, strlen(cases[i].body)), &b);
        assert_string_equal(tut_buf_z(&b), cases[i].reason);
    }
}

static void a_journal_is_nobody_elses(void **state)
{
    const char *at = in_folder("deep/journal");
    TUT_AUTO(tut_journal) j = NULL;
    TUT_AUTO(tut_journal) other = NULL;
    tut_error err = {.code = TUT_OK};
    struct stat st;
    const tut_sha256 key = {{1}};
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    bool is_found = true;
    (void)state;
    assert_true(tut_is_ok(tut_journal_open(at, TUT_LIT("me"), &j, &err)));
    assert_int_equal(stat(at, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(tut_journal_open(at, TUT_LIT("me"), &other, &err).code, TUT_USAGE);
    assert_non_null(strstr(err.text, "another run"));
    assert_true(tut_is_ok(tut_journal_add(j, &key, TUT_LIT("{\"p\":[1]}"), &err)));
    /* What this run was told it does not answer itself with. */
    assert_true(tut_is_ok(tut_journal_take(j, &key, &b, &is_found, &err)) && !is_found);
    tut_journal_free(tut_move(&j));
    assert_int_equal(tut_journal_open(at, TUT_LIT("you"), &j, &err).code, TUT_USAGE);
    assert_true(tut_is_ok(tut_journal_open(at, TUT_LIT("me"), &j, &err)));
    assert_true(tut_is_ok(tut_journal_take(j, &key, &b, &is_found, &err)) && is_found);
    assert_string_equal(tut_buf_z(&b), "{\"p\":[1]}");
    /* A link is not followed: somebody else may have laid it. */
    assert_int_equal(symlink(in_folder("deep/journal"), "/tmp/tutela-answers-link"), 0);
    tut_status s = tut_journal_open("/tmp/tutela-answers-link", TUT_LIT("me"), &other, &err);
    (void)unlink("/tmp/tutela-answers-link");
    assert_false(tut_is_ok(s));
}

static int end(void **state)
{
    (void)state;
    (void)unlink(in_folder("deep/journal"));
    (void)rmdir(in_folder("deep"));
    (void)rmdir(in_folder(""));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_stand_out_among_those_that_are_listed),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
        cmocka_unit_test(the_first_answer_says_what_numbers_are),
        cmocka_unit_test(behind_a_guard_rounded_and_cut_probabilities_are_answers),
        cmocka_unit_test(labels_beyond_the_classes_are_none),
        cmocka_unit_test(numbers_are_written_as_they_are_read),
        cmocka_unit_test(a_reason_is_what_the_guard_says),
        cmocka_unit_test(a_journal_is_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
