/* OpenSSF Model Signing: what is read, what is refused, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/oms.h"
#include "crypto/oms_internal.h"

#define HEX_A "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
#define HEX_B "0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f"

#define TYPE "\"_type\":\"https://in-toto.io/Statement/v1\""
#define KIND "\"predicateType\":\"https://model_signing/signature/v1.0\""
#define SERIAL                                                                                     \
    "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"sha256\",\"method\":\"files\"}"

static tut_oms_statement sample;
static tut_oms_resource sample_resources[2];
static tut_str sample_ignored[1];

static tut_hash hash_of(const char *hex)
{
    tut_hash h;
    assert_true(tut_is_ok(tut_hash_parse(TUT_HASH_SHA256, tut_str_of(hex), &h)));
    return h;
}

static int make_sample(void **state)
{
    (void)state;
    sample_resources[0] = (tut_oms_resource){.name = TUT_LIT("a-b"), .digest = hash_of(HEX_A)};
    sample_resources[1] = (tut_oms_resource){.name = TUT_LIT("a/x"), .digest = hash_of(HEX_B)};
    sample_ignored[0] = TUT_LIT("model.sig");
    sample = (tut_oms_statement){.subject = TUT_LIT("m"),
                                 .resources = sample_resources,
                                 .count = 2,
                                 .ignore = sample_ignored,
                                 .ignore_count = 1};
    return tut_is_ok(tut_oms_root_of(&sample, &sample.root, NULL)) ? 0 : -1;
}

/* A statement around these resources, with the root that belongs to HEX_A alone or to both. */
static char *statement(const char *resources, const char *serialization, int digests)
{
    tut_oms_statement s = {.resources = sample_resources, .count = (size_t)digests};
    tut_sha256 root;
    char hex[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_oms_root_of(&s, &root, NULL)));
    tut_sha256_hex(&root, hex);
    return tut_asprintf("{" TYPE
                        ",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"%s\"}}]," KIND
                        ",\"predicate\":{\"resources\":[%s],%s}}",
                        hex, resources, serialization);
}

static tut_code code_of(const char *payload, tut_oms_statement **ret, tut_error *err)
{
    TUT_AUTO(tut_oms_statement) s = NULL;
    tut_status status = tut_oms_statement_read(tut_span_of(payload, strlen(payload)), &s, err);
    if (ret)
        *ret = tut_move(&s);
    return status.code;
}

static void written_is_canonical_and_read_back(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_oms_statement_write(&sample, &out, NULL)));
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&sample.root, hex);
    TUT_AUTO_FREE char *expected =
        tut_asprintf("{" TYPE ",\"predicate\":{\"resources\":["
                     "{\"algorithm\":\"sha256\",\"digest\":\"" HEX_A "\",\"name\":\"a-b\"},"
                     "{\"algorithm\":\"sha256\",\"digest\":\"" HEX_B "\",\"name\":\"a/x\"}],"
                     "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"sha256\","
                     "\"ignore_paths\":[\"model.sig\"],\"method\":\"files\"}}," KIND
                     ",\"subject\":[{\"digest\":{\"sha256\":\"%s\"},\"name\":\"m\"}]}",
                     hex);
    assert_string_equal(tut_buf_z(&out), expected);
    TUT_AUTO(tut_oms_statement) s = NULL;
    assert_true(tut_is_ok(tut_oms_statement_read(tut_buf_span(&out), &s, NULL)));
    assert_int_equal(s->count, 2);
    assert_true(tut_str_eq_z(s->resources[1].name, "a/x"));
    assert_true(tut_hash_eq(s->hash, &s->resources[1].digest, &sample_resources[1].digest));
    assert_int_equal(s->ignore_count, 1);
    assert_true(tut_str_eq_z(s->ignore[0], "model.sig"));
    assert_true(tut_sha256_eq(&s->root, &sample.root));
    assert_false(s->is_unsorted);
    assert_false(s->allow_symlinks);
}

