#include "assets/attributes.h"

#include <stdio.h>

const char tut_component_kinds[] = "model training-job inference-gateway rag-index vector-store "
                                   "prompt-store agent tool data-source "
                                   "dataset-store model-registry labelling evaluation human-review "
                                   "log update-server user-client service";

typedef tut_attribute_row attribute;

#define TEXT TUT_ATTRIBUTE_TEXT
#define WORD TUT_ATTRIBUTE_WORD
#define LEVEL TUT_ATTRIBUTE_LEVEL
#define FLAG TUT_ATTRIBUTE_FLAG
#define NUMBER TUT_ATTRIBUTE_NUMBER
#define TIME TUT_ATTRIBUTE_TIME
#define TEXTS TUT_ATTRIBUTE_TEXTS

/* One that is not given counts as the worse of what it could be, so that no threat is lost by
 * leaving something out. */
static const attribute table[] = {
    {"agent.human_approval", FLAG, NULL, NULL},
    {"agent.memory", LEVEL, "none session persistent", "none"},
    {"agent.side_effects", LEVEL, "none internal external", "none"},
    {"agent.tool_updates", LEVEL, "pinned reviewed automatic", "automatic"},
    {"agent.tools", TEXTS, NULL, NULL},
    {"api.auth", WORD, "none key token oauth mtls", "none"},
    {"api.max_tokens", NUMBER, NULL, NULL},
    {"api.rate_limit", TEXT, NULL, NULL},
    {"api.returns", WORD, "none label topk logits text embeddings", "none"},
    {"dataset.collected_at", TIME, NULL, NULL},
    {"dataset.origin", WORD, "first-party public licensed user synthetic", "first-party"},
    {"dataset.personal", FLAG, NULL, NULL},
    {"dataset.url", TEXT, NULL, NULL},
    {"decides_about_persons", FLAG, NULL, NULL},
    {"fallback", FLAG, NULL, NULL},
    {"hosting", WORD, "own cloud shared", "own"},
    {"input.physical", FLAG, NULL, NULL},
    {"labelling.by", WORD, "staff supplier crowd", "staff"},
    {"learns_from_feedback", FLAG, NULL, NULL},
    {"lifecycle", LEVEL, "planned active retired", "active"},
    {"logged", FLAG, NULL, NULL},
    {"model.continual_learning", FLAG, NULL, NULL},
    {"model.format", TEXT, NULL, NULL},
    {"model.modality_enabled", TEXTS, NULL, NULL},
    {"model.modality_used", TEXTS, NULL, NULL},
    {"model.open_weights", FLAG, NULL, NULL},
    {"model.origin", WORD, "first-party supplier public", "first-party"},
    {"model.task", WORD, "unknown generative classifier regressor ranker embedder", "unknown"},
    {"monitored", FLAG, NULL, NULL},
    {"output.use", LEVEL, "shown rendered executed", "shown"},
    {"partitioned", FLAG, NULL, NULL},
    {"prompt.holds_secrets", FLAG, NULL, NULL},
    {"retention_days", NUMBER, NULL, NULL},
    {"storage.encrypted", FLAG, NULL, NULL},
    {"storage.user_input", FLAG, NULL, NULL},
    {"tool.origin", WORD, "first-party supplier public", "first-party"},
    {"tool.privileges", LEVEL, "read write admin", "read"},
    {"tool.protocol", WORD, "function http mcp plugin", "function"},
    {"tool.sandboxed", FLAG, NULL, NULL},
    {"tool.updates", LEVEL, "pinned reviewed automatic", "automatic"},
    {"untrusted_content", FLAG, NULL, NULL},
};

enum { COUNT = sizeof(table) / sizeof(table[0]), KEY_MAX = 64 };

const tut_attribute_row *tut_attribute_rows(size_t *ret_count)
{
    *ret_count = COUNT;
    return table;
}

/* "api" of "api.auth"; the whole key where it has no group. */
static tut_str group_of(const char *key)
{
    return (tut_str){key, strcspn(key, ".")};
}

bool tut_attribute_is_key(tut_str key)
{
    for (size_t i = 0; i < COUNT; i++)
        if (tut_str_eq(group_of(table[i].key), key))
            return true;
    return false;
}

static const attribute *find(tut_str group, tut_str name)
{
    for (size_t i = 0; i < COUNT; i++) {
        tut_str g = group_of(table[i].key);
        if (!tut_str_eq(g, group))
            continue;
        bool is_plain = table[i].key[g.len] == '\0';
        if (is_plain ? name.len == 0 : tut_str_eq_z(name, table[i].key + g.len + 1))
            return &table[i];
    }
    return NULL;
}

