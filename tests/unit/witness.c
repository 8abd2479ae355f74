/* Witnesses: policies and their quorums, requests, and what a witness answers to an honest log, to
 * one that was rolled back, and to one that shows two trees. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs_internal.h"
#include "crypto/merkle.h"
#include "ledger/witness.h"
#include "ledger/witness_policy.h"
#include "ledger/witness_request.h"

enum { LEAVES = 40, KEYS = 40 };
#define ORIGIN "example.com/log"

static char dir[64];
static tut_key *log_key, *witness_key, *keys[KEYS];
static tut_sha256 leaves[2][LEAVES]; /* two histories that part at leaf 10 */
static tut_time clock_now;

static tut_time read_clock(void)
{
    return clock_now;
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-witness-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    assert_true(tut_is_ok(tut_merkle_start(NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &log_key, NULL)));
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &witness_key, NULL)));
    for (size_t i = 0; i < KEYS; i++)
        assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &keys[i], NULL)));
    for (size_t h = 0; h < 2; h++) {
        for (size_t i = 0; i < LEAVES; i++) {
            uint8_t entry[2] = {(uint8_t)i, i < 10 ? 0 : (uint8_t)h};
            tut_merkle_leaf(tut_span_of(entry, 2), &leaves[h][i]);
        }
    }
    clock_now = 1700000000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    tut_key_free(log_key);
    tut_key_free(witness_key);
    for (size_t i = 0; i < KEYS; i++)
        tut_key_free(keys[i]);
    snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    return system(command);
}

/* ---- a log ---- */

static size_t split_of(size_t n)
{
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

/* RFC 6962 2.1.2, as it is written there. */
static void subproof(size_t m, const tut_sha256 *d, size_t n, bool b, tut_sha256 *proof,
                     size_t *count)
{
    if (m == n) {
        if (!b)
            tut_merkle_root_of(d, n, &proof[(*count)++]);
        return;
    }
    size_t k = split_of(n);
    if (m <= k) {
        subproof(m, d, k, b, proof, count);
        tut_merkle_root_of(d + k, n - k, &proof[(*count)++]);
    } else {
        subproof(m - k, d + k, n - k, false, proof, count);
        tut_merkle_root_of(d, k, &proof[(*count)++]);
    }
}

static void checkpoint_of(size_t history, size_t size, const tut_key *by, const char *origin,
                          tut_buf *out)
{
    tut_checkpoint c = {.origin = tut_str_of(origin), .size = size};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_merkle_root_of(leaves[history], size, &c.root);
    if (size == 0)
        tut_merkle_empty(&c.root);
    tut_checkpoint_write(&c, &text);
    tut_buf_add_str(out, tut_buf_str(&text));
    tut_buf_add_z(out, "\n");
    if (by)
        assert_true(tut_is_ok(
            tut_note_sign(origin, TUT_NOTE_ED25519, by, tut_buf_str(&text), 0, out, NULL)));
}

static void request_of(size_t history, size_t old, size_t size, const tut_key *by,
                       const char *origin, tut_buf *out)
{
    tut_witness_request r = {.old_size = old};
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    if (old > 0 && old < size)
        subproof(old, leaves[history], size, true, r.proof, &r.proof_count);
    checkpoint_of(history, size, by, origin, &note);
    r.checkpoint = tut_buf_str(&note);
    assert_true(tut_is_ok(tut_witness_request_write(&r, out, NULL)));
}

/* ---- the witness ---- */

static tut_status open_witness(tut_witness **ret, tut_error *err)
{
    tut_verifier log;
    assert_true(
        tut_is_ok(tut_verifier_of(ORIGIN, TUT_NOTE_ED25519, tut_key_public(log_key), &log, NULL)));
    tut_witness_options o = {.dir = dir,
                             .name = "witness.example/w1",
                             .key = witness_key,
                             .logs = &log,
                             .log_count = 1,
                             .now = read_clock};
    tut_status s = tut_witness_open(&o, ret, err);
    tut_verifier_done(&log);
    return s;
}

static tut_witness *witness(void)
{
    tut_witness *w = NULL;
    tut_error err = {0};
    if (!tut_is_ok(open_witness(&w, &err)))
        fail_msg("%s", err.text);
    return w;
}

static int submit(tut_witness *w, size_t history, size_t old, size_t size)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_witness_answer) a = {0};
    request_of(history, old, size, log_key, ORIGIN, &body);
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    return a.status;
}

