/* Between scoring and fitting: what the heads say of a text, before any limit. */
#ifndef TUT_DETECT_DETECT_INTERNAL_H
#define TUT_DETECT_DETECT_INTERNAL_H

#include "detect/cache.h"
#include "detect/detect.h"
#include "detect/stretch.h"

typedef struct tut_margin {
    float value;              /* of the highest window or segment */
    size_t length;            /* segments, or tokens */
    size_t first, last;       /* tokens of what is highest: the stretch of a window */
    float logits[TUT_LOGITS]; /* of user text: of the highest window; of data: each the highest */
    float own;                /* of data: the highest, on its own scale */
} tut_margin;

typedef struct tut_best { /* of the text and of all that it hides */
    float against;
    tut_margin margin;
    tut_hidden_kind kind;
    uint64_t at;
    char symbols[96];
    bool is_any, is_invisible;
} tut_best;

typedef enum tut_phase {
    TUT_PHASE_DONE,
    TUT_PHASE_PLAIN,
    TUT_PHASE_TOKENS,
    TUT_PHASE_SEGMENTS,
    TUT_PHASE_SCORES,
    TUT_PHASE_HIDDEN
} tut_phase;

struct tut_detector {
    const tut_model *model;
    tut_detect_cache *cache;
    tut_bag bags[TUT_HEAD_COUNT];
    tut_plain plain;
    tut_tokens tokens;
    tut_segments segments;
    tut_hidden hidden;
    int32_t spans[TUT_WINDOW_TOKENS];
    /* the text under way */
    tut_phase phase;
    tut_detect_role role;
    tut_provenance from;
    tut_str text, looked; /* looked: it, or what was decoded from it */
    size_t piece;         /* pieces that were begun */
    size_t at, parts;     /* of the phase; parts of segments looked at */
    tut_margin margin;
    size_t length; /* as the limits count it, of the text or of the longest that it hides */
    tut_best best;
    tut_detect_verdict verdict;
    bool is_known; /* it was in the cache */
    tut_detect_tag tag;
};

/* --- margin.c --- */
void tut_margin_begin(tut_detector *d);
/* Each goes on by about max_bytes into d->margin; true: done. */
bool tut_margin_step_user(tut_detector *d, size_t max_bytes);
bool tut_margin_step_data(tut_detector *d, size_t max_bytes);
/* The stretches of a window whose words the last look summed up, and their logits. */
size_t tut_margin_stretches(tut_detector *d, size_t from, size_t count,
                            tut_stretch found[TUT_STRETCH_MANY], float logits[TUT_STRETCH_MANY]);
/* The part of a segment with that logit which is higher; false: none is, or it is not looked for.
 */
bool tut_margin_part(tut_detector *d, const tut_segment *g, float logit, tut_segment *ret_part,
                     float *ret_logit);
/* Makes the text plain and cuts it into tokens. */
TUT_MUST tut_status tut_detect_tokens(tut_detector *d, tut_str text, tut_error *err);
TUT_MUST tut_status tut_detect_segments(tut_detector *d, tut_error *err); /* of these tokens */
TUT_MUST tut_status tut_detect_margin(tut_detector *d, tut_provenance from, tut_margin *ret_margin,
                                      tut_error *err); /* of these tokens */

/* --- verdict.c --- */
void tut_verdict_say(tut_detect_verdict *v, const char *code, uint64_t at, const char *fmt, ...)
    TUT_PRINTF(4, 5);
void tut_verdict_take(tut_detector *d);                              /* d->margin, if best */
void tut_verdict_mention(tut_detect_verdict *v, const tut_plain *p); /* what is dressed up */
void tut_verdict_end(tut_detector *d);

#endif
