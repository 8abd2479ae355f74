/* tutela.yaml -> tut_system, section by section in the order in which the file is written. */
#include "assets/system.h"

#include <stdio.h>

#include "assets/attributes.h"
#include "assets/schema.h"
#include "base/fs.h"
#include "base/limits.h"

#define SCHEMA_NAME "tutela.system/1"
#define FIELD(type, struct_type, member, ...)                                                      \
    {                                                                                              \
#member, TUT_FIELD_##type, offsetof(struct_type, member), 0, __VA_ARGS__                   \
    }
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { WHAT_MAX = 160 };

static const tut_field top_fields[] = {
    {"schema", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"system", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"roles", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"assets", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"components", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"flows", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"boundaries", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"not_applicable", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"policy", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"inventory", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field system_fields[] = {
    FIELD(TEXT, tut_system, name, true, NULL),      FIELD(TEXT, tut_system, version, true, NULL),
    FIELD(TEXT, tut_system, purpose, true, NULL),   FIELD(TEXTS, tut_system, owners, true, NULL),
    FIELD(TEXTS, tut_system, contacts, true, NULL),
};

static const tut_field asset_fields[] = {
    {"id", TUT_FIELD_OTHER, 0, 0, true, NULL},
    FIELD(TEXT, tut_asset, path, false, NULL),
    {"digest", TUT_FIELD_DIGEST, offsetof(tut_asset, digest), offsetof(tut_asset, has_digest),
     false, NULL},
    FIELD(WORD, tut_asset, origin, true, "first-party supplier public licensed user synthetic"),
    FIELD(TEXT, tut_asset, url, false, NULL),
    FIELD(TEXT, tut_asset, licence, false, NULL),
    FIELD(TEXT, tut_asset, owner, false, NULL),
    FIELD(TEXT, tut_asset, description, false, NULL),
    FIELD(WORD, tut_asset, sensitivity, false, "public internal confidential personal"),
    {"shared", TUT_FIELD_FLAG, offsetof(tut_asset, is_shared), 0, false, NULL},
    FIELD(TEXTS, tut_asset, depends_on, false, NULL),
};

static const tut_field flow_fields[] = {
    FIELD(TEXT, tut_flow, id, true, NULL),
    FIELD(TEXT, tut_flow, from, true, NULL),
    FIELD(TEXT, tut_flow, to, true, NULL),
    FIELD(WORD, tut_flow, auth, false, "none key token oauth mtls"),
    FIELD(WORD, tut_flow, encryption, false, "none tls"),
    FIELD(TEXTS, tut_flow, data, false, NULL),
};

static const tut_field boundary_fields[] = {
    FIELD(TEXT, tut_boundary, id, true, NULL),
    FIELD(TEXT, tut_boundary, description, false, NULL),
    FIELD(TEXTS, tut_boundary, inside, true, NULL),
};

static const tut_field not_applicable_fields[] = {
    FIELD(TEXT, tut_not_applicable, clause, true, NULL),
    FIELD(TEXT, tut_not_applicable, reason, true, NULL),
    FIELD(TEXT, tut_not_applicable, by, true, NULL),
    {"expires", TUT_FIELD_TIME, offsetof(tut_not_applicable, expires),
     offsetof(tut_not_applicable, has_expires), true, NULL},
};

static const tut_field policy_fields[] = {
    FIELD(WORD, tut_system, fail_on, false, "info low medium high critical"),
    FIELD(COUNT, tut_system, max_age_days, false, NULL),
};

static const tut_field inventory_fields[] = {
    FIELD(TEXTS, tut_system, ignore, false, NULL),
};

static const char *const role_keys[] = {"developer", "system-operator", "data-custodian",
                                        "end-user", "affected-entity"};

/* Items of a list section, in fresh arena memory; zero when the section is absent. */
static tut_status list_section(tut_schema *s, const char *key, size_t item_size, void **ret_items,
                               size_t *ret_count, const tut_yaml_node **ret_node)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *node = tut_yaml_get(y, tut_yaml_root(y), key);
    *ret_node = NULL;
    *ret_count = 0;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, node, key));
    *ret_items = tut_arena_take(&s->system->arena, node->count ? node->count : 1, item_size);
    if (!*ret_items)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    *ret_node = node;
    return TUT_SUCCESS;
}

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
static tut_status check_path(tut_schema *s, const tut_yaml_node *node, tut_str path)
{
    bool is_bad = path.len > 0 && path.data[0] == '/';
    for (size_t at = 0; at < path.len && !is_bad;) {
        size_t len = 0;
        while (at + len < path.len && path.data[at + len] != '/')
            len++;
        is_bad = tut_str_eq_z((tut_str){path.data + at, len}, "..");
        at += len + 1;
    }
    if (is_bad)
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "path"),
                                    "a path must lie below the directory of tutela.yaml");
    return TUT_SUCCESS;
}

