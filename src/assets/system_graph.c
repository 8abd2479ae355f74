/* Running parts, flows, boundaries, and what is claimed not to apply. */
#include <stdio.h>

#include "assets/attributes.h"
#include "assets/system_internal.h"

enum { WHAT_MAX = 160, FIELDS_MAX = 48, GROUP_MAX = 32 };

static const tut_field flow_fields[] = {
    TUT_FIELD(TEXT, tut_flow, id, true, NULL),
    TUT_FIELD(TEXT, tut_flow, from, true, NULL),
    TUT_FIELD(TEXT, tut_flow, to, true, NULL),
    TUT_FIELD(WORD, tut_flow, auth, false, "none key token oauth mtls"),
    TUT_FIELD(WORD, tut_flow, encryption, false, "none tls"),
    TUT_FIELD(WORD, tut_flow, integrity, false, "none checksum signed"),
    TUT_FIELD(TEXTS, tut_flow, data, false, NULL),
};

static const tut_field boundary_fields[] = {
    TUT_FIELD(TEXT, tut_boundary, id, true, NULL),
    TUT_FIELD(TEXT, tut_boundary, description, false, NULL),
    TUT_FIELD(WORD, tut_boundary, trust, false, "public partner internal restricted"),
    TUT_FIELD(WORD, tut_boundary, zone, false, "production training development"),
    TUT_FIELD(TEXTS, tut_boundary, inside, true, NULL),
};

static const tut_field not_applicable_fields[] = {
    TUT_FIELD(TEXT, tut_not_applicable, clause, true, NULL),
    TUT_FIELD(TEXT, tut_not_applicable, reason, true, NULL),
    TUT_FIELD(TEXT, tut_not_applicable, by, true, NULL),
    {"expires", TUT_FIELD_TIME, offsetof(tut_not_applicable, expires),
     offsetof(tut_not_applicable, has_expires), true, NULL},
};

/* The keys of the attributes, each group once: attributes.c reads what is in them. */
static size_t add_groups(tut_field *fields, size_t count, char groups[][GROUP_MAX])
{
    size_t row_count;
    const tut_attribute_row *rows = tut_attribute_rows(&row_count);
    for (size_t i = 0; i < row_count && count < FIELDS_MAX; i++) {
        size_t len = strcspn(rows[i].key, ".");
        bool is_known = i > 0 && strncmp(rows[i - 1].key, rows[i].key, len) == 0 &&
                        strcspn(rows[i - 1].key, ".") == len;
        if (is_known)
            continue;
        tut_str_copy(groups[count], GROUP_MAX, (tut_str){rows[i].key, len});
        fields[count] = (tut_field){groups[count], TUT_FIELD_OTHER, 0, 0, false, NULL};
        count++;
    }
    return count;
}

static tut_status read_component(tut_schema *s, const tut_yaml_node *n, tut_component *c)
{
    tut_field fields[FIELDS_MAX] = {
        TUT_FIELD(TEXT, tut_component, id, true, NULL),
        TUT_FIELD(WORD, tut_component, kind, true, tut_component_kinds),
        TUT_FIELD(TEXT, tut_component, asset, false, NULL),
        TUT_FIELD(TEXT, tut_component, boundary, false, NULL),
        TUT_FIELD(TEXT, tut_component, owner, false, NULL),
    };
    char groups[FIELDS_MAX][GROUP_MAX];
    size_t field_count = add_groups(fields, 5, groups);
    tut_str id = (tut_str){"", 0};
    const tut_yaml_node *id_node = tut_yaml_get(s->system->yaml, n, "id");
    if (id_node && id_node->type == TUT_YAML_SCALAR)
        id = id_node->text;
    char what[WHAT_MAX];
    snprintf(what, sizeof(what), "component %.*s", (int)(id.len < 100 ? id.len : 100), id.data);
    TUT_TRY(tut_schema_read(s, n, fields, field_count, c, what, what));
    if (c->asset.len && !tut_system_asset(s->system, c->asset))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, n, "asset"),
                                    "no asset \"%.*s\" is declared", (int)c->asset.len,
                                    c->asset.data);
    c->node = n;
    return tut_attributes_read(s, n, c, what);
}

static tut_status read_components(tut_schema *s)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node;
    void *items = NULL;
    TUT_TRY(tut_schema_list(s, "components", sizeof(tut_component), &items, &node));
    sys->components = items;
    for (const tut_yaml_node *n = node ? tut_yaml_first(sys->yaml, node) : NULL; n;
         n = tut_yaml_next(sys->yaml, n))
        TUT_TRY(read_component(s, n, &sys->components[sys->component_count++]));
    return TUT_SUCCESS;
}

