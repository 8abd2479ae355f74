/* A sealed file, as it may lie on the disk: nothing opens but what was sealed. */
#include <stdlib.h>
#include <string.h>

#include "store/cipher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[TUT_CIPHER_KEY] = {7};
    TUT_AUTO(tut_cipher) c = NULL;
    uint64_t left;
    if (size > 4u << 20 || !tut_cipher_plain_bytes(size, &left))
        return 0;
    if (tut_cipher_sealed_bytes(left) != size)
        __builtin_trap();
    if (!tut_is_ok(tut_cipher_open(key, TUT_LIT("model/a"), TUT_LIT("w"), data, &c, NULL)))
        return 0;
    uint8_t *to = malloc(TUT_CIPHER_CHUNK);
    size_t at = TUT_CIPHER_HEAD;
    bool ok = to != NULL;
    while (ok) {
        size_t n = left < TUT_CIPHER_CHUNK ? (size_t)left : TUT_CIPHER_CHUNK;
        left -= n;
        ok = tut_is_ok(
            tut_cipher_chunk(c, left == 0, tut_span_of(data + at, n + TUT_CIPHER_TAG), to, NULL));
        at += n + TUT_CIPHER_TAG;
        /* the seed holds a text that was sealed with this key; nobody makes another */
        if (ok && (n != 5 || memcmp(to, "hello", 5) != 0))
            __builtin_trap();
        if (left == 0)
            break;
    }
    free(to);
    return 0;
}
