/* Somebody else's pack that something is to come of here: verified apart, refused where it proves
 * nothing or nobody known vouches for it. */
#ifndef TUT_PACK_GIVEN_H
#define TUT_PACK_GIVEN_H

#include "base/json.h"
#include "pack/verify.h"

typedef struct tut_pack_given {
    tut_sha256 digest; /* of the pack */
    tut_buf text;      /* tutela.pack/1 */
    tut_json_doc *doc;
    const tut_json_value *summary; /* of doc */
} tut_pack_given;

/* DENIED, with the path, when it does not verify, or rests on nothing but its own keys, or the
 * trust names no log; `owner` in words: "provider". `ret` is done with by the caller also then. */
TUT_MUST tut_status tut_pack_given_open(const char *path, const tut_pack_trust *trust,
                                        const char *owner, tut_time at, tut_pack_given *ret,
                                        tut_error *err);
void tut_pack_given_done(tut_pack_given *g);

#endif
