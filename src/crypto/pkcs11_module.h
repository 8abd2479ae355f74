/*
 * PKCS#11 modules: loaded by dlopen, initialised once a process, shared by all keys. A module's
 * state does not survive fork: in a child it is initialised anew, and keys opened before are dead.
 */
#ifndef TUT_CRYPTO_PKCS11_MODULE_H
#define TUT_CRYPTO_PKCS11_MODULE_H

#define CRYPTOKI_GNU 1
#include <p11-kit/pkcs11.h>

#include "base/alloc.h"

typedef struct tut_pkcs11_module tut_pkcs11_module;

/* path empty: p11-kit-proxy, which shows all modules that the system has set up. From any thread.
 */
TUT_MUST tut_status tut_pkcs11_module_get(const char *path, tut_pkcs11_module **ret_module,
                                          tut_error *err);
/* Finalised with its last user. */
void tut_pkcs11_module_put(tut_pkcs11_module *m);
struct ck_function_list *tut_pkcs11_functions(const tut_pkcs11_module *m);

/* A failed call as an error: PIN trouble is DENIED, the rest IO, with the name of the code. */
TUT_MUST tut_status tut_pkcs11_fail(tut_error *err, ck_rv_t rv, const char *what);

#endif
