/*
 * CatBoost's binary model: a FlatBuffers core, and the parts that it names behind it.
 *
 *   file = "CBM1" size core parts         size = u32, or 0xffffffff and u64
 *   core = FormatVersion, ModelTrees, InfoMap: [ Key, Value ], ModelPartIds: [ text ]
 *   trees = ApproxDimension, TreeSplits, TreeSizes, TreeStartOffsets, CatFeatures, FloatFeatures,
 *           OneHotFeatures, CtrFeatures, LeafValues, LeafWeights, NonSymmetricStepNodes,
 *           NonSymmetricNodeIdToLeafId, TextFeatures, EstimatedFeatures, ...
 *
 * A symmetric tree of n splits has 2^n leaves, one after the other; in the others each node has the
 * distance to its subtrees. The evaluator takes splits and leaves by these numbers, unchecked.
 */
#include <inttypes.h>

#include "formats/flat.h"
#include "formats/payload.h"
#include "formats/snippet.h"

enum { CORE_VERSION, CORE_TREES, CORE_INFO, CORE_PARTS };
enum {
    TREES_DIMENSION,
    TREES_SPLITS,
    TREES_SIZES,
    TREES_STARTS,
    TREES_CATEGORIES,
    TREES_FLOATS,
    TREES_ONE_HOT,
    TREES_COUNTERS,
    TREES_LEAVES,
    TREES_LEAF_WEIGHTS,
    TREES_STEPS,
    TREES_NODE_LEAVES,
    TREES_TEXTS,
    TREES_ESTIMATED
};

enum { DEPTH_MAX = 30, INFO_TOLD = 32, STEP_BYTES = 4, NO_LEAF = 0xffffffff };

typedef struct catboost {
    tut_exam *x;
    tut_flat *flat;
    tut_flat_table trees;
    uint64_t splits; /* that features have: values a node can name */
    bool knows_splits;
    uint64_t parts;
    bool is_told;
} catboost;

static void tell(catboost *c, const char *rule, uint64_t at, const char *what, uint64_t number,
                 uint64_t of)
{
    if (c->is_told)
        return;
    c->is_told = true;
    tut_exam_observe(c->x, rule, at, "%s: %" PRIu64 " of %" PRIu64, what, number, of);
}

/* --- features: how many splits there are to choose from --- */
static tut_status count_splits(catboost *c, unsigned features, unsigned values, unsigned item_bytes,
                               tut_error *err)
{
    tut_flat_vector rows, items;
    TUT_TRY(tut_flat_vector_of(c->flat, &c->trees, features, 4, &rows, err));
    for (uint32_t i = 0; i < rows.count; i++) {
        tut_flat_table row;
        TUT_TRY(tut_budget_steps(c->x->budget, 1, err));
        TUT_TRY(tut_flat_row(c->flat, &rows, i, &row, err));
        TUT_TRY(tut_flat_vector_of(c->flat, &row, values, item_bytes, &items, err));
        c->splits += items.count;
    }
    return TUT_SUCCESS;
}

static tut_status read_features(catboost *c, tut_error *err)
{
    tut_flat_vector estimated;
    TUT_TRY(count_splits(c, TREES_FLOATS, 3, 4, err));
    TUT_TRY(count_splits(c, TREES_ONE_HOT, 1, 4, err));
    TUT_TRY(count_splits(c, TREES_COUNTERS, 1, 4, err));
    /* Features out of texts have their splits in a table that changed between releases. */
    TUT_TRY(tut_flat_vector_of(c->flat, &c->trees, TREES_ESTIMATED, 4, &estimated, err));
    c->knows_splits = estimated.count == 0;
    return TUT_SUCCESS;
}

static tut_status check_splits(catboost *c, const tut_flat_vector *splits, tut_error *err)
{
    TUT_TRY(tut_budget_steps(c->x->budget, splits->count, err));
    for (uint32_t i = 0; i < splits->count && c->knows_splits; i++) {
        uint64_t split = 0;
        TUT_TRY(tut_flat_item(c->flat, splits, i, 4, &split, err));
        if (split >= c->splits)
            tell(c, "catboost.bad-split", splits->at, "a node splits by", split, c->splits);
    }
    return TUT_SUCCESS;
}

/* --- trees --- */
typedef struct layout {
    tut_flat_vector splits, sizes, starts, leaves, steps, node_leaves;
    uint64_t dimension, leaf_values;
} layout;

