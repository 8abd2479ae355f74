/* Holds: what waits for a person, written and read; and decisions, of which every one that is about
 * something else, by somebody else or at another time counts as none. */
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
#include "crypto/dsse.h"
#include "guard/approve.h"

static const char yaml[] = "schema: tutela.system/1\n"
                           "system:\n"
                           "  name: demo\n"
                           "guard:\n"
                           "  approvals:\n"
                           "    people: 2\n"
                           "    timeout: 90s\n"
                           "  tools:\n"
                           "    - name: pay\n"
                           "      class: pay\n"
                           "      approval: hold\n"
                           "  routes:\n"
                           "    - id: chat\n"
                           "      path: /v1/chat/completions\n"
                           "      protocol: openai-chat\n"
                           "      models: m\n";

static const char body[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"pay the invoice\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"IBAN 12345678 of eve@evil.example\"}],"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"pay\"}}]}";
static const char arguments[] = "{\"to\":\"eve@evil.example\",\"amount\":100}";

enum { NOW_S = 1796000000 };
static const int64_t now_ms = (int64_t)NOW_S * 1000;

static tut_system *the_system;
static tut_guard_policy policy;
static tut_guard guard;
static tut_key *ada, *bob, *eve;
static char dir[] = "/tmp/tutela-hold-XXXXXX";

static tut_approvers *approvers_of(const char *const *names, tut_key *const *keys, size_t count)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    tut_approvers *who = NULL;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_json_new(&text, &j)));
    tut_json_object(j);
    tut_json_put_z(j, "schema", TUT_APPROVERS_SCHEMA);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", names[i]);
        tut_json_key(j, "keys");
        tut_json_array(j);
        tut_json_str(j, tut_pubkey_pem(tut_key_public(keys[i])));
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    return tut_is_ok(tut_approvers_parse(tut_buf_span(&text), &who, &err)) ? who : NULL;
}

static tut_approvers *both(void)
{
    const char *const names[] = {"Ada", "Bob"};
    tut_key *const keys[] = {ada, bob};
    tut_approvers *who = approvers_of(names, keys, 2);
    assert_non_null(who);
    return who;
}

static int begin(void **state)
{
    tut_error err = {0};
    (void)state;
    if (!mkdtemp(dir) || !tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &ada, &err)) ||
        !tut_is_ok(tut_key_generate(TUT_KEY_P256, &bob, &err)) ||
        !tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &eve, &err)) ||
        !tut_is_ok(
            tut_system_parse(".", "tutela.yaml", tut_str_of(yaml), &the_system, NULL, &err)) ||
        !tut_is_ok(tut_guard_policy_read(the_system, &policy, NULL, &err)) ||
        !tut_is_ok(tut_guard_open(&policy, &guard, &err))) {
        print_error("%s: %s\n", err.path, err.text);
        return 1;
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    tut_guard_done_with(&guard);
    tut_system_free(the_system);
    tut_key_free(ada);
    tut_key_free(bob);
    tut_key_free(eve);
    return 0;
}

static void make(tut_hold *h, const char *person)
{
    TUT_AUTO(tut_guard_request) r = NULL;
    tut_error err = {0};
    tut_guard_decision d = {0};
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = TUT_LIT("/v1/chat/completions"),
                           .content_type = TUT_LIT("application/json")};
    assert_true(tut_is_ok(
        tut_guard_request_read(&guard, &head, tut_span_of(body, sizeof(body) - 1), &r, &err)));
    assert_int_equal(r->decision.action, TUT_GUARD_ALLOW);
    tut_guard_add(&d, "taint", TUT_GUARD_HOLD, TUT_LIT("call of pay"),
                  "an address or number comes from messages[1].content");
    tut_hold_facts f = {.kind = TUT_HOLD_CALL,
                        .request = r,
                        .decision = &d,
                        .tool = TUT_LIT("pay"),
                        .what = {arguments, sizeof(arguments) - 1},
                        .bytes = tut_span_of(arguments, sizeof(arguments) - 1),
                        .person = tut_str_of(person),
                        .now_ms = now_ms};
    assert_true(tut_is_ok(tut_hold_make(&f, h, &err)));
}

