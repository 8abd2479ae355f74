/* What is gathered of datasets: findings, splits, the worker's answer, and the places to cut. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "data/sanitise_internal.h"
#include "data/vet_inputs.h"
#include "data/vet_internal.h"
#include "memcheck.h"
#include "text/unseen.h"

static void splits_are_words_of_the_name(void **state)
{
    static const struct {
        const char *path;
        tut_split split;
    } cases[] = {
        {"train.csv", TUT_SPLIT_TRAIN},
        {"data/x-test.jsonl", TUT_SPLIT_TEST},
        {"applications_TRAIN.csv", TUT_SPLIT_TRAIN},
        {"val/part-0.csv", TUT_SPLIT_VALIDATION},
        {"trainers.csv", TUT_SPLIT_NONE},
        {"latest.csv", TUT_SPLIT_NONE},
        {"dev.json", TUT_SPLIT_VALIDATION},
        {"eval/train.csv", TUT_SPLIT_TRAIN},
        {"a/b/c.csv", TUT_SPLIT_NONE},
        {"", TUT_SPLIT_NONE},
        {"train/", TUT_SPLIT_TRAIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(tut_split_guess(cases[i].path), cases[i].split);
}

static void checks_are_words_of_a_list(void **state)
{
    unsigned checks = 0;
    tut_error err = {0};
    (void)state;
    assert_true(tut_is_ok(tut_vet_checks_parse("profile,poison", &checks, NULL)));
    assert_int_equal(checks, TUT_VET_BIT(TUT_VET_PROFILE) | TUT_VET_BIT(TUT_VET_POISON));
    assert_int_equal(tut_vet_checks_parse("profile,,poison", &checks, &err).code, TUT_USAGE);
    assert_int_equal(tut_vet_checks_parse("poisson", &checks, &err).code, TUT_USAGE);
    assert_non_null(strstr(err.text, "poisson"));
}

static void what_is_found_is_printable_and_bounded(void **state)
{
    tut_data_findings found = {0};
    tut_data_finding *f;
    (void)state;
    for (int i = 0; i < TUT_DATA_FOUND + 5; i++)
        assert_true(tut_is_ok(tut_data_found(&found, "dataset.secret", TUT_LIT("a\nb\xff"), &f,
                                             NULL, "\x1b[31m%d \xe2\x82", i)));
    assert_int_equal(found.count, TUT_DATA_FOUND);
    assert_int_equal(found.left_out, 5);
    assert_string_equal(f->column, "a?b");
    assert_int_equal(f->message[0], '?');
    assert_true(tut_utf8_valid(tut_str_of(f->message)));
    for (uint64_t i = 0; i < TUT_DATA_ROWS_SHOWN + 7; i++)
        assert_true(tut_is_ok(tut_data_found_row(f, i, 1, NAN, NAN, "\t", NULL)));
    assert_int_equal(f->count, TUT_DATA_ROWS_SHOWN + 7);
    assert_int_equal(f->row_count, TUT_DATA_ROWS_SHOWN);
    assert_string_equal(f->rows[0].note, "?");
    tut_data_findings_done(&found);
}

/* --- the worker's answer --- */

static void fill(tut_vet_dataset *d)
{
    tut_data_finding *f;
    *d = (tut_vet_dataset){.status = TUT_VET_INCOMPLETE,
                           .rows = 12,
                           .columns = 3,
                           .exact = 1,
                           .near = 2,
                           .leaked = 3,
                           .unverified = 4,
                           .checks = TUT_VET_ALL};
    strcpy(d->problem, "cut off");
    strcpy(d->format, "csv");
    strcpy(d->layout, "table");
    d->profile = tut_strdup("{\"rows\":12}");
    d->kind_count = 1;
    d->kinds[0] = (tut_vet_kind){
        .id = "email", .label = "E-mail address", .type = TUT_TEXT_CONTACT, .count = 9, .rows = 8};
    assert_true(tut_is_ok(tut_vet_note(d, "nothing", NULL)));
    assert_true(tut_is_ok(tut_vet_note(d, "nothing", NULL))); /* once */
    assert_true(tut_is_ok(
        tut_data_found(&d->found, "dataset.label-error", TUT_LIT("y"), &f, NULL, "two rows")));
    f->q = 0.01;
    assert_true(tut_is_ok(tut_data_found_row(f, 5, 0.75, 0.5, 0.25, "is 3", NULL)));
    assert_true(tut_is_ok(tut_data_found_row(f, 7, 0.5, NAN, NAN, NULL, NULL)));
}

