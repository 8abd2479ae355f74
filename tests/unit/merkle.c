/*
 * Merkle trees against a plain recursive reading of RFC 6962, and the vectors of
 * transparency-dev/merkle (testdata/inclusion, testdata/consistency).
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "crypto/dsse.h"
#include "crypto/merkle.h"

enum { LEAVES = 70, PATH_BYTES = 512 };

static tut_sha256 leaves[LEAVES];

static int make_leaves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEAVES; i++) {
        uint8_t entry[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        tut_merkle_leaf(tut_span_of(entry, i % 3), &leaves[i]);
    }
    return tut_is_ok(tut_merkle_start(NULL)) ? 0 : -1;
}

static size_t split(size_t n)
{
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

/* RFC 6962 2.1, 2.1.1 and 2.1.2 word for word. */
static tut_sha256 mth(const tut_sha256 *d, size_t n)
{
    tut_sha256 r;
    if (n == 1)
        return d[0];
    if (n == 0) {
        tut_merkle_empty(&r);
        return r;
    }
    size_t k = split(n);
    tut_sha256 left = mth(d, k), right = mth(d + k, n - k);
    tut_merkle_node(&left, &right, &r);
    return r;
}

static size_t path(size_t m, const tut_sha256 *d, size_t n, tut_sha256 *out)
{
    if (n == 1)
        return 0;
    size_t k = split(n);
    size_t count = m < k ? path(m, d, k, out) : path(m - k, d + k, n - k, out);
    out[count] = m < k ? mth(d + k, n - k) : mth(d, k);
    return count + 1;
}

static size_t subproof(size_t m, const tut_sha256 *d, size_t n, bool b, tut_sha256 *out)
{
    if (m == n) {
        out[0] = mth(d, n);
        return b ? 0 : 1;
    }
    size_t k = split(n);
    size_t count = m <= k ? subproof(m, d, k, b, out) : subproof(m - k, d + k, n - k, false, out);
    out[count] = m <= k ? mth(d + k, n - k) : mth(d, k);
    return count + 1;
}

