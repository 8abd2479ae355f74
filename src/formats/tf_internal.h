/* What the files of the TensorFlow parser share: tf.c (recognising, the walk), tf_schema.c (which
 * field means what), tf_node.c (operators and functions), tf_flow.c (where file names come from),
 * tf_tensor.c (constants), tf_object.c (Keras metadata, assets), tf_ops.c (the operators). */
#ifndef TUT_FORMATS_TF_INTERNAL_H
#define TUT_FORMATS_TF_INTERNAL_H

#include "base/buf.h"
#include "formats/extents.h"
#include "formats/payload.h"
#include "formats/proto.h"
#include "formats/tf_ops.h"

typedef enum tut_tf_message {
    TUT_TF_NONE,
    TUT_TF_SAVED_MODEL,
    TUT_TF_META_GRAPH,
    TUT_TF_META_INFO,
    TUT_TF_OP_LIST,
    TUT_TF_OP_DEF, /* of an operator list: name only */
    TUT_TF_GRAPH,
    TUT_TF_NODE,
    TUT_TF_ATTR, /* entry of a node's attributes */
    TUT_TF_VALUE,
    TUT_TF_LIST,
    TUT_TF_FUNC, /* NameAttrList */
    TUT_TF_TENSOR,
    TUT_TF_SHAPE,
    TUT_TF_DIM,
    TUT_TF_LIBRARY,
    TUT_TF_FUNCTION,
    TUT_TF_SIGNATURE, /* OpDef of a function */
    TUT_TF_SAVER,
    TUT_TF_ASSET,
    TUT_TF_TENSOR_INFO,
    TUT_TF_OBJECTS,
    TUT_TF_OBJECT,
    TUT_TF_USER_OBJECT,
    TUT_TF_KERAS,
    TUT_TF_KERAS_OBJECT,
} tut_tf_message;

enum {
    TUT_TF_VERSION = TUT_PROTO_OWN, /* of TensorFlow, as text */
    TUT_TF_INPUT,                   /* of a node */
    TUT_TF_TEXT,                    /* value of an attribute */
    TUT_TF_STRINGS,                 /* of a tensor */
    TUT_TF_CONTENT,
    TUT_TF_DTYPE,
    TUT_TF_SIZE, /* of a dimension */
    TUT_TF_NUMBERS,
    TUT_TF_METADATA, /* JSON */
    TUT_TF_FILE      /* name of an asset */
};

extern const tut_proto_schema tut_tf_schema;

enum { TUT_TF_NAME = TUT_PROTO_TEXT, TUT_TF_INPUTS = 8, TUT_TF_DIMS = 32, TUT_TF_PATH = 96 };
enum { TUT_TF_DT_STRING = 7 };

/* A constant, one at a time: tensors inside tensors (variants) are not entered. */
typedef struct tut_tf_tensor {
    uint64_t at, dtype, elements;
    uint64_t dims[TUT_TF_DIMS];
    size_t dim_count;
    bool is_bad_shape, has_content;
    uint64_t content_at, content_len;
    uint64_t strings;
    char path[TUT_TF_PATH];  /* first string that is a path, "" if there is none */
    bool has_path, has_text; /* has_text: a string that is not empty */
} tut_tf_tensor;

/* The node at hand. */
typedef struct tut_tf_node {
    uint64_t inputs[TUT_TF_INPUTS]; /* hashes of the nodes that they come from */
    size_t input_count;
    char text[256]; /* of the attribute at hand */
    char function[TUT_TF_NAME];
    char called[TUT_TF_NAME]; /* function that the node calls */
    char where[256];          /* value of the one attribute that matters for its operator */
    bool has_where, is_text_const, is_empty_text;
    char path[TUT_TF_PATH];
} tut_tf_node;

/* A node that hands on text. */
typedef struct tut_tf_flow {
    uint64_t name;
    uint64_t inputs[TUT_TF_INPUTS];
    uint8_t input_count, kind; /* bits: inputs that are handed on */
    bool has_text;             /* a constant that is not empty */
    char path[TUT_TF_PATH];
} tut_tf_flow;

