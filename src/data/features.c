#include "data/features.h"

#include <math.h>
#include <stdio.h>

#include "data/features_internal.h"
#include "stats/random.h"

enum { NAMES_BYTES = 96 << 20, ROWS_LEAST = 1000, PROSE_WORDS = 4, KEY_BYTES = 256 };
/* Multiplications for the neighbours of all rows: a few seconds. */
static const double products_most = 2e11;
static const size_t bytes_most = (size_t)512 << 20; /* of kept numbers */

tut_status tut_features_new(const tut_features_options *options, tut_features **ret, tut_error *err)
{
    tut_features *f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->options = *options;
    if (f->options.channels == 0)
        f->options.channels = 1;
    f->random = options->seed;
    tut_arena_init(&f->names, NAMES_BYTES);
    *ret = f;
    return TUT_SUCCESS;
}

void tut_features_free(tut_features *f)
{
    if (!f)
        return;
    for (size_t i = 0; f->kept && i < f->most; i++)
        tut_free(f->kept[i].words);
    name_list_done(&f->classes);
    name_list_done(&f->sources);
    name_list_done(&f->words);
    tut_arena_done(&f->names);
    features_matrix_done(&f->matrix);
    tut_free(f->columns);
    tut_free(f->labels);
    tut_free(f->row_sources);
    tut_free(f->kept);
    tut_free(f->numbers);
    tut_free(f->categories);
    tut_free(f);
}

/* --- what the columns are --- */
static bool is_number(uint8_t kind)
{
    return kind == TUT_CELL_NUMBER || kind == TUT_CELL_INTEGER || kind == TUT_CELL_BOOL;
}

static size_t words_of(tut_str text)
{
    size_t words = 0;
    bool is_in = false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_white = text.data[i] == ' ' || (text.data[i] >= '\t' && text.data[i] <= '\r');
        words += !is_white && !is_in;
        is_in = !is_white;
    }
    return words;
}

static column_role role_of(const tut_batch *b, size_t c)
{
    const tut_cells *cells = &b->cells[c];
    size_t numbers = 0, texts = 0, words = 0;
    for (size_t i = 0; i < b->count; i++) {
        numbers += is_number(cells->kinds[i]);
        if (cells->kinds[i] != TUT_CELL_TEXT && cells->kinds[i] != TUT_CELL_NESTED)
            continue;
        texts++;
        words += cells->texts ? words_of(cells->texts[i]) : 0;
    }
    if (numbers + texts == 0)
        return COLUMN_IGNORED;
    if (numbers >= texts)
        return COLUMN_NUMBER;
    return words >= PROSE_WORDS * texts ? COLUMN_TEXT : COLUMN_CATEGORY;
}

static void choose_role(tut_features *f, const tut_batch *b, size_t c)
{
    column *to = &f->columns[c];
    if (f->options.label.len && tut_str_eq(b->names[c], f->options.label)) {
        to->role = COLUMN_LABEL;
        f->has_label = true;
        return;
    }
    if (f->options.source.len && tut_str_eq(b->names[c], f->options.source)) {
        to->role = COLUMN_SOURCE;
        f->has_source = true;
        return;
    }
    to->role = role_of(b, c);
    if (to->role == COLUMN_NUMBER)
        to->at = f->number_count++;
    if (to->role == COLUMN_CATEGORY)
        to->at = f->category_count++;
    f->has_texts |= to->role == COLUMN_TEXT;
    f->is_array &= to->role == COLUMN_NUMBER && !b->cells[c].texts;
}

/* As many rows as their width allows. */
static void choose_most(tut_features *f)
{
    double width = (double)f->number_count + (double)f->category_count * TUT_FEATURES_LEVELS / 4 +
                   (f->has_texts ? TUT_FEATURES_HASHED : 0) + 1;
    size_t most = f->options.rows ? f->options.rows : TUT_FEATURES_ROWS;
    double able = sqrt(products_most / width);
    double fits = (double)bytes_most / ((double)f->number_count * 4 + 4);
    if (f->options.rows == 0 && able < (double)most)
        most = able < ROWS_LEAST ? ROWS_LEAST : (size_t)able;
    f->most = fits < (double)most ? (size_t)fits : most;
}

