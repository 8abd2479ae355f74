/* The next bytes of a stream as a stream of their own: a member of an archive that is decoded in
 * one go. */
#ifndef TUT_FORMATS_PART_H
#define TUT_FORMATS_PART_H

#include "base/source.h"

/* The caller's, and outlives the stream; `left` says how much of the part is not read yet. */
typedef struct tut_part {
    tut_stream *outer; /* borrowed */
    uint64_t left;
} tut_part;

/* The outer stream must not be used while this one is. TRUNCATED when it ends before the part does,
 * or why it ended. */
TUT_MUST tut_status tut_part_open(tut_part *part, tut_stream **ret);

#endif
