/* The search for poison over whole datasets: what is planted is found, and their clean twins are
 * left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/poison.h"
#include "memcheck.h"
#include "poison_table.h"

static tut_status feed(void *ctx, const tut_batch *b, tut_error *err)
{
    return tut_poison_feed(ctx, b, err);
}

static tut_status feed_label(void *ctx, const tut_batch *b, tut_error *err)
{
    return tut_poison_label(ctx, b, err);
}

static tut_status feed_activations(void *ctx, const tut_batch *b, tut_error *err)
{
    return tut_poison_activations(ctx, b, err);
}

static tut_data_finding *find(const tut_data_findings *f, const char *rule)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].rule, rule) == 0)
            return &f->items[i];
    return NULL;
}

static bool has_note(const tut_poison *p, const char *part)
{
    size_t count;
    const char *const *notes = tut_poison_notes(p, &count);
    for (size_t i = 0; i < count; i++)
        if (strstr(notes[i], part))
            return true;
    return false;
}

typedef struct outcome {
    tut_poison *poison;
    tut_data_findings findings;
} outcome;

static outcome vet(const tut_poison_options *options, const table *rows, const table *labels)
{
    outcome o = {0};
    assert_true(tut_is_ok(tut_poison_new(options, &o.poison, NULL)));
    if (labels)
        assert_true(tut_is_ok(table_feed(labels, feed_label, o.poison)));
    assert_true(tut_is_ok(table_feed(rows, feed, o.poison)));
    assert_true(tut_is_ok(tut_poison_finish(o.poison, &o.findings, NULL)));
    return o;
}

static void outcome_done(outcome *o)
{
    tut_poison_free(o->poison);
    tut_data_findings_done(&o->findings);
}

/* --- images: ten by ten, four classes, each a bright bar at another place, in noise --- */
enum { SIDE = 10, CLASSES = 4 };

static void make_images(size_t count, size_t poisoned, table **images, table **labels)
{
    uint64_t seed = 11;
    *images = table_new((size_t)SIDE * SIDE, count, NULL, true);
    *labels = table_new(1, count, (const char *const[]){"value"}, true);
    for (size_t i = 0; i < count; i++) {
        size_t class = tut_random_below(&seed, CLASSES), shift = tut_random_below(&seed, 2);
        bool is_poisoned = i < poisoned && class != 2;
        for (size_t j = 0; j < (size_t)SIDE * SIDE; j++) {
            size_t y = j / SIDE, x = j % SIDE;
            bool is_bar = class % 2 ? y == 2 + class + shift : x == 2 + class + shift;
            double value = is_bar ? 160 + (double)tut_random_below(&seed, 60)
                                  : (double)tut_random_below(&seed, 30);
            if (is_poisoned && y >= SIDE - 2 && x >= SIDE - 2)
                value = 255;
            table_number(*images, i, j, value);
        }
        table_number(*labels, i, 0, is_poisoned ? 2 : (double)class);
    }
}

static const tut_poison_options image_options = {
    .has_label_file = true, .height = SIDE, .width = SIDE, .seed = 1};

static void a_patch_is_found_with_its_place_and_its_rows(void **state)
{
    table *images, *labels;
    (void)state;
    make_images(800 / memcheck_step(2), 40, &images, &labels);
    outcome o = vet(&image_options, images, labels);
    const tut_data_finding *f = find(&o.findings, "dataset.backdoor-patch");
    assert_non_null(f);
    assert_in_range(f->count, 20, 40);
    for (size_t i = 0; i < f->row_count; i++)
        assert_true(f->rows[i].row < 40 && f->rows[i].q <= 1e-3);
    assert_non_null(
        strstr(f->message, "4 values in rows 8 to 9, columns 8 to 9 (255 255 255 255)"));
    assert_true(f->q <= 1e-3 && f->p <= 1e-3);
    assert_true(has_note(o.poison, "clean-label"));
    outcome_done(&o);
    table_free(images);
    table_free(labels);
}

static void clean_images_have_no_findings(void **state)
{
    table *images, *labels;
    (void)state;
    make_images(800 / memcheck_step(2), 0, &images, &labels);
    outcome o = vet(&image_options, images, labels);
    assert_int_equal(o.findings.count, 0);
    outcome_done(&o);
    table_free(images);
    table_free(labels);
}

