/* Sigstore: bundles of real signers from the vectors and of a Sigstore of our own; each thing that
 * can be wrong is refused for its own reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/jail.h"
#include "crypto/sigstore_internal.h"
#include "unit/sigstore_world.h"

static sw_world world;

static int fresh(void **state)
{
    (void)state;
    assert_true(tut_is_ok(tut_merkle_start(NULL)));
    sw_world_init(&world);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    sw_world_done(&world);
    return 0;
}

static tut_status verify_text(tut_span bundle, tut_span root, const tut_sigstore_policy *policy,
                              tut_sigstore_result *ret, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(bundle, NULL, &doc, err));
    return tut_sigstore_verify(tut_json_root(doc), root, policy, ret, err);
}

static tut_code verify_world(const tut_sigstore_policy *policy, tut_error *err)
{
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    TUT_CLEAN(tut_sigstore_result) result = {0};
    tut_span artifact = tut_span_of(world.payload, strlen(world.payload));
    tut_sigstore_policy any = {.artifact = world.is_message ? &artifact : NULL};
    *err = (tut_error){0};
    sw_bundle(&world, &bundle);
    sw_root(&world, &root);
    return verify_text(tut_buf_span(&bundle), tut_buf_span(&root), policy ? policy : &any, &result,
                       err)
        .code;
}

static void assert_accepted(void)
{
    tut_error err;
    if (verify_world(NULL, &err) != TUT_OK)
        fail_msg("%s %s: %s", world.kind, world.version, err.text);
}

/* Refused, and for this reason. */
static void assert_refused(tut_code code, const char *reason)
{
    tut_error err;
    tut_code got = verify_world(NULL, &err);
    if (got != code || !strstr(err.text, reason))
        fail_msg("%s (%s), not \"%s\"", tut_code_name(got), err.text, reason);
}

/* ---- kinds ---- */

