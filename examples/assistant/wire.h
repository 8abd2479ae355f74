/* The example's assistant as a service: OpenAI's chat completions and embeddings. */
#ifndef ASSISTANT_WIRE_H
#define ASSISTANT_WIRE_H

#include "brain.h"
#include "ledger/http_serve.h"

/* The same request always gets the same bytes. The caller frees the body. */
void assistant_serve(assistant_brain *b, tut_str method, tut_str path, tut_span body,
                     tut_http_answer *ret);

#endif
