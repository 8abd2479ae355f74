#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "data/near.h"
#include "memcheck.h"
#include "stats/random.h"

static tut_near *begin(const tut_near_options *options)
{
    tut_near *n;
    tut_near_options none = {.seed = 7};
    assert_true(tut_is_ok(tut_near_new(options ? options : &none, &n, NULL)));
    return n;
}

static void add(tut_near *n, tut_split split, uint64_t row, const char *text)
{
    assert_true(tut_is_ok(tut_near_add(n, 0, split, row, tut_str_of(text), NULL)));
}

static const tut_near_document *finish(tut_near *n)
{
    size_t count;
    assert_true(tut_is_ok(tut_near_finish(n, NULL)));
    return tut_near_documents(n, &count);
}

static void white_space_does_not_tell_texts_apart(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    (void)state;
    add(n, TUT_SPLIT_NONE, 0, "the cat sat on the mat");
    add(n, TUT_SPLIT_NONE, 1, "  the cat\tsat \n on the  mat ");
    add(n, TUT_SPLIT_NONE, 2, "The cat sat on the mat");
    add(n, TUT_SPLIT_NONE, 3, "the cat sat on the mat!");
    add(n, TUT_SPLIT_NONE, 4, "a < b");
    add(n, TUT_SPLIT_NONE, 5, "a > b");
    const tut_near_document *d = finish(n);
    assert_true(d[1].is_exact && d[1].link == 0);
    assert_true(!d[2].is_exact && d[2].link == 0 && d[2].jaccard >= 1); /* letter case */
    assert_true(!d[3].is_exact && d[3].link != TUT_NEAR_NONE);
    assert_false(d[5].is_exact);
    assert_int_equal(tut_near_about(n)->exact, 1);
}

/* Of 40 different words, the last replaced: 35 shingles of 36 and 36 in common, 35 / 37. */
static void the_coefficient_is_that_of_the_shingles(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    char a[512] = "", b[512] = "", word[16];
    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(word, sizeof(word), "w%d ", i);
        strcat(a, word);
        strcat(b, i == 39 ? "other" : word);
    }
    add(n, TUT_SPLIT_NONE, 0, a);
    add(n, TUT_SPLIT_NONE, 1, b);
    const tut_near_document *d = finish(n);
    assert_int_equal(d[1].link, 0);
    assert_true((double)d[1].jaccard > 35.0 / 37 - 1e-6 && (double)d[1].jaccard < 35.0 / 37 + 1e-6);
}

static void texts_that_share_too_little_are_no_duplicates(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    (void)state;
    add(n, TUT_SPLIT_NONE, 0, "one two three four five six seven eight nine ten");
    add(n, TUT_SPLIT_NONE, 1, "one two three four five six seven other words here");
    const tut_near_document *d = finish(n);
    assert_int_equal(d[1].link, TUT_NEAR_NONE);
    assert_int_not_equal(d[0].cluster, d[1].cluster);
}

static void scripts_without_spaces_have_words_too(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    (void)state;
    add(n, TUT_SPLIT_NONE, 0,
        "今日は天気がとても良いので公園まで散歩に行きましたそして友達に会いました");
    add(n, TUT_SPLIT_NONE, 1,
        "今日は天気がとても良いので公園まで散歩に行きましたそして友達に会いまして");
    add(n, TUT_SPLIT_NONE, 2,
        "昨日は雨が降っていたので家で本を読みながら静かに過ごしていましたとさ");
    const tut_near_document *d = finish(n);
    assert_int_equal(d[1].link, 0);
    assert_int_equal(d[2].link, TUT_NEAR_NONE);
}

static void rows_of_tables_repeat_only_when_equal(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    const char *rows[] = {"1,2,3", "1,2,4", "1,2,3", "", ""};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_true(tut_is_ok(tut_near_add_row(n, 0, TUT_SPLIT_NONE, i,
                                               tut_span_of(rows[i], strlen(rows[i])), NULL)));
    const tut_near_document *d = finish(n);
    assert_int_equal(d[1].link, TUT_NEAR_NONE);
    assert_int_equal(d[2].link, 0);
    assert_int_equal(d[4].link, 3);
}

/* --- many documents, planted truth --- */
enum { WORDS = 60 };
static void make_text(uint64_t seed, unsigned changes, char *to, size_t cap)
{
    uint64_t state = seed * 2 + 1, other = seed + changes * 977 + 5;
    size_t len = 0;
    unsigned changed[8];
    for (unsigned i = 0; i < changes; i++)
        changed[i] = (unsigned)tut_random_below(&other, WORDS);
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned word = (unsigned)tut_random_below(&state, 5000);
        for (unsigned c = 0; c < changes; c++)
            word += changed[c] == i ? 10000 : 0;
        len += (size_t)snprintf(to + len, cap - len, "word%u ", word);
    }
}

