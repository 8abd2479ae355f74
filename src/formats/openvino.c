/*
 * OpenVINO's intermediate representation: a graph as XML, and the values of its constants in a .bin
 * beside it, by offset and size.
 *
 *   <net name version> <layers> <layer id name type version> <data offset size shape element_type/>
 *       <input/> <output/> <body> layers edges </body> </layer> </layers>
 *   <edges> <edge from-layer to-layer/> </edges> <rt_info/> </net>
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "formats/xml.h"

enum { SCOPES_MAX = 64, NAME_BYTES = 96 };

typedef struct scope {
    size_t start, depth; /* first of its ids; of the element that holds its layers */
    bool is_sorted;
} scope;

typedef struct net {
    tut_exam *x;
    size_t depth;
    uint64_t *ids;
    size_t id_count, id_capacity;
    uint64_t charged;
    scope scopes[SCOPES_MAX];
    size_t scope_count;
    char layer[NAME_BYTES], type[NAME_BYTES]; /* the one at hand */
    uint64_t layers, constants, weights_end, weights_at;
    bool has_bad_edge, has_duplicate, has_root;
} net;

/* --- recognising --- */
static bool mentions(const tut_sniff *s, const char *word)
{
    size_t at = 0;
    return tut_str_find(tut_str_from(s->head), tut_str_of(word), &at);
}

static tut_match sniff(const tut_sniff *s)
{
    char root[32];
    /* Its parser passes over text before the document, and over an encoding that it does not know.
     */
    bool is_behind = tut_sniff_ext(s, ".xml") && mentions(s, "<net ") && mentions(s, "<layers>");
    if (!tut_xml_root(s, root, sizeof(root)) || strcmp(root, "net") != 0)
        return is_behind ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
    return mentions(s, "<layer") || mentions(s, "version=\"1") || mentions(s, "<!DOCTYPE")
               ? TUT_MATCH_SURE
               : TUT_MATCH_STRONG;
}