/* Flows, boundaries and exclusions: lists of plain tables. */
typedef struct list_reader {
    const char *key, *what;
    const tut_field *fields;
    size_t field_count, item_size, items_offset, count_offset, node_offset;
} list_reader;

#define NO_NODE SIZE_MAX
static const list_reader lists[] = {
    {"flows", "a flow", flow_fields, TUT_COUNT(flow_fields), sizeof(tut_flow),
     offsetof(tut_system, flows), offsetof(tut_system, flow_count), offsetof(tut_flow, node)},
    {"boundaries", "a boundary", boundary_fields, TUT_COUNT(boundary_fields), sizeof(tut_boundary),
     offsetof(tut_system, boundaries), offsetof(tut_system, boundary_count), NO_NODE},
    {"not_applicable", "an exclusion", not_applicable_fields, TUT_COUNT(not_applicable_fields),
     sizeof(tut_not_applicable), offsetof(tut_system, not_applicable),
     offsetof(tut_system, not_applicable_count), offsetof(tut_not_applicable, node)},
};

static tut_status read_list(tut_schema *s, const list_reader *r)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node;
    void *items = NULL;
    size_t count = 0;
    TUT_TRY(tut_schema_list(s, r->key, r->item_size, &items, &node));
    for (const tut_yaml_node *n = node ? tut_yaml_first(sys->yaml, node) : NULL; n;
         n = tut_yaml_next(sys->yaml, n)) {
        uint8_t *item = (uint8_t *)items + count * r->item_size;
        char where[WHAT_MAX];
        snprintf(where, sizeof(where), "%s[%zu]", r->key, count);
        TUT_TRY(tut_schema_read(s, n, r->fields, r->field_count, item, r->what, where));
        if (r->node_offset != NO_NODE)
            *(const tut_yaml_node **)(void *)(item + r->node_offset) = n;
        count++;
    }
    *(void **)(void *)((uint8_t *)sys + r->items_offset) = items;
    *(size_t *)(void *)((uint8_t *)sys + r->count_offset) = count;
    return TUT_SUCCESS;
}

static const tut_component *find_component(const tut_system *sys, tut_str id)
{
    for (size_t i = 0; i < sys->component_count; i++)
        if (tut_str_eq(sys->components[i].id, id))
            return &sys->components[i];
    return NULL;
}

static tut_str boundary_of(const tut_system *sys, const tut_component *c)
{
    if (c->boundary.len)
        return c->boundary;
    for (size_t i = 0; i < sys->boundary_count; i++)
        for (size_t k = 0; k < sys->boundaries[i].inside.count; k++)
            if (tut_str_eq(sys->boundaries[i].inside.items[k], c->id))
                return sys->boundaries[i].id;
    return (tut_str){"", 0};
}

/* Ends of flows and members of boundaries must be components; a flow crosses when its ends differ.
 */
static tut_status check_graph(tut_schema *s)
{
    tut_system *sys = s->system;
    for (size_t i = 0; i < sys->flow_count; i++) {
        tut_flow *f = &sys->flows[i];
        const tut_component *from = find_component(sys, f->from);
        const tut_component *to = find_component(sys, f->to);
        if ((f->from.len && !from) || (f->to.len && !to)) {
            const char *key = f->from.len && !from ? "from" : "to";
            const tut_yaml_node *n = tut_yaml_get(sys->yaml, f->node, key);
            return tut_schema_fail_node(s, n, "no component \"%.*s\" is declared", (int)n->text.len,
                                        n->text.data);
        }
        f->crosses = from && to && !tut_str_eq(boundary_of(sys, from), boundary_of(sys, to));
    }
    for (size_t i = 0; i < sys->boundary_count; i++)
        for (size_t k = 0; k < sys->boundaries[i].inside.count; k++) {
            tut_str id = sys->boundaries[i].inside.items[k];
            if (!find_component(sys, id))
                return tut_schema_fail(s, 1, 1, 1,
                                       "boundary %.*s: no component \"%.*s\" is declared",
                                       (int)sys->boundaries[i].id.len, sys->boundaries[i].id.data,
                                       (int)id.len, id.data);
        }
    return TUT_SUCCESS;
}
tut_status tut_system_read_graph(tut_schema *s)
{
    TUT_TRY(read_components(s));
    for (size_t i = 0; i < TUT_COUNT(lists); i++)
        TUT_TRY(read_list(s, &lists[i]));
    return check_graph(s);
}
