/* Sections of tutela.yaml, one file each; used by system.c alone. */
#ifndef TUT_ASSETS_SYSTEM_INTERNAL_H
#define TUT_ASSETS_SYSTEM_INTERNAL_H

#include "assets/schema.h"

/* Items of a list section, in fresh arena memory; *ret_node is NULL when the section is absent. */
TUT_MUST tut_status tut_schema_list(tut_schema *s, const char *key, size_t item_size,
                                    void **ret_items, const tut_yaml_node **ret_node);
/* assets, and that every dependency is declared. */
TUT_MUST tut_status tut_system_read_assets(tut_schema *s);
/* components, flows, boundaries, exclusions, and that they name each other rightly. */
TUT_MUST tut_status tut_system_read_graph(tut_schema *s);
/* policy.scan and policy.sources. */
TUT_MUST tut_status tut_system_read_policy(tut_schema *s);

#endif
