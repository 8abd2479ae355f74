#include "scan/image.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "scan/report.h"

enum { HEX = 64 };

/* The digest that a path ends in: "blobs/sha256/HEX" (OCI), "blobs/sha256-HEX" (Ollama). */
static bool digest_of_path(const char *rel, tut_str *ret_hex)
{
    size_t len = strlen(rel);
    static const char *const forms[] = {"sha256/", "sha256-"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t form = strlen(forms[i]);
        if (len < form + HEX || memcmp(rel + len - HEX - form, forms[i], form) != 0)
            continue;
        *ret_hex = (tut_str){rel + len - HEX, HEX};
        return strspn(ret_hex->data, "0123456789abcdef") == HEX;
    }
    return false;
}

static tut_status check_digest(tut_file_report *r, tut_str named)
{
    TUT_CLEAN(tut_buf) is = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) place = TUT_BUF_INIT;
    tut_buf_add_hex(&is, r->digest.bytes, sizeof(r->digest.bytes));
    if (tut_str_eq(tut_buf_str(&is), named))
        return TUT_SUCCESS;
    tut_buf_printf(&line, "called by the digest %.16s..., but its content has %.16s...", named.data,
                   tut_buf_z(&is));
    tut_buf_add_escaped(&place, tut_str_of(r->rel), TUT_ERROR_PATH_MAX);
    tut_finding_seed seed = {.rule = "image.digest-mismatch",
                             .severity = -1,
                             .message = tut_buf_str(&line),
                             .location = tut_buf_str(&place),
                             .offset = TUT_NO_OFFSET};
    TUT_TRY(tut_report_add(r, &seed));
    tut_report_sort(r);
    return TUT_SUCCESS;
}

/* What manifests call the files of a digest. */
typedef struct titles {
    tut_map by_hex;
    const char **texts;
    size_t count, capacity;
} titles;

/* "sha256:HEX TITLE" */
static tut_status collect_titles(const tut_file_report *r, titles *t, tut_error *err)
{
    static const size_t prefix = sizeof("sha256:") - 1;
    for (size_t i = 0; i < r->fact_count; i++) {
        const char *value = r->facts[i].value;
        if (strcmp(r->facts[i].key, "image.part") != 0 || strlen(value) < prefix + HEX + 2)
            continue;
        TUT_TRY(tut_grow(&t->texts, t->count, &t->capacity, sizeof(*t->texts)));
        t->texts[t->count++] = value + prefix + HEX + 1;
        TUT_TRY(tut_map_put(&t->by_hex, (tut_str){value + prefix, HEX}, t->count - 1, NULL, err));
    }
    return TUT_SUCCESS;
}

static tut_status finish_file(tut_file_report *r, const titles *t)
{
    tut_str hex;
    if (!digest_of_path(r->rel, &hex))
        return TUT_SUCCESS;
    if (r->has_digest)
        TUT_TRY(check_digest(r, hex));
    size_t i = tut_map_get(&t->by_hex, hex);
    return i == SIZE_MAX || !t->texts ? TUT_SUCCESS
                                      : tut_report_fact(r, "image.title", tut_str_of(t->texts[i]));
}

tut_status tut_image_finish(tut_scan *scan, tut_error *err)
{
    titles t = {.by_hex = TUT_MAP_INIT};
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < scan->count && tut_is_ok(status); i++)
        status = collect_titles(&scan->files[i], &t, err);
    for (size_t i = 0; i < scan->count && tut_is_ok(status); i++)
        status = finish_file(&scan->files[i], &t);
    tut_map_done(&t.by_hex);
    tut_free(t.texts);
    return tut_is_ok(status) ? status : tut_fail(err, status.code, "memory ran out");
}
