/* Between the files that read a module. */
#ifndef TUT_GOVERN_TRAINING_INTERNAL_H
#define TUT_GOVERN_TRAINING_INTERNAL_H

#include "govern/training_module.h"

typedef struct tut_module_reader {
    tut_training_module *m;
    const char *file;
    tut_str rest;    /* of the text, behind the line at hand */
    tut_str line;    /* without its end, and blanks there */
    uint32_t number; /* of the line, from 1 */
    bool at_end, in_questions;
    size_t block_capacity, question_capacity;
    tut_error *err;
} tut_module_reader;

/* Steps to the next line; at the end of the text at_end is set and the line is empty. */
void tut_module_next_line(tut_module_reader *r);
/* MALFORMED, at FILE:LINE. */
TUT_MUST tut_status tut_module_fail(tut_module_reader *r, uint32_t line, const char *fmt, ...)
    TUT_PRINTF(3, 4);
/* The blocks up to a line at which `ends` says so, or the end of the text. */
TUT_MUST tut_status tut_module_read_blocks(tut_module_reader *r, bool (*ends)(tut_str line));
/* "## Questions" is the line at hand. */
TUT_MUST tut_status tut_module_read_questions(tut_module_reader *r);
bool tut_module_begins_questions(tut_str line);
/* "### title": how many bytes are its mark; 0: it is no heading. */
size_t tut_module_heading(tut_str line);

/* What both a reader and a decoder see to, so that whoever has a module can rely on it; NULL, or
 * what is wrong. */
const char *tut_module_flaw(const tut_training_module *m);

#endif
