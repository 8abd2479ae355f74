/* guard: of tutela.yaml -> tut_guard_policy, in the order in which people write it. */
#include "guard/policy.h"

#include "guard/policy_fields.h"
#include "guard/protocol.h"
#include "guard/word.h"

#define MODES "monitor enforce"
#define AUDITS "none prompt durable"
#define BODIES "none sealed"
#define CLASSES "read write send pay execute"

static const char *const classes[TUT_TOOL_CLASS_COUNT] = {"read", "write", "send", "pay",
                                                          "execute"};

const char *tut_tool_class_name(tut_tool_class c)
{
    return classes[c];
}

static const tut_field guard_fields[] = {
    {"listen", TUT_FIELD_TEXT, offsetof(tut_guard_policy, server.listen), 0, false, NULL},
    {"metrics", TUT_FIELD_TEXT, offsetof(tut_guard_policy, server.metrics), 0, false, NULL},
    {"workers", TUT_FIELD_COUNT, offsetof(tut_guard_policy, server.workers), 0, false, NULL},
    {"audit", TUT_FIELD_WORD, offsetof(tut_guard_policy, server.audit_word), 0, false, AUDITS},
    {"ledger_down", TUT_FIELD_WORD, offsetof(tut_guard_policy, server.ledger_down), 0, false,
     "closed open"},
    {"audit_bodies", TUT_FIELD_WORD, offsetof(tut_guard_policy, server.bodies_word), 0, false,
     BODIES},
    {"retention_days", TUT_FIELD_COUNT, offsetof(tut_guard_policy, server.retention_days), 0, false,
     NULL},
    {"trace", TUT_FIELD_WORD, offsetof(tut_guard_policy, server.trace_word), 0, false, "on off"},
    {"timeouts", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"tls", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"notice", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"mode", TUT_FIELD_WORD, offsetof(tut_guard_policy, mode_word), 0, false, MODES},
    TUT_FIELD(TEXTS, tut_guard_policy, canaries, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_policy, link_hosts, false, NULL),
    {"checks", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"jwt", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"quota", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"prices", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"load", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"abuse", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"tools", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"routes", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"clients", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"approvals", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field tool_fields[] = {
    TUT_FIELD(TEXT, tut_guard_tool, name, true, NULL),
    {"class", TUT_FIELD_WORD, offsetof(tut_guard_tool, class_word), 0, true, CLASSES},
    TUT_FIELD(WORD, tut_guard_tool, approval, false, "none hold"),
    TUT_FIELD(TEXT, tut_guard_tool, needed, false, NULL),
};

static const tut_field route_fields[] = {
    TUT_FIELD(TEXT, tut_guard_route, id, true, NULL),
    TUT_FIELD(TEXT, tut_guard_route, path, true, NULL),
    {"protocol", TUT_FIELD_TEXT, offsetof(tut_guard_route, protocol_word), 0, true, NULL},
    TUT_FIELD(TEXT, tut_guard_route, upstream, false, NULL),
    TUT_FIELD(TEXT, tut_guard_route, upstream_key, false, NULL),
    TUT_FIELD(TEXT, tut_guard_route, upstream_ca, false, NULL),
    TUT_FIELD(TEXT, tut_guard_route, standby, false, NULL),
    {"audit", TUT_FIELD_WORD, offsetof(tut_guard_route, audit_word), 0, false, AUDITS},
    {"audit_bodies", TUT_FIELD_WORD, offsetof(tut_guard_route, bodies_word), 0, false, BODIES},
    {"mode", TUT_FIELD_WORD, offsetof(tut_guard_route, mode_word), 0, false, MODES},
    TUT_FIELD(TEXTS, tut_guard_route, methods, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_route, models, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_route, tools, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_route, unscanned, false, NULL),
    TUT_FIELD(WORD, tut_guard_route, normalise, false, "on off"),
    {"spotlight", TUT_FIELD_WORD, offsetof(tut_guard_route, spotlight_word), 0, false,
     "off delimit mark"},
    {"count_tokens", TUT_FIELD_WORD, offsetof(tut_guard_route, count_word), 0, false, "on off"},
    {"answer_schema", TUT_FIELD_TEXT, offsetof(tut_guard_route, answer_schema_word), 0, false,
     NULL},
    {"outputs", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"limits", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"checks", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"tensors", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field client_fields[] = {
    TUT_FIELD(TEXT, tut_guard_client, id, true, NULL),
    {"mode", TUT_FIELD_WORD, offsetof(tut_guard_client, mode_word), 0, false, MODES},
    TUT_FIELD(TEXTS, tut_guard_client, routes, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_client, models, false, NULL),
    {"limits", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"checks", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"person", TUT_FIELD_TEXT, offsetof(tut_guard_client, access.person), 0, false, NULL},
    {"open", TUT_FIELD_FLAG, offsetof(tut_guard_client, access.is_open), 0, false, NULL},
    {"certificate", TUT_FIELD_TEXTS, offsetof(tut_guard_client, access.certificates), 0, false,
     NULL},
    {"keys", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"jwt", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"quota", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"abuse", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

/* The items of a list; *ret_count 0 where it is absent. */
static tut_status open_list(tut_schema *s, const tut_yaml_node *guard, const char *key, size_t size,
                            void **ret_items, const tut_yaml_node **ret_list)
{
    const tut_yaml_node *list = tut_yaml_get(s->system->yaml, guard, key);
    *ret_list = NULL;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, key));
    *ret_items = tut_arena_take(&s->system->arena, list->count + 1u, size);
    if (!*ret_items)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    *ret_list = list;
    return TUT_SUCCESS;
}

static tut_status read_tools(tut_schema *s, const tut_yaml_node *guard, tut_guard_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    void *items = NULL;
    TUT_TRY(open_list(s, guard, "tools", sizeof(*p->tools), &items, &list));
    p->tools = items;
    for (const tut_yaml_node *n = list ? tut_yaml_first(y, list) : NULL; n;
         n = tut_yaml_next(y, n)) {
        tut_guard_tool *t = &p->tools[p->tool_count];
        TUT_TRY(
            tut_schema_read(s, n, tool_fields, TUT_COUNT(tool_fields), t, "a tool", "guard.tools"));
        if (!t->name.len || !t->class_word.len)
            return tut_schema_fail_node(s, n, "a tool has a name and a class (%s)", CLASSES);
        if (tut_guard_tool_of(p, t->name))
            return tut_schema_fail_node(s, n, "tool \"%.*s\" is declared twice", (int)t->name.len,
                                        t->name.data);
        while (!tut_str_eq_z(t->class_word, classes[t->type]))
            t->type++;
        p->tool_count++;
    }
    return TUT_SUCCESS;
}

static tut_status check_known(tut_schema *s, const tut_yaml_node *at, const tut_str_list *list,
                              const char *words)
{
    char copy[128];
    for (size_t i = 0; i < list->count; i++) {
        tut_str word = list->items[i];
        bool is_known = false;
        for (const char *w = words; *w && !is_known;) {
            size_t len = strcspn(w, " ");
            is_known = tut_str_eq((tut_str){w, len}, word);
            w += len + (w[len] == ' ');
        }
        if (!is_known) {
            const char *near = tut_schema_nearest_word(words, word, copy, sizeof(copy));
            return tut_schema_fail_node(s, at, "\"%.*s\" is none of: %s%s%s%s", (int)word.len,
                                        word.data, words, near ? "; did you mean \"" : "",
                                        near ? near : "", near ? "\"?" : "");
        }
    }
    return TUT_SUCCESS;
}

static tut_status check_route(tut_schema *s, const tut_yaml_node *n, const tut_guard_policy *p,
                              tut_guard_route *r)
{
    if (!r->id.len || !r->path.len || !r->protocol_word.len)
        return tut_schema_fail_node(s, n, "a route has an id, a path and a protocol");
    r->protocol = tut_protocol_of(r->protocol_word);
    if (!r->protocol) {
        char copy[160];
        const char *near = tut_schema_nearest_word(tut_protocol_words(), r->protocol_word, copy,
                                                   sizeof(copy));
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, n, "protocol"),
                                    "unknown protocol \"%.*s\"; one of: %s%s%s%s",
                                    (int)r->protocol_word.len, r->protocol_word.data,
                                    tut_protocol_words(), near ? "; did you mean \"" : "",
                                    near ? near : "", near ? "\"?" : "");
    }
    if (r->path.data[0] != '/')
        return tut_schema_fail_node(s, n, "the path of a route begins with /");
    for (size_t i = 0; i < p->route_count; i++)
        if (tut_str_eq(p->routes[i].id, r->id) || tut_str_eq(p->routes[i].path, r->path))
            return tut_schema_fail_node(s, n, "two routes have this id or this path");
    for (size_t i = 0; i < r->tools.count; i++)
        if (!tut_guard_tool_of(p, r->tools.items[i]))
            return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, n, "tools"),
                                        "no tool \"%.*s\" is declared in guard.tools",
                                        (int)r->tools.items[i].len, r->tools.items[i].data);
    if (r->unscanned.count)
        TUT_TRY(check_known(s, tut_yaml_get(s->system->yaml, n, "unscanned"), &r->unscanned,
                            "images audio files state tokens"));
    return tut_guard_read_route_server(s, n, &p->server, r);
}

