/*
 * The protocols that the guard speaks: one row each. A row says what a request is made of (which
 * text comes from whom), and which texts of an answer come piece by piece.
 */
#ifndef TUT_GUARD_PROTOCOL_H
#define TUT_GUARD_PROTOCOL_H

#include "guard/request.h"
#include "guard/walk.h"

typedef struct tut_protocol {
    const char *name;        /* "openai-chat" */
    const char *methods;     /* where the route names none */
    bool is_text;            /* bodies are text/plain, not JSON */
    bool can_stream;         /* answers may be server-sent events */
    bool has_calls;          /* answers may call tools */
    bool has_stream_options; /* requests may ask for the usage of a stream */
    /* Who says this string or key? The container's own rules are checked on the way. */
    tut_guard_role (*role)(tut_guard_request *r, const tut_guard_way *way);
    /* Rules of the whole: schema, tools, models; after the walk. */
    void (*check)(tut_guard_request *r);
    /* Of an event: the string adds to a text that the events before began. */
    bool (*is_delta)(const tut_json_value *event, const tut_guard_way *way);
    /* Where texts are not of choices: the members of an event that adds the rest of one. */
    void (*put_rest)(tut_json *j, const tut_json_value *last, tut_str field, tut_str text);
    const char *error_event; /* that ends a stream; NULL: data without a name, and [DONE] */
} tut_protocol;

const tut_protocol *tut_protocol_of(tut_str name);
const char *tut_protocol_words(void); /* "openai-chat openai-completions ..." */

/* request_openai.c, request_messages.c, request_v2.c */
tut_guard_role tut_role_chat(tut_guard_request *r, const tut_guard_way *way);
tut_guard_role tut_role_responses(tut_guard_request *r, const tut_guard_way *way);
tut_guard_role tut_role_prompt(tut_guard_request *r, const tut_guard_way *way);
tut_guard_role tut_role_messages(tut_guard_request *r, const tut_guard_way *way);
/* Of what stands beside the messages: tools, settings, documents. */
tut_guard_role tut_role_of_rest(const tut_guard_way *way);
tut_guard_role tut_role_v2(tut_guard_request *r, const tut_guard_way *way);
void tut_check_openai(tut_guard_request *r);
void tut_check_v2(tut_guard_request *r);

#endif
