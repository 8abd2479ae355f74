/* Parts of the reader of the built-in catalogue. */
#ifndef TUT_ASSESS_CATALOGUE_INTERNAL_H
#define TUT_ASSESS_CATALOGUE_INTERNAL_H

#include "assess/catalogue.h"
#include "base/arena.h"
#include "base/json.h"

/* BUG: "the built-in catalogue is damaged: WHAT of WHERE". */
tut_status tut_catalogue_damaged(tut_error *err, tut_str where, const char *what);

/* The frameworks with all that provisions may name of them; views of the document. */
TUT_MUST tut_status tut_frameworks_read(tut_arena *arena, const tut_json_value *list,
                                        tut_framework frameworks[TUT_FRAMEWORK_COUNT],
                                        tut_error *err);
/* A provision's maps: an id that its framework does not name is damage. */
TUT_MUST tut_status tut_crosswalk_read(tut_arena *arena, const tut_json_value *object,
                                       const tut_framework frameworks[TUT_FRAMEWORK_COUNT],
                                       tut_clause *clause, tut_error *err);

#endif
