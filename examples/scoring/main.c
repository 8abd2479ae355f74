/*
 * tutela-example-scoring [--listen HOST:PORT] [--name NAME] MODEL.onnx
 *
 * Serves the model of examples/credit-scoring, so that the guard and `tutela probe` have a real
 * service of numbers to work on. An example: not installed.
 */
#include <stdio.h>

#include "ledger/http_serve.h"
#include "scoring.h"

enum { BODY_BYTES = 4 << 20, OF_ONE = 256 }; /* a guard is one address */

static void ready(void *ctx, const char *url)
{
    (void)ctx;
    (void)printf("%s\n", url);
    (void)fflush(stdout);
}

static void answer(void *ctx, const tut_http_request *request, tut_http_answer *ret)
{
    scoring_said said;
    ret->content_type = "application/json";
    if (request->is_too_large) {
        ret->status = 413;
        tut_buf_add_z(&ret->body, "{\"error\":\"a request has at most 4 MiB\"}");
        return;
    }
    scoring_serve(ctx, tut_str_of(request->method), tut_str_of(request->path), request->body,
                  &said);
    ret->status = said.status;
    ret->allow = said.allow;
    ret->body = said.body;
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    TUT_AUTO(scoring_model) model = NULL;
    const char *listen = "127.0.0.1:8090", *name = "classifier";
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--listen") == 0)
            listen = argv[at + 1];
        else if (strcmp(argv[at], "--name") == 0)
            name = argv[at + 1];
        else
            break;
    }
    if (at + 1 != argc || strncmp(argv[at], "--", 2) == 0) {
        (void)fprintf(stderr, "usage: %s [--listen HOST:PORT] [--name NAME] MODEL.onnx\n", argv[0]);
        return 2;
    }
    tut_interrupt_install();
    tut_status status = scoring_open(argv[at], name, TUT_CAGE_AUTO, &model, &err);
    tut_http_server server = {.listen = listen,
                              .body_bytes = BODY_BYTES,
                              .of_one = OF_ONE,
                              .ready = ready,
                              .answer = answer,
                              .ctx = model};
    if (tut_is_ok(status))
        status = tut_http_serve(&server, &err);
    if (tut_is_ok(status))
        return 0;
    (void)fprintf(stderr, "%s: %s%s%s\n", argv[0], err.path, err.path[0] ? ": " : "", err.text);
    return 2;
}
