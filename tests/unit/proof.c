/* Proof files: what is written is read and checked; every byte of them matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/proof.h"

enum { ENTRIES = 11 };

static tut_key *key;
static tut_verifier verifier;
static tut_sha256 leaves[ENTRIES];
static char note[2048];

static tut_span entry_at(size_t i)
{
    static char text[ENTRIES][16];
    (void)snprintf(text[i], sizeof(text[i]), "entry %zu", i);
    return tut_span_of(text[i], strlen(text[i]));
}

/* RFC 9162, 2.1.3.1, by the book. */
static size_t path_of(size_t m, size_t first, size_t n, tut_sha256 *proof)
{
    if (n == 1)
        return 0;
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    bool is_left = m < k;
    size_t count = is_left ? path_of(m, first, k, proof) : path_of(m - k, first + k, n - k, proof);
    if (is_left)
        tut_merkle_root_of(leaves + first + k, n - k, &proof[count]);
    else
        tut_merkle_root_of(leaves + first, k, &proof[count]);
    return count + 1;
}

static int set_up(void **state)
{
    (void)state;
    tut_checkpoint c = {.origin = TUT_LIT("example.org/x"), .size = ENTRIES};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (!tut_is_ok(tut_merkle_start(NULL)) ||
        !tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)) ||
        !tut_is_ok(tut_verifier_of("example.org/x", TUT_NOTE_ED25519, tut_key_public(key),
                                   &verifier, NULL)))
        return -1;
    for (size_t i = 0; i < ENTRIES; i++)
        tut_merkle_leaf(entry_at(i), &leaves[i]);
    tut_merkle_root_of(leaves, ENTRIES, &c.root);
    tut_checkpoint_write(&c, &text);
    if (!tut_is_ok(tut_note_sign("example.org/x", TUT_NOTE_ED25519, key, tut_buf_str(&text), 0,
                                 &line, NULL)))
        return -1;
    (void)snprintf(note, sizeof(note), "%s\n%s", tut_buf_z(&text), tut_buf_z(&line));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tut_verifier_done(&verifier);
    tut_key_free(key);
    return 0;
}

static void write_proof(size_t index, tut_buf *out)
{
    tut_proof p = {.number = index, .checkpoint = tut_str_of(note)};
    p.count = path_of(index, 0, ENTRIES, p.hashes);
    tut_proof_write(&p, out);
    assert_true(tut_is_ok(tut_buf_check(out, NULL)));
}

static tut_code check(tut_str bytes, tut_span entry)
{
    tut_proof p;
    tut_checkpoint c;
    tut_status status = tut_proof_parse(bytes, &p, NULL);
    return tut_is_ok(status) ? tut_proof_check(&p, entry, &verifier, 1, &c, NULL).code
                             : status.code;
}

static void a_proof_holds_for_its_entry_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENTRIES; i++) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        write_proof(i, &bytes);
        for (size_t k = 0; k < ENTRIES; k++)
            assert_int_equal(check(tut_buf_str(&bytes), entry_at(k)), k == i ? TUT_OK : TUT_CRYPTO);
    }
}

static void every_cut_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    write_proof(5, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(check((tut_str){(char *)bytes.data, len}, entry_at(5)), TUT_OK);
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(check(tut_buf_str(&bytes), entry_at(5)), TUT_OK);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void shapes_that_the_format_forbids_are_refused(void **state)
{
    (void)state;
    static const char hash[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    static const char *const heads[] = {"",
                                        "c2sp.org/tlog-proof@v1\n",
                                        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 00\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 01\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex -1\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex \n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\n",
                                        "c2sp.org/tlog-proof@v1\nextra *\nindex 0\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 0\nextra YQ==\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 0\nx\n\n",
                                        "c2sp.org/tlog-proof@v1\nindex 0\nYQ==\n\n",
                                        "c2sp.org/tlog-proof@v1\n\nindex 0\n\n",
                                        "old\n\n",
                                        "old x\n\n",
                                        "index 0\n\n"};
    tut_proof p;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        tut_buf_add_z(&bytes, heads[i]);
        tut_buf_add_z(&bytes, note);
        assert_int_equal(tut_proof_parse(tut_buf_str(&bytes), &p, NULL).code, TUT_MALFORMED);
    }
    for (unsigned count = 64; count <= 65; count++) {
        TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
        tut_buf_add_z(&bytes, "old 3\n");
        for (unsigned i = 0; i < count; i++)
            tut_buf_add_z(&bytes, hash);
        tut_buf_add_z(&bytes, "\n");
        tut_buf_add_z(&bytes, note);
        assert_int_equal(tut_proof_parse(tut_buf_str(&bytes), &p, NULL).code,
                         count == 64 ? TUT_OK : TUT_MALFORMED);
    }
}

static void extra_data_changes_nothing(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    write_proof(2, &plain);
    tut_buf_add_z(&bytes, "c2sp.org/tlog-proof@v1\nextra YWdl\n");
    tut_buf_add(&bytes, plain.data + 23, plain.len - 23);
    assert_int_equal(check(tut_buf_str(&bytes), entry_at(2)), TUT_OK);
}

static void another_key_or_no_key_proves_nothing(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_key) other = NULL;
    TUT_CLEAN(tut_verifier) stranger = {.id = 0};
    tut_proof p;
    write_proof(2, &bytes);
    assert_true(tut_is_ok(tut_proof_parse(tut_buf_str(&bytes), &p, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &other, NULL)));
    assert_true(tut_is_ok(tut_verifier_of("example.org/x", TUT_NOTE_ED25519, tut_key_public(other),
                                          &stranger, NULL)));
    assert_int_equal(tut_proof_check(&p, entry_at(2), &stranger, 1, NULL, NULL).code, TUT_CRYPTO);
    assert_int_equal(tut_proof_check(&p, entry_at(2), NULL, 0, NULL, NULL).code, TUT_CRYPTO);
}

static void consistency_is_checked_against_the_old_root(void **state)
{
    (void)state;
    tut_sha256 old;
    tut_proof p = {.is_consistency = true, .number = 8, .checkpoint = tut_str_of(note)};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_merkle_root_of(leaves, 8, &old); /* a whole left half: its proof is the right one */
    tut_merkle_root_of(leaves + 8, ENTRIES - 8, &p.hashes[p.count++]);
    tut_proof_write(&p, &bytes);
    assert_true(tut_is_ok(tut_proof_parse(tut_buf_str(&bytes), &p, NULL)));
    assert_true(p.is_consistency);
    assert_true(tut_is_ok(tut_proof_check_old(&p, &old, &verifier, 1, NULL, NULL)));
    assert_int_equal(tut_proof_check(&p, entry_at(0), &verifier, 1, NULL, NULL).code, TUT_USAGE);
    old.bytes[0] ^= 1;
    assert_int_equal(tut_proof_check_old(&p, &old, &verifier, 1, NULL, NULL).code, TUT_CRYPTO);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_proof_holds_for_its_entry_alone),
        TEST(every_cut_and_every_flipped_bit_is_refused),
        TEST(shapes_that_the_format_forbids_are_refused),
        TEST(extra_data_changes_nothing),
        TEST(another_key_or_no_key_proves_nothing),
        TEST(consistency_is_checked_against_the_old_root),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
