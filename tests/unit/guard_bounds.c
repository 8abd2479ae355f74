/* What a baseline says of the numbers of a tensor: out of the file, in the policy, for a request.
 */
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
#include "data/schema.h"
#include "guard/request.h"
#include "guard/trial.h"

static char dir[64];

/* 200 rows; age 20 to 69, income 1000 to 2990, owner 0 or 1, rate always 0.1, a text, a number that
 * only ever rises. */
static void put_rows(tut_buf *text, int oldest)
{
    tut_buf_add_z(text, "age,income,owner,rate,risk,id\n");
    for (int i = 0; i < 200; i++)
        tut_buf_printf(text, "%d,%d.5,%d,0.1,%s,%d\n", 20 + i * 7 % (oldest - 19),
                       1000 + i * 37 % 200 * 10, i % 2, i % 3 ? "low" : "high", i);
}

static void write_baseline(const char *name, const tut_buf *csv)
{
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_profile) p = NULL;
    TUT_AUTO(tut_data_schema) s = NULL;
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, name);
    const tut_batch *b = NULL;
    tut_source source = tut_source_memory(tut_buf_span(csv));
    assert_true(tut_is_ok(tut_rows_open(&source, "a.csv", &rows, NULL)));
    assert_true(tut_is_ok(tut_profile_new(&p, NULL)));
    while (tut_is_ok(tut_rows_next(rows, &b, NULL)) && b)
        assert_true(tut_is_ok(tut_profile_add(p, b, NULL)));
    assert_true(tut_is_ok(tut_data_schema_infer(p, &s, NULL)));
    assert_true(tut_is_ok(tut_data_schema_write(p, s, 0, &json, NULL)));
    assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&json), 0600, NULL)));
}

static int make_files(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    strcpy(dir, "/tmp/tutela-bounds-XXXXXX");
    assert_non_null(mkdtemp(dir));
    put_rows(&text, 69);
    write_baseline("train.json", &text);
    return 0;
}

static int drop_files(void **state)
{
    static const char *const names[] = {"train.json", "again.json", "other.json", "few.json",
                                        "broken.json"};
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(names); i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

#define ROUTE "  routes:\n    - id: table\n      path: /infer\n      protocol: kserve-v2\n"
#define TENSOR(keys) ROUTE "      tensors:\n        - name: x\n          datatype: FP32\n" keys
#define FOUR                                                                                       \
    "          shape: [-1, 4]\n          baseline: train.json\n"                                   \
    "          columns: [age, income, owner, rate]\n"

typedef struct world {
    tut_system *system;
    tut_guard_policy policy;
    tut_guard guard;
    tut_buf shown;
    tut_error err;
} world;

static void world_done(world *w)
{
    tut_guard_done_with(&w->guard);
    tut_system_free(w->system);
    tut_buf_done(&w->shown);
}

static bool read_world(const char *keys, world *w)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "schema: tutela.system/1\nsystem:\n  name: x\nguard:\n%s", keys);
    assert_true(tut_is_ok(
        tut_system_parse(dir, "tutela.yaml", tut_buf_str(&text), &w->system, NULL, NULL)));
    return tut_is_ok(tut_guard_policy_read(w->system, &w->policy, &w->shown, &w->err));
}

static void open_world(const char *keys, world *w)
{
    if (!read_world(keys, w))
        fail_msg("%s", w->err.text);
    assert_true(tut_is_ok(tut_guard_open(&w->policy, &w->guard, NULL)));
}

/* "" where it passes. */
static void decide(const world *w, const char *datatype, const char *shape, const char *data,
                   char why[TUT_GUARD_DETAIL])
{
    TUT_AUTO(tut_guard_request) r = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = TUT_LIT("/infer"),
                           .content_type = TUT_LIT("application/json")};
    tut_buf_printf(&body,
                   "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":%s,\"data\":%s}]}",
                   datatype, shape, data);
    assert_true(tut_is_ok(tut_guard_request_read(&w->guard, &head, tut_buf_span(&body), &r, NULL)));
    const tut_guard_decision *d = &r->decision;
    assert_int_equal(d->action, d->reason_count ? TUT_GUARD_BLOCK : TUT_GUARD_ALLOW);
    (void)snprintf(why, TUT_GUARD_DETAIL, "%s", d->reason_count ? d->reasons[0].detail : "");
}

typedef struct row {
    const char *shape, *data, *why; /* "": it passes */
} row;

