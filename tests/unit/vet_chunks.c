/* What chunks tell of two versions, the root of a folder, and the list of chunks as a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/chunk_list.h"
#include "data/vet_chunks.h"

enum { SIZE = 20000 };

/* One chunk for each letter, all of one size. */
static tut_chunks chunks_like(const char *letters)
{
    tut_merkle_range range = {0};
    tut_chunks c = {.count = strlen(letters)};
    c.items = calloc(c.count + 1, sizeof(*c.items));
    assert_non_null(c.items);
    for (size_t i = 0; i < c.count; i++) {
        c.items[i].start = c.size;
        c.items[i].size = SIZE;
        tut_merkle_leaf((tut_span){(const uint8_t *)letters + i, 1}, &c.items[i].leaf);
        tut_merkle_range_add(&range, &c.items[i].leaf);
        c.size += SIZE;
    }
    tut_merkle_range_root(&range, &c.root);
    return c;
}

static tut_vet_bytes compared(const char *now, const char *then)
{
    TUT_CLEAN(tut_chunks) a = chunks_like(now);
    TUT_CLEAN(tut_chunks) b = chunks_like(then);
    tut_vet_bytes r = {0};
    assert_true(tut_is_ok(vet_chunks_compare(&a, &b, &r, NULL)));
    assert_true(r.is_known);
    assert_int_equal(r.kept + r.added.chunks, a.count);
    assert_int_equal(r.kept + r.removed.chunks, b.count);
    assert_int_equal(r.kept_bytes, r.kept * SIZE);
    return r;
}

static void neighbours_are_one_range(void **state)
{
    (void)state;
    tut_vet_bytes r = compared("abXYcZ", "abQc");
    assert_int_equal(r.added.chunks, 3);
    assert_int_equal(r.added.bytes, 3 * SIZE);
    assert_int_equal(r.added.ranges, 2);
    assert_int_equal(r.added.shown[0].start, 2 * SIZE);
    assert_int_equal(r.added.shown[0].end, 4 * SIZE);
    assert_int_equal(r.added.shown[1].start, 5 * SIZE);
    assert_int_equal(r.added.shown[1].end, 6 * SIZE);
    assert_int_equal(r.removed.ranges, 1);
    assert_int_equal(r.removed.shown[0].start, 2 * SIZE);
    assert_false(r.is_moved);
}

static void a_chunk_that_stands_there_twice_was_added_once(void **state)
{
    (void)state;
    tut_vet_bytes r = compared("aba", "ab");
    assert_int_equal(r.added.chunks, 1);
    assert_int_equal(r.added.shown[0].start, 2 * SIZE);
    assert_int_equal(compared("ab", "aba").removed.chunks, 1);
}

static void another_order_is_told(void **state)
{
    (void)state;
    assert_true(compared("abc", "acb").is_moved);
    assert_false(compared("abc", "abc").is_moved);
    assert_int_equal(compared("", "").kept, 0);
    assert_int_equal(compared("", "ab").removed.ranges, 1);
}

static void ranges_beyond_those_shown_are_counted(void **state)
{
    char now[402];
    (void)state;
    for (int i = 0; i < 400; i += 2)
        memcpy(now + i, "aX", 2);
    memcpy(now + 400, "X", 2);
    tut_vet_bytes r = compared(now, "");
    assert_int_equal(r.added.ranges, 1); /* nothing is shared: it is one */
    char then[201];
    memset(then, 'a', 200);
    then[200] = '\0';
    r = compared(now, then);
    assert_int_equal(r.added.ranges, 200);
    assert_int_equal(r.added.chunks, 201);
    assert_int_equal(r.added.shown[TUT_VET_CHANGED - 1].end, 2 * TUT_VET_CHANGED * SIZE);
}

/* python3 -c 'import sys; sys.path[0:0]=["tests/tools"]; import chunks
 * print(chunks.folder_root({"a.txt": b"one", "b.txt": b"two"}).hex())' */
