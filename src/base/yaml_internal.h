/* What the YAML files share. */
#ifndef TUT_BASE_YAML_INTERNAL_H
#define TUT_BASE_YAML_INTERNAL_H

#include "base/arena.h"
#include "base/yaml.h"

struct tut_yaml {
    tut_arena arena; /* source, scalars, keys */
    tut_str source;
    tut_yaml_node *nodes; /* parents before children, siblings in order; the root is 0 if present */
    size_t count, capacity;
    bool has_root;
    tut_yaml_facts facts;
};

/* An empty tree over a copy of text; LIMIT when that is too large. */
TUT_MUST tut_status tut_yaml_new(tut_str text, tut_yaml **ret_yaml, tut_error *err);
/* A copy in the tree's arena. */
TUT_MUST tut_status tut_yaml_keep(tut_yaml *y, tut_str text, tut_str *ret_copy);
/* One more node, zeroed; its index is count - 1. */
TUT_MUST tut_status tut_yaml_add(tut_yaml *y, tut_yaml_node **ret_node, tut_error *err);
/* Depth-first limits, links, ranges: whether nodes from outside form one tree over the source. */
TUT_MUST tut_status tut_yaml_check_tree(const tut_yaml *y, tut_error *err);

/* The tree as bytes, for the way between two processes. */
void tut_yaml_encode(const tut_yaml *y, tut_buf *out);
/* Reads hostile bytes: every index, range, link and text is checked. */
TUT_MUST tut_status tut_yaml_decode(tut_str text, tut_span encoded, tut_yaml **ret_yaml,
                                    tut_error *err);

/* A problem that libyaml reports, in words for people. */
const char *tut_yaml_problem(const char *problem, const char *context);

#endif
