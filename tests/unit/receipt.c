/* Receipts for packs: what is written is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "pack/receipt.h"

static tut_key *bob, *eve;

static const tut_pack_finding findings[] = {
    {.entry = 7,
     .check = {"probe.evaluation/1", 18},
     .subject = {"model/a", 7},
     .digest = {{1, 2, 3}},
     .result = TUT_RESULT_PASS,
     .expires = 1800000000},
    {.entry = 9,
     .check = {"probe.injection/1", 17},
     .subject = {"tutela.yaml", 11},
     .digest = {{4}},
     .result = TUT_RESULT_FAIL,
     .expires = 1810000000},
};

static tut_receipt sample(void)
{
    return (tut_receipt){.manifest = {{5, 6}},
                         .received_at = 1790000000,
                         .evaluated_at = 1789990000,
                         .by = TUT_LIT("Bob"),
                         .origin = TUT_LIT("log-1/evidence"),
                         .log_size = 12,
                         .findings = findings,
                         .finding_count = 2};
}

static int begin(void **state)
{
    (void)state;
    return tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &bob, NULL)) &&
                   tut_is_ok(tut_key_generate(TUT_KEY_P256, &eve, NULL))
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    tut_key_free(bob);
    tut_key_free(eve);
    return 0;
}

static void write_it(const tut_receipt *r, const tut_key *key, tut_buf *out)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_receipt_write(r, key, out, &err)))
        fail_msg("%s", err.text);
}

static tut_code read_code(tut_span text)
{
    TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
    tut_error err = {0};
    tut_status status = tut_receipt_parse(text, &f, &err);
    assert_true(tut_is_ok(status) || err.text[0]);
    return status.code;
}

static void what_was_written_is_read(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
    const tut_receipt r = sample();
    (void)state;
    write_it(&r, bob, &text);
    assert_int_equal(text.data[text.len - 1], '\n');
    assert_true(tut_is_ok(tut_receipt_parse(tut_buf_span(&text), &f, NULL)));
    assert_true(tut_sha256_eq(&f.says.manifest, &r.manifest));
    assert_true(tut_str_eq(f.says.by, r.by));
    assert_true(tut_str_eq(f.says.origin, r.origin));
    assert_int_equal(f.says.received_at, r.received_at);
    assert_int_equal(f.says.evaluated_at, r.evaluated_at);
    assert_int_equal(f.says.log_size, 12);
    assert_int_equal(f.says.finding_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const tut_pack_finding *a = &f.says.findings[i];
        const tut_pack_finding *b = &findings[i];
        assert_int_equal(a->entry, b->entry);
        assert_int_equal(a->result, b->result);
        assert_int_equal(a->expires, b->expires);
        assert_true(tut_str_eq(a->check, b->check));
        assert_true(tut_str_eq(a->subject, b->subject));
        assert_true(tut_sha256_eq(&a->digest, &b->digest));
    }
    assert_true(tut_str_eq_z(f.key_id, tut_pubkey_id(tut_key_public(bob))));
}

static void a_receipt_without_findings_is_one(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
    tut_receipt r = sample();
    (void)state;
    r.finding_count = 0;
    write_it(&r, bob, &text);
    assert_true(tut_is_ok(tut_receipt_parse(tut_buf_span(&text), &f, NULL)));
    assert_int_equal(f.says.finding_count, 0);
}

static void only_its_own_key_signed_it(void **state)
{
    const tut_receipt r = sample();
    tut_key *const keys[] = {bob, eve};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
        write_it(&r, keys[i], &text);
        assert_true(tut_is_ok(tut_receipt_parse(tut_buf_span(&text), &f, NULL)));
        assert_true(tut_is_ok(tut_receipt_verify(&f, tut_key_public(keys[i]), NULL)));
        assert_int_equal(tut_receipt_verify(&f, tut_key_public(keys[1 - i]), NULL).code,
                         TUT_CRYPTO);
    }
}

static void every_cut_is_refused(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const tut_receipt r = sample();
    (void)state;
    write_it(&r, bob, &text);
    for (size_t len = 0; len < text.len; len++)
        assert_int_not_equal(read_code(tut_span_of(text.data, len)), TUT_OK);
    tut_buf_add_z(&text, "\n");
    assert_int_equal(read_code(tut_buf_span(&text)), TUT_MALFORMED);
}

/* Either it is no receipt any more, or not one that Bob signed, or it names another key. */
static void every_bit_is_noticed(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const tut_receipt r = sample();
    const tut_pubkey *key = tut_key_public(bob);
    size_t read = 0;
    (void)state;
    write_it(&r, bob, &text);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (tut_is_ok(tut_receipt_parse(tut_buf_span(&text), &f, NULL))) {
            read++;
            assert_true(!tut_str_eq_z(f.key_id, tut_pubkey_id(key)) ||
                        !tut_is_ok(tut_receipt_verify(&f, key, NULL)));
        }
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(read > 0); /* the signature's own bytes, at least */
}

