/*
 * The G7 Cybersecurity Working Group's "SBOM for AI - Minimum Elements" (12 May 2026): 50 elements
 * in 7 clusters, one row each, and for a bill whether each is known. An element that is not known
 * is said to be so; none is left out.
 */
#ifndef TUT_BOM_G7_H
#define TUT_BOM_G7_H

#include "bom/bom.h"

enum { TUT_G7_COUNT = 50 };

typedef enum tut_g7_about { TUT_G7_DOCUMENT, TUT_G7_MODELS, TUT_G7_DATASETS } tut_g7_about;

typedef struct tut_g7_element {
    const char *id;               /* "Models-07" */
    const char *cluster;          /* "Models" */
    const char *name;             /* "Model hash value" */
    tut_g7_about about;           /* one for the document, or one for every model, every data set */
    const char *cyclonedx, *spdx; /* where it is */
    bool (*is_known)(const tut_bom *bom, const tut_bom_asset *a); /* a: NULL for the document */
} tut_g7_element;

extern const tut_g7_element tut_g7_elements[TUT_G7_COUNT];

typedef struct tut_g7_state {
    size_t known, of; /* of: 1 for the document, else the models or data sets; 0: there are none */
} tut_g7_state;
tut_g7_state tut_g7_judge(const tut_bom *bom, const tut_g7_element *element);
/* "known: PLACE", "known of 2 of 3: PLACE", "not known", "not known of any of 3",
 * "not known: the system has no model". */
void tut_g7_text(const tut_g7_element *element, const tut_g7_state *state, bool is_spdx,
                 tut_buf *out);

#endif
