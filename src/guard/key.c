#include "guard/key.h"

#include <errno.h>
#include <sys/random.h>

#include "crypto/openssl.h"

enum { PREFIX = 4, DIGITS = 43, CHECK = 6 };
static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Of IEEE 802.3, as zip has it. */
static uint32_t crc32_of(const char *text, size_t len)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)text[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put_check(const char *text, char out[CHECK])
{
    uint32_t crc = crc32_of(text, DIGITS);
    for (size_t i = CHECK; i-- > 0; crc /= 62)
        out[i] = digits[crc % 62];
}

tut_status tut_guard_key_new(char out[TUT_GUARD_KEY_TEXT], tut_error *err)
{
    uint8_t noise[128];
    size_t at = sizeof(noise), count = 0;
    memcpy(out, "tut_", PREFIX);
    while (count < DIGITS) {
        if (at == sizeof(noise)) {
            if (getrandom(noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
                return tut_fail_errno(err, errno, "no random numbers");
            at = 0;
        }
        uint8_t byte = noise[at++];
        if (byte < 4 * 62) /* else some digits would come more often */
            out[PREFIX + count++] = digits[byte % 62];
    }
    tut_wipe(noise, sizeof(noise));
    put_check(out + PREFIX, out + PREFIX + DIGITS);
    out[PREFIX + DIGITS + CHECK] = '\0';
    return TUT_SUCCESS;
}

tut_guard_key_kind tut_guard_key_look(tut_str text)
{
    char check[CHECK];
    if (!tut_str_starts(text, TUT_LIT("tut_")))
        return TUT_GUARD_KEY_FOREIGN;
    if (text.len != TUT_GUARD_KEY_TEXT - 1)
        return TUT_GUARD_KEY_MISTYPED;
    put_check(text.data + PREFIX, check);
    return memcmp(check, text.data + PREFIX + DIGITS, CHECK) == 0 ? TUT_GUARD_KEY_OURS
                                                                  : TUT_GUARD_KEY_MISTYPED;
}
