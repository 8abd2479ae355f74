/*
 * A copy of a dataset without what should not be in it: personal data and secrets are replaced, by
 * their kind ("<email>") or by pseudonyms that are the same for the same value under one key
 * ("<email-1f9c0d6a7be2>": HMAC-SHA-256, 48 bits), and characters that nobody sees are left out.
 * All else stays byte for byte, so that columns, types and layout of the copy are those of the
 * original. A row in which a value cannot be found as it is written is left out whole.
 *
 * CSV and its cousins, JSON and text, in UTF-8 or single bytes, compressed or not (the copy never
 * is). The worker says where to cut; this side, which has the key, cuts.
 */
#ifndef TUT_DATA_SANITISE_H
#define TUT_DATA_SANITISE_H

#include "base/cage.h"
#include "crypto/digest.h"

enum { TUT_SANITISE_KEY = 32 };

typedef struct tut_sanitise_options {
    const uint8_t *key; /* TUT_SANITISE_KEY bytes; NULL: no pseudonyms */
    tut_cage_mode sandbox;
} tut_sanitise_options;

typedef struct tut_sanitised {
    tut_sha256 from, to;    /* of the file as it lies there, and of the copy */
    uint64_t replaced;      /* values */
    uint64_t unseen;        /* characters left out */
    uint64_t rows_left_out; /* in which a value could not be cut out alone */
    uint64_t bytes;         /* of the copy */
} tut_sanitised;

/* out is written whole or not at all, and may be path. UNSUPPORTED: what it is in cannot be cut
 * (Parquet, arrays, UTF-16), *err says what to do. */
TUT_MUST tut_status tut_sanitise(const char *path, const char *out,
                                 const tut_sanitise_options *options, tut_sanitised *ret,
                                 tut_error *err);

#endif
