#include "crypto/ed25519.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

#include "crypto/key.h"

typedef int (*verifier)(const unsigned char *signature, const unsigned char *message,
                        unsigned long long len, const unsigned char *key);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic(verifier) verify;

/* By its full name with the version of its interface; it stays loaded. */
static void load(void)
{
    int (*start)(void);
    verifier found;
    void *library = dlopen("libsodium.so.23", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    *(void **)&start = dlsym(library, "sodium_init");
    *(void **)&found = dlsym(library, "crypto_sign_verify_detached");
    if (start && found && start() >= 0)
        atomic_store(&verify, found);
}

void tut_ed25519_prepare(void)
{
    (void)pthread_once(&once, load);
}

bool tut_ed25519_is_good(tut_span key, tut_span message, tut_span signature)
{
    verifier v = atomic_load_explicit(&verify, memory_order_acquire);
    return v && key.len == TUT_ED25519_BYTES && signature.len == TUT_ED25519_SIGNATURE &&
           v(signature.data, message.data, message.len, key.data) == 0;
}
