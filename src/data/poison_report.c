#include <math.h>
#include <stdio.h>

#include "data/poison_internal.h"

enum { SHOWN = 28 }; /* bytes of a name */

/* A name from the file, printable and short, its last character whole. */
static const char *shown(const char *name, char to[SHOWN])
{
    enum { ROOM = SHOWN - 4 }; /* for "…" and the end */
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_escaped(&text, tut_str_of(name), SHOWN);
    tut_str all = tut_buf_str(&text);
    size_t len = 0, next;
    while (len < all.len) {
        uint32_t c;
        next = tut_utf8_len((tut_str){all.data + len, all.len - len}, &c);
        if (next == 0 || len + next > ROOM)
            break;
        len += next;
    }
    tut_str_copy(to, len + 1, (tut_str){all.data, len});
    if (len < all.len)
        tut_str_copy(to + len, SHOWN - len, TUT_LIT("…"));
    return to;
}

static const char *class_name(const tut_poison *p, uint32_t label, char to[SHOWN])
{
    return shown(tut_features_class(p->features, label), to);
}

tut_status poison_report_labels(const tut_poison *p, const tut_features_matrix *m,
                                const tut_label_doubts *d, tut_data_findings *findings,
                                tut_error *err)
{
    static const double most_p = 0.01;
    tut_data_finding *f;
    char given[SHOWN], likely[SHOWN], note[64 + 2 * SHOWN];
    if (d->count == 0 || d->p > most_p)
        return TUT_SUCCESS;
    TUT_TRY(tut_data_found(findings, "dataset.label-error", p->options.label, &f, err,
                           "%zu of %zu labels are probably wrong; where classes overlap least, "
                           "%.1f %% are contradicted",
                           d->count, m->count, 100 * d->noise));
    f->p = d->p;
    f->q = d->items[d->count - 1].q;
    f->score = 1 - f->q;
    for (size_t i = 0; i < d->count; i++) {
        const tut_label_doubt *row = &d->items[i];
        (void)snprintf(note, sizeof(note), "label %s, looks like %s",
                       class_name(p, row->given, given), class_name(p, row->likely, likely));
        TUT_TRY(tut_data_found_row(f, m->rows[row->row], 1 - row->right, NAN, row->q, note, err));
    }
    return TUT_SUCCESS;
}

/* --- triggers --- */
/* "rows 24 to 27, columns 24 to 27: 255 255 255" */
static void describe_places(const tut_poison *p, const tut_trigger *t, char to[112])
{
    size_t channels = p->options.channels ? p->options.channels : 1;
    size_t top = SIZE_MAX, bottom = 0, left = SIZE_MAX, right = 0;
    size_t count = t->place_count < TUT_TRIGGER_PLACES ? t->place_count : TUT_TRIGGER_PLACES;
    for (size_t i = 0; i < count; i++) {
        size_t y = t->places[i] / channels / p->options.width;
        size_t x = t->places[i] / channels % p->options.width;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
        left = x < left ? x : left;
        right = x > right ? x : right;
    }
    int len = snprintf(to, 112, "%zu values in rows %zu to %zu, columns %zu to %zu%s (",
                       t->place_count, top, bottom, left, right,
                       t->kind == TUT_TRIGGER_WINDOW ? " or elsewhere" : "");
    for (size_t i = 0; i < 4 && i < count && len > 0 && len < 100; i++)
        len += snprintf(to + len, 112 - (size_t)len, "%s%.4g", i ? " " : "", (double)t->values[i]);
    if (len > 0 && len < 108)
        (void)snprintf(to + len, 112 - (size_t)len, "%s)", count > 4 ? " …" : "");
}

static void describe_words(const tut_poison *p, const tut_trigger *t, char to[112])
{
    char word[SHOWN];
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < t->place_count && i < 5 && len < 72; i++) {
        int more = snprintf(to + len, 112 - len, "%s\"%s\"", i ? " " : "",
                            shown(tut_features_word(p->features, t->places[i]), word));
        len += more > 0 ? (size_t)more : 0;
    }
}

tut_status poison_report_trigger(const tut_poison *p, const tut_features_matrix *m,
                                 const tut_trigger *t, tut_data_findings *findings, tut_error *err)
{
    bool is_text = t->kind == TUT_TRIGGER_TOKENS;
    tut_data_finding *f;
    char what[112], label[SHOWN];
    if (is_text)
        describe_words(p, t, what);
    else
        describe_places(p, t, what);
    TUT_TRY(tut_data_found(
        findings, is_text ? "dataset.backdoor-token" : "dataset.backdoor-patch", TUT_LIT(""), &f,
        err, "%zu of %llu rows with %s have label %s; the rest of %llu of them contradicts it",
        t->row_count, (unsigned long long)t->bearing, what, class_name(p, t->label, label),
        (unsigned long long)t->contradicted));
    f->p = t->p;
    f->q = t->q;
    f->score = (double)t->contradicted / (double)t->bearing;
    for (size_t i = 0; i < t->row_count; i++)
        TUT_TRY(tut_data_found_row(f, m->rows[t->rows[i]], f->score, t->p, t->q, what, err));
    return TUT_SUCCESS;
}

