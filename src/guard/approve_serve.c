/* Approvals over HTTP: two questions, whose asker shows a key, and one act, which is signed. */
#include <openssl/crypto.h>

#include "guard/approve.h"
#include "guard/hold_internal.h"
#include "ledger/http_serve.h"
#include "state/records.h"

typedef struct serving {
    const tut_approve_server *server;
    const tut_approve_place *place;
} serving;

#define JSON_TYPE "application/json"

static void refuse(tut_http_answer *a, int status, const char *why)
{
    TUT_AUTO(tut_json) j = NULL;
    a->status = status;
    a->content_type = JSON_TYPE;
    tut_buf_clear(&a->body);
    if (!tut_is_ok(tut_json_new(&a->body, &j)))
        return;
    tut_json_object(j);
    tut_json_put_z(j, "error", why);
    tut_json_end_object(j);
    TUT_IGNORE(tut_json_finish(j, NULL)); /* then it is empty */
    tut_buf_add_z(&a->body, "\n");
}

static int status_of(tut_code code)
{
    switch (code) {
    case TUT_USAGE:
        return 409;
    case TUT_DENIED:
    case TUT_CRYPTO:
        return 403;
    case TUT_MALFORMED:
    case TUT_TRUNCATED:
    case TUT_UNSUPPORTED:
    case TUT_LIMIT:
        return 400;
    case TUT_OK:
    case TUT_IO:
    case TUT_STORE:
    case TUT_NOMEM:
    case TUT_CANCELLED:
    case TUT_BUG:
    case TUT_CODE_COUNT:
        break;
    }
    return 503;
}

/* Compared with all of them, so that the time tells nothing. */
static bool may_look(const serving *s, const char *authorization)
{
    const tut_str_list *keys = &s->place->policy->keys;
    tut_str given = tut_str_of(authorization), scheme = TUT_LIT("Bearer ");
    tut_sha256 digest, known;
    bool is_known = false;
    if (given.len <= scheme.len || !tut_str_ieq((tut_str){given.data, scheme.len}, scheme) ||
        !tut_is_ok(tut_sha256_of(tut_span_of(given.data + scheme.len, given.len - scheme.len),
                                 &digest, NULL)))
        return false;
    for (size_t i = 0; i < keys->count; i++)
        if (tut_is_ok(tut_sha256_parse(keys->items[i], &known)))
            is_known |= CRYPTO_memcmp(digest.bytes, known.bytes, sizeof(known.bytes)) == 0;
    return is_known;
}

/* What is asked about, with those who may decide by the log as it is now. */
typedef struct looking {
    tut_ledger *ledger;
    tut_records *records;
    tut_approvers *who;
    tut_waiting_list list;
    int64_t now_ms;
} looking;

static void looking_done(looking *l)
{
    tut_waiting_list_done(&l->list);
    tut_approvers_free(l->who);
    tut_records_free(l->records);
    tut_ledger_close(l->ledger);
}

static tut_status look(const serving *s, bool for_writing, looking *l, tut_error *err)
{
    l->now_ms = tut_hold_now_ms();
    TUT_TRY(tut_ledger_open(s->place->state_dir, for_writing, &l->ledger, err));
    TUT_TRY(tut_state_people(l->ledger, &l->records, err));
    TUT_TRY(tut_approvers_of(s->place, l->records, &l->who, err));
    return tut_waiting_read(s->place->dir, l->who, l->now_ms, &l->list, err);
}

/* --- GET --- */