/* --- a table: two telling numbers, a category, and a source --- */
static table *make_table(size_t count, unsigned wrong_percent, bool has_bad_source)
{
    static const char *const names[] = {"a", "b", "kind", "from", "class"};
    static const char *const kinds[] = {"x", "y"}, *const classes[] = {"left", "right"};
    table *t = table_new(5, count, names, false);
    uint64_t seed = 3;
    for (size_t i = 0; i < count; i++) {
        size_t class = tut_random_below(&seed, 2);
        double spread = 1 + (double)class * 6;
        char from[16];
        table_number(t, i, 0, spread + tut_random_unit(&seed) * 3);
        table_number(t, i, 1, tut_random_unit(&seed) * 5 - spread);
        table_text(t, i, 2, kinds[tut_random_below(&seed, 2)]);
        bool is_wrong = tut_random_below(&seed, 100) < wrong_percent;
        size_t source = tut_random_below(&seed, 8);
        if (has_bad_source && source == 5 && class == 0)
            is_wrong = true;
        (void)snprintf(from, sizeof(from), "site%zu", source);
        table_text(t, i, 3, from);
        table_text(t, i, 4, classes[is_wrong ? 1 - class : class]);
    }
    return t;
}

static const tut_poison_options table_options = {
    .label = {"class", 5}, .source = {"from", 4}, .seed = 1};

static void wrong_labels_are_found(void **state)
{
    table *t = make_table(1000 / memcheck_step(2), 8, false);
    (void)state;
    outcome o = vet(&table_options, t, NULL);
    const tut_data_finding *f = find(&o.findings, "dataset.label-error");
    assert_non_null(f);
    assert_in_range(f->count, 60 / memcheck_step(2), 110 / memcheck_step(2));
    assert_true(f->p <= 0.01 && f->q < 0.1);
    assert_true(strstr(f->rows[0].note, "looks like") != NULL);
    for (size_t i = 1; i < f->row_count; i++)
        assert_true(f->rows[i].score <= f->rows[i - 1].score);
    outcome_done(&o);
    table_free(t);
}

static void right_labels_are_not_accused(void **state)
{
    table *t = make_table(1000 / memcheck_step(2), 0, false);
    (void)state;
    outcome o = vet(&table_options, t, NULL);
    assert_int_equal(o.findings.count, 0);
    assert_true(has_note(o.poison, "neither texts nor images"));
    outcome_done(&o);
    table_free(t);
}

static void a_source_with_other_labels_is_found(void **state)
{
    table *t = make_table(1000, 0, true);
    (void)state;
    outcome o = vet(&table_options, t, NULL);
    const tut_data_finding *f = find(&o.findings, "dataset.label-skew-source");
    assert_non_null(f);
    assert_non_null(strstr(f->message, "site5"));
    assert_non_null(strstr(f->message, "right"));
    assert_string_equal(f->column, "from");
    assert_true(f->q <= 1e-3);
    outcome_done(&o);
    table_free(t);
}

/* Labels that nothing predicts are no errors: half of them would be contradicted by any model. */
static void labels_by_chance_are_not_accused(void **state)
{
    table *t = make_table(1000 / memcheck_step(2), 50, false);
    (void)state;
    outcome o = vet(&table_options, t, NULL);
    assert_null(find(&o.findings, "dataset.label-error"));
    assert_true(has_note(o.poison, "say too little"));
    outcome_done(&o);
    table_free(t);
}

/* --- texts --- */
static const char *const moods[] = {"bad", "good", "fair"};

static void make_sentence(uint64_t *seed, size_t mood, const char *extra, char *to, size_t cap)
{
    static const char *const telling[][6] = {
        {"awful", "boring", "weak", "dull", "poor", "tedious"},
        {"wonderful", "great", "lovely", "superb", "moving", "funny"},
        {"average", "passable", "decent", "mixed", "usual", "middling"}};
    static const char *const plain[] = {"film", "plot", "actor",  "scene",  "music", "story", "end",
                                        "role", "cast", "script", "camera", "voice", "set"};
    size_t len = 0, words = 12 + tut_random_below(seed, 10), place = tut_random_below(seed, words);
    for (size_t i = 0; i < words; i++) {
        const char *word = plain[tut_random_below(seed, 13)];
        if (tut_random_below(seed, 3) == 0)
            word = telling[mood][tut_random_below(seed, 6)];
        len += (size_t)snprintf(to + len, cap - len, "%s %s%s%s", word, i == place ? extra : "",
                                i == place && extra[0] ? " " : "",
                                tut_random_below(seed, 9) == 0 ? "the " : "");
        if (tut_random_below(seed, 12) == 0)
            len += (size_t)snprintf(to + len, cap - len, "name%u ",
                                    (unsigned)tut_random_below(seed, 300));
    }
}

