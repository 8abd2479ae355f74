/*
 * What one attack came to: one number that decides, with its interval and what somebody without the
 * model would reach, and everything that people look at: further measures, curves, exposed rows.
 */
#ifndef TUT_PROBE_RESULT_H
#define TUT_PROBE_RESULT_H

#include "base/arena.h"
#include "base/json_write.h"

typedef enum tut_outcome {
    TUT_OUTCOME_UNMEASURED, /* `reason` says why: the attack did not fit, or was broken off */
    TUT_OUTCOME_PASS,       /* the whole interval keeps the bound */
    TUT_OUTCOME_FAIL,       /* the whole interval breaks it */
    TUT_OUTCOME_OPEN        /* the bound lies within the interval: more rows or queries decide */
} tut_outcome;
const char *tut_outcome_name(tut_outcome o); /* "unmeasured", "pass", "fail", "open" */

typedef struct tut_measure {
    const char *name;        /* "tpr_at_1", "auc", "epsilon" */
    double value, low, high; /* 95 %; NaN: there is none */
} tut_measure;

typedef struct tut_curve {
    const char *name, *x, *y; /* "LiRA", "false positive rate", "true positive rate" */
    bool is_logarithmic;      /* both axes */
    bool is_guarded;          /* measured through the guard */
    size_t count;
    const double *xs, *ys;
} tut_curve;

typedef struct tut_exposed { /* an input that shows it best */
    uint64_t row;            /* of the data; UINT64_MAX: of none */
    double score;
    const char *text; /* what was sent or came back, shortened and without secrets; or NULL */
} tut_exposed;

enum { TUT_RESULT_MEASURES = 64, TUT_RESULT_CURVES = 8, TUT_RESULT_EXPOSED = 20 };

typedef struct tut_attack_result {
    const char *metric; /* which measure decides: a name of tut_bounds (probe.h) */
    tut_measure decisive;
    double baseline; /* the same without the model; NaN: there is none */
    tut_measure measures[TUT_RESULT_MEASURES];
    size_t measure_count;
    tut_curve curves[TUT_RESULT_CURVES];
    size_t curve_count;
    tut_exposed exposed[TUT_RESULT_EXPOSED];
    size_t exposed_count;
    uint64_t queries; /* that this attack sent */
    uint64_t rows;    /* that it was measured on */
    /* For comparing two versions of a model on the same rows (regress.h): of each row whether it
     * held, '1' or '0'; NULL: the attack is not measured row by row. In the probe's arena. */
    const char *kept;
    bool has_sample;
    uint8_t sample[32];   /* SHA-256 of the rows and labels */
    const char *budget;   /* for people: "linf 0.1, 5,000 queries a row" */
    const char *reason;   /* UNMEASURED: why; else a remark, or NULL */
    const char *weakness; /* what it cannot show, in one sentence; or NULL */
    /* UNMEASURED, because there is nothing of the kind in what it answers: that was found by
     * asking, and is no lack of data. */
    bool does_not_apply;
    bool was_cut;        /* broken off: what stands here is of the part that was done */
    tut_outcome outcome; /* set by the caller, from the bound */
} tut_attack_result;

/* Texts and numbers of a result live in the probe's arena. */
void tut_result_add(tut_attack_result *r, const char *name, double value, double low, double high);
/* Copies the points; at most TUT_RESULT_CURVES, thinned to 512 points. */
void tut_result_add_curve(tut_attack_result *r, tut_arena *arena, const tut_curve *curve);
void tut_result_add_exposed(tut_attack_result *r, tut_arena *arena, uint64_t row, double score,
                            const char *text);

#endif
