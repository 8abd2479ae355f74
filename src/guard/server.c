#include "guard/server.h"

#include <sys/resource.h>

#include "base/fs.h"
#include "guard/address.h"
#include "guard/protocol.h"

enum { BODY_IN_MEMORY = 1 << 20, KEY_BYTES = 4096, CONNECTIONS = 8192 };

tut_str tut_server_listen(const tut_guard_policy *p)
{
    return p->server.listen.len ? p->server.listen : tut_str_of(TUT_SERVER_LISTEN);
}

char *tut_server_url(const tut_guard_policy *p)
{
    tut_address at = {"", ""};
    (void)tut_address_parse(tut_server_listen(p), &at);
    tut_address_ask(&at);
    bool is_v6 = strchr(at.host, ':') != NULL;
    return tut_asprintf("%s://%s%s%s:%s", p->server.certificate.len ? "https" : "http",
                        is_v6 ? "[" : "", at.host, is_v6 ? "]" : "", at.port);
}

tut_status tut_server_prepare(const char *dir, tut_error *err)
{
    static const char *const below[] = {"policies",  "run",       "run/body",
                                        "run/proxy", "run/other", "holds"};
    TUT_TRY(tut_fs_mkdirs(dir, 0700, err));
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(dir, below[i]);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(tut_fs_mkdirs(path, 0700, err));
    }
    return TUT_SUCCESS;
}

/* A path as a quoted string of the configuration. */
static void put_quoted(tut_buf *out, const char *text)
{
    tut_buf_add_byte(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            tut_buf_add_byte(out, '\\');
        tut_buf_add_byte(out, (uint8_t)*text);
    }
    tut_buf_add_byte(out, '"');
}

static void put_path(tut_buf *out, const char *directive, const char *dir, const char *name,
                     const char *rest)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%s", dir, name);
    tut_buf_printf(out, "%s ", directive);
    put_quoted(out, path ? path : "");
    tut_buf_printf(out, "%s;\n", rest);
}

static void put_file(tut_buf *out, const char *directive, const tut_server_paths *paths,
                     tut_str file)
{
    TUT_AUTO_FREE char *path = file.data[0] == '/' ? tut_asprintf("%.*s", (int)file.len, file.data)
                                                   : tut_asprintf("%s/%.*s", paths->system_dir,
                                                                  (int)file.len, file.data);
    tut_buf_printf(out, "        %s ", directive);
    put_quoted(out, path ? path : "");
    tut_buf_add_z(out, ";\n");
}

/* As many as the descriptors that a process may have allow: two and a file of a body for each. */
static void put_connections(tut_buf *out)
{
    struct rlimit most = {0};
    rlim_t files = (rlim_t)CONNECTIONS * 3;
    if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_max < files)
        files = most.rlim_max;
    tut_buf_printf(
        out,
        "worker_rlimit_nofile %llu;\n"
        "events { worker_connections %llu; }\n",
        (unsigned long long)files,
        (unsigned long long)(files < (rlim_t)CONNECTIONS * 3 ? files / 3 + 1 : CONNECTIONS));
}

static void put_main(const tut_guard_policy *p, const tut_server_paths *paths, tut_buf *out)
{
    tut_buf_add_z(out, "# Written by `tutela guard up` and `reload`; changes here are lost.\n");
    tut_buf_add_z(out, "load_module ");
    put_quoted(out, paths->module);
    tut_buf_add_z(out, ";\n");
    if (paths->is_root) /* without capabilities: the keeper took them away */
        tut_buf_add_z(out, "user root root;\n");
    tut_buf_add_z(out, "daemon off;\nworker_processes ");
    if (p->server.workers)
        tut_buf_printf(out, "%u;\n", p->server.workers);
    else
        tut_buf_add_z(out, "auto;\n");
    tut_buf_add_z(out, "worker_shutdown_timeout 60s;\n");
    put_path(out, "pid", paths->dir, "nginx.pid", "");
    put_path(out, "error_log", paths->dir, "error.log", " warn");
    put_connections(out);
}

