/*
 * The values of tensors: one pass over a file that feeds its digest and looks at every number on
 * the way.
 *
 * Parsers list tensors (tut_exam_ops.tensor) while the file is examined; the pass comes after, from
 * the first byte to the last, with memory that does not depend on the file. What is tested, and
 * why, is in docs/weights.md.
 */
#ifndef TUT_SCAN_WEIGHTS_H
#define TUT_SCAN_WEIGHTS_H

#include "base/arena.h"
#include "base/source.h"
#include "crypto/digest.h"
#include "formats/format.h"
#include "stats/moments.h"
#include "stats/numeric.h"

enum { TUT_WEIGHTS_DIMS = 6, TUT_WEIGHTS_HITS = 16 };

typedef struct tut_weights_tensor {
    const char *name;     /* escaped */
    const char *location; /* of the artefact that lists it, escaped */
    const char *dtype;    /* a literal */
    tut_numeric kind;
    bool is_parameter; /* of a format that stores weights, not arrays of any kind */
    uint8_t dim_count; /* of dims; 0: a scalar, or more than fit */
    uint64_t dims[TUT_WEIGHTS_DIMS];
    uint64_t begin, end; /* in the source of the pass */
    uint64_t storage;    /* see tut_weights_add_member; 0: none */
    tut_moments moments; /* filled by the pass; count 0: not looked at */
} tut_weights_tensor;

typedef struct tut_weights_hit { /* bytes of a tensor that are an artefact of their own */
    uint64_t begin, end;
    const char *location;
} tut_weights_hit;

typedef struct tut_weights_storage { /* PyTorch: the pickle says what the members beside it hold */
    uint64_t id;                     /* of archive and key, hashed */
    const char *dtype;
} tut_weights_storage;

typedef struct tut_weights {
    tut_arena text;
    tut_weights_storage *storages;
    size_t storage_count, storage_capacity;
    bool is_sorted;            /* the storages */
    struct tut_weights *types; /* whose storages say what members are, when not its own; or NULL */
    tut_weights_tensor *tensors;
    size_t count, capacity;
    size_t dropped; /* beyond TUT_LIMIT_TENSORS */
    tut_weights_hit hits[TUT_WEIGHTS_HITS];
    size_t hit_count;
    /* Findings: offset in the source, or TUT_NO_OFFSET; the line is escaped already. */
    void (*say)(void *ctx, const char *location, const char *rule, int severity, uint64_t offset,
                tut_str line);
    void (*fact)(void *ctx, const char *key, tut_str value);
    void *ctx;
} tut_weights;

void tut_weights_init(tut_weights *w);
void tut_weights_done(tut_weights *w);
/* One tensor of the artefact at `location`, whose bytes begin at `base` in the source of the pass.
 */
TUT_MUST tut_status tut_weights_add(tut_weights *w, tut_str location, bool is_parameter,
                                    const tut_tensor *tensor, uint64_t base);
/* A persistent id as the pickle machine shows it, "('storage', torch.FloatStorage, '0', …", in the
 * archive at `archive`; and a member of it named ".../data/KEY" that holds the bytes. The order of
 * the two does not matter. */
TUT_MUST tut_status tut_weights_add_storage(tut_weights *w, tut_str archive, tut_str id);
TUT_MUST tut_status tut_weights_add_member(tut_weights *w, tut_str archive, tut_str member,
                                           uint64_t begin, uint64_t end);
/* Gives the members their types; tut_weights_pass does it too. */
void tut_weights_match_storages(tut_weights *w);
/* Reads the source from beginning to end. hasher: NULL, or what all bytes go to as well. TRUNCATED
 * when the source shrinks. */
TUT_MUST tut_status tut_weights_pass(tut_weights *w, const tut_source *source, tut_hasher *hasher,
                                     tut_error *err);

#endif