static void decide(const tut_hold *h, bool yes, const tut_key *key, tut_buf *out)
{
    tut_error err = {0};
    assert_true(tut_is_ok(tut_hold_decide(h, yes, TUT_LIT("because"), NOW_S + 5, key, out, &err)));
}

static void expect_wrong(const tut_buf *envelope, const tut_hold *h, const tut_approvers *who,
                         const char *message)
{
    tut_hold_decision d;
    tut_error err = {0};
    assert_false(tut_is_ok(tut_hold_check(tut_buf_span(envelope), h, who, &d, &err)));
    if (!strstr(err.text, message))
        fail_msg("\"%s\" lacks \"%s\"", err.text, message);
}

/* --- holds --- */

static void a_hold_shows_what_its_reasons_name(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    (void)state;
    make(&h, "");
    assert_true(tut_hold_is_id(tut_str_of(h.id)));
    assert_int_equal(h.people, 2);
    assert_int_equal(h.expires_ms - h.at_ms, 90000);
    assert_true(tut_str_eq_z(h.tool_class, "pay"));
    assert_true(tut_str_eq_z(h.what, arguments));
    assert_int_equal(h.source_count, 2);
    assert_true(tut_str_eq_z(h.sources[0].role, "user"));
    assert_true(tut_str_eq_z(h.sources[1].where, "messages[1].content"));
}

static void count_value(void *ctx, const tut_hold_value *v)
{
    assert_non_null(v->text.data);
    (*(size_t *)ctx)++;
}

static void calls_that_wait_together_are_shown_together(void **state)
{
    TUT_AUTO(tut_guard_request) r = NULL;
    TUT_CLEAN(tut_hold) one = {0};
    TUT_CLEAN(tut_hold) two = {0};
    tut_guard_decision d = {0};
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = TUT_LIT("/v1/chat/completions"),
                           .content_type = TUT_LIT("application/json")};
    const tut_guard_held calls[] = {
        {.tool = TUT_LIT("pay"),
         .arguments = TUT_LIT("{\"to\":\"amy\"}"),
         .type = "pay",
         .source = "messages[1].content"},
        {.tool = TUT_LIT("shell"), .arguments = TUT_LIT("rm \"x")},
    };
    (void)state;
    assert_true(tut_is_ok(
        tut_guard_request_read(&guard, &head, tut_span_of(body, sizeof(body) - 1), &r, NULL)));
    tut_hold_facts f = {.kind = TUT_HOLD_CALL,
                        .request = r,
                        .decision = &d,
                        .calls = calls,
                        .call_count = 1,
                        .now_ms = now_ms};
    assert_true(tut_is_ok(tut_hold_make(&f, &one, NULL)));
    assert_true(tut_str_eq_z(one.tool, "pay") && tut_str_eq_z(one.tool_class, "pay"));
    assert_true(tut_str_eq(one.what, calls[0].arguments));
    assert_int_equal(one.source_count, 2);
    f.call_count = 2;
    assert_true(tut_is_ok(tut_hold_make(&f, &two, NULL)));
    assert_true(tut_str_eq_z(two.tool, "pay, shell") && tut_str_eq_z(two.tool_class, "several"));
    assert_true(tut_str_eq_z(two.what,
                             "[{\"arguments\":{\"to\":\"amy\"},\"class\":\"pay\",\"tool\":"
                             "\"pay\"},{\"arguments\":\"rm \\\"x\",\"class\":null,\"tool\":"
                             "\"shell\"}]"));
    assert_true(tut_is_ok(tut_hold_is_shown(&two, NULL)));
    size_t shown = 0;
    assert_true(tut_is_ok(tut_hold_values(&two, count_value, &shown, NULL)));
    assert_int_equal(shown, 2); /* the names of the tools are none */
    two.what.len--;
    assert_false(tut_is_ok(tut_hold_is_shown(&two, NULL)));
}

