/* A Threagile model, element by element. Names come first, so that every reference can be held
 * against them; then boundaries (which say where components lie), data, components with their
 * links, and risk tracking. */
#include "govern/threagile_internal.h"

/* --- sections of elements --- */

typedef tut_status (*element_reader)(tut_threagile_reading *g, const tut_yaml_node *entry,
                                     const tut_yaml_node *map);

/* entry: the child of the section, whose key is the title; map: what it stands for. */
static tut_status each(tut_threagile_reading *g, const tut_yaml_node *parent, const char *key,
                       element_reader read)
{
    const tut_yaml_node *section;
    TUT_TRY(tut_threagile_section(g, parent, key, &section));
    for (const tut_yaml_node *n = section ? tut_yaml_first(g->y, section) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *map = tut_threagile_follow(g, n);
        if (!map || map->type != TUT_YAML_MAPPING)
            return tut_schema_fail_node(&g->s, n, "an entry of %s is a mapping", key);
        TUT_TRY(read(g, n, map));
    }
    return TUT_SUCCESS;
}

static tut_status remember(tut_threagile_reading *g, const tut_yaml_node *map, tut_map *names)
{
    tut_str id;
    size_t before = names->count;
    TUT_TRY(tut_threagile_id(g, map, &id));
    TUT_TRY(tut_map_put(names, id, before, NULL, g->s.err));
    if (names->count == before)
        return tut_schema_fail_node(&g->s, map, "the id \"%.*s\" is taken already", (int)id.len,
                                    id.data);
    return TUT_SUCCESS;
}

static tut_status name_data(tut_threagile_reading *g, const tut_yaml_node *entry,
                            const tut_yaml_node *map)
{
    (void)entry;
    return remember(g, map, &g->data);
}

static tut_status name_component(tut_threagile_reading *g, const tut_yaml_node *entry,
                                 const tut_yaml_node *map)
{
    (void)entry;
    return remember(g, map, &g->components);
}

/* --- data assets --- */

static tut_status read_data(tut_threagile_reading *g, const tut_yaml_node *entry,
                            const tut_yaml_node *map)
{
    tut_buf *out = &g->t->assets;
    tut_str id, description, owner, origin;
    const char *sensitivity;
    TUT_TRY(tut_threagile_id(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "description", &description));
    TUT_TRY(tut_threagile_text(g, map, "owner", &owner));
    TUT_TRY(tut_threagile_text(g, map, "origin", &origin));
    TUT_TRY(tut_threagile_translate(g, map, "confidentiality", &tut_threagile_sensitivities,
                                    &sensitivity));
    tut_buf_printf(out, "  - id: dataset/%.*s\n    path: TODO\n    origin: TODO\n", (int)id.len,
                   id.data);
    tut_threagile_add_field(out, "description", description.len ? description : entry->key);
    tut_threagile_add_field(out, "owner", owner);
    tut_threagile_add_field(out, "obtained", origin);
    tut_buf_printf(out, "    sensitivity: %s\n", sensitivity ? sensitivity : "TODO");
    g->t->asset_count++;
    return tut_threagile_fields(g, TUT_THREAGILE_DATA, map, entry->key);
}

/* --- trust boundaries --- */

static tut_status place_members(tut_threagile_reading *g, const tut_yaml_node *map)
{
    const tut_yaml_node *list;
    TUT_TRY(tut_threagile_list(g, map, "technical_assets_inside", &list));
    for (const tut_yaml_node *n = list ? tut_yaml_first(g->y, list) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *at = tut_threagile_follow(g, n);
        size_t before = g->places.count;
        if (!at || at->type != TUT_YAML_SCALAR)
            return tut_schema_fail_node(&g->s, n, "technical_assets_inside is a list of ids");
        TUT_TRY(tut_map_put(&g->places, at->text, g->frame_count, NULL, g->s.err));
        if (g->places.count == before)
            return tut_schema_fail_node(&g->s, n, "\"%.*s\" lies in two trust boundaries",
                                        (int)at->text.len, at->text.data);
    }
    return TUT_SUCCESS;
}

static tut_status read_boundary(tut_threagile_reading *g, const tut_yaml_node *entry,
                                const tut_yaml_node *map)
{
    tut_buf *out = &g->t->boundaries;
    tut_str id, description;
    TUT_TRY(remember(g, map, &g->boundaries));
    TUT_TRY(tut_threagile_id(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "description", &description));
    TUT_TRY(place_members(g, map));
    g->frame_count++;
    tut_buf_printf(out, "  - id: %.*s\n", (int)id.len, id.data);
    tut_threagile_add_field(out, "description", description.len ? description : entry->key);
    tut_buf_add_z(out, "    trust: TODO # public, partner, internal, restricted\n");
    size_t before = out->len;
    TUT_TRY(tut_threagile_add_refs(g, map, "technical_assets_inside", &g->components, "inside", "",
                                   out));
    if (out->len == before)
        tut_buf_add_z(out, "    inside: []\n");
    g->t->boundary_count++;
    return tut_threagile_fields(g, TUT_THREAGILE_BOUNDARY, map, entry->key);
}

