/* Looking for secrets and personal data while an artefact is examined: what is text as a whole, of
 * other files the beginning (metadata lies there), and every fact that a parser reports. */
#ifndef TUT_SCAN_EXAM_TEXT_H
#define TUT_SCAN_EXAM_TEXT_H

#include "scan/exam_internal.h"
#include "text/text.h"

/* What runs along with one artefact. */
typedef struct tut_frame_text {
    tut_frame *f;
    tut_text_scanner *scanner; /* while it reads */
    tut_stream *tee;           /* over the artefact's own stream; owned */
    tut_stream *from;          /* the artefact's own */
    char *path;                /* owned; for rules that ask */
    unsigned classes;
    size_t counts[TUT_TEXT_CLASS_COUNT]; /* of what is told as a number, not one by one */
    tut_text_match first[TUT_TEXT_CLASS_COUNT];
} tut_frame_text;

/* Before the artefact is examined: looks at it when it can be read twice; else *a is made to pass
 * its bytes by the engine while they are read. */
TUT_MUST tut_status tut_frame_text_begin(tut_frame_text *t, tut_frame *f, const tut_sniff *sniff,
                                         tut_artefact *a, tut_error *err);
/* After it: what was not read is, and what was counted is told. */
TUT_MUST tut_status tut_frame_text_end(tut_frame_text *t, tut_error *err);
/* A fact: what is found in it is told, unless the artefact is text and was looked through; out is
 * its value with secrets and people's numbers masked, which is all that reports ever see. */
void tut_frame_text_fact(tut_frame *f, const char *key, tut_str value, tut_buf *out);
/* The same for a line that quotes the artefact. */
void tut_frame_text_mask(tut_frame *f, tut_str value, tut_buf *out);

#endif
