/* Rows and answers of numbers as services and commands write them in JSON. */
#ifndef TUT_PROBE_TARGET_NUMBERS_H
#define TUT_PROBE_TARGET_NUMBERS_H

#include "probe/target_internal.h"

typedef enum numbers_form {
    NUMBERS_UNKNOWN,
    NUMBERS_PROBABILITIES,
    NUMBERS_SCORES,      /* before softmax */
    NUMBERS_PROBABILITY, /* one: of class 1 */
    NUMBERS_SCORE,       /* one, before the logistic function */
    NUMBERS_LABELS
} numbers_form;

/* What the first answer has shown holds for all. */
typedef struct target_numbers {
    numbers_form form;
    bool may_be_coarse; /* through a guard: rounded, or the small ones left out (0) */
    size_t width;       /* numbers of one row's answer */
    size_t classes;     /* of labels; 0: as many as are seen */
    uint32_t *labels;   /* of the call under way, where `classes` is not known; else NULL */
} target_numbers;

/* "[a,b]", without brackets; a comma before it where there is something before. */
void target_numbers_add(tut_buf *to, const float *row, size_t width, bool is_next);

TUT_MUST tut_status target_numbers_begin(target_numbers *n, tut_target *t, tut_predictions *p,
                                         tut_error *err);
/* data: numbers of `count` rows, in lists of lists or flat. False: it is no such answer, and the
 * problem is noted. *values is grown as needed, and the caller's to free. */
bool target_numbers_take(target_numbers *n, tut_target *t, tut_predictions *p,
                         const tut_json_value *data, size_t count, bool are_labels,
                         double **values);
/* Row `from` of what was taken is the answer to row `to`. */
void target_numbers_put(target_numbers *n, tut_predictions *p, size_t to, const double *values,
                        size_t from);
/* Labels become rows of a matrix when it is known how many there are. */
TUT_MUST tut_status target_numbers_end(target_numbers *n, tut_target *t, tut_predictions *p,
                                       tut_error *err);
bool target_numbers_differ(const tut_predictions *a, size_t i, const tut_predictions *b, size_t k);

#endif
