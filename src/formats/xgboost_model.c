/*
 * Where in an XGBoost document a value stands, and what that makes of it.
 *
 *   { "learner": { "attributes": { name: text }, "feature_names": [], "feature_types": [],
 *                  "gradient_booster": { "name": "gbtree", "model": model }
 *                                    | { "name": "dart", "gbtree": { ... }, "weight_drop": [] },
 *                  "learner_model_param": {}, "objective": { "name": ... } }, "version": [] }
 *   model = { "gbtree_model_param": {}, "tree_info": [], "trees": [ tree ] } | { "weights": [] }
 */
#include <inttypes.h>
#include <stdio.h>

#include "formats/snippet.h"
#include "formats/xgboost.h"

/* Keys that mean something; the tree's own stand in the order of tut_xgb_field. */
#define KEYS(X)                                                                                    \
    X(LEFT, "left_children")                                                                       \
    X(RIGHT, "right_children")                                                                     \
    X(PARENT, "parents")                                                                           \
    X(SPLIT, "split_indices")                                                                      \
    X(SPLIT_TYPE, "split_type")                                                                    \
    X(CATEGORY_NODES, "categories_nodes")                                                          \
    X(CATEGORY_SEGMENTS, "categories_segments")                                                    \
    X(CATEGORY_SIZES, "categories_sizes")                                                          \
    X(CATEGORIES, "categories")                                                                    \
    X(CONDITION, "split_conditions")                                                               \
    X(DEFAULT_LEFT, "default_left")                                                                \
    X(LOSS, "loss_changes")                                                                        \
    X(HESSIAN, "sum_hessian")                                                                      \
    X(WEIGHT, "base_weights")                                                                      \
    X(LEARNER, "learner")                                                                          \
    X(ATTRIBUTES, "attributes")                                                                    \
    X(BOOSTER, "gradient_booster")                                                                 \
    X(GBTREE, "gbtree")                                                                            \
    X(MODEL, "model")                                                                              \
    X(MODEL_PARAM, "gbtree_model_param")                                                           \
    X(TREES, "trees")                                                                              \
    X(TREE_INFO, "tree_info")                                                                      \
    X(TREE_PARAM, "tree_param")                                                                    \
    X(LEARNER_PARAM, "learner_model_param")                                                        \
    X(OBJECTIVE, "objective")                                                                      \
    X(WEIGHTS, "weights")                                                                          \
    X(NAME, "name")                                                                                \
    X(VERSION, "version")                                                                          \
    X(NUM_TREES, "num_trees")                                                                      \
    X(NUM_NODES, "num_nodes")                                                                      \
    X(NUM_DELETED, "num_deleted")                                                                  \
    X(NUM_FEATURE, "num_feature")                                                                  \
    X(NUM_CLASS, "num_class")                                                                      \
    X(NUM_TARGET, "num_target")                                                                    \
    X(LEAF_SIZE, "size_leaf_vector")

typedef enum key {
#define ID(id, text) K_##id,
    KEYS(ID)
#undef ID
        K_OTHER,
    K_NONE
} key;

static const char *const key_names[] = {
#define TEXT(id, text) text,
    KEYS(TEXT)
#undef TEXT
};

enum { ATTRIBUTES_TOLD = 32 };

void tut_xgb_reader_init(tut_xgb_reader *r, tut_xgb *model, const char *duplicate)
{
    *r = (tut_xgb_reader){.model = model, .duplicate = duplicate, .key = K_NONE};
    tut_key_stack_init(&r->keys, model->x->budget);
}

void tut_xgb_reader_done(tut_xgb_reader *r)
{
    tut_key_stack_done(&r->keys);
}

static key key_of(tut_str text)
{
    for (size_t i = 0; i < sizeof(key_names) / sizeof(key_names[0]); i++)
        if (tut_str_eq_z(text, key_names[i]))
            return (key)i;
    return K_OTHER;
}

/* The key of the container that is open `up` levels above the value at hand. */
static key above(const tut_xgb_reader *r, uint32_t up)
{
    return r->depth > up ? (key)r->path[r->depth - 1 - up] : K_NONE;
}

