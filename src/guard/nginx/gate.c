/* Before any work is done: the form of the request, who asks, and how much he may. */
#include "guard/nginx/module.h"

#include <openssl/x509.h>

enum { RETRY_S = 1 };

static bool is_header(const ngx_table_elt_t *h, const char *name)
{
    size_t len = strlen(name);
    return h->key.len == len && ngx_strncasecmp(h->key.data, (u_char *)(uintptr_t)name, len) == 0;
}

/* Headers of which two could be understood differently by us and the model server. */
static bool has_doubles(ngx_http_request_t *r)
{
    static const char *const once[] = {"content-type",  "content-encoding", "content-length",
                                       "authorization", "x-api-key",        "traceparent"};
    unsigned seen[sizeof(once) / sizeof(once[0])] = {0};
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *h = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++)
            for (size_t k = 0; k < sizeof(once) / sizeof(once[0]); k++)
                if (is_header(&h[i], once[k]) && ++seen[k] > 1)
                    return true;
    }
    return false;
}

tut_str tut_header_of(const ngx_list_t *headers, const char *name)
{
    for (const ngx_list_part_t *part = &headers->part; part; part = part->next) {
        const ngx_table_elt_t *h = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++)
            if (h[i].hash && is_header(&h[i], name))
                return tut_str_of_ngx(h[i].value);
    }
    return (tut_str){"", 0};
}

static tut_str header(ngx_http_request_t *r, const char *name)
{
    return tut_header_of(&r->headers_in.headers, name);
}

tut_guard_head tut_head_of(ngx_http_request_t *r, const guard_ctx *c)
{
    return (tut_guard_head){.method = tut_str_of_ngx(r->method_name),
                            .path = tut_str_of_ngx(r->uri),
                            .content_type = header(r, "content-type"),
                            .content_encoding = header(r, "content-encoding"),
                            .upgrade = header(r, "upgrade"),
                            .client = c->x.client};
}

/* The path that we judge is byte for byte the one that is sent on. */
static const char *wrong_form(ngx_http_request_t *r)
{
    if (r->args.len > 0 || r->unparsed_uri.len != r->uri.len ||
        ngx_memcmp(r->unparsed_uri.data, r->uri.data, r->uri.len) != 0)
        return "a path with a query, escapes or dots is not looked into";
    if (has_doubles(r))
        return "a header stands there twice";
    return NULL;
}

ngx_int_t tut_refuse(ngx_http_request_t *r, guard_ctx *c, unsigned status, const char *check,
                     const char *why)
{
    tut_guard_decision *d = ngx_pcalloc(r->pool, sizeof(*d));
    if (!d)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    d->is_enforced = true;
    tut_guard_refuse(d, status, check, TUT_LIT("request"), "%s", why);
    c->refused = d;
    c->x.refused = d;
    return tut_reply_refusal(r, c, d);
}

ngx_int_t tut_shed(ngx_http_request_t *r, guard_ctx *c, const char *why)
{
    tut_live_count(tut_worker.live, c->route, TUT_COUNT_SHED, 1);
    return tut_reply_error(r, c, NGX_HTTP_SERVICE_UNAVAILABLE, "busy", why, RETRY_S);
}

