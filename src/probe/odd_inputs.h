/* Odd inputs (odd_inputs.def), and what their marks stand for. */
#ifndef TUT_PROBE_ODD_INPUTS_H
#define TUT_PROBE_ODD_INPUTS_H

#include "probe/attack.h"

enum {
    ODD_V2 = 1,
    ODD_CHAT = 2,
    ODD_COMPLETIONS = 4,
    ODD_ROWS = 8, /* lines, of programs that answer them: of rows */
    ODD_TALK = 16 /* and of texts */
};

typedef struct odd_input {
    unsigned to; /* a set of these */
    const char *name;
    tut_str head, unit;
    size_t times;
    tut_str tail;
} odd_input;

extern const odd_input odd_inputs[];
extern const size_t odd_input_count;

typedef struct odd_marks {
    tut_buf name, width, row, large, small, model, head, id;
} odd_marks;
void odd_marks_done(odd_marks *m);
/* Marks of rows: as wide as the target takes them, or the data are; of the first row of the data
 * that are at hand, or zeros. *ret_row: borrowed. UNSUPPORTED: a row that wide has to be given. */
TUT_MUST tut_status odd_marks_set(odd_marks *m, const tut_probe *p, const float **ret_row,
                                  size_t *ret_width, tut_error *err);
void odd_input_write(const odd_input *input, const odd_marks *m, tut_buf *to);

#endif