/* Notes of the format: `bc9a…` and `32dc…` of the reference's v1.1.0 model give 9274…. */
static void root_is_that_of_the_reference(void **state)
{
    (void)state;
    tut_oms_resource r[2] = {
        {.name = TUT_LIT("signme-1"),
         .digest = hash_of("bc9a717db6064a32cbe9eae6fc40651dd6d36ef1757183f590eff2b1765d7ebc")},
        {.name = TUT_LIT("signme-2"),
         .digest = hash_of("32dcb1f8e1ae52d5963e56a6ba06ab58b424c15ed2a6b70d2feca1d089370028")}};
    tut_oms_statement s = {.resources = r, .count = 2};
    char hex[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_oms_root_of(&s, &s.root, NULL)));
    tut_sha256_hex(&s.root, hex);
    assert_string_equal(hex, "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4");
}

static void what_a_reader_refuses_is_not_written(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_oms_statement s = sample;
    s.count = 0;
    assert_int_equal(tut_oms_statement_write(&s, &out, NULL).code, TUT_USAGE);
    s = sample;
    s.root.bytes[0] ^= 1;
    assert_int_equal(tut_oms_statement_write(&s, &out, NULL).code, TUT_BUG);
    tut_oms_resource swapped[2] = {sample_resources[1], sample_resources[0]};
    s = sample;
    s.resources = swapped;
    assert_true(tut_is_ok(tut_oms_root_of(&s, &s.root, NULL)));
    assert_int_equal(tut_oms_statement_write(&s, &out, NULL).code, TUT_BUG);
    swapped[0] = swapped[1];
    assert_true(tut_is_ok(tut_oms_root_of(&s, &s.root, NULL)));
    assert_int_equal(tut_oms_statement_write(&s, &out, NULL).code, TUT_BUG);
}

#define A(name) "{\"algorithm\":\"sha256\",\"digest\":\"" HEX_A "\",\"name\":\"" name "\"}"
#define B(name) "{\"algorithm\":\"sha256\",\"digest\":\"" HEX_B "\",\"name\":\"" name "\"}"
#define AX(name, algorithm)                                                                        \
    "{\"algorithm\":\"" algorithm "\",\"digest\":\"" HEX_A "\",\"name\":\"" name "\"}"
#define BX(name, algorithm)                                                                        \
    "{\"algorithm\":\"" algorithm "\",\"digest\":\"" HEX_B "\",\"name\":\"" name "\"}"
#define WITH(more)                                                                                 \
    "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"sha256\",\"method\":"             \
    "\"files\"" more "}"
#define SHARDS(size)                                                                               \
    "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"sha256\",\"method\":\"shards\","  \
    "\"shard_size\":" size "}"

static void names_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        A(""),    A("/etc/passwd"), A("../x"),  A("a/../b"),   A("a/.."),
        A(".."),  A("./a"),         A("a/./b"), A("a//b"),     A("a/"),
        A("a/."), A("a\\u0000b"),   A("a\xff"), A("\xc0\xaf"), A("\xed\xa0\x80")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        TUT_AUTO_FREE char *text = statement(bad[i], SERIAL, 1);
        assert_int_equal(code_of(text, NULL, NULL), TUT_MALFORMED);
    }
    static const char *const good[] = {A("a"), A("..a"),   A("a..b"), A("a b"), A("\\u00e4\\n"),
                                       A("."), A("a:1:2"), A("-"),    A("...")};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        TUT_AUTO_FREE char *text = statement(good[i], SERIAL, 1);
        assert_int_equal(code_of(text, NULL, NULL), TUT_OK);
    }
}

typedef struct refusal {
    const char *resources, *serialization;
    int digests;
    tut_code code;
    const char *why;
} refusal;

