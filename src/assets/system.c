/* tutela.yaml -> tut_system, section by section in the order in which the file is written. */
#include "assets/system.h"

#include <stdio.h>

#include "assets/system_internal.h"
#include "base/fs.h"
#include "base/limits.h"
#include "ledger/people.h"

#define SCHEMA_NAME "tutela.system/1"

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
    {"guard", TUT_FIELD_OTHER, 0, 0, false, NULL}, /* guard/policy.h reads it */
    {"probe", TUT_FIELD_OTHER, 0, 0, false, NULL}, /* probe/policy.h reads it */
    /* Of people and their work: src/govern reads them. */
    {"training", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"gates", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"design", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"threats", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"oversight", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field system_fields[] = {
    TUT_FIELD(TEXT, tut_system, name, true, NULL),
    TUT_FIELD(TEXT, tut_system, version, true, NULL),
    TUT_FIELD(TEXT, tut_system, purpose, true, NULL),
    TUT_FIELD(TEXTS, tut_system, owners, true, NULL),
    TUT_FIELD(TEXTS, tut_system, contacts, true, NULL),
    TUT_FIELD(TEXT, tut_system, url, false, NULL),
    TUT_FIELD(TEXTS, tut_system, hardware, false, NULL),
    {"released_at", TUT_FIELD_TIME, offsetof(tut_system, released_at),
     offsetof(tut_system, has_released_at), false, NULL},
};

static const tut_field policy_fields[] = {
    TUT_FIELD(WORD, tut_system, fail_on, false, "info low medium high critical"),
    TUT_FIELD(COUNT, tut_system, max_age_days, false, NULL),
    TUT_FIELD(TEXT, tut_system, witnesses, false, NULL),
    TUT_FIELD(TEXT, tut_system, timestamp_ca, false, NULL),
    {"signatures", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"scan", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"sources", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field signature_fields[] = {
    TUT_FIELD(TEXTS, tut_signature_policy, model, false, NULL),
    TUT_FIELD(TEXTS, tut_signature_policy, dataset, false, NULL),
    TUT_FIELD(TEXTS, tut_signature_policy, prompt, false, NULL),
    TUT_FIELD(TEXTS, tut_signature_policy, config, false, NULL),
    TUT_FIELD(TEXTS, tut_signature_policy, code, false, NULL),
    TUT_FIELD(TEXTS, tut_signature_policy, document, false, NULL),
};

static const tut_field inventory_fields[] = {
    TUT_FIELD(TEXTS, tut_system, ignore, false, NULL),
};

static const char *const role_keys[] = {"developer", "system-operator", "data-custodian",
                                        "end-user", "affected-entity"};

/* Items of a list section, in fresh arena memory; zero when the section is absent. */
tut_status tut_schema_list(tut_schema *s, const char *key, size_t item_size, void **ret_items,
                           const tut_yaml_node **ret_node)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *node = tut_yaml_get(y, tut_yaml_root(y), key);
    *ret_node = NULL;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, node, key));
    *ret_items = tut_arena_take(&s->system->arena, node->count ? node->count : 1, item_size);
    if (!*ret_items)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    *ret_node = node;
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
        while (i < TUT_COUNT(role_keys) && !tut_str_eq_z(n->key, role_keys[i]))
            i++;
        if (i == TUT_COUNT(role_keys)) {
            const char *near = tut_str_nearest(n->key, role_keys, TUT_COUNT(role_keys));
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

/* A role that nobody can have would make every signature wrong without a word. */
static tut_status check_role(tut_schema *s, const tut_yaml_node *node)
{
    if (tut_schema_is_absent(node) || tut_person_role(node->text) != 0)
        return TUT_SUCCESS;
    const char *nearest = tut_str_nearest(node->text, tut_person_roles, TUT_PERSON_ROLE_COUNT);
    return tut_schema_fail_node(
        s, node, "nobody has the role \"%.*s\"; %s%s%s", (int)node->text.len, node->text.data,
        nearest ? "did you mean \"" : "tutela people enrol --help lists them",
        nearest ? nearest : "", nearest ? "\"?" : "");
}

static tut_status read_signatures(tut_schema *s)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *policy = tut_yaml_get(y, tut_yaml_root(y), "policy");
    const tut_yaml_node *node = policy ? tut_yaml_get(y, policy, "signatures") : NULL;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, signature_fields, TUT_COUNT(signature_fields),
                            &s->system->signatures, "policy.signatures", "policy.signatures"));
    for (const tut_yaml_node *kind = tut_yaml_first(y, node); kind; kind = tut_yaml_next(y, kind)) {
        if (kind->type == TUT_YAML_SCALAR)
            TUT_TRY(check_role(s, kind));
        for (const tut_yaml_node *role = tut_yaml_first(y, kind); role;
             role = tut_yaml_next(y, role))
            TUT_TRY(check_role(s, role));
    }
    return TUT_SUCCESS;
}

