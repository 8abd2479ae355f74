/*
 * The two headers of a member, side by side. Readers go by one or the other; where the two differ,
 * a checker and a loader can be shown different members.
 */
#include <string.h>

#include "formats/zip_internal.h"

static bool is_ascii(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((uint8_t)s.data[i] >= 0x80)
            return false;
    }
    return true;
}

static const char *how_names_differ(tut_str a, tut_str b)
{
    const char *nul_a = memchr(a.data, 0, a.len), *nul_b = memchr(b.data, 0, b.len);
    tut_str cut_a = {a.data, nul_a ? (size_t)(nul_a - a.data) : a.len};
    tut_str cut_b = {b.data, nul_b ? (size_t)(nul_b - b.data) : b.len};
    if (tut_str_eq(cut_a, cut_b))
        return ", behind a NUL byte";
    return tut_str_ieq(a, b) ? ", by case" : "";
}

static void compare_flags(tut_zip *z, const tut_zip_member *m)
{
    const tut_zip_header *c = &m->central, *l = &m->local;
    unsigned differ = (unsigned)(c->flags ^ l->flags);
    unsigned telling = TUT_ZIP_FLAG_ENCRYPTED | TUT_ZIP_FLAG_DEFERRED | TUT_ZIP_FLAG_PATCHED |
                       TUT_ZIP_FLAG_STRONG | TUT_ZIP_FLAG_MASKED;
    if (!is_ascii(c->name))
        telling |= TUT_ZIP_FLAG_UTF8;
    if (differ & telling)
        tut_exam_observe(z->x, "zip.flag-mismatch", l->at,
                         "'%.*s': flags 0x%04x in the directory, 0x%04x in the local header",
                         TUT_ZIP_NAME(c->name), (unsigned)c->flags, (unsigned)l->flags);
}

static void compare_sizes(tut_zip *z, const tut_zip_member *m)
{
    const tut_zip_header *c = &m->central, *l = &m->local;
    if (c->method != l->method)
        tut_exam_observe(z->x, "zip.header-mismatch", l->at,
                         "'%.*s': method %u in the directory, %u in the local header",
                         TUT_ZIP_NAME(c->name), (unsigned)c->method, (unsigned)l->method);
    if (l->is_deferred)
        return;
    /* A writer that defers may still fill in part of it. */
    bool defers = (l->flags & TUT_ZIP_FLAG_DEFERRED) != 0;
    if ((c->packed != l->packed && !(defers && l->packed == 0)) ||
        (c->unpacked != l->unpacked && !(defers && l->unpacked == 0)))
        tut_exam_observe(z->x, "zip.header-mismatch", l->at,
                         "'%.*s': sizes %llu/%llu in the directory, %llu/%llu in the local header",
                         TUT_ZIP_NAME(c->name), (unsigned long long)c->packed,
                         (unsigned long long)c->unpacked, (unsigned long long)l->packed,
                         (unsigned long long)l->unpacked);
    if (c->crc != l->crc && !(defers && l->crc == 0))
        tut_exam_observe(z->x, "zip.header-mismatch", l->at,
                         "'%.*s': CRC %08x in the directory, %08x in the local header",
                         TUT_ZIP_NAME(c->name), c->crc, l->crc);
}

void tut_zip_compare(tut_zip *z, const tut_zip_member *m)
{
    const tut_zip_header *c = &m->central, *l = &m->local;
    unsigned unusual = TUT_ZIP_FLAG_PATCHED | TUT_ZIP_FLAG_STRONG | TUT_ZIP_FLAG_MASKED;
    if ((c->flags | l->flags) & unusual)
        tut_exam_observe(z->x, "zip.flag-unusual", c->is_present ? c->at : l->at,
                         "'%.*s': flags 0x%04x, which some readers refuse and others ignore",
                         TUT_ZIP_NAME(tut_zip_reading(m)->name), (unsigned)(c->flags | l->flags));
    if (!c->is_present || !l->is_present)
        return;
    if (!tut_str_eq(c->name, l->name))
        tut_exam_observe(z->x, "zip.name-mismatch", l->at,
                         "'%.*s' in the directory, '%.*s' in the local header%s",
                         TUT_ZIP_NAME(c->name), TUT_ZIP_NAME(l->name),
                         how_names_differ(c->name, l->name));
    compare_flags(z, m);
    compare_sizes(z, m);
}
