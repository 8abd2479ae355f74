/*
 * XGBoost's binary format, which was its own until 2.0 (".model", ".deprecated"): structs of the
 * C++ program, little endian, as they lay in memory.
 *
 *   file   = [ "binf" ] learner:136 text:objective text:booster model [ attributes ] [ metrics ]
 *   text   = length:u64 bytes
 *   model  = gbtree:160 { tree } group:i32 * trees [ weights ]     weights (dart) = count:u64 f32 *
 *          | gblinear:136 count:u64 f32 *
 *   tree   = param:148 node:20 * nodes stat:16 * nodes
 *   node   = parent:i32 left:i32 right:i32 split:u32 value:f32     high bit of split: default left,
 *                                                                  of parent: is a left child
 *   attributes = count:u64 { text text }    metrics = count:u64 { text }
 */
#include <inttypes.h>
#include <stdio.h>

#include "formats/payload.h"
#include "formats/snippet.h"
#include "formats/xgboost.h"

enum {
    MAGIC = 4,
    LEARNER = 136,
    TREES_PARAM = 160,
    LINEAR_PARAM = 136,
    TREE_PARAM = 148,
    NODE = 20,
    STAT = 16,
    NAME_MAX_BYTES = 64,
    TEXT_MAX = 64 << 10,
    ATTRIBUTES_TOLD = 32
};

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int32_t i32(const uint8_t *at)
{
    return (int32_t)u32(at);
}

static uint64_t u64(const uint8_t *at)
{
    return u32(at) | (uint64_t)u32(at + 4) << 32;
}

/* --- recognising --- */
static bool text_at(tut_span head, size_t *at, tut_str *ret)
{
    if (head.len < *at + 8)
        return false;
    uint64_t len = u64(head.data + *at);
    *at += 8;
    if (len == 0 || len > NAME_MAX_BYTES || len > head.len - *at)
        return false;
    *ret = (tut_str){(const char *)head.data + *at, (size_t)len};
    *at += (size_t)len;
    for (size_t i = 0; i < ret->len; i++)
        if (ret->data[i] < 0x21 || ret->data[i] > 0x7e)
            return false;
    return true;
}

static tut_match sniff(const tut_sniff *s)
{
    tut_str objective, booster;
    bool has_magic = tut_sniff_magic(s, "binf", MAGIC);
    size_t at = LEARNER + (has_magic ? MAGIC : 0);
    if (tut_sniff_magic(s, "bs64\t", 5))
        return TUT_MATCH_STRONG;
    if (!text_at(s->head, &at, &objective) || !text_at(s->head, &at, &booster))
        return has_magic ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    return has_magic || memchr(objective.data, ':', objective.len) ||
                   tut_str_starts(booster, TUT_LIT("gb"))
               ? TUT_MATCH_STRONG
               : TUT_MATCH_NONE;
}

/* --- reading --- */
typedef struct binary {
    tut_exam *x;
    tut_xgb *model;
    uint8_t learner[LEARNER];
    int64_t declared; /* trees */
    char text[TEXT_MAX];
} binary;

static uint64_t position(const binary *b)
{
    return tut_stream_pos(b->x->stream);
}

static tut_status cut_off(binary *b, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, position(b), "the model ends too early");
}

static tut_status take(binary *b, size_t n, const uint8_t **ret, tut_error *err)
{
    return tut_is_ok(tut_stream_take(b->x->stream, n, ret)) ? TUT_SUCCESS : cut_off(b, err);
}

/* A count of things of at least `each` bytes that must lie in what is left. */
static tut_status check_count(binary *b, const char *what, uint64_t count, uint64_t each,
                              tut_error *err)
{
    uint64_t at = position(b), left = b->x->size > at ? b->x->size - at : 0, need = 0;
    if (b->x->size == UINT64_MAX || (!__builtin_mul_overflow(count, each, &need) && need <= left))
        return TUT_SUCCESS;
    tut_exam_observe(b->x, "xgboost.bad-count", at,
                     "%" PRIu64 " %s, where %" PRIu64 " bytes are left", count, what, left);
    return tut_fail_at(err, TUT_MALFORMED, at, "a count of %s that the file cannot hold", what);
}

static tut_status read_count(binary *b, const char *what, uint64_t each, uint64_t *ret,
                             tut_error *err)
{
    const uint8_t *raw = NULL;
    TUT_TRY(take(b, 8, &raw, err));
    *ret = u64(raw);
    return check_count(b, what, *ret, each, err);
}

