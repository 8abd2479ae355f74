/* Who asks: keys, tokens, certificates, and what does not add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <utime.h>

#include "base/fs.h"
#include "guard/access.h"
#include "guard/key.h"
#include "memcheck.h"
#include "unit/guard_fixture.h"
#include "unit/jwt_maker.h"

static const uint64_t now_ms = 1764374400000; /* 2025-11-29 */

static void keys_have_256_bits_and_a_check(void **state)
{
    char one[TUT_GUARD_KEY_TEXT], two[TUT_GUARD_KEY_TEXT];
    (void)state;
    assert_true(tut_is_ok(tut_guard_key_new(one, NULL)));
    assert_true(tut_is_ok(tut_guard_key_new(two, NULL)));
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 53);
    assert_memory_equal(one, "tut_", 4);
    assert_int_equal(tut_guard_key_look(tut_str_of(one)), TUT_GUARD_KEY_OURS);
    for (size_t i = 4; i < 53; i++) { /* any slip is noticed */
        char slip[TUT_GUARD_KEY_TEXT];
        memcpy(slip, one, sizeof(slip));
        slip[i] = slip[i] == 'a' ? 'b' : 'a';
        assert_int_equal(tut_guard_key_look(tut_str_of(slip)), TUT_GUARD_KEY_MISTYPED);
    }
    assert_int_equal(tut_guard_key_look((tut_str){one, 52}), TUT_GUARD_KEY_MISTYPED);
    assert_int_equal(tut_guard_key_look(TUT_LIT("sk-other")), TUT_GUARD_KEY_FOREIGN);
    assert_int_equal(tut_guard_key_look(TUT_LIT("")), TUT_GUARD_KEY_FOREIGN);
    /* the check by Python's zlib.crc32 */
    assert_int_equal(
        tut_guard_key_look(TUT_LIT("tut_00000000000000000000000000000000000000000002CZclj")),
        TUT_GUARD_KEY_OURS);
}

static void sha256_hex(const char *text, char hex[TUT_SHA256_HEX])
{
    tut_sha256 digest;
    assert_true(tut_is_ok(tut_sha256_of(tut_span_of(text, strlen(text)), &digest, NULL)));
    tut_sha256_hex(&digest, hex);
}

static char keys[4][TUT_GUARD_KEY_TEXT];
static tut_system *the_system;
static tut_guard_policy policy;
static tut_access *the_access;

/* text: a format with the digests of the four keys, in this order. */
static void open_access(const char *text)
{
    char hex[4][TUT_SHA256_HEX];
    TUT_CLEAN(tut_buf) yaml = TUT_BUF_INIT;
    for (size_t i = 0; i < 4; i++) {
        assert_true(tut_is_ok(tut_guard_key_new(keys[i], NULL)));
        sha256_hex(keys[i], hex[i]);
    }
    size_t next = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '@')
            tut_buf_add_z(&yaml, hex[next++]);
        else
            tut_buf_add_byte(&yaml, (uint8_t)*c);
    }
    policy = read_policy(tut_buf_z(&yaml), &the_system);
    assert_true(tut_is_ok(tut_access_new(&policy, world_dir, &the_access, NULL)));
}

static int drop_all(void **state)
{
    tut_access_free(the_access);
    tut_system_free(the_system);
    the_access = NULL;
    the_system = NULL;
    return drop_world(state);
}

#define IN_ACCESS(test) cmocka_unit_test_setup_teardown(test, make_world, drop_all)

static char why[TUT_ACCESS_WHY];
static tut_who who;

static const char *ask_all(const char *authorization, const char *api_key, const char *certificate,
                           const char *subject, uint64_t at)
{
    static char id[64];
    tut_credentials c = {tut_str_of(authorization), tut_str_of(api_key), tut_str_of(certificate),
                         tut_str_of(subject)};
    who = (tut_who){0};
    if (!tut_access_who(the_access, &c, at, &who, why)) {
        assert_true(why[0]);
        return NULL;
    }
    tut_str_copy(id, sizeof(id), who.client ? who.client->id : TUT_LIT("anybody"));
    return id;
}

