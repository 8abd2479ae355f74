/*
 * Names of members: those that lead out of the directory an archive is unpacked to, those that
 * readers understand differently, and those that meet.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/member_name.h"
#include "formats/zip_internal.h"

static void check_one(tut_zip *z, const tut_zip_header *h)
{
    tut_str name = h->name;
    if (tut_member_leads_out(name))
        tut_exam_observe(z->x, "zip.unsafe-name", h->at,
                         "'%.*s' leads out of the directory it is unpacked to", TUT_ZIP_NAME(name));
    const char *nul = name.len ? memchr(name.data, 0, name.len) : NULL;
    if (nul) {
        tut_str behind = {nul + 1, name.len - (size_t)(nul + 1 - name.data)};
        tut_exam_observe(z->x, "zip.nul-in-name", h->at, "'%.*s', then a NUL byte, then '%.*s'",
                         TUT_ZIP_NAME(name), TUT_ZIP_NAME(behind));
    }
    if (name.len == 0 || tut_member_has_control(name) || memchr(name.data, '\\', name.len) ||
        ((h->flags & TUT_ZIP_FLAG_UTF8) && !tut_utf8_valid(name)))
        tut_exam_observe(z->x, "zip.odd-name", h->at, "'%.*s' is %s", TUT_ZIP_NAME(name),
                         name.len == 0 ? "empty" : "read differently by different tools");
}

void tut_zip_check_name(tut_zip *z, const tut_zip_member *m)
{
    if (m->central.is_present)
        check_one(z, &m->central);
    if (m->local.is_present &&
        (!m->central.is_present || !tut_str_eq(m->central.name, m->local.name)))
        check_one(z, &m->local);
}

/* --- names that meet --- */

static int by_name(const void *a, const void *b)
{
    const tut_zip_member *const *ma = a, *const *mb = b;
    tut_str na = tut_zip_reading(*ma)->name, nb = tut_zip_reading(*mb)->name;
    int c = tut_member_compare(na, nb, false);
    return c ? c : tut_str_cmp(na, nb);
}

static void report_pair(tut_zip *z, const tut_zip_member *a, const tut_zip_member *b)
{
    const tut_zip_header *ha = tut_zip_reading(a), *hb = tut_zip_reading(b);
    if (tut_str_eq(ha->name, hb->name)) {
        tut_exam_observe(z->x, "zip.duplicate-name", hb->at,
                         "'%.*s' occurs more than once: some readers take the first, others the "
                         "last",
                         TUT_ZIP_NAME(hb->name));
        return;
    }
    /* PyTorch looks names up without regard to case; other archives may well hold both. */
    const char *rule = tut_str_ieq(ha->name, hb->name) && !z->is_torch ? "zip.case-collision"
                                                                       : "zip.name-collision";
    tut_exam_observe(z->x, rule, hb->at, "'%.*s' and '%.*s' are one name to some readers",
                     TUT_ZIP_NAME(ha->name), TUT_ZIP_NAME(hb->name));
}

tut_status tut_zip_check_names(tut_zip *z, tut_error *err)
{
    if (z->count < 2)
        return TUT_SUCCESS;
    uint64_t bytes = (uint64_t)z->count * sizeof(tut_zip_member *);
    TUT_TRY(tut_budget_heap(z->x->budget, bytes, err));
    TUT_AUTO_FREE const tut_zip_member **sorted = tut_alloc_array(z->count, sizeof(*sorted));
    tut_budget_heap_return(z->x->budget, bytes);
    if (!sorted)
        return tut_fail(err, TUT_NOMEM, "no memory to sort the members");
    for (size_t i = 0; i < z->count; i++)
        sorted[i] = &z->members[i];
    qsort(sorted, z->count, sizeof(*sorted), by_name);
    for (size_t i = 1; i < z->count; i++) {
        if (tut_member_compare(tut_zip_reading(sorted[i - 1])->name,
                               tut_zip_reading(sorted[i])->name, false) == 0)
            report_pair(z, sorted[i - 1], sorted[i]);
    }
    return TUT_SUCCESS;
}