static void hashes_are_those_of_rfc_6962(void **state)
{
    (void)state;
    /* From the test data of Certificate Transparency. */
    char hex[TUT_SHA256_HEX];
    tut_sha256 h;
    tut_merkle_leaf(tut_span_of("", 0), &h);
    tut_sha256_hex(&h, hex);
    assert_string_equal(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    tut_merkle_leaf(tut_span_of("L123456", 7), &h);
    tut_sha256_hex(&h, hex);
    assert_string_equal(hex, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

static void range_grows_to_the_recursive_root(void **state)
{
    (void)state;
    tut_merkle_range range = {0};
    for (size_t n = 0; n <= LEAVES; n++) {
        tut_sha256 want = mth(leaves, n), found;
        tut_merkle_range_root(&range, &found);
        assert_memory_equal(&found, &want, sizeof(want));
        tut_merkle_root_of(leaves, n, &found);
        assert_memory_equal(&found, &want, sizeof(want));
        if (n < LEAVES)
            tut_merkle_range_add(&range, &leaves[n]);
    }
}

static void range_keeps_the_nodes_that_an_add_completed(void **state)
{
    (void)state;
    tut_merkle_range range = {0};
    for (size_t n = 1; n <= LEAVES; n++) {
        tut_merkle_range_add(&range, &leaves[n - 1]);
        for (unsigned level = 0; n % ((size_t)1 << level) == 0; level++) {
            size_t width = (size_t)1 << level;
            tut_sha256 want = mth(leaves + n - width, width);
            assert_memory_equal(&range.hashes[level], &want, sizeof(want));
        }
    }
}

static void inclusion_holds_for_every_entry_and_for_no_other_claim(void **state)
{
    (void)state;
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX];
    for (size_t n = 1; n <= LEAVES; n++) {
        tut_sha256 root = mth(leaves, n);
        for (size_t i = 0; i < n; i++) {
            size_t count = path(i, leaves, n, proof);
            assert_true(
                tut_is_ok(tut_merkle_check_inclusion(&leaves[i], i, n, proof, count, &root, NULL)));
            for (size_t other = 0; other < n; other++) {
                tut_status s = tut_merkle_check_inclusion(&leaves[i], other, n, proof, count, &root,
                                                          NULL);
                assert_int_equal(tut_is_ok(s), other == i);
            }
            assert_int_equal(
                tut_merkle_check_inclusion(&leaves[i], i, n, proof, count + 1, &root, NULL).code,
                TUT_CRYPTO);
            if (count)
                assert_int_equal(
                    tut_merkle_check_inclusion(&leaves[i], i, n, proof, count - 1, &root, NULL)
                        .code,
                    TUT_CRYPTO);
        }
    }
}

static void consistency_holds_for_every_pair_and_for_no_other_claim(void **state)
{
    (void)state;
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX];
    for (size_t n = 1; n <= LEAVES; n++) {
        tut_sha256 new_root = mth(leaves, n);
        for (size_t m = 1; m <= n; m++) {
            tut_sha256 old_root = mth(leaves, m);
            size_t count = subproof(m, leaves, n, true, proof);
            assert_true(tut_is_ok(
                tut_merkle_check_consistency(m, n, proof, count, &old_root, &new_root, NULL)));
            if (m == n)
                continue;
            assert_int_equal(
                tut_merkle_check_consistency(m, n, proof, count, &new_root, &new_root, NULL).code,
                TUT_CRYPTO);
            assert_int_equal(
                tut_merkle_check_consistency(m, n, proof, count, &old_root, &old_root, NULL).code,
                TUT_CRYPTO);
            proof[count / 2].bytes[7] ^= 1;
            assert_int_equal(
                tut_merkle_check_consistency(m, n, proof, count, &old_root, &new_root, NULL).code,
                TUT_CRYPTO);
        }
    }
}

static void nothing_is_consistent_with_anything_that_is_signed(void **state)
{
    (void)state;
    tut_sha256 empty = mth(leaves, 0), root = mth(leaves, 5);
    assert_true(tut_is_ok(tut_merkle_check_consistency(0, 5, NULL, 0, &empty, &root, NULL)));
    assert_int_equal(tut_merkle_check_consistency(0, 5, NULL, 0, &root, &root, NULL).code,
                     TUT_CRYPTO);
    assert_int_equal(tut_merkle_check_consistency(0, 0, NULL, 0, &root, &root, NULL).code,
                     TUT_CRYPTO);
    assert_int_equal(tut_merkle_check_consistency(5, 0, NULL, 0, &root, &empty, NULL).code,
                     TUT_CRYPTO);
}

/* The vectors write "don't care" where a digest should be. Where only equality counts its own
 * digest stands for it; elsewhere a digest of another length is refused. */
static bool take_hash(tut_str base64, bool only_equality, tut_sha256 *ret)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (!tut_is_ok(tut_base64_read(base64, false, &bytes)))
        return false;
    if (bytes.len != TUT_SHA256_BYTES && only_equality)
        return tut_is_ok(tut_sha256_of(tut_buf_span(&bytes), ret, NULL));
    if (bytes.len != TUT_SHA256_BYTES)
        return false;
    memcpy(ret->bytes, bytes.data, bytes.len);
    return true;
}

static bool take_proof(const tut_json_value *v, tut_sha256 *proof, size_t *ret_count)
{
    const tut_json_value *list = tut_json_get(v, "proof");
    *ret_count = tut_json_count(list);
    assert_true(*ret_count <= TUT_MERKLE_PROOF_MAX);
    for (uint32_t i = 0; i < *ret_count; i++)
        if (!take_hash(tut_json_text(tut_json_item(list, i)), false, &proof[i]))
            return false;
    return true;
}

static bool accepts_inclusion(const tut_json_value *v)
{
    tut_sha256 root, leaf, proof[TUT_MERKLE_PROOF_MAX];
    size_t count = 0;
    return take_hash(tut_json_get_text(v, "root"), false, &root) &&
           take_hash(tut_json_get_text(v, "leafHash"), false, &leaf) &&
           take_proof(v, proof, &count) &&
           tut_is_ok(tut_merkle_check_inclusion(&leaf, (uint64_t)tut_json_get_int(v, "leafIdx", -1),
                                                (uint64_t)tut_json_get_int(v, "treeSize", -1),
                                                proof, count, &root, NULL));
}