static void statements_that_break_a_rule_are_refused_with_it(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"", SERIAL, 0, TUT_MALFORMED, "empty model"},
        {A("a") "," B("a"), SERIAL, 2, TUT_MALFORMED, "listed twice"},
        {A("."), SERIAL, 1, TUT_OK, NULL},
        {A(".") "," B("b"), SERIAL, 2, TUT_MALFORMED, "beside others"},
        {AX("a", "sha512"), SERIAL, 1, TUT_MALFORMED, "hash_type"},
        {AX("a", "blake2b"), SERIAL, 1, TUT_MALFORMED, "hash_type"},
        {AX("a", "sha256-sharded-8"), SERIAL, 1, TUT_MALFORMED, "hash_type"},
        {"{\"algorithm\":\"sha256\",\"digest\":\"" HEX_A "\"}", SERIAL, 1, TUT_MALFORMED, "lacks"},
        {"{\"algorithm\":\"sha256\",\"digest\":1,\"name\":\"a\"}", SERIAL, 1, TUT_MALFORMED,
         "lacks"},
        {"{\"algorithm\":\"sha256\",\"digest\":\"abc\",\"name\":\"a\"}", SERIAL, 1, TUT_MALFORMED,
         "digest"},
        {"7", SERIAL, 1, TUT_MALFORMED, "lacks"},
        {A("a"), SERIAL, 2, TUT_MALFORMED, "root digest"},
        {A("a"), WITH(",\"shard_size\":8"), 1, TUT_MALFORMED, "shard_size"},
        {A("a"), WITH(",\"more\":8"), 1, TUT_MALFORMED, "serialization"},
        {A("a"), WITH(",\"ignore_paths\":\"x\""), 1, TUT_MALFORMED, "ignore_paths"},
        {A("a"), WITH(",\"ignore_paths\":[\"../x\"]"), 1, TUT_MALFORMED, "ignore_paths"},
        {A("a"), WITH(",\"ignore_paths\":[\"/x\"]"), 1, TUT_MALFORMED, "ignore_paths"},
        {A("a"), WITH(",\"ignore_paths\":[1]"), 1, TUT_MALFORMED, "ignore_paths"},
        {A("a"), WITH(",\"ignore_paths\":[\"x\",\"y/z\"]"), 1, TUT_OK, NULL},
        {A("a"), SERIAL ",\"more\":1", 1, TUT_MALFORMED, "no more"},
        {A("a"), "\"serialization\":7", 1, TUT_MALFORMED, "serialization"},
        {A("a"),
         "\"serialization\":{\"allow_symlinks\":\"false\",\"hash_type\":\"sha256\",\"method\":"
         "\"files\"}",
         1, TUT_MALFORMED, "allow_symlinks"},
        {A("a"),
         "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"blake3\",\"method\":"
         "\"files\"}",
         1, TUT_UNSUPPORTED, "blake3"},
        {A("a"),
         "\"serialization\":{\"allow_symlinks\":false,\"hash_type\":\"sha256\",\"method\":"
         "\"tree\"}",
         1, TUT_UNSUPPORTED, "method"},
        /* shards */
        {A("a:0:8") "," B("a:8:9"), SHARDS("8"), 2, TUT_OK, NULL},
        {A("a:0:8") "," B("a:8:16"), SHARDS("8.0"), 2, TUT_OK, NULL},
        {AX("a:0:8", "sha256-sharded-8"), SHARDS("8.0"), 1, TUT_OK, NULL},
        {AX("a:0:8", "sha256-sharded-9"), SHARDS("8"), 1, TUT_MALFORMED, "hash_type"},
        {A("b:0:8") "," B("a:0:1"), SHARDS("8"), 2, TUT_OK, NULL},
        {A("a:1:2:0:8"), SHARDS("8"), 1, TUT_OK, NULL},
        {A("a"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:8"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A(":0:8"), SHARDS("8"), 1, TUT_MALFORMED, "name"},
        {A("a:00:8"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:+0:8"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:0:0"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:8:0"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:0:99999999999999999999"), SHARDS("8"), 1, TUT_MALFORMED, "shard"},
        {A("a:0:9"), SHARDS("8"), 1, TUT_MALFORMED, "end to end"},
        {A("a:8:16"), SHARDS("8"), 1, TUT_MALFORMED, "end to end"},
        {A("a:0:8") "," B("a:16:24"), SHARDS("8"), 2, TUT_MALFORMED, "end to end"},
        {A("a:0:8") "," B("a:0:8"), SHARDS("8"), 2, TUT_MALFORMED, "end to end"},
        {A("a:0:4") "," B("a:4:8"), SHARDS("8"), 2, TUT_MALFORMED, "end to end"},
        {A("a:0:8"), SHARDS("0"), 1, TUT_MALFORMED, "shard_size"},
        {A("a:0:8"), SHARDS("-8"), 1, TUT_MALFORMED, "shard_size"},
        {A("a:0:8"), SHARDS("8.5"), 1, TUT_MALFORMED, "shard_size"},
        {A("a:0:8"), SHARDS("\"8\""), 1, TUT_MALFORMED, "shard_size"},
        {A("a:0:8"), SHARDS("1e300"), 1, TUT_MALFORMED, "shard_size"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO_FREE char *text = statement(cases[i].resources, cases[i].serialization,
                                             cases[i].digests);
        tut_error err = {0};
        tut_code code = code_of(text, NULL, &err);
        if (code != cases[i].code || (cases[i].why && !strstr(err.text, cases[i].why)))
            fail_msg("case %zu: code %d, \"%s\"\n%s", i, (int)code, err.text, text);
    }
}

static void shards_with_colons_are_split_at_the_last_two(void **state)
{
    (void)state;
    TUT_AUTO_FREE char *text = statement(A("w:1:2:0:8"), SHARDS("8"), 1);
    TUT_AUTO(tut_oms_statement) s = NULL;
    assert_int_equal(code_of(text, &s, NULL), TUT_OK);
    assert_true(tut_str_eq_z(s->resources[0].name, "w:1:2"));
    assert_int_equal(s->resources[0].end, 8);
    assert_int_equal(s->method, TUT_OMS_SHARDS);
    assert_int_equal(s->shard_size, 8);
}

static void another_order_is_read_and_remarked(void **state)
{
    (void)state;
    /* the reference's order: by path components */
    TUT_AUTO_FREE char *text = statement(A("a/x") "," B("a-b"), SERIAL, 2);
    TUT_AUTO(tut_oms_statement) s = NULL;
    assert_int_equal(code_of(text, &s, NULL), TUT_OK);
    assert_true(s->is_unsorted);
}

static void the_envelope_of_the_statement_is_strict(void **state)
{
    (void)state;
    TUT_AUTO_FREE char *good = statement(A("a"), SERIAL, 1);
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"Statement/v1", "Statement/v0"},
        {"\"subject\":[{", "\"more\":1,\"subject\":[{"},
        {"\"subject\":[{", "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"" HEX_A "\"}},{"},
        {"\"name\":\"m\"", "\"name\":\"\""},
        {"\"name\":\"m\"", "\"name\":null"},
        {"\"sha256\":", "\"sha512\":"},
        {"signature/v1.0", "signature/v2.0"},
        {"\"predicate\":{", "\"predicate\":{\"resources\":[],"},
        {"{\"_type\"", "{\"_type\":\"x\",\"_type\""},
        {"\"allow_symlinks\":false", "\"allow_symlinks\":true,\"allow_symlinks\":false"},
    };
    assert_int_equal(code_of(good, NULL, NULL), TUT_OK);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *at = strstr(good, changes[i].from);
        assert_non_null(at);
        TUT_AUTO_FREE char *bad = tut_asprintf("%.*s%s%s", (int)(at - good), good, changes[i].to,
                                               at + strlen(changes[i].from));
        if (code_of(bad, NULL, NULL) == TUT_OK)
            fail_msg("accepted: %s", bad);
    }
    TUT_AUTO_FREE char *behind = tut_asprintf("%s{}", good);
    assert_int_not_equal(code_of(behind, NULL, NULL), TUT_OK);
    for (size_t len = 0; len < strlen(good); len++) {
        TUT_AUTO_FREE char *cut = tut_strndup(good, len);
        assert_int_not_equal(code_of(cut, NULL, NULL), TUT_OK);
    }
}

