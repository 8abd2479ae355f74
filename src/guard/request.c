#include "guard/request.h"

#include "base/limits.h"
#include "guard/protocol.h"
#include "text/unseen.h"

static const char *const role_names[TUT_GUARD_ROLE_COUNT] = {
    "none",     "system",          "user",      "assistant", "tool",
    "document", "tool-definition", "tool-call", "file-name"};

const char *tut_guard_role_name(tut_guard_role r)
{
    return role_names[r];
}

static _Thread_local void *spare;

void tut_guard_request_free(tut_guard_request *r)
{
    if (!r)
        return;
    tut_json_doc_free(r->doc);
    tut_free(r->segments);
    tut_free(r->tools);
    tut_free(r->cuts);
    tut_buf_done(&r->body);
    tut_arena_done(&r->arena);
    tut_spare_give(&spare, r);
}

/* --- what is refused before anything is read --- */
bool tut_guard_is_type(tut_str content_type, const char *type)
{
    size_t end = 0;
    while (end < content_type.len && content_type.data[end] != ';')
        end++;
    return tut_str_ieq(tut_str_trim((tut_str){content_type.data, end}), tut_str_of(type));
}

static bool method_is_allowed(const tut_guard_route *route, tut_str method)
{
    if (route->methods.count)
        return tut_guard_is_listed(&route->methods, method);
    return tut_str_eq_z(method, route->protocol->methods);
}

static uint32_t stricter(uint32_t of_route, uint32_t of_client)
{
    return of_client && (of_route == 0 || of_client < of_route) ? of_client : of_route;
}

static void join_rules(tut_guard_request *r)
{
    r->checks = tut_guard_checks_of(r->guard->policy, r->route, r->client);
    r->limits = r->route->limits;
    r->outputs = r->route->outputs;
    if (!r->client)
        return;
    const tut_guard_limits *c = &r->client->limits;
    r->limits.body_bytes = stricter(r->limits.body_bytes, c->body_bytes);
    r->limits.answer_bytes = stricter(r->limits.answer_bytes, c->answer_bytes);
    r->limits.event_bytes = stricter(r->limits.event_bytes, c->event_bytes);
    r->limits.held_bytes = stricter(r->limits.held_bytes, c->held_bytes);
    r->limits.depth = stricter(r->limits.depth, c->depth);
    r->limits.tokens = stricter(r->limits.tokens, c->tokens);
}

/* A monitored route or client only tells; where one of them says "enforce" for a client, that
 * holds. */
static bool is_enforced(const tut_guard_request *r)
{
    if (r->client && r->client->mode_word.len)
        return tut_str_eq_z(r->client->mode_word, "enforce");
    return !r->route->is_monitored;
}

/* False: refused. */
static bool find_route(tut_guard_request *r, const tut_guard_head *head, tut_str *ret_model)
{
    const tut_guard_policy *p = r->guard->policy;
    tut_guard_decision *d = &r->decision;
    r->route = tut_guard_route_of(p, head->path, ret_model);
    r->client = p->client_count ? tut_guard_client_of(p, head->client) : NULL;
    d->is_enforced = r->is_enforced = true; /* what no route names is refused in every mode */
    if (!r->route) {
        tut_guard_refuse(d, 404, "route", TUT_LIT("path"), "no route of the policy has this path");
        return false;
    }
    if (p->client_count && !r->client) {
        tut_guard_refuse(d, 401, "client", TUT_LIT("client"), "the policy names no such client");
        return false;
    }
    join_rules(r);
    d->is_enforced = r->is_enforced = is_enforced(r);
    if (r->client && r->client->routes.count &&
        !tut_guard_is_listed(&r->client->routes, r->route->id))
        tut_guard_refuse(d, 403, "client", TUT_LIT("path"), "the client may not use this route");
    if (!method_is_allowed(r->route, head->method))
        tut_guard_refuse(d, 405, "route", TUT_LIT("method"),
                         "the route does not allow this method");
    if (head->upgrade.len)
        tut_guard_refuse(d, 400, "route", TUT_LIT("upgrade"),
                         "a connection that changes its protocol cannot be looked into");
    if (head->content_encoding.len && !tut_str_ieq(head->content_encoding, TUT_LIT("identity")))
        tut_guard_refuse(d, 415, "route", TUT_LIT("content-encoding"),
                         "compressed requests are not read");
    const char *type = r->route->protocol->is_text ? "text/plain" : "application/json";
    if (!tut_guard_is_type(head->content_type, type))
        tut_guard_refuse(d, 415, "route", TUT_LIT("content-type"), "the route takes %s only", type);
    return d->action != TUT_GUARD_BLOCK;
}

