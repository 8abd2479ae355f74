/* What the files of the CycloneDX writer share. */
#ifndef TUT_BOM_CYCLONEDX_INTERNAL_H
#define TUT_BOM_CYCLONEDX_INTERNAL_H

#include "bom/bom_internal.h"

typedef struct tut_cdx {
    const tut_bom *bom;
    tut_json *j;
    tut_bom_spec spec;
    tut_bom_properties properties;
    const char *list; /* key of an array that is opened by its first item, or NULL */
    tut_buf text;     /* for what is put together on the way */
} tut_cdx;

#define TUT_CDX_STANDARD_REF "standard"
#define TUT_CDX_ASSESSOR_REF "assessor/tutela"
enum { TUT_CDX_VERSION_MAX = 1024 };

/* Nothing is written where the value is empty. */
void tut_cdx_put(tut_cdx *x, const char *key, tut_str value);
/* {"name"} of an organisation, under this key. */
void tut_cdx_organisation(tut_cdx *x, const char *key, tut_str name);
/* An array that is left out where it would be empty: begin, items that each call tut_cdx_item
 * first, end. */
void tut_cdx_begin_list(tut_cdx *x, const char *key);
void tut_cdx_item(tut_cdx *x);
void tut_cdx_end_list(tut_cdx *x);
/* {"type", "url", "comment"?} as an item of such a list; where the text is no address, nothing. */
void tut_cdx_reference(tut_cdx *x, const char *type, tut_str url, tut_str comment,
                       const tut_sha256 *digest);

/* --- cyclonedx_component.c --- */
void tut_cdx_asset(tut_cdx *x, const tut_bom_asset *a);
void tut_cdx_package(tut_cdx *x, const tut_bom_package *p);
/* What files say, what tutela.yaml says, the elements of the G7 list that are not known of it. */
void tut_cdx_properties(tut_cdx *x, const tut_bom_asset *a);
void tut_cdx_licences(tut_cdx *x, tut_str concluded, tut_str declared);
void tut_cdx_references(tut_cdx *x, const tut_bom_asset *a);
/* --- cyclonedx_model.c --- */
void tut_cdx_model_card(tut_cdx *x, const tut_bom_asset *a);
void tut_cdx_pedigree(tut_cdx *x, const tut_bom_asset *a);
/* --- cyclonedx_service.c --- */
void tut_cdx_services(tut_cdx *x);
/* Of the running parts: their refs, and what each depends on. */
void tut_cdx_part_refs(tut_cdx *x);
void tut_cdx_part_dependencies(tut_cdx *x);
/* --- cyclonedx_links.c --- */
void tut_cdx_dependencies(tut_cdx *x);
void tut_cdx_compositions(tut_cdx *x);
/* --- cyclonedx_declare.c --- */
void tut_cdx_definitions(tut_cdx *x);
void tut_cdx_declarations(tut_cdx *x);
/* --- jsf.c: JSON Signature Format 0.82 --- */
/* The signature object without its value. */
TUT_MUST tut_status tut_jsf_header(const tut_key *key, tut_buf *out, tut_error *err);
/* Appends the value, base64url, over the canonical bytes. */
TUT_MUST tut_status tut_jsf_sign(const tut_key *key, tut_span canonical, tut_buf *out,
                                 tut_error *err);

#endif
