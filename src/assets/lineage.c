#include "assets/lineage.h"

#include <stdio.h>

#include "base/buf.h"

void tut_lineage_init(tut_lineage *l, const tut_question *question, tut_error *err)
{
    *l = (tut_lineage){.question = question, .err = err};
    tut_arena_init(&l->arena, 0);
}

void tut_lineage_done(tut_lineage *l)
{
    tut_graph_done(&l->graph);
    tut_map_done(&l->by_key);
    tut_free(l->nodes);
    tut_free(l->seeds);
    tut_arena_done(&l->arena);
    *l = (tut_lineage){0};
}

static tut_status nomem(tut_lineage *l)
{
    return tut_fail(l->err, TUT_NOMEM, "memory ran out");
}

static const char *keep(tut_lineage *l, tut_str text)
{
    return tut_arena_copy(&l->arena, text);
}

/* "model/a\nHEX" for a version, "\nADDRESS" for an address: no id holds a newline. */
static tut_status node_of(tut_lineage *l, tut_str key, uint32_t *ret_node, bool *ret_is_new)
{
    size_t at = tut_map_get(&l->by_key, key);
    *ret_is_new = at == SIZE_MAX;
    if (at != SIZE_MAX) {
        *ret_node = (uint32_t)at;
        return TUT_SUCCESS;
    }
    const char *kept = keep(l, key);
    if (!kept || !tut_is_ok(tut_grow(&l->nodes, l->count, &l->capacity, sizeof(*l->nodes))))
        return nomem(l);
    TUT_TRY(tut_graph_node(&l->graph, ret_node, l->err));
    l->nodes[l->count++] = (tut_lineage_node){0};
    return tut_map_put(&l->by_key, (tut_str){kept, key.len}, *ret_node, NULL, l->err);
}

static void version_key(tut_buf *key, tut_str asset, const tut_sha256 *digest)
{
    tut_buf_clear(key);
    tut_buf_add_str(key, asset);
    tut_buf_add_byte(key, '\n');
    if (digest)
        tut_buf_add_hex(key, digest->bytes, TUT_SHA256_BYTES);
}

static void widen(tut_lineage_node *n, const tut_moment *at, bool is_now)
{
    n->is_now |= is_now;
    if (!at->is_there)
        return;
    if (!n->since.is_there || at->index < n->since.index)
        n->since = *at;
    if (!n->until.is_there || at->index > n->until.index)
        n->until = *at;
}

static tut_status version_of(tut_lineage *l, tut_str asset, const tut_sha256 *digest,
                             uint32_t *ret_node)
{
    bool is_new;
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    version_key(&key, asset, digest);
    TUT_TRY(tut_buf_check(&key, l->err));
    TUT_TRY(node_of(l, tut_buf_str(&key), ret_node, &is_new));
    tut_lineage_node *n = &l->nodes[*ret_node];
    if (is_new) {
        const char *slash = asset.len ? memchr(asset.data, '/', asset.len) : NULL;
        n->name = keep(l, asset);
        n->kind = keep(l, (tut_str){asset.data, slash ? (size_t)(slash - asset.data) : 0});
        n->has_digest = digest != NULL;
        if (digest)
            n->digest = *digest;
        if (!n->name || !n->kind)
            return nomem(l);
    }
    /* By its name alone: the one that was taken in first. */
    return tut_map_put(&l->by_key, tut_str_of(n->name), *ret_node, NULL, l->err);
}

tut_status tut_lineage_seed(tut_lineage *l, uint32_t node, const char *how)
{
    tut_lineage_node *n = &l->nodes[node];
    if (n->is_seed)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&l->seeds, l->seed_count, &l->seed_capacity, sizeof(*l->seeds))))
        return nomem(l);
    n->how = keep(l, tut_str_of(how));
    if (!n->how)
        return nomem(l);
    n->is_seed = true;
    l->seeds[l->seed_count++] = node;
    return TUT_SUCCESS;
}

uint32_t tut_lineage_find(const tut_lineage *l, tut_str asset, const tut_sha256 *digest)
{
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    version_key(&key, asset, digest);
    size_t at = digest ? tut_map_get(&l->by_key, tut_buf_str(&key)) : SIZE_MAX;
    if (at == SIZE_MAX)
        at = tut_map_get(&l->by_key, asset);
    return at == SIZE_MAX ? TUT_NODE_NONE : (uint32_t)at;
}

/* --- does this answer the question? --- */

static bool is_asked_hex(const tut_lineage *l, tut_str hex)
{
    return l->question->kind == TUT_ASK_DIGEST &&
           tut_str_starts(hex, tut_str_of(l->question->text));
}

