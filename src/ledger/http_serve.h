/*
 * A small HTTP server for what this program serves itself: one request at a time, whole, bounded.
 *
 * HTTP itself is libmicrohttpd's, loaded by this alone: keep-alive, chunked bodies, time-outs and
 * floods of connections are its daily work, and a parser of our own would only save a package.
 */
#ifndef TUT_LEDGER_HTTP_SERVE_H
#define TUT_LEDGER_HTTP_SERVE_H

#include "base/buf.h"

typedef struct tut_http_request {
    const char *method, *path;
    const char *authorization, *content_type; /* headers, or NULL */
    tut_span body;
    bool is_too_large; /* then the body is not whole */
} tut_http_request;

typedef struct tut_http_answer {
    int status;
    const char *content_type; /* literal */
    const char *allow;        /* literal: of a 405; or NULL */
    const char *authenticate; /* literal: of a 401; or NULL */
    tut_buf body;
} tut_http_answer;

typedef struct tut_http_server {
    const char *listen; /* "HOST:PORT" (port 0: any that is free), or "unix:/path" */
    size_t body_bytes;  /* of a request, at most */
    unsigned of_one;    /* connections of one address at a time; 0: 32 */
    /* Once, when requests are taken: where, as a URL. May be NULL. */
    void (*ready)(void *ctx, const char *url);
    void (*answer)(void *ctx, const tut_http_request *request, tut_http_answer *answer);
    /* A few times a second; serving ends when it says false. May be NULL. */
    bool (*turn)(void *ctx);
    void *ctx;
} tut_http_server;

/* Serves until SIGINT or SIGTERM (tut_interrupted), or `turn` ends it. UNSUPPORTED when
 * libmicrohttpd is not installed. */
TUT_MUST tut_status tut_http_serve(const tut_http_server *server, tut_error *err);

#endif
