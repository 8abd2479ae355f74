/* What the files of the verifier share. */
#ifndef TUT_PACK_VERIFY_INTERNAL_H
#define TUT_PACK_VERIFY_INTERNAL_H

#include "pack/archive.h"
#include "pack/image.h"
#include "pack/manifest.h"
#include "pack/verify.h"

typedef struct tut_verifying {
    tut_pack_result *result;
    const tut_pack_trust *trust;
    tut_time now;
    tut_archive archive;
    tut_arena arena; /* text of the manifest */
    tut_pack_manifest manifest;
    tut_ledger_source source;
    tut_pack_image image;
    tut_records *records; /* that decide the verdict */
    tut_assessment *then;
    tut_buf incomplete; /* what is wrong with what the verdict says to go by */
    bool has_log;
    tut_error *err;
} tut_verifying;

/* Adds a check: it holds when `wrong` is empty, and then `sound` is its line. */
TUT_MUST tut_status tut_pack_conclude(tut_verifying *v, const char *name, const tut_buf *wrong,
                                      const char *sound, ...) TUT_PRINTF(4, 5);
/* Names a file that is not what it should be; the first stays. */
TUT_MUST tut_status tut_pack_differs(tut_verifying *v, const char *name);
/* Only what is ours to fail at goes up: NOMEM, CANCELLED, BUG. Anything else is appended to
 * `wrong`. */
TUT_MUST tut_status tut_pack_take_failure(tut_verifying *v, tut_status status, const tut_error *why,
                                          tut_buf *wrong);

/* verify_files.c: sums, manifest */
TUT_MUST tut_status tut_pack_check_sums(tut_verifying *v);
TUT_MUST tut_status tut_pack_check_manifest(tut_verifying *v);
/* verify_log.c: the log; then tiles, built, complete. has_log says whether there is one. */
TUT_MUST tut_status tut_pack_check_log(tut_verifying *v);
/* verify_verdict.c: bodies, proofs, verdict, reports; what has expired since */
TUT_MUST tut_status tut_pack_check_verdict(tut_verifying *v);
/* verify_findings.c: what tests came to, as of the verdict */
TUT_MUST tut_status tut_pack_list_findings(tut_verifying *v);

#endif
