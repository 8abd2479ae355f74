/* Rows of any format as documents: by what is written in them, or as they are. */
#include "data/near.h"

enum { WORDS = 6, PROSE_BYTES = 32 };

/* Something is written there, and not only named. */
static bool is_prose(tut_str text)
{
    size_t words = 1;
    if (text.len < PROSE_BYTES)
        return false;
    for (size_t i = 0; i < text.len && words < WORDS; i++)
        words += text.data[i] == ' ' || text.data[i] == '\n' || (uint8_t)text.data[i] >= 0xe3;
    return words >= WORDS;
}

/* What is written in the row, without its numbers and names; nothing where there is no prose. */
static void put_prose(tut_buf *to, const tut_batch *b, size_t row)
{
    tut_buf_clear(to);
    for (size_t k = 0; k < b->column_count; k++) {
        const tut_cells *c = &b->cells[k];
        if (!c->texts || (c->kinds[row] != TUT_CELL_TEXT && c->kinds[row] != TUT_CELL_NESTED) ||
            !is_prose(c->texts[row]))
            continue;
        tut_buf_add_str(to, c->texts[row]);
        tut_buf_add_byte(to, '\n');
    }
}

static void put_row(tut_buf *to, const tut_batch *b, size_t row)
{
    tut_buf_clear(to);
    for (size_t k = 0; k < b->column_count; k++) {
        const tut_cells *c = &b->cells[k];
        uint8_t kind = c->kinds[row];
        tut_buf_add_byte(to, kind);
        if (kind == TUT_CELL_NUMBER || kind == TUT_CELL_INTEGER || kind == TUT_CELL_BOOL)
            tut_buf_add(to, &c->numbers[row], sizeof(c->numbers[row]));
        else if (kind != TUT_CELL_NONE && c->texts)
            tut_buf_add_sized(to, c->texts[row]);
    }
}

tut_status tut_near_add_rows(tut_near *n, uint32_t dataset, tut_split split, const tut_batch *b,
                             tut_buf *scratch, tut_error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        put_prose(scratch, b, i);
        bool has_prose = scratch->len > 0;
        if (!has_prose)
            put_row(scratch, b, i);
        TUT_TRY(tut_buf_check(scratch, err));
        TUT_TRY(has_prose ? tut_near_add(n, dataset, split, b->first + i, tut_buf_str(scratch), err)
                          : tut_near_add_row(n, dataset, split, b->first + i, tut_buf_span(scratch),
                                             err));
    }
    return TUT_SUCCESS;
}
