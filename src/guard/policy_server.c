/* How a policy says the guard serves: address, TLS, audit, notice; and of a route: its upstream. */
#include "guard/policy_fields.h"

#include "guard/live.h"

/* Of two generations at once, while one policy follows another. */
enum { WORKERS_MOST = TUT_LIVE_WORKERS / 2, RETENTION_DAYS = 30, RETENTION_MOST = 3660 };

static const char *const audits[] = {"none", "prompt", "durable"};

static const tut_field tls_fields[] = {
    {"certificate", TUT_FIELD_TEXT, offsetof(tut_guard_server, certificate), 0, true, NULL},
    {"key", TUT_FIELD_TEXT, offsetof(tut_guard_server, key), 0, true, NULL},
    {"client_ca", TUT_FIELD_TEXT, offsetof(tut_guard_server, client_ca), 0, false, NULL},
};

static const tut_field timeout_fields[] = {
    {"header", TUT_FIELD_COUNT, offsetof(tut_guard_server, header_s), 0, false, NULL},
    {"body", TUT_FIELD_COUNT, offsetof(tut_guard_server, body_s), 0, false, NULL},
    {"send", TUT_FIELD_COUNT, offsetof(tut_guard_server, send_s), 0, false, NULL},
    {"upstream", TUT_FIELD_COUNT, offsetof(tut_guard_server, upstream_s), 0, false, NULL},
};

static const tut_field notice_fields[] = {
    {"text", TUT_FIELD_TEXT, offsetof(tut_guard_server, notice_text), 0, true, NULL},
    {"url", TUT_FIELD_TEXT, offsetof(tut_guard_server, notice_url), 0, false, NULL},
    {"report", TUT_FIELD_TEXT, offsetof(tut_guard_server, notice_report), 0, false, NULL},
};

/* What goes into a configuration file or a header as it stands. */
static bool is_plain(tut_str text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_word && (c == '\0' || !strchr(also, c)))
            return false;
    }
    return true;
}

static tut_status check_listen(tut_schema *s, const tut_yaml_node *guard, const char *key,
                               tut_str listen)
{
    const tut_yaml_node *at = tut_yaml_get(s->system->yaml, guard, key);
    size_t colon = listen.len;
    uint64_t port = 0;
    if (!listen.len)
        return TUT_SUCCESS;
    while (colon > 0 && listen.data[colon - 1] != ':')
        colon--;
    bool has_port = colon > 1 &&
                    tut_str_u64((tut_str){listen.data + colon, listen.len - colon}, &port);
    if (!has_port || port == 0 || port > 65535 || !is_plain(listen, ".:[]-"))
        return tut_schema_fail_node(s, at, "%s is HOST:PORT, such as 127.0.0.1:8443 or [::]:8443",
                                    key);
    return TUT_SUCCESS;
}

static tut_status check_files(tut_schema *s, const tut_yaml_node *tls, const tut_guard_server *v)
{
    const tut_str files[] = {v->certificate, v->key, v->client_ca};
    if (!v->certificate.len || !v->key.len)
        return tut_schema_fail_node(s, tls, "tls has a certificate and a key");
    for (size_t i = 0; i < TUT_COUNT(files); i++)
        if (!is_plain(files[i], "./_-+@"))
            return tut_schema_fail_node(s, tls,
                                        "a file of tls is named with letters, digits and "
                                        "./_-+@");
    return TUT_SUCCESS;
}

static tut_status check_notice(tut_schema *s, const tut_yaml_node *node, const tut_guard_server *v)
{
    if (!v->notice_text.len || v->notice_text.len > 4096)
        return tut_schema_fail_node(s, node, "a notice has a text of at most 4,096 bytes");
    if (!is_plain(v->notice_url, ":/?&=%#.~_-+,;@!") ||
        !is_plain(v->notice_report, ":/?&=%#.~_-+,;@!"))
        return tut_schema_fail_node(s, node, "url and report of a notice are addresses");
    return TUT_SUCCESS;
}

