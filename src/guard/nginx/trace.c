/* Trace context: the headers that go upstream, as variables of nginx's configuration. */
#include "guard/nginx/module.h"

const tut_trace *tut_ctx_trace(guard_ctx *c)
{
    if (!c->x.trace.parent[0] && c->policy &&
        !tut_str_eq_z(c->policy->policy.server.trace_word, "off"))
        tut_trace_make(tut_header_of(&c->r->headers_in.headers, "traceparent"), c->x.id,
                       &c->x.trace);
    return &c->x.trace;
}

static ngx_int_t give(ngx_http_variable_value_t *v, const char *text, size_t len)
{
    ngx_memzero(v, sizeof(*v));
    v->valid = 1;
    v->data = (u_char *)(uintptr_t)text;
    v->len = (unsigned)len & 0xfffffffu;
    return NGX_OK;
}

/* $tutela_id: the number of the exchange. */
static ngx_int_t get_id(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    guard_ctx *c = tut_ctx_of(r);
    (void)data;
    return c ? give(v, c->x.id, TUT_EXCHANGE_ID - 1) : give(v, "", 0);
}

static ngx_int_t get_parent(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    guard_ctx *c = tut_ctx_of(r);
    const char *text = c ? tut_ctx_trace(c)->parent : "";
    (void)data;
    return give(v, text, strlen(text));
}

/* Several lines are one list; what is too long for others to keep is left out whole. */
static ngx_int_t get_state(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    guard_ctx *c = tut_ctx_of(r);
    u_char *to = c && tut_ctx_trace(c)->came[0] ? ngx_pnalloc(r->pool, TUT_TRACESTATE_MOST) : NULL;
    size_t len = 0;
    (void)data;
    for (ngx_list_part_t *part = &r->headers_in.headers.part; to && part; part = part->next) {
        const ngx_table_elt_t *h = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            size_t comma = len > 0;
            if (h[i].key.len != 10 ||
                ngx_strncasecmp(h[i].key.data, (u_char *)(uintptr_t) "tracestate", 10) != 0 ||
                h[i].value.len == 0)
                continue;
            if (len + comma + h[i].value.len > TUT_TRACESTATE_MOST)
                return give(v, "", 0);
            if (comma)
                to[len++] = ',';
            ngx_memcpy(to + len, h[i].value.data, h[i].value.len);
            len += h[i].value.len;
        }
    }
    return give(v, to ? (const char *)to : "", len);
}

ngx_int_t tut_add_variables(ngx_conf_t *cf)
{
    static struct {
        ngx_str_t name;
        ngx_http_get_variable_pt get;
    } all[] = {{ngx_string("tutela_id"), get_id},
               {ngx_string("tutela_traceparent"), get_parent},
               {ngx_string("tutela_tracestate"), get_state}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ngx_http_variable_t *v = ngx_http_add_variable(cf, &all[i].name, NGX_HTTP_VAR_NOCACHEABLE);
        if (!v)
            return NGX_ERROR;
        v->get_handler = all[i].get;
    }
    return NGX_OK;
}
