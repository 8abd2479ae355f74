/*
 * RFC 6962 / RFC 9162 Merkle trees over SHA-256: leaf SHA-256(00 || entry), node SHA-256(01 || L ||
 * R), empty tree SHA-256(""). Pure functions and a compact range; no storage.
 */
#ifndef TUT_CRYPTO_MERKLE_H
#define TUT_CRYPTO_MERKLE_H

#include "crypto/digest.h"

enum { TUT_MERKLE_LEVELS = 64, TUT_MERKLE_PROOF_MAX = 64 };

/* Checks once that SHA-256 gives the right digest; nothing below can fail. Any thread. */
TUT_MUST tut_status tut_merkle_start(tut_error *err);
void tut_merkle_leaf(tut_span entry, tut_sha256 *ret);
void tut_merkle_node(const tut_sha256 *left, const tut_sha256 *right, tut_sha256 *ret);
void tut_merkle_empty(tut_sha256 *ret);

/* The right border of a tree of `size` leaves: one hash per set bit of size, level 0 first where
 * set. Appending is O(1) amortised. */
typedef struct tut_merkle_range {
    uint64_t size;
    tut_sha256 hashes[TUT_MERKLE_LEVELS]; /* hashes[level] is used iff bit `level` of size is set */
} tut_merkle_range;

/* Afterwards, for each level up to the number of size's trailing zero bits, hashes[level] is the
 * node over the last 2^level leaves (what a tile wants of a subtree that was just completed). */
void tut_merkle_range_add(tut_merkle_range *range, const tut_sha256 *leaf);
void tut_merkle_range_root(const tut_merkle_range *range, tut_sha256 *ret_root);

/* Verification as in RFC 9162 2.1.3.2 and 2.1.4.2: CRYPTO with the reason. */
TUT_MUST tut_status tut_merkle_check_inclusion(const tut_sha256 *leaf, uint64_t index,
                                               uint64_t size, const tut_sha256 *proof,
                                               size_t proof_count, const tut_sha256 *root,
                                               tut_error *err);
TUT_MUST tut_status tut_merkle_check_consistency(uint64_t old_size, uint64_t new_size,
                                                 const tut_sha256 *proof, size_t proof_count,
                                                 const tut_sha256 *old_root,
                                                 const tut_sha256 *new_root, tut_error *err);
/* Root over hashes that are leaves already. */
void tut_merkle_root_of(const tut_sha256 *leaves, size_t count, tut_sha256 *ret_root);

#endif
