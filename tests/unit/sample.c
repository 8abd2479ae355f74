/* Rows of a dataset as a model takes them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "probe/sample_internal.h"

static char folder[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static const char *put(const char *name, tut_span bytes)
{
    const char *path = path_of(name);
    assert_true(tut_is_ok(tut_fs_write(path, bytes, 0600, NULL)));
    return path;
}

static const char *put_z(const char *name, const char *text)
{
    return put(name, tut_span_of(text, strlen(text)));
}

static tut_sample *read_it(const tut_sample_wish *wish)
{
    tut_sample *s = NULL;
    tut_error err = {0};
    tut_status status = tut_sample_read(wish, &s, &err);
    if (!tut_is_ok(status))
        print_error("%s: %s\n", err.path, err.text);
    assert_true(tut_is_ok(status));
    return s;
}

static void refuse(const tut_sample_wish *wish, tut_code code, const char *words)
{
    tut_sample *s = NULL;
    tut_error err = {0};
    tut_status status = tut_sample_read(wish, &s, &err);
    assert_int_equal(status.code, code);
    assert_null(s);
    if (!strstr(err.text, words))
        print_error("%s\n", err.text);
    assert_non_null(strstr(err.text, words));
}

static void a_table_is_rows_and_labels(void **state)
{
    (void)state;
    const char *path = put_z("a.csv", "x,kind,y,is\n1,b,2.5,0\n2,a,-3,1\n4,b,1e30,1\n,a,1,0\n");
    TUT_AUTO(tut_sample) s = read_it(&(tut_sample_wish){.path = path, .label = "kind"});
    assert_int_equal(s->count, 3);
    assert_int_equal(s->width, 3);
    assert_int_equal(s->left_out, 1);
    assert_int_equal(s->classes, 2);
    assert_string_equal(s->class_names[0], "a");
    assert_string_equal(s->class_names[1], "b");
    const uint32_t labels[] = {1, 0, 1};
    const float rows[] = {1, 2.5F, 0, 2, -3, 1, 4, 1e30F, 1};
    assert_memory_equal(s->labels, labels, sizeof(labels));
    assert_memory_equal(s->rows, rows, sizeof(rows));
    assert_string_equal(s->columns[1].name, "y");
    assert_true(s->columns[0].is_whole && !s->columns[0].is_bool && s->columns[2].is_bool);
    assert_true(s->columns[1].least == -3 && !s->columns[1].is_whole);
}

static void columns_are_taken_in_the_order_of_the_wish(void **state)
{
    static const char *const names[] = {"c", "a"}, *const slip[] = {"c", "incom"};
    (void)state;
    const char *path = put_z("n.csv", "a,b,c,income\n1,x,3,9\n4,y,6,9\n");
    TUT_AUTO(tut_sample)
    s = read_it(&(tut_sample_wish){.path = path, .names = names, .name_count = 2, .scale = 0.5});
    const float rows[] = {1.5F, 0.5F, 3, 2};
    assert_memory_equal(s->rows, rows, sizeof(rows));
    assert_null(s->labels);
    refuse(&(tut_sample_wish){.path = path, .names = slip, .name_count = 2}, TUT_USAGE,
           "there is no column incom; is it income");
    refuse(&(tut_sample_wish){.path = path, .label = "d"}, TUT_USAGE, "there is no column d");
}

static void whole_numbers_are_their_own_class(void **state)
{
    (void)state;
    const char *path = put_z("w.csv", "x,y\n0,3\n1,1\n2,3\n");
    TUT_AUTO(tut_sample) s = read_it(&(tut_sample_wish){.path = path, .label = "y"});
    assert_int_equal(s->classes, 4);
    assert_int_equal(s->labels[0], 3);
    assert_string_equal(s->class_names[2], "2");
    path = put_z("m.csv", "x,y\n0,1\n1,-1\n2,10\n3,9\n");
    TUT_AUTO(tut_sample) m = read_it(&(tut_sample_wish){.path = path, .label = "y"});
    const uint32_t labels[] = {1, 0, 3, 2}; /* -1, 1, 9, 10 */
    assert_memory_equal(m->labels, labels, sizeof(labels));
}

static void texts_are_one_clear_error(void **state)
{
    (void)state;
    const char *path = put_z("t.csv", "age,job,town,y\n1,x,u,0\n2,z,v,1\n");
    refuse(&(tut_sample_wish){.path = path, .label = "y"}, TUT_UNSUPPORTED,
           "column job and 1 more are text: choose columns of numbers with --columns");
    path = put_z("f.csv", "x,y\n1,0.5\n2,1\n");
    refuse(&(tut_sample_wish){.path = path, .label = "y"}, TUT_UNSUPPORTED, "not fractions");
    path = put_z("g.csv", "x,z\n1,\n,2\n");
    refuse(&(tut_sample_wish){.path = path}, TUT_UNSUPPORTED, "no row is whole");
    refuse(&(tut_sample_wish){.path = path_of("none")}, TUT_IO, "No such file");
    tut_buf many = TUT_BUF_INIT;
    tut_buf_add_z(&many, "x,y\n");
    for (int i = 0; i < 5000; i++)
        tut_buf_printf(&many, "1,n%d\n", i);
    path = put("many.csv", tut_buf_span(&many));
    refuse(&(tut_sample_wish){.path = path, .label = "y"}, TUT_LIMIT, "these are no classes");
    tut_buf_done(&many);
}

