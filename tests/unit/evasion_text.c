/* Questions that are changed and still say the same; copies of few answers; texts continued. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "base/buf.h"
#include "memcheck.h"
#include "probe/evasion_text.h"
#include "probe_fixture.h"
#include "talker.h"

/* --- changes --- */

static char *changed(const char *text, size_t word, tut_text_way way)
{
    tut_text_words words;
    tut_text_plan plan = tut_text_plan_none();
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_text_split(tut_str_of(text), &words);
    if (tut_text_way_reach(way) == TUT_REACH_WHOLE)
        plan.of_whole = (uint8_t)way;
    else
        plan.of_word[word] = (uint8_t)way;
    tut_text_write(&words, &plan, 1, &out);
    assert_false(out.failed);
    char *z = tut_buf_steal(&out);
    assert_non_null(z);
    return z;
}

static void expect(const char *text, size_t word, tut_text_way way, const char *wanted)
{
    char *got = changed(text, word, way);
    assert_string_equal(got, wanted);
    tut_free(got);
}

static void a_text_without_a_plan_stays_byte_for_byte(void **state)
{
    static const char *const texts[] = {"", " ", "one", "  two\twords ",
                                        "Wo ist\n\nmein Päckchen?  "};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tut_text_words words;
        tut_text_plan plan = tut_text_plan_none();
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_text_split(tut_str_of(texts[i]), &words);
        tut_text_write(&words, &plan, 7, &out);
        assert_true(tut_str_eq_z(tut_buf_str(&out), texts[i]));
    }
}

static void each_way_does_what_it_says(void **state)
{
    (void)state;
    /* "for" has one pair that is behind no first letter of a longer word */
    expect("(for) me", 0, TUT_TEXT_TWINS, "(fоr) me");
    expect("Where's it?", 0, TUT_TEXT_SYNONYM, "Where is it?");
    expect("Where is the phone?", 3, TUT_TEXT_SYNONYM, "Where is the telephone?");
    expect("two  red devices", 0, TUT_TEXT_ORDER, "red  two devices");
    expect("Why, me?", 0, TUT_TEXT_UPPER, "WHY, ME?");
    expect("Why, ME?", 0, TUT_TEXT_LOWER, "why, me?");
    expect("Why, is v1.2 (it) so?", 0, TUT_TEXT_SIGNS, "Why is v1.2 (it so");
    expect("a b", 0, TUT_TEXT_BLANKS, "a   b  \n");
    expect("Why?", 0, TUT_TEXT_POLITE, "Hello! Why? Thank you.");
}

/* Letters of "router", which differ pairwise but for r. */
static void typing_errors_are_one_letter_away(void **state)
{
    static const struct {
        tut_text_way way;
        size_t length;
    } ways[] = {{TUT_TEXT_SWAP, 6},
                {TUT_TEXT_DROP, 5},
                {TUT_TEXT_TWICE, 7},
                {TUT_TEXT_KEY, 6},
                {TUT_TEXT_SPACE, 7}};
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *got = changed("router", 0, ways[i].way);
        assert_int_equal(strlen(got), ways[i].length);
        assert_int_equal(tut_str_distance(tut_str_of(got), TUT_LIT("router")), 1);
        assert_true(got[0] == 'r'); /* the first letter stays */
        tut_free(got);
        char *first = changed("my Router!", 1, ways[i].way),
             *again = changed("my Router!", 1, ways[i].way);
        assert_string_equal(first, again);
        assert_true(strncmp(first, "my R", 4) == 0 && first[strlen(first) - 1] == '!');
        tut_free(first);
        tut_free(again);
    }
}

static void what_a_question_is_about_stays(void **state)
{
    tut_text_words w;
    (void)state;
    tut_text_split(TUT_LIT("not order 100234 at https://a.example/b me@a.example to Zürich ?"), &w);
    static const size_t kept[] = {2, 4, 5, 8};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        for (unsigned way = 0; way < TUT_TEXT_WAYS; way++)
            assert_false(tut_text_can(&w, kept[i], (tut_text_way)way));
    assert_false(tut_text_can(&w, 0, TUT_TEXT_ORDER)); /* a negation is not moved */
    assert_false(tut_text_can(&w, 8, TUT_TEXT_ORDER)); /* nothing is behind it */
    assert_true(tut_text_can(&w, 1, TUT_TEXT_SWAP));
    assert_true(tut_text_can(&w, 7, TUT_TEXT_DROP));
}

