/*
 * One tree as XGBoost has it: node 0 is the root; children of -1 make a leaf. Its predictor follows
 * the children and takes the feature by the split index, without a look at either.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "formats/xgboost.h"

enum { NO_PARENT = 2147483647 };

void tut_xgb_init(tut_xgb *b, tut_exam *x)
{
    *b = (tut_xgb){.x = x,
                   .declared_trees = -1,
                   .features = -1,
                   .classes = -1,
                   .targets = -1,
                   .largest_split = -1,
                   .largest_info = -1};
}

void tut_xgb_done(tut_xgb *b)
{
    for (size_t i = 0; i < TUT_XGB_LISTS; i++)
        tut_free(b->tree.lists[i].items);
    tut_budget_heap_return(b->x->budget, b->charged);
    *b = (tut_xgb){.x = b->x};
}

void tut_xgb_tree_begin(tut_xgb *b, uint64_t at)
{
    tut_xgb_tree *t = &b->tree;
    for (size_t i = 0; i < TUT_XGB_LISTS; i++) {
        t->lists[i].count = 0;
        t->lists[i].has_other = false;
    }
    memset(t->counts, 0, sizeof(t->counts));
    memset(t->has, 0, sizeof(t->has));
    t->at = at;
    t->number = b->trees++;
    t->nodes = t->deleted = t->leaf_size = 0;
    t->features = -1;
    t->has_nodes = t->is_told = false;
}

tut_status tut_xgb_tree_add(tut_xgb *b, tut_xgb_field field, bool is_integer, int64_t value,
                            tut_error *err)
{
    b->tree.counts[field]++;
    if (field >= TUT_XGB_LISTS)
        return TUT_SUCCESS;
    tut_xgb_list *l = &b->tree.lists[field];
    if (l->count == l->capacity) {
        uint64_t more = (uint64_t)(l->count < 64 ? 64 : l->count) * sizeof(*l->items);
        TUT_TRY(tut_budget_heap(b->x->budget, more, err));
        b->charged += more;
        TUT_TRY(tut_grow(&l->items, l->count, &l->capacity, sizeof(*l->items)));
    }
    l->has_other |= !is_integer;
    l->items[l->count++] = value;
    return TUT_SUCCESS;
}

static void tell(tut_xgb *b, const char *rule, const char *fmt, ...) TUT_PRINTF(3, 4);

static void tell(tut_xgb *b, const char *rule, const char *fmt, ...)
{
    char line[200];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0 || b->tree.is_told)
        return;
    b->tree.is_told = true;
    tut_exam_observe(b->x, rule, b->tree.at, "tree %" PRIu64 ": %s", b->tree.number, line);
}

/* Every list that has a value a node must have as many as there are nodes. */
static bool check_lengths(tut_xgb *b)
{
    static const struct {
        tut_xgb_field field;
        const char *name;
    } rows[] = {{TUT_XGB_LEFT, "left_children"},
                {TUT_XGB_RIGHT, "right_children"},
                {TUT_XGB_PARENT, "parents"},
                {TUT_XGB_SPLIT, "split_indices"},
                {TUT_XGB_SPLIT_TYPE, "split_type"},
                {TUT_XGB_CONDITION, "split_conditions"},
                {TUT_XGB_DEFAULT_LEFT, "default_left"},
                {TUT_XGB_LOSS, "loss_changes"},
                {TUT_XGB_HESSIAN, "sum_hessian"}};
    const tut_xgb_tree *t = &b->tree;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* Trees with a vector in each leaf keep only what they need. */
        bool may_lack = rows[i].field >= TUT_XGB_SPLIT_TYPE && t->counts[rows[i].field] == 0 &&
                        (!t->has[rows[i].field] || t->leaf_size > 1);
        if (may_lack || t->counts[rows[i].field] == (uint64_t)t->nodes)
            continue;
        tell(b, "xgboost.list-length", "%s has %" PRIu64 " values for %" PRId64 " nodes",
             rows[i].name, t->counts[rows[i].field], t->nodes);
        return false;
    }
    for (size_t i = 0; i < TUT_XGB_LISTS; i++) {
        if (t->lists[i].has_other) {
            tell(b, "xgboost.bad-tree", "an index is no whole number");
            return false;
        }
    }
    return true;
}

