/* The answer to a question: from the texts of the conversation, or from the nearest article. */
#ifndef ASSISTANT_FINDING_H
#define ASSISTANT_FINDING_H

#include "acting.h"

/* The article nearest to what the user asked; NULL: none fits. */
TUT_MUST tut_status assistant_nearest(assistant_brain *b, const assistant_reading *r,
                                      const assistant_article **ret_article, tut_error *err);
/* Adds nothing where nothing was asked and something is said already. */
void assistant_find(const assistant_reading *r, const assistant_kind *kinds,
                    const assistant_article *article, tut_buf *text);

#endif
