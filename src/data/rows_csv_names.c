/* Names of columns: each once, and none without. */
#include <stdio.h>

#include "data/rows_csv.h"

static bool has_column(const tut_rows *r, tut_str name)
{
    for (size_t i = 0; i < r->column_count; i++)
        if (tut_str_eq(r->names[i], name))
            return true;
    return false;
}

tut_status csv_add_name(tut_rows *r, tut_str name, tut_error *err)
{
    char text[160];
    size_t column;
    if (name.len == 0) {
        (void)snprintf(text, sizeof(text), "%zu", r->column_count);
        name = tut_str_of(text);
    }
    if (!has_column(r, name))
        return rows_column_add(r, name, &column, err);
    rows_defect(r, TUT_ROWS_DUPLICATE, UINT64_MAX, UINT64_MAX, "column %zu has the name of another",
                r->column_count);
    for (unsigned i = 1; i <= TUT_ROWS_COLUMNS; i++) {
        int shown = name.len < 128 ? (int)name.len : 128;
        (void)snprintf(text, sizeof(text), "%.*s.%u", shown, name.data, i);
        if (!has_column(r, tut_str_of(text)))
            return rows_column_add(r, tut_str_of(text), &column, err);
    }
    return rows_column_add(r, tut_str_of(text), &column, err);
}