static tut_status read_timeouts(tut_schema *s, const tut_yaml_node *guard, tut_guard_server *v)
{
    static const uint32_t otherwise[] = {10, 10, 60, 600};
    static const char *const names[] = {"header", "body", "send", "upstream"};
    uint32_t *const values[] = {&v->header_s, &v->body_s, &v->send_s, &v->upstream_s};
    const tut_yaml_node *node = tut_yaml_get(s->system->yaml, guard, "timeouts");
    if (!tut_schema_is_absent(node))
        TUT_TRY(tut_schema_read(s, node, timeout_fields, TUT_COUNT(timeout_fields), v, "timeouts",
                                "guard.timeouts"));
    for (size_t i = 0; i < TUT_COUNT(values); i++) {
        if (*values[i] > 3600 ||
            (*values[i] == 0 && !tut_schema_is_absent(node) &&
             !tut_schema_is_absent(tut_yaml_get(s->system->yaml, node, names[i]))))
            return tut_schema_fail_node(s, node, "%s of timeouts is 1 to 3600 seconds", names[i]);
        if (*values[i] == 0)
            *values[i] = otherwise[i];
    }
    return TUT_SUCCESS;
}

static tut_status read_retention(tut_schema *s, const tut_yaml_node *guard, tut_guard_server *v)
{
    const tut_yaml_node *node = tut_yaml_get(s->system->yaml, guard, "retention_days");
    if (v->retention_days > RETENTION_MOST ||
        (v->retention_days == 0 && !tut_schema_is_absent(node)))
        return tut_schema_fail_node(s, node,
                                    "bodies are kept 1 to %d days; audit_bodies: none "
                                    "keeps none",
                                    RETENTION_MOST);
    if (v->retention_days == 0)
        v->retention_days = RETENTION_DAYS;
    return TUT_SUCCESS;
}

tut_status tut_guard_read_server(tut_schema *s, const tut_yaml_node *guard, tut_guard_server *v)
{
    const tut_yaml_node *tls = tut_yaml_get(s->system->yaml, guard, "tls");
    const tut_yaml_node *notice = tut_yaml_get(s->system->yaml, guard, "notice");
    TUT_TRY(check_listen(s, guard, "listen", v->listen));
    TUT_TRY(check_listen(s, guard, "metrics", v->metrics));
    TUT_TRY(read_timeouts(s, guard, v));
    TUT_TRY(read_retention(s, guard, v));
    if (v->workers > WORKERS_MOST)
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, guard, "workers"),
                                    "at most %d workers", WORKERS_MOST);
    if (!tut_schema_is_absent(tls)) {
        TUT_TRY(tut_schema_read(s, tls, tls_fields, TUT_COUNT(tls_fields), v, "tls", "guard.tls"));
        TUT_TRY(check_files(s, tls, v));
    }
    if (!tut_schema_is_absent(notice)) {
        TUT_TRY(tut_schema_read(s, notice, notice_fields, TUT_COUNT(notice_fields), v, "notice",
                                "guard.notice"));
        TUT_TRY(check_notice(s, notice, v));
    }
    return TUT_SUCCESS;
}

static tut_status check_upstream(tut_schema *s, const tut_yaml_node *at, tut_str upstream)
{
    static const char beginnings[][9] = {"http://", "https://", "unix:"};
    bool is_known = upstream.len == 0;
    for (size_t i = 0; i < TUT_COUNT(beginnings); i++)
        is_known = is_known || tut_str_starts(upstream, tut_str_of(beginnings[i]));
    if (!is_known)
        return tut_schema_fail_node(s, at, "an upstream begins with http://, https:// or unix:/");
    if (!is_plain(upstream, ":/.[]_-"))
        return tut_schema_fail_node(s, at,
                                    "an upstream is a host and port, or the path of a "
                                    "socket, with nothing behind it");
    return TUT_SUCCESS;
}

