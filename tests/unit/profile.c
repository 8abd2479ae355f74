#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "data/profile.h"
#include "data/schema.h"
#include "memcheck.h"

static tut_profile *profile_of(const char *name, const void *bytes, size_t len)
{
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_profile) p = NULL;
    const tut_batch *b = NULL;
    tut_source source = tut_source_memory(tut_span_of(bytes, len));
    assert_true(tut_is_ok(tut_rows_open(&source, name, &rows, NULL)));
    assert_true(tut_is_ok(tut_profile_new(&p, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
        assert_true(tut_is_ok(tut_profile_add(p, b, NULL)));
    return tut_move(&p);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (1 + fabs(b));
}

static const tut_profile_column *column(const tut_profile *p, const char *name)
{
    const tut_profile_column *c = tut_profile_find(p, tut_str_of(name));
    assert_non_null(c);
    return c;
}

static void a_small_table_is_described_exactly(void **state)
{
    (void)state;
    static const char text[] = "id,x,name,ok\n1,2.5,Anna-Lena,true\n2,-1.5,Bo,false\n3,,Bo,true\n"
                               "4,nan,\"\",true\n5,0,2021-06-01,true\n";
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text, sizeof(text) - 1);
    bool is_exact;
    assert_int_equal(tut_profile_rows(p), 5);
    assert_int_equal(tut_profile_columns(p), 4);
    const tut_profile_column *id = column(p, "id");
    assert_true(id->is_increasing && id->first == 1 && id->last == 5);
    assert_int_equal(id->kinds[TUT_CELL_INTEGER], 5);
    assert_true(is_near(id->numbers.mean, 3) && is_near(tut_profile_deviation(id), sqrt(2.5)));
    assert_true(tut_profile_uniqueness(id) == 1);
    const tut_profile_column *x = column(p, "x");
    assert_int_equal(x->numbers.count, 3);
    assert_int_equal(x->numbers.nans, 1);
    assert_int_equal(x->numbers.zeros, 1);
    assert_int_equal(x->numbers.negative, 1);
    assert_int_equal(x->kinds[TUT_CELL_NONE], 1);
    assert_true(x->numbers.least == -1.5 && x->numbers.most == 2.5 && !x->is_increasing);
    assert_true(tut_profile_null_share(x) == 0.2);
    const tut_profile_column *name = column(p, "name");
    assert_int_equal(name->texts.count, 4);
    assert_int_equal(name->texts.least, 2);
    assert_int_equal(name->texts.most, 10);
    assert_true(tut_profile_distinct(name, &is_exact) == 3 && is_exact);
    assert_int_equal(name->shape_count, 3);
    assert_string_equal(name->shapes[0].text, "Aa+-Aa+");
    assert_string_equal(name->shapes[1].text, "Aa+");
    assert_int_equal(name->shapes[1].count, 2);
    assert_string_equal(name->shapes[2].text, "9999-99-99");
    const tut_heavy_item *top;
    assert_int_equal(tut_heavy_top(&name->values, &top, 1), 1);
    assert_true(top->count == 2 && tut_str_eq_z(tut_heavy_text(&name->values, top), "Bo"));
    assert_int_equal(column(p, "ok")->numbers.zeros, 1);
}

static void shapes_generalise(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"abc", "a+"},
        {"A", "A"},
        {"ABC", "A+"},
        {"12345678", "99999999"},
        {"123456789", "9+"},
        {"a1-B_c", "a+9-A_a+"},
        {"M\xc3\xbcller", "Au+a+"},
        {"x@y.org", "a+@a+.a+"},
        {"10:20:30", "99:99:99"},
    };
    char shape[TUT_PROFILE_SHAPE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(tut_profile_shape_of(tut_str_of(cases[i][0]), shape));
        assert_string_equal(shape, cases[i][1]);
    }
    assert_false(tut_profile_shape_of(
        TUT_LIT("a text that is longer than sixty-four bytes has none, as it is prose"), shape));
}

/* Numbers of a column, added in two ways. */
static void put_rows(tut_buf *to, unsigned from, unsigned end, bool has_header)
{
    if (has_header)
        tut_buf_add_z(to, "n,few,t\n");
    for (unsigned i = from; i < end; i++)
        tut_buf_printf(to, "%.6f,%u,%s%u\n", sin(i) * exp(i % 7), i % 13, i % 3 ? "ab-" : "X",
                       i * 7919 % 5003);
}

