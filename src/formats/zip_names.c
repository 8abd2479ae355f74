/*
 * Names of members: those that lead out of the directory an archive is unpacked to, those that
 * readers understand differently, and those that meet.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/zip_internal.h"

/* A component ".." between separators of either kind. */
static bool has_parent(tut_str name)
{
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.data[i] != '/' && name.data[i] != '\\')
            continue;
        if (i - start == 2 && name.data[start] == '.' && name.data[start + 1] == '.')
            return true;
        start = i + 1;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool leads_out(tut_str name)
{
    if (name.len > 0 && (name.data[0] == '/' || name.data[0] == '\\'))
        return true;
    if (name.len > 1 && is_letter(name.data[0]) && name.data[1] == ':')
        return true;
    return has_parent(name);
}

static bool has_control(tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = (uint8_t)name.data[i];
        if (byte != 0 && (byte < 0x20 || byte == 0x7f))
            return true;
    }
    return false;
}

static void check_one(tut_zip *z, const tut_zip_header *h)
{
    tut_str name = h->name;
    if (leads_out(name))
        tut_exam_observe(z->x, "zip.unsafe-name", h->at,
                         "'%.*s' leads out of the directory it is unpacked to", TUT_ZIP_NAME(name));
    const char *nul = name.len ? memchr(name.data, 0, name.len) : NULL;
    if (nul) {
        tut_str behind = {nul + 1, name.len - (size_t)(nul + 1 - name.data)};
        tut_exam_observe(z->x, "zip.nul-in-name", h->at, "'%.*s', then a NUL byte, then '%.*s'",
                         TUT_ZIP_NAME(name), TUT_ZIP_NAME(behind));
    }
    if (name.len == 0 || has_control(name) || memchr(name.data, '\\', name.len) ||
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

/* A name as the most forgiving reader sees it: up to NUL, one kind of separator, none doubled or
 * leading, no "." component; letters folded. Yields one byte after the other, -1 at the end. */
typedef struct folded {
    const char *at, *end;
    bool at_start; /* of a component */
} folded;

static folded fold(tut_str name)
{
    const char *nul = name.len ? memchr(name.data, 0, name.len) : NULL;
    return (folded){name.data, nul ? nul : name.data + name.len, true};
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

static int next_folded(folded *f)
{
    while (f->at < f->end && f->at_start) {
        bool is_dot = *f->at == '.' && f->at + 1 < f->end && is_separator(f->at[1]);
        if (!is_separator(*f->at) && !is_dot)
            break;
        f->at++;
    }
    if (f->at >= f->end)
        return -1;
    char c = *f->at++;
    f->at_start = is_separator(c);
    if (c == '\\')
        return '/';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (uint8_t)c;
}

static int compare_folded(tut_str a, tut_str b)
{
    folded fa = fold(a), fb = fold(b);
    int ca = 0, cb = 0;
    do {
        ca = next_folded(&fa);
        cb = next_folded(&fb);
    } while (ca == cb && ca >= 0);
    return ca - cb;
}

static int by_name(const void *a, const void *b)
{
    const tut_zip_member *const *ma = a, *const *mb = b;
    tut_str na = tut_zip_reading(*ma)->name, nb = tut_zip_reading(*mb)->name;
    int c = compare_folded(na, nb);
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
        if (compare_folded(tut_zip_reading(sorted[i - 1])->name,
                           tut_zip_reading(sorted[i])->name) == 0)
            report_pair(z, sorted[i - 1], sorted[i]);
    }
    return TUT_SUCCESS;
}
