#include "formats/key_stack.h"

#include <stdlib.h>

#include "base/alloc.h"

void tut_key_stack_init(tut_key_stack *k, tut_budget *budget)
{
    *k = (tut_key_stack){.budget = budget};
}

void tut_key_stack_done(tut_key_stack *k)
{
    tut_free(k->hashes);
    if (k->budget)
        tut_budget_heap_return(k->budget, k->charged);
    *k = (tut_key_stack){0};
}

void tut_key_stack_open(tut_key_stack *k)
{
    if (k->depth < TUT_KEY_STACK_DEPTH)
        k->starts[k->depth] = k->count;
    k->depth++;
}

tut_status tut_key_stack_add(tut_key_stack *k, uint64_t hash, tut_error *err)
{
    if (k->count == k->capacity) {
        uint64_t more = (uint64_t)(k->count < 64 ? 64 : k->count) * sizeof(*k->hashes);
        TUT_TRY(tut_budget_heap(k->budget, more, err));
        k->charged += more;
        TUT_TRY(tut_grow(&k->hashes, k->count, &k->capacity, sizeof(*k->hashes)));
    }
    k->hashes[k->count++] = hash;
    return TUT_SUCCESS;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

size_t tut_key_stack_close(tut_key_stack *k)
{
    size_t again = 0;
    if (k->depth == 0 || --k->depth >= TUT_KEY_STACK_DEPTH)
        return 0;
    size_t start = k->starts[k->depth];
    size_t n = k->count - start;
    if (n > 1)
        qsort(k->hashes + start, n, sizeof(*k->hashes), compare);
    for (size_t i = start + 1; i < k->count; i++)
        again += k->hashes[i] == k->hashes[i - 1];
    k->count = start;
    return again;
}
