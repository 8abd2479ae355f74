/* Sealing of bodies: the shape is in the header; the cryptography is OpenSSL's. */
#include "ledger/body_seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "base/reader.h"
#include "crypto/openssl.h"

enum { MAGIC = 8, NONCE = 12, TAG = 16, KEY = 32, HEAD = MAGIC + TUT_SEAL_PERIOD };

/* 9999-12-31T23:59:59Z */
#define LAST_SECOND INT64_C(253402300799)

static const char magic[MAGIC] = {'T', 'U', 'T', 'B', 'O', 'D', 'Y', 1};
static const char name_label[] = "tutela body name v1";
static const char key_label[] = "tutela body key v1";

tut_status tut_seal_period(tut_time at, char ret_period[TUT_PERIOD_NAME], tut_error *err)
{
    char text[TUT_TIME_TEXT];
    tut_time_rfc3339(at, text);
    if (at < 0 || at > LAST_SECOND)
        return tut_fail(err, TUT_USAGE, "a body needs a time from 1970 to 9999");
    snprintf(ret_period, TUT_PERIOD_NAME, "%.4s%.2s", text, text + 5);
    return TUT_SUCCESS;
}

tut_status tut_seal_period_nth(const char *month, unsigned n, char ret_period[TUT_PERIOD_NAME],
                               tut_error *err)
{
    char name[TUT_PERIOD_NAME];
    if (strlen(month) != TUT_SEAL_PERIOD || strspn(month, "0123456789") != TUT_SEAL_PERIOD)
        return tut_fail(err, TUT_USAGE, "a period is named YYYYMM, not \"%s\"", month);
    unsigned in_year = (unsigned)(month[4] - '0') * 10 + (unsigned)(month[5] - '0');
    if (in_year < 1 || in_year > 12)
        return tut_fail(err, TUT_USAGE, "there is no month %.2s in a year", month + 4);
    if (n >= TUT_SEAL_MONTH_SECRETS)
        return tut_fail(err, TUT_LIMIT, "the month %s was erased %d times already", month,
                        TUT_SEAL_MONTH_SECRETS);
    (void)snprintf(name, sizeof(name), "%.4s%02u", month, (in_year + 12 * n) % 100);
    memcpy(ret_period, name, sizeof(name));
    return TUT_SUCCESS;
}

static tut_status failed(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_CRYPTO, "%s failed in the cryptographic library", what);
}

/* HKDF(secret, label || more) into 32 bytes. */
static tut_status derive(const uint8_t secret[TUT_PERIOD_SECRET], const char *label,
                         const tut_sha256 *more, uint8_t ret_key[KEY], tut_error *err)
{
    char sha256[] = "SHA256"; /* parameters are not const in OpenSSL's interface */
    uint8_t info[sizeof(key_label) + sizeof(name_label) + TUT_SHA256_BYTES];
    size_t len = strlen(label);
    memcpy(info, label, len);
    if (more) {
        memcpy(info + len, more->bytes, TUT_SHA256_BYTES);
        len += TUT_SHA256_BYTES;
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
                                          TUT_PERIOD_SECRET),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(tut_openssl(), "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok = ctx ? EVP_KDF_derive(ctx, ret_key, KEY, params) : 0;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok == 1 ? TUT_SUCCESS : failed(err, "deriving a key");
}

tut_status tut_seal_name(const uint8_t secret[TUT_PERIOD_SECRET], tut_span body,
                         tut_sha256 *ret_name, tut_error *err)
{
    uint8_t key[KEY];
    tut_sha256 name;
    size_t len = 0;
    TUT_TRY(derive(secret, name_label, NULL, key, err));
    const uint8_t *made = EVP_Q_mac(tut_openssl(), "HMAC", NULL, "SHA256", NULL, key, sizeof(key),
                                    body.data, body.len, name.bytes, sizeof(name.bytes), &len);
    tut_wipe(key, sizeof(key));
    if (!made || len != sizeof(name.bytes))
        return failed(err, "a keyed digest");
    *ret_name = name;
    return TUT_SUCCESS;
}

/* One GCM pass in either direction. The name and the head are authenticated, the text is ciphered
 * into `to`, which has room for as many bytes. */
static bool gcm(bool seals, const uint8_t key[KEY], const uint8_t *nonce, const tut_sha256 *name,
                const uint8_t *head, tut_span text, uint8_t *to, uint8_t *tag)
{
    int n = 0;
    EVP_CIPHER *aes = EVP_CIPHER_fetch(tut_openssl(), "AES-256-GCM", NULL);
    EVP_CIPHER_CTX *c = aes ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = c && text.len <= INT32_MAX &&
              EVP_CipherInit_ex2(c, aes, key, nonce, seals, NULL) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, name->bytes, TUT_SHA256_BYTES) == 1 &&
              EVP_CipherUpdate(c, NULL, &n, head, HEAD) == 1 &&
              (text.len == 0 || EVP_CipherUpdate(c, to, &n, text.data, (int)text.len) == 1) &&
              (seals || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1) &&
              EVP_CipherFinal_ex(c, tag, &n) == 1 &&
              (!seals || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1);
    EVP_CIPHER_CTX_free(c);
    EVP_CIPHER_free(aes);
    return ok;
}

