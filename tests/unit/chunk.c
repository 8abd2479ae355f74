/*
 * Chunks and their root against a plain restatement. Vectors: tests/tools/chunks.py --made SIZE,
 * and chunks.py over 300,000 zeros.
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
#include "crypto/chunk.h"

enum { MADE = 1000000, LARGE = 20000000 };

static uint8_t *make(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    uint64_t x = 0;
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        x = 6364136223846793005u * x + 1442695040888963407u;
        bytes[i] = (uint8_t)(x >> 56);
    }
    return bytes;
}

static tut_chunks chunks_of(const uint8_t *bytes, size_t size, size_t window)
{
    tut_source source = tut_source_memory((tut_span){bytes, size});
    const tut_chunks_options options = {.keep = true, .window = window};
    tut_chunks c;
    tut_sha256 digest, alone;
    assert_true(tut_is_ok(tut_chunks_read(&source, &options, &digest, &c, NULL)));
    assert_true(tut_is_ok(tut_sha256_of((tut_span){bytes, size}, &alone, NULL)));
    assert_true(tut_sha256_eq(&digest, &alone));
    assert_int_equal(c.size, size);
    return c;
}

static void root_is(const tut_chunks *c, const char *want)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&c->root, hex);
    assert_string_equal(hex, want);
}

static void roots_are_those_of_the_restatement(void **state)
{
    static const struct {
        size_t size, count;
        const char *root;
    } cases[] = {
        {0, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, 1, "f431a7f47862c05a44c40ef1f447d207ba15d339cef1fb9357564974137c1673"},
        {16384, 1, "e50f924370a734293093f2cc2aac4400a5e2d82569ea9f3572c842aaf1a97813"},
        {16385, 1, "e5b1733ae3ee75af6b6149f061932a1f5922a0ec3dfa769fcf928176b35f5242"},
        {MADE, 12, "83333fc1601edce0030dd097b26969d5a1ff1c0dbabd6d630dafbb8c1c047b3c"},
    };
    static const uint32_t sizes[] = {108890, 93305, 76097, 90713, 70172, 111820,
                                     93235,  74914, 80313, 75959, 69825, 54757};
    (void)state;
    uint8_t *bytes = make(MADE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_chunks c = chunks_of(bytes, cases[i].size, 0);
        assert_int_equal(c.count, cases[i].count);
        root_is(&c, cases[i].root);
        for (size_t k = 0; k < c.count && cases[i].size == MADE; k++)
            assert_int_equal(c.items[k].size, sizes[k]);
        tut_chunks_done(&c);
    }
    free(bytes);
}

static void what_has_no_cut_is_cut_at_the_longest_chunk(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(300000, 1);
    assert_non_null(zeros);
    tut_chunks c = chunks_of(zeros, 300000, 0);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.items[0].size, TUT_CHUNK_MOST);
    assert_int_equal(c.items[1].start, TUT_CHUNK_MOST);
    root_is(&c, "f4d965f3dedb0bc7655706a7f243900bf633c1ccf3e00992672cc6299282bf7b");
    tut_chunks_done(&c);
    free(zeros);
}

/* Large enough for several windows and threads. */
static void cuts_do_not_depend_on_how_bytes_are_read(void **state)
{
    static const size_t windows[] = {1, TUT_CHUNK_MOST + 1, 777777, 5 << 20, LARGE + 1};
    (void)state;
    uint8_t *bytes = make(LARGE);
    tut_chunks want = chunks_of(bytes, LARGE, 0);
    uint64_t at = 0;
    for (size_t k = 0; k < want.count; k++) {
        assert_int_equal(want.items[k].start, at);
        assert_int_equal(want.items[k].size, tut_chunk_cut(bytes + at, LARGE - at));
        assert_true(k + 1 == want.count || want.items[k].size >= TUT_CHUNK_LEAST);
        at += want.items[k].size;
    }
    assert_int_equal(at, LARGE);
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        tut_chunks c = chunks_of(bytes, LARGE, windows[i]);
        assert_int_equal(c.count, want.count);
        assert_true(tut_sha256_eq(&c.root, &want.root));
        tut_chunks_done(&c);
    }
    tut_chunks_done(&want);
    free(bytes);
}

static size_t shared(const tut_chunks *a, const tut_chunks *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++) {
        size_t k = 0;
        while (k < b->count && !tut_sha256_eq(&a->items[i].leaf, &b->items[k].leaf))
            k++;
        n += k < b->count;
    }
    return n;
}

