/* A Threagile model, element by element. Names come first, so that every reference can be held
 * against them; then boundaries (which say where components lie), data, components with their
 * links, and risk tracking. */
#include "govern/threagile_internal.h"

#include <string.h>

#include "base/limits.h"

typedef struct word_pair {
    const char *theirs, *ours;
} word_pair;

static const word_pair kinds[] = {
#define THREAGILE_KIND(theirs, ours) {theirs, ours},
#define THREAGILE_AUTH(theirs, ours)
#define THREAGILE_PROTOCOL(theirs, ours)
#define THREAGILE_SENSITIVITY(theirs, ours)
#define THREAGILE_TREATMENT(theirs, ours)
#define THREAGILE_RULE(category, rule, part, is_flow)
#include "govern/threagile_words.def"
#undef THREAGILE_KIND
#define THREAGILE_KIND(theirs, ours)
};
static const word_pair auths[] = {
#undef THREAGILE_AUTH
#define THREAGILE_AUTH(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_AUTH
#define THREAGILE_AUTH(theirs, ours)
};
static const word_pair protocols[] = {
#undef THREAGILE_PROTOCOL
#define THREAGILE_PROTOCOL(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_PROTOCOL
#define THREAGILE_PROTOCOL(theirs, ours)
};
static const word_pair sensitivities[] = {
#undef THREAGILE_SENSITIVITY
#define THREAGILE_SENSITIVITY(theirs, ours) {theirs, ours},
#include "govern/threagile_words.def"
#undef THREAGILE_SENSITIVITY
#define THREAGILE_SENSITIVITY(theirs, ours)
};
#define WORD_OF(table, word) word_of(table, sizeof(table) / sizeof(table[0]), word)

static const char *word_of(const word_pair *table, size_t count, tut_str word)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(word, table[i].theirs))
            return table[i].ours;
    return NULL;
}

static bool is_name(tut_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return id.len > 0 && id.len <= 100;
}

void tut_threagile_slug(tut_str title, tut_buf *out)
{
    size_t from = out->len;
    bool is_apart = false;
    for (size_t i = 0; i < title.len; i++) {
        char c = title.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            if (is_apart && out->len > from)
                tut_buf_add_byte(out, '-');
            tut_buf_add_byte(out, (uint8_t)c);
            is_apart = false;
        } else {
            is_apart = true;
        }
    }
}

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

static tut_status id_of(tut_threagile_reading *g, const tut_yaml_node *map, tut_str *ret)
{
    TUT_TRY(tut_threagile_text(g, map, "id", ret));
    if (!is_name(*ret))
        return tut_schema_fail_node(&g->s, map,
                                    "an id of letters, digits and \"-\" (at most 100) is needed");
    return TUT_SUCCESS;
}

