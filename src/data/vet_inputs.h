/* Which datasets paths name: files as they are; in a folder each file that looks like one by its
 * ending, and all texts of a folder together as one. Pictures in idx with a file of labels beside
 * them ("…-images-idx3-ubyte", "…-labels-idx1-ubyte") are one dataset with labels. */
#ifndef TUT_DATA_VET_INPUTS_H
#define TUT_DATA_VET_INPUTS_H

#include "base/arena.h"
#include "data/vet.h"
#include "scan/targets.h"

typedef struct tut_vet_inputs {
    tut_vet_input *items;
    size_t count, capacity;
    size_t passed_over;  /* files that are no datasets by their ending */
    tut_targets targets; /* owns the paths */
    const char **files;  /* of folders' texts */
    tut_arena arena;     /* names of folders */
    tut_buf baseline;
    tut_chunks against; /* of another version, as they were saved */
} tut_vet_inputs;
void tut_vet_inputs_done(tut_vet_inputs *in);

TUT_MUST tut_status tut_vet_inputs_collect(const char *const *paths, size_t count,
                                           tut_vet_inputs *ret_inputs, tut_error *err);

#endif