/* --- who, and how much --- */
static void certificate_of(ngx_http_request_t *r, tut_credentials *shown, char hex[TUT_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    ngx_str_t subject;
    if (!r->connection->ssl || SSL_get_verify_result(r->connection->ssl->connection) != X509_V_OK)
        return;
    X509 *cert = SSL_get1_peer_certificate(r->connection->ssl->connection);
    if (!cert)
        return;
    if (X509_digest(cert, EVP_sha256(), digest, &len) == 1 && len == TUT_SHA256_BYTES) {
        *ngx_hex_dump((u_char *)hex, digest, len) = '\0';
        shown->certificate = tut_str_of(hex);
    }
    X509_free(cert);
    if (ngx_ssl_get_subject_dn(r->connection, r->pool, &subject) == NGX_OK)
        shown->certificate_subject = tut_str_of_ngx(subject);
}

/* What nginx does not go on with (server.c sends it here, so that it is refused and recorded like
 * everything else): a certificate that is not good, or none where nothing else would identify. */
static bool lacks_certificate(ngx_http_request_t *r, const tut_guard_policy *p,
                              char why[TUT_ACCESS_WHY])
{
    if (!r->connection->ssl || !p->server.client_ca.len)
        return false;
    SSL *ssl = r->connection->ssl->connection;
    X509 *cert = SSL_get1_peer_certificate(ssl);
    long verified = SSL_get_verify_result(ssl);
    X509_free(cert);
    if (cert && verified != X509_V_OK)
        (void)snprintf(why, TUT_ACCESS_WHY, "the client's certificate is not good: %s",
                       X509_verify_cert_error_string(verified));
    else if (!cert && !p->client_count)
        (void)snprintf(why, TUT_ACCESS_WHY, "a client's certificate is wanted");
    else
        return false;
    return true;
}

static ngx_int_t identify(ngx_http_request_t *r, guard_ctx *c)
{
    char why[TUT_ACCESS_WHY], hex[TUT_SHA256_HEX];
    if (lacks_certificate(r, &c->policy->policy, why)) {
        tut_live_count(tut_worker.live, c->route, TUT_COUNT_UNKNOWN, 1);
        return tut_refuse(r, c, NGX_HTTP_UNAUTHORIZED, "client", why);
    }
    tut_credentials shown = {.authorization = header(r, "authorization"),
                             .api_key = header(r, "x-api-key")};
    if (!shown.api_key.len)
        shown.api_key = header(r, "api-key");
    certificate_of(r, &shown, hex);
    if (!tut_access_who(c->policy->access, &shown, tut_ngx_now_ms(), &c->who, why)) {
        tut_live_count(tut_worker.live, c->route, TUT_COUNT_UNKNOWN, 1);
        return tut_refuse(r, c, NGX_HTTP_UNAUTHORIZED, "client", why);
    }
    if (c->who.client)
        c->x.client = c->who.client->id;
    c->x.subject = tut_str_of(c->who.subject);
    if (!tut_access_may(&c->who, c->x.route->id))
        return tut_refuse(r, c, NGX_HTTP_FORBIDDEN, "client", "the key is not for this route");
    return NGX_DECLINED;
}

ngx_int_t tut_over_quota(ngx_http_request_t *r, guard_ctx *c, const tut_quota_refusal *why)
{
    bool is_load = why->status == NGX_HTTP_SERVICE_UNAVAILABLE;
    tut_live_count(tut_worker.live, c->route, is_load ? TUT_COUNT_SHED : TUT_COUNT_LIMITED, 1);
    tut_guard_decision *d = ngx_pcalloc(r->pool, sizeof(*d));
    if (!d)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    d->is_enforced = true;
    tut_guard_refuse(d, why->status, "quota", TUT_LIT("request"), "%s", why->what);
    c->refused = d;
    c->x.refused = d;
    return tut_reply_error(r, c, why->status, is_load ? "busy" : "rate_limit_exceeded", why->what,
                           why->retry_after_s);
}

/* NGX_DECLINED: nothing speaks against it so far. */
ngx_int_t tut_gate(ngx_http_request_t *r, guard_ctx *c)
{
    guard_worker *w = &tut_worker;
    tut_str model = {"", 0};
    tut_quota_refusal over;
    off_t length = r->headers_in.content_length_n;
    if (!tut_take_policy(r->connection->log)) {
        tut_live_count(w->live, c->route, TUT_COUNT_ERRORS, 1);
        return tut_reply_error(r, c, NGX_HTTP_SERVICE_UNAVAILABLE, "no_policy",
                               "No policy is in force.", RETRY_S);
    }
    c->policy = tut_inforce_use(w->inforce);
    c->x.policy = c->policy;
    const tut_guard_policy *p = &c->policy->policy;
    if (tut_live_is_stopped(w->live, (tut_str){"", 0}, (tut_str){"", 0}, (tut_str){"", 0}, NULL))
        return tut_refuse(r, c, NGX_HTTP_SERVICE_UNAVAILABLE, "stop", "a person has stopped this");
    const char *why = wrong_form(r);
    if (why)
        return tut_refuse(r, c, NGX_HTTP_BAD_REQUEST, "format", why);
    const tut_guard_route *route = tut_guard_route_of(p, tut_str_of_ngx(r->uri), &model);
    if (!route)
        return tut_refuse(r, c, NGX_HTTP_NOT_FOUND, "route",
                          "no route of the policy has this path");
    c->x.route = route;
    c->route = w->routes[route - p->routes];
    if (!tut_audit_is_there(c->policy))
        return tut_shed(r, c, "The log of this system cannot be written.");
    ngx_int_t rc = identify(r, c);
    if (rc != NGX_DECLINED)
        return rc;
    if (tut_live_is_stopped(w->live, route->id, model, c->x.client, NULL))
        return tut_refuse(r, c, NGX_HTTP_SERVICE_UNAVAILABLE, "stop", "a person has stopped this");
    if (length > (off_t)route->limits.body_bytes)
        return tut_refuse(r, c, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "format",
                          "the body is too long");
    if (!tut_quota_begin(w->live, p, c->who.client, c->who.quota_key, tut_ngx_now_ms(),
                         length > 0 ? (uint64_t)length : 0, &c->ticket_of_quota, &over))
        return tut_over_quota(r, c, &over);
    return NGX_DECLINED;
}
