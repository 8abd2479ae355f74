#include "data/poison.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/poison_internal.h"

enum { ROWS_LEAST = 50, ROWS_OF_CLASS = 5 }; /* on average */

tut_status tut_poison_new(const tut_poison_options *options, tut_poison **ret, tut_error *err)
{
    TUT_AUTO(tut_poison) p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->options = *options;
    tut_features_options features = {.label = options->label,
                                     .source = options->source,
                                     .height = options->height,
                                     .width = options->width,
                                     .channels = options->channels,
                                     .seed = options->seed};
    TUT_TRY(tut_features_new(&features, &p->features, err));
    p->near = options->near;
    if (!p->near) {
        tut_near_options near = {
            .seed = options->seed, .scratch = options->scratch, .ctx = options->ctx};
        TUT_TRY(tut_near_new(&near, &p->own_near, err));
        p->near = p->own_near;
    }
    p->near_first = tut_near_about(p->near)->documents;
    *ret = tut_move(&p);
    return TUT_SUCCESS;
}

void tut_poison_free(tut_poison *p)
{
    if (!p)
        return;
    tut_features_free(p->features);
    tut_near_free(p->own_near);
    tut_buf_done(&p->row);
    tut_free(p->activations);
    tut_free(p);
}

void poison_note(tut_poison *p, const char *format, ...)
{
    if (p->note_count == POISON_NOTES)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->note_texts[p->note_count], sizeof(p->note_texts[0]), format, args);
    va_end(args);
    p->notes[p->note_count] = p->note_texts[p->note_count];
    p->note_count++;
}

const char *const *tut_poison_notes(const tut_poison *p, size_t *ret_count)
{
    *ret_count = p->note_count;
    return p->notes;
}

/* --- rows come --- */
tut_status tut_poison_label(tut_poison *p, const tut_batch *b, tut_error *err)
{
    if (p->is_fed)
        return tut_fail(err, TUT_USAGE, "labels come before the rows");
    return tut_features_label(p->features, b, err);
}

tut_status tut_poison_feed(tut_poison *p, const tut_batch *b, tut_error *err)
{
    TUT_TRY(tut_features_add(p->features, b, err));
    p->is_fed |= b->count > 0;
    if (!p->own_near)
        return TUT_SUCCESS;
    return tut_near_add_rows(p->near, p->options.dataset, p->options.split, b, &p->row, err);
}

static tut_status more_activations(tut_poison *p, tut_error *err)
{
    size_t capacity = p->activation_capacity ? 2 * p->activation_capacity : 1024;
    float *grown = tut_realloc_array(p->activations, capacity,
                                     p->activation_width * sizeof(*grown));
    if (!grown)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->activations = grown;
    p->activation_capacity = capacity;
    return TUT_SUCCESS;
}

tut_status tut_poison_activations(tut_poison *p, const tut_batch *b, tut_error *err)
{
    if (p->activation_width == 0)
        p->activation_width = b->column_count;
    for (size_t i = 0; i < b->count && p->activation_width; i++) {
        if (p->activation_count >= POISON_ACTIVATIONS / p->activation_width) {
            p->activations_cut = true;
            return TUT_SUCCESS;
        }
        if (p->activation_count == p->activation_capacity)
            TUT_TRY(more_activations(p, err));
        float *to = p->activations + p->activation_count++ * p->activation_width;
        for (size_t c = 0; c < p->activation_width; c++) {
            double x = c < b->column_count ? b->cells[c].numbers[i] : 0;
            to[c] = isfinite(x) && fabs(x) < 1e18 ? (float)x : 0;
        }
    }
    return TUT_SUCCESS;
}

/* --- the end --- */
static tut_status judge_labels(tut_poison *p, const tut_features_matrix *m, size_t classes,
                               const tut_neighbour *near, size_t near_count,
                               tut_data_findings *findings, tut_error *err)
{
    tut_design x = {.count = m->count, .dense = m->dense, .dense_width = m->width};
    tut_labels_input in = {.x = &x,
                           .neighbours = near,
                           .count = m->count,
                           .neighbour_count = near_count,
                           .labels = m->labels,
                           .classes = classes,
                           .seed = p->options.seed};
    tut_label_doubts doubts = {0};
    TUT_TRY(tut_labels_find(&in, &doubts, err));
    if (!doubts.used_regression)
        poison_note(p, "Labels were judged by neighbours alone: the rows are too wide for "
                       "regression in reasonable time.");
    if (doubts.is_unpredictable)
        poison_note(p, "No label was doubted: the rows say too little about their labels.");
    tut_status s = poison_report_labels(p, m, &doubts, findings, err);
    tut_label_doubts_done(&doubts);
    return s;
}