static const char *ask_key(const char *key, uint64_t at)
{
    char header[256];
    snprintf(header, sizeof(header), "Bearer %s", key);
    const char *by_header = ask_all(header, "", "", "", at);
    const char *by_api_key = ask_all("", key, "", "", at);
    assert_int_equal(by_header == NULL, by_api_key == NULL);
    return by_header;
}

#define TWO_CLIENTS                                                                                \
    "  clients:\n    - id: web\n      person: alice\n      keys:\n        - sha256: @\n"           \
    "          expires: 2026-01-01\n        - sha256: sha256:@\n"                                  \
    "          not_before: 2025-12-15\n          expires: 2026-06-01\n"                            \
    "          scopes:\n            - chat\n    - id: batch\n      keys:\n        - sha256: @\n"

static void keys_are_found_rotated_and_scoped(void **state)
{
    (void)state;
    const uint64_t day = 86400000;
    open_access(TWO_CLIENTS);
    assert_string_equal(ask_key(keys[0], now_ms), "web");
    assert_int_equal(who.how, TUT_ACCESS_KEY);
    assert_int_equal(strlen(who.id), 12);
    assert_true(tut_str_eq_z(who.client->access.person, "alice"));
    assert_true(tut_access_may(&who, TUT_LIT("infer")));
    assert_string_equal(ask_key(keys[2], now_ms), "batch");
    assert_null(ask_key(keys[1], now_ms));
    assert_non_null(strstr(why, "valid from 15 Dec 2025 only"));
    uint64_t later = now_ms + 20 * day; /* both */
    assert_string_equal(ask_key(keys[0], later), "web");
    assert_string_equal(ask_key(keys[1], later), "web");
    assert_true(tut_access_may(&who, TUT_LIT("chat")));
    assert_false(tut_access_may(&who, TUT_LIT("infer")));
    later = now_ms + 40 * day;
    assert_null(ask_key(keys[0], later));
    assert_non_null(strstr(why, "expired on 1 Jan 2026"));
    assert_string_equal(ask_key(keys[1], later), "web");
}

static void wrong_keys_are_refused_without_telling_them(void **state)
{
    char wrong[TUT_GUARD_KEY_TEXT];
    (void)state;
    open_access(TWO_CLIENTS);
    assert_true(tut_is_ok(tut_guard_key_new(wrong, NULL)));
    assert_null(ask_key(wrong, now_ms));
    assert_non_null(strstr(why, "no client has this key"));
    assert_null(strstr(why, wrong));
    wrong[20] ^= 1;
    assert_null(ask_key(wrong, now_ms));
    assert_non_null(strstr(why, "check digits"));
    char hex[TUT_SHA256_HEX];
    sha256_hex(keys[0], hex); /* what the policy holds opens nothing */
    assert_null(ask_key(hex, now_ms));
    assert_null(ask_all("", "", "", "", now_ms));
    assert_null(ask_all("Basic d2ViOng=", "", "", "", now_ms));
    assert_null(ask_all("Bearer", "", "", "", now_ms));
    assert_null(ask_all("Bearer  ", "", "", "", now_ms));
    assert_null(ask_all(keys[0], "", "", "", now_ms));
    char both[160];
    snprintf(both, sizeof(both), "Bearer %s, Bearer %s", keys[0], keys[0]);
    assert_null(ask_all(both, "", "", "", now_ms));
    snprintf(both, sizeof(both), "bearer   %s ", keys[0]); /* RFC 9110: no case, spaces */
    assert_string_equal(ask_all(both, "", "", "", now_ms), "web");
}

static void foreign_keys_count_by_their_digest(void **state)
{
    char hex[TUT_SHA256_HEX];
    TUT_CLEAN(tut_buf) yaml = TUT_BUF_INIT;
    (void)state;
    sha256_hex("sk-made-elsewhere-0123456789abcdef", hex);
    tut_buf_printf(&yaml, "  clients:\n    - id: old\n      keys:\n        - sha256: %s\n", hex);
    open_access(tut_buf_z(&yaml));
    assert_string_equal(ask_key("sk-made-elsewhere-0123456789abcdef", now_ms), "old");
}

