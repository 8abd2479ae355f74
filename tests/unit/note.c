/*
 * Signed notes, verifier keys, checkpoints, cosignatures. Vectors: the example of
 * c2sp.org/signed-note v1.1.0; the example of golang.org/x/mod/sumdb/note; the checkpoint of
 * rekor.sigstore.dev in the model signed by sigstore/model-transparency v1.1.0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/note.h"

#define FOO_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_NOTE                                                                                   \
    "This is an example message.\n\n\u2014 example.com/foo "                                       \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=" \
    "\n"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_NOTE                                                                                 \
    "If you think cryptography is the answer to your problem,\nthen you don't know what your "     \
    "problem is.\n\n\u2014 PeterNeumann "                                                          \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=" \
    "\n"
#define REKOR_VKEY                                                                                 \
    "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBc" \
    "K5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="
#define REKOR_NOTE                                                                                 \
    "rekor.sigstore.dev - 1193050959916656506\n476246825\n"                                        \
    "V0NA1ekHc4sMtyOk9+rSfb50+v1kFb/0QXYbxrm43gk=\n\n\u2014 rekor.sigstore.dev "                   \
    "wNI9ajBFAiBtV0gov0pC7kBG6WPaApxiUudh/9C4XyIybO93bBSVwQIhAIbRCl/2O4fJ83ik6SiLnFx3ipedmkvKoQ9y" \
    "kKvQYdS4\n"

static tut_verifier verifier(const char *vkey)
{
    tut_verifier v = {.key = NULL};
    tut_error err = {0};
    if (!tut_is_ok(tut_verifier_parse(tut_str_of(vkey), &v, &err)))
        fail_msg("%s: %s", vkey, err.text);
    return v;
}

static tut_status check(tut_str text, const tut_verifier *v, size_t count, size_t least,
                        tut_error *err)
{
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    TUT_TRY(tut_note_parse(text, &note, err));
    return tut_note_verify(&note, v, count, least, NULL, NULL, err);
}

static const struct {
    const char *vkey, *note;
} vectors[] = {{FOO_VKEY, FOO_NOTE}, {PETER_VKEY, PETER_NOTE}, {REKOR_VKEY, REKOR_NOTE}};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void published_notes_verify_and_their_keys_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        TUT_CLEAN(tut_verifier) v = verifier(vectors[i].vkey);
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        tut_verifier_write(&v, &again);
        assert_string_equal(tut_buf_z(&again), vectors[i].vkey);
        assert_true(tut_is_ok(check(tut_str_of(vectors[i].note), &v, 1, 1, NULL)));
    }
}

static void a_note_of_unknown_signers_has_no_good_signature(void **state)
{
    (void)state;
    TUT_CLEAN(tut_verifier) v = verifier(PETER_VKEY);
    tut_error err = {0};
    assert_int_equal(check(tut_str_of(FOO_NOTE), &v, 1, 1, &err).code, TUT_CRYPTO);
    assert_non_null(strstr(err.text, "0 signatures of known keys; 1 are wanted"));
    assert_true(tut_is_ok(check(tut_str_of(FOO_NOTE), &v, 1, 0, NULL)));
    /* The same name under another id is another signer. */
    v.id ^= 1;
    assert_int_equal(check(tut_str_of(PETER_NOTE), &v, 1, 1, NULL).code, TUT_CRYPTO);
}

static void each_truncation_and_bit_flip_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        TUT_CLEAN(tut_verifier) v = verifier(vectors[i].vkey);
        size_t len = strlen(vectors[i].note);
        TUT_AUTO_FREE char *bytes = tut_strndup(vectors[i].note, len);
        assert_non_null(bytes);
        for (size_t n = 0; n < len; n++) {
            /* In a block of its own, so that reading beyond the end shows under ASan. */
            TUT_AUTO_FREE char *cut = tut_strndup(bytes, n);
            assert_non_null(cut);
            assert_false(tut_is_ok(check((tut_str){cut, n}, &v, 1, 1, NULL)));
        }
        for (size_t n = 0; n < len; n++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[n] = (char)((uint8_t)bytes[n] ^ 1u << bit);
                tut_status status = check((tut_str){bytes, len}, &v, 1, 1, NULL);
                if (tut_is_ok(status))
                    fail_msg("vector %zu: byte %zu, bit %u may be flipped", i, n, bit);
                bytes[n] = (char)((uint8_t)bytes[n] ^ 1u << bit);
            }
        }
    }
}

