#include "assets/depend.h"

#include <stdlib.h>

#include "assets/match.h"
#include "base/alloc.h"

static tut_status add(tut_inventory_item *item, const char *id, bool is_inferred, tut_error *err)
{
    size_t at = 0;
    while (at < item->depends_count && strcmp(item->depends_on[at], id) < 0)
        at++;
    if (at < item->depends_count && strcmp(item->depends_on[at], id) == 0) {
        item->is_inferred[at] &= is_inferred;
        return TUT_SUCCESS;
    }
    char **ids = tut_realloc_array(item->depends_on, item->depends_count + 1, sizeof(*ids));
    if (ids)
        item->depends_on = ids;
    bool *flags = tut_realloc_array(item->is_inferred, item->depends_count + 1, sizeof(*flags));
    if (flags)
        item->is_inferred = flags;
    char *copy = tut_strdup(id);
    if (!ids || !flags || !copy) {
        tut_free(copy);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    memmove(ids + at + 1, ids + at, (item->depends_count - at) * sizeof(*ids));
    memmove(flags + at + 1, flags + at, (item->depends_count - at) * sizeof(*flags));
    ids[at] = copy;
    flags[at] = is_inferred;
    item->depends_count++;
    return TUT_SUCCESS;
}

static tut_inventory_item *item_covering(tut_inventory *inv, const char *rel)
{
    tut_inventory_item *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < inv->count; i++) {
        size_t len = strlen(inv->items[i].path);
        if (len > best_len && tut_path_covers((tut_str){inv->items[i].path, len}, rel)) {
            best = &inv->items[i];
            best_len = len;
        }
    }
    return best;
}

/* "refers.model" = "org/base-7b": an asset of that kind by id, name, last component or url. */
static tut_inventory_item *item_named(tut_inventory *inv, const char *kind, const char *value)
{
    const char *slash = strrchr(value, '/');
    const char *last = slash ? slash + 1 : value;
    for (size_t i = 0; i < inv->count; i++) {
        tut_inventory_item *item = &inv->items[i];
        if (strcmp(tut_asset_kind_name(item->kind), kind) != 0)
            continue;
        bool is_url = item->declared && item->declared->url.len &&
                      tut_str_eq_z(item->declared->url, value);
        if (strcmp(item->id, value) == 0 || strcmp(item->name, last) == 0 || is_url)
            return item;
    }
    return NULL;
}

/* A folder that is an asset as a whole: "refers.file" = "../app". */
static tut_inventory_item *item_at(tut_inventory *inv, const char *from, const char *name)
{
    char path[4096];
    if (!tut_match_resolve(from, name, path, sizeof(path)))
        return NULL;
    for (size_t i = 0; i < inv->count; i++) {
        if (strcmp(inv->items[i].path, path) == 0)
            return &inv->items[i];
    }
    return NULL;
}

static tut_inventory_item *item_referred(tut_inventory *inv, const tut_found_file *files,
                                         size_t count, const char *from, const char *kind,
                                         const char *value)
{
    size_t hit = tut_match_reference(files, count, from, value);
    if (hit != SIZE_MAX)
        return item_covering(inv, files[hit].rel);
    if (strcmp(kind, "file") == 0)
        return item_at(inv, from, value);
    return item_named(inv, kind, value);
}

static tut_status infer_file(tut_inventory *inv, const tut_found_file *files, size_t count,
                             const tut_found_file *f, tut_error *err)
{
    tut_inventory_item *from = item_covering(inv, f->rel);
    for (size_t i = 0; from && i < f->fact_count; i++) {
        if (strncmp(f->fact_keys[i], "refers.", 7) != 0)
            continue;
        tut_inventory_item *to = item_referred(inv, files, count, f->rel, f->fact_keys[i] + 7,
                                               f->fact_values[i]);
        if (to && to != from)
            TUT_TRY(add(from, to->id, true, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_depend_infer(tut_inventory *inv, const tut_found_file *files, size_t count,
                            tut_error *err)
{
    for (size_t i = 0; i < inv->count; i++) {
        const tut_asset *a = inv->items[i].declared;
        for (size_t k = 0; a && k < a->depends_on.count; k++) {
            TUT_AUTO_FREE char *id = tut_strndup(a->depends_on.items[k].data,
                                                 a->depends_on.items[k].len);
            if (!id)
                return tut_fail(err, TUT_NOMEM, "memory ran out");
            TUT_TRY(add(&inv->items[i], id, false, err));
        }
    }
    for (size_t i = 0; i < count; i++)
        TUT_TRY(infer_file(inv, files, count, &files[i], err));
    return TUT_SUCCESS;
}
