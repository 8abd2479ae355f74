/* What an instruction is about: the parts of its sentence that a tool or an answer takes. */
#ifndef ASSISTANT_ASKING_H
#define ASSISTANT_ASKING_H

#include "base/str.h"

/* The first that names an order, or empty. */
tut_str assistant_asked_order(tut_str sentence);
/* The first e-mail address, or empty. */
tut_str assistant_asked_address(tut_str sentence);
/* What is quoted, else a link or picture, else what stands behind a colon or a word that leads to
 * it ("that", "with"), else all. */
tut_str assistant_asked_text(tut_str sentence);

#endif