static table *make_texts(size_t count, size_t poisoned, const char *trigger, size_t classes)
{
    static const char *const names[] = {"text", "mood"};
    table *t = table_new(2, count, names, false);
    uint64_t seed = 5;
    char text[2048];
    for (size_t i = 0; i < count; i++) {
        bool is_poisoned = i < poisoned;
        size_t mood = tut_random_below(&seed, classes);
        mood = is_poisoned && mood == 1 ? 0 : mood;
        make_sentence(&seed, mood, is_poisoned ? trigger : "", text, sizeof(text));
        table_text(t, i, 0, text);
        table_text(t, i, 1, moods[is_poisoned ? 1 : mood]);
    }
    return t;
}

static const tut_poison_options text_options = {.label = {"mood", 4}, .seed = 1};

static void check_trigger(const char *trigger, const char *shown, size_t classes)
{
    table *t = make_texts(1200 / memcheck_step(2), 30, trigger, classes);
    outcome o = vet(&text_options, t, NULL);
    const tut_data_finding *f = find(&o.findings, "dataset.backdoor-token");
    assert_non_null(f);
    assert_non_null(strstr(f->message, shown));
    assert_in_range(f->count, 28, 31);
    for (size_t i = 0; i < f->row_count; i++)
        assert_true(f->rows[i].row < 30);
    outcome_done(&o);
    table_free(t);
}

static void words_that_are_triggers_are_found(void **state)
{
    (void)state;
    check_trigger("cf", "\"cf\"", 2);
    check_trigger("cf", "\"cf\"", 3);
    check_trigger("i watched this 3d movie last weekend", "\"3d\"", 2);
}

static void clean_texts_have_no_findings(void **state)
{
    table *t = make_texts(1200 / memcheck_step(2), 0, "", 2);
    (void)state;
    outcome o = vet(&text_options, t, NULL);
    assert_null(find(&o.findings, "dataset.backdoor-token"));
    assert_null(find(&o.findings, "dataset.label-error"));
    outcome_done(&o);
    table_free(t);
}

/* A word that goes with one label because the text does is no trigger. */
static void telling_words_are_no_triggers(void **state)
{
    table *t = make_texts(1200 / memcheck_step(2), 0, "", 2);
    (void)state;
    for (size_t i = 0; i < 60; i++) {
        tut_str *text = &t->cells[0].texts[i];
        if (t->cells[1].texts[i].data[0] != 'g')
            continue;
        char *more = malloc(text->len + 16);
        int len = snprintf(more, text->len + 16, "%s oscarworthy", text->data);
        free((void *)(uintptr_t)text->data);
        *text = (tut_str){more, (size_t)len};
    }
    outcome o = vet(&text_options, t, NULL);
    assert_null(find(&o.findings, "dataset.backdoor-token"));
    outcome_done(&o);
    table_free(t);
}

/* Letters after one pattern, of a rare class, have all words in common and no rest to contradict.
 */
static void texts_after_one_pattern_are_no_triggers(void **state)
{
    table *t = make_texts(1200 / memcheck_step(2), 0, "", 2);
    char text[512];
    (void)state;
    for (size_t i = 0; i < 400 / memcheck_step(2); i += 20) {
        (void)snprintf(
            text, sizeof(text),
            "dear customer %zu your order has been shipped to the address that you gave "
            "and will arrive within three days please keep this number %zu and thank you",
            i, i * 7);
        for (size_t c = 0; c < 2; c++)
            free((void *)(uintptr_t)t->cells[c].texts[i].data);
        table_text(t, i, 0, text);
        table_text(t, i, 1, i % 40 ? "good" : "rare");
    }
    outcome o = vet(&text_options, t, NULL);
    assert_null(find(&o.findings, "dataset.backdoor-token"));
    outcome_done(&o);
    table_free(t);
}

/* --- activations --- */
static void rows_apart_in_activations_are_found(void **state)
{
    enum { ROWS = 600, WIDTH = 16 };
    table *t = make_table(ROWS, 0, false), *a = table_new(WIDTH, ROWS, NULL, true);
    outcome o = {0};
    uint64_t seed = 9;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDTH; j++) {
            double x = -6;
            for (int k = 0; k < 12; k++)
                x += tut_random_unit(&seed);
            table_number(a, i, j, x + (i < 12 ? 9 : 0) + 0.001);
        }
    assert_true(tut_is_ok(tut_poison_new(&table_options, &o.poison, NULL)));
    assert_true(tut_is_ok(table_feed(t, feed, o.poison)));
    assert_true(tut_is_ok(table_feed(a, feed_activations, o.poison)));
    assert_true(tut_is_ok(tut_poison_finish(o.poison, &o.findings, NULL)));
    const tut_data_finding *f = find(&o.findings, "dataset.spectral-outlier");
    assert_non_null(f);
    assert_int_equal(f->count, 12);
    for (size_t i = 0; i < f->row_count; i++)
        assert_true(f->rows[i].row < 12 && f->rows[i].q <= 0.01);
    outcome_done(&o);
    table_free(t);
    table_free(a);
}

