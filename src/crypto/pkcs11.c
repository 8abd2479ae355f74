/*
 * Keys in PKCS#11 tokens: ECDSA on P-256, P-384 and P-521 (the token gives r || s, which becomes
 * DER) and Ed25519. The token is a peer like any other: lengths are bounded, and a signature counts
 * only when it verifies under the public half.
 */
#include <openssl/x509.h>
#include <unistd.h>

#include "base/limits.h"
#include "crypto/der.h"
#include "crypto/key_internal.h"
#include "crypto/pkcs11_module.h"
#include "crypto/pkcs11_uri.h"

enum { ATTRIBUTE_MAX = 4096, RAW_MAX = 2 * TUT_EC_FIELD_MAX };

typedef struct token_key {
    tut_pkcs11_module *module;
    struct ck_function_list *f;
    ck_session_handle_t session;
    ck_object_handle_t private_key;
    bool has_session;
    pid_t pid; /* a session belongs to the process that opened it */
} token_key;

static void token_free(void *self)
{
    token_key *k = self;
    if (!k)
        return;
    if (k->has_session && k->pid == getpid())
        (void)k->f->C_CloseSession(k->session);
    if (k->pid == getpid())
        tut_pkcs11_module_put(k->module);
    tut_free(k);
}

/* --- signing --- */

static tut_status sign_bytes(const token_key *k, ck_mechanism_type_t type, tut_span bytes,
                             uint8_t *to, size_t *ret_len, tut_error *err)
{
    struct ck_mechanism mechanism = {.mechanism = type};
    unsigned long len = RAW_MAX;
    ck_rv_t rv = k->f->C_SignInit(k->session, &mechanism, k->private_key);
    if (rv == CKR_OK) {
        /* The interface lacks const; a module has no business writing here. */
        uint8_t *copy = tut_alloc_array(bytes.len ? bytes.len : 1, 1);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        memcpy(copy, bytes.data, bytes.len);
        rv = k->f->C_Sign(k->session, copy, bytes.len, to, &len);
        tut_free(copy);
    }
    if (rv != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the token does not sign");
    if (len > RAW_MAX)
        return tut_fail(err, TUT_MALFORMED, "the token's signature is too long");
    *ret_len = len;
    return TUT_SUCCESS;
}

static tut_status sign_ecdsa(const token_key *k, const tut_curve *curve, tut_span message,
                             tut_buf *out, tut_error *err)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t raw[RAW_MAX];
    size_t digest_len = 0;
    size_t len = 0;
    if (EVP_Q_digest(tut_openssl(), curve->md, NULL, message.data, message.len, digest,
                     &digest_len) != 1)
        return tut_fail(err, TUT_CRYPTO, "%s is not available from OpenSSL", curve->md);
    TUT_TRY(sign_bytes(k, CKM_ECDSA, tut_span_of(digest, digest_len), raw, &len, err));
    return tut_ecdsa_from_raw(curve, tut_span_of(raw, len), out, err);
}

static tut_status token_sign(void *self, const tut_pubkey *pub, tut_span message, tut_buf *out,
                             tut_error *err)
{
    const token_key *k = self;
    const tut_curve *curve = tut_curve_of(pub->type);
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    if (k->pid != getpid())
        return tut_fail(err, TUT_IO,
                        "the token was opened before this process was forked; open it again");
    if (curve) {
        TUT_TRY(sign_ecdsa(k, curve, message, &signature, err));
    } else {
        uint8_t raw[RAW_MAX];
        size_t len = 0;
        TUT_TRY(sign_bytes(k, CKM_EDDSA, message, raw, &len, err));
        tut_buf_add(&signature, raw, len);
        TUT_TRY(tut_buf_check(&signature, err));
    }
    TUT_TRY(tut_pubkey_verify(pub, message, tut_buf_span(&signature), err));
    tut_buf_add(out, signature.data, signature.len);
    return tut_buf_check(out, err);
}

static const tut_key_backend token_backend = {token_sign, token_free};

/* --- the token --- */

/* Fields of a token are padded with blanks. */
static bool is_field(const char *wanted, const unsigned char *field, size_t size)
{
    while (size && (field[size - 1] == ' ' || field[size - 1] == '\0'))
        size--;
    return !wanted[0] || (strlen(wanted) == size && memcmp(wanted, field, size) == 0);
}