/* A use of a file that counts only by the name that reaches it: judged at the end of its scope. */
typedef struct tut_tf_use {
    tut_tf_flow flow;
    const tut_tf_op *op;
    uint64_t at;
    char name[TUT_TF_NAME], function[TUT_TF_NAME], called[TUT_TF_NAME];
} tut_tf_use;

typedef struct tut_tf_rows {
    void *items;
    size_t count, capacity, size;
} tut_tf_rows;

typedef struct tut_tf_count {
    char name[TUT_TF_NAME];
    uint64_t count;
} tut_tf_count;

enum { TUT_TF_OPS = 256 };

typedef struct tut_tf {
    tut_exam *x;
    tut_proto p;
    tut_tf_tensor tensor;
    tut_tf_node node;
    tut_tf_rows flows, uses;    /* of the graph or function at hand */
    tut_tf_rows late;           /* uses in main graphs: judged at the end of the meta graph */
    tut_tf_rows main_flows;     /* likewise */
    tut_extents functions;      /* hashes of names */
    tut_extents file_functions; /* of those that use files */
    tut_extents assets;         /* hashes of tensors that an asset's path is fed to */
    tut_extents known_late;     /* unknown operators, by hash: may be functions */
    tut_tf_count ops[TUT_TF_OPS], strange[TUT_TF_OPS];
    size_t op_count, strange_count;
    char function[TUT_TF_NAME];
    char version[TUT_TF_NAME];
    char saver[TUT_TF_NAME]; /* prefix of the saver's nodes */
    uint64_t nodes, function_count, meta_graphs, parameters, metadata_count, asset_count;
    bool uses_files; /* the function at hand */
} tut_tf;

TUT_MUST tut_status tut_tf_row(tut_tf *t, tut_tf_rows *rows, const void *item, tut_error *err);
void tut_tf_rows_free(tut_tf *t, tut_tf_rows *rows);
/* Is it a path that leads out of a model's directory? */
bool tut_tf_is_path(tut_str text);
/* Name of the node in an input such as "^name", "name:0" or "name:output:0". */
uint64_t tut_tf_input_hash(tut_str input);
const char *tut_tf_scope_name(const tut_tf *t);

/* tf_node.c */
TUT_MUST tut_status tut_tf_end_node(tut_tf *t, const tut_proto_frame *f, tut_error *err);
void tut_tf_end_attr(tut_tf *t, const tut_proto_frame *f);
TUT_MUST tut_status tut_tf_end_function(tut_tf *t, tut_error *err);
TUT_MUST tut_status tut_tf_end_graph(tut_tf *t, tut_error *err);
/* After the last use of the meta graph has been seen. */
void tut_tf_settle(tut_tf *t);
void tut_tf_report_ops(tut_tf *t);

/* tf_flow.c */
void tut_tf_sort_flows(tut_tf_rows *flows);
/* What reaches a use as a file's name. */
typedef struct tut_tf_name {
    const char *path; /* a constant that leads out of the model's directory, or NULL */
    bool has_text;    /* some constant that is not empty */
    bool is_unknown;  /* it comes from where nothing is known of it: an input, a computation */
} tut_tf_name;
tut_tf_name tut_tf_trace(const tut_tf *t, const tut_tf_rows *flows, const tut_tf_use *use);

/* tf_tensor.c */
void tut_tf_begin_tensor(tut_tf *t, uint64_t at);
TUT_MUST tut_status tut_tf_tensor_value(tut_tf *t, const tut_proto_field *field, uint64_t wire,
                                        uint64_t value, tut_error *err);
void tut_tf_end_tensor(tut_tf *t);

/* tf_object.c */
TUT_MUST tut_status tut_tf_metadata(tut_tf *t, uint64_t len, tut_error *err);
TUT_MUST tut_status tut_tf_asset_file(tut_tf *t, uint64_t len, tut_error *err);

#endif