static void what_does_not_fit_together_is_refused(void **state)
{
    char header[128];
    (void)state;
    open_access(TWO_CLIENTS "      certificate:\n        - CN=batch,O=Example\n"
                            "    - id: anyone\n      open: true\n");
    snprintf(header, sizeof(header), "Bearer %s", keys[0]);
    assert_string_equal(ask_all(header, keys[0], "", "", now_ms), "web");
    assert_null(ask_all(header, keys[2], "", "", now_ms));
    assert_non_null(strstr(why, "two"));
    assert_null(ask_all(header, "nonsense", "", "", now_ms)); /* one good is not enough */
    assert_string_equal(ask_all("", "", "", "", now_ms), "anyone");
    assert_int_equal(who.how, TUT_ACCESS_OPEN);
    assert_null(ask_all("Bearer nonsense", "", "", "", now_ms)); /* no way back to open */
    char digest[TUT_SHA256_HEX];
    sha256_hex("der", digest);
    assert_string_equal(ask_all("", "", digest, "CN=batch,O=Example", now_ms), "batch");
    assert_int_equal(who.how, TUT_ACCESS_CERTIFICATE);
    assert_null(ask_all(header, "", digest, "CN=batch,O=Example", now_ms));
    assert_non_null(strstr(why, "two clients at once: batch by certificate, web by key"));
    assert_string_equal(ask_all(header, "", digest, "CN=other", now_ms), "web");
    assert_string_equal(ask_all("", "", digest, "CN=other", now_ms), "anyone");
    assert_string_equal(ask_all("", "", "", "CN=batch,O=Example", now_ms), "anyone"); /* no TLS */
}

static void certificates_count_by_digest_too(void **state)
{
    (void)state;
    open_access("  clients:\n    - id: web\n      certificate:\n        - sha256:@\n");
    char digest[TUT_SHA256_HEX];
    sha256_hex(keys[0], digest);
    assert_string_equal(ask_all("", "", digest, "CN=x", now_ms), "web");
    assert_string_equal(who.subject, "CN=x");
    digest[0] = digest[0] == 'a' ? 'b' : 'a';
    assert_null(ask_all("", "", digest, "CN=x", now_ms));
}

static void without_clients_anybody_may(void **state)
{
    (void)state;
    open_access("");
    assert_string_equal(ask_all("", "", "", "", now_ms), "anybody");
    assert_int_equal(who.how, TUT_ACCESS_ANYBODY);
    assert_true(who.quota_key != 0);
}

/* --- tokens --- */
#define WITH_TOKENS                                                                                \
    "  jwt:\n    jwks: keys.json\n    issuer: https://id.example\n    audience: guard\n"           \
    "  clients:\n    - id: ops\n      jwt:\n        subject: alice\n        claims:\n"             \
    "          team: ops\n    - id: staff\n      jwt:\n        claims:\n          team: ops\n"     \
    "      quota:\n        requests: 5/min\n        per: subject\n"

static EVP_PKEY *issuer;

static void write_set(EVP_PKEY *key, const char *kid, time_t mtime)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char path[128], more[64];
    snprintf(path, sizeof(path), "%s/keys.json", world_dir);
    snprintf(more, sizeof(more), ",\"kid\":\"%s\"", kid);
    tut_buf_add_z(&text, "{\"keys\":[");
    add_jwk(&text, key, EDDSA, more);
    tut_buf_add_z(&text, "]}");
    assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&text), 0600, NULL)));
    struct utimbuf times = {mtime, mtime};
    assert_int_equal(utime(path, &times), 0);
}