static void an_answer_comes_back_as_it_was(void **state)
{
    tut_vet_dataset d, back = {.path = "x"};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    (void)state;
    fill(&d);
    tut_vet_answer(&d, &bytes);
    tut_reader r = tut_reader_of(tut_buf_span(&bytes));
    assert_true(tut_is_ok(tut_vet_answer_read(&r, &back, NULL)));
    assert_int_equal(tut_reader_left(&r), 0);
    assert_int_equal(back.status, TUT_VET_INCOMPLETE);
    assert_string_equal(back.problem, "cut off");
    assert_string_equal(back.profile, "{\"rows\":12}");
    assert_string_equal(back.kinds[0].label, "E-mail address");
    assert_int_equal(back.note_count, 1);
    assert_int_equal(back.leaked, 3);
    const tut_data_finding *f = &back.found.items[0];
    assert_string_equal(f->rule, "dataset.label-error");
    assert_true(f->q == 0.01 && isnan(f->p) && isnan(f->score));
    assert_int_equal(f->row_count, 2);
    assert_int_equal(f->count, 2);
    assert_true(f->rows[0].row == 5 && f->rows[0].p == 0.5 && isnan(f->rows[1].q));
    tut_vet_dataset_done(&back);
    tut_vet_dataset_done(&d);
}

