/* TensorFlow's messages as a table, from the .proto files under
 * tensorflow/core/{framework,protobuf} and keras/protobuf: the fields that exist, and what is done
 * with each. */
#include "formats/tf_internal.h"

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {TUT_TF_##in, number, TUT_WIRE_##wire, repeats, TUT_##use, TUT_TF_##into},

static const tut_proto_field fields[] = {
    ROW(SAVED_MODEL, 1, VARINT, false, PROTO_NUMBER, NONE)  /* saved_model_schema_version */
    ROW(SAVED_MODEL, 2, LEN, true, PROTO_ENTER, META_GRAPH) /* meta_graphs */
    ROW(META_GRAPH, 1, LEN, false, PROTO_ENTER, META_INFO)  /* meta_info_def */
    ROW(META_GRAPH, 2, LEN, false, PROTO_ENTER, GRAPH)      /* graph_def */
    ROW(META_GRAPH, 3, LEN, false, PROTO_ENTER, SAVER)      /* saver_def */
    ROW(META_GRAPH, 4, LEN, true, PROTO_SKIP, NONE)         /* collection_def */
    ROW(META_GRAPH, 5, LEN, true, PROTO_SKIP, NONE)         /* signature_def */
    ROW(META_GRAPH, 6, LEN, true, PROTO_ENTER, ASSET)       /* asset_file_def */
    ROW(META_GRAPH, 7, LEN, false, PROTO_ENTER, OBJECTS)    /* object_graph_def */
    ROW(META_INFO, 1, LEN, false, PROTO_SKIP, NONE)         /* meta_graph_version */
    ROW(META_INFO, 2, LEN, false, PROTO_ENTER, OP_LIST)     /* stripped_op_list */
    ROW(META_INFO, 3, LEN, false, PROTO_SKIP, NONE)         /* any_info */
    ROW(META_INFO, 4, LEN, true, PROTO_SKIP, NONE)          /* tags */
    ROW(META_INFO, 5, LEN, false, TF_VERSION, NONE)         /* tensorflow_version */
    ROW(META_INFO, 6, LEN, false, PROTO_SKIP, NONE)         /* tensorflow_git_version */
    ROW(META_INFO, 7, VARINT, false, PROTO_SKIP, NONE)      /* stripped_default_attrs */
    ROW(META_INFO, 8, LEN, true, PROTO_SKIP, NONE)          /* function_aliases */
    ROW(OP_LIST, 1, LEN, true, PROTO_ENTER, OP_DEF)         /* op */
    ROW(OP_DEF, 1, LEN, false, PROTO_TEXT_A, NONE)          /* name */
    ROW(OP_DEF, 2, LEN, true, PROTO_SKIP, NONE)             /* input_arg */
    ROW(OP_DEF, 3, LEN, true, PROTO_SKIP, NONE)             /* output_arg */
    ROW(OP_DEF, 4, LEN, true, PROTO_SKIP, NONE)             /* attr */
    ROW(OP_DEF, 5, LEN, false, PROTO_SKIP, NONE)            /* summary */
    ROW(OP_DEF, 6, LEN, false, PROTO_SKIP, NONE)            /* description */
    ROW(OP_DEF, 8, LEN, false, PROTO_SKIP, NONE)            /* deprecation */
    ROW(OP_DEF, 16, VARINT, false, PROTO_SKIP, NONE)        /* is_aggregate */
    ROW(OP_DEF, 17, VARINT, false, PROTO_SKIP, NONE)        /* is_stateful */
    ROW(OP_DEF, 18, VARINT, false, PROTO_SKIP, NONE)        /* is_commutative */
    ROW(OP_DEF, 19, VARINT, false, PROTO_SKIP, NONE)        /* allows_uninitialized_input */
    ROW(OP_DEF, 20, LEN, true, PROTO_SKIP, NONE)            /* control_output */
    ROW(OP_DEF, 21, VARINT, false, PROTO_SKIP, NONE)        /* is_distributed_communication */
    ROW(GRAPH, 1, LEN, true, PROTO_ENTER, NODE)             /* node */
    ROW(GRAPH, 2, LEN, false, PROTO_ENTER, LIBRARY)         /* library */
    ROW(GRAPH, 3, VARINT, false, PROTO_SKIP, NONE)          /* version */
    ROW(GRAPH, 4, LEN, false, PROTO_SKIP, NONE)             /* versions */
    ROW(GRAPH, 5, LEN, false, PROTO_SKIP, NONE)             /* debug_info */
    ROW(NODE, 1, LEN, false, PROTO_TEXT_A, NONE)            /* name */
    ROW(NODE, 2, LEN, false, PROTO_TEXT_B, NONE)            /* op */
    ROW(NODE, 3, LEN, true, TF_INPUT, NONE)                 /* input */
    ROW(NODE, 4, LEN, false, PROTO_SKIP, NONE)              /* device */
    ROW(NODE, 5, LEN, true, PROTO_ENTER, ATTR)              /* attr */
    ROW(NODE, 6, LEN, false, PROTO_SKIP, NONE)              /* experimental_debug_info */
    ROW(NODE, 7, LEN, false, PROTO_SKIP, NONE)              /* experimental_type */
    ROW(ATTR, 1, LEN, false, PROTO_TEXT_A, NONE)            /* key */
    ROW(ATTR, 2, LEN, false, PROTO_ENTER, VALUE)            /* value */
    ROW(VALUE, 1, LEN, false, PROTO_ENTER, LIST)            /* list */
    ROW(VALUE, 2, LEN, false, TF_TEXT, NONE)                /* s */
    ROW(VALUE, 3, VARINT, false, PROTO_SKIP, NONE)          /* i */
    ROW(VALUE, 4, 32, false, PROTO_SKIP, NONE)              /* f */
    ROW(VALUE, 5, VARINT, false, PROTO_SKIP, NONE)          /* b */
    ROW(VALUE, 6, VARINT, false, PROTO_SKIP, NONE)          /* type */
    ROW(VALUE, 7, LEN, false, PROTO_SKIP, NONE)             /* shape */
    ROW(VALUE, 8, LEN, false, PROTO_ENTER, TENSOR)          /* tensor */
    ROW(VALUE, 9, LEN, false, PROTO_SKIP, NONE)             /* placeholder */
    ROW(VALUE, 10, LEN, false, PROTO_ENTER, FUNC)           /* func */
    ROW(LIST, 2, LEN, true, TF_TEXT, NONE)                  /* s */
    ROW(LIST, 3, VARINT, true, PROTO_SKIP, NONE)            /* i */
    ROW(LIST, 4, 32, true, PROTO_SKIP, NONE)                /* f */
    ROW(LIST, 5, VARINT, true, PROTO_SKIP, NONE)            /* b */
    ROW(LIST, 6, VARINT, true, PROTO_SKIP, NONE)            /* type */
    ROW(LIST, 7, LEN, true, PROTO_SKIP, NONE)               /* shape */
    ROW(LIST, 8, LEN, true, PROTO_ENTER, TENSOR)            /* tensor */
    ROW(LIST, 9, LEN, true, PROTO_ENTER, FUNC)              /* func */
    ROW(FUNC, 1, LEN, false, PROTO_TEXT_A, NONE)            /* name */
    ROW(FUNC, 2, LEN, true, PROTO_SKIP, NONE)               /* attr */
    ROW(TENSOR, 1, VARINT, false, TF_DTYPE, NONE)           /* dtype */
    ROW(TENSOR, 2, LEN, false, PROTO_ENTER, SHAPE)          /* tensor_shape */
    ROW(TENSOR, 3, VARINT, false, PROTO_SKIP, NONE)         /* version_number */
    ROW(TENSOR, 4, LEN, false, TF_CONTENT, NONE)            /* tensor_content */
    ROW(TENSOR, 5, 32, true, PROTO_SKIP, NONE)              /* float_val */
    ROW(TENSOR, 6, 64, true, PROTO_SKIP, NONE)              /* double_val */
    ROW(TENSOR, 7, VARINT, true, PROTO_SKIP, NONE)          /* int_val */
    ROW(TENSOR, 8, LEN, true, TF_STRINGS, NONE)             /* string_val */
    ROW(TENSOR, 9, 32, true, PROTO_SKIP, NONE)              /* scomplex_val */
    ROW(TENSOR, 10, VARINT, true, PROTO_SKIP, NONE)         /* int64_val */
    ROW(TENSOR, 11, VARINT, true, PROTO_SKIP, NONE)         /* bool_val */
    ROW(TENSOR, 12, 64, true, PROTO_SKIP, NONE)             /* dcomplex_val */
    ROW(TENSOR, 13, VARINT, true, PROTO_SKIP, NONE)         /* half_val */
    ROW(TENSOR, 14, LEN, true, PROTO_SKIP, NONE)            /* resource_handle_val */
    ROW(TENSOR, 15, LEN, true, PROTO_SKIP, NONE)            /* variant_val */
    ROW(TENSOR, 16, VARINT, true, PROTO_SKIP, NONE)         /* uint32_val */
    ROW(TENSOR, 17, VARINT, true, PROTO_SKIP, NONE)         /* uint64_val */
    ROW(TENSOR, 18, LEN, false, PROTO_SKIP, NONE)           /* float8_val */
    ROW(SHAPE, 2, LEN, true, PROTO_ENTER, DIM)              /* dim */
    ROW(SHAPE, 3, VARINT, false, PROTO_SKIP, NONE)          /* unknown_rank */
    ROW(DIM, 1, VARINT, false, PROTO_NUMBER, NONE)          /* size */
    ROW(DIM, 2, LEN, false, PROTO_SKIP, NONE)               /* name */
    ROW(LIBRARY, 1, LEN, true, PROTO_ENTER, FUNCTION)       /* function */
    ROW(LIBRARY, 2, LEN, true, PROTO_SKIP, NONE)            /* gradient */
    ROW(LIBRARY, 3, LEN, true, PROTO_SKIP, NONE)            /* registered_gradients */
    ROW(FUNCTION, 1, LEN, false, PROTO_ENTER, SIGNATURE)    /* signature */
    ROW(FUNCTION, 2, LEN, true, PROTO_SKIP, NONE)           /* node, before GraphDef version 15 */
    ROW(FUNCTION, 3, LEN, true, PROTO_ENTER, NODE)          /* node_def */
    ROW(FUNCTION, 4, LEN, true, PROTO_SKIP, NONE)           /* ret */
    ROW(FUNCTION, 5, LEN, true, PROTO_SKIP, NONE)           /* attr */
    ROW(FUNCTION, 6, LEN, true, PROTO_SKIP, NONE)           /* control_ret */
    ROW(FUNCTION, 7, LEN, true, PROTO_SKIP, NONE)           /* arg_attr */
    ROW(FUNCTION, 8, LEN, true, PROTO_SKIP, NONE)           /* resource_arg_unique_id */
    ROW(SIGNATURE, 1, LEN, false, PROTO_TEXT_A, NONE)       /* name */
    ROW(SIGNATURE, 2, LEN, true, PROTO_SKIP, NONE)          /* input_arg */
    ROW(SIGNATURE, 3, LEN, true, PROTO_SKIP, NONE)          /* output_arg */
    ROW(SIGNATURE, 4, LEN, true, PROTO_SKIP, NONE)          /* attr */
    ROW(SIGNATURE, 5, LEN, false, PROTO_SKIP, NONE)         /* summary */
    ROW(SIGNATURE, 6, LEN, false, PROTO_SKIP, NONE)         /* description */
    ROW(SIGNATURE, 8, LEN, false, PROTO_SKIP, NONE)         /* deprecation */
    ROW(SIGNATURE, 16, VARINT, false, PROTO_SKIP, NONE)     /* is_aggregate */
    ROW(SIGNATURE, 17, VARINT, false, PROTO_SKIP, NONE)     /* is_stateful */
    ROW(SIGNATURE, 18, VARINT, false, PROTO_SKIP, NONE)     /* is_commutative */
    ROW(SIGNATURE, 19, VARINT, false, PROTO_SKIP, NONE)     /* allows_uninitialized_input */
    ROW(SIGNATURE, 20, LEN, true, PROTO_SKIP, NONE)         /* control_output */
    ROW(SIGNATURE, 21, VARINT, false, PROTO_SKIP, NONE)     /* is_distributed_communication */
    ROW(SAVER, 1, LEN, false, PROTO_TEXT_A, NONE)           /* filename_tensor_name */
    ROW(SAVER, 2, LEN, false, PROTO_SKIP, NONE)             /* save_tensor_name */
    ROW(SAVER, 3, LEN, false, PROTO_TEXT_B, NONE)           /* restore_op_name */
    ROW(SAVER, 4, VARINT, false, PROTO_SKIP, NONE)          /* max_to_keep */
    ROW(SAVER, 5, VARINT, false, PROTO_SKIP, NONE)          /* sharded */
    ROW(SAVER, 6, 32, false, PROTO_SKIP, NONE)              /* keep_checkpoint_every_n_hours */
    ROW(SAVER, 7, VARINT, false, PROTO_SKIP, NONE)          /* version */
    ROW(ASSET, 1, LEN, false, PROTO_ENTER, TENSOR_INFO)     /* tensor_info */
    ROW(ASSET, 2, LEN, false, TF_FILE, NONE)                /* filename */
    ROW(TENSOR_INFO, 1, LEN, false, PROTO_TEXT_A, NONE)     /* name */
    ROW(TENSOR_INFO, 2, VARINT, false, PROTO_SKIP, NONE)    /* dtype */
    ROW(TENSOR_INFO, 3, LEN, false, PROTO_SKIP, NONE)       /* tensor_shape */
    ROW(TENSOR_INFO, 4, LEN, false, PROTO_SKIP, NONE)       /* coo_sparse */
    ROW(TENSOR_INFO, 5, LEN, false, PROTO_SKIP, NONE)       /* composite_tensor */
    ROW(OBJECTS, 1, LEN, true, PROTO_ENTER, OBJECT)         /* nodes */
    ROW(OBJECTS, 2, LEN, true, PROTO_SKIP, NONE)            /* concrete_functions */
    ROW(OBJECT, 1, LEN, true, PROTO_SKIP, NONE)             /* children */
    ROW(OBJECT, 2, LEN, true, PROTO_SKIP, NONE)             /* attributes, in old versions */
    ROW(OBJECT, 3, LEN, true, PROTO_SKIP, NONE)             /* slot_variables */
    ROW(OBJECT, 4, LEN, false, PROTO_ENTER, USER_OBJECT)    /* user_object */
    ROW(OBJECT, 5, LEN, false, PROTO_SKIP, NONE)            /* asset */
    ROW(OBJECT, 6, LEN, false, PROTO_SKIP, NONE)            /* function */
    ROW(OBJECT, 7, LEN, false, PROTO_SKIP, NONE)            /* variable */
    ROW(OBJECT, 8, LEN, false, PROTO_SKIP, NONE)            /* bare_concrete_function */
    ROW(OBJECT, 9, LEN, false, PROTO_SKIP, NONE)            /* constant */
    ROW(OBJECT, 10, LEN, false, PROTO_SKIP, NONE)           /* resource */
    ROW(OBJECT, 11, LEN, true, PROTO_SKIP, NONE)            /* saveable_objects */
    ROW(OBJECT, 12, LEN, false, PROTO_SKIP, NONE)           /* captured_tensor */
    ROW(OBJECT, 13, LEN, false, PROTO_SKIP, NONE)           /* registered_name */
    ROW(OBJECT, 14, LEN, false, PROTO_SKIP, NONE)           /* serialized_user_proto */
    ROW(OBJECT, 15, LEN, true, PROTO_SKIP, NONE)            /* dependencies */
    ROW(OBJECT, 16, LEN, false, PROTO_SKIP, NONE)           /* registered_saver */
    ROW(USER_OBJECT, 1, LEN, false, PROTO_TEXT_A, NONE)     /* identifier */
    ROW(USER_OBJECT, 2, LEN, false, PROTO_SKIP, NONE)       /* version */
    ROW(USER_OBJECT, 3, LEN, false, TF_METADATA, NONE)      /* metadata */
    ROW(KERAS, 1, LEN, true, PROTO_ENTER, KERAS_OBJECT)     /* nodes */
    ROW(KERAS_OBJECT, 1, LEN, false, PROTO_SKIP, NONE)      /* version */
    ROW(KERAS_OBJECT, 2, VARINT, false, PROTO_NUMBER, NONE) /* node_id */
    ROW(KERAS_OBJECT, 3, LEN, false, PROTO_TEXT_A, NONE)    /* node_path */
    ROW(KERAS_OBJECT, 4, LEN, false, PROTO_TEXT_B, NONE)    /* identifier */
    ROW(KERAS_OBJECT, 5, LEN, false, TF_METADATA, NONE)     /* metadata */
};
#undef ROW

static const char *const names[] = {"none",           "saved model",  "meta graph", "meta info",
                                    "operator list",  "operator",     "graph",      "node",
                                    "attribute",      "value",        "list",       "function name",
                                    "tensor",         "shape",        "dimension",  "library",
                                    "function",       "signature",    "saver",      "asset",
                                    "tensor info",    "object graph", "object",     "user object",
                                    "Keras metadata", "Keras object"};

const tut_proto_schema tut_tf_schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "TensorFlow",
    .malformed = "tf.malformed",
    .nesting = "tf.nesting",
    .padded = "tf.padded-number",
    .wrong_wire = "tf.wrong-wire-type",
    .duplicate = "tf.duplicate-field",
    .unknown = "tf.unknown-field",
};