static tut_status read_assets(tut_schema *s)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node;
    size_t none;
    void *items = NULL;
    TUT_TRY(list_section(s, "assets", sizeof(tut_asset), &items, &none, &node));
    sys->assets = items;
    for (const tut_yaml_node *n = node ? tut_yaml_first(sys->yaml, node) : NULL; n;
         n = tut_yaml_next(sys->yaml, n)) {
        tut_asset *asset = &sys->assets[sys->asset_count];
        TUT_TRY(tut_schema_mapping(s, n, "an asset"));
        TUT_TRY(read_asset_id(s, n, asset));
        char what[WHAT_MAX];
        snprintf(what, sizeof(what), "asset %.120s", asset->id);
        TUT_TRY(tut_schema_read(s, n, asset_fields, COUNT(asset_fields), asset, what, asset->id));
        TUT_TRY(check_path(s, n, asset->path));
        if (tut_system_asset(sys, tut_str_of(asset->id)))
            return tut_schema_fail_node(s, tut_yaml_get(sys->yaml, n, "id"),
                                        "asset %.120s is declared twice", asset->id);
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

static tut_status read_component(tut_schema *s, const tut_yaml_node *n, tut_component *c)
{
    tut_field fields[32] = {
        FIELD(TEXT, tut_component, id, true, NULL),
        FIELD(WORD, tut_component, kind, true, tut_component_kinds),
        FIELD(TEXT, tut_component, asset, false, NULL),
        FIELD(TEXT, tut_component, boundary, false, NULL),
        FIELD(TEXT, tut_component, owner, false, NULL),
        {"agent", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"api", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"dataset", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"model", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"untrusted_content", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"learns_from_feedback", TUT_FIELD_OTHER, 0, 0, false, NULL},
        {"decides_about_persons", TUT_FIELD_OTHER, 0, 0, false, NULL},
    };
    tut_str id = (tut_str){"", 0};
    const tut_yaml_node *id_node = tut_yaml_get(s->system->yaml, n, "id");
    if (id_node && id_node->type == TUT_YAML_SCALAR)
        id = id_node->text;
    char what[WHAT_MAX];
    snprintf(what, sizeof(what), "component %.*s", (int)(id.len < 100 ? id.len : 100), id.data);
    TUT_TRY(tut_schema_read(s, n, fields, 12, c, what, what));
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
    size_t none;
    void *items = NULL;
    TUT_TRY(list_section(s, "components", sizeof(tut_component), &items, &none, &node));
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
    {"flows", "a flow", flow_fields, COUNT(flow_fields), sizeof(tut_flow),
     offsetof(tut_system, flows), offsetof(tut_system, flow_count), offsetof(tut_flow, node)},
    {"boundaries", "a boundary", boundary_fields, COUNT(boundary_fields), sizeof(tut_boundary),
     offsetof(tut_system, boundaries), offsetof(tut_system, boundary_count), NO_NODE},
    {"not_applicable", "an exclusion", not_applicable_fields, COUNT(not_applicable_fields),
     sizeof(tut_not_applicable), offsetof(tut_system, not_applicable),
     offsetof(tut_system, not_applicable_count), offsetof(tut_not_applicable, node)},
};

static tut_status read_list(tut_schema *s, const list_reader *r)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node;
    void *items = NULL;
    size_t count;
    TUT_TRY(list_section(s, r->key, r->item_size, &items, &count, &node));
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

static tut_status read_roles(tut_schema *s)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node = tut_yaml_get(sys->yaml, tut_yaml_root(sys->yaml), "roles");
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, node, "roles"));
    sys->roles = tut_arena_take(&sys->arena, node->count ? node->count : 1, sizeof(*sys->roles));
    if (!sys->roles)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(sys->yaml, node); n;
         n = tut_yaml_next(sys->yaml, n)) {
        size_t i = 0;
        while (i < COUNT(role_keys) && !tut_str_eq_z(n->key, role_keys[i]))
            i++;
        if (i == COUNT(role_keys)) {
            const char *near = tut_str_nearest(n->key, role_keys, COUNT(role_keys));
            return tut_schema_fail(s, n->key_line, n->key_column, (uint32_t)n->key.len,
                                   "no role \"%.*s\" in the standard%s%s%s", (int)n->key.len,
                                   n->key.data, near ? "; did you mean \"" : "", near ? near : "",
                                   near ? "\"?" : "");
        }
        if (n->type != TUT_YAML_SCALAR)
            return tut_schema_fail_node(s, n, "a role is held by one name");
        if (tut_schema_is_absent(n)) {
            TUT_TRY(tut_schema_todo(s, "roles", role_keys[i]));
            continue;
        }
        sys->roles[sys->role_count++] = (tut_attribute){tut_str_of(role_keys[i]), n->text};
    }
    return TUT_SUCCESS;
}

static tut_status check_schema_line(tut_schema *s, const tut_yaml_node *root)
{
    const tut_yaml_node *n = tut_yaml_get(s->system->yaml, root, "schema");
    if (!n)
        return tut_schema_fail(s, 1, 1, 1, "the first line must be \"schema: " SCHEMA_NAME "\"");
    if (n->type != TUT_YAML_SCALAR || !tut_str_eq_z(n->text, SCHEMA_NAME))
        return tut_schema_fail_node(s, n, "this program reads schema " SCHEMA_NAME);
    return TUT_SUCCESS;
}