static void a_folders_root_binds_names_and_order(void **state)
{
    static const char want[] = "f863c86d1849984bc9195fc3b125f79f0e6d775e213c1975889462afa1cc791e";
    vet_member m[2] = {{"docs/b.txt", {{0}}}, {"docs/a.txt", {{0}}}};
    char hex[TUT_SHA256_HEX];
    tut_sha256 root, other;
    (void)state;
    tut_merkle_leaf(tut_span_of("two", 3), &m[0].root);
    tut_merkle_leaf(tut_span_of("one", 3), &m[1].root);
    vet_chunks_folder(m, 2, &root);
    tut_sha256_hex(&root, hex);
    assert_string_equal(hex, want);
    vet_member elsewhere[2] = {{"/x/docs/a.txt", m[0].root}, {"/x/docs/b.txt", m[1].root}};
    vet_chunks_folder(elsewhere, 2, &other);
    assert_true(tut_sha256_eq(&root, &other));
    elsewhere[1].path = "/x/docs/c.txt";
    vet_chunks_folder(elsewhere, 2, &other);
    assert_false(tut_sha256_eq(&root, &other));
}

static void written(const tut_chunks *c, tut_buf *out)
{
    const tut_sha256 digest = {{1}};
    assert_true(tut_is_ok(tut_chunk_list_write(c, &digest, (tut_time){0}, out, NULL)));
    assert_true(tut_chunk_list_is(tut_buf_span(out)));
}

static void a_list_is_read_as_it_was_written(void **state)
{
    static const char *const cases[] = {"", "a", "abcabc"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_chunks) c = chunks_like(cases[i]);
        TUT_CLEAN(tut_chunks) back = {0};
        written(&c, &text);
        assert_true(tut_is_ok(tut_chunk_list_read(tut_buf_span(&text), &back, NULL)));
        assert_int_equal(back.count, c.count);
        assert_int_equal(back.size, c.size);
        assert_true(tut_sha256_eq(&back.root, &c.root));
        for (size_t k = 0; k < c.count; k++)
            assert_int_equal(back.items[k].start, c.items[k].start);
    }
}

/* Every cut, and every digit that is not what it was in what the root is over. */
static void a_list_that_was_touched_is_refused(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_chunks) c = chunks_like("abc");
    TUT_CLEAN(tut_chunks) back = {0};
    (void)state;
    written(&c, &text);
    for (size_t n = 0; n + 2 < text.len; n++)
        assert_false(tut_is_ok(tut_chunk_list_read(tut_span_of(text.data, n), &back, NULL)));
    uint8_t *from = memmem(text.data, text.len, "[[", 2);
    uint8_t *to = memmem(text.data, text.len, "]]", 2);
    assert_non_null(from);
    for (uint8_t *at = from; at < to; at++) {
        uint8_t before = *at;
        *at = before == '1' ? '2' : '1';
        assert_false(tut_is_ok(tut_chunk_list_read(tut_buf_span(&text), &back, NULL)));
        *at = before;
    }
    assert_true(tut_is_ok(tut_chunk_list_read(tut_buf_span(&text), &back, NULL)));
}

static void only_what_begins_with_the_rule_is_a_list(void **state)
{
    static const struct {
        const char *text;
        bool is_list;
    } cases[] = {
        {"{\"chunking\":", true},
        {" \n{ \"chunking\" :", true},
        {"{\"chunk\":1}", false},
        {"", false},
        {"{", false},
        {"id,chunking\n1,2\n", false},
        {"[{\"chunking\"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(tut_chunk_list_is(tut_span_of(cases[i].text, strlen(cases[i].text))),
                         cases[i].is_list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_one_range),
        cmocka_unit_test(a_chunk_that_stands_there_twice_was_added_once),
        cmocka_unit_test(another_order_is_told),
        cmocka_unit_test(ranges_beyond_those_shown_are_counted),
        cmocka_unit_test(a_folders_root_binds_names_and_order),
        cmocka_unit_test(a_list_is_read_as_it_was_written),
        cmocka_unit_test(a_list_that_was_touched_is_refused),
        cmocka_unit_test(only_what_begins_with_the_rule_is_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
