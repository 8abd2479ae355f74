/*
 * JSON text against a JSON schema (2020-12), as far as structured output uses it: type, properties,
 * required, additionalProperties, items, prefixItems, enum, const, numbers' and lengths' limits,
 * uniqueItems, pattern, $ref into $defs or definitions, and anyOf of one schema and null. What else
 * a schema asks for is not checked, and is said.
 */
#ifndef TUT_GUARD_SCHEMA_H
#define TUT_GUARD_SCHEMA_H

#include "base/buf.h"
#include "base/json.h"

enum { TUT_GUARD_SCHEMA_WHY = 120 };

/* A keyword that is not checked, or a pattern that cannot be read, anywhere in the schema; "" where
 * all of it is understood. */
TUT_MUST tut_status tut_guard_schema_understood(const tut_json_value *schema,
                                                char why[TUT_GUARD_SCHEMA_WHY], tut_error *err);

/* "" in why: it is of the schema. */
TUT_MUST tut_status tut_guard_schema_check(const tut_json_value *schema,
                                           const tut_json_value *value,
                                           char why[TUT_GUARD_SCHEMA_WHY], tut_error *err);

#endif
