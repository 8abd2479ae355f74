/* What the files of this folder share. */
#ifndef TUT_BOM_BOM_INTERNAL_H
#define TUT_BOM_BOM_INTERNAL_H

#include "bom/bom.h"
#include "bom/g7.h"

#define TUT_BOM_MEMORY "memory ran out"
/* Ids of the system itself and of a running part among the refs of a document. */
#define TUT_BOM_SYSTEM_REF "system"

/* --- bom_read.c --- */
TUT_MUST tut_status tut_bom_read(tut_bom *bom, tut_span inventory, tut_error *err);
/* --- bom_link.c: edges to positions, cards to what they describe, unique refs --- */
TUT_MUST tut_status tut_bom_link(tut_bom *bom, tut_error *err);
/* --- bom_package.c: packages of all lock files, each once --- */
TUT_MUST tut_status tut_bom_packages(tut_bom *bom, tut_error *err);
/* --- bom_serial.c --- */
TUT_MUST tut_status tut_bom_number(tut_bom *bom, tut_error *err);

/* --- licence.c --- */
typedef enum tut_bom_licence_kind {
    TUT_BOM_LICENCE_NONE,       /* nothing is said, or that it is not known */
    TUT_BOM_LICENCE_ID,         /* one id of the SPDX list */
    TUT_BOM_LICENCE_EXPRESSION, /* ids joined by AND, OR, WITH */
    TUT_BOM_LICENCE_NAME        /* anything else */
} tut_bom_licence_kind;
/* What the text is. `out` takes it in the spelling of the SPDX list ("apache-2.0" is Apache-2.0);
 * a name as it is. */
tut_bom_licence_kind tut_bom_licence(tut_str text, tut_buf *out);

tut_bom_licence_kind tut_bom_licence_kind_of(tut_str text);
/* What the model's own file calls its architecture, else its card; or empty. */
tut_str tut_bom_architecture(const tut_bom *bom, const tut_bom_asset *a);

/* --- properties.c --- */
typedef struct tut_bom_properties {
    const tut_bom *bom;
    tut_json *j; /* within an array that takes them */
    bool is_spdx;
    tut_buf text;
    tut_code failed; /* of any text that was put together on the way */
} tut_bom_properties;
/* What was put together; that it failed is remembered until the check. */
tut_str tut_bom_said(tut_bom_properties *p, const tut_buf *text);
TUT_MUST tut_status tut_bom_check(const tut_bom_properties *p, tut_error *err);
/* "tutela:SPACE" + key; nothing is written where the value is empty. */
void tut_bom_property(tut_bom_properties *p, const char *space, tut_str key, tut_str value);
void tut_bom_property_z(tut_bom_properties *p, const char *space, const char *key, tut_str value);
void tut_bom_asset_properties(tut_bom_properties *p, const tut_bom_asset *a);
void tut_bom_system_properties(tut_bom_properties *p);
void tut_bom_document_properties(tut_bom_properties *p);

/* --- iri.c --- */
/* Appends the URL, safe for the formats' IRIs. False, and nothing appended: it is no URL. */
bool tut_bom_url(tut_str text, tut_buf *out);
/* Appends the text with everything but unreserved characters and '/' as %XX. */
void tut_bom_escape(tut_str text, tut_buf *out);
/* A purl of the asset at that address ("pkg:huggingface/org/name@1"); false where there is none. */
bool tut_bom_purl_of_url(tut_str url, tut_str version, tut_buf *out);
/* A mail address and nothing else. */
bool tut_bom_is_mail(tut_str text);

#endif
