/* For src/data/schema*.c. */
#ifndef TUT_DATA_SCHEMA_INTERNAL_H
#define TUT_DATA_SCHEMA_INTERNAL_H

#include "data/schema.h"

/* A column with no constraint. *ret lives until the next one. */
TUT_MUST tut_status schema_column_new(tut_data_schema *s, tut_str name,
                                      tut_data_schema_column **ret, tut_error *err);
TUT_MUST tut_status schema_values_reserve(tut_data_schema_column *c, size_t count, tut_error *err);
void schema_values_sort(tut_data_schema_column *c);

#endif
