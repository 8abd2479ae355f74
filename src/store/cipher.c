/* The shape is in the header; the cryptography is OpenSSL's. */
#include "store/cipher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "crypto/digest.h"
#include "crypto/openssl.h"

enum { MAGIC = 8, SALT = 32, NONCE = 12 };

static const char magic[MAGIC] = {'T', 'U', 'T', 'S', 'E', 'A', 'L', 1};
static const char label[] = "tutela sealed file v1";

struct tut_cipher {
    EVP_CIPHER_CTX *ctx;
    bool seals, is_over;
    uint32_t next;
    tut_sha256 binding;
};

static tut_status failed(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_CRYPTO, "%s failed in the cryptographic library", what);
}

void tut_cipher_free(tut_cipher *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->ctx);
    tut_free(c);
}

static tut_status derive(const uint8_t key[TUT_CIPHER_KEY], const uint8_t *salt,
                         uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err)
{
    char sha256[] = "SHA256"; /* parameters are not const in OpenSSL's interface */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key,
                                          TUT_CIPHER_KEY),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SALT),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label,
                                          sizeof(label) - 1),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(tut_openssl(), "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok = ctx ? EVP_KDF_derive(ctx, ret_key, TUT_CIPHER_KEY, params) : 0;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok == 1 ? TUT_SUCCESS : failed(err, "deriving a key");
}

static tut_status bind(tut_cipher *c, const uint8_t head[TUT_CIPHER_HEAD], tut_str asset,
                       tut_str name, tut_error *err)
{
    TUT_AUTO(tut_hasher) h = NULL;
    TUT_TRY(tut_hasher_new(&h, err));
    TUT_TRY(tut_hasher_add(h, tut_span_of(head, TUT_CIPHER_HEAD), err));
    TUT_TRY(tut_hasher_add(h, tut_span_of(asset.data, asset.len), err));
    TUT_TRY(tut_hasher_add(h, tut_span_of("", 1), err));
    TUT_TRY(tut_hasher_add(h, tut_span_of(name.data, name.len), err));
    return tut_hasher_finish(h, &c->binding, err);
}

static tut_status make(const uint8_t key[TUT_CIPHER_KEY], tut_str asset, tut_str name,
                       const uint8_t head[TUT_CIPHER_HEAD], bool seals, tut_cipher **ret_cipher,
                       tut_error *err)
{
    uint8_t file_key[TUT_CIPHER_KEY];
    TUT_AUTO(tut_cipher) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->seals = seals;
    TUT_TRY(bind(c, head, asset, name, err));
    TUT_TRY(derive(key, head + MAGIC, file_key, err));
    EVP_CIPHER *aes = EVP_CIPHER_fetch(tut_openssl(), "AES-256-GCM", NULL);
    c->ctx = aes ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = c->ctx && EVP_CipherInit_ex2(c->ctx, aes, file_key, NULL, seals, NULL) == 1;
    EVP_CIPHER_free(aes);
    tut_wipe(file_key, sizeof(file_key));
    if (!ok)
        return failed(err, "AES-256-GCM");
    *ret_cipher = tut_move(&c);
    return TUT_SUCCESS;
}

tut_status tut_cipher_seal(const uint8_t key[TUT_CIPHER_KEY], tut_str asset, tut_str name,
                           uint8_t head[TUT_CIPHER_HEAD], tut_cipher **ret_cipher, tut_error *err)
{
    memcpy(head, magic, MAGIC);
    if (RAND_bytes_ex(tut_openssl(), head + MAGIC, SALT, 0) != 1)
        return failed(err, "drawing random bytes");
    return make(key, asset, name, head, true, ret_cipher, err);
}

tut_status tut_cipher_open(const uint8_t key[TUT_CIPHER_KEY], tut_str asset, tut_str name,
                           const uint8_t head[TUT_CIPHER_HEAD], tut_cipher **ret_cipher,
                           tut_error *err)
{
    if (memcmp(head, magic, MAGIC) != 0)
        return tut_fail(err, TUT_STORE, "is no sealed file");
    return make(key, asset, name, head, false, ret_cipher, err);
}

static void make_nonce(const tut_cipher *c, bool is_last, uint8_t nonce[NONCE])
{
    memset(nonce, 0, NONCE);
    for (int i = 0; i < 4; i++)
        nonce[7 + i] = (uint8_t)(c->next >> (24 - 8 * i));
    nonce[11] = is_last;
}

