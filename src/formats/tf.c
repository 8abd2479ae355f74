/*
 * TensorFlow's graphs: SavedModel (saved_model.pb), frozen graphs (GraphDef), meta graphs of
 * checkpoints (.meta), and the Keras metadata beside a SavedModel. All are protobuf messages
 * without magic or length (see proto.h); one table knows them all, and the walk goes through nodes
 * of every meta graph, of the main graph and of the function library alike.
 *
 *   SavedModel = { version meta_graph* }    MetaGraph = info graph saver asset* objects
 *   Graph = node* library                   Library = function*     Function = signature node*
 *   Node = name op input* attribute*        SavedMetadata = { path identifier JSON }*
 */
#include <inttypes.h>
#include <string.h>

#include "base/reader.h"
#include "formats/tf_internal.h"

/* --- recognising --- */

static bool is_named(const tut_sniff *s, const char *name)
{
    return tut_str_ieq(s->name, tut_str_of(name));
}

static tut_match sniff_saved_model(const tut_sniff *s)
{
    bool is_own = is_named(s, "saved_model.pb");
    bool begins = s->head.len >= 6 && s->head.data[0] == 0x08 && s->head.data[1] < 16 &&
                  s->head.data[2] == 0x12;
    if (is_own && tut_proto_shows(&tut_tf_schema, TUT_TF_SAVED_MODEL, s))
        return TUT_MATCH_SURE;
    if (!begins)
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&tut_tf_schema, TUT_TF_SAVED_MODEL, s);
    return known >= 4 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static bool is_op_name(tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '>' || c == '.' || c == '/';
        if (!is_letter && !(is_other && (i > 0 || c == '_')))
            return false;
    }
    return name.len > 1;
}

/* The first node: its name, then its operator. */
static bool begins_with_node(const tut_sniff *s)
{
    tut_reader r = tut_reader_of(s->head);
    uint64_t len = 0, name = 0, op = 0;
    uint8_t tag = 0;
    tut_span text;
    return tut_is_ok(tut_reader_u8(&r, &tag)) && tag == 0x0a &&
           tut_is_ok(tut_reader_varint(&r, &len)) && tut_is_ok(tut_reader_u8(&r, &tag)) &&
           tag == 0x0a && tut_is_ok(tut_reader_varint(&r, &name)) && name < len &&
           tut_is_ok(tut_reader_skip(&r, name)) && tut_is_ok(tut_reader_u8(&r, &tag)) &&
           tag == 0x12 && tut_is_ok(tut_reader_varint(&r, &op)) && op < 256 && op < len &&
           tut_is_ok(tut_reader_bytes(&r, op, &text)) && is_op_name(tut_str_from(text));
}

static tut_match sniff_graph(const tut_sniff *s)
{
    bool is_pb = tut_sniff_ext(s, ".pb");
    if (s->head.len < 6 || (!begins_with_node(s) && !is_pb))
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&tut_tf_schema, TUT_TF_GRAPH, s);
    return known >= 3 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_match sniff_meta_graph(const tut_sniff *s)
{
    bool is_own = tut_sniff_ext(s, ".meta .pb");
    if (s->head.len < 6 || s->head.data[0] != 0x0a)
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&tut_tf_schema, TUT_TF_META_GRAPH, s);
    return known >= (is_own ? 3 : 8) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_match sniff_keras(const tut_sniff *s)
{
    if (s->head.len < 6 || s->head.data[0] != 0x0a)
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&tut_tf_schema, TUT_TF_KERAS, s);
    size_t at = 0;
    bool has_json = tut_str_find(tut_str_from(s->head), TUT_LIT("{\""), &at);
    bool has_word = tut_str_find(tut_str_from(s->head), TUT_LIT("_tf_keras_"), &at);
    if (known < 4 || !has_json)
        return TUT_MATCH_NONE;
    return is_named(s, "keras_metadata.pb") || has_word ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* --- the walk --- */

