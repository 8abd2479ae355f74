/*
 * The low-level SHA-256 of OpenSSL, not EVP: it cannot fail, needs no context that threads would
 * have to share out, and takes a quarter less time for a node (measured with SHA-NI). It is
 * deprecated in OpenSSL 3 but part of its interface; this is the only file that uses it.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

#include "crypto/merkle.h"

static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

tut_status tut_merkle_start(tut_error *err)
{
    static const char want[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    tut_sha256 empty;
    char hex[TUT_SHA256_HEX];
    tut_merkle_empty(&empty);
    tut_sha256_hex(&empty, hex);
    if (memcmp(hex, want, sizeof(want)) != 0)
        return tut_fail(err, TUT_CRYPTO, "SHA-256 of OpenSSL does not give the right digest");
    return TUT_SUCCESS;
}

void tut_merkle_leaf(tut_span entry, tut_sha256 *ret)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, &leaf_prefix, 1);
    if (entry.len)
        SHA256_Update(&ctx, entry.data, entry.len);
    SHA256_Final(ret->bytes, &ctx);
}

void tut_merkle_node(const tut_sha256 *left, const tut_sha256 *right, tut_sha256 *ret)
{
    uint8_t message[1 + 2 * TUT_SHA256_BYTES];
    SHA256_CTX ctx;
    message[0] = node_prefix;
    memcpy(message + 1, left->bytes, TUT_SHA256_BYTES);
    memcpy(message + 1 + TUT_SHA256_BYTES, right->bytes, TUT_SHA256_BYTES);
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, message, sizeof(message));
    SHA256_Final(ret->bytes, &ctx);
}

void tut_merkle_empty(tut_sha256 *ret)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Final(ret->bytes, &ctx);
}

void tut_merkle_range_add(tut_merkle_range *range, const tut_sha256 *leaf)
{
    tut_sha256 carry = *leaf;
    unsigned level = 0;
    for (uint64_t size = range->size; size & 1; size >>= 1) {
        tut_sha256 up;
        tut_merkle_node(&range->hashes[level], &carry, &up);
        range->hashes[level++] = carry;
        carry = up;
    }
    range->hashes[level] = carry;
    range->size++;
}

void tut_merkle_range_root(const tut_merkle_range *range, tut_sha256 *ret_root)
{
    bool is_begun = false;
    tut_sha256 root;
    tut_merkle_empty(&root);
    for (unsigned level = 0; level < TUT_MERKLE_LEVELS; level++) {
        if (!(range->size >> level & 1))
            continue;
        if (is_begun)
            tut_merkle_node(&range->hashes[level], &root, &root);
        else
            root = range->hashes[level];
        is_begun = true;
    }
    *ret_root = root;
}

void tut_merkle_root_of(const tut_sha256 *leaves, size_t count, tut_sha256 *ret_root)
{
    tut_merkle_range range = {0};
    for (size_t i = 0; i < count; i++)
        tut_merkle_range_add(&range, &leaves[i]);
    tut_merkle_range_root(&range, ret_root);
}

tut_status tut_merkle_check_inclusion(const tut_sha256 *leaf, uint64_t index, uint64_t size,
                                      const tut_sha256 *proof, size_t proof_count,
                                      const tut_sha256 *root, tut_error *err)
{
    if (index >= size)
        return tut_fail(err, TUT_CRYPTO, "entry %llu is not in a tree of %llu",
                        (unsigned long long)index, (unsigned long long)size);
    uint64_t at = index, last = size - 1;
    tut_sha256 r = *leaf;
    for (size_t i = 0; i < proof_count; i++) {
        if (last == 0)
            return tut_fail(err, TUT_CRYPTO, "the inclusion proof is too long");
        if ((at & 1) || at == last) {
            tut_merkle_node(&proof[i], &r, &r);
            for (; !(at & 1) && at != 0; at >>= 1)
                last >>= 1;
        } else {
            tut_merkle_node(&r, &proof[i], &r);
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return tut_fail(err, TUT_CRYPTO, "the inclusion proof is too short");
    if (!tut_sha256_eq(&r, root))
        return tut_fail(err, TUT_CRYPTO, "the inclusion proof does not lead to the root");
    return TUT_SUCCESS;
}

/* The walk of RFC 9162 2.1.4.2 from step 4 on: both roots grow out of the same hashes. */
static tut_status walk_consistency(uint64_t at, uint64_t last, tut_sha256 first,
                                   const tut_sha256 *proof, size_t proof_count,
                                   const tut_sha256 *old_root, const tut_sha256 *new_root,
                                   tut_error *err)
{
    tut_sha256 old_r = first, new_r = first;
    for (size_t i = 0; i < proof_count; i++) {
        if (last == 0)
            return tut_fail(err, TUT_CRYPTO, "the consistency proof is too long");
        if ((at & 1) || at == last) {
            tut_merkle_node(&proof[i], &old_r, &old_r);
            tut_merkle_node(&proof[i], &new_r, &new_r);
            for (; !(at & 1) && at != 0; at >>= 1)
                last >>= 1;
        } else {
            tut_merkle_node(&new_r, &proof[i], &new_r);
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return tut_fail(err, TUT_CRYPTO, "the consistency proof is too short");
    if (!tut_sha256_eq(&old_r, old_root))
        return tut_fail(err, TUT_CRYPTO, "the consistency proof does not lead to the old root");
    if (!tut_sha256_eq(&new_r, new_root))
        return tut_fail(err, TUT_CRYPTO, "the consistency proof does not lead to the new root");
    return TUT_SUCCESS;
}

/* From nothing to anything, or no growth: there is nothing to prove. */
static tut_status check_trivial(uint64_t old_size, uint64_t new_size, size_t proof_count,
                                const tut_sha256 *old_root, const tut_sha256 *new_root,
                                tut_error *err)
{
    tut_sha256 empty;
    tut_merkle_empty(&empty);
    if (proof_count != 0)
        return tut_fail(err, TUT_CRYPTO, "the consistency proof is too long");
    if (old_size == 0 && !tut_sha256_eq(old_root, &empty))
        return tut_fail(err, TUT_CRYPTO, "the old root is not that of an empty tree");
    if (old_size == new_size && !tut_sha256_eq(old_root, new_root))
        return tut_fail(err, TUT_CRYPTO, "there are two roots for one size");
    return TUT_SUCCESS;
}

tut_status tut_merkle_check_consistency(uint64_t old_size, uint64_t new_size,
                                        const tut_sha256 *proof, size_t proof_count,
                                        const tut_sha256 *old_root, const tut_sha256 *new_root,
                                        tut_error *err)
{
    if (old_size > new_size)
        return tut_fail(err, TUT_CRYPTO, "a tree of %llu cannot have grown to one of %llu",
                        (unsigned long long)old_size, (unsigned long long)new_size);
    if (old_size == new_size || old_size == 0)
        return check_trivial(old_size, new_size, proof_count, old_root, new_root, err);
    uint64_t at = old_size - 1, last = new_size - 1;
    for (; at & 1; at >>= 1)
        last >>= 1;
    /* An old tree that is one perfect subtree is left out of the proof: it is the old root. */
    if (at == 0)
        return walk_consistency(at, last, *old_root, proof, proof_count, old_root, new_root, err);
    if (proof_count == 0)
        return tut_fail(err, TUT_CRYPTO, "the consistency proof is too short");
    return walk_consistency(at, last, proof[0], proof + 1, proof_count - 1, old_root, new_root,
                            err);
}