static void columns_that_come_late_are_asked_about(void **state)
{
    static const char *const names[] = {"b", "a"};
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    (void)state;
    for (int i = 0; i < 5000; i++)
        tut_buf_printf(&b, i < 4000 ? "{\"a\":%d,\"b\":1}\n" : "{\"a\":%d,\"b\":2,\"c\":3}\n", i);
    const char *path = put("l.jsonl", tut_buf_span(&b));
    refuse(&(tut_sample_wish){.path = path}, TUT_UNSUPPORTED, "different columns");
    TUT_AUTO(tut_sample)
    s = read_it(&(tut_sample_wish){.path = path, .names = names, .name_count = 2});
    assert_int_equal(s->count, 5000);
    assert_true(s->rows[2 * 4999] == 2 && s->rows[2 * 4999 + 1] == 4999);
}

/* Wanted rows are drawn evenly, come in the file's order, and the seed decides. */
static void a_sample_is_drawn_with_the_seed(void **state)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    (void)state;
    tut_buf_add_z(&b, "x,y\n");
    for (int i = 0; i < 20000; i++)
        tut_buf_printf(&b, "%d,%d\n", i, i % 3);
    const char *path = put("d.csv", tut_buf_span(&b));
    tut_sample_wish wish = {.path = path, .label = "y", .most = 1000, .seed = 5};
    TUT_AUTO(tut_sample) s = read_it(&wish);
    TUT_AUTO(tut_sample) again = read_it(&wish);
    wish.seed = 6;
    TUT_AUTO(tut_sample) other = read_it(&wish);
    double sum = 0;
    assert_int_equal(s->count, 1000);
    for (size_t i = 0; i < s->count; i++) {
        assert_true(s->rows[i] == (float)s->numbers[i] && s->labels[i] == s->numbers[i] % 3);
        assert_true(i == 0 || s->numbers[i] > s->numbers[i - 1]);
        sum += (double)s->numbers[i];
    }
    assert_true(fabs(sum / 1000 - 9999.5) < 4 * 5774 / sqrt(1000.0));
    assert_memory_equal(s->rows, again->rows, 1000 * sizeof(float));
    assert_memory_not_equal(s->rows, other->rows, 1000 * sizeof(float));
    assert_true(s->columns[0].most == 19999); /* of all rows that were read */
}

/* An array of bytes with its labels in a file beside it; more than one reply of a worker holds. */
static void arrays_have_their_labels_in_a_file(void **state)
{
    enum { ROWS = 12000, SIDE = 28 };
    TUT_CLEAN(tut_buf) images = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) labels = TUT_BUF_INIT;
    static const uint8_t image_head[] = {0, 0, 8, 3,    0, 0, ROWS >> 8, ROWS & 255,
                                         0, 0, 0, SIDE, 0, 0, 0,         SIDE};
    static const uint8_t label_head[] = {0, 0, 8, 1, 0, 0, ROWS >> 8, ROWS & 255};
    (void)state;
    tut_buf_add(&images, image_head, sizeof(image_head));
    tut_buf_add(&labels, label_head, sizeof(label_head));
    for (size_t i = 0; i < ROWS; i++)
        tut_buf_add_byte(&labels, (uint8_t)(i * 7 % 10));
    for (size_t i = 0; i < (size_t)ROWS * SIDE * SIDE; i++)
        tut_buf_add_byte(&images, (uint8_t)(i / (SIDE * SIDE)));
    const char *path = put("images.idx", tut_buf_span(&images));
    const char *label = put("labels.idx", tut_buf_span(&labels));
    TUT_AUTO(tut_sample)
    s = read_it(&(tut_sample_wish){.path = path, .label = label, .scale = 1.0 / 255});
    assert_int_equal(s->count, ROWS);
    assert_int_equal(s->width, SIDE * SIDE);
    assert_int_equal(s->classes, 10);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(s->labels[i], i * 7 % 10);
        assert_true(fabs(s->rows[i * SIDE * SIDE + 5] - (double)(uint8_t)i / 255) < 1e-6);
    }
    labels.data[labels.len - 1] = 3;
    labels.data[7]--; /* one label fewer */
    label = put("short.idx", tut_span_of(labels.data, labels.len - 1));
    refuse(&(tut_sample_wish){.path = path, .label = label}, TUT_USAGE, "12000 rows, but 11999");
}