static tut_status find_triggers(tut_poison *p, const tut_features_matrix *m, size_t classes,
                                const tut_neighbour *near, size_t near_count, tut_triggers *found,
                                tut_error *err)
{
    tut_features_facts facts;
    tut_features_about(p->features, &facts);
    tut_backdoor_input in = {.count = m->count,
                             .labels = m->labels,
                             .classes = classes,
                             .neighbours = near,
                             .neighbour_count = near_count};
    if (m->pixels)
        TUT_TRY(tut_backdoor_images(&in, m->pixels, p->options.height, p->options.width,
                                    p->options.channels ? p->options.channels : 1, found, err));
    if (m->starts)
        TUT_TRY(tut_backdoor_texts(&in, m->starts, m->words, facts.word_count, p->options.seed,
                                   found, err));
    if (!m->pixels && !m->starts)
        poison_note(p, "No search for backdoors: the rows are neither texts nor images of a given "
                       "size.");
    if (found->left_out)
        poison_note(p, "The search for backdoors left out %llu candidates beyond its limits.",
                    (unsigned long long)found->left_out);
    return TUT_SUCCESS;
}

static tut_status judge_triggers(tut_poison *p, const tut_features_matrix *m, size_t classes,
                                 const tut_neighbour *near, size_t near_count,
                                 tut_data_findings *findings, tut_error *err)
{
    tut_triggers *found = tut_alloc_array(1, sizeof(*found));
    if (!found)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status s = find_triggers(p, m, classes, near, near_count, found, err);
    for (size_t i = 0; i < found->count && tut_is_ok(s); i++)
        s = poison_report_trigger(p, m, &found->items[i], findings, err);
    tut_triggers_done(found);
    tut_free(found);
    return s;
}

/* Of activations where there are some for every row, else of the rows of an array. */
static tut_status judge_outliers(tut_poison *p, const tut_features_matrix *m,
                                 const tut_features_facts *facts, tut_data_findings *findings,
                                 tut_error *err)
{
    tut_spectral_outliers o = {0};
    bool is_given = p->activations != NULL;
    size_t count = m->count;
    uint32_t *labels = m->labels;
    TUT_AUTO_FREE uint32_t *all = NULL;
    if (!is_given && (!facts->is_array || m->width == 0))
        return TUT_SUCCESS;
    if (is_given) {
        count = p->activation_count < facts->labelled ? p->activation_count
                                                      : (size_t)facts->labelled;
        if (p->activations_cut || p->activation_count != facts->rows)
            poison_note(p, "Activations are there of %zu rows, and the dataset has %llu.",
                        p->activation_count, (unsigned long long)facts->rows);
        all = tut_alloc_array(count + 1, sizeof(*all));
        if (!all)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        for (size_t i = 0; i < count; i++) /* rows without a label are in no class */
            all[i] = facts->labels[i];
        labels = all;
    }
    TUT_TRY(tut_spectral_find(is_given ? p->activations : m->dense, count,
                              is_given ? p->activation_width : m->width, labels, facts->class_count,
                              &o, err));
    tut_status s = poison_report_outliers(p, is_given ? NULL : m->rows, labels, &o, is_given,
                                          findings, err);
    tut_spectral_outliers_done(&o);
    return s;
}

static tut_status judge_rows(tut_poison *p, const tut_features_matrix *m,
                             const tut_features_facts *facts, tut_data_findings *findings,
                             tut_error *err)
{
    size_t k = TUT_LABELS_NEIGHBOURS, classes = facts->class_count;
    if (m->width == 0) {
        poison_note(p, "Labels were not judged: no column but the label says anything.");
        return judge_outliers(p, m, facts, findings, err);
    }
    k = k < m->count ? k : m->count - 1;
    TUT_AUTO_FREE tut_neighbour *near = tut_alloc_array(m->count, k * sizeof(*near));
    if (!near)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_knn(m->dense, m->count, m->width, k, near, err));
    TUT_TRY(judge_labels(p, m, classes, near, k, findings, err));
    TUT_TRY(judge_triggers(p, m, classes, near, k, findings, err));
    return judge_outliers(p, m, facts, findings, err);
}

/* Which rows repeat an earlier one; NULL: unknown. */
static tut_status find_repeats(const tut_poison *p, uint64_t rows, uint8_t **ret, tut_error *err)
{
    size_t count;
    const tut_near_document *d = tut_near_documents(p->near, &count);
    uint8_t *repeats = tut_alloc_array((size_t)rows + 1, 1);
    if (!repeats)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = (size_t)p->near_first; i < count; i++)
        if (d[i].dataset == p->options.dataset && d[i].row < rows)
            repeats[d[i].row] = d[i].link != TUT_NEAR_NONE;
    *ret = repeats;
    return TUT_SUCCESS;
}

