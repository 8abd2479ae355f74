#include "crypto/uuid.h"

#include "crypto/openssl.h"

const tut_uuid tut_uuid_space = {{0x82, 0xd1, 0x8d, 0x9b, 0x61, 0x5c, 0x58, 0xcf, 0xa6, 0xa2, 0x83,
                                  0x48, 0x32, 0x0e, 0x3a, 0xb2}};

enum { SHA1_BYTES = 20, VERSION_5 = 0x50, VARIANT = 0x80 };

tut_status tut_uuid_v5(const tut_uuid *space, tut_span name, tut_uuid *ret, tut_error *err)
{
    uint8_t digest[SHA1_BYTES];
    unsigned len = 0;
    EVP_MD *sha1 = EVP_MD_fetch(tut_openssl(), "SHA1", NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_done = sha1 && ctx && EVP_DigestInit_ex2(ctx, sha1, NULL) == 1 &&
                   EVP_DigestUpdate(ctx, space->bytes, TUT_UUID_BYTES) == 1 &&
                   EVP_DigestUpdate(ctx, name.data, name.len) == 1 &&
                   EVP_DigestFinal_ex(ctx, digest, &len) == 1 && len == SHA1_BYTES;
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(sha1);
    if (!is_done)
        return tut_fail(err, TUT_CRYPTO, "SHA-1, which identifiers want, is not to be had");
    memcpy(ret->bytes, digest, TUT_UUID_BYTES);
    ret->bytes[6] = (uint8_t)((ret->bytes[6] & 0x0f) | VERSION_5);
    ret->bytes[8] = (uint8_t)((ret->bytes[8] & 0x3f) | VARIANT);
    return TUT_SUCCESS;
}

void tut_uuid_text(const tut_uuid *u, char out[TUT_UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < TUT_UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = hex[u->bytes[i] >> 4];
        out[n++] = hex[u->bytes[i] & 15];
    }
    out[n] = '\0';
}
