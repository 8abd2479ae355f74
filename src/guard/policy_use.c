/* A policy asked and written. */
#include "guard/policy.h"
#include "guard/policy_fields.h"
#include "guard/protocol.h"

bool tut_guard_is_listed(const tut_str_list *list, tut_str word)
{
    for (size_t i = 0; i < list->count; i++)
        if (tut_str_eq(list->items[i], word))
            return true;
    return false;
}

bool tut_guard_host_is_listed(const tut_guard_policy *p, tut_str host)
{
    while (host.len && host.data[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < p->link_hosts.count; i++) {
        tut_str listed = p->link_hosts.items[i];
        if (host.len < listed.len)
            continue;
        tut_str tail = {host.data + (host.len - listed.len), listed.len};
        if (tut_str_ieq(tail, listed) &&
            (host.len == listed.len || host.data[host.len - listed.len - 1] == '.'))
            return true;
    }
    return false;
}

const tut_guard_tool *tut_guard_tool_of(const tut_guard_policy *p, tut_str name)
{
    for (size_t i = 0; i < p->tool_count; i++)
        if (tut_str_eq(p->tools[i].name, name))
            return &p->tools[i];
    return NULL;
}

const tut_guard_setting *tut_guard_checks_of(const tut_guard_policy *p,
                                             const tut_guard_route *route,
                                             const tut_guard_client *client)
{
    return client && client->checks ? client->checks[route - p->routes] : route->checks;
}

const tut_guard_client *tut_guard_client_of(const tut_guard_policy *p, tut_str id)
{
    for (size_t i = 0; i < p->client_count; i++)
        if (tut_str_eq(p->clients[i].id, id))
            return &p->clients[i];
    return NULL;
}

/* The path of a route against that of a request: the same bytes, "{model}" one whole segment. */
static bool path_matches(tut_str pattern, tut_str path, tut_str *ret_model)
{
    static const tut_str hole = {"{model}", 7};
    size_t at;
    *ret_model = (tut_str){"", 0};
    if (!tut_str_find(pattern, hole, &at))
        return tut_str_eq(pattern, path);
    if (path.len < at || memcmp(pattern.data, path.data, at) != 0)
        return false;
    size_t end = at;
    while (end < path.len && path.data[end] != '/')
        end++;
    tut_str rest = {path.data + end, path.len - end};
    tut_str rest_pattern = {pattern.data + at + hole.len, pattern.len - at - hole.len};
    *ret_model = (tut_str){path.data + at, end - at};
    return end > at && tut_str_eq(rest, rest_pattern) && !memchr(path.data + at, '%', end - at);
}

const tut_guard_route *tut_guard_route_of(const tut_guard_policy *p, tut_str path,
                                          tut_str *ret_model)
{
    for (size_t i = 0; i < p->route_count; i++)
        if (path_matches(p->routes[i].path, path, ret_model))
            return &p->routes[i];
    return NULL;
}

/* --- the canonical form --- */
void tut_guard_put_list(tut_json *j, const char *key, const tut_str_list *list)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < list->count; i++)
        tut_json_str(j, list->items[i]);
    tut_json_end_array(j);
}

static void put_limits(tut_json *j, const tut_guard_limits *l)
{
    tut_json_key(j, "limits");
    tut_json_object(j);
    tut_json_put_u64(j, "body_bytes", l->body_bytes);
    tut_json_put_u64(j, "answer_bytes", l->answer_bytes);
    tut_json_put_u64(j, "event_bytes", l->event_bytes);
    tut_json_put_u64(j, "held_bytes", l->held_bytes);
    tut_json_put_u64(j, "depth", l->depth);
    tut_json_put_u64(j, "tokens", l->tokens);
    tut_json_end_object(j);
}

