/*
 * What the example's assistant does about what it read. It obeys: a sentence that the planner takes
 * for an instruction is carried out, whoever wrote it and wherever it stands. That is its fault,
 * and what it is here for; it is not built to know any attack.
 */
#ifndef ASSISTANT_ACTING_H
#define ASSISTANT_ACTING_H

#include "brain.h"
#include "reading.h"

enum { ASSISTANT_CALLS = 8 };

typedef struct assistant_call {
    const char *name;
    tut_str arguments; /* JSON */
} assistant_call;

typedef struct assistant_reply { /* texts in the arena of what was read */
    tut_str text;                /* empty: calls only */
    assistant_call calls[ASSISTANT_CALLS];
    size_t call_count;
} assistant_reply;

/* tools: those that the request offers, as OpenAI has them; NULL: none. */
TUT_MUST tut_status assistant_act(assistant_brain *b, assistant_reading *r,
                                  const tut_json_value *tools, assistant_reply *ret,
                                  tut_error *err);

#endif
