/* The files as such: that they are those which were packed. */
#include "base/limits.h"
#include "pack/verify_internal.h"

/* --- SHA256SUMS --- */

/* The name in the line at which two lists part. */
static void name_line(tut_str text, size_t at, tut_buf *out)
{
    size_t start = at < text.len ? at : text.len;
    while (start > 0 && text.data[start - 1] != '\n')
        start--;
    size_t end = start;
    while (end < text.len && text.data[end] != '\n')
        end++;
    enum { BEFORE_NAME = TUT_SHA256_HEX - 1 + 2 };
    if (end - start > BEFORE_NAME)
        tut_buf_add(out, text.data + start + BEFORE_NAME, end - start - BEFORE_NAME);
}

static tut_status compare_sums(tut_verifying *v, tut_str said, tut_str found, tut_buf *wrong)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    size_t at = 0;
    if (tut_str_eq(said, found))
        return TUT_SUCCESS;
    while (at < said.len && at < found.len && said.data[at] == found.data[at])
        at++;
    name_line(found, at, &name);
    if (name.len == 0)
        name_line(said, at, &name);
    const char *text = name.len ? tut_buf_z(&name) : TUT_PACK_SUMS;
    if (!text)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    tut_buf_printf(wrong,
                   "%s is not what " TUT_PACK_SUMS " says: it was altered, added, left out or "
                   "renamed, or the list was",
                   text);
    return tut_pack_differs(v, text);
}

tut_status tut_pack_check_sums(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    tut_error why = {0};
    tut_archive_sums(v->archive.members, v->archive.count, &found);
    TUT_TRY(tut_buf_check(&found, v->err));
    tut_status status = tut_archive_get(&v->archive, TUT_PACK_SUMS, TUT_LIMIT_PACK_MEMBER_BYTES,
                                        &said, &why);
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (tut_is_ok(status))
        TUT_TRY(compare_sums(v, tut_buf_str(&said), tut_buf_str(&found), &wrong));
    return tut_pack_conclude(v, "sums", &wrong, "each of %zu files is what " TUT_PACK_SUMS " says",
                             v->archive.count - 1);
}

/* --- pack.json --- */

/* Members that the log vouches for, not the manifest. */
static bool is_unlisted(const char *name)
{
    static const char *const beginnings[] = {"log/", "evidence/"};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (tut_str_starts(tut_str_of(name), tut_str_of(beginnings[i])))
            return true;
    return strcmp(name, TUT_PACK_SUMS) == 0 || strcmp(name, TUT_PACK_MANIFEST) == 0;
}

static tut_status report_file(tut_verifying *v, const char *name, const char *what, tut_buf *wrong)
{
    if (wrong->len == 0)
        tut_buf_printf(wrong, "%s %s", name, what);
    return tut_pack_differs(v, name);
}

/* Both lists are in order. */
static tut_status compare_files(tut_verifying *v, tut_buf *wrong)
{
    const tut_pack_manifest *m = &v->manifest;
    size_t at = 0;
    for (size_t i = 0; i < v->archive.count && wrong->len == 0; i++) {
        const tut_archive_member *member = &v->archive.members[i];
        if (is_unlisted(member->name))
            continue;
        const tut_pack_file *f = at < m->file_count ? &m->files[at] : NULL;
        int order = f ? tut_str_cmp(f->name, tut_str_of(member->name)) : 1;
        if (order < 0)
            return report_file(v, f->name.data, "is listed in " TUT_PACK_MANIFEST " and not there",
                               wrong);
        if (order > 0)
            return report_file(v, member->name, "is not listed in " TUT_PACK_MANIFEST, wrong);
        if (f->size != member->size || !tut_sha256_eq(&f->digest, &member->digest))
            return report_file(v, member->name, "is not what " TUT_PACK_MANIFEST " lists", wrong);
        at++;
    }
    if (at < m->file_count && wrong->len == 0)
        return report_file(v, m->files[at].name.data,
                           "is listed in " TUT_PACK_MANIFEST " and not there", wrong);
    return TUT_SUCCESS;
}

static tut_status keep(tut_verifying *v, char **to, tut_str text)
{
    *to = tut_strndup(text.data, text.len);
    return *to ? TUT_SUCCESS : tut_fail(v->err, TUT_NOMEM, "memory ran out");
}

static tut_status keep_head(tut_verifying *v)
{
    tut_pack_result *r = v->result;
    const tut_pack_manifest *m = &v->manifest;
    TUT_TRY(keep(v, &r->system, m->system_name));
    TUT_TRY(keep(v, &r->version, m->system_version));
    TUT_TRY(keep(v, &r->origin, m->origin));
    TUT_TRY(keep(v, &r->made_by, m->tutela));
    r->judged_size = m->log_size;
    r->then.at = m->evaluated_at;
    r->has_manifest = true;
    r->manifest = tut_archive_find(&v->archive, TUT_PACK_MANIFEST)->digest;
    return TUT_SUCCESS;
}

tut_status tut_pack_check_manifest(tut_verifying *v)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_archive_get(&v->archive, TUT_PACK_MANIFEST, TUT_LIMIT_JSON_BYTES, &text,
                                        &why);
    if (tut_is_ok(status)) {
        status = tut_pack_manifest_read(tut_buf_span(&text), &v->arena, &v->manifest, &why);
        if (!tut_is_ok(status))
            tut_error_set_path(&why, TUT_PACK_MANIFEST);
    }
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (tut_is_ok(status)) {
        TUT_TRY(keep_head(v));
        TUT_TRY(compare_files(v, &wrong));
    }
    return tut_pack_conclude(v, "manifest", &wrong,
                             TUT_PACK_MANIFEST " lists the %zu files that are not the log's",
                             v->manifest.file_count);
}