static void any_bytes_are_changed_within_their_bounds(void **state)
{
    tut_seeded random = tut_seeded_of(3);
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        char text[64];
        size_t len = (size_t)tut_seeded_below(&random, sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(round % 2 ? tut_seeded_below(&random, 256)
                                       : (uint64_t) "ab .,Ä's1"[tut_seeded_below(&random, 10)]);
        char *exact = tut_alloc_array(len + 1, 1); /* an end that valgrind sees */
        assert_non_null(exact);
        memcpy(exact, text, len);
        tut_text_words words;
        tut_text_split((tut_str){exact, len}, &words);
        for (size_t i = 0; i < words.count; i++)
            for (unsigned way = 0; way < TUT_TEXT_WAYS; way++) {
                tut_text_plan plan = tut_text_plan_none();
                TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
                if (!tut_text_can(&words, i, (tut_text_way)way))
                    continue;
                plan.of_word[i] = (uint8_t)way;
                tut_text_write(&words, &plan, round, &out);
                assert_false(out.failed);
                assert_true(out.len > 0);
            }
        tut_free(exact);
    }
}

/* --- the attack --- */

static void take_last(tut_str heard, char *ret, size_t cap)
{
    const char *at = NULL;
    for (size_t i = 0; i + 11 < heard.len; i++)
        if (memcmp(heard.data + i, "\"content\":\"", 11) == 0)
            at = heard.data + i + 11;
    size_t n = 0;
    for (; at && at < heard.data + heard.len && *at != '"' && n + 1 < cap; at++)
        ret[n++] = *at;
    ret[n] = 0;
}

/* Right where the very word stands there. */
static void say_by_the_word(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    char question[512];
    (void)asked;
    take_last(heard, question, sizeof(question));
    talker_text(ret, strstr(question, ctx) ? TUT_LIT("it is Monday") : TUT_LIT("no idea"));
}

static void say_always_right(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    (void)ctx, (void)asked, (void)heard;
    talker_text(ret, TUT_LIT("it is Monday"));
}

static void refuse_what_is_odd(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    char question[512];
    (void)asked;
    take_last(heard, question, sizeof(question));
    if (strcmp(question, ctx) == 0)
        talker_text(ret, TUT_LIT("it is Monday"));
    else
        ret->answered = TUT_REFUSED;
}

static const char questions[] = "When does the router leave us here\tMonday\n"
                                "Tell me of order 100234 now\tMonday\nwithout an answer\n";

static tut_attack_result attack(const char *probe, const char *name,
                                void (*say)(void *, const tut_asked *, tut_str, tut_said *),
                                const void *ctx, const tut_probe *like)
{
    static talker t;
    tut_probe p = *like;
    tut_attack_result r = {.metric = NULL};
    talker_init(&t, "openai-chat", say, (void *)(uintptr_t)ctx);
    t.allowance.queries_most = like->queries_a_row == 9 ? 5 : 0;
    p.target = &t.target;
    p.seed = 1;
    tut_arena_init(&p.arena, 0);
    assert_true(tut_is_ok(attack_named(probe, name)->run(&p, &r, NULL)));
    assert_int_equal(r.queries, t.allowance.queries);
    for (size_t i = 0; i < r.exposed_count; i++) /* what outlives the arena */
        r.exposed[i].text = NULL;
    static char reason[200];
    tut_str_copy(reason, sizeof(reason), tut_str_of(r.reason));
    r.reason = reason;
    r.kept = NULL;
    tut_arena_done(&p.arena);
    return r;
}

static const tut_probe about_questions = {.texts = {.questions = questions}};

static void a_system_that_goes_by_a_word_is_turned_and_one_that_does_not_is_not(void **state)
{
    (void)state;
    tut_attack_result r = attack("evasion", "texts", say_by_the_word, "router", &about_questions);
    assert_int_equal(r.rows, 2); /* the third cannot be told to be wrong */
    assert_true(r.decisive.value == 0);
    assert_true(r.measures[0].value == 0.5); /* clean: the second was wrong at once */
    assert_int_equal(r.exposed_count, 1);
    assert_true(r.exposed[0].score <= 2); /* words changed, of seven a fifth */
    r = attack("evasion", "texts", say_always_right, NULL, &about_questions);
    assert_true(r.decisive.value == 1 && r.rows == 2 && r.exposed_count == 0);
    assert_true(r.queries <= 2 * 64);
}

static void what_is_refused_is_not_evaded(void **state)
{
    (void)state;
    tut_attack_result r = attack("evasion", "texts", refuse_what_is_odd,
                                 "Tell me of order 100234 now", &about_questions);
    assert_true(r.decisive.value == 0.5); /* the other is refused as it is */
    assert_true(measure_named(&r, "attack_success")->value == 0);
    assert_true(measure_named(&r, "refused")->value > 0.5);
}

