/* The table of rules as text for people: docs/rules.md. */
#ifndef TUT_SCAN_RULE_DOC_H
#define TUT_SCAN_RULE_DOC_H

#include "base/buf.h"

void tut_rules_markdown(tut_buf *out);

#endif
