/* What the services of the examples have in common: their command line, and serving over HTTP. */
#ifndef SERVING_SERVING_H
#define SERVING_SERVING_H

#include "base/status.h"
#include "base/str.h"
#include "ledger/http_serve.h"

typedef struct serving {
    const char *listen; /* --listen HOST:PORT, in place of what stands here */
    const char *name;   /* --name NAME, the same; NULL: there is no such option */
    const char *what;   /* the one argument, as the usage calls it; then as it was given */
    unsigned of_one;    /* connections of one address: a guard in front of it is one */
    void (*answer)(void *ctx, tut_str method, tut_str path, tut_span body, tut_http_answer *ret);
    void *ctx;
} serving;

/* USAGE where the command line is not understood; the text is the usage. */
TUT_MUST tut_status serving_take(serving *s, int argc, char **argv, tut_error *err);
/* Until it is interrupted. Prints the address once requests are taken. */
TUT_MUST tut_status serving_run(const serving *s, tut_error *err);
/* The exit status of a service that ended like this; a failure is told on stderr. */
int serving_end(tut_status status, const char *program, const tut_error *err);

#endif