static tut_status read_all(tut_schema *s)
{
    const tut_yaml_node *root = tut_yaml_root(s->system->yaml);
    if (!root)
        return tut_schema_fail(s, 1, 1, 1,
                               "the file is empty; tutela init --force writes a new one");
    TUT_TRY(
        tut_schema_read(s, root, top_fields, TUT_COUNT(top_fields), s->system, "tutela.yaml", ""));
    TUT_TRY(check_schema_line(s, root));
    if (!tut_yaml_get(s->system->yaml, root, "system"))
        return tut_schema_fail(s, 1, 1, 1, "a \"system:\" section with its name is missing");
    TUT_TRY(read_object(s, "system", system_fields, TUT_COUNT(system_fields)));
    TUT_TRY(read_roles(s));
    TUT_TRY(tut_system_read_assets(s));
    TUT_TRY(tut_system_read_graph(s));
    TUT_TRY(read_object(s, "policy", policy_fields, TUT_COUNT(policy_fields)));
    TUT_TRY(read_signatures(s));
    TUT_TRY(tut_system_read_policy(s));
    return read_object(s, "inventory", inventory_fields, TUT_COUNT(inventory_fields));
}

/* A failure of YAML itself carries "LINE:COLUMN: message". */
void tut_schema_tell_yaml(const char *file, tut_str text, tut_error *err, tut_buf *shown)
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

typedef tut_status (*yaml_parser)(tut_str text, tut_yaml **ret_yaml, tut_error *err);

static tut_status parse(const char *dir, const char *file, tut_str text, yaml_parser parse_yaml,
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
    tut_status status = parse_yaml(text, &sys->yaml, err);
    if (!tut_is_ok(status)) {
        tut_schema_tell_yaml(file, text, err, ret_shown);
        return status;
    }
    tut_schema schema = {.file = file, .system = sys, .shown = ret_shown, .err = err};
    TUT_TRY(read_all(&schema));
    *ret_system = tut_move(&sys);
    return TUT_SUCCESS;
}

tut_status tut_system_parse(const char *dir, const char *file, tut_str text,
                            tut_system **ret_system, tut_buf *ret_shown, tut_error *err)
{
    return parse(dir, file, text, tut_yaml_parse_caged, ret_system, ret_shown, err);
}

static tut_status parse_here(tut_str text, tut_yaml **ret_yaml, tut_error *err)
{
    return tut_yaml_parse(text, false, ret_yaml, err);
}

tut_status tut_system_parse_here(const char *dir, const char *file, tut_str text,
                                 tut_system **ret_system, tut_error *err)
{
    return parse(dir, file, text, parse_here, ret_system, NULL, err);
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
    size_t at = tut_map_get(&s->by_id, id);
    return at != SIZE_MAX ? &s->assets[at] : NULL;
}

void tut_system_free(tut_system *s)
{
    if (!s)
        return;
    tut_map_done(&s->by_id);
    tut_map_done(&s->by_path);
    tut_yaml_free(s->yaml);
    tut_arena_done(&s->arena);
    tut_free(s->dir);
    tut_free(s->file);
    tut_free(s);
}