/* Nothing but the check of tools, which is always there, looks into an answer, and what cannot be
 * looked into may pass as well. */
static bool passes_answers(const tut_guard_policy *p, const tut_guard_route *r)
{
    static const tut_guard_check of_answers[] = {
        TUT_CHECK_SECRETS_OUT, TUT_CHECK_PERSONAL_OUT, TUT_CHECK_CONTACT_OUT,
        TUT_CHECK_CANARY,      TUT_CHECK_PROMPT_LEAK,  TUT_CHECK_LINKS,
        TUT_CHECK_LOGPROBS,    TUT_CHECK_TAINT,        TUT_CHECK_SCHEMA};
    for (size_t i = 0; i < TUT_COUNT(of_answers); i++)
        if (r->checks[of_answers[i]].action != TUT_GUARD_ALLOW)
            return false;
    for (size_t i = 0; i < p->tool_count; i++)
        if (tut_str_eq_z(p->tools[i].approval, "hold"))
            return false;
    return !r->counts_tokens && !r->seals_bodies && r->outputs.round == 0 &&
           r->outputs.top_k == 0 && tut_guard_is_listed(&r->unscanned, TUT_LIT("images")) &&
           tut_guard_is_listed(&r->unscanned, TUT_LIT("audio"));
}

static tut_status read_routes(tut_schema *s, const tut_yaml_node *guard, tut_guard_bounding *b,
                              tut_guard_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    void *items = NULL;
    TUT_TRY(open_list(s, guard, "routes", sizeof(*p->routes), &items, &list));
    p->routes = items;
    for (const tut_yaml_node *n = list ? tut_yaml_first(y, list) : NULL; n;
         n = tut_yaml_next(y, n)) {
        tut_guard_route *r = &p->routes[p->route_count];
        TUT_TRY(tut_schema_read(s, n, route_fields, TUT_COUNT(route_fields), r, "a route",
                                "guard.routes"));
        TUT_TRY(check_route(s, n, p, r));
        tut_guard_default_checks(r->checks, p->checks);
        TUT_TRY(tut_guard_read_checks(s, tut_yaml_get(y, n, "checks"), r->checks,
                                      "guard.routes.checks"));
        TUT_TRY(tut_guard_read_limits(s, tut_yaml_get(y, n, "limits"), &r->limits,
                                      "guard.routes.limits"));
        tut_guard_default_limits(&r->limits);
        TUT_TRY(tut_guard_read_texts(s, n, r));
        const tut_json_value *kept = tut_json_item(b->kept, (uint32_t)p->route_count);
        TUT_TRY(tut_guard_read_tensors(s, tut_yaml_get(y, n, "tensors"),
                                       tut_json_get(kept, "tensors"), b, r));
        tut_str mode = r->mode_word.len ? r->mode_word : p->mode_word;
        r->is_monitored = tut_str_eq_z(mode, "monitor");
        r->passes_answers = passes_answers(p, r);
        p->route_count++;
    }
    if (p->route_count == 0)
        return tut_schema_fail_node(s, guard, "the guard has no route: it would refuse everything");
    return TUT_SUCCESS;
}

