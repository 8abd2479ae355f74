/* TensorProto: how many values its shape asks for, and how many bytes are there. */
#include <inttypes.h>
#include <string.h>

#include "formats/onnx_internal.h"

/* Bits of one value; 0: has none (strings). int32 says how many values one int32_data holds: 4-bit
 * types pack two. */
typedef struct dtype_row {
    uint8_t bits, per_int;
    const char *name; /* as safetensors and GGUF name them */
} dtype_row;

static const dtype_row dtypes[] = {
    [1] = {32, 1, "F32"},     [2] = {8, 1, "U8"},       [3] = {8, 1, "I8"},
    [4] = {16, 1, "U16"},     [5] = {16, 1, "I16"},     [6] = {32, 1, "I32"},
    [7] = {64, 1, "I64"},     [8] = {0, 1, "STRING"},   [9] = {8, 1, "BOOL"},
    [10] = {16, 1, "F16"},    [11] = {64, 1, "F64"},    [12] = {32, 1, "U32"},
    [13] = {64, 1, "U64"},    [14] = {64, 1, "C64"},    [15] = {128, 1, "C128"},
    [16] = {16, 1, "BF16"},   [17] = {8, 1, "F8_E4M3"}, [18] = {8, 1, "F8_E4M3"},
    [19] = {8, 1, "F8_E5M2"}, [20] = {8, 1, "F8_E5M2"}, [21] = {4, 2, "U4"},
    [22] = {4, 2, "I4"},      [23] = {4, 2, "F4"},      [24] = {8, 1, "F8_E8M0"},
    [25] = {2, 4, "U2"},      [26] = {2, 4, "I2"},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]), STRING = 8, COMPLEX64 = 14, COMPLEX128 = 15 };

void tut_onnx_begin_tensor(tut_onnx *o, uint64_t at)
{
    memset(&o->tensor, 0, sizeof(o->tensor));
    o->tensor.at = at;
}

static void add_dim(tut_onnx_tensor *t, uint64_t value)
{
    t->has_negative_dim |= value > INT64_MAX;
    if (t->dim_count < TUT_ONNX_DIMS)
        t->dims[t->dim_count] = value;
    t->dim_count++;
}

static tut_status read_dims(tut_onnx *o, uint64_t len, tut_error *err)
{
    uint64_t end = tut_stream_pos(o->x->stream) + len;
    while (tut_stream_pos(o->x->stream) < end) {
        uint64_t value = 0;
        TUT_TRY(tut_proto_varint(&o->p, end, &value, err));
        add_dim(&o->tensor, value);
    }
    return TUT_SUCCESS;
}

static tut_status read_packed(tut_onnx *o, uint8_t use, uint64_t len, tut_error *err)
{
    tut_onnx_tensor *t = &o->tensor;
    uint64_t width = use == TUT_ONNX_FLOATS ? 4 : 8;
    if (use == TUT_ONNX_DIM)
        return read_dims(o, len, err);
    if (use == TUT_ONNX_INTS)
        return tut_proto_count(&o->p, len, &t->ints, err);
    if (len % width != 0)
        tut_exam_observe(o->x, "onnx.tensor-size", t->at,
                         "tensor %s: packed numbers of %" PRIu64 " bytes", t->name, len);
    *(use == TUT_ONNX_FLOATS ? &t->floats : &t->doubles) += len / width;
    return tut_stream_skip(o->x->stream, len);
}

/* wire is what stood in the file: LEN with value = length, or a number with its value. */
tut_status tut_onnx_tensor_field(tut_onnx *o, const tut_proto_field *field, uint64_t wire,
                                 uint64_t value, tut_error *err)
{
    tut_onnx_tensor *t = &o->tensor;
    bool is_packed = wire == TUT_WIRE_LEN && field->wire != TUT_WIRE_LEN;
    if (is_packed)
        return read_packed(o, field->use, value, err);
    if (field->use == TUT_ONNX_NAME)
        return tut_proto_text(&o->p, value, t->name, sizeof(t->name), err);
    if (field->use == TUT_ONNX_RAW) {
        t->has_raw = true;
        t->raw_at = tut_stream_pos(o->x->stream);
        t->raw_len = value;
    }
    t->strings += field->use == TUT_ONNX_STRINGS;
    t->floats += field->use == TUT_ONNX_FLOATS;
    t->doubles += field->use == TUT_ONNX_DOUBLES;
    t->ints += field->use == TUT_ONNX_INTS;
    if (field->use == TUT_ONNX_DIM)
        add_dim(t, value);
    if (field->use == TUT_ONNX_DTYPE)
        t->dtype = value;
    if (field->use == TUT_ONNX_LOCATION)
        t->is_external = value == 1;
    return wire == TUT_WIRE_LEN ? tut_stream_skip(o->x->stream, value) : TUT_SUCCESS;
}