tut_status tut_seal_close(const uint8_t secret[TUT_PERIOD_SECRET], const char *period,
                          const tut_sha256 *name, tut_span body, tut_buf *out, tut_error *err)
{
    uint8_t key[KEY];
    if (strlen(period) != TUT_SEAL_PERIOD)
        return tut_fail(err, TUT_USAGE, "a period is six digits, such as 202611");
    size_t at = out->len;
    tut_buf_add(out, magic, MAGIC);
    tut_buf_add(out, period, TUT_SEAL_PERIOD);
    uint8_t *rest = tut_buf_extend(out, NONCE + body.len + TAG);
    TUT_TRY(tut_buf_check(out, err));
    if (RAND_bytes_ex(tut_openssl(), rest, NONCE, 0) != 1)
        return failed(err, "drawing random bytes");
    TUT_TRY(derive(secret, key_label, name, key, err));
    bool ok = gcm(true, key, rest, name, out->data + at, body, rest + NONCE,
                  rest + NONCE + body.len);
    tut_wipe(key, sizeof(key));
    return ok ? TUT_SUCCESS : failed(err, "sealing a body");
}

bool tut_seal_is(tut_span sealed, char ret_period[TUT_PERIOD_NAME])
{
    tut_reader r = tut_reader_of(sealed);
    tut_span period;
    if (sealed.len < TUT_SEAL_OVERHEAD ||
        !tut_is_ok(tut_reader_expect(&r, (tut_str){magic, MAGIC})) ||
        !tut_is_ok(tut_reader_bytes(&r, TUT_SEAL_PERIOD, &period)))
        return false;
    for (size_t i = 0; i < period.len; i++)
        if (period.data[i] < '0' || period.data[i] > '9')
            return false;
    tut_str_copy(ret_period, TUT_PERIOD_NAME, tut_str_from(period));
    return true;
}

tut_status tut_seal_open(const uint8_t secret[TUT_PERIOD_SECRET], const tut_sha256 *name,
                         tut_span sealed, tut_buf *out, tut_error *err)
{
    char period[TUT_PERIOD_NAME];
    uint8_t key[KEY];
    uint8_t tag[TAG];
    if (!tut_seal_is(sealed, period))
        return tut_fail(err, TUT_STORE, "is no sealed body");
    tut_reader r = tut_reader_of(sealed);
    tut_span head;
    tut_span nonce;
    tut_span text;
    TUT_TRY(tut_reader_bytes(&r, HEAD, &head));
    TUT_TRY(tut_reader_bytes(&r, NONCE, &nonce));
    TUT_TRY(tut_reader_bytes(&r, tut_reader_left(&r) - TAG, &text));
    memcpy(tag, r.data + r.pos, TAG);
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    uint8_t *to = tut_buf_extend(&body, text.len);
    TUT_TRY(tut_buf_check(&body, err));
    TUT_TRY(derive(secret, key_label, name, key, err));
    bool ok = gcm(false, key, nonce.data, name, head.data, text, to, tag);
    tut_wipe(key, sizeof(key));
    tut_sha256 found;
    if (ok) {
        TUT_TRY(tut_seal_name(secret, tut_buf_span(&body), &found, err));
        ok = tut_sha256_eq(&found, name);
    }
    if (!ok) {
        tut_wipe(body.data, body.len);
        return tut_fail(err, TUT_STORE,
                        "is not what was recorded: its bytes were altered, or the key of period %s "
                        "was erased and made anew",
                        period);
    }
    tut_buf_add(out, body.data, body.len);
    tut_wipe(body.data, body.len);
    return tut_buf_check(out, err);
}