/* The client's own settings count in the place of each route's. */
static tut_status read_client_checks(tut_schema *s, const tut_yaml_node *n,
                                     const tut_guard_policy *p, tut_guard_client *c)
{
    const tut_yaml_node *own = tut_yaml_get(s->system->yaml, n, "checks");
    if (tut_schema_is_absent(own))
        return TUT_SUCCESS;
    c->checks = tut_arena_take(&s->system->arena, p->route_count + 1, sizeof(*c->checks));
    if (!c->checks)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < p->route_count; i++) {
        memcpy(c->checks[i], p->routes[i].checks, sizeof(c->checks[i]));
        TUT_TRY(tut_guard_read_checks(s, own, c->checks[i], "guard.clients.checks"));
    }
    return TUT_SUCCESS;
}

static tut_status read_clients(tut_schema *s, const tut_yaml_node *guard, tut_guard_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    void *items = NULL;
    TUT_TRY(open_list(s, guard, "clients", sizeof(*p->clients), &items, &list));
    p->clients = items;
    for (const tut_yaml_node *n = list ? tut_yaml_first(y, list) : NULL; n;
         n = tut_yaml_next(y, n)) {
        tut_guard_client *c = &p->clients[p->client_count];
        TUT_TRY(tut_schema_read(s, n, client_fields, TUT_COUNT(client_fields), c, "a client",
                                "guard.clients"));
        if (!c->id.len || tut_guard_client_of(p, c->id))
            return tut_schema_fail_node(s, n, "a client has an id of its own");
        for (size_t i = 0; i < c->routes.count; i++) {
            size_t k = 0;
            while (p->routes && k < p->route_count &&
                   !tut_str_eq(p->routes[k].id, c->routes.items[i]))
                k++;
            if (k == p->route_count)
                return tut_schema_fail_node(s, tut_yaml_get(y, n, "routes"),
                                            "no route \"%.*s\" is declared",
                                            (int)c->routes.items[i].len, c->routes.items[i].data);
        }
        TUT_TRY(tut_guard_read_limits(s, tut_yaml_get(y, n, "limits"), &c->limits,
                                      "guard.clients.limits"));
        TUT_TRY(read_client_checks(s, n, p, c));
        TUT_TRY(tut_guard_read_client_access(s, n, p, c));
        p->client_count++;
    }
    return TUT_SUCCESS;
}

