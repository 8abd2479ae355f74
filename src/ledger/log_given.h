/*
 * A log in memory, of entries that somebody gave us (an evidence pack): the same as one that was
 * opened for reading, without a directory. Whether a checkpoint signs its tree is the caller's to
 * compare, with tut_log_root.
 */
#ifndef TUT_LEDGER_LOG_GIVEN_H
#define TUT_LEDGER_LOG_GIVEN_H

#include "ledger/log.h"

/* bundles: `count` entries in the form of tlog-tiles (u16 length, bytes), and no byte more; copied.
 * checkpoint: the signed note that goes with them, or empty; copied. MALFORMED when the bundles are
 * not of that form. */
TUT_MUST tut_status tut_log_given(const char *origin, tut_span bundles, uint64_t count,
                                  tut_str checkpoint, tut_log **ret_log, tut_error *err);
/* The first `size` entries of a given log as a log of its own, without a checkpoint. */
TUT_MUST tut_status tut_log_given_cut(const tut_log *log, uint64_t size, tut_log **ret_log,
                                      tut_error *err);
/* A hash tile or bundle as a mirror would publish it: the bytes of `width` hashes of the level, or
 * (TUT_BUNDLE_LEVEL) entries. Of a given log; borrowed. */
tut_span tut_log_given_tile(const tut_log *log, int level, uint64_t n, unsigned width);

#endif