bool tut_xgb_is_idle(const tut_xgb_reader *r)
{
    key list = above(r, 0);
    bool is_wanted = list == K_TREE_INFO || list == K_TREES || list == K_VERSION ||
                     (r->in_tree && list < (key)TUT_XGB_FIELDS);
    return !is_wanted;
}

/* Parameters are numbers in quotes. */
static bool read_i64(const tut_xgb_token *t, int64_t *ret)
{
    uint64_t value = 0;
    tut_str text = t->text;
    if (t->type == TUT_TOKEN_NUMBER && t->is_integer) {
        *ret = t->integer;
        return true;
    }
    bool is_negative = text.len > 0 && text.data[0] == '-';
    if (is_negative)
        text = (tut_str){text.data + 1, text.len - 1};
    if (!tut_str_u64(text, &value) || value > INT64_MAX)
        return false;
    *ret = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static void count_param(tut_xgb_reader *r, const tut_xgb_token *t, int64_t *to)
{
    int64_t value = 0;
    if (!read_i64(t, &value) || value < 0 || value > UINT32_MAX) {
        tut_exam_observe(r->model->x, "xgboost.bad-count", t->offset, "%s is %.*s", r->name,
                         (int)(t->text.len < 40 ? t->text.len : 40), t->text.data);
        return;
    }
    *to = value;
}

static void param(tut_xgb_reader *r, const tut_xgb_token *t)
{
    tut_xgb *b = r->model;
    key block = above(r, 0), k = (key)r->key;
    if (block == K_LEARNER_PARAM && k == K_NUM_FEATURE)
        count_param(r, t, &b->features);
    if (block == K_LEARNER_PARAM && k == K_NUM_CLASS)
        count_param(r, t, &b->classes);
    if (block == K_LEARNER_PARAM && k == K_NUM_TARGET)
        count_param(r, t, &b->targets);
    if (block == K_MODEL_PARAM && k == K_NUM_TREES)
        count_param(r, t, &b->declared_trees);
    if (block != K_TREE_PARAM || !r->in_tree)
        return;
    if (k == K_NUM_NODES) {
        count_param(r, t, &b->tree.nodes);
        b->tree.has_nodes = true;
    }
    if (k == K_NUM_DELETED)
        count_param(r, t, &b->tree.deleted);
    if (k == K_NUM_FEATURE)
        count_param(r, t, &b->tree.features);
    if (k == K_LEAF_SIZE)
        count_param(r, t, &b->tree.leaf_size);
}

static void text_value(tut_xgb_reader *r, const tut_xgb_token *t)
{
    tut_xgb *b = r->model;
    tut_snippet_check(b->x, tut_str_of(r->name[0] ? r->name : "a list"), t->text, t->offset);
    if (r->key == K_NAME && above(r, 0) == K_OBJECTIVE)
        tut_xgb_objective(b, t->text, t->offset);
    if (r->key == K_NAME && (above(r, 0) == K_BOOSTER || above(r, 0) == K_GBTREE))
        tut_xgb_booster(b, t->text, t->offset);
    if (above(r, 0) == K_ATTRIBUTES && r->attributes++ < ATTRIBUTES_TOLD)
        tut_exam_factf(b->x, "xgboost.attribute", "%s=%.*s", r->name,
                       (int)(t->text.len < 900 ? t->text.len : 900), t->text.data);
}

static tut_status scalar(tut_xgb_reader *r, const tut_xgb_token *t, tut_error *err)
{
    tut_xgb *b = r->model;
    key list = above(r, 0);
    if (t->type == TUT_TOKEN_STRING)
        text_value(r, t);
    if (r->key != K_NONE) {
        if (t->type == TUT_TOKEN_STRING || t->type == TUT_TOKEN_NUMBER)
            param(r, t);
        return TUT_SUCCESS;
    }
    if (r->in_tree && list < (key)TUT_XGB_FIELDS && r->depth == r->tree_depth + 2) {
        bool is_truth = t->type == TUT_TOKEN_TRUE || t->type == TUT_TOKEN_FALSE;
        int64_t value = is_truth ? t->type == TUT_TOKEN_TRUE : t->integer;
        return tut_xgb_tree_add(b, (tut_xgb_field)list, t->is_integer || is_truth, value, err);
    }
    if (list == K_TREE_INFO) {
        b->infos++;
        if (!t->is_integer || t->integer < 0)
            b->largest_info = INT64_MAX;
        else if (t->integer > b->largest_info)
            b->largest_info = t->integer;
    }
    if (list == K_VERSION && r->depth == 2 && t->is_integer) {
        size_t len = strlen(b->version);
        (void)snprintf(b->version + len, sizeof(b->version) - len, "%s%" PRId64, len ? "." : "",
                       t->integer);
    }
    return TUT_SUCCESS;
}

static void open_container(tut_xgb_reader *r, const tut_xgb_token *t)
{
    tut_xgb *b = r->model;
    bool is_object = t->type == TUT_TOKEN_OBJECT;
    if (is_object && above(r, 0) == K_TREES && r->key == K_NONE && !r->in_tree) {
        tut_xgb_tree_begin(b, t->offset);
        r->in_tree = true;
        r->tree_depth = r->depth;
    }
    if (r->in_tree && !is_object && r->depth == r->tree_depth + 1 && r->key < TUT_XGB_FIELDS)
        b->tree.has[r->key] = true;
    b->has_learner |= r->key == K_LEARNER && is_object && r->depth == 1;
    b->has_booster |= r->key == K_BOOSTER && is_object && r->depth == 2;
    b->has_weights |= r->key == K_WEIGHTS && !is_object && above(r, 0) == K_MODEL;
    r->path[r->depth++] = r->key;
    if (is_object)
        tut_key_stack_open(&r->keys);
}

static void close_container(tut_xgb_reader *r, const tut_xgb_token *t)
{
    r->depth--;
    if (t->type == TUT_TOKEN_OBJECT_END)
        r->duplicates += tut_key_stack_close(&r->keys);
    if (r->in_tree && r->depth == r->tree_depth) {
        r->in_tree = false;
        tut_xgb_tree_end(r->model);
    }
    if (r->depth == 0 && r->duplicates)
        tut_exam_observe(r->model->x, r->duplicate, TUT_NO_OFFSET,
                         "%zu keys stand in their object more than once", r->duplicates);
}

tut_status tut_xgb_read(tut_xgb_reader *r, const tut_xgb_token *t, tut_error *err)
{
    switch (t->type) {
    case TUT_TOKEN_OBJECT:
    case TUT_TOKEN_ARRAY:
        open_container(r, t);
        r->key = K_NONE;
        r->name[0] = '\0';
        return TUT_SUCCESS;
    case TUT_TOKEN_OBJECT_END:
    case TUT_TOKEN_ARRAY_END:
        close_container(r, t);
        return TUT_SUCCESS;
    case TUT_TOKEN_KEY:
        r->key = key_of(t->text);
        tut_str_copy(r->name, sizeof(r->name), t->text);
        tut_snippet_check(r->model->x, TUT_LIT("a key"), t->text, t->offset);
        return tut_key_stack_add(&r->keys, t->hash, err);
    case TUT_TOKEN_STRING:
    case TUT_TOKEN_NUMBER:
    case TUT_TOKEN_TRUE:
    case TUT_TOKEN_FALSE:
    case TUT_TOKEN_NULL:
        TUT_TRY(scalar(r, t, err));
        r->key = K_NONE;
        r->name[0] = '\0';
        return TUT_SUCCESS;
    case TUT_TOKEN_END:
        break;
    }
    return TUT_SUCCESS;
}

/* --- the whole --- */
static bool is_one_of(tut_str name, const char *const *names)
{
    for (; *names; names++)
        if (tut_str_eq_z(name, *names))
            return true;
    return false;
}

void tut_xgb_objective(tut_xgb *b, tut_str name, uint64_t at)
{
    static const char *const known[] = {"reg:squarederror",
                                        "reg:squaredlogerror",
                                        "reg:logistic",
                                        "reg:linear",
                                        "reg:gamma",
                                        "reg:tweedie",
                                        "reg:pseudohubererror",
                                        "reg:absoluteerror",
                                        "reg:quantileerror",
                                        "reg:expectileerror",
                                        "binary:logistic",
                                        "binary:logitraw",
                                        "binary:hinge",
                                        "multi:softmax",
                                        "multi:softprob",
                                        "rank:pairwise",
                                        "rank:ndcg",
                                        "rank:map",
                                        "count:poisson",
                                        "survival:cox",
                                        "survival:aft",
                                        NULL};
    /* With "gpu:" in front in the releases before 1.0. */
    tut_str plain = tut_str_starts(name, TUT_LIT("gpu:")) ? (tut_str){name.data + 4, name.len - 4}
                                                          : name;
    tut_str_copy(b->objective, sizeof(b->objective), name);
    if (!is_one_of(plain, known))
        tut_exam_observe(b->x, "xgboost.unknown-name", at, "the objective is %.*s",
                         (int)(name.len < 200 ? name.len : 200), name.data);
}

void tut_xgb_booster(tut_xgb *b, tut_str name, uint64_t at)
{
    static const char *const known[] = {"gbtree", "gblinear", "dart", NULL};
    if (!b->booster[0])
        tut_str_copy(b->booster, sizeof(b->booster), name);
    if (!is_one_of(name, known))
        tut_exam_observe(b->x, "xgboost.unknown-name", at, "the booster is %.*s",
                         (int)(name.len < 200 ? name.len : 200), name.data);
}

static void check_whole(tut_xgb *b)
{
    if (!b->has_learner || !b->has_booster)
        tut_exam_observe(b->x, "xgboost.missing-part", TUT_NO_OFFSET, "it has no %s",
                         b->has_learner ? "gradient_booster" : "learner");
    int64_t groups = b->classes > 1 ? b->classes : 1;
    if (b->targets > groups)
        groups = b->targets;
    if (b->declared_trees >= 0 && (uint64_t)b->declared_trees != b->trees)
        tut_exam_observe(b->x, "xgboost.bad-count", TUT_NO_OFFSET,
                         "num_trees is %" PRId64 ", and %" PRIu64 " trees are there",
                         b->declared_trees, b->trees);
    if (b->infos != b->trees)
        tut_exam_observe(b->x, "xgboost.list-length", TUT_NO_OFFSET,
                         "tree_info has %" PRIu64 " values for %" PRIu64 " trees", b->infos,
                         b->trees);
    if (b->largest_info >= groups)
        tut_exam_observe(b->x, "xgboost.bad-count", TUT_NO_OFFSET,
                         "tree_info puts a tree into group %" PRId64 " of %" PRId64,
                         b->largest_info, groups);
    if (b->features > 0 && b->largest_split >= b->features)
        tut_exam_observe(b->x, "xgboost.bad-split", TUT_NO_OFFSET,
                         "tree %" PRIu64 " splits by feature %" PRId64 " of %" PRId64,
                         b->largest_split_tree, b->largest_split, b->features);
    if (b->features > 0 && b->largest_features > b->features)
        tut_exam_observe(b->x, "xgboost.bad-count", TUT_NO_OFFSET,
                         "a tree is made for %" PRId64 " features, the model for %" PRId64,
                         b->largest_features, b->features);
}

void tut_xgb_finish(tut_xgb *b)
{
    if (b->version[0])
        tut_exam_fact(b->x, "xgboost.version", tut_str_of(b->version));
    if (b->objective[0])
        tut_exam_fact(b->x, "xgboost.objective", tut_str_of(b->objective));
    if (b->booster[0])
        tut_exam_fact(b->x, "xgboost.booster", tut_str_of(b->booster));
    if (b->features >= 0)
        tut_exam_factf(b->x, "xgboost.features", "%" PRId64, b->features);
    if (b->trees)
        tut_exam_factf(b->x, "xgboost.trees", "%" PRIu64, b->trees);
    check_whole(b);
}
