/*
 * OSCAL 1.2.1: four documents of an assessment, each a pure function of it. Every identifier is a
 * UUID of version 5 over what it names, so two runs over the same facts differ in nothing but
 * "last-modified", which is a->generated.
 *
 *   catalog                the 72 provisions in our own words, with what counts for each
 *   component-definition   what this version of Tutela checks for which provision, and what is
 *                          only planned
 *   assessment-results     observations (evidence), findings (verdicts), risks (what is not met)
 *   mapping-collection     the crosswalks of the catalogue
 *
 * What OSCAL has no place for is in props of the namespace TUT_OSCAL_NS; docs/oscal.md lists them.
 */
#ifndef TUT_ASSESS_OSCAL_H
#define TUT_ASSESS_OSCAL_H

#include "assess/assessment.h"

#define TUT_OSCAL_VERSION "1.2.1" /* the only place that says so */
#define TUT_OSCAL_NS "urn:tutela:oscal:1"

typedef enum tut_oscal_model {
    TUT_OSCAL_CATALOG,
    TUT_OSCAL_COMPONENTS,
    TUT_OSCAL_RESULTS,
    TUT_OSCAL_MAPPING,
    TUT_OSCAL_MODEL_COUNT
} tut_oscal_model;
const char *tut_oscal_model_name(tut_oscal_model m); /* "assessment-results": OSCAL's root key */
bool tut_oscal_model_parse(const char *word, tut_oscal_model *ret_model);
/* It says the same of every system: it is of this build alone. */
bool tut_oscal_model_is_of_build(tut_oscal_model m);

TUT_MUST tut_status tut_report_oscal(const tut_assessment *a, tut_oscal_model model, tut_buf *out,
                                     tut_error *err);
/* As the table of report files wants them. */
TUT_MUST tut_status tut_oscal_catalog(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_oscal_components(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_oscal_results(const tut_assessment *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_oscal_mapping(const tut_assessment *a, tut_buf *out, tut_error *err);

#endif