static void replace(tut_buf *text, const char *old, const char *with)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    size_t at = 0;
    assert_true(tut_str_find(tut_buf_str(text), tut_str_of(old), &at));
    tut_buf_add(&out, text->data, at);
    tut_buf_add_z(&out, with);
    tut_buf_add(&out, text->data + at + strlen(old), text->len - at - strlen(old));
    tut_buf_clear(text);
    tut_buf_add(text, out.data, out.len);
}

/* The payload, changed, under a signature that fits. */
static tut_code code_of_statement(const char *old, const char *with)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
    TUT_AUTO(tut_json) j = NULL;
    const tut_receipt r = sample();
    const tut_key *key = bob;
    write_it(&r, bob, &text);
    assert_true(tut_is_ok(tut_receipt_parse(tut_buf_span(&text), &f, NULL)));
    replace(&f.envelope.payload, old, with);
    assert_true(tut_is_ok(tut_json_new(&again, &j)));
    assert_true(tut_is_ok(
        tut_dsse_write(j, TUT_DSSE_INTOTO, tut_buf_span(&f.envelope.payload), &key, 1, NULL)));
    assert_true(tut_is_ok(tut_json_finish(j, NULL)));
    tut_buf_add_z(&again, "\n");
    return read_code(tut_buf_span(&again));
}

static void a_statement_has_one_form(void **state)
{
    (void)state;
    assert_int_equal(code_of_statement("\"by\":\"Bob\"", "\"by\":\"Ada\""), TUT_OK);
    assert_int_equal(code_of_statement("\"by\":\"Bob\"", "\"by\": \"Bob\""), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"by\":\"Bob\"", "\"by\":\"Bob\",\"but\":\"not all\""),
                     TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"by\":\"Bob\"", "\"by\":\"\""), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"by\":\"Bob\"", "\"by\":7"), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"entry\":7", "\"entry\":10"), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"entry\":7", "\"entry\":-7"), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"entry\":7", "\"entry\":7.5"), TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"result\":\"pass\"", "\"result\":\"good\""),
                     TUT_MALFORMED);
    assert_int_equal(code_of_statement("\"size\":12", "\"size\":99999999999999999999"),
                     TUT_MALFORMED);
    assert_int_equal(code_of_statement("pack-receipt:1", "pack-receipt:2"), TUT_UNSUPPORTED);
    assert_int_equal(code_of_statement("\"name\":\"pack.json\"", "\"name\":\"pack.jsom\""),
                     TUT_MALFORMED);
}

static void limits_are_kept(void **state)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO_FREE tut_pack_finding *many = tut_alloc_array(TUT_LIMIT_RECEIPT_FINDINGS + 1u,
                                                           sizeof(*many));
    char name[1100];
    tut_receipt r = sample();
    (void)state;
    assert_non_null(many);
    memset(name, 'a', sizeof(name));
    r.by = (tut_str){name, 1024};
    write_it(&r, bob, &text);
    r.by.len++;
    assert_int_equal(tut_receipt_write(&r, bob, &text, NULL).code, TUT_USAGE);
    r = sample();
    for (size_t i = 0; i <= TUT_LIMIT_RECEIPT_FINDINGS; i++) {
        many[i] = findings[0];
        many[i].entry = i;
    }
    r.findings = many;
    r.finding_count = TUT_LIMIT_RECEIPT_FINDINGS;
    tut_buf_clear(&text);
    write_it(&r, bob, &text);
    assert_true(text.len < TUT_LIMIT_RECEIPT_BYTES);
    assert_int_equal(read_code(tut_buf_span(&text)), TUT_OK);
    r.finding_count++;
    assert_int_equal(tut_receipt_write(&r, bob, &text, NULL).code, TUT_USAGE);
    while (text.len <= TUT_LIMIT_RECEIPT_BYTES)
        tut_buf_add(&text, name, sizeof(name));
    assert_int_equal(read_code(tut_buf_span(&text)), TUT_LIMIT);
}

static void memory_running_out_is_an_ordinary_error(void **state)
{
    const tut_receipt r = sample();
    bool has_passed = false;
    (void)state;
    for (uint64_t n = 1; n < 2000 && !has_passed; n++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
        uint64_t before = tut_alloc_failures();
        tut_alloc_fail_after(n);
        tut_status status = tut_receipt_write(&r, bob, &text, NULL);
        if (tut_is_ok(status))
            status = tut_receipt_parse(tut_buf_span(&text), &f, NULL);
        if (tut_is_ok(status))
            status = tut_receipt_verify(&f, tut_key_public(bob), NULL);
        tut_alloc_fail_after(0);
        has_passed = tut_alloc_failures() == before;
        if (has_passed)
            assert_true(tut_is_ok(status));
        else if (!tut_is_ok(status))
            assert_int_equal(status.code, TUT_NOMEM);
    }
    assert_true(has_passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_receipt_without_findings_is_one),
        cmocka_unit_test(only_its_own_key_signed_it),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_bit_is_noticed),
        cmocka_unit_test(a_statement_has_one_form),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(memory_running_out_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
