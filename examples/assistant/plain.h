/* A document made plain, as agents do before they read one. */
#ifndef ASSISTANT_PLAIN_H
#define ASSISTANT_PLAIN_H

#include "base/buf.h"

/* text: with its HTML elements and the characters without width left out, entities as what they
 * stand for. aside: the texts of pictures (alt, title, Markdown), one a paragraph. */
void assistant_plain(tut_str text, tut_buf *ret_text, tut_buf *ret_aside);

#endif
