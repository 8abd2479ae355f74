/*
 * Proofs as files that can be checked without the log.
 *
 * Inclusion, c2sp.org/tlog-proof:
 *   "c2sp.org/tlog-proof@v1" LF ["extra " base64 LF] "index " decimal LF (base64(hash) LF)* LF
 *   checkpoint
 * Consistency, the body of c2sp.org/tlog-witness add-checkpoint:
 *   "old " decimal LF (base64(hash) LF)* LF checkpoint
 */
#ifndef TUT_LEDGER_PROOF_H
#define TUT_LEDGER_PROOF_H

#include "crypto/merkle.h"
#include "crypto/note.h"

enum { TUT_PROOF_BYTES_MAX = TUT_NOTE_BYTES_MAX + (64 << 10) };

typedef struct tut_proof {
    bool is_consistency;
    uint64_t number; /* index of the entry, or the old size */
    tut_sha256 hashes[TUT_MERKLE_PROOF_MAX];
    size_t count;
    tut_str extra;      /* of an inclusion, as base64; borrowed; empty: none */
    tut_str checkpoint; /* the signed note; borrowed */
} tut_proof;

void tut_proof_write(const tut_proof *proof, tut_buf *out);
/* MALFORMED with the reason. Nothing authenticates what `extra` says. */
TUT_MUST tut_status tut_proof_parse(tut_str bytes, tut_proof *ret, tut_error *err);
/* The entry is in the tree that the proof's checkpoint is of, and one of these keys signed that.
 * ret_text (may be NULL) gets the parts of the checkpoint, borrowed from the proof. */
TUT_MUST tut_status tut_proof_check(const tut_proof *proof, tut_span entry,
                                    const tut_verifier *verifiers, size_t count,
                                    tut_checkpoint *ret_text, tut_error *err);
/* The checkpoint's tree is a continuation of the old one. */
TUT_MUST tut_status tut_proof_check_old(const tut_proof *proof, const tut_sha256 *old_root,
                                        const tut_verifier *verifiers, size_t count,
                                        tut_checkpoint *ret_text, tut_error *err);

#endif
