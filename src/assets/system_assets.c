/* The assets section. */
#include <stdio.h>

#include "assets/system_internal.h"

enum { WHAT_MAX = 160 };

static const tut_field asset_fields[] = {
    {"id", TUT_FIELD_OTHER, 0, 0, true, NULL},
    TUT_FIELD(TEXT, tut_asset, path, false, NULL),
    {"digest", TUT_FIELD_DIGEST, offsetof(tut_asset, digest), offsetof(tut_asset, has_digest),
     false, NULL},
    TUT_FIELD(WORD, tut_asset, origin, true, "first-party supplier public licensed user synthetic"),
    TUT_FIELD(TEXT, tut_asset, url, false, NULL),
    TUT_FIELD(TEXT, tut_asset, licence, false, NULL),
    TUT_FIELD(TEXT, tut_asset, owner, false, NULL),
    TUT_FIELD(TEXT, tut_asset, description, false, NULL),
    TUT_FIELD(TEXT, tut_asset, version, false, NULL),
    TUT_FIELD(TEXT, tut_asset, supplier, false, NULL),
    {"collected_at", TUT_FIELD_TIME, offsetof(tut_asset, collected_at),
     offsetof(tut_asset, has_collected_at), false, NULL},
    {"released_at", TUT_FIELD_TIME, offsetof(tut_asset, released_at),
     offsetof(tut_asset, has_released_at), false, NULL},
    {"sources", TUT_FIELD_OTHER, 0, 0, false, NULL},
    TUT_FIELD(TEXT, tut_asset, obtained, false, NULL),
    TUT_FIELD(TEXT, tut_asset, used_for, false, NULL),
    TUT_FIELD(TEXT, tut_asset, label, false, NULL),
    TUT_FIELD(TEXT, tut_asset, source, false, NULL),
    TUT_FIELD(WORD, tut_asset, split, false, "train validation test"),
    TUT_FIELD(TEXT, tut_asset, baseline, false, NULL),
    TUT_FIELD(WORD, tut_asset, sensitivity, false, "public internal confidential personal"),
    {"shared", TUT_FIELD_FLAG, offsetof(tut_asset, is_shared), 0, false, NULL},
    TUT_FIELD(TEXTS, tut_asset, depends_on, false, NULL),
};

static const tut_field source_fields[] = {
    TUT_FIELD(TEXT, tut_data_source, url, true, NULL),
    {"collected_at", TUT_FIELD_TIME, offsetof(tut_data_source, collected_at),
     offsetof(tut_data_source, has_collected_at), true, NULL},
    {"digest", TUT_FIELD_DIGEST, offsetof(tut_data_source, digest),
     offsetof(tut_data_source, has_digest), false, NULL},
};

/* "model/reranker" -> kind and name. */
static tut_status read_asset_id(tut_schema *s, const tut_yaml_node *node, tut_asset *asset)
{
    const tut_yaml_node *id = tut_yaml_get(s->system->yaml, node, "id");
    if (tut_schema_is_absent(id) || id->type != TUT_YAML_SCALAR)
        return tut_schema_fail_node(s, node, "an asset needs an id such as model/reranker");
    char kind[32];
    size_t slash = 0;
    if (!tut_str_find(id->text, TUT_LIT("/"), &slash) || slash + 1 == id->text.len ||
        slash >= sizeof(kind))
        return tut_schema_fail_node(s, id, "an asset id is KIND/NAME, such as model/reranker");
    tut_str_copy(kind, sizeof(kind), (tut_str){id->text.data, slash});
    if (!tut_asset_kind_parse(kind, &asset->kind) || asset->kind == TUT_KIND_NONE)
        return tut_schema_fail_node(
            s, id,
            "\"%s\" is no kind of asset; kinds are model, dataset, prompt, config, "
            "code, service, document",
            kind);
    asset->name = (tut_str){id->text.data + slash + 1, id->text.len - slash - 1};
    asset->id = tut_arena_copy(&s->system->arena, id->text);
    return asset->id ? TUT_SUCCESS : tut_fail(s->err, TUT_NOMEM, "memory ran out");
}

/* Paths lie below the directory of tutela.yaml: relative, no "..". */
bool tut_system_path_is_below(tut_str path)
{
    bool is_bad = path.len > 0 && path.data[0] == '/';
    for (size_t at = 0; at < path.len && !is_bad;) {
        size_t len = 0;
        while (at + len < path.len && path.data[at + len] != '/')
            len++;
        is_bad = tut_str_eq_z((tut_str){path.data + at, len}, "..");
        at += len + 1;
    }
    return !is_bad;
}