static void every_kind_of_entry_is_understood(void **state)
{
    (void)state;
    static const char *const kinds[][2] = {
        {"dsse", "0.0.1"},   {"dsse", "0.0.2"},         {"intoto", "0.0.1"},
        {"intoto", "0.0.2"}, {"hashedrekord", "0.0.1"}, {"hashedrekord", "0.0.2"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        world.kind = kinds[i][0];
        world.version = kinds[i][1];
        assert_accepted();
    }
    world.is_message = true;
    assert_accepted();
    world.version = "0.0.1";
    assert_accepted();
    world.kind = "intoto";
    assert_refused(TUT_CRYPTO, "has none");
    world.kind = "rekord";
    assert_refused(TUT_UNSUPPORTED, "\"rekord\" 0.0.1 are not supported");
}

static void keys_of_each_kind_sign_and_log(void **state)
{
    (void)state;
    static const tut_key_type types[] = {TUT_KEY_P384, TUT_KEY_P521, TUT_KEY_ED25519, TUT_KEY_P256};
    for (size_t i = 0; i < 4; i++) {
        sw_new_key(&world.signer, types[i]);
        assert_accepted();
        if (types[i] == TUT_KEY_ED25519 || types[i] == TUT_KEY_P256) /* what notes know */
            sw_new_key(&world.log, types[i]);
        assert_accepted();
        world.integrated = 0; /* as logs of today: no promise */
        assert_accepted();
        world.integrated = SW_AT + 6;
    }
}

static void the_result_says_who_when_and_what(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    TUT_CLEAN(tut_sigstore_result) r = {0};
    tut_sigstore_policy policy = {.identity = SW_IDENTITY, .issuer = SW_ISSUER};
    sw_bundle(&world, &bundle);
    sw_root(&world, &root);
    assert_true(
        tut_is_ok(verify_text(tut_buf_span(&bundle), tut_buf_span(&root), &policy, &r, NULL)));
    assert_string_equal(r.identity, SW_IDENTITY);
    assert_string_equal(r.issuer, SW_ISSUER);
    assert_string_equal(r.log, "https://log.example");
    assert_int_equal(r.log_index, 1000);
    assert_int_equal(r.at, SW_AT + 5);
    assert_int_equal(r.source, TUT_SIGSTORE_TIME_AUTHORITY);
    assert_true(tut_str_eq_z(tut_buf_str(&r.payload), world.payload));
    assert_true(tut_str_eq_z(tut_buf_str(&r.payload_type), "text/x"));
}

/* ---- who ---- */

static void the_policy_decides_whose_signature_counts(void **state)
{
    (void)state;
    tut_error err;
    tut_sigstore_policy other = {.identity = "else@example.com"};
    assert_int_equal(verify_world(&other, &err), TUT_DENIED);
    assert_non_null(strstr(err.text, SW_IDENTITY));
    other = (tut_sigstore_policy){.issuer = "https://accounts.example.org"};
    assert_int_equal(verify_world(&other, &err), TUT_DENIED);
    assert_non_null(strstr(err.text, "issuer"));
}

static void a_certificate_names_exactly_one_identity(void **state)
{
    (void)state;
    world.san = "URI:https://example.com/workflow";
    assert_accepted();
    world.san = "otherName:1.3.6.1.4.1.57264.1.7;UTF8:someone";
    assert_accepted();
    world.san = "email:a@example.com,email:b@example.com";
    assert_refused(TUT_MALFORMED, "exactly one identity");
    world.san = "DNS:example.com";
    assert_refused(TUT_MALFORMED, "exactly one identity");
    world.san = "otherName:1.2.3.4;UTF8:someone";
    assert_refused(TUT_MALFORMED, "exactly one identity");
    world.san = NULL;
    assert_refused(TUT_MALFORMED, "exactly one identity");
}

/* ---- the certificate ---- */

static void the_certificate_counts_at_the_trusted_times(void **state)
{
    (void)state;
    world.signed_at = SW_AT - 1;
    assert_refused(TUT_CRYPTO, "not yet valid");
    world.signed_at = SW_AT + SW_LEAF_SECONDS + 1;
    assert_refused(TUT_CRYPTO, "expired");
    /* each of several times counts */
    world.signed_at = SW_AT + 5;
    world.integrated = SW_AT + SW_LEAF_SECONDS + 1;
    assert_refused(TUT_CRYPTO, "expired");
    world.integrated = SW_AT + SW_LEAF_SECONDS - 1;
    assert_accepted();
}

static void a_bundle_needs_a_trusted_time(void **state)
{
    (void)state;
    world.no_stamp = true;
    assert_accepted(); /* by the log's promise */
    world.integrated = 0;
    assert_refused(TUT_CRYPTO, "nothing in the bundle proves when");
    world.no_stamp = false;
    assert_accepted();
}

static void a_certificate_of_anothers_authority_is_refused(void **state)
{
    (void)state;
    tsa_identity other = tsa_identity_new("CA", NULL, NULL, SW_FROM, SW_TO);
    world.leaf_by = &other;
    assert_refused(TUT_CRYPTO, "signing certificate does not verify");
    tsa_identity_done(&other);
}

static void a_certificate_for_something_else_is_refused(void **state)
{
    (void)state;
    world.leaf_usage = "clientAuth";
    assert_refused(TUT_CRYPTO, "not one for signing code");
    world.leaf_usage = NULL;
    assert_refused(TUT_CRYPTO, "not one for signing code");
}

static void the_certificate_was_published(void **state)
{
    (void)state;
    world.no_sct = true;
    assert_refused(TUT_CRYPTO, "no certificate timestamp");
    world.no_sct = false;
    tut_key *ct = world.ct;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    TUT_CLEAN(tut_sigstore_result) r = {0};
    tut_sigstore_policy any = {0};
    tut_error err = {0};
    sw_bundle(&world, &bundle);
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &world.ct, NULL)));
    sw_root(&world, &root);
    assert_int_equal(verify_text(tut_buf_span(&bundle), tut_buf_span(&root), &any, &r, &err).code,
                     TUT_CRYPTO);
    assert_non_null(strstr(err.text, "by a log of the trusted root"));
    tut_key_free(ct);
}

/* ---- the root ---- */

static void parts_of_the_root_count_while_they_were_in_use(void **state)
{
    (void)state;
    tut_time *const ends[] = {&world.ca_to, &world.ctlog_to, &world.tlog_to, &world.tsa_to};
    static const char *const reasons[] = {"no certificate authority in use", "in use", "in use",
                                          "in use"};
    for (size_t i = 0; i < 4; i++) {
        *ends[i] = SW_AT - 1;
        assert_refused(TUT_CRYPTO, reasons[i]);
        *ends[i] = SW_AT + 6; /* closed at its end */
        assert_accepted();
        *ends[i] = 0;
    }
    world.integrated = 0; /* a log without a promise counts by the other times */
    world.tlog_to = SW_AT - 1;
    assert_refused(TUT_CRYPTO, "in use");
}

