/* A socket that listens, by what a user writes. */
#ifndef TUT_LEDGER_WITNESS_LISTEN_H
#define TUT_LEDGER_WITNESS_LISTEN_H

#include "base/buf.h"

/* "HOST:PORT", "[IPV6]:PORT" or "unix:/path" (made 0600; a stale socket of nobody is replaced).
 * `url` gets where it can be reached. USAGE or IO. */
TUT_MUST tut_status tut_witness_listen(const char *where, int *ret_fd, tut_buf *url,
                                       tut_error *err);

#endif
