/* What an SSH agent answers. */
#include <stdlib.h>

#include "crypto/key_internal.h"
#include "crypto/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static tut_status visit(void *ctx, tut_span blob, tut_str comment, tut_error *err)
{
    tut_span *whole = ctx;
    TUT_AUTO(tut_pubkey) key = NULL;
    const uint8_t *text = (const uint8_t *)comment.data;
    demand(blob.len <= whole->len && comment.len <= whole->len);
    demand(comment.len == 0 ||
           (text >= whole->data && text + comment.len <= whole->data + whole->len));
    if (tut_is_ok(tut_pubkey_from_ssh_blob(blob, &key, err)))
        demand(tut_pubkey_raw(key).len == TUT_ED25519_BYTES);
    return TUT_SUCCESS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_span reply = tut_span_of(data, size);
    tut_span signature;
    TUT_AUTO(tut_pubkey) key = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_ssh_identities(reply, visit, &reply, &err)))
        demand(err.text[0] != '\0');
    if (tut_is_ok(tut_ssh_signature(reply, &signature, &err)))
        demand(signature.len == TUT_ED25519_SIGNATURE);
    TUT_IGNORE(tut_pubkey_from_ssh_blob(reply, &key, &err));
    return 0;
}
