/* What the files of the ONNX parser share: onnx.c (the protobuf walk), onnx_schema.c (which field
 * means what), onnx_graph.c (nodes, domains, functions), onnx_tensor.c (sizes), onnx_external.c
 * (data in other files). */
#ifndef TUT_FORMATS_ONNX_INTERNAL_H
#define TUT_FORMATS_ONNX_INTERNAL_H

#include "base/buf.h"
#include "formats/extents.h"
#include "formats/format.h"
#include "formats/payload.h"

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

typedef enum tut_onnx_wire {
    TUT_WIRE_VARINT,
    TUT_WIRE_64,
    TUT_WIRE_LEN,
    TUT_WIRE_32 = 5
} tut_onnx_wire;

/* What is done with a field. */
typedef enum tut_onnx_use {
    TUT_USE_SKIP,
    TUT_USE_ENTER,  /* a message of kind `into` */
    TUT_USE_TEXT_A, /* text into the frame's a */
    TUT_USE_TEXT_B,
    TUT_USE_NUMBER, /* into the frame's number */
    TUT_USE_IR,
    TUT_USE_PRODUCER,
    TUT_USE_PRODUCER_VERSION,
    TUT_USE_DIMS,
    TUT_USE_DTYPE,
    TUT_USE_LOCATION, /* data_location: 1 is external */
    TUT_USE_NAME,     /* of a tensor */
    TUT_USE_RAW,
    TUT_USE_FLOATS, /* 4 bytes each */
    TUT_USE_DOUBLES,
    TUT_USE_INTS, /* varints */
    TUT_USE_STRINGS
} tut_onnx_use;

typedef struct tut_onnx_field {
    tut_onnx_message in;
    uint8_t number;
    tut_onnx_wire wire; /* of one value; numbers that repeat may come packed */
    bool repeats;
    tut_onnx_use use;
    tut_onnx_message into;
} tut_onnx_field;

/* NULL: the format does not know it. */
const tut_onnx_field *tut_onnx_field_of(tut_onnx_message in, uint64_t number);
const char *tut_onnx_message_name(tut_onnx_message m);

enum {
    TUT_ONNX_TEXT = 128,
    TUT_ONNX_DIMS = 64,
    TUT_ONNX_DEPTH = 100, /* protobuf's own limit for nesting */
    TUT_ONNX_DOMAINS = 64,
    TUT_ONNX_OPS = 256
};

/* A message that is open. */
typedef struct tut_onnx_frame {
    tut_onnx_message kind;
    uint64_t at, end;
    uint64_t seen; /* fields by number, to 63 */
    int64_t number;
    char a[TUT_ONNX_TEXT], b[TUT_ONNX_TEXT]; /* node: op and domain; function: name and domain;
                                                opset: b; entry: key */
} tut_onnx_frame;

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
    tut_onnx_frame stack[TUT_ONNX_DEPTH];
    size_t depth;
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
    uint64_t unknown_bytes;
    uint64_t unknown_at; /* first unknown field of the model itself, or UINT64_MAX */
    uint64_t field_at;   /* of the model's field at hand */
} tut_onnx;

uint64_t tut_onnx_hash2(const char *domain, const char *name);
/* Reads a varint that must end before `end`. */
TUT_MUST tut_status tut_onnx_varint(tut_onnx *o, uint64_t end, uint64_t *ret, tut_error *err);
/* n bytes of text: at most `cap` - 1 of them kept, ended by NUL. */
TUT_MUST tut_status tut_onnx_text(tut_onnx *o, uint64_t n, char *to, size_t cap, tut_error *err);

/* onnx_graph.c */
void tut_onnx_end_node(tut_onnx *o, const tut_onnx_frame *f);
void tut_onnx_end_opset(tut_onnx *o, const tut_onnx_frame *f);
TUT_MUST tut_status tut_onnx_end_function(tut_onnx *o, const tut_onnx_frame *f, tut_error *err);
void tut_onnx_report(tut_onnx *o);
bool tut_onnx_in_function(const tut_onnx *o);

/* onnx_tensor.c */
void tut_onnx_begin_tensor(tut_onnx *o, uint64_t at);
TUT_MUST tut_status tut_onnx_tensor_field(tut_onnx *o, const tut_onnx_field *field, uint64_t wire,
                                          uint64_t value, tut_error *err);
TUT_MUST tut_status tut_onnx_end_tensor(tut_onnx *o, tut_error *err);

/* onnx_external.c */
TUT_MUST tut_status tut_onnx_read_entry(tut_onnx *o, uint64_t n, tut_error *err);
void tut_onnx_end_entry(tut_onnx *o, const tut_onnx_frame *f);
TUT_MUST tut_status tut_onnx_check_external(tut_onnx *o, bool is_sized, uint64_t bytes,
                                            tut_error *err);

#endif