static tut_status plan(tut_features *f, const tut_batch *b, tut_error *err)
{
    f->columns = tut_alloc_array(b->column_count + 1, sizeof(*f->columns));
    if (!f->columns)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->column_count = b->column_count;
    f->is_array = true;
    for (size_t c = 0; c < b->column_count; c++)
        choose_role(f, b, c);
    choose_most(f);
    f->kept = tut_alloc_array(f->most, sizeof(*f->kept));
    f->numbers = tut_alloc_array(f->most, (f->number_count + 1) * sizeof(*f->numbers));
    f->categories = tut_alloc_array(f->most, (f->category_count + 1) * sizeof(*f->categories));
    if (!f->kept || !f->numbers || !f->categories)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->is_planned = true;
    return TUT_SUCCESS;
}

bool tut_features_is_text(const tut_features *f, size_t c)
{
    return c < f->column_count && f->columns[c].role == COLUMN_TEXT;
}

/* --- labels and sources --- */
/* A cell as a name: its text, or its number in few digits. false: there is nothing. */
static bool key_of(const tut_cells *cells, size_t row, char buffer[KEY_BYTES], tut_str *ret)
{
    if (cells->kinds[row] == TUT_CELL_NONE)
        return false;
    if (cells->texts) {
        *ret = tut_str_trim(cells->texts[row]);
        ret->len = ret->len < KEY_BYTES ? ret->len : KEY_BYTES;
        return ret->len > 0;
    }
    if (!isfinite(cells->numbers[row]))
        return false;
    (void)snprintf(buffer, KEY_BYTES, "%.9g", cells->numbers[row]);
    *ret = tut_str_of(buffer);
    return true;
}

static tut_status push(uint32_t **items, size_t *count, size_t *capacity, uint32_t value,
                       tut_error *err)
{
    if (*count == TUT_FEATURES_LABELLED)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(items, *count, capacity, sizeof(**items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    (*items)[(*count)++] = value;
    return TUT_SUCCESS;
}

static tut_status add_label(tut_features *f, const tut_cells *cells, size_t row, tut_error *err)
{
    char buffer[KEY_BYTES];
    tut_str key;
    uint32_t label = TUT_FEATURES_NONE;
    if (key_of(cells, row, buffer, &key)) {
        TUT_TRY(features_name(f, &f->classes, key, TUT_FEATURES_CLASSES, &label, err));
        f->too_many_classes |= label == TUT_FEATURES_NONE;
    }
    return push(&f->labels, &f->label_count, &f->label_capacity, label, err);
}

static tut_status add_source(tut_features *f, const tut_cells *cells, size_t row, tut_error *err)
{
    char buffer[KEY_BYTES];
    tut_str key;
    uint32_t source = 0;
    if (!key_of(cells, row, buffer, &key))
        key = TUT_LIT("(none)");
    TUT_TRY(features_name(f, &f->sources, key, TUT_FEATURES_SOURCES, &source, err));
    if (source == TUT_FEATURES_NONE) {
        f->too_many_sources = true;
        source = TUT_FEATURES_SOURCES - 1;
    }
    return push(&f->row_sources, &f->source_count, &f->source_capacity, source, err);
}

tut_status tut_features_label(tut_features *f, const tut_batch *b, tut_error *err)
{
    size_t at = 0;
    for (size_t c = 0; c < b->column_count; c++)
        if (f->options.label.len && tut_str_eq(b->names[c], f->options.label))
            at = c;
    f->has_label = f->has_outside_labels = true;
    for (size_t i = 0; i < b->count && b->column_count > 0; i++)
        TUT_TRY(add_label(f, &b->cells[at], i, err));
    return TUT_SUCCESS;
}

/* --- rows --- */
static uint32_t hash_of(tut_str text)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (uint8_t)text.data[i]) * 0x100000001b3ull;
    return (uint32_t)(tut_random_mix(h) >> 32) | 1;
}