static void the_old_predicate_is_read(void **state)
{
    (void)state;
    static const char old[] =
        "{" TYPE ",\"subject\":[{\"name\":\"b\",\"digest\":{\"sha256\":\"" HEX_A "\"}},"
        "{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX_B "\"},\"annotations\":{}}],"
        "\"predicateType\":\"https://model_signing/Digests/"
        "v0.1\",\"predicate\":{\"unused\":\"x\"}}";
    TUT_AUTO(tut_oms_statement) s = NULL;
    assert_int_equal(code_of(old, &s, NULL), TUT_OK);
    assert_true(s->is_old);
    assert_int_equal(s->count, 2);
    static const char empty[] = "{" TYPE ",\"subject\":[],\"predicateType\":"
                                "\"https://model_signing/Digests/v0.1\",\"predicate\":{}}";
    assert_int_equal(code_of(empty, NULL, NULL), TUT_MALFORMED);
}

static void the_old_encoding_is_pythons(void **state)
{
    (void)state;
    /* python3 -c 'print(ascii(BYTES))' */
    static const struct {
        const char *bytes;
        size_t len;
        const char *repr;
    } cases[] = {
        {"abc", 3, "b'abc'"},
        {"a'b", 3, "b\"a'b\""},
        {"a'\"b", 4, "b'a\\'\"b'"},
        {"\t\n\r\\", 4, "b'\\t\\n\\r\\\\'"},
        {"\0\x1f\x7f\xff", 4, "b'\\x00\\x1f\\x7f\\xff'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO_FREE char *expected = tut_asprintf("DSSEV1 4 type %zu %s", cases[i].len,
                                                    cases[i].repr);
        tut_oms_old_pae(TUT_LIT("type"), tut_span_of(cases[i].bytes, cases[i].len), &out);
        assert_string_equal(tut_buf_z(&out), expected);
    }
}

