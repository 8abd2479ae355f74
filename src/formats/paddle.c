/*
 * PaddlePaddle: programs (ProgramDesc, one protobuf message: see proto.h; framework.proto of
 * Paddle) and their parameters, one tensor behind the other.
 *
 *   ProgramDesc = block* version     Block = number parent variable* operator*
 *   parameters  = { 0:u32 levels:u64 level* 0:u32 length:u32 TensorDesc bytes }*
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/reader.h"
#include "formats/payload.h"
#include "formats/proto.h"
#include "formats/tf_ops.h"

enum message {
    PROGRAM,
    BLOCK,
    VARIABLE,
    OPERATOR,
    ATTRIBUTE,
    DESCRIPTION, /* TensorDesc */
    NONE
};

enum { TUT_PADDLE_TEXT = TUT_PROTO_OWN, TUT_PADDLE_DIM, DIMS = 32, LONGEST_DESC = 1024 };

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {in, number, TUT_WIRE_##wire, repeats, TUT_##use, into},

static const tut_proto_field fields[] = {
    ROW(PROGRAM, 1, LEN, true, PROTO_ENTER, BLOCK)         /* blocks */
    ROW(PROGRAM, 2, LEN, true, PROTO_SKIP, NONE)           /* reserved */
    ROW(PROGRAM, 3, LEN, false, PROTO_SKIP, NONE)          /* op_compatible_map */
    ROW(PROGRAM, 4, LEN, false, PROTO_SKIP, NONE)          /* version */
    ROW(PROGRAM, 5, LEN, false, PROTO_SKIP, NONE)          /* op_version_map */
    ROW(BLOCK, 1, VARINT, false, PROTO_NUMBER, NONE)       /* idx */
    ROW(BLOCK, 2, VARINT, false, PROTO_SKIP, NONE)         /* parent_idx */
    ROW(BLOCK, 3, LEN, true, PROTO_ENTER, VARIABLE)        /* vars */
    ROW(BLOCK, 4, LEN, true, PROTO_ENTER, OPERATOR)        /* ops */
    ROW(BLOCK, 5, VARINT, false, PROTO_SKIP, NONE)         /* forward_block_idx */
    ROW(VARIABLE, 1, LEN, false, PROTO_TEXT_A, NONE)       /* name */
    ROW(VARIABLE, 2, LEN, false, PROTO_SKIP, NONE)         /* type */
    ROW(VARIABLE, 3, VARINT, false, PROTO_SKIP, NONE)      /* persistable */
    ROW(VARIABLE, 4, VARINT, false, PROTO_SKIP, NONE)      /* need_check_feed */
    ROW(VARIABLE, 5, VARINT, false, PROTO_SKIP, NONE)      /* is_parameter */
    ROW(VARIABLE, 6, VARINT, false, PROTO_SKIP, NONE)      /* stop_gradient */
    ROW(VARIABLE, 7, LEN, true, PROTO_SKIP, NONE)          /* attrs */
    ROW(OPERATOR, 1, LEN, true, PROTO_SKIP, NONE)          /* inputs */
    ROW(OPERATOR, 2, LEN, true, PROTO_SKIP, NONE)          /* outputs */
    ROW(OPERATOR, 3, LEN, false, PROTO_TEXT_A, NONE)       /* type */
    ROW(OPERATOR, 4, LEN, true, PROTO_ENTER, ATTRIBUTE)    /* attrs */
    ROW(OPERATOR, 5, VARINT, false, PROTO_SKIP, NONE)      /* is_target */
    ROW(OPERATOR, 6, LEN, false, PROTO_SKIP, NONE)         /* dist_attr */
    ROW(ATTRIBUTE, 1, LEN, false, PROTO_TEXT_A, NONE)      /* name */
    ROW(ATTRIBUTE, 2, VARINT, false, PROTO_SKIP, NONE)     /* type */
    ROW(ATTRIBUTE, 3, VARINT, false, PROTO_SKIP, NONE)     /* i */
    ROW(ATTRIBUTE, 4, 32, false, PROTO_SKIP, NONE)         /* f */
    ROW(ATTRIBUTE, 5, LEN, false, PADDLE_TEXT, NONE)       /* s */
    ROW(ATTRIBUTE, 6, VARINT, true, PROTO_SKIP, NONE)      /* ints */
    ROW(ATTRIBUTE, 7, 32, true, PROTO_SKIP, NONE)          /* floats */
    ROW(ATTRIBUTE, 8, LEN, true, PROTO_SKIP, NONE)         /* strings */
    ROW(ATTRIBUTE, 10, VARINT, false, PROTO_SKIP, NONE)    /* b */
    ROW(ATTRIBUTE, 11, VARINT, true, PROTO_SKIP, NONE)     /* bools */
    ROW(ATTRIBUTE, 12, VARINT, false, PROTO_SKIP, NONE)    /* block_idx */
    ROW(ATTRIBUTE, 13, VARINT, false, PROTO_SKIP, NONE)    /* l */
    ROW(ATTRIBUTE, 14, VARINT, true, PROTO_SKIP, NONE)     /* blocks_idx */
    ROW(ATTRIBUTE, 15, VARINT, true, PROTO_SKIP, NONE)     /* longs */
    ROW(ATTRIBUTE, 16, 64, true, PROTO_SKIP, NONE)         /* float64s */
    ROW(ATTRIBUTE, 17, LEN, false, PROTO_SKIP, NONE)       /* var_name */
    ROW(ATTRIBUTE, 18, LEN, true, PROTO_SKIP, NONE)        /* vars_name */
    ROW(ATTRIBUTE, 19, 64, false, PROTO_SKIP, NONE)        /* float64 */
    ROW(ATTRIBUTE, 20, LEN, false, PROTO_SKIP, NONE)       /* scalar */
    ROW(ATTRIBUTE, 21, LEN, true, PROTO_SKIP, NONE)        /* scalars */
    ROW(DESCRIPTION, 1, VARINT, false, PROTO_NUMBER, NONE) /* data_type */
    ROW(DESCRIPTION, 2, VARINT, true, PADDLE_DIM, NONE)    /* dims */
};
#undef ROW

static const char *const names[] = {"program",  "block",     "variable",
                                    "operator", "attribute", "tensor description"};

static const tut_proto_schema schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "PaddlePaddle",
    .malformed = "paddle.malformed",
    .nesting = "paddle.nesting",
    .padded = "paddle.padded-number",
    .wrong_wire = "paddle.wrong-wire-type",
    .duplicate = "paddle.duplicate-field",
    .unknown = "paddle.unknown-field",
};

