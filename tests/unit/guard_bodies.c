/* Requests and answers that are kept sealed: read again as they were, or not at all. */
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
#include "guard/bodies.h"
#include "guard/trace.h"
#include "memcheck.h"

#define AT 1700000000 /* 14 November 2023 */
#define ID "0123456789abcdef0123456789abcdef"

static char dir[64];
static tut_keystore *keys;

static const char *path_of(const char *name)
{
    static char path[4][200];
    static unsigned next;
    char *p = path[next++ % 4];
    (void)snprintf(p, 200, "%s/%s", dir, name);
    return p;
}

static int make_all(void **state)
{
    tut_error err = {0};
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-kept-XXXXXX");
    if (!mkdtemp(dir) || setenv("XDG_DATA_HOME", path_of("data"), 1) != 0 ||
        !tut_is_ok(tut_keystore_open("test.example/kept", true, &keys, &err)) ||
        !tut_is_ok(tut_bodies_prepare(dir, keys, AT, &err))) {
        print_error("%s %s\n", err.path, err.text);
        return -1;
    }
    return 0;
}

static int drop_all(void **state)
{
    char command[128];
    (void)state;
    tut_keystore_free(keys);
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static tut_span span(const char *text)
{
    return tut_span_of((const uint8_t *)text, strlen(text));
}

static tut_bodies_pair pair_of(const char *request, const char *answer)
{
    return (tut_bodies_pair){
        .id = ID, .prompt = {{5}}, .request = span(request), .answer = span(answer)};
}

static tut_bodies_place put(const char *name, const tut_bodies_pair *pair)
{
    TUT_AUTO(tut_bodies) b = NULL;
    tut_bodies_place place;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_bodies_new(dir, name, &b, NULL)));
    if (!tut_is_ok(tut_bodies_put(b, AT, pair, &place, &err)))
        fail_msg("%s", err.text);
    return place;
}

static tut_status get(const tut_bodies_place *place, tut_bodies_pair *pair, tut_buf *request,
                      tut_buf *answer)
{
    tut_buf_clear(request);
    tut_buf_clear(answer);
    return tut_bodies_get(dir, keys, place, pair, request, answer, NULL);
}

static void what_was_kept_is_read_again(void **state)
{
    static const char *const texts[][2] = {
        {"{\"a\":1}", "data: x\n\n"}, {"", ""}, {"x", ""}, {"", "y"}};
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "w%zu", i);
        tut_bodies_pair pair = pair_of(texts[i][0], texts[i][1]);
        tut_bodies_place place = put(name, &pair);
        assert_string_equal(place.day, "20231114");
        assert_true(tut_is_ok(get(&place, &pair, &request, &answer)));
        assert_int_equal(request.len, strlen(texts[i][0]));
        assert_memory_equal(request.data ? (char *)request.data : "", texts[i][0], request.len);
        assert_memory_equal(answer.data ? (char *)answer.data : "", texts[i][1], answer.len);
        assert_false(pair.is_request_cut || pair.is_answer_cut);
    }
}

static void what_is_too_long_is_cut_and_says_so(void **state)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) large = TUT_BUF_INIT;
    (void)state;
    memset(tut_buf_extend(&large, TUT_BODIES_MOST + 1), 'a', TUT_BODIES_MOST + 1);
    for (unsigned k = 0; k < 4; k++) {
        tut_bodies_pair pair = pair_of("", "");
        pair.request = tut_span_of(large.data, TUT_BODIES_MOST + (k & 1));
        pair.answer = tut_span_of(large.data, TUT_BODIES_MOST + (k >> 1));
        tut_bodies_place place = put(k ? k > 1 ? k > 2 ? "l3" : "l2" : "l1" : "l0", &pair);
        assert_true(tut_is_ok(get(&place, &pair, &request, &answer)));
        assert_int_equal(request.len, TUT_BODIES_MOST);
        assert_int_equal(answer.len, TUT_BODIES_MOST);
        assert_int_equal(pair.is_request_cut, k & 1);
        assert_int_equal(pair.is_answer_cut, k >> 1);
    }
}