/* --- layers and edges --- */
static bool number_of(tut_str text, uint64_t *ret)
{
    return text.len > 0 && text.len <= 20 && tut_str_u64(text, ret);
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static tut_status open_scope(net *n, tut_error *err)
{
    if (n->scope_count == SCOPES_MAX)
        return tut_fail(err, TUT_LIMIT, "bodies nested over %d deep", SCOPES_MAX);
    n->scopes[n->scope_count++] = (scope){.start = n->id_count, .depth = n->depth - 1};
    return TUT_SUCCESS;
}

static tut_status add_layer(net *n, uint64_t id, tut_error *err)
{
    if (n->id_count == n->id_capacity) {
        uint64_t more = (uint64_t)(n->id_count < 64 ? 64 : n->id_count) * sizeof(*n->ids);
        TUT_TRY(tut_budget_heap(n->x->budget, more, err));
        n->charged += more;
        TUT_TRY(tut_grow(&n->ids, n->id_count, &n->id_capacity, sizeof(*n->ids)));
    }
    n->ids[n->id_count++] = id;
    return TUT_SUCCESS;
}

static void end_layers(net *n)
{
    scope *s = n->scope_count ? &n->scopes[n->scope_count - 1] : NULL;
    if (!s || s->is_sorted)
        return;
    s->is_sorted = true;
    if (n->id_count - s->start > 1)
        qsort(n->ids + s->start, n->id_count - s->start, sizeof(*n->ids), compare_ids);
    for (size_t i = s->start + 1; i < n->id_count; i++) {
        if (n->ids[i] != n->ids[i - 1] || n->has_duplicate)
            continue;
        n->has_duplicate = true;
        tut_exam_observe(n->x, "openvino.duplicate-layer", TUT_NO_OFFSET,
                         "two layers have the id %" PRIu64, n->ids[i]);
    }
}

static bool is_layer(const net *n, tut_str text)
{
    uint64_t id = 0;
    const scope *s = n->scope_count ? &n->scopes[n->scope_count - 1] : NULL;
    if (!s || !s->is_sorted || !number_of(text, &id) || n->id_count == s->start)
        return false;
    return bsearch(&id, n->ids + s->start, n->id_count - s->start, sizeof(*n->ids), compare_ids);
}

static void check_edge(net *n, const char *const *attributes, uint64_t at)
{
    tut_str from = tut_xml_attribute(attributes, "from-layer");
    tut_str to = tut_xml_attribute(attributes, "to-layer");
    if (n->has_bad_edge || (is_layer(n, from) && is_layer(n, to)))
        return;
    n->has_bad_edge = true;
    tut_exam_observe(n->x, "openvino.bad-edge", at, "an edge from layer %.*s to layer %.*s",
                     (int)(from.len < 40 ? from.len : 40), from.data,
                     (int)(to.len < 40 ? to.len : 40), to.data);
}

/* Sets of operations that come with the runtime; anything else needs a library of its own. */
static bool is_own_set(tut_str version)
{
    uint64_t number = 0;
    if (version.len == 0 || tut_str_eq_z(version, "experimental") ||
        tut_str_eq_z(version, "ie_internal_opset"))
        return true;
    return tut_str_starts(version, TUT_LIT("opset")) &&
           tut_str_u64((tut_str){version.data + 5, version.len - 5}, &number) && number >= 1 &&
           number <= 64;
}

static tut_status open_layer(net *n, const char *const *attributes, uint64_t at, tut_error *err)
{
    tut_str version = tut_xml_attribute(attributes, "version");
    tut_str type = tut_xml_attribute(attributes, "type");
    uint64_t id = 0;
    n->layers++;
    tut_str_copy(n->layer, sizeof(n->layer), tut_xml_attribute(attributes, "name"));
    tut_str_copy(n->type, sizeof(n->type), type);
    if (!is_own_set(version) || tut_str_starts(type, TUT_LIT("Custom")))
        tut_exam_observe(n->x, "openvino.custom-layer", at,
                         "layer %s of the type %s comes from the set \"%.*s\"", n->layer, n->type,
                         (int)(version.len < 60 ? version.len : 60), version.data);
    if (!number_of(tut_xml_attribute(attributes, "id"), &id)) {
        tut_exam_observe(n->x, "openvino.bad-number", at, "layer %s has no number as its id",
                         n->layer);
        return TUT_SUCCESS;
    }
    return add_layer(n, id, err);
}

/* --- constants --- */
static const struct {
    const char *name;
    uint8_t bits;
} element_types[] = {
    {"f32", 32},    {"f16", 16},  {"bf16", 16},  {"f64", 64},   {"i64", 64},   {"i32", 32},
    {"i16", 16},    {"i8", 8},    {"u64", 64},   {"u32", 32},   {"u16", 16},   {"u8", 8},
    {"boolean", 8}, {"u1", 1},    {"u2", 2},     {"u3", 3},     {"u4", 4},     {"u6", 6},
    {"i4", 4},      {"nf4", 4},   {"f4e2m1", 4}, {"f8e4m3", 8}, {"f8e5m2", 8}, {"f8e8m0", 8},
    {"FP32", 32},   {"FP16", 16}, {"I64", 64},   {"I32", 32},   {"U8", 8},     {"I8", 8},
};

static uint8_t bits_of(tut_str type)
{
    for (size_t i = 0; i < sizeof(element_types) / sizeof(element_types[0]); i++)
        if (tut_str_eq_z(type, element_types[i].name))
            return element_types[i].bits;
    return 0;
}

/* "1,3,224": the product, or false when it is none or exceeds 64 bits. */
static bool elements_of(tut_str shape, uint64_t *ret)
{
    *ret = 1;
    while (shape.len > 0) {
        const char *comma = memchr(shape.data, ',', shape.len);
        size_t len = comma ? (size_t)(comma - shape.data) : shape.len;
        uint64_t dim = 0;
        if (!tut_str_u64(tut_str_trim((tut_str){shape.data, len}), &dim) ||
            __builtin_mul_overflow(*ret, dim, ret))
            return false;
        shape = comma ? (tut_str){comma + 1, shape.len - len - 1} : (tut_str){"", 0};
    }
    return true;
}

static void check_size(net *n, const char *const *attributes, uint64_t size, uint64_t at)
{
    tut_str type = tut_xml_attribute(attributes, "element_type");
    tut_str shape = tut_xml_attribute(attributes, "shape");
    uint64_t elements = 0, bits = 0, width = bits_of(type);
    if (type.len == 0)
        return;
    if (!elements_of(shape, &elements) || __builtin_mul_overflow(elements, width, &bits)) {
        tut_exam_observe(n->x, "openvino.bad-number", at, "constant %s has the shape %.*s",
                         n->layer, (int)(shape.len < 100 ? shape.len : 100), shape.data);
        return;
    }
    if (width && bits / 8 + (bits % 8 != 0) != size)
        tut_exam_observe(n->x, "openvino.size-mismatch", at,
                         "constant %s of %.*s and the shape %.*s has %" PRIu64 " bytes", n->layer,
                         (int)(type.len < 20 ? type.len : 20), type.data,
                         (int)(shape.len < 100 ? shape.len : 100), shape.data, size);
}

/* data of a constant, or a blob of the releases before 2020. */
static void open_data(net *n, const char *const *attributes, uint64_t at)
{
    tut_str offset_text = tut_xml_attribute(attributes, "offset");
    tut_str size_text = tut_xml_attribute(attributes, "size");
    uint64_t offset = 0, size = 0, end = 0;
    if (offset_text.len == 0 && size_text.len == 0)
        return;
    if (strcmp(n->type, "Const") != 0 && strcmp(n->type, "Constant") != 0 && offset_text.len == 0)
        return; /* an operation with a size of its own */
    n->constants++;
    if (!number_of(offset_text, &offset) || !number_of(size_text, &size) ||
        __builtin_add_overflow(offset, size, &end)) {
        tut_exam_observe(n->x, "openvino.bad-number", at, "constant %s: %.*s bytes at %.*s",
                         n->layer, (int)(size_text.len < 40 ? size_text.len : 40), size_text.data,
                         (int)(offset_text.len < 40 ? offset_text.len : 40), offset_text.data);
        return;
    }
    check_size(n, attributes, size, at);
    if (end > n->weights_end) {
        n->weights_end = end;
        n->weights_at = at;
    }
}

/* --- the rest --- */
static void check_library(net *n, const char *name, tut_str value, uint64_t at)
{
    static const char *const endings[] = {".so", ".dll", ".dylib", ".pyd"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (value.len > strlen(endings[i]) && tut_str_ends(value, tut_str_of(endings[i])))
            tut_exam_observe(n->x, "openvino.library", at, "%.60s names %.*s", name,
                             (int)(value.len < 200 ? value.len : 200), value.data);
}

static tut_status on_open(void *ctx, tut_str name, const char *const *attributes, uint64_t at,
                          tut_error *err)
{
    net *n = ctx;
    n->depth++;
    if (n->depth == 1) {
        n->has_root = tut_str_eq_z(name, "net");
        tut_exam_fact(n->x, "openvino.name", tut_xml_attribute(attributes, "name"));
        tut_exam_fact(n->x, "openvino.version", tut_xml_attribute(attributes, "version"));
    }
    for (const char *const *a = attributes; a[0]; a += 2)
        check_library(n, a[0], tut_str_of(a[1]), at);
    if (tut_str_eq_z(name, "layers"))
        return open_scope(n, err);
    if (tut_str_eq_z(name, "layer"))
        return open_layer(n, attributes, at, err);
    if (tut_str_eq_z(name, "edge"))
        check_edge(n, attributes, at);
    if (tut_str_eq_z(name, "data") || tut_str_eq_z(name, "weights") ||
        tut_str_eq_z(name, "biases") || tut_str_eq_z(name, "custom"))
        open_data(n, attributes, at);
    return TUT_SUCCESS;
}

static tut_status on_close(void *ctx, tut_str name, tut_error *err)
{
    net *n = ctx;
    (void)err;
    n->depth--;
    if (tut_str_eq_z(name, "layers"))
        end_layers(n);
    while (n->scope_count && n->depth < n->scopes[n->scope_count - 1].depth)
        n->id_count = n->scopes[--n->scope_count].start;
    return TUT_SUCCESS;
}

/* "model.xml" -> "model.bin" */
static void check_weights(net *n)
{
    char name[256];
    tut_source source;
    tut_exam *x = n->x;
    size_t len = x->name.len;
    if (n->weights_end == 0 || x->is_member || !x->ops->sibling || len < 5 || len >= sizeof(name))
        return;
    tut_str_copy(name, sizeof(name), x->name);
    if (!tut_str_ieq((tut_str){name + len - 4, 4}, TUT_LIT(".xml")))
        return;
    memcpy(name + len - 4, ".bin", 4);
    tut_exam_fact(x, "refers.shard", tut_str_of(name));
    tut_status status = x->ops->sibling(x->ctx, name, &source, NULL);
    if (status.code == TUT_DENIED)
        tut_exam_observe(x, "openvino.range", n->weights_at, "its data file %s leads elsewhere",
                         name);
    else if (!tut_is_ok(status))
        tut_exam_observe(x, "openvino.weights-missing", TUT_NO_OFFSET,
                         "its data file %s cannot be read", name);
    else if (n->weights_end > source.size)
        tut_exam_observe(x, "openvino.range", n->weights_at,
                         "constants reach to %" PRIu64 ", and %s has %" PRIu64 " bytes",
                         n->weights_end, name, source.size);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_xml_ops ops = {.open = on_open, .close = on_close};
    TUT_AUTO_FREE net *n = tut_alloc_array(1, sizeof(*n));
    if (!n)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    n->x = x;
    tut_status status = tut_xml_read(x, &ops, n, err);
    if (tut_is_ok(status) && n->layers == 0)
        tut_exam_observe(x, "openvino.no-layers", TUT_NO_OFFSET, "the graph has no layers");
    if (n->layers)
        tut_exam_factf(x, "openvino.layers", "%" PRIu64, n->layers);
    check_weights(n);
    tut_free(n->ids);
    tut_budget_heap_return(x->budget, n->charged);
    return status;
}

extern const tut_format tut_format_openvino;

const tut_format tut_format_openvino = {
    .name = "openvino",
    .label = "OpenVINO IR",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".xml",
    .reads =
        "document type, entities, layers, edges, constants against the .bin, custom operations",
    .rules = "openvino xml data",
};