/* {"sha256": HEX}, or of another algorithm for packages. */
static bool is_asked_digest(const tut_lineage *l, const tut_json_value *digest)
{
    for (uint32_t i = 0; l->question->kind == TUT_ASK_DIGEST && i < tut_json_count(digest); i++)
        if (is_asked_hex(l, tut_json_text(tut_json_item(digest, i))))
            return true;
    return false;
}

static bool is_asked_package(const tut_lineage *l, const tut_json_value *p)
{
    if (l->question->kind == TUT_ASK_DIGEST)
        return is_asked_digest(l, tut_json_get(p, "digest"));
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_str asked = tut_str_of(l->question->text);
    tut_str version = tut_json_get_text(p, "version");
    tut_buf_add_z(&name, "pkg:");
    tut_buf_add_str(&name, tut_json_get_text(p, "type"));
    tut_buf_add_byte(&name, '/');
    tut_buf_add_str(&name, tut_json_get_text(p, "name"));
    if (tut_str_eq(tut_buf_str(&name), asked))
        return true;
    tut_buf_add_byte(&name, '@');
    tut_buf_add_str(&name, version);
    return tut_str_eq(tut_buf_str(&name), asked);
}

static tut_status seed_with(tut_lineage *l, uint32_t node, const char *what, tut_str name)
{
    TUT_CLEAN(tut_buf) how = TUT_BUF_INIT;
    tut_buf_add_z(&how, what);
    tut_buf_add_escaped(&how, name, 200);
    TUT_TRY(tut_buf_check(&how, l->err));
    const char *text = tut_buf_z(&how);
    return text ? tut_lineage_seed(l, node, text) : nomem(l);
}

static tut_status ask_parts(tut_lineage *l, const tut_json_value *v, uint32_t node)
{
    const tut_json_value *parts = tut_json_get(v, "parts");
    for (uint32_t i = 0; l->question->kind == TUT_ASK_DIGEST && i < tut_json_count(parts); i++) {
        const tut_json_value *part = tut_json_item(parts, i);
        if (is_asked_digest(l, tut_json_get(part, "digest")))
            return seed_with(l, node, "a file in it: ", tut_json_get_text(part, "path"));
    }
    return TUT_SUCCESS;
}

static tut_status ask_packages(tut_lineage *l, const tut_json_value *v, uint32_t node)
{
    const tut_json_value *list = tut_json_get(v, "packages");
    bool is_asked = l->question->kind == TUT_ASK_DIGEST || l->question->kind == TUT_ASK_PACKAGE;
    for (uint32_t i = 0; is_asked && i < tut_json_count(list); i++) {
        const tut_json_value *p = tut_json_item(list, i);
        if (!is_asked_package(l, p))
            continue;
        TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
        tut_buf_add_str(&name, tut_json_get_text(p, "name"));
        tut_buf_add_byte(&name, ' ');
        tut_buf_add_str(&name, tut_json_get_text(p, "version"));
        return seed_with(l, node, "a package that it lists: ", tut_buf_str(&name));
    }
    return TUT_SUCCESS;
}

static tut_status ask(tut_lineage *l, const tut_json_value *v, uint32_t node)
{
    if (is_asked_digest(l, tut_json_get(v, "digest")))
        return tut_lineage_seed(l, node, "its digest");
    if (l->question->kind == TUT_ASK_ASSET && strcmp(l->nodes[node].name, l->question->text) == 0)
        return tut_lineage_seed(l, node, "its name");
    TUT_TRY(ask_parts(l, v, node));
    return ask_packages(l, v, node);
}

/* --- taking in --- */

/* The version uses what lies at the address. */
static tut_status add_address(tut_lineage *l, uint32_t version, tut_str url,
                              const tut_json_value *collected_at, const tut_json_value *digest)
{
    uint32_t node;
    bool is_new;
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    if (url.len == 0)
        return TUT_SUCCESS;
    tut_buf_add_byte(&key, '\n');
    tut_buf_add_str(&key, url);
    TUT_TRY(tut_buf_check(&key, l->err));
    TUT_TRY(node_of(l, tut_buf_str(&key), &node, &is_new));
    tut_lineage_node *n = &l->nodes[node];
    tut_str when = tut_json_text(collected_at);
    if (is_new)
        n->name = keep(l, url);
    if (when.len)
        n->collected_at = keep(l, when);
    if (!n->name || (when.len && !n->collected_at))
        return nomem(l);
    n->has_collected_at |= when.len > 0;
    tut_str hex = tut_json_get_text(digest, "sha256");
    n->has_digest |= hex.len > 0 && tut_is_ok(tut_sha256_parse(hex, &n->digest));
    n->is_now |= l->nodes[version].is_now;
    widen(n, &l->nodes[version].since, false);
    widen(n, &l->nodes[version].until, false);
    if (l->question->kind == TUT_ASK_URL && tut_url_matches(tut_str_of(l->question->text), url))
        TUT_TRY(tut_lineage_seed(l, node, "the address"));
    if (is_asked_digest(l, digest))
        TUT_TRY(tut_lineage_seed(l, node, "the digest of what lay there"));
    return tut_graph_edge(&l->graph, version, node, l->err);
}

