/*
 * What a probe may spend: queries, tokens and money. Every query that leaves is counted, whether it
 * is answered or not; what was spent survives a break, with the journal (journal.h).
 */
#ifndef TUT_PROBE_ALLOWANCE_H
#define TUT_PROBE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tut_allowance {
    uint64_t queries_most, tokens_most; /* 0: as many as it takes */
    double money_most;                  /* 0: no limit */
    double price_query, price_million;  /* of a query; of a million tokens in and out */
    uint64_t queries, refused, failed;  /* so far */
    uint64_t tokens_in, tokens_out;     /* as the service says, else bytes / 4 */
    uint64_t from_journal;              /* queries that an earlier run had paid for */
    double money;
} tut_allowance;

/* How many of `wanted` queries may still leave. */
uint64_t tut_allowance_left(const tut_allowance *a, uint64_t wanted);
void tut_allowance_spend(tut_allowance *a, uint64_t tokens_in, uint64_t tokens_out);
/* Tokens of a query that was counted when it left. */
void tut_allowance_add_tokens(tut_allowance *a, uint64_t tokens_in, uint64_t tokens_out);
/* Queries that have no tokens: rows of numbers. */
void tut_allowance_spend_many(tut_allowance *a, uint64_t queries);
bool tut_allowance_is_spent(const tut_allowance *a);

#endif
