/* A trace for machines: tutela.trace/1, and the part of the graph that it went through. */
#include "assess/trace.h"

enum { EVENTS_SHOWN = 20 };

static void put_moment(tut_json *j, const char *key, const tut_moment *m)
{
    tut_json_key(j, key);
    if (!m->is_there) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "index", m->index);
    tut_json_put_time(j, "at", m->at);
    tut_json_end_object(j);
}

static void put_digest(tut_json *j, const tut_lineage_node *n)
{
    tut_json_key(j, "digest");
    if (n->has_digest)
        tut_json_sha256(j, n->digest.bytes);
    else
        tut_json_null(j);
}

/* What the log says of this version: who did what. */
static void put_events(const tut_trace *t, const tut_lineage_node *n, tut_json *j)
{
    size_t shown = 0;
    tut_json_key(j, "entries");
    tut_json_array(j);
    const tut_life_event *e = t->history ? tut_history_first(t->history, n->name) : NULL;
    for (; e && shown < EVENTS_SHOWN; e = tut_history_next(t->history, e)) {
        if (e->is_signature || !n->has_digest || !tut_sha256_eq(e->digest, &n->digest))
            continue;
        TUT_CLEAN(tut_buf) who = TUT_BUF_INIT;
        tut_history_who(e->record, &who);
        tut_json_object(j);
        tut_json_put_u64(j, "index", e->record->index);
        tut_json_put_z(j, "event", e->record->check);
        tut_json_put_time(j, "at", e->record->at);
        tut_json_put_str(j, "by", tut_buf_str(&who));
        tut_json_end_object(j);
        shown++;
    }
    tut_json_end_array(j);
}

static tut_status put_path(const tut_trace *t, uint32_t node, tut_json *j, tut_error *err)
{
    TUT_AUTO_FREE uint32_t *path = NULL;
    size_t count;
    TUT_TRY(tut_trace_path(t, node, &path, &count, err));
    tut_json_key(j, "path");
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_z(j, t->lineage.nodes[path[i]].name);
    tut_json_end_array(j);
    return TUT_SUCCESS;
}

static tut_status put_node(const tut_trace *t, uint32_t node, tut_json *j, tut_error *err)
{
    const tut_lineage_node *n = &t->lineage.nodes[node];
    tut_json_object(j);
    tut_json_put_z(j, n->kind ? "id" : "url", n->name);
    if (n->kind)
        tut_json_put_z(j, "kind", n->kind);
    else
        tut_json_put_z(j, "collected_at", n->collected_at);
    put_digest(j, n);
    tut_json_put_bool(j, "now", n->is_now);
    tut_json_put_u64(j, "distance", t->walk.distance[node]);
    tut_json_put_z(j, "match", n->how);
    put_moment(j, "since", &n->since);
    put_moment(j, "until", &n->until);
    if (n->kind)
        put_events(t, n, j);
    TUT_TRY(put_path(t, node, j, err));
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

static tut_status put_nodes(const tut_trace *t, const char *key, bool assets, tut_json *j,
                            tut_error *err)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < t->walk.count; i++) {
        uint32_t node = t->walk.nodes[i];
        if ((t->lineage.nodes[node].kind != NULL) == assets)
            TUT_TRY(put_node(t, node, j, err));
    }
    tut_json_end_array(j);
    return TUT_SUCCESS;
}

static void put_summary(const tut_trace *t, tut_json *j)
{
    size_t assets = 0, models = 0, now = 0;
    for (size_t i = 0; i < t->walk.count; i++) {
        const tut_lineage_node *n = &t->lineage.nodes[t->walk.nodes[i]];
        assets += n->kind != NULL;
        models += n->kind && strcmp(n->kind, "model") == 0;
        now += n->kind && n->is_now;
    }
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "asked", t->question.text);
    tut_json_put_z(j, "as", tut_question_kind_name(t->question.kind));
    tut_json_put_z(j, "way", t->way == TUT_WALK_USERS ? "downstream" : "upstream");
    tut_json_put_z(j, "entry", t->entry);
    tut_json_put_u64(j, "matches", t->lineage.seed_count);
    tut_json_put_u64(j, "assets", assets);
    tut_json_put_u64(j, "models", models);
    tut_json_put_u64(j, "now", now);
    tut_json_put_u64(j, "inventories", t->inventories);
    tut_json_put_u64(j, "inventories_left_out", t->left_out);
    tut_json_put_u64(j, "inventories_unread", t->unread);
    tut_json_end_object(j);
}

tut_status tut_trace_json(const tut_trace *t, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.trace/1", tut_time_generated());
    put_summary(t, j);
    TUT_TRY(put_nodes(t, "assets", true, j, err));
    TUT_TRY(put_nodes(t, "sources", false, j, err));
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(out, '\n');
    return tut_buf_check(out, err);
}

static void dot_name(tut_buf *out, const tut_trace *t, uint32_t node)
{
    const tut_lineage_node *n = &t->lineage.nodes[node];
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, tut_str_of(n->name), 200);
    tut_buf_add_byte(out, '"');
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.data[i] == '"' || safe.data[i] == '\\')
            tut_buf_add_byte(out, '\\');
        tut_buf_add_byte(out, safe.data[i]);
    }
    if (n->has_digest && n->kind) {
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&n->digest, hex);
        tut_buf_printf(out, "\\n%.12s", hex);
    }
    tut_buf_add_byte(out, '"');
}

tut_status tut_trace_dot(const tut_trace *t, tut_buf *out, tut_error *err)
{
    tut_buf_add_z(out, "digraph trace {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", "
                       "shape=box];\n");
    for (size_t i = 0; i < t->walk.count; i++) {
        const tut_lineage_node *n = &t->lineage.nodes[t->walk.nodes[i]];
        tut_buf_add_z(out, "  ");
        dot_name(out, t, t->walk.nodes[i]);
        tut_buf_printf(out, " [style=%s%s%s];\n", n->is_now ? "solid" : "dashed",
                       n->is_seed ? ", penwidth=3" : "", n->kind ? "" : ", shape=ellipse");
    }
    /* The way by which each was reached; a user points at what it uses. */
    for (size_t i = 0; i < t->walk.count; i++) {
        uint32_t node = t->walk.nodes[i];
        uint32_t from = t->walk.from[node];
        if (from == node)
            continue;
        bool is_down = t->way == TUT_WALK_USERS;
        tut_buf_add_z(out, "  ");
        dot_name(out, t, is_down ? node : from);
        tut_buf_add_z(out, " -> ");
        dot_name(out, t, is_down ? from : node);
        tut_buf_add_z(out, ";\n");
    }
    tut_buf_add_z(out, "}\n");
    return tut_buf_check(out, err);
}
