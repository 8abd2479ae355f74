#include "scan/found.h"

#include <stdlib.h>

#include "base/alloc.h"

void tut_found_free(tut_found *f)
{
    if (!f)
        return;
    tut_free(f->files);
    tut_free(f->facts);
    tut_free(f);
}

static int compare(const void *a, const void *b)
{
    const tut_found_file *x = a;
    const tut_found_file *y = b;
    return strcmp(x->rel, y->rel);
}

tut_status tut_scan_found(const tut_scan *scan, tut_found **ret_found, tut_error *err)
{
    size_t facts = 0;
    for (size_t i = 0; i < scan->count; i++)
        facts += scan->files[i].fact_count;
    TUT_AUTO(tut_found) found = tut_alloc_array(1, sizeof(*found));
    if (!found)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    found->files = tut_alloc_array(scan->count + 1, sizeof(*found->files));
    found->facts = tut_alloc_array(2 * facts + 1, sizeof(*found->facts));
    if (!found->files || !found->facts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const char **next = found->facts;
    for (size_t i = 0; i < scan->count; i++) {
        const tut_file_report *r = &scan->files[i];
        tut_found_file *f = &found->files[found->count++];
        *f = (tut_found_file){.rel = r->rel,
                              .format = r->format,
                              .size = r->size,
                              .has_digest = r->has_digest,
                              .digest = r->digest,
                              .fact_count = r->fact_count,
                              .packages = r->packages,
                              .package_count = r->package_count,
                              .packages_dropped = r->packages_dropped};
        f->fact_keys = next;
        f->fact_values = next + r->fact_count;
        for (size_t k = 0; k < r->fact_count; k++) {
            next[k] = r->facts[k].key;
            next[r->fact_count + k] = r->facts[k].value;
        }
        next += 2 * r->fact_count;
    }
    if (found->count)
        qsort(found->files, found->count, sizeof(*found->files), compare);
    *ret_found = tut_move(&found);
    return TUT_SUCCESS;
}
