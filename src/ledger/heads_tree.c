/* The tree over the heads: every level is kept, so that a changed head costs its path alone. A node
 * without a right neighbour moves up as it is, which gives the tree of RFC 6962. */
#include <stdlib.h>

#include "ledger/heads_internal.h"

static void leaf_of(const tut_head *head, tut_sha256 *ret)
{
    uint8_t bytes[TUT_SHA256_BYTES + 8 + TUT_SHA256_BYTES];
    memcpy(bytes, head->key.bytes, TUT_SHA256_BYTES);
    for (unsigned i = 0; i < 8; i++)
        bytes[TUT_SHA256_BYTES + i] = (uint8_t)(head->count >> (56 - 8 * i));
    memcpy(bytes + TUT_SHA256_BYTES + 8, head->chain.bytes, TUT_SHA256_BYTES);
    tut_merkle_leaf(tut_span_of(bytes, sizeof(bytes)), ret);
}

static void node_of(const tut_heads_level *below, size_t at, tut_sha256 *ret)
{
    size_t left = 2 * at;
    if (left + 1 < below->len)
        tut_merkle_node(&below->hashes[left], &below->hashes[left + 1], ret);
    else
        *ret = below->hashes[left];
}

static tut_status make_room(tut_heads *h, tut_error *err)
{
    size_t len = h->count;
    for (size_t i = 0; i < TUT_HEADS_LEVELS; i++) {
        tut_heads_level *level = &h->levels[i];
        if (len > level->capacity) {
            size_t capacity = len + len / 2;
            tut_sha256 *grown = tut_realloc_array(level->hashes, capacity, sizeof(*grown));
            if (!grown)
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            level->hashes = grown;
            level->capacity = capacity;
        }
        level->len = len;
        if (len <= 1)
            return TUT_SUCCESS;
        len = (len + 1) / 2;
    }
    return tut_fail(err, TUT_BUG, "more heads than the limit");
}

/* --- the order of keys --- */

static int by_key(const void *a, const void *b, void *items)
{
    const tut_head *heads = items;
    return memcmp(heads[*(const uint32_t *)a].key.bytes, heads[*(const uint32_t *)b].key.bytes,
                  TUT_SHA256_BYTES);
}

static int compare(const tut_heads *h, uint32_t a, uint32_t b)
{
    return memcmp(h->items[a].key.bytes, h->items[b].key.bytes, TUT_SHA256_BYTES);
}

/* Sorts the new items behind the placed ones, then merges from the end. */
static tut_status place(tut_heads *h, tut_error *err)
{
    size_t fresh = h->count - h->placed;
    if (h->count > h->order_capacity) {
        size_t capacity = h->count + h->count / 2;
        uint32_t *grown = tut_realloc_array(h->order, capacity, sizeof(*grown));
        if (!grown)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        h->order = grown;
        h->order_capacity = capacity;
    }
    TUT_AUTO_FREE uint32_t *added = tut_alloc_array(fresh, sizeof(*added));
    if (!added)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < fresh; i++)
        added[i] = (uint32_t)(h->placed + i);
    qsort_r(added, fresh, sizeof(*added), by_key, h->items);
    size_t old = h->placed;
    size_t to = h->count;
    while (fresh > 0) {
        bool is_old = old > 0 && compare(h, h->order[old - 1], added[fresh - 1]) > 0;
        h->order[--to] = is_old ? h->order[--old] : added[--fresh];
    }
    h->placed = h->count;
    return TUT_SUCCESS;
}

static tut_status rebuild(tut_heads *h, tut_error *err)
{
    TUT_TRY(make_room(h, err));
    if (h->placed < h->count)
        TUT_TRY(place(h, err));
    for (size_t i = 0; i < h->count; i++) {
        tut_head *head = &h->items[h->order[i]];
        head->position = (uint32_t)i;
        head->is_touched = false;
        leaf_of(head, &h->levels[0].hashes[i]);
    }
    for (size_t level = 1; h->levels[level - 1].len > 1; level++)
        for (size_t i = 0; i < h->levels[level].len; i++)
            node_of(&h->levels[level - 1], i, &h->levels[level].hashes[i]);
    h->touched_count = 0;
    return TUT_SUCCESS;
}

/* --- few changes --- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Positions are halved level by level; neighbours become one. */
static void refresh(tut_heads *h)
{
    uint32_t *positions = h->touched;
    size_t count = h->touched_count;
    for (size_t i = 0; i < count; i++) {
        tut_head *head = &h->items[h->touched[i]];
        head->is_touched = false;
        leaf_of(head, &h->levels[0].hashes[head->position]);
        positions[i] = head->position;
    }
    qsort(positions, count, sizeof(*positions), by_number);
    for (size_t level = 1; h->levels[level - 1].len > 1; level++) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t parent = positions[i] / 2;
            if (kept > 0 && positions[kept - 1] == parent)
                continue;
            node_of(&h->levels[level - 1], parent, &h->levels[level].hashes[parent]);
            positions[kept++] = parent;
        }
        count = kept;
    }
    h->touched_count = 0;
}

tut_status tut_heads_root(tut_heads *h, tut_sha256 *ret_root, tut_error *err)
{
    if (h->count == 0) {
        tut_merkle_empty(ret_root);
        return TUT_SUCCESS;
    }
    if (h->placed < h->count || h->touched_count > h->count / 8)
        TUT_TRY(rebuild(h, err));
    else if (h->touched_count > 0)
        refresh(h);
    size_t top = 0;
    while (h->levels[top].len > 1)
        top++;
    *ret_root = h->levels[top].hashes[0];
    return TUT_SUCCESS;
}

void tut_heads_each(const tut_heads *h, tut_heads_visit visit, void *ctx)
{
    for (size_t i = 0; i < h->placed; i++) {
        const tut_head *head = &h->items[h->order[i]];
        visit(ctx, &head->key, head->count, &head->chain);
    }
}
