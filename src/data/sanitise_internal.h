/* Between the one who cuts (sanitise.c) and the worker who says where (sanitise_job.c). */
#ifndef TUT_DATA_SANITISE_INTERNAL_H
#define TUT_DATA_SANITISE_INTERNAL_H

#include "base/cage.h"
#include "base/reader.h"
#include "data/sanitise.h"
#include "text/text.h"

/* Files of the task: what is read; where it goes unpacked, and where the cuts go. */
#define SANITISE_IN "in"
#define SANITISE_PLAIN "plain"
#define SANITISE_CUTS "cuts"

enum {
    SANITISE_KINDS = 128,
    SANITISE_CUT_BYTES = 24,
    /* what a cut is for, beside the number of a kind */
    SANITISE_UNSEEN = 0xfffe, /* nothing takes its place */
    SANITISE_ROW = 0xffff     /* the whole row goes */
};

typedef struct sanitise_cut { /* ascending, never overlapping */
    uint64_t begin, end;      /* in the unpacked bytes */
    uint16_t kind;
    bool is_number; /* of JSON: what takes its place needs quotes */
} sanitise_cut;

typedef struct sanitise_reply {
    bool is_plain; /* cuts are about SANITISE_PLAIN */
    uint64_t plain_bytes, cuts;
    size_t kind_count;
    char kinds[SANITISE_KINDS][TUT_TEXT_ID];
} sanitise_reply;

void tut_sanitise_cut_put(const sanitise_cut *c, uint8_t to[SANITISE_CUT_BYTES]);
sanitise_cut tut_sanitise_cut_get(const uint8_t from[SANITISE_CUT_BYTES]);
void tut_sanitise_reply_put(const sanitise_reply *r, tut_buf *out);
TUT_MUST tut_status tut_sanitise_reply_get(tut_span bytes, sanitise_reply *ret, tut_error *err);

TUT_MUST tut_status tut_sanitise_job(tut_cage_task *task, const tut_source *bytes,
                                     tut_span argument, tut_buf *out, tut_error *err);

#endif
