#include "crypto/hash.h"

#include <openssl/evp.h>

#include "crypto/openssl.h"

static const struct {
    const char *name;    /* in model signing */
    const char *openssl; /* in OpenSSL */
    size_t size;
} kinds[TUT_HASH_COUNT] = {
    [TUT_HASH_SHA256] = {"sha256", "SHA256", 32},
    [TUT_HASH_BLAKE2B] = {"blake2b", "BLAKE2B-512", 64},
};

struct tut_hash_ctx {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    tut_hash_kind kind;
};

const char *tut_hash_name(tut_hash_kind kind)
{
    return kinds[kind].name;
}

size_t tut_hash_size(tut_hash_kind kind)
{
    return kinds[kind].size;
}

bool tut_hash_find(tut_str name, tut_hash_kind *ret_kind)
{
    for (int k = 0; k < TUT_HASH_COUNT; k++) {
        if (tut_str_eq_z(name, kinds[k].name)) {
            *ret_kind = (tut_hash_kind)k;
            return true;
        }
    }
    return false;
}

void tut_hash_hex(tut_hash_kind kind, const tut_hash *digest, char out[TUT_HASH_HEX_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = kinds[kind].size;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[digest->bytes[i] >> 4];
        out[2 * i + 1] = hex[digest->bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

tut_status tut_hash_parse(tut_hash_kind kind, tut_str hex, tut_hash *ret_digest)
{
    tut_hash digest = {0};
    size_t n = kinds[kind].size;
    if (hex.len != 2 * n)
        return (tut_status){TUT_MALFORMED};
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex.data[2 * i]);
        int low = hex_value(hex.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return (tut_status){TUT_MALFORMED};
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_digest = digest;
    return TUT_SUCCESS;
}

bool tut_hash_eq(tut_hash_kind kind, const tut_hash *a, const tut_hash *b)
{
    return memcmp(a->bytes, b->bytes, kinds[kind].size) == 0;
}

void tut_hash_ctx_free(tut_hash_ctx *c)
{
    if (!c)
        return;
    EVP_MD_CTX_free(c->ctx);
    EVP_MD_free(c->md);
    tut_free(c);
}

tut_status tut_hash_ctx_new(tut_hash_kind kind, tut_hash_ctx **ret_ctx, tut_error *err)
{
    TUT_AUTO(tut_hash_ctx) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->kind = kind;
    /* Fetched once for all files of a thread: the look-up costs more than a small file's hash. */
    c->md = EVP_MD_fetch(tut_openssl(), kinds[kind].openssl, NULL);
    c->ctx = EVP_MD_CTX_new();
    if (!c->md || !c->ctx || (size_t)EVP_MD_get_size(c->md) != kinds[kind].size)
        return tut_fail(err, TUT_CRYPTO, "%s is not available from OpenSSL", kinds[kind].name);
    *ret_ctx = tut_move(&c);
    return TUT_SUCCESS;
}

tut_status tut_hash_begin(tut_hash_ctx *c, tut_error *err)
{
    if (EVP_DigestInit_ex2(c->ctx, c->md, NULL) != 1)
        return tut_fail(err, TUT_CRYPTO, "%s failed", kinds[c->kind].name);
    return TUT_SUCCESS;
}

tut_status tut_hash_add(tut_hash_ctx *c, tut_span bytes, tut_error *err)
{
    if (bytes.len && EVP_DigestUpdate(c->ctx, bytes.data, bytes.len) != 1)
        return tut_fail(err, TUT_CRYPTO, "%s failed", kinds[c->kind].name);
    return TUT_SUCCESS;
}

tut_status tut_hash_finish(tut_hash_ctx *c, tut_hash *ret_digest, tut_error *err)
{
    tut_hash digest = {0};
    unsigned len = 0;
    if (EVP_DigestFinal_ex(c->ctx, digest.bytes, &len) != 1 || len != kinds[c->kind].size)
        return tut_fail(err, TUT_CRYPTO, "%s failed", kinds[c->kind].name);
    *ret_digest = digest;
    return TUT_SUCCESS;
}
