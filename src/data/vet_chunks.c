#include "data/vet_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* --- folders --- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const vet_member *)a)->path, ((const vet_member *)b)->path);
}

/* Of sorted paths the first and the last differ the soonest. */
static size_t common_folder(const vet_member *members, size_t count)
{
    const char *first = members[0].path, *last = members[count - 1].path;
    size_t at = 0, folder = 0;
    for (; first[at] && first[at] == last[at]; at++)
        if (first[at] == '/')
            folder = at + 1;
    return folder;
}

void vet_chunks_folder(vet_member *members, size_t count, tut_sha256 *ret_root)
{
    tut_merkle_range range = {0};
    if (count > 0)
        qsort(members, count, sizeof(*members), by_path);
    size_t skip = count > 0 ? common_folder(members, count) : 0;
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
        tut_sha256 leaf;
        tut_buf_add(&entry, members[i].path + skip, strlen(members[i].path + skip) + 1);
        tut_buf_add(&entry, members[i].root.bytes, sizeof(members[i].root.bytes));
        tut_merkle_leaf(tut_buf_span(&entry), &leaf);
        tut_merkle_range_add(&range, &leaf);
    }
    tut_merkle_range_root(&range, ret_root);
}

/* --- two versions --- */

static int by_leaf(const void *a, const void *b)
{
    const tut_chunk *left = *(const tut_chunk *const *)a, *right = *(const tut_chunk *const *)b;
    int order = memcmp(left->leaf.bytes, right->leaf.bytes, TUT_SHA256_BYTES);
    return order ? order : left->start < right->start ? -1 : left->start > right->start;
}

static const tut_chunk **sorted(const tut_chunks *c)
{
    const tut_chunk **list = tut_alloc_array(c->count + 1, sizeof(*list));
    if (!list)
        return NULL;
    for (uint64_t i = 0; i < c->count; i++)
        list[i] = &c->items[i];
    if (c->count > 0)
        qsort(list, c->count, sizeof(*list), by_leaf);
    return list;
}

/* Neighbours become one range. */
static void put_range(tut_vet_side *s, const tut_chunk *c, uint64_t *end)
{
    s->chunks++;
    s->bytes += c->size;
    if (s->ranges > 0 && *end == c->start) {
        if (s->ranges <= TUT_VET_CHANGED)
            s->shown[s->ranges - 1].end = c->start + c->size;
    } else {
        if (s->ranges < TUT_VET_CHANGED)
            s->shown[s->ranges] = (tut_vet_range){c->start, c->start + c->size};
        s->ranges++;
    }
    *end = c->start + c->size;
}

static void settle(const tut_chunks *c, const bool *is_shared, tut_vet_side *s)
{
    uint64_t end = 0;
    for (uint64_t i = 0; i < c->count; i++)
        if (!is_shared[i])
            put_range(s, &c->items[i], &end);
}

tut_status vet_chunks_compare(const tut_chunks *now, const tut_chunks *then, tut_vet_bytes *ret,
                              tut_error *err)
{
    TUT_AUTO_FREE const tut_chunk **new = sorted(now);
    TUT_AUTO_FREE const tut_chunk **old = sorted(then);
    TUT_AUTO_FREE bool *in_new = tut_alloc_array(now->count + 1, sizeof(*in_new));
    TUT_AUTO_FREE bool *in_old = tut_alloc_array(then->count + 1, sizeof(*in_old));
    if (!new || !old || !in_new || !in_old)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = (tut_vet_bytes){.is_known = true};
    for (uint64_t i = 0, k = 0; i < now->count && k < then->count;) {
        int order = memcmp(new[i]->leaf.bytes, old[k]->leaf.bytes, TUT_SHA256_BYTES);
        if (order == 0) {
            ret->kept++;
            ret->kept_bytes += new[i]->size;
            in_new[new[i] - now->items] = in_old[old[k] - then->items] = true;
        }
        i += order <= 0;
        k += order >= 0;
    }
    settle(now, in_new, &ret->added);
    settle(then, in_old, &ret->removed);
    ret->is_moved = ret->added.chunks == 0 && ret->removed.chunks == 0 &&
                    !tut_sha256_eq(&now->root, &then->root);
    return TUT_SUCCESS;
}