static int submit_text(tut_witness *w, const char *text)
{
    TUT_CLEAN(tut_witness_answer) a = {0};
    tut_witness_add_checkpoint(w, tut_span_of(text, strlen(text)), &a);
    return a.status;
}

static void an_honest_log_is_cosigned(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    size_t old = 0;
    for (size_t size = 1; size <= LEAVES; size += 3) {
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) vkey = TUT_BUF_INIT;
        TUT_CLEAN(tut_note) parsed = {0};
        TUT_CLEAN(tut_verifier) v = {0};
        TUT_CLEAN(tut_witness_answer) a = {0};
        tut_time at = 0;
        clock_now++;
        request_of(0, old, size, log_key, ORIGIN, &body);
        tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
        if (a.status != 200)
            fail_msg("%d %s", a.status, a.why.text);
        checkpoint_of(0, size, log_key, ORIGIN, &note);
        tut_buf_add_str(&note, tut_buf_str(&a.body));
        tut_witness_vkey(w, &vkey);
        assert_true(tut_is_ok(tut_verifier_parse(tut_buf_str(&vkey), &v, NULL)));
        assert_true(tut_is_ok(tut_note_parse(tut_buf_str(&note), &parsed, NULL)));
        assert_true(tut_is_ok(tut_note_verify(&parsed, &v, 1, 1, NULL, &at, NULL)));
        assert_int_equal(at, clock_now);
        old = size;
    }
    assert_int_equal(submit(w, 0, old, old), 200); /* the same again */
}

static void statuses_are_those_of_the_specification(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    assert_int_equal(submit(w, 0, 0, 12), 200);
    assert_int_equal(submit(w, 0, 20, 15), 400); /* old above the new size */
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_witness_answer) a = {0};
    request_of(0, 9, 15, log_key, ORIGIN, &body);
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 409);
    assert_true(tut_str_eq_z(tut_buf_str(&a.body), "12\n"));
    assert_string_equal(a.content_type, "text/x.tlog.size");
    tut_witness_answer_done(&a);

    tut_buf_clear(&body);
    request_of(0, 12, 15, log_key, "example.com/other", &body);
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 404);
    tut_witness_answer_done(&a);

    tut_buf_clear(&body);
    request_of(0, 12, 15, keys[0], ORIGIN, &body); /* a key that is not known */
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 403);
    tut_witness_answer_done(&a);

    tut_buf_clear(&body);
    request_of(0, 12, 15, log_key, ORIGIN, &body);
    uint8_t *c = &body.data[body.len - 10]; /* the known key, a bad signature */
    *c = *c == 'A' ? 'B' : 'A';
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 403);
    tut_witness_answer_done(&a);

    assert_int_equal(submit_text(w, ""), 400);
    assert_int_equal(submit_text(w, "old 1\n"), 400);
    assert_int_equal(submit_text(w, "old 01\n\n"), 400);
    assert_int_equal(submit_text(w, "old -1\n\n"), 400);
    assert_int_equal(submit_text(w, "new 1\n\n"), 400);
    assert_int_equal(submit_text(w, "old 1\nAAAA\n\n"), 400);
    assert_int_equal(submit_text(w, "old 1\n\nno note"), 400);
    assert_int_equal(submit(w, 0, 12, 15), 200); /* nothing of that was remembered */
}

static void a_rolled_back_log_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    assert_int_equal(submit(w, 0, 0, 20), 200);
    assert_int_equal(submit(w, 0, 0, 15), 409);
    assert_int_equal(submit(w, 0, 15, 15), 409);
    assert_int_equal(submit(w, 0, 20, 15), 400);
    assert_int_equal(submit(w, 0, 0, 0), 409);
    assert_int_equal(submit(w, 0, 20, 21), 200);
}