static void another_root_is_refused(void **state)
{
    (void)state;
    sw_world other;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    TUT_CLEAN(tut_sigstore_result) r = {0};
    tut_sigstore_policy any = {0};
    sw_world_init(&other);
    sw_bundle(&world, &bundle);
    sw_root(&other, &root);
    assert_int_equal(verify_text(tut_buf_span(&bundle), tut_buf_span(&root), &any, &r, NULL).code,
                     TUT_CRYPTO);
    sw_world_done(&other);
}

static void roots_that_say_too_little_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"mediaType\":\"text/plain\"}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\","
        "\"tlogs\":[{}]}",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\","
        "\"certificateAuthorities\":[{\"certChain\":{\"certificates\":[]}}]}",
    };
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    sw_bundle(&world, &bundle);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tut_sigstore_result r;
        tut_sigstore_policy any = {0};
        tut_error err = {0};
        assert_int_equal(
            verify_text(tut_buf_span(&bundle), tut_span_of(bad[i], strlen(bad[i])), &any, &r, &err)
                .code,
            i == 4 ? TUT_UNSUPPORTED : TUT_MALFORMED);
        assert_non_null(strstr(err.text, "trusted root"));
    }
}

/* ---- the log ---- */

static void old_bundles_may_have_a_promise_alone(void **state)
{
    (void)state;
    world.no_proof = true;
    assert_refused(TUT_CRYPTO, "no inclusion proof");
    world.media_type = "application/vnd.dev.sigstore.bundle+json;version=0.2";
    assert_refused(TUT_CRYPTO, "no inclusion proof");
    world.media_type = "application/vnd.dev.sigstore.bundle+json;version=0.1";
    assert_accepted();
    world.integrated = 0;
    assert_refused(TUT_CRYPTO, "no inclusion proof");
    world.media_type = "application/vnd.dev.sigstore.bundle+json;version=0.4";
    assert_refused(TUT_UNSUPPORTED, "mediaType");
}

static void a_checkpoint_is_signed_by_the_logs_name(void **state)
{
    (void)state;
    world.log_url = "https://other.example";
    assert_refused(TUT_CRYPTO, "the checkpoint of https://other.example does not verify");
    world.log_url = "https://log.example/";
    assert_accepted();
    world.log_url = "";
    assert_refused(TUT_UNSUPPORTED, "has no name");
}

static tut_code check_body(const sw_content *mine, const tut_buf *body, tut_error *err)
{
    tut_sig_bundle b = {.is_envelope = true, .signature = mine->signature};
    TUT_CLEAN(tut_buf) leaf = TUT_BUF_INIT;
    tut_sig_entry e = {
        .kind = tut_str_of(world.kind), .version = tut_str_of(world.version), .body = *body};
    tsa_der(world.leaf, &leaf);
    b.leaf = leaf;
    b.signed_bytes = mine->signed_bytes;
    b.envelope.payload = mine->payload;
    return tut_sig_check_body(&e, &b, tut_key_public(world.signer), err).code;
}

static void check_bodies(const sw_content *mine, const tut_buf bodies[2], bool binds_signature)
{
    tut_error err = {0};
    TUT_CLEAN(tut_buf) right = TUT_BUF_INIT;
    sw_body(&world, mine, &right);
    assert_int_equal(check_body(mine, &right, &err), TUT_OK);
    assert_int_equal(check_body(mine, &bodies[0], &err), binds_signature ? TUT_CRYPTO : TUT_OK);
    assert_int_equal(check_body(mine, &bodies[1], &err), TUT_CRYPTO);
    assert_non_null(strstr(err.text, "another content"));
    sw_make_leaf(&world); /* another certificate of the same key */
    assert_int_equal(check_body(mine, &right, &err), TUT_CRYPTO);
    assert_non_null(strstr(err.text, "another certificate"));
    world.kind = "unknown";
    assert_int_equal(check_body(mine, &right, &err), TUT_CRYPTO);
    assert_non_null(strstr(err.text, "another kind"));
}