static void expect(const world *w, const char *datatype, const row *rows, size_t count)
{
    char why[TUT_GUARD_DETAIL];
    for (size_t i = 0; i < count; i++) {
        decide(w, datatype, rows[i].shape, rows[i].data, why);
        if (strcmp(why, rows[i].why) != 0)
            fail_msg("%s %s: \"%s\", not \"%s\"", rows[i].shape, rows[i].data, why, rows[i].why);
    }
}

static void each_column_bounds_its_feature(void **state)
{
    static const row rows[] = {
        {"[2,4]", "[20,1000.5,0,0.1,69,2990.5,1,0.1]", ""},
        {"[2,4]", "[[73,801.5,0,0.1],[16,3189.5,1,0.1]]", ""},
        {"[1,4]", "[20,1000.5,0,0.10000000149011612]", ""},
        {"[0,4]", "[]", ""},
        {"[2,4]", "[20,1000.5,0,0.1,99,2990.5,1,0.1]",
         "row 1, feature 0 \"age\": a value is out of its range (16 to 73)"},
        {"[2,4]", "[[20,1000.5,0,0.1],[30,-1,1,0.1]]",
         "row 1, feature 1 \"income\": a value is out of its range (801.5 to 3189.5)"},
        {"[1,4]", "[20.25,1000.5,0,0.1]",
         "row 0, feature 0 \"age\": a value is not whole (16 to 73)"},
        {"[1,4]", "[20,1000.5,2,0.1]",
         "row 0, feature 2 \"owner\": a value is out of its range (0 to 1)"},
        {"[1,4]", "[20,1000.5,1,0.2]",
         "row 0, feature 3 \"rate\": a value is out of its range (0.1 to 0.1)"},
        {"[4,1]", "[20,1000.5,0,0.1]", "the shape is another than the policy states"},
        {"[1,5]", "[20,1000.5,0,0.1,0]",
         "the last axes of the shape do not hold the columns of the baseline"},
        {"[-1,4]", "[20,1000.5,0,0.1]",
         "the last axes of the shape do not hold the columns of the baseline"},
        {"[1,4]", "[20,null,0,0.1]", "a value is no number"},
    };
    __attribute__((cleanup(world_done))) world w = {0};
    (void)state;
    open_world(TENSOR(FOUR), &w);
    expect(&w, "FP32", rows, TUT_COUNT(rows));
}

static void a_column_bounds_a_tensor_of_its_own(void **state)
{
    static const row rows[] = {
        {"[3]", "[20,30,40]", ""},
        {"[3,1]", "[[20],[30],[40]]", ""},
        {"[3,1]", "[[20],[30],[4]]",
         "row 2, feature 0 \"age\": a value is out of its range (16 to 73)"},
        {"[1,3]", "[20,30,40]",
         "the last axes of the shape do not hold the columns of the baseline"},
    };
    static const row truths[] = {
        {"[2]", "[true,false]", ""},
        {"[2]", "[true,1]", ""},
        {"[2]", "[0,2]", "a value of BOOL is neither true nor false"},
    };
    __attribute__((cleanup(world_done))) world w = {0};
    __attribute__((cleanup(world_done))) world v = {0};
    (void)state;
    open_world(TENSOR("          baseline: train.json\n          column: age\n"), &w);
    expect(&w, "FP32", rows, TUT_COUNT(rows));
    open_world(ROUTE "      tensors:\n        - name: x\n          datatype: BOOL\n"
                     "          baseline: train.json\n          column: owner\n",
               &v);
    expect(&v, "BOOL", truths, TUT_COUNT(truths));
}

static void the_narrower_of_baseline_and_policy_counts(void **state)
{
    static const row rows[] = {
        {"[1,2]", "[30,30]", ""},
        {"[1,2]", "[18,30]", "row 0, feature 0 \"age\": a value is out of its range (20 to 73)"},
        {"[1,2]", "[80,30]", "row 0, feature 0 \"age\": a value is out of its range (20 to 73)"},
        {"[1,2]", "[30,99.5]", ""},
        {"[1,2]", "[30,101]", "row 0, feature 1 \"-\": a value is out of its range (20 to 100)"},
    };
    __attribute__((cleanup(world_done))) world w = {0};
    (void)state;
    open_world(TENSOR("          min: 20\n          max: 100\n          baseline: train.json\n"
                      "          columns: [age, \"-\"]\n"),
               &w);
    expect(&w, "FP32", rows, TUT_COUNT(rows));
}

