/* Rows made of the input go through the search for duplicates and poison: the first bytes say how
 * many columns there are, of which kinds, and what is asked; each byte or line after them is a
 * cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 6, ROWS = 120 };

typedef struct grid {
    uint8_t kinds[COLUMNS][ROWS];
    double numbers[COLUMNS][ROWS];
    tut_str texts[COLUMNS][ROWS];
} grid;

static const uint8_t *fill_cell(grid *g, size_t column, size_t row, const uint8_t *at,
                                const uint8_t *end, bool is_text)
{
    static const double odd[] = {0, -1, 1e308, -1e308, NAN, INFINITY, 255, 1e-300};
    const uint8_t *stop = at;
    if (!is_text) {
        g->kinds[column][row] = *at % 3 ? TUT_CELL_NUMBER : TUT_CELL_INTEGER;
        g->numbers[column][row] = *at < 248 ? *at : odd[*at - 248];
        g->texts[column][row] = (tut_str){(const char *)at, 1};
        return at + 1;
    }
    while (stop < end && *stop != '\n')
        stop++;
    g->kinds[column][row] = stop == at ? TUT_CELL_NONE : TUT_CELL_TEXT;
    g->numbers[column][row] = (double)NAN;
    g->texts[column][row] = (tut_str){(const char *)at, (size_t)(stop - at)};
    return stop < end ? stop + 1 : stop;
}

static void must(tut_status s)
{
    if (s.code == TUT_BUG)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static grid g;
    static const char *const names[COLUMNS] = {"label", "source", "2", "3", "4", "5"};
    if (size < 4)
        return 0;
    size_t columns = 1 + data[0] % COLUMNS, rows = 0;
    uint8_t are_texts = data[1], asked = data[2];
    const uint8_t *at = data + 4, *end = data + size;
    for (; at < end && rows < ROWS; rows++)
        for (size_t c = 0; c < columns; c++) {
            g.kinds[c][rows] = TUT_CELL_NONE;
            g.numbers[c][rows] = (double)NAN;
            g.texts[c][rows] = TUT_LIT("");
            if (at < end)
                at = fill_cell(&g, c, rows, at, end, are_texts >> c & 1);
        }
    tut_cells cells[COLUMNS];
    tut_str words[COLUMNS];
    for (size_t c = 0; c < columns; c++) {
        words[c] = tut_str_of(names[c]);
        cells[c] = (tut_cells){g.kinds[c], g.numbers[c], asked & 4 ? NULL : g.texts[c]};
    }
    tut_batch b = {.count = rows, .column_count = columns, .names = words, .cells = cells};
    tut_poison_options options = {.seed = data[3]};
    if (asked & 1)
        options.label = TUT_LIT("label");
    if (asked & 2)
        options.source = TUT_LIT("source");
    if (asked & 8) {
        options.height = 1 + (asked >> 6);
        options.width = columns > 1 ? (columns - 1) / options.height : 1;
    }
    TUT_AUTO(tut_poison) p = NULL;
    tut_data_findings findings = {0};
    must(tut_poison_new(&options, &p, NULL));
    if (asked & 16) {
        options.has_label_file = true;
        must(tut_poison_label(p, &b, NULL));
    }
    must(tut_poison_feed(p, &b, NULL));
    if (asked & 32)
        must(tut_poison_activations(p, &b, NULL));
    must(tut_poison_finish(p, &findings, NULL));
    for (size_t i = 0; i < findings.count; i++)
        if (!tut_utf8_valid(tut_str_of(findings.items[i].message)) ||
            findings.items[i].row_count > findings.items[i].count)
            abort();
    tut_data_findings_done(&findings);
    return 0;
}
