/* What the model looked at, by attack class, and what it could not look at. */
#ifndef TUT_GOVERN_THREAT_COVERAGE_H
#define TUT_GOVERN_THREAT_COVERAGE_H

#include "govern/threat.h"

typedef struct tut_coverage {
    tut_str threat;
    size_t rules, looked_at, risks; /* rules of the class, elements they were asked about, found */
    bool is_wanted;                 /* a class that a row of the catalogue names */
} tut_coverage;
/* The n-th attack class; false behind the last. */
bool tut_coverage_at(const tut_threats *t, size_t n, tut_coverage *ret);

typedef struct tut_gap { /* what is missing in the description, so that rules see too little */
    char *what;
    const char *why;
    bool decides; /* without it the model does not cover the system */
} tut_gap;
typedef struct tut_gaps {
    tut_gap *items;
    size_t count, capacity;
} tut_gaps;
void tut_gaps_done(tut_gaps *g);
TUT_MUST tut_status tut_gaps_find(const tut_threats *t, const tut_system *system, tut_gaps *ret,
                                  tut_error *err);

#endif
