#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/fs.h"
#include "data/schema.h"

typedef struct given {
    tut_buf text;
    tut_data_schema *schema;
} given;

static void read_all(const tut_buf *text, tut_profile *p, tut_data_schema_check *c)
{
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    tut_source source = tut_source_memory(tut_buf_span(text));
    assert_true(tut_is_ok(tut_rows_open(&source, "a.csv", &rows, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b) {
        if (p)
            assert_true(tut_is_ok(tut_profile_add(p, b, NULL)));
        if (c)
            assert_true(tut_is_ok(tut_data_schema_check_add(c, b, NULL)));
    }
}

static tut_data_schema *schema_of(const tut_buf *text)
{
    TUT_AUTO(tut_profile) p = NULL;
    tut_data_schema *s = NULL;
    assert_true(tut_is_ok(tut_profile_new(&p, NULL)));
    read_all(text, p, NULL);
    assert_true(tut_is_ok(tut_data_schema_infer(p, &s, NULL)));
    return s;
}

static void check(const tut_data_schema *s, const tut_buf *text, tut_data_findings *ret)
{
    TUT_AUTO(tut_data_schema_check) c = NULL;
    assert_true(tut_is_ok(tut_data_schema_check_new(s, &c, NULL)));
    read_all(text, NULL, c);
    assert_true(tut_is_ok(tut_data_schema_check_end(c, ret, NULL)));
}

static void put_row(tut_buf *to, unsigned i)
{
    tut_buf_printf(to, "%u,%.2f,%s,2021-06-%02u,%u\n", i + 1, (i * 37 % 100) / 4.0,
                   i % 3 ? "cat" : "dog", i % 28 + 1, i % 5);
}

static void put_table(tut_buf *to, unsigned rows)
{
    tut_buf_add_z(to, "id,x,kind,day,label\n");
    for (unsigned i = 0; i < rows; i++)
        put_row(to, i);
}

static int set_up(void **state)
{
    static given g;
    g = (given){.text = TUT_BUF_INIT};
    put_table(&g.text, 1000);
    g.schema = schema_of(&g.text);
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    given *g = *state;
    tut_buf_done(&g->text);
    tut_data_schema_free(g->schema);
    return 0;
}

static const tut_data_schema_column *column(const tut_data_schema *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->columns[i].name, name) == 0)
            return &s->columns[i];
    fail_msg("no column %s", name);
    return NULL;
}

static void constraints_follow_from_the_data(void **state)
{
    const given *g = *state;
    const tut_data_schema_column *id = column(g->schema, "id");
    assert_true(id->is_unique && isnan(id->most) && id->null_share_most == 0);
    assert_int_equal(id->kinds, 1 << TUT_CELL_INTEGER);
    const tut_data_schema_column *x = column(g->schema, "x");
    assert_true(x->least == 0 && fabs(x->most - 27.225) < 1e-9); /* 0 to 24.75, and a tenth */
    assert_int_equal(x->kinds, 1 << TUT_CELL_INTEGER | 1 << TUT_CELL_NUMBER);
    assert_int_equal(x->value_count, 0);
    assert_int_equal(column(g->schema, "kind")->value_count, 2);
    assert_int_equal(column(g->schema, "label")->value_count, 5);
    const tut_data_schema_column *day = column(g->schema, "day");
    assert_int_equal(day->value_count, 28);
    assert_int_equal(g->schema->rows_least, 500);
    assert_int_equal(g->schema->rows_most, 2000);
}

static void the_data_itself_passes(void **state)
{
    const given *g = *state;
    tut_data_findings found = {0};
    check(g->schema, &g->text, &found);
    for (size_t i = 0; i < found.count; i++)
        print_message("%s %s: %s\n", found.items[i].rule, found.items[i].column,
                      found.items[i].message);
    assert_int_equal(found.count, 0);
    tut_data_findings_done(&found);
}

typedef struct broken {
    const char *row, *rule, *column, *note;
} broken;

