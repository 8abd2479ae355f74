/* Reads a dataset to its end, as whoever vets it does, and checks what the reader promises. */
#ifndef TUT_FUZZ_ROWS_READ_H
#define TUT_FUZZ_ROWS_READ_H

#include <stdlib.h>

#include "data/profile.h"
#include "data/rows_input.h"

static inline void fuzz_cells(const tut_batch *b)
{
    for (size_t i = 0; i < b->column_count; i++) {
        const tut_cells *c = &b->cells[i];
        for (size_t k = 0; k < b->count; k++) {
            bool has_number = c->kinds[k] >= TUT_CELL_NUMBER && c->kinds[k] <= TUT_CELL_BOOL;
            if (c->kinds[k] > TUT_CELL_NESTED || (!has_number && c->numbers[k] == c->numbers[k]))
                abort();
            if (c->texts && (c->texts[k].len > TUT_ROWS_CELL_BYTES || !tut_utf8_valid(c->texts[k])))
                abort();
        }
    }
}

/* How many rows there were. */
static inline uint64_t fuzz_rows(const char *name, const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_profile) profile = NULL;
    const tut_batch *batch = NULL;
    tut_source source = tut_source_memory(tut_span_of(data, size));
    uint64_t count = 0;
    if (!tut_is_ok(tut_rows_open(&source, name, &rows, NULL)) ||
        !tut_is_ok(tut_profile_new(&profile, NULL)))
        return 0;
    while (tut_is_ok(tut_rows_next(rows, &batch, NULL)) && batch) {
        if (batch->first != count || batch->count == 0 || batch->count > TUT_ROWS_BATCH)
            abort();
        count += batch->count;
        fuzz_cells(batch);
        if (!tut_is_ok(tut_profile_add(profile, batch, NULL)))
            abort();
    }
    if (tut_rows_about(rows)->rows != count || tut_profile_rows(profile) != count)
        abort();
    return count;
}

#endif
