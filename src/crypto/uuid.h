/*
 * UUIDs of version 5 (RFC 9562): derived from a name within a space, so that the same facts give
 * the same identifier in every run. SHA-1 is what the format prescribes; nothing rests on it.
 */
#ifndef TUT_CRYPTO_UUID_H
#define TUT_CRYPTO_UUID_H

#include "base/status.h"
#include "base/str.h"

enum { TUT_UUID_BYTES = 16, TUT_UUID_TEXT = 37 };

typedef struct tut_uuid {
    uint8_t bytes[TUT_UUID_BYTES];
} tut_uuid;

/* The space of all identifiers that Tutela derives: version 5 of "urn:tutela:uuid" in the RFC's
 * space of URLs. */
extern const tut_uuid tut_uuid_space;

TUT_MUST tut_status tut_uuid_v5(const tut_uuid *space, tut_span name, tut_uuid *ret,
                                tut_error *err);
void tut_uuid_text(const tut_uuid *u, char out[TUT_UUID_TEXT]); /* 8-4-4-4-12, lower case */

#endif
