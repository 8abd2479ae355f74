/*
 * Sealed bodies: what was asked and answered, kept for a while, for whoever has to look into an
 * exchange.
 *
 * A day has a pair of keys (X25519). The public half lies with the bodies; the private half lies
 * with the keys of the log, where no worker gets to it, and deleting it erases the day's bodies
 * wherever copies of them lie. For each file a worker draws a pair of its own, agrees with the
 * day's key on a secret, and forgets its private half: what it wrote it cannot read again once it
 * has ended, and nobody can who has the bodies alone.
 *
 *   DIR/bodies/YYYYMMDD/key          the day's public key (32 bytes)
 *   DIR/bodies/YYYYMMDD/NAME.sealed  what one worker wrote
 *
 *   file       magic "TUTEXCH" 01 | day (8 digits) | the worker's public key (32) | record*
 *   record     length of what follows u32le | number of the exchange (16) | ciphertext | tag (16)
 *   key        HKDF-SHA-256(X25519, "tutela exchange bodies v1" | worker's | day's public key)
 *   nonce      4 zeros | number of the record in its file, from 0, u64le
 *   plaintext  flags u8 (1: the request is cut, 2: the answer) | length of the request u32le |
 *              request | answer
 *
 * AES-256-GCM; authenticated with it: the file's head, the number of the exchange, and the keyed
 * digest of the request as the exchange's event has it (zeros: none). The event has the day and the
 * SHA-256 of the record in turn.
 */
#ifndef TUT_GUARD_BODIES_H
#define TUT_GUARD_BODIES_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/keystore.h"

enum {
    TUT_BODIES_DAY = 9,
    TUT_BODIES_ID = 16,
    TUT_BODIES_MOST = 1 << 20 /* of a request and of an answer; the rest is cut */
};

typedef struct tut_bodies_place { /* as the event of the exchange has it */
    char day[TUT_BODIES_DAY];
    tut_sha256 digest; /* of the record */
} tut_bodies_place;

typedef struct tut_bodies_pair {
    const char *id;    /* of the exchange: 32 digits of hex */
    tut_sha256 prompt; /* keyed; zeros: none */
    tut_span request, answer;
    bool is_request_cut, is_answer_cut; /* also where they are longer than is kept */
} tut_bodies_pair;

/* --- a worker --- */
typedef struct tut_bodies tut_bodies;
/* name: of its files, without '/'. Nothing is written yet. */
TUT_MUST tut_status tut_bodies_new(const char *dir, const char *name, tut_bodies **ret,
                                   tut_error *err);
void tut_bodies_free(tut_bodies *b);
TUT_DEFINE_AUTO(tut_bodies)
/* One write, without waiting for the disk. STORE: the day has no key; IO: the disk is full. */
TUT_MUST tut_status tut_bodies_put(tut_bodies *b, tut_time now, const tut_bodies_pair *pair,
                                   tut_bodies_place *ret, tut_error *err);

/* --- whoever holds the keys --- */
/* STORE when the day was erased, when there is no such record, or when it is another one than the
 * event says. Outputs are appended; wipe them. */
TUT_MUST tut_status tut_bodies_get(const char *dir, const tut_keystore *keys,
                                   const tut_bodies_place *place, tut_bodies_pair *pair,
                                   tut_buf *request, tut_buf *answer, tut_error *err);
/* Keys of this day and the next, where they are missing. */
TUT_MUST tut_status tut_bodies_prepare(const char *dir, const tut_keystore *keys, tut_time now,
                                       tut_error *err);

typedef struct tut_bodies_old {
    char day[TUT_BODIES_DAY];
    uint64_t files, bytes;
    bool is_said; /* that it is erased: tut_bodies_say */
} tut_bodies_old;
/* The oldest day whose time is over; an empty name: none. */
TUT_MUST tut_status tut_bodies_find_old(const char *dir, tut_time now, unsigned retention_days,
                                        tut_bodies_old *ret, tut_error *err);
/* The log has it that this day is erased: it is not told again, should that be cut short. */
TUT_MUST tut_status tut_bodies_say(const char *dir, const tut_bodies_old *old, tut_error *err);
/* The key first, then the files. */
TUT_MUST tut_status tut_bodies_erase(const char *dir, const tut_keystore *keys, const char *day,
                                     tut_error *err);

/* For the parts of this module, and their tests: a record of a file in memory or on the disk. */
enum { TUT_BODIES_HEAD = 8 + 8 + 32, TUT_BODIES_TAG = 16 };
TUT_MUST tut_status tut_bodies_day_of(tut_time at, char ret_day[TUT_BODIES_DAY], tut_error *err);
TUT_MUST tut_status tut_bodies_open(const uint8_t day_secret[TUT_PERIOD_SECRET],
                                    const uint8_t head[TUT_BODIES_HEAD], uint64_t number,
                                    tut_span record, tut_bodies_pair *pair, tut_buf *request,
                                    tut_buf *answer, tut_error *err);

#endif