/* Sizes are those of the splits, and starts their sums. */
static tut_status check_sizes(catboost *c, const layout *l, uint64_t *ret_leaves, tut_error *err)
{
    uint64_t sum = 0, leaves = 0;
    TUT_TRY(tut_budget_steps(c->x->budget, l->sizes.count, err));
    if (l->starts.count && l->starts.count != l->sizes.count)
        tell(c, "catboost.bad-tree", l->starts.at, "starts of trees", l->starts.count,
             l->sizes.count);
    for (uint32_t i = 0; i < l->sizes.count; i++) {
        uint64_t size = 0, start = sum;
        TUT_TRY(tut_flat_item(c->flat, &l->sizes, i, 4, &size, err));
        if (i < l->starts.count)
            TUT_TRY(tut_flat_item(c->flat, &l->starts, i, 4, &start, err));
        if (start != sum)
            tell(c, "catboost.bad-tree", l->starts.at, "a tree starts at split", start, sum);
        if (size > INT32_MAX || (l->steps.count == 0 && size > DEPTH_MAX))
            tell(c, "catboost.bad-tree", l->sizes.at, "a tree has a size of", size, DEPTH_MAX);
        sum += size;
        leaves += size <= DEPTH_MAX ? UINT64_C(1) << size : 0;
    }
    if (sum != l->splits.count)
        tell(c, "catboost.bad-tree", l->sizes.at, "splits of all trees", sum, l->splits.count);
    *ret_leaves = leaves;
    return TUT_SUCCESS;
}

static tut_status check_steps(catboost *c, const layout *l, tut_error *err)
{
    if (l->steps.count != l->splits.count || l->node_leaves.count != l->splits.count)
        tell(c, "catboost.bad-tree", l->steps.at, "nodes with steps", l->steps.count,
             l->splits.count);
    TUT_TRY(tut_budget_steps(c->x->budget, l->steps.count, err));
    for (uint32_t i = 0; i < l->steps.count; i++) {
        uint64_t step = 0, leaf = NO_LEAF;
        TUT_TRY(tut_flat_item(c->flat, &l->steps, i, STEP_BYTES, &step, err));
        if (i < l->node_leaves.count)
            TUT_TRY(tut_flat_item(c->flat, &l->node_leaves, i, 4, &leaf, err));
        uint64_t left = step & 0xffff, right = step >> 16, farthest = left > right ? left : right;
        if (i + farthest >= l->splits.count && farthest > 0)
            tell(c, "catboost.bad-tree", l->steps.at, "a subtree begins at node", i + farthest,
                 l->splits.count);
        /* A node that lacks a subtree is a leaf in this place. */
        if ((left == 0 || right == 0) && (leaf == NO_LEAF || leaf + l->dimension > l->leaf_values))
            tell(c, "catboost.bad-tree", l->node_leaves.at, "a leaf has its value at", leaf,
                 l->leaf_values);
    }
    return TUT_SUCCESS;
}