static void a_known_signature_that_is_bad_rejects_the_note(void **state)
{
    (void)state;
    /* Peter's line under foo's text, beside foo's own good one. */
    static const char note[] = FOO_NOTE
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/"
        "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    tut_verifier both[] = {verifier(FOO_VKEY), verifier(PETER_VKEY)};
    tut_error err = {0};
    assert_true(tut_is_ok(check(tut_str_of(note), both, 1, 1, NULL)));
    assert_int_equal(check(tut_str_of(note), both, 2, 1, &err).code, TUT_CRYPTO);
    assert_non_null(strstr(err.text, "PeterNeumann"));
    tut_verifier_done(&both[0]);
    tut_verifier_done(&both[1]);
}

static void one_signer_given_twice_counts_once(void **state)
{
    (void)state;
    tut_verifier twice[] = {verifier(FOO_VKEY), verifier(FOO_VKEY)};
    assert_true(tut_is_ok(check(tut_str_of(FOO_NOTE), twice, 2, 1, NULL)));
    assert_int_equal(check(tut_str_of(FOO_NOTE), twice, 2, 2, NULL).code, TUT_CRYPTO);
    tut_verifier_done(&twice[0]);
    tut_verifier_done(&twice[1]);
}

static void unsound_notes_are_malformed(void **state)
{
    (void)state;
    static const char line[] = "\u2014 a AAAAAAA=\n";
    static const struct {
        const char *text;
        tut_code code;
    } cases[] = {
        {"", TUT_MALFORMED},
        {"\n", TUT_MALFORMED},
        {"text\n", TUT_MALFORMED},
        {"text\n\n", TUT_MALFORMED},
        {"text\n\u2014 a AAAAAAA=\n", TUT_MALFORMED},
        {"text\n\n\u2014 a AAAAAAA=", TUT_MALFORMED},
        {"text\n\n\u2014 a AAAAAA==\n", TUT_MALFORMED}, /* four bytes: an id alone */
        {"text\n\n\u2014 a AAAAAAB=\n", TUT_MALFORMED}, /* stray bits */
        {"text\n\n\u2014 a\n", TUT_MALFORMED},
        {"text\n\n\u2014  AAAAAAA=\n", TUT_MALFORMED},
        {"text\n\n\u2014 a+b AAAAAAA=\n", TUT_MALFORMED},
        {"text\n\n\u2014 a\u00a0b AAAAAAA=\n", TUT_MALFORMED},
        {"text\n\n- a AAAAAAA=\n", TUT_MALFORMED},
        {"te\txt\n\n\u2014 a AAAAAAA=\n", TUT_MALFORMED},
        {"te\r\n\n\u2014 a AAAAAAA=\n", TUT_MALFORMED},
        {"te\xff\n\n\u2014 a AAAAAAA=\n", TUT_MALFORMED},
        {"text\n\n\u2014 a AAAAAAA=\n\u2014 b AAAAAAA=\n", TUT_OK},
        {"a\n\nb\n\n\u2014 a AAAAAAA=\n", TUT_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_note) note = {.signature_count = 0};
        tut_status status = tut_note_parse(tut_str_of(cases[i].text), &note, NULL);
        if (status.code != cases[i].code)
            fail_msg("case %zu: %s", i, tut_code_name(status.code));
    }
    TUT_CLEAN(tut_buf) many = TUT_BUF_INIT;
    tut_buf_add_z(&many, "text\n\n");
    for (unsigned i = 0; i < TUT_NOTE_SIGNATURES_MAX; i++)
        tut_buf_add_z(&many, line);
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    assert_true(tut_is_ok(tut_note_parse(tut_buf_str(&many), &note, NULL)));
    assert_int_equal(note.signature_count, TUT_NOTE_SIGNATURES_MAX);
    tut_note_done(&note);
    tut_buf_add_z(&many, line);
    assert_int_equal(tut_note_parse(tut_buf_str(&many), &note, NULL).code, TUT_LIMIT);
}

