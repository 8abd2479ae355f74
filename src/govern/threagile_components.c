/* Technical assets of a Threagile model, with their links: components and flows. */
#include <string.h>

#include "govern/threagile_internal.h"

static void add_title(tut_buf *out, tut_str title, tut_str id)
{
    if (tut_str_eq(title, id))
        return;
    tut_buf_add_z(out, "  # ");
    tut_buf_add_escaped(out, title, 90);
    tut_buf_add_z(out, "\n");
}

/* --- technical assets --- */

/* What one word of technology cannot say, for people to look at. */
static tut_status note_technology(tut_threagile_reading *g, tut_str technology, tut_str who)
{
    static const char *const before_models[] = {"gateway", "reverse-proxy", "load-balancer", "waf"};
    if (tut_str_eq_z(technology, "ai"))
        return tut_threagile_note_that(
            g, TUT_THREAGILE_TECHNICAL, TUT_LIT("technology: ai"),
            "read as kind: model; say agent, rag-index, training-job or evaluation where it is "
            "one, its asset and its attributes",
            who);
    for (size_t i = 0; i < sizeof(before_models) / sizeof(before_models[0]); i++)
        if (tut_str_eq_z(technology, before_models[i]))
            return tut_threagile_note_that(
                g, TUT_THREAGILE_TECHNICAL, technology,
                "read as kind: service; say inference-gateway where it stands before a model", who);
    if (tut_str_eq_z(technology, "search-index") || tut_str_eq_z(technology, "search-engine"))
        return tut_threagile_note_that(g, TUT_THREAGILE_TECHNICAL, technology,
                                       "say rag-index or vector-store where a model reads it", who);
    return TUT_SUCCESS;
}

static tut_status technology_of(tut_threagile_reading *g, const tut_yaml_node *map, tut_str who,
                                tut_str *ret)
{
    const tut_yaml_node *list;
    TUT_TRY(tut_threagile_text(g, map, "technology", ret));
    TUT_TRY(tut_threagile_list(g, map, "technologies", &list));
    const tut_yaml_node *first = list ? tut_threagile_follow(g, tut_yaml_first(g->y, list)) : NULL;
    if (ret->len == 0 && first && first->type == TUT_YAML_SCALAR)
        *ret = first->text;
    if (list && list->count > 1)
        TUT_TRY(tut_threagile_note_that(g, TUT_THREAGILE_TECHNICAL, TUT_LIT("technologies"),
                                        "the first one alone says the kind", who));
    if (ret->len && !tut_threagile_word_of(&tut_threagile_kinds, *ret))
        return tut_threagile_note_that(
            g, TUT_THREAGILE_TECHNICAL, *ret,
            "this technology is none of Threagile's own: read as kind: service", who);
    return note_technology(g, *ret, who);
}

static tut_status kind_of(tut_threagile_reading *g, const tut_yaml_node *map, tut_str who,
                          const char **ret, bool *ret_outside)
{
    static const tut_threagile_word plain[] = {
        {"external-entity", ""}, {"process", "service"}, {"datastore", "dataset-store"}};
    static const tut_threagile_words types = {plain, sizeof(plain) / sizeof(plain[0])};
    tut_str technology;
    const char *type;
    bool is_human;
    TUT_TRY(technology_of(g, map, who, &technology));
    TUT_TRY(tut_threagile_translate(g, map, "type", &types, &type));
    TUT_TRY(tut_threagile_flag(g, map, "used_as_client_by_human", &is_human));
    const char *kind = tut_threagile_word_of(&tut_threagile_kinds, technology);
    bool is_plain = !kind || strcmp(kind, "service") == 0;
    if (is_plain && type && *type)
        kind = type;
    *ret = is_human ? "user-client" : kind && *kind ? kind : "service";
    *ret_outside = type && !*type && !is_human;
    return TUT_SUCCESS;
}