static void begin_message(void *ctx, tut_proto_frame *f)
{
    tut_tf *t = ctx;
    switch (f->kind) {
    case TUT_TF_NODE:
        memset(&t->node, 0, sizeof(t->node));
        return;
    case TUT_TF_ATTR:
        t->node.text[0] = t->node.function[0] = '\0';
        t->tensor.has_path = false;
        return;
    case TUT_TF_TENSOR:
        tut_tf_begin_tensor(t, f->at);
        return;
    case TUT_TF_FUNCTION:
        t->function[0] = '\0';
        return;
    case TUT_TF_META_GRAPH:
        t->meta_graphs++;
        return;
    default:
        return;
    }
}

static void end_dim(tut_tf *t, const tut_proto_frame *f)
{
    if (t->tensor.dim_count < TUT_TF_DIMS)
        t->tensor.dims[t->tensor.dim_count] = (uint64_t)f->number;
    t->tensor.dim_count++;
}

/* "save/restore_all" is an operator of the saver whose nodes begin with "save/". */
static void end_saver(tut_tf *t, const tut_proto_frame *f)
{
    const char *slash = strrchr(f->b, '/');
    if (!slash)
        return;
    tut_str_copy(t->saver, sizeof(t->saver), (tut_str){f->b, (size_t)(slash + 1 - f->b)});
}

static tut_status end_message(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    tut_tf *t = ctx;
    switch (f->kind) {
    case TUT_TF_NODE:
        return tut_tf_end_node(t, f, err);
    case TUT_TF_ATTR:
        tut_tf_end_attr(t, f);
        return TUT_SUCCESS;
    case TUT_TF_FUNC:
        memcpy(t->node.function, f->a, sizeof(t->node.function));
        return TUT_SUCCESS;
    case TUT_TF_TENSOR:
        tut_tf_end_tensor(t);
        return TUT_SUCCESS;
    case TUT_TF_DIM:
        end_dim(t, f);
        return TUT_SUCCESS;
    case TUT_TF_SIGNATURE:
        memcpy(t->function, f->a, sizeof(t->function));
        return TUT_SUCCESS;
    case TUT_TF_FUNCTION:
        return tut_tf_end_function(t, err);
    case TUT_TF_SAVER:
        end_saver(t, f);
        return TUT_SUCCESS;
    case TUT_TF_TENSOR_INFO:
        return tut_extents_name(&t->assets, tut_tf_input_hash(tut_str_of(f->a)), err);
    case TUT_TF_META_GRAPH:
        tut_tf_settle(t);
        return TUT_SUCCESS;
    default:
        return TUT_SUCCESS;
    }
}

static tut_status read_input(tut_tf *t, uint64_t len, tut_error *err)
{
    char text[TUT_TF_NAME + 32];
    TUT_TRY(tut_proto_text(&t->p, len, text, sizeof(text), err));
    if (t->node.input_count < TUT_TF_INPUTS)
        t->node.inputs[t->node.input_count++] = tut_tf_input_hash(tut_str_of(text));
    return TUT_SUCCESS;
}

static tut_status take_value(void *ctx, tut_proto_frame *f, const tut_proto_field *field,
                             uint64_t wire, uint64_t value, tut_error *err)
{
    tut_tf *t = ctx;
    (void)f;
    switch (field->use) {
    case TUT_TF_VERSION:
        return tut_proto_text(&t->p, value, t->version, sizeof(t->version), err);
    case TUT_TF_INPUT:
        return read_input(t, value, err);
    case TUT_TF_TEXT:
        if (t->node.text[0])
            return tut_proto_skip(&t->p, value, err);
        return tut_proto_text(&t->p, value, t->node.text, sizeof(t->node.text), err);
    case TUT_TF_METADATA:
        return tut_tf_metadata(t, value, err);
    case TUT_TF_FILE:
        return tut_tf_asset_file(t, value, err);
    default:
        return tut_tf_tensor_value(t, field, wire, value, err);
    }
}

