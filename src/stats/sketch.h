/*
 * Small sketches by which many queries can be compared with many.
 *
 * Texts: a MinHash of 32 four-bit minima over runs of five characters (one permutation, Li 2012;
 * places without a run borrow, Shrivastava 2014). Letter case, and what is neither letter nor
 * digit, do not count. The share of places that are alike, less what chance gives, estimates how
 * many runs the texts have in common of all that either has (Jaccard).
 *
 * Vectors: 16 sums of the numbers, each with a sign and in a sum that are drawn by its place (count
 * sketch, Charikar 2002): distances between sketches estimate distances between vectors.
 */
#ifndef TUT_STATS_SKETCH_H
#define TUT_STATS_SKETCH_H

#include "base/str.h"

enum { TUT_SKETCH_PLACES = 32, TUT_SKETCH_SUMS = 16 };

typedef struct tut_text_sketch {
    uint64_t words[2]; /* 32 places of four bits */
    uint32_t runs;     /* that it was made of; with few of them it says little */
} tut_text_sketch;

/* seed: makes sketches of one place meaningless elsewhere. Of texts above 64 KiB the two ends. */
tut_text_sketch tut_sketch_text(tut_str text, uint64_t seed);
/* 0 to TUT_SKETCH_PLACES; two of chance. */
unsigned tut_sketch_alike(const tut_text_sketch *a, const tut_text_sketch *b);

typedef struct tut_vector_sketch { /* zeroed: of no numbers yet */
    double sums[TUT_SKETCH_SUMS];
    uint64_t count, digest; /* of the numbers as they are: equal ones only for equal vectors */
} tut_vector_sketch;

void tut_sketch_add(tut_vector_sketch *s, double value, uint64_t seed); /* the next number */
double tut_sketch_norm(const tut_vector_sketch *s);
double tut_sketch_distance(const double a[TUT_SKETCH_SUMS], const double b[TUT_SKETCH_SUMS]);

/* A 64-bit digest with a secret seed; for telling things apart, not for keeping them safe. */
uint64_t tut_sketch_digest(const void *bytes, size_t len, uint64_t seed);

#endif
