#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/backdoor_internal.h"

/*
 * A patch where others draw too: no value of it is rare at its place, all of them together are.
 * Among the rows of a label that their neighbours contradict, and all the others, values are added
 * one after another: each keeps most of the former and loses most of the latter. A conjunction that
 * was chosen like that is judged as the best of all that could have been.
 */
enum { LEVELS = BACKDOOR_LEVELS, STEPS = 5, STARTS = 6, FOUND = 1024 };
static const double kept_part = 0.85;  /* of the rows inside, by each value that is added */
static const double few_outside = 0.1; /* of those inside: it is rare enough */
static const double least_lift = 1.5, most_outside = 0.3; /* of the first value */
static const double common = 0.9, grown_lift = 5, most_different = 0.1;

typedef struct value {
    uint32_t place;
    uint8_t level;
} value;

typedef struct conjunction {
    value values[STEPS];
    size_t count;
} conjunction;

typedef struct search {
    backdoor_images *m;
    uint32_t *inside, *outside; /* size x LEVELS: rows with the value */
    uint32_t *in_rows, *out_rows;
    size_t in_count, out_count;
    conjunction *found;
    size_t found_count;
} search;

static void search_done(search *x)
{
    tut_free(x->inside);
    tut_free(x->outside);
    tut_free(x->in_rows);
    tut_free(x->out_rows);
    tut_free(x->found);
}

static void count_values(const backdoor_images *m, const uint32_t *rows, size_t count,
                         uint32_t *counts)
{
    memset(counts, 0, m->size * LEVELS * sizeof(*counts));
    for (size_t j = 0; j < m->size; j++)
        for (size_t i = 0; i < count; i++)
            counts[j * LEVELS + m->levels[j * m->count + rows[i]]]++;
}

/* How much a value tells those inside from those outside. */
static double gain(const search *x, size_t at)
{
    double in = (double)x->inside[at] / (double)x->in_count;
    double out = ((double)x->outside[at] + 0.5) / ((double)x->out_count + 1);
    return in > out ? (double)x->inside[at] * log(in / out) : 0;
}

/* SIZE_MAX: nothing helps. */
static size_t best_value(const search *x)
{
    size_t best = SIZE_MAX, least = (size_t)ceil(kept_part * (double)x->in_count);
    double most = 0;
    for (size_t i = 0; i < x->m->size * LEVELS; i++) {
        if (x->inside[i] < least || x->outside[i] == x->out_count)
            continue;
        double g = gain(x, i);
        best = g > most ? i : best;
        most = g > most ? g : most;
    }
    return best;
}

static size_t filter(const backdoor_images *m, uint32_t *rows, size_t count, size_t at)
{
    const uint8_t *column = m->levels + at / LEVELS * m->count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (column[rows[i]] == at % LEVELS)
            rows[kept++] = rows[i];
    return kept;
}

/* Fills the rows inside (contradicted, of the label) and outside. */
static void split(search *x, const backdoor_search *s, const uint8_t *contradicted, uint32_t label)
{
    x->in_count = x->out_count = 0;
    for (uint32_t i = 0; i < x->m->count; i++) {
        if (s->in->labels[i] == label && contradicted[i] && !s->claimed[i])
            x->in_rows[x->in_count++] = i;
        else
            x->out_rows[x->out_count++] = i;
    }
}

typedef struct start {
    double gain;
    size_t at;
} start;

/* The values that tell most by themselves. */
static size_t find_starts(const search *x, start starts[STARTS])
{
    size_t count = 0;
    for (size_t i = 0; i < x->m->size * LEVELS; i++) {
        double in = (double)x->inside[i] / (double)x->in_count;
        double out = (double)x->outside[i] / (double)x->out_count;
        if (x->inside[i] < TUT_TRIGGER_ROWS || out > most_outside || in < least_lift * out)
            continue;
        start now = {gain(x, i), i};
        size_t place = count;
        for (; place > 0 && starts[place - 1].gain < now.gain; place--)
            if (place < STARTS)
                starts[place] = starts[place - 1];
        if (place < STARTS)
            starts[place] = now;
        count += count < STARTS;
    }
    return count;
}

/* Adds values to the start while that helps; false: what results is not rare. */
static bool build(search *x, size_t at, conjunction *c)
{
    c->count = 0;
    while (at != SIZE_MAX && c->count < STEPS) {
        c->values[c->count++] = (value){.place = (uint32_t)(at / LEVELS),
                                        .level = (uint8_t)(at % LEVELS)};
        x->in_count = filter(x->m, x->in_rows, x->in_count, at);
        x->out_count = filter(x->m, x->out_rows, x->out_count, at);
        if (x->in_count < TUT_TRIGGER_ROWS)
            return false;
        if ((double)x->out_count <= few_outside * (double)x->in_count)
            return true;
        count_values(x->m, x->in_rows, x->in_count, x->inside);
        count_values(x->m, x->out_rows, x->out_count, x->outside);
        at = best_value(x);
    }
    return false;
}

/* --- the family: feature is the number of a conjunction --- */
static tut_status gather(backdoor_search *s, const backdoor_candidate *c, tut_error *err)
{
    const search *x = s->ctx;
    const conjunction *k = &x->found[c->feature];
    (void)err;
    s->row_count = 0;
    for (uint32_t i = 0; i < x->m->count; i++) {
        size_t n = 0;
        while (n < k->count &&
               x->m->levels[k->values[n].place * x->m->count + i] == k->values[n].level)
            n++;
        if (n == k->count)
            s->rows[s->row_count++] = i;
    }
    return TUT_SUCCESS;
}

