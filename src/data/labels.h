/*
 * Rows whose label is probably wrong: confident learning (Northcutt, Jiang, Chuang 2021).
 *
 * Probabilities of the classes come from models that have not seen the row: the ten nearest
 * neighbours, weighed by their distance (leave one out), and logistic regression (five folds, each
 * with its share of every class), together by their geometric mean. Rows that both contradict are
 * then left out of what the models learn from, and probabilities are made again, so that wrong
 * labels do not vote for one another. The confident joint counts, for each pair of classes, rows
 * labelled a whose probability of b reaches what b's own rows have on average; as many rows are
 * taken as it says, by the margin of b over a (prune by noise rate).
 *
 * Classes that overlap by nature contradict their labels too, and no table is free of that. How
 * many labels are wrong is therefore also read off where classes do not overlap: the most certain
 * rows of each predicted class in the first round, a half of them down to a sixteenth, whichever is
 * contradicted least (wrong labels are as frequent in each, what overlaps fades). No more rows are
 * accused than the share of contradictions there allows (and its standard deviation), and only rows
 * whose label is more likely wrong than right: probabilities below 1/4096 count as that, since
 * models err. On clean data that is none, or few; never a fixed share. Where even the certain are
 * contradicted nearly as often as by guessing, nothing is doubted.
 */
#ifndef TUT_DATA_LABELS_H
#define TUT_DATA_LABELS_H

#include "data/found.h"
#include "stats/knn.h"
#include "stats/logistic.h"

enum {
    TUT_LABELS_NEIGHBOURS = 40, /* that are given of each row */
    TUT_LABELS_CLASSES = 1000,
    TUT_LABELS_FOLDS = 5
};

typedef struct tut_labels_input {
    const tut_design *x;             /* for logistic regression; NULL: neighbours only */
    const tut_neighbour *neighbours; /* count x neighbour_count */
    size_t count, neighbour_count;   /* at most TUT_LABELS_NEIGHBOURS */
    const uint32_t *labels;          /* below classes */
    size_t classes;
    uint64_t seed;
} tut_labels_input;

typedef struct tut_label_doubt {
    uint32_t row, given, likely; /* row: of the input */
    double right;                /* the probability that the given label is right after all */
    double q; /* of all rows with no larger `right`, the share to be expected so */
} tut_label_doubt;

typedef struct tut_label_doubts { /* zeroed: none */
    tut_label_doubt *items;       /* the most doubtful first */
    size_t count;
    uint64_t core, core_contradicted; /* the rows where classes overlap least */
    double p;     /* that so many are contradicted if one label in 200 is, as in clean sets */
    double noise; /* the share of wrong labels that this suggests */
    bool used_regression;
    bool is_unpredictable; /* the rows say too little about their labels to doubt any */
} tut_label_doubts;
void tut_label_doubts_done(tut_label_doubts *d);

/* USAGE: fewer than two classes, too many, or no neighbours. NOMEM, CANCELLED. */
TUT_MUST tut_status tut_labels_find(const tut_labels_input *in, tut_label_doubts *ret_doubts,
                                    tut_error *err);

/* --- its steps, for those who have probabilities already --- */
/* Out-of-sample probabilities, count x classes. left_out (may be NULL): rows that nothing is learnt
 * from. */
TUT_MUST tut_status tut_labels_probabilities(const tut_labels_input *in, const uint8_t *left_out,
                                             float *ret_probabilities, bool *ret_used_regression,
                                             tut_error *err);
/* The confident joint, classes x classes, counts by (given, likely); each row of it is scaled to
 * the labels of its class. */
TUT_MUST tut_status tut_labels_joint(const float *probabilities, const uint32_t *labels,
                                     size_t count, size_t classes, double *ret_joint,
                                     tut_error *err);
/* Sets is_doubted of the rows that the joint takes; the largest margins first. */
TUT_MUST tut_status tut_labels_prune(const float *probabilities, const uint32_t *labels,
                                     size_t count, size_t classes, const double *joint,
                                     uint8_t *is_doubted, tut_error *err);

#endif
