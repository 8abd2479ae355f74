#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/backdoor_internal.h"
#include "stats/random.h"

/* A word, or two that follow one another: `first` alone has `second` == NONE. */
enum {
    NONE = UINT32_MAX,
    FOLDS = 5,
    ROWS_SEEN = 64,
    REGRESSION_ROUNDS = 40,
    COLUMNS = 1 << 15,
    OUTPUTS = 1 << 19
};
enum {
    TERMS = 24 << 20,
    WORDS_MOST = 24 /* of a trigger: with more in common, rows follow a pattern */
};
static const double common = 0.8, lift = 4; /* in rows that bear it; times as common as elsewhere */
static const double most_common = 0.2;      /* of all rows: no trigger is as common as that */
static const double doubt = 0.6;            /* the probability of another class, to contradict */

typedef struct term {
    uint32_t first, second, row;
} term;

typedef struct texts {
    const uint64_t *starts;
    const uint32_t *words;
    size_t count, word_count, classes;
    uint64_t seed;
    term *terms; /* sorted, each once a row */
    size_t term_count;
    uint32_t *frequency; /* of each word: rows that have it */
    uint32_t *columns;   /* of each word, in the regression; NONE: it has none */
    size_t column_count;
    uint64_t *sparse_starts; /* the design of the regression */
    uint32_t *sparse_columns;
    float *sparse_values;
    uint8_t *folds;
    uint64_t *sizes; /* rows of each class */
    tut_logistic models[FOLDS];
    uint8_t *is_hidden; /* a word: it belongs to the candidate at hand */
    uint32_t *inside;   /* a word: rows that have it, of those at hand */
    uint32_t *last;     /* a word: the last of those rows, from 1 */
    uint32_t *touched;
    size_t touched_count;
    double *scores;
} texts;

static void texts_done(texts *t)
{
    tut_free(t->terms);
    tut_free(t->frequency);
    tut_free(t->columns);
    tut_free(t->sparse_starts);
    tut_free(t->sparse_columns);
    tut_free(t->sparse_values);
    tut_free(t->folds);
    tut_free(t->sizes);
    tut_free(t->is_hidden);
    tut_free(t->inside);
    tut_free(t->last);
    tut_free(t->touched);
    tut_free(t->scores);
    for (size_t i = 0; i < FOLDS; i++)
        tut_logistic_done(&t->models[i]);
}

