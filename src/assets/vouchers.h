/*
 * Whose word from outside is taken for the log: policy.witnesses (C2SP tlog-policy) and
 * policy.timestamp_ca (PEM roots of time-stamp authorities) of tutela.yaml, or files that a user
 * names instead.
 */
#ifndef TUT_ASSETS_VOUCHERS_H
#define TUT_ASSETS_VOUCHERS_H

#include "assets/system.h"
#include "crypto/tsp.h"
#include "ledger/witness_policy.h"

typedef enum tut_voucher {
    TUT_VOUCHER_WITNESSES,
    TUT_VOUCHER_AUTHORITIES,
    TUT_VOUCHER_COUNT
} tut_voucher;

typedef struct tut_vouchers {
    tut_witness_policy *policy;       /* NULL: none is named */
    tut_tsp_trust *trust;             /* likewise */
    tut_buf bytes[TUT_VOUCHER_COUNT]; /* of the files; empty for those that are not named */
} tut_vouchers;

void tut_vouchers_done(tut_vouchers *v);
/* Takes what these bytes say in place of what was there; `path` is for errors. */
TUT_MUST tut_status tut_vouchers_take(tut_vouchers *v, tut_voucher which, tut_span bytes,
                                      const char *path, tut_error *err);
/* A file that a user names. */
TUT_MUST tut_status tut_vouchers_read(tut_vouchers *v, tut_voucher which, const char *path,
                                      tut_error *err);
/* The file that the description names, below its directory, unless something was taken before.
 * Nothing when it names none. */
TUT_MUST tut_status tut_vouchers_of(tut_vouchers *v, tut_voucher which, const tut_system *system,
                                    tut_error *err);
/* The file that the description names, or empty. */
tut_str tut_voucher_file(const tut_system *system, tut_voucher which);

#endif
