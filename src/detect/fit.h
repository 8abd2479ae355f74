/* tutela guard fit: trains the detector and says how good it is on what it has not seen. */
#ifndef TUT_DETECT_FIT_H
#define TUT_DETECT_FIT_H

#include "base/buf.h"

typedef struct tut_fit_options {
    const char *data; /* the folder of JSON lines with INDEX.tsv */
    uint64_t seed;
    bool measures; /* also the figures of held-out families: an hour of work for a minute's wait */
} tut_fit_options;

/* weights: what model.h reads. card: the figures, in Markdown. */
TUT_MUST tut_status tut_fit(const tut_fit_options *options, tut_buf *weights, tut_buf *card,
                            tut_error *err);

#endif
