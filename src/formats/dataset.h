/* What parts a data set in JSON from a configuration in JSON. */
#ifndef TUT_FORMATS_DATASET_H
#define TUT_FORMATS_DATASET_H

#include "formats/format.h"

/* An array of objects that are no tools. */
bool tut_dataset_is_records(const tut_sniff *s);
bool tut_dataset_is_tools(tut_str head);

#endif
