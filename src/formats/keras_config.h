/*
 * Keras' own JSON: what a model is built of, and what runs when it is loaded. It stands in
 * config.json of a .keras archive, in attributes of an HDF5 file, in keras_metadata.pb of a
 * SavedModel, or in a file by itself (model.to_json()).
 */
#ifndef TUT_FORMATS_KERAS_CONFIG_H
#define TUT_FORMATS_KERAS_CONFIG_H

#include "formats/format.h"

/* Reports facts, observations and Python events. `where` names the place ("/@model_config").
 * MALFORMED (told of as keras.bad-config) when it is no JSON that Python would read. */
TUT_MUST tut_status tut_keras_config_examine(tut_exam *x, tut_span json, const char *where,
                                             tut_error *err);

/* A configuration in an archive that speaks of no classes: is it JSON at all? */
void tut_keras_config_check(tut_exam *x, tut_span json);

#endif