/* What the internet reaches, and no boundary holds: Threagile means the internet by that. */
static void add_internet(tut_threagile_reading *g)
{
    if (!g->has_internet)
        return;
    bool is_taken = tut_map_get(&g->boundaries, TUT_LIT("internet")) != SIZE_MAX;
    tut_buf_printf(&g->t->boundaries, "  - id: internet%s\n", is_taken ? ".outside" : "");
    tut_buf_add_z(&g->t->boundaries, "    trust: public\n    inside: [");
    tut_buf_add_str(&g->t->boundaries, tut_buf_str(&g->internet));
    tut_buf_add_z(&g->t->boundaries, "]\n");
    g->t->boundary_count++;
}

static tut_status read_runtime(tut_threagile_reading *g, const tut_yaml_node *entry,
                               const tut_yaml_node *map)
{
    return tut_threagile_fields(g, TUT_THREAGILE_RUNTIME, map, entry->key);
}

/* --- the whole --- */

static tut_status read_model(tut_threagile_reading *g)
{
    const tut_yaml_node *root = tut_yaml_root(g->y);
    tut_str title;
    if (!root || root->type != TUT_YAML_MAPPING)
        return tut_schema_fail(&g->s, 1, 1, 1, "a Threagile model is a mapping");
    TUT_TRY(tut_threagile_anchors(g));
    if (!tut_threagile_get(g, root, "technical_assets"))
        return tut_schema_fail(&g->s, 1, 1, 1,
                               "no technical_assets: this is no Threagile model of a system");
    TUT_TRY(tut_threagile_text(g, root, "title", &title));
    g->t->title = tut_arena_copy(g->arena, title);
    if (!g->t->title)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    TUT_TRY(each(g, root, "data_assets", name_data));
    TUT_TRY(each(g, root, "technical_assets", name_component));
    TUT_TRY(tut_threagile_fields(g, TUT_THREAGILE_MODEL, root, title));
    TUT_TRY(each(g, root, "trust_boundaries", read_boundary));
    TUT_TRY(each(g, root, "data_assets", read_data));
    TUT_TRY(each(g, root, "technical_assets", tut_threagile_component));
    add_internet(g);
    TUT_TRY(each(g, root, "shared_runtimes", read_runtime));
    return tut_threagile_tracking(g, root);
}

static tut_status check_buffers(const tut_threagile *t, tut_error *err)
{
    TUT_TRY(tut_buf_check(&t->assets, err));
    TUT_TRY(tut_buf_check(&t->components, err));
    TUT_TRY(tut_buf_check(&t->flows, err));
    TUT_TRY(tut_buf_check(&t->boundaries, err));
    return tut_buf_check(&t->treatments, err);
}

static void reading_done(tut_threagile_reading *g)
{
    tut_free(g->anchored);
    tut_map_done(&g->anchors);
    tut_map_done(&g->data);
    tut_map_done(&g->components);
    tut_map_done(&g->boundaries);
    tut_map_done(&g->links);
    tut_map_done(&g->flows);
    tut_free(g->names);
    tut_map_done(&g->places);
    tut_buf_done(&g->internet);
}

static tut_status open_model(tut_threagile **ret, tut_error *err)
{
    TUT_AUTO(tut_threagile) t = tut_alloc_array(1, sizeof(*t));
    tut_arena *arena = t ? tut_alloc_array(1, sizeof(*arena)) : NULL;
    if (!arena)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(arena, 0);
    t->owner_ = arena;
    t->title = "";
    *ret = tut_move(&t);
    return TUT_SUCCESS;
}

tut_status tut_threagile_read(const char *file, tut_str text, bool is_caged,
                              tut_threagile **ret_model, tut_buf *ret_shown, tut_error *err)
{
    TUT_AUTO(tut_threagile) t = NULL;
    TUT_AUTO(tut_yaml) y = NULL;
    tut_error local = {0};
    tut_system holder = {0}; /* whose YAML messages show */
    tut_error *why = err ? err : &local;
    TUT_TRY(open_model(&t, why));
    tut_status status = is_caged ? tut_yaml_parse_caged_lenient(text, &y, why)
                                 : tut_yaml_parse(text, true, &y, why);
    if (!tut_is_ok(status)) {
        if (status.code == TUT_MALFORMED)
            tut_schema_tell_yaml(file, text, why, ret_shown);
        return status;
    }
    holder.yaml = y;
    tut_threagile_reading g = {
        .s = {.file = file, .system = &holder, .shown = ret_shown, .err = why},
        .y = y,
        .t = t,
        .arena = t->owner_};
    status = read_model(&g);
    if (tut_is_ok(status))
        status = check_buffers(t, why);
    reading_done(&g);
    TUT_TRY(status);
    *ret_model = tut_move(&t);
    return TUT_SUCCESS;
}

void tut_threagile_free(tut_threagile *t)
{
    if (!t)
        return;
    if (t->owner_)
        tut_arena_done(t->owner_);
    tut_free(t->owner_);
    tut_buf_done(&t->assets);
    tut_buf_done(&t->components);
    tut_buf_done(&t->flows);
    tut_buf_done(&t->boundaries);
    tut_buf_done(&t->treatments);
    tut_free(t->notes);
    tut_free(t);
}
