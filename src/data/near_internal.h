/* For src/data/near*.c. */
#ifndef TUT_DATA_NEAR_INTERNAL_H
#define TUT_DATA_NEAR_INTERNAL_H

#include "base/alloc.h"
#include "data/near.h"
#include "stats/minhash.h"

enum {
    NEAR_BANDS = 21,
    NEAR_ROWS = 6,
    NEAR_DOCUMENT_BITS = 26, /* of an entry; the others are the key of the band */
    NEAR_REPRESENTATIVES = 8
};

/* What only the comparison needs of a document. */
typedef struct near_kept {
    uint64_t hash[2];
    uint64_t at; /* of its shingles, in the spool */
    uint32_t count;
    uint32_t parent; /* union-find */
} near_kept;

/* A sequence of 32-bit hashes: the newest in memory, those before in the scratch file. */
typedef struct near_segment {
    uint64_t first, count, offset; /* in hashes; in bytes of the file */
} near_segment;
typedef struct near_spool {
    uint32_t *tail;
    size_t tail_count, tail_capacity, tail_max;
    uint64_t tail_first;
    near_segment *segments;
    size_t segment_count, segment_capacity;
} near_spool;

typedef struct near_run {
    uint64_t offset, count;
} near_run;

/* Entries of bands: key << NEAR_DOCUMENT_BITS | document. */
typedef struct near_bands {
    uint64_t *entries, *other; /* other: as much again, to sort with */
    size_t count, capacity, max;
    near_run *runs;
    size_t run_count, run_capacity;
} near_bands;

struct tut_near {
    tut_near_options options;
    tut_near_counts counts;
    tut_minhash minhash;
    uint64_t seed;
    tut_near_document *documents;
    near_kept *kept;
    size_t document_capacity;
    uint32_t *slots; /* of exact hashes: a document + 1, or 0 */
    size_t slot_count;
    uint32_t *shingles; /* of the document at hand */
    size_t shingle_count, shingle_capacity;
    near_spool spool;
    near_bands bands;
    int scratch; /* -1: not lent yet */
    bool is_full, is_finished;
    uint64_t scratch_bytes;
    uint64_t steps_left; /* of verification */
};

/* --- near_words.c: fills n->shingles and the hash of the whole text. --- */
TUT_MUST tut_status near_read_words(tut_near *n, tut_str text, uint64_t ret_hash[2],
                                    bool *ret_is_cut, tut_error *err);

/* --- near_spool.c --- */
/* *ret_is_full: there is no room, and nothing was kept. */
TUT_MUST tut_status near_spool_add(tut_near *n, const uint32_t *hashes, size_t count,
                                   uint64_t *ret_at, bool *ret_is_full, tut_error *err);
TUT_MUST tut_status near_spool_get(const tut_near *n, uint64_t at, size_t count, uint32_t *to,
                                   tut_error *err);
void near_spool_done(near_spool *s);
/* Appends to the scratch file; *ret_is_there false: none is lent. */
TUT_MUST tut_status near_scratch_add(tut_near *n, const void *bytes, size_t len,
                                     uint64_t *ret_offset, bool *ret_is_there, tut_error *err);
TUT_MUST tut_status near_scratch_get(const tut_near *n, uint64_t offset, void *to, size_t len,
                                     tut_error *err);

/* --- near_bands.c --- */
TUT_MUST tut_status near_bands_add(tut_near *n, uint32_t document,
                                   const uint32_t signature[TUT_MINHASH_VALUES], bool *ret_is_full,
                                   tut_error *err);
/* Entries in order, each once. */
typedef tut_status (*near_visit)(void *ctx, uint64_t entry, tut_error *err);
TUT_MUST tut_status near_bands_each(tut_near *n, near_visit visit, void *ctx, tut_error *err);
void near_bands_done(near_bands *b);

/* --- near_verify.c --- */
TUT_MUST tut_status near_verify(tut_near *n, tut_error *err);
uint32_t near_root(near_kept *kept, uint32_t i);
void near_unite(near_kept *kept, uint32_t a, uint32_t b);

#endif