static void text_is_parted_at_the_last_empty_line(void **state)
{
    (void)state;
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    assert_true(tut_is_ok(tut_note_parse(TUT_LIT("a\n\nb\n\n\u2014 c AAAAAAA=\n"), &note, NULL)));
    assert_true(tut_str_eq_z(note.text, "a\n\nb\n"));
    assert_int_equal(note.signature_count, 1);
    assert_int_equal(note.signatures[0].id, 0);
    assert_int_equal(note.signatures[0].bytes.len, 1);
}

static void unsound_verifier_keys_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "a",
        "a+b",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* type 5 */
        "example.com/foo+530d903a+AQ==",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_CLEAN(tut_verifier) v = {.key = NULL};
        tut_error err = {0};
        assert_false(tut_is_ok(tut_verifier_parse(tut_str_of(bad[i]), &v, &err)));
        assert_true(err.text[0] != '\0');
    }
}

static void what_we_sign_verifies_under_each_algorithm(void **state)
{
    (void)state;
    static const struct {
        tut_key_type key;
        tut_note_algorithm algorithm;
    } kinds[] = {{TUT_KEY_ED25519, TUT_NOTE_ED25519},
                 {TUT_KEY_ED25519, TUT_NOTE_COSIGNATURE},
                 {TUT_KEY_P256, TUT_NOTE_ECDSA}};
    for (size_t i = 0; i < 3; i++) {
        TUT_AUTO(tut_key) key = NULL;
        TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
        TUT_CLEAN(tut_verifier) v = {.key = NULL};
        TUT_CLEAN(tut_note) parsed = {.signature_count = 0};
        static const tut_str text = {
            "log.example\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 59};
        bool good = false;
        tut_time at = 0;
        assert_true(tut_is_ok(tut_key_generate(kinds[i].key, &key, NULL)));
        tut_buf_add_str(&note, text);
        tut_buf_add_z(&note, "\n");
        assert_true(tut_is_ok(
            tut_note_sign("w.example/1", kinds[i].algorithm, key, text, 1679315147, &note, NULL)));
        assert_true(tut_is_ok(
            tut_verifier_of("w.example/1", kinds[i].algorithm, tut_key_public(key), &v, NULL)));
        assert_true(tut_is_ok(tut_note_parse(tut_buf_str(&note), &parsed, NULL)));
        assert_true(tut_is_ok(tut_note_verify(&parsed, &v, 1, 1, &good, &at, NULL)));
        assert_true(good);
        assert_int_equal(at, kinds[i].algorithm == TUT_NOTE_COSIGNATURE ? 1679315147 : 0);
        /* A time that was not signed. */
        if (kinds[i].algorithm == TUT_NOTE_COSIGNATURE) {
            parsed.signatures[0].bytes.data[7] ^= 1;
            assert_int_equal(tut_note_verify(&parsed, &v, 1, 1, NULL, NULL, NULL).code, TUT_CRYPTO);
        }
    }
}

static void keys_and_texts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) p384 = NULL;
    TUT_AUTO(tut_key) ed = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_str text = TUT_LIT("a\n");
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P384, &p384, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &ed, NULL)));
    assert_int_equal(tut_note_sign("n", TUT_NOTE_ECDSA, p384, text, 0, &out, NULL).code,
                     TUT_UNSUPPORTED);
    assert_int_equal(tut_note_sign("n", TUT_NOTE_ECDSA, ed, text, 0, &out, NULL).code,
                     TUT_UNSUPPORTED);
    assert_int_equal(tut_note_sign("n", TUT_NOTE_OTHER, ed, text, 0, &out, NULL).code,
                     TUT_UNSUPPORTED);
    assert_int_equal(tut_note_sign("n n", TUT_NOTE_ED25519, ed, text, 0, &out, NULL).code,
                     TUT_USAGE);
    static const char *const bad[] = {"", "a", "a\tb\n", "\xff\n"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            tut_note_sign("n", TUT_NOTE_ED25519, ed, tut_str_of(bad[i]), 0, &out, NULL).code,
            TUT_USAGE);
    assert_int_equal(tut_note_sign("n", TUT_NOTE_COSIGNATURE, ed, text, -1, &out, NULL).code,
                     TUT_USAGE);
    assert_int_equal(out.len, 0);
}

