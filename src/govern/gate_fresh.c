/*
 * Is the system still what was assessed? tutela.yaml and the documents are compared by their bytes.
 * Assets can be large: one whose files the file system has not touched since the inventory began
 * (ctime, which nobody sets) is what it was; where one was touched, the whole tree is looked at as
 * assess looks at it. A clock that was set back meanwhile makes files look old; who has to exclude
 * that runs assess first.
 */
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "assess/form.h"
#include "base/fs.h"
#include "base/map.h"
#include "govern/gate_internal.h"
#include "scan/found.h"

static tut_status add_change(tut_gate_view *v, tut_str what, const char *how, tut_error *err)
{
    if (!tut_is_ok(
            tut_grow(&v->changes, v->change_count, &v->change_capacity, sizeof(*v->changes))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *copy = tut_strndup(what.data ? what.data : "", what.len);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v->changes[v->change_count++] = (tut_gate_change){.what = copy, .how = how};
    return TUT_SUCCESS;
}

/* --- documents --- */

static tut_status compare_document(tut_gate_view *v, tut_str path, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_sha256 now;
    const tut_record *r = tut_assessment_document(v->assessment, path);
    TUT_AUTO_FREE char *below = tut_strndup(path.data, path.len);
    if (!below)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(tut_fs_read_beneath(v->system->dir, below, TUT_FORM_BYTES, &text, NULL)))
        return add_change(v, path, "cannot be read", err);
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &now, err));
    if (!r)
        return add_change(v, path, "was not looked at yet", err);
    return tut_sha256_eq(&now, &r->subjects[0].digest) ? TUT_SUCCESS
                                                       : add_change(v, path, "changed", err);
}

static tut_status compare_documents(tut_gate_view *v, tut_error *err)
{
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    size_t count = tut_design_documents(&v->design, paths);
    for (size_t i = 0; i < count; i++)
        TUT_TRY(compare_document(v, paths[i], err));
    return TUT_SUCCESS;
}

/* --- assets --- */

enum { OPEN_DIRECTORIES = 16 };
static _Thread_local tut_time touched_since;

static int visit(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)path;
    (void)where;
    bool is_plain = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
    bool is_known = kind == FTW_F || kind == FTW_D;
    return !is_plain || !is_known || st->st_ctim.tv_sec >= touched_since;
}

/* Whether anything at the path may be other than at that time. */
static bool is_touched(const char *path, tut_time since)
{
    touched_since = since;
    return nftw(path, visit, OPEN_DIRECTORIES, FTW_PHYS) != 0;
}

static tut_status any_touched(const tut_gate_view *v, tut_time since, bool *ret, tut_error *err)
{
    *ret = false;
    for (size_t i = 0; i < v->system->asset_count && !*ret; i++) {
        const tut_asset *a = &v->system->assets[i];
        if (a->path.len == 0)
            continue;
        TUT_AUTO_FREE char *below = tut_strndup(a->path.data, a->path.len);
        TUT_AUTO_FREE char *path = below ? tut_fs_join(v->system->dir, below) : NULL;
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        *ret = is_touched(path, since);
    }
    return TUT_SUCCESS;
}

/* When the inventory that the assets come from began; 0: none is about this description. */
static tut_time inventory_began(const tut_gate_view *v)
{
    for (size_t i = v->records->count; i > 0; i--) {
        const tut_record *r = &v->records->items[i - 1];
        if (r->type == TUT_RECORD_EVIDENCE && r->has_body && !r->doubt &&
            strncmp(r->check, "inventory.complete/", 19) == 0 &&
            tut_sha256_eq(&r->subjects[0].digest, &v->system->digest))
            return r->from;
    }
    return 0;
}

static tut_status compare_item(tut_gate_view *v, const tut_inventory_item *item,
                               const tut_asset_summary *then, tut_error *err)
{
    char hex[TUT_SHA256_HEX] = "";
    if (item->has_digest)
        tut_sha256_hex(&item->digest, hex);
    if (item->state == TUT_ASSET_MISSING && strcmp(then->state, "missing") != 0)
        return add_change(v, tut_str_of(item->id), "is no longer there", err);
    return strcmp(hex, then->digest) == 0 ? TUT_SUCCESS
                                          : add_change(v, tut_str_of(item->id), "changed", err);
}

static tut_status compare_items(tut_gate_view *v, const tut_inventory *inv, tut_map *known,
                                tut_error *err)
{
    const tut_assessment *a = v->assessment;
    size_t at;
    for (size_t i = 0; i < a->asset_count; i++)
        TUT_TRY(tut_map_put(known, tut_str_of(a->assets[i].id), i, &at, err));
    for (size_t i = 0; i < inv->count; i++) {
        at = tut_map_get(known, tut_str_of(inv->items[i].id));
        if (at == SIZE_MAX)
            TUT_TRY(add_change(v, tut_str_of(inv->items[i].id), "was not there", err));
        else
            TUT_TRY(compare_item(v, &inv->items[i], &a->assets[at], err));
    }
    return TUT_SUCCESS;
}

static tut_status compare_inventory(tut_gate_view *v, const tut_inventory *inv, tut_error *err)
{
    tut_map known = TUT_MAP_INIT;
    tut_status status = compare_items(v, inv, &known, err);
    tut_map_done(&known);
    return status;
}

static tut_status look_at_tree(tut_gate_view *v, tut_cage_mode sandbox, tut_error *err)
{
    TUT_AUTO(tut_scan) scan = NULL;
    TUT_AUTO(tut_found) found = NULL;
    TUT_AUTO(tut_inventory) inv = NULL;
    const char *root = v->system->dir;
    const tut_scan_options how = {.content = true,
                                  .facts_only = true,
                                  .all_kinds = true,
                                  .every_file = true,
                                  .sandbox = sandbox};
    TUT_TRY(tut_scan_run(&root, 1, &how, &scan, err));
    TUT_TRY(tut_scan_found(scan, &found, err));
    TUT_TRY(tut_inventory_build(v->system, found->files, found->count, &inv, err));
    return compare_inventory(v, inv, err);
}

tut_status tut_gate_find_changes(tut_gate_view *v, tut_cage_mode sandbox, tut_error *err)
{
    const tut_record *described = tut_assessment_description(v->assessment);
    bool is_touched_since = true;
    v->was_assessed = described != NULL;
    if (!described)
        return TUT_SUCCESS;
    TUT_TRY(compare_documents(v, err));
    if (!tut_sha256_eq(&described->subjects[0].digest, &v->system->digest))
        return add_change(v, TUT_LIT("tutela.yaml"), "changed", err);
    tut_time began = inventory_began(v);
    if (began == 0)
        return add_change(v, TUT_LIT("the tree"), "was not looked at yet", err);
    TUT_TRY(any_touched(v, began, &is_touched_since, err));
    return is_touched_since ? look_at_tree(v, sandbox, err) : TUT_SUCCESS;
}
