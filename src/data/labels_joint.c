#include <math.h>
#include <stdlib.h>

#include "data/labels.h"

/* What the rows of each class have of it themselves, on average; 2 where there are none, so that
 * nothing reaches it. */
static void find_thresholds(const float *probabilities, const uint32_t *labels, size_t count,
                            size_t classes, double *thresholds, double *sizes)
{
    for (size_t i = 0; i < count; i++) {
        sizes[labels[i]]++;
        thresholds[labels[i]] += (double)probabilities[i * classes + labels[i]];
    }
    for (size_t c = 0; c < classes; c++)
        thresholds[c] = sizes[c] > 0 ? thresholds[c] / sizes[c] - 1e-9 : 2;
}

tut_status tut_labels_joint(const float *probabilities, const uint32_t *labels, size_t count,
                            size_t classes, double *ret_joint, tut_error *err)
{
    TUT_AUTO_FREE double *thresholds = tut_alloc_array(classes, 2 * sizeof(*thresholds));
    TUT_AUTO_FREE float *limits = tut_alloc_array(classes, sizeof(*limits));
    if (!thresholds || !limits)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *sizes = thresholds + classes;
    find_thresholds(probabilities, labels, count, classes, thresholds, sizes);
    for (size_t c = 0; c < classes; c++)
        limits[c] = (float)thresholds[c];
    for (size_t i = 0; i < classes * classes; i++)
        ret_joint[i] = 0;
    for (size_t i = 0; i < count; i++) {
        const float *p = probabilities + i * classes;
        float best = -1;
        size_t likely = 0;
        for (size_t c = 0; c < classes; c++) {
            bool is_more = p[c] >= limits[c] && p[c] > best;
            best = is_more ? p[c] : best;
            likely = is_more ? c : likely;
        }
        ret_joint[labels[i] * classes + likely] += best >= 0;
    }
    for (size_t a = 0; a < classes; a++) {
        double sum = 0;
        for (size_t b = 0; b < classes; b++)
            sum += ret_joint[a * classes + b];
        for (size_t b = 0; b < classes && sum > 0; b++)
            ret_joint[a * classes + b] *= sizes[a] / sum;
    }
    return TUT_SUCCESS;
}

typedef struct candidate {
    uint64_t pair; /* given and likely */
    float margin;
    uint32_t row;
} candidate;

static int compare(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    if (x->margin > y->margin || x->margin < y->margin)
        return x->margin > y->margin ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static size_t likeliest(const float *p, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        best = p[c] > p[best] ? c : best;
    return best;
}

tut_status tut_labels_prune(const float *probabilities, const uint32_t *labels, size_t count,
                            size_t classes, const double *joint, uint8_t *is_doubted,
                            tut_error *err)
{
    size_t found = 0, capacity = 0;
    TUT_AUTO_FREE candidate *candidates = NULL;
    for (size_t i = 0; i < count; i++) {
        const float *p = probabilities + i * classes;
        size_t likely = likeliest(p, classes);
        is_doubted[i] = 0;
        if (likely == labels[i])
            continue;
        if (!tut_is_ok(tut_grow(&candidates, found, &capacity, sizeof(*candidates))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        candidates[found++] = (candidate){.pair = (uint64_t)labels[i] * classes + likely,
                                          .margin = p[likely] - p[labels[i]],
                                          .row = (uint32_t)i};
    }
    if (found == 0)
        return TUT_SUCCESS;
    qsort(candidates, found, sizeof(*candidates), compare);
    for (size_t i = 0, first = 0; i < found; i++) {
        if (candidates[i].pair != candidates[first].pair)
            first = i;
        is_doubted[candidates[i].row] = (double)(i - first) < round(joint[candidates[i].pair]);
    }
    return TUT_SUCCESS;
}