/* Entries of one bundle in another: each kind binds content, signature and certificate. */
static void an_entry_for_something_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *version;
        bool binds_signature;
    } kinds[] = {
        {"dsse", "0.0.1", true},   {"dsse", "0.0.2", true},         {"intoto", "0.0.1", false},
        {"intoto", "0.0.2", true}, {"hashedrekord", "0.0.1", true}, {"hashedrekord", "0.0.2", true},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        world.kind = kinds[i].kind;
        world.version = kinds[i].version;
        sw_make_leaf(&world);
        sw_content mine, other;
        tut_buf bodies[2] = {TUT_BUF_INIT, TUT_BUF_INIT};
        sw_content_of(&world, &mine);
        const char *payload = world.payload;
        /* the same payload signed once more: ECDSA never signs twice alike */
        sw_content_of(&world, &other);
        sw_body(&world, &other, &bodies[0]);
        sw_content_done(&other);
        /* another payload with my signature */
        world.payload = "{\"a\":2}";
        sw_content_of(&world, &other);
        tut_buf_clear(&other.signature);
        tut_buf_add(&other.signature, mine.signature.data, mine.signature.len);
        sw_body(&world, &other, &bodies[1]);
        sw_content_done(&other);
        world.payload = payload;
        check_bodies(&mine, bodies, kinds[i].binds_signature);
        sw_content_done(&mine);
        for (size_t k = 0; k < 2; k++)
            tut_buf_done(&bodies[k]);
    }
}

/* ---- whatever is changed ---- */

static char *read_shared(const char *name, tut_buf *out)
{
    const char *shared = getenv("TUTELA_SHARED");
    char path[512];
    snprintf(path, sizeof(path), "%s/data/vectors/oms/%s", shared ? shared : "../shared", name);
    if (!tut_is_ok(tut_fs_read(path, 1u << 20, out, NULL)))
        return NULL;
    return (char *)out->data;
}

/* Where the time-stamp's text is: its authority's certificate, which the trusted root has too, and
 * other parts of a token are signed by nobody. */
static bool is_in_stamp(const tut_buf *bundle, size_t at)
{
    size_t from, to;
    tut_str text = tut_buf_str(bundle);
    if (!tut_str_find(text, TUT_LIT("\"signedTimestamp\""), &from))
        return false;
    from += sizeof("\"signedTimestamp\"");
    while (from < text.len && text.data[from] != '"')
        from++;
    for (to = from + 1; to < text.len && text.data[to] != '"';)
        to++;
    return from < at && at < to;
}

/* Every few characters of the text, one is replaced. What still verifies (in the time-stamp, or in
 * the name of an optional part, which is gone then) says what it said. */
static void flip_all(const tut_buf *bundle, const tut_buf *root, size_t step)
{
    if (tut_jail_is_instrumented()) /* a hundred times slower */
        step *= 16;
    TUT_CLEAN(tut_sigstore_result) first = {0};
    tut_sigstore_policy any = {0};
    tut_error err = {0};
    size_t harmless = 0, count = 0;
    if (!tut_is_ok(verify_text(tut_buf_span(bundle), tut_buf_span(root), &any, &first, &err)))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < bundle->len; i += step) {
        uint8_t was = bundle->data[i];
        bundle->data[i] = was == 'A' ? 'B' : was >= '0' && was < '9' ? was + 1 : 'A';
        TUT_CLEAN(tut_sigstore_result) r = {0};
        err = (tut_error){0};
        tut_status s = verify_text(tut_buf_span(bundle), tut_buf_span(root), &any, &r, &err);
        count++;
        if (tut_is_ok(s)) {
            harmless += !is_in_stamp(bundle, i);
            assert_string_equal(r.identity, first.identity);
            assert_string_equal(r.issuer, first.issuer);
            /* a time-stamp may be taken out: then the log's promise stands alone */
            if (r.source == first.source)
                assert_int_equal(r.at, first.at);
            assert_int_equal(r.payload.len, first.payload.len);
            assert_memory_equal(r.payload.data, first.payload.data, first.payload.len);
        } else {
            assert_true(err.text[0] != 0);
        }
        bundle->data[i] = was;
    }
    print_message("%zu changes, %zu of them in names of optional parts\n", count, harmless);
    assert_true(harmless <= 120 / step + 3);
}

static void every_change_of_a_bundle_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    sw_bundle(&world, &bundle);
    sw_root(&world, &root);
    flip_all(&bundle, &root, 3);
}

