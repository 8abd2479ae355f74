/*
 * skops: a zip with schema.json, a tree of nodes. Each node names a loader of skops, and a class or
 * function that this loader imports, calls or sets up:
 *
 *   node = { "__class__", "__module__", "__loader__", "__id__", "content" | "attrs" | "file" ... }
 *
 * skops asks its user to trust what is not on its own list. Here every name is judged as one that a
 * pickle names: what a node calls is a call on load, what it imports is an import.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "formats/format.h"

enum { NODE_DEPTH = 256 };

static bool has_text(tut_span bytes, const char *text)
{
    return bytes.len > 0 && memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

/* {"__class__": ... "__loader__": ...}, which json.loads takes in UTF-16 as well. */
static tut_match sniff_schema(const tut_sniff *s)
{
    static const char wide[] = "_\0_\0l\0o\0a\0d\0e\0r\0_\0_";
    bool is_wide = s->head.len > sizeof(wide) &&
                   memmem(s->head.data, s->head.len, wide, sizeof(wide) - 1) != NULL;
    if (is_wide && tut_sniff_ext(s, ".json"))
        return TUT_MATCH_SURE;
    size_t at = 0;
    while (at < s->head.len && strchr(" \t\r\n\xef\xbb\xbf", s->head.data[at]))
        at++;
    if (at >= s->head.len || s->head.data[at] != '{')
        return TUT_MATCH_NONE;
    bool is_node = has_text(s->head, "\"__loader__\"") && has_text(s->head, "\"__module__\"");
    return is_node ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* --- loaders --- */
typedef struct loader_row {
    const char *name;
    tut_pickle_act act;
} loader_row;

/* What skops 0.1 to 0.13 knows. Where a loader calls what the node names, it is a call. */
static const loader_row loaders[] = {
    {"FunctionNode", TUT_PICKLE_IMPORT},
    {"TypeNode", TUT_PICKLE_IMPORT},
    {"ObjectNode", TUT_PICKLE_CALL},
    {"ConstructorFromReduceNode", TUT_PICKLE_CALL},
    {"ReduceNode", TUT_PICKLE_CALL},
    {"LossNode", TUT_PICKLE_CALL},
    {"TreeNode", TUT_PICKLE_CALL},
    {"OperatorFuncNode", TUT_PICKLE_CALL},
    {"DictNode", TUT_PICKLE_CALL},
    {"ListNode", TUT_PICKLE_CALL},
    {"SetNode", TUT_PICKLE_CALL},
    {"TupleNode", TUT_PICKLE_CALL},
    {"DefaultDictNode", TUT_PICKLE_CALL},
    {"OrderedDictNode", TUT_PICKLE_CALL},
    {"_DictWithDeprecatedKeysNode", TUT_PICKLE_CALL},
    {"QuantileForestNode", TUT_PICKLE_CALL},
};

/* These call nothing that the file names, or what their content names. */
static const char *const quiet[] = {
    "JsonNode",         "CachedNode",      "BytesNode",           "BytearrayNode",
    "SliceNode",        "PartialNode",     "MethodNode",          "NdArrayNode",
    "MaskedArrayNode",  "RandomStateNode", "RandomGeneratorNode", "DTypeNode",
    "SparseMatrixNode", "DatetimeNode",    "PandasDataFrameNode", "PandasSeriesNode",
    "PandasIndexNode",
};

static const loader_row *find_loader(tut_str name)
{
    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        if (tut_str_eq_z(name, loaders[i].name))
            return &loaders[i];
    }
    return NULL;
}

static bool is_quiet(tut_str name)
{
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
        if (tut_str_eq_z(name, quiet[i]))
            return true;
    }
    return false;
}

