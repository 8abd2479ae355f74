#include "probe/allowance.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t tut_allowance_left(const tut_allowance *a, uint64_t wanted)
{
    uint64_t spent = a->tokens_in + a->tokens_out;
    if (a->queries_most)
        wanted = least(wanted, a->queries < a->queries_most ? a->queries_most - a->queries : 0);
    if (a->tokens_most && spent >= a->tokens_most)
        return 0;
    if (a->money_most > 0 && a->money >= a->money_most)
        return 0;
    if (a->money_most > 0 && a->price_query > 0) {
        double affordable = (a->money_most - a->money) / a->price_query + 1e-9;
        if (affordable < (double)wanted)
            wanted = (uint64_t)affordable;
    }
    return wanted;
}

void tut_allowance_spend(tut_allowance *a, uint64_t tokens_in, uint64_t tokens_out)
{
    tut_allowance_spend_many(a, 1);
    tut_allowance_add_tokens(a, tokens_in, tokens_out);
}

void tut_allowance_add_tokens(tut_allowance *a, uint64_t tokens_in, uint64_t tokens_out)
{
    a->tokens_in += tokens_in;
    a->tokens_out += tokens_out;
    a->money += a->price_million * (double)(tokens_in + tokens_out) / 1e6;
}

void tut_allowance_spend_many(tut_allowance *a, uint64_t queries)
{
    a->queries += queries;
    a->money += a->price_query * (double)queries;
}

bool tut_allowance_is_spent(const tut_allowance *a)
{
    return tut_allowance_left(a, 1) == 0;
}
