/*
 * ExecuTorch: a FlatBuffer with the identifier ET12, and segments of data behind it
 * (schema/program.fbs, schema/extended_header.h of ExecuTorch).
 *
 *   file = flatbuffer segments
 *   at 8: "eh00" length:u32 program-size:u64 segment-base:u64 [segment-data-size:u64]
 *   Program = version plan* constant-buffers delegate-data segments constant-segment
 *   Plan = name values operators delegates chains
 *
 * A delegate is a program for a backend of the runtime: opaque here, so it is named.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/reader.h"
#include "formats/flat.h"
#include "formats/payload.h"
#include "formats/tf_ops.h"

enum { TENSOR = 5, DIMS = 32, KERNEL_CALL = 1, DELEGATE_CALL = 2 };

typedef struct dtype_row {
    const char *name;
    uint8_t bits;
} dtype_row;

/* schema/scalar_type.fbs: as c10::ScalarType */
static const dtype_row dtypes[] = {
    {"U8", 8},   {"I8", 8},   {"I16", 16},  {"I32", 32},  {"I64", 64},   {"F16", 16},
    {"F32", 32}, {"F64", 64}, {"C32", 32},  {"C64", 64},  {"C128", 128}, {"BOOL", 8},
    {"QI8", 8},  {"QU8", 8},  {"QI32", 32}, {"BF16", 16},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

typedef struct torch_program {
    tut_exam *x;
    tut_flat *f;
    uint64_t segment_base;
    uint64_t reach; /* end of the last segment */
    tut_flat_vector buffers, inline_data, segments, offsets;
    uint64_t constant_segment;
    tut_buf backends, methods;
    uint64_t operators, tensors, parameters;
} torch_program;

static tut_match sniff(const tut_sniff *s)
{
    const uint8_t *h = s->head.data;
    if (s->head.len < 16 || memcmp(h + 4, "ET", 2) != 0 || h[6] < '0' || h[6] > '9' || h[7] < '0' ||
        h[7] > '9')
        return TUT_MATCH_NONE;
    return memcmp(h + 8, "eh0", 3) == 0 || tut_sniff_ext(s, ".pte .ptd") ? TUT_MATCH_SURE
                                                                         : TUT_MATCH_STRONG;
}

static tut_status wrong_index(torch_program *p, uint64_t at, const char *what, tut_error *err)
{
    tut_exam_observe(p->x, "executorch.index", at, "%s", what);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", what);
}

/* --- the header --- */

static tut_status read_header(torch_program *p, uint64_t *ret_size, tut_error *err)
{
    uint8_t head[40] = {0};
    size_t got = 0;
    uint32_t length = 0;
    uint64_t program = 0, base = 0;
    uint64_t file = p->x->source->size;
    TUT_TRY(tut_source_read_some(p->x->source, 0, head, sizeof(head), &got, err));
    *ret_size = file;
    if (got < sizeof(head) || memcmp(head + 8, "eh00", 4) != 0)
        return TUT_SUCCESS;
    tut_reader r = tut_reader_of(tut_span_of(head + 12, 20));
    TUT_TRY(tut_reader_u32le(&r, &length));
    TUT_TRY(tut_reader_u64le(&r, &program));
    TUT_TRY(tut_reader_u64le(&r, &base));
    if (length < 24 || program < sizeof(head) || program > file || base > file ||
        (base > 0 && base < program)) {
        tut_exam_observe(p->x, "executorch.header", 8,
                         "the header says %" PRIu64 " bytes of program and data from %" PRIu64
                         " on, in a file of %" PRIu64,
                         program, base, file);
        return tut_fail_at(err, TUT_MALFORMED, 8, "the header contradicts the file");
    }
    *ret_size = program;
    p->segment_base = base;
    p->reach = program;
    return TUT_SUCCESS;
}

/* --- segments --- */

/* Where segment i lies in the file; *ret_has is false when it does not fit, which was reported. */
static tut_status find_segment(torch_program *p, uint32_t i, bool tells, bool *ret_has,
                               uint64_t *ret_begin, uint64_t *ret_size, tut_error *err)
{
    tut_flat_table row;
    uint64_t offset = 0, size = 0;
    uint64_t room = p->x->source->size - p->segment_base;
    TUT_TRY(tut_flat_row(p->f, &p->segments, i, &row, err));
    TUT_TRY(tut_flat_number(p->f, &row, 0, 8, 0, &offset, err));
    TUT_TRY(tut_flat_number(p->f, &row, 1, 8, 0, &size, err));
    *ret_has = offset <= room && size <= room - offset;
    if (*ret_has && size > 0 && p->segment_base + offset + size > p->reach)
        p->reach = p->segment_base + offset + size;
    if (!*ret_has && tells)
        tut_exam_observe(p->x, "executorch.range", row.at,
                         "segment %" PRIu32 ": %" PRIu64 " bytes at %" PRIu64
                         " reach beyond the file",
                         i, size, offset);
    *ret_begin = p->segment_base + offset;
    *ret_size = size;
    return TUT_SUCCESS;
}

static tut_status read_segments(torch_program *p, const tut_flat_table *program, tut_error *err)
{
    tut_flat_table constant;
    bool has = false;
    TUT_TRY(tut_flat_vector_of(p->f, program, 2, 4, &p->buffers, err));
    TUT_TRY(tut_flat_vector_of(p->f, program, 3, 4, &p->inline_data, err));
    TUT_TRY(tut_flat_vector_of(p->f, program, 4, 4, &p->segments, err));
    for (uint32_t i = 0; i < p->segments.count; i++) {
        uint64_t begin = 0, size = 0;
        TUT_TRY(find_segment(p, i, true, &has, &begin, &size, err));
        if (has)
            TUT_TRY(tut_payload_examine(p->x, begin, begin + size, "in a segment", err));
    }
    TUT_TRY(tut_flat_child(p->f, program, 5, &has, &constant, err));
    if (!has)
        return TUT_SUCCESS;
    TUT_TRY(tut_flat_number(p->f, &constant, 0, 4, 0, &p->constant_segment, err));
    TUT_TRY(tut_flat_vector_of(p->f, &constant, 1, 8, &p->offsets, err));
    if (p->offsets.count > 0 && p->constant_segment >= p->segments.count)
        return wrong_index(p, constant.at, "constants refer to a segment that is not there", err);
    return TUT_SUCCESS;
}

/* --- tensors --- */

typedef struct program_tensor {
    char name[TUT_FLAT_TEXT];
    uint64_t dims[DIMS], type, buffer, elements;
    uint32_t dim_count;
    bool is_bad, is_mutable, is_external;
} program_tensor;

static tut_status read_sizes(torch_program *p, const tut_flat_table *table, program_tensor *t,
                             tut_error *err)
{
    tut_flat_vector sizes;
    TUT_TRY(tut_flat_vector_of(p->f, table, 2, 4, &sizes, err));
    t->dim_count = sizes.count;
    t->elements = 1;
    t->is_bad = sizes.count > DIMS;
    for (uint32_t i = 0; i < sizes.count && i < DIMS; i++) {
        TUT_TRY(tut_flat_item(p->f, &sizes, i, 4, &t->dims[i], err));
        t->is_bad |= t->dims[i] > INT32_MAX ||
                     __builtin_mul_overflow(t->elements, t->dims[i], &t->elements);
    }
    uint64_t bits = 0;
    t->is_bad |= __builtin_mul_overflow(t->elements, (uint64_t)128, &bits);
    if (t->is_bad)
        tut_exam_observe(p->x, "executorch.bad-shape", table->at,
                         "a tensor has a negative size, too many, or more than any memory");
    return TUT_SUCCESS;
}

static void report_tensor(torch_program *p, const program_tensor *t, uint64_t begin, uint64_t end)
{
    if (!p->x->ops->tensor)
        return;
    TUT_CLEAN(tut_buf) shape;
    tut_buf_init(&shape, 1024);
    tut_buf_add_z(&shape, "[");
    for (uint32_t i = 0; i < t->dim_count; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "", t->dims[i]);
    tut_buf_add_z(&shape, "]");
    char name[TUT_FLAT_TEXT + 32];
    (void)snprintf(name, sizeof(name), "%s%s%" PRIu64, t->name, t->name[0] ? "" : "constant ",
                   t->buffer);
    tut_tensor row = {.name = tut_str_of(t->name[0] ? t->name : name),
                      .dtype = dtypes[t->type].name,
                      .shape = tut_buf_str(&shape),
                      .begin = begin,
                      .end = end};
    p->x->ops->tensor(p->x->ctx, &row);
}

/* Where constant number i begins, and how much there is from there. */
static tut_status find_constant(torch_program *p, uint64_t i, bool *ret_has, uint64_t *ret_begin,
                                uint64_t *ret_room, tut_error *err)
{
    tut_flat_table row;
    tut_flat_vector data;
    uint64_t offset = 0;
    if (p->offsets.count == 0) {
        TUT_TRY(tut_flat_row(p->f, &p->buffers, (uint32_t)i, &row, err));
        TUT_TRY(tut_flat_vector_of(p->f, &row, 0, 1, &data, err));
        *ret_begin = data.at;
        *ret_room = data.count;
        *ret_has = true;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_flat_item(p->f, &p->offsets, (uint32_t)i, 8, &offset, err));
    TUT_TRY(
        find_segment(p, (uint32_t)p->constant_segment, false, ret_has, ret_begin, ret_room, err));
    if (!*ret_has)
        return TUT_SUCCESS;
    *ret_begin += offset < *ret_room ? offset : *ret_room;
    *ret_room = offset < *ret_room ? *ret_room - offset : 0;
    return TUT_SUCCESS;
}

static tut_status check_constant(torch_program *p, const tut_flat_table *table,
                                 const program_tensor *t, tut_error *err)
{
    uint32_t count = p->offsets.count ? p->offsets.count : p->buffers.count;
    uint64_t begin = 0, room = 0;
    bool has = false;
    if (t->buffer >= count)
        return wrong_index(p, table->at, "a tensor refers to a constant that is not there", err);
    TUT_TRY(find_constant(p, t->buffer, &has, &begin, &room, err));
    if (!has || t->is_bad || t->type >= DTYPES)
        return TUT_SUCCESS;
    uint64_t bytes = t->elements * dtypes[t->type].bits / 8;
    if (bytes > room) {
        tut_exam_observe(p->x, "executorch.range", table->at,
                         "a constant of %" PRIu64 " bytes has %" PRIu64 " of them", bytes, room);
        return TUT_SUCCESS;
    }
    p->parameters += t->elements;
    report_tensor(p, t, begin, begin + bytes);
    return TUT_SUCCESS;
}

static tut_status read_tensor(torch_program *p, const tut_flat_table *table, tut_error *err)
{
    program_tensor t = {.type = 0};
    tut_flat_table extra, allocation;
    uint64_t location = 0;
    bool has_extra = false;
    p->tensors++;
    TUT_TRY(tut_flat_number(p->f, table, 0, 1, 0, &t.type, err));
    TUT_TRY(read_sizes(p, table, &t, err));
    TUT_TRY(tut_flat_number(p->f, table, 5, 4, 0, &t.buffer, err));
    TUT_TRY(tut_flat_child(p->f, table, 6, &t.is_mutable, &allocation, err));
    TUT_TRY(tut_flat_child(p->f, table, 9, &has_extra, &extra, err));
    if (has_extra) {
        TUT_TRY(tut_flat_text(p->f, &extra, 1, t.name, err));
        TUT_TRY(tut_flat_number(p->f, &extra, 2, 1, 0, &location, err));
    }
    if (location == 1) {
        tut_exam_factf(p->x, "executorch.external", "%s", t.name);
        return TUT_SUCCESS;
    }
    return t.buffer == 0 || t.is_mutable ? TUT_SUCCESS : check_constant(p, table, &t, err);
}

/* --- plans --- */

static bool is_known(const char *const *names, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return true;
    return false;
}

static void judge_operator(torch_program *p, uint64_t at, const char *name)
{
    /* Kernels that are part of ExecuTorch. */
    static const char *const spaces[] = {"aten",
                                         "prim",
                                         "executorch_prim",
                                         "quantized_decomposed",
                                         "llama",
                                         "et_copy",
                                         "dim_order_ops",
                                         "_portable",
                                         "cadence",
                                         "torchao",
                                         "cortex_m",
                                         "quantized",
                                         "_caffe2",
                                         "higher_order",
                                         "bitwise_ops",
                                         "et_vk",
                                         "tosa",
                                         "auto_functionalized"};
    const char *colon = strstr(name, "::");
    size_t len = colon ? (size_t)(colon - name) : 0;
    p->operators++;
    if (is_known(spaces, sizeof(spaces) / sizeof(spaces[0]), name, len))
        return;
    tut_exam_observe(p->x,
                     tut_tf_op_sounds_bad(name) ? "executorch.code-operator"
                                                : "executorch.custom-operator",
                     at, "operator %s is none of ExecuTorch's own", name);
}

static void judge_backend(torch_program *p, uint64_t at, const char *id)
{
    static const char *const ids[] = {
        "XnnpackBackend",  "CoreMLBackend", "MPSBackend",     "QnnBackend",     "VulkanBackend",
        "EthosUBackend",   "ArmBackend",    "TOSABackend",    "VgfBackend",     "NeuropilotBackend",
        "OpenvinoBackend", "CudaBackend",   "MetalBackend",   "AotiBackend",    "EnnBackend",
        "NeutronBackend",  "MLXBackend",    "SamsungBackend", "CadenceBackend", "NxpBackend"};
    tut_buf_printf(&p->backends, "%s%s", p->backends.len ? ", " : "", id);
    if (!is_known(ids, sizeof(ids) / sizeof(ids[0]), id, strlen(id)))
        tut_exam_observe(p->x, "executorch.backend", at, "a part of it runs in the backend %s", id);
}

static tut_status read_delegates(torch_program *p, const tut_flat_vector *list, tut_error *err)
{
    for (uint32_t i = 0; i < list->count; i++) {
        tut_flat_table row, data, inner;
        tut_flat_vector bytes;
        char id[TUT_FLAT_TEXT];
        bool has = false;
        uint64_t location = 0, index = 0;
        TUT_TRY(tut_flat_row(p->f, list, i, &row, err));
        TUT_TRY(tut_flat_text(p->f, &row, 0, id, err));
        judge_backend(p, row.at, id);
        TUT_TRY(tut_flat_child(p->f, &row, 1, &has, &data, err));
        if (!has)
            continue;
        TUT_TRY(tut_flat_number(p->f, &data, 0, 1, 0, &location, err));
        TUT_TRY(tut_flat_number(p->f, &data, 1, 4, 0, &index, err));
        if (index >= (location == 0 ? p->inline_data.count : p->segments.count))
            return wrong_index(p, data.at, "a delegate refers to data that is not there", err);
        if (location != 0)
            continue; /* segments are looked at anyway */
        TUT_TRY(tut_flat_row(p->f, &p->inline_data, (uint32_t)index, &inner, err));
        TUT_TRY(tut_flat_vector_of(p->f, &inner, 0, 1, &bytes, err));
        TUT_TRY(tut_payload_examine(p->x, bytes.at, bytes.at + bytes.count,
                                    "in the data of a delegate", err));
    }
    return TUT_SUCCESS;
}

static tut_status check_chain(torch_program *p, const tut_flat_table *chain, uint32_t operators,
                              uint32_t delegates, tut_error *err)
{
    tut_flat_vector list;
    TUT_TRY(tut_flat_vector_of(p->f, chain, 2, 4, &list, err));
    for (uint32_t i = 0; i < list.count; i++) {
        tut_flat_table row, call;
        uint64_t kind = 0, index = 0;
        bool has = false;
        TUT_TRY(tut_flat_row(p->f, &list, i, &row, err));
        TUT_TRY(tut_flat_number(p->f, &row, 0, 1, 0, &kind, err));
        TUT_TRY(tut_flat_child(p->f, &row, 1, &has, &call, err));
        if (!has || (kind != KERNEL_CALL && kind != DELEGATE_CALL))
            continue;
        TUT_TRY(tut_flat_number(p->f, &call, 0, 4, 0, &index, err));
        if (index >= (kind == KERNEL_CALL ? operators : delegates))
            return wrong_index(p, row.at, "an instruction calls what is not there", err);
    }
    return TUT_SUCCESS;
}

static tut_status read_plan(torch_program *p, const tut_flat_table *plan, tut_error *err)
{
    tut_flat_vector values, chains, operators, delegates;
    tut_flat_table row, tensor;
    char text[TUT_FLAT_TEXT];
    bool has = false;
    TUT_TRY(tut_flat_text(p->f, plan, 0, text, err));
    tut_buf_printf(&p->methods, "%s%s", p->methods.len ? ", " : "", text);
    TUT_TRY(tut_flat_vector_of(p->f, plan, 2, 4, &values, err));
    for (uint32_t i = 0; i < values.count; i++) {
        uint64_t kind = 0;
        TUT_TRY(tut_flat_row(p->f, &values, i, &row, err));
        TUT_TRY(tut_flat_number(p->f, &row, 0, 1, 0, &kind, err));
        TUT_TRY(tut_flat_child(p->f, &row, 1, &has, &tensor, err));
        if (kind == TENSOR && has)
            TUT_TRY(read_tensor(p, &tensor, err));
    }
    TUT_TRY(tut_flat_vector_of(p->f, plan, 6, 4, &operators, err));
    for (uint32_t i = 0; i < operators.count; i++) {
        TUT_TRY(tut_flat_row(p->f, &operators, i, &row, err));
        TUT_TRY(tut_flat_text(p->f, &row, 0, text, err));
        judge_operator(p, row.at, text);
    }
    TUT_TRY(tut_flat_vector_of(p->f, plan, 7, 4, &delegates, err));
    TUT_TRY(read_delegates(p, &delegates, err));
    TUT_TRY(tut_flat_vector_of(p->f, plan, 5, 4, &chains, err));
    for (uint32_t i = 0; i < chains.count; i++) {
        TUT_TRY(tut_flat_row(p->f, &chains, i, &row, err));
        TUT_TRY(check_chain(p, &row, operators.count, delegates.count, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_program(torch_program *p, tut_error *err)
{
    tut_flat_table program, row;
    tut_flat_vector plans;
    TUT_TRY(tut_flat_root(p->f, &program, err));
    TUT_TRY(read_segments(p, &program, err));
    TUT_TRY(tut_flat_vector_of(p->f, &program, 1, 4, &plans, err));
    for (uint32_t i = 0; i < plans.count; i++) {
        TUT_TRY(tut_flat_row(p->f, &plans, i, &row, err));
        TUT_TRY(read_plan(p, &row, err));
    }
    return TUT_SUCCESS;
}

static void report(torch_program *p)
{
    if (p->methods.len)
        tut_exam_fact(p->x, "executorch.methods", tut_buf_str(&p->methods));
    if (p->backends.len)
        tut_exam_fact(p->x, "executorch.backends", tut_buf_str(&p->backends));
    tut_exam_factf(p->x, "executorch.operators", "%" PRIu64, p->operators);
    tut_exam_factf(p->x, "parameters", "%" PRIu64, p->parameters);
}

/* Only zeros may follow, less than a page of them. Without a header there is no telling where the
 * program ends, except by what it refers to. */
static tut_status look_behind(torch_program *p, tut_error *err)
{
    uint8_t some[4096];
    size_t got = 0, zeros = 0;
    uint64_t file = p->x->source->size;
    bool has_header = p->reach > 0;
    if (p->f->reach > p->reach)
        p->reach = p->f->reach;
    if (p->reach >= file)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_read_some(p->x->source, p->reach, some, sizeof(some), &got, err));
    while (zeros < got && some[zeros] == 0)
        zeros++;
    if (has_header && (zeros < got || file - p->reach > sizeof(some)))
        tut_exam_observe(p->x, "executorch.trailing-data", p->reach,
                         "%" PRIu64 " bytes follow the last segment", file - p->reach);
    return tut_payload_examine(p->x, p->reach + zeros, file, "behind the program", err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    torch_program p = {.x = x};
    TUT_AUTO(tut_flat) f = NULL;
    uint64_t size = 0;
    TUT_TRY(read_header(&p, &size, err));
    TUT_TRY(tut_flat_new(x, x->source, size, "executorch.offset", &f, err));
    p.f = f;
    tut_buf_init(&p.backends, 2048);
    tut_buf_init(&p.methods, 2048);
    tut_status status = read_program(&p, err);
    report(&p);
    if (tut_is_ok(status))
        status = look_behind(&p, err);
    if (tut_is_ok(status))
        status = tut_payload_zip_tail(x, "executorch.polyglot", err);
    tut_buf_done(&p.backends);
    tut_buf_done(&p.methods);
    return status;
}

extern const tut_format tut_format_executorch;

const tut_format tut_format_executorch = {
    .name = "executorch",
    .label = "ExecuTorch program",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".pte .ptd",
    .reads = "operators, backends, instructions, segments, constants",
    .rules = "executorch data",
};