/* Classes of the containers that the loaders make by default. */
static bool is_plain_container(tut_str module, tut_str name)
{
    static const char *const plain[] = {"dict", "list", "set", "frozenset", "tuple"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (tut_str_eq_z(name, plain[i]))
            return tut_str_eq_z(module, "builtins");
    }
    return tut_str_eq_z(module, "collections") &&
           (tut_str_eq_z(name, "OrderedDict") || tut_str_eq_z(name, "defaultdict"));
}

/* --- one node --- */
typedef struct node {
    tut_str loader, module, name;
    const tut_json_value *value;
} node;

/* CVE-2025-54412: the loader takes the name from its own module, whatever the node says. */
static void check_operator(tut_exam *x, const node *n)
{
    bool is_usual = tut_str_eq_z(n->name, "attrgetter") || tut_str_eq_z(n->name, "itemgetter") ||
                    tut_str_eq_z(n->name, "methodcaller");
    if (!tut_str_eq_z(n->module, "operator") || !is_usual)
        tut_exam_observe(x, "skops.node-mismatch", TUT_NO_OFFSET,
                         "an OperatorFuncNode that calls itself %.*s.%.*s",
                         (int)(n->module.len < 80 ? n->module.len : 80), n->module.data,
                         (int)(n->name.len < 80 ? n->name.len : 80), n->name.data);
}

/* CVE-2025-54413: an attribute of an object, by a name that the node need not show to its user. */
static void check_method(tut_exam *x, const node *n)
{
    const tut_json_value *content = tut_json_get(n->value, "content");
    const tut_json_value *object = tut_json_get(content, "obj");
    tut_str func = tut_json_get_text(content, "func");
    tut_str module = tut_json_get_text(object, "__module__");
    tut_str name = tut_json_get_text(object, "__class__");
    if (!tut_str_eq(module, n->module) || !tut_str_eq(name, n->name))
        tut_exam_observe(x, "skops.node-mismatch", TUT_NO_OFFSET,
                         "a MethodNode of %.*s.%.*s whose object is a %.*s.%.*s",
                         (int)(n->module.len < 80 ? n->module.len : 80), n->module.data,
                         (int)(n->name.len < 80 ? n->name.len : 80), n->name.data,
                         (int)(module.len < 80 ? module.len : 80), module.data,
                         (int)(name.len < 80 ? name.len : 80), name.data);
    if (tut_str_starts(func, TUT_LIT("__")) || memchr(func.data ? func.data : "", '.', func.len))
        tut_exam_observe(x, "skops.method", TUT_NO_OFFSET, "a MethodNode reaches for '%.*s'",
                         (int)(func.len < 80 ? func.len : 80), func.data);
}

static void judge_node(tut_exam *x, const node *n)
{
    const loader_row *row = find_loader(n->loader);
    if (tut_str_eq_z(n->loader, "OperatorFuncNode"))
        check_operator(x, n);
    if (tut_str_eq_z(n->loader, "MethodNode"))
        check_method(x, n);
    if (!row && !is_quiet(n->loader))
        tut_exam_observe(x, "skops.unknown-loader", TUT_NO_OFFSET,
                         "a node of %.*s.%.*s for the loader '%.*s'",
                         (int)(n->module.len < 80 ? n->module.len : 80), n->module.data,
                         (int)(n->name.len < 80 ? n->name.len : 80), n->name.data,
                         (int)(n->loader.len < 80 ? n->loader.len : 80), n->loader.data);
    if (is_plain_container(n->module, n->name) || (!row && is_quiet(n->loader)) || !x->ops->pickle)
        return;
    tut_pickle_event event = {
        .act = row ? row->act : TUT_PICKLE_CALL,
        .opcode = row ? row->name : "a node",
        .offset = TUT_NO_OFFSET,
        .is_resolved = true,
        .module = n->module,
        .name = n->name,
        .protocol = 4,
    };
    x->ops->pickle(x->ctx, &event);
}

/* --- the tree --- */
typedef struct level {
    const tut_json_value *value;
    uint32_t next;
} level;

