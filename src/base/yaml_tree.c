/* The tree itself: making, looking, freeing. */
#include "base/limits.h"
#include "base/yaml_internal.h"

tut_status tut_yaml_new(tut_str text, tut_yaml **ret_yaml, tut_error *err)
{
    if (text.len > TUT_LIMIT_YAML_BYTES)
        return tut_fail(err, TUT_LIMIT, "the YAML is larger than %u MB",
                        TUT_LIMIT_YAML_BYTES >> 20);
    TUT_AUTO(tut_yaml) y = tut_alloc_array(1, sizeof *y);
    if (!y)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&y->arena, 0);
    tut_status s = tut_yaml_keep(y, text, &y->source);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "memory ran out");
    *ret_yaml = tut_move(&y);
    return TUT_SUCCESS;
}

void tut_yaml_free(tut_yaml *y)
{
    if (!y)
        return;
    tut_arena_done(&y->arena);
    tut_free(y->nodes);
    tut_free(y);
}

tut_status tut_yaml_keep(tut_yaml *y, tut_str text, tut_str *ret_copy)
{
    char *copy = tut_arena_copy(&y->arena, text);
    if (!copy)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    *ret_copy = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

tut_status tut_yaml_add(tut_yaml *y, tut_yaml_node **ret_node, tut_error *err)
{
    if (y->count == TUT_LIMIT_YAML_NODES)
        return tut_fail(err, TUT_LIMIT, "the YAML holds more than %u values", TUT_LIMIT_YAML_NODES);
    tut_status s = tut_grow(&y->nodes, y->count, &y->capacity, sizeof *y->nodes);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "memory ran out");
    *ret_node = &y->nodes[y->count++];
    **ret_node = (tut_yaml_node){0};
    return TUT_SUCCESS;
}

tut_str tut_yaml_source(const tut_yaml *y)
{
    return y->source;
}

const tut_yaml_facts *tut_yaml_get_facts(const tut_yaml *y)
{
    return &y->facts;
}

const tut_yaml_node *tut_yaml_root(const tut_yaml *y)
{
    return y->has_root ? &y->nodes[0] : NULL;
}

const tut_yaml_node *tut_yaml_first(const tut_yaml *y, const tut_yaml_node *parent)
{
    return parent && parent->first ? &y->nodes[parent->first] : NULL;
}

const tut_yaml_node *tut_yaml_next(const tut_yaml *y, const tut_yaml_node *child)
{
    return child && child->next ? &y->nodes[child->next] : NULL;
}

const tut_yaml_node *tut_yaml_get(const tut_yaml *y, const tut_yaml_node *map, const char *key)
{
    if (!map || map->type != TUT_YAML_MAPPING)
        return NULL;
    for (const tut_yaml_node *n = tut_yaml_first(y, map); n; n = tut_yaml_next(y, n)) {
        if (n->key.data && tut_str_eq_z(n->key, key))
            return n;
    }
    return NULL;
}
