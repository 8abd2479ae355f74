/*
 * What was found in a file, kept for the next scan of the same bytes by the same rules, program and
 * options: one small file an entry below $XDG_CACHE_HOME/tutela/scan. It spares time and proves
 * nothing: `assess` reads anew.
 *
 * A hit needs the bytes to be those of then: by the file's identity, size and times where these lie
 * so far back that a change would have moved them, else by its digest, computed again. Kept is only
 * what was read to its end, at depth content, without files beside it. An entry has a checksum
 * against damage; against other users there is the check of owner and mode (whoever is this user
 * can as well change the program). What does not fit is as if it were not there.
 */
#ifndef TUT_SCAN_VERDICT_CACHE_H
#define TUT_SCAN_VERDICT_CACHE_H

#include "assets/manifest.h"
#include "base/buf.h"
#include "base/source.h"
#include "crypto/digest.h"

typedef struct tut_verdict_cache {
    char *dir;       /* NULL: there is none */
    tut_sha256 rule; /* of the rules in force, the program and the options: part of every key */
    tut_clock_ns started;
} tut_verdict_cache;

typedef struct tut_verdict_entry {
    tut_sha256 key;
    tut_stamp stamp;
    tut_sha256 digest; /* of the file */
    tut_span reply;    /* of the worker */
} tut_verdict_entry;

enum { TUT_VERDICT_LEAST_BYTES = 16 << 10, TUT_VERDICT_REPLY_MAX = 64 << 10 };

void tut_verdict_cache_open(tut_verdict_cache *c, const tut_sha256 *rule);
void tut_verdict_cache_done(tut_verdict_cache *c);
/* Appends the worker's reply about these bytes, or false. */
bool tut_verdict_cache_find(const tut_verdict_cache *c, tut_str rel, int fd, const tut_stamp *stamp,
                            tut_buf *reply);
/* Keeps a reply, where it may be kept; failures are no matter. */
void tut_verdict_cache_keep(const tut_verdict_cache *c, tut_str rel, const tut_stamp *stamp,
                            const tut_sha256 *digest, tut_span reply);

/* --- for tests and fuzzing --- */
void tut_verdict_entry_encode(const tut_verdict_entry *e, tut_buf *out);
/* The reply is borrowed from the bytes. */
TUT_MUST tut_status tut_verdict_entry_decode(tut_span bytes, tut_verdict_entry *ret_entry);

#endif
