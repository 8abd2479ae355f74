/* What the files of the ONNX parser share: onnx.c (the protobuf walk), onnx_schema.c (which field
 * means what), onnx_graph.c (nodes, domains, functions), onnx_tensor.c (sizes), onnx_external.c
 * (data in other files). */
#ifndef TUT_FORMATS_ONNX_INTERNAL_H
#define TUT_FORMATS_ONNX_INTERNAL_H

#include "base/buf.h"
#include "formats/extents.h"
#include "formats/format.h"
#include "formats/payload.h"
#include "formats/proto.h"

typedef enum tut_onnx_message {
    TUT_ONNX_NONE,
    TUT_ONNX_MODEL,
    TUT_ONNX_GRAPH,
    TUT_ONNX_NODE,
    TUT_ONNX_ATTRIBUTE,
    TUT_ONNX_TENSOR,
    TUT_ONNX_SPARSE,
    TUT_ONNX_FUNCTION,
    TUT_ONNX_TRAINING,
    TUT_ONNX_OPSET,
    TUT_ONNX_METADATA, /* StringStringEntryProto of a model */
    TUT_ONNX_EXTERNAL  /* StringStringEntryProto of a tensor */
} tut_onnx_message;

/* What is done with a field, beyond what every schema has. */
enum {
    TUT_ONNX_IR = TUT_PROTO_OWN,
    TUT_ONNX_PRODUCER,
    TUT_ONNX_PRODUCER_VERSION,
    TUT_ONNX_ENTRY, /* value of an external_data entry */
    TUT_ONNX_DIM,
    TUT_ONNX_DTYPE,
    TUT_ONNX_LOCATION, /* data_location: 1 is external */
    TUT_ONNX_NAME,     /* of a tensor */
    TUT_ONNX_RAW,
    TUT_ONNX_FLOATS, /* 4 bytes each */
    TUT_ONNX_DOUBLES,
    TUT_ONNX_INTS, /* varints */
    TUT_ONNX_STRINGS
};

extern const tut_proto_schema tut_onnx_schema;

enum {
    TUT_ONNX_TEXT = TUT_PROTO_TEXT,
    TUT_ONNX_DIMS = 64,
    TUT_ONNX_DOMAINS = 64,
    TUT_ONNX_OPS = 256
};

/* A frame's a and b are, of a node: op and domain; of a function: name and domain; of an opset: b,
 * the domain; of an entry: its key. */
typedef tut_proto_frame tut_onnx_frame;

/* Tensors do not nest, so there is one at a time. */
typedef struct tut_onnx_tensor {
    char name[TUT_ONNX_TEXT];
    uint64_t at;
    uint64_t dims[TUT_ONNX_DIMS];
    size_t dim_count;
    uint64_t dtype;
    bool has_negative_dim;
    bool is_external, has_raw;
    uint64_t raw_at, raw_len;
    uint64_t floats, doubles, ints, strings;
    /* external_data entries */
    bool has_entries, has_location, has_offset, has_length, is_bad_number, is_doubled;
    char location[1024];
    uint64_t location_len, offset, length;
} tut_onnx_tensor;

typedef struct tut_onnx_domain {
    char name[TUT_ONNX_TEXT];
    int64_t version; /* as declared; INT64_MIN: only used */
    bool is_declared, is_used;
} tut_onnx_domain;

/* Opset imports and uses of the model, or of one function. */
typedef struct tut_onnx_scope {
    tut_onnx_domain domains[TUT_ONNX_DOMAINS];
    size_t count;
    bool has_import;
} tut_onnx_scope;

typedef struct tut_onnx_op {
    char name[TUT_ONNX_TEXT], domain[TUT_ONNX_TEXT];
    uint64_t hash, count;
} tut_onnx_op;

typedef struct tut_onnx_file {
    char location[256];
    uint64_t size;
    bool is_there;
} tut_onnx_file;

typedef struct tut_onnx {
    tut_exam *x;
    tut_proto p;
    tut_onnx_tensor tensor;
    tut_onnx_scope model, function;
    tut_onnx_op ops[TUT_ONNX_OPS];
    size_t op_count;
    tut_extents functions; /* names of (domain, name) */
    tut_onnx_file files[64];
    size_t file_count;
    char entry[1024]; /* value of the external_data entry at hand: it may stand before the key */
    uint64_t entry_len;
    uint64_t ir, nodes, parameters, function_count, subgraphs;
    char producer[TUT_ONNX_TEXT], producer_version[TUT_ONNX_TEXT];
} tut_onnx;

uint64_t tut_onnx_hash2(const char *domain, const char *name);

/* onnx_graph.c */
void tut_onnx_end_node(tut_onnx *o, const tut_onnx_frame *f);
void tut_onnx_end_opset(tut_onnx *o, const tut_onnx_frame *f);
TUT_MUST tut_status tut_onnx_end_function(tut_onnx *o, const tut_onnx_frame *f, tut_error *err);
void tut_onnx_report(tut_onnx *o);
bool tut_onnx_in_function(const tut_onnx *o);

/* onnx_tensor.c */
void tut_onnx_begin_tensor(tut_onnx *o, uint64_t at);
TUT_MUST tut_status tut_onnx_tensor_field(tut_onnx *o, const tut_proto_field *field, uint64_t wire,
                                          uint64_t value, tut_error *err);
TUT_MUST tut_status tut_onnx_end_tensor(tut_onnx *o, tut_error *err);

/* onnx_external.c */
TUT_MUST tut_status tut_onnx_read_entry(tut_onnx *o, uint64_t n, tut_error *err);
void tut_onnx_end_entry(tut_onnx *o, const tut_onnx_frame *f);
TUT_MUST tut_status tut_onnx_check_external(tut_onnx *o, bool is_sized, uint64_t bytes,
                                            tut_error *err);

#endif