static double quantile(const tut_profile_column *c, double at)
{
    tut_quantile_view v;
    assert_true(tut_is_ok(tut_quantiles_view(&c->numbers.sketch, &v, NULL)));
    double q = tut_quantile_at(&v, at);
    tut_quantile_view_done(&v);
    return q;
}

static void parts_merge_to_the_whole(void **state)
{
    (void)state;
    unsigned count = RUNNING_ON_VALGRIND ? 8000 : 60000;
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    TUT_AUTO(tut_profile) merged = NULL;
    bool is_exact;
    put_rows(&all, 0, count, true);
    TUT_AUTO(tut_profile) whole = profile_of("a.csv", all.data, all.len);
    assert_true(tut_is_ok(tut_profile_new(&merged, NULL)));
    for (unsigned from = 0; from < count; from += count / 4) {
        TUT_CLEAN(tut_buf) part = TUT_BUF_INIT;
        put_rows(&part, from, from + count / 4, true);
        TUT_AUTO(tut_profile) p = profile_of("a.csv", part.data, part.len);
        assert_true(tut_is_ok(tut_profile_merge(merged, p, NULL)));
    }
    assert_int_equal(tut_profile_rows(merged), count);
    for (size_t i = 0; i < 3; i++) {
        const tut_profile_column *a = tut_profile_column_at(whole, i);
        const tut_profile_column *b = tut_profile_column_at(merged, i);
        assert_memory_equal(a->kinds, b->kinds, sizeof(a->kinds));
        assert_int_equal(a->texts.bytes, b->texts.bytes);
        if (a->distinct) /* the same registers: the sketch of all is the sum of those of parts */
            assert_memory_equal(a->distinct, b->distinct, sizeof(*a->distinct));
        assert_true(tut_profile_distinct(a, &is_exact) == tut_profile_distinct(b, &is_exact));
        if (a->numbers.count == 0)
            continue;
        assert_true(a->numbers.least == b->numbers.least && a->numbers.most == b->numbers.most);
        assert_true(is_near(a->numbers.mean, b->numbers.mean));
        assert_true(fabs(a->numbers.m2 / b->numbers.m2 - 1) < 1e-12);
        double width = a->numbers.most - a->numbers.least;
        assert_true(fabs(quantile(a, 0.5) - quantile(b, 0.5)) < 0.01 * width);
    }
    const tut_profile_column *few = column(merged, "few");
    assert_true(tut_profile_distinct(few, &is_exact) == 13 && is_exact);
    assert_int_equal(tut_heavy_find(&few->values, tut_profile_hash_number(5))->count,
                     (count - 5 + 12) / 13);
}

static void columns_that_come_later_were_empty(void **state)
{
    (void)state;
    static const char a[] = "{\"x\":1}\n{\"x\":2}\n";
    static const char b[] = "{\"y\":\"t\"}\n{\"x\":3,\"y\":\"u\"}\n";
    TUT_AUTO(tut_profile) p = profile_of("a.jsonl", a, sizeof(a) - 1);
    TUT_AUTO(tut_profile) q = profile_of("b.jsonl", b, sizeof(b) - 1);
    assert_false(column(q, "x")->is_increasing); /* its first row had none */
    assert_true(tut_is_ok(tut_profile_merge(p, q, NULL)));
    assert_int_equal(column(p, "x")->kinds[TUT_CELL_NONE], 1);
    assert_int_equal(column(p, "y")->kinds[TUT_CELL_NONE], 2);
    assert_int_equal(column(p, "y")->kinds[TUT_CELL_TEXT], 2);
}

static void odd_columns_are_described(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "missing,same,none,huge\n");
    for (int i = 0; i < 100; i++)
        tut_buf_printf(&text, "nan,7,,%s\n", i % 2 ? "1e308" : "-1e308");
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text.data, text.len);
    double shares[4];
    double low;
    double high;
    const tut_profile_column *nan = column(p, "missing");
    assert_int_equal(nan->numbers.nans, 100);
    assert_int_equal(nan->numbers.count, 0);
    assert_true(isnan(nan->numbers.least) && isnan(tut_profile_deviation(nan)));
    assert_true(tut_is_ok(tut_profile_histogram(nan, 4, shares, &low, &high, NULL)));
    const tut_profile_column *same = column(p, "same");
    assert_true(same->numbers.m2 == 0 && same->numbers.least == same->numbers.most);
    assert_true(tut_is_ok(tut_profile_histogram(same, 4, shares, &low, &high, NULL)));
    assert_true(low == 7 && high == 7 && shares[0] == 1);
    assert_true(isnan(tut_profile_uniqueness(column(p, "none"))));
    assert_int_equal(column(p, "huge")->numbers.negative, 50);
}

