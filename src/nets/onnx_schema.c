/* The fields of onnx.proto that a net is made of; all others of these messages are passed over. */
#include "nets/onnx_internal.h"

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {NET_##in, number, TUT_WIRE_##wire, repeats, use, NET_##into},
static const tut_proto_field fields[] = {
    ROW(MODEL, 1, VARINT, false, TUT_PROTO_SKIP, NONE)      /* ir_version */
    ROW(MODEL, 2, LEN, false, TUT_PROTO_SKIP, NONE)         /* producer_name */
    ROW(MODEL, 3, LEN, false, TUT_PROTO_SKIP, NONE)         /* producer_version */
    ROW(MODEL, 4, LEN, false, TUT_PROTO_SKIP, NONE)         /* domain */
    ROW(MODEL, 5, VARINT, false, TUT_PROTO_SKIP, NONE)      /* model_version */
    ROW(MODEL, 6, LEN, false, TUT_PROTO_SKIP, NONE)         /* doc_string */
    ROW(MODEL, 7, LEN, false, TUT_PROTO_ENTER, GRAPH)       /* graph */
    ROW(MODEL, 8, LEN, true, TUT_PROTO_ENTER, OPSET)        /* opset_import */
    ROW(MODEL, 14, LEN, true, TUT_PROTO_SKIP, NONE)         /* metadata_props */
    ROW(MODEL, 20, LEN, true, TUT_PROTO_SKIP, NONE)         /* training_info */
    ROW(MODEL, 25, LEN, true, TUT_PROTO_SKIP, NONE)         /* functions */
    ROW(MODEL, 26, LEN, true, TUT_PROTO_SKIP, NONE)         /* configuration */
    ROW(OPSET, 1, LEN, false, NET_TEXT, NONE)               /* domain */
    ROW(OPSET, 2, VARINT, false, NET_NUMBER, NONE)          /* version */
    ROW(GRAPH, 1, LEN, true, TUT_PROTO_ENTER, NODE)         /* node */
    ROW(GRAPH, 2, LEN, false, TUT_PROTO_SKIP, NONE)         /* name */
    ROW(GRAPH, 5, LEN, true, TUT_PROTO_ENTER, TENSOR)       /* initializer */
    ROW(GRAPH, 10, LEN, false, TUT_PROTO_SKIP, NONE)        /* doc_string */
    ROW(GRAPH, 11, LEN, true, TUT_PROTO_ENTER, INPUT)       /* input */
    ROW(GRAPH, 12, LEN, true, TUT_PROTO_ENTER, OUTPUT)      /* output */
    ROW(GRAPH, 13, LEN, true, TUT_PROTO_SKIP, NONE)         /* value_info */
    ROW(GRAPH, 14, LEN, true, TUT_PROTO_SKIP, NONE)         /* quantization_annotation */
    ROW(GRAPH, 15, LEN, true, NET_UNSUPPORTED, NONE)        /* sparse_initializer */
    ROW(GRAPH, 16, LEN, true, TUT_PROTO_SKIP, NONE)         /* metadata_props */
    ROW(NODE, 1, LEN, true, NET_TEXT, NONE)                 /* input */
    ROW(NODE, 2, LEN, true, NET_TEXT, NONE)                 /* output */
    ROW(NODE, 3, LEN, false, NET_TEXT, NONE)                /* name */
    ROW(NODE, 4, LEN, false, NET_TEXT, NONE)                /* op_type */
    ROW(NODE, 5, LEN, true, TUT_PROTO_ENTER, ATTRIBUTE)     /* attribute */
    ROW(NODE, 6, LEN, false, TUT_PROTO_SKIP, NONE)          /* doc_string */
    ROW(NODE, 7, LEN, false, NET_TEXT, NONE)                /* domain */
    ROW(NODE, 8, LEN, false, TUT_PROTO_SKIP, NONE)          /* overload */
    ROW(NODE, 9, LEN, true, TUT_PROTO_SKIP, NONE)           /* metadata_props */
    ROW(NODE, 10, LEN, true, TUT_PROTO_SKIP, NONE)          /* device_configurations */
    ROW(ATTRIBUTE, 1, LEN, false, NET_TEXT, NONE)           /* name */
    ROW(ATTRIBUTE, 2, 32, false, NET_FLOAT, NONE)           /* f */
    ROW(ATTRIBUTE, 3, VARINT, false, NET_INTS, NONE)        /* i */
    ROW(ATTRIBUTE, 4, LEN, false, NET_TEXT, NONE)           /* s */
    ROW(ATTRIBUTE, 5, LEN, false, TUT_PROTO_ENTER, TENSOR)  /* t */
    ROW(ATTRIBUTE, 6, LEN, false, TUT_PROTO_SKIP, NONE)     /* g */
    ROW(ATTRIBUTE, 7, 32, true, TUT_PROTO_SKIP, NONE)       /* floats */
    ROW(ATTRIBUTE, 8, VARINT, true, NET_INTS, NONE)         /* ints */
    ROW(ATTRIBUTE, 9, LEN, true, TUT_PROTO_SKIP, NONE)      /* strings */
    ROW(ATTRIBUTE, 10, LEN, true, TUT_PROTO_SKIP, NONE)     /* tensors */
    ROW(ATTRIBUTE, 11, LEN, true, TUT_PROTO_SKIP, NONE)     /* graphs */
    ROW(ATTRIBUTE, 13, LEN, false, TUT_PROTO_SKIP, NONE)    /* doc_string */
    ROW(ATTRIBUTE, 14, LEN, false, TUT_PROTO_SKIP, NONE)    /* tp */
    ROW(ATTRIBUTE, 15, LEN, true, TUT_PROTO_SKIP, NONE)     /* type_protos */
    ROW(ATTRIBUTE, 20, VARINT, false, TUT_PROTO_SKIP, NONE) /* type */
    ROW(ATTRIBUTE, 21, LEN, false, NET_UNSUPPORTED, NONE)   /* ref_attr_name */
    ROW(ATTRIBUTE, 22, LEN, false, TUT_PROTO_SKIP, NONE)    /* sparse_tensor */
    ROW(ATTRIBUTE, 23, LEN, true, TUT_PROTO_SKIP, NONE)     /* sparse_tensors */
    ROW(TENSOR, 1, VARINT, true, NET_INTS, NONE)            /* dims */
    ROW(TENSOR, 2, VARINT, false, NET_NUMBER, NONE)         /* data_type */
    ROW(TENSOR, 3, LEN, false, NET_UNSUPPORTED, NONE)       /* segment */
    ROW(TENSOR, 4, 32, true, NET_BYTES, NONE)               /* float_data */
    ROW(TENSOR, 5, VARINT, true, NET_INTS, NONE)            /* int32_data */
    ROW(TENSOR, 6, LEN, true, TUT_PROTO_SKIP, NONE)         /* string_data */
    ROW(TENSOR, 7, VARINT, true, NET_INTS, NONE)            /* int64_data */
    ROW(TENSOR, 8, LEN, false, NET_TEXT, NONE)              /* name */
    ROW(TENSOR, 9, LEN, false, NET_BYTES, NONE)             /* raw_data */
    ROW(TENSOR, 10, 64, true, NET_BYTES, NONE)              /* double_data */
    ROW(TENSOR, 11, VARINT, true, TUT_PROTO_SKIP, NONE)     /* uint64_data */
    ROW(TENSOR, 12, LEN, false, TUT_PROTO_SKIP, NONE)       /* doc_string */
    ROW(TENSOR, 13, LEN, true, TUT_PROTO_SKIP, NONE)        /* external_data */
    ROW(TENSOR, 14, VARINT, false, NET_NUMBER, NONE)        /* data_location */
    ROW(TENSOR, 16, LEN, true, TUT_PROTO_SKIP, NONE)        /* metadata_props */
    ROW(INPUT, 1, LEN, false, NET_TEXT, NONE)               /* name */
    ROW(INPUT, 2, LEN, false, TUT_PROTO_ENTER, TYPE)        /* type */
    ROW(INPUT, 3, LEN, false, TUT_PROTO_SKIP, NONE)         /* doc_string */
    ROW(INPUT, 4, LEN, true, TUT_PROTO_SKIP, NONE)          /* metadata_props */
    ROW(OUTPUT, 1, LEN, false, NET_TEXT, NONE)              /* name */
    ROW(OUTPUT, 2, LEN, false, TUT_PROTO_ENTER, TYPE)       /* type */
    ROW(OUTPUT, 3, LEN, false, TUT_PROTO_SKIP, NONE)        /* doc_string */
    ROW(OUTPUT, 4, LEN, true, TUT_PROTO_SKIP, NONE)         /* metadata_props */
    ROW(TYPE, 1, LEN, false, TUT_PROTO_ENTER, TENSOR_TYPE)  /* tensor_type */
    ROW(TYPE, 4, LEN, false, TUT_PROTO_SKIP, NONE)          /* sequence_type */
    ROW(TYPE, 5, LEN, false, TUT_PROTO_SKIP, NONE)          /* map_type */
    ROW(TYPE, 6, LEN, false, TUT_PROTO_SKIP, NONE)          /* denotation */
    ROW(TYPE, 8, LEN, false, TUT_PROTO_SKIP, NONE)          /* sparse_tensor_type */
    ROW(TYPE, 9, LEN, false, TUT_PROTO_SKIP, NONE)          /* optional_type */
    ROW(TENSOR_TYPE, 1, VARINT, false, NET_NUMBER, NONE)    /* elem_type */
    ROW(TENSOR_TYPE, 2, LEN, false, TUT_PROTO_ENTER, SHAPE) /* shape */
    ROW(SHAPE, 1, LEN, true, TUT_PROTO_ENTER, DIM)          /* dim */
    ROW(DIM, 1, VARINT, false, NET_NUMBER, NONE)            /* dim_value */
    ROW(DIM, 2, LEN, false, TUT_PROTO_SKIP, NONE)           /* dim_param */
    ROW(DIM, 3, LEN, false, TUT_PROTO_SKIP, NONE)           /* denotation */
};
#undef ROW

static const char *const names[] = {"none",        "model",  "opset",    "graph",  "node",
                                    "attribute",   "tensor", "input",    "output", "type",
                                    "tensor type", "shape",  "dimension"};

const tut_proto_schema tut_net_onnx_schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "ONNX",
};
