/*
 * What Python outside of pickles could do: the code objects of Keras' Lambda layers, and functions
 * that a configuration names. Judged by the same table of capabilities as the names in pickles.
 */
#ifndef TUT_SCAN_PYTHON_POLICY_H
#define TUT_SCAN_PYTHON_POLICY_H

#include "base/buf.h"
#include "formats/format.h"
#include "scan/pickle_capability.h"

typedef struct tut_python_verdict {
    tut_severity severity; /* the rule's, or worse */
    const char *title;     /* NULL: the rule's */
    tut_capability capability;
    tut_str module, name; /* what made it worse; empty: nothing did */
} tut_python_verdict;

/* Views borrow from the event. */
void tut_python_judge(const tut_python_event *event, tut_python_verdict *ret_verdict);
/* "/@model_config, in 'x'; code that reaches os.system; uses os, system; constants 'id'", escaped,
 * one line. */
void tut_python_describe(const tut_python_event *event, const tut_python_verdict *verdict,
                         tut_buf *out);

#endif
