/* What attacks on membership share: the rows in one list, the target's answers, references. */
#ifndef TUT_PROBE_MEMBERSHIP_INTERNAL_H
#define TUT_PROBE_MEMBERSHIP_INTERNAL_H

#include "probe/attack.h"
#include "probe/membership.h"
#include "probe/references.h"

typedef struct tut_mia_kept { /* all of it in the probe's arena */
    size_t count, members;    /* rows; members come first */
    size_t width, classes;
    float *rows;         /* count x width */
    uint32_t *labels;    /* below classes */
    uint64_t *numbers;   /* in the data */
    size_t *places;      /* among all members and, after them, all others */
    uint8_t *is_member;  /* count */
    double *answers;     /* count x classes; NaN: none */
    double *guarded;     /* the same through the guard; NULL: not asked for */
    float *logits;       /* of `answers` */
    uint64_t left_out;   /* rows that the allowance had no room for */
    const char *problem; /* of the first query without an answer; NULL: all were answered */
    bool has_references;
    tut_mia_references references;
    const char *references_about; /* for people */
    double agreement;             /* NaN: recorded */
    double blind_tpr;             /* TPR at 1 % without the model; NaN: not measured */
    double blind_auc;
    bool was_cut;
} tut_mia_kept;

/* Asks the target about members and others, once for all attacks; *ret_queries: sent by this call.
 * Where the data or the target do not allow it *ret_reason says why, and *ret is NULL. */
TUT_MUST tut_status tut_mia_ask(tut_probe *p, tut_mia_kept **ret, uint64_t *ret_queries,
                                const char **ret_reason, tut_error *err);
/* Trains the references or takes the recorded ones, once. */
TUT_MUST tut_status tut_mia_refer(tut_probe *p, tut_mia_kept *k, const char **ret_reason,
                                  tut_error *err);
/* How far members and others are told apart without any model (boosted trees, each half of the
 * rows judged by the other; Das, Zhang and Tramer 2024), once. */
TUT_MUST tut_status tut_mia_blind(tut_probe *p, tut_mia_kept *k, tut_error *err);

/* The answers of one target to `count` rows (width each), a part at a time, with the progress told
 * as `what`; order: which row next (NULL: as they stand), so that a part is a fair one. `ret` is
 * count x classes, NaN where there is none. */
TUT_MUST tut_status tut_mia_answers(tut_probe *p, tut_target *t, const float *rows,
                                    const uint64_t *numbers, size_t count, size_t width,
                                    size_t classes, const char *what, double *ret,
                                    const char **ret_problem, tut_error *err);

/* Measures, curves and exposed rows from the scores (and those through the guard, or NULL). */
TUT_MUST tut_status tut_mia_report(tut_probe *p, const tut_mia_kept *k, const char *curve_name,
                                   const double *scores, const double *guarded_scores,
                                   tut_attack_result *ret, tut_error *err);

#endif
