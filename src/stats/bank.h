/*
 * A bank of CUSUM detectors over one stream (Page 1954; Lorden 1971): each lane is the likelihood
 * ratio of one change against what was learnt, and a lane over its threshold is an alarm.
 *
 * What is learnt: of events that are 0 or 1 their share; of counts that scatter like Poisson's
 * their rate; of any other numbers their quantiles, by which each becomes a normal score, so that
 * no shape is assumed; how far one score follows the one before (AR(1)), which is taken out; and
 * how much the rest still hangs together, by which evidence counts less.
 *
 * Thresholds follow from the false-alarm interval that is asked for (Siegmund 1985, with his
 * correction for overshoot), shared over the lanes. That the baseline is itself an estimate is
 * taken into account: lanes compare with the far end of its error, and changes that are smaller
 * than what it can tell are not looked for. tests/unit/bank.c and bench/watch.c measure the
 * interval.
 */
#ifndef TUT_STATS_BANK_H
#define TUT_STATS_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TUT_BANK_LANES = 16, TUT_BANK_KNOTS = 64, TUT_BANK_LEAST = 50 };

typedef enum tut_bank_kind { TUT_BANK_SHARE, TUT_BANK_RATE, TUT_BANK_NUMBER } tut_bank_kind;
const char *tut_bank_kind_name(tut_bank_kind kind); /* "share", "rate", "number" */

typedef enum tut_change {
    TUT_CHANGE_NONE,
    TUT_CHANGE_UP,
    TUT_CHANGE_DOWN,
    TUT_CHANGE_WIDER,
    TUT_CHANGE_NARROWER
} tut_change;
const char *tut_change_name(tut_change change); /* "up" */

/* How a number becomes a normal score: by its rank among those that were learnt. Knots are as far
 * apart in scores, not in numbers, so that tails have as many as they need. */
typedef struct tut_ranks {
    float knots[TUT_BANK_KNOTS];   /* quantiles, ascending */
    float on_knot[TUT_BANK_KNOTS]; /* the score of a value that is a knot itself: ties */
    float slopes[TUT_BANK_KNOTS];  /* of scores, from the knot before to this one */
    float beyond;                  /* the score above the last; below the first its opposite */
} tut_ranks;

typedef struct tut_bank {
    /* of each lane: the score so far; its step a * x + b * x * x + c; its threshold */
    float s[TUT_BANK_LANES], a[TUT_BANK_LANES], b[TUT_BANK_LANES], c[TUT_BANK_LANES],
        h[TUT_BANK_LANES];
    uint8_t change[TUT_BANK_LANES]; /* tut_change */
    tut_bank_kind kind;
    uint32_t learnt;        /* events */
    double mean, deviation; /* of what was learnt, as values */
    tut_ranks ranks;        /* NUMBER: of values */
    tut_ranks steps;        /* of what does not follow from the score before, where anything does */
    float follows, last;    /* AR(1): coefficient, last score */
    float ewma;             /* of scores; NUMBER only */
    float ewma_limit;
} tut_bank;

/* Learns from count >= TUT_BANK_LEAST finite values, in the order in which they came. interval:
 * mean number of events between false alarms. work: room for 2 * count numbers. */
void tut_bank_learn(tut_bank *bank, const double *values, size_t count, double interval,
                    double *work);
/* The same where the kind is known. */
void tut_bank_learn_as(tut_bank *bank, tut_bank_kind kind, const double *values, size_t count,
                       double interval, double *work);
/* Takes one value in; SIZE_MAX while no lane is over its threshold, else the lane furthest over;
 * TUT_BANK_LANES: the moving average is beyond its limit. */
size_t tut_bank_step(tut_bank *bank, double value);
/* A lane over its threshold whose change is not among these (bits 1 << tut_change), or SIZE_MAX. */
size_t tut_bank_over(const tut_bank *bank, unsigned but);
tut_change tut_bank_change(const tut_bank *bank, size_t lane);
/* What x the lanes see of a value; for NUMBER this moves the memory of the last one. */
float tut_bank_score(tut_bank *bank, double value);
void tut_bank_reset(tut_bank *bank);
/* While an episode is open: lanes of these changes that are above so great a part of their
 * threshold begin anew. False: there was one, or the average is beyond its limit; it goes on. */
bool tut_bank_is_calm(tut_bank *bank, unsigned among, float part);

#endif