static tut_status check_value(tut_schema *s, const tut_yaml_node *node, const attribute *a)
{
    tut_time when;
    uint64_t number;
    char nearest[512];
    if (node->type != TUT_YAML_SCALAR)
        return tut_schema_fail_node(s, node, "%s must be a single value", a->key);
    switch (a->type) {
    case TEXT:
    case TEXTS:
        return TUT_SUCCESS;
    case NUMBER:
        if (!tut_str_u64(node->text, &number) || number > UINT32_MAX)
            return tut_schema_fail_node(s, node, "%s must be a whole number", a->key);
        return TUT_SUCCESS;
    case FLAG:
        if (node->is_quoted ||
            !(tut_str_eq_z(node->text, "true") || tut_str_eq_z(node->text, "false")))
            return tut_schema_fail_node(s, node, "%s must be true or false", a->key);
        return TUT_SUCCESS;
    case TIME:
        if (!tut_is_ok(tut_time_parse(node->text, &when)))
            return tut_schema_fail_node(s, node, "%s must be a date such as 2026-05-31", a->key);
        return TUT_SUCCESS;
    case WORD:
    case LEVEL:
        break;
    }
    size_t at = 0;
    while (a->words[at]) {
        size_t len = strcspn(a->words + at, " ");
        if (tut_str_eq((tut_str){a->words + at, len}, node->text))
            return TUT_SUCCESS;
        at += len + (a->words[at + len] == ' ');
    }
    const char *hint = tut_schema_nearest_word(a->words, node->text, nearest, sizeof(nearest));
    return tut_schema_fail_node(s, node, "%s cannot be \"%.*s\"; %s%s", a->key, (int)node->text.len,
                                node->text.data,
                                hint ? "did you mean " : "it is one of: ", hint ? hint : a->words);
}

static tut_status add(tut_schema *s, tut_component *c, size_t *capacity, const attribute *a,
                      const tut_yaml_node *value, const char *where)
{
    if (tut_schema_is_absent(value)) {
        if (value && tut_str_eq_z(value->text, "TODO"))
            return tut_schema_todo(s, where, a->key);
        return TUT_SUCCESS;
    }
    TUT_TRY(check_value(s, value, a));
    if (c->attribute_count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 8;
        tut_attribute *items = tut_arena_take(&s->system->arena, grown, sizeof(*items));
        if (!items)
            return tut_fail(s->err, TUT_NOMEM, "memory ran out");
        if (c->attribute_count)
            memcpy(items, c->attributes, c->attribute_count * sizeof(*items));
        c->attributes = items;
        *capacity = grown;
    }
    c->attributes[c->attribute_count++] = (tut_attribute){tut_str_of(a->key), value->text};
    return TUT_SUCCESS;
}

static tut_status add_all(tut_schema *s, tut_component *c, size_t *capacity, const attribute *a,
                          const tut_yaml_node *value, const char *where)
{
    const tut_yaml *y = s->system->yaml;
    if (a->type != TEXTS || value->type != TUT_YAML_SEQUENCE)
        return add(s, c, capacity, a, value, where);
    for (const tut_yaml_node *item = tut_yaml_first(y, value); item; item = tut_yaml_next(y, item))
        TUT_TRY(add(s, c, capacity, a, item, where));
    return TUT_SUCCESS;
}

static tut_status unknown(tut_schema *s, const tut_yaml_node *child, tut_str group)
{
    const char *known[COUNT];
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++) {
        tut_str g = group_of(table[i].key);
        if (tut_str_eq(g, group) && table[i].key[g.len] == '.')
            known[n++] = table[i].key + g.len + 1;
    }
    const char *nearest = tut_str_nearest(child->key, known, n);
    return tut_schema_fail(s, child->key_line, child->key_column, (uint32_t)child->key.len,
                           "unknown key \"%.*s\" in %.*s%s%s%s", (int)child->key.len,
                           child->key.data, (int)group.len, group.data,
                           nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                           nearest ? "\"?" : "");
}

tut_status tut_attributes_read(tut_schema *s, const tut_yaml_node *node, tut_component *c,
                               const char *what)
{
    const tut_yaml *y = s->system->yaml;
    size_t capacity = 0;
    for (const tut_yaml_node *child = tut_yaml_first(y, node); child;
         child = tut_yaml_next(y, child)) {
        if (!tut_attribute_is_key(child->key))
            continue;
        const attribute *plain = find(child->key, TUT_LIT(""));
        if (plain) {
            TUT_TRY(add_all(s, c, &capacity, plain, child, what));
            continue;
        }
        char group_name[KEY_MAX];
        tut_str_copy(group_name, sizeof(group_name), child->key);
        TUT_TRY(tut_schema_mapping(s, child, group_name));
        for (const tut_yaml_node *item = tut_yaml_first(y, child); item;
             item = tut_yaml_next(y, item)) {
            const attribute *a = find(child->key, item->key);
            if (!a)
                return unknown(s, item, child->key);
            TUT_TRY(add_all(s, c, &capacity, a, item, what));
        }
    }
    return TUT_SUCCESS;
}

tut_str tut_component_attribute(const tut_component *c, const char *key)
{
    for (size_t i = 0; i < c->attribute_count; i++)
        if (tut_str_eq_z(c->attributes[i].key, key))
            return c->attributes[i].value;
    return (tut_str){"", 0};
}
