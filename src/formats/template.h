/*
 * Chat templates (Jinja) inside models: text that loaders render with every conversation. Two
 * things are looked for: expressions that climb out of the template into Python
 * (data.template-injection), and text that is slipped in when a message says a certain thing
 * (data.template-hidden-instruction). Nothing is rendered.
 */
#ifndef TUT_FORMATS_TEMPLATE_H
#define TUT_FORMATS_TEMPLATE_H

#include "formats/format.h"

/* text is the template, at `offset` of what x examines. */
TUT_MUST tut_status tut_template_check(tut_exam *x, tut_str text, uint64_t offset, tut_error *err);

#endif
