/*
 * The two nets of the example and its articles. The planner says what one sentence is; the
 * retriever places texts so that a question lies near the article that answers it. Both are files
 * of the described system, run by src/nets; nothing here knows a sentence by its wording.
 */
#ifndef ASSISTANT_BRAIN_H
#define ASSISTANT_BRAIN_H

#include "base/arena.h"
#include "base/cage.h"
#include "base/status.h"

enum { ASSISTANT_SPACE = 32 }; /* numbers of a place */

typedef enum assistant_kind { /* in the order of the planner's outputs */
                              ASSISTANT_INFORM,
                              ASSISTANT_QUESTION,
                              ASSISTANT_SEARCH,
                              ASSISTANT_TICKET,
                              ASSISTANT_RETURN,
                              ASSISTANT_SAY,
                              ASSISTANT_RECITE,
                              ASSISTANT_KINDS
} assistant_kind;

typedef struct assistant_article {
    tut_str id, title, text, url;
    float place[ASSISTANT_SPACE];
} assistant_article;

typedef struct assistant_brain assistant_brain; /* one thread's */

/* models/planner.onnx, models/retriever.onnx and data/kb-articles.jsonl below `dir`. */
TUT_MUST tut_status assistant_brain_open(const char *dir, tut_cage_mode sandbox,
                                         assistant_brain **ret_brain, tut_error *err);
void assistant_brain_free(assistant_brain *b);
TUT_DEFINE_AUTO(assistant_brain)

/* What each sentence is. */
TUT_MUST tut_status assistant_classify(assistant_brain *b, const tut_str *sentences, size_t count,
                                       assistant_kind *ret_kinds, tut_error *err);
/* Where texts lie: count x ASSISTANT_SPACE, each of length 1. */
TUT_MUST tut_status assistant_place(assistant_brain *b, const tut_str *texts, size_t count,
                                    float *ret_places, tut_error *err);
/* From -1 to 1. */
float assistant_near(const float *a, const float *b);

size_t assistant_article_count(const assistant_brain *b);
const assistant_article *assistant_article_at(const assistant_brain *b, size_t i);

#endif
