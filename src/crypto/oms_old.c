/* Signatures made by version 0.2.0 of the reference, which are still in use. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/oms_internal.h"
#include "crypto/openssl.h"

/* repr(bytes): double quotes only where the content has a single quote and no double one. */
static void add_repr(tut_buf *out, tut_span bytes)
{
    bool has_single = bytes.len > 0 && memchr(bytes.data, '\'', bytes.len);
    bool has_double = bytes.len > 0 && memchr(bytes.data, '"', bytes.len);
    uint8_t quote = has_single && !has_double ? '"' : '\'';
    tut_buf_add_byte(out, 'b');
    tut_buf_add_byte(out, quote);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.data[i];
        if (c == '\\' || c == quote)
            tut_buf_printf(out, "\\%c", c);
        else if (c == '\t' || c == '\n' || c == '\r')
            tut_buf_printf(out, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : 'r');
        else if (c < 0x20 || c >= 0x7f)
            tut_buf_printf(out, "\\x%02x", c);
        else
            tut_buf_add_byte(out, c);
    }
    tut_buf_add_byte(out, quote);
}

void tut_oms_old_pae(tut_str type, tut_span payload, tut_buf *out)
{
    tut_buf_printf(out, "DSSEV1 %zu ", type.len);
    tut_buf_add_str(out, type);
    tut_buf_printf(out, " %zu ", payload.len);
    add_repr(out, payload);
}

static tut_status verify_sha256(const tut_pubkey *key, tut_span message, tut_span signature,
                                tut_error *err)
{
    tut_span der = tut_pubkey_der(key);
    const unsigned char *at = der.data;
    EVP_PKEY *pkey = der.len <= LONG_MAX
                         ? d2i_PUBKEY_ex(NULL, &at, (long)der.len, tut_openssl(), NULL)
                         : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = pkey && ctx &&
                     EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", tut_openssl(), NULL, pkey,
                                             NULL) == 1
                 ? EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len)
                 : -1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (ok != 1)
        return tut_fail(err, TUT_CRYPTO, "the signature is not this key's");
    return TUT_SUCCESS;
}

tut_status tut_oms_verify_old(const tut_dsse *envelope, const tut_pubkey *key, bool with_sha256,
                              tut_error *err)
{
    TUT_CLEAN(tut_buf) pae = TUT_BUF_INIT;
    tut_oms_old_pae(envelope->type, tut_buf_span(&envelope->payload), &pae);
    TUT_TRY(tut_buf_check(&pae, err));
    tut_span signature = tut_buf_span(&envelope->signatures[0].sig);
    if (with_sha256)
        return verify_sha256(key, tut_buf_span(&pae), signature, err);
    return tut_pubkey_verify(key, tut_buf_span(&pae), signature, err);
}
