#include "data/found.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tut_data_findings_done(tut_data_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        tut_free(f->items[i].rows);
    tut_free(f->items);
    *f = (tut_data_findings){0};
}

/* What is shown is valid UTF-8 without controls: it was cut somewhere, or came out of a file. */
static void make_printable(char *text)
{
    size_t at = 0, end = strlen(text);
    while (at < end) {
        uint32_t c = 0;
        size_t len = tut_utf8_len((tut_str){text + at, end - at}, &c);
        if (len == 0 && end - at < 4 && (uint8_t)text[at] >= 0xc0) {
            text[at] = '\0'; /* it was cut inside a character */
            return;
        }
        if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
            memset(text + at, '?', len = len ? len : 1);
        at += len;
    }
}

tut_status tut_data_found(tut_data_findings *f, const char *rule, tut_str column,
                          tut_data_finding **ret, tut_error *err, const char *format, ...)
{
    va_list args;
    if (f->count == TUT_DATA_FOUND) {
        f->left_out++;
        f->count--; /* the last one makes room: that there are more is told */
        tut_free(f->items[f->count].rows);
    }
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 16;
        tut_data_finding *items = tut_realloc_array(f->items, capacity, sizeof(*items));
        if (!items)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        f->items = items;
        f->capacity = capacity;
    }
    tut_data_finding *made = &f->items[f->count++];
    *made = (tut_data_finding){.rule = rule, .score = NAN, .p = NAN, .q = NAN};
    tut_str_copy(made->column, sizeof(made->column), column);
    va_start(args, format);
    (void)vsnprintf(made->message, sizeof(made->message), format, args);
    va_end(args);
    make_printable(made->column);
    make_printable(made->message);
    *ret = made;
    return TUT_SUCCESS;
}

tut_status tut_data_found_row(tut_data_finding *f, uint64_t row, double score, double p, double q,
                              const char *note, tut_error *err)
{
    f->count++;
    if (f->row_count == TUT_DATA_ROWS_SHOWN)
        return TUT_SUCCESS;
    if ((f->row_count & (f->row_count - 1)) == 0) { /* a power of two, or none: full */
        size_t capacity = f->row_count ? 2 * f->row_count : 1;
        tut_data_row *rows = tut_realloc_array(f->rows, capacity, sizeof(*rows));
        if (!rows)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        f->rows = rows;
    }
    tut_data_row *made = &f->rows[f->row_count++];
    *made = (tut_data_row){.row = row, .score = score, .p = p, .q = q};
    tut_str_copy(made->note, sizeof(made->note), tut_str_of(note ? note : ""));
    make_printable(made->note);
    return TUT_SUCCESS;
}