static void two_holds_have_nothing_in_common(void **state)
{
    TUT_CLEAN(tut_hold) a = {0};
    TUT_CLEAN(tut_hold) b = {0};
    (void)state;
    make(&a, "");
    make(&b, "");
    assert_string_not_equal(a.id, b.id);
    assert_memory_not_equal(a.nonce, b.nonce, TUT_HOLD_NONCE);
}

static void a_hold_is_read_as_it_was_written(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_hold) again = {0};
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) two = TUT_BUF_INIT;
    tut_error err = {0};
    (void)state;
    make(&h, "Ada");
    assert_true(tut_is_ok(tut_hold_write(dir, &h, &err)));
    assert_true(tut_is_ok(tut_hold_read(dir, h.id, &again, &err)));
    assert_true(tut_is_ok(tut_hold_json(&h, &one, &err)));
    assert_true(tut_is_ok(tut_hold_json(&again, &two, &err)));
    assert_true(tut_str_eq(tut_buf_str(&one), tut_buf_str(&two)));
}

static void a_hold_that_is_cut_or_bent_is_refused(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    make(&h, "");
    assert_true(tut_is_ok(tut_hold_json(&h, &text, NULL)));
    for (size_t len = 0; len < text.len; len++) {
        tut_hold none;
        assert_false(tut_is_ok(tut_hold_parse(tut_span_of(text.data, len), &none, NULL)));
    }
    for (size_t at = 0; at < text.len; at++) {
        tut_hold other = {0};
        text.data[at] ^= 0x10;
        if (tut_is_ok(tut_hold_parse(tut_buf_span(&text), &other, NULL)))
            tut_hold_done(&other);
        text.data[at] ^= 0x10;
    }
}

static void a_hold_is_read_whole_or_not_at_all_when_memory_runs_out(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)state;
    make(&h, "");
    assert_true(tut_is_ok(tut_hold_json(&h, &text, NULL)));
    for (uint64_t n = 1;; n++) {
        TUT_CLEAN(tut_hold) read = {0};
        uint64_t before = tut_alloc_failures();
        tut_alloc_fail_after(n);
        tut_status status = tut_hold_parse(tut_buf_span(&text), &read, NULL);
        tut_alloc_fail_after(0);
        if (tut_alloc_failures() == before) {
            assert_true(tut_is_ok(status));
            break;
        }
        assert_int_equal(status.code, TUT_NOMEM);
        assert_null(read.reasons);
    }
}

static void an_id_is_no_path(void **state)
{
    tut_hold none;
    tut_error err = {0};
    (void)state;
    assert_false(tut_is_ok(tut_hold_read(dir, "../approvers", &none, &err)));
    assert_non_null(strstr(err.text, "no id of a hold"));
    assert_false(tut_is_ok(tut_hold_read(dir, "ABCDEF00ABCDEF00ABCDEF00ABCDEF00", &none, &err)));
}

static void what_is_too_long_is_cut_at_a_character(void **state)
{
    TUT_CLEAN(tut_buf) what = TUT_BUF_INIT;
    TUT_CLEAN(tut_hold) h = {0};
    TUT_AUTO(tut_guard_request) r = NULL;
    tut_guard_decision d = {0};
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = TUT_LIT("/v1/chat/completions"),
                           .content_type = TUT_LIT("application/json")};
    (void)state;
    tut_buf_add_z(&what, "x");
    while (what.len < TUT_HOLD_WHAT_BYTES + 100)
        tut_buf_add_z(&what, "\xe2\x82\xac");
    assert_true(tut_is_ok(
        tut_guard_request_read(&guard, &head, tut_span_of(body, sizeof(body) - 1), &r, NULL)));
    tut_hold_facts f = {.kind = TUT_HOLD_ANSWER,
                        .request = r,
                        .decision = &d,
                        .what = tut_buf_str(&what),
                        .bytes = tut_buf_span(&what),
                        .now_ms = now_ms};
    assert_true(tut_is_ok(tut_hold_make(&f, &h, NULL)));
    assert_true(h.is_cut);
    assert_int_equal(h.what_bytes, what.len);
    assert_true(h.what.len <= TUT_HOLD_WHAT_BYTES && h.what.len > TUT_HOLD_WHAT_BYTES - 4);
    assert_true(tut_utf8_valid(h.what));
}

