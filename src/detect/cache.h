/*
 * Verdicts of texts that were scored before: a conversation comes again whole with each of its
 * turns, and its documents with each question. A table of fixed size; what is looked for is SipHash
 * (2-4, 128 bits) of the text and its role under a key that the process draws, so that nobody who
 * sends texts can make two collide. Of one thread.
 */
#ifndef TUT_DETECT_CACHE_H
#define TUT_DETECT_CACHE_H

#include "detect/detect.h"

typedef struct tut_detect_tag {
    uint64_t words[2];
} tut_detect_tag;

/* IO when the system has no random bytes for the key. */
TUT_MUST tut_status tut_detect_cache_new(tut_detect_cache **ret_cache, tut_error *err);
void tut_detect_cache_free(tut_detect_cache *c);
TUT_DEFINE_AUTO(tut_detect_cache)

/* True: the verdict was known. The tag is for tut_detect_cache_put. */
bool tut_detect_cache_find(tut_detect_cache *c, tut_detect_role role, tut_str text,
                           tut_detect_tag *ret_tag, tut_detect_verdict *ret_verdict);
void tut_detect_cache_put(tut_detect_cache *c, const tut_detect_tag *tag,
                          const tut_detect_verdict *verdict);

/* SipHash-2-4 with 128 bits of output, after Aumasson and Bernstein (2012). */
void tut_detect_siphash(const uint64_t key[2], tut_str text, uint64_t salt,
                        tut_detect_tag *ret_tag);

#endif
