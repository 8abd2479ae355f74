#include "base/str.h"

enum { DISTANCE_MAX_BYTES = 64 };

bool tut_str_eq(tut_str a, tut_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool tut_str_eq_z(tut_str a, const char *z)
{
    if (a.len == 0 || !z)
        return a.len == 0 && (!z || !*z);
    if (*z != *a.data) /* most words of a table differ at once */
        return false;
    return tut_str_eq(a, tut_str_of(z));
}

int tut_str_cmp(tut_str a, tut_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool tut_str_starts(tut_str s, tut_str prefix)
{
    return s.len >= prefix.len && tut_str_eq((tut_str){s.data, prefix.len}, prefix);
}

bool tut_str_ends(tut_str s, tut_str suffix)
{
    if (s.len < suffix.len)
        return false;
    return suffix.len == 0 ||
           tut_str_eq((tut_str){s.data + (s.len - suffix.len), suffix.len}, suffix);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool tut_str_ieq(tut_str a, tut_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

bool tut_str_find(tut_str s, tut_str needle, size_t *ret_at)
{
    if (needle.len == 0) {
        *ret_at = 0;
        return true;
    }
    if (s.len < needle.len)
        return false;
    const char *at = memmem(s.data, s.len, needle.data, needle.len);
    if (!at)
        return false;
    *ret_at = (size_t)(at - s.data);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

tut_str tut_str_trim(tut_str s)
{
    while (s.len && is_space(s.data[s.len - 1]))
        s.len--;
    while (s.len && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

void tut_str_copy(char *to, size_t cap, tut_str s)
{
    size_t len = s.len < cap ? s.len : cap - 1;
    if (len)
        memcpy(to, s.data, len);
    to[len] = '\0';
}

bool tut_str_u64(tut_str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' ||
            __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* R. Lowrance and R. Wagner, "An Extension of the String-to-String Correction Problem" (1975): also
 * counts a swap of neighbours as one when letters were put between them. */
size_t tut_str_distance(tut_str a, tut_str b)
{
    if (a.len > DISTANCE_MAX_BYTES || b.len > DISTANCE_MAX_BYTES)
        return SIZE_MAX;
    const uint8_t far = (uint8_t)(a.len + b.len);
    /* Row and column 0 are a border that no path crosses; the empty prefixes are at 1. */
    uint8_t d[DISTANCE_MAX_BYTES + 2][DISTANCE_MAX_BYTES + 2] = {{0}};
    uint8_t last_row[256] = {0}; /* where a byte was last seen in a */
    for (size_t i = 0; i <= a.len + 1; i++) {
        d[i][0] = far;
        d[i][1] = (uint8_t)(i ? i - 1 : far);
    }
    for (size_t j = 0; j <= b.len + 1; j++) {
        d[0][j] = far;
        d[1][j] = (uint8_t)(j ? j - 1 : far);
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t last_column = 0; /* where this byte of a was last matched in b */
        for (size_t j = 1; j <= b.len; j++) {
            size_t row = last_row[(uint8_t)b.data[j - 1]];
            size_t column = last_column;
            bool is_same = a.data[i - 1] == b.data[j - 1];
            size_t swapped = d[row][column] + (i - row - 1) + 1 + (j - column - 1);
            uint8_t best = (uint8_t)(d[i][j] + !is_same);
            best = least(best, (uint8_t)(d[i + 1][j] + 1));
            best = least(best, (uint8_t)(d[i][j + 1] + 1));
            d[i + 1][j + 1] = swapped < best ? (uint8_t)swapped : best;
            if (is_same)
                last_column = j;
        }
        last_row[(uint8_t)a.data[i - 1]] = (uint8_t)i;
    }
    return d[a.len + 1][b.len + 1];
}

static tut_str lowered(tut_str s, char *room)
{
    for (size_t i = 0; i < s.len; i++)
        room[i] = lower(s.data[i]);
    return (tut_str){room, s.len};
}

const char *tut_str_nearest(tut_str word, const char *const *candidates, size_t count)
{
    char word_room[DISTANCE_MAX_BYTES], candidate_room[DISTANCE_MAX_BYTES];
    if (word.len == 0 || word.len > DISTANCE_MAX_BYTES)
        return NULL;
    tut_str slip = lowered(word, word_room);
    size_t most = word.len / 3;
    most = most < 1 ? 1 : most > 3 ? 3 : most;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        tut_str candidate = tut_str_of(candidates[i]);
        if (candidate.len > DISTANCE_MAX_BYTES)
            continue;
        size_t distance = tut_str_distance(slip, lowered(candidate, candidate_room));
        size_t longer = word.len > candidate.len ? word.len : candidate.len;
        /* Where every letter differs nothing was slipped. */
        if (distance > most || distance >= longer)
            continue;
        nearest = candidates[i];
        if (distance == 0)
            break;
        most = distance - 1;
    }
    return nearest;
}

int tut_base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}
