/* What a dataset is used for. */
#ifndef TUT_DATA_SPLIT_H
#define TUT_DATA_SPLIT_H

#include "base/str.h"

typedef enum tut_split {
    TUT_SPLIT_NONE, /* not known to be one of these */
    TUT_SPLIT_TRAIN,
    TUT_SPLIT_VALIDATION,
    TUT_SPLIT_TEST,
    TUT_SPLIT_COUNT
} tut_split;

const char *tut_split_name(tut_split split); /* "train"; "" of NONE */
/* train, training, valid, val, dev, validation, test, eval, holdout, … in any case. */
bool tut_split_parse(tut_str word, tut_split *ret_split);
/* By a word in the name of the file, else of its folder. */
tut_split tut_split_guess(const char *path);

#endif