static tut_status add_addresses(tut_lineage *l, const tut_json_value *v, uint32_t version)
{
    const tut_json_value *sources = tut_json_get(v, "sources");
    const tut_json_value *facts = tut_json_get(v, "facts");
    size_t at;
    TUT_TRY(add_address(l, version, tut_json_get_text(v, "url"), tut_json_get(v, "collected_at"),
                        NULL));
    for (uint32_t i = 0; i < tut_json_count(sources); i++) {
        const tut_json_value *s = tut_json_item(sources, i);
        TUT_TRY(add_address(l, version, tut_json_get_text(s, "url"),
                            tut_json_get(s, "collected_at"), tut_json_get(s, "digest")));
    }
    /* What the file itself says that it was made from. */
    for (uint32_t i = 0; i < tut_json_count(facts); i++) {
        const tut_json_value *f = tut_json_item(facts, i);
        tut_str value = tut_json_get_text(f, "value");
        if (tut_str_eq_z(tut_json_get_text(f, "key"), "model.source") &&
            tut_str_find(value, TUT_LIT("://"), &at))
            TUT_TRY(add_address(l, version, value, NULL, NULL));
    }
    return TUT_SUCCESS;
}

static tut_status take_asset(tut_lineage *l, const tut_json_value *v, const tut_moment *at,
                             bool is_now, tut_map *here)
{
    tut_sha256 digest;
    uint32_t node;
    tut_str id = tut_json_get_text(v, "id");
    tut_str hex = tut_json_get_text(tut_json_get(v, "digest"), "sha256");
    bool has_digest = hex.len > 0 && tut_is_ok(tut_sha256_parse(hex, &digest));
    if (id.len == 0 || memchr(id.data, '\n', id.len))
        return TUT_SUCCESS;
    TUT_TRY(version_of(l, id, has_digest ? &digest : NULL, &node));
    bool is_there = !tut_str_eq_z(tut_json_get_text(v, "state"), "missing");
    widen(&l->nodes[node], at, is_now && is_there);
    TUT_TRY(tut_map_put(here, id, node, NULL, l->err));
    TUT_TRY(add_addresses(l, v, node));
    return ask(l, v, node);
}

static tut_status take_edges(tut_lineage *l, const tut_json_value *v, const tut_map *here)
{
    const tut_json_value *list = tut_json_get(v, "depends_on");
    size_t from = tut_map_get(here, tut_json_get_text(v, "id"));
    for (uint32_t i = 0; from != SIZE_MAX && i < tut_json_count(list); i++) {
        size_t to = tut_map_get(here, tut_json_text(tut_json_item(list, i)));
        if (to != SIZE_MAX)
            TUT_TRY(tut_graph_edge(&l->graph, (uint32_t)from, (uint32_t)to, l->err));
    }
    return TUT_SUCCESS;
}

tut_status tut_lineage_take(tut_lineage *l, const tut_json_value *assets, const tut_moment *at,
                            bool is_now)
{
    tut_map here = TUT_MAP_INIT; /* the version that each asset has in this inventory */
    tut_status status = TUT_SUCCESS;
    for (uint32_t i = 0; i < tut_json_count(assets) && tut_is_ok(status); i++)
        status = take_asset(l, tut_json_item(assets, i), at, is_now, &here);
    for (uint32_t i = 0; i < tut_json_count(assets) && tut_is_ok(status); i++)
        status = take_edges(l, tut_json_item(assets, i), &here);
    tut_map_done(&here);
    return status;
}

tut_status tut_lineage_source(tut_lineage *l, tut_str asset, tut_str url)
{
    size_t count = l->count; /* addresses are added on the way */
    for (size_t i = 0; i < count; i++)
        if (l->nodes[i].kind && tut_str_eq_z(asset, l->nodes[i].name))
            TUT_TRY(add_address(l, (uint32_t)i, url, NULL, NULL));
    return TUT_SUCCESS;
}

tut_status tut_lineage_version(tut_lineage *l, const char *asset, const tut_sha256 *digest,
                               const char *how, const tut_moment *at)
{
    uint32_t node;
    TUT_TRY(version_of(l, tut_str_of(asset), digest, &node));
    widen(&l->nodes[node], at, false);
    return tut_lineage_seed(l, node, how);
}
