/*
 * Signatures as a stranger may send them. A text that begins with '{' is read as a bundle, its
 * payload as a statement, and as a statement itself; anything else as a list of digests.
 */
#include "crypto/oms.h"
#include "assets/digest_list.h"
#include "crypto/oms_internal.h"

static void read_statement(tut_span payload)
{
    TUT_AUTO(tut_oms_statement) s = NULL;
    if (!tut_is_ok(tut_oms_statement_read(payload, &s, NULL)))
        return;
    if (s->count == 0)
        __builtin_trap();
    for (size_t i = 0; i < s->count; i++)
        if (!tut_oms_name_ok(s->resources[i].name) && !tut_str_eq_z(s->resources[i].name, "."))
            __builtin_trap();
    bool is_plain = s->method == TUT_OMS_FILES && !s->is_old && !s->is_unsorted &&
                    !tut_str_eq_z(s->resources[0].name, ".");
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_oms_statement) again = NULL;
    /* what is read can be written, and is then read as the same */
    if (is_plain && (!tut_is_ok(tut_oms_statement_write(s, &out, NULL)) ||
                     !tut_is_ok(tut_oms_statement_read(tut_buf_span(&out), &again, NULL)) ||
                     again->count != s->count || !tut_sha256_eq(&again->root, &s->root)))
        __builtin_trap();
}

static void read_bundle(tut_span text, const tut_pubkey *key)
{
    TUT_AUTO(tut_oms_bundle) b = NULL;
    TUT_AUTO(tut_oms_statement) s = NULL;
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    if (!tut_is_ok(tut_oms_bundle_read(text, &b, NULL)))
        return;
    read_statement(tut_buf_span(&b->envelope.payload));
    /* a key that was made a moment ago signed nothing */
    if (tut_is_ok(tut_oms_verify_key(b, key, &s, NULL)))
        __builtin_trap();
    tut_str pem = tut_pubkey_pem(key);
    if (tut_is_ok(tut_oms_verify_chain(b, tut_span_of(pem.data, pem.len), 0, &leaf, &s, NULL)))
        __builtin_trap();
    TUT_CLEAN(tut_buf) pae = TUT_BUF_INIT;
    tut_oms_old_pae(b->envelope.type, tut_buf_span(&b->envelope.payload), &pae);
}

static void read_list(tut_str text)
{
    TUT_CLEAN(tut_digest_list) list = {0};
    TUT_CLEAN(tut_digest_list) again = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    if (!tut_is_ok(tut_digest_list_read(text, TUT_HASH_SHA256, &list, NULL)))
        return;
    for (size_t i = 0; i < list.count; i++)
        tut_digest_list_add(&out, TUT_HASH_SHA256, &list.lines[i].digest, TUT_LIT(""),
                            list.lines[i].name);
    if (!tut_is_ok(tut_digest_list_read(tut_buf_str(&out), TUT_HASH_SHA256, &again, NULL)) ||
        again.count != list.count)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tut_key *key; /* kept for all inputs */
    if (!key && !tut_is_ok(tut_key_generate(TUT_KEY_P256, &key, NULL)))
        __builtin_trap();
    if (size > 0 && data[0] == '{') {
        read_bundle(tut_span_of(data, size), tut_key_public(key));
        read_statement(tut_span_of(data, size));
    } else {
        read_list((tut_str){(const char *)data, size});
    }
    return 0;
}