static bool accepts_consistency(const tut_json_value *v)
{
    tut_sha256 old_root, new_root, proof[TUT_MERKLE_PROOF_MAX];
    size_t count = 0;
    bool is_same = tut_json_get_int(v, "size1", -1) == tut_json_get_int(v, "size2", -2);
    return take_hash(tut_json_get_text(v, "root1"), is_same, &old_root) &&
           take_hash(tut_json_get_text(v, "root2"), is_same, &new_root) &&
           take_proof(v, proof, &count) &&
           tut_is_ok(tut_merkle_check_consistency((uint64_t)tut_json_get_int(v, "size1", -1),
                                                  (uint64_t)tut_json_get_int(v, "size2", -1), proof,
                                                  count, &old_root, &new_root, NULL));
}

static unsigned run_file(const char *file, bool (*accepts)(const tut_json_value *))
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(tut_fs_read(file, 1 << 20, &text, NULL)));
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&text), NULL, &doc, NULL)));
    const tut_json_value *v = tut_json_root(doc);
    bool is_wrong = tut_json_get_bool(v, "wantErr", false);
    if (accepts(v) == is_wrong)
        fail_msg("%s: %s", file, is_wrong ? "accepted" : "refused");
    return is_wrong ? 0 : 1;
}

typedef struct tally {
    unsigned count, good;
    bool (*accepts)(const tut_json_value *);
    const char *root;
} tally;

static tut_status visit(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    tally *t = ctx;
    char file[PATH_BYTES];
    (void)err;
    (void)snprintf(file, sizeof(file), "%s/%s", t->root, entry->rel);
    t->good += run_file(file, t->accepts);
    t->count++;
    return TUT_SUCCESS;
}

static void run_vectors(const char *kind, bool (*accepts)(const tut_json_value *))
{
    char root[PATH_BYTES];
    const char *shared = getenv("TUTELA_SHARED");
    (void)snprintf(root, sizeof(root), "%s/data/vectors/tlog/%s", shared ? shared : "../shared",
                   kind);
    if (!tut_fs_is_dir(root)) {
        print_message("skipped: the vectors of transparency-dev/merkle are not in %s\n", root);
        skip();
    }
    tally t = {.accepts = accepts, .root = root};
    assert_true(tut_is_ok(tut_walk(root, visit, &t, NULL)));
    assert_int_equal(t.count, 98);
    assert_in_range(t.good, 1, 97);
}

static void inclusion_vectors_behave_as_labelled(void **state)
{
    (void)state;
    run_vectors("inclusion", accepts_inclusion);
}

static void consistency_vectors_behave_as_labelled(void **state)
{
    (void)state;
    run_vectors("consistency", accepts_consistency);
}

/* A million entries of 256 bytes that begin with their number, little-endian in three bytes; the
 * root was made with golang.org/x/mod/sumdb/tlog. */
static void a_million_entries_have_the_known_root(void **state)
{
    (void)state;
    uint8_t entry[256] = {0};
    char hex[TUT_SHA256_HEX];
    tut_merkle_range range = {0};
    tut_sha256 root;
    for (uint64_t i = 0; i < 1000000; i++) {
        tut_sha256 leaf;
        for (unsigned b = 0; b < 3; b++)
            entry[b] = (uint8_t)(i >> 8 * b);
        tut_merkle_leaf(tut_span_of(entry, sizeof(entry)), &leaf);
        tut_merkle_range_add(&range, &leaf);
    }
    tut_merkle_range_root(&range, &root);
    tut_sha256_hex(&root, hex);
    assert_string_equal(hex, "e8ffe47e7c2956fafb6a464c3ecb4d13e4564f4d4db270f6afcd92497666f059");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_rfc_6962),
        cmocka_unit_test(range_grows_to_the_recursive_root),
        cmocka_unit_test(range_keeps_the_nodes_that_an_add_completed),
        cmocka_unit_test(inclusion_holds_for_every_entry_and_for_no_other_claim),
        cmocka_unit_test(consistency_holds_for_every_pair_and_for_no_other_claim),
        cmocka_unit_test(nothing_is_consistent_with_anything_that_is_signed),
        cmocka_unit_test(a_million_entries_have_the_known_root),
        cmocka_unit_test(inclusion_vectors_behave_as_labelled),
        cmocka_unit_test(consistency_vectors_behave_as_labelled),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