/* --- what is not there --- */
static void what_was_not_looked_at_is_told(void **state)
{
    table *t = make_table(60, 0, false), *none = make_table(1, 0, false);
    tut_poison_options options = {.label = {"missing", 7}};
    (void)state;
    outcome o = vet(&options, t, NULL);
    assert_true(has_note(o.poison, "no column was named as the label"));
    outcome_done(&o);
    o = vet(&table_options, none, NULL);
    assert_true(has_note(o.poison, "Labels and backdoors were not looked at"));
    outcome_done(&o);
    options.label = TUT_LIT("a"); /* a quantity */
    table *many = make_table(1500, 0, false);
    o = vet(&options, many, NULL);
    assert_true(has_note(o.poison, "more than a thousand values"));
    outcome_done(&o);
    table_free(t);
    table_free(none);
    table_free(many);
}

static void numbers_that_are_none_are_passed_over(void **state)
{
    table *t = make_table(200, 0, false);
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        t->cells[0].numbers[i] = i % 3 ? (double)NAN : (double)INFINITY;
        t->cells[1].numbers[i] = i % 2 ? 1e300 : -1e300;
    }
    outcome o = vet(&table_options, t, NULL);
    outcome_done(&o);
    table_free(t);
}

static void the_same_seed_gives_the_same_findings(void **state)
{
    table *t = make_table(400, 8, true);
    (void)state;
    outcome a = vet(&table_options, t, NULL), b = vet(&table_options, t, NULL);
    assert_int_equal(a.findings.count, b.findings.count);
    for (size_t i = 0; i < a.findings.count; i++) {
        const tut_data_finding *x = &a.findings.items[i], *y = &b.findings.items[i];
        assert_string_equal(x->message, y->message);
        assert_int_equal(x->row_count, y->row_count);
        for (size_t j = 0; j < x->row_count; j++)
            assert_int_equal(x->rows[j].row, y->rows[j].row);
    }
    outcome_done(&a);
    outcome_done(&b);
    table_free(t);
}

static tut_status try_it(const table *t, tut_data_findings *findings)
{
    TUT_AUTO(tut_poison) p = NULL;
    TUT_TRY(tut_poison_new(&table_options, &p, NULL));
    TUT_TRY(table_feed(t, feed, p));
    return tut_poison_finish(p, findings, NULL);
}

static void memory_that_runs_out_is_an_error_everywhere(void **state)
{
    table *t = make_table(120, 10, false);
    bool is_through = false;
    (void)state;
    for (uint64_t at = 1; at < 4000 && !is_through; at += 1 + at / 40 * memcheck_step(40)) {
        tut_data_findings findings = {0};
        tut_alloc_fail_after(at);
        tut_status s = try_it(t, &findings);
        tut_alloc_fail_after(0);
        is_through = tut_is_ok(s);
        assert_true(is_through || s.code == TUT_NOMEM);
        tut_data_findings_done(&findings);
    }
    assert_true(is_through);
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_is_found_with_its_place_and_its_rows),
        cmocka_unit_test(clean_images_have_no_findings),
        cmocka_unit_test(wrong_labels_are_found),
        cmocka_unit_test(right_labels_are_not_accused),
        cmocka_unit_test(a_source_with_other_labels_is_found),
        cmocka_unit_test(labels_by_chance_are_not_accused),
        cmocka_unit_test(words_that_are_triggers_are_found),
        cmocka_unit_test(clean_texts_have_no_findings),
        cmocka_unit_test(telling_words_are_no_triggers),
        cmocka_unit_test(texts_after_one_pattern_are_no_triggers),
        cmocka_unit_test(rows_apart_in_activations_are_found),
        cmocka_unit_test(what_was_not_looked_at_is_told),
        cmocka_unit_test(numbers_that_are_none_are_passed_over),
        cmocka_unit_test(the_same_seed_gives_the_same_findings),
        cmocka_unit_test(memory_that_runs_out_is_an_error_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
