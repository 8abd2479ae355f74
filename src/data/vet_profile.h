/* A profile as people and scripts want it: what each column is, without what stands in it. */
#ifndef TUT_DATA_VET_PROFILE_H
#define TUT_DATA_VET_PROFILE_H

#include "data/profile.h"

/* Whether values of this column may be shown: nothing personal or secret was found there. */
typedef bool (*vet_may_show)(const void *ctx, tut_str column);

/* {"rows", "columns": [{"name", "type", "nulls", "distinct", …}]}; columns beyond
 * VET_PROFILE_COLUMNS are counted only. */
enum { VET_PROFILE_COLUMNS = 1024 };
TUT_MUST tut_status vet_profile_write(const tut_profile *p, vet_may_show may_show, const void *ctx,
                                      tut_json *j, tut_error *err);

#endif