/* A store is what it stores: the first of it; a component names one asset. */
static tut_status add_stored(tut_threagile_reading *g, const tut_yaml_node *map, const char *kind,
                             tut_str who)
{
    const tut_yaml_node *list;
    TUT_TRY(tut_threagile_list(g, map, "data_assets_stored", &list));
    if (!list || list->count == 0)
        return TUT_SUCCESS;
    const tut_yaml_node *first = tut_threagile_follow(g, tut_yaml_first(g->y, list));
    bool is_store = strcmp(kind, "dataset-store") == 0;
    if (!first || first->type != TUT_YAML_SCALAR || tut_map_get(&g->data, first->text) == SIZE_MAX)
        return tut_schema_fail_node(&g->s, list, "data_assets_stored names no data asset");
    if (is_store)
        tut_buf_printf(&g->t->components, "    asset: dataset/%.*s\n", (int)first->text.len,
                       first->text.data);
    if (!is_store || list->count > 1)
        return tut_threagile_note_that(g, TUT_THREAGILE_TECHNICAL, TUT_LIT("data_assets_stored"),
                                       is_store ? "a component names one asset: the first was taken"
                                                : "only a store names its data as its asset",
                                       who);
    return TUT_SUCCESS;
}

static tut_status add_attributes(tut_threagile_reading *g, const tut_yaml_node *map, tut_str id,
                                 tut_str who, bool is_outside)
{
    tut_buf *out = &g->t->components;
    tut_str encryption;
    bool is_reached;
    TUT_TRY(tut_threagile_text(g, map, "encryption", &encryption));
    TUT_TRY(tut_threagile_flag(g, map, "internet", &is_reached));
    if (encryption.len && !tut_str_eq_z(encryption, "none"))
        tut_buf_add_z(out, "    storage: {encrypted: true}\n");
    if (is_outside)
        tut_buf_add_z(out, "    untrusted_content: true\n");
    if (!is_reached)
        return TUT_SUCCESS;
    if (tut_map_get(&g->places, id) != SIZE_MAX)
        return tut_threagile_note_that(g, TUT_THREAGILE_TECHNICAL, TUT_LIT("internet"),
                                       "it lies in a trust boundary: say trust: public there if "
                                       "everybody reaches it",
                                       who);
    tut_buf_printf(&g->internet, "%s%.*s", g->has_internet ? ", " : "", (int)id.len, id.data);
    g->has_internet = true;
    return TUT_SUCCESS;
}

/* --- communication links --- */

/* One of our names for a flow, if it is free. */
static tut_status take_name(tut_threagile_reading *g, const tut_buf *name, const char **ret)
{
    size_t before = g->flows.count;
    char *copy = tut_arena_copy(g->arena, tut_buf_str(name));
    if (!copy)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_map_put(&g->flows, tut_str_of(copy), before, NULL, g->s.err));
    *ret = g->flows.count > before ? copy : NULL;
    return TUT_SUCCESS;
}

/* Short where nothing else is called so, else with the asset that it comes from. */
static tut_status name_flow(tut_threagile_reading *g, tut_str from, tut_str slug, const char *end,
                            const char **ret)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_buf_printf(&name, "%.*s%s", (int)slug.len, slug.data, end);
    TUT_TRY(take_name(g, &name, ret));
    if (*ret)
        return TUT_SUCCESS;
    tut_buf_clear(&name);
    tut_buf_printf(&name, "%.*s.%.*s%s", (int)from.len, from.data, (int)slug.len, slug.data, end);
    TUT_TRY(take_name(g, &name, ret));
    if (*ret)
        return TUT_SUCCESS;
    return tut_fail(g->s.err, TUT_MALFORMED, "two links would be called %.*s; change a title",
                    (int)name.len, (const char *)name.data);
}

static tut_status remember_link(tut_threagile_reading *g, const tut_yaml_node *entry, tut_str from,
                                tut_str slug, const char *name)
{
    TUT_CLEAN(tut_buf) theirs = TUT_BUF_INIT;
    size_t before = g->links.count;
    tut_buf_printf(&theirs, "%.*s>%.*s", (int)from.len, from.data, (int)slug.len, slug.data);
    char *key = tut_arena_copy(g->arena, tut_buf_str(&theirs));
    if (!key)
        return tut_fail(g->s.err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_grow(&g->names, g->name_count, &g->name_capacity, sizeof(*g->names)));
    TUT_TRY(tut_map_put(&g->links, tut_str_of(key), g->name_count, NULL, g->s.err));
    if (g->links.count == before)
        return tut_schema_fail_node(&g->s, entry, "two links of one asset have this title");
    g->names[g->name_count++] = name;
    return TUT_SUCCESS;
}

