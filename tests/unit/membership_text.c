/* Membership of texts against a model of word pairs that is made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <cmocka.h>

#include "base/buf.h"
#include "probe/membership.h"
#include "probe_fixture.h"

enum { TEXTS = 300, WORDS_A_TEXT = 12, VOCABULARY = 60 };

typedef struct pairs {
    double counts[VOCABULARY][VOCABULARY], sums[VOCABULARY];
    uint64_t dies_after, asked;
} pairs;

static tut_buf members, others, strangers;

static void make_texts(tut_buf *out, uint64_t seed)
{
    tut_seeded random = tut_seeded_of(seed);
    for (unsigned i = 0; i < TEXTS; i++)
        for (unsigned w = 0; w < WORDS_A_TEXT; w++) {
            char word[8];
            (void)snprintf(word, sizeof(word), "w%02u%c",
                           (unsigned)tut_seeded_below(&random, VOCABULARY),
                           w + 1 < WORDS_A_TEXT ? ' ' : '\n');
            tut_buf_add(out, word, strlen(word));
        }
    tut_buf_add_byte(out, 0);
}

static unsigned word_at(const char *at)
{
    return (unsigned)((at[1] - '0') * 10 + (at[2] - '0')) % VOCABULARY;
}

static void learn(pairs *m, const tut_buf *texts)
{
    for (unsigned a = 0; a < VOCABULARY; a++)
        for (unsigned b = 0; b < VOCABULARY; b++)
            m->sums[a] += m->counts[a][b] = 0.05;
    for (const char *at = (const char *)texts->data; at[0]; at += 4) {
        if (at[3] == '\n' || !at[4])
            continue;
        m->counts[word_at(at)][word_at(at + 4)]++;
        m->sums[word_at(at)]++;
    }
}

static tut_status ask(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret,
                      tut_error *err)
{
    pairs *m = t->state;
    size_t n = (size_t)tut_allowance_left(t->allowance, count);
    if (m->dies_after && m->asked + n > m->dies_after)
        return tut_fail(err, TUT_IO, "the model is gone");
    for (size_t i = 0; i < n; i++) {
        size_t begins = 0;
        assert_true(tut_str_find(asked[i].messages, TUT_LIT(":\""), &begins));
        const char *at = asked[i].messages.data + begins + 2;
        ret[i].logprobs = tut_alloc_array(WORDS_A_TEXT, sizeof(double));
        assert_non_null(ret[i].logprobs);
        ret[i].answered = TUT_ANSWERED;
        ret[i].logprobs[ret[i].logprob_count++] = NAN;
        for (; at[0] == 'w' && at[3] == ' ' && ret[i].logprob_count < WORDS_A_TEXT; at += 4)
            ret[i].logprobs[ret[i].logprob_count++] =
                log(m->counts[word_at(at)][word_at(at + 4)] / m->sums[word_at(at)]);
    }
    m->asked += n;
    tut_allowance_spend_many(t->allowance, n);
    return TUT_SUCCESS;
}

static const tut_target_driver driver = {.kind = "fake", .ask = ask};

static int set_up(void **state)
{
    (void)state;
    make_texts(&members, 1);
    make_texts(&others, 2);
    make_texts(&strangers, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tut_buf_done(&members);
    tut_buf_done(&others);
    tut_buf_done(&strangers);
    return 0;
}

typedef struct audit {
    pairs model;
    tut_allowance allowance;
    tut_target target;
    tut_probe probe;
    tut_attack_result r;
} audit;

static void begin(audit *a, const tut_buf *learnt)
{
    *a = (audit){.target = {.driver = &driver, .facts.gives = TUT_GIVES_TEXT | TUT_GIVES_ECHO}};
    learn(&a->model, learnt);
    a->target.state = &a->model;
    a->target.allowance = &a->allowance;
    a->probe = (tut_probe){.target = &a->target, .seed = 5};
    a->probe.texts.documents = (const char *)members.data;
    a->probe.texts.other_documents = (const char *)others.data;
    tut_arena_init(&a->probe.arena, 0);
}

static void run(audit *a)
{
    tut_error err = {.code = TUT_OK};
    a->r = (tut_attack_result){.queries = 0};
    if (!tut_is_ok(attack_named("membership", "min-k")->run(&a->probe, &a->r, &err)))
        fail_msg("%s", err.text);
}

static void the_lowest_fifth_is_what_counts(void **state)
{
    (void)state;
    double p[] = {-1, NAN, -5, -2, -3, -4}, none[] = {NAN};
    assert_true(tut_mia_min_k(p, 6, 0.2) == -5);
    double q[] = {-1, -5, -2, -3, -4, -6};
    assert_true(tut_mia_min_k(q, 6, 0.5) == -5);
    assert_true(isnan(tut_mia_min_k(none, 1, 0.2)));
}

static void texts_that_were_learnt_are_told(void **state)
{
    (void)state;
    audit a;
    begin(&a, &members);
    run(&a);
    assert_true(measure_named(&a.r, "auc")->low > 0.7);
    assert_true(a.r.decisive.value > 0.1 && a.r.decisive.low < a.r.decisive.value);
    assert_true(a.r.baseline < 0.05);
    assert_int_equal(a.r.queries, 2 * TEXTS);
    assert_int_equal(a.r.curve_count, 3);
    assert_non_null(measure_named(&a.r, "tpr_at_1_zlib"));
    assert_true(a.r.exposed[0].row < TEXTS);
    tut_arena_done(&a.probe.arena);
}

static void texts_that_nobody_learnt_are_not(void **state)
{
    (void)state;
    audit a;
    begin(&a, &strangers);
    run(&a);
    const tut_measure *auc = measure_named(&a.r, "auc");
    assert_true(auc->low < 0.5 && auc->high > 0.45);
    assert_true(a.r.decisive.low < 0.05);
    tut_arena_done(&a.probe.arena);
}

static void a_reference_is_asked_the_same_and_counted_apart(void **state)
{
    (void)state;
    audit a;
    begin(&a, &members);
    pairs *other = tut_alloc_array(1, sizeof(*other));
    assert_non_null(other);
    learn(other, &strangers);
    tut_allowance spent = {.queries = 0};
    tut_target reference = {.driver = &driver,
                            .state = other,
                            .allowance = &spent,
                            .facts.gives = TUT_GIVES_TEXT | TUT_GIVES_ECHO};
    a.probe.reference = &reference;
    run(&a);
    assert_int_equal(spent.queries, 2 * TEXTS);
    assert_int_equal(a.r.queries, 2 * TEXTS); /* of the target alone */
    assert_non_null(measure_named(&a.r, "tpr_at_1_reference_ratio"));
    assert_true(measure_named(&a.r, "tpr_at_1_reference_difference")->value > 0.05);
    assert_null(measure_named(&a.r, "tpr_at_1_min_k_plus")); /* it lists no others */
    tut_free(other);
    tut_arena_done(&a.probe.arena);
}

