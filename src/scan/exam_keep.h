/* A decoder's bytes, kept so that they can be read anywhere and more than once. */
#ifndef TUT_SCAN_EXAM_KEEP_H
#define TUT_SCAN_EXAM_KEEP_H

#include "base/budget.h"
#include "base/buf.h"
#include "base/cage.h"

typedef struct tut_kept {
    tut_source source; /* once it is filled */
    tut_buf memory;    /* until it is in a file */
    int fd;            /* a scratch file of the task, or -1 */
    bool is_asked;     /* for a file */
    uint64_t size;
    size_t charged; /* to the heap */
    tut_cage_task *task;
    tut_budget *budget;
} tut_kept;

/* Takes all of the stream. task: NULL, or who opens scratch files. LIMIT or IO when it is too large
 * to be kept: then tut_kept_replay gives what was taken once more. Call tut_kept_done in any case.
 */
TUT_MUST tut_status tut_kept_fill(tut_kept *k, tut_stream *stream, tut_cage_task *task,
                                  tut_budget *budget, tut_error *err);
void tut_kept_done(tut_kept *k);
/* A stream over what was kept and what `rest` still has; it lives no longer than either. */
TUT_MUST tut_status tut_kept_replay(const tut_kept *k, tut_stream *rest, tut_stream **ret_again,
                                    tut_error *err);

#endif