static tut_status remember(tut_threagile_reading *g, const tut_yaml_node *map, tut_map *names)
{
    tut_str id;
    size_t before = names->count;
    TUT_TRY(id_of(g, map, &id));
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

/* --- pieces of YAML --- */

static void add_field(tut_buf *out, const char *key, tut_str text)
{
    if (text.len == 0)
        return;
    tut_buf_printf(out, "    %s: ", key);
    tut_yaml_quote(out, text);
    tut_buf_add_z(out, "\n");
}

static void add_title(tut_buf *out, tut_str title, tut_str id)
{
    if (tut_str_eq(title, id))
        return;
    tut_buf_add_z(out, "  # ");
    tut_buf_add_escaped(out, title, 90);
    tut_buf_add_z(out, "\n");
}

/* Ids of a list, each of which has to be known; as "[a, b]". Nothing where there are none. */
static tut_status add_refs(tut_threagile_reading *g, const tut_yaml_node *map, const char *list_key,
                           const tut_map *known, const char *key, const char *prefix, tut_buf *out)
{
    const tut_yaml_node *list;
    size_t count = 0;
    TUT_TRY(tut_threagile_list(g, map, list_key, &list));
    for (const tut_yaml_node *n = list ? tut_yaml_first(g->y, list) : NULL; n;
         n = tut_yaml_next(g->y, n)) {
        const tut_yaml_node *at = tut_threagile_follow(g, n);
        if (!at || at->type != TUT_YAML_SCALAR || tut_map_get(known, at->text) == SIZE_MAX)
            return tut_schema_fail_node(&g->s, n, "%s names nothing that the model has", list_key);
        if (count++ == 0)
            tut_buf_printf(out, "    %s: [", key);
        else
            tut_buf_add_z(out, ", ");
        tut_buf_printf(out, "%s%.*s", prefix, (int)at->text.len, at->text.data);
    }
    if (count)
        tut_buf_add_z(out, "]\n");
    return TUT_SUCCESS;
}

/* A word of theirs as ours; one that Threagile does not have is an error with its place. */
static tut_status translate(tut_threagile_reading *g, const tut_yaml_node *map, const char *key,
                            const word_pair *table, size_t count, const char **ret)
{
    tut_str word;
    *ret = NULL;
    TUT_TRY(tut_threagile_text(g, map, key, &word));
    if (word.len == 0)
        return TUT_SUCCESS;
    *ret = word_of(table, count, word);
    if (!*ret)
        return tut_schema_fail_node(&g->s, tut_threagile_get(g, map, key),
                                    "\"%.*s\" is no %s of Threagile",
                                    (int)(word.len < 60 ? word.len : 60), word.data, key);
    return TUT_SUCCESS;
}
#define TRANSLATE(g, map, key, table, ret)                                                         \
    translate(g, map, key, table, sizeof(table) / sizeof(table[0]), ret)

/* --- data assets --- */

static tut_status read_data(tut_threagile_reading *g, const tut_yaml_node *entry,
                            const tut_yaml_node *map)
{
    tut_buf *out = &g->t->assets;
    tut_str id, description, owner, origin;
    const char *sensitivity;
    TUT_TRY(id_of(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "description", &description));
    TUT_TRY(tut_threagile_text(g, map, "owner", &owner));
    TUT_TRY(tut_threagile_text(g, map, "origin", &origin));
    TUT_TRY(TRANSLATE(g, map, "confidentiality", sensitivities, &sensitivity));
    tut_buf_printf(out, "  - id: dataset/%.*s\n    path: TODO\n    origin: TODO\n", (int)id.len,
                   id.data);
    add_field(out, "description", description.len ? description : entry->key);
    add_field(out, "owner", owner);
    add_field(out, "obtained", origin);
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
    TUT_TRY(id_of(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "description", &description));
    TUT_TRY(place_members(g, map));
    g->frame_count++;
    tut_buf_printf(out, "  - id: %.*s\n", (int)id.len, id.data);
    add_field(out, "description", description.len ? description : entry->key);
    tut_buf_add_z(out, "    trust: TODO # public, partner, internal, restricted\n");
    size_t before = out->len;
    TUT_TRY(add_refs(g, map, "technical_assets_inside", &g->components, "inside", "", out));
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
    if (ret->len && !WORD_OF(kinds, *ret))
        return tut_threagile_note_that(
            g, TUT_THREAGILE_TECHNICAL, *ret,
            "this technology is none of Threagile's own: read as kind: service", who);
    return note_technology(g, *ret, who);
}

static tut_status kind_of(tut_threagile_reading *g, const tut_yaml_node *map, tut_str who,
                          const char **ret, bool *ret_outside)
{
    static const word_pair types[] = {
        {"external-entity", ""}, {"process", "service"}, {"datastore", "dataset-store"}};
    tut_str technology;
    const char *type;
    bool is_human;
    TUT_TRY(technology_of(g, map, who, &technology));
    TUT_TRY(TRANSLATE(g, map, "type", types, &type));
    TUT_TRY(tut_threagile_flag(g, map, "used_as_client_by_human", &is_human));
    const char *kind = WORD_OF(kinds, technology);
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
    TUT_TRY(TRANSLATE(g, map, "authentication", auths, &auth));
    TUT_TRY(TRANSLATE(g, map, "protocol", protocols, &encryption));
    tut_buf_printf(out, "  - id: %s\n    from: %.*s\n    to: %.*s\n", id, (int)from.len, from.data,
                   (int)to.len, to.data);
    TUT_TRY(add_refs(g, map, data_key, &g->data, "data", "dataset/", out));
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

static tut_status read_component(tut_threagile_reading *g, const tut_yaml_node *entry,
                                 const tut_yaml_node *map)
{
    tut_buf *out = &g->t->components;
    tut_str id, owner;
    const char *kind;
    bool is_outside;
    TUT_TRY(id_of(g, map, &id));
    TUT_TRY(tut_threagile_text(g, map, "owner", &owner));
    TUT_TRY(kind_of(g, map, entry->key, &kind, &is_outside));
    add_title(out, entry->key, id);
    tut_buf_printf(out, "  - id: %.*s\n    kind: %s\n", (int)id.len, id.data, kind);
    TUT_TRY(add_stored(g, map, kind, entry->key));
    add_field(out, "owner", owner);
    TUT_TRY(add_attributes(g, map, id, entry->key, is_outside));
    g->t->component_count++;
    TUT_TRY(read_links(g, map, id));
    return tut_threagile_fields(g, TUT_THREAGILE_TECHNICAL, map, entry->key);
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
    TUT_TRY(each(g, root, "technical_assets", read_component));
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
