/* What a name of Python means where something other than a pickle asks for it. */
#ifndef TUT_SCAN_REFERENCE_POLICY_H
#define TUT_SCAN_REFERENCE_POLICY_H

#include "base/buf.h"
#include "formats/format.h"
#include "scan/rule.h"

typedef struct tut_reference_verdict {
    const char *rule; /* NULL: nothing to say */
    tut_severity severity;
    const char *title; /* sharper than the rule's, or NULL */
    uint64_t subject;  /* see tut_finding: what is folded into one */
} tut_reference_verdict;

/* file_name: of the source file, as some run at an installation and not when a model is loaded. */
void tut_reference_judge(const tut_reference *r, tut_str file_name, tut_reference_verdict *ret);
/* One line for people, escaped. */
void tut_reference_describe(const tut_reference *r, tut_buf *out);

#endif
