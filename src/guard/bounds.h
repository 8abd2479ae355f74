/*
 * What a baseline says of the numbers of a tensor: a feature for each column, and which numbers it
 * may hold. Value i of the tensor's data is one of feature i modulo their count, so the last axes
 * of its shape have to hold all features and nothing else.
 */
#ifndef TUT_GUARD_BOUNDS_H
#define TUT_GUARD_BOUNDS_H

#include <stdint.h>

#include "base/str.h"

typedef struct tut_guard_feature {
    tut_str name;         /* of the column; "-": a place that no column bounds */
    double least, most;   /* NaN: any */
    const double *values; /* in order, those from least to most */
    size_t value_count;   /* 0: any */
    bool is_whole;        /* least and most are whole too */
} tut_guard_feature;

/* NULL, or what is wrong with it: "out of its range". */
const char *tut_guard_feature_refuses(const tut_guard_feature *f, double n);
/* "18 to 99" */
void tut_guard_feature_range(const tut_guard_feature *f, char *buf, size_t cap);
/* Whether there is an end on both sides. */
bool tut_guard_feature_is_bounded(const tut_guard_feature *f);
/* A number that it may hold; near zero. */
double tut_guard_feature_sample(const tut_guard_feature *f);

/* Whether a shape's last axes hold `count` features; an axis below 0 can be of any length. One
 * feature stands alone in the last axis, or is all of one axis. */
bool tut_guard_features_fit(size_t count, const int64_t *shape, size_t rank);
/* Of a shape that fits: the lengths of its open axes, for one row. */
void tut_guard_features_close(size_t count, int64_t *shape, size_t rank);

#endif