/* Into b->text; what is longer is cut. */
static tut_status read_text(binary *b, tut_str *ret, tut_error *err)
{
    const uint8_t *raw = NULL;
    uint64_t len = 0, at = position(b);
    TUT_TRY(read_count(b, "bytes of text", 1, &len, err));
    size_t kept = len < TEXT_MAX ? (size_t)len : TEXT_MAX;
    if (kept > 0)
        TUT_TRY(take(b, kept, &raw, err));
    if (kept > 0)
        memcpy(b->text, raw, kept);
    if (len > kept && !tut_is_ok(tut_stream_skip(b->x->stream, len - kept)))
        return cut_off(b, err);
    *ret = (tut_str){b->text, kept};
    tut_snippet_check(b->x, TUT_LIT("a text"), *ret, at);
    return TUT_SUCCESS;
}

static tut_status read_node(binary *b, const uint8_t *raw, bool is_root, tut_error *err)
{
    uint32_t parent = u32(raw);
    bool has_parent = !is_root && parent != UINT32_MAX;
    TUT_TRY(tut_xgb_tree_add(b->model, TUT_XGB_PARENT, true,
                             has_parent ? (int64_t)(parent & 0x7fffffff) : -1, err));
    TUT_TRY(tut_xgb_tree_add(b->model, TUT_XGB_LEFT, true, i32(raw + 4), err));
    TUT_TRY(tut_xgb_tree_add(b->model, TUT_XGB_RIGHT, true, i32(raw + 8), err));
    return tut_xgb_tree_add(b->model, TUT_XGB_SPLIT, true, (int64_t)(u32(raw + 12) & 0x7fffffff),
                            err);
}

static tut_status read_tree(binary *b, tut_error *err)
{
    const uint8_t *raw = NULL;
    tut_xgb_tree *t = &b->model->tree;
    tut_xgb_tree_begin(b->model, position(b));
    TUT_TRY(take(b, TREE_PARAM, &raw, err));
    t->nodes = i32(raw + 4);
    t->deleted = i32(raw + 8);
    t->features = i32(raw + 16);
    t->has_nodes = true;
    uint64_t nodes = t->nodes > 0 ? (uint64_t)t->nodes : 0;
    if (t->nodes < 0) {
        tut_xgb_tree_end(b->model);
        return tut_fail_at(err, TUT_MALFORMED, t->at, "a tree of %" PRId64 " nodes", t->nodes);
    }
    TUT_TRY(check_count(b, "nodes", nodes, NODE + STAT, err));
    TUT_TRY(tut_budget_steps(b->x->budget, nodes, err));
    for (uint64_t i = 0; i < nodes; i++) {
        TUT_TRY(take(b, NODE, &raw, err));
        TUT_TRY(read_node(b, raw, i == 0, err));
    }
    if (!tut_is_ok(tut_stream_skip(b->x->stream, nodes * STAT)))
        return cut_off(b, err);
    tut_xgb_tree_end(b->model);
    return TUT_SUCCESS;
}

static tut_status read_floats(binary *b, tut_error *err)
{
    uint64_t count = 0;
    TUT_TRY(read_count(b, "weights", 4, &count, err));
    return count <= UINT64_MAX / 4 && tut_is_ok(tut_stream_skip(b->x->stream, 4 * count))
               ? TUT_SUCCESS
               : cut_off(b, err);
}

static tut_status read_trees(binary *b, tut_error *err)
{
    const uint8_t *raw = NULL;
    TUT_TRY(take(b, TREES_PARAM, &raw, err));
    int32_t trees = i32(raw);
    if (trees < 0) {
        tut_exam_observe(b->x, "xgboost.bad-count", position(b), "num_trees is %" PRId32, trees);
        return tut_fail_at(err, TUT_MALFORMED, position(b), "a negative number of trees");
    }
    TUT_TRY(check_count(b, "trees", (uint64_t)trees, TREE_PARAM, err));
    b->model->declared_trees = trees;
    for (int32_t i = 0; i < trees; i++)
        TUT_TRY(read_tree(b, err));
    for (int32_t i = 0; i < trees; i++) {
        TUT_TRY(take(b, 4, &raw, err));
        int32_t group = i32(raw);
        b->model->infos++;
        if (group > b->model->largest_info || group < 0)
            b->model->largest_info = group < 0 ? INT64_MAX : group;
    }
    return strcmp(b->model->booster, "dart") == 0 && trees > 0 ? read_floats(b, err) : TUT_SUCCESS;
}

static tut_status read_linear(binary *b, tut_error *err)
{
    const uint8_t *raw = NULL;
    TUT_TRY(take(b, LINEAR_PARAM, &raw, err));
    return read_floats(b, err);
}