static void histograms_follow_the_numbers(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "x\n");
    for (int i = 0; i < 1000; i++)
        tut_buf_printf(&text, "%d\n", i < 700 ? i % 10 : 50 + i % 50);
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text.data, text.len);
    double shares[10];
    double low;
    double high;
    double all = 0;
    assert_true(tut_is_ok(tut_profile_histogram(column(p, "x"), 10, shares, &low, &high, NULL)));
    for (int i = 0; i < 10; i++)
        all += shares[i];
    assert_true(low == 0 && high == 99 && is_near(all, 1));
    assert_true(fabs(shares[0] - 0.7) < 0.0133 && shares[2] < 0.0133);
}

static void a_wide_table_is_lean(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool is_exact;
    for (int row = 0; row < 60; row++)
        for (int i = 0; i < 784; i++)
            tut_buf_printf(&text, "%d%c", row * i % 256, i < 783 ? ',' : '\n');
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text.data, text.len);
    const tut_profile_column *c = tut_profile_column_at(p, 783);
    assert_false(c->has_values);
    assert_true(isnan(tut_profile_distinct(c, &is_exact)) && !is_exact);
    assert_int_equal(c->numbers.count, tut_profile_rows(p));
}

static void profiles_come_back_from_json(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_AUTO(tut_data_schema) s = NULL;
    TUT_AUTO(tut_data_schema) t = NULL;
    TUT_AUTO(tut_profile) q = NULL;
    put_rows(&text, 0, 5000, true);
    tut_buf_add_z(&text, "nan,,a text that is longer than what is kept of a value\n");
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text.data, text.len);
    assert_true(tut_is_ok(tut_data_schema_infer(p, &s, NULL)));
    assert_true(tut_is_ok(tut_data_schema_write(p, s, 0, &json, NULL)));
    tut_error err = {0};
    if (!tut_is_ok(tut_data_schema_read(tut_buf_span(&json), &q, &t, &err)))
        fail_msg("%s", err.text);
    assert_true(tut_is_ok(tut_data_schema_write(q, t, 0, &again, NULL)));
    assert_true(tut_str_eq(tut_buf_str(&json), tut_buf_str(&again)));
    assert_true(quantile(column(p, "n"), 0.3) == quantile(column(q, "n"), 0.3));
    assert_true(tut_is_ok(tut_profile_merge(p, q, NULL)));
    assert_int_equal(tut_profile_rows(p), 10002);
}

static void a_damaged_baseline_is_refused(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,x\n2,y\n3,x\n";
    static const char *const changes[][2] = {
        {"\"rows\":3", "\"rows\":4"},
        {"\"integer\":3", "\"integer\":-3"},
        {"\"count\":3", "\"count\":2"},
        {"[[1,2,3]]", "[[1,2]]"},
        {"[[1,2,3]]", "[[1,2,null]]"},
        {"\"shapeless\":0", "\"shapeless\":9"},
        {"tutela.profile/1", "tutela.profile/2"},
        {"\"k\":384", "\"k\":1"},
        {"\"first\":1", "\"first\":9"},
    };
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    TUT_AUTO(tut_data_schema) s = NULL;
    TUT_AUTO(tut_profile) p = profile_of("a.csv", text, sizeof(text) - 1);
    assert_true(tut_is_ok(tut_data_schema_infer(p, &s, NULL)));
    assert_true(tut_is_ok(tut_data_schema_write(p, s, 0, &json, NULL)));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        TUT_AUTO(tut_profile) q = NULL;
        TUT_AUTO(tut_data_schema) t = NULL;
        TUT_CLEAN(tut_buf) changed = TUT_BUF_INIT;
        size_t at;
        if (!tut_str_find(tut_buf_str(&json), tut_str_of(changes[i][0]), &at))
            fail_msg("%s is not in %s", changes[i][0], tut_buf_z(&json));
        tut_buf_add(&changed, json.data, at);
        tut_buf_add_z(&changed, changes[i][1]);
        at += strlen(changes[i][0]);
        tut_buf_add(&changed, json.data + at, json.len - at);
        if (tut_is_ok(tut_data_schema_read(tut_buf_span(&changed), &q, &t, NULL)))
            fail_msg("%s is taken", changes[i][1]);
    }
}