static void a_second_tree_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    assert_int_equal(submit(w, 0, 0, 8), 200);
    assert_int_equal(submit(w, 1, 8, 15), 200); /* up to 10 both histories are the same */
    assert_int_equal(submit(w, 0, 15, 15), 422);
    assert_int_equal(submit(w, 0, 15, 25), 422);
    assert_int_equal(submit(w, 0, 0, 25), 409);
    assert_int_equal(submit(w, 1, 15, 25), 200);
}

static void an_empty_tree_has_its_own_root(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    assert_int_equal(submit(w, 0, 0, 0), 200);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_witness_answer) a = {0};
    tut_checkpoint c = {.origin = TUT_LIT(ORIGIN), .size = 0, .root = leaves[0][0]};
    tut_checkpoint_write(&c, &text);
    tut_buf_add_z(&body, "old 0\n\n");
    tut_buf_add_str(&body, tut_buf_str(&text));
    tut_buf_add_z(&body, "\n");
    assert_true(tut_is_ok(
        tut_note_sign(ORIGIN, TUT_NOTE_ED25519, log_key, tut_buf_str(&text), 0, &body, NULL)));
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 422);
    tut_witness_answer_done(&a);
    /* a proof from nothing */
    tut_witness_request r = {.old_size = 0, .proof_count = 1};
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    checkpoint_of(0, 5, log_key, ORIGIN, &note);
    r.checkpoint = tut_buf_str(&note);
    tut_buf_clear(&body);
    assert_true(tut_is_ok(tut_witness_request_write(&r, &body, NULL)));
    tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
    assert_int_equal(a.status, 422);
}

static void what_was_cosigned_is_remembered(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    tut_error err = {0};
    tut_witness *second = NULL;
    assert_int_equal(submit(w, 0, 0, 20), 200);
    assert_int_equal(open_witness(&second, &err).code, TUT_STORE); /* one at a time */
    tut_witness_free(w);
    w = witness();
    assert_int_equal(submit(w, 0, 0, 20), 409);
    assert_int_equal(submit(w, 0, 20, 30), 200);
}

static void it_is_served_by_its_origins_hash(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    TUT_CLEAN(tut_witness_answer) a = {0};
    tut_sha256 d;
    char hex[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_sha256_of(tut_span_of(ORIGIN, strlen(ORIGIN)), &d, NULL)));
    tut_sha256_hex(&d, hex);
    tut_witness_get_checkpoint(w, tut_str_of(hex), &a);
    assert_int_equal(a.status, 404);
    tut_witness_answer_done(&a);
    assert_int_equal(submit(w, 0, 0, 7), 200);
    tut_witness_get_checkpoint(w, tut_str_of(hex), &a);
    assert_int_equal(a.status, 200);
    TUT_CLEAN(tut_note) note = {0};
    assert_true(tut_is_ok(tut_note_parse(tut_buf_str(&a.body), &note, NULL)));
    assert_int_equal(note.signature_count, 2);
    tut_note_done(&note);
    tut_witness_answer_done(&a);
    tut_witness_get_checkpoint(w, TUT_LIT("lock"), &a);
    assert_int_equal(a.status, 404);
    tut_witness_answer_done(&a);
    tut_witness_get_checkpoint(w, TUT_LIT(""), &a);
    assert_int_equal(a.status, 404);
}

static void a_changed_memory_is_found(void **state)
{
    (void)state;
    tut_witness *w = witness();
    tut_sha256 d;
    char hex[TUT_SHA256_HEX], path[200];
    assert_int_equal(submit(w, 0, 0, 20), 200);
    tut_witness_free(w);
    assert_true(tut_is_ok(tut_sha256_of(tut_span_of(ORIGIN, strlen(ORIGIN)), &d, NULL)));
    tut_sha256_hex(&d, hex);
    snprintf(path, sizeof(path), "%s/%s", dir, hex);
    TUT_CLEAN(tut_buf) was = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) older = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path, 1 << 20, &was, NULL)));
    checkpoint_of(0, 5, log_key, ORIGIN, &older); /* the log's own word is not enough */
    assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&older), 0600, NULL)));
    tut_error err = {0};
    assert_int_equal(open_witness(&w, &err).code, TUT_STORE);
    for (size_t i = 0; i < was.len; i++) {
        was.data[i] ^= 1;
        assert_true(tut_is_ok(tut_fs_write_unsynced(path, tut_buf_span(&was), 0600, NULL)));
        tut_witness *again = NULL;
        tut_code code = open_witness(&again, NULL).code;
        if (code == TUT_OK) { /* the log's line is not what memory rests on */
            assert_int_equal(submit(again, 0, 0, 20), 409);
            tut_witness_free(again);
        } else {
            assert_int_equal(code, TUT_STORE);
        }
        was.data[i] ^= 1;
    }
    assert_true(tut_is_ok(tut_fs_write(path, tut_buf_span(&was), 0600, NULL)));
}

