/*
 * Everything that looks for poison in one dataset, in one pass over its rows: duplicates and
 * leakage (near.h), wrong labels (labels.h), backdoors (backdoor.h), spectral outliers (spectral.h)
 * and what one source does (burst.h). Rules of its findings:
 *
 *   dataset.exact-duplicate, dataset.near-duplicate, dataset.leakage
 *   dataset.label-error        score of a row: the probability that its label is wrong
 *   dataset.backdoor-patch     a finding for each trigger; p and q of the trigger
 *   dataset.backdoor-token     the same of words
 *   dataset.spectral-outlier   of given activations, or of an array's rows
 *   dataset.source-burst, dataset.label-skew-source
 *
 * What was not looked at, and what cannot be found, are sentences of their own. Not for several
 * threads at a time.
 */
#ifndef TUT_DATA_POISON_H
#define TUT_DATA_POISON_H

#include "data/features.h"
#include "data/found.h"
#include "data/near.h"
#include "data/rows.h"

typedef struct tut_poison_options { /* zeroed: no label, no source, no images */
    tut_str label, source;          /* names of columns; "": none. Borrowed */
    bool has_label_file;            /* labels come through tut_poison_label */
    size_t height, width, channels; /* of images; 0: there are none */
    uint64_t seed;
    /* Where duplicates are looked for, across datasets: the caller feeds it, finishes it before
     * this, and asks it for its findings. NULL: within this dataset alone, told by
     * tut_poison_finish. */
    tut_near *near;
    uint32_t dataset; /* its number in `near` */
    tut_split split;
    /* As in tut_near_options; used only without `near`. */
    tut_status (*scratch)(void *ctx, int *ret_fd, tut_error *err);
    void *ctx;
} tut_poison_options;

typedef struct tut_poison tut_poison;

TUT_MUST tut_status tut_poison_new(const tut_poison_options *options, tut_poison **ret,
                                   tut_error *err);
void tut_poison_free(tut_poison *p);
TUT_DEFINE_AUTO(tut_poison)

/* Labels in a file of their own, all of them before the first row. */
TUT_MUST tut_status tut_poison_label(tut_poison *p, const tut_batch *b, tut_error *err);
TUT_MUST tut_status tut_poison_feed(tut_poison *p, const tut_batch *b, tut_error *err);
/* A model's activations, a row for each row of the dataset, in their order. */
TUT_MUST tut_status tut_poison_activations(tut_poison *p, const tut_batch *b, tut_error *err);
/* Once, at the end. NOMEM, CANCELLED, IO. */
TUT_MUST tut_status tut_poison_finish(tut_poison *p, tut_data_findings *findings, tut_error *err);
/* After finish: what was not looked at and why, then what cannot be detected; borrowed. */
const char *const *tut_poison_notes(const tut_poison *p, size_t *ret_count);

#endif
