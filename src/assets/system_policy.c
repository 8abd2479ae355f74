/* policy.scan and policy.sources. */
#include <stdio.h>

#include "assets/policy.h"
#include "assets/system_internal.h"

enum { WHERE_MAX = 64 };

static const tut_field scan_fields[] = {
    {"allow", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"deny", TUT_FIELD_OTHER, 0, 0, false, NULL},
    TUT_FIELD(TEXTS, tut_system, yara, false, NULL),
    TUT_FIELD(TEXT, tut_system, secret_rules, false, NULL),
};

static const tut_field allow_fields[] = {
    TUT_FIELD(TEXT, tut_listed, rule, true, NULL),
    TUT_FIELD(TEXT, tut_listed, asset, false, NULL),
    TUT_FIELD(TEXT, tut_listed, path, false, NULL),
    {"digest", TUT_FIELD_DIGEST, offsetof(tut_listed, digest), offsetof(tut_listed, has_digest),
     false, NULL},
    TUT_FIELD(TEXT, tut_listed, reason, true, NULL),
    TUT_FIELD(TEXT, tut_listed, by, true, NULL),
    {"expires", TUT_FIELD_TIME, offsetof(tut_listed, expires), offsetof(tut_listed, has_expires),
     true, NULL},
};

static const tut_field deny_fields[] = {
    TUT_FIELD(TEXT, tut_listed, path, false, NULL),
    {"digest", TUT_FIELD_DIGEST, offsetof(tut_listed, digest), offsetof(tut_listed, has_digest),
     false, NULL},
    TUT_FIELD(TEXT, tut_listed, global, false, NULL),
    TUT_FIELD(TEXT, tut_listed, url, false, NULL),
    TUT_FIELD(TEXT, tut_listed, reason, true, NULL),
    TUT_FIELD(TEXT, tut_listed, by, true, NULL),
    {"expires", TUT_FIELD_TIME, offsetof(tut_listed, expires), offsetof(tut_listed, has_expires),
     false, NULL},
};

static const tut_field source_fields[] = {
    TUT_FIELD(TEXT, tut_approved_source, prefix, true, NULL),
    TUT_FIELD(TEXT, tut_approved_source, reason, true, NULL),
    TUT_FIELD(TEXT, tut_approved_source, by, true, NULL),
    {"expires", TUT_FIELD_TIME, offsetof(tut_approved_source, expires),
     offsetof(tut_approved_source, has_expires), false, NULL},
};

typedef struct list_shape {
    const char *key, *what;
    const tut_field *fields;
    size_t field_count, item_size, node_offset;
} list_shape;

static const list_shape allow_shape = {"allow",
                                       "an accepted finding",
                                       allow_fields,
                                       TUT_COUNT(allow_fields),
                                       sizeof(tut_listed),
                                       offsetof(tut_listed, node)};
static const list_shape deny_shape = {"deny",
                                      "a refused thing",
                                      deny_fields,
                                      TUT_COUNT(deny_fields),
                                      sizeof(tut_listed),
                                      offsetof(tut_listed, node)};
static const list_shape source_shape = {"sources",
                                        "an approved source",
                                        source_fields,
                                        TUT_COUNT(source_fields),
                                        sizeof(tut_approved_source),
                                        offsetof(tut_approved_source, node)};

static tut_status read_list(tut_schema *s, const tut_yaml_node *parent, const list_shape *shape,
                            void **ret_items, size_t *ret_count)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list = tut_yaml_get(y, parent, shape->key);
    char where[WHERE_MAX];
    size_t count = 0;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, shape->key));
    uint8_t *items = tut_arena_take(&s->system->arena, list->count + 1u, shape->item_size);
    if (!items)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n), count++) {
        uint8_t *item = items + count * shape->item_size;
        snprintf(where, sizeof(where), "policy.%s[%zu]", shape->key, count);
        TUT_TRY(tut_schema_read(s, n, shape->fields, shape->field_count, item, shape->what, where));
        *(const tut_yaml_node **)(void *)(item + shape->node_offset) = n;
    }
    *ret_items = items;
    *ret_count = count;
    return TUT_SUCCESS;
}

/* What can be told to be a slip now would else be an entry that silently never applies. */
static tut_status check_listed(tut_schema *s, const tut_listed *e)
{
    const tut_yaml *y = s->system->yaml;
    if (!tut_system_path_is_below(e->path))
        return tut_schema_fail_node(s, tut_yaml_get(y, e->node, "path"),
                                    "a path must lie below the directory of tutela.yaml");
    if (e->asset.len && !tut_system_asset(s->system, e->asset))
        return tut_schema_fail_node(s, tut_yaml_get(y, e->node, "asset"),
                                    "no asset \"%.*s\" is declared", (int)e->asset.len,
                                    e->asset.data);
    return TUT_SUCCESS;
}

/* https is meant; http is allowed to who writes it. What has no host would cover the world. */
static bool is_prefix(tut_str prefix)
{
    tut_str https = TUT_LIT("https://");
    tut_str http = TUT_LIT("http://");
    tut_str scheme = tut_str_starts(prefix, https) ? https : http;
    return tut_str_starts(prefix, scheme) && tut_url_is_below(prefix, prefix);
}

static tut_status read_scan(tut_schema *s, const tut_yaml_node *policy)
{
    tut_system *sys = s->system;
    const tut_yaml_node *node = tut_yaml_get(sys->yaml, policy, "scan");
    void *items = NULL;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, scan_fields, TUT_COUNT(scan_fields), sys, "policy.scan",
                            "policy.scan"));
    TUT_TRY(read_list(s, node, &allow_shape, &items, &sys->allowed_count));
    sys->allowed = items;
    items = NULL;
    TUT_TRY(read_list(s, node, &deny_shape, &items, &sys->denied_count));
    sys->denied = items;
    for (size_t i = 0; sys->allowed && i < sys->allowed_count; i++)
        TUT_TRY(check_listed(s, &sys->allowed[i]));
    for (size_t i = 0; sys->denied && i < sys->denied_count; i++)
        TUT_TRY(check_listed(s, &sys->denied[i]));
    for (size_t i = 0; i < sys->yara.count; i++)
        if (!tut_system_path_is_below(sys->yara.items[i]))
            return tut_schema_fail_node(s, tut_yaml_get(sys->yaml, node, "yara"),
                                        "rule files must lie below the directory of tutela.yaml");
    if (sys->secret_rules.len && !tut_system_path_is_below(sys->secret_rules))
        return tut_schema_fail_node(s, tut_yaml_get(sys->yaml, node, "secret_rules"),
                                    "the rule file must lie below the directory of tutela.yaml");
    return TUT_SUCCESS;
}

tut_status tut_system_read_policy(tut_schema *s)
{
    tut_system *sys = s->system;
    const tut_yaml_node *policy = tut_yaml_get(sys->yaml, tut_yaml_root(sys->yaml), "policy");
    void *items = NULL;
    if (tut_schema_is_absent(policy))
        return TUT_SUCCESS;
    TUT_TRY(read_scan(s, policy));
    TUT_TRY(read_list(s, policy, &source_shape, &items, &sys->source_count));
    sys->sources = items;
    for (size_t i = 0; sys->sources && i < sys->source_count; i++) {
        const tut_approved_source *a = &sys->sources[i];
        if (a->prefix.len && !is_prefix(a->prefix))
            return tut_schema_fail_node(s, tut_yaml_get(sys->yaml, a->node, "prefix"),
                                        "an approved source begins with https:// and a host");
    }
    return TUT_SUCCESS;
}