static tut_status judge_sources(tut_poison *p, const tut_features_facts *facts,
                                tut_data_findings *findings, tut_error *err)
{
    uint64_t rows = facts->rows < TUT_FEATURES_LABELLED ? facts->rows : TUT_FEATURES_LABELLED;
    bool has_labels = facts->labels && !facts->too_many_classes && facts->labelled >= rows;
    tut_bursts b = {0};
    TUT_AUTO_FREE uint8_t *repeats = NULL;
    TUT_AUTO_FREE uint32_t *labels = NULL;
    if (!facts->sources || facts->source_count < 2 || rows < 2)
        return TUT_SUCCESS;
    TUT_TRY(find_repeats(p, rows, &repeats, err));
    labels = tut_alloc_array((size_t)rows, sizeof(*labels));
    if (!labels)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < rows && has_labels; i++) /* without one: a class of their own */
        labels[i] = facts->labels[i] == TUT_FEATURES_NONE ? (uint32_t)facts->class_count
                                                          : facts->labels[i];
    TUT_TRY(tut_burst_find((size_t)rows, facts->sources, facts->source_count,
                           has_labels ? labels : NULL, facts->class_count + 1, repeats, &b, err));
    if (b.is_grouped)
        poison_note(p, "Bursts were not looked for: rows lie in the order of their source.");
    tut_status s = poison_report_bursts(p, facts, repeats, &b, findings, err);
    tut_bursts_done(&b);
    return s;
}

static void note_limits(tut_poison *p, const tut_features_facts *facts, size_t kept)
{
    uint64_t labelled = facts->rows - facts->unlabelled;
    if (facts->has_label && !facts->too_many_classes && kept < labelled)
        poison_note(p,
                    "Labels, backdoors and outliers were looked for in a sample of %zu of %llu "
                    "rows.",
                    kept, (unsigned long long)labelled);
    if (facts->has_label && !facts->too_many_classes && facts->unlabelled)
        poison_note(p, "%llu rows have no label.", (unsigned long long)facts->unlabelled);
    if (facts->too_many_words)
        poison_note(p, "Words beyond the first %d different ones were passed over.",
                    TUT_FEATURES_WORDS);
    if (facts->too_many_sources)
        poison_note(p, "Sources beyond the first %d were taken together.", TUT_FEATURES_SOURCES);
    if (tut_near_about(p->near)->unmatched)
        poison_note(p, "%llu rows were compared for exact duplicates only, for want of room.",
                    (unsigned long long)tut_near_about(p->near)->unmatched);
    if (tut_near_about(p->near)->pairs_left_out)
        poison_note(p, "%llu comparisons of rows that look alike were left out.",
                    (unsigned long long)tut_near_about(p->near)->pairs_left_out);
}

static void note_blind_spots(tut_poison *p)
{
    poison_note(p, "Not detectable here: clean-label poison, whose rows fit their labels.");
    poison_note(p, "Not detectable here: triggers that differ from row to row, and poison made to "
                   "pass these tests (adaptive).");
}

/* Why nothing is asked of labels; NULL: it is. */
static const char *why_not(const tut_features_facts *facts, size_t kept)
{
    if (!facts->has_label)
        return "Labels and backdoors were not looked at: no column was named as the label.";
    if (facts->too_many_classes)
        return "Labels and backdoors were not looked at: the label has more than a thousand "
               "values.";
    if (facts->class_count < 2)
        return "Labels and backdoors were not looked at: all rows have the same label.";
    if (kept < ROWS_OF_CLASS * facts->class_count)
        return "Labels and backdoors were not looked at: the label has too many values for so few "
               "rows.";
    if (kept < ROWS_LEAST)
        return "Labels and backdoors were not looked at: there are fewer than 50 rows with a "
               "label.";
    return NULL;
}

tut_status tut_poison_finish(tut_poison *p, tut_data_findings *findings, tut_error *err)
{
    tut_features_facts facts;
    const tut_features_matrix *m = NULL;
    tut_features_about(p->features, &facts);
    if (p->own_near) {
        TUT_TRY(tut_near_finish(p->own_near, err));
        TUT_TRY(
            tut_near_report(p->own_near, p->options.dataset, TUT_LIT(""), NULL, 0, findings, err));
    }
    TUT_TRY(tut_features_finish(p->features, &m, err));
    const char *why = why_not(&facts, m->count);
    if (why)
        poison_note(p, "%s", why);
    else
        TUT_TRY(judge_rows(p, m, &facts, findings, err));
    TUT_TRY(judge_sources(p, &facts, findings, err));
    note_limits(p, &facts, m->count);
    note_blind_spots(p);
    return TUT_SUCCESS;
}