static void what_cannot_be_remembered_is_not_cosigned(void **state)
{
    (void)state;
    static const struct {
        tut_fs_step step;
        int error;
    } faults[] = {{TUT_FS_STEP_OPEN, EACCES},
                  {TUT_FS_STEP_WRITE, ENOSPC},
                  {TUT_FS_STEP_FSYNC, EIO},
                  {TUT_FS_STEP_RENAME, EIO}};
    TUT_AUTO(tut_witness) w = witness();
    assert_int_equal(submit(w, 0, 0, 20), 200);
    for (size_t i = 0; i < 4; i++) {
        tut_fs_fault(faults[i].step, 1, faults[i].error);
        assert_int_equal(submit(w, 0, 20, 25), 500);
        tut_fs_fault(faults[i].step, 0, 0);
        assert_int_equal(submit(w, 0, 0, 25), 409);
    }
    /* a short write is written on */
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, TUT_FS_FAULT_SHORT);
    assert_int_equal(submit(w, 0, 20, 25), 200);
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
}

static void memory_that_runs_out_cosigns_nothing(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness) w = witness();
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    request_of(0, 0, 9, log_key, ORIGIN, &body);
    for (uint64_t n = 1; n < 500; n++) {
        TUT_CLEAN(tut_witness_answer) a = {0};
        tut_alloc_fail_after(n);
        tut_witness_add_checkpoint(w, tut_buf_span(&body), &a);
        tut_alloc_fail_after(0);
        if (a.status == 200) {
            assert_true(n > 5);
            return;
        }
        if (a.status == 409) /* remembered, but not told: the client asks again */
            return;
        assert_true(tut_buf_span(&a.body).len == 0 || a.status != 200);
    }
    fail_msg("never enough memory");
}

static void witnesses_watch_logs(void **state)
{
    (void)state;
    tut_witness *w = NULL;
    tut_error err = {0};
    tut_verifier other;
    assert_true(tut_is_ok(
        tut_verifier_of("w", TUT_NOTE_COSIGNATURE, tut_key_public(keys[0]), &other, NULL)));
    tut_witness_options o = {.dir = dir, .name = "w", .key = witness_key};
    assert_int_equal(tut_witness_open(&o, &w, &err).code, TUT_USAGE);
    o.logs = &other;
    o.log_count = 1;
    assert_int_equal(tut_witness_open(&o, &w, &err).code, TUT_USAGE);
    tut_verifier_done(&other);
}

/* ---- requests ---- */

