#include "text/check.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { CRC_DIGITS = 6 };

static uint32_t crc_of(tut_str text)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)text.data, (uInt)text.len);
}

/* github.blog/2021-04-05-behind-githubs-new-authentication-token-formats: the last six characters
 * are the CRC-32 of those between the prefix and them, in base 62 (0-9A-Za-z), filled with 0. */
bool tut_check_crc_base62(tut_str key)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *sign = key.len ? memrchr(key.data, '_', key.len) : NULL;
    if (!sign)
        return false;
    tut_str body = {sign + 1, key.len - (size_t)(sign + 1 - key.data)};
    if (body.len <= CRC_DIGITS)
        return false;
    body.len -= CRC_DIGITS;
    uint32_t crc = crc_of(body);
    for (size_t i = CRC_DIGITS; i-- > 0; crc /= 62) {
        if (body.data[body.len + i] != digits[crc % 62])
            return false;
    }
    return true;
}

/* grafana/grafana, pkg/components/satokengen: glsa_SECRET_CRC, of "glsa_SECRET". */
bool tut_check_crc_grafana(tut_str key)
{
    const char *sign = key.len ? memrchr(key.data, '_', key.len) : NULL;
    char hex[9];
    if (!sign)
        return false;
    tut_str body = {key.data, (size_t)(sign - key.data)};
    (void)snprintf(hex, sizeof(hex), "%08x", crc_of(body));
    if (tut_str_eq_z((tut_str){sign + 1, key.len - body.len - 1}, hex))
        return true;
    const char *start = memchr(body.data, '_', body.len);
    body = start ? (tut_str){start + 1, body.len - (size_t)(start + 1 - body.data)} : body;
    (void)snprintf(hex, sizeof(hex), "%08x", crc_of(body));
    return tut_str_eq_z((tut_str){sign + 1, 8}, hex);
}

static uint32_t bech32_step(uint32_t c, unsigned v)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = c >> 25;
    c = (c & 0x1ffffff) << 5 ^ v;
    for (size_t i = 0; i < 5; i++)
        c ^= top >> i & 1 ? generator[i] : 0;
    return c;
}

/* BIP 173. */
bool tut_check_bech32(tut_str key)
{
    static const char signs[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const char *one = key.len ? memrchr(key.data, '1', key.len) : NULL;
    if (!one)
        return false;
    size_t human = (size_t)(one - key.data);
    uint32_t c = 1;
    for (size_t i = 0; i < human; i++)
        c = bech32_step(c, (unsigned)(key.data[i] | 0x20) >> 5);
    c = bech32_step(c, 0);
    for (size_t i = 0; i < human; i++)
        c = bech32_step(c, (unsigned)((uint8_t)key.data[i] >= 'A' && (uint8_t)key.data[i] <= 'Z'
                                          ? key.data[i] | 0x20
                                          : key.data[i]) &
                               31);
    for (size_t i = human + 1; i < key.len; i++) {
        char low = key.data[i] >= 'A' && key.data[i] <= 'Z' ? (char)(key.data[i] | 0x20)
                                                            : key.data[i];
        const char *at = low ? strchr(signs, low) : NULL;
        if (!at)
            return false;
        c = bech32_step(c, (unsigned)(at - signs));
    }
    return c == 1;
}

bool tut_check_jwt(tut_str key)
{
    char header[256];
    size_t len = 0;
    uint32_t bits = 0, have = 0;
    for (size_t i = 0; i < key.len && key.data[i] != '.' && len < sizeof(header); i++) {
        int v = tut_base64_digit(key.data[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            header[len++] = (char)(bits >> have & 0xff);
        }
    }
    size_t at;
    tut_str text = {header, len};
    return len > 0 && header[0] == '{' && tut_str_find(text, TUT_LIT("\"alg\""), &at);
}