typedef struct known {
    const char *name;
    uint64_t count;
    double mean, deviation, least, most, median;
    unsigned distinct;
} known;

static void compare(const char *path, const known *columns, size_t count)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    if (!tut_is_ok(tut_fs_read(path, 64 << 20, &file, NULL))) {
        print_message("%s is not here: skipped\n", path);
        skip();
    }
    TUT_AUTO(tut_profile) p = profile_of(path, file.data, file.len);
    for (size_t i = 0; i < count; i++) {
        const tut_profile_column *c = column(p, columns[i].name);
        const known *k = &columns[i];
        bool is_exact;
        assert_int_equal(c->numbers.count, k->count);
        assert_true(is_near(c->numbers.mean, k->mean));
        assert_true(is_near(tut_profile_deviation(c), k->deviation));
        assert_true(c->numbers.least == k->least && c->numbers.most == k->most);
        double below = nextafter(k->median, -INFINITY);
        assert_true(tut_quantiles_share(&c->numbers.sketch, k->median) > 0.5 - 0.0133);
        assert_true(tut_quantiles_share(&c->numbers.sketch, below) < 0.5 + 0.0133);
        double distinct = tut_profile_distinct(c, &is_exact);
        assert_int_equal(is_exact, k->distinct <= TUT_HEAVY_COUNTERS);
        assert_true(fabs(distinct / k->distinct - 1) < (is_exact ? 1e-9 : 3 * 0.0081));
    }
}

/* pandas 1.5.3: s = read_csv(path, skipinitialspace=True)[name]; len(s), s.mean(), s.std(),
 * s.min(), s.max(), s.quantile(.5), s.nunique() */
static void public_data_is_described_as_pandas_does(void **state)
{
    (void)state;
    static const known adult[] = {
        {"age", 30162, 38.437901995888865, 13.134664776855985, 17, 90, 37, 72},
        {"fnlwgt", 30162, 189793.83393011073, 105652.97152851899, 13769, 1484705, 178425, 20263},
        {"hr_per_week", 30162, 40.93123798156621, 11.979984229274882, 1, 99, 40, 94},
    };
    static const known houses[] = {
        {"MedInc", 5832, 4.173727469135803, 1.9345030914505323, 0.4999, 15.0001, 3.78545, 4635},
        {"AveOccup", 5832, 3.0346631215066693, 1.6452400845547084, 0.6923076923076923,
         83.17142857142858, 2.8796719180827672, 5672},
        {"Longitude", 5832, -118.61812928669409, 1.4670225464742535, -123.85, -116.22, -118.13,
         529},
    };
    compare("../shared/data/data/adult/adult.data", adult, 3);
    compare("../shared/data/data/nannyml/california_housing_reference.csv", houses, 3);
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,x\n2,y\n3,x\n";
    for (uint64_t n = 1; n < 60; n++) {
        TUT_AUTO(tut_rows) rows = NULL;
        TUT_AUTO(tut_profile) p = NULL;
        const tut_batch *b = NULL;
        tut_error err = {0};
        tut_source source = tut_source_memory(tut_span_of(text, sizeof(text) - 1));
        assert_true(tut_is_ok(tut_rows_open(&source, "a.csv", &rows, NULL)));
        assert_true(tut_is_ok(tut_rows_next(rows, &b, NULL)) && b);
        tut_alloc_fail_after(n);
        tut_status status = tut_profile_new(&p, &err);
        if (tut_is_ok(status))
            status = tut_profile_add(p, b, &err);
        tut_alloc_fail_after(0);
        assert_true(tut_is_ok(status) || err.code == TUT_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_table_is_described_exactly),
        cmocka_unit_test(shapes_generalise),
        cmocka_unit_test(parts_merge_to_the_whole),
        cmocka_unit_test(columns_that_come_later_were_empty),
        cmocka_unit_test(odd_columns_are_described),
        cmocka_unit_test(histograms_follow_the_numbers),
        cmocka_unit_test(a_wide_table_is_lean),
        cmocka_unit_test(profiles_come_back_from_json),
        cmocka_unit_test(a_damaged_baseline_is_refused),
        cmocka_unit_test(public_data_is_described_as_pandas_does),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
