/* The inventory document as the bill's assets. Text is borrowed from the document. */
#include "bom/bom_internal.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
}

static uint64_t get_size(const tut_json_value *v, const char *key)
{
    int64_t n = tut_json_get_int(v, key, 0);
    return n > 0 ? (uint64_t)n : 0;
}

static bool get_digest(const tut_json_value *v, tut_sha256 *ret_digest)
{
    tut_str hex = tut_json_get_text(tut_json_get(v, "digest"), "sha256");
    return tut_is_ok(tut_sha256_parse(hex, ret_digest));
}

static tut_status read_facts(tut_bom *bom, const tut_json_value *v, tut_bom_asset *a,
                             tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, "facts");
    uint32_t count = tut_json_count(list);
    a->facts = tut_arena_take(&bom->arena_, count + 1u, sizeof(*a->facts));
    if (!a->facts)
        return nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *f = tut_json_item(list, i);
        a->facts[i] = (tut_bom_fact){tut_json_get_text(f, "key"), tut_json_get_text(f, "value")};
    }
    a->fact_count = count;
    return TUT_SUCCESS;
}

static tut_status read_sources(tut_bom *bom, const tut_json_value *v, tut_bom_asset *a,
                               tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, "sources");
    uint32_t count = tut_json_count(list);
    a->sources = tut_arena_take(&bom->arena_, count + 1u, sizeof(*a->sources));
    if (!a->sources)
        return nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *s = tut_json_item(list, i);
        a->sources[i].url = tut_json_get_text(s, "url");
        a->sources[i].collected_at = tut_json_get_text(s, "collected_at");
        a->sources[i].has_digest = get_digest(s, &a->sources[i].digest);
    }
    a->source_count = count;
    return TUT_SUCCESS;
}

static tut_status read_parts(tut_bom *bom, const tut_json_value *v, tut_bom_asset *a,
                             tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, "parts");
    uint32_t count = tut_json_count(list);
    a->parts = tut_arena_take(&bom->arena_, count + 1u, sizeof(*a->parts));
    if (!a->parts)
        return nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *f = tut_json_item(list, i);
        a->parts[i].path = tut_json_get_text(f, "path");
        a->parts[i].size = get_size(f, "size");
        a->parts[i].has_digest = get_digest(f, &a->parts[i].digest);
    }
    a->part_count = count;
    a->parts_left_out = get_size(v, "parts_left_out");
    return TUT_SUCCESS;
}

static bool is_listed(const tut_json_value *list, tut_str id)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        if (tut_str_eq(tut_json_text(tut_json_item(list, i)), id))
            return true;
    return false;
}

static tut_status read_edges(tut_bom *bom, const tut_json_value *v, tut_bom_asset *a,
                             tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, "depends_on");
    const tut_json_value *inferred = tut_json_get(v, "inferred");
    uint32_t count = tut_json_count(list);
    a->edges = tut_arena_take(&bom->arena_, count + 1u, sizeof(*a->edges));
    if (!a->edges)
        return nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        tut_str id = tut_json_text(tut_json_item(list, i));
        a->edges[i] = (tut_bom_edge){SIZE_MAX, id, is_listed(inferred, id)};
    }
    a->edge_count = count;
    return TUT_SUCCESS;
}

static tut_status read_asset(tut_bom *bom, const tut_json_value *v, tut_bom_asset *a,
                             tut_error *err)
{
    static const struct text_member {
        const char *key;
        size_t at;
    } members[] = {
        {"id", offsetof(tut_bom_asset, id)},
        {"name", offsetof(tut_bom_asset, name)},
        {"path", offsetof(tut_bom_asset, path)},
        {"version", offsetof(tut_bom_asset, version)},
        {"supplier", offsetof(tut_bom_asset, supplier)},
        {"description", offsetof(tut_bom_asset, description)},
        {"collected_at", offsetof(tut_bom_asset, collected_at)},
        {"released_at", offsetof(tut_bom_asset, released_at)},
        {"origin", offsetof(tut_bom_asset, origin)},
        {"owner", offsetof(tut_bom_asset, owner)},
        {"licence", offsetof(tut_bom_asset, licence)},
        {"sensitivity", offsetof(tut_bom_asset, sensitivity)},
        {"url", offsetof(tut_bom_asset, url)},
        {"format", offsetof(tut_bom_asset, format)},
        {"detail", offsetof(tut_bom_asset, detail)},
        {"signature", offsetof(tut_bom_asset, signature)},
        {"state", offsetof(tut_bom_asset, state)},
        {"problem", offsetof(tut_bom_asset, problem)},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        *(tut_str *)((char *)a + members[i].at) = tut_json_get_text(v, members[i].key);
    char kind[16];
    tut_str_copy(kind, sizeof(kind), tut_json_get_text(v, "kind"));
    if (!tut_asset_kind_parse(kind, &a->kind))
        a->kind = TUT_KIND_NONE;
    a->is_shared = tut_json_get_bool(v, "shared", false);
    a->has_digest = get_digest(v, &a->digest);
    a->size = get_size(v, "size");
    a->files = get_size(v, "files");
    a->packages_left_out = get_size(v, "packages_left_out");
    a->card = SIZE_MAX;
    TUT_TRY(read_facts(bom, v, a, err));
    TUT_TRY(read_sources(bom, v, a, err));
    TUT_TRY(read_parts(bom, v, a, err));
    return read_edges(bom, v, a, err);
}

tut_status tut_bom_read(tut_bom *bom, tut_span inventory, tut_error *err)
{
    TUT_TRY(tut_json_parse(inventory, NULL, &bom->doc_, err));
    const tut_json_value *list = tut_json_get(tut_json_root(bom->doc_), "assets");
    if (!list || list->type != TUT_JSON_ARRAY)
        return tut_fail(err, TUT_MALFORMED, "an inventory has an array \"assets\"; this has none");
    uint32_t count = list->count;
    bom->assets = tut_arena_take(&bom->arena_, count + 1u, sizeof(*bom->assets));
    if (!bom->assets)
        return nomem(err);
    bom->asset_count = count;
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_asset(bom, tut_json_item(list, i), &bom->assets[i], err));
    return TUT_SUCCESS;
}