static const char *ask_token(EVP_PKEY *key, const char *kid, const char *more, uint64_t at,
                             const char *certificate)
{
    TUT_CLEAN(tut_buf) header = TUT_BUF_INIT;
    char head[96], claims[512];
    snprintf(head, sizeof(head), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    snprintf(claims, sizeof(claims),
             "{\"iss\":\"https://id.example\",\"aud\":\"guard\",\"exp\":%llu%s}",
             (unsigned long long)(now_ms / 1000 + 600), more);
    tut_buf_add_z(&header, "Bearer ");
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    sign_token(&token, key, EDDSA, head, claims);
    tut_buf_add_str(&header, tut_buf_str(&token));
    return ask_all(tut_buf_z(&header), "", certificate, "", at);
}

#define OPS ",\"team\":\"ops\",\"sub\":\"alice\""

static void tokens_name_clients(void **state)
{
    (void)state;
    issuer = make_key(EDDSA);
    write_set(issuer, "a", 1000);
    open_access(WITH_TOKENS);
    assert_null(tut_access_problem(the_access));
    assert_string_equal(ask_token(issuer, "a", OPS, now_ms, ""), "ops");
    assert_int_equal(who.how, TUT_ACCESS_TOKEN);
    assert_string_equal(who.subject, "alice");
    uint64_t of_ops = who.quota_key;
    assert_string_equal(ask_token(issuer, "a", OPS, now_ms, ""), "ops"); /* remembered */
    assert_int_equal(who.quota_key, of_ops);
    assert_null(ask_token(issuer, "a", OPS, now_ms + 700000, "")); /* remembered, not for ever */
    assert_string_equal(ask_token(issuer, "a", ",\"team\":\"ops\",\"sub\":\"bob\"", now_ms, ""),
                        "staff");
    uint64_t of_bob = who.quota_key;
    assert_string_equal(ask_token(issuer, "a", ",\"team\":\"ops\",\"sub\":\"eve\"", now_ms, ""),
                        "staff");
    assert_true(who.quota_key != of_bob);
    assert_null(ask_token(issuer, "a", ",\"team\":\"web\"", now_ms, ""));
    assert_non_null(strstr(why, "no client"));
    EVP_PKEY_free(issuer);
}

static void keys_of_the_issuer_are_replaced_while_running(void **state)
{
    char path[128];
    (void)state;
    EVP_PKEY *next = make_key(EDDSA);
    issuer = make_key(EDDSA);
    write_set(issuer, "a", 1000);
    open_access(WITH_TOKENS);
    uint64_t at = now_ms;
    assert_string_equal(ask_token(issuer, "a", OPS, at, ""), "ops");
    write_set(next, "b", 2000);
    assert_string_equal(ask_token(issuer, "a", OPS, at += 10, ""), "ops"); /* within the second */
    assert_null(ask_token(issuer, "a", OPS, at += 2000, "")); /* withdrawn, and not remembered */
    assert_string_equal(ask_token(next, "b", OPS, at, ""), "ops");
    snprintf(path, sizeof(path), "%s/keys.json", world_dir);
    assert_true(tut_is_ok(tut_fs_write(path, tut_span_of("{\"keys\":", 8), 0600, NULL)));
    assert_string_equal(ask_token(next, "b", OPS, at += 2000, ""), "ops"); /* the one before */
    assert_non_null(tut_access_problem(the_access));
    assert_int_equal(unlink(path), 0);
    assert_string_equal(ask_token(next, "b", OPS, at += 2000, ""), "ops");
    assert_non_null(strstr(tut_access_problem(the_access), "there is no"));
    write_set(issuer, "a", 3000);
    assert_int_equal(chmod(path, 0666), 0);
    assert_null(ask_token(issuer, "a", OPS, at += 2000, ""));
    assert_non_null(strstr(tut_access_problem(the_access), "others may write"));
    assert_int_equal(chmod(path, 0644), 0);
    assert_string_equal(ask_token(issuer, "a", OPS, at += 2000, ""), "ops");
    assert_null(tut_access_problem(the_access));
    EVP_PKEY_free(issuer);
    EVP_PKEY_free(next);
}

static void without_keys_tokens_are_refused_and_it_is_said(void **state)
{
    (void)state;
    issuer = make_key(EDDSA);
    open_access(WITH_TOKENS "    - id: anyone\n      open: true\n");
    assert_non_null(tut_access_problem(the_access));
    assert_null(ask_token(issuer, "a", OPS, now_ms, ""));
    assert_non_null(strstr(why, "tokens cannot be checked"));
    assert_string_equal(ask_all("", "", "", "", now_ms), "anyone");
    EVP_PKEY_free(issuer);
}

/* RFC 8705: whoever stole the token lacks the certificate. */
static void bound_tokens_need_what_they_are_bound_to(void **state)
{
    char more[256], digest[TUT_SHA256_HEX];
    tut_sha256 bytes;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    issuer = make_key(EDDSA);
    write_set(issuer, "a", 1000);
    open_access(WITH_TOKENS);
    sha256_hex("der", digest);
    assert_true(tut_is_ok(tut_sha256_parse(tut_str_of(digest), &bytes)));
    add_base64url(&text, bytes.bytes, sizeof(bytes.bytes));
    snprintf(more, sizeof(more), OPS ",\"cnf\":{\"x5t#S256\":\"%s\"}", tut_buf_z(&text));
    assert_string_equal(ask_token(issuer, "a", more, now_ms, digest), "ops");
    assert_null(ask_token(issuer, "a", more, now_ms, ""));
    assert_non_null(strstr(why, "bound"));
    digest[5] = digest[5] == '0' ? '1' : '0';
    assert_null(ask_token(issuer, "a", more, now_ms, digest));
    assert_null(ask_token(issuer, "a", OPS ",\"cnf\":{\"jkt\":\"x\"}", now_ms, digest));
    assert_null(ask_token(issuer, "a", OPS ",\"cnf\":7", now_ms, digest));
    EVP_PKEY_free(issuer);
}

/* --- the policy --- */
static void policies_are_refused_with_the_place(void **state)
{
    (void)state;
#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: abc\n", "SHA-256");
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: " HEX
                  "\n    - id: b\n      keys:\n        - sha256: " HEX "\n",
                  "two clients");
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: " HEX
                  "\n        - sha256: " HEX "\n",
                  "twice");
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: " HEX
                  "\n          scopes:\n            - nowhere\n",
                  "nowhere");
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: " HEX
                  "\n          not_before: 2026-01-02\n          expires: 2026-01-01\n",
                  "expires before");
    check_refused("  clients:\n    - id: a\n      keys:\n        - sha256: " HEX
                  "\n          expires: soon\n",
                  "date");
    check_refused("  clients:\n    - id: a\n      jwt:\n        subject: x\n", "guard.jwt");
    check_refused("  jwt:\n    jwks: k\n    issuer: i\n    audience: a\n  clients:\n    - id: a\n"
                  "      jwt:\n        claims:\n",
                  "subject or claims");
    check_refused("  jwt:\n    jwks: k\n    issuer: i\n", "audience");
    check_refused("  jwt:\n    jwks: k\n    issuer: i\n    audience: a\n    algorithms:\n"
                  "      - HS256\n",
                  "RS256");
    check_refused("  jwt:\n    jwks: k\n    issuer: i\n    audience: a\n    leeway: 3600\n", "300");
    check_refused("  clients:\n    - id: a\n      open: true\n    - id: b\n      open: true\n",
                  "one client");
    check_refused("  clients:\n    - id: a\n      certificate:\n        - web\n", "CN=web");
    check_refused("  abuse:\n    extraktion: block\n", "extraktion");
    check_refused("  abuse:\n    extraction: explode\n", "answered");
    check_refused("  abuse:\n    extraction:\n      threshold: 1e9\n", "threshold");
}