static void a_spent_allowance_is_told(void **state)
{
    (void)state;
    tut_probe p = about_questions;
    p.queries_a_row = 9; /* the talker then has five queries */
    tut_attack_result r = attack("evasion", "texts", say_always_right, NULL, &p);
    assert_true(r.was_cut);
    assert_int_equal(r.queries, 5);
}

static void without_right_answers_nothing_is_measured(void **state)
{
    (void)state;
    const tut_probe none = {.texts = {.questions = "why\nhow\n"}};
    tut_attack_result r = attack("evasion", "texts", say_always_right, NULL, &none);
    assert_true(isnan(r.decisive.value));
    assert_non_null(strstr(r.reason, "behind a tab"));
    assert_int_equal(r.queries, 0);
}

/* --- copies --- */

static void say_own_words(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    char question[512], text[600];
    (void)ctx, (void)asked;
    take_last(heard, question, sizeof(question));
    (void)snprintf(text, sizeof(text), "About \"%s\" there is much to say.", question);
    talker_text(ret, tut_str_of(text));
}

static void say_one_of_two(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    char question[512];
    (void)ctx, (void)asked;
    take_last(heard, question, sizeof(question));
    talker_text(ret, strstr(question, "red") ? TUT_LIT("Stop.") : TUT_LIT("Go on!"));
}

static void few_answers_are_copied_and_texts_of_its_own_are_not(void **state)
{
    TUT_CLEAN(tut_buf) lines = TUT_BUF_INIT;
    (void)state;
    NOT_UNDER_MEMCHECK();
    for (unsigned i = 0; i < 200; i++)
        tut_buf_printf(&lines, "is number %u of the %s lamps on\n", i, i % 3 ? "red" : "green");
    const tut_probe p = {.texts = {.questions = tut_buf_z(&lines)}};
    tut_attack_result r = attack("extraction", "answers", say_one_of_two, NULL, &p);
    assert_true(r.decisive.value > 0.95);
    assert_true(measure_named(&r, "answers_that_differ")->value == 2);
    assert_false(r.does_not_apply);
    assert_true(r.baseline < 0.8); /* the commonest answer */
    r = attack("extraction", "answers", say_own_words, NULL, &p);
    assert_true(isnan(r.decisive.value) && r.does_not_apply);
    assert_int_equal(r.queries, 128); /* no more than it takes to see it */
}

static void too_few_questions_are_lack_of_data(void **state)
{
    (void)state;
    tut_attack_result r = attack("extraction", "answers", say_own_words, NULL, &about_questions);
    assert_true(isnan(r.decisive.value) && !r.does_not_apply);
    assert_non_null(strstr(r.reason, "90 questions"));
}

/* --- membership by what is said --- */

static void say_members_by_heart(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret)
{
    const char *documents = ctx;
    char question[512];
    (void)asked;
    take_last(heard, question, sizeof(question));
    const char *there = strstr(documents, question);
    talker_text(ret, there ? (tut_str){there, strcspn(there, "\n")} : TUT_LIT("I do not know it"));
}

static void members_are_continued(void **state)
{
    TUT_CLEAN(tut_buf) inside = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) outside = TUT_BUF_INIT;
    (void)state;
    for (unsigned i = 0; i < 240; i++)
        tut_buf_printf(i % 2 ? &inside : &outside,
                       "in house %u of lane %u lived %u people who baked bread %u times\n",
                       i * 7919, i * 104729, i * 31, i * 17);
    const tut_probe p = {
        .texts = {.documents = tut_buf_z(&inside), .other_documents = tut_buf_z(&outside)}};
    tut_attack_result r = attack("membership", "continued", say_members_by_heart, p.texts.documents,
                                 &p);
    assert_true(r.decisive.value == 1);
    assert_int_equal(r.rows, 240);
    r = attack("membership", "continued", say_always_right, NULL, &p);
    assert_true(r.decisive.value == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_without_a_plan_stays_byte_for_byte),
        cmocka_unit_test(each_way_does_what_it_says),
        cmocka_unit_test(typing_errors_are_one_letter_away),
        cmocka_unit_test(what_a_question_is_about_stays),
        cmocka_unit_test(any_bytes_are_changed_within_their_bounds),
        cmocka_unit_test(a_system_that_goes_by_a_word_is_turned_and_one_that_does_not_is_not),
        cmocka_unit_test(what_is_refused_is_not_evaded),
        cmocka_unit_test(a_spent_allowance_is_told),
        cmocka_unit_test(without_right_answers_nothing_is_measured),
        cmocka_unit_test(few_answers_are_copied_and_texts_of_its_own_are_not),
        cmocka_unit_test(too_few_questions_are_lack_of_data),
        cmocka_unit_test(members_are_continued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