static void words_that_differ_show_without_the_model(void **state)
{
    (void)state;
    audit a;
    begin(&a, &strangers);
    tut_buf dated = TUT_BUF_INIT;
    for (const char *at = (const char *)members.data; *at; at++) {
        if (*at == '\n')
            tut_buf_add(&dated, " in the year 2024", 17);
        tut_buf_add_byte(&dated, (uint8_t)*at);
    }
    tut_buf_add_byte(&dated, 0);
    a.probe.texts.documents = (const char *)dated.data;
    run(&a);
    assert_true(a.r.baseline > 0.9);
    tut_buf_done(&dated);
    tut_arena_done(&a.probe.arena);
}

static void what_is_missing_or_cut_is_said(void **state)
{
    (void)state;
    audit a;
    begin(&a, &members);
    a.probe.texts.other_documents = NULL;
    run(&a);
    assert_true(isnan(a.r.decisive.value));
    assert_non_null(a.r.reason);
    a.probe.texts.other_documents = "short\nlines\n";
    run(&a);
    assert_true(isnan(a.r.decisive.value));
    assert_non_null(a.r.reason);
    a.probe.texts.other_documents = (const char *)others.data;
    a.model.dies_after = 420;
    run(&a);
    assert_true(a.r.was_cut && a.r.rows == 416);
    tut_arena_done(&a.probe.arena);
    begin(&a, &members);
    a.allowance.queries_most = 300;
    run(&a);
    assert_int_equal(a.r.queries, 300);
    assert_true(measure_named(&a.r, "auc")->value > 0.7);
    tut_arena_done(&a.probe.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_fifth_is_what_counts),
        cmocka_unit_test(texts_that_were_learnt_are_told),
        cmocka_unit_test(texts_that_nobody_learnt_are_not),
        cmocka_unit_test(a_reference_is_asked_the_same_and_counted_apart),
        cmocka_unit_test(words_that_differ_show_without_the_model),
        cmocka_unit_test(what_is_missing_or_cut_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