static void remember(void *ctx, bool is_serious, const char *text)
{
    tut_buf_printf(ctx, "%s %s\n", is_serious ? "!" : "-", text);
}

static void weak_places_are_told(void **state)
{
    TUT_CLEAN(tut_buf) told = TUT_BUF_INIT;
    (void)state;
    open_access("  clients:\n    - id: web\n      keys:\n        - sha256: @\n"
                "          expires: 2025-12-05\n        - sha256: @\n        - sha256: @\n"
                "          expires: 2025-11-01\n      quota:\n        requests: 1/s\n"
                "    - id: nobody\n    - id: late\n      keys:\n        - sha256: @\n"
                "          expires: 2025-11-01\n    - id: all\n      open: true\n");
    tut_access_check(&policy, (tut_time)(now_ms / 1000), remember, &told);
    const char *text = tut_buf_z(&told);
    assert_non_null(strstr(text, "add its successor"));
    assert_non_null(strstr(text, "never expires"));
    assert_non_null(strstr(text, "expired on 1 Nov 2025; take it out"));
    assert_null(strstr(text, "client web: no quota"));
    assert_non_null(strstr(text, "! client nobody: nobody can be it"));
    assert_non_null(strstr(text, "! client late: nobody can be it any more"));
    assert_non_null(strstr(text, "! client all: open"));
    assert_non_null(strstr(text, "- client all: no quota"));
}