static tut_status lend(void *ctx, int *ret_fd, tut_error *err)
{
    TUT_TRY(tut_fs_open_nameless(ret_fd, err));
    *(int *)ctx = *ret_fd;
    return TUT_SUCCESS;
}

/* Every fourth is the one before with one word changed: 56 shingles, at most 5 of them new. */
static void check_planted(const tut_near_options *options, unsigned count)
{
    TUT_AUTO(tut_near) n = begin(options);
    char text[1024];
    unsigned found = 0, planted = 0;
    for (unsigned i = 0; i < count; i++) {
        make_text(i % 4 == 3 ? i - 1 : i, i % 4 == 3, text, sizeof(text));
        add(n, TUT_SPLIT_NONE, i, text);
    }
    const tut_near_document *d = finish(n);
    for (unsigned i = 0; i < count; i++) {
        planted += i % 4 == 3;
        found += i % 4 == 3 && d[i].link == i - 1;
        if (i % 4 != 3)
            assert_int_equal(d[i].link, TUT_NEAR_NONE);
    }
    assert_true(found >= planted * 99 / 100);
    assert_int_equal(tut_near_about(n)->pairs_left_out, 0);
}

static void planted_duplicates_are_found_and_nothing_else(void **state)
{
    tut_near_options options = {.seed = 5};
    (void)state;
    check_planted(&options, 4000 / memcheck_step(10));
}

static void a_scratch_file_changes_nothing(void **state)
{
    int fd = -1;
    tut_near_options options = {.seed = 5, .memory_bytes = 1, .scratch = lend, .ctx = &fd};
    (void)state;
    check_planted(&options, 4000 / memcheck_step(4));
    assert_true(fd >= 0);
    close(fd);
}

static void without_room_the_rest_is_compared_exactly_and_counted(void **state)
{
    tut_near_options options = {.seed = 5, .memory_bytes = 1};
    TUT_AUTO(tut_near) n = begin(&options);
    char text[1024];
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        make_text(i, 0, text, sizeof(text));
        add(n, TUT_SPLIT_NONE, i, text);
    }
    add(n, TUT_SPLIT_NONE, 1000, text);
    const tut_near_document *d = finish(n);
    assert_in_range(tut_near_about(n)->unmatched, 500, 1000);
    assert_true(d[1000].is_exact && d[1000].link == 999);
}

static tut_status lend_read_only(void *ctx, int *ret_fd, tut_error *err)
{
    (void)err;
    *ret_fd = *(int *)ctx;
    return TUT_SUCCESS;
}

static void a_scratch_file_that_fails_is_an_error(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    tut_near_options options = {
        .seed = 5, .memory_bytes = 1, .scratch = lend_read_only, .ctx = &ends[0]};
    TUT_AUTO(tut_near) n = begin(&options);
    char text[1024];
    tut_status s = TUT_SUCCESS;
    for (unsigned i = 0; i < 1000 && tut_is_ok(s); i++) {
        make_text(i, 0, text, sizeof(text));
        s = tut_near_add(n, 0, TUT_SPLIT_NONE, i, tut_str_of(text), NULL);
    }
    assert_int_equal(s.code, TUT_IO);
    close(ends[0]);
    close(ends[1]);
}

/* --- what somebody makes who wants it to take long --- */
static void equal_documents_cost_nothing(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    (void)state;
    for (unsigned i = 0; i < 20000 / memcheck_step(10); i++)
        add(n, TUT_SPLIT_NONE, i, "the same text again and again, for ever and a day");
    (void)finish(n);
    assert_int_equal(tut_near_about(n)->pairs_verified, 0);
    assert_int_equal(tut_near_about(n)->exact, tut_near_about(n)->documents - 1);
}

static void documents_that_are_all_alike_are_verified_once_each(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    unsigned count = 4000 / memcheck_step(10);
    char text[1100];
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        make_text(1, 0, text, 1024);
        (void)snprintf(text + strlen(text), 40, "end%u", i);
        add(n, TUT_SPLIT_NONE, i, text);
    }
    const tut_near_document *d = finish(n);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(d[i].cluster, 0);
    assert_true(tut_near_about(n)->pairs_verified < 2ul * count);
}

/* Texts of one shingle each are in all bands alone; those that share half their shingles share
 * some bands, and are not duplicates: eight a band are compared, no more. */
static void look_alikes_that_are_no_duplicates_are_bounded(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    unsigned count = 3000 / memcheck_step(10);
    char text[2200];
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        make_text(1, 0, text, 1024);
        make_text(1000 + i, 0, text + strlen(text), 1024);
        text[strlen(text) - 300] = '\0';
        add(n, TUT_SPLIT_NONE, i, text);
    }
    (void)finish(n);
    const tut_near_counts *c = tut_near_about(n);
    assert_int_equal(c->near, 0);
    assert_true(c->pairs_verified <= 21ul * 8 * count);
    assert_true(c->pairs_left_out > 0);
}

