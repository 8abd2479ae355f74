#include "stats/fdr.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

typedef struct ranked {
    double p;
    size_t at;
} ranked;

static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

tut_status tut_fdr(const double *p, size_t count, size_t tests, double *q)
{
    if (count == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE ranked *order = tut_alloc_array(count, sizeof(*order));
    if (!order)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < count; i++)
        order[i] = (ranked){.p = isnan(p[i]) ? 1 : p[i], .at = i};
    qsort(order, count, sizeof(*order), compare);
    double least = 1, all = (double)(tests > count ? tests : count);
    for (size_t i = count; i-- > 0;) {
        double here = order[i].p * all / (double)(i + 1);
        least = here < least ? here : least;
        q[order[i].at] = least;
    }
    return TUT_SUCCESS;
}