static void features_fill_the_last_axes(void **state)
{
    static const struct {
        size_t count, rank;
        int64_t shape[4];
        bool fits;
        int64_t closed[4];
    } rows[] = {
        {4, 2, {-1, 4}, true, {1, 4}},
        {4, 1, {4}, true, {4}},
        {4, 2, {-1, -1}, true, {1, 4}},
        {4, 3, {-1, 2, 2}, true, {1, 2, 2}},
        {4, 3, {7, -1, 2}, true, {7, 2, 2}},
        {4, 4, {-1, 2, 2, 1}, true, {1, 2, 2, 1}},
        {784, 4, {-1, 1, 28, 28}, true, {1, 1, 28, 28}},
        {1, 1, {9}, true, {9}},
        {1, 2, {9, 1}, true, {9, 1}},
        {1, 2, {1, 9}, false, {0}},
        {4, 2, {4, 1}, true, {4, 1}},
        {4, 2, {4, 3}, false, {0}},
        {4, 2, {-1, 5}, false, {0}},
        {4, 2, {-1, 0}, false, {0}},
        {4, 2, {-1, 3}, false, {0}},
        {4, 1, {2}, false, {0}},
        {4, 1, {INT64_MAX}, false, {0}},
    };
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(rows); i++) {
        int64_t shape[4];
        if (tut_guard_features_fit(rows[i].count, rows[i].shape, rows[i].rank) != rows[i].fits)
            fail_msg("row %zu", i);
        if (!rows[i].fits)
            continue;
        memcpy(shape, rows[i].shape, sizeof(shape));
        tut_guard_features_close(rows[i].count, shape, rows[i].rank);
        assert_memory_equal(shape, rows[i].closed, rows[i].rank * sizeof(shape[0]));
    }
}

/* --- the policy --- */
static void expect_error(const char *keys, const char *message)
{
    __attribute__((cleanup(world_done))) world w = {0};
    if (read_world(keys, &w))
        fail_msg("%s is taken", keys);
    if (!strstr(w.err.text, message) || strchr(w.err.text, '\n'))
        fail_msg("\"%s\" lacks \"%s\"", w.err.text, message);
    assert_true(w.shown.len > 0);
}

#define OF(keys) TENSOR("          baseline: train.json\n" keys)

static void what_does_not_fit_is_told_at_its_place(void **state)
{
    TUT_CLEAN(tut_buf) few = TUT_BUF_INIT;
    TUT_AUTO_FREE char *broken = tut_fs_join(dir, "broken.json");
    (void)state;
    tut_buf_add_z(&few, "a,b\n1,2\n3,1\n");
    write_baseline("few.json", &few);
    static const char other[] = "{\"schema\":\"tutela.bom/1\"}";
    assert_true(tut_is_ok(tut_fs_write(broken, tut_span_of(other, sizeof(other) - 1), 0600, NULL)));
    expect_error(TENSOR("          baseline: nope.json\n"), "cannot be read");
    expect_error(TENSOR("          baseline: ../train.json\n"), "leads out of its directory");
    expect_error(TENSOR("          baseline: /etc/passwd\n"), "leads out of its directory");
    expect_error(TENSOR("          baseline: broken.json\n"), "no baseline of the schema");
    expect_error(TENSOR("          baseline: few.json\n"), "no range of any of these columns");
    expect_error(TENSOR("          column: age\n"), "there is none");
    expect_error(OF(""), "\"risk\" of the baseline holds no numbers");
    expect_error(OF("          column: agee\n"), "did you mean \"age\"?");
    expect_error(OF("          without: [risk, idd]\n"), "no column \"idd\"");
    expect_error(OF("          column: age\n          without: risk\n"), "one of column");
    expect_error(OF("          column: id\n"), "only ever rise");
    expect_error(OF("          without: risk\n          shape: [-1, 4]\n"),
                 "do not hold the baseline's 5 columns");
    expect_error(OF("          column: age\n          shape: [-1, 2]\n"),
                 "the baseline's 1 column;");
    expect_error(OF("          column: age\n          max: 2\n"), "leave nothing of what column");
    expect_error(OF("          column: owner\n          min: 0.5\n          max: 0.75\n"),
                 "leave nothing");
    expect_error(ROUTE "      tensors:\n        - name: x\n          datatype: BYTES\n"
                       "          baseline: train.json\n",
                 "BYTES has none");
}