/* --- outliers --- */
tut_status poison_report_outliers(const tut_poison *p, const uint64_t *rows, const uint32_t *labels,
                                  const tut_spectral_outliers *o, bool is_of_activations,
                                  tut_data_findings *findings, tut_error *err)
{
    tut_data_finding *f;
    char label[SHOWN], note[64 + SHOWN];
    if (o->count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_data_found(findings, "dataset.spectral-outlier", TUT_LIT(""), &f, err,
                           "%zu rows lie far from their class%s, along the directions in which it "
                           "varies most",
                           o->count, is_of_activations ? " in the model's activations" : ""));
    f->p = o->items[0].p;
    f->q = o->items[0].q;
    f->score = 1 - o->items[o->count - 1].q;
    for (size_t i = 0; i < o->count; i++) {
        const tut_spectral_outlier *item = &o->items[i];
        (void)snprintf(note, sizeof(note), "label %s, %.1f deviations",
                       class_name(p, labels[item->row], label), item->score);
        TUT_TRY(tut_data_found_row(f, rows ? rows[item->row] : item->row, 1 - item->q, item->p,
                                   item->q, note, err));
    }
    return TUT_SUCCESS;
}

/* --- sources --- */
static double percent(uint64_t part, uint64_t of)
{
    return of ? 100 * (double)part / (double)of : 0;
}

static tut_status begin_burst(const tut_poison *p, const tut_burst *b, tut_data_findings *findings,
                              tut_data_finding **ret, tut_error *err)
{
    char source[SHOWN], label[SHOWN];
    unsigned long long here = b->of_source, of_here = b->rows_of_source;
    double there = percent(b->of_others, b->rows_of_others);
    (void)shown(tut_features_source(p->features, b->source), source);
    switch (b->kind) {
    case TUT_BURST_LABEL:
        return tut_data_found(findings, "dataset.label-skew-source", p->options.source, ret, err,
                              "%llu of %llu rows of source %s have label %s, elsewhere %.1f %%",
                              here, of_here, source, class_name(p, b->which, label), there);
    case TUT_BURST_WINDOW:
        return tut_data_found(findings, "dataset.source-burst", p->options.source, ret, err,
                              "%llu of %llu rows of source %s are in one part of %d of the rows, "
                              "of others %.1f %%",
                              here, of_here, source, TUT_BURST_WINDOWS, there);
    case TUT_BURST_REPEAT:
        return tut_data_found(findings, "dataset.source-burst", p->options.source, ret, err,
                              "%llu of %llu rows of source %s repeat an earlier row, elsewhere "
                              "%.1f %%",
                              here, of_here, source, there);
    case TUT_BURST_KINDS:
        break;
    }
    return tut_fail(err, TUT_BUG, "an unknown kind of burst");
}

static bool belongs(const tut_burst *b, const tut_features_facts *facts, const uint8_t *repeats,
                    uint64_t rows, uint64_t row)
{
    if (facts->sources[row] != b->source)
        return false;
    if (b->kind == TUT_BURST_LABEL)
        return facts->labels[row] == b->which;
    if (b->kind == TUT_BURST_WINDOW)
        return row * TUT_BURST_WINDOWS / rows == b->which;
    return repeats[row] != 0;
}

tut_status poison_report_bursts(const tut_poison *p, const tut_features_facts *facts,
                                const uint8_t *repeats, const tut_bursts *b,
                                tut_data_findings *findings, tut_error *err)
{
    uint64_t rows = facts->rows < TUT_FEATURES_LABELLED ? facts->rows : TUT_FEATURES_LABELLED;
    for (size_t i = 0; i < b->count; i++) {
        const tut_burst *item = &b->items[i];
        tut_data_finding *f = NULL;
        if (item->kind == TUT_BURST_LABEL && item->which == facts->class_count)
            continue; /* rows without a label: not a label */
        TUT_TRY(begin_burst(p, item, findings, &f, err));
        if (!f)
            continue;
        f->p = item->p;
        f->q = item->q;
        f->score = (double)item->of_source / (double)item->rows_of_source;
        for (uint64_t row = 0; row < rows; row++)
            if (belongs(item, facts, repeats, rows, row))
                TUT_TRY(tut_data_found_row(f, row, f->score, item->p, item->q, "", err));
    }
    return TUT_SUCCESS;
}