static tut_status read_object(tut_schema *s, const char *key, const tut_field *fields, size_t count)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node = tut_yaml_get(sys->yaml, tut_yaml_root(sys->yaml), key);
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    return tut_schema_read(s, node, fields, count, sys, key, key);
}

static tut_status read_all(tut_schema *s)
{
    const tut_yaml_node *root = tut_yaml_root(s->system->yaml);
    if (!root)
        return tut_schema_fail(s, 1, 1, 1,
                               "the file is empty; tutela init --force writes a new one");
    TUT_TRY(tut_schema_read(s, root, top_fields, COUNT(top_fields), s->system, "tutela.yaml", ""));
    TUT_TRY(check_schema_line(s, root));
    if (!tut_yaml_get(s->system->yaml, root, "system"))
        return tut_schema_fail(s, 1, 1, 1, "a \"system:\" section with its name is missing");
    TUT_TRY(read_object(s, "system", system_fields, COUNT(system_fields)));
    TUT_TRY(read_roles(s));
    TUT_TRY(read_assets(s));
    TUT_TRY(check_dependencies(s));
    TUT_TRY(read_components(s));
    for (size_t i = 0; i < COUNT(lists); i++)
        TUT_TRY(read_list(s, &lists[i]));
    TUT_TRY(check_graph(s));
    TUT_TRY(read_object(s, "policy", policy_fields, COUNT(policy_fields)));
    return read_object(s, "inventory", inventory_fields, COUNT(inventory_fields));
}

/* A failure of YAML itself carries "LINE:COLUMN: message". */
static void show_yaml_error(const char *file, tut_str text, tut_error *err, tut_buf *shown)
{
    unsigned line = 0, column = 0;
    const char *at = err->text;
    while (*at >= '0' && *at <= '9' && line < 100000000)
        line = line * 10 + (unsigned)(*at++ - '0');
    if (*at == ':')
        at++;
    while (*at >= '0' && *at <= '9' && column < 100000000)
        column = column * 10 + (unsigned)(*at++ - '0');
    if (line == 0 || column == 0 || strncmp(at, ": ", 2) != 0) {
        tut_error_set_path(err, file);
        return;
    }
    char message[TUT_ERROR_TEXT_MAX];
    tut_str_copy(message, sizeof(message), tut_str_of(at + 2));
    char path[TUT_ERROR_PATH_MAX];
    snprintf(path, sizeof(path), "%s:%u:%u", file, line, column);
    tut_error_set_path(err, path);
    if (shown)
        tut_yaml_show(file, text, line, column, 1, message, shown);
    tut_str_copy(err->text, sizeof(err->text), tut_str_of(message));
}

tut_status tut_system_parse(const char *dir, const char *file, tut_str text,
                            tut_system **ret_system, tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    if (!err)
        err = &local;
    TUT_AUTO(tut_system) sys = tut_alloc_array(1, sizeof(*sys));
    if (!sys)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&sys->arena, 0);
    sys->dir = tut_strdup(dir);
    sys->file = tut_strdup(file);
    if (!sys->dir || !sys->file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_sha256_of(tut_span_of(text.data, text.len), &sys->digest, err));
    tut_status status = tut_yaml_parse_caged(text, &sys->yaml, err);
    if (!tut_is_ok(status)) {
        show_yaml_error(file, text, err, ret_shown);
        return status;
    }
    tut_schema schema = {.file = file, .system = sys, .shown = ret_shown, .err = err};
    TUT_TRY(read_all(&schema));
    *ret_system = tut_move(&sys);
    return TUT_SUCCESS;
}

tut_status tut_system_load(const char *dir_or_file, tut_system **ret_system, tut_buf *ret_shown,
                           tut_error *err)
{
    bool is_dir = tut_fs_is_dir(dir_or_file);
    TUT_AUTO_FREE char *file = is_dir ? tut_fs_join(dir_or_file, "tutela.yaml")
                                      : tut_strdup(dir_or_file);
    if (!file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(file))
        return tut_fail(err, TUT_USAGE, "no tutela.yaml in %s; tutela init %s writes one",
                        dir_or_file, dir_or_file);
    const char *slash = strrchr(file, '/');
    TUT_AUTO_FREE char *dir = !slash          ? tut_strdup(".")
                              : slash == file ? tut_strdup("/")
                                              : tut_strndup(file, (size_t)(slash - file));
    if (!dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(file, TUT_LIMIT_YAML_BYTES, &text, err));
    return tut_system_parse(dir, file, tut_buf_str(&text), ret_system, ret_shown, err);
}

const tut_asset *tut_system_asset(const tut_system *s, tut_str id)
{
    for (size_t i = 0; i < s->asset_count; i++)
        if (tut_str_eq_z(id, s->assets[i].id))
            return &s->assets[i];
    return NULL;
}

void tut_system_free(tut_system *s)
{
    if (!s)
        return;
    tut_yaml_free(s->yaml);
    tut_arena_done(&s->arena);
    tut_free(s->dir);
    tut_free(s->file);
    tut_free(s);
}