/* Whoever cannot be looked up is nobody. */
static void memory_that_runs_out_lets_nobody_in(void **state)
{
    TUT_CLEAN(tut_buf) token = TUT_BUF_INIT;
    bool was_good = false;
    char claims[256];
    (void)state;
    issuer = make_key(EDDSA);
    write_set(issuer, "a", 1000);
    open_access(WITH_TOKENS);
    snprintf(claims, sizeof(claims),
             "{\"iss\":\"https://id.example\",\"aud\":\"guard\",\"exp\":%llu" OPS "}",
             (unsigned long long)(now_ms / 1000 + 600));
    tut_buf_add_z(&token, "Bearer ");
    TUT_CLEAN(tut_buf) signed_part = TUT_BUF_INIT;
    sign_token(&signed_part, issuer, EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"a\"}", claims);
    tut_buf_add_str(&token, tut_buf_str(&signed_part));
    tut_credentials shown = {.authorization = tut_buf_str(&token)};
    for (uint64_t n = 1; n < 400 && !was_good; n++) {
        tut_access *a = NULL;
        who = (tut_who){0};
        tut_alloc_fail_after(n);
        tut_status status = tut_access_new(&policy, world_dir, &a, NULL);
        bool is_known = tut_is_ok(status) && tut_access_who(a, &shown, now_ms, &who, why);
        tut_alloc_fail_after(0);
        assert_true(is_known ? tut_str_eq_z(who.client->id, "ops") : who.client == NULL);
        was_good = is_known && !tut_access_problem(a);
        tut_access_free(a);
    }
    assert_true(was_good);
    EVP_PKEY_free(issuer);
}

static void looking_up_costs_little(void **state)
{
    enum { CLIENTS = 500, ROUNDS = 5000 };
    TUT_CLEAN(tut_buf) yaml = TUT_BUF_INIT;
    (void)state;
    tut_buf_add_z(&yaml, "  clients:\n    - id: first\n      keys:\n        - sha256: @\n");
    for (unsigned i = 0; i < CLIENTS; i++)
        tut_buf_printf(&yaml, "    - id: c%u\n      keys:\n        - sha256: %064x\n", i, i + 1);
    open_access(tut_buf_z(&yaml));
    uint64_t from = cpu_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        assert_non_null(ask_all("", keys[0], "", "", now_ms));
    uint64_t ns = (cpu_ns() - from) / ROUNDS;
    print_message("    %llu ns a key among %d\n", (unsigned long long)ns, CLIENTS);
    assert_true(ns < 100000 * (uint64_t)memcheck_step(100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_256_bits_and_a_check),
        IN_ACCESS(keys_are_found_rotated_and_scoped),
        IN_ACCESS(wrong_keys_are_refused_without_telling_them),
        IN_ACCESS(foreign_keys_count_by_their_digest),
        IN_ACCESS(what_does_not_fit_together_is_refused),
        IN_ACCESS(certificates_count_by_digest_too),
        IN_ACCESS(without_clients_anybody_may),
        IN_ACCESS(tokens_name_clients),
        IN_ACCESS(keys_of_the_issuer_are_replaced_while_running),
        IN_ACCESS(without_keys_tokens_are_refused_and_it_is_said),
        IN_ACCESS(bound_tokens_need_what_they_are_bound_to),
        IN_ACCESS(policies_are_refused_with_the_place),
        IN_ACCESS(weak_places_are_told),
        IN_ACCESS(memory_that_runs_out_lets_nobody_in),
        IN_ACCESS(looking_up_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
