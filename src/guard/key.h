/*
 * Keys of clients: "tut_", 43 digits of base 62 that hold 256 random bits, and six that are the
 * CRC-32 of the 43, so that a slip of the hand is told from a key that is not known (and so that
 * who looks for leaked keys finds them).
 *
 * The policy holds a plain SHA-256 of the key. A slow, salted hash protects secrets that people
 * choose, because they can be guessed; 2^256 keys cannot be, so a fast hash keeps them as well, and
 * looking one up costs a microsecond at each request.
 */
#ifndef TUT_GUARD_KEY_H
#define TUT_GUARD_KEY_H

#include "base/status.h"
#include "base/str.h"

enum { TUT_GUARD_KEY_TEXT = 4 + 43 + 6 + 1 };

/* out is to be wiped by the caller. */
TUT_MUST tut_status tut_guard_key_new(char out[TUT_GUARD_KEY_TEXT], tut_error *err);

typedef enum tut_guard_key_kind {
    TUT_GUARD_KEY_OURS,
    TUT_GUARD_KEY_MISTYPED, /* begins like ours, and is none */
    TUT_GUARD_KEY_FOREIGN   /* made elsewhere */
} tut_guard_key_kind;
tut_guard_key_kind tut_guard_key_look(tut_str text);

#endif