/* The values that nearly all of the rows with the label have, several times as often as others. */
static size_t shared_values(backdoor_search *s, uint32_t label, value *to)
{
    search *x = s->ctx;
    size_t found = 0;
    x->in_count = x->out_count = 0;
    for (size_t i = 0; i < s->row_count; i++)
        s->bears[s->rows[i]] = s->in->labels[s->rows[i]] == label;
    for (uint32_t i = 0; i < x->m->count; i++) {
        if (s->bears[i])
            x->in_rows[x->in_count++] = i;
        else
            x->out_rows[x->out_count++] = i;
        s->bears[i] = 0;
    }
    count_values(x->m, x->in_rows, x->in_count, x->inside);
    count_values(x->m, x->out_rows, x->out_count, x->outside);
    for (size_t i = 0; i < x->m->size * LEVELS && x->in_count; i++) {
        double in = (double)x->inside[i] / (double)x->in_count;
        double out = (double)x->outside[i] / (double)(x->out_count + 1);
        if (in >= common && in >= grown_lift * out)
            to[found++] = (value){.place = (uint32_t)(i / LEVELS), .level = (uint8_t)(i % LEVELS)};
    }
    return found;
}

static tut_status grow(backdoor_search *s, const backdoor_candidate *c, tut_trigger *t,
                       tut_error *err)
{
    const search *x = s->ctx;
    const backdoor_images *m = x->m;
    TUT_AUTO_FREE value *shared = tut_alloc_array(m->size, sizeof(*shared)); /* one a place */
    if (!shared)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->place_count = shared_values(s, c->label, shared);
    for (size_t i = 0; i < t->place_count && i < TUT_TRIGGER_PLACES; i++) {
        t->places[i] = shared[i].place;
        t->values[i] = m->least + m->step * (float)shared[i].level;
    }
    size_t allowed = (size_t)(most_different * (double)t->place_count);
    s->row_count = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        size_t different = 0;
        for (size_t n = 0; n < t->place_count && different <= allowed; n++)
            different += m->levels[shared[n].place * m->count + i] != shared[n].level;
        if (different <= allowed && t->place_count)
            s->rows[s->row_count++] = i;
    }
    return TUT_SUCCESS;
}

static const backdoor_family family = {.gather = gather,
                                       .grow = grow,
                                       .is_contradicted = backdoor_by_neighbours,
                                       .kind = TUT_TRIGGER_PIXELS};

static tut_status offer(backdoor_search *s, uint32_t label, tut_error *err)
{
    search *x = s->ctx;
    backdoor_candidate c = {.feature = x->found_count};
    uint64_t with_label = 0;
    double values = (double)x->m->size * LEVELS;
    TUT_TRY(gather(s, &c, err));
    for (size_t i = 0; i < s->row_count; i++)
        with_label += s->in->labels[s->rows[i]] == label;
    double tries = pow(values, (double)x->found[x->found_count].count);
    return backdoor_offer(s, x->found_count++, label, s->row_count, with_label, tries, err);
}

static tut_status search_class(backdoor_search *s, const uint8_t *contradicted, uint32_t label,
                               tut_error *err)
{
    search *x = s->ctx;
    start starts[STARTS];
    split(x, s, contradicted, label);
    if (x->in_count < TUT_TRIGGER_ROWS || x->out_count == 0)
        return TUT_SUCCESS;
    count_values(x->m, x->in_rows, x->in_count, x->inside);
    count_values(x->m, x->out_rows, x->out_count, x->outside);
    size_t count = find_starts(x, starts);
    for (size_t i = 0; i < count && x->found_count < FOUND; i++) {
        split(x, s, contradicted, label);
        if (build(x, starts[i].at, &x->found[x->found_count]))
            TUT_TRY(offer(s, label, err));
    }
    return TUT_SUCCESS;
}

static tut_status search_all(backdoor_search *s, tut_error *err)
{
    TUT_AUTO_FREE uint8_t *contradicted = tut_alloc_array(s->in->count, 1);
    if (!contradicted)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < s->in->count; i++)
        contradicted[i] = backdoor_by_neighbours(s, i);
    for (uint32_t c = 0; c < s->in->classes; c++)
        TUT_TRY(search_class(s, contradicted, c, err));
    return backdoor_judge(s, err);
}

tut_status backdoor_conjunctions(backdoor_images *m, const tut_backdoor_input *in,
                                 tut_triggers *triggers, tut_error *err)
{
    backdoor_search s;
    search x = {.m = m};
    x.inside = tut_alloc_array(m->size, LEVELS * sizeof(*x.inside));
    x.outside = tut_alloc_array(m->size, LEVELS * sizeof(*x.outside));
    x.in_rows = tut_alloc_array(m->count, sizeof(*x.in_rows));
    x.out_rows = tut_alloc_array(m->count, sizeof(*x.out_rows));
    x.found = tut_alloc_array(FOUND, sizeof(*x.found));
    tut_status status = TUT_SUCCESS;
    if (!x.inside || !x.outside || !x.in_rows || !x.out_rows || !x.found)
        status = tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status)) {
        status = backdoor_init(&s, in, &family, &x, triggers, err);
        if (tut_is_ok(status))
            status = search_all(&s, err);
        backdoor_done(&s);
    }
    search_done(&x);
    return status;
}
