/* onnx.proto (IR 3 to 13) as a table: the fields that exist, and what is done with each. */
#include "formats/onnx_internal.h"

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {TUT_ONNX_##in, number, TUT_WIRE_##wire, repeats, TUT_USE_##use, TUT_ONNX_##into},

static const tut_onnx_field fields[] = {
    ROW(MODEL, 1, VARINT, false, IR, NONE)            /* ir_version */
    ROW(MODEL, 2, LEN, false, PRODUCER, NONE)         /* producer_name */
    ROW(MODEL, 3, LEN, false, PRODUCER_VERSION, NONE) /* producer_version */
    ROW(MODEL, 4, LEN, false, SKIP, NONE)             /* domain */
    ROW(MODEL, 5, VARINT, false, SKIP, NONE)          /* model_version */
    ROW(MODEL, 6, LEN, false, SKIP, NONE)             /* doc_string */
    ROW(MODEL, 7, LEN, false, ENTER, GRAPH)           /* graph */
    ROW(MODEL, 8, LEN, true, ENTER, OPSET)            /* opset_import */
    ROW(MODEL, 14, LEN, true, ENTER, METADATA)        /* metadata_props */
    ROW(MODEL, 20, LEN, true, ENTER, TRAINING)        /* training_info */
    ROW(MODEL, 25, LEN, true, ENTER, FUNCTION)        /* functions */
    ROW(MODEL, 26, LEN, true, SKIP, NONE)             /* configuration */
    ROW(GRAPH, 1, LEN, true, ENTER, NODE)             /* node */
    ROW(GRAPH, 2, LEN, false, SKIP, NONE)             /* name */
    ROW(GRAPH, 5, LEN, true, ENTER, TENSOR)           /* initializer */
    ROW(GRAPH, 10, LEN, false, SKIP, NONE)            /* doc_string */
    ROW(GRAPH, 11, LEN, true, SKIP, NONE)             /* input */
    ROW(GRAPH, 12, LEN, true, SKIP, NONE)             /* output */
    ROW(GRAPH, 13, LEN, true, SKIP, NONE)             /* value_info */
    ROW(GRAPH, 14, LEN, true, SKIP, NONE)             /* quantization_annotation */
    ROW(GRAPH, 15, LEN, true, ENTER, SPARSE)          /* sparse_initializer */
    ROW(GRAPH, 16, LEN, true, SKIP, NONE)             /* metadata_props */
    ROW(NODE, 1, LEN, true, SKIP, NONE)               /* input */
    ROW(NODE, 2, LEN, true, SKIP, NONE)               /* output */
    ROW(NODE, 3, LEN, false, SKIP, NONE)              /* name */
    ROW(NODE, 4, LEN, false, TEXT_A, NONE)            /* op_type */
    ROW(NODE, 5, LEN, true, ENTER, ATTRIBUTE)         /* attribute */
    ROW(NODE, 6, LEN, false, SKIP, NONE)              /* doc_string */
    ROW(NODE, 7, LEN, false, TEXT_B, NONE)            /* domain */
    ROW(NODE, 8, LEN, false, SKIP, NONE)              /* overload */
    ROW(NODE, 9, LEN, true, SKIP, NONE)               /* metadata_props */
    ROW(NODE, 10, LEN, true, SKIP, NONE)              /* device_configurations */
    ROW(ATTRIBUTE, 1, LEN, false, SKIP, NONE)         /* name */
    ROW(ATTRIBUTE, 2, 32, false, SKIP, NONE)          /* f */
    ROW(ATTRIBUTE, 3, VARINT, false, SKIP, NONE)      /* i */
    ROW(ATTRIBUTE, 4, LEN, false, SKIP, NONE)         /* s */
    ROW(ATTRIBUTE, 5, LEN, false, ENTER, TENSOR)      /* t */
    ROW(ATTRIBUTE, 6, LEN, false, ENTER, GRAPH)       /* g */
    ROW(ATTRIBUTE, 7, 32, true, SKIP, NONE)           /* floats */
    ROW(ATTRIBUTE, 8, VARINT, true, SKIP, NONE)       /* ints */
    ROW(ATTRIBUTE, 9, LEN, true, SKIP, NONE)          /* strings */
    ROW(ATTRIBUTE, 10, LEN, true, ENTER, TENSOR)      /* tensors */
    ROW(ATTRIBUTE, 11, LEN, true, ENTER, GRAPH)       /* graphs */
    ROW(ATTRIBUTE, 13, LEN, false, SKIP, NONE)        /* doc_string */
    ROW(ATTRIBUTE, 14, LEN, false, SKIP, NONE)        /* tp */
    ROW(ATTRIBUTE, 15, LEN, true, SKIP, NONE)         /* type_protos */
    ROW(ATTRIBUTE, 20, VARINT, false, SKIP, NONE)     /* type */
    ROW(ATTRIBUTE, 21, LEN, false, SKIP, NONE)        /* ref_attr_name */
    ROW(ATTRIBUTE, 22, LEN, false, ENTER, SPARSE)     /* sparse_tensor */
    ROW(ATTRIBUTE, 23, LEN, true, ENTER, SPARSE)      /* sparse_tensors */
    ROW(TENSOR, 1, VARINT, true, DIMS, NONE)          /* dims */
    ROW(TENSOR, 2, VARINT, false, DTYPE, NONE)        /* data_type */
    ROW(TENSOR, 3, LEN, false, SKIP, NONE)            /* segment */
    ROW(TENSOR, 4, 32, true, FLOATS, NONE)            /* float_data */
    ROW(TENSOR, 5, VARINT, true, INTS, NONE)          /* int32_data */
    ROW(TENSOR, 6, LEN, true, STRINGS, NONE)          /* string_data */
    ROW(TENSOR, 7, VARINT, true, INTS, NONE)          /* int64_data */
    ROW(TENSOR, 8, LEN, false, NAME, NONE)            /* name */
    ROW(TENSOR, 9, LEN, false, RAW, NONE)             /* raw_data */
    ROW(TENSOR, 10, 64, true, DOUBLES, NONE)          /* double_data */
    ROW(TENSOR, 11, VARINT, true, INTS, NONE)         /* uint64_data */
    ROW(TENSOR, 12, LEN, false, SKIP, NONE)           /* doc_string */
    ROW(TENSOR, 13, LEN, true, ENTER, EXTERNAL)       /* external_data */
    ROW(TENSOR, 14, VARINT, false, LOCATION, NONE)    /* data_location */
    ROW(TENSOR, 16, LEN, true, SKIP, NONE)            /* metadata_props */
    ROW(SPARSE, 1, LEN, false, ENTER, TENSOR)         /* values */
    ROW(SPARSE, 2, LEN, false, ENTER, TENSOR)         /* indices */
    ROW(SPARSE, 3, VARINT, true, SKIP, NONE)          /* dims */
    ROW(FUNCTION, 1, LEN, false, TEXT_A, NONE)        /* name */
    ROW(FUNCTION, 2, VARINT, false, SKIP, NONE)       /* since_version, up to IR 8 */
    ROW(FUNCTION, 3, VARINT, false, SKIP, NONE)       /* status, up to IR 8 */
    ROW(FUNCTION, 4, LEN, true, SKIP, NONE)           /* input */
    ROW(FUNCTION, 5, LEN, true, SKIP, NONE)           /* output */
    ROW(FUNCTION, 6, LEN, true, SKIP, NONE)           /* attribute */
    ROW(FUNCTION, 7, LEN, true, ENTER, NODE)          /* node */
    ROW(FUNCTION, 8, LEN, false, SKIP, NONE)          /* doc_string */
    ROW(FUNCTION, 9, LEN, true, ENTER, OPSET)         /* opset_import */
    ROW(FUNCTION, 10, LEN, false, TEXT_B, NONE)       /* domain */
    ROW(FUNCTION, 11, LEN, true, ENTER, ATTRIBUTE)    /* attribute_proto */
    ROW(FUNCTION, 12, LEN, true, SKIP, NONE)          /* value_info */
    ROW(FUNCTION, 13, LEN, false, SKIP, NONE)         /* overload */
    ROW(FUNCTION, 14, LEN, true, SKIP, NONE)          /* metadata_props */
    ROW(TRAINING, 1, LEN, false, ENTER, GRAPH)        /* initialization */
    ROW(TRAINING, 2, LEN, false, ENTER, GRAPH)        /* algorithm */
    ROW(TRAINING, 3, LEN, true, SKIP, NONE)           /* initialization_binding */
    ROW(TRAINING, 4, LEN, true, SKIP, NONE)           /* update_binding */
    ROW(OPSET, 1, LEN, false, TEXT_B, NONE)           /* domain */
    ROW(OPSET, 2, VARINT, false, NUMBER, NONE)        /* version */
    ROW(METADATA, 1, LEN, false, TEXT_A, NONE)        /* key */
    ROW(METADATA, 2, LEN, false, TEXT_B, NONE)        /* value */
    ROW(EXTERNAL, 1, LEN, false, TEXT_A, NONE)        /* key */
    ROW(EXTERNAL, 2, LEN, false, TEXT_B, NONE)        /* value */
};
#undef ROW

const tut_onnx_field *tut_onnx_field_of(tut_onnx_message in, uint64_t number)
{
    enum {
        FIELDS = sizeof(fields) / sizeof(fields[0]),
        NUMBERS = 32,
        MESSAGES = TUT_ONNX_EXTERNAL + 1
    };
    static const tut_onnx_field *index[MESSAGES][NUMBERS];
    static bool is_indexed;
    if (!is_indexed) {
        for (size_t i = 0; i < FIELDS; i++)
            index[fields[i].in][fields[i].number] = &fields[i];
        is_indexed = true;
    }
    return number < NUMBERS ? index[in][number] : NULL;
}

const char *tut_onnx_message_name(tut_onnx_message m)
{
    static const char *const names[] = {"none",      "model",  "graph",         "node",
                                        "attribute", "tensor", "sparse tensor", "function",
                                        "training",  "opset",  "metadata",      "external data"};
    return (size_t)m < sizeof(names) / sizeof(names[0]) ? names[m] : "none";
}