static tut_status read_layout(catboost *c, layout *l, tut_error *err)
{
    static const struct {
        unsigned field, bytes;
        size_t to;
    } rows[] = {{TREES_SPLITS, 4, offsetof(layout, splits)},
                {TREES_SIZES, 4, offsetof(layout, sizes)},
                {TREES_STARTS, 4, offsetof(layout, starts)},
                {TREES_LEAVES, 8, offsetof(layout, leaves)},
                {TREES_STEPS, STEP_BYTES, offsetof(layout, steps)},
                {TREES_NODE_LEAVES, 4, offsetof(layout, node_leaves)}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        TUT_TRY(tut_flat_vector_of(c->flat, &c->trees, rows[i].field, rows[i].bytes,
                                   (tut_flat_vector *)(void *)((char *)l + rows[i].to), err));
    TUT_TRY(tut_flat_number(c->flat, &c->trees, TREES_DIMENSION, 4, 1, &l->dimension, err));
    l->leaf_values = l->leaves.count;
    return TUT_SUCCESS;
}

static tut_status read_trees(catboost *c, tut_error *err)
{
    layout l = {0};
    uint64_t leaves = 0, need = 0;
    TUT_TRY(read_layout(c, &l, err));
    TUT_TRY(read_features(c, err));
    if (l.dimension == 0 || l.dimension > INT32_MAX)
        tell(c, "catboost.bad-tree", c->trees.at, "the dimension of a leaf is", l.dimension,
             INT32_MAX);
    TUT_TRY(check_sizes(c, &l, &leaves, err));
    TUT_TRY(check_splits(c, &l.splits, err));
    if (l.steps.count)
        TUT_TRY(check_steps(c, &l, err));
    else if (__builtin_mul_overflow(leaves, l.dimension, &need) || need != l.leaf_values)
        tell(c, "catboost.bad-tree", l.leaves.at, "values of leaves", l.leaf_values, need);
    tut_exam_factf(c->x, "catboost.trees", "%" PRIu32, l.sizes.count);
    return TUT_SUCCESS;
}

/* --- what is told about the model --- */
static tut_status read_info(catboost *c, const tut_flat_table *core, tut_error *err)
{
    tut_flat_vector rows;
    TUT_TRY(tut_flat_vector_of(c->flat, core, CORE_INFO, 4, &rows, err));
    for (uint32_t i = 0; i < rows.count; i++) {
        tut_flat_table row;
        tut_flat_vector bytes;
        char key[TUT_FLAT_TEXT], value[1024];
        TUT_TRY(tut_budget_steps(c->x->budget, 1, err));
        TUT_TRY(tut_flat_row(c->flat, &rows, i, &row, err));
        TUT_TRY(tut_flat_text(c->flat, &row, 0, key, err));
        TUT_TRY(tut_flat_vector_of(c->flat, &row, 1, 1, &bytes, err));
        for (uint32_t done = 0; done < bytes.count;) {
            uint32_t n = bytes.count - done < sizeof(value) ? bytes.count - done
                                                            : (uint32_t)sizeof(value);
            TUT_TRY(tut_flat_read(c->flat, bytes.at + done, value, n, err));
            tut_snippet_check(c->x, tut_str_of(key), (tut_str){value, n}, bytes.at + done);
            if (done == 0 && i < INFO_TOLD)
                tut_exam_factf(c->x, "catboost.info", "%.100s=%.*s", key, (int)n, value);
            /* A phrase may lie across the border of two pieces. */
            done += n == sizeof(value) ? n - 64 : n;
        }
    }
    return TUT_SUCCESS;
}

static tut_status read_core(catboost *c, tut_error *err)
{
    tut_flat_table core;
    tut_flat_vector parts;
    char version[TUT_FLAT_TEXT];
    bool has_trees = false;
    TUT_TRY(tut_flat_root(c->flat, &core, err));
    TUT_TRY(tut_flat_text(c->flat, &core, CORE_VERSION, version, err));
    tut_exam_fact(c->x, "catboost.version", tut_str_of(version));
    if (strcmp(version, "FlabuffersModel_v1") != 0) /* the loader knows no other */
        tut_exam_observe(c->x, "catboost.bad-core", core.at, "the format's version is %.60s",
                         version);
    TUT_TRY(read_info(c, &core, err));
    TUT_TRY(tut_flat_vector_of(c->flat, &core, CORE_PARTS, 4, &parts, err));
    c->parts = parts.count;
    TUT_TRY(tut_flat_child(c->flat, &core, CORE_TREES, &has_trees, &c->trees, err));
    /* A core without trees is a model of none to its loader (TFullModel::Load). */
    if (has_trees)
        return read_trees(c, err);
    tut_exam_fact(c->x, "catboost.trees", TUT_LIT("0"));
    return TUT_SUCCESS;
}

/* Parts have formats of their own that are not read; without any, nothing may follow. */
static tut_status look_behind(catboost *c, uint64_t end, tut_error *err)
{
    if (end < c->x->size && c->parts == 0) {
        tut_exam_observe(c->x, "catboost.trailing-data", end, "bytes follow the model");
        return tut_payload_examine(c->x, end, c->x->size, "behind the model", err);
    }
    return tut_payload_zip_tail(c->x, "catboost.polyglot", err);
}

static tut_status read_size(tut_exam *x, uint64_t *ret_at, uint64_t *ret_size, tut_error *err)
{
    uint8_t raw[16];
    size_t got = 0;
    TUT_TRY(tut_source_read_some(x->source, 0, raw, sizeof(raw), &got, err));
    if (got < 8)
        return tut_fail(err, TUT_TRUNCATED, "no room for the size of the core");
    uint64_t size = 0;
    bool is_long = memcmp(raw + 4, "\xff\xff\xff\xff", 4) == 0;
    for (size_t i = is_long ? 16 : 8; i > (is_long ? 8u : 4u); i--)
        size = size << 8 | (i <= got ? raw[i - 1] : 0);
    *ret_at = is_long ? 16 : 8;
    *ret_size = size;
    if (*ret_at > x->size || size > x->size - *ret_at) {
        tut_exam_observe(x, "catboost.bad-core", 4,
                         "a core of %" PRIu64 " bytes in a file of %" PRIu64, size, x->size);
        return tut_fail_at(err, TUT_TRUNCATED, 4, "the core is larger than the file");
    }
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO(tut_flat) flat = NULL;
    uint64_t at = 0, size = 0;
    tut_source core;
    catboost c = {.x = x};
    TUT_TRY(read_size(x, &at, &size, err));
    TUT_TRY(tut_source_slice(x->source, at, size, &core));
    TUT_TRY(tut_flat_new(x, &core, size, "catboost.bad-core", &flat, err));
    c.flat = flat;
    tut_error own = {0};
    tut_error *why = err ? err : &own;
    tut_status status = read_core(&c, why);
    if (tut_is_ok(status))
        status = look_behind(&c, at + size, why);
    return status;
}

static tut_match sniff(const tut_sniff *s)
{
    return tut_sniff_magic(s, "CBM1", 4) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

extern const tut_format tut_format_catboost;

const tut_format tut_format_catboost = {
    .name = "catboost",
    .label = "CatBoost",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".cbm .bin .model",
    .reads =
        "core: trees, splits against features, leaves, what is told of the model; not its parts",
    .rules = "catboost data",
};
