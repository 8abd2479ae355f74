/*
 * One tree as LightGBM has it: children from 0 on are inner nodes, below 0 leaves (-1 is leaf 0);
 * an inner node stands before its children. The predictor follows them without a look at bounds.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "formats/lightgbm.h"

static const struct {
    const char *name;
    bool is_kept;  /* indices: their values count */
    bool is_inner; /* one for each inner node */
    bool is_leaf;  /* one for each leaf */
    bool is_needed;
} fields[TUT_LGB_FIELDS] = {
    [TUT_LGB_SPLIT_FEATURE] = {"split_feature", true, true, false, true},
    [TUT_LGB_THRESHOLD] = {"threshold", true, true, false, true},
    [TUT_LGB_DECISION] = {"decision_type", true, true, false, false},
    [TUT_LGB_LEFT] = {"left_child", true, true, false, true},
    [TUT_LGB_RIGHT] = {"right_child", true, true, false, true},
    [TUT_LGB_CAT_BOUNDARIES] = {"cat_boundaries", true, false, false, false},
    [TUT_LGB_CAT_THRESHOLD] = {"cat_threshold", false, false, false, false},
    [TUT_LGB_LEAF_VALUE] = {"leaf_value", false, false, true, true},
    [TUT_LGB_LEAF_WEIGHT] = {"leaf_weight", false, false, true, false},
    [TUT_LGB_LEAF_COUNT] = {"leaf_count", false, false, true, false},
    [TUT_LGB_SPLIT_GAIN] = {"split_gain", false, true, false, false},
    [TUT_LGB_INNER_VALUE] = {"internal_value", false, true, false, false},
    [TUT_LGB_INNER_WEIGHT] = {"internal_weight", false, true, false, false},
    [TUT_LGB_INNER_COUNT] = {"internal_count", false, true, false, false},
    [TUT_LGB_LEAF_FEATURES] = {"leaf_features", false, false, false, false},
};

const char *tut_lgb_field_name(tut_lgb_field field)
{
    return fields[field].name;
}

bool tut_lgb_field_is_kept(tut_lgb_field field)
{
    return fields[field].is_kept;
}

void tut_lgb_done(tut_lgb *b)
{
    for (size_t i = 0; i < TUT_LGB_FIELDS; i++)
        tut_free(b->tree.lists[i].items);
    tut_budget_heap_return(b->x->budget, b->charged);
    *b = (tut_lgb){.x = b->x};
}

void tut_lgb_tree_begin(tut_lgb *b, uint64_t at)
{
    tut_lgb_tree *t = &b->tree;
    for (size_t i = 0; i < TUT_LGB_FIELDS; i++) {
        tut_lgb_list *l = &t->lists[i];
        *l = (tut_lgb_list){.items = l->items, .capacity = l->capacity};
    }
    t->at = at;
    t->number = b->trees++;
    t->leaves = t->categories = 0;
    t->has_leaves = t->is_told = t->is_linear = false;
    b->in_tree = true;
}

/* Whole numbers as they are; of a threshold only its whole part matters, and only where it is an
 * index. */
