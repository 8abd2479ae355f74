/*
 * Protobuf messages, read by a table of their fields: the one reader for ONNX, TensorFlow, Core ML,
 * PaddlePaddle and Caffe.
 *
 *   message = { tag value }       tag: varint, field number << 3 | wire type
 *   value   = varint | 4 bytes | 8 bytes | length:varint bytes
 *
 * The walk keeps its own stack, so depth costs no recursion, and what no table row wants is passed
 * over at the speed of skipping. What breaks the encoding, and what loaders would read differently
 * from each other, is observed under the rules that the schema names.
 */
#ifndef TUT_FORMATS_PROTO_H
#define TUT_FORMATS_PROTO_H

#include "formats/format.h"

typedef enum tut_proto_wire {
    TUT_WIRE_VARINT,
    TUT_WIRE_64,
    TUT_WIRE_LEN,
    TUT_WIRE_32 = 5
} tut_proto_wire;

/* What is done with a field. A schema's own uses begin at OWN and are handed to value(). */
enum {
    TUT_PROTO_SKIP,
    TUT_PROTO_ENTER,  /* a message of kind `into` */
    TUT_PROTO_TEXT_A, /* text into the frame's a */
    TUT_PROTO_TEXT_B,
    TUT_PROTO_PROSE,  /* text that nobody needs but people: looked into, then passed over */
    TUT_PROTO_NUMBER, /* into the frame's number */
    TUT_PROTO_OWN
};

typedef struct tut_proto_field {
    uint8_t in; /* kind of message; the rows of one kind stand together */
    uint16_t number;
    uint8_t wire; /* of one value; numbers that repeat may come packed */
    bool repeats;
    uint8_t use, into;
} tut_proto_field;

typedef struct tut_proto_schema {
    const tut_proto_field *fields;
    size_t count;
    const char *const *names; /* of messages, for people */
    const char *family;       /* "ONNX" */
    /* Rules; NULL: not worth a word. */
    const char *malformed, *nesting, *padded, *wrong_wire, *duplicate, *unknown;
} tut_proto_schema;

enum {
    TUT_PROTO_TEXT = 128,
    TUT_PROTO_DEPTH = 100, /* protobuf's own limit for nesting */
    TUT_PROTO_KINDS = 64
};

/* A message that is open. */
typedef struct tut_proto_frame {
    uint8_t kind;
    uint64_t at, end;
    uint64_t seen; /* rows of its kind */
    int64_t number;
    char a[TUT_PROTO_TEXT], b[TUT_PROTO_TEXT];
} tut_proto_frame;

typedef struct tut_proto_ops {
    void (*begin)(void *ctx, tut_proto_frame *f); /* or NULL */
    /* wire is what stood in the file: LEN with value = length, and then these bytes must be
     * consumed (a row of numbers may come packed), or a number with its value (0 for fixed sizes).
     */
    tut_status (*value)(void *ctx, tut_proto_frame *f, const tut_proto_field *field, uint64_t wire,
                        uint64_t value, tut_error *err);
    /* The message is read to its end; it is no longer on the stack, its parent is on top. */
    tut_status (*end)(void *ctx, const tut_proto_frame *f, tut_error *err);
} tut_proto_ops;

typedef struct tut_proto {
    tut_exam *x;
    const tut_proto_schema *schema;
    const tut_proto_ops *ops;
    void *ctx;
    size_t depth;
    tut_proto_frame stack[TUT_PROTO_DEPTH];
    uint16_t first[TUT_PROTO_KINDS + 1]; /* row, by kind */
    uint64_t unknown_bytes;
    uint64_t unknown_at; /* first unknown field of the outermost message, or UINT64_MAX */
    uint64_t field_at;   /* of the outermost message's field at hand */
} tut_proto;

void tut_proto_init(tut_proto *p, tut_exam *x, const tut_proto_schema *schema,
                    const tut_proto_ops *ops, void *ctx);
/* Reads a message of this kind from the stream's position to `end` (UINT64_MAX: to its end). */
TUT_MUST tut_status tut_proto_walk(tut_proto *p, uint8_t kind, uint64_t end, tut_error *err);
/* Observes the schema's rule for what is malformed, and fails. */
TUT_MUST tut_status tut_proto_bad(tut_proto *p, const char *why, tut_error *err);
TUT_MUST tut_status tut_proto_cut(tut_proto *p, tut_error *err);
/* Reads a varint that must end before `end`. */
TUT_MUST tut_status tut_proto_varint(tut_proto *p, uint64_t end, uint64_t *ret, tut_error *err);
/* n bytes of text: at most `cap` - 1 of them kept, ended by NUL. */
TUT_MUST tut_status tut_proto_text(tut_proto *p, uint64_t n, char *to, size_t cap, tut_error *err);
TUT_MUST tut_status tut_proto_skip(tut_proto *p, uint64_t n, tut_error *err);
/* How many varints lie in the next n bytes. */
TUT_MUST tut_status tut_proto_count(tut_proto *p, uint64_t n, uint64_t *count, tut_error *err);
const tut_proto_field *tut_proto_field_of(const tut_proto_schema *s, uint8_t in, uint64_t number);
/* What follows the outermost message, or hides in fields that it does not know: looked at as
 * hidden content; a zip archive at the end is reported under `polyglot`. Keeps *err of `status`. */
TUT_MUST tut_status tut_proto_look_behind(tut_proto *p, tut_status status, const char *polyglot,
                                          tut_error *err);

/* Does the head read as a message of this kind? How many known fields it shows, at all depths; 0
 * when anything is unknown, of another wire type, longer than what holds it, or is text by the
 * schema and holds control characters, unless it stands behind many known ones. */
size_t tut_proto_sniff(const tut_proto_schema *s, uint8_t kind, const tut_sniff *sniff);
/* For a file whose name says what it is: does a field that the outermost message has come in sight,
 * behind sound ones and groups that loaders pass over? What it claims need not be there. */
bool tut_proto_shows(const tut_proto_schema *s, uint8_t kind, const tut_sniff *sniff);

#endif
