/*
 * What a byte and a word of an answer are, so that most of a text need not be looked at twice:
 * nothing that the text engine or the reader of links can find is without one of these signs
 * (docs/guard.md; the unit test holds every rule of the engine against it).
 */
#ifndef TUT_GUARD_WORD_H
#define TUT_GUARD_WORD_H

#include "base/alloc.h"
#include "base/str.h"

enum {
    TUT_KIND_SPACE = 1,
    TUT_KIND_DIGIT = 2,
    TUT_KIND_AT = 4,
    TUT_KIND_BRACKET = 8, /* of a link: [ < */
    TUT_KIND_COLON = 16,
    TUT_KIND_SLASH = 32, /* either */
    TUT_KIND_DASH = 64,
    TUT_KIND_CAPITAL = 128,
    TUT_KIND_LETTER = 256, /* the others, and all beyond ASCII */
    TUT_KIND_SIGN = 512,   /* stands between groups of a number, or around one */
    TUT_KIND_ESCAPE = 1024,
    TUT_KIND_CLOSE = 2048,  /* may end a link */
    TUT_KIND_CANARY = 4096, /* a canary begins with it */
    TUT_KIND_START = 8192,  /* first byte of a character beyond ASCII: a word of its own */
    TUT_KIND_OTHER = 16384
};

enum { TUT_GUARD_CANARIES = 16, TUT_GUARD_CANARY_MOST = 256 };

typedef struct tut_guard_canary {
    uint8_t text[TUT_GUARD_CANARY_MOST];      /* ASCII letters small */
    uint16_t back[TUT_GUARD_CANARY_MOST + 1]; /* of Knuth, Morris and Pratt */
    uint16_t len;
} tut_guard_canary;

typedef struct tut_guard_kinds {
    uint16_t of[256];
    tut_guard_canary *canaries;
    size_t canary_count;
} tut_guard_kinds;

TUT_MUST tut_status tut_guard_kinds_init(tut_guard_kinds *k, const tut_str *canaries, size_t count,
                                         tut_error *err);
void tut_guard_kinds_done(tut_guard_kinds *k);
/* How much of the canary the text ends with, one byte further. */
uint16_t tut_guard_canary_step(const tut_guard_canary *c, uint16_t state, uint8_t byte);

/* A word of these kinds and this many bytes has to be looked at, whatever stands around it. */
bool tut_guard_word_is_hot(tut_str word, unsigned kinds);

#endif
