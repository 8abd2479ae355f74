#include "formats/pickle_stack.h"

#include "base/alloc.h"

void tut_pstack_init(tut_pstack *s, tut_budget *budget)
{
    *s = (tut_pstack){.budget = budget};
}

void tut_pstack_done(tut_pstack *s)
{
    for (size_t i = 0; i < s->chunk_count; i++)
        tut_free(s->chunks[i]);
    tut_free(s->chunks);
    if (s->budget)
        tut_budget_heap_return(s->budget, s->chunk_count * TUT_PSTACK_CHUNK * sizeof(uint32_t));
    *s = (tut_pstack){0};
}

tut_status tut_pstack_grow(tut_pstack *s)
{
    if (s->budget)
        TUT_TRY(tut_budget_heap(s->budget, TUT_PSTACK_CHUNK * sizeof(uint32_t), NULL));
    uint32_t *chunk = tut_realloc_array(NULL, TUT_PSTACK_CHUNK, sizeof *chunk);
    if (!chunk ||
        !tut_is_ok(tut_grow(&s->chunks, s->chunk_count, &s->chunk_capacity, sizeof *s->chunks))) {
        tut_free(chunk);
        if (s->budget)
            tut_budget_heap_return(s->budget, TUT_PSTACK_CHUNK * sizeof(uint32_t));
        return (tut_status){TUT_NOMEM};
    }
    s->chunks[s->chunk_count++] = chunk;
    return TUT_SUCCESS;
}
