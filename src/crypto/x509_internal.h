/* OpenSSL's objects with cleanup by attribute, and its errors as one reason. For this folder. */
#ifndef TUT_CRYPTO_X509_INTERNAL_H
#define TUT_CRYPTO_X509_INTERNAL_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

#define TUT_OSSL_CLEANER(type)                                                                     \
    static inline void tut_ossl_##type(type **p)                                                   \
    {                                                                                              \
        type##_free(*p);                                                                           \
    }
TUT_OSSL_CLEANER(X509)
TUT_OSSL_CLEANER(X509_STORE)
TUT_OSSL_CLEANER(X509_STORE_CTX)
TUT_OSSL_CLEANER(EVP_PKEY)
TUT_OSSL_CLEANER(EVP_MD_CTX)
TUT_OSSL_CLEANER(ASN1_TIME)
TUT_OSSL_CLEANER(ASN1_INTEGER)
TUT_OSSL_CLEANER(ASN1_UTF8STRING)
TUT_OSSL_CLEANER(GENERAL_NAMES)
TUT_OSSL_CLEANER(BIO)
TUT_OSSL_CLEANER(TS_REQ)
TUT_OSSL_CLEANER(TS_RESP)
TUT_OSSL_CLEANER(TS_MSG_IMPRINT)
TUT_OSSL_CLEANER(TS_VERIFY_CTX)
static inline void tut_ossl_BIGNUM(BIGNUM **p)
{
    BN_free(*p);
}
/* TUT_OSSL(X509) cert = NULL; */
#define TUT_OSSL(type) __attribute__((cleanup(tut_ossl_##type))) type *

/* An array that owns its certificates. */
static inline void tut_ossl_certs(STACK_OF(X509) * *p)
{
    sk_X509_pop_free(*p, X509_free);
}
#define TUT_OSSL_CERTS __attribute__((cleanup(tut_ossl_certs))) STACK_OF(X509) *

/* What OpenSSL last complained of, or `otherwise`; its queue is empty then. */
static inline const char *tut_ossl_reason(const char *otherwise)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason ? reason : otherwise;
}

/* To be called before anything else here and by whoever comes in from outside: certificates and
 * time-stamps live in OpenSSL's default context, which must not read a configuration file either
 * (see openssl.h). */
void tut_ossl_start(void);
/* One certificate in DER, nothing behind it. MALFORMED. */
TUT_MUST tut_status tut_ossl_cert(tut_span der, X509 **ret_cert, tut_error *err);
/* A store whose checks run as of `at`, with these anchors; an anchor need not sign itself. */
TUT_MUST tut_status tut_ossl_store(const STACK_OF(X509) * anchors, tut_time at,
                                   X509_STORE **ret_store, tut_error *err);
TUT_MUST tut_status tut_ossl_time(const ASN1_TIME *from, tut_time *ret_time);

#endif
