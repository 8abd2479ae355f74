/* Keys as people hand them over: PEM and DER, public and private, a line of OpenSSH, a pkcs11: URI.
 * A public key that is taken has one encoding, the one it came in. */
#include <stdlib.h>

#include "crypto/key_internal.h"
#include "crypto/pkcs11_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void check_public(tut_span bytes)
{
    TUT_AUTO(tut_pubkey) der = NULL;
    TUT_AUTO(tut_pubkey) pem = NULL;
    TUT_AUTO(tut_pubkey) again = NULL;
    TUT_AUTO(tut_pubkey) line = NULL;
    tut_error err = {0};
    if (tut_is_ok(tut_pubkey_from_der(bytes, &der, &err)))
        demand(tut_str_eq(tut_str_from(tut_pubkey_der(der)), tut_str_from(bytes)));
    else
        demand(err.text[0] != '\0');
    if (tut_is_ok(tut_pubkey_from_pem(bytes, &pem, &err))) {
        tut_str text = tut_pubkey_pem(pem);
        demand(tut_is_ok(tut_pubkey_from_pem(tut_span_of(text.data, text.len), &again, NULL)));
        demand(tut_pubkey_eq(pem, again));
    }
    TUT_IGNORE(tut_pubkey_from_ssh(tut_str_from(bytes), &line, &err));
}

/* What is taken signs, and the signature is its own. */
static void check_private(tut_key *key)
{
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    tut_span message = tut_span_of("m", 1);
    demand(tut_is_ok(tut_key_sign(key, message, &signature, NULL)));
    demand(
        tut_is_ok(tut_pubkey_verify(tut_key_public(key), message, tut_buf_span(&signature), NULL)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_span bytes = tut_span_of(data, size);
    TUT_AUTO_FREE tut_pkcs11_uri *uri = tut_alloc_array(1, sizeof(*uri));
    tut_error err = {0};
    check_public(bytes);
    for (unsigned form = 0; form < 3; form++) {
        TUT_AUTO(tut_key) key = NULL;
        tut_status status = form == 2 ? tut_key_from_pem(bytes, "f", NULL, &key, &err)
                                      : tut_key_from_der(bytes, form == 1, &key, &err);
        if (tut_is_ok(status))
            check_private(key);
        else
            demand(err.text[0] != '\0');
    }
    if (uri && tut_is_ok(tut_pkcs11_uri_parse(tut_str_from(bytes), uri, &err)))
        demand(strlen(uri->token) < sizeof(uri->token) && uri->id_len < sizeof(uri->id) &&
               (!uri->module_path[0] || uri->module_path[0] == '/'));
    return 0;
}
