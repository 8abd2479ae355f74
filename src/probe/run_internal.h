/* What a run holds while it lasts. */
#ifndef TUT_PROBE_RUN_INTERNAL_H
#define TUT_PROBE_RUN_INTERNAL_H

#include "probe/run.h"

typedef struct tut_bench {
    const tut_probe_order *order;
    tut_probe_run *run; /* texts and paths live in its arena */
    tut_target *targets[TUT_PROBE_WAYS], *flooding[TUT_PROBE_WAYS];
    tut_target *reference; /* another model of texts; NULL: none */
    tut_sample *members, *others;
    tut_references *references; /* that somebody else trained; NULL: none */
    struct tut_mia_kept *kept;  /* what attacks on membership share; in the arena */
    tut_texts texts;
    const char *fixed, *failure;
    size_t axes, shape[8];
} tut_bench;

/* Of b->order and b->run. */
TUT_MUST tut_status tut_bench_open(tut_bench *b, tut_error *err);
void tut_bench_done(tut_bench *b);

#endif