static void put_http(const tut_guard_policy *p, const tut_server_paths *paths, tut_buf *out)
{
    static const char log_format[] =
        "    log_format tutela escape=json "
        "'{\"at\":\"$time_iso8601\",\"id\":\"$sent_http_x_tutela_id\","
        "\"method\":\"$request_method\",\"path\":\"$uri\",\"status\":$status,"
        "\"bytes_in\":$request_length,\"bytes_out\":$body_bytes_sent,\"took_s\":$request_time,"
        "\"upstream_s\":\"$upstream_response_time\",\"tls\":\"$ssl_protocol\","
        "\"trace\":\"$tutela_traceparent\"}';\n";
    tut_buf_add_z(out, "http {\n");
    put_path(out, "    tutela_guard", paths->dir, "", "");
    tut_buf_add_z(out, log_format);
    put_path(out, "    access_log", paths->dir, "access.log", " tutela buffer=64k flush=1s");
    put_path(out, "    client_body_temp_path", paths->dir, "run/body", "");
    put_path(out, "    proxy_temp_path", paths->dir, "run/proxy", "");
    put_path(out, "    fastcgi_temp_path", paths->dir, "run/other", "");
    put_path(out, "    uwsgi_temp_path", paths->dir, "run/other", "");
    put_path(out, "    scgi_temp_path", paths->dir, "run/other", "");
    put_path(out, "    root", paths->dir, "run/none", "");
    tut_buf_add_z(out, "    server_tokens off;\n"
                       "    default_type application/octet-stream;\n"
                       "    tcp_nodelay on;\n"
                       "    reset_timedout_connection on;\n"
                       "    keepalive_timeout 75s;\n"
                       "    keepalive_requests 100000;\n"
                       "    client_header_buffer_size 4k;\n"
                       "    request_pool_size 8k;\n"
                       "    large_client_header_buffers 4 16k;\n"
                       "    ignore_invalid_headers on;\n"
                       "    underscores_in_headers off;\n");
    tut_buf_printf(out,
                   "    client_header_timeout %us;\n"
                   "    client_body_timeout %us;\n"
                   "    send_timeout %us;\n",
                   p->server.header_s, p->server.body_s, p->server.send_s);
}

/* "host:port" of an upstream, or its socket. */
static tut_str authority_of(tut_str at)
{
    static const char *const beginnings[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++)
        if (tut_str_starts(at, tut_str_of(beginnings[i])))
            at = (tut_str){at.data + strlen(beginnings[i]), at.len - strlen(beginnings[i])};
    while (at.len && at.data[at.len - 1] == '/')
        at.len--;
    return at;
}

static void put_one_server(tut_str upstream, const char *how, tut_buf *out)
{
    bool is_tls = tut_str_starts(upstream, TUT_LIT("https://"));
    tut_str at = authority_of(upstream);
    bool has_port = memchr(at.data, ':', at.len) != NULL;
    tut_buf_printf(out, "server %.*s%s %s; ", (int)at.len, at.data,
                   has_port ? ""
                   : is_tls ? ":443"
                            : ":80",
                   how);
}

/* With a standby, a server that failed thrice in five seconds is left alone for five. */
static void put_upstream(const tut_guard_route *r, size_t number, tut_buf *out)
{
    tut_buf_printf(out, "    upstream tutela_%zu { ", number);
    put_one_server(r->upstream, r->standby.len ? "max_fails=3 fail_timeout=5s" : "max_fails=0",
                   out);
    if (r->standby.len)
        put_one_server(r->standby, "backup max_fails=0", out);
    tut_buf_add_z(out, "keepalive 64; keepalive_requests 100000; keepalive_timeout 4s; }\n");
}

static tut_status put_key(const tut_guard_route *r, const tut_server_paths *paths, tut_buf *out,
                          tut_error *err)
{
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    if (!r->upstream_key.len) {
        tut_buf_add_z(out, "            proxy_set_header Authorization \"\";\n");
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE char *path = r->upstream_key.data[0] == '/'
                                   ? tut_asprintf("%.*s", (int)r->upstream_key.len,
                                                  r->upstream_key.data)
                                   : tut_asprintf("%s/%.*s", paths->system_dir,
                                                  (int)r->upstream_key.len, r->upstream_key.data);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(path, KEY_BYTES, &key, err));
    tut_str text = tut_str_trim(tut_buf_str(&key));
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"\\$;{}", text.data[i]))
            return tut_fail(err, TUT_MALFORMED, "%s holds no key: one line of visible letters",
                            path);
    tut_buf_printf(out, "            proxy_set_header Authorization \"Bearer %.*s\";\n",
                   (int)text.len, text.data);
    tut_buf_clear(&key);
    return TUT_SUCCESS;
}