/* --- checkpoints --- */

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void checkpoints_read_back_as_written(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "example.com/behind-the-sofa\n20852163\n" ROOT "\n",
        "a\n0\n" ROOT "\n",
        "a b\n18446744073709551615\n" ROOT "\nheads 3 x\nother\n",
    };
    for (size_t i = 0; i < 3; i++) {
        tut_checkpoint c;
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_checkpoint_parse(tut_str_of(texts[i]), &c, NULL)));
        tut_checkpoint_write(&c, &again);
        assert_true(tut_is_ok(tut_buf_check(&again, NULL)));
        assert_string_equal(tut_buf_z(&again), texts[i]);
    }
}

static void unsound_checkpoints_are_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "a",
        "a\n",
        "\n1\n" ROOT "\n",
        "a\n\n" ROOT "\n",
        "a\n01\n" ROOT "\n",
        "a\n+1\n" ROOT "\n",
        "a\n-1\n" ROOT "\n",
        "a\n 1\n" ROOT "\n",
        "a\n1 \n" ROOT "\n",
        "a\n18446744073709551616\n" ROOT "\n",
        "a\n1\n" ROOT,
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2\n",
        "a\n1\n" ROOT "\n\n",
        "a\n1\n" ROOT "\nx\n\ny\n",
        "a\n1\n" ROOT "\nx",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tut_checkpoint c;
        if (tut_checkpoint_parse(tut_str_of(bad[i]), &c, NULL).code != TUT_MALFORMED)
            fail_msg("case %zu is taken", i);
    }
    tut_checkpoint c;
    assert_int_equal(
        tut_checkpoint_parse(TUT_LIT("a\n1\n" ROOT "\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"), &c, NULL).code,
        TUT_LIMIT);
    assert_true(tut_is_ok(
        tut_checkpoint_parse(TUT_LIT("a\n1\n" ROOT "\n1\n2\n3\n4\n5\n6\n7\n8\n"), &c, NULL)));
    /* Nor is one written. */
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    c = (tut_checkpoint){.origin = TUT_LIT("a\nb")};
    tut_checkpoint_write(&c, &out);
    assert_int_equal(tut_buf_check(&out, NULL).code, TUT_BUG);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)));
    uint64_t n = 1;
    for (bool is_done = false; !is_done; n++) {
        TUT_CLEAN(tut_verifier) v = {.key = NULL};
        TUT_CLEAN(tut_verifier) own = {.key = NULL};
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = tut_verifier_parse(TUT_LIT(FOO_VKEY), &v, NULL);
        if (tut_is_ok(status))
            status = check(TUT_LIT(FOO_NOTE), &v, 1, 1, NULL);
        if (tut_is_ok(status))
            status = tut_verifier_of("n", TUT_NOTE_ED25519, tut_key_public(key), &own, NULL);
        if (tut_is_ok(status))
            status = tut_note_sign("n", TUT_NOTE_COSIGNATURE, key, TUT_LIT("a\n"), 1, &out, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        if (!is_done)
            assert_int_equal(status.code, TUT_NOMEM);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_notes_verify_and_their_keys_read_back),
        cmocka_unit_test(a_note_of_unknown_signers_has_no_good_signature),
        cmocka_unit_test(each_truncation_and_bit_flip_is_refused),
        cmocka_unit_test(a_known_signature_that_is_bad_rejects_the_note),
        cmocka_unit_test(one_signer_given_twice_counts_once),
        cmocka_unit_test(unsound_notes_are_malformed),
        cmocka_unit_test(text_is_parted_at_the_last_empty_line),
        cmocka_unit_test(unsound_verifier_keys_are_refused),
        cmocka_unit_test(what_we_sign_verifies_under_each_algorithm),
        cmocka_unit_test(keys_and_texts_that_do_not_fit_are_refused),
        cmocka_unit_test(checkpoints_read_back_as_written),
        cmocka_unit_test(unsound_checkpoints_are_malformed),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
