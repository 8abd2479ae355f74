#include <openssl/crypto.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "crypto/x509_internal.h"

static void start(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void tut_ossl_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start);
}

tut_status tut_ossl_cert(tut_span der, X509 **ret_cert, tut_error *err)
{
    if (der.len > TUT_LIMIT_CERTIFICATE_BYTES)
        return tut_fail(err, TUT_LIMIT, "a certificate of %zu bytes is too large (at most %u)",
                        der.len, TUT_LIMIT_CERTIFICATE_BYTES);
    const unsigned char *at = der.data;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    if (!cert || at != der.data + der.len) {
        X509_free(cert);
        ERR_clear_error();
        return tut_fail(err, TUT_MALFORMED, "a certificate is not DER of X.509");
    }
    *ret_cert = cert;
    return TUT_SUCCESS;
}

tut_status tut_ossl_store(const STACK_OF(X509) * anchors, tut_time at, X509_STORE **ret_store,
                          tut_error *err)
{
    TUT_OSSL(X509_STORE) store = X509_STORE_new();
    X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;
    if (!param)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits: no SHA-1, no RSA below 2,048 */
    for (int i = 0; i < sk_X509_num(anchors); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(anchors, i)) != 1)
            return tut_fail(err, TUT_CRYPTO, "a root certificate cannot be used: %s",
                            tut_ossl_reason("OpenSSL refuses it"));
    }
    *ret_store = tut_move(&store);
    return TUT_SUCCESS;
}

tut_status tut_ossl_time(const ASN1_TIME *from, tut_time *ret_time)
{
    TUT_OSSL(ASN1_TIME) epoch = ASN1_TIME_set(NULL, 0);
    int days, seconds;
    if (!epoch)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    if (!from || ASN1_TIME_diff(&days, &seconds, epoch, from) != 1) {
        ERR_clear_error();
        return tut_fail(NULL, TUT_MALFORMED, "not a time");
    }
    *ret_time = (tut_time)days * TUT_DAY_SECONDS + seconds;
    return TUT_SUCCESS;
}