/* --- bundles --- */

static tut_buf bundle_by(const tut_key *key)
{
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    tut_buf out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_oms_statement_write(&sample, &payload, NULL)));
    assert_true(tut_is_ok(tut_oms_bundle_write(tut_buf_span(&payload), key, NULL, 0, &out, NULL)));
    return out;
}

static tut_status verify_text(tut_str text, const tut_pubkey *key, tut_error *err)
{
    TUT_AUTO(tut_oms_bundle) b = NULL;
    TUT_AUTO(tut_oms_statement) s = NULL;
    TUT_TRY(tut_oms_bundle_read(tut_span_of(text.data, text.len), &b, err));
    return tut_oms_verify_key(b, key, &s, err);
}

static void every_curve_signs_and_verifies(void **state)
{
    (void)state;
    static const tut_key_type types[] = {TUT_KEY_P256, TUT_KEY_P384, TUT_KEY_P521};
    for (size_t i = 0; i < 3; i++) {
        TUT_AUTO(tut_key) key = NULL;
        TUT_AUTO(tut_key) other = NULL;
        assert_true(tut_is_ok(tut_key_generate(types[i], &key, NULL)));
        assert_true(tut_is_ok(tut_key_generate(types[i], &other, NULL)));
        TUT_CLEAN(tut_buf) bundle = bundle_by(key);
        assert_true(tut_is_ok(verify_text(tut_buf_str(&bundle), tut_key_public(key), NULL)));
        tut_error err = {0};
        assert_int_equal(verify_text(tut_buf_str(&bundle), tut_key_public(other), &err).code,
                         TUT_CRYPTO);
        assert_non_null(strstr(err.text, "another key"));
    }
    TUT_AUTO(tut_key) ed = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &ed, NULL)));
    assert_int_equal(tut_oms_bundle_write(tut_span_of("{}", 2), ed, NULL, 0, &out, NULL).code,
                     TUT_UNSUPPORTED);
}

static char *changed(tut_str text, const char *from, const char *to)
{
    size_t at;
    assert_true(tut_str_find(text, tut_str_of(from), &at));
    size_t behind = at + strlen(from);
    return tut_asprintf("%.*s%s%.*s", (int)at, text.data, to, (int)(text.len - behind),
                        text.data + behind);
}

