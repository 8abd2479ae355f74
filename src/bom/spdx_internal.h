/* What the files of the SPDX writer share. */
#ifndef TUT_BOM_SPDX_INTERNAL_H
#define TUT_BOM_SPDX_INTERNAL_H

#include "bom/bom_internal.h"

#define TUT_SPDX_CREATION "_:creationinfo"
#define TUT_SPDX_NOBODY "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"
#define TUT_SPDX_NO_LICENCE "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"

typedef struct tut_spdx {
    const tut_bom *bom;
    tut_json *j;
    tut_json *ids_json;
    tut_buf ids;      /* the array of all elements' ids */
    char base[64];    /* "urn:uuid:…#" */
    tut_map agents;   /* name -> number */
    tut_map licences; /* text as written -> number */
    size_t agent_count, licence_count, relations;
    bool lacks_ai, lacks_dataset; /* a member that the profile wants is not known */
    tut_bom_properties properties;
    tut_buf text;
    tut_error *err;
} tut_spdx;

/* Opens an element of the graph: type, spdxId ("asset/" + ref), creationInfo. */
void tut_spdx_open(tut_spdx *x, const char *type, const char *space, tut_str ref);
void tut_spdx_open_number(tut_spdx *x, const char *type, const char *space, size_t number);
void tut_spdx_close(tut_spdx *x);
/* The id of such an element, as the next value. */
void tut_spdx_id(tut_spdx *x, const char *space, tut_str ref);
void tut_spdx_id_number(tut_spdx *x, const char *space, size_t number);
void tut_spdx_put(tut_spdx *x, const char *key, tut_str value);

/* --- spdx_package.c --- */
void tut_spdx_system(tut_spdx *x);
void tut_spdx_asset(tut_spdx *x, size_t at);
void tut_spdx_package(tut_spdx *x, const tut_bom_package *p);
/* --- spdx_links.c --- */
void tut_spdx_relations(tut_spdx *x);

#endif
