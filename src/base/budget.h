/* What one examination may use in all, shared by every layer of a nested artefact. */
#ifndef TUT_BASE_BUDGET_H
#define TUT_BASE_BUDGET_H

#include "base/status.h"

typedef struct tut_budget {
    uint64_t bytes_left; /* bytes decoded out of containers and compressions */
    uint64_t steps_left; /* opcodes, members, fields */
    uint64_t heap_left;  /* bytes of working memory */
    uint32_t depth_left; /* nested containers */
} tut_budget;

void tut_budget_init(tut_budget *b); /* the defaults of limits.h */
/* LIMIT when more than what is left is asked for; then nothing is taken. */
TUT_MUST tut_status tut_budget_bytes(tut_budget *b, uint64_t n, tut_error *err);
TUT_MUST tut_status tut_budget_steps(tut_budget *b, uint64_t n, tut_error *err);
TUT_MUST tut_status tut_budget_heap(tut_budget *b, uint64_t n, tut_error *err);
void tut_budget_heap_return(tut_budget *b, uint64_t n);

#endif
