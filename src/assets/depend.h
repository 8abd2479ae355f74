/* Dependencies between assets: declared ones, and those that a file itself names. */
#ifndef TUT_ASSETS_DEPEND_H
#define TUT_ASSETS_DEPEND_H

#include "assets/system.h"

/* Fills depends_on of every item (sorted, each once) from the declarations and from facts
 * "refers.*" of the files that the inventory was built from. */
TUT_MUST tut_status tut_depend_infer(tut_inventory *inv, tut_error *err);

#endif
