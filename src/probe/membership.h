/*
 * Membership inference: was this row among those that the model was trained on? Pure functions over
 * answers that are there already; higher scores mean "member". attacks.def has the attacks that ask
 * a target and use these.
 *
 * Sources: loss (Yeom 2018), entropy and modified entropy (Song and Mittal 2021), LiRA (Carlini
 * 2022), RMIA (Zarifzadeh 2024), min-k% (Shi 2024); DeLong 1988 in the fast form of Sun and Xu
 * 2014; the lower bound on epsilon from error rates (Kairouz 2015), audited with exact intervals
 * (Nasr 2021).
 */
#ifndef TUT_PROBE_MEMBERSHIP_H
#define TUT_PROBE_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/status.h"

/* --- one answer: p has `classes` probabilities, label < classes --- */

/* Log of the right class's probability, at least that of 1e-12. */
double tut_mia_loss(const double *p, size_t classes, uint32_t label);
double tut_mia_entropy(const double *p, size_t classes); /* minus the entropy */
/* Minus the modified entropy: low where the model is sure of a wrong class. */
double tut_mia_modified_entropy(const double *p, size_t classes, uint32_t label);
/* Log odds of the right class against all others together, within 27.6 of 0. NaN where p has one.
 */
double tut_mia_logit(const double *p, size_t classes, uint32_t label);

/* Mean of the lowest `share` of the logarithms, at least one of them (min-k%, Shi et al. 2024);
 * NaNs are left out. They are put into another order. NaN: there are none. */
double tut_mia_min_k(double *logprobs, size_t count, double share);

/* --- against reference models --- */

typedef struct tut_mia_references {
    size_t models, rows;
    const float *logits;   /* models x rows: tut_mia_logit of the model's answer; NaN: none */
    const uint8_t *inside; /* models x rows: 1: the model was trained on the row */
} tut_mia_references;

typedef struct tut_lira_wish {
    bool is_online; /* models that saw the row count too; else those alone that did not */
    bool has_row_variance;
} tut_lira_wish;

/* Variances of single rows need enough models on either side; below so many all rows share one. */
enum { TUT_LIRA_SIDE_LEAST = 16 };
bool tut_lira_wants_row_variance(const tut_mia_references *r);

/* target: the logits of `rows` answers. A row that has no model on one side borrows the mean
 * distance between the sides; a row without any model scores NaN. */
TUT_MUST tut_status tut_mia_lira(const float *target, const tut_mia_references *r,
                                 const tut_lira_wish *wish, double *ret_scores, tut_error *err);

typedef struct tut_rmia_wish {
    bool is_online;
    double a; /* offline: P(x) = ((1 + a) * mean over models that did not see it + 1 - a) / 2 */
    double gamma;
    const uint8_t *is_population; /* rows: 1: belongs to Z, rows that the target never saw */
} tut_rmia_wish;

/* The share of z in Z with (P(x|target)/P(x)) / (P(z|target)/P(z)) >= gamma; x itself is left out
 * of Z; between two steps of the share the ratio itself decides. */
TUT_MUST tut_status tut_mia_rmia(const float *target, const tut_mia_references *r,
                                 const tut_rmia_wish *wish, double *ret_scores, tut_error *err);
/* The `a` out of 0, 0.1 .. 1 that tells most when up to four of the references are attacked with
 * the others; 0.3 (the paper's, for images) where there is one reference only. */
TUT_MUST tut_status tut_mia_rmia_choose_a(const tut_mia_references *r, double *ret_a,
                                          tut_error *err);

/* --- what scores are worth --- */

enum { TUT_ROC_RATES = 3, TUT_ROC_POINTS = 160 };
extern const double tut_roc_rates[TUT_ROC_RATES]; /* 0.01, 0.001, 0.0001 */

typedef struct tut_roc_at {
    double tpr, low, high; /* exact 95 % interval; NaN: too few non-members for this rate */
    double threshold;      /* members score at least so much */
} tut_roc_at;

typedef struct tut_roc {
    size_t members, others; /* with a score */
    double auc, auc_low, auc_high;
    tut_roc_at at[TUT_ROC_RATES];
    size_t points; /* of the curve, evenly on a logarithmic axis */
    double fpr[TUT_ROC_POINTS], tpr[TUT_ROC_POINTS];
} tut_roc;

/* is_member: 1 or 0 of each score; scores that are NaN are left out. USAGE where one side is
 * empty. */
TUT_MUST tut_status tut_mia_roc(const double *scores, const uint8_t *is_member, size_t count,
                                tut_roc *ret_roc, tut_error *err);

/*
 * With confidence 95 % no (epsilon, delta)-private training with a smaller epsilon leads to such
 * scores: log((TPR_low - delta) / FPR_high) or the same of the misses, at a threshold that one half
 * of the rows (drawn with the seed) picks and the other half is judged by. 0: nothing is shown.
 */
TUT_MUST tut_status tut_mia_epsilon(const double *scores, const uint8_t *is_member, size_t count,
                                    double delta, uint64_t seed, double *ret_epsilon,
                                    tut_error *err);

#endif