/* --- segments --- */
tut_status tut_guard_request_tool(tut_guard_request *r, tut_str name)
{
    TUT_TRY(tut_grow(&r->tools, r->tool_count, &r->tool_capacity, sizeof(*r->tools)));
    r->tools[r->tool_count++] = name;
    return TUT_SUCCESS;
}

void tut_guard_request_unscanned(tut_guard_request *r, const char *kind, const tut_guard_way *way)
{
    char where[TUT_GUARD_WHERE];
    tut_guard_way_text(way, where, sizeof(where));
    if (tut_guard_is_listed(&r->route->unscanned, tut_str_of(kind)))
        tut_guard_not_scanned(&r->decision, "content", tut_str_of(where),
                              "%s: the policy passes them", kind);
    else
        tut_guard_refuse(&r->decision, 415, "content", tut_str_of(where),
                         "%s cannot be looked into, and the route does not pass them", kind);
}

/* Those that people read before a model does keep their form. */
static bool is_made_safe(const tut_guard_request *r, tut_guard_role role)
{
    return r->route->is_normalised && role != TUT_ROLE_SYSTEM && role != TUT_ROLE_ASSISTANT;
}

static tut_status make_safe(tut_guard_request *r, tut_guard_segment *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    s->raw = s->text;
    if (!is_made_safe(r, s->role) || tut_unseen_strip(s->text, &safe) == 0)
        return tut_buf_check(&safe, err);
    TUT_TRY(tut_buf_check(&safe, err));
    char *copy = tut_arena_copy(&r->arena, tut_buf_str(&safe));
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->text = (tut_str){copy, safe.len};
    tut_guard_add(&r->decision, "normalise", TUT_GUARD_FLAG, tut_str_of(s->where),
                  "characters that nobody sees were taken out of %s text",
                  tut_guard_role_name(s->role));
    return TUT_SUCCESS;
}

