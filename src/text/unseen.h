/*
 * Text without the characters that people do not see and models do: those of no width, controls of
 * direction, tags, and runs of variation selectors (Unicode Technical Standard 39; they carry
 * hidden instructions). Joiners stay where a script or an emoji needs them: between two characters
 * beyond ASCII. Nothing is composed or decomposed.
 */
#ifndef TUT_TEXT_UNSEEN_H
#define TUT_TEXT_UNSEEN_H

#include "base/buf.h"

/* How many characters were left out; out is filled only where it is not 0. */
size_t tut_unseen_strip(tut_str text, tut_buf *out);

typedef struct tut_unseen { /* begins with the text, and zeros */
    tut_str text;
    size_t at, len;  /* of the one that was found */
    uint32_t before; /* the last character that stays */
} tut_unseen;
/* The next such character: its length in bytes; 0: there is none any more. */
size_t tut_unseen_next(tut_unseen *u);
/* Never of use in text, wherever it stands: joiners and selectors may be. */
bool tut_unseen_always(uint32_t codepoint);

#endif
