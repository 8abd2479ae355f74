/* What a pack holds of what is kept beside a log: as in the log's directory (ledger/beside.h). */
#ifndef TUT_PACK_VERIFY_BESIDE_H
#define TUT_PACK_VERIFY_BESIDE_H

#include "ledger/beside.h"
#include "pack/archive.h"

tut_beside tut_pack_beside(const tut_archive *archive);
/* Whether a member's name ("log/witness/1b0e4f7a") is one that something kept beside a log has. */
bool tut_pack_is_kept(const char *name);

#endif
