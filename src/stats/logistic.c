#include "stats/logistic.h"

#include <math.h>
#include <string.h>

#include "base/cage.h"
#include "stats/linear.h"
#include "stats/scores.h"

enum { MEMORY = 6, HALVINGS = 30, ROUNDS = 100, CLASSES_MOST = 1 << 12 };

typedef struct problem {
    const tut_design *x;
    const uint32_t *labels, *pick;
    size_t picked;
    double c;
    tut_logistic *m;
    double *scores, *probabilities; /* of a row */
} problem;

void tut_logistic_scores(const tut_logistic *m, const tut_design *x, size_t i, double *ret_scores)
{
    for (size_t o = 0; o < m->outputs; o++) {
        const double *w = m->weights + o * m->across;
        ret_scores[o] = w[m->width * m->along];
        if (x->dense)
            ret_scores[o] += tut_dot(x->dense + i * x->dense_width, w, x->dense_width);
    }
    for (uint64_t k = x->starts ? x->starts[i] : 0; x->starts && k < x->starts[i + 1]; k++) {
        const double *w = m->weights + (x->dense_width + x->columns[k]) * m->along;
        double value = (double)x->values[k];
        for (size_t o = 0; o < m->outputs; o++)
            ret_scores[o] += value * w[o * m->across];
    }
}

static double two_classes(double score)
{
    return score >= 0 ? 1 / (1 + exp(-score)) : exp(score) / (1 + exp(score));
}

void tut_logistic_softmax(const tut_logistic *m, const double *scores, double *ret_probabilities)
{
    if (m->outputs == 1) {
        ret_probabilities[1] = two_classes(scores[0]);
        ret_probabilities[0] = two_classes(-scores[0]);
        return;
    }
    tut_softmax(scores, m->outputs, ret_probabilities);
}

static double loss_of(const tut_logistic *m, const double *scores, uint32_t label)
{
    if (m->outputs == 1) {
        double s = label ? scores[0] : -scores[0];
        return s > 0 ? log1p(exp(-s)) : log1p(exp(s)) - s;
    }
    double most = scores[tut_greatest(scores, m->outputs)], sum = 0;
    for (size_t o = 0; o < m->outputs; o++)
        sum += exp(scores[o] - most);
    return sum > 0 ? log(sum) + most - scores[label] : 0;
}

static void add_gradient(const problem *p, size_t i, double *gradient)
{
    const tut_logistic *m = p->m;
    const tut_design *x = p->x;
    for (size_t o = 0; o < m->outputs; o++) {
        size_t class = m->outputs == 1 ? 1 : o;
        double off = p->c * (p->probabilities[class] - (p->labels[i] == class));
        double *g = gradient + o * m->across;
        g[m->width * m->along] += off;
        if (x->dense)
            tut_add_scaled(g, x->dense + i * x->dense_width, off, x->dense_width);
        p->scores[o] = off; /* no longer needed as they were */
    }
    for (uint64_t k = x->starts ? x->starts[i] : 0; x->starts && k < x->starts[i + 1]; k++) {
        double *g = gradient + (x->dense_width + x->columns[k]) * m->along;
        double value = (double)x->values[k];
        for (size_t o = 0; o < m->outputs; o++)
            g[o * m->across] += p->scores[o] * value;
    }
}

/* The loss with the model's weights; gradient may be NULL. */
static double loss(const problem *p, double *gradient)
{
    const tut_logistic *m = p->m;
    size_t size = m->outputs * (m->width + 1);
    double sum = 0, squares = 0;
    if (gradient)
        memset(gradient, 0, size * sizeof(*gradient));
    for (size_t n = 0; n < p->picked; n++) {
        size_t i = p->pick ? p->pick[n] : n;
        tut_logistic_scores(m, p->x, i, p->scores);
        sum += loss_of(m, p->scores, p->labels[i]);
        if (!gradient)
            continue;
        tut_logistic_softmax(m, p->scores, p->probabilities);
        add_gradient(p, i, gradient);
    }
    for (size_t o = 0; o < m->outputs; o++)
        for (size_t j = 0; j < m->width; j++) {
            size_t at = o * m->across + j * m->along;
            squares += m->weights[at] * m->weights[at];
            if (gradient)
                gradient[at] += m->weights[at];
        }
    return p->c * sum + squares / 2;
}

