/* Whose word is taken for the log: the files of --policy and --ca, else those of tutela.yaml. */
#ifndef TUT_CMD_VOUCHING_H
#define TUT_CMD_VOUCHING_H

#include "assets/vouchers.h"
#include "cmd/command.h"

/* Those that are given as options. */
TUT_MUST tut_status tut_vouching_given(const tut_args *args, tut_vouchers *v, tut_error *err);
/* Then those of the description. A state without one (--state) has no others. */
TUT_MUST tut_status tut_vouching_described(const tut_args *args, tut_vouchers *v, tut_error *err);
/* Both, of one kind. */
TUT_MUST tut_status tut_vouching_one(const tut_args *args, tut_voucher which, tut_vouchers *v,
                                     tut_error *err);

#endif