static tut_status check_path(tut_schema *s, const tut_yaml_node *node, tut_str path)
{
    if (!tut_system_path_is_below(path))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "path"),
                                    "a path must lie below the directory of tutela.yaml");
    return TUT_SUCCESS;
}

static tut_status check_baseline(tut_schema *s, const tut_yaml_node *node, tut_str path)
{
    if (!tut_system_path_is_below(path))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "baseline"),
                                    "a baseline must lie below the directory of tutela.yaml");
    return TUT_SUCCESS;
}

static tut_status read_sources(tut_schema *s, const tut_yaml_node *node, tut_asset *asset)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, node, "sources");
    char where[WHAT_MAX];
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "sources"));
    asset->sources = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*asset->sources));
    if (!asset->sources)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    snprintf(where, sizeof(where), "%.120s.sources", asset->id);
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n))
        TUT_TRY(tut_schema_read(s, n, source_fields, TUT_COUNT(source_fields),
                                &asset->sources[asset->source_count++], "a source", where));
    return TUT_SUCCESS;
}

/* Where the asset is found again: by its id, and by its path without slashes at the end. Of two
 * that declare one path the first one has it. */
static tut_status remember(tut_schema *s, const tut_yaml_node *node, tut_asset *asset)
{
    tut_system *sys = s->system;
    size_t at = sys->asset_count, known;
    TUT_TRY(tut_map_put(&sys->by_id, tut_str_of(asset->id), at, &known, s->err));
    if (known != at)
        return tut_schema_fail_node(s, tut_yaml_get(sys->yaml, node, "id"),
                                    "asset %.120s is declared twice", asset->id);
    tut_str path = asset->path;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return path.len ? tut_map_put(&sys->by_path, path, at, NULL, s->err) : TUT_SUCCESS;
}

static tut_status read_assets(tut_schema *s)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node;
    void *items = NULL;
    TUT_TRY(tut_schema_list(s, "assets", sizeof(tut_asset), &items, &node));
    sys->assets = items;
    for (const tut_yaml_node *n = node ? tut_yaml_first(sys->yaml, node) : NULL; n;
         n = tut_yaml_next(sys->yaml, n)) {
        tut_asset *asset = &sys->assets[sys->asset_count];
        TUT_TRY(tut_schema_mapping(s, n, "an asset"));
        TUT_TRY(read_asset_id(s, n, asset));
        char what[WHAT_MAX];
        snprintf(what, sizeof(what), "asset %.120s", asset->id);
        TUT_TRY(
            tut_schema_read(s, n, asset_fields, TUT_COUNT(asset_fields), asset, what, asset->id));
        TUT_TRY(check_path(s, n, asset->path));
        TUT_TRY(check_baseline(s, n, asset->baseline));
        TUT_TRY(read_sources(s, n, asset));
        TUT_TRY(remember(s, n, asset));
        asset->is_external = tut_str_eq_z(asset->origin, "public") ||
                             tut_str_eq_z(asset->origin, "supplier") ||
                             tut_str_eq_z(asset->origin, "licensed");
        asset->node = n;
        sys->asset_count++;
    }
    return TUT_SUCCESS;
}

/* depends_on must name declared assets. */
static tut_status check_dependencies(tut_schema *s)
{
    tut_system *sys = s->system;
    for (size_t i = 0; sys->assets && i < sys->asset_count; i++) {
        const tut_yaml_node *list = tut_yaml_get(sys->yaml, sys->assets[i].node, "depends_on");
        if (!list)
            continue;
        const tut_yaml_node *n = list->type == TUT_YAML_SEQUENCE ? tut_yaml_first(sys->yaml, list)
                                                                 : list;
        for (; n; n = list->type == TUT_YAML_SEQUENCE ? tut_yaml_next(sys->yaml, n) : NULL) {
            if (tut_schema_is_absent(n) || tut_system_asset(sys, n->text))
                continue;
            const char *known[256];
            size_t count = 0;
            for (size_t k = 0; k < sys->asset_count && count < 256; k++)
                known[count++] = sys->assets[k].id;
            const char *near = tut_str_nearest(n->text, known, count);
            return tut_schema_fail_node(
                s, n, "no asset \"%.*s\" is declared%s%s%s", (int)n->text.len, n->text.data,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_system_read_assets(tut_schema *s)
{
    TUT_TRY(read_assets(s));
    return check_dependencies(s);
}