static tut_status texts_init(texts *t, tut_error *err)
{
    t->frequency = tut_alloc_array(t->word_count, sizeof(*t->frequency));
    t->columns = tut_alloc_array(t->word_count, sizeof(*t->columns));
    t->is_hidden = tut_alloc_array(t->word_count, 1);
    t->inside = tut_alloc_array(t->word_count, sizeof(*t->inside));
    t->last = tut_alloc_array(t->word_count, sizeof(*t->last));
    t->touched = tut_alloc_array(t->word_count, sizeof(*t->touched));
    t->folds = tut_alloc_array(t->count, 1);
    t->sizes = tut_alloc_array(t->classes, sizeof(*t->sizes));
    t->scores = tut_alloc_array(t->classes, 2 * sizeof(*t->scores));
    t->sparse_starts = tut_alloc_array(t->count + 1, sizeof(*t->sparse_starts));
    t->sparse_columns = tut_alloc_array((size_t)t->starts[t->count] + 1,
                                        sizeof(*t->sparse_columns));
    t->sparse_values = tut_alloc_array((size_t)t->starts[t->count] + 1, sizeof(*t->sparse_values));
    if (!t->frequency || !t->columns || !t->is_hidden || !t->inside || !t->last || !t->touched ||
        !t->folds || !t->sizes || !t->scores || !t->sparse_starts || !t->sparse_columns ||
        !t->sparse_values)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* --- terms --- */
static int by_words(const void *a, const void *b)
{
    const term *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static bool is_same_term(const term *a, const term *b)
{
    return a->first == b->first && a->second == b->second;
}

/* Rows that have each word; each counts once. */
static void count_words(texts *t)
{
    memset(t->touched, 0xff, t->word_count * sizeof(*t->touched));
    for (size_t i = 0; i < t->count; i++)
        for (uint64_t k = t->starts[i]; k < t->starts[i + 1]; k++) {
            uint32_t w = t->words[k];
            t->frequency[w] += t->touched[w] != i;
            t->touched[w] = (uint32_t)i;
        }
}

/* Words that few enough rows have, and pairs of which both words enough rows have. */
static tut_status collect_terms(texts *t, tut_error *err)
{
    size_t most = (size_t)(most_common * (double)t->count), capacity = 0, kept = 0;
    for (size_t i = 0; i < t->count; i++)
        for (uint64_t k = t->starts[i]; k < t->starts[i + 1] && t->term_count + 2 < TERMS; k++) {
            uint32_t w = t->words[k], next = k + 1 < t->starts[i + 1] ? t->words[k + 1] : NONE;
            if (t->frequency[w] < TUT_TRIGGER_ROWS)
                continue;
            for (int is_pair = 0; is_pair < 2; is_pair++) {
                if (is_pair ? next == NONE || t->frequency[next] < TUT_TRIGGER_ROWS
                            : t->frequency[w] > most)
                    continue;
                if (!tut_is_ok(tut_grow(&t->terms, t->term_count, &capacity, sizeof(*t->terms))))
                    return tut_fail(err, TUT_NOMEM, "memory ran out");
                t->terms[t->term_count++] = (term){w, is_pair ? next : NONE, (uint32_t)i};
            }
        }
    if (t->term_count > 0)
        qsort(t->terms, t->term_count, sizeof(*t->terms), by_words);
    for (size_t i = 0; i < t->term_count; i++)
        if (i == 0 || by_words(&t->terms[i], &t->terms[i - 1]) != 0)
            t->terms[kept++] = t->terms[i];
    t->term_count = kept;
    return TUT_SUCCESS;
}

/* --- regression: out of fold, over single words --- */
static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The most frequent words get a column, as many as fit. */
static tut_status choose_columns(texts *t, tut_error *err)
{
    size_t outputs = t->classes == 2 ? 1 : t->classes, found = 0;
    size_t most = OUTPUTS / outputs < COLUMNS ? OUTPUTS / outputs : COLUMNS;
    TUT_AUTO_FREE uint64_t *order = tut_alloc_array(t->word_count, sizeof(*order));
    if (!order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t w = 0; w < t->word_count; w++) {
        t->columns[w] = NONE;
        if (t->frequency[w] > 1)
            order[found++] = (uint64_t)t->frequency[w] << 32 | w;
    }
    qsort(order, found, sizeof(*order), descending);
    for (size_t i = 0; i < found && i < most; i++)
        t->columns[(uint32_t)order[i]] = (uint32_t)t->column_count++;
    return TUT_SUCCESS;
}

/* Each word of a row once: 1, all divided by the root of how many there are. */
static void make_design(texts *t)
{
    uint64_t at = 0;
    memset(t->touched, 0xff, t->word_count * sizeof(*t->touched));
    for (size_t i = 0; i < t->count; i++) {
        t->sparse_starts[i] = at;
        for (uint64_t k = t->starts[i]; k < t->starts[i + 1]; k++) {
            uint32_t w = t->words[k];
            if (t->columns[w] == NONE || t->touched[w] == i)
                continue;
            t->touched[w] = (uint32_t)i;
            t->sparse_columns[at++] = t->columns[w];
        }
        double length = (double)(at - t->sparse_starts[i]);
        for (uint64_t k = t->sparse_starts[i]; k < at; k++)
            t->sparse_values[k] = (float)(1 / sqrt(length));
    }
    t->sparse_starts[t->count] = at;
}

static tut_design design_of(const texts *t)
{
    return (tut_design){.count = t->count,
                        .starts = t->sparse_starts,
                        .columns = t->sparse_columns,
                        .values = t->sparse_values,
                        .sparse_width = t->column_count};
}

static tut_status fit(texts *t, const tut_backdoor_input *in, tut_error *err)
{
    tut_design x = design_of(t);
    tut_logistic_wish wish = {.c = 10, .rounds = REGRESSION_ROUNDS, .tolerance = 3e-4};
    TUT_AUTO_FREE uint32_t *pick = tut_alloc_array(t->count, sizeof(*pick));
    if (!pick)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    uint64_t state = t->seed;
    for (size_t i = 0; i < t->count; i++)
        t->sizes[in->labels[i]]++;
    for (size_t i = 0; i < t->count; i++)
        t->folds[i] = (uint8_t)tut_random_below(&state, FOLDS);
    for (unsigned f = 0; f < FOLDS; f++) {
        size_t picked = 0;
        for (uint32_t i = 0; i < t->count; i++)
            if (t->folds[i] != f)
                pick[picked++] = i;
        TUT_TRY(
            tut_logistic_fit(&x, in->labels, t->classes, pick, picked, &wish, &t->models[f], err));
    }
    return TUT_SUCCESS;
}

/* Takes the hidden words out of the scores; how many of the row's columns they are. */
static uint64_t take_out(texts *t, const tut_logistic *m, uint32_t row)
{
    uint64_t hidden = 0;
    for (size_t h = 0; h < t->touched_count; h++) {
        uint32_t column = t->columns[t->touched[h]];
        if (column == NONE)
            continue;
        for (uint64_t k = t->sparse_starts[row]; k < t->sparse_starts[row + 1]; k++) {
            if (t->sparse_columns[k] != column)
                continue;
            hidden++;
            for (size_t o = 0; o < m->outputs; o++)
                t->scores[o] -= (double)t->sparse_values[k] *
                                m->weights[o * m->across + column * m->along];
        }
    }
    return hidden;
}

/* By the row without its hidden words, each class as likely beforehand as any other: a rare class
 * is not contradicted by a text that says nothing. Of a row that is hidden by half nothing is said:
 * texts made after one pattern have everything in common. */
static bool by_regression(backdoor_search *s, uint32_t row)
{
    texts *t = s->ctx;
    const tut_logistic *m = &t->models[t->folds[row]];
    tut_design x = design_of(t);
    double *probabilities = t->scores + t->classes, other = 0, sum = 0;
    uint64_t words = t->sparse_starts[row + 1] - t->sparse_starts[row];
    tut_logistic_scores(m, &x, row, t->scores);
    if (t->touched_count > WORDS_MOST || 2 * take_out(t, m, row) > words)
        return false;
    tut_logistic_softmax(m, t->scores, probabilities);
    for (size_t c = 0; c < t->classes; c++) {
        probabilities[c] = t->sizes[c] ? probabilities[c] / (double)t->sizes[c] : 0;
        sum += probabilities[c];
    }
    for (size_t c = 0; c < t->classes; c++)
        if (c != s->in->labels[row])
            other = probabilities[c] > other ? probabilities[c] : other;
    return other >= doubt * sum;
}

/* --- the family: feature is the first of the terms that are the same --- */
static void hide_nothing(texts *t)
{
    for (size_t i = 0; i < t->touched_count; i++)
        t->is_hidden[t->touched[i]] = 0;
    t->touched_count = 0;
}

static void hide(texts *t, uint32_t word)
{
    if (word == NONE || t->is_hidden[word])
        return;
    t->is_hidden[word] = 1;
    t->touched[t->touched_count++] = word;
}

typedef struct word_list {
    uint32_t *items;
    size_t count, capacity;
} word_list;

static void forget(texts *t, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        t->inside[words[i]] = t->last[words[i]] = 0;
}

/* What most of s->rows have and few others: companions of the trigger, hidden with it. */
static tut_status see(texts *t, uint32_t word, uint32_t turn, word_list *seen, tut_error *err)
{
    if (t->last[word] == 0) {
        if (!tut_is_ok(tut_grow(&seen->items, seen->count, &seen->capacity, sizeof(*seen->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        seen->items[seen->count++] = word;
    }
    t->inside[word] += t->last[word] != turn;
    t->last[word] = turn;
    return TUT_SUCCESS;
}

/* Of as many rows as it takes to tell four fifths, evenly from all of them. */
static tut_status see_rows(backdoor_search *s, size_t count, word_list *seen, tut_error *err)
{
    texts *t = s->ctx;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = s->rows[i * s->row_count / count];
        for (uint64_t k = t->starts[row]; k < t->starts[row + 1]; k++)
            TUT_TRY(see(t, t->words[k], (uint32_t)i + 1, seen, err));
    }
    return TUT_SUCCESS;
}

static tut_status hide_companions(backdoor_search *s, tut_error *err)
{
    texts *t = s->ctx;
    word_list seen = {0};
    size_t count = s->row_count < ROWS_SEEN ? s->row_count : ROWS_SEEN;
    tut_status status = see_rows(s, count, &seen, err);
    double rows = (double)s->row_count, others = (double)(t->count - s->row_count);
    for (size_t j = 0; j < seen.count && tut_is_ok(status); j++) {
        double in = (double)t->inside[seen.items[j]] / (double)count;
        double out = ((double)t->frequency[seen.items[j]] - in * rows) / (others > 0 ? others : 1);
        if (in >= common && in >= lift * out)
            hide(t, seen.items[j]);
    }
    forget(t, seen.items, seen.count);
    tut_free(seen.items);
    return status;
}

static tut_status gather_term(backdoor_search *s, const backdoor_candidate *c, tut_error *err)
{
    texts *t = s->ctx;
    const term *first = &t->terms[c->feature];
    s->row_count = 0;
    hide_nothing(t);
    for (size_t i = c->feature; i < t->term_count && is_same_term(&t->terms[i], first); i++)
        s->rows[s->row_count++] = t->terms[i].row;
    hide(t, first->first);
    hide(t, first->second);
    return hide_companions(s, err);
}

/* Gathering has grown it already: what is hidden is the trigger. */
static tut_status grow_term(backdoor_search *s, const backdoor_candidate *c, tut_trigger *trigger,
                            tut_error *err)
{
    const texts *t = s->ctx;
    (void)c;
    (void)err;
    for (size_t i = 0; i < t->touched_count; i++) {
        if (trigger->place_count < TUT_TRIGGER_PLACES)
            trigger->places[trigger->place_count] = t->touched[i];
        trigger->place_count++;
    }
    return TUT_SUCCESS;
}

static const backdoor_family term_family = {.gather = gather_term,
                                            .grow = grow_term,
                                            .is_contradicted = by_regression,
                                            .kind = TUT_TRIGGER_TOKENS};

static tut_status offer_terms(backdoor_search *s, tut_error *err)
{
    const texts *t = s->ctx;
    TUT_AUTO_FREE uint32_t *counts = tut_alloc_array(t->classes, sizeof(*counts));
    if (!counts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0, end; i < t->term_count; i = end) {
        for (end = i; end < t->term_count && is_same_term(&t->terms[end], &t->terms[i]); end++)
            counts[s->in->labels[t->terms[end].row]]++;
        for (uint32_t c = 0; c < t->classes; c++) {
            if (end - i >= TUT_TRIGGER_ROWS)
                TUT_TRY(backdoor_offer(s, i, c, end - i, counts[c], 1, err));
            counts[c] = 0;
        }
    }
    return TUT_SUCCESS;
}

static tut_status search(texts *t, const tut_backdoor_input *in, tut_triggers *triggers,
                         tut_error *err)
{
    backdoor_search s;
    TUT_TRY(texts_init(t, err));
    count_words(t);
    TUT_TRY(collect_terms(t, err));
    TUT_TRY(choose_columns(t, err));
    if (t->column_count == 0 || t->term_count == 0)
        return TUT_SUCCESS;
    make_design(t);
    TUT_TRY(fit(t, in, err));
    t->touched_count = 0;
    tut_status status = backdoor_init(&s, in, &term_family, t, triggers, err);
    if (tut_is_ok(status))
        status = offer_terms(&s, err);
    if (tut_is_ok(status))
        status = backdoor_judge(&s, err);
    backdoor_done(&s);
    return status;
}

tut_status tut_backdoor_texts(const tut_backdoor_input *in, const uint64_t *starts,
                              const uint32_t *words, size_t word_count, uint64_t seed,
                              tut_triggers *triggers, tut_error *err)
{
    texts t = {.starts = starts,
               .words = words,
               .count = in->count,
               .word_count = word_count,
               .classes = in->classes,
               .seed = seed};
    if (word_count == 0 || in->count == 0)
        return TUT_SUCCESS;
    tut_status s = search(&t, in, triggers, err);
    texts_done(&t);
    return s;
}