static bool check_children(tut_xgb *b, int64_t node)
{
    const tut_xgb_tree *t = &b->tree;
    int64_t left = t->lists[TUT_XGB_LEFT].items[node], right = t->lists[TUT_XGB_RIGHT].items[node];
    const int64_t *parents = t->lists[TUT_XGB_PARENT].items;
    if (left == -1 && right == -1)
        return true;
    if (left < 0 || right < 0 || left >= t->nodes || right >= t->nodes) {
        tell(b, "xgboost.bad-tree",
             "node %" PRId64 " has the children %" PRId64 " and %" PRId64 " of %" PRId64 " nodes",
             node, left, right, t->nodes);
        return false;
    }
    /* Each node has one parent, which it names, and the root none: so there is no circle. */
    if (left == right || left == 0 || right == 0 || parents[left] != node ||
        parents[right] != node) {
        tell(b, "xgboost.bad-tree",
             "node %" PRId64 " and its children %" PRId64 " and %" PRId64
             " do not name each other: a circle, or two ways to one node",
             node, left, right);
        return false;
    }
    return true;
}

static bool check_split(tut_xgb *b, int64_t node)
{
    const tut_xgb_tree *t = &b->tree;
    int64_t split = t->lists[TUT_XGB_SPLIT].items[node];
    if (t->lists[TUT_XGB_LEFT].items[node] == -1)
        return true;
    if (split < 0 || (t->features > 0 && split >= t->features)) {
        tell(b, "xgboost.bad-split", "node %" PRId64 " splits by feature %" PRId64 " of %" PRId64,
             node, split, t->features);
        return false;
    }
    if (split > b->largest_split) {
        b->largest_split = split;
        b->largest_split_tree = t->number;
    }
    return true;
}

static void check_categories(tut_xgb *b)
{
    const tut_xgb_tree *t = &b->tree;
    const tut_xgb_list *nodes = &t->lists[TUT_XGB_CATEGORY_NODES];
    const tut_xgb_list *segments = &t->lists[TUT_XGB_CATEGORY_SEGMENTS];
    const tut_xgb_list *sizes = &t->lists[TUT_XGB_CATEGORY_SIZES];
    int64_t all = (int64_t)t->counts[TUT_XGB_CATEGORIES];
    if (nodes->count != segments->count || nodes->count != sizes->count) {
        tell(b, "xgboost.list-length", "the lists about categories differ in length");
        return;
    }
    for (size_t i = 0; i < nodes->count; i++) {
        int64_t at = segments->items[i], n = sizes->items[i];
        bool is_node = nodes->items[i] >= 0 && nodes->items[i] < t->nodes &&
                       (i == 0 || nodes->items[i] > nodes->items[i - 1]);
        if (!is_node || at < 0 || n < 0 || at > all || n > all - at) {
            tell(b, "xgboost.bad-category",
                 "the categories of node %" PRId64 " are %" PRId64 " from %" PRId64
                 " on, of %" PRId64,
                 nodes->items[i], n, at, all);
            return;
        }
    }
}

void tut_xgb_tree_end(tut_xgb *b)
{
    const tut_xgb_tree *t = &b->tree;
    if (!t->has_nodes || t->nodes < 1 || t->nodes > INT32_MAX || t->deleted < 0 ||
        t->deleted >= t->nodes) {
        tell(b, "xgboost.bad-count", "it has %" PRId64 " nodes, and %" PRId64 " of them deleted",
             t->nodes, t->deleted);
        return;
    }
    if (t->features > b->largest_features)
        b->largest_features = t->features;
    if (!check_lengths(b))
        return;
    int64_t root = t->lists[TUT_XGB_PARENT].items[0];
    if (root != NO_PARENT && root != -1) {
        tell(b, "xgboost.bad-tree", "the root has the parent %" PRId64, root);
        return;
    }
    for (int64_t node = 0; node < t->nodes; node++)
        if (!check_children(b, node) || !check_split(b, node))
            return;
    check_categories(b);
}
