/*
 * tutela-example-assistant [--listen HOST:PORT] DIR
 *
 * Serves examples/support-assistant, so that the guard and `tutela probe` have a real system to
 * work on, small as it is. An example: not installed.
 */
#include <stdio.h>

#include "base/cage.h"
#include "ledger/http_serve.h"
#include "wire.h"

enum { BODY_BYTES = 4 << 20, CONNECTIONS = 200 };

static void ready(void *ctx, const char *url)
{
    (void)ctx;
    (void)printf("%s\n", url);
    (void)fflush(stdout);
}

static void answer(void *ctx, const tut_http_request *request, tut_http_answer *ret)
{
    assistant_said said;
    if (request->is_too_large) {
        ret->status = 413;
        ret->content_type = "text/plain";
        return;
    }
    assistant_serve(ctx, tut_str_of(request->method), tut_str_of(request->path), request->body,
                    &said);
    ret->status = said.status;
    ret->content_type = said.content_type;
    ret->body = said.body;
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    TUT_AUTO(assistant_brain) brain = NULL;
    const char *listen = "127.0.0.1:8081";
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "--listen") == 0) {
        listen = argv[2];
        at = 3;
    }
    if (at + 1 != argc) {
        (void)fprintf(stderr, "usage: %s [--listen HOST:PORT] DIR\n", argv[0]);
        return 2;
    }
    tut_interrupt_install();
    tut_status status = assistant_brain_open(argv[at], TUT_CAGE_AUTO, &brain, &err);
    tut_http_server server = {.listen = listen,
                              .body_bytes = BODY_BYTES,
                              .of_one = CONNECTIONS, /* a guard in front of it is one */
                              .ready = ready,
                              .answer = answer,
                              .ctx = brain};
    if (tut_is_ok(status))
        status = tut_http_serve(&server, &err);
    if (tut_is_ok(status))
        return 0;
    (void)fprintf(stderr, "%s: %s%s%s\n", argv[0], err.path, err.path[0] ? ": " : "", err.text);
    return 2;
}