static void the_vectors_verify_and_their_changes_do_not(void **state)
{
    (void)state;
    static const char *const names[] = {"v1.0/valid/sigstore.bundle.json",
                                        "historical/v1.1.0-sigstore/model.sig"};
    for (size_t i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
        TUT_CLEAN(tut_sigstore_result) r = {0};
        tut_sigstore_policy policy = {.identity = "stefanb@us.ibm.com",
                                      .issuer = "https://sigstore.verify.ibm.com/oauth2"};
        tut_error err = {0};
        if (!read_shared(names[i], &bundle) ||
            !read_shared("historical/keys/trusted_root.json", &root)) {
            print_message("../shared is not here (or TUTELA_SHARED): vectors are skipped\n");
            skip();
        }
        if (!tut_is_ok(verify_text(tut_buf_span(&bundle), tut_buf_span(&root), &policy, &r, &err)))
            fail_msg("%s: %s", names[i], err.text);
        assert_int_equal(r.at, 1760062340);
        policy.identity = "stefanb@us.ibm.co";
        assert_int_equal(
            verify_text(tut_buf_span(&bundle), tut_buf_span(&root), &policy, &r, &err).code,
            TUT_DENIED);
        flip_all(&bundle, &root, i == 0 ? 5 : 29);
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    tut_sigstore_policy any = {0};
    tut_sigstore_result r;
    sw_bundle(&world, &bundle);
    sw_root(&world, &root);
    size_t step = tut_jail_is_instrumented() ? 16 : 1;
    for (size_t n = 0; n < bundle.len; n += step)
        assert_int_not_equal(
            verify_text(tut_span_of(bundle.data, n), tut_buf_span(&root), &any, &r, NULL).code,
            TUT_OK);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) root = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_sigstore_policy any = {0};
    sw_bundle(&world, &bundle);
    sw_root(&world, &root);
    assert_true(tut_is_ok(tut_json_parse(tut_buf_span(&bundle), NULL, &doc, NULL)));
    for (uint64_t n = 1; n < 2000; n++) {
        TUT_CLEAN(tut_sigstore_result) r = {0};
        tut_error err = {0};
        tut_alloc_fail_after(n);
        tut_status s = tut_sigstore_verify(tut_json_root(doc), tut_buf_span(&root), &any, &r, &err);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s)) {
            print_message("%llu allocations\n", (unsigned long long)n - 1);
            assert_true(n > 20);
            return;
        }
        assert_int_equal(r.payload.len, 0);
    }
    fail_msg("never enough memory");
}

/* test_sigstore --seeds DIR: for tests/fuzz/sigstore.c. */
static int write_seeds(const char *dir)
{
    static const char *const kinds[][2] = {{"dsse", "0.0.1"},         {"dsse", "0.0.2"},
                                           {"intoto", "0.0.1"},       {"intoto", "0.0.2"},
                                           {"hashedrekord", "0.0.1"}, {"hashedrekord", "0.0.2"}};
    for (size_t i = 0; i < 8; i++) {
        TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) seed = TUT_BUF_INIT;
        char path[512];
        fresh(NULL);
        world.kind = i < 6 ? kinds[i][0] : "hashedrekord";
        world.version = i < 6 ? kinds[i][1] : i == 6 ? "0.0.1" : "0.0.2";
        world.is_message = i >= 6;
        sw_bundle(&world, &bundle);
        sw_root(&world, &seed);
        tut_buf_add_byte(&seed, 0);
        tut_buf_add(&seed, bundle.data, bundle.len);
        snprintf(path, sizeof(path), "%s/%s-%s%s", dir, world.kind, world.version,
                 world.is_message ? "-message" : "");
        if (!tut_is_ok(tut_fs_write(path, tut_buf_span(&seed), 0644, NULL)))
            return 1;
        drop(NULL);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, drop)
    const struct CMUnitTest tests[] = {
        T(every_kind_of_entry_is_understood),
        T(keys_of_each_kind_sign_and_log),
        T(the_result_says_who_when_and_what),
        T(the_policy_decides_whose_signature_counts),
        T(a_certificate_names_exactly_one_identity),
        T(the_certificate_counts_at_the_trusted_times),
        T(a_bundle_needs_a_trusted_time),
        T(a_certificate_of_anothers_authority_is_refused),
        T(a_certificate_for_something_else_is_refused),
        T(the_certificate_was_published),
        T(parts_of_the_root_count_while_they_were_in_use),
        T(another_root_is_refused),
        T(roots_that_say_too_little_are_refused),
        T(old_bundles_may_have_a_promise_alone),
        T(a_checkpoint_is_signed_by_the_logs_name),
        T(an_entry_for_something_else_is_refused),
        T(every_change_of_a_bundle_is_refused),
        T(the_vectors_verify_and_their_changes_do_not),
        T(every_cut_is_refused),
        T(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