/* --- decisions --- */

static void a_decision_by_an_approver_counts(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    tut_hold_decision d;
    tut_error err = {0};
    (void)state;
    make(&h, "Carol");
    decide(&h, true, bob, &envelope);
    assert_true(tut_is_ok(tut_hold_check(tut_buf_span(&envelope), &h, who, &d, &err)));
    assert_string_equal(d.by, "Bob");
    assert_true(d.is_approval);
    assert_string_equal(d.reason, "because");
}

static void a_decision_about_something_else_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_hold) other = {0};
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    (void)state;
    make(&h, "");
    make(&other, "");
    decide(&other, true, ada, &envelope);
    expect_wrong(&envelope, &h, who, "another hold");
    tut_str_copy(other.id, sizeof(other.id), tut_str_of(h.id)); /* the id alone is not enough */
    tut_buf_clear(&envelope);
    decide(&other, true, ada, &envelope);
    expect_wrong(&envelope, &h, who, "another nonce");
    memcpy(other.nonce, h.nonce, sizeof(other.nonce));
    other.digest.bytes[0] ^= 1;
    tut_buf_clear(&envelope);
    decide(&other, true, ada, &envelope);
    expect_wrong(&envelope, &h, who, "other content");
    other.digest = h.digest;
    other.policy.bytes[31] ^= 1;
    tut_buf_clear(&envelope);
    decide(&other, true, ada, &envelope);
    expect_wrong(&envelope, &h, who, "another policy");
    other.policy = h.policy;
    other.expires_ms += 3600000;
    tut_buf_clear(&envelope);
    decide(&other, true, ada, &envelope);
    expect_wrong(&envelope, &h, who, "last longer");
}

static void a_decision_at_another_time_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    (void)state;
    make(&h, "");
    assert_true(tut_is_ok(tut_hold_decide(&h, true, TUT_LIT(""), NOW_S - 1, ada, &envelope, NULL)));
    expect_wrong(&envelope, &h, who, "older than the hold");
    tut_buf_clear(&envelope);
    assert_true(
        tut_is_ok(tut_hold_decide(&h, true, TUT_LIT(""), NOW_S + 91, ada, &envelope, NULL)));
    expect_wrong(&envelope, &h, who, "after its end");
}

static void a_decision_by_somebody_else_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_hold) own = {0};
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    const char *const names[] = {"Bob"};
    TUT_AUTO(tut_approvers) who = both();
    TUT_AUTO(tut_approvers) without_ada = approvers_of(names, &bob, 1);
    (void)state;
    make(&h, "");
    decide(&h, true, eve, &envelope);
    expect_wrong(&envelope, &h, who, "nobody who may approve");
    tut_buf_clear(&envelope);
    decide(&h, true, ada, &envelope);
    expect_wrong(&envelope, &h, without_ada, "nobody who may approve"); /* revoked since */
    make(&own, "aDA"); /* whose client waits; names are compared without case */
    tut_buf_clear(&envelope);
    decide(&own, true, ada, &envelope);
    expect_wrong(&envelope, &own, who, "his own client");
}

static void a_signature_under_another_name_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    size_t at;
    (void)state;
    make(&h, "");
    decide(&h, true, eve, &text);
    const char *id = tut_pubkey_id(tut_key_public(eve));
    assert_true(tut_str_find(tut_buf_str(&text), tut_str_of(id), &at));
    memcpy(text.data + at, tut_pubkey_id(tut_key_public(ada)), 64);
    expect_wrong(&text, &h, who, "");
}

static void a_decision_that_is_bent_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    size_t payload, counted = 0;
    (void)state;
    make(&h, "");
    decide(&h, true, ada, &text);
    assert_true(tut_str_find(tut_buf_str(&text), TUT_LIT("\"payload\":\""), &payload));
    for (size_t at = 0; at < text.len; at++) {
        tut_hold_decision d;
        text.data[at] ^= 1;
        if (tut_is_ok(tut_hold_check(tut_buf_span(&text), &h, who, &d, NULL)))
            counted++;
        text.data[at] ^= 1;
    }
    assert_int_equal(counted, 0);
}

