/* Views of bytes and text. A view borrows; it never owns and need not end in NUL. */
#ifndef TUT_BASE_STR_H
#define TUT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct tut_span {
    const uint8_t *data;
    size_t len;
} tut_span;

typedef struct tut_str {
    const char *data;
    size_t len;
} tut_str;

#define TUT_LIT(literal) ((tut_str){"" literal, sizeof(literal) - 1})

static inline tut_str tut_str_of(const char *z)
{
    return (tut_str){z ? z : "", z ? strlen(z) : 0};
}
static inline tut_str tut_str_from(tut_span s)
{
    return (tut_str){(const char *)s.data, s.len};
}
static inline tut_span tut_span_of(const void *data, size_t len)
{
    return (tut_span){(const uint8_t *)data, len};
}

bool tut_str_eq(tut_str a, tut_str b);
bool tut_str_eq_z(tut_str a, const char *z);
int tut_str_cmp(tut_str a, tut_str b); /* bytewise */
bool tut_str_starts(tut_str s, tut_str prefix);
bool tut_str_ends(tut_str s, tut_str suffix);
bool tut_str_ieq(tut_str a, tut_str b);                       /* ASCII case folded */
bool tut_str_find(tut_str s, tut_str needle, size_t *ret_at); /* first occurrence */
tut_str tut_str_trim(tut_str s);                              /* ASCII white space */
/* Copies at most cap-1 bytes and ends in NUL; cap must be at least 1. */
void tut_str_copy(char *to, size_t cap, tut_str s);
/* Value of a character of base64, in either alphabet; -1: it is none. */
int tut_base64_digit(char c);
/* Decimal digits only, whole string, fits: else false. */
bool tut_str_u64(tut_str s, uint64_t *ret_value);

/* UTF-8: length of the valid sequence at s (1..4), or 0 when it is not valid there. */
size_t tut_utf8_len(tut_str s, uint32_t *ret_codepoint);
bool tut_utf8_valid(tut_str s);
/* The bytes of a code point below 2^21, of which it says nothing else: how many, 1 to 4. */
size_t tut_utf8_put(uint32_t c, char to[4]);
/* Columns that s takes in a terminal (wide and combining characters considered). */
size_t tut_utf8_columns(tut_str s);

/* Edit distance (Damerau-Levenshtein, at most 64 bytes each; longer yields SIZE_MAX). */
size_t tut_str_distance(tut_str a, tut_str b);
/* The candidate nearest to `word` if near enough to be a slip of the hand, else NULL. */
const char *tut_str_nearest(tut_str word, const char *const *candidates, size_t count);

#endif
