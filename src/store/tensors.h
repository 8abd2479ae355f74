/*
 * What changed between two versions of a model file, tensor by tensor: names, types and shapes by
 * the file's own list (safetensors, GGUF), read in the cage; bytes by comparing them.
 */
#ifndef TUT_STORE_TENSORS_H
#define TUT_STORE_TENSORS_H

#include "base/arena.h"
#include "base/cage.h"

typedef struct tut_layout_tensor {
    tut_str name, dtype, shape;
    uint64_t begin, end;
} tut_layout_tensor;

typedef struct tut_tensor_list {
    const char *format;       /* a literal; NULL: no format whose tensors are known */
    tut_layout_tensor *items; /* by bytes of the name */
    size_t count;
    tut_buf reply; /* what the text borrows */
    tut_arena arena;
} tut_tensor_list;
/* An empty list for other formats; the file's own fault (MALFORMED, LIMIT and so on) when its list
 * cannot be read. */
TUT_MUST tut_status tut_tensors_read(int fd, tut_tensor_list *ret_list, tut_error *err);
void tut_tensor_list_done(tut_tensor_list *l);
/* The job of the cage, and what reads its reply. */
tut_status tut_tensors_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                           tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_tensors_decode(tut_span reply, tut_tensor_list *ret_list, tut_error *err);

typedef enum tut_tensor_change_kind {
    TUT_TENSOR_ADDED,
    TUT_TENSOR_REMOVED,
    TUT_TENSOR_RESHAPED, /* type or shape */
    TUT_TENSOR_CHANGED   /* its bytes */
} tut_tensor_change_kind;
const char *tut_tensor_change_word(tut_tensor_change_kind kind); /* "added" */

typedef struct tut_tensor_change {
    tut_tensor_change_kind kind;
    const tut_layout_tensor *before, *after; /* borrowed from the lists; NULL: not there */
} tut_tensor_change;

typedef struct tut_tensor_diff {
    tut_tensor_list before, after;
    tut_tensor_change *changes;
    size_t count, capacity;
    size_t same; /* tensors that are as they were */
} tut_tensor_diff;
void tut_tensor_diff_done(tut_tensor_diff *d);
/* Both files open for reading. */
TUT_MUST tut_status tut_tensor_compare(int before, int after, tut_tensor_diff *ret_diff,
                                       tut_error *err);

#endif