static void requests_come_back_as_they_were_written(void **state)
{
    (void)state;
    tut_witness_request r = {.old_size = 20852014, .proof_count = TUT_WITNESS_PROOF_MAX};
    r.checkpoint = TUT_LIT("origin\n1\n\n");
    for (size_t i = 0; i < r.proof_count; i++)
        r.proof[i].bytes[0] = (uint8_t)i;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_witness_request back;
    assert_true(tut_is_ok(tut_witness_request_write(&r, &body, NULL)));
    assert_true(tut_is_ok(tut_witness_request_read(tut_buf_span(&body), &back, NULL)));
    assert_int_equal(back.old_size, r.old_size);
    assert_int_equal(back.proof_count, r.proof_count);
    assert_memory_equal(back.proof, r.proof, sizeof(r.proof));
    assert_true(tut_str_eq(back.checkpoint, r.checkpoint));
    size_t end_of_proof = body.len - r.checkpoint.len;
    for (size_t n = 0; n < end_of_proof; n++)
        assert_int_equal(tut_witness_request_read(tut_span_of(body.data, n), &back, NULL).code,
                         TUT_MALFORMED);
    TUT_CLEAN(tut_buf) more = TUT_BUF_INIT;
    tut_buf_add_z(&more, "old 20852014\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    tut_buf_add(&more, body.data + 13, body.len - 13);
    assert_int_equal(tut_witness_request_read(tut_buf_span(&more), &back, NULL).code,
                     TUT_MALFORMED);
}

/* ---- policies ---- */

static void add_vkey(tut_buf *out, const char *name, tut_note_algorithm algorithm,
                     const tut_key *key)
{
    tut_verifier v;
    assert_true(tut_is_ok(tut_verifier_of(name, algorithm, tut_key_public(key), &v, NULL)));
    tut_verifier_write(&v, out);
    tut_verifier_done(&v);
}

/* "%L" is the log's key, "%0" to "%9" are witnesses' keys. */
static void expand(const char *text, tut_buf *out)
{
    for (const char *c = text; *c; c++) {
        if (c[0] != '%') {
            tut_buf_add_byte(out, (uint8_t)*c);
            continue;
        }
        c++;
        if (*c == 'L')
            add_vkey(out, ORIGIN, TUT_NOTE_ED25519, log_key);
        else
            add_vkey(out, "witness.example", TUT_NOTE_COSIGNATURE, keys[*c - '0']);
    }
}

static tut_witness_policy *policy(const char *text, tut_error *err)
{
    TUT_CLEAN(tut_buf) full = TUT_BUF_INIT;
    tut_witness_policy *p = NULL;
    expand(text, &full);
    tut_status s = tut_witness_policy_read(tut_buf_span(&full), &p, err);
    assert_int_equal(tut_is_ok(s), p != NULL);
    return p;
}

static void a_quorum_is_what_the_groups_say(void **state)
{
    (void)state;
    static const struct {
        const char *groups;
        unsigned met; /* bit m: met when the witnesses are the bits of m */
    } cases[] = {
        {"quorum none\n", 0xff},
        {"quorum a\n", 0xaa},
        {"group g any a b c\nquorum g\n", 0xfe},
        {"group g all a b c\nquorum g\n", 0x80},
        {"group g 2 a b c\nquorum g\n", 0xe8},
        {"group g all a b\ngroup h any g c\nquorum h\n", 0xf8},
        {"group g any a b\ngroup h all g c\nquorum h\n", 0xe0},
        {"group g any a b\nquorum c\n", 0xf0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[300];
        tut_error err = {0};
        snprintf(text, sizeof(text),
                 "# a comment\n \t\nlog %%L https://log.example\nwitness a %%0\n"
                 "\twitness  b %%1 https://w.example/\n witness c %%2 \n%s",
                 cases[i].groups);
        TUT_AUTO(tut_witness_policy) p = policy(text, &err);
        if (!p)
            fail_msg("%s", err.text);
        const tut_policy_witness *w;
        const tut_policy_log *logs;
        assert_int_equal(tut_witness_policy_witnesses(p, &w), 3);
        assert_string_equal(w[1].url, "https://w.example/");
        assert_null(w[2].url);
        assert_int_equal(tut_witness_policy_logs(p, &logs), 1);
        assert_string_equal(logs[0].url, "https://log.example");
        for (unsigned m = 0; m < 8; m++) {
            const bool cosigned[3] = {m & 1, m & 2, m & 4};
            assert_int_equal(tut_witness_policy_met(p, cosigned), cases[i].met >> m & 1);
        }
    }
}

static void policies_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "quorum none",
        "quorum\n",
        "quorum a\n",
        "quorum none\nquorum none\n",
        "quorum none more\n",
        "witness a %0\nwitness a %1\nquorum none\n",
        "witness a %0\nwitness b %0\nquorum none\n",
        "log %L\nlog %L\nquorum none\n",
        "log %0\nquorum none\n",
        "witness a %L\nquorum none\n",
        "witness none %0\nquorum none\n",
        "witness a\nquorum none\n",
        "witness a %0 url more\nquorum none\n",
        "witness a example\nquorum none\n",
        "group g any a\nquorum none\n",
        "group g any g\nquorum none\n",
        "witness a %0\ngroup g any\nquorum g\n",
        "witness a %0\ngroup g 0 a\nquorum g\n",
        "witness a %0\ngroup g 2 a\nquorum g\n",
        "witness a %0\ngroup g some a\nquorum g\n",
        "witness a %0\ngroup g any a a\nquorum g\n",
        "witness a %0\ngroup g any a\ngroup h any a\nquorum g\n",
        "witness a %0\ngroup a any a\nquorum a\n",
        "quorum a\nwitness a %0\n",
        "quorum none\r\n",
        "# \001\nquorum none\n",
        "nonsense\nquorum none\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tut_error err = {0};
        TUT_AUTO(tut_witness_policy) p = policy(bad[i], &err);
        if (p || err.code != TUT_MALFORMED)
            fail_msg("%zu: %s", i, err.text);
        assert_non_null(strstr(err.text, "witness policy"));
    }
}

