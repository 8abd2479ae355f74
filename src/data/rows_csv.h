/* What the parts of the reader of CSV share. */
#ifndef TUT_DATA_ROWS_CSV_H
#define TUT_DATA_ROWS_CSV_H

#include "data/rows_input.h"

typedef struct csv_dialect {
    char delimiter, quote;
    size_t columns; /* that most records have; 0: there is no record */
    size_t records; /* that were looked at */
    double even;    /* share of them that have so many */
    double score;   /* 0: nothing speaks for a table */
    bool has_header;
    bool has_numbers;  /* a column below the first record is numbers */
    bool header_short; /* the header has one name less: the first column has none */
} csv_dialect;

/* Looks at the first records of a text in UTF-8 (or windows-1252). is_whole: it does not go on. */
csv_dialect csv_sniff(tut_str head, bool is_whole);

bool csv_is_it(tut_span head, const char *ending);
/* A column of that name; of its place where it has none or only spaces, and with ".1" and so on
 * where another has it already, which is a defect. */
TUT_MUST tut_status csv_add_name(tut_rows *r, tut_str name, tut_error *err);

#endif