/* "/v2/models/{model}/infer" takes a pattern; what has none is compared as it stands. */
static void put_location(const tut_guard_route *r, tut_buf *out)
{
    tut_str hole = TUT_LIT("{model}");
    size_t at;
    if (!tut_str_find(r->path, hole, &at)) {
        tut_buf_printf(out, "        location = \"%.*s\" {\n", (int)r->path.len, r->path.data);
        return;
    }
    tut_buf_add_z(out, "        location ~ \"^");
    for (size_t i = 0; i < r->path.len; i++) {
        if (i == at) {
            tut_buf_add_z(out, "[^/]+");
            i += hole.len - 1;
        } else {
            if (strchr(".+-@:~", r->path.data[i]))
                tut_buf_add_byte(out, '\\');
            tut_buf_add_byte(out, (uint8_t)r->path.data[i]);
        }
    }
    tut_buf_add_z(out, "$\" {\n");
}

/* To a standby, or the next address of a name, goes what the first has not begun: requests are
 * POST, which nginx hands on only as long as nothing of them was sent. */
static void put_exchange(const tut_guard_policy *p, const tut_guard_route *r, tut_buf *out)
{
    tut_buf_printf(out,
                   "            proxy_buffering off;\n"
                   "            proxy_buffer_size 16k;\n"
                   "            proxy_buffers 4 16k;\n"
                   "            proxy_busy_buffers_size 32k;\n"
                   "            proxy_request_buffering on;\n"
                   "            proxy_next_upstream error timeout;\n"
                   "            proxy_socket_keepalive on;\n"
                   "            proxy_read_timeout %us;\n"
                   "            proxy_ignore_headers X-Accel-Redirect X-Accel-Buffering "
                   "X-Accel-Charset X-Accel-Limit-Rate X-Accel-Expires;\n",
                   p->server.upstream_s);
    if (r->standby.len)
        tut_buf_add_z(out, "            proxy_connect_timeout 5s;\n");
}

/* What of the client's head is not the model server's business, would change what it answers behind
 * our back (parts of an answer, that are looked at one by one), or would be believed there. */
static void put_hidden(tut_buf *out)
{
    static const char *const hidden[] = {"Connection",
                                         "Accept-Encoding",
                                         "X-Api-Key",
                                         "Api-Key",
                                         "Proxy-Authorization",
                                         "Cookie",
                                         "Range",
                                         "If-Range",
                                         "If-Match",
                                         "If-None-Match",
                                         "If-Modified-Since",
                                         "If-Unmodified-Since",
                                         "TE",
                                         "Forwarded",
                                         "X-Forwarded-For",
                                         "X-Forwarded-Host",
                                         "X-Forwarded-Proto",
                                         "X-Real-IP"};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        tut_buf_printf(out, "            proxy_set_header %s \"\";\n", hidden[i]);
}

/* The name by which the model server is called, and its certificate held against: without these
 * nginx would say that of its own group of servers. */
static void put_name(const tut_guard_route *r, const tut_server_paths *paths, tut_buf *out)
{
    tut_str at = authority_of(r->upstream);
    bool is_socket = tut_str_starts(r->upstream, TUT_LIT("unix:"));
    const char *end = at.len && at.data[0] == '[' ? memchr(at.data, ']', at.len) : NULL;
    const char *colon = memchr(at.data, ':', at.len);
    tut_str host = {at.data, end     ? (size_t)(end + 1 - at.data)
                             : colon ? (size_t)(colon - at.data)
                                     : at.len};
    if (is_socket)
        at = TUT_LIT("localhost");
    tut_buf_printf(out, "            proxy_set_header Host \"%.*s\";\n", (int)at.len, at.data);
    if (!tut_str_starts(r->upstream, TUT_LIT("https://")))
        return;
    tut_buf_printf(out,
                   "            proxy_ssl_name \"%.*s\";\n"
                   "            proxy_ssl_verify on;\n"
                   "            proxy_ssl_server_name on;\n"
                   "            proxy_ssl_protocols TLSv1.2 TLSv1.3;\n",
                   (int)host.len, host.data);
    put_file(out, "    proxy_ssl_trusted_certificate", paths,
             r->upstream_ca.len ? r->upstream_ca : TUT_LIT("/etc/ssl/certs/ca-certificates.crt"));
}

