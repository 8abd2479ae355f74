/* The example's assistant as a service: OpenAI's chat completions and embeddings. */
#ifndef ASSISTANT_WIRE_H
#define ASSISTANT_WIRE_H

#include "brain.h"

typedef struct assistant_said {
    int status;               /* of HTTP */
    const char *content_type; /* literal */
    tut_buf body;
} assistant_said;
void assistant_said_done(assistant_said *s);

/* The same request always gets the same bytes. */
void assistant_serve(assistant_brain *b, tut_str method, tut_str path, tut_span body,
                     assistant_said *ret);

#endif
