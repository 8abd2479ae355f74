/* For src/data/profile*.c. */
#ifndef TUT_DATA_PROFILE_INTERNAL_H
#define TUT_DATA_PROFILE_INTERNAL_H

#include "base/map.h"
#include "data/profile.h"

struct tut_profile {
    uint64_t rows;
    tut_profile_column **columns;
    size_t count, capacity;
    bool is_lean; /* set by the first batch */
    tut_map by_name;
    size_t *places; /* column of the profile for each of the batches' columns */
    size_t place_count, place_capacity;
    double *numbers; /* of one column of a batch, finite ones */
    uint32_t *rows_at;
    size_t numbers_capacity;
};

/* A column that was empty in all rows so far. */
TUT_MUST tut_status profile_column_new(tut_profile *p, tut_str name, tut_profile_column **ret,
                                       tut_error *err);
/* Cells of one column; sees: room for as many numbers and places. */
TUT_MUST tut_status profile_column_add(tut_profile_column *c, const tut_cells *cells, size_t count,
                                       double *numbers, uint32_t *at, tut_error *err);
TUT_MUST tut_status profile_column_merge(tut_profile_column *c, const tut_profile_column *from,
                                         tut_error *err);
/* Numbers whose count, mean and sum of squared distances are known. */
void profile_add_moments(tut_profile_numbers *n, uint64_t count, double mean, double m2);
void profile_add_range(tut_profile_numbers *n, double least, double most);
/* There are more values than counters: what was counted so far begins the sketch. */
TUT_MUST tut_status profile_begin_distinct(tut_profile_column *c, tut_error *err);
/* The place of a shape among the column's; TUT_PROFILE_SHAPES: none is kept. */
unsigned profile_shape_place(tut_profile_column *c, tut_str text);

#endif
