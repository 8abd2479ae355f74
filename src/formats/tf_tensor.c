/* TensorProto: how large a constant is, where its bytes lie, and the text in it. */
#include <inttypes.h>
#include <string.h>

#include "formats/snippet.h"
#include "formats/tf_internal.h"

typedef struct dtype_row {
    const char *name;
    uint8_t bytes;
} dtype_row;

/* tensorflow/core/framework/types.proto */
static const dtype_row dtypes[] = {
    [1] = {"F32", 4},   [2] = {"F64", 8},    [3] = {"I32", 4},    [4] = {"U8", 1},
    [5] = {"I16", 2},   [6] = {"I8", 1},     [7] = {"STRING", 0}, [8] = {"C64", 8},
    [9] = {"I64", 8},   [10] = {"BOOL", 1},  [11] = {"QI8", 1},   [12] = {"QU8", 1},
    [13] = {"QI32", 4}, [14] = {"BF16", 2},  [15] = {"QI16", 2},  [16] = {"QU16", 2},
    [17] = {"U16", 2},  [18] = {"C128", 16}, [19] = {"F16", 2},   [22] = {"U32", 4},
    [23] = {"U64", 8},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]), STRINGS_READ = 16 };

void tut_tf_begin_tensor(tut_tf *t, uint64_t at)
{
    memset(&t->tensor, 0, sizeof(t->tensor));
    t->tensor.at = at;
}

static void look_at_text(tut_tf *t, tut_str text, uint64_t at)
{
    tut_tf_tensor *tensor = &t->tensor;
    tut_snippet_check(t->x, TUT_LIT("a constant"), text, at);
    tensor->has_text |= text.len > 0;
    if (tensor->has_path || !tut_tf_is_path(text))
        return;
    tensor->has_path = true;
    tut_str_copy(tensor->path, sizeof(tensor->path), text);
}

/* The first strings are read: names of files are few, vocabularies are long. */
static tut_status read_string(tut_tf *t, uint64_t len, tut_error *err)
{
    uint64_t at = tut_stream_pos(t->x->stream);
    tut_span some = {0};
    if (t->tensor.strings++ < STRINGS_READ) {
        TUT_TRY(tut_stream_peek_some(t->x->stream, len < 4096 ? (size_t)len : 4096, &some));
        look_at_text(t, tut_str_from(some), at);
    }
    return tut_proto_skip(&t->p, len, err);
}

static tut_status read_content(tut_tf *t, uint64_t len, tut_error *err)
{
    tut_tf_tensor *tensor = &t->tensor;
    tensor->has_content = true;
    tensor->content_at = tut_stream_pos(t->x->stream);
    tensor->content_len = len;
    /* Strings may be packed here too: their lengths first. */
    if (len > 2 && len <= 4096 && (tensor->dtype == TUT_TF_DT_STRING || tensor->dtype == 0)) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(t->x->stream, (size_t)len, &some));
        size_t skip = some.len > 2 && (some.data[0] & 0x80) ? 2 : 1;
        if (some.len > skip)
            look_at_text(t, (tut_str){(const char *)some.data + skip, some.len - skip},
                         tensor->content_at);
    }
    return tut_proto_skip(&t->p, len, err);
}

tut_status tut_tf_tensor_value(tut_tf *t, const tut_proto_field *field, uint64_t wire,
                               uint64_t value, tut_error *err)
{
    if (field->use == TUT_TF_STRINGS)
        return read_string(t, value, err);
    if (field->use == TUT_TF_CONTENT)
        return read_content(t, value, err);
    if (field->use == TUT_TF_DTYPE)
        t->tensor.dtype = value % 100; /* 101 and so on are references */
    return wire == TUT_WIRE_LEN ? tut_proto_skip(&t->p, value, err) : TUT_SUCCESS;
}

static bool count_elements(tut_tf *t)
{
    tut_tf_tensor *tensor = &t->tensor;
    bool is_bad = tensor->dim_count > TUT_TF_DIMS;
    tensor->elements = 1;
    for (size_t i = 0; i < tensor->dim_count && i < TUT_TF_DIMS; i++)
        is_bad |= tensor->dims[i] > INT64_MAX ||
                  __builtin_mul_overflow(tensor->elements, tensor->dims[i], &tensor->elements);
    uint64_t bytes = 0;
    is_bad |= __builtin_mul_overflow(tensor->elements, (uint64_t)16, &bytes);
    if (is_bad)
        tut_exam_observe(t->x, "tf.bad-shape", tensor->at,
                         "a constant's shape is negative, or larger than any memory");
    return !is_bad;
}

/* The tensor lies in an attribute of the node at hand. */
static const char *node_name(const tut_tf *t)
{
    for (size_t i = t->p.depth; i-- > 0;)
        if (t->p.stack[i].kind == TUT_TF_NODE)
            return t->p.stack[i].a;
    return "";
}

static void report_tensor(tut_tf *t, const dtype_row *dtype)
{
    const tut_tf_tensor *tensor = &t->tensor;
    if (!t->x->ops->tensor)
        return;
    TUT_CLEAN(tut_buf) shape;
    tut_buf_init(&shape, 1024);
    tut_buf_add_z(&shape, "[");
    for (size_t i = 0; i < tensor->dim_count; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "", tensor->dims[i]);
    tut_buf_add_z(&shape, "]");
    tut_tensor row = {.name = tut_str_of(node_name(t)),
                      .dtype = dtype->name,
                      .shape = tut_buf_str(&shape),
                      .begin = tensor->content_at,
                      .end = tensor->content_at + tensor->content_len};
    t->x->ops->tensor(t->x->ctx, &row);
}

void tut_tf_end_tensor(tut_tf *t)
{
    tut_tf_tensor *tensor = &t->tensor;
    bool is_known = tensor->dtype < DTYPES && dtypes[tensor->dtype].bytes > 0;
    if (!count_elements(t) || !is_known)
        return;
    const dtype_row *dtype = &dtypes[tensor->dtype];
    t->parameters += tensor->elements;
    if (!tensor->has_content)
        return;
    if (tensor->content_len != tensor->elements * dtype->bytes) {
        tut_exam_observe(t->x, "tf.tensor-size", tensor->at,
                         "constant %s holds %" PRIu64 " bytes, its type and shape ask for %" PRIu64,
                         node_name(t), tensor->content_len, tensor->elements * dtype->bytes);
        return;
    }
    report_tensor(t, dtype);
}
