/* Cosignatures kept beside the log; see witness_ask.h. */
#ifndef TUT_LEDGER_WITNESS_KEEP_H
#define TUT_LEDGER_WITNESS_KEEP_H

#include "crypto/note.h"

/* The size of the checkpoint that this witness last cosigned, by its own signature; 0 when nothing
 * sound is kept. */
uint64_t tut_witness_kept_size(const char *dir, const tut_verifier *witness);
/* `lines` are good cosignatures of the witness on this checkpoint. Both files are durable on
 * return. */
TUT_MUST tut_status tut_witness_keep(const char *dir, const tut_verifier *witness,
                                     tut_str checkpoint, tut_str lines, tut_error *err);

#endif