typedef struct paddle {
    tut_exam *x;
    tut_proto p;
    char path[256]; /* file_path of the operator at hand */
    char text[256];
    uint64_t blocks, operators, variables;
    uint64_t dims[DIMS];
    size_t dim_count;
    uint64_t tensors, parameters;
} paddle;

static bool is_one_of(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* paddle/fluid/operators: py_func_op.cc, load_op.cc, save_op.cc, pscore, collective */
static void judge_operator(paddle *p, const tut_proto_frame *f)
{
    static const char *const python[] = {"py_func", "py_layer", "pylayer", "pyfunc", NULL};
    static const char *const files[] = {"load",
                                        "save",
                                        "load_combine",
                                        "save_combine",
                                        "read_file",
                                        "sparse_tensor_load",
                                        "create_custom_reader",
                                        "open_files",
                                        "create_recordio_file_reader",
                                        "decode_image_file",
                                        NULL};
    static const char *const network[] = {"send",
                                          "recv",
                                          "listen_and_serv",
                                          "fetch_barrier",
                                          "send_barrier",
                                          "prefetch",
                                          "checkpoint_notify",
                                          "gen_nccl_id",
                                          "c_gen_nccl_id",
                                          "send_and_recv",
                                          "heter_listen_and_serv",
                                          "rpc_call",
                                          "rpc_result",
                                          "distributed_lookup_table",
                                          "c_comm_init",
                                          "push_dense",
                                          "pull_sparse",
                                          NULL};
    bool is_eval = strcmp(f->a, "chunk_eval") == 0;
    p->operators++;
    if (is_one_of(python, f->a))
        tut_exam_observe(p->x, "paddle.python-op", f->at, "operator %s calls Python", f->a);
    else if (is_one_of(files, f->a))
        tut_exam_observe(p->x, "paddle.file-access", f->at, "operator %s%s%s", f->a,
                         p->path[0] ? " of " : "", p->path);
    else if (is_one_of(network, f->a))
        tut_exam_observe(p->x, "paddle.network", f->at, "operator %s", f->a);
    else if (tut_tf_op_sounds_bad(f->a) && !is_eval)
        tut_exam_observe(p->x, "paddle.code-operator", f->at, "operator %s", f->a);
}

static void begin_message(void *ctx, tut_proto_frame *f)
{
    paddle *p = ctx;
    if (f->kind == OPERATOR)
        p->path[0] = '\0';
    if (f->kind == ATTRIBUTE)
        p->text[0] = '\0';
    p->blocks += f->kind == BLOCK;
    p->variables += f->kind == VARIABLE;
}

static tut_status end_message(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    paddle *p = ctx;
    (void)err;
    if (f->kind == ATTRIBUTE && strcmp(f->a, "file_path") == 0)
        memcpy(p->path, p->text, sizeof(p->path));
    if (f->kind == OPERATOR)
        judge_operator(p, f);
    return TUT_SUCCESS;
}

static void add_dim(paddle *p, uint64_t value)
{
    if (p->dim_count < DIMS)
        p->dims[p->dim_count] = value;
    p->dim_count++;
}

static tut_status take_value(void *ctx, tut_proto_frame *f, const tut_proto_field *field,
                             uint64_t wire, uint64_t value, tut_error *err)
{
    paddle *p = ctx;
    (void)f;
    if (field->use == TUT_PADDLE_TEXT)
        return tut_proto_text(&p->p, value, p->text, sizeof(p->text), err);
    if (wire != TUT_WIRE_LEN) {
        add_dim(p, value);
        return TUT_SUCCESS;
    }
    uint64_t end = tut_stream_pos(p->x->stream) + value;
    while (tut_stream_pos(p->x->stream) < end) {
        uint64_t dim = 0;
        TUT_TRY(tut_proto_varint(&p->p, end, &dim, err));
        add_dim(p, dim);
    }
    return TUT_SUCCESS;
}

static const tut_proto_ops ops = {begin_message, take_value, end_message};

/* --- programs --- */

static tut_match sniff_program(const tut_sniff *s)
{
    bool is_own = tut_sniff_ext(s, ".pdmodel __model__");
    if (s->head.len < 6 || s->head.data[0] != 0x0a)
        return TUT_MATCH_NONE;
    size_t known = tut_proto_sniff(&schema, PROGRAM, s);
    if (is_own && known >= 3)
        return TUT_MATCH_SURE;
    return known >= 8 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_status examine_program(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE paddle *p = tut_alloc_array(1, sizeof(*p));
    tut_error own = {0};
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->x = x;
    tut_proto_init(&p->p, x, &schema, &ops, p);
    tut_error *why = err ? err : &own;
    tut_status status = tut_proto_walk(&p->p, PROGRAM, x->size, why);
    tut_exam_factf(x, "paddle.operators", "%" PRIu64, p->operators);
    tut_exam_factf(x, "paddle.variables", "%" PRIu64, p->variables);
    return tut_proto_look_behind(&p->p, status, "paddle.polyglot", why);
}

/* --- parameters --- */

typedef struct dtype_row {
    const char *name;
    uint8_t bytes;
} dtype_row;

/* VarType.Type */
static const dtype_row dtypes[] = {
    [0] = {"BOOL", 1},  [1] = {"I16", 2},  [2] = {"I32", 4},    [3] = {"I64", 8}, [4] = {"F16", 2},
    [5] = {"F32", 4},   [6] = {"F64", 8},  [19] = {"U64", 8},   [20] = {"U8", 1}, [21] = {"I8", 1},
    [22] = {"BF16", 2}, [23] = {"C64", 8}, [24] = {"C128", 16},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

static tut_match sniff_parameters(const tut_sniff *s)
{
    static const uint8_t zeros[16];
    const uint8_t *h = s->head.data;
    if (s->head.len < 24 || memcmp(h, zeros, sizeof(zeros)) != 0)
        return TUT_MATCH_NONE;
    size_t length = (size_t)h[16] | (size_t)h[17] << 8;
    bool is_described = length >= 2 && length < LONGEST_DESC && h[18] == 0 && h[19] == 0 &&
                        h[20] == 0x08 && h[21] < DTYPES && dtypes[h[21]].bytes > 0 &&
                        (length == 2 || h[22] == 0x10 || h[22] == 0x12);
    return is_described ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_status take_number(paddle *p, unsigned bytes, uint64_t *ret, tut_error *err)
{
    const uint8_t *raw = NULL;
    *ret = 0;
    if (!tut_is_ok(tut_stream_take(p->x->stream, bytes, &raw)))
        return tut_proto_cut(&p->p, err);
    for (unsigned i = bytes; i-- > 0;)
        *ret = *ret << 8 | raw[i];
    return TUT_SUCCESS;
}

/* The fixed part before a tensor's description; *ret_length: of the description. */
static tut_status read_front(paddle *p, uint64_t *ret_length, tut_error *err)
{
    uint64_t version = 0, levels = 0, size = 0, inner = 0;
    TUT_TRY(take_number(p, 4, &version, err));
    TUT_TRY(take_number(p, 8, &levels, err));
    if (version != 0 || levels > 16)
        return tut_proto_bad(&p->p, "what follows is no tensor", err);
    for (uint64_t i = 0; i < levels; i++) {
        TUT_TRY(take_number(p, 8, &size, err));
        TUT_TRY(tut_proto_skip(&p->p, size, err));
    }
    TUT_TRY(take_number(p, 4, &inner, err));
    TUT_TRY(take_number(p, 4, ret_length, err));
    if (inner != 0 || *ret_length > LONGEST_DESC)
        return tut_proto_bad(&p->p, "the description of a tensor is of no known version", err);
    return TUT_SUCCESS;
}

static void report_tensor(paddle *p, const dtype_row *dtype, const char *name, uint64_t begin,
                          uint64_t end)
{
    if (!p->x->ops->tensor)
        return;
    TUT_CLEAN(tut_buf) shape;
    tut_buf_init(&shape, 1024);
    tut_buf_add_z(&shape, "[");
    for (size_t i = 0; i < p->dim_count; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "", p->dims[i]);
    tut_buf_add_z(&shape, "]");
    tut_tensor row = {.name = tut_str_of(name),
                      .dtype = dtype->name,
                      .shape = tut_buf_str(&shape),
                      .begin = begin,
                      .end = end};
    p->x->ops->tensor(p->x->ctx, &row);
}

static tut_status read_values(paddle *p, uint64_t type, tut_error *err)
{
    uint64_t elements = 1, bytes = 0, begin = tut_stream_pos(p->x->stream);
    bool is_bad = p->dim_count > DIMS;
    char name[32];
    if (type >= DTYPES || dtypes[type].bytes == 0) {
        tut_exam_observe(p->x, "paddle.unknown-dtype", begin,
                         "tensor %" PRIu64 " is of type %" PRIu64, p->tensors, type);
        return tut_fail_at(err, TUT_MALFORMED, begin, "a tensor of an unknown type");
    }
    for (size_t i = 0; i < p->dim_count && i < DIMS; i++)
        is_bad |= p->dims[i] > INT64_MAX || __builtin_mul_overflow(elements, p->dims[i], &elements);
    is_bad |= __builtin_mul_overflow(elements, (uint64_t)dtypes[type].bytes, &bytes);
    if (is_bad) {
        tut_exam_observe(p->x, "paddle.bad-shape", begin,
                         "tensor %" PRIu64 " has a negative dimension, or more than any memory",
                         p->tensors);
        return tut_fail_at(err, TUT_MALFORMED, begin, "a tensor of an impossible shape");
    }
    if (p->x->size != UINT64_MAX && bytes > p->x->size - begin)
        tut_exam_observe(p->x, "paddle.tensor-size", begin,
                         "tensor %" PRIu64 " asks for %" PRIu64 " bytes, %" PRIu64 " are left",
                         p->tensors, bytes, p->x->size - begin);
    TUT_TRY(tut_proto_skip(&p->p, bytes, err));
    p->parameters += elements;
    (void)snprintf(name, sizeof(name), "tensor %" PRIu64, p->tensors++);
    report_tensor(p, &dtypes[type], name, begin, begin + bytes);
    return TUT_SUCCESS;
}

static tut_status read_parameters(paddle *p, tut_error *err)
{
    while (!tut_stream_at_end(p->x->stream)) {
        uint64_t length = 0, front = tut_stream_pos(p->x->stream);
        TUT_TRY(tut_budget_steps(p->x->budget, 1, err));
        tut_status status = read_front(p, &length, err);
        if (!tut_is_ok(status)) {
            if (p->x->source)
                TUT_TRY(tut_payload_examine(p->x, front, p->x->source->size,
                                            "behind the last tensor", NULL));
            return status;
        }
        uint64_t at = tut_stream_pos(p->x->stream);
        p->dim_count = 0;
        p->p.depth = 0;
        TUT_TRY(tut_proto_walk(&p->p, DESCRIPTION, at + length, err));
        TUT_TRY(read_values(p, (uint64_t)p->p.stack[0].number, err));
    }
    return TUT_SUCCESS;
}

static tut_status examine_parameters(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE paddle *p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->x = x;
    tut_proto_init(&p->p, x, &schema, &ops, p);
    tut_status status = read_parameters(p, err);
    tut_exam_factf(x, "paddle.tensors", "%" PRIu64, p->tensors);
    tut_exam_factf(x, "parameters", "%" PRIu64, p->parameters);
    return status;
}

extern const tut_format tut_format_paddle, tut_format_paddle_parameters;

const tut_format tut_format_paddle = {
    .name = "paddle",
    .label = "PaddlePaddle program",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_program,
    .examine = examine_program,
    .extensions = ".pdmodel __model__",
    .reads = "operators of every block",
    .rules = "paddle data",
};

const tut_format tut_format_paddle_parameters = {
    .name = "paddle-parameters",
    .label = "PaddlePaddle parameters",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff_parameters,
    .examine = examine_parameters,
    .extensions = ".pdiparams __params__ .pdparams .bin",
    .reads = "tensors and what they claim of their bytes",
    .rules = "paddle data",
};
