/* Envelopes and base64: what is taken is bounded, and decodes to what encodes to it. */
#include <stdlib.h>

#include "crypto/dsse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void check_base64(tut_str text)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    if (!tut_is_ok(tut_base64_read(text, false, &bytes)))
        return;
    tut_base64_add(&again, tut_buf_span(&bytes));
    demand(tut_str_eq(tut_buf_str(&again), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tut_pubkey *key;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_dsse) envelope = {.signature_count = 0};
    tut_error err = {0};
    /* of c2sp.org/signed-note; its owner signed no envelope */
    if (!key)
        demand(tut_is_ok(tut_pubkey_from_ssh(
            TUT_LIT(
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
            &key, NULL)));
    check_base64((tut_str){(const char *)data, size});
    if (!tut_is_ok(tut_json_parse(tut_span_of(data, size), NULL, &doc, NULL)))
        return 0;
    if (!tut_is_ok(tut_dsse_read(tut_json_root(doc), &envelope, &err))) {
        demand(err.text[0] != '\0');
        return 0;
    }
    demand(envelope.signature_count > 0 && envelope.signature_count <= TUT_DSSE_SIGNATURES_MAX);
    demand(envelope.payload.len <= size);
    for (size_t i = 0; i < envelope.signature_count; i++)
        demand(tut_dsse_verify(&envelope, i, key, NULL).code == TUT_CRYPTO);
    return 0;
}
