/* Datasets made up for the tests of poison, as batches. */
#ifndef TUT_TESTS_POISON_TABLE_H
#define TUT_TESTS_POISON_TABLE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/rows.h"
#include "stats/random.h"

enum { TABLE_COLUMNS = 800 };

/* Cells are texts: numbers where they look like one. */
typedef struct table {
    size_t columns, count;
    bool is_array; /* without texts */
    tut_str names[TABLE_COLUMNS];
    tut_cells cells[TABLE_COLUMNS];
} table;

static table *table_new(size_t columns, size_t count, const char *const *names, bool is_array)
{
    table *t = calloc(1, sizeof(*t));
    t->columns = columns;
    t->count = count;
    t->is_array = is_array;
    for (size_t c = 0; c < columns; c++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%zu", c);
        t->names[c] = tut_str_of(strdup(names ? names[c] : name));
        t->cells[c].kinds = calloc(count, 1);
        t->cells[c].numbers = calloc(count, sizeof(double));
        t->cells[c].texts = is_array ? NULL : calloc(count, sizeof(tut_str));
    }
    return t;
}

static void table_free(table *t)
{
    for (size_t c = 0; c < t->columns; c++) {
        for (size_t i = 0; t->cells[c].texts && i < t->count; i++)
            free((void *)(uintptr_t)t->cells[c].texts[i].data);
        free((void *)(uintptr_t)t->names[c].data);
        free(t->cells[c].kinds);
        free(t->cells[c].numbers);
        free(t->cells[c].texts);
    }
    free(t);
}

static void table_number(table *t, size_t row, size_t column, double x)
{
    char text[32];
    t->cells[column].kinds[row] = x == floor(x) ? TUT_CELL_INTEGER : TUT_CELL_NUMBER;
    t->cells[column].numbers[row] = x;
    if (t->is_array)
        return;
    (void)snprintf(text, sizeof(text), "%g", x);
    t->cells[column].texts[row] = tut_str_of(strdup(text));
}

static void table_text(table *t, size_t row, size_t column, const char *text)
{
    t->cells[column].kinds[row] = TUT_CELL_TEXT;
    t->cells[column].numbers[row] = (double)NAN;
    t->cells[column].texts[row] = tut_str_of(strdup(text));
}

/* Hands the rows out in batches. */
static tut_status table_feed(const table *t,
                             tut_status (*feed)(void *, const tut_batch *, tut_error *), void *ctx)
{
    enum { PORTION = 500 };
    static tut_cells cells[TABLE_COLUMNS];
    for (size_t first = 0; first < t->count; first += PORTION) {
        for (size_t c = 0; c < t->columns; c++)
            cells[c] = (tut_cells){.kinds = t->cells[c].kinds + first,
                                   .numbers = t->cells[c].numbers + first,
                                   .texts = t->is_array ? NULL : t->cells[c].texts + first};
        tut_batch b = {.first = first,
                       .count = t->count - first < PORTION ? t->count - first : PORTION,
                       .column_count = t->columns,
                       .names = t->names,
                       .cells = cells};
        TUT_TRY(feed(ctx, &b, NULL));
    }
    return TUT_SUCCESS;
}

#endif
