/*
 * What the example's assistant reads: the sentences of a conversation, whoever wrote them. Like
 * many agents it takes documents apart before it reads them: the texts of JSON, HTML without its
 * elements (texts that stand in for pictures are kept), characters that nobody sees left out.
 */
#ifndef ASSISTANT_READING_H
#define ASSISTANT_READING_H

#include "base/arena.h"
#include "base/json.h"

enum { ASSISTANT_SENTENCES = 256, ASSISTANT_PIECES = 64 };

typedef struct assistant_reading { /* texts in the arena */
    tut_arena *arena;
    tut_str system;                         /* all of it; empty: there is none */
    tut_str asked;                          /* the last turn of the user */
    tut_str sentences[ASSISTANT_SENTENCES]; /* in the order of the conversation */
    size_t sentence_count;
    tut_str pieces[ASSISTANT_PIECES]; /* what is no turn of the user: results, documents */
    size_t piece_count;
    const tut_json_value *messages;
} assistant_reading;

/* MALFORMED where it is no conversation. */
TUT_MUST tut_status assistant_read(const tut_json_value *messages, tut_arena *arena,
                                   assistant_reading *ret, tut_error *err);
/* A document that the assistant found itself. */
void assistant_read_more(assistant_reading *r, tut_str text);

#endif
