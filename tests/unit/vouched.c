/* What others vouch for: the largest tree that enough of them had seen, and by when; a log that
 * does not contain what was cosigned or stamped of it is damaged, whoever signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/fs.h"
#include "ledger/timestamp.h"
#include "ledger/vouched.h"
#include "ledger/witness_ask.h"
#include "ledger/witness_keep.h"
#include "log_fixture.h"
#include "unit/tsa.h"

enum { WITNESSES = 3, FROM = 1700000000, TO = 1700200000, LATE = 1800000000 };

static log_fixture fx;
static tut_key *keys[WITNESSES];
static tut_verifier witnesses[WITNESSES];
static tut_witness_policy *policy; /* two of three */
static tsa_identity root, tsa, other_root;
static tut_tsp_trust *trust, *other_trust;

static tut_tsp_trust *trust_in(const tsa_identity *id)
{
    TUT_CLEAN(tut_buf) pem = TUT_BUF_INIT;
    tut_tsp_trust *t = NULL;
    tsa_pem(id->cert, &pem);
    assert_true(tut_is_ok(tut_tsp_trust_from_pem(tut_buf_span(&pem), &t, NULL)));
    return t;
}

static int setup(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    fixture_make(&fx, "vouched");
    fx.options.anchor = NULL;
    tut_buf_add_z(&text, "log ");
    tut_verifier_write(&fx.verifier, &text);
    for (int i = 0; i < WITNESSES; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "witness.example/%d", i);
        assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &keys[i], NULL)));
        assert_true(tut_is_ok(tut_verifier_of(name, TUT_NOTE_COSIGNATURE, tut_key_public(keys[i]),
                                              &witnesses[i], NULL)));
        tut_buf_printf(&text, "\nwitness w%d ", i);
        tut_verifier_write(&witnesses[i], &text);
    }
    tut_buf_add_z(&text, "\ngroup g 2 w0 w1 w2\nquorum g\n");
    assert_true(tut_is_ok(tut_witness_policy_read(tut_buf_span(&text), &policy, NULL)));
    root = tsa_identity_new("Root", NULL, NULL, FROM, TO);
    tsa = tsa_identity_new("Authority", &root, "critical,timeStamping", FROM, TO);
    other_root = tsa_identity_new("Other", NULL, NULL, FROM, TO);
    trust = trust_in(&root);
    other_trust = trust_in(&other_root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tut_witness_policy_free(policy);
    tut_tsp_trust_free(trust);
    tut_tsp_trust_free(other_trust);
    tsa_identity_done(&root);
    tsa_identity_done(&tsa);
    tsa_identity_done(&other_root);
    for (int i = 0; i < WITNESSES; i++) {
        tut_verifier_done(&witnesses[i]);
        tut_key_free(keys[i]);
    }
    fixture_done(&fx);
    return 0;
}

/* ---- a log, and those who look at it ---- */

/* `first` is that of the first entry: other entries make another history. */
static void grow(uint8_t first, size_t count)
{
    tut_log *log = fixture_open(&fx, true);
    for (size_t i = 0; i < count; i++) {
        uint8_t entry[2] = {first, (uint8_t)(tut_log_size(log) & 0xff)};
        tut_span span = tut_span_of(entry, 2);
        uint64_t at;
        assert_true(tut_is_ok(tut_log_append(log, &span, 1, &at, NULL)));
    }
    fixture_close(log);
}

static void cosign(int who, tut_time at)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {0};
    TUT_AUTO(tut_log) log = fixture_open(&fx, false);
    tut_str checkpoint = tut_log_checkpoint(log);
    assert_true(tut_is_ok(tut_note_parse(checkpoint, &note, NULL)));
    assert_true(tut_is_ok(tut_note_sign(witnesses[who].name, TUT_NOTE_COSIGNATURE, keys[who],
                                        note.text, at, &line, NULL)));
    assert_true(
        tut_is_ok(tut_witness_keep(fx.dir, &witnesses[who], checkpoint, tut_buf_str(&line), NULL)));
}