static void report(tut_tf *t)
{
    if (t->version[0])
        tut_exam_factf(t->x, "tf.version", "%s", t->version);
    if (t->meta_graphs)
        tut_exam_factf(t->x, "tf.meta_graphs", "%" PRIu64, t->meta_graphs);
    if (t->nodes)
        tut_exam_factf(t->x, "tf.nodes", "%" PRIu64, t->nodes);
    if (t->function_count)
        tut_exam_factf(t->x, "tf.functions", "%" PRIu64, t->function_count);
    tut_tf_report_ops(t);
    if (t->parameters)
        tut_exam_factf(t->x, "parameters", "%" PRIu64, t->parameters);
}

static void open_tables(tut_tf *t)
{
    t->flows.size = t->main_flows.size = sizeof(tut_tf_flow);
    t->uses.size = t->late.size = sizeof(tut_tf_use);
    tut_extents_init(&t->functions, t->x->budget);
    tut_extents_init(&t->file_functions, t->x->budget);
    tut_extents_init(&t->assets, t->x->budget);
}

static void close_tables(tut_tf *t)
{
    tut_tf_rows_free(t, &t->flows);
    tut_tf_rows_free(t, &t->main_flows);
    tut_tf_rows_free(t, &t->uses);
    tut_tf_rows_free(t, &t->late);
    tut_extents_done(&t->functions);
    tut_extents_done(&t->file_functions);
    tut_extents_done(&t->assets);
}

static tut_status examine(tut_exam *x, tut_tf_message kind, tut_error *err)
{
    static const tut_proto_ops ops = {begin_message, take_value, end_message};
    TUT_AUTO_FREE tut_tf *t = tut_alloc_array(1, sizeof(*t));
    tut_error own = {0};
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->x = x;
    open_tables(t);
    tut_proto_init(&t->p, x, &tut_tf_schema, &ops, t);
    tut_error *why = err ? err : &own;
    tut_status status = tut_proto_walk(&t->p, (uint8_t)kind, x->size, why);
    tut_tf_settle(t);
    report(t);
    status = tut_proto_look_behind(&t->p, status, "tf.polyglot", why);
    close_tables(t);
    return status;
}

static tut_status examine_saved_model(tut_exam *x, tut_error *err)
{
    return examine(x, TUT_TF_SAVED_MODEL, err);
}

static tut_status examine_graph(tut_exam *x, tut_error *err)
{
    return examine(x, TUT_TF_GRAPH, err);
}

static tut_status examine_meta_graph(tut_exam *x, tut_error *err)
{
    return examine(x, TUT_TF_META_GRAPH, err);
}

static tut_status examine_keras(tut_exam *x, tut_error *err)
{
    return examine(x, TUT_TF_KERAS, err);
}

extern const tut_format tut_format_tf_saved_model, tut_format_tf_graph, tut_format_tf_meta_graph,
    tut_format_tf_keras;

const tut_format tut_format_tf_saved_model = {
    .name = "tf-saved-model",
    .label = "TensorFlow SavedModel",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_saved_model,
    .examine = examine_saved_model,
    .extensions = ".pb",
    .reads =
        "every meta graph, functions, operators, file names, constants, assets, Keras metadata",
    .rules = "tf keras data",
};

const tut_format tut_format_tf_graph = {
    .name = "tf-graph",
    .label = "TensorFlow graph",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_graph,
    .examine = examine_graph,
    .extensions = ".pb .graphdef",
    .reads = "nodes, functions, operators, file names that reach them, constants",
    .rules = "tf data",
};

const tut_format tut_format_tf_meta_graph = {
    .name = "tf-meta-graph",
    .label = "TensorFlow meta graph",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_meta_graph,
    .examine = examine_meta_graph,
    .extensions = ".meta .pb",
    .reads = "nodes, functions, operators, file names that reach them, constants, saver",
    .rules = "tf data",
};

const tut_format tut_format_tf_keras = {
    .name = "keras-metadata",
    .label = "Keras metadata of a SavedModel",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_keras,
    .examine = examine_keras,
    .extensions = ".pb",
    .reads = "configuration of every layer",
    .rules = "tf keras data",
};