static void each_violation_names_its_row(void **state)
{
    const given *g = *state;
    static const broken cases[] = {
        {"two,1,cat,2021-06-01,1", "dataset.schema-type", "id", "text: two"},
        {"1001.5,1,cat,2021-06-01,1", "dataset.schema-type", "id", "number: 1001.5"},
        {"1001,-3,cat,2021-06-01,1", "dataset.schema-range", "x", "too small: -3"},
        {"1001,1e9,cat,2021-06-01,1", "dataset.schema-range", "x", "too large: 1e9"},
        {"1001,1,bird\x1b[2J,2021-06-01,1", "dataset.schema-set", "kind",
         "not in the set: bird\\x1b[2J"},
        {"1001,1,cat,2021-06-01,5", "dataset.schema-range", "label", "too large: 5"},
        {"1001,1,,2021-06-01,1", "dataset.schema-null", "kind", "empty"},
        {"17,1,cat,2021-06-01,1", "dataset.schema-unique", "id", "again: 17"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_data_findings found = {0};
        put_table(&text, 1000);
        tut_buf_printf(&text, "%s\n", cases[i].row);
        check(g->schema, &text, &found);
        assert_int_equal(found.count, 1);
        assert_string_equal(found.items[0].rule, cases[i].rule);
        assert_string_equal(found.items[0].column, cases[i].column);
        assert_int_equal(found.items[0].count, 1);
        assert_int_equal(found.items[0].rows[0].row, 1000);
        assert_string_equal(found.items[0].rows[0].note, cases[i].note);
        tut_data_findings_done(&found);
    }
}

static void columns_and_rows_are_counted(void **state)
{
    const given *g = *state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_data_findings found = {0};
    tut_buf_add_z(&text, "id,x,kind,day,new\n");
    for (unsigned i = 0; i < 100; i++)
        put_row(&text, i);
    check(g->schema, &text, &found);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.items[0].rule, "dataset.schema-columns");
    assert_string_equal(found.items[0].column, "label");
    assert_string_equal(found.items[0].message, "the column is missing");
    assert_string_equal(found.items[1].column, "new");
    assert_string_equal(found.items[1].message, "the column is new");
    assert_string_equal(found.items[2].rule, "dataset.schema-rows");
    assert_string_equal(found.items[2].message, "100 rows, where 500 to 2000 belong");
    tut_data_findings_done(&found);
}

static void shapes_are_enforced(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_data_findings found = {0};
    tut_buf_add_z(&text, "key,n\n");
    for (unsigned i = 0; i < 900; i++)
        tut_buf_printf(&text, "K%c-%04u,%u\n", 'a' + i % 26, i * 7 % 1000, i);
    TUT_AUTO(tut_data_schema) s = schema_of(&text);
    assert_int_equal(column(s, "key")->shape_count, 1);
    tut_buf_add_z(&text, "k-12,900\n");
    check(s, &text, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0].rule, "dataset.schema-pattern");
    assert_string_equal(found.items[0].rows[0].note, "another shape: k-12");
    tut_data_findings_done(&found);
}

static void a_share_of_empty_cells_is_enforced_as_a_share(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) more = TUT_BUF_INIT;
    tut_data_findings found = {0};
    tut_buf_add_z(&text, "a,n\n");
    tut_buf_add_z(&more, "a,n\n");
    for (unsigned i = 0; i < 1000; i++) {
        tut_buf_printf(&text, "%s,%u\n", i % 10 ? "x" : "", i);
        tut_buf_printf(&more, "%s,%u\n", i % 4 ? "x" : "", i);
    }
    TUT_AUTO(tut_data_schema) s = schema_of(&text);
    check(s, &text, &found);
    assert_int_equal(found.count, 0);
    check(s, &more, &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0].rule, "dataset.schema-null");
    assert_int_equal(found.items[0].count, 250);
    tut_data_findings_done(&found);
}

static void public_data_passes_its_own_schema(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "../shared/data/data/adult/adult.data",
        "../shared/data/data/nannyml/california_housing_reference.csv",
        "../shared/data/data/nab/realKnownCause/nyc_taxi.csv"};
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
        tut_data_findings found = {0};
        if (!tut_is_ok(tut_fs_read(paths[i], 64 << 20, &file, NULL))) {
            print_message("%s is not here: skipped\n", paths[i]);
            skip();
        }
        TUT_AUTO(tut_data_schema) s = schema_of(&file);
        check(s, &file, &found);
        for (size_t k = 0; k < found.count; k++)
            print_message("%s %s: %s\n", found.items[k].rule, found.items[k].column,
                          found.items[k].message);
        assert_int_equal(found.count, 0);
        tut_data_findings_done(&found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_follow_from_the_data),
        cmocka_unit_test(the_data_itself_passes),
        cmocka_unit_test(each_violation_names_its_row),
        cmocka_unit_test(columns_and_rows_are_counted),
        cmocka_unit_test(shapes_are_enforced),
        cmocka_unit_test(a_share_of_empty_cells_is_enforced_as_a_share),
        cmocka_unit_test(public_data_passes_its_own_schema),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
