/* Attacks on membership by texts: what they share (membership_texts.c). */
#ifndef TUT_PROBE_MEMBERSHIP_TEXTS_H
#define TUT_PROBE_MEMBERSHIP_TEXTS_H

#include "base/buf.h"
#include "probe/membership_internal.h"

enum { TUT_MIA_TEXT_SCORES = 8, TUT_MIA_TEXT_BATCH = 16, TUT_MIA_TEXT_BYTES = 4096 };

typedef struct tut_mia_text_score {
    const char *name;    /* of its curve: "min-k 20 %" */
    const char *measure; /* "tpr_at_1_min_k" */
} tut_mia_text_score;

typedef struct tut_mia_texts tut_mia_texts;
struct tut_mia_texts {
    tut_probe *p;
    const tut_mia_text_score *names; /* of each kind of score */
    size_t kinds;                    /* at most TUT_MIA_TEXT_SCORES */
    /* Asks about at most TUT_MIA_TEXT_BATCH rows and sets their scores; what it cannot tell stays
     * NaN. Adds to `asked`. */
    tut_status (*ask)(tut_mia_texts *a, const size_t *rows, size_t count, tut_error *err);
    tut_mia_kept kept;                   /* rows: which words occur in each text */
    tut_str *texts;                      /* of each row; borrowed of the probe's */
    double *scores[TUT_MIA_TEXT_SCORES]; /* kinds x rows */
    uint64_t asked;                      /* queries */
};

/* The whole attack; sets all of *ret but budget, and keeps its weakness. */
TUT_MUST tut_status tut_mia_texts_run(tut_mia_texts *a, tut_attack_result *ret, tut_error *err);

/* {"prompt": text} */
TUT_MUST tut_status tut_mia_texts_prompt(tut_str text, tut_buf *out, tut_error *err);
/* What zlib makes of a text of at most TUT_MIA_TEXT_BYTES. */
double tut_mia_texts_packed_bits(tut_str text);

#endif
