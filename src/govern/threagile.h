/*
 * A Threagile model (schema.json of Threagile 1.0.0: github.com/Threagile/threagile) in the terms
 * of tutela.yaml: its data assets, technical assets, communication links and trust boundaries
 * become assets, components, flows and boundaries; its risk tracking becomes treatments where both
 * know the risk. What tutela.yaml has no word for is listed, field by field. docs/threats.md.
 *
 * Anchors, aliases and merge keys are followed, as Threagile models use them; nothing is copied for
 * it, so a file cannot grow by them.
 */
#ifndef TUT_GOVERN_THREAGILE_H
#define TUT_GOVERN_THREAGILE_H

#include "base/alloc.h"
#include "base/buf.h"

typedef struct tut_threagile_note { /* what could not be carried over */
    const char *place;              /* "technical_assets.*" */
    const char *field;              /* or "" */
    const char *why;
    const char *first; /* the first thing that says it */
    size_t count;
} tut_threagile_note;

typedef struct tut_threagile {
    const char *title;
    tut_buf assets, components, flows, boundaries; /* the items of each list, indented by 2 */
    tut_buf treatments;                            /* those of threats.treatments, by 4 */
    size_t asset_count, component_count, flow_count, boundary_count, treatment_count;
    tut_threagile_note *notes;
    size_t note_count;
    void *owner_;
} tut_threagile;

/* MALFORMED, USAGE name the file, line and column; the excerpt goes into ret_shown (may be NULL).
 * is_caged: the YAML is parsed in the cage. */
TUT_MUST tut_status tut_threagile_read(const char *file, tut_str text, bool is_caged,
                                       tut_threagile **ret_model, tut_buf *ret_shown,
                                       tut_error *err);
void tut_threagile_free(tut_threagile *t);
TUT_DEFINE_AUTO(tut_threagile)

/* The sections as YAML, with a head that names the file and what is left to say. */
TUT_MUST tut_status tut_threagile_yaml(const tut_threagile *t, const char *file, tut_buf *out,
                                       tut_error *err);
/* The same added to the text of a tutela.yaml that has none of components, flows and boundaries;
 * data assets join those that it has. USAGE says what stands in the way. */
TUT_MUST tut_status tut_threagile_merge(const tut_threagile *t, const char *dir, const char *file,
                                        tut_str tutela_yaml, tut_buf *out, tut_error *err);

#endif