tut_status tut_cipher_chunk(tut_cipher *c, bool is_last, tut_span in, uint8_t *to, tut_error *err)
{
    uint8_t nonce[NONCE];
    uint8_t tag[TUT_CIPHER_TAG];
    int n = 0;
    size_t overhead = c->seals ? 0 : TUT_CIPHER_TAG;
    if (c->is_over || in.len < overhead || in.len - overhead > TUT_CIPHER_CHUNK ||
        (!is_last && in.len - overhead != TUT_CIPHER_CHUNK))
        return tut_fail(err, c->seals ? TUT_BUG : TUT_STORE, "has a chunk of a wrong size");
    if (c->next == UINT32_MAX)
        return tut_fail(err, TUT_LIMIT, "is too large to be sealed");
    size_t len = in.len - overhead;
    make_nonce(c, is_last, nonce);
    if (!c->seals)
        memcpy(tag, in.data + len, TUT_CIPHER_TAG);
    bool ok = EVP_CipherInit_ex2(c->ctx, NULL, NULL, nonce, c->seals, NULL) == 1 &&
              EVP_CipherUpdate(c->ctx, NULL, &n, c->binding.bytes, TUT_SHA256_BYTES) == 1 &&
              (len == 0 || EVP_CipherUpdate(c->ctx, to, &n, in.data, (int)len) == 1) &&
              (c->seals ||
               EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_SET_TAG, TUT_CIPHER_TAG, tag) == 1);
    if (!ok)
        return failed(err, "AES-256-GCM");
    uint8_t none[TUT_CIPHER_TAG];
    if (EVP_CipherFinal_ex(c->ctx, none, &n) != 1)
        return tut_fail(err, TUT_STORE,
                        "does not open: its bytes were altered, cut off or moved, or belong to "
                        "another file");
    if (c->seals &&
        EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_GET_TAG, TUT_CIPHER_TAG, to + len) != 1)
        return failed(err, "AES-256-GCM");
    c->next++;
    c->is_over = is_last;
    return TUT_SUCCESS;
}

uint64_t tut_cipher_sealed_bytes(uint64_t plain)
{
    uint64_t chunks = plain / TUT_CIPHER_CHUNK + (plain % TUT_CIPHER_CHUNK != 0 || plain == 0);
    return TUT_CIPHER_HEAD + plain + chunks * TUT_CIPHER_TAG;
}

bool tut_cipher_plain_bytes(uint64_t sealed, uint64_t *ret_plain)
{
    const uint64_t whole = TUT_CIPHER_CHUNK + TUT_CIPHER_TAG;
    if (sealed < TUT_CIPHER_HEAD + TUT_CIPHER_TAG)
        return false;
    uint64_t rest = (sealed - TUT_CIPHER_HEAD) % whole;
    uint64_t chunks = (sealed - TUT_CIPHER_HEAD) / whole;
    if (rest > 0 && rest < TUT_CIPHER_TAG + (uint64_t)(chunks > 0))
        return false;
    *ret_plain = chunks * TUT_CIPHER_CHUNK + (rest ? rest - TUT_CIPHER_TAG : 0);
    return true;
}

/* --- wrapping --- */

static bool wrap(bool wraps, const uint8_t by[TUT_CIPHER_KEY], tut_span in, uint8_t *to, int *ret_n)
{
    int last = 0;
    EVP_CIPHER *aes = EVP_CIPHER_fetch(tut_openssl(), "AES-256-WRAP", NULL);
    EVP_CIPHER_CTX *c = aes ? EVP_CIPHER_CTX_new() : NULL;
    if (c)
        EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool ok = c && EVP_CipherInit_ex2(c, aes, by, NULL, wraps, NULL) == 1 &&
              EVP_CipherUpdate(c, to, ret_n, in.data, (int)in.len) == 1 &&
              EVP_CipherFinal_ex(c, to + *ret_n, &last) == 1;
    EVP_CIPHER_CTX_free(c);
    EVP_CIPHER_free(aes);
    *ret_n += last;
    return ok;
}

tut_status tut_cipher_wrap(const uint8_t by[TUT_CIPHER_KEY], const uint8_t key[TUT_CIPHER_KEY],
                           uint8_t ret_wrapped[TUT_CIPHER_WRAPPED], tut_error *err)
{
    uint8_t to[TUT_CIPHER_WRAPPED + 8];
    int n = 0;
    if (!wrap(true, by, tut_span_of(key, TUT_CIPHER_KEY), to, &n) || n != TUT_CIPHER_WRAPPED)
        return failed(err, "wrapping a key");
    memcpy(ret_wrapped, to, TUT_CIPHER_WRAPPED);
    return TUT_SUCCESS;
}

tut_status tut_cipher_unwrap(const uint8_t by[TUT_CIPHER_KEY],
                             const uint8_t wrapped[TUT_CIPHER_WRAPPED],
                             uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err)
{
    uint8_t to[TUT_CIPHER_WRAPPED + 8];
    int n = 0;
    bool ok = wrap(false, by, tut_span_of(wrapped, TUT_CIPHER_WRAPPED), to, &n) &&
              n == TUT_CIPHER_KEY;
    if (ok)
        memcpy(ret_key, to, TUT_CIPHER_KEY);
    tut_wipe(to, sizeof(to));
    return ok ? TUT_SUCCESS
              : tut_fail(err, TUT_CRYPTO,
                         "the data key does not open: the store's key here is another one, or the "
                         "wrapped copy was altered");
}

tut_status tut_cipher_draw(uint8_t ret_key[TUT_CIPHER_KEY], tut_error *err)
{
    return RAND_priv_bytes_ex(tut_openssl(), ret_key, TUT_CIPHER_KEY, 0) == 1
               ? TUT_SUCCESS
               : failed(err, "drawing random bytes");
}
