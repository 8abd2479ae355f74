/* What changed since an earlier version, as people see it in a terminal. */
#include <string.h>

#include "cmd/scan_view.h"
#include "scan/baseline.h"

enum { CHANGES_SHOWN = 20 };

static void add_change(tut_table *t, const tut_baseline_row *row)
{
    bool is_measured = row->numbers > 0;
    bool is_there = row->before[0] && row->after[0];
    bool is_alike = is_there && strcmp(row->before, row->after) == 0;
    tut_table_cell_z(t, TUT_STYLE_PLAIN, row->name);
    tut_table_cell_z(t, row->change == TUT_TENSOR_CHANGED ? TUT_STYLE_PLAIN : TUT_STYLE_WARN,
                     tut_tensor_change_name(row->change));
    if (is_alike || !is_there)
        tut_table_cell_z(t, TUT_STYLE_PLAIN, row->after[0] ? row->after : row->before);
    else
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%s > %s", row->before, row->after);
    for (int i = 0; i < 4 && !is_measured; i++)
        tut_table_cell_z(t, TUT_STYLE_PLAIN, "");
    if (!is_measured)
        return;
    tut_table_cellf(t, TUT_STYLE_PLAIN, "%.3g %%",
                    100 * (double)row->differing / (double)row->numbers);
    tut_table_cellf(t, TUT_STYLE_PLAIN, "%.3g", row->greatest);
    tut_table_cellf(t, TUT_STYLE_PLAIN, "%.3g %%", 100 * row->relative);
    tut_table_cellf(t, TUT_STYLE_PLAIN, "%.6f", row->cosine);
}

tut_status tut_scan_changes(const tut_file_report *r, const tut_term *term, tut_buf *out)
{
    static const char *const headers[] = {"Tensor",  "",         "Type and shape", "Differ",
                                          "At most", "Relative", "Cosine"};
    const tut_baseline *b = r->baseline;
    TUT_AUTO(tut_table) t = NULL;
    size_t shown = b->count < CHANGES_SHOWN ? b->count : CHANGES_SHOWN;
    tut_buf_add_z(out, "Against ");
    tut_buf_add_escaped(out, tut_str_of(b->path), TUT_ERROR_PATH_MAX);
    tut_buf_printf(out,
                   ": %llu tensors the same, %llu changed, %llu of another shape or type, %llu "
                   "added, %llu removed.\n",
                   (unsigned long long)b->counts[TUT_TENSOR_SAME],
                   (unsigned long long)b->counts[TUT_TENSOR_CHANGED],
                   (unsigned long long)b->counts[TUT_TENSOR_RESHAPED],
                   (unsigned long long)b->counts[TUT_TENSOR_ADDED],
                   (unsigned long long)b->counts[TUT_TENSOR_REMOVED]);
    if (b->count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_table_new(7, &t));
    for (size_t i = 0; i < 7; i++)
        tut_table_column(t, i, headers[i], i < 3 ? TUT_LEFT : TUT_RIGHT, i == 0);
    for (size_t i = 0; i < shown; i++)
        add_change(t, &b->rows[i]);
    TUT_TRY(tut_table_print(t, term, 0, out));
    if (shown < b->count)
        tut_buf_printf(out, "%zu more; --format json lists them\n", b->count - shown);
    tut_buf_add_byte(out, '\n');
    return TUT_SUCCESS;
}
