/*
 * Text made safe to compare: what looks alike becomes alike, what nobody sees is taken out and
 * counted. Full-width, mathematical, circled and accented letters become their base letter,
 * Cyrillic and Greek letters inside Latin words the ones they look like, typographic quotes and
 * dashes plain ones; zero-width, bidirectional, variation and tag characters go. Case stays.
 *
 * After Unicode 14.0: UTS 39 (confusables, those of letters), UAX 9 (bidirectional controls), and
 * the block of tags, whose characters spell ASCII that only a model reads.
 */
#ifndef TUT_DETECT_PLAIN_H
#define TUT_DETECT_PLAIN_H

#include "base/buf.h"

typedef struct tut_plain_origin { /* from here on, the text began at `from` */
    uint32_t at, from;
} tut_plain_origin;

typedef struct tut_plain {
    tut_buf text;
    tut_buf unseen;       /* ASCII spelt in tag characters or variation selectors */
    tut_buf origins;      /* tut_plain_origin[], ascending; empty: the text is as it came */
    uint32_t invisible;   /* zero-width characters inside words of Latin letters */
    uint32_t directional; /* bidirectional embeddings and overrides */
    uint32_t lookalikes;  /* foreign letters inside Latin words */
    uint32_t styled;      /* mathematical, circled and other dressed-up letters */
    uint32_t broken;      /* bytes that are not UTF-8 */
    /* how far it is */
    tut_str from; /* borrowed until it is done */
    size_t at, out;
    int64_t shift;
    uint32_t flag;
} tut_plain;

void tut_plain_done(tut_plain *p);
/* Begins anew. At most UINT32_MAX bytes (LIMIT). */
TUT_MUST tut_status tut_plain_begin(tut_plain *p, tut_str text, tut_error *err);
/* Goes on by about max_bytes; text is whole when it is done. */
TUT_MUST tut_status tut_plain_step(tut_plain *p, size_t max_bytes, bool *ret_is_done,
                                   tut_error *err);
/* All of it at once. */
TUT_MUST tut_status tut_plain_make(tut_plain *p, tut_str text, tut_error *err);
/* Where in the original the byte at `at` of the plain text came from. */
uint64_t tut_plain_origin_of(const tut_plain *p, uint64_t at);

/* --- one character (fold.c) --- */
typedef enum tut_fold {
    TUT_FOLD_KEEP,      /* as it is */
    TUT_FOLD_LETTER,    /* *ret_ascii stands for it */
    TUT_FOLD_STYLED,    /* the same, and it was dressed up */
    TUT_FOLD_LOOKALIKE, /* *ret_ascii, where its word is Latin */
    TUT_FOLD_DROP,      /* combining marks, invisible in honest text too */
    TUT_FOLD_INVISIBLE,
    TUT_FOLD_DIRECTIONAL,
    TUT_FOLD_TAG,     /* *ret_ascii is what it spells; 0: spells nothing */
    TUT_FOLD_SELECTOR /* a variation selector: a byte of 0 to 255 can be hidden in each */
} tut_fold;
tut_fold tut_fold_of(uint32_t c, uint8_t *ret_ascii);

#endif
