/* What the files of the threat model share. */
#ifndef TUT_GOVERN_THREAT_INTERNAL_H
#define TUT_GOVERN_THREAT_INTERNAL_H

#include "base/map.h"
#include "govern/threat.h"

/* Places of the derived attributes: TUT_AT_COMPONENT_UNTRUSTED, TUT_AT_FLOW_CROSSES ... */
enum {
#define THREAT_ATTRIBUTE(element, symbol, name, type, words, absent, about)                        \
    TUT_AT_##element##_##symbol##_GLOBAL,
#include "govern/threat_attributes.def"
#undef THREAT_ATTRIBUTE
    TUT_THREAT_DERIVED_COUNT
};
enum {
    TUT_AT_COMPONENT_BASE = TUT_AT_COMPONENT_KIND_GLOBAL,
    TUT_AT_FLOW_BASE = TUT_AT_FLOW_AUTH_GLOBAL,
    TUT_AT_ASSET_BASE = TUT_AT_ASSET_KIND_GLOBAL,
    TUT_AT_BOUNDARY_BASE = TUT_AT_BOUNDARY_TRUST_GLOBAL,
    TUT_AT_PERMISSION_BASE = TUT_AT_PERMISSION_KIND_GLOBAL,
    TUT_AT_SYSTEM_BASE = TUT_AT_SYSTEM_MODELS_GLOBAL
};
enum {
#define THREAT_ATTRIBUTE(element, symbol, name, type, words, absent, about)                        \
    TUT_AT_##element##_##symbol = TUT_AT_##element##_##symbol##_GLOBAL - TUT_AT_##element##_BASE,
#include "govern/threat_attributes.def"
#undef THREAT_ATTRIBUTE
};

enum { TUT_TRUST_PUBLIC, TUT_TRUST_PARTNER, TUT_TRUST_INTERNAL, TUT_TRUST_RESTRICTED };
enum { TUT_SENSITIVITY_PUBLIC, TUT_SENSITIVITY_INTERNAL };
enum { TUT_EFFECTS_NONE, TUT_EFFECTS_INTERNAL, TUT_EFFECTS_EXTERNAL };

/* Place of a declared attribute of components: "api.auth". */
size_t tut_component_place(const char *key);
/* Place of the word in "a b c", or -1. */
int64_t tut_threat_word(const char *words, tut_str word);

/* While a model is built. */
typedef struct tut_threat_building {
    tut_threat_model *m;
    tut_system *system;
    const tut_assessment *assessment;
    tut_threat_element *components, *flows, *assets, *boundaries, *permissions, *whole;
    tut_map by_component, by_boundary;
    size_t permission_count;
    /* Flows by their ends: first[] of a component, next[] of a flow; SIZE_MAX ends. */
    size_t *out_first, *out_next, *in_first, *in_next;
    size_t *queue; /* of components */
    tut_error *err;
} tut_threat_building;

static inline int64_t *tut_threat_number(tut_threat_element *e, size_t place)
{
    return &e->values[place].number;
}

/* --- threat_model.c --- */
/* {"api.auth": "none", ...}: what is known of the element. */
/* Of its kind, with every value as absent. */
TUT_MUST tut_status tut_threat_start(tut_threat_building *b, tut_threat_element *e,
                                     tut_threat_on on, tut_str id);
void tut_threat_attributes_json(const tut_threat_element *e, tut_json *j);
/* --- threat_spread.c: what spreads along flows --- */
TUT_MUST tut_status tut_threat_spread(tut_threat_building *b);
/* --- threat_facts.c: what is known of assets, boundaries and the whole --- */
TUT_MUST tut_status tut_threat_facts_of_assets(tut_threat_building *b);
void tut_threat_facts_of_places(tut_threat_building *b);
/* --- threat_permission.c --- */
TUT_MUST tut_status tut_threat_permissions(tut_threat_building *b, tut_threat_element **ret_items,
                                           size_t *ret_count);
void tut_threat_permissions_settle(tut_threat_building *b);

#endif