static tut_status add_segment(tut_guard_request *r, tut_guard_role role, tut_str text,
                              const char *where, tut_error *err)
{
    if (r->segment_count == TUT_LIMIT_GUARD_SEGMENTS) {
        tut_guard_refuse(&r->decision, 413, "format", tut_str_of(where), "more than %u texts",
                         TUT_LIMIT_GUARD_SEGMENTS);
        return TUT_SUCCESS;
    }
    tut_status status = tut_grow(&r->segments, r->segment_count, &r->segment_capacity,
                                 sizeof(*r->segments));
    char *copy = tut_arena_copy(&r->arena, tut_str_of(where));
    if (!tut_is_ok(status) || !copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_guard_segment *s = &r->segments[r->segment_count++];
    *s = (tut_guard_segment){.role = role, .text = text, .where = copy, .score = -1};
    return make_safe(r, s, err);
}

static tut_status on_value(void *ctx, const tut_guard_way *way, tut_str text,
                           tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    tut_guard_request *r = ctx;
    char where[TUT_GUARD_WHERE];
    (void)ret_fate;
    (void)ret_text;
    tut_guard_role role = r->route->protocol->role(r, way);
    if (role == TUT_ROLE_NONE || text.len == 0)
        return TUT_SUCCESS;
    tut_guard_way_text(way, where, sizeof(where));
    return add_segment(r, role, text, where, err);
}

/* --- checks of texts --- */
typedef struct looking {
    tut_guard_request *r;
    const tut_guard_segment *segment;
    tut_status status;
} looking;

static tut_status add_cut(tut_guard_request *r, const tut_guard_segment *s, const tut_text_match *m)
{
    TUT_TRY(tut_grow(&r->cuts, r->cut_count, &r->cut_capacity, sizeof(*r->cuts)));
    r->cuts[r->cut_count++] = (tut_guard_cut){.segment = (size_t)(s - r->segments),
                                              .begin = (size_t)m->begin,
                                              .end = (size_t)m->end,
                                              .label = m->label};
    return TUT_SUCCESS;
}

static bool on_match(void *ctx, const tut_text_match *m)
{
    looking *l = ctx;
    tut_guard_check check = tut_guard_check_of(m->type, false);
    tut_guard_add(&l->r->decision, tut_guard_check_name(check), l->r->checks[check].action,
                  tut_str_of(l->segment->where), "%s %s in %s text", m->label, m->shown,
                  tut_guard_role_name(l->segment->role));
    if (l->r->checks[check].action == TUT_GUARD_REDACT && l->r->is_enforced)
        l->status = add_cut(l->r, l->segment, m);
    return tut_is_ok(l->status);
}

static tut_status look_at_segments(tut_guard_request *r, tut_error *err)
{
    unsigned classes = tut_guard_classes(r->checks, false);
    for (size_t i = 0; i < r->segment_count; i++) {
        tut_guard_segment *s = &r->segments[i];
        looking l = {.r = r, .segment = s, .status = TUT_SUCCESS};
        tut_text_wish wish = {.classes = classes, .match = on_match, .ctx = &l};
        if (memchr(s->text.data, 0, s->text.len))
            tut_guard_refuse(&r->decision, 400, "format", tut_str_of(s->where),
                             "the text holds a NUL character");
        if (classes)
            TUT_TRY(tut_text_scan(r->guard->scanner, s->text, &wish, err));
        if (!tut_is_ok(l.status))
            return tut_fail(err, l.status.code, "memory ran out");
        r->decision.scanned_bytes += s->text.len;
    }
    return TUT_SUCCESS;
}

/* --- the whole --- */
static tut_status read_text(tut_guard_request *r, tut_span body, tut_error *err)
{
    tut_buf_add(&r->body, body.data, body.len);
    TUT_TRY(tut_buf_check(&r->body, err));
    if (!tut_utf8_valid(tut_buf_str(&r->body)))
        tut_guard_refuse(&r->decision, 400, "format", TUT_LIT("body"), "the text is not UTF-8");
    if (body.len == 0)
        return TUT_SUCCESS;
    return add_segment(r, TUT_ROLE_USER, tut_buf_str(&r->body), "body", err);
}

static tut_status read_json(tut_guard_request *r, tut_span body, tut_error *err)
{
    tut_error why = {0};
    tut_json_options options = {.max_depth = r->limits.depth};
    tut_status status = tut_json_parse(body, &options, &r->doc, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_BUG)
        return tut_fail(err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        tut_guard_refuse(&r->decision, 400, "format", TUT_LIT("body"), "%s", why.text);
        return TUT_SUCCESS;
    }
    if (tut_json_root(r->doc)->type != TUT_JSON_OBJECT) {
        tut_guard_refuse(&r->decision, 400, "format", TUT_LIT("body"), "not a JSON object");
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_guard_walk(tut_json_root(r->doc), on_value, r, NULL, err));
    r->route->protocol->check(r);
    return TUT_SUCCESS;
}

static void check_model(tut_guard_request *r)
{
    if (r->route->models.count && !tut_guard_is_listed(&r->route->models, r->model))
        tut_guard_refuse(&r->decision, 403, "model", TUT_LIT("model"),
                         "the route does not serve this model");
    if (r->client && r->client->models.count && !tut_guard_is_listed(&r->client->models, r->model))
        tut_guard_refuse(&r->decision, 403, "model", TUT_LIT("model"),
                         "the client may not use this model");
}

static tut_status read_body(tut_guard_request *r, tut_str model, tut_span body, tut_error *err)
{
    if (body.len > r->limits.body_bytes) {
        tut_guard_refuse(&r->decision, 413, "format", TUT_LIT("body"), "more than %u bytes",
                         r->limits.body_bytes);
        return TUT_SUCCESS;
    }
    r->model = model;
    if (model.len) { /* of the path, which does not outlive this call */
        char *copy = tut_arena_copy(&r->arena, model);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        r->model = tut_str_of(copy);
    }
    if (r->route->protocol->is_text)
        TUT_TRY(read_text(r, body, err));
    else
        TUT_TRY(read_json(r, body, err));
    if (r->doc || r->route->protocol->is_text) /* else nothing of it is known */
        check_model(r);
    return look_at_segments(r, err);
}

tut_status tut_guard_request_begin(const tut_guard *g, const tut_guard_head *head, tut_span body,
                                   tut_guard_request **ret_request, tut_error *err)
{
    TUT_AUTO(tut_guard_request) r = tut_spare_take(&spare, sizeof(*r));
    tut_str model = {"", 0};
    uint64_t failures = tut_alloc_failures();
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memset(r, 0, offsetof(tut_guard_request, decision.reasons));
    r->guard = g;
    tut_arena_init(&r->arena, 0);
    if (find_route(r, head, &model))
        TUT_TRY(read_body(r, model, body, err));
    if (tut_alloc_failures() != failures) /* a reason may be missing */
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_request = tut_move(&r);
    return TUT_SUCCESS;
}

enum { STEP_BYTES = 1 << 20 };

tut_status tut_guard_request_read(const tut_guard *g, const tut_guard_head *head, tut_span body,
                                  tut_guard_request **ret_request, tut_error *err)
{
    TUT_AUTO(tut_guard_request) r = NULL;
    TUT_TRY(tut_guard_request_begin(g, head, body, &r, err));
    for (bool is_done = false; !is_done;)
        TUT_TRY(tut_guard_request_step(r, STEP_BYTES, &is_done, err));
    *ret_request = tut_move(&r);
    return TUT_SUCCESS;
}
