/* What `tutela bom` says of the bill that it wrote. */
#ifndef TUT_CMD_BOM_VIEW_H
#define TUT_CMD_BOM_VIEW_H

#include "base/term.h"
#include "bom/bom.h"

typedef struct tut_bom_view {
    const tut_bom *bom;
    tut_bom_spec spec;
    const char *place;  /* how commands name the system; safe to print */
    const char *output; /* the file, or NULL: standard output */
    const char *signer; /* in words, or NULL: nobody */
    bool is_logged;
    uint64_t index; /* of the record */
} tut_bom_view;

TUT_MUST tut_status tut_bom_summary(const tut_bom_view *v, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_bom_summary_json(const tut_bom_view *v, const tut_buf *document,
                                         tut_buf *out, tut_error *err);
/* The 50 elements of the G7 list: known, known in part, or not known. */
TUT_MUST tut_status tut_bom_g7_table(const tut_bom *bom, tut_bom_spec spec, const tut_term *term,
                                     tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_bom_g7_json(const tut_bom *bom, tut_bom_spec spec, tut_buf *out,
                                    tut_error *err);

#endif
