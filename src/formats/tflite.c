/*
 * TensorFlow Lite: a FlatBuffer with the identifier TFL3 (see flat.h; schema.fbs of TensorFlow).
 *
 *   Model = version operator-codes subgraphs description buffers metadata*
 *   Subgraph = tensors inputs outputs operators     Tensor = shape type buffer name
 *   Buffer = data | offset size                     outside of the FlatBuffer, from the file's
 * start
 *
 * Behind it may follow a zip archive with the files that its metadata speaks of.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "formats/flat.h"
#include "formats/payload.h"
#include "formats/snippet.h"
#include "formats/tf_ops.h"

enum {
    CUSTOM = 32,
    MANY_GREATER = 127, /* PLACEHOLDER_FOR_GREATER_OP_CODES */
    OPERATORS = 210,    /* builtin ones: 209 in 2025 */
    STRING = 5,
    DIMS = 32,
};

typedef struct dtype_row {
    const char *name;
    uint8_t bits; /* 0: no fixed size */
} dtype_row;

static const dtype_row dtypes[] = {
    {"F32", 32},  {"F16", 16},     {"I32", 32},    {"U8", 8},   {"I64", 64}, {"STRING", 0},
    {"BOOL", 8},  {"I16", 16},     {"C64", 64},    {"I8", 8},   {"F64", 64}, {"C128", 128},
    {"U64", 64},  {"RESOURCE", 0}, {"VARIANT", 0}, {"U32", 32}, {"U16", 16}, {"I4", 4},
    {"BF16", 16}, {"I2", 2},       {"U4", 4},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

typedef struct lite {
    tut_exam *x;
    tut_flat *f;
    tut_flat_vector codes, buffers;
    uint8_t *is_used; /* buffers that a tensor refers to */
    tut_buf custom;   /* names, for people */
    uint64_t operators, tensors, parameters, flex;
} lite;

static tut_match sniff(const tut_sniff *s)
{
    if (s->head.len < 16 || memcmp(s->head.data + 4, "TFL3", 4) != 0)
        return TUT_MATCH_NONE;
    return TUT_MATCH_SURE;
}

static tut_status wrong_index(lite *l, uint64_t at, const char *what, tut_error *err)
{
    tut_exam_observe(l->x, "tflite.index", at, "%s", what);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", what);
}

/* --- operators --- */

/* Custom operators of Google's own model makers, compiled into the usual runtimes. */
static bool is_usual(const char *name)
{
    static const char *const names[] = {"TFLite_Detection_PostProcess",
                                        "Convolution2DTransposeBias",
                                        "MaxPoolingWithArgmax2D",
                                        "MaxUnpooling2D",
                                        "TransformLandmarks",
                                        "TransformTensorBilinear",
                                        "Landmarks2TransformMatrix",
                                        "Landmarks_To_Transform_Matrix",
                                        "Resampler",
                                        "AudioSpectrogram",
                                        "Mfcc",
                                        "NumericVerify",
                                        "RandomUniform",
                                        "RandomStandardNormal",
                                        "Multinomial",
                                        "HashtableV2",
                                        "ReadVariable",
                                        "AssignVariable",
                                        "VarHandle",
                                        "edgetpu-custom-op",
                                        "ethos-u",
                                        "TFSentencepieceTokenizeOp",
                                        "SentencepieceTokenizer",
                                        "SentencepieceDecoder",
                                        "Ngrams",
                                        "Predict",
                                        "Normalize",
                                        "ExtractFeatures",
                                        "Timestamp",
                                        "FFT",
                                        "Irfft2d",
                                        "Roll",
                                        "Gelu",
                                        "AvgPool3D",
                                        "MaxPool3D",
                                        "MAX_POOL_3D",
                                        "Conv3d",
                                        "UnidirectionalSequenceGRU",
                                        "TFSL_Timestep",
                                        "SignalWindow",
                                        "SignalFilterBank",
                                        "SignalFftAutoScale",
                                        "SignalRfft",
                                        "SignalEnergy",
                                        "SignalPCAN",
                                        "SignalFramer",
                                        "SignalStacker",
                                        "SignalDelay",
                                        "SignalOverlapAdd",
                                        "SignalIrfft",
                                        "SignalFilterBankLog",
                                        "SignalFilterBankSquareRoot",
                                        "SignalFilterBankSpectralSubtraction",
                                        "AudioMicrofrontend",
                                        "Delegate",
                                        "CircularBuffer",
                                        "CIRCULAR_BUFFER",
                                        "DETECTION_POSTPROCESS",
                                        "Bias",
                                        "RegexReplace",
                                        "Substr",
                                        "Rfft2d",
                                        "AtanTwo",
                                        "WhitespaceTokenizer",
                                        "NGrams"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strncmp(name, "TFText>", 7) == 0;
}

/* "FlexReadFile": TensorFlow's own operator, run by the Flex delegate. */
static void judge_flex(lite *l, uint64_t at, const char *name)
{
    const char *inner = name + 4;
    const tut_tf_op *op = tut_tf_op_find(inner);
    bool is_extension = false;
    l->flex++;
    if (!op && !tut_tf_op_exists(inner, &is_extension)) {
        tut_exam_observe(
            l->x, tut_tf_op_sounds_bad(inner) ? "tflite.code-operator" : "tflite.custom-operator",
            at, "operator %s is none of TensorFlow's", name);
        return;
    }
    if (!op || op->does == TUT_TF_COMPUTES || op->does == TUT_TF_PASSES_TEXT ||
        op->does == TUT_TF_CALLS || op->does == TUT_TF_WRITES_ATTR ||
        op->does == TUT_TF_FILLS_TABLE || op->does == TUT_TF_CACHES)
        return;
    if (op->does == TUT_TF_PYTHON)
        tut_exam_observe(l->x, "tflite.python-op", at, "operator %s calls Python", name);
    else
        tut_exam_observe(l->x, "tflite.flex-reach", at,
                         "operator %s reaches for files or other machines", name);
}

static void judge_custom(lite *l, uint64_t at, const char *name)
{
    tut_buf_printf(&l->custom, "%s%s", l->custom.len ? ", " : "", name[0] ? name : "(no name)");
    if (strncmp(name, "Flex", 4) == 0) {
        judge_flex(l, at, name);
        return;
    }
    if (is_usual(name))
        return;
    tut_exam_observe(
        l->x, tut_tf_op_sounds_bad(name) ? "tflite.code-operator" : "tflite.custom-operator", at,
        "operator %s comes from a library outside the file", name[0] ? name : "without a name");
}

static tut_status read_codes(lite *l, const tut_flat_table *model, tut_error *err)
{
    TUT_TRY(tut_flat_vector_of(l->f, model, 1, 4, &l->codes, err));
    for (uint32_t i = 0; i < l->codes.count; i++) {
        tut_flat_table code;
        uint64_t old = 0, now = 0;
        char name[TUT_FLAT_TEXT];
        TUT_TRY(tut_flat_row(l->f, &l->codes, i, &code, err));
        TUT_TRY(tut_flat_number(l->f, &code, 0, 1, 0, &old, err));
        TUT_TRY(tut_flat_text(l->f, &code, 1, name, err));
        TUT_TRY(tut_flat_number(l->f, &code, 3, 4, 0, &now, err));
        uint64_t builtin = now > old ? now : old; /* as the runtime takes them */
        if (builtin == CUSTOM)
            judge_custom(l, code.at, name);
        else if (builtin >= OPERATORS)
            tut_exam_observe(l->x, "tflite.custom-operator", code.at,
                             "operator %" PRIu64 " is none that TensorFlow Lite has", builtin);
    }
    return TUT_SUCCESS;
}

/* --- tensors --- */

typedef struct extent {
    uint64_t begin, end;
    bool is_there;
} extent;

/* Where the bytes of a buffer lie. */
static tut_status find_buffer(lite *l, uint32_t i, extent *ret, tut_error *err)
{
    tut_flat_table buffer;
    tut_flat_vector data;
    uint64_t offset = 0, size = 0;
    *ret = (extent){.is_there = false};
    TUT_TRY(tut_flat_row(l->f, &l->buffers, i, &buffer, err));
    TUT_TRY(tut_flat_vector_of(l->f, &buffer, 0, 1, &data, err));
    TUT_TRY(tut_flat_number(l->f, &buffer, 1, 8, 0, &offset, err));
    TUT_TRY(tut_flat_number(l->f, &buffer, 2, 8, 0, &size, err));
    if (data.count > 0) {
        *ret = (extent){.begin = data.at, .end = data.at + data.count, .is_there = true};
        if (offset > 1)
            tut_exam_observe(l->x, "tflite.two-values", buffer.at,
                             "buffer %" PRIu32 " has its data both inside and outside", i);
        return TUT_SUCCESS;
    }
    if (offset <= 1)
        return TUT_SUCCESS;
    if (offset > l->f->size || size > l->f->size - offset) {
        tut_exam_observe(l->x, "tflite.range", buffer.at,
                         "buffer %" PRIu32 ": %" PRIu64 " bytes at %" PRIu64
                         " reach beyond the file",
                         i, size, offset);
        return TUT_SUCCESS;
    }
    if (offset + size > l->f->reach)
        l->f->reach = offset + size;
    *ret = (extent){.begin = offset, .end = offset + size, .is_there = size > 0};
    return TUT_SUCCESS;
}

typedef struct lite_tensor {
    char name[TUT_FLAT_TEXT];
    uint64_t dims[DIMS], type, buffer, elements;
    uint32_t dim_count;
    bool is_sparse, is_bad;
} lite_tensor;

static tut_status read_shape(lite *l, const tut_flat_table *table, lite_tensor *t, tut_error *err)
{
    tut_flat_vector shape;
    TUT_TRY(tut_flat_vector_of(l->f, table, 0, 4, &shape, err));
    t->dim_count = shape.count;
    t->elements = 1;
    t->is_bad = shape.count > DIMS;
    for (uint32_t i = 0; i < shape.count && i < DIMS; i++) {
        TUT_TRY(tut_flat_item(l->f, &shape, i, 4, &t->dims[i], err));
        t->is_bad |= t->dims[i] > INT32_MAX ||
                     __builtin_mul_overflow(t->elements, t->dims[i], &t->elements);
    }
    uint64_t bits = 0;
    t->is_bad |= __builtin_mul_overflow(t->elements, (uint64_t)128, &bits);
    if (t->is_bad)
        tut_exam_observe(l->x, "tflite.bad-shape", table->at,
                         "tensor %s has a negative dimension, too many, or more than any memory",
                         t->name);
    return TUT_SUCCESS;
}

static void report_tensor(lite *l, const lite_tensor *t, const extent *where)
{
    if (!l->x->ops->tensor)
        return;
    TUT_CLEAN(tut_buf) shape;
    tut_buf_init(&shape, 1024);
    tut_buf_add_z(&shape, "[");
    for (uint32_t i = 0; i < t->dim_count; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "", t->dims[i]);
    tut_buf_add_z(&shape, "]");
    tut_tensor row = {.name = tut_str_of(t->name),
                      .dtype = dtypes[t->type].name,
                      .shape = tut_buf_str(&shape),
                      .begin = where->begin,
                      .end = where->end};
    l->x->ops->tensor(l->x->ctx, &row);
}

static tut_status check_values(lite *l, const tut_flat_table *table, const lite_tensor *t,
                               tut_error *err)
{
    extent where;
    TUT_TRY(find_buffer(l, (uint32_t)t->buffer, &where, err));
    const dtype_row *dtype = &dtypes[t->type];
    if (!where.is_there || t->is_bad || dtype->bits == 0)
        return TUT_SUCCESS;
    uint64_t bytes = (t->elements * dtype->bits + 7) / 8;
    if (!t->is_sparse && bytes != where.end - where.begin) {
        tut_exam_observe(l->x, "tflite.tensor-size", table->at,
                         "tensor %s holds %" PRIu64 " bytes, its type and shape ask for %" PRIu64,
                         t->name, where.end - where.begin, bytes);
        return TUT_SUCCESS;
    }
    l->parameters += t->elements;
    report_tensor(l, t, &where);
    return TUT_SUCCESS;
}

static tut_status read_tensor(lite *l, const tut_flat_table *table, tut_error *err)
{
    lite_tensor t = {.type = 0};
    tut_flat_table sparsity;
    TUT_TRY(tut_flat_text(l->f, table, 3, t.name, err));
    TUT_TRY(read_shape(l, table, &t, err));
    TUT_TRY(tut_flat_number(l->f, table, 1, 1, 0, &t.type, err));
    TUT_TRY(tut_flat_number(l->f, table, 2, 4, 0, &t.buffer, err));
    TUT_TRY(tut_flat_child(l->f, table, 6, &t.is_sparse, &sparsity, err));
    l->tensors++;
    if (t.type >= DTYPES) {
        tut_exam_observe(l->x, "tflite.unknown-dtype", table->at, "tensor %s is of type %" PRIu64,
                         t.name, t.type);
        return TUT_SUCCESS;
    }
    if (t.buffer >= l->buffers.count && (t.buffer > 0 || l->buffers.count > 0))
        return wrong_index(l, table->at, "a tensor refers to a buffer that is not there", err);
    if (t.buffer == 0 || l->buffers.count == 0)
        return TUT_SUCCESS;
    bool is_first = !l->is_used[t.buffer];
    l->is_used[t.buffer] = 1;
    return is_first ? check_values(l, table, &t, err) : TUT_SUCCESS;
}

/* --- subgraphs --- */

static tut_status check_indices(lite *l, const tut_flat_table *table, unsigned field,
                                uint32_t count, bool may_lack, tut_error *err)
{
    tut_flat_vector list;
    TUT_TRY(tut_flat_vector_of(l->f, table, field, 4, &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        uint64_t index = 0;
        TUT_TRY(tut_flat_item(l->f, &list, i, 4, &index, err));
        if (index >= count && !(may_lack && index == UINT32_MAX))
            return wrong_index(l, list.at + 4 * (uint64_t)i,
                               "a reference to a tensor that is not there", err);
    }
    return TUT_SUCCESS;
}

static tut_status read_operator(lite *l, const tut_flat_table *op, uint32_t tensors, tut_error *err)
{
    uint64_t code = 0, offset = 0, size = 0;
    tut_flat_vector options;
    l->operators++;
    TUT_TRY(tut_flat_number(l->f, op, 0, 4, 0, &code, err));
    if (code >= l->codes.count)
        return wrong_index(l, op->at, "an operator refers to a code that is not there", err);
    TUT_TRY(check_indices(l, op, 1, tensors, true, err));
    TUT_TRY(check_indices(l, op, 2, tensors, true, err));
    TUT_TRY(tut_flat_vector_of(l->f, op, 5, 1, &options, err));
    TUT_TRY(tut_flat_number(l->f, op, 9, 8, 0, &offset, err));
    TUT_TRY(tut_flat_number(l->f, op, 10, 8, 0, &size, err));
    if (offset > 1 && (offset > l->f->size || size > l->f->size - offset))
        tut_exam_observe(l->x, "tflite.range", op->at,
                         "options of an operator reach beyond the file");
    if (options.count >= 16)
        TUT_TRY(tut_payload_examine(l->x, options.at, options.at + options.count,
                                    "in the options of an operator", err));
    return TUT_SUCCESS;
}

static tut_status read_subgraph(lite *l, const tut_flat_table *graph, tut_error *err)
{
    tut_flat_vector tensors, operators;
    tut_flat_table row;
    TUT_TRY(tut_flat_vector_of(l->f, graph, 0, 4, &tensors, err));
    for (uint32_t i = 0; i < tensors.count; i++) {
        TUT_TRY(tut_flat_row(l->f, &tensors, i, &row, err));
        TUT_TRY(read_tensor(l, &row, err));
    }
    TUT_TRY(check_indices(l, graph, 1, tensors.count, true, err));
    TUT_TRY(check_indices(l, graph, 2, tensors.count, true, err));
    TUT_TRY(tut_flat_vector_of(l->f, graph, 3, 4, &operators, err));
    for (uint32_t i = 0; i < operators.count; i++) {
        TUT_TRY(tut_flat_row(l->f, &operators, i, &row, err));
        TUT_TRY(read_operator(l, &row, tensors.count, err));
    }
    return TUT_SUCCESS;
}

/* --- metadata --- */

/* TFLITE_METADATA: a FlatBuffer of its own (metadata_schema.fbs). */
static tut_status read_model_metadata(lite *l, const extent *where, tut_error *err)
{
    static const struct {
        unsigned field;
        const char *key;
    } texts[] = {{0, "name"}, {1, "description"}, {2, "version"}, {4, "author"}, {5, "license"}};
    tut_source source;
    TUT_AUTO(tut_flat) f = NULL;
    tut_flat_table table;
    char text[TUT_FLAT_TEXT];
    TUT_TRY(tut_source_slice(l->x->source, where->begin, where->end - where->begin, &source));
    TUT_TRY(tut_flat_new(l->x, &source, source.size, "tflite.offset", &f, err));
    TUT_TRY(tut_flat_root(f, &table, err));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        TUT_TRY(tut_flat_text(f, &table, texts[i].field, text, err));
        if (!text[0])
            continue;
        tut_exam_factf(l->x, "tflite.metadata", "%s: %s", texts[i].key, text);
        tut_snippet_check(l->x, tut_str_of(texts[i].key), tut_str_of(text), where->begin);
        if (texts[i].field == 5)
            tut_exam_fact(l->x, "licence", tut_str_of(text));
    }
    return TUT_SUCCESS;
}

static tut_status read_metadata(lite *l, const tut_flat_table *model, tut_error *err)
{
    tut_flat_vector list;
    TUT_TRY(tut_flat_vector_of(l->f, model, 6, 4, &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        tut_flat_table row;
        char name[TUT_FLAT_TEXT];
        uint64_t buffer = 0;
        extent where;
        TUT_TRY(tut_flat_row(l->f, &list, i, &row, err));
        TUT_TRY(tut_flat_text(l->f, &row, 0, name, err));
        TUT_TRY(tut_flat_number(l->f, &row, 1, 4, 0, &buffer, err));
        if (buffer >= l->buffers.count)
            return wrong_index(l, row.at, "metadata refers to a buffer that is not there", err);
        TUT_TRY(find_buffer(l, (uint32_t)buffer, &where, err));
        if (strcmp(name, "TFLITE_METADATA") == 0 && where.is_there)
            TUT_TRY(read_model_metadata(l, &where, err));
    }
    return TUT_SUCCESS;
}

/* Buffers that no tensor refers to: metadata, or something that has no business here. */
static tut_status look_at_rest(lite *l, tut_error *err)
{
    for (uint32_t i = 0; i < l->buffers.count; i++) {
        extent where;
        if (l->is_used[i])
            continue;
        TUT_TRY(find_buffer(l, i, &where, err));
        if (where.is_there)
            TUT_TRY(tut_payload_examine(l->x, where.begin, where.end,
                                        "in a buffer that no tensor uses", err));
    }
    return TUT_SUCCESS;
}

static tut_status read_model(lite *l, tut_error *err)
{
    tut_flat_table model, row;
    tut_flat_vector graphs;
    char text[TUT_FLAT_TEXT];
    uint64_t version = 0;
    TUT_TRY(tut_flat_root(l->f, &model, err));
    TUT_TRY(tut_flat_number(l->f, &model, 0, 4, 0, &version, err));
    tut_exam_factf(l->x, "tflite.version", "%" PRIu64, version);
    TUT_TRY(tut_flat_text(l->f, &model, 3, text, err));
    if (text[0])
        tut_exam_factf(l->x, "tflite.description", "%s", text);
    tut_snippet_check(l->x, TUT_LIT("description"), tut_str_of(text), model.at);
    TUT_TRY(read_codes(l, &model, err));
    TUT_TRY(tut_flat_vector_of(l->f, &model, 4, 4, &l->buffers, err));
    TUT_TRY(tut_budget_heap(l->x->budget, l->buffers.count + 1, err));
    l->is_used = tut_alloc_array((size_t)l->buffers.count + 1, 1);
    if (!l->is_used) {
        tut_budget_heap_return(l->x->budget, l->buffers.count + 1);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    TUT_TRY(tut_flat_vector_of(l->f, &model, 2, 4, &graphs, err));
    for (uint32_t i = 0; i < graphs.count; i++) {
        TUT_TRY(tut_flat_row(l->f, &graphs, i, &row, err));
        TUT_TRY(read_subgraph(l, &row, err));
    }
    TUT_TRY(read_metadata(l, &model, err));
    return look_at_rest(l, err);
}

static void report(lite *l)
{
    tut_exam_factf(l->x, "tflite.operators", "%" PRIu64, l->operators);
    tut_exam_factf(l->x, "tflite.tensors", "%" PRIu64, l->tensors);
    if (l->flex)
        tut_exam_factf(l->x, "tflite.flex", "%" PRIu64, l->flex);
    if (l->custom.len)
        tut_exam_fact(l->x, "tflite.custom", tut_buf_str(&l->custom));
    tut_exam_factf(l->x, "parameters", "%" PRIu64, l->parameters);
}

/* The archive of associated files is usual there, and its members are examined; what lies between
 * it and the model is not. */
static tut_status look_behind(tut_exam *x, const tut_flat *f, tut_error *err)
{
    uint64_t archive = tut_payload_zip_start(x);
    uint64_t end = archive >= f->reach && archive < f->size ? archive : f->size;
    return tut_payload_examine(x, f->reach, end, "behind the model", err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    lite l = {.x = x};
    TUT_AUTO(tut_flat) f = NULL;
    TUT_TRY(tut_flat_new(x, x->source, x->source->size, "tflite.offset", &f, err));
    l.f = f;
    tut_buf_init(&l.custom, 2048);
    tut_status status = read_model(&l, err);
    if (tut_is_ok(status)) {
        report(&l);
        status = look_behind(x, f, err);
    }
    if (tut_is_ok(status))
        status = tut_payload_zip_tail(x, NULL, err);
    if (l.is_used)
        tut_budget_heap_return(x->budget, l.buffers.count + 1);
    free(l.is_used);
    tut_buf_done(&l.custom);
    return status;
}

extern const tut_format tut_format_tflite;

const tut_format tut_format_tflite = {
    .name = "tflite",
    .label = "TensorFlow Lite",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".tflite .lite .task",
    .reads = "operators, tensors and where their bytes lie, metadata, files packed behind",
    .rules = "tflite data",
};