static tut_status put_route(const tut_guard_policy *p, size_t number, const tut_server_paths *paths,
                            tut_buf *out, tut_error *err)
{
    const tut_guard_route *r = &p->routes[number];
    bool is_tls = tut_str_starts(r->upstream, TUT_LIT("https://"));
    uint32_t in_memory = r->limits.body_bytes < BODY_IN_MEMORY ? r->limits.body_bytes
                                                               : BODY_IN_MEMORY;
    put_location(r, out);
    tut_buf_printf(out,
                   "            tutela on;\n"
                   "            client_max_body_size 0;\n" /* the module counts it */
                   "            client_body_buffer_size %u;\n"
                   "            client_body_in_single_buffer on;\n"
                   "            proxy_pass %s://tutela_%zu;\n"
                   "            proxy_http_version 1.1;\n"
                   "            proxy_set_header Traceparent $tutela_traceparent;\n"
                   "            proxy_set_header Tracestate $tutela_tracestate;\n"
                   "            proxy_set_header X-Tutela-Id $tutela_id;\n",
                   in_memory ? in_memory : 1, is_tls ? "https" : "http", number);
    put_hidden(out);
    TUT_TRY(put_key(r, paths, out, err));
    put_name(r, paths, out);
    put_exchange(p, r, out);
    tut_buf_add_z(out, "        }\n");
    return TUT_SUCCESS;
}

static tut_status put_server(const tut_guard_policy *p, const tut_server_paths *paths, tut_buf *out,
                             tut_error *err)
{
    const tut_guard_server *v = &p->server;
    tut_str listen = tut_server_listen(p);
    tut_buf_printf(out, "    server {\n        listen %.*s%s backlog=4096;\n", (int)listen.len,
                   listen.data, v->certificate.len ? " ssl http2" : "");
    if (v->certificate.len) {
        put_file(out, "ssl_certificate", paths, v->certificate);
        put_file(out, "ssl_certificate_key", paths, v->key);
        tut_buf_add_z(out, "        keepalive_requests 1000;\n" /* and streams of HTTP/2 */
                           "        ssl_protocols TLSv1.3;\n"
                           "        ssl_session_cache shared:tutela_tls:4m;\n"
                           "        ssl_buffer_size 4k;\n");
        if (v->client_ca.len) {
            put_file(out, "ssl_client_certificate", paths, v->client_ca);
            /* With clients in the policy it may be a key or a token instead; without, nobody else
             * would ask for anything. */
            tut_buf_printf(
                out,
                "        ssl_verify_client %s;\n"
                "        error_page 495 496 = @tutela_certificate;\n"
                "        location @tutela_certificate { tutela on; tutela_strangers on; }\n",
                p->client_count ? "optional" : "on");
        }
    }
    for (size_t i = 0; i < p->route_count; i++)
        if (p->routes[i].upstream.len)
            TUT_TRY(put_route(p, i, paths, out, err));
    tut_buf_printf(out, "        location = /.well-known/ai-notice { tutela_notice; }\n"
                        "        location / { tutela on; client_max_body_size 0; }\n"
                        "    }\n");
    return TUT_SUCCESS;
}

tut_status tut_server_conf(const tut_guard_policy *p, const tut_server_paths *paths, tut_buf *out,
                           tut_error *err)
{
    if (strpbrk(paths->dir, "$\n\r") || strpbrk(paths->system_dir, "$\n\r") ||
        strpbrk(paths->module, "$\n\r")) /* nginx would read a variable */
        return tut_fail(err, TUT_USAGE, "%s: nginx takes no path with $ or line ends", paths->dir);
    put_main(p, paths, out);
    put_http(p, paths, out);
    for (size_t i = 0; i < p->route_count; i++)
        if (p->routes[i].upstream.len)
            put_upstream(&p->routes[i], i, out);
    TUT_TRY(put_server(p, paths, out, err));
    tut_buf_add_z(out, "    server {\n        listen ");
    TUT_AUTO_FREE char *control = tut_asprintf("unix:%s/%s", paths->dir, TUT_SERVER_CONTROL);
    put_quoted(out, control ? control : "");
    tut_buf_add_z(out, ";\n        access_log off;\n"
                       "        location = /metrics { tutela_metrics; }\n"
                       "        location / { return 404; }\n    }\n");
    if (p->server.metrics.len)
        tut_buf_printf(out,
                       "    server {\n        listen %.*s;\n        access_log off;\n"
                       "        location = /metrics { tutela_metrics; }\n"
                       "        location / { return 404; }\n    }\n",
                       (int)p->server.metrics.len, p->server.metrics.data);
    tut_buf_add_z(out, "}\n");
    return tut_buf_check(out, err);
}