static void thirty_two_of_each_are_possible(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error err = {0};
    tut_witness_policy *p = NULL;
    for (int i = 0; i < 32; i++) {
        char name[32];
        snprintf(name, sizeof(name), "log%d", i);
        tut_buf_add_z(&text, "log ");
        add_vkey(&text, name, TUT_NOTE_ED25519, keys[i]);
        tut_buf_printf(&text, "\nwitness w%d ", i);
        add_vkey(&text, name, TUT_NOTE_COSIGNATURE, keys[i]);
        tut_buf_printf(&text, "\ngroup g%d all w%d", i, i);
        if (i)
            tut_buf_printf(&text, " g%d", i - 1);
        tut_buf_add_z(&text, "\n");
    }
    tut_buf_add_z(&text, "quorum g31\n");
    if (!tut_is_ok(tut_witness_policy_read(tut_buf_span(&text), &p, &err)))
        fail_msg("%s", err.text);
    bool cosigned[TUT_POLICY_WITNESSES_MAX];
    memset(cosigned, true, sizeof(cosigned));
    assert_true(tut_witness_policy_met(p, cosigned));
    for (int i = 0; i < 32; i++) {
        cosigned[i] = false;
        assert_false(tut_witness_policy_met(p, cosigned));
        cosigned[i] = true;
    }
    tut_witness_policy_free(p);
    for (uint64_t n = 1; n < 5000; n++) {
        p = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_witness_policy_read(tut_buf_span(&text), &p, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(s)) {
            tut_witness_policy_free(p);
            assert_true(n > 100);
            return;
        }
        assert_null(p);
    }
    fail_msg("never enough memory");
}

static void cosign(const char *name, const tut_key *key, tut_str text, tut_time at, tut_buf *note)
{
    assert_true(tut_is_ok(tut_note_sign(name, TUT_NOTE_COSIGNATURE, key, text, at, note, NULL)));
}

