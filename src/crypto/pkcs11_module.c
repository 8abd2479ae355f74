#include "crypto/pkcs11_module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct tut_pkcs11_module {
    struct tut_pkcs11_module *next;
    char *path;
    struct ck_function_list *functions;
    unsigned users;
    pid_t pid;    /* in which it was initialised */
    bool is_ours; /* initialised by us, so finalised by us */
};

/* Modules stay loaded: unloading one takes its copy of OpenSSL with it, which many do not survive.
 */
static tut_pkcs11_module *modules;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char proxy[] = "p11-kit-proxy.so";

static const struct {
    ck_rv_t rv;
    const char *text;
    tut_code code;
} reasons[] = {
    {CKR_PIN_INCORRECT, "the PIN is wrong", TUT_DENIED},
    {CKR_PIN_LOCKED, "the PIN is locked after too many wrong tries", TUT_DENIED},
    {CKR_PIN_EXPIRED, "the PIN has expired", TUT_DENIED},
    {CKR_PIN_LEN_RANGE, "the PIN is too short or too long for the token", TUT_DENIED},
    {CKR_PIN_INVALID, "the PIN holds characters that the token does not take", TUT_DENIED},
    {CKR_USER_NOT_LOGGED_IN, "the token wants a PIN first", TUT_DENIED},
    {CKR_USER_PIN_NOT_INITIALIZED, "the token has no PIN yet", TUT_DENIED},
    {CKR_FUNCTION_CANCELED, "it was cancelled at the token", TUT_DENIED},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "the key may not sign", TUT_DENIED},
    {CKR_MECHANISM_INVALID, "the token does not offer this kind of signature", TUT_UNSUPPORTED},
    {CKR_TOKEN_NOT_PRESENT, "the token was taken out", TUT_IO},
    {CKR_DEVICE_REMOVED, "the token was taken out", TUT_IO},
    {CKR_DEVICE_ERROR, "the device failed", TUT_IO},
    {CKR_SESSION_HANDLE_INVALID, "its session has ended", TUT_IO},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "the module is not running in this process", TUT_IO},
    {CKR_HOST_MEMORY, "memory ran out", TUT_NOMEM},
    {CKR_DEVICE_MEMORY, "the device has no memory left", TUT_IO},
};

tut_status tut_pkcs11_fail(tut_error *err, ck_rv_t rv, const char *what)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].rv == rv)
            return tut_fail(err, reasons[i].code, "%s: %s", what, reasons[i].text);
    return tut_fail(err, TUT_IO, "%s: PKCS#11 error 0x%lx", what, (unsigned long)rv);
}

struct ck_function_list *tut_pkcs11_functions(const tut_pkcs11_module *m)
{
    return m->functions;
}

static tut_status load(const char *path, struct ck_function_list **ret, tut_error *err)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        return tut_fail(err, TUT_IO, "the PKCS#11 module cannot be loaded: %s", why ? why : path);
    }
    CK_C_GetFunctionList get = NULL;
    /* ISO C has no cast from an object pointer to a function; POSIX wants this one. */
    *(void **)&get = dlsym(handle, "C_GetFunctionList");
    struct ck_function_list *functions = NULL;
    if (!get || get(&functions) != CKR_OK || !functions) {
        (void)dlclose(handle);
        return tut_fail(err, TUT_UNSUPPORTED, "%s is not a PKCS#11 module", path);
    }
    *ret = functions;
    return TUT_SUCCESS;
}

static tut_status find_or_load(const char *path, tut_pkcs11_module **ret, tut_error *err)
{
    for (tut_pkcs11_module *m = modules; m; m = m->next) {
        if (strcmp(m->path, path) == 0) {
            *ret = m;
            return TUT_SUCCESS;
        }
    }
    tut_pkcs11_module *m = tut_alloc_array(1, sizeof(*m));
    char *copy = tut_strdup(path);
    tut_status status = m && copy ? load(path, &m->functions, err)
                                  : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_free(copy);
        tut_free(m);
        return status;
    }
    m->path = copy;
    m->next = modules;
    modules = m;
    *ret = m;
    return TUT_SUCCESS;
}

static tut_status start(tut_pkcs11_module *m, tut_error *err)
{
    struct ck_c_initialize_args args = {.flags = CKF_OS_LOCKING_OK};
    if (m->pid != getpid())
        m->users = 0;
    if (m->users == 0) {
        ck_rv_t rv = m->functions->C_Initialize(&args);
        if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
            return tut_pkcs11_fail(err, rv, "the PKCS#11 module does not start");
        m->is_ours = rv == CKR_OK;
        m->pid = getpid();
    }
    m->users++;
    return TUT_SUCCESS;
}

tut_status tut_pkcs11_module_get(const char *path, tut_pkcs11_module **ret_module, tut_error *err)
{
    tut_pkcs11_module *m;
    if (pthread_mutex_lock(&lock) != 0)
        return tut_fail(err, TUT_BUG, "a lock failed");
    tut_status status = find_or_load(path[0] ? path : proxy, &m, err);
    if (tut_is_ok(status))
        status = start(m, err);
    (void)pthread_mutex_unlock(&lock);
    if (tut_is_ok(status))
        *ret_module = m;
    return status;
}

void tut_pkcs11_module_put(tut_pkcs11_module *m)
{
    if (!m || pthread_mutex_lock(&lock) != 0)
        return;
    if (m->pid == getpid() && m->users > 0 && --m->users == 0 && m->is_ours)
        (void)m->functions->C_Finalize(NULL);
    (void)pthread_mutex_unlock(&lock);
}
