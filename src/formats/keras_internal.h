/* What keras_config.c (reading, the walk) and keras_object.c (one object) share. */
#ifndef TUT_FORMATS_KERAS_INTERNAL_H
#define TUT_FORMATS_KERAS_INTERNAL_H

#include "base/buf.h"
#include "base/json.h"
#include "formats/format.h"

typedef struct tut_keras_item {
    const tut_json_value *value;
    tut_str layer; /* nearest name around it */
} tut_keras_item;

typedef struct tut_keras {
    tut_exam *x;
    const char *where;
    tut_str layer; /* around the value at hand */
    tut_keras_item *stack;
    size_t count, capacity;
    uint64_t layers;
    tut_buf types; /* distinct class names of layers, as a list for people */
    char line[256];
} tut_keras;

/* For "%.*s". */
#define TUT_KERAS_SHOWN(s) (int)((s).len < 120 ? (s).len : 120), (s).data

/* "/@model_config, in 'dense_1'": of the value at hand, until the next call. */
const char *tut_keras_where(tut_keras *k);
/* What an object of the tree does by itself; its children are visited by the walk. */
TUT_MUST tut_status tut_keras_object(tut_keras *k, const tut_json_value *v, tut_error *err);

#endif