static bool whole(tut_str word, int64_t *ret)
{
    uint64_t value = 0;
    bool is_negative = word.len > 1 && word.data[0] == '-';
    tut_str digits = {word.data + is_negative, word.len - is_negative};
    if (!tut_str_u64(digits, &value) || value > INT64_MAX)
        return false;
    *ret = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

tut_status tut_lgb_tree_add(tut_lgb *b, tut_lgb_field field, tut_str word, tut_error *err)
{
    tut_lgb_list *l = &b->tree.lists[field];
    int64_t value = -1;
    l->count++;
    if (!fields[field].is_kept)
        return TUT_SUCCESS;
    if (!whole(word, &value)) {
        value = -1;
        l->has_other = true;
    }
    if (l->kept == l->capacity) {
        uint64_t more = (uint64_t)(l->kept < 64 ? 64 : l->kept) * sizeof(*l->items);
        TUT_TRY(tut_budget_heap(b->x->budget, more, err));
        b->charged += more;
        TUT_TRY(tut_grow(&l->items, l->kept, &l->capacity, sizeof(*l->items)));
    }
    l->items[l->kept++] = value;
    return TUT_SUCCESS;
}

static void tell(tut_lgb *b, const char *rule, const char *fmt, ...) TUT_PRINTF(3, 4);

static void tell(tut_lgb *b, const char *rule, const char *fmt, ...)
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

static bool check_lengths(tut_lgb *b)
{
    const tut_lgb_tree *t = &b->tree;
    for (size_t i = 0; i < TUT_LGB_FIELDS; i++) {
        const tut_lgb_list *l = &t->lists[i];
        uint64_t due = fields[i].is_leaf ? (uint64_t)t->leaves : (uint64_t)t->leaves - 1;
        /* A tree of one leaf is written without most of its lists. */
        bool may_lack = t->leaves == 1 || !fields[i].is_needed;
        if ((!fields[i].is_leaf && !fields[i].is_inner) || l->count == due ||
            (l->count == 0 && (may_lack || due == 0)) || (t->leaves == 1 && l->count == 1))
            continue;
        tell(b, "lightgbm.list-length", "%s has %" PRIu64 " values for %" PRId64 " leaves",
             fields[i].name, l->count, t->leaves);
        return false;
    }
    return true;
}

/* Each inner node and each leaf is a child once; children stand behind their parent. */
static bool check_child(tut_lgb *b, int64_t node, int64_t child)
{
    int64_t inner = b->tree.leaves - 1;
    bool is_fine = child >= 0 ? child > node && child < inner : child >= -b->tree.leaves;
    if (!is_fine)
        tell(b, "lightgbm.bad-tree",
             "node %" PRId64 " has the child %" PRId64 " in a tree of %" PRId64 " leaves", node,
             child, b->tree.leaves);
    return is_fine;
}

static bool check_split(tut_lgb *b, int64_t node)
{
    const tut_lgb_tree *t = &b->tree;
    int64_t feature = t->lists[TUT_LGB_SPLIT_FEATURE].items[node];
    if (feature >= 0 && (b->max_feature < 0 || feature <= b->max_feature))
        return true;
    tell(b, "lightgbm.bad-split", "node %" PRId64 " splits by feature %" PRId64 " of %" PRId64,
         node, feature, b->max_feature + 1);
    return false;
}

/* The threshold of a split by categories is the number of a set of them. */
static bool check_category(tut_lgb *b, int64_t node)
{
    const tut_lgb_tree *t = &b->tree;
    const tut_lgb_list *decisions = &t->lists[TUT_LGB_DECISION];
    int64_t set = t->lists[TUT_LGB_THRESHOLD].items[node];
    if (decisions->kept == 0 || !(decisions->items[node] & 1))
        return true;
    if (set >= 0 && set < t->categories)
        return true;
    tell(b, "lightgbm.bad-category", "node %" PRId64 " splits by the set %" PRId64 " of %" PRId64,
         node, set, t->categories);
    return false;
}

static bool check_sets(tut_lgb *b)
{
    const tut_lgb_tree *t = &b->tree;
    const tut_lgb_list *l = &t->lists[TUT_LGB_CAT_BOUNDARIES];
    if (t->categories == 0)
        return true;
    bool is_fine = t->categories > 0 && l->kept == (uint64_t)t->categories + 1 && !l->has_other &&
                   l->items[0] == 0 &&
                   l->items[l->kept - 1] == (int64_t)t->lists[TUT_LGB_CAT_THRESHOLD].count;
    for (size_t i = 1; is_fine && i < l->kept; i++)
        is_fine = l->items[i] >= l->items[i - 1];
    if (!is_fine)
        tell(b, "lightgbm.bad-category", "the sets of categories do not fit their list");
    return is_fine;
}

void tut_lgb_tree_end(tut_lgb *b)
{
    const tut_lgb_tree *t = &b->tree;
    b->in_tree = false;
    if (!t->has_leaves || t->leaves < 1 || t->leaves > INT32_MAX || t->categories < 0) {
        tell(b, "lightgbm.bad-count",
             "it has %" PRId64 " leaves and %" PRId64 " sets of categories", t->leaves,
             t->categories);
        return;
    }
    if (!check_lengths(b) || t->leaves == 1)
        return;
    if (t->lists[TUT_LGB_LEFT].has_other || t->lists[TUT_LGB_RIGHT].has_other ||
        t->lists[TUT_LGB_SPLIT_FEATURE].has_other || t->lists[TUT_LGB_DECISION].has_other) {
        tell(b, "lightgbm.bad-tree", "an index is no whole number");
        return;
    }
    if (!check_sets(b))
        return;
    for (int64_t node = 0; node < t->leaves - 1; node++)
        if (!check_child(b, node, t->lists[TUT_LGB_LEFT].items[node]) ||
            !check_child(b, node, t->lists[TUT_LGB_RIGHT].items[node]) || !check_split(b, node) ||
            !check_category(b, node))
            return;
}
