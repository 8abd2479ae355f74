/* What attacks on membership share: the rows in one list, the target's answers, references. */
#ifndef TUT_PROBE_MEMBERSHIP_INTERNAL_H
#define TUT_PROBE_MEMBERSHIP_INTERNAL_H

#include "probe/answers.h"
#include "probe/membership.h"
#include "probe/references.h"

typedef struct tut_mia_kept { /* all of it in the probe's arena */
    size_t count, members;    /* rows; members come first */
    size_t width, classes;
    float *rows;              /* count x width */
    uint32_t *labels;         /* below classes */
    uint64_t *numbers;        /* in the data */
    uint64_t *places;         /* among the rows of both files, members first */
    uint8_t *is_member;       /* count */
    double *answers;          /* count x classes; NaN: none */
    float *logits;            /* of `answers` */
    const tut_target *target; /* that gave them */
    uint64_t left_out;        /* rows that the allowance had no room for */
    const char *problem;      /* of the first query without an answer; NULL: all were answered */
    bool has_references;
    tut_mia_references references;
    const char *references_about; /* for people */
    double agreement;             /* NaN: recorded */
    double blind_tpr;             /* TPR at 1 % without the model; NaN: not measured */
    double blind_auc;
    bool was_cut;
} tut_mia_kept;

/* Members and others in one list, once for all attacks; where the allowance has no room for all,
 * as many as it has, drawn with the seed. Where data or target do not allow it *ret_reason says why
 * and *ret is NULL. */
TUT_MUST tut_status tut_mia_gather(tut_probe *p, tut_mia_kept **ret, const char **ret_reason,
                                   tut_error *err);
/* Asks the target about all of them, once. */
TUT_MUST tut_status tut_mia_ask(tut_probe *p, tut_mia_kept *k, tut_error *err);
/* Trains the references or takes the recorded ones, once. */
TUT_MUST tut_status tut_mia_refer(tut_probe *p, tut_mia_kept *k, const char **ret_reason,
                                  tut_error *err);
/* How far members and others are told apart without any model (boosted trees, each half of the
 * rows judged by the other; Das, Zhang and Tramer 2024), once. */
TUT_MUST tut_status tut_mia_blind(tut_probe *p, tut_mia_kept *k, tut_error *err);

/* Measures, curve and exposed rows from the scores. */
TUT_MUST tut_status tut_mia_report(tut_probe *p, const tut_mia_kept *k, const char *curve_name,
                                   const double *scores, tut_attack_result *ret, tut_error *err);

#endif