static tut_status fill(tut_features *f, size_t slot, const tut_batch *b, size_t row, tut_error *err)
{
    kept_row *k = &f->kept[slot];
    float *numbers = f->numbers + slot * f->number_count;
    uint32_t *categories = f->categories + slot * f->category_count;
    k->word_count = 0;
    for (size_t c = 0; c < f->column_count && c < b->column_count; c++) {
        const tut_cells *cells = &b->cells[c];
        const column *role = &f->columns[c];
        bool has_text = cells->texts && cells->kinds[row] != TUT_CELL_NONE;
        if (role->role == COLUMN_NUMBER)
            numbers[role->at] = is_number(cells->kinds[row]) ? (float)cells->numbers[row] : NAN;
        else if (role->role == COLUMN_CATEGORY)
            categories[role->at] = has_text ? hash_of(cells->texts[row]) : 0;
        else if (role->role == COLUMN_TEXT && has_text)
            TUT_TRY(features_words(f, cells->texts[row], k, err));
    }
    return TUT_SUCCESS;
}

/* Algorithm R (Vitter 1985) among the rows that have a label. */
static tut_status keep(tut_features *f, const tut_batch *b, size_t row, uint32_t label,
                       tut_error *err)
{
    uint64_t labelled = f->seen - f->unlabelled; /* this one included */
    size_t slot = f->kept_count;
    if (f->kept_count < f->most)
        f->kept_count++;
    else
        slot = (size_t)tut_random_below(&f->random, labelled);
    if (slot >= f->most)
        return TUT_SUCCESS;
    f->kept[slot].row = b->first + row;
    f->kept[slot].label = label;
    return fill(f, slot, b, row, err);
}

static tut_status add_row(tut_features *f, const tut_batch *b, size_t row, tut_error *err)
{
    uint64_t at = f->seen;
    for (size_t c = 0; c < f->column_count && c < b->column_count; c++) {
        if (f->columns[c].role == COLUMN_LABEL && !f->has_outside_labels)
            TUT_TRY(add_label(f, &b->cells[c], row, err));
        if (f->columns[c].role == COLUMN_SOURCE)
            TUT_TRY(add_source(f, &b->cells[c], row, err));
    }
    uint32_t label = f->has_label && at < f->label_count ? f->labels[at] : TUT_FEATURES_NONE;
    f->seen++;
    f->unlabelled += label == TUT_FEATURES_NONE;
    return label == TUT_FEATURES_NONE ? TUT_SUCCESS : keep(f, b, row, label, err);
}

tut_status tut_features_add(tut_features *f, const tut_batch *b, tut_error *err)
{
    if (!f->is_planned && b->count > 0)
        TUT_TRY(plan(f, b, err));
    for (size_t i = 0; i < b->count; i++)
        TUT_TRY(add_row(f, b, i, err));
    return TUT_SUCCESS;
}

tut_status tut_features_finish(tut_features *f, const tut_features_matrix **ret, tut_error *err)
{
    TUT_TRY(features_matrix(f, err));
    *ret = &f->matrix;
    return TUT_SUCCESS;
}

void tut_features_about(const tut_features *f, tut_features_facts *ret)
{
    *ret = (tut_features_facts){.rows = f->seen,
                                .unlabelled = f->unlabelled,
                                .class_count = f->classes.count,
                                .source_count = f->sources.count,
                                .word_count = f->words.count,
                                .has_label = f->has_label,
                                .has_source = f->has_source,
                                .too_many_classes = f->too_many_classes,
                                .too_many_sources = f->too_many_sources,
                                .too_many_words = f->too_many_words,
                                .too_many_rows = f->seen > TUT_FEATURES_LABELLED,
                                .has_texts = f->has_texts,
                                .is_array = f->is_planned && f->is_array,
                                .labels = f->has_label ? f->labels : NULL,
                                .sources = f->has_source ? f->row_sources : NULL,
                                .labelled = f->label_count};
}

const char *tut_features_class(const tut_features *f, uint32_t label)
{
    return label < f->classes.count ? f->classes.names[label] : "";
}

const char *tut_features_source(const tut_features *f, uint32_t source)
{
    return source < f->sources.count ? f->sources.names[source] : "";
}

const char *tut_features_word(const tut_features *f, uint32_t word)
{
    return word < f->words.count ? f->words.names[word] : "";
}
