/* The reports of the scan in the order of the files that the inventory was built from. */
#include <stdlib.h>

#include "assess/collect_internal.h"
#include "assets/match.h"

static int compare(const void *a, const void *b)
{
    const tut_file_report *const *x = a;
    const tut_file_report *const *y = b;
    return strcmp((*x)->rel, (*y)->rel);
}

tut_status tut_collection_assign(tut_collection *c)
{
    size_t count = c->found->count;
    c->reports = tut_alloc_array(count + 1, sizeof(*c->reports));
    if (!c->reports)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        c->reports[i] = &c->scan->files[i];
    if (count)
        qsort(c->reports, count, sizeof(*c->reports), compare);
    return TUT_SUCCESS;
}

bool tut_collection_is_unread(const tut_collection *c, size_t file)
{
    const tut_file_report *r = c->reports[file];
    size_t item = c->inventory->item_of[file];
    if (item != SIZE_MAX && c->inventory->items[item].has_digest && r->has_digest)
        return false; /* the asset's own evidence speaks of it */
    if (tut_path_is_ignored(c->system, r->rel))
        return false;
    return r->status == TUT_SCAN_ERROR || (item == SIZE_MAX && r->status == TUT_SCAN_INCOMPLETE) ||
           (item != SIZE_MAX && !r->has_digest);
}
