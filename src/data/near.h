/*
 * Duplicates among documents: exact, near, and across what a model is trained on and tested with.
 *
 * Documents are added one by one; texts are not kept. Exact duplicates have the same 128-bit hash
 * of their text, in which any white space is one space. Near duplicates are found in shingles of
 * five words, as datasketch's users take them: a word is a run of letters and digits, their case
 * folded in ASCII, and each character by itself in scripts that do not put spaces between words. In
 * texts, words are what people copy; characters would find twice as many shared runs in texts that
 * only share a language. Of each set a MinHash of 128 values is made, its first 126 in 21 bands of
 * 6, which pairs with a Jaccard coefficient of 0.8 share with probability 0.998 (Leskovec,
 * Rajaraman, Ullman, Mining of Massive Datasets, ch. 3). Bands are sorted, not looked up: in
 * memory, or in runs in a file that the caller lends. What shares a band is verified: the Jaccard
 * coefficient of the sets of 32-bit hashes of the shingles themselves (two that collide move it by
 * one shingle: a pair in a hundred thousand, at the very threshold).
 *
 * Whatever the documents are, work stays linear: within a band each is verified against at most
 * eight that are not yet known to belong together, and all verification together against a
 * multiple of the shingles; what was left out is counted. Hashes are for telling texts apart, not
 * against somebody who makes texts collide; the seed keeps that from being done beforehand.
 *
 * Not for several threads at a time.
 */
#ifndef TUT_DATA_NEAR_H
#define TUT_DATA_NEAR_H

#include "base/str.h"
#include "data/found.h"
#include "data/rows.h"
#include "data/split.h"

enum {
    TUT_NEAR_DOCUMENTS = (1 << 26) - 1, /* at most */
    TUT_NEAR_SHINGLES = 1 << 20,        /* of one document; what follows is not compared */
    TUT_NEAR_WORDS = 5                  /* of a shingle */
};
#define TUT_NEAR_NONE UINT32_MAX

typedef struct tut_near_options { /* zeroed: the defaults */
    double threshold;             /* of the Jaccard coefficient; 0: 0.8 */
    uint64_t seed;
    size_t memory_bytes; /* for shingles and bands, beyond 120 bytes a document; 0: 128 MiB */
    /* Lends a descriptor open for reading and writing, of an empty file; it stays the caller's, and
     * must live as long as this. NULL: what does not fit in memory is compared exactly only. */
    tut_status (*scratch)(void *ctx, int *ret_fd, tut_error *err);
    void *ctx;
} tut_near_options;

typedef struct tut_near_document {
    uint64_t row;
    uint32_t dataset;
    uint8_t split;    /* tut_split */
    bool is_exact;    /* the link is to one whose text is the same */
    float jaccard;    /* with the link, verified; 1 of an exact duplicate */
    uint32_t link;    /* an earlier document that it duplicates, or TUT_NEAR_NONE */
    uint32_t cluster; /* the same for all that are linked with one another; after finish */
} tut_near_document;

typedef struct tut_near_counts {
    uint64_t documents, empty; /* empty: without a word; compared exactly only */
    uint64_t exact, near;      /* documents that have a link of the kind */
    uint64_t cut;              /* documents beyond TUT_NEAR_SHINGLES */
    uint64_t unmatched;        /* documents compared exactly only, for want of room */
    uint64_t pairs_verified, pairs_left_out;
    /* Of each split, the documents with a duplicate in the other: [a][b] those of a. */
    uint64_t leaks[TUT_SPLIT_COUNT][TUT_SPLIT_COUNT];
} tut_near_counts;

typedef struct tut_near tut_near;

TUT_MUST tut_status tut_near_new(const tut_near_options *options, tut_near **ret_near,
                                 tut_error *err);
void tut_near_free(tut_near *n);
TUT_DEFINE_AUTO(tut_near)

/* The next document. LIMIT beyond TUT_NEAR_DOCUMENTS. IO: of the scratch file. */
TUT_MUST tut_status tut_near_add(tut_near *n, uint32_t dataset, tut_split split, uint64_t row,
                                 tut_str text, tut_error *err);
/* A row of a table, as bytes that are equal for equal rows: for exact duplicates only. */
TUT_MUST tut_status tut_near_add_row(tut_near *n, uint32_t dataset, tut_split split, uint64_t row,
                                     tut_span bytes, tut_error *err);
/* All rows of a batch: those in which something is written by that, others as they are. scratch:
 * for the bytes of a row. */
TUT_MUST tut_status tut_near_add_rows(tut_near *n, uint32_t dataset, tut_split split,
                                      const tut_batch *batch, tut_buf *scratch, tut_error *err);
/* Compares; nothing is added after it. */
TUT_MUST tut_status tut_near_finish(tut_near *n, tut_error *err);

const tut_near_counts *tut_near_about(const tut_near *n);
const tut_near_document *tut_near_documents(const tut_near *n, size_t *ret_count);

/* Appends what finish found of one dataset: dataset.exact-duplicate, dataset.near-duplicate and
 * dataset.leakage (one for each pair of splits). names: of the datasets, by their number, for the
 * notes; where there are fewer, the note leaves it out. column may be empty. p and q are NaN: a
 * duplicate is verified, not inferred. */
TUT_MUST tut_status tut_near_report(const tut_near *n, uint32_t dataset, tut_str column,
                                    const char *const *names, size_t name_count,
                                    tut_data_findings *findings, tut_error *err);

#endif
