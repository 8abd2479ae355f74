/*
 * `pack build`: the evidence log, what it rests on, the verdict at a time and everything that the
 * verdict was drawn from, as one archive (docs/pack.md).
 *
 * That the pack was built is recorded first (event "pack.built", whose subject is the digest of the
 * manifest), so that the log vouches for the manifest. A manifest that was recorded before is not
 * recorded again: the same pack may be written anew, with what witnesses and time-stamp authorities
 * said meanwhile.
 */
#ifndef TUT_PACK_BUILD_H
#define TUT_PACK_BUILD_H

#include "base/status.h"
#include "base/time.h"
#include "crypto/digest.h"

typedef struct tut_pack_options {
    const char *state_dir;
    const char *path;             /* of the archive */
    tut_time at;                  /* of the verdict */
    const char *by;               /* who builds it; NULL: nobody says so */
    const struct tut_key *signer; /* of that person; NULL: the name only */
} tut_pack_options;

typedef struct tut_pack_built {
    uint64_t entry; /* of the event that names the manifest */
    bool is_new;    /* it was recorded now */
    tut_sha256 manifest;
    uint64_t log_size; /* of the checkpoint in the pack */
    size_t files, evidence, withheld;
    char grade; /* 0: none */
} tut_pack_built;

/* USAGE when nothing was recorded by then, or what was does not describe a system; STORE when the
 * log does not verify: a pack of it would be worth nothing. */
TUT_MUST tut_status tut_pack_build(const tut_pack_options *options, tut_pack_built *ret,
                                   tut_error *err);

#endif
