/*
 * What a name in a pickle means: harmless, worth a look, or dangerous.
 *
 * The allow list decides first (whole pairs of module and dotted name). Whatever is not on it is
 * judged by its capability, and without a known capability by whose code it is: the standard
 * library's, a known library's, or somebody's. Nothing is clean by default.
 */
#ifndef TUT_SCAN_PICKLE_POLICY_H
#define TUT_SCAN_PICKLE_POLICY_H

#include "base/buf.h"
#include "formats/format.h"
#include "scan/rule.h"

typedef struct tut_pickle_verdict {
    const char *rule;      /* NULL: harmless */
    tut_severity severity; /* the rule's, or sharper, or milder */
    const char *title;     /* NULL: the rule's */
    const char *note;      /* for the message, or NULL */
    uint64_t subject;      /* the name, hashed: one finding per name and place */
    bool settles_import;   /* harmless, and so is having imported the name for it */
    uint8_t rank; /* among equal severities the higher one is kept: a call over an import */
} tut_pickle_verdict;

/* What surrounds the pickle. */
typedef struct tut_pickle_context {
    bool has_storages;          /* PyTorch's files: persistent ids name storages and modules */
    bool has_numbered_storages; /* PyTorch's tar files: a persistent id is a number in text */
    bool is_script; /* TorchScript: __torch__ is code in the archive, read by another loader */
} tut_pickle_context;

void tut_pickle_judge(const tut_pickle_event *event, const tut_pickle_context *context,
                      tut_pickle_verdict *ret_verdict);
/* "posix.system('id'), through REDUCE", escaped, one line. */
void tut_pickle_describe(const tut_pickle_event *event, const tut_pickle_verdict *verdict,
                         tut_buf *out);

#endif
