#include "ledger/http_serve.h"

#include <dlfcn.h>
#include <microhttpd.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs_internal.h"
#include "base/time.h"
#include "ledger/witness_listen.h"

enum {
    CONNECTIONS = 256,
    CONNECTIONS_OF_ONE = 32,
    IDLE_SECONDS = 10,
    REQUEST_MS = 30000, /* for all of a request: one that trickles does not hold its place */
    HEADER_BYTES = 32 << 10,
    TURN_MS = 200 /* how soon an interrupt is noticed */
};

#define MHD_FUNCTIONS(X)                                                                           \
    X(MHD_start_daemon)                                                                            \
    X(MHD_stop_daemon)                                                                             \
    X(MHD_run_wait)                                                                                \
    X(MHD_create_response_from_buffer)                                                             \
    X(MHD_lookup_connection_value)                                                                 \
    X(MHD_add_response_header)                                                                     \
    X(MHD_queue_response)                                                                          \
    X(MHD_destroy_response)

static struct {
    void *library;
#define MEMBER(name) __typeof__(&name) name;
    MHD_FUNCTIONS(MEMBER)
#undef MEMBER
} api;

static tut_status load(tut_error *err)
{
    if (api.library)
        return TUT_SUCCESS;
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "serving needs libmicrohttpd, which cannot be loaded (%s); install "
                        "libmicrohttpd12",
                        dlerror());
    bool is_whole = true;
#define LOOK_UP(name)                                                                              \
    *(void **)&api.name = dlsym(library, #name);                                                   \
    is_whole = is_whole && api.name;
    MHD_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    if (!is_whole) { /* MHD_run_wait came with 0.9.72 */
        (void)dlclose(library);
        return tut_fail(err, TUT_UNSUPPORTED, "serving needs libmicrohttpd 0.9.72 or later");
    }
    api.library = library;
    return TUT_SUCCESS;
}

/* ---- one request ---- */

typedef struct request {
    tut_buf body; /* capped */
    uint64_t since_ms;
} request;

static bool add_header(struct MHD_Response *r, const char *name, const char *value)
{
    return !value || api.MHD_add_response_header(r, name, value) == MHD_YES;
}

static enum MHD_Result send_answer(struct MHD_Connection *c, const tut_http_answer *a)
{
    /* copied, since the answer is gone when libmicrohttpd sends it */
    struct MHD_Response *r = api.MHD_create_response_from_buffer(a->body.len, a->body.data,
                                                                 MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    bool is_fine = add_header(r, "Content-Type", a->content_type) &&
                   add_header(r, "Cache-Control", "no-store") &&
                   add_header(r, "X-Content-Type-Options", "nosniff") &&
                   add_header(r, "Allow", a->allow) &&
                   add_header(r, "WWW-Authenticate", a->authenticate);
    enum MHD_Result sent = is_fine ? api.MHD_queue_response(c, (unsigned)a->status, r) : MHD_NO;
    api.MHD_destroy_response(r);
    return sent;
}

static enum MHD_Result begin(const tut_http_server *server, void **context)
{
    request *req = tut_alloc_array(1, sizeof(*req));
    if (!req)
        return MHD_NO;
    tut_buf_init(&req->body, server->body_bytes);
    req->since_ms = tut_clock_ms();
    *context = req;
    return MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **context)
{
    const tut_http_server *server = ctx;
    request *req = *context;
    (void)version;
    if (!req)
        return begin(server, context);
    if (tut_clock_ms() - req->since_ms > REQUEST_MS)
        return MHD_NO;
    if (*upload_data_size) {
        tut_buf_add(&req->body, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    tut_http_answer answer = {.status = 500};
    tut_http_request whole = {.method = method,
                              .path = url,
                              .body = tut_buf_span(&req->body),
                              .is_too_large = req->body.failed != TUT_OK};
    whole.authorization = api.MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                          "Authorization");
    whole.content_type = api.MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                         "Content-Type");
    server->answer(server->ctx, &whole, &answer);
    enum MHD_Result sent = send_answer(connection, &answer);
    tut_buf_done(&answer.body);
    return sent;
}

static void completed(void *ctx, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode code)
{
    request *req = *context;
    (void)ctx, (void)connection, (void)code;
    if (req)
        tut_buf_done(&req->body);
    tut_free(req);
    *context = NULL;
}

/* ---- serving ---- */

static struct MHD_Daemon *start(const tut_http_server *server, int fd)
{
    return api.MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, (void *)(uintptr_t)server, MHD_OPTION_LISTEN_SOCKET,
        (MHD_socket)fd, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        server->of_one ? server->of_one : (unsigned)CONNECTIONS_OF_ONE,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static tut_status run(const tut_http_server *server, struct MHD_Daemon *daemon, tut_error *err)
{
    while (!tut_interrupted() && (!server->turn || server->turn(server->ctx))) {
        if (api.MHD_run_wait(daemon, TURN_MS) != MHD_YES && !tut_interrupted())
            return tut_fail(err, TUT_IO, "libmicrohttpd stopped serving");
    }
    return TUT_SUCCESS;
}

tut_status tut_http_serve(const tut_http_server *server, tut_error *err)
{
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    int fd;
    TUT_TRY(load(err));
    TUT_TRY(tut_witness_listen(server->listen, &fd, &url, err));
    struct MHD_Daemon *daemon = start(server, fd);
    if (!daemon) {
        tut_fs_close(fd);
        return tut_fail(err, TUT_IO, "libmicrohttpd does not start on %s", server->listen);
    }
    if (server->ready && tut_buf_z(&url))
        server->ready(server->ctx, tut_buf_z(&url));
    tut_status status = run(server, daemon, err);
    api.MHD_stop_daemon(daemon); /* closes the socket too */
    if (tut_str_starts(tut_str_of(server->listen), TUT_LIT("unix:")))
        (void)unlink(server->listen + 5);
    return status;
}