static bool fits(const tut_pkcs11_uri *uri, const struct ck_token_info *info)
{
    return is_field(uri->token, info->label, sizeof(info->label)) &&
           is_field(uri->manufacturer, info->manufacturer_id, sizeof(info->manufacturer_id)) &&
           is_field(uri->model, info->model, sizeof(info->model)) &&
           is_field(uri->serial, info->serial_number, sizeof(info->serial_number));
}

static tut_status find_slot(struct ck_function_list *f, const tut_pkcs11_uri *uri,
                            ck_slot_id_t *ret_slot, struct ck_token_info *ret_info, tut_error *err)
{
    unsigned long count = 0;
    ck_rv_t rv = f->C_GetSlotList(1, NULL, &count);
    if (rv != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the tokens cannot be listed");
    if (count > TUT_LIMIT_PKCS11_SLOTS)
        return tut_fail(err, TUT_LIMIT, "the PKCS#11 module shows more than %u tokens",
                        TUT_LIMIT_PKCS11_SLOTS);
    TUT_AUTO_FREE ck_slot_id_t *slots = tut_alloc_array(count ? count : 1, sizeof(*slots));
    if (!slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    unsigned long listed = count;
    if (count && (rv = f->C_GetSlotList(1, slots, &listed)) != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the tokens cannot be listed");
    size_t matches = 0;
    for (unsigned long i = 0; i < listed && i < count; i++) {
        struct ck_token_info info = {.flags = 0};
        if (f->C_GetTokenInfo(slots[i], &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED) ||
            !fits(uri, &info))
            continue;
        if (matches++ == 0) {
            *ret_slot = slots[i];
            *ret_info = info;
        }
    }
    if (matches == 1)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE,
                    "%s token fits the pkcs11: URI; p11tool --list-tokens or "
                    "pkcs11-tool -L lists them",
                    matches ? "more than one" : "no");
}

static tut_status read_pin(const tut_pkcs11_uri *uri, const tut_secret_source *secret,
                           const struct ck_token_info *info, tut_buf *pin, tut_error *err)
{
    tut_secret_source from_uri = {.file = uri->pin_source};
    tut_str label = {(const char *)info->label, sizeof(info->label)};
    TUT_CLEAN(tut_buf) prompt = TUT_BUF_INIT;
    tut_buf_add_z(&prompt, "PIN of the token ");
    tut_buf_add_escaped(&prompt, tut_str_trim(label), sizeof(info->label));
    tut_buf_add_z(&prompt, ": ");
    TUT_TRY(tut_buf_check(&prompt, err));
    if (uri->pin_source[0])
        secret = &from_uri;
    if (!secret || (!secret->file && !secret->may_ask))
        return tut_fail(err, TUT_DENIED,
                        "the token wants a PIN; put it into a file (chmod 600) and add "
                        "pin-source=file:/PATH to the URI");
    const char *text = tut_buf_z(&prompt);
    return text ? tut_secret_read(secret, text, false, pin, err)
                : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status log_in(const token_key *k, const tut_pkcs11_uri *uri,
                         const tut_secret_source *secret, const struct ck_token_info *info,
                         tut_error *err)
{
    if (!(info->flags & CKF_LOGIN_REQUIRED))
        return TUT_SUCCESS;
    if (info->flags & CKF_USER_PIN_LOCKED)
        return tut_pkcs11_fail(err, CKR_PIN_LOCKED, "the token does not open");
    tut_buf pin = TUT_BUF_INIT;
    ck_rv_t rv;
    if (info->flags & CKF_PROTECTED_AUTHENTICATION_PATH) {
        rv = k->f->C_Login(k->session, CKU_USER, NULL, 0);
    } else {
        /* A wrong PIN in a file, tried by every run of a job, must not lock the token. */
        if (info->flags & CKF_USER_PIN_FINAL_TRY)
            return tut_fail(err, TUT_DENIED,
                            "the token has one try left before it locks; log in with its own tool "
                            "first");
        TUT_TRY(read_pin(uri, secret, info, &pin, err));
        rv = k->f->C_Login(k->session, CKU_USER, pin.data, pin.len);
    }
    tut_secret_wipe(&pin);
    if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
        return tut_pkcs11_fail(err, rv, "the token does not open");
    return TUT_SUCCESS;
}

/* --- objects --- */

/* How many objects of this class fit, of which the first is told: 0, 1 or 2 for more. */
static tut_status find_objects(const token_key *k, ck_object_class_t class, tut_span label,
                               tut_span id, ck_object_handle_t *ret_object, size_t *ret_count,
                               tut_error *err)
{
    uint8_t label_copy[TUT_PKCS11_OBJECT_MAX];
    uint8_t id_copy[ATTRIBUTE_MAX];
    struct ck_attribute template[3] = {{CKA_CLASS, &class, sizeof(class)}};
    unsigned long used = 1;
    if (label.len) {
        memcpy(label_copy, label.data, label.len);
        template[used++] = (struct ck_attribute){CKA_LABEL, label_copy, label.len};
    }
    if (id.len) {
        memcpy(id_copy, id.data, id.len);
        template[used++] = (struct ck_attribute){CKA_ID, id_copy, id.len};
    }
    ck_object_handle_t found[2];
    unsigned long count = 0;
    ck_rv_t rv = k->f->C_FindObjectsInit(k->session, template, used);
    if (rv != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the token cannot be searched");
    rv = k->f->C_FindObjects(k->session, found, 2, &count);
    (void)k->f->C_FindObjectsFinal(k->session);
    if (rv != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the token cannot be searched");
    if (count)
        *ret_object = found[0];
    *ret_count = count;
    return TUT_SUCCESS;
}

/* false: the object has no such attribute, or a longer one than any key has. */
static bool read_attribute(const token_key *k, ck_object_handle_t object, ck_attribute_type_t type,
                           uint8_t to[ATTRIBUTE_MAX], tut_span *ret)
{
    struct ck_attribute a = {type, to, ATTRIBUTE_MAX};
    if (k->f->C_GetAttributeValue(k->session, object, &a, 1) != CKR_OK ||
        a.value_len > ATTRIBUTE_MAX || a.value_len == 0)
        return false;
    *ret = tut_span_of(to, a.value_len);
    return true;
}

static bool is_true(const token_key *k, ck_object_handle_t object, ck_attribute_type_t type)
{
    uint8_t bytes[ATTRIBUTE_MAX];
    tut_span value;
    return read_attribute(k, object, type, bytes, &value) && value.len == 1 && value.data[0];
}

static tut_status find_private(token_key *k, const tut_pkcs11_uri *uri, tut_error *err)
{
    size_t count = 0;
    TUT_TRY(find_objects(k, CKO_PRIVATE_KEY, tut_span_of(uri->object, strlen(uri->object)),
                         tut_span_of(uri->id, uri->id_len), &k->private_key, &count, err));
    if (count != 1)
        return tut_fail(err, TUT_USAGE,
                        "%s private key of the token fits the pkcs11: URI; name it by object=LABEL "
                        "or id=%%XX",
                        count ? "more than one" : "no");
    if (is_true(k, k->private_key, CKA_ALWAYS_AUTHENTICATE))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the key wants its PIN at each signature, which is not supported; use "
                        "another key of the token");
    return TUT_SUCCESS;
}

/* --- the public half --- */

/* Edwards curves are named in three ways: by the OID of RFC 8410 or that of GnuPG, or by a
 * PrintableString. */
static bool is_edwards25519(tut_span parameters)
{
    static const uint8_t names[][14] = {
        {5, 0x06, 0x03, 0x2b, 0x65, 0x70},
        {11, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01},
    };
    static const char text[] = "\x13\x0c"
                               "edwards25519";
    for (size_t i = 0; i < 2; i++)
        if (parameters.len == names[i][0] &&
            memcmp(parameters.data, names[i] + 1, names[i][0]) == 0)
            return true;
    return parameters.len == sizeof(text) - 1 &&
           memcmp(parameters.data, text, sizeof(text) - 1) == 0;
}

/* The point stands in a DER OCTET STRING; some tokens leave that out. */
static tut_span unwrap(tut_span point)
{
    tut_reader r = tut_reader_of(point);
    tut_reader inner;
    if (tut_is_ok(tut_der_expect(&r, TUT_DER_OCTET_STRING, &inner)) && tut_reader_left(&r) == 0)
        return tut_der_rest(&inner);
    return point;
}

static tut_status key_of_point(tut_span parameters, tut_span point, tut_pubkey **ret_key,
                               tut_error *err)
{
    tut_reader r = tut_reader_of(parameters);
    tut_reader oid;
    const tut_curve *curve = NULL;
    if (is_edwards25519(parameters)) {
        if (point.len != TUT_ED25519_BYTES)
            point = unwrap(point);
        if (point.len != TUT_ED25519_BYTES)
            return tut_fail(err, TUT_MALFORMED, "the token's Ed25519 key is not 32 bytes");
        return tut_pubkey_from_ed25519(point.data, ret_key, err);
    }
    if (tut_is_ok(tut_der_expect(&r, TUT_DER_OID, &oid)) && tut_reader_left(&r) == 0)
        curve = tut_curve_by_oid(tut_der_rest(&oid));
    if (!curve)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the token's key is neither Ed25519 nor ECDSA on P-256, P-384 or P-521");
    if (point.len != 2 * curve->field_bytes + 1)
        point = unwrap(point);
    if (point.len == 0)
        return tut_fail(err, TUT_MALFORMED, "the token's key has an empty point");
    return tut_pubkey_from_point(curve, point, ret_key, err);
}

static tut_status key_of_certificate(tut_span der, tut_pubkey **ret_key, tut_error *err)
{
    const unsigned char *at = der.data;
    unsigned char *spki = NULL;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki) : -1;
    tut_status status = len > 0 ? tut_pubkey_from_der(tut_span_of(spki, (size_t)len), ret_key, err)
                                : tut_fail(err, TUT_MALFORMED,
                                           "the certificate beside the token's key is not sound");
    OPENSSL_free(spki);
    X509_free(certificate);
    tut_openssl_forget();
    return status;
}

/* From the public key object of the same id (or label), else a certificate of the same. */
static tut_status find_public(const token_key *k, tut_pubkey **ret_key, tut_error *err)
{
    uint8_t id_bytes[ATTRIBUTE_MAX], label_bytes[ATTRIBUTE_MAX], a[ATTRIBUTE_MAX], b[ATTRIBUTE_MAX];
    tut_span id = {NULL, 0};
    tut_span label = {NULL, 0};
    tut_span parameters, point;
    ck_object_handle_t object;
    size_t count = 0;
    if (!read_attribute(k, k->private_key, CKA_ID, id_bytes, &id) &&
        (!read_attribute(k, k->private_key, CKA_LABEL, label_bytes, &label) ||
         label.len > TUT_PKCS11_OBJECT_MAX))
        return tut_fail(err, TUT_USAGE, "the token's key has neither id nor label");
    TUT_TRY(find_objects(k, CKO_PUBLIC_KEY, label, id, &object, &count, err));
    if (count && read_attribute(k, object, CKA_EC_PARAMS, a, &parameters) &&
        read_attribute(k, object, CKA_EC_POINT, b, &point))
        return key_of_point(parameters, point, ret_key, err);
    TUT_TRY(find_objects(k, CKO_CERTIFICATE, label, id, &object, &count, err));
    if (count && read_attribute(k, object, CKA_VALUE, a, &point))
        return key_of_certificate(point, ret_key, err);
    return tut_fail(err, TUT_UNSUPPORTED,
                    "the token has no elliptic public key or certificate beside the private key; "
                    "store one under the same id");
}

static tut_status open_token(token_key *k, const tut_pkcs11_uri *uri,
                             const tut_secret_source *secret, tut_pubkey **ret_pub, tut_error *err)
{
    ck_slot_id_t slot = 0;
    struct ck_token_info info = {.flags = 0};
    k->pid = getpid();
    TUT_TRY(tut_pkcs11_module_get(uri->module_path, &k->module, err));
    k->f = tut_pkcs11_functions(k->module);
    TUT_TRY(find_slot(k->f, uri, &slot, &info, err));
    ck_rv_t rv = k->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &k->session);
    if (rv != CKR_OK)
        return tut_pkcs11_fail(err, rv, "the token does not open");
    k->has_session = true;
    TUT_TRY(log_in(k, uri, secret, &info, err));
    TUT_TRY(find_private(k, uri, err));
    return find_public(k, ret_pub, err);
}

tut_status tut_key_from_token(tut_str text, const tut_secret_source *secret, tut_key **ret_key,
                              tut_error *err)
{
    TUT_AUTO_FREE tut_pkcs11_uri *uri = tut_alloc_array(1, sizeof(*uri));
    token_key *k = tut_alloc_array(1, sizeof(*k));
    tut_pubkey *pub = NULL;
    tut_status status = uri && k ? tut_pkcs11_uri_parse(text, uri, err)
                                 : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = open_token(k, uri, secret, &pub, err);
    if (!tut_is_ok(status)) {
        token_free(k);
        return status;
    }
    return tut_key_make(&token_backend, k, pub, ret_key, err);
}
