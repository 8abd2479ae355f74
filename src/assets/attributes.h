/* The AI attributes of a component: typed, so that a rule never reads an unknown one as false. */
#ifndef TUT_ASSETS_ATTRIBUTES_H
#define TUT_ASSETS_ATTRIBUTES_H

#include "assets/schema.h"

extern const char tut_component_kinds[]; /* space separated */

/* Is this key of a component an attribute (a group such as "api", or a plain one)? */
bool tut_attribute_is_key(tut_str key);
/* Appends what the mapping child holds to the component, flattened: api.auth = "mtls". A list gives
 * the key once per item. */
TUT_MUST tut_status tut_attributes_read(tut_schema *s, const tut_yaml_node *component_node,
                                        tut_component *component, const char *what);
/* First value, or an empty view. */
tut_str tut_component_attribute(const tut_component *c, const char *key);

#endif