static void put_checks(tut_json *j, const tut_guard_setting *settings)
{
    tut_json_key(j, "checks");
    tut_json_object(j);
    for (unsigned i = 0; i < TUT_CHECK_COUNT; i++) {
        tut_json_key(j, tut_guard_check_name((tut_guard_check)i));
        tut_json_object(j);
        tut_json_put_z(j, "action", tut_guard_action_name(settings[i].action));
        if (i == TUT_CHECK_INJECTION || i == TUT_CHECK_INJECTION_DATA) {
            tut_json_key(j, "threshold");
            tut_json_real(j, settings[i].threshold);
            tut_json_key(j, i == TUT_CHECK_INJECTION ? "flag_at" : "taint_at");
            tut_json_real(j, settings[i].low);
        }
        if (i == TUT_CHECK_PROMPT_LEAK)
            tut_json_put_u64(j, "words", settings[i].words);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
}

static void put_tensors(tut_json *j, const tut_guard_route *r)
{
    tut_json_key(j, "tensors");
    tut_json_array(j);
    for (size_t i = 0; i < r->tensor_count; i++) {
        const tut_guard_tensor *t = &r->tensors[i];
        tut_json_object(j);
        tut_json_put_str(j, "name", t->name);
        tut_json_put_str(j, "datatype", t->datatype);
        tut_guard_put_list(j, "shape", &t->shape_texts);
        tut_json_put_or_null(j, "min", t->min_text);
        tut_json_put_or_null(j, "max", t->max_text);
        tut_guard_bounds_json(t, j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_route(tut_json *j, const tut_guard_route *r)
{
    tut_json_object(j);
    tut_json_put_str(j, "id", r->id);
    tut_json_put_str(j, "path", r->path);
    tut_json_put_str(j, "protocol", r->protocol_word);
    tut_guard_route_server_json(r, j);
    tut_guard_texts_json(r, j);
    tut_json_put_z(j, "mode", r->is_monitored ? "monitor" : "enforce");
    tut_guard_put_list(j, "methods", &r->methods);
    tut_guard_put_list(j, "models", &r->models);
    tut_guard_put_list(j, "tools", &r->tools);
    tut_guard_put_list(j, "unscanned", &r->unscanned);
    put_limits(j, &r->limits);
    put_checks(j, r->checks);
    put_tensors(j, r);
    tut_json_end_object(j);
}

static void put_client_checks(tut_json *j, const tut_guard_policy *p, const tut_guard_client *c)
{
    if (!c->checks)
        return;
    tut_json_key(j, "on");
    tut_json_object(j);
    for (size_t i = 0; i < p->route_count; i++) {
        tut_json_key_str(j, p->routes[i].id);
        tut_json_object(j);
        put_checks(j, c->checks[i]);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
}

static void put_clients(tut_json *j, const tut_guard_policy *p)
{
    tut_json_key(j, "clients");
    tut_json_array(j);
    for (size_t i = 0; i < p->client_count; i++) {
        const tut_guard_client *c = &p->clients[i];
        tut_json_object(j);
        tut_json_put_str(j, "id", c->id);
        tut_json_put_or_null(j, "mode", c->mode_word);
        tut_guard_put_list(j, "routes", &c->routes);
        tut_guard_put_list(j, "models", &c->models);
        put_limits(j, &c->limits);
        put_client_checks(j, p, c);
        tut_guard_client_access_json(c, j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_guard_policy_json(const tut_guard_policy *p, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.guard-policy/1");
    tut_guard_server_json(&p->server, j);
    tut_guard_access_json(&p->access, j);
    tut_guard_put_list(j, "canaries", &p->canaries);
    tut_guard_put_list(j, "link_hosts", &p->link_hosts);
    tut_json_key(j, "tools");
    tut_json_array(j);
    for (size_t i = 0; i < p->tool_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "name", p->tools[i].name);
        tut_json_put_z(j, "class", tut_tool_class_name(p->tools[i].type));
        tut_json_put_bool(j, "hold", tut_str_eq_z(p->tools[i].approval, "hold"));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "routes");
    tut_json_array(j);
    for (size_t i = 0; i < p->route_count; i++)
        put_route(j, &p->routes[i]);
    tut_json_end_array(j);
    put_clients(j, p);
    tut_guard_people_json(p, j);
    tut_json_end_object(j);
}