static void two_samples_have_one_list_of_classes(void **state)
{
    (void)state;
    TUT_AUTO(tut_sample)
    a = read_it(&(tut_sample_wish){.path = put_z("w.csv", "x,y\n0,red\n1,blue\n"), .label = "y"});
    TUT_AUTO(tut_sample)
    b = read_it(&(tut_sample_wish){.path = put_z("m.csv", "x,y\n0,green\n1,red\n"), .label = "y"});
    TUT_AUTO(tut_sample)
    c = read_it(&(tut_sample_wish){.path = put_z("f.csv", "z,y\n0,green\n1,red\n"), .label = "y"});
    tut_error err = {0};
    assert_true(tut_is_ok(tut_sample_align(a, b, &err)));
    assert_int_equal(a->classes, 3);
    assert_int_equal(b->classes, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(a->class_names[i], b->class_names[i]);
    assert_string_equal(a->class_names[a->labels[0]], "red");
    assert_int_equal(b->labels[1], a->labels[0]);
    assert_string_equal(b->class_names[b->labels[0]], "green");
    assert_int_equal(tut_sample_align(a, c, &err).code, TUT_USAGE);
    assert_non_null(strstr(err.text, "column 0 is x in one and z in the other"));
}

static void the_example_of_credits_is_read(void **state)
{
    (void)state;
    TUT_AUTO(tut_sample)
    s = read_it(&(tut_sample_wish){.path = "examples/credit-scoring/data/applications-test.csv",
                                   .label = "defaulted"});
    assert_int_equal(s->width, 5);
    assert_int_equal(s->classes, 2);
    assert_string_equal(s->columns[0].name, "income");
    assert_true(s->count > 100 && s->left_out == 0);
}

/* Every allocation of what takes the worker's answer fails once, and every byte of it is cut. */
static void an_answer_is_taken_whole_or_not_at_all(void **state)
{
    TUT_CLEAN(tut_buf) head = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) records = TUT_BUF_INIT;
    const double least = 0, most = 9;
    const float rows[] = {7, 2, 5};
    (void)state;
    tut_buf_add_u64le(&head, 3);
    tut_buf_add_u32le(&head, 1);
    tut_buf_add_u64le(&head, 0);
    tut_buf_add_u64le(&head, 9);
    tut_buf_add_byte(&head, 1);
    tut_buf_add_sized(&head, TUT_LIT("x"));
    tut_buf_add(&head, &least, 8);
    tut_buf_add(&head, &most, 8);
    tut_buf_add_byte(&head, 1);
    tut_buf_add_u32le(&head, 2);
    tut_buf_add_sized(&head, TUT_LIT("a"));
    tut_buf_add_sized(&head, TUT_LIT("b"));
    tut_buf_add_u32le(&head, 2);
    tut_buf_add_u32le(&head, 1);
    tut_buf_add_u32le(&head, 0);
    for (uint32_t i = 0; i < 3; i++) { /* rows 7, 2, 5 of the file; classes 0, 1, 0 by sight */
        tut_buf_add_u64le(&records, (uint64_t)rows[i]);
        tut_buf_add_u32le(&records, i % 2);
        tut_buf_add(&records, &rows[i], sizeof(rows[i]));
    }
    tut_source source = tut_source_memory(tut_buf_span(&records));
    for (size_t cut = 0; cut < head.len; cut++) {
        tut_sample *s = NULL;
        assert_false(tut_is_ok(sample_take((tut_span){head.data, cut}, &source, &s, NULL)));
    }
    bool is_whole = false;
    for (uint64_t n = 1; !is_whole; n++) {
        TUT_AUTO(tut_sample) s = NULL;
        tut_alloc_fail_after(n);
        tut_status status = sample_take(tut_buf_span(&head), &source, &s, NULL);
        tut_alloc_fail_after(0);
        assert_true(n < 100 && (tut_is_ok(status) || status.code == TUT_NOMEM));
        is_whole = tut_is_ok(status);
        if (!is_whole)
            continue;
        const uint32_t labels[] = {0, 1, 1}; /* in the order of the file: 2, 5, 7 */
        assert_true(s->rows[0] == 2 && s->rows[1] == 5 && s->rows[2] == 7 && s->whole == 9);
        assert_memory_equal(s->labels, labels, sizeof(labels));
    }
    source.size--;
    tut_sample *s = NULL;
    assert_int_equal(sample_take(tut_buf_span(&head), &source, &s, NULL).code, TUT_TRUNCATED);
}

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tutela-sample-XXXXXX");
    return mkdtemp(folder) ? 0 : 1;
}

static int end(void **state)
{
    static const char *const names[] = {"a.csv",      "n.csv",      "w.csv",    "m.csv",   "t.csv",
                                        "f.csv",      "g.csv",      "many.csv", "l.jsonl", "d.csv",
                                        "images.idx", "labels.idx", "short.idx"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_rows_and_labels),
        cmocka_unit_test(columns_are_taken_in_the_order_of_the_wish),
        cmocka_unit_test(whole_numbers_are_their_own_class),
        cmocka_unit_test(texts_are_one_clear_error),
        cmocka_unit_test(columns_that_come_late_are_asked_about),
        cmocka_unit_test(a_sample_is_drawn_with_the_seed),
        cmocka_unit_test(arrays_have_their_labels_in_a_file),
        cmocka_unit_test(two_samples_have_one_list_of_classes),
        cmocka_unit_test(an_answer_is_taken_whole_or_not_at_all),
        cmocka_unit_test(the_example_of_credits_is_read),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