static void stamp(time_t at)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    TUT_AUTO(tut_log) log = fixture_open(&fx, false);
    tut_tsp_token token;
    uint64_t size;
    assert_true(
        tut_is_ok(tut_timestamp_request(fx.dir, tut_log_checkpoint(log), &size, &request, NULL)));
    tsa_answer(&tsa, &request, at, &response);
    assert_true(
        tut_is_ok(tut_timestamp_take(fx.dir, tut_buf_span(&response), NULL, &token, &size, NULL)));
}

/* The log is gone, what is kept of it is not. */
static void forget_log(void)
{
    fixture_run("cd log && rm -rf -- checkpoint tile journal", fx.root);
}

typedef struct told {
    size_t damage, doubts;
    char text[4096];
} told;

static void found(void *ctx, tut_vouched_source source, bool is_damage, const char *text)
{
    told *t = ctx;
    (void)source;
    t->damage += is_damage;
    t->doubts += !is_damage;
    strncat(t->text, text, sizeof(t->text) - strlen(t->text) - 1);
}

static tut_vouched look_with(const tut_witness_policy *p, const tut_tsp_trust *ca, tut_time until,
                             size_t most, told *t)
{
    TUT_AUTO(tut_log) log = fixture_open(&fx, false);
    tut_vouched v;
    tut_error err = {0};
    *t = (told){.text = ""};
    tut_beside beside = tut_beside_dir(fx.dir);
    tut_vouched_options options = {.beside = &beside,
                                   .log = log,
                                   .policy = p,
                                   .trust = ca,
                                   .until = until,
                                   .most = most,
                                   .found = found,
                                   .ctx = t};
    fixture_must(tut_vouched_look(&options, &v, &err), &err, "look");
    assert_int_equal(v.is_damaged, t->damage > 0);
    return v;
}

static tut_vouched look(tut_time until, told *t)
{
    return look_with(policy, trust, until, 0, t);
}

static void assert_proven(const tut_vouched *v, tut_trust by, uint64_t size, tut_time at)
{
    assert_string_equal(tut_trust_name(v->trust), tut_trust_name(by));
    assert_int_equal(v->proven.is_there, by != TUT_TRUST_OWN_KEY);
    assert_int_equal(v->proven.size, size);
    assert_int_equal(v->proven.at, at);
}

/* ---- what is proven ---- */

static void nothing_kept_proves_nothing(void **state)
{
    (void)state;
    told t;
    grow(1, 5);
    tut_vouched v = look_with(NULL, NULL, LATE, 0, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_int_equal(t.damage + t.doubts, 0);
    v = look(LATE, &t); /* but a policy is not met by it */
    assert_int_equal(t.doubts, 1);
    assert_non_null(strstr(t.text, "no cosignature is kept"));
}

static void a_quorum_proves_the_largest_tree_that_it_saw(void **state)
{
    (void)state;
    told t;
    grow(1, 5);
    cosign(0, 100);
    tut_vouched v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_non_null(strstr(t.text, "of its 3 witnesses 1 cosigned the first 5 entries"));
    cosign(2, 200);
    cosign(1, 300);
    v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 5, 200); /* two were enough */
    assert_int_equal(t.damage + t.doubts, 0);
    grow(1, 4);
    cosign(0, 400);
    v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 5, 200);
    assert_int_equal(v.cosigned_size, 9);
    cosign(1, 500);
    v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 9, 500);
    assert_int_equal(t.damage + t.doubts, 0);
}

