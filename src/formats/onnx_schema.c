/* onnx.proto (IR 3 to 13) as a table: the fields that exist, and what is done with each. */
#include "formats/onnx_internal.h"

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {TUT_ONNX_##in, number, TUT_WIRE_##wire, repeats, TUT_##use, TUT_ONNX_##into},

static const tut_proto_field fields[] = {
    ROW(MODEL, 1, VARINT, false, ONNX_IR, NONE)            /* ir_version */
    ROW(MODEL, 2, LEN, false, ONNX_PRODUCER, NONE)         /* producer_name */
    ROW(MODEL, 3, LEN, false, ONNX_PRODUCER_VERSION, NONE) /* producer_version */
    ROW(MODEL, 4, LEN, false, PROTO_SKIP, NONE)            /* domain */
    ROW(MODEL, 5, VARINT, false, PROTO_SKIP, NONE)         /* model_version */
    ROW(MODEL, 6, LEN, false, PROTO_PROSE, NONE)           /* doc_string */
    ROW(MODEL, 7, LEN, false, PROTO_ENTER, GRAPH)          /* graph */
    ROW(MODEL, 8, LEN, true, PROTO_ENTER, OPSET)           /* opset_import */
    ROW(MODEL, 14, LEN, true, PROTO_ENTER, METADATA)       /* metadata_props */
    ROW(MODEL, 20, LEN, true, PROTO_ENTER, TRAINING)       /* training_info */
    ROW(MODEL, 25, LEN, true, PROTO_ENTER, FUNCTION)       /* functions */
    ROW(MODEL, 26, LEN, true, PROTO_SKIP, NONE)            /* configuration */
    ROW(GRAPH, 1, LEN, true, PROTO_ENTER, NODE)            /* node */
    ROW(GRAPH, 2, LEN, false, PROTO_SKIP, NONE)            /* name */
    ROW(GRAPH, 5, LEN, true, PROTO_ENTER, TENSOR)          /* initializer */
    ROW(GRAPH, 10, LEN, false, PROTO_PROSE, NONE)          /* doc_string */
    ROW(GRAPH, 11, LEN, true, PROTO_SKIP, NONE)            /* input */
    ROW(GRAPH, 12, LEN, true, PROTO_SKIP, NONE)            /* output */
    ROW(GRAPH, 13, LEN, true, PROTO_SKIP, NONE)            /* value_info */
    ROW(GRAPH, 14, LEN, true, PROTO_SKIP, NONE)            /* quantization_annotation */
    ROW(GRAPH, 15, LEN, true, PROTO_ENTER, SPARSE)         /* sparse_initializer */
    ROW(GRAPH, 16, LEN, true, PROTO_SKIP, NONE)            /* metadata_props */
    ROW(NODE, 1, LEN, true, PROTO_SKIP, NONE)              /* input */
    ROW(NODE, 2, LEN, true, PROTO_SKIP, NONE)              /* output */
    ROW(NODE, 3, LEN, false, PROTO_SKIP, NONE)             /* name */
    ROW(NODE, 4, LEN, false, PROTO_TEXT_A, NONE)           /* op_type */
    ROW(NODE, 5, LEN, true, PROTO_ENTER, ATTRIBUTE)        /* attribute */
    ROW(NODE, 6, LEN, false, PROTO_PROSE, NONE)            /* doc_string */
    ROW(NODE, 7, LEN, false, PROTO_TEXT_B, NONE)           /* domain */
    ROW(NODE, 8, LEN, false, PROTO_SKIP, NONE)             /* overload */
    ROW(NODE, 9, LEN, true, PROTO_SKIP, NONE)              /* metadata_props */
    ROW(NODE, 10, LEN, true, PROTO_SKIP, NONE)             /* device_configurations */
    ROW(ATTRIBUTE, 1, LEN, false, PROTO_SKIP, NONE)        /* name */
    ROW(ATTRIBUTE, 2, 32, false, PROTO_SKIP, NONE)         /* f */
    ROW(ATTRIBUTE, 3, VARINT, false, PROTO_SKIP, NONE)     /* i */
    ROW(ATTRIBUTE, 4, LEN, false, PROTO_SKIP, NONE)        /* s */
    ROW(ATTRIBUTE, 5, LEN, false, PROTO_ENTER, TENSOR)     /* t */
    ROW(ATTRIBUTE, 6, LEN, false, PROTO_ENTER, GRAPH)      /* g */
    ROW(ATTRIBUTE, 7, 32, true, PROTO_SKIP, NONE)          /* floats */
    ROW(ATTRIBUTE, 8, VARINT, true, PROTO_SKIP, NONE)      /* ints */
    ROW(ATTRIBUTE, 9, LEN, true, PROTO_SKIP, NONE)         /* strings */
    ROW(ATTRIBUTE, 10, LEN, true, PROTO_ENTER, TENSOR)     /* tensors */
    ROW(ATTRIBUTE, 11, LEN, true, PROTO_ENTER, GRAPH)      /* graphs */
    ROW(ATTRIBUTE, 13, LEN, false, PROTO_PROSE, NONE)      /* doc_string */
    ROW(ATTRIBUTE, 14, LEN, false, PROTO_SKIP, NONE)       /* tp */
    ROW(ATTRIBUTE, 15, LEN, true, PROTO_SKIP, NONE)        /* type_protos */
    ROW(ATTRIBUTE, 20, VARINT, false, PROTO_SKIP, NONE)    /* type */
    ROW(ATTRIBUTE, 21, LEN, false, PROTO_SKIP, NONE)       /* ref_attr_name */
    ROW(ATTRIBUTE, 22, LEN, false, PROTO_ENTER, SPARSE)    /* sparse_tensor */
    ROW(ATTRIBUTE, 23, LEN, true, PROTO_ENTER, SPARSE)     /* sparse_tensors */
    ROW(TENSOR, 1, VARINT, true, ONNX_DIM, NONE)           /* dims */
    ROW(TENSOR, 2, VARINT, false, ONNX_DTYPE, NONE)        /* data_type */
    ROW(TENSOR, 3, LEN, false, PROTO_SKIP, NONE)           /* segment */
    ROW(TENSOR, 4, 32, true, ONNX_FLOATS, NONE)            /* float_data */
    ROW(TENSOR, 5, VARINT, true, ONNX_INTS, NONE)          /* int32_data */
    ROW(TENSOR, 6, LEN, true, ONNX_STRINGS, NONE)          /* string_data */
    ROW(TENSOR, 7, VARINT, true, ONNX_INTS, NONE)          /* int64_data */
    ROW(TENSOR, 8, LEN, false, ONNX_NAME, NONE)            /* name */
    ROW(TENSOR, 9, LEN, false, ONNX_RAW, NONE)             /* raw_data */
    ROW(TENSOR, 10, 64, true, ONNX_DOUBLES, NONE)          /* double_data */
    ROW(TENSOR, 11, VARINT, true, ONNX_INTS, NONE)         /* uint64_data */
    ROW(TENSOR, 12, LEN, false, PROTO_PROSE, NONE)         /* doc_string */
    ROW(TENSOR, 13, LEN, true, PROTO_ENTER, EXTERNAL)      /* external_data */
    ROW(TENSOR, 14, VARINT, false, ONNX_LOCATION, NONE)    /* data_location */
    ROW(TENSOR, 16, LEN, true, PROTO_SKIP, NONE)           /* metadata_props */
    ROW(SPARSE, 1, LEN, false, PROTO_ENTER, TENSOR)        /* values */
    ROW(SPARSE, 2, LEN, false, PROTO_ENTER, TENSOR)        /* indices */
    ROW(SPARSE, 3, VARINT, true, PROTO_SKIP, NONE)         /* dims */
    ROW(FUNCTION, 1, LEN, false, PROTO_TEXT_A, NONE)       /* name */
    ROW(FUNCTION, 2, VARINT, false, PROTO_SKIP, NONE)      /* since_version, up to IR 8 */
    ROW(FUNCTION, 3, VARINT, false, PROTO_SKIP, NONE)      /* status, up to IR 8 */
    ROW(FUNCTION, 4, LEN, true, PROTO_SKIP, NONE)          /* input */
    ROW(FUNCTION, 5, LEN, true, PROTO_SKIP, NONE)          /* output */
    ROW(FUNCTION, 6, LEN, true, PROTO_SKIP, NONE)          /* attribute */
    ROW(FUNCTION, 7, LEN, true, PROTO_ENTER, NODE)         /* node */
    ROW(FUNCTION, 8, LEN, false, PROTO_PROSE, NONE)        /* doc_string */
    ROW(FUNCTION, 9, LEN, true, PROTO_ENTER, OPSET)        /* opset_import */
    ROW(FUNCTION, 10, LEN, false, PROTO_TEXT_B, NONE)      /* domain */
    ROW(FUNCTION, 11, LEN, true, PROTO_ENTER, ATTRIBUTE)   /* attribute_proto */
    ROW(FUNCTION, 12, LEN, true, PROTO_SKIP, NONE)         /* value_info */
    ROW(FUNCTION, 13, LEN, false, PROTO_SKIP, NONE)        /* overload */
    ROW(FUNCTION, 14, LEN, true, PROTO_SKIP, NONE)         /* metadata_props */
    ROW(TRAINING, 1, LEN, false, PROTO_ENTER, GRAPH)       /* initialization */
    ROW(TRAINING, 2, LEN, false, PROTO_ENTER, GRAPH)       /* algorithm */
    ROW(TRAINING, 3, LEN, true, PROTO_SKIP, NONE)          /* initialization_binding */
    ROW(TRAINING, 4, LEN, true, PROTO_SKIP, NONE)          /* update_binding */
    ROW(OPSET, 1, LEN, false, PROTO_TEXT_B, NONE)          /* domain */
    ROW(OPSET, 2, VARINT, false, PROTO_NUMBER, NONE)       /* version */
    ROW(METADATA, 1, LEN, false, PROTO_TEXT_A, NONE)       /* key */
    ROW(METADATA, 2, LEN, false, PROTO_TEXT_B, NONE)       /* value */
    ROW(EXTERNAL, 1, LEN, false, PROTO_TEXT_A, NONE)       /* key */
    ROW(EXTERNAL, 2, LEN, false, ONNX_ENTRY, NONE)         /* value */
};
#undef ROW

static const char *const names[] = {"none",      "model",  "graph",         "node",
                                    "attribute", "tensor", "sparse tensor", "function",
                                    "training",  "opset",  "metadata",      "external data"};

const tut_proto_schema tut_onnx_schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "ONNX",
    .malformed = "onnx.malformed",
    .nesting = "onnx.nesting",
    .padded = "onnx.padded-number",
    .wrong_wire = "onnx.wrong-wire-type",
    .duplicate = "onnx.duplicate-field",
    .unknown = "onnx.unknown-field",
};