static tut_status add_flow(tut_threagile_reading *g, const tut_yaml_node *map, const char *id,
                           tut_str from, tut_str to, const char *data_key)
{
    tut_buf *out = &g->t->flows;
    const char *auth, *encryption;
    TUT_TRY(tut_threagile_translate(g, map, "authentication", &tut_threagile_auths, &auth));
    TUT_TRY(tut_threagile_translate(g, map, "protocol", &tut_threagile_protocols, &encryption));
    tut_buf_printf(out, "  - id: %s\n    from: %.*s\n    to: %.*s\n", id, (int)from.len, from.data,
                   (int)to.len, to.data);
    TUT_TRY(tut_threagile_add_refs(g, map, data_key, &g->data, "data", "dataset/", out));
    tut_buf_printf(out, "    auth: %s\n    encryption: %s\n", auth ? auth : "TODO",
                   encryption ? encryption : "TODO");
    g->t->flow_count++;
    return TUT_SUCCESS;
}

static tut_status read_link(tut_threagile_reading *g, const tut_yaml_node *entry,
                            const tut_yaml_node *map, tut_str from)
{
    TUT_CLEAN(tut_buf) slug = TUT_BUF_INIT;
    tut_str to;
    const char *name, *back;
    const tut_yaml_node *received;
    TUT_TRY(tut_threagile_text(g, map, "target", &to));
    if (tut_map_get(&g->components, to) == SIZE_MAX)
        return tut_schema_fail_node(&g->s, map, "the target of this link is no technical asset");
    tut_threagile_slug(entry->key, &slug);
    if (slug.len == 0)
        tut_buf_add_z(&slug, "link");
    TUT_TRY(tut_buf_check(&slug, g->s.err));
    TUT_TRY(name_flow(g, from, tut_buf_str(&slug), "", &name));
    TUT_TRY(remember_link(g, entry, from, tut_buf_str(&slug), name));
    TUT_TRY(add_flow(g, map, name, from, to, "data_assets_sent"));
    TUT_TRY(tut_threagile_list(g, map, "data_assets_received", &received));
    if (received && received->count) {
        TUT_TRY(name_flow(g, from, tut_buf_str(&slug), ".back", &back));
        TUT_TRY(add_flow(g, map, back, to, from, "data_assets_received"));
    }
    return tut_threagile_fields(g, TUT_THREAGILE_LINK, map, entry->key);
}

static tut_status read_links(tut_threagile_reading *g, const tut_yaml_node *map, tut_str from)
{
    const tut_yaml_node *links;
    TUT_TRY(tut_threagile_section(g, map, "communication_links", &links));
    for (const tut_yaml_node *n = links ? tut_yaml_first(g->y, links) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *at = tut_threagile_follow(g, n);
        if (!at || at->type != TUT_YAML_MAPPING)
            return tut_schema_fail_node(&g->s, n, "a communication link is a mapping");
        TUT_TRY(read_link(g, n, at, from));
    }
    return TUT_SUCCESS;
}

tut_status tut_threagile_component(tut_threagile_reading *g, const tut_yaml_node *entry,
                                   const tut_yaml_node *map)
{
    tut_buf *out = &g->t->components;
    tut_str id, owner;
    const char *kind;
    bool is_outside;
    TUT_TRY(tut_threagile_id(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "owner", &owner));
    TUT_TRY(kind_of(g, map, entry->key, &kind, &is_outside));
    add_title(out, entry->key, id);
    tut_buf_printf(out, "  - id: %.*s\n    kind: %s\n", (int)id.len, id.data, kind);
    TUT_TRY(add_stored(g, map, kind, entry->key));
    tut_threagile_add_field(out, "owner", owner);
    TUT_TRY(add_attributes(g, map, id, entry->key, is_outside));
    g->t->component_count++;
    TUT_TRY(read_links(g, map, id));
    return tut_threagile_fields(g, TUT_THREAGILE_TECHNICAL, map, entry->key);
}
