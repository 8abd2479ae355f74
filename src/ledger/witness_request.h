/*
 * The body of add-checkpoint (C2SP tlog-witness), both ways:
 *
 *   old SIZE LF, 0 to 63 base64 hashes with LF each, LF, a signed checkpoint
 */
#ifndef TUT_LEDGER_WITNESS_REQUEST_H
#define TUT_LEDGER_WITNESS_REQUEST_H

#include "base/buf.h"
#include "crypto/digest.h"

enum { TUT_WITNESS_PROOF_MAX = 63 };

typedef struct tut_witness_request {
    uint64_t old_size;
    tut_sha256 proof[TUT_WITNESS_PROOF_MAX];
    size_t proof_count;
    tut_str checkpoint; /* the signed note; borrowed */
} tut_witness_request;

TUT_MUST tut_status tut_witness_request_read(tut_span body, tut_witness_request *ret_request,
                                             tut_error *err);
TUT_MUST tut_status tut_witness_request_write(const tut_witness_request *request, tut_buf *out,
                                              tut_error *err);
/* A size in decimal as these formats have it: no sign, no leading zero. */
bool tut_witness_size(tut_str text, uint64_t *ret_size);

#endif
