/* What a net consists of (net.h): build*.c makes it from a graph, pass.c and step_*.c run it. */
#ifndef TUT_NETS_NET_INTERNAL_H
#define TUT_NETS_NET_INTERNAL_H

#include "base/arena.h"
#include "base/source.h"
#include "nets/graph.h"
#include "nets/net.h"

enum {
    TUT_NET_NONE = -1,
    TUT_NET_STEPS_MOST = TUT_GRAPH_NODES_MOST,
    TUT_NET_WIDTH_MOST = 1 << 26,      /* numbers of one row, of all tensors together */
    TUT_NET_PARAMETERS_MOST = 1 << 27, /* 512 MiB in single precision */
    TUT_NET_PASS_MOST = 1 << 29        /* numbers that one pass holds: 2 GiB */
};

/* A window that goes over planes: of a convolution or a pool. One axis is a plane of one line. */
typedef struct tut_window {
    size_t channels, groups, out_channels; /* pools: all three the same */
    size_t in_h, in_w, out_h, out_w;
    size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    size_t pad_top, pad_left;
    bool counts_pads; /* average of pools */
} tut_window;

typedef struct tut_step tut_step;

typedef struct tut_step_kind {
    void (*run)(const tut_step *s, tut_pass *p);
    void (*back)(const tut_step *s, tut_pass *p); /* adds to the gradient of what it read */
} tut_step_kind;

struct tut_step {
    const tut_step_kind *kind;
    uint8_t op;             /* where one kind does several */
    int32_t in, in2, out;   /* tensors; TUT_NET_NONE */
    const float *w, *w2;    /* constants: weights and bias, scale and shift, an operand */
    const uint32_t *map;    /* where each number of the output comes from */
    size_t outer, n, inner; /* each kind says what they are */
    size_t at, stride;
    float alpha, beta;
    bool turned;
    size_t picks; /* max pool: where its choices begin, in numbers of one row */
    tut_window window;
};

struct tut_net {
    tut_net_facts facts;
    size_t tensor_count; /* 0 is the input */
    size_t *widths;
    tut_step *steps;
    int32_t scores, output; /* tensors */
    size_t row_numbers;     /* all widths together */
    size_t columns;         /* numbers of the greatest unfolded window */
    size_t picks;
    tut_arena arena;
};

struct tut_pass {
    const tut_net *net;
    size_t rows, count; /* room; of the last run */
    float **values, **gradients;
    float *numbers, *columns;
    uint32_t *picks; /* rows x net->picks */
};

extern const tut_step_kind tut_step_linear, tut_step_conv, tut_step_max_pool, tut_step_average_pool,
    tut_step_binary, tut_step_unary, tut_step_softmax, tut_step_affine, tut_step_gather,
    tut_step_place;

/* --- building --- */

typedef struct tut_shape {
    size_t axes, dims[TUT_GRAPH_AXES];
} tut_shape;

typedef enum tut_known {
    TUT_KNOWN_NOT,
    TUT_KNOWN_NUMBERS,
    TUT_KNOWN_INTS,
    TUT_KNOWN_TENSOR
} tut_known;

typedef struct tut_build_value {
    tut_known known;
    tut_shape shape; /* of a tensor: of one row */
    const float *numbers;
    const int64_t *ints;
    size_t count; /* of numbers or ints */
    int32_t tensor;
} tut_build_value;

typedef struct tut_build {
    tut_net *net;
    const tut_graph *graph;
    const tut_source *file;
    tut_build_value *values;
    size_t step_room, tensor_room;
} tut_build;

/* file: where constants lie that are not in the graph; NULL: all are. */
TUT_MUST tut_status tut_net_build(const tut_graph *g, const tut_source *file, tut_net **ret_net,
                                  tut_error *err);

typedef tut_status tut_builder(tut_build *b, const tut_graph_node *n, tut_error *err);
tut_builder tut_build_binary, tut_build_pool, tut_build_batch_normalization, tut_build_cast,
    tut_build_unary, tut_build_concat, tut_build_conv, tut_build_same, tut_build_flatten,
    tut_build_gemm, tut_build_softmax, tut_build_matmul, tut_build_reshape, tut_build_squeeze,
    tut_build_transpose, tut_build_unsqueeze;

/* The i-th input; NULL: left out. */
const tut_build_value *tut_build_input(const tut_build *b, const tut_graph_node *n, size_t i);
/* The first input, which must be a tensor of rows. */
TUT_MUST tut_status tut_build_rows(const tut_build *b, const tut_graph_node *n,
                                   const tut_build_value **ret, tut_error *err);
/* The product; LIMIT where it is more than a row may have. */
TUT_MUST tut_status tut_shape_width(const tut_shape *s, size_t *ret_width, tut_error *err);
bool tut_shape_is(const tut_shape *a, const tut_shape *b);
/* A step that makes the node's first output, of this shape. */
TUT_MUST tut_status tut_build_step(tut_build *b, const tut_graph_node *n, const tut_step_kind *kind,
                                   const tut_shape *shape, tut_step **ret_step, tut_error *err);
/* A step within a node: its output is a tensor without a name. */
TUT_MUST tut_status tut_build_inner(tut_build *b, const tut_step_kind *kind, size_t width,
                                    tut_step **ret_step, tut_error *err);
/* The output is what `from` is, in another shape. */
TUT_MUST tut_status tut_build_alias(tut_build *b, const tut_graph_node *n,
                                    const tut_build_value *from, const tut_shape *shape,
                                    tut_error *err);
/* Room that lives as long as the net. */
TUT_MUST tut_status tut_build_room(tut_build *b, size_t count, size_t size, void *ret,
                                   tut_error *err);
/* An axis that may count from the end, of a value with `axes` axes; the axis of rows included. */
TUT_MUST tut_status tut_build_axis(const tut_graph_node *n, int64_t axis, size_t axes, size_t *ret,
                                   tut_error *err);
TUT_MUST tut_status tut_build_refuse(const tut_graph_node *n, const char *why, tut_error *err);
/* Where in `from` (of one row, broadcast as ONNX does) each number of `to` comes from. */
TUT_MUST tut_status tut_build_spread(tut_build *b, const tut_shape *from, const tut_shape *to,
                                     const uint32_t **ret_map, tut_error *err);

static inline float *tut_pass_row(float *const *of, const tut_pass *p, int32_t tensor, size_t row)
{
    return of[tensor] + row * p->net->widths[tensor];
}

#endif