static tut_status judge_object(tut_exam *x, const tut_json_value *v, uint64_t *nodes,
                               tut_error *err)
{
    const tut_json_value *loader = tut_json_get(v, "__loader__");
    if (v->type != TUT_JSON_OBJECT || !loader || loader->type != TUT_JSON_STRING)
        return TUT_SUCCESS;
    node n = {.loader = loader->as.string,
              .module = tut_json_get_text(v, "__module__"),
              .name = tut_json_get_text(v, "__class__"),
              .value = v};
    ++*nodes;
    TUT_TRY(tut_budget_steps(x->budget, 1, err));
    judge_node(x, &n);
    return TUT_SUCCESS;
}

static tut_status walk(tut_exam *x, const tut_json_value *root, tut_error *err)
{
    level stack[NODE_DEPTH];
    size_t depth = 0;
    uint64_t nodes = 0;
    TUT_TRY(judge_object(x, root, &nodes, err));
    stack[depth++] = (level){root, 0};
    while (depth > 0) {
        level *top = &stack[depth - 1];
        if (top->next >= tut_json_count(top->value)) {
            depth--;
            continue;
        }
        const tut_json_value *child = tut_json_item(top->value, top->next++);
        TUT_TRY(judge_object(x, child, &nodes, err));
        if (tut_json_count(child) == 0)
            continue;
        if (depth == NODE_DEPTH)
            return tut_fail(err, TUT_LIMIT, "nodes nested more than %d deep", NODE_DEPTH);
        stack[depth++] = (level){child, 0};
    }
    tut_exam_factf(x, "skops.nodes", "%llu", (unsigned long long)nodes);
    return TUT_SUCCESS;
}

static tut_status read_all(tut_exam *x, tut_buf *text, tut_error *err)
{
    for (;;) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        if (text->len + some.len > TUT_LIMIT_JSON_BYTES)
            return tut_fail(err, TUT_LIMIT, "the schema is too large");
        TUT_TRY(tut_budget_heap(x->budget, some.len, err));
        tut_buf_add(text, some.data, some.len);
        TUT_TRY(tut_buf_check(text, err));
        TUT_TRY(tut_stream_skip(x->stream, some.len));
    }
}

static tut_status examine_text(tut_exam *x, tut_span text, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_json_options options = {.max_depth = NODE_DEPTH, .allow_duplicates = true};
    tut_str first;
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = tut_span_of(text.data + 3, text.len - 3);
    tut_status status = tut_json_parse(text, &options, &doc, err);
    if (status.code == TUT_MALFORMED || status.code == TUT_TRUNCATED) {
        tut_exam_observe(x, "skops.broken", TUT_NO_OFFSET,
                         "the schema is no JSON in UTF-8; what skops makes of it was not read");
        return tut_fail(err, TUT_MALFORMED, "the schema is no JSON in UTF-8");
    }
    TUT_TRY(status);
    if (tut_json_duplicates(doc, &first) > 0)
        tut_exam_observe(x, "skops.duplicate-key", TUT_NO_OFFSET,
                         "'%.*s' occurs twice in one object: readers take the first or the last",
                         (int)(first.len < 80 ? first.len : 80), first.data);
    tut_str version = tut_json_get_text(tut_json_root(doc), "_skops_version");
    if (version.len > 0)
        tut_exam_fact(x, "skops.version", version);
    return walk(x, tut_json_root(doc), err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, TUT_LIMIT_JSON_BYTES);
    tut_status status = read_all(x, &text, err);
    if (tut_is_ok(status))
        status = examine_text(x, tut_buf_span(&text), err);
    tut_budget_heap_return(x->budget, text.len);
    return status;
}

extern const tut_format tut_format_skops_schema;
const tut_format tut_format_skops_schema = {
    .name = "skops-schema",
    .label = "skops schema",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_schema,
    .examine = examine,
    .extensions = ".json .skops",
    .reads = "the tree of nodes: loaders, and every class and function that they import or call",
    .rules = "skops pickle",
};
