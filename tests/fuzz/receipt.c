/* Receipts for packs. By the first byte: 's' what an envelope states, which is put into one; else a
 * whole file. What is taken is written again as it was, and nobody here signed it. */
#include <stdlib.h>

#include "base/limits.h"
#include "pack/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static const tut_pubkey *stranger(void)
{
    static tut_pubkey *key;
    /* of c2sp.org/signed-note; its owner signed no receipt */
    if (!key)
        demand(tut_is_ok(tut_pubkey_from_ssh(
            TUT_LIT(
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
            &key, NULL)));
    return key;
}

static tut_key *mine(void)
{
    static tut_key *key;
    if (!key)
        demand(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)));
    return key;
}

static void try_file(tut_span text, const tut_pubkey *key, bool is_signed)
{
    TUT_CLEAN(tut_receipt_file) f = {.doc = NULL};
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(tut_receipt_parse(text, &f, &err))) {
        demand(err.text[0] != '\0');
        return;
    }
    demand(f.says.finding_count <= TUT_LIMIT_RECEIPT_FINDINGS && f.says.by.len > 0);
    for (size_t i = 1; i < f.says.finding_count; i++)
        demand(f.says.findings[i - 1].entry <= f.says.findings[i].entry);
    demand(tut_receipt_verify(&f, key, NULL).code == (is_signed ? TUT_OK : TUT_CRYPTO));
    if (is_signed) { /* Ed25519 signs the same the same way */
        demand(tut_is_ok(tut_receipt_write(&f.says, mine(), &again, NULL)));
        demand(tut_str_eq(tut_buf_str(&again), tut_str_from(text)));
    }
}

static void try_statement(tut_span payload)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    const tut_key *key = mine();
    demand(tut_is_ok(tut_json_new(&text, &j)));
    demand(tut_is_ok(tut_dsse_write(j, TUT_DSSE_INTOTO, payload, &key, 1, NULL)));
    demand(tut_is_ok(tut_json_finish(j, NULL)));
    tut_buf_add_z(&text, "\n");
    demand(tut_is_ok(tut_buf_check(&text, NULL)));
    try_file(tut_buf_span(&text), tut_key_public(key), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 's')
        try_statement(tut_span_of(data + 1, size - 1));
    else
        try_file(tut_span_of(data, size), stranger(), false);
    return 0;
}
