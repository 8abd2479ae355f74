/* Looking for pickles among other bytes. */
#ifndef TUT_FORMATS_PICKLE_SEARCH_H
#define TUT_FORMATS_PICKLE_SEARCH_H

#include "base/budget.h"
#include "formats/pickle_input.h"

typedef enum tut_psearch_what {
    TUT_PSEARCH_NOTHING, /* to the end */
    TUT_PSEARCH_PICKLE,  /* the input stands at its first byte */
    TUT_PSEARCH_ZIP      /* a local file header */
} tut_psearch_what;

typedef struct tut_psearch {
    tut_psearch_what what;
} tut_psearch;

void tut_psearch_skip_zeros(tut_pinput *in);
/* Moves to the next place where a pickle that names something, or an archive, begins. Steps are
 * charged for looking: LIMIT. */
TUT_MUST tut_status tut_psearch_next(tut_pinput *in, tut_budget *budget, tut_psearch *ret,
                                     tut_error *err);

#endif
