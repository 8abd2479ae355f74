#include "base/budget.h"

#include "base/limits.h"

void tut_budget_init(tut_budget *b)
{
    *b = (tut_budget){.bytes_left = TUT_LIMIT_DECODED_BYTES,
                      .steps_left = TUT_LIMIT_STEPS,
                      .heap_left = TUT_LIMIT_HEAP_BYTES,
                      .depth_left = TUT_LIMIT_DEPTH};
}

static tut_status take(uint64_t *left, uint64_t n, const char *what, tut_error *err)
{
    if (n > *left)
        return tut_fail(err, TUT_LIMIT, "the limit on %s was reached", what);
    *left -= n;
    return TUT_SUCCESS;
}

tut_status tut_budget_bytes(tut_budget *b, uint64_t n, tut_error *err)
{
    return take(&b->bytes_left, n, "decoded bytes", err);
}

tut_status tut_budget_steps(tut_budget *b, uint64_t n, tut_error *err)
{
    return take(&b->steps_left, n, "parsing steps", err);
}

tut_status tut_budget_heap(tut_budget *b, uint64_t n, tut_error *err)
{
    return take(&b->heap_left, n, "working memory", err);
}

void tut_budget_heap_return(tut_budget *b, uint64_t n)
{
    b->heap_left += n;
}