static void a_denial_gives_a_reason(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    (void)state;
    make(&h, "");
    assert_int_equal(tut_hold_decide(&h, false, TUT_LIT(" "), NOW_S, ada, &out, &err).code,
                     TUT_USAGE);
}

/* --- what has been decided --- */

static void look(const tut_hold *h, const tut_approvers *who, int64_t at_ms, tut_hold_look *l)
{
    tut_error err = {0};
    assert_true(tut_is_ok(tut_hold_look_at(dir, h, who, at_ms, l, &err)));
}

static void put(const tut_hold *h, bool yes, const tut_key *key)
{
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    decide(h, yes, key, &envelope);
    assert_true(tut_is_ok(tut_hold_put_decision(dir, h, tut_buf_span(&envelope), NULL)));
}

static void two_people_approve(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_AUTO(tut_approvers) who = both();
    tut_hold_look l;
    (void)state;
    make(&h, "");
    assert_true(tut_is_ok(tut_hold_write(dir, &h, NULL)));
    look(&h, who, now_ms + 1000, &l);
    assert_int_equal(l.state, TUT_HOLD_WAITING);
    put(&h, true, ada);
    put(&h, true, ada); /* once more is not one more */
    look(&h, who, now_ms + 6000, &l);
    assert_int_equal(l.state, TUT_HOLD_WAITING);
    assert_int_equal(l.by_count, 1);
    assert_int_equal(l.ignored, 1);
    assert_non_null(strstr(l.why, "same person"));
    put(&h, true, bob);
    look(&h, who, now_ms + 7000, &l);
    assert_int_equal(l.state, TUT_HOLD_APPROVED);
    assert_string_equal(l.by[0], "Ada");
    assert_string_equal(l.by[1], "Bob");
    look(&h, who, now_ms + 90001, &l);
    assert_int_equal(l.state, TUT_HOLD_EXPIRED);
}

static void one_denial_is_enough(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_AUTO(tut_approvers) who = both();
    tut_hold_look l;
    (void)state;
    make(&h, "");
    put(&h, true, ada);
    put(&h, false, bob);
    look(&h, who, now_ms + 7000, &l);
    assert_int_equal(l.state, TUT_HOLD_DENIED);
    assert_int_equal(l.by_count, 1);
    assert_string_equal(l.by[0], "Bob");
    assert_string_equal(l.reason, "because");
}

static void a_copied_decision_is_told_and_counts_as_none(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_hold) other = {0};
    TUT_CLEAN(tut_buf) envelope = TUT_BUF_INIT;
    TUT_AUTO(tut_approvers) who = both();
    tut_hold_look l;
    (void)state;
    make(&h, "");
    make(&other, "");
    decide(&other, true, ada, &envelope);
    assert_true(tut_is_ok(tut_hold_put_decision(dir, &h, tut_buf_span(&envelope), NULL)));
    look(&h, who, now_ms + 1, &l);
    assert_int_equal(l.state, TUT_HOLD_WAITING);
    assert_int_equal(l.ignored, 1);
    assert_non_null(strstr(l.why, "another hold"));
}

static void two_people_never_share_a_key(void **state)
{
    const char *const names[] = {"Ada", "Bob"}, *const same[] = {"Ada", "ADA"};
    tut_key *const one[] = {ada, ada}, *const two[] = {ada, bob};
    (void)state;
    assert_null(approvers_of(names, one, 2));
    assert_null(approvers_of(same, two, 2));
}

static void nobody_approves_where_nobody_is_named(void **state)
{
    TUT_AUTO(tut_approvers) who = NULL;
    TUT_CLEAN(tut_hold) h = {0};
    tut_hold_look l;
    (void)state;
    assert_true(tut_is_ok(tut_approvers_read(dir, &who, NULL)));
    make(&h, "");
    put(&h, true, ada);
    put(&h, true, bob);
    look(&h, who, now_ms + 6000, &l);
    assert_int_equal(l.state, TUT_HOLD_WAITING);
    assert_int_equal(l.ignored, 2);
}

