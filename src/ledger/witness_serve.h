/*
 * A witness behind HTTP: POST /add-checkpoint and GET /HEX/checkpoint (C2SP tlog-witness), one
 * request at a time, so that looking at the latest checkpoint and remembering the next are one
 * step.
 */
#ifndef TUT_LEDGER_WITNESS_SERVE_H
#define TUT_LEDGER_WITNESS_SERVE_H

#include "ledger/witness.h"

typedef struct tut_witness_server {
    const char *listen; /* "HOST:PORT" (port 0: any that is free), or "unix:/path" */
    /* Once, when requests are taken: where, as a URL. */
    void (*ready)(void *ctx, const char *url);
    /* After each request; `what` is "add-checkpoint", "get-checkpoint" or "other". */
    void (*answered)(void *ctx, const char *what, const tut_witness_answer *answer);
    void *ctx;
    /* The witness's directory: once it listens, the process gives up all but this, its socket and
     * the key in its memory, for good. NULL for keys in agents and tokens, which need more. */
    const char *confine_to;
} tut_witness_server;

/* Serves until SIGINT or SIGTERM (tut_interrupted). UNSUPPORTED when libmicrohttpd is not
 * installed. */
TUT_MUST tut_status tut_witness_serve(tut_witness *w, const tut_witness_server *server,
                                      tut_error *err);
/* For this module. */
void tut_witness_confine(const char *dir);

#endif
