/* A dataset as the reader gives it, as text: the names, then a line for each row; before each cell
 * a letter for its kind: - nothing, n number, i integer, b boolean, t text, l nested. */
#ifndef TUT_TESTS_ROWS_SHOWN_H
#define TUT_TESTS_ROWS_SHOWN_H

#include <stdio.h>

#include "data/rows.h"

typedef struct shown {
    tut_buf text;
    tut_rows_facts facts;
    tut_error err;
} shown;

static inline void show_batch(const tut_batch *b, tut_buf *to)
{
    for (size_t k = 0; k < b->count; k++) {
        for (size_t i = 0; i < b->column_count; i++) {
            const tut_cells *c = &b->cells[i];
            tut_buf_printf(to, "%s%c", i ? "|" : "", "-nibtl"[c->kinds[k]]);
            if (c->texts)
                tut_buf_add_str(to, c->texts[k]);
        }
        tut_buf_add_byte(to, '\n');
    }
}

static inline void show_names(const tut_batch *b, tut_buf *to)
{
    for (size_t i = 0; i < b->column_count; i++) {
        tut_buf_add_z(to, i ? "|" : "");
        tut_buf_add_str(to, b->names[i]);
    }
    tut_buf_add_byte(to, '\n');
}

/* Names are those of the last batch. */
static inline shown show(const char *name, const void *bytes, size_t len)
{
    shown s = {.text = TUT_BUF_INIT};
    TUT_CLEAN(tut_buf) cells = TUT_BUF_INIT;
    TUT_AUTO(tut_rows) rows = NULL;
    const tut_batch *b = NULL;
    tut_source source = tut_source_memory(tut_span_of(bytes, len));
    if (!tut_is_ok(tut_rows_open(&source, name, &rows, &s.err)))
        return s;
    while (tut_is_ok(tut_rows_next(rows, &b, &s.err)) && b) {
        show_batch(b, &cells);
        tut_buf_clear(&s.text);
        show_names(b, &s.text);
    }
    tut_buf_add_str(&s.text, tut_buf_str(&cells));
    s.facts = *tut_rows_about(rows);
    return s;
}

static inline uint64_t broken(const shown *s, tut_rows_defect_kind kind)
{
    return s->facts.defects[kind].count;
}

/* Asserts what is read, and forgets it. */
#define READS_AS(name, bytes, expected)                                                            \
    do {                                                                                           \
        shown reads_ = show(name, "" bytes, sizeof(bytes) - 1);                                    \
        assert_string_equal(tut_buf_z(&reads_.text), expected);                                    \
        tut_buf_done(&reads_.text);                                                                \
    } while (0)

#endif
