/* What the files of the GGUF parser share: gguf.c (order of it all), gguf_values.c (metadata),
 * gguf_tensors.c (tensor infos and layout), gguf_types.c (tables). */
#ifndef TUT_FORMATS_GGUF_INTERNAL_H
#define TUT_FORMATS_GGUF_INTERNAL_H

#include "base/buf.h"
#include "formats/extents.h"
#include "formats/format.h"
#include "formats/payload.h"

typedef enum tut_gguf_type {
    TUT_GGUF_U8,
    TUT_GGUF_I8,
    TUT_GGUF_U16,
    TUT_GGUF_I16,
    TUT_GGUF_U32,
    TUT_GGUF_I32,
    TUT_GGUF_F32,
    TUT_GGUF_BOOL,
    TUT_GGUF_STRING,
    TUT_GGUF_ARRAY,
    TUT_GGUF_U64,
    TUT_GGUF_I64,
    TUT_GGUF_F64,
    TUT_GGUF_TYPES
} tut_gguf_type;

enum { TUT_GGUF_KINDS = 41, TUT_GGUF_DIMS = 4, TUT_GGUF_NAME_MAX = 64 };

/* A type of numbers in tensors: `block` numbers take `bytes`; bytes 0: retired, never written now.
 */
typedef struct tut_gguf_kind {
    const char *name;
    uint16_t block, bytes;
} tut_gguf_kind;

extern const tut_gguf_kind tut_gguf_kinds[TUT_GGUF_KINDS];
uint32_t tut_gguf_type_bytes(tut_gguf_type type);           /* of a scalar; 0 for the others */
const char *tut_gguf_file_type(uint64_t general_file_type); /* "Q4_K_M"; NULL: not known */

/* A list of numbers that goes with the tokens. */
typedef struct tut_gguf_list {
    bool is_there;
    uint64_t count, bytes;
} tut_gguf_list;

typedef struct tut_gguf {
    tut_exam *x;
    bool is_big; /* big endian */
    uint32_t version;
    uint64_t tensor_count, value_count;
    uint64_t alignment;
    bool has_alignment;
    tut_extents keys;    /* names of metadata */
    tut_extents tensors; /* names, and where the data lies */
    tut_buf text;        /* a key or a string */
    /* the tensor infos are kept where they lie, for a second look once the data's start is known */
    uint64_t infos_at, data_at;
    uint64_t kind_counts[TUT_GGUF_KINDS];
    uint64_t parameters;
    uint64_t split_count, split_no;
    uint64_t token_count;
    tut_gguf_list scores, token_kinds;
} tut_gguf;

/* Bytes of the stream still there; UINT64_MAX: not known. */
uint64_t tut_gguf_left(const tut_gguf *g);
TUT_MUST tut_status tut_gguf_u32(tut_gguf *g, uint32_t *ret, tut_error *err);
TUT_MUST tut_status tut_gguf_u64(tut_gguf *g, uint64_t *ret, tut_error *err);
/* A string: its first `cap` bytes go to g->text, the rest is passed over. */
TUT_MUST tut_status tut_gguf_string(tut_gguf *g, size_t cap, uint64_t *ret_len, tut_error *err);
TUT_MUST tut_status tut_gguf_cut_off(tut_gguf *g, tut_error *err);

TUT_MUST tut_status tut_gguf_read_values(tut_gguf *g, tut_error *err);
TUT_MUST tut_status tut_gguf_read_tensors(tut_gguf *g, tut_error *err);
TUT_MUST tut_status tut_gguf_check_layout(tut_gguf *g, tut_error *err);

#endif
