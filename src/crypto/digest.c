#include "crypto/digest.h"

#include "crypto/openssl.h"

enum { CHUNK_BYTES = 64 << 10 }; /* stays in the second-level cache */

struct tut_hasher {
    EVP_MD_CTX *ctx;
};

void tut_hasher_free(tut_hasher *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    tut_free(h);
}

tut_status tut_hasher_new(tut_hasher **ret_hasher, tut_error *err)
{
    TUT_AUTO(tut_hasher) h = tut_alloc_array(1, sizeof(*h));
    if (!h)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || !tut_openssl_sha256() ||
        EVP_DigestInit_ex2(h->ctx, tut_openssl_sha256(), NULL) != 1)
        return tut_fail(err, TUT_CRYPTO, "SHA-256 is not available from OpenSSL");
    *ret_hasher = tut_move(&h);
    return TUT_SUCCESS;
}

tut_status tut_hasher_add(tut_hasher *h, tut_span bytes, tut_error *err)
{
    if (bytes.len && EVP_DigestUpdate(h->ctx, bytes.data, bytes.len) != 1)
        return tut_fail(err, TUT_CRYPTO, "SHA-256 failed");
    return TUT_SUCCESS;
}

tut_status tut_hasher_finish(tut_hasher *h, tut_sha256 *ret_digest, tut_error *err)
{
    tut_sha256 digest;
    unsigned len = 0;
    if (EVP_DigestFinal_ex(h->ctx, digest.bytes, &len) != 1 || len != TUT_SHA256_BYTES)
        return tut_fail(err, TUT_CRYPTO, "SHA-256 failed");
    *ret_digest = digest;
    return TUT_SUCCESS;
}

tut_status tut_sha256_of(tut_span bytes, tut_sha256 *ret_digest, tut_error *err)
{
    TUT_AUTO(tut_hasher) h = NULL;
    TUT_TRY(tut_hasher_new(&h, err));
    TUT_TRY(tut_hasher_add(h, bytes, err));
    return tut_hasher_finish(h, ret_digest, err);
}

tut_status tut_sha256_source(const tut_source *source, tut_sha256 *ret_digest, tut_error *err)
{
    TUT_AUTO(tut_hasher) h = NULL;
    TUT_TRY(tut_hasher_new(&h, err));
    size_t chunk = source->size < CHUNK_BYTES ? (size_t)source->size : CHUNK_BYTES;
    TUT_AUTO_FREE uint8_t *buffer = tut_alloc_array(chunk ? chunk : 1, 1);
    if (!buffer)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint64_t at = 0; at < source->size;) {
        size_t n = source->size - at < chunk ? (size_t)(source->size - at) : chunk;
        TUT_TRY(tut_source_read(source, at, buffer, n, err));
        TUT_TRY(tut_hasher_add(h, (tut_span){buffer, n}, err));
        at += n;
    }
    return tut_hasher_finish(h, ret_digest, err);
}

void tut_sha256_hex(const tut_sha256 *d, char out[TUT_SHA256_HEX])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < TUT_SHA256_BYTES; i++) {
        out[2 * i] = hex[d->bytes[i] >> 4];
        out[2 * i + 1] = hex[d->bytes[i] & 15];
    }
    out[TUT_SHA256_HEX - 1] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

tut_status tut_sha256_parse(tut_str hex, tut_sha256 *ret_digest)
{
    tut_sha256 digest;
    if (hex.len != (size_t)2 * TUT_SHA256_BYTES)
        return (tut_status){TUT_MALFORMED};
    for (size_t i = 0; i < TUT_SHA256_BYTES; i++) {
        int high = hex_value(hex.data[2 * i]);
        int low = hex_value(hex.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return (tut_status){TUT_MALFORMED};
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_digest = digest;
    return TUT_SUCCESS;
}

bool tut_sha256_eq(const tut_sha256 *a, const tut_sha256 *b)
{
    return memcmp(a->bytes, b->bytes, TUT_SHA256_BYTES) == 0;
}
