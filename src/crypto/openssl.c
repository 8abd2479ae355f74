#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TUT_WITH_ASAN /* clang's way of saying it */
#endif
#endif

/* A key takes under 256 bytes; the random generator and big numbers in use some KiB. */
enum { SECURE_BYTES = 64 << 10, SECURE_LEAST = 32 };

static OSSL_LIB_CTX *context;
static EVP_MD *sha256;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static pthread_once_t secure_once = PTHREAD_ONCE_INIT;

#if defined(__SANITIZE_ADDRESS__) || defined(TUT_WITH_ASAN)
/* The random generators lie in locked memory, where the leak checker does not look: what they hold
 * would seem lost at the end. */
static void free_context(void)
{
    OSSL_LIB_CTX_free(context);
}
#endif

static void make_context(void)
{
    context = OSSL_LIB_CTX_new();
#if defined(__SANITIZE_ADDRESS__) || defined(TUT_WITH_ASAN)
    (void)atexit(free_context);
#endif
}

OSSL_LIB_CTX *tut_openssl(void)
{
    (void)pthread_once(&context_once, make_context);
    return context;
}

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(tut_openssl(), "SHA256", NULL);
}

const EVP_MD *tut_openssl_sha256(void)
{
    return pthread_once(&sha256_once, fetch_sha256) == 0 ? sha256 : NULL;
}

/* LeakSanitizer does not look for pointers there, and takes what they hold for lost. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LEAK_CHECK 1
#endif
#endif
#ifndef HAS_LEAK_CHECK
#define HAS_LEAK_CHECK 0
#endif

static void make_secure(void)
{
    /* A program around us may have its own already. */
    if (!HAS_LEAK_CHECK && !CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(SECURE_BYTES, SECURE_LEAST);
}

void tut_openssl_secure(void)
{
    (void)pthread_once(&secure_once, make_secure);
}

void tut_openssl_ignore_config(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void tut_wipe(void *data, size_t len)
{
    if (data && len)
        OPENSSL_cleanse(data, len);
}