enum { CANARY_LEAST = 8, CANARY_MOST = TUT_GUARD_CANARY_MOST };

static tut_status check_lists(tut_schema *s, const tut_yaml_node *guard, const tut_guard_policy *p)
{
    if (p->canaries.count > TUT_GUARD_CANARIES)
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, guard, "canaries"),
                                    "at most %d canaries are looked for", TUT_GUARD_CANARIES);
    for (size_t i = 0; i < p->canaries.count; i++) {
        size_t len = p->canaries.items[i].len;
        if (len < CANARY_LEAST || len > CANARY_MOST)
            return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, guard, "canaries"),
                                        "a canary has %d to %d bytes", CANARY_LEAST, CANARY_MOST);
    }
    for (size_t i = 0; i < p->link_hosts.count; i++) {
        tut_str host = p->link_hosts.items[i];
        if (host.len == 0 || memchr(host.data, '/', host.len) || memchr(host.data, '*', host.len))
            return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, guard, "link_hosts"),
                                        "a host is a name such as docs.example.org, which covers "
                                        "the names below it");
    }
    return TUT_SUCCESS;
}

static tut_status read_all(tut_schema *s, const tut_yaml_node *guard, tut_guard_bounding *b,
                           tut_guard_policy *p)
{
    TUT_TRY(tut_schema_read(s, guard, guard_fields, TUT_COUNT(guard_fields), p, "guard", "guard"));
    tut_guard_default_checks(p->checks, NULL);
    TUT_TRY(tut_guard_read_checks(s, tut_yaml_get(s->system->yaml, guard, "checks"), p->checks,
                                  "guard.checks"));
    TUT_TRY(check_lists(s, guard, p));
    TUT_TRY(tut_guard_read_server(s, guard, &p->server));
    TUT_TRY(tut_guard_read_access(s, guard, &p->access));
    TUT_TRY(tut_guard_read_people(s, guard, p));
    TUT_TRY(read_tools(s, guard, p));
    TUT_TRY(read_routes(s, guard, b, p));
    return read_clients(s, guard, p);
}

static tut_status read_policy(tut_system *system, tut_guard_bounding *b,
                              tut_guard_policy *ret_policy, tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    tut_guard_policy p = {0};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *guard = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "guard");
    if (tut_schema_is_absent(guard))
        return tut_fail(s.err, TUT_USAGE, "%s has no guard: section; docs/guard.md shows one",
                        system->file);
    TUT_TRY(read_all(&s, guard, b, &p));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_guard_policy_json(&p, j);
    TUT_TRY(tut_json_finish(j, s.err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &p.version, s.err));
    *ret_policy = p;
    return TUT_SUCCESS;
}

tut_status tut_guard_policy_read(tut_system *system, tut_guard_policy *ret_policy,
                                 tut_buf *ret_shown, tut_error *err)
{
    TUT_CLEAN(tut_guard_bounding) b = {0};
    return read_policy(system, &b, ret_policy, ret_shown, err);
}

tut_status tut_guard_policy_read_kept(tut_system *system, tut_span kept,
                                      tut_guard_policy *ret_policy, tut_error *err)
{
    TUT_CLEAN(tut_guard_bounding) b = {.is_kept = true};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(kept, NULL, &doc, err));
    b.kept = tut_json_get(tut_json_root(doc), "routes");
    return read_policy(system, &b, ret_policy, NULL, err);
}