/* The shape's product; false: it is no size, and that was reported. */
static bool count_elements(tut_onnx *o, uint64_t *ret_elements)
{
    tut_onnx_tensor *t = &o->tensor;
    uint64_t elements = 1;
    bool is_overflow = false;
    if (t->has_negative_dim || t->dim_count > TUT_ONNX_DIMS) {
        tut_exam_observe(o->x, "onnx.bad-shape", t->at, "tensor %s: %s", t->name,
                         t->has_negative_dim ? "a dimension is negative" : "too many dimensions");
        return false;
    }
    for (size_t i = 0; i < t->dim_count; i++)
        is_overflow |= __builtin_mul_overflow(elements, t->dims[i], &elements);
    uint64_t bits = 0;
    if (is_overflow || __builtin_mul_overflow(elements, (uint64_t)128, &bits)) {
        tut_exam_observe(o->x, "onnx.bad-shape", t->at,
                         "tensor %s: the product of its shape exceeds any memory", t->name);
        return false;
    }
    *ret_elements = elements;
    return true;
}

static void mismatch(tut_onnx *o, uint64_t have, uint64_t want, const char *unit)
{
    tut_exam_observe(o->x, "onnx.tensor-size", o->tensor.at,
                     "tensor %s holds %" PRIu64 " %s, its type and shape ask for %" PRIu64,
                     o->tensor.name, have, unit, want);
}

static void check_typed(tut_onnx *o, uint64_t elements)
{
    const tut_onnx_tensor *t = &o->tensor;
    uint64_t per = dtypes[t->dtype].per_int;
    uint64_t wide = t->dtype == COMPLEX64 || t->dtype == COMPLEX128 ? 2 : 1;
    uint64_t numbers = t->floats + t->doubles + t->ints;
    if (t->dtype == STRING && t->strings != elements)
        mismatch(o, t->strings, elements, "strings");
    if (t->dtype != STRING && numbers != (elements * wide + per - 1) / per &&
        (per == 1 || numbers != elements))
        mismatch(o, numbers, elements * wide, "numbers");
}

static void tell_tensor(const tut_onnx *o)
{
    const tut_onnx_tensor *t = &o->tensor;
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    if (!o->x->ops->tensor || !o->x->source)
        return;
    for (size_t i = 0; i < t->dim_count && i < TUT_ONNX_DIMS; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "[", t->dims[i]);
    tut_buf_add_z(&shape, t->dim_count ? "]" : "[]");
    const tut_tensor told = {.name = tut_str_of(t->name),
                             .dtype = dtypes[t->dtype].name,
                             .shape = tut_buf_str(&shape),
                             .begin = t->raw_at,
                             .end = t->raw_at + t->raw_len};
    o->x->ops->tensor(o->x->ctx, &told);
}

static void check_inline(tut_onnx *o, uint64_t elements, uint64_t bytes)
{
    tut_onnx_tensor *t = &o->tensor;
    bool has_typed = t->floats + t->doubles + t->ints + t->strings > 0;
    if (t->has_raw && has_typed && t->raw_len > 0)
        tut_exam_observe(o->x, "onnx.two-values", t->at,
                         "tensor %s holds its values twice: raw and typed", t->name);
    if (t->has_raw && t->dtype == STRING)
        tut_exam_observe(o->x, "onnx.tensor-size", t->at, "tensor %s: strings cannot be raw bytes",
                         t->name);
    else if (t->has_raw && t->raw_len != bytes)
        mismatch(o, t->raw_len, bytes, "bytes");
    else if (!t->has_raw)
        check_typed(o, elements);
    if (t->has_raw && t->dtype != STRING && t->raw_len == bytes)
        tell_tensor(o);
}

tut_status tut_onnx_end_tensor(tut_onnx *o, tut_error *err)
{
    tut_onnx_tensor *t = &o->tensor;
    uint64_t elements = 0;
    bool is_sized = count_elements(o, &elements);
    bool has_type = t->dtype > 0 && t->dtype < DTYPES;
    if (!has_type)
        tut_exam_observe(o->x, "onnx.unknown-dtype", t->at, "tensor %s is of type %" PRIu64,
                         t->name, t->dtype);
    is_sized &= has_type;
    uint64_t bytes = is_sized ? (elements * dtypes[t->dtype].bits + 7) / 8 : 0;
    if (is_sized && o->p.depth > 0 && o->p.stack[o->p.depth - 1].kind == TUT_ONNX_GRAPH)
        o->parameters += elements;
    if (t->is_external || t->has_entries)
        return tut_onnx_check_external(o, is_sized, bytes, err);
    if (is_sized)
        check_inline(o, elements, bytes);
    return TUT_SUCCESS;
}