static void what_was_proven_then_stays_what_it_was(void **state)
{
    (void)state;
    told t;
    grow(1, 5);
    cosign(0, 100);
    cosign(1, 200);
    grow(1, 4);
    cosign(1, 300);
    cosign(0, 400);
    tut_vouched v = look(99, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_int_equal(v.cosigned, 0);
    v = look(199, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    v = look(399, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 5, 200);
    v = look(400, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 9, 400);
}

static void witnesses_whom_nobody_believes_prove_nothing(void **state)
{
    (void)state;
    told t;
    grow(1, 5);
    cosign(0, 100);
    cosign(1, 200);
    tut_vouched v = look_with(NULL, trust, LATE, 0, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_int_equal(v.cosigned_size, 5);
    assert_int_equal(t.damage + t.doubts, 0);
}

static void a_time_stamp_proves_to_those_who_believe_its_authority(void **state)
{
    (void)state;
    told t;
    grow(1, 5);
    stamp(FROM + 10);
    grow(1, 2);
    stamp(FROM + 20);
    tut_vouched v = look_with(NULL, trust, LATE, 0, &t);
    assert_proven(&v, TUT_TRUST_TIMESTAMPED, 7, FROM + 20);
    v = look_with(NULL, trust, FROM + 19, 0, &t);
    assert_proven(&v, TUT_TRUST_TIMESTAMPED, 5, FROM + 10);
    v = look_with(NULL, NULL, LATE, 0, &t);
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_int_equal(v.stamped, 2);
    assert_int_equal(t.damage + t.doubts, 0);
    v = look_with(NULL, other_trust, LATE, 0, &t); /* strangers are a doubt, no damage */
    assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
    assert_int_equal(t.damage, 0);
    assert_int_equal(t.doubts, 2);
    cosign(0, 100);
    cosign(1, 200);
    v = look(LATE, &t); /* a quorum is more than an authority */
    assert_proven(&v, TUT_TRUST_WITNESSED, 7, 200);
}

/* ---- damage ---- */

static void assert_damaged(const char *says)
{
    const tut_witness_policy *const policies[] = {NULL, policy};
    const tut_tsp_trust *const trusts[] = {NULL, trust};
    for (size_t i = 0; i < 2; i++) {
        told t;
        tut_vouched v = look_with(policies[i], trusts[i], LATE, 0, &t);
        assert_proven(&v, TUT_TRUST_OWN_KEY, 0, 0);
        assert_true(t.damage > 0);
        if (!strstr(t.text, says))
            fail_msg("%s", t.text);
    }
}

static void a_log_that_was_set_back_is_damaged(void **state)
{
    (void)state;
    told t;
    grow(1, 9);
    cosign(0, 100);
    cosign(1, 200);
    forget_log();
    grow(1, 5); /* the very same entries, but fewer */
    assert_damaged("rolled back");
    tut_vouched v = look(99, &t); /* nobody had seen more by then */
    assert_false(v.is_damaged);
    grow(1, 4);
    v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 9, 200); /* it is the same log again */
}

static void a_log_that_was_rewritten_is_damaged(void **state)
{
    (void)state;
    grow(1, 9);
    cosign(0, 100);
    cosign(1, 200);
    forget_log();
    grow(2, 20);
    assert_damaged("split view");
    /* cosigning the new one as well does not cover the old one */
    cosign(0, 300);
    cosign(1, 400);
    assert_damaged("split view: the first 9 entries");
}

static void a_log_that_is_not_what_was_stamped_is_damaged(void **state)
{
    (void)state;
    grow(1, 9);
    stamp(FROM + 10);
    forget_log();
    grow(1, 4);
    assert_damaged("rolled back");
    grow(2, 9);
    assert_damaged("its first 9 entries are others");
}

static void a_log_that_is_gone_is_damaged(void **state)
{
    (void)state;
    told t = {.text = ""};
    tut_vouched v;
    grow(1, 3);
    cosign(0, 100);
    stamp(FROM + 10);
    tut_beside beside = tut_beside_dir(fx.dir);
    tut_vouched_options options = {.beside = &beside, .until = LATE, .found = found, .ctx = &t};
    assert_true(tut_is_ok(tut_vouched_look(&options, &v, NULL)));
    assert_true(v.is_damaged);
    assert_true(t.damage >= 2);
}

static void what_was_altered_is_damage_or_doubt(void **state)
{
    (void)state;
    char path[256];
    TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
    told t;
    grow(1, 3);
    cosign(0, 100);
    cosign(1, 200);
    (void)snprintf(path, sizeof(path), "%s/checkpoint.witnessed", fx.dir);
    assert_true(tut_is_ok(tut_fs_read(path, 65536, &good, NULL)));
    for (size_t i = 0; i < good.len; i++) { /* cut off anywhere */
        assert_true(tut_is_ok(tut_fs_write(path, tut_span_of(good.data, i), 0644, NULL)));
        tut_vouched v = look(LATE, &t);
        /* whole lines fewer are a note with fewer signatures */
        assert_true(v.is_damaged || good.data[i - 1] == '\n');
    }
    for (size_t i = 0; i < good.len; i++) { /* any byte another one */
        good.data[i] ^= 1;
        assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&good), 0644, NULL)));
        good.data[i] ^= 1;
        tut_vouched v = look(LATE, &t);
        assert_true(v.is_damaged || v.trust == TUT_TRUST_WITNESSED);
    }
    assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&good), 0644, NULL)));
    tut_vouched v = look(LATE, &t);
    assert_proven(&v, TUT_TRUST_WITNESSED, 3, 200);
}