static void bundles_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool is_fine;
    } changes[] = {
        {"bundle.v0.3+json", "bundle.v0.4+json", false},
        {"bundle.v0.3+json", "bundle+json;version=0.3", true},
        {"bundle.v0.3+json", "bundle.v0.2+json", true},
        {"{\"dsseEnvelope\"", "{\"more\":1,\"dsseEnvelope\"", false},
        {"{\"dsseEnvelope\"", "{\"mediaType\":1,\"dsseEnvelope\"", false},
        {"\"tlogEntries\":[]", "\"tlogEntries\":{}", false},
        {"\"tlogEntries\":[]", "\"more\":[]", false},
        {",\"tlogEntries\":[]", "", true},
        {"\"publicKey\":{", "\"certificate\":{\"rawBytes\":\"AA==\"},\"publicKey\":{", false},
        {"\"publicKey\":{", "\"x509CertificateChain\":{\"certificates\":[]},\"publicKey\":{",
         false},
        {"\"publicKey\":{\"hint\":", "\"publicKey\":{\"more\":", false},
        {"\"publicKey\":{\"hint\":", "\"publicKey\":{\"rawBytes\":", true},
        {"\"publicKey\":{\"hint\":\"", "\"publicKey\":{\"hint\":\"0", false},
        {"vnd.in-toto+json", "vnd.in-toto+xml", false},
        {"\"signatures\":[", "\"signatures\":[{\"sig\":\"AAAA\"},", false},
        {"\"keyid\":\"", "\"keyid\":\"x", true}, /* not used for verification */
        {"\"keyid\":", "\"keyID\":", false},
        {"\"payload\":\"", "\"payload\":\" ", false},
    };
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)));
    TUT_CLEAN(tut_buf) bundle = bundle_by(key);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        TUT_AUTO_FREE char *text = changed(tut_buf_str(&bundle), changes[i].from, changes[i].to);
        tut_error err = {0};
        tut_status status = verify_text(tut_str_of(text), tut_key_public(key), &err);
        if (tut_is_ok(status) != changes[i].is_fine)
            fail_msg("case %zu (%s): \"%s\"", i, changes[i].to, err.text);
    }
    TUT_AUTO_FREE char *without = tut_asprintf("\"keyid\":\"%s\",",
                                               tut_pubkey_id(tut_key_public(key)));
    TUT_AUTO_FREE char *null_text = changed(tut_buf_str(&bundle), without, "\"keyid\":null,");
    TUT_AUTO_FREE char *absent = changed(tut_buf_str(&bundle), without, "");
    TUT_AUTO_FREE char *empty = changed(tut_buf_str(&bundle), without, "\"keyid\":\"\",");
    assert_true(tut_is_ok(verify_text(tut_str_of(null_text), tut_key_public(key), NULL)));
    assert_true(tut_is_ok(verify_text(tut_str_of(absent), tut_key_public(key), NULL)));
    assert_true(tut_is_ok(verify_text(tut_str_of(empty), tut_key_public(key), NULL)));
}

static void a_bundle_cut_or_flipped_anywhere_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)));
    TUT_CLEAN(tut_buf) bundle = bundle_by(key);
    tut_str id = tut_str_of(tut_pubkey_id(tut_key_public(key)));
    size_t keyid_at;   /* the first place of the id; it is not used for verification */
    size_t version_at; /* 0.3, which may be 0.2 or 0.1 */
    assert_true(tut_str_find(tut_buf_str(&bundle), id, &keyid_at));
    assert_true(tut_str_find(tut_buf_str(&bundle), TUT_LIT("3+json"), &version_at));
    for (size_t len = 0; len < bundle.len; len++)
        assert_false(tut_is_ok(
            verify_text((tut_str){(const char *)bundle.data, len}, tut_key_public(key), NULL)));
    for (size_t i = 0; i < bundle.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool is_free = i >= keyid_at && i < keyid_at + id.len;
            is_free = is_free || i == version_at;
            bundle.data[i] ^= (uint8_t)(1u << bit);
            tut_status status = verify_text(tut_buf_str(&bundle), tut_key_public(key), NULL);
            bundle.data[i] ^= (uint8_t)(1u << bit);
            if (tut_is_ok(status) && !is_free)
                fail_msg("bit %u of byte %zu may be flipped", bit, i);
        }
    }
}

static void a_signature_over_another_statement_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    TUT_AUTO(tut_oms_bundle) one = NULL;
    TUT_AUTO(tut_oms_bundle) two = NULL;
    TUT_AUTO(tut_oms_statement) s = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P384, &key, NULL)));
    TUT_CLEAN(tut_buf) first = bundle_by(key);
    sample.subject = TUT_LIT("n");
    TUT_CLEAN(tut_buf) second = bundle_by(key);
    assert_true(tut_is_ok(tut_oms_bundle_read(tut_buf_span(&first), &one, NULL)));
    assert_true(tut_is_ok(tut_oms_bundle_read(tut_buf_span(&second), &two, NULL)));
    tut_buf sig = one->envelope.signatures[0].sig;
    one->envelope.signatures[0].sig = two->envelope.signatures[0].sig;
    two->envelope.signatures[0].sig = sig;
    assert_int_equal(tut_oms_verify_key(one, tut_key_public(key), &s, NULL).code, TUT_CRYPTO);
    assert_null(s);
}

