#include "serving.h"

#include <stdio.h>
#include <string.h>

#include "base/cage.h"

enum { BODY_BYTES = 4 << 20 };

tut_status serving_take(serving *s, int argc, char **argv, tut_error *err)
{
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--listen") == 0)
            s->listen = argv[at + 1];
        else if (s->name && strcmp(argv[at], "--name") == 0)
            s->name = argv[at + 1];
        else
            break;
    }
    if (at + 1 != argc || strncmp(argv[at], "--", 2) == 0)
        return tut_fail(err, TUT_USAGE, "usage: %s [--listen HOST:PORT]%s %s", argv[0],
                        s->name ? " [--name NAME]" : "", s->what);
    s->what = argv[at];
    return TUT_SUCCESS;
}

static void ready(void *ctx, const char *url)
{
    (void)ctx;
    (void)printf("%s\n", url);
    (void)fflush(stdout);
}

static void answer(void *ctx, const tut_http_request *request, tut_http_answer *ret)
{
    const serving *s = ctx;
    if (!request->is_too_large) {
        s->answer(s->ctx, tut_str_of(request->method), tut_str_of(request->path), request->body,
                  ret);
        return;
    }
    ret->status = 413;
    ret->content_type = "application/json";
    tut_buf_add_z(&ret->body, "{\"error\":\"a request has at most 4 MiB\"}");
}

tut_status serving_run(const serving *s, tut_error *err)
{
    serving own = *s; /* the server's context is not const */
    const tut_http_server server = {.listen = s->listen,
                                    .body_bytes = BODY_BYTES,
                                    .of_one = s->of_one,
                                    .ready = ready,
                                    .answer = answer,
                                    .ctx = &own};
    tut_interrupt_install();
    return tut_http_serve(&server, err);
}

int serving_end(tut_status status, const char *program, const tut_error *err)
{
    if (tut_is_ok(status))
        return 0;
    if (status.code == TUT_USAGE && strncmp(err->text, "usage: ", 7) == 0)
        (void)fprintf(stderr, "%s\n", err->text);
    else
        (void)fprintf(stderr, "%s: %s%s%s\n", program, err->path, err->path[0] ? ": " : "",
                      err->text);
    return 2;
}
