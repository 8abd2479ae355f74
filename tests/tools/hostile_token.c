/*
 * A PKCS#11 module that misbehaves as TOKEN_MODE says, to hold our side of the interface against:
 *   (nothing)   one token "t", one P-256 key "k" with id 01, PIN 1234
 *   raw-point, no-public, odd-curve, huge-point, always-authenticate, final-try, locked, no-login,
 *   many-slots, long-signature, short-signature, wrong-signature, no-list, no-start
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#define CRYPTOKI_GNU 1
#include <p11-kit/pkcs11.h>

enum { SLOT = 7, SESSION = 9, PRIVATE = 100, PUBLIC = 101, POINT_BYTES = 65 };

static EVP_PKEY *pkey;
static bool is_logged_in;
static unsigned sessions;
static ck_object_handle_t found[2];
static unsigned long found_count;

ck_rv_t C_GetFunctionList(struct ck_function_list **list);

static bool mode(const char *name)
{
    const char *set = getenv("TOKEN_MODE");
    return set && strcmp(set, name) == 0;
}

static ck_rv_t initialize(void *args)
{
    (void)args;
    if (mode("no-start"))
        return CKR_DEVICE_ERROR;
    EVP_PKEY_free(pkey); /* of before a fork */
    sessions = 0;
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return pkey ? CKR_OK : CKR_HOST_MEMORY;
}

static ck_rv_t finalize(void *reserved)
{
    (void)reserved;
    EVP_PKEY_free(pkey);
    pkey = NULL;
    sessions = 0;
    return CKR_OK;
}

static ck_rv_t get_slot_list(unsigned char present, ck_slot_id_t *slots, unsigned long *count)
{
    (void)present;
    if (mode("no-list"))
        return CKR_DEVICE_ERROR;
    if (slots)
        slots[0] = SLOT;
    *count = mode("many-slots") ? 1000000000 : 1;
    return CKR_OK;
}

static ck_rv_t get_token_info(ck_slot_id_t slot, struct ck_token_info *info)
{
    (void)slot;
    memset(info->label, ' ', sizeof(info->label));
    memset(info->manufacturer_id, ' ', sizeof(info->manufacturer_id));
    memset(info->model, ' ', sizeof(info->model));
    memset(info->serial_number, ' ', sizeof(info->serial_number));
    info->label[0] = 't';
    info->flags = CKF_TOKEN_INITIALIZED;
    if (!mode("no-login"))
        info->flags |= CKF_LOGIN_REQUIRED;
    if (mode("final-try"))
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (mode("locked"))
        info->flags |= CKF_USER_PIN_LOCKED;
    return CKR_OK;
}

static ck_rv_t open_session(ck_slot_id_t slot, ck_flags_t flags, void *application,
                            ck_notify_t notify, ck_session_handle_t *session)
{
    (void)flags;
    (void)application;
    (void)notify;
    *session = SESSION;
    is_logged_in = mode("no-login");
    sessions++;
    return slot == SLOT ? CKR_OK : CKR_SLOT_ID_INVALID;
}

