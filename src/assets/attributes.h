/* The AI attributes of a component: typed, so that a rule never reads an unknown one as false. */
#ifndef TUT_ASSETS_ATTRIBUTES_H
#define TUT_ASSETS_ATTRIBUTES_H

#include "assets/schema.h"

extern const char tut_component_kinds[]; /* space separated */

typedef enum tut_attribute_type {
    TUT_ATTRIBUTE_TEXT,
    TUT_ATTRIBUTE_WORD,
    TUT_ATTRIBUTE_LEVEL, /* a word; the words stand in order, the least first */
    TUT_ATTRIBUTE_FLAG,
    TUT_ATTRIBUTE_NUMBER, /* a whole number */
    TUT_ATTRIBUTE_TIME,
    TUT_ATTRIBUTE_TEXTS /* a list */
} tut_attribute_type;

typedef struct tut_attribute_row {
    const char *key; /* "api.auth" */
    tut_attribute_type type;
    const char *words;  /* space separated: of a WORD or LEVEL */
    const char *absent; /* what a rule takes one that is not given for: of a WORD or LEVEL */
} tut_attribute_row;

/* All of them, in order of their keys. */
const tut_attribute_row *tut_attribute_rows(size_t *ret_count);

/* Is this key of a component an attribute (a group such as "api", or a plain one)? */
bool tut_attribute_is_key(tut_str key);
/* Appends what the mapping child holds to the component, flattened: api.auth = "mtls". A list gives
 * the key once per item. */
TUT_MUST tut_status tut_attributes_read(tut_schema *s, const tut_yaml_node *component_node,
                                        tut_component *component, const char *what);
/* First value, or an empty view. */
tut_str tut_component_attribute(const tut_component *c, const char *key);

#endif