/* What was signed in the old way holds for an old statement only. */
static void the_old_way_of_signing_is_for_old_statements(void **state)
{
    (void)state;
    static const char old[] =
        "{" TYPE ",\"subject\":[{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX_A "\"}}],"
        "\"predicateType\":\"https://model_signing/Digests/v0.1\",\"predicate\":{}}";
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)));
    for (int is_old = 0; is_old < 2; is_old++) {
        TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) pae = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_AUTO(tut_oms_bundle) b = NULL;
        TUT_AUTO(tut_oms_statement) s = NULL;
        if (is_old)
            tut_buf_add_z(&payload, old);
        else
            assert_true(tut_is_ok(tut_oms_statement_write(&sample, &payload, NULL)));
        assert_true(
            tut_is_ok(tut_oms_bundle_write(tut_buf_span(&payload), key, NULL, 0, &text, NULL)));
        assert_true(tut_is_ok(tut_oms_bundle_read(tut_buf_span(&text), &b, NULL)));
        tut_buf_clear(&b->envelope.signatures[0].sig);
        tut_oms_old_pae(b->envelope.type, tut_buf_span(&payload), &pae);
        assert_true(
            tut_is_ok(tut_key_sign(key, tut_buf_span(&pae), &b->envelope.signatures[0].sig, NULL)));
        tut_code code = tut_oms_verify_key(b, tut_key_public(key), &s, NULL).code;
        assert_int_equal(code, is_old ? TUT_OK : TUT_CRYPTO);
    }
}

static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)));
    TUT_CLEAN(tut_buf) bundle = bundle_by(key);
    tut_status status = {TUT_NOMEM};
    uint64_t n = 0;
    while (!tut_is_ok(status)) {
        TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_alloc_fail_after(++n);
        status = tut_oms_statement_write(&sample, &payload, NULL);
        if (tut_is_ok(status))
            status = tut_oms_bundle_write(tut_buf_span(&payload), key, NULL, 0, &out, NULL);
        if (tut_is_ok(status))
            status = verify_text(tut_buf_str(&bundle), tut_key_public(key), NULL);
        tut_alloc_fail_after(0);
        if (!tut_is_ok(status))
            assert_int_equal(status.code, TUT_NOMEM);
        assert_true(n < 10000);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(written_is_canonical_and_read_back, make_sample),
        cmocka_unit_test_setup(root_is_that_of_the_reference, make_sample),
        cmocka_unit_test_setup(what_a_reader_refuses_is_not_written, make_sample),
        cmocka_unit_test_setup(names_that_lead_elsewhere_are_refused, make_sample),
        cmocka_unit_test_setup(statements_that_break_a_rule_are_refused_with_it, make_sample),
        cmocka_unit_test_setup(shards_with_colons_are_split_at_the_last_two, make_sample),
        cmocka_unit_test_setup(another_order_is_read_and_remarked, make_sample),
        cmocka_unit_test_setup(the_envelope_of_the_statement_is_strict, make_sample),
        cmocka_unit_test_setup(the_old_predicate_is_read, make_sample),
        cmocka_unit_test_setup(the_old_encoding_is_pythons, make_sample),
        cmocka_unit_test_setup(every_curve_signs_and_verifies, make_sample),
        cmocka_unit_test_setup(bundles_that_break_a_rule_are_refused, make_sample),
        cmocka_unit_test_setup(a_bundle_cut_or_flipped_anywhere_is_refused, make_sample),
        cmocka_unit_test_setup(a_signature_over_another_statement_is_refused, make_sample),
        cmocka_unit_test_setup(the_old_way_of_signing_is_for_old_statements, make_sample),
        cmocka_unit_test_setup(memory_that_runs_out_anywhere_is_an_error, make_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