static void running_out_of_memory_decides_nothing(void **state)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_AUTO(tut_approvers) who = both();
    (void)state;
    make(&h, "");
    put(&h, true, ada);
    put(&h, true, bob);
    for (uint64_t n = 1;; n++) {
        tut_hold_look l = {.state = TUT_HOLD_WAITING};
        uint64_t before = tut_alloc_failures();
        tut_alloc_fail_after(n);
        tut_status status = tut_hold_look_at(dir, &h, who, now_ms + 6000, &l, NULL);
        tut_alloc_fail_after(0);
        if (tut_alloc_failures() == before) {
            assert_int_equal(l.state, TUT_HOLD_APPROVED);
            break;
        }
        assert_false(tut_is_ok(status) && l.state == TUT_HOLD_APPROVED && l.by_count < 2);
    }
}

/* --- the policy --- */

static void expect_policy_error(const char *approvals, const char *message)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_system) s = NULL;
    tut_guard_policy p;
    tut_error err = {0};
    tut_buf_printf(&text,
                   "schema: tutela.system/1\nsystem:\n  name: x\nguard:\n  approvals:\n%s"
                   "  routes:\n    - id: a\n      path: /a\n      protocol: text\n",
                   approvals);
    assert_true(
        tut_is_ok(tut_system_parse(".", "tutela.yaml", tut_buf_str(&text), &s, NULL, &err)));
    assert_false(tut_is_ok(tut_guard_policy_read(s, &p, NULL, &err)));
    if (!strstr(err.text, message))
        fail_msg("\"%s\" lacks \"%s\"", err.text, message);
}

static void a_policy_says_who_and_how_long(void **state)
{
    (void)state;
    assert_int_equal(policy.approvals.timeout_s, 90);
    assert_int_equal(policy.approvals.people, 2);
    expect_policy_error("    roles: chef\n", "\"chef\" is no role");
    expect_policy_error("    people: 0\n", "1 to 3 people");
    expect_policy_error("    people: 4\n", "1 to 3 people");
    expect_policy_error("    timeout: 3d\n", "a timeout is");
    expect_policy_error("    timeout: 1s\n", "a timeout is");
    expect_policy_error("    timeout: 25h\n", "a timeout is");
    expect_policy_error("    on_timeout: allow\n", "deny");
    expect_policy_error("    keys: secret\n", "by its SHA-256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_shows_what_its_reasons_name),
        cmocka_unit_test(calls_that_wait_together_are_shown_together),
        cmocka_unit_test(two_holds_have_nothing_in_common),
        cmocka_unit_test(a_hold_is_read_as_it_was_written),
        cmocka_unit_test(a_hold_that_is_cut_or_bent_is_refused),
        cmocka_unit_test(a_hold_is_read_whole_or_not_at_all_when_memory_runs_out),
        cmocka_unit_test(an_id_is_no_path),
        cmocka_unit_test(what_is_too_long_is_cut_at_a_character),
        cmocka_unit_test(a_decision_by_an_approver_counts),
        cmocka_unit_test(a_decision_about_something_else_counts_as_none),
        cmocka_unit_test(a_decision_at_another_time_counts_as_none),
        cmocka_unit_test(a_decision_by_somebody_else_counts_as_none),
        cmocka_unit_test(a_signature_under_another_name_counts_as_none),
        cmocka_unit_test(a_decision_that_is_bent_counts_as_none),
        cmocka_unit_test(a_denial_gives_a_reason),
        cmocka_unit_test(two_people_approve),
        cmocka_unit_test(one_denial_is_enough),
        cmocka_unit_test(a_copied_decision_is_told_and_counts_as_none),
        cmocka_unit_test(two_people_never_share_a_key),
        cmocka_unit_test(nobody_approves_where_nobody_is_named),
        cmocka_unit_test(running_out_of_memory_decides_nothing),
        cmocka_unit_test(a_policy_says_who_and_how_long),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
