/*
 * Drift between two tables: each feature by a test that fits its kind, all of them together by
 * Benjamini and Hochberg, features jointly by MMD and by a classifier, and a model's performance
 * where its probabilities are there.
 *
 * A feature has drifted when q is at most alpha AND the effect is at least the threshold: with
 * enough rows everything is significant.
 *   numbers     Kolmogorov-Smirnov; the effect is its statistic, 0 to 1
 *   categories  chi-square; the effect is Cohen's w (Cramér's V of two samples)
 *   language    n-grams; the effect is the Jensen-Shannon distance above that of chance
 *   missing     chi-square of what is there and what not; the effect is the change of the share
 */
#ifndef TUT_WATCH_DRIFT_H
#define TUT_WATCH_DRIFT_H

#include "base/json_write.h"
#include "stats/mmd.h"
#include "watch/pair.h"

enum { TUT_DRIFT_NAME = 128, TUT_DRIFT_NOTE = 160, TUT_DRIFT_BARS = 24, TUT_DRIFT_LABEL = 40 };

typedef struct tut_drift_options {
    double alpha, effect; /* 0.05 and 0.1 by default */
    double power;         /* 0.8 */
    size_t least;         /* rows a side below which nothing is judged: 20 */
    tut_str prediction;   /* columns; empty: no performance */
    tut_str probability, label;
    uint64_t seed;
} tut_drift_options;
extern const tut_drift_options tut_drift_by_default;

/* How the two are spread, for a picture: bars of both, side by side. */
typedef struct tut_drift_bars {
    size_t count;
    bool has_edges; /* numbers: bar i lies between edges i and i + 1; else it has a label */
    double edges[TUT_DRIFT_BARS + 1];
    char labels[TUT_DRIFT_BARS][TUT_DRIFT_LABEL];
    uint64_t counts[TUT_SIDES][TUT_DRIFT_BARS];
} tut_drift_bars;

typedef struct tut_drift_feature {
    char name[TUT_DRIFT_NAME];
    char kind[16]; /* "number", "category", "language", "identifier", "text", "empty", "absent" */
    char test[32]; /* "ks", "chi2", "permutation", "ngrams"; "" when there is none */
    double statistic, p, q, effect; /* NaN without a test */
    double psi, js, wasserstein;    /* NaN where they mean nothing */
    double mean_difference;         /* standardised by the pooled deviation (Cohen's d) */
    double detectable, needed;      /* the least effect found with this power at this n and alpha;
                                       rows a side needed to find the threshold */
    uint64_t n[TUT_SIDES], missing[TUT_SIDES];
    double missing_p, missing_q; /* NaN where nothing is missing */
    bool drifted, is_missing_drifted;
    char note[TUT_DRIFT_NOTE];
    tut_drift_bars bars;
} tut_drift_feature;

/* Label-free performance of a classifier (CBPE, as NannyML names it): from probabilities that are
 * calibrated on the reference, what its share of right answers has to be. */
typedef struct tut_drift_performance {
    bool is_there, has_current; /* has_current: the current side has labels too */
    double accuracy[TUT_SIDES]; /* realised on the reference, estimated on the current side */
    double auc[TUT_SIDES];
    double accuracy_low, accuracy_high;     /* 95 % of the estimate */
    double realised_accuracy, realised_auc; /* of the current side, NaN without labels */
    double p;                               /* of no worse than on the reference */
    bool drifted;                           /* it is worse, by at least `effect_least` */
    double effect_least;
    char note[TUT_DRIFT_NOTE];
} tut_drift_performance;

typedef struct tut_drift {
    tut_drift_feature *features;
    size_t count, drifted; /* drifted: features of which the values or the gaps did */
    uint64_t rows[TUT_SIDES], kept[TUT_SIDES], defects[TUT_SIDES];
    double alpha, effect;
    struct {
        bool is_there, drifted;
        size_t features, points[TUT_SIDES];
        tut_mmd mmd;
        tut_auc classifier;
    } joint;
    tut_drift_performance performance;
    bool is_enough; /* something could be judged */
    char why[TUT_DRIFT_NOTE];
} tut_drift;

void tut_drift_free(tut_drift *d);
TUT_DEFINE_AUTO(tut_drift)

/* The pair's numbers are put into order: it is good for one judgement. */
TUT_MUST tut_status tut_drift_judge(tut_pair *p, const tut_drift_options *options,
                                    tut_drift **ret_drift, tut_error *err);
/* Some of it is worth an alarm. */
bool tut_drift_is_found(const tut_drift *d);

/* The members of tutela.drift/1, of an object that is open: what a worker hands back, and what the
 * command prints. */
void tut_drift_json(const tut_drift *d, tut_json *j);
/* MALFORMED: it is none of ours. */
TUT_MUST tut_status tut_drift_read(tut_span json, tut_drift **ret_drift, tut_error *err);
/* A report for people, one file, nothing from elsewhere. names: of the two sides. */
TUT_MUST tut_status tut_drift_html(const tut_drift *d, const char *const names[TUT_SIDES],
                                   tut_buf *out, tut_error *err);

#endif
