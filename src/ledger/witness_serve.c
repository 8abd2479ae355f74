#include "ledger/witness_serve.h"

#include "base/limits.h"
#include "ledger/http_serve.h"

typedef struct service {
    tut_witness *witness;
    const tut_witness_server *server;
} service;

static void other_answer(tut_witness_answer *a, int status, const char *sentence)
{
    a->status = status;
    a->content_type = "text/plain; charset=utf-8";
    tut_buf_add_z(&a->body, sentence);
    tut_str_copy(a->why.text, sizeof(a->why.text), tut_str_trim(tut_buf_str(&a->body)));
}

static const char *route(tut_witness *w, const char *url, const char *method,
                         const tut_http_request *req, tut_witness_answer *a)
{
    tut_str path = tut_str_of(url);
    tut_str ending = TUT_LIT("/checkpoint");
    bool is_get = strcmp(method, "GET") == 0;
    if (strcmp(method, "POST") == 0 && tut_str_eq_z(path, "/add-checkpoint")) {
        if (!req->is_too_large)
            tut_witness_add_checkpoint(w, req->body, a);
        else
            other_answer(a, 413, "the request is too large\n");
        return "add-checkpoint";
    }
    if (is_get && path.len > ending.len + 1 && tut_str_ends(path, ending)) {
        tut_witness_get_checkpoint(w, (tut_str){path.data + 1, path.len - ending.len - 1}, a);
        return "get-checkpoint";
    }
    if (!is_get && strcmp(method, "POST") != 0)
        other_answer(a, 405, "a witness takes GET and POST\n");
    else
        other_answer(a, 404, "a witness has /add-checkpoint and /HASH/checkpoint\n");
    return "other";
}

static void answer(void *ctx, const tut_http_request *req, tut_http_answer *ret_answer)
{
    service *s = ctx;
    TUT_CLEAN(tut_witness_answer) a = {0};
    const char *what = route(s->witness, req->path, req->method, req, &a);
    if (s->server->answered)
        s->server->answered(s->server->ctx, what, &a);
    *ret_answer = (tut_http_answer){.status = a.status,
                                    .content_type = a.content_type,
                                    .allow = a.status == 405 ? "GET, POST" : NULL,
                                    .body = a.body};
    a.body = TUT_BUF_INIT;
}

/* It listens, and so gives up what it does not need. */
static void ready(void *ctx, const char *url)
{
    service *s = ctx;
    if (s->server->ready)
        s->server->ready(s->server->ctx, url);
    if (s->server->confine_to)
        tut_witness_confine(s->server->confine_to);
}

tut_status tut_witness_serve(tut_witness *w, const tut_witness_server *server, tut_error *err)
{
    service s = {.witness = w, .server = server};
    const tut_http_server http = {.listen = server->listen,
                                  .body_bytes = TUT_LIMIT_WITNESS_REQUEST_BYTES,
                                  .ready = ready,
                                  .answer = answer,
                                  .ctx = &s};
    return tut_http_serve(&http, err);
}