/* ---- bounds ---- */

static void the_newest_are_enough(void **state)
{
    (void)state;
    told t;
    for (int i = 0; i < 12; i++) {
        grow(1, 1);
        cosign(0, 100 + i);
        cosign(1, 100 + i);
        stamp(FROM + i);
    }
    tut_vouched all = look_with(policy, trust, LATE, 0, &t);
    tut_vouched few = look_with(NULL, NULL, LATE, 3, &t);
    assert_int_equal(all.stamped, 12);
    assert_int_equal(few.stamped, 3);
    assert_int_equal(all.cosigned, 12 + 3); /* and the latest of all, and of each witness */
    assert_int_equal(few.cosigned, 3 + 3);
    few = look_with(policy, trust, LATE, 3, &t);
    assert_int_equal(few.stamped, 1); /* no more than it takes */
    assert_int_equal(few.cosigned, 1 + 3);
    assert_proven(&all, TUT_TRUST_WITNESSED, 12, 111);
    assert_proven(&few, TUT_TRUST_WITNESSED, 12, 111);
    few = look_with(policy, trust, 104, 3, &t); /* of those that were there */
    assert_proven(&few, TUT_TRUST_WITNESSED, 5, 104);
    few = look_with(NULL, trust, FROM + 4, 3, &t);
    assert_proven(&few, TUT_TRUST_TIMESTAMPED, 5, FROM + 4);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    grow(1, 5);
    cosign(0, 100);
    cosign(1, 200);
    stamp(FROM + 10);
    TUT_AUTO(tut_log) log = fixture_open(&fx, false);
    for (uint64_t n = 1; n < 2000; n++) {
        told t = {.text = ""};
        tut_vouched v = {0};
        tut_beside beside = tut_beside_dir(fx.dir);
        tut_vouched_options options = {.beside = &beside,
                                       .log = log,
                                       .policy = policy,
                                       .trust = trust,
                                       .until = LATE,
                                       .found = found,
                                       .ctx = &t};
        tut_alloc_fail_after(n);
        tut_status s = tut_vouched_look(&options, &v, NULL);
        tut_alloc_fail_after(0);
        assert_int_equal(t.damage, 0); /* no memory is no damage */
        if (tut_is_ok(s)) {
            assert_true(n > 20);
            assert_proven(&v, TUT_TRUST_WITNESSED, 5, 200);
            return;
        }
        assert_int_equal(s.code, TUT_NOMEM);
    }
    fail_msg("never enough memory");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_kept_proves_nothing),
        T(a_quorum_proves_the_largest_tree_that_it_saw),
        T(what_was_proven_then_stays_what_it_was),
        T(witnesses_whom_nobody_believes_prove_nothing),
        T(a_time_stamp_proves_to_those_who_believe_its_authority),
        T(a_log_that_was_set_back_is_damaged),
        T(a_log_that_was_rewritten_is_damaged),
        T(a_log_that_is_not_what_was_stamped_is_damaged),
        T(a_log_that_is_gone_is_damaged),
        T(what_was_altered_is_damage_or_doubt),
        T(the_newest_are_enough),
        T(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
