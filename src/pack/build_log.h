/* The log's part of a pack that is built. */
#ifndef TUT_PACK_BUILD_LOG_H
#define TUT_PACK_BUILD_LOG_H

#include "pack/draft.h"
#include "pack/image.h"

/* Every entry of a ledger's log, proved to be in the tree that was signed, as an image. USAGE when
 * nothing is recorded, LIMIT when there is too much. */
TUT_MUST tut_status tut_pack_read_log(tut_ledger *ledger, const tut_ledger_source *source,
                                      tut_pack_image *ret_image, tut_error *err);
/* The event that names this manifest, among the entries from `first` on. */
TUT_MUST tut_status tut_pack_find_built(tut_log *log, uint64_t first, const tut_sha256 *manifest,
                                        uint64_t *ret_entry, bool *ret_is_there, tut_error *err);
/* Checkpoint, tiles, what is kept beside the log, and the entries that the controls of `a` used
 * with their proofs; how many these are. */
TUT_MUST tut_status tut_pack_add_log(tut_log *log, const tut_assessment *a, tut_ledger *ledger,
                                     tut_draft *draft, size_t *ret_evidence, tut_error *err);
/* The key that has to have signed the checkpoint, as a verifier key and LF. */
TUT_MUST tut_status tut_pack_vkey(tut_log *log, const char *origin, tut_buf *out, tut_error *err);

#endif
