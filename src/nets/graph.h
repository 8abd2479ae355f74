/*
 * What stands in an ONNX file, with its names made numbers: what the worker of the cage answers
 * (onnx_read.c), and what a net is built from (build.c). Decoded from the wire only what may be
 * relied on is let in: numbers of values that are below value_count, known operators and
 * attributes, and sizes that fit together. That values are made before they are used, and that
 * shapes fit, is for the building.
 *
 *   wire   = magic opset value_count input output rows_fixed shape names consts nodes
 *   const  = value type dims range|inline        node = op inputs outputs attributes
 */
#ifndef TUT_NETS_GRAPH_H
#define TUT_NETS_GRAPH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/reader.h"

typedef enum tut_net_op {
#define NET_OP(symbol, name, least, most, build) TUT_NET_OP_##symbol,
#include "nets/ops.def"
#undef NET_OP
    TUT_NET_OPS
} tut_net_op;

typedef enum tut_net_attr {
#define NET_ATTR(symbol, name, kind) TUT_NET_ATTR_##symbol,
#include "nets/attrs.def"
#undef NET_ATTR
    TUT_NET_ATTRS
} tut_net_attr;

typedef enum tut_net_attr_kind { TUT_ATTR_INTS, TUT_ATTR_FLOAT, TUT_ATTR_TEXT } tut_net_attr_kind;

/* ONNX's numbers for the types of tensors that are read. */
enum { TUT_ONNX_F32 = 1, TUT_ONNX_I32 = 6, TUT_ONNX_I64 = 7, TUT_ONNX_F64 = 11 };

enum {
    TUT_GRAPH_OPSET_LEAST = 7,
    TUT_GRAPH_OPSET_MOST = 21,
    TUT_GRAPH_AXES = 8,
    TUT_GRAPH_VALUES_MOST = 1 << 16,
    TUT_GRAPH_NODES_MOST = 10000,
    TUT_GRAPH_INPUTS_MOST = 256, /* of one node: a concatenation of a dense block has some tens */
    TUT_GRAPH_INLINE_MOST = 4096 /* bytes of a constant that stands in the wire */
};

typedef struct tut_graph_attr {
    uint8_t attr;
    uint8_t count; /* ints */
    int64_t ints[TUT_GRAPH_AXES];
    float number;
    uint8_t text; /* tut_net_text */
} tut_graph_attr;

typedef enum tut_net_text { /* what attributes may say */
                            TUT_TEXT_OTHER,
                            TUT_TEXT_NOTSET,
                            TUT_TEXT_SAME_UPPER,
                            TUT_TEXT_SAME_LOWER,
                            TUT_TEXT_VALID
} tut_net_text;

typedef struct tut_graph_const {
    uint32_t value;
    uint8_t type, axes;
    uint64_t dims[TUT_GRAPH_AXES];
    uint64_t count;     /* of numbers: the product of dims */
    uint64_t at, bytes; /* where it lies in the file; bytes 0 and inlined.data: it stands here */
    tut_span inlined;   /* little-endian, borrowed */
} tut_graph_const;

typedef struct tut_graph_node {
    uint8_t op;
    uint32_t input_count, output_count, attr_count;
    const uint32_t *inputs, *outputs; /* 0: left out */
    const tut_graph_attr *attrs;
} tut_graph_node;

typedef struct tut_graph {
    uint32_t opset, value_count; /* values are 1 to value_count - 1 */
    uint32_t input, output;
    uint64_t rows_fixed; /* the file's own number of rows; 0: any */
    size_t axes, shape[TUT_GRAPH_AXES];
    char input_name[64], output_name[64];
    size_t const_count, node_count;
    const tut_graph_const *consts;
    const tut_graph_node *nodes;
} tut_graph;

size_t tut_graph_type_bytes(uint8_t type); /* 0: none that is read */
void tut_graph_encode(const tut_graph *g, tut_buf *out);
/* What it points to lives in the arena, and in `wire`. size: of the file. */
TUT_MUST tut_status tut_graph_decode(tut_span wire, uint64_t size, tut_arena *arena,
                                     tut_graph *ret_graph, tut_error *err);

const char *tut_net_op_name(uint8_t op);
bool tut_net_op_takes(uint8_t op, size_t inputs);
/* NULL: the node has none. */
const tut_graph_attr *tut_graph_attr_of(const tut_graph_node *n, tut_net_attr attr);
int64_t tut_graph_int(const tut_graph_node *n, tut_net_attr attr, int64_t otherwise);
float tut_graph_float(const tut_graph_node *n, tut_net_attr attr, float otherwise);

#endif