/* The certificate of a server is held against the one name of the route's upstream. */
static tut_status check_standby(tut_schema *s, const tut_yaml_node *node, const tut_guard_route *r)
{
    const tut_yaml_node *at = tut_yaml_get(s->system->yaml, node, "standby");
    if (r->standby.len == 0)
        return TUT_SUCCESS;
    if (r->upstream.len == 0 || tut_str_eq(r->standby, r->upstream))
        return tut_schema_fail_node(s, at, "a standby is another server than the route's upstream");
    if (tut_str_starts(r->upstream, TUT_LIT("https:")) ||
        tut_str_starts(r->standby, TUT_LIT("https:")))
        return tut_schema_fail_node(s, at,
                                    "a standby is asked without TLS (http:// or unix:/), as its "
                                    "upstream is");
    return check_upstream(s, at, r->standby);
}

tut_status tut_guard_read_route_server(tut_schema *s, const tut_yaml_node *node,
                                       const tut_guard_server *server, tut_guard_route *r)
{
    TUT_TRY(check_upstream(s, tut_yaml_get(s->system->yaml, node, "upstream"), r->upstream));
    TUT_TRY(check_standby(s, node, r));
    if (!is_plain(r->path, "/._~-{}+@:"))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "path"),
                                    "a path has letters, digits and ._~-+@: between its slashes");
    const char *const files[] = {"upstream_key", "upstream_ca"};
    const tut_str paths[] = {r->upstream_key, r->upstream_ca};
    for (size_t i = 0; i < TUT_COUNT(files); i++)
        if (!is_plain(paths[i], "./_-+@"))
            return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, files[i]),
                                        "a file is named with letters, digits and ./_-+@");
    if (r->upstream_ca.len && !tut_str_starts(r->upstream, TUT_LIT("https:")))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "upstream_ca"),
                                    "upstream_ca is for an upstream that begins with https://");
    tut_str word = r->audit_word.len ? r->audit_word : server->audit_word;
    r->audit = TUT_AUDIT_PROMPT;
    for (size_t i = 0; i < TUT_COUNT(audits); i++)
        if (tut_str_eq_z(word, audits[i]))
            r->audit = (tut_guard_audit)i;
    word = r->bodies_word.len ? r->bodies_word : server->bodies_word;
    r->seals_bodies = tut_str_eq_z(word, "sealed");
    if (r->seals_bodies && r->audit == TUT_AUDIT_NONE)
        return tut_schema_fail_node(s, node,
                                    "bodies are found by their events: audit_bodies: "
                                    "sealed needs another audit than none");
    return TUT_SUCCESS;
}

void tut_guard_server_json(const tut_guard_server *v, tut_json *j)
{
    tut_json_put_or_null(j, "listen", v->listen);
    tut_json_put_or_null(j, "metrics", v->metrics);
    tut_json_put_or_null(j, "certificate", v->certificate);
    tut_json_put_or_null(j, "certificate_key", v->key);
    tut_json_put_or_null(j, "client_ca", v->client_ca);
    tut_json_put_z(j, "ledger_down", tut_str_eq_z(v->ledger_down, "open") ? "open" : "closed");
    tut_json_put_u64(j, "workers", v->workers);
    tut_json_put_z(j, "trace", tut_str_eq_z(v->trace_word, "off") ? "off" : "on");
    tut_json_put_u64(j, "retention_days", v->retention_days);
    tut_json_put_u64(j, "header_s", v->header_s);
    tut_json_put_u64(j, "body_s", v->body_s);
    tut_json_put_u64(j, "send_s", v->send_s);
    tut_json_put_u64(j, "upstream_s", v->upstream_s);
    tut_json_put_or_null(j, "notice", v->notice_text);
    tut_json_put_or_null(j, "notice_url", v->notice_url);
    tut_json_put_or_null(j, "notice_report", v->notice_report);
}

void tut_guard_route_server_json(const tut_guard_route *r, tut_json *j)
{
    tut_json_put_or_null(j, "upstream", r->upstream);
    tut_json_put_or_null(j, "upstream_key", r->upstream_key);
    if (r->upstream_ca.len) /* a policy without it keeps the digest that it always had */
        tut_json_put_str(j, "upstream_ca", r->upstream_ca);
    if (r->standby.len)
        tut_json_put_str(j, "standby", r->standby);
    tut_json_put_z(j, "audit", audits[r->audit]);
    tut_json_put_z(j, "audit_bodies", r->seals_bodies ? "sealed" : "none");
}