static void the_version_follows_the_baseline_and_not_its_name(void **state)
{
    TUT_CLEAN(tut_buf) same = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) other = TUT_BUF_INIT;
    world w[4] = {0};
    (void)state;
    put_rows(&same, 69);
    write_baseline("again.json", &same);
    put_rows(&other, 70);
    write_baseline("other.json", &other);
    open_world(OF("          column: rate\n"), &w[0]);
    open_world(TENSOR("          baseline: again.json\n          column: rate\n"), &w[1]);
    open_world(TENSOR("          baseline: other.json\n          column: rate\n"), &w[2]);
    open_world(OF("          column: owner\n"), &w[3]);
    assert_true(tut_sha256_eq(&w[0].policy.version, &w[1].policy.version));
    assert_false(tut_sha256_eq(&w[0].policy.version, &w[2].policy.version));
    assert_false(tut_sha256_eq(&w[0].policy.version, &w[3].policy.version));
    for (size_t i = 0; i < TUT_COUNT(w); i++)
        world_done(&w[i]);
}

static void who_serves_takes_the_bounds_out_of_the_canonical_form(void **state)
{
    static const row rows[] = {
        {"[1,4]", "[20,1000.5,0,0.1]", ""},
        {"[1,4]", "[20,1000.5,1,0.2]",
         "row 0, feature 3 \"rate\": a value is out of its range (0.1 to 0.1)"},
    };
    __attribute__((cleanup(world_done))) world w = {0};
    TUT_CLEAN(tut_buf) form = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) changed = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "train.json");
    tut_guard_policy kept;
    size_t at = 0;
    (void)state;
    open_world(TENSOR(FOUR), &w);
    assert_true(tut_is_ok(tut_json_new(&form, &j)));
    tut_guard_policy_json(&w.policy, j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    assert_int_equal(unlink(path), 0); /* the file is asked by nobody any more */
    assert_true(tut_is_ok(tut_guard_policy_read_kept(w.system, tut_buf_span(&form), &kept, NULL)));
    assert_true(tut_sha256_eq(&kept.version, &w.policy.version));
    w.guard.policy = &kept;
    expect(&w, "FP32", rows, TUT_COUNT(rows));
    assert_true(tut_str_find(tut_buf_str(&form), TUT_LIT("\"most\":73"), &at));
    tut_buf_add(&changed, form.data, form.len);
    changed.data[at + 7] = '9';
    assert_true(
        tut_is_ok(tut_guard_policy_read_kept(w.system, tut_buf_span(&changed), &kept, NULL)));
    assert_false(tut_sha256_eq(&kept.version, &w.policy.version));
    assert_false(
        tut_is_ok(tut_guard_policy_read_kept(w.system, tut_span_of("{}", 2), &kept, NULL)));
}

/* guard check and the first request of a worker are made like that. */
static void a_request_that_is_made_up_is_within_its_bounds(void **state)
{
    static const char *const keys[] = {
        TENSOR(FOUR),
        OF("          column: age\n"),
        OF("          columns: [age, income, owner, rate]\n"),
        OF("          columns: [age, income, owner, rate]\n          shape: [-1, -1]\n"),
        OF("          columns: [age, income, owner, rate]\n          shape: [3, 2, -1]\n"),
        OF("          column: income\n          min: 1200\n          shape: [-1, 1]\n"),
        TENSOR("          min: 3\n          shape: [-1, 2]\n"),
    };
    (void)state;
    for (size_t i = 0; i < TUT_COUNT(keys); i++) {
        __attribute__((cleanup(world_done))) world w = {0};
        TUT_AUTO(tut_guard_request) r = NULL;
        TUT_CLEAN(tut_trial_request) made = {0};
        open_world(keys[i], &w);
        tut_trial_place at = tut_trial_place_of(&w.policy, &w.policy.routes[0]);
        assert_true(tut_is_ok(tut_trial_request_make(&w.policy, &at, TUT_LIT("x"), TUT_LIT(""),
                                                     TUT_LIT(""), &made, NULL)));
        assert_true(tut_is_ok(
            tut_guard_request_read(&w.guard, &made.head, tut_buf_span(&made.body), &r, NULL)));
        if (r->decision.action != TUT_GUARD_ALLOW)
            fail_msg("%s: %s", tut_buf_z(&made.body), r->decision.reasons[0].detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_column_bounds_its_feature),
        cmocka_unit_test(a_column_bounds_a_tensor_of_its_own),
        cmocka_unit_test(the_narrower_of_baseline_and_policy_counts),
        cmocka_unit_test(features_fill_the_last_axes),
        cmocka_unit_test(what_does_not_fit_is_told_at_its_place),
        cmocka_unit_test(the_version_follows_the_baseline_and_not_its_name),
        cmocka_unit_test(a_request_that_is_made_up_is_within_its_bounds),
        cmocka_unit_test(who_serves_takes_the_bounds_out_of_the_canonical_form),
    };
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
