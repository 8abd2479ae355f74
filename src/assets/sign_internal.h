/* Shared by signing and verifying. */
#ifndef TUT_ASSETS_SIGN_INTERNAL_H
#define TUT_ASSETS_SIGN_INTERNAL_H

#include "assets/manifest_internal.h"
#include "assets/sign.h"
#include "crypto/oms_internal.h"

/* What OMS leaves out at the top of a model unless told otherwise. */
enum { TUT_SIGN_EXCLUDED = 4 };
extern const char *const tut_sign_excluded[TUT_SIGN_EXCLUDED];

/* Compares the files below `path` with what a statement lists; mismatches go to the result.
 * `signature` is left out, as is what the statement and OMS leave out. */
TUT_MUST tut_status tut_verify_files(const char *path, const tut_oms_statement *s,
                                     const char *signature, const tut_verify_options *options,
                                     tut_verify_result *result, tut_error *err);
TUT_MUST tut_status tut_verify_reason(tut_verify_result *r, tut_error *err, const char *fmt, ...)
    TUT_PRINTF(3, 4);
TUT_MUST tut_status tut_verify_remark(tut_verify_result *r, tut_error *err, const char *fmt, ...)
    TUT_PRINTF(3, 4);

#endif