/* --- L-BFGS --- */
typedef struct descent {
    size_t size, kept, next; /* kept: of the steps and changes of the gradient; a ring */
    double *weights;         /* the model's */
    double *gradient, *last_gradient, *last_weights, *direction;
    double *steps[MEMORY], *changes[MEMORY];
    double curvatures[MEMORY];
} descent;

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add_scaled(double *to, const double *from, double factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

/* The two loops of Nocedal and Wright, algorithm 7.4. */
static void choose_direction(descent *d)
{
    double alphas[MEMORY] = {0};
    for (size_t i = 0; i < d->size; i++)
        d->direction[i] = -d->gradient[i];
    for (size_t n = 0; n < d->kept; n++) {
        size_t k = (d->next + MEMORY - 1 - n) % MEMORY;
        alphas[k] = product(d->steps[k], d->direction, d->size) / d->curvatures[k];
        add_scaled(d->direction, d->changes[k], -alphas[k], d->size);
    }
    if (d->kept > 0) {
        size_t k = (d->next + MEMORY - 1) % MEMORY;
        double scale = d->curvatures[k] / product(d->changes[k], d->changes[k], d->size);
        for (size_t i = 0; i < d->size; i++)
            d->direction[i] *= scale;
    }
    for (size_t n = d->kept; n-- > 0;) {
        size_t k = (d->next + MEMORY - 1 - n) % MEMORY;
        double beta = product(d->changes[k], d->direction, d->size) / d->curvatures[k];
        add_scaled(d->direction, d->steps[k], alphas[k] - beta, d->size);
    }
}

static void remember(descent *d)
{
    double *step = d->steps[d->next], *change = d->changes[d->next];
    for (size_t i = 0; i < d->size; i++) {
        step[i] = d->weights[i] - d->last_weights[i];
        change[i] = d->gradient[i] - d->last_gradient[i];
    }
    double curvature = product(step, change, d->size);
    if (!(curvature > 1e-12 * product(change, change, d->size)))
        return;
    d->curvatures[d->next] = curvature;
    d->next = (d->next + 1) % MEMORY;
    d->kept += d->kept < MEMORY;
}

/* Halves the step until it takes the loss down (Armijo); false: no step does. */
static bool go(const problem *p, descent *d, double *now)
{
    double slope = product(d->gradient, d->direction, d->size);
    double step = d->kept ? 1 : 1 / (1 + sqrt(product(d->gradient, d->gradient, d->size)));
    memcpy(d->last_weights, d->weights, d->size * sizeof(*d->weights));
    for (int i = 0; i < HALVINGS && slope < 0; i++) {
        for (size_t j = 0; j < d->size; j++)
            d->weights[j] = d->last_weights[j] + step * d->direction[j];
        double *swapped = d->last_gradient;
        double then = loss(p, i == 0 ? swapped : NULL);
        if (!(then <= *now + 1e-4 * step * slope)) {
            step /= 2;
            continue;
        }
        if (i > 0)
            (void)loss(p, swapped);
        d->last_gradient = d->gradient;
        d->gradient = swapped;
        *now = then;
        return true;
    }
    memcpy(d->weights, d->last_weights, d->size * sizeof(*d->weights));
    return false;
}

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fabs(values[i]) > most ? fabs(values[i]) : most;
    return most;
}

static tut_status descend(const problem *p, descent *d, const tut_logistic_wish *wish,
                          tut_error *err)
{
    unsigned rounds = wish->rounds ? wish->rounds : ROUNDS;
    double limit = (wish->tolerance > 0 ? wish->tolerance : 1e-4) * p->c * (double)p->picked;
    double now = loss(p, d->gradient);
    for (; p->m->rounds < rounds && largest(d->gradient, d->size) > limit; p->m->rounds++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        choose_direction(d);
        if (!go(p, d, &now)) {
            if (d->kept == 0)
                break;
            d->kept = 0; /* once more, straight down */
            continue;
        }
        remember(d);
    }
    return TUT_SUCCESS;
}

/* All of its memory in one block. */
static tut_status fit(problem *p, const tut_logistic_wish *wish, tut_error *err)
{
    descent d = {.size = p->m->outputs * (p->m->width + 1), .weights = p->m->weights};
    TUT_AUTO_FREE double *block = tut_alloc_array(d.size, (4 + 2 * MEMORY) * sizeof(*block));
    TUT_AUTO_FREE double *row = tut_alloc_array(2 * (p->m->classes + 1), sizeof(*row));
    if (!block || !row)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double **parts[] = {&d.gradient, &d.last_gradient, &d.last_weights, &d.direction};
    for (size_t i = 0; i < 4; i++)
        *parts[i] = block + i * d.size;
    for (size_t i = 0; i < MEMORY; i++) {
        d.steps[i] = block + (4 + 2 * i) * d.size;
        d.changes[i] = block + (5 + 2 * i) * d.size;
    }
    p->scores = row;
    p->probabilities = row + p->m->classes + 1;
    return descend(p, &d, wish, err);
}

tut_status tut_logistic_fit(const tut_design *x, const uint32_t *labels, size_t classes,
                            const uint32_t *pick, size_t picked, const tut_logistic_wish *wish,
                            tut_logistic *ret_model, tut_error *err)
{
    size_t width = (x->dense ? x->dense_width : 0) + (x->starts ? x->sparse_width : 0);
    picked = pick ? picked : x->count;
    if (classes < 2 || classes > CLASSES_MOST || picked == 0 || width == 0)
        return tut_fail(err, TUT_USAGE, "%zu rows of %zu columns and %zu classes cannot be fitted",
                        picked, width, classes);
    tut_logistic m = {.width = width, .classes = classes, .outputs = classes == 2 ? 1 : classes};
    m.across = x->dense ? width + 1 : 1;
    m.along = x->dense ? 1 : m.outputs;
    m.weights = tut_alloc_array(m.outputs * (width + 1), sizeof(*m.weights));
    if (!m.weights)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    problem p = {.x = x, .labels = labels, .pick = pick, .picked = picked, .m = &m};
    p.c = wish->c > 0 ? wish->c : 1;
    tut_status s = fit(&p, wish, err);
    if (tut_is_ok(s))
        *ret_model = m;
    else
        tut_logistic_done(&m);
    return s;
}

void tut_logistic_done(tut_logistic *m)
{
    tut_free(m->weights);
    *m = (tut_logistic){0};
}