/* Cut anywhere it is refused; with a bit turned it decodes or is refused, and never more. */
static void a_broken_answer_is_refused(void **state)
{
    tut_vet_dataset d;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    (void)state;
    fill(&d);
    tut_vet_answer(&d, &bytes);
    for (size_t n = 0; n < bytes.len; n += memcheck_step(7)) {
        tut_vet_dataset back = {.path = "x"};
        tut_reader r = tut_reader_of(tut_span_of(bytes.data, n));
        assert_false(tut_is_ok(tut_vet_answer_read(&r, &back, NULL)));
        tut_vet_dataset_done(&back);
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit += memcheck_step(31)) {
        tut_vet_dataset back = {.path = "x"};
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tut_reader r = tut_reader_of(tut_buf_span(&bytes));
        if (tut_is_ok(tut_vet_answer_read(&r, &back, NULL)))
            for (size_t i = 0; i < back.found.count; i++)
                assert_non_null(tut_rule_find(tut_str_of(back.found.items[i].rule)));
        tut_vet_dataset_done(&back);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tut_vet_dataset_done(&d);
}

static void a_reply_names_kinds_that_can_be_written_into_data(void **state)
{
    sanitise_reply made = {.cuts = 3, .kind_count = 2, .kinds = {"email", "us-ssn"}};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    sanitise_reply *back = tut_alloc_array(1, sizeof(*back));
    (void)state;
    tut_sanitise_reply_put(&made, &bytes);
    assert_true(tut_is_ok(tut_sanitise_reply_get(tut_buf_span(&bytes), back, NULL)));
    assert_string_equal(back->kinds[1], "us-ssn");
    tut_buf_clear(&bytes);
    strcpy(made.kinds[0], "\"><b");
    tut_sanitise_reply_put(&made, &bytes);
    assert_false(tut_is_ok(tut_sanitise_reply_get(tut_buf_span(&bytes), back, NULL)));
    tut_free(back);
    for (int i = 0; i < 100; i++) {
        sanitise_cut c = {UINT64_C(1) << i % 60, UINT64_C(1) << (i + 1) % 60, (uint16_t)(i * 700),
                          i & 1};
        uint8_t as[SANITISE_CUT_BYTES];
        tut_sanitise_cut_put(&c, as);
        sanitise_cut d = tut_sanitise_cut_get(as);
        assert_true(c.begin == d.begin && c.end == d.end && c.kind == d.kind &&
                    c.is_number == d.is_number);
    }
}

/* --- which files --- */

static char dir[] = "/tmp/tutela-test-vet-XXXXXX";

static const char *put(const char *name)
{
    static char path[4][256];
    static unsigned at;
    char *to = path[at++ % 4];
    (void)snprintf(to, sizeof(path[0]), "%s/%s", dir, name);
    assert_true(tut_is_ok(tut_fs_write(to, tut_span_of("x", 1), 0600, NULL)));
    return to;
}

static void folders_of_texts_are_one_dataset_and_labels_join_their_images(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    char sub[64];
    (void)snprintf(sub, sizeof(sub), "%s/b", dir);
    assert_true(tut_is_ok(tut_fs_mkdirs(sub, 0700, NULL)));
    (void)put("a.txt");
    (void)put("b/one.csv.gz");
    (void)put("b/x.md");
    (void)put("c.md");
    (void)put("program.py");
    (void)put("t-images-idx3-ubyte");
    (void)put("t-labels-idx1-ubyte");
    const char *paths[] = {dir};
    TUT_CLEAN(tut_vet_inputs) in = {0};
    assert_true(tut_is_ok(tut_vet_inputs_collect(paths, 1, &in, NULL)));
    assert_int_equal(in.count, 4);
    assert_int_equal(in.passed_over, 1);
    assert_string_equal(in.items[0].path, dir);
    assert_int_equal(in.items[0].file_count, 2); /* a.txt and c.md, though b/ stands between them */
    assert_int_equal(in.items[1].file_count, 1);
    assert_non_null(strstr(in.items[1].path, "b/one.csv.gz"));
    assert_non_null(strstr(in.items[2].path, "b/x.md"));
    assert_non_null(strstr(in.items[3].path, "images"));
    assert_non_null(strstr(in.items[3].labels, "labels"));
    const char *named[] = {put("program.py")};
    TUT_CLEAN(tut_vet_inputs) one = {0};
    assert_true(tut_is_ok(tut_vet_inputs_collect(named, 1, &one, NULL)));
    assert_int_equal(one.count, 1); /* whoever names a file means it */
}

/* --- hidden characters, one by one --- */
static void hidden_characters_are_found_one_by_one(void **state)
{
    static const struct {
        const char *text;
        size_t at[3], count;
    } cases[] = {
        {"plain", {0}, 0},
        {"a\xe2\x80\x8b"
         "b",
         {1},
         1}, /* zero-width space */
        {"\xe2\x80\xae"
         "x\xe2\x80\xac",
         {0, 4},
         2}, /* override and its end */
        {"a\xe2\x80\x8d\xe2\x80\x8d"
         "b",
         {1, 4},
         2},                                                  /* joiners between Latin letters */
        {"a\xe2\x80\x8b\xe2\x80\x8d\xe2\x82\xac", {1, 4}, 2}, /* joiner behind what goes */
        {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", {0}, 0}, /* woman, joiner, computer */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = 0;
        for (tut_unseen u = {.text = tut_str_of(cases[i].text)}; tut_unseen_next(&u) > 0; n++) {
            assert_true(n < cases[i].count);
            assert_int_equal(u.at, cases[i].at[n]);
        }
        assert_int_equal(n, cases[i].count);
    }
}

/* --- memory --- */

static char many_rows[] = "/tmp/tutela-vet-XXXXXX.csv";

static void write_rows(void)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    int fd = mkstemps(many_rows, 4);
    assert_true(fd >= 0);
    (void)close(fd);
    tut_buf_add_z(&text, "id,text,label\n");
    for (int i = 0; i < 600; i++)
        tut_buf_printf(&text, "%d,the %d quick brown fox number %d jumps over it,%d\n", i, i % 97,
                       i % 301, i % 2);
    assert_true(tut_is_ok(tut_fs_write(many_rows, tut_buf_span(&text), 0600, NULL)));
}

/* Whichever allocation fails: all that is said to have been looked for was, and a heavy check that
 * could not be carried through leaves what the others found. */
static void a_check_without_memory_leaves_the_others(void **state)
{
    const char *files[] = {many_rows};
    const tut_vet_input input = {
        .path = many_rows, .files = files, .file_count = 1, .label = "label"};
    const unsigned checks = TUT_VET_BIT(TUT_VET_PROFILE) | TUT_VET_BIT(TUT_VET_DUPLICATES) |
                            TUT_VET_BIT(TUT_VET_POISON);
    const tut_vet_options options = {.checks = checks};
    size_t whole = 0, left = 0;
    (void)state;
    write_rows();
    for (uint64_t at = 1; at < 4000; at += memcheck_step(9) * (at < 40 ? 7 : 61)) {
        TUT_AUTO(tut_vet) v = NULL;
        tut_error err = {0};
        tut_alloc_fail_after(at);
        tut_status status = tut_vet_run(&input, 1, &options, &v, &err);
        tut_alloc_fail_after(0);
        if (!tut_is_ok(status)) {
            assert_int_equal(status.code, TUT_NOMEM);
            continue;
        }
        const tut_vet_dataset *d = &v->items[0];
        if (d->status == TUT_VET_COMPLETE) {
            assert_int_equal(d->checks & checks, checks);
            assert_int_equal(d->rows, 600);
            whole++;
        } else {
            assert_non_null(strstr(d->problem, "memory"));
            left += d->rows == 600 && (d->checks & TUT_VET_BIT(TUT_VET_PROFILE)) &&
                    !(d->checks & TUT_VET_BIT(TUT_VET_POISON));
        }
    }
    (void)unlink(many_rows);
    assert_true(whole > 0);
    assert_true(left > 0 || RUNNING_ON_VALGRIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_are_words_of_the_name),
        cmocka_unit_test(checks_are_words_of_a_list),
        cmocka_unit_test(what_is_found_is_printable_and_bounded),
        cmocka_unit_test(an_answer_comes_back_as_it_was),
        cmocka_unit_test(a_broken_answer_is_refused),
        cmocka_unit_test(a_reply_names_kinds_that_can_be_written_into_data),
        cmocka_unit_test(folders_of_texts_are_one_dataset_and_labels_join_their_images),
        cmocka_unit_test(hidden_characters_are_found_one_by_one),
        cmocka_unit_test(a_check_without_memory_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