static tut_status read_attributes(binary *b, tut_error *err)
{
    uint64_t count = 0;
    char name[NAME_MAX_BYTES];
    TUT_TRY(read_count(b, "attributes", 16, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        tut_str text;
        TUT_TRY(tut_budget_steps(b->x->budget, 1, err));
        TUT_TRY(read_text(b, &text, err));
        tut_str_copy(name, sizeof(name), text);
        TUT_TRY(read_text(b, &text, err));
        if (i < ATTRIBUTES_TOLD)
            tut_exam_factf(b->x, "xgboost.attribute", "%s=%.*s", name,
                           (int)(text.len < 900 ? text.len : 900), text.data);
    }
    return TUT_SUCCESS;
}

static tut_status read_metrics(binary *b, tut_error *err)
{
    uint64_t count = 0;
    tut_str text;
    TUT_TRY(read_count(b, "metrics", 8, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        TUT_TRY(tut_budget_steps(b->x->budget, 1, err));
        TUT_TRY(read_text(b, &text, err));
    }
    return TUT_SUCCESS;
}

static void learner_param(binary *b, const uint8_t *raw)
{
    uint32_t features = u32(raw + 4);
    int32_t classes = i32(raw + 8), major = i32(raw + 20), minor = i32(raw + 24);
    b->model->features = features;
    b->model->classes = classes;
    b->model->targets = i32(raw + 28);
    if (classes < 0)
        tut_exam_observe(b->x, "xgboost.bad-count", position(b), "num_class is %" PRId32, classes);
    if (major > 0 && major < 100)
        (void)snprintf(b->model->version, sizeof(b->model->version), "%d.%d", (int)major,
                       (int)minor);
}

static tut_status read_model(binary *b, tut_error *err)
{
    const uint8_t *raw = NULL;
    tut_str text;
    if (tut_is_ok(tut_stream_peek(b->x->stream, MAGIC, &raw)) && memcmp(raw, "binf", MAGIC) == 0)
        TUT_TRY(tut_stream_skip(b->x->stream, MAGIC));
    TUT_TRY(take(b, LEARNER, &raw, err));
    memcpy(b->learner, raw, LEARNER);
    learner_param(b, b->learner);
    uint64_t at = position(b);
    TUT_TRY(read_text(b, &text, err));
    tut_xgb_objective(b->model, text, at);
    at = position(b);
    TUT_TRY(read_text(b, &text, err));
    tut_xgb_booster(b->model, text, at);
    b->model->has_learner = b->model->has_booster = true;
    if (strcmp(b->model->booster, "gblinear") == 0)
        TUT_TRY(read_linear(b, err));
    else if (strcmp(b->model->booster, "gbtree") == 0 || strcmp(b->model->booster, "dart") == 0)
        TUT_TRY(read_trees(b, err));
    else
        return tut_fail_at(err, TUT_UNSUPPORTED, at, "a booster that is not read");
    if (i32(b->learner + 12) != 0)
        TUT_TRY(read_attributes(b, err));
    return i32(b->learner + 16) != 0 ? read_metrics(b, err) : TUT_SUCCESS;
}

/* What the releases write behind the model for one objective: a number as text. */
static bool is_poisson_tail(binary *b, uint64_t left)
{
    const uint8_t *raw = NULL;
    return strncmp(b->model->objective, "count:", 6) == 0 && left > 8 && left < 64 &&
           tut_is_ok(tut_stream_peek(b->x->stream, 8, &raw)) && u64(raw) == left - 8;
}

static tut_status look_behind(binary *b, tut_error *err)
{
    uint64_t at = position(b);
    if (tut_stream_at_end(b->x->stream))
        return TUT_SUCCESS;
    if (b->x->size != UINT64_MAX && is_poisson_tail(b, b->x->size - at))
        return TUT_SUCCESS;
    tut_exam_observe(b->x, "xgboost.trailing-data", at, "bytes follow the model");
    return b->x->source ? tut_payload_examine(b->x, at, b->x->size, "behind the model", err)
                        : TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    const uint8_t *raw = NULL;
    tut_xgb model;
    if (tut_is_ok(tut_stream_peek(x->stream, 4, &raw)) && memcmp(raw, "bs64", 4) == 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a model in base64, which no release since 1.6 reads");
    TUT_AUTO_FREE binary *b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_xgb_init(&model, x);
    b->x = x;
    b->model = &model;
    tut_status status = read_model(b, err);
    if (tut_is_ok(status)) {
        tut_xgb_finish(&model);
        status = look_behind(b, err);
    }
    tut_xgb_done(&model);
    return status;
}

extern const tut_format tut_format_xgboost_binary;

const tut_format tut_format_xgboost_binary = {
    .name = "xgboost-binary",
    .label = "XGBoost binary",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".model .deprecated .bst .xgb .xgboost .bin .dat",
    .reads = "the same as of XGBoost JSON; every count against the bytes that are there",
    .rules = "xgboost data",
};
