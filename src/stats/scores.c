#include "stats/scores.h"

#include <math.h>

size_t tut_greatest(const double *scores, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = scores[i] > scores[best] ? i : best;
    return best;
}

size_t tut_greatest_f(const float *scores, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = scores[i] > scores[best] ? i : best;
    return best;
}

/* Less the greatest, so that no power overflows. */
void tut_softmax(const double *scores, size_t count, double *ret)
{
    double most = scores[tut_greatest(scores, count)], sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ret[i] = exp(scores[i] - most);
    for (size_t i = 0; i < count; i++)
        ret[i] /= sum;
}

void tut_softmax_f(const float *scores, size_t count, float *ret)
{
    float most = scores[tut_greatest_f(scores, count)], sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ret[i] = expf(scores[i] - most);
    for (size_t i = 0; i < count; i++)
        ret[i] /= sum;
}
