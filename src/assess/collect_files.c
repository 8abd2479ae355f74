/* Which file belongs to which asset: the same matching that made the inventory. */
#include <stdlib.h>

#include "assess/collect_internal.h"
#include "assets/match.h"

static int compare(const void *a, const void *b)
{
    const tut_file_report *const *x = a;
    const tut_file_report *const *y = b;
    return strcmp((*x)->rel, (*y)->rel);
}

static size_t item_of_declared(const tut_inventory *inv, const tut_asset *asset)
{
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].declared == asset)
            return i;
    return SIZE_MAX;
}

static size_t item_of_path(const tut_inventory *inv, const char *rel)
{
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].state == TUT_ASSET_UNDECLARED &&
            tut_path_covers(tut_str_of(inv->items[i].path), rel))
            return i;
    return SIZE_MAX;
}

static void assign(tut_collection *c, const size_t *leader)
{
    const tut_found_file *files = c->found->files;
    for (size_t i = 0; i < c->found->count; i++) {
        c->item_of[i] = SIZE_MAX;
        if (tut_match_is_detached(&files[i]))
            continue;
        const tut_asset *asset = tut_match_declared(c->system, files[i].rel);
        if (!asset)
            asset = tut_match_declared(c->system, files[leader[i]].rel);
        c->item_of[i] = asset ? item_of_declared(c->inventory, asset)
                              : item_of_path(c->inventory, files[leader[i]].rel);
    }
}

tut_status tut_collection_assign(tut_collection *c)
{
    size_t count = c->found->count;
    TUT_AUTO_FREE size_t *code_dirs = tut_alloc_array(count + 1, sizeof(*code_dirs));
    TUT_AUTO_FREE size_t *leader = tut_alloc_array(count + 1, sizeof(*leader));
    c->reports = tut_alloc_array(count + 1, sizeof(*c->reports));
    c->item_of = tut_alloc_array(count + 1, sizeof(*c->item_of));
    if (!code_dirs || !leader || !c->reports || !c->item_of)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        c->reports[i] = &c->scan->files[i];
    if (count)
        qsort(c->reports, count, sizeof(*c->reports), compare);
    tut_match_code_dirs(c->found->files, count, code_dirs);
    tut_match_groups(c->found->files, count, code_dirs, leader);
    assign(c, leader);
    return TUT_SUCCESS;
}

bool tut_collection_is_unread(const tut_collection *c, size_t file)
{
    const tut_file_report *r = c->reports[file];
    size_t item = c->item_of[file];
    if (item != SIZE_MAX && c->inventory->items[item].has_digest && r->has_digest)
        return false; /* the asset's own evidence speaks of it */
    if (tut_path_is_ignored(c->system, r->rel))
        return false;
    return r->status == TUT_SCAN_ERROR || (item == SIZE_MAX && r->status == TUT_SCAN_INCOMPLETE) ||
           (item != SIZE_MAX && !r->has_digest);
}
