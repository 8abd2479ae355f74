/* What the prose of a model card says, as facts. */
#ifndef TUT_FORMATS_CARD_PROSE_H
#define TUT_FORMATS_CARD_PROSE_H

#include "formats/format.h"

/* Facts card.summary, card.use, card.limitation, card.training of the Markdown. */
void tut_card_prose(tut_exam *x, tut_str text);

#endif
