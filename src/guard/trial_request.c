/* Requests as the protocols have them, made for checks. */
#include <stdio.h>

#include "guard/protocol.h"
#include "guard/trial.h"

void tut_trial_request_done(tut_trial_request *r)
{
    tut_buf_done(&r->path);
    tut_buf_done(&r->body);
}

static tut_str model_of(const tut_guard_policy *p, const tut_guard_route *route)
{
    if (route->models.count)
        return route->models.items[0];
    for (size_t i = 0; i < p->client_count; i++)
        if (p->clients[i].models.count)
            return p->clients[i].models.items[0];
    return TUT_LIT("model");
}

/* "/v2/models/{model}/infer" with a model in its place. */
static void put_path(tut_str path, tut_str model, tut_buf *out)
{
    tut_str hole = TUT_LIT("{model}");
    size_t at = path.len;
    bool has_hole = tut_str_find(path, hole, &at);
    tut_buf_add(out, path.data, has_hole ? at : path.len);
    if (has_hole) {
        tut_buf_add_str(out, model);
        tut_buf_add(out, path.data + at + hole.len, path.len - at - hole.len);
    }
}

static bool is_protocol(const tut_guard_route *route, const char *name)
{
    return strcmp(route->protocol->name, name) == 0;
}

static void put_tool(const tut_guard_route *route, tut_str tool, tut_json *j)
{
    bool is_chat = is_protocol(route, "openai-chat");
    tut_json_key(j, "tools");
    tut_json_array(j);
    tut_json_object(j);
    if (!is_protocol(route, "anthropic-messages"))
        tut_json_put_z(j, "type", "function");
    if (is_chat) {
        tut_json_key(j, "function");
        tut_json_object(j);
    }
    tut_json_put_str(j, "name", tool);
    if (is_chat)
        tut_json_end_object(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static void put_message(tut_json *j, const char *role, tut_str text, const char *call)
{
    tut_json_object(j);
    tut_json_put_z(j, "role", role);
    if (call)
        tut_json_put_z(j, "tool_call_id", call);
    tut_json_put_str(j, "content", text);
    tut_json_end_object(j);
}

/* What a tool answered, as data of an outsider. */
static void put_data(const tut_guard_route *route, tut_str data, tut_json *j)
{
    if (is_protocol(route, "openai-chat")) {
        put_message(j, "tool", data, "call_0");
        return;
    }
    bool is_response = is_protocol(route, "openai-responses");
    tut_json_object(j);
    if (!is_response) {
        tut_json_put_z(j, "role", "user");
        tut_json_key(j, "content");
        tut_json_array(j);
        tut_json_object(j);
    }
    tut_json_put_z(j, "type", is_response ? "function_call_output" : "tool_result");
    tut_json_put_z(j, is_response ? "call_id" : "tool_use_id", "call_0");
    tut_json_put_str(j, is_response ? "output" : "content", data);
    tut_json_end_object(j);
    if (!is_response) {
        tut_json_end_array(j);
        tut_json_end_object(j);
    }
}

static void put_texts(const tut_guard_route *route, tut_str text, tut_str data, tut_json *j)
{
    bool is_responses = is_protocol(route, "openai-responses");
    bool has_messages = is_protocol(route, "openai-chat") ||
                        is_protocol(route, "anthropic-messages") || is_responses;
    if (!has_messages) {
        bool is_completion = is_protocol(route, "openai-completions");
        tut_json_put_str(j, is_completion ? "prompt" : "input", text);
        return;
    }
    tut_json_key(j, is_responses ? "input" : "messages");
    tut_json_array(j);
    put_message(j, "user", text, NULL);
    if (data.len)
        put_data(route, data, j);
    tut_json_end_array(j);
}

/* The tensors that the policy lists, else one; small numbers, or the text. */
static void put_tensor(tut_str name, const tut_guard_tensor *t, tut_str text, tut_json *j)
{
    tut_str datatype = t ? t->datatype : TUT_LIT("FP32");
    bool is_text = tut_str_eq_z(datatype, "BYTES");
    size_t values = 1, rank = t ? t->shape_texts.count : 0;
    int64_t shape[TUT_COUNT(t->shape)] = {1};
    if (rank)
        memcpy(shape, t->shape, sizeof(shape));
    else if (t && t->feature_count)
        shape[0] = (int64_t)t->feature_count;
    rank += rank == 0;
    tut_guard_features_close(t && t->feature_count ? t->feature_count : 1, shape, rank);
    tut_json_object(j);
    tut_json_put_str(j, "name", name);
    tut_json_put_str(j, "datatype", datatype);
    tut_json_key(j, "shape");
    tut_json_array(j);
    for (size_t i = 0; i < rank; i++) {
        values *= (size_t)shape[i];
        tut_json_int(j, shape[i]);
    }
    tut_json_end_array(j);
    tut_json_key(j, "data");
    tut_json_array(j);
    for (size_t i = 0; i < values && i < 65536; i++) {
        if (is_text)
            tut_json_str(j, text);
        else if (t && t->feature_count)
            tut_json_real(j, tut_guard_feature_sample(&t->features[i % t->feature_count]));
        else if (t && t->has_min)
            tut_json_real(j, t->min);
        else
            tut_json_int(j, t && t->has_max && t->max < 1 ? (int64_t)t->max - 1 : 1);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_tensors(const tut_guard_route *route, tut_str text, tut_json *j)
{
    tut_json_key(j, "inputs");
    tut_json_array(j);
    for (size_t i = 0; i < route->tensor_count; i++)
        put_tensor(route->tensors[i].name, &route->tensors[i], text, j);
    if (route->tensor_count == 0)
        put_tensor(TUT_LIT("x"), NULL, text, j);
    tut_json_end_array(j);
}

static tut_status put_body(const tut_guard_route *route, tut_str model, tut_str text, tut_str data,
                           tut_str tool, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    if (route->protocol->is_text) {
        tut_buf_add_str(out, text);
        return tut_buf_check(out, err);
    }
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    if (is_protocol(route, "kserve-v2")) {
        put_tensors(route, text, j);
    } else {
        tut_json_put_str(j, "model", model);
        put_texts(route, text, data, j);
        if (tool.len)
            put_tool(route, tool, j);
        if (route->limits.tokens)
            tut_json_put_u64(
                j, is_protocol(route, "openai-responses") ? "max_output_tokens" : "max_tokens",
                route->limits.tokens < 16 ? route->limits.tokens : 16);
    }
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* --- where --- */
static bool may_use(const tut_guard_client *c, const tut_guard_route *route)
{
    return c->routes.count == 0 || tut_guard_is_listed(&c->routes, route->id);
}

static const tut_guard_client *plain_client(const tut_guard_policy *p, const tut_guard_route *route)
{
    for (size_t i = 0; i < p->client_count; i++)
        if (may_use(&p->clients[i], route) && !p->clients[i].checks)
            return &p->clients[i];
    return NULL;
}

bool tut_trial_place_at(const tut_guard_policy *p, size_t n, tut_trial_place *ret)
{
    for (size_t r = 0; r < p->route_count; r++) {
        const tut_guard_route *route = &p->routes[r];
        const tut_guard_client *plain = plain_client(p, route);
        *ret = (tut_trial_place){.route = route, .client = plain};
        if ((plain || p->client_count == 0) && n-- == 0)
            return true;
        for (size_t i = 0; i < p->client_count; i++) {
            const tut_guard_client *c = &p->clients[i];
            ret->client = c;
            if (may_use(c, route) && c->checks && n-- == 0)
                return true;
        }
    }
    return false;
}

tut_trial_place tut_trial_place_of(const tut_guard_policy *p, const tut_guard_route *route)
{
    tut_trial_place at = {.route = route};
    for (size_t n = 0; tut_trial_place_at(p, n, &at) && at.route != route; n++)
        continue;
    at.route = route; /* where no client may use it */
    return at;
}

tut_str tut_trial_place_name(const tut_trial_place *at, char text[TUT_TRIAL_ABOUT])
{
    bool has_own = at->client && at->client->checks;
    (void)snprintf(text, TUT_TRIAL_ABOUT, "%.*s%s%.*s", (int)at->route->id.len, at->route->id.data,
                   has_own ? ": " : "", has_own ? (int)at->client->id.len : 0,
                   has_own ? at->client->id.data : "");
    return tut_str_of(text);
}

/* --- the whole --- */
tut_status tut_trial_request_make(const tut_guard_policy *p, const tut_trial_place *at,
                                  tut_str text, tut_str data, tut_str tool, tut_trial_request *ret,
                                  tut_error *err)
{
    const tut_guard_route *route = at->route;
    *ret = (tut_trial_request){.head = {.method = {"", 0}}};
    tut_str model = model_of(p, route);
    put_path(route->path, model, &ret->path);
    TUT_TRY(tut_buf_check(&ret->path, err));
    TUT_TRY(put_body(route, model, text, data, tool, &ret->body, err));
    ret->head =
        (tut_guard_head){.method = route->methods.count ? route->methods.items[0] : TUT_LIT("POST"),
                         .path = tut_buf_str(&ret->path),
                         .content_type = route->protocol->is_text ? TUT_LIT("text/plain")
                                                                  : TUT_LIT("application/json")};
    if (at->client)
        ret->head.client = at->client->id;
    return TUT_SUCCESS;
}
