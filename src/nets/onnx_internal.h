/* What the files of the reader of ONNX share: onnx_schema.c (which field means what), onnx_read.c
 * (the walk over the file) and onnx_names.c (from names to numbers). */
#ifndef TUT_NETS_ONNX_INTERNAL_H
#define TUT_NETS_ONNX_INTERNAL_H

#include "base/arena.h"
#include "base/cage.h"
#include "formats/proto.h"
#include "nets/graph.h"

typedef enum net_message {
    NET_NONE,
    NET_MODEL,
    NET_OPSET,
    NET_GRAPH,
    NET_NODE,
    NET_ATTRIBUTE,
    NET_TENSOR,
    NET_INPUT, /* ValueInfoProto, of the graph */
    NET_OUTPUT,
    NET_TYPE,
    NET_TENSOR_TYPE,
    NET_SHAPE,
    NET_DIM
} net_message;

enum { /* what is done with a field */
       NET_TEXT = TUT_PROTO_OWN,
       NET_NUMBER,
       NET_FLOAT,
       NET_BYTES, /* a row of numbers, or one of them: where they lie is noted */
       NET_INTS,
       NET_UNSUPPORTED
};

extern const tut_proto_schema tut_net_onnx_schema;

enum { NET_NAME_MOST = 1024, NET_INTS_MOST = TUT_GRAPH_INLINE_MOST / 8 };

typedef struct net_list { /* of names */
    tut_str *items;
    size_t count, capacity;
} net_list;

typedef struct net_tensor {
    tut_str name;
    uint64_t dims[TUT_GRAPH_AXES];
    size_t axes;
    uint64_t type, location;
    bool has_pieces; /* its values stand in more than one field */
    uint64_t at, bytes, raw;
    int64_t *ints; /* NULL: has none; NET_INTS_MOST at most */
    size_t int_count;
} net_tensor;

typedef struct net_node {
    tut_str op, domain, name;
    net_list inputs, outputs;
    tut_graph_attr attrs[TUT_NET_ATTRS];
    size_t attr_count;
    tut_str unknown;   /* name of an attribute that is not understood */
    net_tensor *value; /* of a Constant; NULL: none */
} net_node;

typedef struct net_value {
    tut_str name;
    uint64_t type;
    size_t axes;
    int64_t shape[TUT_GRAPH_AXES]; /* -1: any */
    bool has_shape;
} net_value;

/* Attribute at hand. */
typedef struct net_attribute {
    tut_str name, text;
    bool has_number, has_int;
    float number;
    uint64_t number_at;
    int64_t ints[TUT_GRAPH_AXES];
    size_t count;
    net_tensor *value;
} net_attribute;

typedef struct net_reading {
    tut_exam x;
    tut_proto p;
    tut_arena arena;
    int64_t opset;
    net_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    net_node *nodes;
    size_t node_count, node_capacity;
    net_value *inputs, *outputs;
    size_t input_count, input_capacity, output_count, output_capacity;
    /* what is being read: none of these lies within another of its kind */
    net_node node;
    net_attribute attribute;
    net_tensor tensor;
    net_value value;
    tut_str domain; /* of the opset at hand */
    int64_t version;
} net_reading;

void tut_net_reading_done(net_reading *o);
/* From names to numbers, onto the wire. */
TUT_MUST tut_status tut_net_onnx_resolve(net_reading *o, tut_buf *out, tut_error *err);
/* The attribute at hand becomes one of the node at hand. */
TUT_MUST tut_status tut_net_onnx_take_attribute(net_reading *o, tut_error *err);

/* The job of the cage: an ONNX file to the wire of graph.h. */
TUT_MUST tut_status tut_net_onnx_job(tut_cage_task *task, const tut_source *bytes,
                                     tut_span argument, tut_buf *out, tut_error *err);

#endif