static ck_rv_t close_session(ck_session_handle_t session)
{
    sessions -= sessions > 0;
    return session == SESSION ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

static ck_rv_t login(ck_session_handle_t session, ck_user_type_t user, unsigned char *pin,
                     unsigned long len)
{
    (void)session;
    (void)user;
    is_logged_in = len == 4 && memcmp(pin, "1234", 4) == 0;
    return is_logged_in ? CKR_OK : CKR_PIN_INCORRECT;
}

static ck_rv_t find_init(ck_session_handle_t session, struct ck_attribute *wanted,
                         unsigned long count)
{
    (void)session;
    ck_object_class_t class = 0;
    for (unsigned long i = 0; i < count; i++)
        if (wanted[i].type == CKA_CLASS)
            memcpy(&class, wanted[i].value, sizeof(class));
    found_count = 0;
    if (class == CKO_PRIVATE_KEY && is_logged_in)
        found[found_count++] = PRIVATE;
    if (class == CKO_PUBLIC_KEY && !mode("no-public"))
        found[found_count++] = PUBLIC;
    return CKR_OK;
}

static ck_rv_t find(ck_session_handle_t session, ck_object_handle_t *objects, unsigned long most,
                    unsigned long *count)
{
    (void)session;
    *count = found_count < most ? found_count : most;
    memcpy(objects, found, *count * sizeof(*objects));
    return CKR_OK;
}

static ck_rv_t find_final(ck_session_handle_t session)
{
    (void)session;
    return CKR_OK;
}

static ck_rv_t give(struct ck_attribute *a, const void *data, unsigned long len)
{
    if (a->value_len < len)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(a->value, data, len);
    a->value_len = len;
    return CKR_OK;
}

static ck_rv_t give_point(struct ck_attribute *a)
{
    unsigned char bytes[2 + POINT_BYTES] = {0x04, POINT_BYTES};
    size_t len = 0;
    if (mode("huge-point")) {
        a->value_len = 1ul << 40;
        return CKR_OK;
    }
    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes + 2, POINT_BYTES,
                                        &len) != 1)
        return CKR_GENERAL_ERROR;
    return mode("raw-point") ? give(a, bytes + 2, POINT_BYTES) : give(a, bytes, sizeof(bytes));
}

static ck_rv_t get_attribute(ck_session_handle_t session, ck_object_handle_t object,
                             struct ck_attribute *a, unsigned long count)
{
    static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07};
    static const unsigned char k256[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
    unsigned char yes = mode("always-authenticate");
    (void)session;
    (void)count;
    if (a->type == CKA_ID)
        return give(a, "\x01", 1);
    if (a->type == CKA_ALWAYS_AUTHENTICATE && object == PRIVATE)
        return give(a, &yes, 1);
    if (a->type == CKA_EC_PARAMS && object == PUBLIC)
        return mode("odd-curve") ? give(a, k256, sizeof(k256)) : give(a, p256, sizeof(p256));
    if (a->type == CKA_EC_POINT && object == PUBLIC)
        return give_point(a);
    a->value_len = (unsigned long)-1;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static ck_rv_t sign_init(ck_session_handle_t session, struct ck_mechanism *mechanism,
                         ck_object_handle_t key)
{
    (void)session;
    if (sessions == 0)
        return CKR_SESSION_HANDLE_INVALID;
    return mechanism->mechanism == CKM_ECDSA && key == PRIVATE ? CKR_OK : CKR_MECHANISM_INVALID;
}

static bool sign_raw(const unsigned char *digest, size_t digest_len, unsigned char out[64])
{
    unsigned char der[128];
    const unsigned char *at = der;
    size_t len = sizeof(der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool is_signed = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
                     EVP_PKEY_sign(ctx, der, &len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    ECDSA_SIG *sig = is_signed ? d2i_ECDSA_SIG(NULL, &at, (long)len) : NULL;
    bool is_done = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32;
    ECDSA_SIG_free(sig);
    return is_done;
}

static ck_rv_t sign(ck_session_handle_t session, unsigned char *data, unsigned long len,
                    unsigned char *out, unsigned long *out_len)
{
    (void)session;
    if (*out_len < 64 || !sign_raw(data, len, out))
        return CKR_FUNCTION_FAILED;
    *out_len = mode("long-signature") ? 1ul << 40 : mode("short-signature") ? 63 : 64;
    if (mode("wrong-signature"))
        out[40] ^= 1;
    return CKR_OK;
}

ck_rv_t C_GetFunctionList(struct ck_function_list **list)
{
    static struct ck_function_list functions = {.version = {2, 40},
                                                .C_Initialize = initialize,
                                                .C_Finalize = finalize,
                                                .C_GetSlotList = get_slot_list,
                                                .C_GetTokenInfo = get_token_info,
                                                .C_OpenSession = open_session,
                                                .C_CloseSession = close_session,
                                                .C_Login = login,
                                                .C_FindObjectsInit = find_init,
                                                .C_FindObjects = find,
                                                .C_FindObjectsFinal = find_final,
                                                .C_GetAttributeValue = get_attribute,
                                                .C_SignInit = sign_init,
                                                .C_Sign = sign};
    *list = &functions;
    return CKR_OK;
}
