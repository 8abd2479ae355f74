/* Roots of earlier trees and RFC 6962 proofs, from hashes that were proved themselves. */
#include <inttypes.h>

#include "ledger/log_internal.h"

/* The node over leaves index*2^level and on. */
static tut_status node_at(tut_log *log, unsigned level, uint64_t index, tut_sha256 *ret,
                          tut_error *err)
{
    unsigned within = level % 8;
    const tut_sha256 *hashes = NULL;
    TUT_TRY(tut_log_hashes(log, level / 8, index << within, &hashes, err));
    tut_merkle_root_of(hashes, (size_t)1 << within, ret);
    return TUT_SUCCESS;
}

/* MTH of leaves first..end-1, where first is a multiple of the least power of two that is not less
 * than end - first: its perfect subtrees, joined from the right. */
static tut_status subtree(tut_log *log, uint64_t first, uint64_t end, tut_sha256 *ret,
                          tut_error *err)
{
    bool is_begun = false;
    tut_sha256 root, node;
    tut_merkle_empty(&root);
    for (unsigned level = 0; level < TUT_MERKLE_LEVELS && first < end; level++) {
        if (!((end - first) >> level & 1))
            continue;
        uint64_t width = (uint64_t)1 << level;
        TUT_TRY(node_at(log, level, (end - width) >> level, &node, err));
        end -= width;
        if (is_begun)
            tut_merkle_node(&node, &root, &root);
        else
            root = node;
        is_begun = true;
    }
    *ret = root;
    return TUT_SUCCESS;
}

static tut_status check_size(const tut_log *log, uint64_t size, tut_error *err)
{
    if (size > log->range.size)
        return tut_fail(err, TUT_TRUNCATED, "the log has %" PRIu64 " entries, not %" PRIu64,
                        log->range.size, size);
    return TUT_SUCCESS;
}

tut_status tut_log_root_at(tut_log *log, uint64_t size, tut_sha256 *ret, tut_error *err)
{
    TUT_TRY(check_size(log, size, err));
    /* Without a base every level is in memory from its beginning. */
    if (size >= log->base.size && log->base.size > 0) {
        tut_merkle_range range;
        tut_log_memory_range(log, size, &range);
        tut_merkle_range_root(&range, ret);
        return TUT_SUCCESS;
    }
    return subtree(log, 0, size, ret, err);
}

/* The greatest power of two below n; n is at least 2. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static void reverse(tut_sha256 *proof, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        tut_sha256 swapped = proof[i];
        proof[i] = proof[count - 1 - i];
        proof[count - 1 - i] = swapped;
    }
}

tut_status tut_log_prove_inclusion(tut_log *log, uint64_t index, uint64_t size, tut_sha256 *proof,
                                   size_t *ret_count, tut_error *err)
{
    uint64_t first = 0, end = size;
    size_t count = 0;
    TUT_TRY(check_size(log, size, err));
    if (index >= size)
        return tut_fail(err, TUT_TRUNCATED, "a tree of %" PRIu64 " has no entry %" PRIu64, size,
                        index);
    while (end - first > 1) {
        uint64_t middle = first + split(end - first);
        if (index < middle) {
            TUT_TRY(subtree(log, middle, end, &proof[count++], err));
            end = middle;
        } else {
            TUT_TRY(subtree(log, first, middle, &proof[count++], err));
            first = middle;
        }
    }
    reverse(proof, count);
    *ret_count = count;
    return TUT_SUCCESS;
}

tut_status tut_log_prove_consistency(tut_log *log, uint64_t old_size, uint64_t new_size,
                                     tut_sha256 *proof, size_t *ret_count, tut_error *err)
{
    uint64_t first = 0, end = new_size;
    size_t count = 0;
    TUT_TRY(check_size(log, new_size, err));
    if (old_size > new_size)
        return tut_fail(err, TUT_TRUNCATED, "a tree of %" PRIu64 " has not grown to %" PRIu64,
                        old_size, new_size);
    if (old_size == 0) {
        *ret_count = 0;
        return TUT_SUCCESS;
    }
    while (end != old_size) {
        uint64_t middle = first + split(end - first);
        if (old_size <= middle) {
            TUT_TRY(subtree(log, middle, end, &proof[count++], err));
            end = middle;
        } else {
            TUT_TRY(subtree(log, first, middle, &proof[count++], err));
            first = middle;
        }
    }
    /* The old tree itself when it is one perfect subtree of the new one is known to who asks. */
    if (first != 0)
        TUT_TRY(subtree(log, first, end, &proof[count++], err));
    reverse(proof, count);
    *ret_count = count;
    return TUT_SUCCESS;
}
