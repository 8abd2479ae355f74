/*
 * Attacks that see the class alone keep to the border between the right class and the others: a
 * point that is wrong is looked for, drawn towards the row until it just is, and moved from there.
 * Each row goes its own way, so that one round asks about all of them.
 */
#ifndef TUT_PROBE_EVASION_BORDER_H
#define TUT_PROBE_EVASION_BORDER_H

#include "probe/evasion.h"

typedef enum tut_border_phase {
    TUT_BORDER_LOOK,
    TUT_BORDER_HALVE,
    TUT_BORDER_MOVE
} tut_border_phase;

typedef struct tut_border tut_border;
struct tut_border {
    uint8_t *phase;     /* tut_border_phase of each row */
    uint32_t *tries;    /* to find a first point */
    float *far;         /* count x width: what is added at the point that is wrong */
    double *low, *high; /* how much of it: right at low, wrong at high */
    double *length;     /* of what is added at the border */
    float *next;        /* width: room for a proposal */
    void *own;
    /* Puts queries for a row whose `far` lies at the border. */
    tut_status (*move)(tut_border *b, tut_evasion *e, size_t row, tut_error *err);
    void (*moved)(tut_border *b, tut_evasion *e, const tut_evasion_answer *a);
    /* The row has come to the border. */
    void (*arrived)(tut_border *b, tut_evasion *e, size_t row);
};

TUT_MUST tut_status tut_border_make(tut_border *b, tut_evasion *e, tut_error *err);
/* Every row until its queries are spent. */
TUT_MUST tut_status tut_border_run(tut_border *b, tut_evasion *e, tut_error *err);
/* `asked` is wrong: from there back towards the row. */
void tut_border_halve(tut_border *b, tut_evasion *e, size_t row, const float *asked);
/* From another point that is wrong. */
void tut_border_begin_again(tut_border *b, size_t row);
/* What HopSkipJump calls theta: how close to the border is close enough. */
double tut_border_theta(const tut_space *s);

#endif