/* The file whole, cut at every byte, and with each bit turned. */
static void what_was_altered_is_not_read(void **state)
{
    tut_bodies_pair pair = pair_of("{\"prompt\":\"my name is Ada\"}", "hello");
    tut_bodies_place place = put("altered", &pair);
    const char *path = path_of("bodies/20231114/altered-0.sealed");
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    char kept[200];
    (void)state;
    tut_str_copy(kept, sizeof(kept), tut_str_of(path));
    assert_true(tut_is_ok(tut_fs_read(kept, 4096, &whole, NULL)));
    for (size_t n = 0; n < whole.len; n += memcheck_step(37)) {
        assert_true(tut_is_ok(tut_fs_write_unsynced(kept, tut_span_of(whole.data, n), 0600, NULL)));
        assert_int_equal(get(&place, &pair, &request, &answer).code, TUT_STORE);
        assert_int_equal(request.len + answer.len, 0);
    }
    for (size_t bit = 0; bit < whole.len * 8; bit += memcheck_step(101)) {
        if (bit / 8 < 8) /* the magic is not a secret: the rest is authenticated with it */
            continue;
        whole.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(tut_is_ok(tut_fs_write_unsynced(kept, tut_buf_span(&whole), 0600, NULL)));
        assert_false(tut_is_ok(get(&place, &pair, &request, &answer)));
        whole.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(tut_is_ok(tut_fs_write_unsynced(kept, tut_buf_span(&whole), 0600, NULL)));
    assert_true(tut_is_ok(get(&place, &pair, &request, &answer)));
}

static void it_belongs_to_its_exchange_and_no_other(void **state)
{
    tut_bodies_pair pair = pair_of("a", "b");
    tut_bodies_place place = put("bound", &pair), other = place;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    (void)state;
    assert_true(tut_is_ok(get(&place, &pair, &request, &answer)));
    tut_bodies_pair wrong = pair;
    wrong.prompt.bytes[3] ^= 1;
    assert_int_equal(get(&place, &wrong, &request, &answer).code, TUT_STORE);
    wrong = pair;
    wrong.id = "0123456789abcdef0123456789abcdee";
    assert_int_equal(get(&place, &wrong, &request, &answer).code, TUT_STORE);
    wrong.id = "0123";
    assert_int_equal(get(&place, &wrong, &request, &answer).code, TUT_USAGE);
    other.digest.bytes[0] ^= 1;
    assert_int_equal(get(&other, &pair, &request, &answer).code, TUT_STORE);
    memcpy(other.day, "20231115", TUT_BODIES_DAY);
    assert_int_equal(get(&other, &pair, &request, &answer).code, TUT_STORE);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    tut_bodies_pair pair = pair_of("a", "b");
    tut_bodies_place place = put("memory", &pair);
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    (void)state;
    for (uint64_t n = 1;; n++) {
        uint64_t before = tut_alloc_failures();
        tut_alloc_fail_after(n);
        TUT_AUTO(tut_bodies) b = NULL;
        tut_bodies_place made;
        tut_status status = tut_bodies_new(dir, "m", &b, NULL);
        if (tut_is_ok(status))
            status = tut_bodies_put(b, AT, &pair, &made, NULL);
        if (tut_is_ok(status))
            status = get(&place, &pair, &request, &answer);
        tut_alloc_fail_after(0);
        bool has_failed = tut_alloc_failures() != before;
        (void)unlink(path_of("bodies/20231114/m-0.sealed"));
        assert_true(tut_is_ok(status) || has_failed);
        if (tut_is_ok(status))
            assert_true(request.len == 1 && answer.len == 1);
        if (!has_failed)
            break;
    }
}

static void a_day_is_erased_for_good(void **state)
{
    tut_bodies_pair pair = pair_of("a", "b");
    tut_bodies_place place = put("erased", &pair);
    tut_bodies_old old;
    struct stat st;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    (void)state;
    const tut_time day = AT - AT % TUT_DAY_SECONDS;
    assert_true(tut_is_ok(tut_bodies_find_old(dir, day + 8 * TUT_DAY_SECONDS - 1, 7, &old, NULL)));
    assert_string_equal(old.day, "");
    assert_true(tut_is_ok(tut_bodies_find_old(dir, day + 8 * TUT_DAY_SECONDS, 7, &old, NULL)));
    assert_string_equal(old.day, "20231114");
    assert_true(old.files > 0 && old.bytes > 0 && !old.is_said);
    assert_true(tut_is_ok(tut_bodies_say(dir, &old, NULL)));
    assert_true(tut_is_ok(tut_bodies_find_old(dir, day + 8 * TUT_DAY_SECONDS, 7, &old, NULL)));
    assert_true(old.is_said);
    assert_true(tut_is_ok(tut_bodies_erase(dir, keys, old.day, NULL)));
    assert_int_not_equal(stat(path_of("bodies/20231114"), &st), 0);
    assert_int_equal(get(&place, &pair, &request, &answer).code, TUT_STORE);
    assert_true(tut_is_ok(tut_bodies_prepare(dir, keys, AT, NULL)));
    assert_int_not_equal(stat(path_of("bodies/20231114"), &st), 0);
}

/* --- trace context --- */
#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void a_trace_goes_on_where_it_is_one(void **state)
{
    static const struct {
        const char *came, *trace, *flags;
    } rows[] = {
        {PARENT, "4bf92f3577b34da6a3ce929d0e0e4736", "01"},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
         "4bf92f3577b34da6a3ce929d0e0e4736", "00"},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0a",
         "4bf92f3577b34da6a3ce929d0e0e4736", "00"},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fb",
         "4bf92f3577b34da6a3ce929d0e0e4736", "01"},
        {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later",
         "4bf92f3577b34da6a3ce929d0e0e4736", "01"},
        {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01later", ID, "01"},
        {PARENT "-", ID, "01"},
        {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", ID, "01"},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", ID, "01"},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", ID, "01"},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ID, "01"},
        {"", ID, "01"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[TUT_TRACEPARENT];
        tut_trace t;
        (void)snprintf(expected, sizeof(expected), "00-%s-%.16s-%s", rows[i].trace, ID,
                       rows[i].flags);
        tut_trace_make(tut_str_of(rows[i].came), ID, &t);
        assert_string_equal(t.parent, expected);
        assert_string_equal(t.came, strcmp(rows[i].trace, ID) == 0 ? "" : "00f067aa0ba902b7");
    }
    for (size_t n = 0; n < strlen(PARENT); n++) { /* cut, or with another letter, it is none */
        tut_trace t;
        char text[] = PARENT;
        tut_trace_make((tut_str){text, n}, ID, &t);
        assert_string_equal(t.came, "");
        text[n] = 'g';
        tut_trace_make(tut_str_of(text), ID, &t);
        assert_string_equal(t.came, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_read_again),
        cmocka_unit_test(what_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(what_was_altered_is_not_read),
        cmocka_unit_test(it_belongs_to_its_exchange_and_no_other),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
        cmocka_unit_test(a_day_is_erased_for_good),
        cmocka_unit_test(a_trace_goes_on_where_it_is_one),
    };
    return cmocka_run_group_tests(tests, make_all, drop_all);
}