static void one_row_more_changes_at_most_three_chunks(void **state)
{
    static const size_t places[] = {0, 1, 70000, MADE / 2, 900001, MADE};
    static const char row[] = "4711,a row that was put in,1\n";
    (void)state;
    uint8_t *old = make(MADE);
    uint8_t *new = malloc(MADE + sizeof(row));
    assert_non_null(new);
    tut_chunks then = chunks_of(old, MADE, 0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t at = places[i];
        memcpy(new, old, at);
        memcpy(new + at, row, sizeof(row) - 1);
        memcpy(new + at + sizeof(row) - 1, old + at, MADE - at);
        tut_chunks now = chunks_of(new, MADE + sizeof(row) - 1, 0);
        assert_in_range(now.count - shared(&now, &then), 1, 3);
        assert_false(tut_sha256_eq(&now.root, &then.root));
        tut_chunks_done(&now);
    }
    tut_chunks_done(&then);
    free(new);
    free(old);
}

/* RFC 6962 2.1.1, word for word. */
static size_t path(size_t m, const tut_chunk *d, size_t n, tut_sha256 *out, tut_sha256 *ret_root)
{
    tut_sha256 left, right;
    size_t k = 1, count, ignored;
    if (n == 1) {
        *ret_root = d[0].leaf;
        return 0;
    }
    while (2 * k < n)
        k *= 2;
    tut_sha256 unused[TUT_MERKLE_PROOF_MAX];
    count = m < k ? path(m, d, k, out, &left) : path(m - k, d + k, n - k, out, &right);
    ignored = m < k ? path(0, d + k, n - k, unused, &right) : path(0, d, k, unused, &left);
    (void)ignored;
    out[count] = m < k ? right : left;
    tut_merkle_node(&left, &right, ret_root);
    return count + 1;
}

static void whoever_has_the_root_can_check_a_chunk(void **state)
{
    (void)state;
    uint8_t *bytes = make(MADE);
    tut_chunks c = chunks_of(bytes, MADE, 0);
    for (size_t i = 0; i < c.count; i++) {
        tut_sha256 proof[TUT_MERKLE_PROOF_MAX], root, leaf;
        size_t count = path(i, c.items, c.count, proof, &root);
        tut_merkle_leaf((tut_span){bytes + c.items[i].start, c.items[i].size}, &leaf);
        assert_true(
            tut_is_ok(tut_merkle_check_inclusion(&leaf, i, c.count, proof, count, &c.root, NULL)));
        bytes[c.items[i].start] ^= 1;
        tut_merkle_leaf((tut_span){bytes + c.items[i].start, c.items[i].size}, &leaf);
        assert_int_equal(
            tut_merkle_check_inclusion(&leaf, i, c.count, proof, count, &c.root, NULL).code,
            TUT_CRYPTO);
    }
    tut_chunks_done(&c);
    free(bytes);
}

/* The size that the source claims is not there any more, at the first window and later. */
static void a_file_that_shrinks_is_truncated(void **state)
{
    static const off_t left[] = {0, 100, 5 << 20};
    (void)state;
    uint8_t *bytes = make(LARGE);
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        tut_source source;
        const tut_chunks_options options = {0};
        tut_chunks c;
        tut_sha256 digest;
        tut_error err = {0};
        int fd;
        assert_true(tut_is_ok(tut_fs_open_nameless(&fd, NULL)));
        assert_true(tut_is_ok(tut_fs_write_to(fd, (tut_span){bytes, LARGE}, NULL)));
        assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
        assert_int_equal(ftruncate(fd, left[i]), 0);
        assert_int_equal(tut_chunks_read(&source, &options, &digest, &c, &err).code, TUT_TRUNCATED);
        assert_true(err.text[0] != '\0');
        close(fd);
    }
    free(bytes);
}

static void only_the_root_is_kept_where_no_more_is_wanted(void **state)
{
    (void)state;
    uint8_t *bytes = make(MADE);
    tut_source source = tut_source_memory((tut_span){bytes, MADE});
    const tut_chunks_options options = {0};
    tut_chunks c;
    tut_sha256 digest;
    assert_true(tut_is_ok(tut_chunks_read(&source, &options, &digest, &c, NULL)));
    assert_null(c.items);
    assert_int_equal(c.count, 12);
    tut_chunks_done(&c);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_restatement),
        cmocka_unit_test(what_has_no_cut_is_cut_at_the_longest_chunk),
        cmocka_unit_test(cuts_do_not_depend_on_how_bytes_are_read),
        cmocka_unit_test(one_row_more_changes_at_most_three_chunks),
        cmocka_unit_test(whoever_has_the_root_can_check_a_chunk),
        cmocka_unit_test(a_file_that_shrinks_is_truncated),
        cmocka_unit_test(only_the_root_is_kept_where_no_more_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