static void broken_text_is_text(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    static const char bytes[] = "\xff\xfe \xe3\x81 \xf0\x9f \0\0 \xc3";
    (void)state;
    for (size_t len = 0; len < sizeof(bytes); len++)
        assert_true(tut_is_ok(tut_near_add(n, 0, TUT_SPLIT_NONE, len,
                                           (tut_str){bytes + sizeof(bytes) - len, len}, NULL)));
    (void)finish(n);
}

/* --- leakage --- */
static const char long_text[] = "a text of enough words that it may be compared with another one "
                                "that is nearly the same as it is, but not quite";

static void what_spans_splits_is_told_for_each_pair(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    tut_data_findings findings = {0};
    char other[256];
    (void)state;
    (void)snprintf(other, sizeof(other), "%s, no", long_text);
    add(n, TUT_SPLIT_TRAIN, 0, long_text);
    add(n, TUT_SPLIT_TRAIN, 1, "something else that only the training data has");
    assert_true(tut_is_ok(tut_near_add(n, 1, TUT_SPLIT_TEST, 0, tut_str_of(other), NULL)));
    assert_true(tut_is_ok(tut_near_add(n, 1, TUT_SPLIT_TEST, 1, tut_str_of("a test row"), NULL)));
    assert_true(
        tut_is_ok(tut_near_add(n, 2, TUT_SPLIT_VALIDATION, 4, tut_str_of(long_text), NULL)));
    (void)finish(n);
    const tut_near_counts *c = tut_near_about(n);
    assert_int_equal(c->leaks[TUT_SPLIT_TEST][TUT_SPLIT_TRAIN], 1);
    assert_int_equal(c->leaks[TUT_SPLIT_VALIDATION][TUT_SPLIT_TRAIN], 1);
    assert_int_equal(c->leaks[TUT_SPLIT_TEST][TUT_SPLIT_VALIDATION], 1);
    const char *names[] = {"train.csv", "test.csv"};
    assert_true(tut_is_ok(tut_near_report(n, 1, TUT_LIT("text"), names, 2, &findings, NULL)));
    assert_int_equal(findings.count, 3); /* near, leakage from train, leakage from validation */
    assert_string_equal(findings.items[0].rule, "dataset.near-duplicate");
    assert_string_equal(findings.items[1].rule, "dataset.leakage");
    assert_string_equal(findings.items[1].rows[0].note, "like row 0 of train.csv");
    assert_int_equal(findings.items[1].count, 1);
    tut_data_findings_done(&findings);
}

static void clean_splits_have_no_findings(void **state)
{
    TUT_AUTO(tut_near) n = begin(NULL);
    tut_data_findings findings = {0};
    char text[1024];
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        make_text(i, 0, text, sizeof(text));
        add(n, i % 2 ? TUT_SPLIT_TRAIN : TUT_SPLIT_TEST, i, text);
    }
    (void)finish(n);
    assert_true(tut_is_ok(tut_near_report(n, 0, TUT_LIT(""), NULL, 0, &findings, NULL)));
    assert_int_equal(findings.count, 0);
}

static void memory_that_runs_out_is_an_error_everywhere(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 200; at++) {
        TUT_AUTO(tut_near) n = NULL;
        tut_near_options options = {.seed = 1};
        tut_alloc_fail_after(at);
        tut_status s = tut_near_new(&options, &n, NULL);
        for (unsigned i = 0; i < 20 && tut_is_ok(s); i++)
            s = tut_near_add(n, 0, TUT_SPLIT_NONE, i, tut_str_of(i % 3 ? long_text : "other"),
                             NULL);
        if (tut_is_ok(s))
            s = tut_near_finish(n, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s))
            return;
        assert_int_equal(s.code, TUT_NOMEM);
    }
    fail_msg("it never went through");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_does_not_tell_texts_apart),
        cmocka_unit_test(the_coefficient_is_that_of_the_shingles),
        cmocka_unit_test(texts_that_share_too_little_are_no_duplicates),
        cmocka_unit_test(scripts_without_spaces_have_words_too),
        cmocka_unit_test(rows_of_tables_repeat_only_when_equal),
        cmocka_unit_test(planted_duplicates_are_found_and_nothing_else),
        cmocka_unit_test(a_scratch_file_changes_nothing),
        cmocka_unit_test(without_room_the_rest_is_compared_exactly_and_counted),
        cmocka_unit_test(a_scratch_file_that_fails_is_an_error),
        cmocka_unit_test(equal_documents_cost_nothing),
        cmocka_unit_test(documents_that_are_all_alike_are_verified_once_each),
        cmocka_unit_test(look_alikes_that_are_no_duplicates_are_bounded),
        cmocka_unit_test(broken_text_is_text),
        cmocka_unit_test(what_spans_splits_is_told_for_each_pair),
        cmocka_unit_test(clean_splits_have_no_findings),
        cmocka_unit_test(memory_that_runs_out_is_an_error_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