static tut_status write_items(const looking *l, const tut_waiting *only, tut_buf *out,
                              tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    size_t waiting = 0;
    for (size_t i = 0; i < l->list.count; i++)
        waiting += l->list.items[i].look.state == TUT_HOLD_WAITING;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.approvals/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "waiting", waiting);
    tut_json_put_u64(j, "unreadable", l->list.unreadable);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < l->list.count; i++) {
        const tut_waiting *w = &l->list.items[i];
        if (only ? w == only : w->look.state == TUT_HOLD_WAITING)
            tut_waiting_json(w, j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status answer_list(const serving *s, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(looking) l = {0};
    TUT_TRY(look(s, false, &l, err));
    TUT_TRY(write_items(&l, NULL, out, err));
    for (size_t i = 0; i < l.list.count; i++)
        TUT_TRY(tut_waiting_seen(s->place->dir, &l.list.items[i], l.now_ms, err));
    return TUT_SUCCESS;
}

static tut_status answer_one(const serving *s, tut_str id, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(looking) l = {0};
    const tut_waiting *w;
    TUT_TRY(look(s, false, &l, err));
    TUT_TRY(tut_waiting_find(&l.list, id, &w, err));
    TUT_TRY(tut_hold_is_shown(&w->hold, err));
    TUT_TRY(write_items(&l, w, out, err));
    return tut_waiting_seen(s->place->dir, w, l.now_ms, err);
}

/* --- POST --- */

static tut_status write_taken(const tut_waiting *w, const tut_approved *d, tut_buf *out,
                              tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "id", w->hold.id);
    tut_json_put_z(j, "state", tut_hold_state_name(d->state));
    tut_json_put_z(j, "decision", d->decision.is_approval ? "approve" : "deny");
    tut_json_put_z(j, "by", d->decision.by);
    tut_json_put_u64(j, "approvals", d->approvals);
    tut_json_put_u64(j, "people", w->hold.people);
    tut_json_put_int(j, "latency_ms", d->latency_ms);
    tut_json_put_u64(j, "entry", d->index);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* Before the log is opened for writing: what no approver signed costs one look. */
static tut_status check_first(const serving *s, tut_str id, tut_span envelope, tut_error *err)
{
    TUT_CLEAN(looking) l = {0};
    const tut_waiting *w;
    tut_hold_decision d;
    TUT_TRY(look(s, false, &l, err));
    TUT_TRY(tut_waiting_find(&l.list, id, &w, err));
    return tut_hold_check(envelope, &w->hold, l.who, &d, err);
}

static tut_status take(const serving *s, tut_str id, tut_span envelope, tut_buf *out,
                       tut_error *err)
{
    TUT_CLEAN(looking) l = {0};
    const tut_waiting *w;
    tut_approved d;
    TUT_TRY(check_first(s, id, envelope, err));
    TUT_TRY(look(s, true, &l, err));
    TUT_TRY(tut_waiting_find(&l.list, id, &w, err));
    TUT_TRY(tut_approve_take(s->place, l.ledger, l.who, w, envelope, NULL, &d, err));
    return write_taken(w, &d, out, err);
}

/* --- routes --- */

static void get(const serving *s, const tut_http_request *req, tut_str id, tut_http_answer *a)
{
    tut_error err = {0};
    if (!may_look(s, req->authorization)) {
        refuse(a, 401, "a key of guard.approvals.keys is wanted (Authorization: Bearer)");
        a->authenticate = "Bearer";
        return;
    }
    a->status = 200;
    a->content_type = JSON_TYPE;
    tut_status status = id.len ? answer_one(s, id, &a->body, &err) : answer_list(s, &a->body, &err);
    if (!tut_is_ok(status))
        refuse(a, status.code == TUT_USAGE ? 404 : status_of(status.code), err.text);
}

static void post(const serving *s, const tut_http_request *req, tut_str id, tut_http_answer *a)
{
    tut_error err = {0};
    if (!tut_guard_is_type(tut_str_of(req->content_type), JSON_TYPE)) {
        refuse(a, 415, "a decision is application/json: the signed envelope");
        return;
    }
    if (req->is_too_large) {
        refuse(a, 413, "the decision is too large");
        return;
    }
    a->status = 200;
    a->content_type = JSON_TYPE;
    tut_status status = take(s, id, req->body, &a->body, &err);
    if (!tut_is_ok(status))
        refuse(a, status_of(status.code), err.text);
}

static void answer(void *ctx, const tut_http_request *req, tut_http_answer *a)
{
    const serving *s = ctx;
    tut_str path = tut_str_of(req->path), root = TUT_LIT("/approvals"), id = {"", 0};
    bool is_get = strcmp(req->method, "GET") == 0, is_post = strcmp(req->method, "POST") == 0;
    if (!tut_str_starts(path, root)) {
        refuse(a, 404, "there is /approvals and /approvals/ID");
        return;
    }
    tut_str rest = {path.data + root.len, path.len - root.len};
    if (rest.len > 0)
        id = (tut_str){rest.data + 1, rest.len - 1};
    if (rest.len > 0 && (rest.data[0] != '/' || !tut_hold_is_id(id))) {
        refuse(a, 404, "there is /approvals and /approvals/ID, with an id of 32 hex digits");
    } else if (is_get) {
        get(s, req, id, a);
    } else if (is_post && id.len) {
        post(s, req, id, a);
    } else {
        refuse(a, 405, "GET what waits, POST a decision to /approvals/ID");
        a->allow = id.len ? "GET, POST" : "GET";
    }
}

static void ready(void *ctx, const char *url)
{
    const serving *s = ctx;
    if (s->server->ready)
        s->server->ready(s->server->ctx, url);
}

static bool turn(void *ctx)
{
    const serving *s = ctx;
    return !s->server->turn || s->server->turn(s->server->ctx);
}

tut_status tut_approve_serve(const tut_approve_server *server, tut_error *err)
{
    serving s = {.server = server, .place = server->place};
    const tut_str *listen = &server->place->policy->listen;
    TUT_AUTO_FREE char *where = tut_strndup(listen->data ? listen->data : "", listen->len);
    const tut_http_server http = {.listen = where,
                                  .body_bytes = TUT_HOLD_DECISION_BYTES,
                                  .ready = ready,
                                  .answer = answer,
                                  .turn = turn,
                                  .ctx = &s};
    if (!where)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!where[0])
        return tut_fail(err, TUT_USAGE, "guard.approvals.listen says where to listen; it is empty");
    return tut_http_serve(&http, err);
}