static void a_checkpoint_is_held_against_the_policy(void **state)
{
    (void)state;
    TUT_AUTO(tut_witness_policy)
    p = policy("log %L\nwitness a %0\nwitness b %1\nwitness c %2\ngroup g 2 a b c\nquorum g\n",
               NULL);
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_witness_verdict v;
    checkpoint_of(0, 9, log_key, ORIGIN, &note);
    size_t end;
    assert_true(tut_str_find(tut_buf_str(&note), TUT_LIT("\n\n"), &end));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add(&text, note.data, end + 1);
    assert_true(tut_is_ok(tut_witness_policy_check(p, tut_buf_str(&note), &v, NULL)));
    assert_false(v.is_met);
    assert_int_equal(v.count, 0);
    cosign("witness.example", keys[0], tut_buf_str(&text), 300, &note);
    cosign("witness.example", keys[5], tut_buf_str(&text), 100, &note); /* nobody we know */
    assert_true(tut_is_ok(tut_witness_policy_check(p, tut_buf_str(&note), &v, NULL)));
    assert_false(v.is_met);
    assert_int_equal(v.count, 1);
    cosign("witness.example", keys[2], tut_buf_str(&text), 500, &note);
    assert_true(tut_is_ok(tut_witness_policy_check(p, tut_buf_str(&note), &v, NULL)));
    assert_true(v.is_met);
    assert_true(v.has_time);
    assert_int_equal(v.at, 500);
    cosign("witness.example", keys[1], tut_buf_str(&text), 400, &note);
    assert_true(tut_is_ok(tut_witness_policy_check(p, tut_buf_str(&note), &v, NULL)));
    assert_int_equal(v.at, 400); /* two of them had it by then */
    /* a cosignature of another tree by a known witness spoils the note */
    TUT_CLEAN(tut_buf) bad = TUT_BUF_INIT;
    tut_buf_add(&bad, note.data, end + 2);
    assert_true(tut_is_ok(
        tut_note_sign(ORIGIN, TUT_NOTE_ED25519, log_key, tut_buf_str(&text), 0, &bad, NULL)));
    cosign("witness.example", keys[0], TUT_LIT("other\n1\nAAAA\n"), 300, &bad);
    assert_int_equal(tut_witness_policy_check(p, tut_buf_str(&bad), &v, NULL).code, TUT_CRYPTO);
    /* a log that is not in the policy */
    TUT_CLEAN(tut_buf) stranger = TUT_BUF_INIT;
    checkpoint_of(0, 9, keys[7], ORIGIN, &stranger);
    assert_int_equal(tut_witness_policy_check(p, tut_buf_str(&stranger), &v, NULL).code,
                     TUT_CRYPTO);
    TUT_CLEAN(tut_buf) elsewhere = TUT_BUF_INIT;
    checkpoint_of(0, 9, log_key, "example.com/elsewhere", &elsewhere);
    assert_int_equal(tut_witness_policy_check(p, tut_buf_str(&elsewhere), &v, NULL).code,
                     TUT_CRYPTO);
}

/* test_witness --seeds DIR: for tests/fuzz/witness.c, and the key that it must know. */
static int write_seed(const char *to, const char *name, const tut_buf *seed)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", to, name);
    return tut_is_ok(tut_fs_write(path, tut_buf_span(seed), 0644, NULL)) ? 0 : 1;
}

static int write_seeds(const char *to)
{
    TUT_CLEAN(tut_buf) seed = TUT_BUF_INIT;
    int failed = 0;
    tut_buf_add_byte(&seed, 'p');
    expand("# ours\nlog %L https://log.example\nwitness a %0\nwitness b %1 u\ngroup g any a b\n"
           "group h all g\nquorum h\n",
           &seed);
    tut_buf_add_byte(&seed, 0);
    checkpoint_of(0, 9, log_key, ORIGIN, &seed);
    failed |= write_seed(to, "policy", &seed);
    for (int i = 0; i < 2; i++) {
        tut_buf_clear(&seed);
        tut_buf_add_byte(&seed, i == 0 ? 'r' : 'a');
        request_of(0, i == 0 ? 9 : 0, 30, log_key, ORIGIN, &seed);
        failed |= write_seed(to, i == 0 ? "request" : "add-checkpoint", &seed);
    }
    tut_buf_clear(&seed);
    add_vkey(&seed, ORIGIN, TUT_NOTE_ED25519, log_key);
    printf("%s\n", tut_buf_z(&seed));
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        setup(NULL);
        int failed = write_seeds(argv[2]);
        return teardown(NULL) || failed;
    }
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_honest_log_is_cosigned),
        T(statuses_are_those_of_the_specification),
        T(a_rolled_back_log_is_refused),
        T(a_second_tree_is_refused),
        T(an_empty_tree_has_its_own_root),
        T(what_was_cosigned_is_remembered),
        T(it_is_served_by_its_origins_hash),
        T(a_changed_memory_is_found),
        T(what_cannot_be_remembered_is_not_cosigned),
        T(memory_that_runs_out_cosigns_nothing),
        T(witnesses_watch_logs),
        T(requests_come_back_as_they_were_written),
        T(a_quorum_is_what_the_groups_say),
        T(policies_that_break_a_rule_are_refused),
        T(thirty_two_of_each_are_possible),
        T(a_checkpoint_is_held_against_the_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
