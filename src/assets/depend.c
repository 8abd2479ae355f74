#include "assets/depend.h"

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

/* Where items are found: by path, by id, and by kind and url ("model https://..."). */
typedef struct finder {
    tut_inventory *inv;
    tut_map by_path, by_id, by_url;
    tut_arena arena;
    tut_error *err;
} finder;

static void finder_done(finder *f)
{
    tut_map_done(&f->by_path);
    tut_map_done(&f->by_id);
    tut_map_done(&f->by_url);
    tut_arena_done(&f->arena);
}

static tut_status kind_and(finder *f, const char *kind, const char *separator, tut_str text,
                           tut_str *ret_key)
{
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    tut_buf_printf(&key, "%s%s", kind, separator);
    tut_buf_add(&key, text.data, text.len);
    TUT_TRY(tut_buf_check(&key, f->err));
    char *copy = tut_arena_copy(&f->arena, tut_buf_str(&key));
    if (!copy)
        return tut_fail(f->err, TUT_NOMEM, "memory ran out");
    *ret_key = (tut_str){copy, key.len};
    return TUT_SUCCESS;
}

static tut_status finder_fill(finder *f)
{
    for (size_t i = 0; i < f->inv->count; i++) {
        const tut_inventory_item *item = &f->inv->items[i];
        tut_str path = tut_str_of(item->path);
        while (path.len > 1 && path.data[path.len - 1] == '/')
            path.len--;
        if (path.len)
            TUT_TRY(tut_map_put(&f->by_path, path, i, NULL, f->err));
        TUT_TRY(tut_map_put(&f->by_id, tut_str_of(item->id), i, NULL, f->err));
        if (!item->declared || item->declared->url.len == 0)
            continue;
        tut_str key;
        TUT_TRY(kind_and(f, tut_asset_kind_name(item->kind), " ", item->declared->url, &key));
        TUT_TRY(tut_map_put(&f->by_url, key, i, NULL, f->err));
    }
    return TUT_SUCCESS;
}

static tut_inventory_item *item_number(finder *f, size_t at)
{
    return at != SIZE_MAX ? &f->inv->items[at] : NULL;
}

/* The item whose file it is, or in whose directory it lies. */
static tut_inventory_item *item_covering(finder *f, size_t file)
{
    size_t at = f->inv->item_of[file];
    return item_number(f, at != SIZE_MAX ? at
                                         : tut_match_longest(&f->by_path, f->inv->found[file].rel));
}

/* "refers.model" = "org/base-7b": an asset of that kind by id, last component or url. */
static tut_status item_named(finder *f, const char *kind, const char *value,
                             tut_inventory_item **ret_item)
{
    const char *slash = strrchr(value, '/');
    tut_inventory_item *item = item_number(f, tut_map_get(&f->by_id, tut_str_of(value)));
    tut_str key;
    if (item && strcmp(tut_asset_kind_name(item->kind), kind) != 0)
        item = NULL;
    if (!item) {
        TUT_TRY(kind_and(f, kind, "/", tut_str_of(slash ? slash + 1 : value), &key));
        item = item_number(f, tut_map_get(&f->by_id, key));
    }
    if (!item) {
        TUT_TRY(kind_and(f, kind, " ", tut_str_of(value), &key));
        item = item_number(f, tut_map_get(&f->by_url, key));
    }
    *ret_item = item;
    return TUT_SUCCESS;
}

/* A folder that is an asset as a whole: "refers.file" = "../app". */
static tut_inventory_item *item_at(finder *f, const char *from, const char *name)
{
    char path[4096];
    if (!tut_match_resolve(from, name, path, sizeof(path)))
        return NULL;
    return item_number(f, tut_map_get(&f->by_path, tut_str_of(path)));
}

static tut_status item_referred(finder *f, const char *from, const char *kind, const char *value,
                                tut_inventory_item **ret_item)
{
    size_t hit = tut_match_reference(f->inv->found, f->inv->found_count, from, value);
    if (hit != SIZE_MAX)
        *ret_item = item_covering(f, hit);
    else if (strcmp(kind, "file") == 0)
        *ret_item = item_at(f, from, value);
    else
        return item_named(f, kind, value, ret_item);
    return TUT_SUCCESS;
}

static tut_status infer_file(finder *f, size_t file)
{
    const tut_found_file *found = &f->inv->found[file];
    tut_inventory_item *from = NULL;
    for (size_t i = 0; i < found->fact_count; i++) {
        tut_inventory_item *to;
        if (strncmp(found->fact_keys[i], "refers.", 7) != 0)
            continue;
        if (!from)
            from = item_covering(f, file);
        if (!from)
            return TUT_SUCCESS;
        TUT_TRY(item_referred(f, found->rel, found->fact_keys[i] + 7, found->fact_values[i], &to));
        if (to && to != from)
            TUT_TRY(add(from, to->id, true, f->err));
    }
    return TUT_SUCCESS;
}

static tut_status take_declared(tut_inventory_item *item, tut_error *err)
{
    for (size_t k = 0; item->declared && k < item->declared->depends_on.count; k++) {
        tut_str on = item->declared->depends_on.items[k];
        TUT_AUTO_FREE char *id = tut_strndup(on.data, on.len);
        if (!id)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(add(item, id, false, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_depend_infer(tut_inventory *inv, tut_error *err)
{
    TUT_CLEAN(finder) f = {.inv = inv, .err = err};
    tut_arena_init(&f.arena, 0);
    TUT_TRY(finder_fill(&f));
    for (size_t i = 0; i < inv->count; i++)
        TUT_TRY(take_declared(&inv->items[i], err));
    for (size_t i = 0; i < inv->found_count; i++)
        TUT_TRY(infer_file(&f, i));
    return TUT_SUCCESS;
}
