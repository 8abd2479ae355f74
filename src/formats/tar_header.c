/*
 * One header of tar, 512 bytes:
 *
 *   v7     name[100] mode[8] uid[8] gid[8] size[12] mtime[12] sum[8] type link[100]
 *   ustar  v7 "ustar\0" "00" uname[32] gname[32] major[8] minor[8] prefix[155]
 *   GNU    v7 "ustar  \0" uname gname major minor atime[12] ctime[12] offset[12] ... sparse map
 *   star   ustar with prefix[131] atime[12] ctime[12] and "tar\0" in the last four bytes
 *
 * Numbers are octal text, or, with the top bit of their first byte set, big-endian binary.
 */
#include <string.h>

#include "formats/tar_internal.h"

enum {
    SIZE_AT = 124,
    NUMBER = 12,
    SUM_AT = 148,
    SUM = 8,
    TYPE_AT = 156,
    LINK_AT = 157,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    STAR_PREFIX = 131,
    STAR_MAGIC_AT = 508
};

bool tut_tar_is_zero(const uint8_t block[TUT_TAR_BLOCK])
{
    static const uint8_t zeros[TUT_TAR_BLOCK];
    return memcmp(block, zeros, TUT_TAR_BLOCK) == 0;
}

/* Big-endian two's complement in all bits but the top one. */
static tut_tar_number read_binary(const uint8_t *field, size_t len, uint64_t *ret)
{
    bool is_usual = field[0] == 0x80 || field[0] == 0xff; /* Python and GNU know no other */
    uint64_t value = field[0] & 0x3f;
    if (field[0] & 0x40)
        return TUT_TAR_NEGATIVE;
    for (size_t i = 1; i < len; i++) {
        if (value >> 55)
            return TUT_TAR_NEGATIVE;
        value = value << 8 | field[i];
    }
    *ret = value;
    return is_usual ? TUT_TAR_PLAIN : TUT_TAR_ODD;
}

tut_tar_number tut_tar_read_number(const uint8_t *field, size_t len, uint64_t *ret)
{
    size_t at = 0;
    uint64_t value = 0;
    *ret = 0;
    if (field[0] & 0x80)
        return read_binary(field, len, ret);
    while (at < len && field[at] == ' ')
        at++;
    for (; at < len && field[at] >= '0' && field[at] <= '7'; at++)
        value = value << 3 | (uint64_t)(field[at] - '0'); /* 12 digits have 36 bits */
    *ret = value;
    /* Python strips blanks and stops at NUL, and takes signs, "0o" and "_"; GNU stops at either and
     * takes signs for base 64. */
    if (at < len && field[at] != ' ' && field[at] != 0)
        return TUT_TAR_ODD;
    while (at < len && field[at] == ' ')
        at++;
    return at < len && field[at] != 0 ? TUT_TAR_ODD : TUT_TAR_PLAIN;
}

static bool fits_checksum(const uint8_t block[TUT_TAR_BLOCK])
{
    uint64_t wanted = 0;
    uint32_t sum = SUM * ' ';
    int32_t with_sign = SUM * ' ';
    for (size_t i = 0; i < TUT_TAR_BLOCK; i++) {
        if (i >= SUM_AT && i < SUM_AT + SUM)
            continue;
        sum += block[i];
        with_sign += (int8_t)block[i]; /* as old tars computed it */
    }
    if (tut_tar_read_number(block + SUM_AT, SUM, &wanted) == TUT_TAR_NEGATIVE)
        return false;
    return wanted == sum || (with_sign >= 0 && wanted == (uint64_t)with_sign);
}

static size_t text_len(const uint8_t *field, size_t len)
{
    const uint8_t *nul = memchr(field, 0, len);
    return nul ? (size_t)(nul - field) : len;
}

static tut_tar_dialect dialect_of(const uint8_t block[TUT_TAR_BLOCK])
{
    const uint8_t *magic = block + MAGIC_AT;
    if (memcmp(magic, "ustar ", 6) == 0)
        return TUT_TAR_GNU;
    if (memcmp(magic, "ustar", 5) != 0)
        return TUT_TAR_V7;
    return memcmp(block + STAR_MAGIC_AT, "tar\0", 4) == 0 ? TUT_TAR_STAR : TUT_TAR_USTAR;
}

static size_t join(char to[TUT_TAR_FULL_NAME], const uint8_t *prefix, size_t prefix_len,
                   const uint8_t *name, size_t name_len)
{
    size_t at = 0;
    if (prefix_len > 0) {
        memcpy(to, prefix, prefix_len);
        at = prefix_len;
        to[at++] = '/';
    }
    memcpy(to + at, name, name_len);
    return at + name_len;
}

/* Python takes the prefix whatever the dialect says; GNU's own headers keep times there. */
static bool is_times(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0 && bytes[i] != ' ' && (bytes[i] < '0' || bytes[i] > '7'))
            return false;
    }
    return true;
}

static void read_name(const uint8_t block[TUT_TAR_BLOCK], tut_tar_header *h)
{
    enum { TIMES = 36 };
    const uint8_t *prefix = block + PREFIX_AT;
    size_t len = text_len(block, TUT_TAR_NAME);
    size_t prefix_max = h->dialect == TUT_TAR_STAR ? STAR_PREFIX : TUT_TAR_PREFIX;
    size_t prefix_len = text_len(prefix, prefix_max);
    bool has_prefix = h->dialect == TUT_TAR_USTAR || h->dialect == TUT_TAR_STAR;
    h->name_len = join(h->name, prefix, has_prefix ? prefix_len : 0, block, len);
    if (has_prefix || prefix_len == 0 || (h->dialect == TUT_TAR_GNU && is_times(prefix, TIMES)))
        return;
    h->has_second_name = true;
    h->second_name_len = join(h->second_name, prefix, prefix_len, block, len);
}

void tut_tar_parse(const uint8_t block[TUT_TAR_BLOCK], tut_tar_header *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->dialect = dialect_of(block);
    ret->type = (char)block[TYPE_AT];
    ret->has_checksum = fits_checksum(block);
    read_name(block, ret);
    ret->link_len = text_len(block + LINK_AT, TUT_TAR_NAME);
    memcpy(ret->link, block + LINK_AT, ret->link_len);
    ret->size_kind = tut_tar_read_number(block + SIZE_AT, NUMBER, &ret->size);
}

bool tut_tar_has_data(char type)
{
    return type == 0 || type < '1' || type > '6';
}

bool tut_tar_is_known(char type)
{
    return type == 0 || memchr("01234567SDMVLKNxgX", type, 18) != NULL;
}
